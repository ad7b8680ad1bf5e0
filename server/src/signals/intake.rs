//! From the journal to alerts and incidents.
//!
//! A node's part of the journal is taken in order, under a lock on that part, in one transaction with the
//! alerts, incidents, entries and jobs it causes and the cursor that says how far it went. Any node may
//! take any part, so a part whose node has died is taken by another. A signal that cannot be read is
//! written to the log and passed over: it must not stop those behind it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use store::{Error, Tx, params, sql};

use super::SignalKind;
use super::event::{AlertEvent, ChangeEvent};
use crate::alerts::intake::Batch;
use crate::app::App;
use crate::http::Problem;
use crate::services::{IntegrationId, ServiceId};
use crate::timeline::{Agent, Change};

/// Signals that one transaction takes.
const BATCH: i64 = 1_000;
/// How long a part of the journal may lie untouched when no bell rang.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// A signal that waits in the journal.
#[derive(Debug, Clone, store::FromRow)]
pub struct Waiting {
    pub sequence: i64,
    pub received_at: Timestamp,
    pub integration_id: IntegrationId,
    pub service_id: ServiceId,
    pub kind: SignalKind,
    pub body: String,
}

/// Takes whatever waits, on all parts of the journal, and returns how many signals that were.
pub async fn take_waiting(app: &Arc<App>) -> Result<usize, Problem> {
    let parts: Vec<(i64,)> = app
        .read(|tx| -> Result<_, Problem> {
            Ok(tx.rows(
                sql!(
                    "SELECT n.number FROM nodes n WHERE EXISTS
                         (SELECT 1 FROM signals s WHERE s.node = n.number AND s.sequence >
                              COALESCE((SELECT c.sequence FROM signal_cursors c WHERE c.node = n.number), 0))
                     ORDER BY n.number"
                ),
                params![],
            )?)
        })
        .await?;
    let mut taken = 0;
    for (part,) in parts {
        taken += match app
            .change(Agent::muster(), move |change| take_part(change, part, BATCH))
            .await
        {
            Err(problem) if problem.status() != StatusCode::SERVICE_UNAVAILABLE => {
                take_one(app, part, &problem).await?
            }
            outcome => outcome?,
        };
    }
    Ok(taken)
}

/// How many signals are durable and not yet turned into alerts, on all parts of the journal.
pub fn count_waiting(tx: &mut Tx) -> Result<i64, Error> {
    let (waiting,): (i64,) = tx.one(
        sql!(
            "SELECT CAST(COALESCE(SUM(
                 COALESCE((SELECT MAX(s.sequence) FROM signals s WHERE s.node = n.number), 0)
                 - COALESCE((SELECT c.sequence FROM signal_cursors c WHERE c.node = n.number),
                       (SELECT MIN(s.sequence) - 1 FROM signals s WHERE s.node = n.number), 0)), 0) AS BIGINT)
             FROM nodes n"
        ),
        params![],
    )?;
    Ok(waiting)
}

/// A batch failed on something in it: signals are taken one by one, and the one that cannot be taken is
/// passed over, kept in the journal and named in the log.
async fn take_one(app: &Arc<App>, part: i64, problem: &Problem) -> Result<usize, Problem> {
    tracing::error!(
        part,
        "a batch of signals failed and is taken one by one: {problem}"
    );
    match app
        .change(Agent::muster(), move |change| take_part(change, part, 1))
        .await
    {
        Err(problem) if problem.status() != StatusCode::SERVICE_UNAVAILABLE => {
            let passed_over = app
                .change(Agent::muster(), move |change| pass_over(change, part))
                .await?;
            tracing::error!(
                part,
                sequence = passed_over,
                "a signal cannot be taken and was passed over: {problem}"
            );
            Ok(1)
        }
        outcome => outcome,
    }
}

fn pass_over(change: &mut Change, part: i64) -> Result<Option<i64>, Problem> {
    change.tx.lock(&format!("journal:{part}"))?;
    let first = waiting_of(change.tx, part, 1)?
        .first()
        .map(|signal| signal.sequence);
    if let Some(sequence) = first {
        move_cursor(change.tx, part, sequence)?;
    }
    Ok(first)
}

fn take_part(change: &mut Change, part: i64, limit: i64) -> Result<usize, Problem> {
    change.tx.lock(&format!("journal:{part}"))?;
    let waiting = waiting_of(change.tx, part, limit)?;
    let Some(last) = waiting.last() else { return Ok(0) };
    // Another node may be at another part: services are locked in a fixed order.
    let services: BTreeSet<&ServiceId> = waiting.iter().map(|one| &one.service_id).collect();
    for service in services {
        change.tx.lock(&format!("service:{service}"))?;
    }
    let mut batch = Batch::default();
    for signal in &waiting {
        match signal.kind {
            SignalKind::Alert => match serde_json::from_str::<AlertEvent>(&signal.body) {
                Ok(event) => batch.take(change, signal, event)?,
                Err(error) => unreadable(part, signal, &error),
            },
            SignalKind::Change => match serde_json::from_str::<ChangeEvent>(&signal.body) {
                Ok(event) => super::change_events::keep(change, signal, &event)?,
                Err(error) => unreadable(part, signal, &error),
            },
        }
    }
    batch.finish(change)?;
    move_cursor(change.tx, part, last.sequence)?;
    Ok(waiting.len())
}

fn move_cursor(tx: &mut Tx, part: i64, sequence: i64) -> Result<(), Error> {
    tx.execute(
        sql!(
            "INSERT INTO signal_cursors (node, sequence) VALUES ($1, $2)
             ON CONFLICT (node) DO UPDATE SET sequence = excluded.sequence"
        ),
        params![part, sequence],
    )?;
    Ok(())
}

fn waiting_of(tx: &mut Tx, part: i64, limit: i64) -> Result<Vec<Waiting>, Error> {
    tx.rows(
        sql!(
            "SELECT sequence, received_at, integration_id, service_id, kind, body FROM signals
             WHERE node = $1 AND sequence > COALESCE((SELECT sequence FROM signal_cursors WHERE node = $1), 0)
             ORDER BY sequence LIMIT $2"
        ),
        params![part, limit],
    )
}

fn unreadable(part: i64, signal: &Waiting, error: &serde_json::Error) {
    tracing::error!(
        part,
        sequence = signal.sequence,
        "a signal in the journal cannot be read: {error}"
    );
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
