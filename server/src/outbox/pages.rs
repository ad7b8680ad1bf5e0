//! Messages that are pages: an incident knows what became of each.

use jiff::Timestamp;
use serde_json::json;
use store::{Error, Tx, params, sql};

use super::model::{Channel, Purpose, SendId, State};
use super::rules;
use super::store::Finished;
use crate::jobs::{Kind as JobKind, Owed};
use crate::timeline::{Change, IncidentId, Kind, NewEntry};

/// The wake-up for a page that does not get out is apart from what else wakes the pages of an incident.
const SLOW: &str = "slow";

/// A page as its incident knows it.
#[derive(Debug, Clone, store::FromRow)]
pub struct Page {
    pub id: SendId,
    pub idempotency_key: String,
    pub state: State,
    pub attempts: i64,
    pub withdrawn_at: Option<Timestamp>,
}

impl Page {
    /// How often it was tried, without what is under way.
    pub fn tries(&self) -> i64 {
        self.attempts - i64::from(self.state == State::Sending)
    }

    /// Whether it was taken back before it went out.
    pub fn is_taken_back(&self) -> bool {
        match self.state {
            State::Cancelled => true,
            State::Owed | State::Sending => self.withdrawn_at.is_some(),
            State::Sent | State::Shown | State::Failed => false,
        }
    }
}

/// Every page of an incident, oldest first.
pub fn pages_of(tx: &mut Tx, incident_id: &IncidentId) -> Result<Vec<Page>, Error> {
    tx.rows(
        sql!(
            "SELECT id, idempotency_key, state, attempts, withdrawn_at FROM sends
             WHERE incident_id = $1 AND purpose = 'page' ORDER BY id"
        ),
        params![incident_id],
    )
}

/// A page was put off. Once it has been often enough, the pages of its incident are looked at when it counts as slow; and at
/// every tenth time after that, because a wake-up may have been lost with a node.
pub(super) fn put_off(change: &mut Change, one: &Finished) -> Result<(), Error> {
    let (Purpose::Page, Some(incident_id)) = (one.send.purpose, &one.send.incident_id) else {
        return Ok(());
    };
    let beyond = one.send.attempts - rules::SLOW_TRIES;
    if beyond < 0 || beyond % 10 != 0 {
        return Ok(());
    }
    let slow_at = one.at.max(one.send.wanted_at + rules::SLOW_AFTER);
    change.owe(&Owed::by(JobKind::PagesDue, incident_id.as_str(), slow_at).part(SLOW))
}

/// A page that went out, or never will, stands on its incident's timeline.
pub(super) fn tell_incident(
    change: &mut Change,
    one: &Finished,
    state: State,
    detail: &str,
) -> Result<(), Error> {
    let (Purpose::Page, Some(incident_id)) = (one.send.purpose, &one.send.incident_id) else {
        return Ok(());
    };
    let (name, how) = (&one.send.recipient_name, one.send.channel.words());
    let (kind, text) = match state {
        State::Sent => (Kind::PageSent, format!("{name} was paged {how}.")),
        State::Shown => (
            Kind::PageSent,
            format!("The page for {name} is shown in the outbox only; no mail server is configured."),
        ),
        State::Failed => (
            Kind::PageFailed,
            format!("The page for {name} {how} could not be delivered: {detail}"),
        ),
        State::Owed | State::Sending | State::Cancelled => return Ok(()),
    };
    let told = details(&one.send.id, one.send.user_id.as_ref(), one.send.channel, state);
    change.record(NewEntry::new(kind, incident_id, text).details(told))?;
    Ok(())
}

pub(super) fn details(
    id: &SendId,
    user_id: Option<&crate::people::UserId>,
    channel: Channel,
    state: State,
) -> serde_json::Value {
    json!({"send_id": id, "user_id": user_id, "channel": channel, "state": state})
}
