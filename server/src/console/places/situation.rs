//! The situation bar's figures, read in the same transaction as the page below it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use store::Tx;

use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::frame::{Health, NextPromise, OnCall, Situation};
use crate::console::kit::{Reading, State};
use crate::http::listing::Counted;
use crate::http::{Page, Problem};
use crate::oncall::store::{PolicyFilter, list_policies};
use crate::oncall::{load_policy, people_on_call};
use crate::people::UserId;
use crate::updates::{headline, promises};

/// How long what is owed at once may wait before the bar says that Muster is behind.
const PATIENCE: Duration = Duration::from_mins(5);

/// Reads the bar for a caller.
pub fn read(tx: &mut Tx, caller: &Caller, now: Timestamp) -> Result<Situation, Problem> {
    Ok(Situation {
        open: open(tx)?,
        promise: promise(tx, caller, now)?,
        on_call: on_call(tx, caller, now)?,
        owed: crate::cases::store::count_owed(tx, None)?.0.unsigned_abs(),
        owed_at: caller
            .may(Action::View, Resource::Case)
            .then_some("/console/desk"),
        health: health(tx, now)?,
        health_at: caller
            .may(Action::View, Resource::Settings)
            .then_some("/console/settings/health"),
    })
}

/// Open incidents by state; those on their way out are counted apart from those that somebody works on.
fn open(tx: &mut Tx) -> Result<Vec<(State, u64)>, Problem> {
    let (triggered, acknowledged) = crate::incidents::store::count_open(tx)?;
    let recovering = headline::count_recovering(tx)?.min(acknowledged);
    Ok([
        (State::Triggered, triggered),
        (State::Acknowledged, acknowledged - recovering),
        (State::Recovering, recovering),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(state, count)| (state, count.unsigned_abs()))
    .collect())
}

/// The promise that is due first, for whoever may see updates.
fn promise(tx: &mut Tx, caller: &Caller, now: Timestamp) -> Result<Option<NextPromise>, Problem> {
    if !caller.may(Action::View, Resource::Update) {
        return Ok(None);
    }
    let zone = caller
        .user()
        .and_then(|user| TimeZone::get(&user.time_zone).ok())
        .unwrap_or(TimeZone::UTC);
    let reading = Reading::new(now, zone);
    Ok(promises::waited_for(tx, 1)?
        .into_iter()
        .next()
        .map(|next| NextPromise {
            due: reading.countdown(next.made_at, next.due_at),
            to: format!("/console/updates?incident={}", next.incident_id),
            audience: next.audience_name,
        }))
}

/// Who is on call for the schedule that concerns the caller most.
fn on_call(tx: &mut Tx, caller: &Caller, now: Timestamp) -> Result<OnCall, Problem> {
    let user_id = caller.user_id().map_or("", UserId::as_str);
    let (what, on_call) = match crate::oncall::store::nearest_schedule(tx, user_id)? {
        Some((id, name)) => (name, crate::oncall::store::on_call_at(tx, &id, now)?),
        None => match first_of_policies(tx, now)? {
            Some((name, user_id)) => (name, Some(user_id)),
            None => return Ok(OnCall::Nobody),
        },
    };
    let user = match on_call {
        Some(user_id) => crate::people::store::find_user(tx, &user_id)?,
        None => None,
    };
    let Some(user) = user.filter(|user| user.deleted_at.is_none()) else {
        return Ok(OnCall::Nobody);
    };
    let who = if user.id.as_str() == user_id {
        "you".to_owned()
    } else {
        user.name
    };
    Ok(OnCall::Named { what, who })
}

/// Where nobody made a schedule: whom the first escalation policy pages first.
fn first_of_policies(tx: &mut Tx, now: Timestamp) -> Result<Option<(String, UserId)>, Problem> {
    let one = Page {
        limit: 1,
        offset: 0,
        counted: Counted::No,
    };
    let Some(policy) = list_policies(tx, &PolicyFilter::default(), one)?
        .into_iter()
        .next()
    else {
        return Ok(None);
    };
    let targets = load_policy(tx, &policy.id)?
        .and_then(|policy| policy.rules.into_iter().next())
        .map(|rule| rule.targets);
    let first = people_on_call(tx, &targets.unwrap_or_default(), now)?
        .into_iter()
        .next();
    Ok(first.map(|user_id| (policy.name, user_id)))
}

/// Whether what Muster owes is done in time: its own work, and what it hands to others.
fn health(tx: &mut Tx, now: Timestamp) -> Result<Health, Problem> {
    let late =
        crate::jobs::store::waiting_since(tx, now)?.map(|since| now.duration_since(since).unsigned_abs());
    if let Some(late) = late.filter(|late| *late > PATIENCE) {
        return Ok(Health::Unwell(format!("{} min behind", late.as_secs() / 60)));
    }
    if let Some(by) = crate::clock::set_back() {
        let minutes = by.as_secs().div_ceil(60);
        return Ok(Health::Unwell(format!(
            "the machine's clock was set back {minutes} min"
        )));
    }
    Ok(match crate::outbox::store::count_stuck(tx)? {
        0 => Health::Well,
        1 => Health::Unwell("1 message does not get out".to_owned()),
        count => Health::Unwell(format!("{count} messages do not get out")),
    })
}

/// The bar when only the caller and the app are at hand.
pub async fn of(app: &App, caller: &Caller) -> Result<Situation, Problem> {
    let (caller, now) = (caller.clone(), app.clock.now());
    app.read(move |tx| read(tx, &caller, now)).await
}
