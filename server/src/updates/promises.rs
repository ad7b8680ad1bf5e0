//! Promises of a next word: made with every update, chased until the next one, measured for good.
//!
//! A promise is due soon five minutes before its time (or at three quarters of it, when it is shorter): the
//! people who speak for the incident are reminded. At its time without a word it is missed: the timeline says
//! so, and commander, speakers and responders are written to, again every ten minutes for an hour, then once a day until
//! the word is said. Its time is the
//! one that readers were told; an estimate that ends before it is chased apart ([`super::estimates_given`]).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use store::{Error, Tx, params, query, sql};

use super::model::{Audience, Promise, PromiseId, PromiseState, Readers, Update};
use super::{audiences, estimates_given};
use crate::http::{Page, Site};
use crate::incidents::room::{self, RoleName};
use crate::incidents::{IncidentId, Status, store as incidents};
use crate::jobs::{Job, Kind as JobKind, Owed, store as job_rows};
use crate::outbox::{self, Channel, NewSend, Purpose, Recipient};
use crate::people::{self, User, UserId};
use crate::timeline::{Change, Kind, NewEntry};

const SOON: Duration = Duration::from_secs(5 * 60);
pub(super) const AGAIN: Duration = Duration::from_secs(10 * 60);
pub(super) const MOST_REMINDERS: i64 = 6;
/// How often a promise is written about that stays missed.
const EVERY_DAY: Duration = Duration::from_secs(24 * 3_600);
/// Those who speak for an incident.
pub(super) const SPEAKERS: &[RoleName] = &[
    RoleName::CommunicationsLead,
    RoleName::CustomerLiaison,
    RoleName::IncidentCommander,
];

const COLUMNS: &str = "id, incident_id, audience_id, update_id, state, made_at, due_at, nagged_at, missed_at, reminders, ended_at,
    estimate_latest, estimate_ends_at, estimate_reminders";

/// The promise as it stands, for a transaction that goes by it: it stays so until that ends. It is taken before its timers,
/// by everybody.
pub(super) fn hold(tx: &mut Tx, id: &PromiseId) -> Result<Option<Promise>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM promises WHERE id = $1 FOR NO KEY UPDATE"
        ),
        params![id],
    )
}

/// The promise whose timer fired, unless that was set anew, taken away or kept by another node, or the promise has ended.
pub(super) fn hold_due(tx: &mut Tx, job: &Job) -> Result<Option<Promise>, Error> {
    let promise = hold(tx, &PromiseId::from(job.subject.as_str()))?;
    if !job_rows::complete(tx, job)? {
        return Ok(None);
    }
    Ok(promise.filter(|promise| promise.ended_at.is_none()))
}

/// The promise an audience waits for.
pub fn open(
    tx: &mut Tx,
    incident_id: &IncidentId,
    audience_id: &super::AudienceId,
) -> Result<Option<Promise>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM promises WHERE incident_id = $1 AND audience_id = $2 AND ended_at IS NULL"
        ),
        params![incident_id, audience_id],
    )
}

/// A promise with the name of whoever waits.
#[derive(Debug, Clone, store::FromRow)]
pub struct Waited {
    pub incident_id: IncidentId,
    pub audience_id: super::AudienceId,
    pub audience_name: String,
    pub made_at: Timestamp,
    pub due_at: Timestamp,
    pub readers: Readers,
    pub incident_status: Status,
}

impl Waited {
    /// Whether people outside go on reading of an outage whose end nobody has told them, or read of a time that
    /// has passed: then it concerns everybody who can say the word.
    pub fn public_is_left_waiting(&self, now: Timestamp) -> bool {
        self.readers == Readers::Public && (self.incident_status == Status::Resolved || self.due_at < now)
    }
}

/// Promises that somebody waits for, the one due soonest first.
pub fn waited_for(tx: &mut Tx, limit: i64) -> Result<Vec<Waited>, Error> {
    tx.rows(
        sql!(
            "SELECT p.incident_id, p.audience_id, a.name AS audience_name, p.made_at, p.due_at, a.readers,
                 i.status AS incident_status
             FROM promises p JOIN audiences a ON a.id = p.audience_id JOIN incidents i ON i.id = p.incident_id
             WHERE p.ended_at IS NULL ORDER BY p.due_at, p.id LIMIT $1"
        ),
        params![limit],
    )
}

/// What a list of promises is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    pub incident_id: Option<String>,
    pub waiting: Waiting,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Waiting {
    #[default]
    AllEver,
    /// Only those that somebody still waits for.
    OnlyOpen,
}

fn narrowed(query: store::Query, sought: &Sought) -> store::Query {
    let query = query.bind_optional("incident", sought.incident_id.as_deref());
    match sought.waiting {
        Waiting::AllEver => query,
        Waiting::OnlyOpen => query.with("open"),
    }
}

/// Promises: those that are waited for first, the one due soonest at the top.
pub fn list(tx: &mut Tx, sought: &Sought, page: Page) -> Result<Vec<Promise>, Error> {
    let listed = query!(
        "SELECT ",
        COLUMNS,
        " FROM promises WHERE 1 = 1 {AND incident_id = $incident} {open: AND ended_at IS NULL}
          ORDER BY (CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END), due_at, id LIMIT $limit OFFSET $offset"
    );
    narrowed(listed, sought)
        .bind("limit", page.rows_to_read())
        .bind("offset", page.offset)
        .rows(tx)
}

pub fn count(tx: &mut Tx, sought: &Sought) -> Result<i64, Error> {
    let counted = query!(
        "SELECT COUNT(*) FROM promises WHERE 1 = 1 {AND incident_id = $incident} {open: AND ended_at IS NULL}"
    );
    let (count,): (i64,) = narrowed(counted, sought).one(tx)?;
    Ok(count)
}

/// Promises the next word and sets the timer that chases it.
pub fn make(
    change: &mut Change,
    update: &Update,
    audience: &Audience,
    due_at: Timestamp,
) -> Result<(), Error> {
    let id: PromiseId = change.identifier();
    change.tx.execute(
        sql!(
            "INSERT INTO promises (id, incident_id, audience_id, update_id, state, made_at, due_at, reminders)
             VALUES ($1, $2, $3, $4, 'open', $5, $6, 0)"
        ),
        params![
            &id,
            &update.incident_id,
            &audience.id,
            &update.id,
            change.now,
            due_at
        ],
    )?;
    let text = format!("{} were promised the next word.", audience.name);
    let details = json!({
        "promise_id": id, "audience_id": audience.id, "audience_name": audience.name, "update_id": update.id, "due_at": due_at,
    });
    change.record(NewEntry::new(Kind::PromiseMade, &update.incident_id, text).details(details))?;
    change.owe(&Owed::at(
        JobKind::PromiseDue,
        id.as_str(),
        soon(change.now, due_at),
    ))
}

/// When the reminder goes out.
pub(super) fn soon(made_at: Timestamp, due_at: Timestamp) -> Timestamp {
    let whole = Duration::try_from(due_at.duration_since(made_at)).unwrap_or_default();
    made_at + whole.saturating_sub(SOON).max(whole.mul_f64(0.75))
}

/// The next word has come: in time, or late.
pub fn keep(change: &mut Change, update: &Update, audience: &Audience) -> Result<(), Error> {
    let Some(promise) = open(change.tx, &update.incident_id, &audience.id)? else {
        return Ok(());
    };
    // Its timer may just have said that it was missed.
    let Some(promise) = hold(change.tx, &promise.id)?.filter(|promise| promise.ended_at.is_none()) else {
        return Ok(());
    };
    let kept = promise.missed_at.is_none() && change.now <= promise.due_at;
    let state = if kept {
        PromiseState::Kept
    } else {
        PromiseState::Missed
    };
    end(change, &promise.id, state)?;
    if !kept {
        if promise.missed_at.is_none() {
            record_missed(change, &promise, audience)?;
        }
        return Ok(());
    }
    let text = format!("The promise to {} was kept.", audience.name);
    let details = json!({
        "promise_id": promise.id, "audience_id": audience.id, "audience_name": audience.name,
        "update_id": update.id, "due_at": promise.due_at,
    });
    change.record(NewEntry::new(Kind::PromiseKept, &promise.incident_id, text).details(details))?;
    Ok(())
}

fn end(change: &mut Change, id: &PromiseId, state: PromiseState) -> Result<(), Error> {
    change.tx.execute_one(
        sql!("UPDATE promises SET state = $2, ended_at = $3 WHERE id = $1"),
        params![id, state, change.now],
    )?;
    change.cancel(JobKind::PromiseDue, id.as_str())?;
    change.cancel(JobKind::EstimateDue, id.as_str())
}

/// A promise made about an incident that went into another is kept there; the earlier time counts.
pub fn move_to(change: &mut Change, from: &IncidentId, to: &IncidentId) -> Result<(), Error> {
    let promises: Vec<Promise> = change.tx.rows(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM promises WHERE incident_id = $1 AND ended_at IS NULL ORDER BY id FOR NO KEY UPDATE"
        ),
        params![from],
    )?;
    for promise in promises {
        match open(change.tx, to, &promise.audience_id)? {
            None => {
                change.tx.execute_one(
                    sql!("UPDATE promises SET incident_id = $2 WHERE id = $1"),
                    params![&promise.id, to],
                )?;
            }
            Some(there) => {
                end(change, &promise.id, PromiseState::Moved)?;
                if promise.due_at < there.due_at {
                    change.tx.execute_one(
                        sql!("UPDATE promises SET due_at = $2 WHERE id = $1"),
                        params![&there.id, promise.due_at],
                    )?;
                    let at = soon(change.now, promise.due_at);
                    change.owe(&Owed::at(JobKind::PromiseDue, there.id.as_str(), at))?;
                }
                estimates_given::keep_earlier(change, &promise, &there)?;
            }
        }
    }
    Ok(())
}

/// A promise's timer has fired: reminds, or says that it was missed.
pub fn chase(change: &mut Change, site: &Site, job: &Job) -> Result<(), Error> {
    let Some(promise) = hold_due(change.tx, job)? else {
        return Ok(());
    };
    let id = &promise.id;
    let Some(audience) = audiences::find_even_deleted(change.tx, &promise.audience_id)? else {
        return Ok(());
    };
    if change.now < promise.due_at {
        if promise.nagged_at.is_none() {
            remind(change, site, &promise, &audience)?;
        }
        return change.owe(&Owed::at(JobKind::PromiseDue, id.as_str(), promise.due_at));
    }
    if promise.missed_at.is_none() {
        change.tx.execute_one(
            sql!("UPDATE promises SET state = 'missed', missed_at = $2 WHERE id = $1"),
            params![id, change.now],
        )?;
        record_missed(change, &promise, &audience)?;
    }
    // Nobody can say a word any more to an audience that was taken away.
    if promise.reminders >= MOST_REMINDERS && audiences::find(change.tx, &audience.id)?.is_none() {
        return Ok(());
    }
    escalate(change, site, &promise, &audience)?;
    change.tx.execute_one(
        sql!("UPDATE promises SET reminders = reminders + 1 WHERE id = $1"),
        params![id],
    )?;
    let again = if promise.reminders + 1 < MOST_REMINDERS {
        AGAIN
    } else {
        EVERY_DAY
    };
    change.owe(&Owed::at(JobKind::PromiseDue, id.as_str(), change.now + again))
}

fn record_missed(change: &mut Change, promise: &Promise, audience: &Audience) -> Result<(), Error> {
    let text = format!("The promise to {} was missed.", audience.name);
    let details = json!({
        "promise_id": promise.id, "audience_id": audience.id, "audience_name": audience.name, "due_at": promise.due_at,
    });
    change.record(NewEntry::new(Kind::PromiseMissed, &promise.incident_id, text).details(details))?;
    Ok(())
}

fn remind(change: &mut Change, site: &Site, promise: &Promise, audience: &Audience) -> Result<(), Error> {
    change.tx.execute_one(
        sql!("UPDATE promises SET nagged_at = $2 WHERE id = $1"),
        params![&promise.id, change.now],
    )?;
    let speakers = people_to_tell(change, promise, SPEAKERS)?;
    let text = format!("{} expect the next word soon.", audience.name);
    let details = json!({
        "promise_id": promise.id, "audience_id": audience.id, "audience_name": audience.name, "due_at": promise.due_at,
        "told": names(&speakers),
    });
    change.record(NewEntry::new(Kind::PromiseDueSoon, &promise.incident_id, text).details(details))?;
    let subject = format!("{} expect to hear from us soon", audience.name);
    tell(
        change,
        site,
        promise,
        &speakers,
        &about_promise(promise, "soon", subject),
    )
}

fn escalate(change: &mut Change, site: &Site, promise: &Promise, audience: &Audience) -> Result<(), Error> {
    let people = people_to_tell(change, promise, RoleName::ALL)?;
    let subject = format!("A promise to {} was missed", audience.name);
    let part = format!("missed-{}", promise.reminders);
    tell(
        change,
        site,
        promise,
        &people,
        &about_promise(promise, &part, subject),
    )
}

fn about_promise(promise: &Promise, part: &str, subject: String) -> Reminder {
    Reminder {
        key: format!("promise:{}:{part}", promise.id),
        subject,
        at: promise.due_at,
        why: |due| format!("They were promised a word by {due}."),
    }
}

/// What people are written.
pub(super) struct Reminder {
    /// The same reminder is sent to somebody once.
    pub key: String,
    pub subject: String,
    /// The time that readers were told.
    pub at: Timestamp,
    /// Says why, with that time on the clock of whoever is written to.
    pub why: fn(&str) -> String,
}

fn names(people: &[User]) -> Vec<&str> {
    people.iter().map(|user| user.name.as_str()).collect()
}

/// Those who hold one of the roles and those who have the incident; failing these, whoever published last.
pub(super) fn people_to_tell(
    change: &mut Change,
    promise: &Promise,
    roles: &[RoleName],
) -> Result<Vec<User>, Error> {
    let id = &promise.incident_id;
    let mut ids: Vec<UserId> = room::roles(change.tx, id)?
        .into_iter()
        .filter(|holder| roles.contains(&holder.role))
        .map(|holder| holder.user_id)
        .collect();
    let everybody = roles.len() == RoleName::ALL.len();
    if ids.is_empty() || everybody {
        let assigned = incidents::assignments(change.tx, std::slice::from_ref(id))?;
        ids.extend(assigned.into_iter().map(|one| one.user_id));
    }
    if ids.is_empty() {
        let publisher = super::store::find(change.tx, &promise.update_id)?
            .and_then(|update| update.approved_by.or(update.published_by_id.map(UserId::from)));
        ids.extend(publisher);
    }
    ids.sort();
    ids.dedup();
    let mut found = Vec::new();
    for id in ids {
        if let Some(user) = people::store::find_user(change.tx, &id)?.filter(|user| user.deleted_at.is_none())
        {
            found.push(user);
        }
    }
    Ok(found)
}

pub(super) fn tell(
    change: &mut Change,
    site: &Site,
    promise: &Promise,
    people: &[User],
    reminder: &Reminder,
) -> Result<(), Error> {
    for user in people {
        let recipient = Recipient {
            name: user.name.clone(),
            address: user.email.clone(),
            user_id: Some(user.id.clone()),
        };
        let zone = jiff::tz::TimeZone::get(&user.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let told = super::compose::clock_time(reminder.at, change.now, &zone);
        let body = format!(
            "{}\n\nWrite it here: {}\n",
            (reminder.why)(&told),
            site.room_url(promise.incident_id.as_str())
        );
        let key = format!("{}:{}", reminder.key, user.id);
        let send = NewSend::new(Purpose::Reminder, Channel::Email, recipient, key, change.now)
            .about(&promise.incident_id)
            .words(&reminder.subject, body);
        outbox::owe(change, &send)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reminder_comes_five_minutes_before_or_at_three_quarters() {
        let made: Timestamp = "2026-11-17T06:00:00Z".parse().unwrap();
        let minutes = |minutes: u64| made + Duration::from_secs(minutes * 60);
        assert_eq!(soon(made, minutes(40)), minutes(35));
        assert_eq!(soon(made, minutes(8)), minutes(6));
    }
}
