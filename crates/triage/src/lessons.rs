//! What people taught by merging and splitting.
//!
//! A merge says of every pair of kinds across the two groups that they belong together; a split says that they
//! do not. Each act gives back a [`Lesson`], which the caller stores with the act: undoing the act unteaches
//! exactly that lesson and nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::profile::Kind;

/// The most pairs that one act may teach, so that merging two huge groups stays cheap.
const PAIRS_A_LESSON: usize = 256;

/// What a person said of two alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A person put them into one incident.
    Together,
    /// A person took them apart.
    Apart,
}

/// What one act of a person taught: needed to unteach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "without its lesson an act can not be undone"]
pub struct Lesson {
    verdict: Verdict,
    pairs: Vec<(Kind, Kind)>,
}

impl Lesson {
    /// The pairs of kinds that were taught, the smaller kind first, each once.
    pub fn pairs(&self) -> &[(Kind, Kind)] {
        &self.pairs
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    together: u32,
    apart: u32,
}

/// All lessons, as counts by unordered pair of kinds; what of them counts is [`Weights::people`](crate::Weights::people).
/// Holds at most `capacity` pairs; when full, new pairs are not
/// learned (and the lesson says so by leaving them out), because forgetting old ones would break undoing.
///
/// ```
/// use triage::{Kind, Lessons, Verdict};
///
/// let (disk, database) = (Kind::of("shop", "disk full"), Kind::of("payment", "writes fail"));
/// let mut lessons = Lessons::default();
/// let merged = lessons.teach(Verdict::Together, &[disk], &[database]);
/// assert_eq!(lessons.tally(database, disk), (1, 0));
/// lessons.unteach(&merged);
/// assert!(lessons.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lessons {
    capacity: usize,
    #[serde(with = "as_rows")]
    tallies: BTreeMap<(Kind, Kind), Tally>,
}

impl Default for Lessons {
    fn default() -> Self {
        Self::with_capacity(100_000)
    }
}

impl Lessons {
    /// Nothing learned yet, and room for `capacity` pairs.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity,
            tallies: BTreeMap::new(),
        }
    }

    /// Learns what a person decided about two groups of kinds.
    pub fn teach(&mut self, verdict: Verdict, first: &[Kind], second: &[Kind]) -> Lesson {
        let mut pairs = Vec::new();
        for pair in first
            .iter()
            .flat_map(|one| second.iter().map(|other| unordered(*one, *other)))
        {
            if pairs.len() >= PAIRS_A_LESSON {
                break;
            }
            let known = self.tallies.contains_key(&pair);
            if pairs.contains(&pair) || (!known && self.tallies.len() >= self.capacity) {
                continue;
            }
            let tally = self.tallies.entry(pair).or_default();
            let count = tally.of(verdict);
            if *count < u32::MAX {
                *count += 1;
                pairs.push(pair);
            }
        }
        Lesson { verdict, pairs }
    }

    /// Takes a lesson back: afterwards everything is as if it had never been taught.
    pub fn unteach(&mut self, lesson: &Lesson) {
        for pair in &lesson.pairs {
            if let Some(tally) = self.tallies.get_mut(pair) {
                let count = tally.of(lesson.verdict);
                *count = count.saturating_sub(1);
                if *tally == Tally::default() {
                    self.tallies.remove(pair);
                }
            }
        }
    }

    /// Sets how often people put the two together and took them apart, for callers that keep the counts in tables of their
    /// own. A full memory takes no new pair.
    pub fn recall(&mut self, (one, other): (Kind, Kind), together: u32, apart: u32) {
        let pair = unordered(one, other);
        if self.tallies.len() < self.capacity || self.tallies.contains_key(&pair) {
            self.tallies.insert(pair, Tally { together, apart });
        }
    }

    /// How often people put the two together and took them apart.
    pub fn tally(&self, one: Kind, other: Kind) -> (u32, u32) {
        self.tallies
            .get(&unordered(one, other))
            .map_or((0, 0), |tally| (tally.together, tally.apart))
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.tallies.len()
    }

    /// True while nothing is learned.
    pub fn is_empty(&self) -> bool {
        self.tallies.is_empty()
    }
}

impl Tally {
    fn of(&mut self, verdict: Verdict) -> &mut u32 {
        match verdict {
            Verdict::Together => &mut self.together,
            Verdict::Apart => &mut self.apart,
        }
    }
}

fn unordered(one: Kind, other: Kind) -> (Kind, Kind) {
    (one.min(other), one.max(other))
}

/// JSON has no maps with pairs as keys, so the counts are stored as rows.
mod as_rows {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Kind, Tally};

    pub(super) fn serialize<S: Serializer>(
        tallies: &BTreeMap<(Kind, Kind), Tally>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(tallies)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<(Kind, Kind), Tally>, D::Error> {
        Ok(Vec::<((Kind, Kind), Tally)>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Lessons, Verdict};
    use crate::profile::Kind;
    use proptest::prelude::*;

    #[test]
    fn a_full_memory_learns_nothing_new_and_says_so() {
        let mut lessons = Lessons::with_capacity(1);
        let first = lessons.teach(Verdict::Together, &[Kind(1)], &[Kind(2)]);
        let second = lessons.teach(Verdict::Apart, &[Kind(1)], &[Kind(3)]);
        lessons.unteach(&second);
        assert_eq!(lessons.tally(Kind(2), Kind(1)), (1, 0));
        lessons.unteach(&first);
        assert!(lessons.is_empty());
    }

    proptest! {
        #[test]
        fn unteaching_in_any_order_restores_what_was(
            acts in prop::collection::vec((any::<bool>(), prop::collection::vec(0_u64..6, 1..4), prop::collection::vec(0_u64..6, 1..4)), 1..8),
            capacity in 1_usize..20,
            backwards: bool,
        ) {
            let mut lessons = Lessons::with_capacity(capacity);
            let kept = lessons.teach(Verdict::Together, &[Kind(1)], &[Kind(2)]);
            let before = lessons.clone();
            let mut taught: Vec<_> = acts
                .iter()
                .map(|(together, first, second)| {
                    let verdict = if *together { Verdict::Together } else { Verdict::Apart };
                    let kinds = |list: &[u64]| list.iter().map(|kind| Kind(*kind)).collect::<Vec<_>>();
                    lessons.teach(verdict, &kinds(first), &kinds(second))
                })
                .collect();
            if backwards {
                taught.reverse();
            }
            for lesson in &taught {
                lessons.unteach(lesson);
            }
            prop_assert_eq!(&lessons, &before);
            lessons.unteach(&kept);
            prop_assert!(lessons.is_empty());
        }
    }
}
