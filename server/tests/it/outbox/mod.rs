//! Messages that are owed: sent once, tried again, given up, shown.

mod mail;
pub(crate) mod webhooks;

use jiff::Timestamp;
use muster::outbox::{self, Channel, NewSend, Purpose, Recipient, SendId, State};
use muster::people::Role;
use muster::timeline::Agent;
use serde_json::Value;
use store::Engine;

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

#[store::both_engines]
async fn whoever_is_paged_again_and_again_keeps_nobody_else_waiting(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster
        .person("Ben Adler", "ben@example.org", Role::Responder)
        .await;
    let now = muster.app.clock.now();
    let page = |person: &str, id: &muster::people::UserId, number: usize| {
        let recipient = Recipient {
            name: person.to_owned(),
            address: format!("{person}@example.org"),
            user_id: Some(id.clone()),
        };
        let key = format!("page:{person}:{number}");
        NewSend::new(Purpose::Page, Channel::Webhook, recipient, &key, now).words("Down", "It is down.")
    };
    for number in 0..60 {
        owe(&muster, page("maya", &muster.owner.id, number)).await;
    }
    owe(&muster, page("ben", &ben.id, 0)).await;
    let claimed = muster
        .app
        .store
        .write(move |tx| outbox::store::claim(tx, Channel::Webhook, now, 21))
        .await
        .unwrap();
    let of_ben = claimed
        .iter()
        .filter(|send| send.user_id.as_ref() == Some(&ben.id));
    assert_eq!((claimed.len(), of_ben.count()), (21, 1));
}

#[store::both_engines]
async fn what_cannot_be_understood_in_an_address_gets_the_usual_error(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let twice = muster
        .get("/outbox/sends?limit=25&limit=30")
        .await
        .with_status(400);
    assert_eq!(twice["error"]["code"], 2001, "{twice}");
    let nul = muster.get("/outbox/sends?incident_id=%00").await.with_status(400);
    assert_eq!(nul["error"]["code"], 2001, "{nul}");
    for id in ["%ff%fe", "%00", "Q0"] {
        let path = format!("/outbox/sends/{id}");
        for missing in [
            muster.get(&path).await,
            muster
                .post(&format!("{path}/retry"), serde_json::Value::Null)
                .await,
        ] {
            assert_eq!(missing.with_status(404)["error"]["code"], 2100, "{path}");
        }
    }
}
