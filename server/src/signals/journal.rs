//! The journal's writer: one for each node. It takes what has queued, writes it as one leaf in one transaction,
//! and only then answers those who wait.
//!
//! A leaf is what one commit accepted: its signals as JSON, one a line. So a storm costs the database a row for
//! each commit and not for each signal, and the commit is the smaller the busier the disk. When far more was accepted
//! than has become alerts, leaves are written more slowly: a sender that waits a little is better off than one whose
//! alert is believed and nobody hears of.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::Error;
use tokio::sync::{Notify, mpsc, oneshot};

use super::event::{AlertEvent, ChangeEvent};
use super::leaves::{Leaf, Leaves};
use crate::services::{IntegrationId, ServiceId};

/// Senders whose signals one leaf takes at most.
const SENDERS: usize = 512;
/// A leaf that has reached this size, in bytes, takes no further sender.
const LEAF: usize = 256 * 1024;
/// Senders that may wait for the writer; beyond that they are asked to try again.
const QUEUE: usize = 16_384;
/// Signals of this node that may wait to become alerts before acceptance slows down.
const AHEAD: i64 = 3_000;
/// How long one leaf is then held back at most, while some of what waits is taken meanwhile.
const HELD_BACK: Duration = Duration::from_secs(1);
/// The same when nothing was taken during the last wait: a node that cannot take anything still accepts.
const HELD_BACK_IN_VAIN: Duration = Duration::from_millis(10);

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
    pub leaves: Leaves,
    /// Rings after each commit: there is something to turn into alerts.
    pub written: Arc<Notify>,
    progress: Arc<Progress>,
}

/// How far this node's part of the journal has come since it started.
#[derive(Default)]
struct Progress {
    /// Signals that are durable.
    accepted: AtomicI64,
    /// The number of the last signal that is durable.
    written: AtomicI64,
    /// The number of the last signal that is known to have been taken.
    taken: AtomicI64,
    /// Rings when more has been taken.
    eased: Notify,
}

impl Progress {
    fn is_far_ahead(&self) -> bool {
        self.written.load(Ordering::Relaxed) - self.taken.load(Ordering::Relaxed) > AHEAD
    }

    /// Lets those that become alerts catch up, as long as they do. `stuck_at` is where nothing moved the last time.
    async fn wait_for_those_behind(&self, stuck_at: &mut Option<i64>) {
        let before = self.taken.load(Ordering::Relaxed);
        let longest = if *stuck_at == Some(before) {
            HELD_BACK_IN_VAIN
        } else {
            HELD_BACK
        };
        let caught_up = async {
            while self.is_far_ahead() {
                self.eased.notified().await;
            }
        };
        // Caught up or not, the leaf is written now.
        if tokio::time::timeout(longest, caught_up).await.is_err() {
            let after = self.taken.load(Ordering::Relaxed);
            *stuck_at = (after == before).then_some(after);
        }
    }
}

impl Journal {
    /// Starts the writer of `node`. It ends when the last clone of the journal is dropped.
    pub fn start(leaves: Leaves, node: i64) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let journal = Self {
            sender,
            leaves: leaves.clone(),
            written: Arc::new(Notify::new()),
            progress: Arc::default(),
        };
        tokio::spawn(write_all(
            leaves,
            node,
            receiver,
            Arc::clone(&journal.written),
            Arc::clone(&journal.progress),
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
        self.progress.accepted.load(Ordering::Relaxed)
    }

    /// The number of the last signal that this node has made durable.
    pub(super) fn last_written(&self) -> i64 {
        self.progress.written.load(Ordering::Relaxed)
    }

    /// Notes that this node's signals up to this number have been taken, by whichever node.
    pub(super) fn note_taken(&self, sequence: i64) {
        self.progress.taken.fetch_max(sequence, Ordering::Relaxed);
        self.progress.eased.notify_one();
    }
}

/// What the next commit writes, and who waits for it.
#[derive(Default)]
struct Gathered {
    lines: String,
    signals: i64,
    answers: Vec<oneshot::Sender<Result<(), Error>>>,
}

impl Gathered {
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
    leaves: Leaves,
    node: i64,
    mut receiver: mpsc::Receiver<Waiting>,
    written: Arc<Notify>,
    progress: Arc<Progress>,
) {
    let mut sequence = 0_i64;
    let mut stuck_at = None;
    while let Some(first) = receiver.recv().await {
        progress.wait_for_those_behind(&mut stuck_at).await;
        let mut gathered = Gathered::default();
        gathered.take(first);
        while gathered.has_room()
            && let Ok(next) = receiver.try_recv()
        {
            gathered.take(next);
        }
        let Gathered {
            lines,
            signals,
            answers,
        } = gathered;
        // A failed or unknown commit leaves a hole in the sequence, never a doubled number.
        sequence += signals;
        let outcome = if signals == 0 {
            Ok(())
        } else {
            let leaf = Leaf {
                sequence,
                signals,
                lines,
            };
            leaves.add(node, leaf).await
        };
        if outcome.is_ok() {
            progress.accepted.fetch_add(signals, Ordering::Relaxed);
            progress.written.store(sequence, Ordering::Relaxed);
            written.notify_one();
        }
        for answer in answers {
            // A sender that no longer waits has its signals kept all the same.
            answer.send(outcome.clone()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use std::sync::atomic::Ordering;

    use super::{AHEAD, HELD_BACK, HELD_BACK_IN_VAIN, Progress, without_nul};

    #[tokio::test(start_paused = true)]
    async fn acceptance_waits_for_those_behind_and_hardly_when_nothing_moves() {
        let progress = Progress::default();
        let mut stuck_at = None;
        progress.written.store(AHEAD + 1, Ordering::Relaxed);
        let mut waited = Vec::new();
        for taken in [0, 0, 0, 1] {
            progress.taken.store(taken, Ordering::Relaxed);
            let began = tokio::time::Instant::now();
            progress.wait_for_those_behind(&mut stuck_at).await;
            waited.push(began.elapsed());
        }
        let expected = [HELD_BACK, HELD_BACK_IN_VAIN, HELD_BACK_IN_VAIN];
        for (waited, expected) in waited.iter().zip(expected) {
            assert!(
                *waited >= expected && *waited < expected * 2,
                "{waited:?} is not {expected:?}"
            );
        }
        assert_eq!(waited[3].as_millis(), 0, "enough was taken");
    }

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
