//! Estimates that readers were given: whoever was told when it will be fixed waits for a word from then on.
//!
//! An estimate that ends before the promised next word is chased beside the promise, whose time is never touched:
//! a word after the estimate and before the promise is in time. Speakers are reminded before it ends; when it has
//! ended without a word the timeline says so, and everybody with a role is written to as about a missed promise.
//! The next word ends both. Once the promise itself is missed, only that is chased.

use jiff::Timestamp;
use serde_json::json;
use store::{Error, params, sql};

use super::audiences;
use super::facts::Estimate;
use super::model::{Audience, Promise, PromiseId, Update};
use super::promises::{self, AGAIN, MOST_REMINDERS, Reminder, SPEAKERS};
use crate::http::Site;
use crate::incidents::room::RoleName;
use crate::jobs::{Job, Kind as JobKind, Owed};
use crate::timeline::{Change, Kind, NewEntry};

/// Chases the estimate that an update gave, until the next word.
pub fn follow(change: &mut Change, update: &Update, estimate: &Estimate) -> Result<(), Error> {
    match promises::open(change.tx, &update.incident_id, &update.audience_id)? {
        Some(promise) => set(change, &promise.id, estimate.latest, estimate.ends_at()),
        None => Ok(()),
    }
}

fn set(change: &mut Change, id: &PromiseId, latest: Timestamp, ends_at: Timestamp) -> Result<(), Error> {
    change.tx.execute_one(
        sql!(
            "UPDATE promises SET estimate_latest = $2, estimate_ends_at = $3, estimate_reminders = 0 WHERE id = $1"
        ),
        params![id, latest, ends_at],
    )?;
    let at = promises::soon(change.now, ends_at);
    change.owe(&Owed::at(JobKind::EstimateDue, id.as_str(), at))
}

/// Two promises have become one; the estimate that ends first is chased.
pub fn keep_earlier(change: &mut Change, gone: &Promise, stays: &Promise) -> Result<(), Error> {
    let (Some(latest), Some(ends_at)) = (gone.estimate_latest, gone.estimate_ends_at) else {
        return Ok(());
    };
    if stays.estimate_ends_at.is_some_and(|there| there <= ends_at) {
        return Ok(());
    }
    set(change, &stays.id, latest, ends_at)
}

/// An estimate's timer has fired: it ends soon, or has ended.
pub fn chase(change: &mut Change, site: &Site, job: &Job) -> Result<(), Error> {
    let Some(promise) = promises::hold_due(change.tx, job)? else {
        return Ok(());
    };
    let id = &promise.id;
    let (Some(latest), Some(ends_at)) = (promise.estimate_latest, promise.estimate_ends_at) else {
        return Ok(());
    };
    let Some(audience) = audiences::find_even_deleted(change.tx, &promise.audience_id)? else {
        return Ok(());
    };
    if promise.missed_at.is_some()
        || promise.due_at <= change.now
        || promise.estimate_reminders >= MOST_REMINDERS
    {
        return Ok(());
    }
    let key = |part: &str| format!("estimate:{id}:{}:{part}", ends_at.as_second());
    if change.now < ends_at {
        let speakers = promises::people_to_tell(change, &promise, SPEAKERS)?;
        let reminder = Reminder {
            key: key("soon"),
            subject: format!("The estimate given to {} ends soon", audience.name),
            at: latest,
            why: |told| {
                format!("They were told that it would be fixed by {told}. Say whether that still holds.")
            },
        };
        promises::tell(change, site, &promise, &speakers, &reminder)?;
        return change.owe(&Owed::at(JobKind::EstimateDue, id.as_str(), ends_at));
    }
    if promise.estimate_reminders == 0 {
        record_passed(change, &promise, &audience, latest)?;
    }
    let people = promises::people_to_tell(change, &promise, RoleName::ALL)?;
    let reminder = Reminder {
        key: key(&format!("passed-{}", promise.estimate_reminders)),
        subject: format!("The estimate given to {} has passed", audience.name),
        at: latest,
        why: |told| format!("They were told that it would be fixed by {told}. Say what is true now."),
    };
    promises::tell(change, site, &promise, &people, &reminder)?;
    change.tx.execute_one(
        sql!("UPDATE promises SET estimate_reminders = estimate_reminders + 1 WHERE id = $1"),
        params![id],
    )?;
    change.owe(&Owed::at(JobKind::EstimateDue, id.as_str(), change.now + AGAIN))
}

fn record_passed(
    change: &mut Change,
    promise: &Promise,
    audience: &Audience,
    latest: Timestamp,
) -> Result<(), Error> {
    let text = format!(
        "The estimate given to {} has passed without a word.",
        audience.name
    );
    let details = json!({
        "promise_id": promise.id, "audience_id": audience.id, "audience_name": audience.name,
        "latest": latest, "next_update_by": promise.due_at,
    });
    change.record(NewEntry::new(Kind::EstimatePassed, &promise.incident_id, text).details(details))?;
    Ok(())
}
