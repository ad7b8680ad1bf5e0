//! The journal's writer: one for each node. It takes what has queued, writes it in one transaction, and
//! only then answers those who wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use store::{Error, Store, Tx, Value, params, sql};
use tokio::sync::{Notify, mpsc, oneshot};

use super::SignalKind;
use crate::services::{IntegrationId, ServiceId};

/// Events that one commit takes at most.
const BATCH: usize = 512;
/// Events that may wait for the writer; beyond that the sender is asked to try again.
const QUEUE: usize = 16_384;

/// An event on its way into the journal.
#[derive(Debug, Clone)]
pub struct Signal {
    pub received_at: Timestamp,
    pub integration_id: IntegrationId,
    pub service_id: ServiceId,
    pub kind: SignalKind,
    pub body: String,
}

struct Waiting {
    signals: Vec<Signal>,
    answer: oneshot::Sender<Result<(), Error>>,
}

/// The way in. Clones write to the same journal.
#[derive(Clone)]
pub struct Journal {
    sender: mpsc::Sender<Waiting>,
    /// Rings after each commit: there is something to turn into alerts.
    pub written: Arc<Notify>,
    accepted: Arc<AtomicI64>,
}

impl Journal {
    /// Starts the writer of `node`. It ends when the last clone of the journal is dropped.
    pub fn start(store: Store, node: i64) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let journal = Self {
            sender,
            written: Arc::new(Notify::new()),
            accepted: Arc::new(AtomicI64::new(0)),
        };
        tokio::spawn(write_all(
            store,
            node,
            receiver,
            Arc::clone(&journal.written),
            Arc::clone(&journal.accepted),
        ));
        journal
    }

    /// Hands events over and waits until they are durable. All of them are kept, or none.
    pub async fn write(&self, signals: Vec<Signal>) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        self.sender
            .try_send(Waiting { signals, answer })
            .map_err(|_| Error::unavailable("the journal has more waiting than it may"))?;
        answered
            .await
            .unwrap_or_else(|_| Err(Error::unavailable("the journal has stopped")))
    }

    /// How many events this node has made durable since it started.
    pub fn accepted(&self) -> i64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

async fn write_all(
    store: Store,
    node: i64,
    mut receiver: mpsc::Receiver<Waiting>,
    written: Arc<Notify>,
    accepted: Arc<AtomicI64>,
) {
    let mut sequence = 0_i64;
    while let Some(first) = receiver.recv().await {
        let mut waiting = vec![first];
        while waiting.len() < BATCH {
            match receiver.try_recv() {
                Ok(next) => waiting.push(next),
                Err(_) => break,
            }
        }
        let (batch, answers): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|one| (one.signals, one.answer)).unzip();
        let batch: Arc<Vec<Signal>> = Arc::new(batch.into_iter().flatten().collect());
        let count = batch.len() as i64;
        let first = sequence + 1;
        let rows = Arc::clone(&batch);
        let outcome = store.write(move |tx| insert(tx, node, first, &rows)).await;
        // A failed or unknown commit leaves a hole in the sequence, never a doubled number.
        sequence += count;
        if outcome.is_ok() {
            accepted.fetch_add(count, Ordering::Relaxed);
            written.notify_one();
        }
        for answer in answers {
            // A sender that no longer waits has its event kept all the same.
            answer.send(outcome.clone()).ok();
        }
    }
}

fn insert(tx: &mut Tx, node: i64, first: i64, signals: &[Signal]) -> Result<(), Error> {
    match tx.engine() {
        store::Engine::Sqlite => {
            for (sequence, signal) in (first..).zip(signals) {
                tx.execute(
                    sql!(
                        "INSERT INTO signals (node, sequence, received_at, integration_id, service_id, kind, body)
                         VALUES ($1, $2, $3, $4, $5, $6, $7)"
                    ),
                    params![
                        node,
                        sequence,
                        signal.received_at,
                        &signal.integration_id,
                        &signal.service_id,
                        signal.kind,
                        &signal.body
                    ],
                )?;
            }
        }
        store::Engine::Postgres => {
            tx.execute(
                sql! {
                    sqlite: "SELECT $1, $2, $3, $4, $5, $6, $7",
                    postgres: "INSERT INTO signals (node, sequence, received_at, integration_id, service_id, kind, body)
                         SELECT $1, $2 + t.position - 1, t.received_at, t.integration_id, t.service_id, t.kind, t.body
                         FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
                             WITH ORDINALITY AS t (received_at, integration_id, service_id, kind, body, position)"
                },
                params![
                    node,
                    first,
                    Value::integers(signals.iter().map(|signal| signal.received_at.as_microsecond())),
                    Value::texts(signals.iter().map(|signal| signal.integration_id.as_str())),
                    Value::texts(signals.iter().map(|signal| signal.service_id.as_str())),
                    Value::texts(signals.iter().map(|signal| signal.kind.as_text())),
                    Value::texts(signals.iter().map(|signal| signal.body.as_str()))
                ],
            )?;
        }
    }
    Ok(())
}
