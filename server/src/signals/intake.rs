//! From the journal to alerts and incidents.
//!
//! A node's part of the journal is taken in order, under a lock on that part, in one transaction with the
//! alerts, incidents, entries and jobs it causes and the cursor that says how far it went. Any node may
//! take any part, so a part whose node has died is taken by another. A signal that cannot be taken is
//! kept apart, named in the log and passed over: it must not stop those behind it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use store::{Error, Tx, params, sql};

use super::journal::{Event, Signal};
use crate::alerts::intake::{Batch, Taken};
use crate::app::App;
use crate::http::Problem;
use crate::services::ServiceId;
use crate::timeline::{Agent, Change};

/// Leaves that one transaction looks at.
const LEAVES: i64 = 32;
/// Signals that one transaction takes; everybody who writes waits for it.
const MOST: usize = 1_000;
/// A run that took fewer signals lets some gather before the next one: what every run costs is then shared by more.
const FEW: usize = 500;
const GATHERING: Duration = Duration::from_millis(10);
/// How long a part of the journal may lie untouched when no bell rang.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// What one commit accepted.
#[derive(Debug, store::FromRow)]
struct Leaf {
    /// The number of its last signal.
    sequence: i64,
    signals: i64,
    lines: String,
}

/// A signal that waits, with its number.
struct Waiting<'a> {
    sequence: i64,
    line: &'a str,
}

/// Takes whatever waits, on all parts of the journal, this node's own first, and returns how many signals that
/// were. A part that another node is taking is left to it. A part that cannot be taken does not keep the others
/// waiting; its error is given when nothing else was taken.
pub async fn take_waiting(app: &Arc<App>) -> Result<usize, Problem> {
    let own = app.node;
    let parts: Vec<(i64,)> = app
        .read(move |tx| -> Result<_, Problem> {
            Ok(tx.rows(
                sql!(
                    "SELECT DISTINCT node, CASE WHEN node = $1 THEN 0 ELSE 1 END AS own_first FROM journal
                     ORDER BY own_first, node"
                ),
                params![own],
            )?)
        })
        .await?;
    let (mut taken, mut failure) = (0, None);
    for (part,) in parts {
        match take_safely(app, part).await {
            Ok(signals) => taken += signals,
            Err(problem) => {
                problem.log();
                failure = Some(problem);
            }
        }
    }
    match failure {
        Some(problem) if taken == 0 => Err(problem),
        _ => Ok(taken),
    }
}

/// How many signals are durable and not yet turned into alerts, on all parts of the journal.
pub fn count_waiting(tx: &mut Tx) -> Result<i64, Error> {
    let (waiting,): (i64,) = tx.one(
        sql!(
            "SELECT CAST(COALESCE(SUM(CASE WHEN c.sequence >= j.sequence THEN 0
                 WHEN c.sequence > j.sequence - j.signals THEN j.sequence - c.sequence
                 ELSE j.signals END), 0) AS BIGINT)
             FROM journal j LEFT JOIN signal_cursors c ON c.node = j.node"
        ),
        params![],
    )?;
    Ok(waiting)
}

/// How many accepted signals could not be taken and were kept apart.
pub fn count_passed_over(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(sql!("SELECT COUNT(*) FROM signals_passed_over"), params![])?;
    Ok(count)
}

/// Takes the next signals of a part. When they fail on something in them, half as many are tried, and so on, until the
/// one that cannot be taken is alone: it is passed over, kept apart and named in the log.
async fn take_safely(app: &Arc<App>, part: i64) -> Result<usize, Problem> {
    let mut most = MOST;
    loop {
        let outcome = app
            .change(Agent::muster(), move |change| take_part(change, part, most))
            .await;
        let problem = match outcome {
            Err(problem) if problem.status() != StatusCode::SERVICE_UNAVAILABLE => problem,
            outcome => return outcome,
        };
        if most == 1 {
            let reason = problem.to_string();
            app.change(Agent::muster(), move |change| {
                pass_over_first(change, part, &reason)
            })
            .await?;
            return Ok(1);
        }
        most /= 2;
        tracing::error!(
            part,
            most,
            "signals could not be taken, fewer are tried: {problem}"
        );
    }
}

fn pass_over_first(change: &mut Change, part: i64, reason: &str) -> Result<(), Problem> {
    change.tx.lock(&format!("journal:{part}"))?;
    let cursor = cursor_of(change.tx, part)?;
    let leaves = leaves_of(change.tx, part, 1)?;
    if let Some(first) = waiting_in(&leaves, cursor).first() {
        pass_over(change, part, first, reason)?;
        turn(change.tx, part, first.sequence)?;
    }
    Ok(())
}

fn pass_over(change: &mut Change, part: i64, waiting: &Waiting, reason: &str) -> Result<(), Error> {
    let sequence = waiting.sequence;
    tracing::error!(
        part,
        sequence,
        "a signal cannot be taken and was passed over: {reason}"
    );
    change.tx.execute_one(
        sql!(
            "INSERT INTO signals_passed_over (node, sequence, at, reason, line) VALUES ($1, $2, $3, $4, $5)"
        ),
        params![part, sequence, change.now, reason, waiting.line],
    )
}

fn take_part(change: &mut Change, part: i64, most: usize) -> Result<usize, Problem> {
    if !change.tx.try_lock(&format!("journal:{part}"))? {
        return Ok(0);
    }
    let cursor = cursor_of(change.tx, part)?;
    let leaves = leaves_of(change.tx, part, LEAVES)?;
    let mut waiting = waiting_in(&leaves, cursor);
    waiting.truncate(most);
    let Some(last) = waiting.last().map(|one| one.sequence) else {
        // A commit whose outcome was unknown may have come late, behind the cursor.
        turn(change.tx, part, cursor)?;
        return Ok(0);
    };
    let mut signals: Vec<(&Waiting, Signal)> = Vec::with_capacity(waiting.len());
    for one in &waiting {
        match serde_json::from_str(one.line) {
            Ok(signal) => signals.push((one, signal)),
            Err(error) => pass_over(change, part, one, &format!("it cannot be read: {error}"))?,
        }
    }
    // Another node may be at another part: services are locked in a fixed order.
    let services: BTreeSet<&ServiceId> = signals.iter().map(|(_, one)| &one.service_id).collect();
    for service in services {
        change.tx.lock(&format!("service:{service}"))?;
    }
    let mut batch = Batch::default();
    for (waiting, signal) in &signals {
        match &signal.event {
            Event::Alert(event) => {
                if batch.take(change, signal, event)? == Taken::NobodyToTell {
                    pass_over(change, part, waiting, "its service was taken away")?;
                }
            }
            Event::Change(event) => super::change_events::keep(change, signal, event)?,
        }
    }
    batch.finish(change)?;
    turn(change.tx, part, last)?;
    Ok(waiting.len())
}

fn cursor_of(tx: &mut Tx, part: i64) -> Result<i64, Error> {
    let row: Option<(i64,)> = tx.row(
        sql!("SELECT sequence FROM signal_cursors WHERE node = $1"),
        params![part],
    )?;
    Ok(row.map_or(0, |(sequence,)| sequence))
}

fn leaves_of(tx: &mut Tx, part: i64, limit: i64) -> Result<Vec<Leaf>, Error> {
    tx.rows(
        sql!("SELECT sequence, signals, lines FROM journal WHERE node = $1 ORDER BY sequence LIMIT $2"),
        params![part, limit],
    )
}

/// The signals of these leaves that lie behind the cursor, in their order.
fn waiting_in(leaves: &[Leaf], cursor: i64) -> Vec<Waiting<'_>> {
    leaves
        .iter()
        .flat_map(|leaf| {
            (leaf.sequence - leaf.signals + 1..)
                .zip(leaf.lines.split('\n'))
                .map(|(sequence, line)| Waiting { sequence, line })
        })
        .filter(|waiting| waiting.sequence > cursor)
        .collect()
}

/// Notes that everything up to a signal has been taken, and removes the leaves that hold nothing else.
fn turn(tx: &mut Tx, part: i64, sequence: i64) -> Result<(), Error> {
    tx.execute(
        sql!(
            "INSERT INTO signal_cursors (node, sequence) VALUES ($1, $2)
             ON CONFLICT (node) DO UPDATE SET sequence = excluded.sequence"
        ),
        params![part, sequence],
    )?;
    tx.execute(
        sql!("DELETE FROM journal WHERE node = $1 AND sequence <= $2"),
        params![part, sequence],
    )?;
    Ok(())
}

/// Runs until the app is told to stop.
pub async fn run(app: Arc<App>) {
    loop {
        let written = app.journal.written.notified();
        match take_waiting(&app).await {
            Ok(0) => {
                tokio::select! {
                    () = written => {}
                    () = tokio::time::sleep(LONGEST_SLEEP) => {}
                    () = app.stopping.cancelled() => return,
                }
            }
            Ok(_) if app.stopping.is_cancelled() => return,
            Ok(taken) if taken < FEW => tokio::time::sleep(GATHERING).await,
            Ok(_) => {}
            Err(problem) => {
                problem.log();
                tracing::error!("the journal cannot be taken on: {problem}");
                tokio::select! {
                    () = tokio::time::sleep(LONGEST_SLEEP) => {}
                    () = app.stopping.cancelled() => return,
                }
            }
        }
    }
}
