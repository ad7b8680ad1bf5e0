//! What a rule remembers of the trigger events that it matched: the counts behind `trigger_count over` and
//! `resetting_trigger_count over`.
//!
//! Evaluating a condition changes nothing and asks its [`Scope`] for counts. Somebody has to keep them, and to say
//! which events count: a rule `event.class == 'disk' and trigger_count over 5 minutes > 10` counts events about
//! disks, although the whole of it is not true of the first ten. So an event counts unless the rest of the rule is
//! false whatever the counts are. [`TriggerCounts`] does this for one rule; it may be stored between events and
//! read back, and what was spoiled meanwhile is refused. [`SlidingCount`] is one such count by itself, which is
//! also what a cache variable of the kind `trigger_event_count` holds.
//!
//! Memory is bounded: a count knows up to 256 different instants exactly, and beyond that lets instants that are
//! close together fall into one. Time that runs backwards is taken for the latest instant that was seen.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    budget::Budget,
    condition::Condition,
    scope::Scope,
    syntax::{Threshold, ThresholdKind},
};

/// How many different instants a count knows exactly.
const EXACT: usize = 256;

/// Into how many parts of its window a count that has more lets them fall.
const PARTS: i64 = 128;

/// The grain of a count that is exact, in microseconds.
const FINEST: i64 = 1;

/// How many things happened within a window of time that ends at the present.
///
/// An event counts from its own instant until less than the window has passed since. Up to 256 different instants
/// (of whole microseconds) are exact. With more in the window, those within 1/128 of it share the latest of them:
/// the count is then never less than the truth, and an event may count for 1/128 of the window longer. At most
/// 4 KiB in memory.
///
/// ```
/// use condition::SlidingCount;
/// use jiff::Timestamp;
///
/// let at = Timestamp::from_second;
/// let mut count = SlidingCount::over(60);
/// count.add(at(0)?);
/// count.add(at(30)?);
/// assert_eq!(count.count(at(59)?), 2);
/// assert_eq!(count.count(at(60)?), 1);
/// count.reset();
/// assert_eq!(count.count(at(60)?), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenCount")]
pub struct SlidingCount {
    window_seconds: u32,
    /// The length of time that shares an entry, in microseconds.
    grain: i64,
    /// Instants in microseconds of the Unix epoch, each with how many events; later ones behind.
    entries: VecDeque<(i64, u64)>,
}

/// A count as it is stored, before it is believed.
#[derive(Deserialize)]
struct WrittenCount {
    window_seconds: u32,
    grain: i64,
    entries: VecDeque<(i64, u64)>,
}

/// Why stored counts are not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpoiledCounts {
    /// The window is zero seconds long, or the grain is none that a count of this window has.
    #[error("the count has a window or a grain that no count has")]
    Window,
    /// There are more entries than a count ever has.
    #[error("the count has more entries than a count ever has")]
    TooMany,
    /// Entries are not in the order of time, outside of the years of a timestamp, or of no events.
    #[error("the entries of the count are not instants in order with at least one event each")]
    Entries,
    /// The events of all entries together do not fit into 64 bits.
    #[error("the count runs over")]
    TooLarge,
    /// The same window of the same kind is counted twice.
    #[error("the same count is there twice")]
    Repeated,
}

impl TryFrom<WrittenCount> for SlidingCount {
    type Error = SpoiledCounts;

    fn try_from(written: WrittenCount) -> Result<Self, SpoiledCounts> {
        let WrittenCount {
            window_seconds,
            grain,
            entries,
        } = written;
        if window_seconds == 0 || (grain != FINEST && grain != coarse(window_seconds)) {
            return Err(SpoiledCounts::Window);
        }
        if entries.len() > EXACT {
            return Err(SpoiledCounts::TooMany);
        }
        let years = Timestamp::MIN.as_microsecond()..=Timestamp::MAX.as_microsecond();
        let in_order = entries
            .iter()
            .zip(entries.iter().skip(1))
            .all(|((before, _), (after, _))| before < after);
        let believable = entries
            .iter()
            .all(|(instant, events)| years.contains(instant) && *events > 0);
        if !in_order || !believable {
            return Err(SpoiledCounts::Entries);
        }
        entries
            .iter()
            .try_fold(0_u64, |total, (_, events)| total.checked_add(*events))
            .ok_or(SpoiledCounts::TooLarge)?;
        Ok(Self {
            window_seconds,
            grain,
            entries,
        })
    }
}

/// The grain of a count that is not exact, in microseconds.
fn coarse(window_seconds: u32) -> i64 {
    i64::from(window_seconds) * 1_000_000 / PARTS
}

impl SlidingCount {
    /// A count of nothing yet over a window of so many seconds; 0 counts as 1.
    pub fn over(window_seconds: u32) -> Self {
        Self {
            window_seconds: window_seconds.max(1),
            grain: FINEST,
            entries: VecDeque::new(),
        }
    }

    /// The length of the window in seconds, at least 1.
    pub fn window_seconds(&self) -> u32 {
        self.window_seconds
    }

    /// Counts one event. An instant before the latest that was counted is taken for that one.
    pub fn add(&mut self, now: Timestamp) {
        let now = self.present(now);
        while self
            .entries
            .front()
            .is_some_and(|(instant, _)| self.is_over(*instant, now))
        {
            self.entries.pop_front();
        }
        if self.entries.is_empty() {
            self.grain = FINEST;
        }
        self.push(now, 1);
        if self.entries.len() > EXACT {
            self.grain = coarse(self.window_seconds);
            for (instant, events) in std::mem::take(&mut self.entries) {
                self.push(instant, events);
            }
        }
    }

    /// How many events are within the window that ends at `now`; all that were ever counted at most 2^64 − 1.
    pub fn count(&self, now: Timestamp) -> u64 {
        let now = self.present(now);
        self.entries
            .iter()
            .rev()
            .take_while(|(instant, _)| !self.is_over(*instant, now))
            .fold(0, |total, (_, events)| total.saturating_add(*events))
    }

    /// Forgets all events, as `resetting_trigger_count` does once its condition was true.
    pub fn reset(&mut self) {
        self.entries.clear();
        self.grain = FINEST;
    }

    fn present(&self, now: Timestamp) -> i64 {
        let latest = self.entries.back().map_or(i64::MIN, |(instant, _)| *instant);
        now.as_microsecond().max(latest)
    }

    fn is_over(&self, instant: i64, now: i64) -> bool {
        now - instant >= i64::from(self.window_seconds) * 1_000_000
    }

    /// Adds events at the latest instant, to the last entry where both are of the same grain of time.
    fn push(&mut self, now: i64, events: u64) {
        let grain = self.grain;
        match self.entries.back_mut() {
            Some((instant, known)) if instant.div_euclid(grain) == now.div_euclid(grain) => {
                *instant = now;
                *known = known.saturating_add(events);
            }
            _ => self.entries.push_back((now, events)),
        }
    }
}

/// The counts of one rule.
///
/// ```
/// use condition::{Condition, Scope, TriggerCounts};
/// use jiff::Timestamp;
/// use serde_json::json;
///
/// let rule: [Condition; 1] = ["event.class == 'disk' and trigger_count over 5 minutes > 2".parse()?];
/// let mut counts = TriggerCounts::default();
/// let mut judge = |second, class| -> Result<bool, jiff::Error> {
///     let event = json!({ "class": class });
///     let scope = Scope::at(Timestamp::from_second(second)?).with("event", &event);
///     Ok(counts.judge(&rule, &scope))
/// };
/// assert!(!judge(0, "disk")?);
/// assert!(!judge(60, "disk")?);
/// assert!(!judge(70, "load")?, "not about disks, and not counted");
/// assert!(judge(120, "disk")?, "the third within five minutes");
/// assert!(!judge(301, "load")?);
/// assert!(!judge(420, "disk")?, "only one other is left in the window");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Kept>", into = "Vec<Kept>")]
pub struct TriggerCounts {
    kept: Vec<Kept>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    kind: ThresholdKind,
    count: SlidingCount,
}

impl Kept {
    fn threshold(&self) -> Threshold {
        Threshold {
            kind: self.kind,
            window_seconds: self.count.window_seconds(),
        }
    }
}

impl TryFrom<Vec<Kept>> for TriggerCounts {
    type Error = SpoiledCounts;

    fn try_from(kept: Vec<Kept>) -> Result<Self, SpoiledCounts> {
        let mut known = std::collections::HashSet::with_capacity(kept.len());
        if kept.iter().all(|one| known.insert(one.threshold())) {
            Ok(Self { kept })
        } else {
            Err(SpoiledCounts::Repeated)
        }
    }
}

impl From<TriggerCounts> for Vec<Kept> {
    fn from(counts: TriggerCounts) -> Self {
        counts.kept
    }
}

impl TriggerCounts {
    /// Whether a rule matches a trigger event, which counts unless the rest of the rule is false of it. A rule
    /// matches where one of its conditions is true, and has at least one. The counts of the scope are not asked.
    ///
    /// Once a rule matched, its resetting counts begin again at 0. Counts that no condition asks for any more are
    /// forgotten, so the conditions of a rule may change. Events that resolve are not counted: for those give
    /// [`TriggerCounts::count`] to [`Scope::with_trigger_counts`].
    ///
    /// At most twice the work of evaluating the conditions.
    pub fn judge(&mut self, conditions: &[Condition], scope: &Scope<'_>) -> bool {
        self.judge_with(conditions, scope, None)
    }

    /// The same on the account of a budget: where that does not last, the answer is false and nothing is counted.
    pub fn judge_within(&mut self, conditions: &[Condition], scope: &Scope<'_>, budget: &mut Budget) -> bool {
        self.judge_with(conditions, scope, Some(budget))
    }

    /// How many events of the rule are within the window that ends at `now`; 0 of a window that is not counted.
    pub fn count(&self, threshold: Threshold, now: Timestamp) -> u64 {
        self.kept
            .iter()
            .find(|kept| kept.threshold() == threshold)
            .map_or(0, |kept| kept.count.count(now))
    }

    fn judge_with(
        &mut self,
        conditions: &[Condition],
        scope: &Scope<'_>,
        mut budget: Option<&mut Budget>,
    ) -> bool {
        let possible = conditions
            .iter()
            .any(|condition| condition.could_match(scope, budget.as_deref_mut()));
        if !possible {
            return false;
        }
        let now = scope.now();
        let with_this_one = |threshold| self.count(threshold, now).saturating_add(1);
        let counted = scope.clone().with_trigger_counts(&with_this_one);
        let matched = conditions.iter().any(|condition| match budget.as_deref_mut() {
            Some(budget) => condition.matches_within(&counted, budget),
            None => condition.matches(&counted),
        });
        if budget.is_some_and(|budget| budget.is_spent()) {
            return false;
        }
        self.keep(conditions);
        for kept in &mut self.kept {
            if matched && kept.kind == ThresholdKind::Resetting {
                kept.count.reset();
            } else {
                kept.count.add(now);
            }
        }
        matched
    }

    /// Keeps exactly the counts that the conditions ask for.
    fn keep(&mut self, conditions: &[Condition]) {
        let mut asked = Vec::new();
        for threshold in conditions.iter().flat_map(Condition::thresholds) {
            if !asked.contains(&threshold) {
                asked.push(threshold);
            }
        }
        self.kept.retain(|kept| asked.contains(&kept.threshold()));
        for threshold in asked {
            if !self.kept.iter().any(|kept| kept.threshold() == threshold) {
                self.kept.push(Kept {
                    kind: threshold.kind,
                    count: SlidingCount::over(threshold.window_seconds),
                });
            }
        }
    }
}
