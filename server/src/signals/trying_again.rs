//! Events that were kept apart are tried again by themselves, once a minute for an hour: what stood in the way may have been
//! the program and not the event, a node that is older than the database it works on, say.
//!
//! A round goes through them from the oldest on and tries so many; the next one goes on behind them, so that those that can
//! still not be taken never bar the way of the others. An event whose alert has been heard of since is left to people: to take
//! it now would page somebody for what is over. An end that finds no alert open leaves no trace among the alerts, so while
//! anything is kept apart it is noted here.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::{Error, Tx, Value, params, sql};

use super::journal::{Event, Signal};
use super::passed_over::{self, PassedOver};
use crate::alerts::store::heard_since;
use crate::app::App;
use crate::http::Problem;
use crate::orchestration::{Rulebooks, Rulings};
use crate::services::{IntegrationId, ServiceId};
use crate::timeline::{Agent, Change};

/// For so long an event that was kept apart is tried again by itself.
const TRIED_FOR: SignedDuration = SignedDuration::from_hours(1);
const READ_AT_ONCE: i64 = 100;
/// Events tried in one round.
const TRIED_AT_MOST: usize = 1_000;
/// For so long an end is remembered that found nothing open: longer than any event is tried.
const ENDS_KEPT_FOR: Duration = Duration::from_hours(24);

/// How far the last round of this node came; nothing when it came to the end.
#[derive(Debug, Default)]
pub struct Place(Mutex<Option<Mark>>);

/// The place of one event among all.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Timestamp,
    node: i64,
    sequence: i64,
}

impl Mark {
    fn before_all(since: Timestamp) -> Self {
        Self {
            at: since,
            node: i64::MIN,
            sequence: i64::MIN,
        }
    }

    fn of(one: &PassedOver) -> Self {
        Self {
            at: one.at,
            node: one.node,
            sequence: one.sequence,
        }
    }
}

impl Place {
    fn begin(&self, since: Timestamp) -> Mark {
        let reached = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reached
            .filter(|mark| mark.at >= since)
            .unwrap_or_else(|| Mark::before_all(since))
    }

    fn end(&self, reached: Option<Mark>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = reached;
    }
}

/// Tries again what was kept apart lately, and gives how many events were taken.
pub async fn try_again(app: &Arc<App>) -> Result<usize, Problem> {
    let now = app.clock.now();
    app.store
        .write(move |tx| forget_ends(tx, now - ENDS_KEPT_FOR))
        .await?;
    let mut reached = app.tried_again.begin(now - TRIED_FOR);
    let (mut tried, mut taken) = (0, 0);
    loop {
        let (from, rulebooks) = (reached, app.rulebooks.clone());
        let found = app.read(move |tx| kept_after(tx, from, &rulebooks)).await?;
        let Some(last) = found.last() else {
            app.tried_again.end(None);
            break;
        };
        reached = Mark::of(&last.event);
        for kept in found.into_iter().filter(|kept| kept.is_news) {
            tried += 1;
            taken += usize::from(try_one(app, kept.event).await);
        }
        if tried >= TRIED_AT_MOST {
            app.tried_again.end(Some(reached));
            break;
        }
    }
    if taken > 0 {
        tracing::warn!(taken, "events that had been kept apart were taken");
    }
    Ok(taken)
}

/// Says whether it was taken.
async fn try_one(app: &Arc<App>, one: PassedOver) -> bool {
    let (id, rulebooks) = (one.id(), app.rulebooks.clone());
    let outcome = app
        .change(Agent::muster(), move |change| {
            take_if_news(change, &one, &rulebooks)
        })
        .await;
    outcome.unwrap_or_else(|problem| {
        tracing::debug!(
            id,
            "an event that was kept apart still cannot be taken: {problem}"
        );
        false
    })
}

fn take_if_news(change: &mut Change, one: &PassedOver, rulebooks: &Rulebooks) -> Result<bool, Problem> {
    let Some(signal) = one.signal() else {
        return Ok(false);
    };
    // Locked as by a run over the journal, which may have its end in hand.
    crate::services::store::lock(change.tx, &signal.service_id)?;
    let mut rulings = rulebooks.of(change.tx, &BTreeSet::from([&signal.service_id]))?;
    if !is_news(change.tx, &mut rulings, &signal)? {
        return Ok(false);
    }
    passed_over::remove(change.tx, one)?;
    passed_over::take(change, one, rulebooks)?;
    Ok(true)
}

struct Kept {
    event: PassedOver,
    is_news: bool,
}

/// The next ones behind a place, the oldest first.
fn kept_after(tx: &mut Tx, after: Mark, rulebooks: &Rulebooks) -> Result<Vec<Kept>, Problem> {
    let events: Vec<PassedOver> = tx.rows(
        sql!(
            "SELECT node, sequence, at, reason, line FROM signals_passed_over
             WHERE (at, node, sequence) > ($1, $2, $3) ORDER BY at, node, sequence LIMIT $4"
        ),
        params![after.at, after.node, after.sequence, READ_AT_ONCE],
    )?;
    let signals: Vec<Option<Signal>> = events.iter().map(PassedOver::signal).collect();
    let services: BTreeSet<&ServiceId> = signals.iter().flatten().map(|one| &one.service_id).collect();
    let mut rulings = rulebooks.of(tx, &services)?;
    let mut kept = Vec::with_capacity(events.len());
    for (event, signal) in events.into_iter().zip(&signals) {
        let is_news = match signal {
            Some(signal) => is_news(tx, &mut rulings, signal)?,
            None => false,
        };
        kept.push(Kept { event, is_news });
    }
    Ok(kept)
}

/// Whether nothing was said since under the key of an event, as it was sent or as rules write it.
fn is_news(tx: &mut Tx, rulings: &mut Rulings, signal: &Signal) -> Result<bool, Error> {
    let Event::Alert(event) = &signal.event else {
        return Ok(true);
    };
    let judged = rulings.judge(&signal.service_id, event, signal.received_at);
    let written = judged.as_ref().map(|judged| judged.event.dedup_key.as_str());
    let keys: BTreeSet<&str> = written.into_iter().chain([event.dedup_key.as_str()]).collect();
    let (integration_id, since) = (&signal.integration_id, signal.received_at);
    if ended_since(tx, integration_id, &keys, since)? {
        return Ok(false);
    }
    for key in keys {
        if heard_since(tx, integration_id, key, since)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether any event is kept apart that is still tried.
pub fn any_kept_apart(tx: &mut Tx, now: Timestamp) -> Result<bool, Error> {
    let rows: Vec<(i64,)> = tx.rows(
        sql!("SELECT node FROM signals_passed_over WHERE at >= $1 LIMIT 1"),
        params![now - TRIED_FOR],
    )?;
    Ok(!rows.is_empty())
}

/// Notes an end that found nothing open under any of these keys.
pub fn note_end(
    tx: &mut Tx,
    integration_id: &IntegrationId,
    keys: &BTreeSet<&str>,
    at: Timestamp,
) -> Result<(), Error> {
    for key in keys {
        tx.execute(
            sql!(
                "INSERT INTO ends_of_passed_over (integration_id, alert_key, at) VALUES ($1, $2, $3)
                 ON CONFLICT (integration_id, alert_key) DO UPDATE SET at = excluded.at
                 WHERE ends_of_passed_over.at < excluded.at"
            ),
            params![integration_id, *key, at],
        )?;
    }
    Ok(())
}

fn ended_since(
    tx: &mut Tx,
    integration_id: &IntegrationId,
    keys: &BTreeSet<&str>,
    since: Timestamp,
) -> Result<bool, Error> {
    let rows: Vec<(String,)> = tx.rows(
        sql!(
            "SELECT alert_key FROM ends_of_passed_over
             WHERE integration_id = $1 AND alert_key = ANY($2) AND at >= $3 LIMIT 1"
        ),
        params![integration_id, Value::texts(keys), since],
    )?;
    Ok(!rows.is_empty())
}

fn forget_ends(tx: &mut Tx, before: Timestamp) -> Result<(), Error> {
    tx.execute(
        sql!("DELETE FROM ends_of_passed_over WHERE at < $1"),
        params![before],
    )?;
    Ok(())
}
