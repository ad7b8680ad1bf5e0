//! Changes and incidents: which recent change may be behind it, and how risky a change is.
//!
//! Three reasons count, the same that the reference names: time (the change came shortly before), related service (few
//! steps in the dependency graph), and learnt (people blamed changes of this kind, or of this place, before). Risk is
//! the share of changes that were blamed, with an interval, because three changes without trouble prove little.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    event::truncate,
    hash::{combine, stable_hash, stable_hash_pair},
    reason::Reason,
    topology::Topology,
    transient::lower_bound,
};

/// A change that was made: a deployment, a setting, a rollout, maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// What was changed: a name that the dependency graph may know.
    pub place: &'a str,
    /// Sort of change, without values: `deploy`, `feature flag`.
    pub kind: &'a str,
    /// What a person reads of it.
    pub summary: &'a str,
    /// When it was made.
    pub at: Timestamp,
}

/// How far a change can be behind an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// Position in the list of changes that was given.
    pub change: usize,
    /// Between 0 and 1, for comparing the changes of one incident; not a probability.
    pub score: f64,
    /// Heaviest first.
    pub reasons: Vec<Reason>,
}

/// How often changes of a sort were blamed for an incident.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// Changes of the sort that were made.
    pub made: u32,
    /// Of these, those that were blamed.
    pub blamed: u32,
    /// The share blamed, drawn towards what is usual where little is known.
    pub share: f64,
    /// 95 % interval (Wilson).
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    made: u32,
    blamed: u32,
}

/// The memory of changes: how many of each sort were made and how many were blamed. A share is drawn towards what is
/// usual where little is known, and its interval is Wilson's (1927). Holds at most 20,000 sorts of changes; beyond that new sorts are judged by the total alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Changes {
    total: Record,
    records: BTreeMap<u64, Record>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    total: Record,
    records: Vec<(u64, Record)>,
}

impl From<Stored> for Changes {
    fn from(stored: Stored) -> Self {
        Self {
            total: stored.total,
            records: stored.records.into_iter().collect(),
        }
    }
}

impl From<Changes> for Stored {
    fn from(changes: Changes) -> Self {
        Self {
            total: changes.total,
            records: changes.records.into_iter().collect(),
        }
    }
}

const CAPACITY: usize = 20_000;
/// Only changes of the day before come into question.
const DAY_SECONDS: i64 = 86_400;
/// The time after which a change counts a factor e less.
const FADING_SECONDS: f64 = 3600.0;
/// So many changes of a sort weigh as much as what is usual.
const PRIOR_CHANGES: f64 = 10.0;

impl Changes {
    /// Counts a change that was made.
    pub fn remember(&mut self, change: &Change<'_>) {
        self.count(change, |record| record.made = record.made.saturating_add(1));
    }

    /// A person blamed a change for an incident.
    pub fn blame(&mut self, change: &Change<'_>) {
        self.count(change, |record| record.blamed = record.blamed.saturating_add(1));
    }

    /// A person took the blame back.
    pub fn absolve(&mut self, change: &Change<'_>) {
        self.count(change, |record| record.blamed = record.blamed.saturating_sub(1));
    }

    fn count(&mut self, change: &Change<'_>, act: impl Fn(&mut Record)) {
        act(&mut self.total);
        for key in keys(change) {
            if self.records.len() < CAPACITY || self.records.contains_key(&key) {
                act(self.records.entry(key).or_default());
            }
        }
    }

    /// The risk of a change: of its kind at its place, else of its kind, else of changes at large.
    pub fn risk(&self, change: &Change<'_>) -> Risk {
        let usual = (f64::from(self.total.blamed) + 1.0) / (f64::from(self.total.made) + 20.0);
        let [here, kind] = keys(change).map(|key| self.records.get(&key).copied().unwrap_or_default());
        let share_of_kind = drawn(kind, usual);
        let share = drawn(here, share_of_kind);
        let shown = if here.made > 0 { here } else { kind };
        let blamed = shown.blamed.min(shown.made);
        let upper = 1.0 - lower_bound(shown.made - blamed, shown.made, 1.96);
        Risk {
            made: shown.made,
            blamed,
            share,
            lower: lower_bound(blamed, shown.made, 1.96),
            upper,
        }
    }

    /// Which changes may be behind an incident that began at `onset` and shows at `places`, best first. Changes after
    /// the onset, or more than a day before it, are left out.
    ///
    /// ```
    /// use jiff::Timestamp;
    /// use triage::{Change, Changes, Topology};
    /// let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
    /// let mut topology = Topology::default();
    /// topology.add_dependency("shop", "payment");
    /// let changes = [
    ///     Change { place: "intranet", kind: "deploy", summary: "new menu", at: at(58) },
    ///     Change { place: "payment", kind: "deploy", summary: "release 17", at: at(50) },
    /// ];
    /// let found = Changes::default().correlate(&["shop"], at(60), &changes, &topology);
    /// assert_eq!(found[0].change, 1);
    /// ```
    pub fn correlate(
        &self,
        places: &[&str],
        onset: Timestamp,
        changes: &[Change<'_>],
        topology: &Topology,
    ) -> Vec<Correlation> {
        let mut found: Vec<Correlation> = changes
            .iter()
            .enumerate()
            .filter_map(|(index, change)| self.correlation(index, change, places, onset, topology))
            .collect();
        found.sort_by(|one, other| {
            other
                .score
                .total_cmp(&one.score)
                .then(one.change.cmp(&other.change))
        });
        found
    }

    fn correlation(
        &self,
        index: usize,
        change: &Change<'_>,
        places: &[&str],
        onset: Timestamp,
        topology: &Topology,
    ) -> Option<Correlation> {
        let seconds = onset.as_second().saturating_sub(change.at.as_second());
        if !(0..=DAY_SECONDS).contains(&seconds) {
            return None;
        }
        let recent = (-(seconds as f64) / FADING_SECONDS).exp();
        let nearest = places
            .iter()
            .filter_map(|place| Some((distance(change.place, place, topology)?, *place)))
            .min_by_key(|(hops, _)| *hops);
        let near = nearest.map_or(0.05, |(hops, _)| [1.0, 0.7, 0.4, 0.2][usize::from(hops.min(3))]);
        let risk = self.risk(change);
        // Without any experience the share is 5 %, which neither speaks for nor against.
        let risky = (0.5 + 10.0 * risk.share).min(4.0);
        let odds = recent * near * risky;
        let mut reasons = vec![(
            recent,
            Reason::ChangedShortlyBefore {
                seconds,
                weight: recent,
            },
        )];
        if let Some((hops, place)) = nearest {
            let (from, to) = (change.place.to_owned(), place.to_owned());
            reasons.push((
                near,
                Reason::Hops {
                    from,
                    to,
                    hops,
                    weight: near,
                },
            ));
        }
        if risk.made > 0 {
            let (made, blamed) = (risk.made, risk.blamed);
            reasons.push((
                risk.share,
                Reason::ChangesBlamed {
                    made,
                    blamed,
                    weight: risk.share,
                },
            ));
        }
        reasons.sort_by(|one, other| other.0.total_cmp(&one.0));
        Some(Correlation {
            change: index,
            score: odds / (1.0 + odds),
            reasons: reasons.into_iter().map(|(_, reason)| reason).collect(),
        })
    }
}

fn distance(one: &str, other: &str, topology: &Topology) -> Option<u8> {
    if one == other {
        return Some(0);
    }
    topology.near(topology.node(one)?, topology.node(other)?)
}

fn drawn(record: Record, usual: f64) -> f64 {
    let blamed = f64::from(record.blamed.min(record.made));
    (blamed + PRIOR_CHANGES * usual) / (f64::from(record.made) + PRIOR_CHANGES)
}

/// The records of a change: its kind at its place, and its kind anywhere.
fn keys(change: &Change<'_>) -> [u64; 2] {
    let (kind, place) = (truncate(change.kind, 255), truncate(change.place, 255));
    [stable_hash_pair(kind, place), combine(1, stable_hash(kind))]
}

#[cfg(test)]
mod tests {
    use super::{Change, Changes};
    use crate::Topology;
    use jiff::Timestamp;

    fn change(place: &'static str, kind: &'static str, minute: i64) -> Change<'static> {
        Change {
            place,
            kind,
            summary: "",
            at: Timestamp::from_second(minute * 60).unwrap(),
        }
    }

    fn order(changes: &Changes, list: &[Change<'_>]) -> Vec<usize> {
        let onset = Timestamp::from_second(3600).unwrap();
        let found = changes.correlate(&["shop"], onset, list, &Topology::default());
        found.iter().map(|found| found.change).collect()
    }

    #[test]
    fn what_came_after_or_long_before_is_left_out() {
        let list = [
            change("shop", "deploy", 61),
            change("shop", "deploy", -2000),
            change("shop", "deploy", 30),
        ];
        assert_eq!(order(&Changes::default(), &list), [2]);
    }

    #[test]
    fn the_later_of_two_equal_changes_comes_first() {
        let list = [change("shop", "deploy", 10), change("shop", "deploy", 55)];
        assert_eq!(order(&Changes::default(), &list), [1, 0]);
    }

    #[test]
    fn blame_teaches_and_taking_it_back_unteaches() {
        let list = [change("shop", "flag", 50), change("shop", "deploy", 52)];
        let mut changes = Changes::default();
        for _ in 0..20 {
            for change in &list {
                changes.remember(change);
            }
        }
        let before = changes.clone();
        assert_eq!(order(&changes, &list), [1, 0]);
        for _ in 0..8 {
            changes.blame(&list[0]);
        }
        assert_eq!(order(&changes, &list), [0, 1]);
        let risk = changes.risk(&list[0]);
        assert!(risk.lower < risk.share && risk.share < risk.upper, "{risk:?}");
        for _ in 0..8 {
            changes.absolve(&list[0]);
        }
        assert_eq!(changes, before);
    }
}
