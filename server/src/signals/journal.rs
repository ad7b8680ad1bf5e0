//! The journal's writer: one for each node. It takes what has queued, writes it as one leaf in one transaction,
//! and only then answers those who wait.
//!
//! A leaf is what one commit accepted: its signals as JSON, one a line. So a storm costs the database a row for
//! each commit and not for each signal, and the commit is the smaller the busier the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Error, Store, Tx, params, sql};
use tokio::sync::{Notify, mpsc, oneshot};

use super::event::{AlertEvent, ChangeEvent};
use crate::services::{IntegrationId, ServiceId};

/// Senders whose signals one leaf takes at most.
const SENDERS: usize = 512;
/// A leaf that has reached this size, in bytes, takes no further sender.
const LEAF: usize = 256 * 1024;
/// Senders that may wait for the writer; beyond that they are asked to try again.
const QUEUE: usize = 16_384;

/// An event that was accepted, as a line of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Signal {
    #[serde(with = "jiff::fmt::serde::timestamp::microsecond::required")]
    pub received_at: Timestamp,
    pub integration_id: IntegrationId,
    pub service_id: ServiceId,
    pub event: Event,
}

/// What was reported.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Alert(AlertEvent),
    Change(ChangeEvent),
}

/// A signal on its way into the journal: one line of JSON.
#[derive(Debug)]
pub struct Line(String);

impl Line {
    /// Writes a signal as a line. Characters NUL are left out, since neither database may hold one; JSON
    /// itself has no line breaks.
    pub fn of(signal: &Signal) -> serde_json::Result<Self> {
        Ok(Self(without_nul(serde_json::to_string(signal)?)))
    }
}

/// Takes the escaped characters NUL out of a JSON text, and leaves alone a backslash that is itself escaped.
fn without_nul(json: String) -> String {
    const NUL: &str = "\\u0000";
    if !json.contains(NUL) {
        return json;
    }
    let mut kept = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some(position) = rest.find('\\') {
        let (before, escape) = rest.split_at(position);
        kept.push_str(before);
        rest = if let Some(after) = escape.strip_prefix(NUL) {
            after
        } else {
            // An escape is a backslash and at least one more character, which is ASCII.
            let (pair, after) = escape.split_at(escape.len().min(2));
            kept.push_str(pair);
            after
        };
    }
    kept.push_str(rest);
    kept
}

struct Waiting {
    lines: Vec<Line>,
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

    /// Hands signals over and waits until they are durable. All of them are kept, or none.
    pub async fn write(&self, lines: Vec<Line>) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        self.sender
            .try_send(Waiting { lines, answer })
            .map_err(|_| Error::unavailable("the journal has more waiting than it may"))?;
        answered
            .await
            .unwrap_or_else(|_| Err(Error::unavailable("the journal has stopped")))
    }

    /// How many signals this node has made durable since it started.
    pub fn accepted(&self) -> i64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

/// What the next commit writes, and who waits for it.
#[derive(Default)]
struct Leaf {
    lines: String,
    signals: i64,
    answers: Vec<oneshot::Sender<Result<(), Error>>>,
}

impl Leaf {
    fn take(&mut self, waiting: Waiting) {
        for Line(line) in &waiting.lines {
            if self.signals > 0 {
                self.lines.push('\n');
            }
            self.lines.push_str(line);
            self.signals += 1;
        }
        self.answers.push(waiting.answer);
    }

    fn has_room(&self) -> bool {
        self.answers.len() < SENDERS && self.lines.len() < LEAF
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
        let mut leaf = Leaf::default();
        leaf.take(first);
        while leaf.has_room()
            && let Ok(next) = receiver.try_recv()
        {
            leaf.take(next);
        }
        let Leaf {
            lines,
            signals,
            answers,
        } = leaf;
        // A failed or unknown commit leaves a hole in the sequence, never a doubled number.
        sequence += signals;
        let outcome = match signals {
            0 => Ok(()),
            _ => {
                store
                    .write(move |tx| insert(tx, node, sequence, signals, &lines))
                    .await
            }
        };
        if outcome.is_ok() {
            accepted.fetch_add(signals, Ordering::Relaxed);
            written.notify_one();
        }
        for answer in answers {
            // A sender that no longer waits has its signals kept all the same.
            answer.send(outcome.clone()).ok();
        }
    }
}

fn insert(tx: &mut Tx, node: i64, sequence: i64, signals: i64, lines: &str) -> Result<(), Error> {
    tx.execute_one(
        sql!("INSERT INTO journal (node, sequence, signals, lines) VALUES ($1, $2, $3, $4)"),
        params![node, sequence, signals, lines],
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::without_nul;

    #[test]
    fn a_nul_is_left_out_and_words_that_only_look_like_one_are_kept() {
        let text = json!({ "a\0b": "c\0\0d", "words": "\\u0000 \\\0 \"\0\" \\" }).to_string();
        let kept: Value = serde_json::from_str(&without_nul(text)).unwrap();
        assert_eq!(kept, json!({ "ab": "cd", "words": "\\u0000 \\ \"\" \\" }));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_written_can_be_read_again_without_its_nuls(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec!["\0", "\\", "u0000", "\"", "\n", "é", "a"]),
                0..12,
            ),
        ) {
            let text = pieces.concat();
            let read: String = serde_json::from_str(&without_nul(Value::from(text.as_str()).to_string())).unwrap();
            proptest::prop_assert_eq!(read, text.replace('\0', ""));
        }
    }
}
