//! Messages that are owed: sent once, tried again, given up, shown.

mod mail;
mod webhooks;

use jiff::Timestamp;
use muster::outbox::{self, Channel, NewSend, Purpose, Recipient, SendId, State};
use muster::timeline::Agent;
use serde_json::Value;

use crate::harness::TestApp;

/// A message to `address`, due at once.
pub(crate) fn message(key: &str, channel: Channel, address: &str, now: Timestamp) -> NewSend {
    let recipient = Recipient {
        name: "Maya Okafor".to_owned(),
        address: address.to_owned(),
        user_id: None,
    };
    NewSend::new(Purpose::Notice, channel, recipient, key, now).words("Card terminals", "They are down.")
}

pub(crate) async fn owe(muster: &TestApp, send: NewSend) -> SendId {
    muster
        .app
        .change(Agent::muster(), move |change| outbox::owe(change, &send))
        .await
        .unwrap()
}

pub(crate) async fn shown(muster: &TestApp, id: &SendId) -> Value {
    muster.get(&format!("/outbox/sends/{id}")).await.good()["send"].clone()
}

pub(crate) async fn state(muster: &TestApp, id: &SendId) -> State {
    let text = shown(muster, id).await["state"].as_str().unwrap().to_owned();
    State::from_text(&text).unwrap()
}
