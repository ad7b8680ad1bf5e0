//! From the journal to alerts and incidents.
//!
//! A node's part of the journal is taken in order, under a lock on that part, in one transaction with the
//! alerts, incidents, entries and jobs it causes and the cursor that says how far it went; its leaves go after that
//! transaction. Any node may take any part, so a part whose node has died is taken by another. A signal that cannot be
//! taken is kept apart, named in the log and passed over: it must not stop those behind it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use store::{Error, Tx, params, sql};

use super::journal::{Event, Signal};
use super::leaves::Leaf;
use crate::alerts::intake::{Batch, Taken};
use crate::app::App;
use crate::http::Problem;
use crate::orchestration::Rulebooks;
use crate::services::ServiceId;
use crate::timeline::{Agent, Change};

/// Leaves that one transaction looks at.
const LEAVES: i64 = 32;
/// Signals that one transaction takes; everybody who writes waits for it.
const MOST: usize = 1_000;
/// How long one transaction takes signals. In a storm, the first are paged about while the last still wait.
const LONGEST_RUN: Duration = Duration::from_millis(250);
/// A run that took fewer signals lets some gather before the next one: what every run costs is then shared by more.
const FEW: usize = 500;
const GATHERING: Duration = Duration::from_millis(10);
/// How long a part of the journal may lie untouched when no bell rang.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// A signal that waits, with its number.
struct Waiting<'a> {
    sequence: i64,
    line: &'a str,
}

/// A signal that waits, as far as it can be read.
struct Read<'a> {
    waiting: &'a Waiting<'a>,
    signal: Result<Signal, serde_json::Error>,
}

impl Read<'_> {
    fn service_id(&self) -> Option<&ServiceId> {
        self.signal.as_ref().ok().map(|signal| &signal.service_id)
    }
}

/// Takes whatever waits, on all parts of the journal, this node's own first, and returns how many signals that
/// were. A part that another node is taking is left to it. A part that cannot be taken does not keep the others
/// waiting; its error is given when nothing else was taken.
pub async fn take_waiting(app: &Arc<App>) -> Result<usize, Problem> {
    let mut parts = app.journal.leaves.parts().await?;
    parts.retain(|part| *part != app.node);
    parts.insert(0, app.node);
    let (mut taken, mut failure) = (0, None);
    for part in parts {
        match take_first_of(app, part).await {
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
pub async fn count_waiting(app: &App) -> Result<i64, Error> {
    let leaves = app.journal.leaves.sizes().await?;
    let cursors = app
        .store
        .read(|tx| tx.rows::<(i64, i64)>(sql!("SELECT node, sequence FROM signal_cursors"), params![]));
    let cursors: BTreeMap<i64, i64> = cursors.await?.into_iter().collect();
    let waiting = |(node, sequence, signals): &(i64, i64, i64)| {
        let cursor = cursors.get(node).copied().unwrap_or(0);
        (sequence - cursor).clamp(0, *signals)
    };
    Ok(leaves.iter().map(waiting).sum())
}

/// How many accepted signals could not be taken and were kept apart.
pub fn count_passed_over(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(sql!("SELECT COUNT(*) FROM signals_passed_over"), params![])?;
    Ok(count)
}

/// Takes the next signals of a part, and removes the leaves that hold nothing else.
async fn take_first_of(app: &Arc<App>, part: i64) -> Result<usize, Problem> {
    let written = app.journal.last_written();
    let leaves = app.journal.leaves.first_of(part, LEAVES).await?;
    if leaves.is_empty() {
        if part == app.node {
            app.journal.note_taken(written);
        }
        return Ok(0);
    }
    let Some(turned) = take_safely(app, part, Arc::new(leaves)).await? else {
        return Ok(0);
    };
    if part == app.node {
        app.journal.note_taken(turned.to);
    }
    app.journal.leaves.remove_up_to(part, turned.to).await?;
    Ok(turned.signals)
}

/// How far a part has been taken.
struct Turned {
    /// The cursor.
    to: i64,
    /// Signals that were taken or passed over just now.
    signals: usize,
}

/// Takes signals of these leaves, unless another node is at their part. When they fail on something in them, half as
/// many are tried, and so on, until the one that cannot be taken is alone: it is passed over, kept apart and named in
/// the log.
async fn take_safely(app: &Arc<App>, part: i64, leaves: Arc<Vec<Leaf>>) -> Result<Option<Turned>, Problem> {
    let mut most = MOST;
    loop {
        let (these, rulebooks) = (Arc::clone(&leaves), app.rulebooks.clone());
        let outcome = app
            .change(Agent::muster(), move |change| {
                take_part(change, part, &these, most, &rulebooks)
            })
            .await;
        let problem = match outcome {
            Err(problem) if problem.status() != StatusCode::SERVICE_UNAVAILABLE => problem,
            outcome => return outcome,
        };
        if most == 1 {
            let reason = problem.to_string();
            return app
                .change(Agent::muster(), move |change| {
                    pass_over_first(change, part, &leaves, &reason)
                })
                .await;
        }
        most /= 2;
        tracing::error!(
            part,
            most,
            "signals could not be taken, fewer are tried: {problem}"
        );
    }
}

fn pass_over_first(
    change: &mut Change,
    part: i64,
    leaves: &[Leaf],
    reason: &str,
) -> Result<Option<Turned>, Problem> {
    change.tx.lock(&format!("journal:{part}"))?;
    let cursor = cursor_of(change.tx, part)?;
    let Some(first) = waiting_in(leaves, cursor).into_iter().next() else {
        return Ok(Some(Turned {
            to: cursor,
            signals: 0,
        }));
    };
    pass_over(change, part, &first, reason)?;
    turn(change.tx, part, first.sequence)?;
    Ok(Some(Turned {
        to: first.sequence,
        signals: 1,
    }))
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

fn take_part(
    change: &mut Change,
    part: i64,
    leaves: &[Leaf],
    most: usize,
    rulebooks: &Rulebooks,
) -> Result<Option<Turned>, Problem> {
    if !change.tx.try_lock(&format!("journal:{part}"))? {
        return Ok(None);
    }
    let cursor = cursor_of(change.tx, part)?;
    let mut waiting = waiting_in(leaves, cursor);
    waiting.truncate(most);
    if waiting.is_empty() {
        // Left behind by a crash, or by a commit whose outcome was unknown and that came late.
        return Ok(Some(Turned {
            to: cursor,
            signals: 0,
        }));
    }
    let signals: Vec<Read> = waiting
        .iter()
        .map(|waiting| Read {
            waiting,
            signal: serde_json::from_str(waiting.line),
        })
        .collect();
    // Another node may be at another part: services are locked in a fixed order.
    let services: BTreeSet<&ServiceId> = signals.iter().filter_map(Read::service_id).collect();
    for service in &services {
        crate::services::store::lock(change.tx, service)?;
    }
    let batch = Batch::ruled_by(rulebooks.of(change.tx, &services)?);
    let turned = take_in_turn(change, part, &signals, batch)?;
    turn(change.tx, part, turned.to)?;
    Ok(Some(turned))
}

/// Takes signals in their order until all are taken or the transaction has been long enough.
fn take_in_turn(
    change: &mut Change,
    part: i64,
    signals: &[Read],
    mut batch: Batch,
) -> Result<Turned, Problem> {
    let began = Instant::now();
    let mut turned = Turned { to: 0, signals: 0 };
    for Read { waiting, signal } in signals {
        match signal {
            Ok(signal) => match &signal.event {
                Event::Alert(event) => {
                    if batch.take(change, signal, event)? == Taken::NobodyToTell {
                        pass_over(change, part, waiting, "its service was taken away")?;
                    }
                }
                Event::Change(event) => super::change_events::keep(change, signal, event)?,
            },
            Err(error) => pass_over(change, part, waiting, &format!("it cannot be read: {error}"))?,
        }
        turned = Turned {
            to: waiting.sequence,
            signals: turned.signals + 1,
        };
        if began.elapsed() > LONGEST_RUN {
            break;
        }
    }
    batch.finish(change)?;
    Ok(turned)
}

fn cursor_of(tx: &mut Tx, part: i64) -> Result<i64, Error> {
    let row: Option<(i64,)> = tx.row(
        sql!("SELECT sequence FROM signal_cursors WHERE node = $1"),
        params![part],
    )?;
    Ok(row.map_or(0, |(sequence,)| sequence))
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

/// Notes that everything up to a signal has been taken.
fn turn(tx: &mut Tx, part: i64, sequence: i64) -> Result<(), Error> {
    tx.send(
        sql!(
            "INSERT INTO signal_cursors (node, sequence) VALUES ($1, $2)
             ON CONFLICT (node) DO UPDATE SET sequence = excluded.sequence"
        ),
        params![part, sequence],
    )
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
