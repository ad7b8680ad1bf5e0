//! What past cascades looked like, and which places were confirmed as their origin.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::{OriginWeights, Signal, Symptom, by_place};
use crate::{
    event::truncate,
    hash::{combine, stable_hash},
    topology::Topology,
};

/// Longest text that tells kinds and places apart, in bytes.
const BYTES: usize = 512;
/// How many past counts are kept for a symptom.
const COUNTS: usize = 64;

/// How often a symptom was shown, and how much of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Past {
    times: u32,
    counts: VecDeque<u32>,
    /// The cascade that had it last.
    last: u32,
}

/// How many cascades a place of a class could have shown something in, and how often it was the origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Verdicts {
    shown: u32,
    origin: u32,
}

/// The memory behind the ranking of origins: how rare each symptom of each place was in the cascades before, and which
/// places and symptoms people confirmed as the origin.
///
/// Evidence is in nats and adds up: rarity (surprise, the negative logarithm of how often), less what the places that a
/// place depends on show themselves (a walk along the dependency graph, against the way in which trouble travels), the
/// typical part of a whole, the order of onset, recent changes, and the odds from confirmations. At most as many symptoms
/// of places as its capacity says are kept; those seen longest ago give way. A cascade is not in the past of its own
/// ranking until [`Origins::remember`] is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Origins {
    weights: OriginWeights,
    capacity: usize,
    cascades: u32,
    past: BTreeMap<u64, Past>,
    /// By class of place and kind: how many appearances.
    classes: BTreeMap<u64, u32>,
    /// By class of place: how many places appeared.
    class_sizes: BTreeMap<u64, u32>,
    confirmed: u32,
    total: Verdicts,
    by_symptom: BTreeMap<u64, Verdicts>,
    origins: BTreeMap<u64, u32>,
}

/// The same in rows, because maps with numbers as keys are no map in every format.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    weights: OriginWeights,
    capacity: usize,
    cascades: u32,
    past: Vec<(u64, Past)>,
    classes: Vec<(u64, u32)>,
    class_sizes: Vec<(u64, u32)>,
    confirmed: u32,
    total: Verdicts,
    by_symptom: Vec<(u64, Verdicts)>,
    origins: Vec<(u64, u32)>,
}

impl From<Stored> for Origins {
    fn from(stored: Stored) -> Self {
        Self {
            weights: stored.weights,
            capacity: stored.capacity,
            cascades: stored.cascades,
            past: stored.past.into_iter().collect(),
            classes: stored.classes.into_iter().collect(),
            class_sizes: stored.class_sizes.into_iter().collect(),
            confirmed: stored.confirmed,
            total: stored.total,
            by_symptom: stored.by_symptom.into_iter().collect(),
            origins: stored.origins.into_iter().collect(),
        }
    }
}

impl From<Origins> for Stored {
    fn from(origins: Origins) -> Self {
        Self {
            weights: origins.weights,
            capacity: origins.capacity,
            cascades: origins.cascades,
            past: origins.past.into_iter().collect(),
            classes: origins.classes.into_iter().collect(),
            class_sizes: origins.class_sizes.into_iter().collect(),
            confirmed: origins.confirmed,
            total: origins.total,
            by_symptom: origins.by_symptom.into_iter().collect(),
            origins: origins.origins.into_iter().collect(),
        }
    }
}

/// What a confirmation taught: needed to take it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "without it the confirmation can not be taken back"]
pub struct Confirmation {
    origin: Option<u64>,
    symptoms: Vec<(u64, bool)>,
    total: (u32, u32),
}

impl Default for Origins {
    fn default() -> Self {
        Self::new(OriginWeights::default(), 50_000)
    }
}

impl Origins {
    /// Remembers at most `capacity` different symptoms of places.
    pub fn new(weights: OriginWeights, capacity: usize) -> Self {
        Self {
            weights,
            capacity: capacity.max(16),
            cascades: 0,
            past: BTreeMap::new(),
            classes: BTreeMap::new(),
            class_sizes: BTreeMap::new(),
            confirmed: 0,
            total: Verdicts::default(),
            by_symptom: BTreeMap::new(),
            origins: BTreeMap::new(),
        }
    }

    pub(super) fn weights(&self) -> &OriginWeights {
        &self.weights
    }

    /// Adds a cascade to the past, once it is over. Rank it first: the past must not hold what is being judged.
    pub fn remember(&mut self, symptoms: &[Symptom<'_>]) {
        self.cascades = self.cascades.saturating_add(1);
        for (place, shown) in by_place(symptoms) {
            let class = class_of(place);
            let size = self.class_sizes.entry(class).or_default();
            *size = size.saturating_add(1);
            for (kind, count) in shown.counts {
                let past = self.past.entry(symptom_key(place, kind)).or_default();
                past.times = past.times.saturating_add(1);
                past.last = self.cascades;
                past.counts.push_back(count);
                if past.counts.len() > COUNTS {
                    past.counts.pop_front();
                }
                let appearances = self.classes.entry(combine(class, kind_key(kind))).or_default();
                *appearances = appearances.saturating_add(1);
            }
        }
        self.forget_beyond_bound();
    }

    /// A person confirmed where a cascade started.
    pub fn confirm(&mut self, symptoms: &[Symptom<'_>], origin: &str) -> Confirmation {
        let mut taught = Vec::new();
        let mut total = (0, 0);
        for (place, shown) in by_place(symptoms) {
            let is_origin = place == origin;
            for kind in shown.counts.keys() {
                total.0 += 1;
                total.1 += u32::from(is_origin);
                for key in [combine(class_of(place), kind_key(*kind)), kind_key(*kind)] {
                    if self.by_symptom.len() >= self.capacity && !self.by_symptom.contains_key(&key) {
                        continue;
                    }
                    let verdicts = self.by_symptom.entry(key).or_default();
                    verdicts.shown = verdicts.shown.saturating_add(1);
                    verdicts.origin = verdicts.origin.saturating_add(u32::from(is_origin));
                    taught.push((key, is_origin));
                }
            }
        }
        self.total.shown = self.total.shown.saturating_add(total.0);
        self.total.origin = self.total.origin.saturating_add(total.1);
        self.confirmed = self.confirmed.saturating_add(1);
        let place = stable_hash(truncate(origin, BYTES));
        let room = self.origins.len() < self.capacity || self.origins.contains_key(&place);
        if room {
            let times = self.origins.entry(place).or_default();
            *times = times.saturating_add(1);
        }
        Confirmation {
            origin: room.then_some(place),
            symptoms: taught,
            total,
        }
    }

    /// Takes a confirmation back: afterwards everything is as if it had never been given.
    pub fn take_back(&mut self, confirmation: &Confirmation) {
        for (key, is_origin) in &confirmation.symptoms {
            if let Some(verdicts) = self.by_symptom.get_mut(key) {
                verdicts.shown = verdicts.shown.saturating_sub(1);
                verdicts.origin = verdicts.origin.saturating_sub(u32::from(*is_origin));
                if verdicts.shown == 0 {
                    self.by_symptom.remove(key);
                }
            }
        }
        self.total.shown = self.total.shown.saturating_sub(confirmation.total.0);
        self.total.origin = self.total.origin.saturating_sub(confirmation.total.1);
        self.confirmed = self.confirmed.saturating_sub(1);
        if let Some(place) = confirmation.origin
            && let Some(times) = self.origins.get_mut(&place)
        {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.origins.remove(&place);
            }
        }
    }

    /// The surprise, in nats, to see so much of a symptom at a place, by how often past cascades had as much. What is
    /// known of places with the same name but for digits serves as the prior.
    pub(super) fn surprise(&self, place: &str, kind: (Signal, u64), count: u32) -> f64 {
        let class = class_of(place);
        let appearances = self
            .classes
            .get(&combine(class, kind_key(kind)))
            .copied()
            .unwrap_or(0);
        let size = self.class_sizes.get(&class).copied().unwrap_or(0);
        let prior = ((f64::from(appearances) + 0.5) / (f64::from(size) + 1.0)).min(1.0);
        let as_many = self.past.get(&symptom_key(place, kind)).map_or(0.0, |past| {
            let as_many = past.counts.iter().filter(|past| **past >= count).count();
            f64::from(past.times) * as_many as f64 / past.counts.len().max(1) as f64
        });
        let share = (as_many + prior) / (f64::from(self.cascades) + 1.0);
        -share.clamp(1e-9, 1.0).ln()
    }

    /// How the odds that a place is the origin change with a symptom, from confirmed origins.
    pub(super) fn odds_of_symptom(&self, place: &str, kind: (Signal, u64)) -> f64 {
        const PRIOR: f64 = 4.0;
        let usual = (f64::from(self.total.origin) + 1.0) / (f64::from(self.total.shown) + 10.0);
        [combine(class_of(place), kind_key(kind)), kind_key(kind)]
            .iter()
            .filter_map(|key| self.by_symptom.get(key))
            .map(|verdicts| {
                let share =
                    (f64::from(verdicts.origin) + PRIOR * usual) / (f64::from(verdicts.shown) + PRIOR);
                (share / usual).ln()
            })
            .sum()
    }

    /// How often a place was confirmed as the origin, and the log odds against a place taken by chance.
    pub(super) fn odds_of_origin(&self, place: &str, places: usize) -> (u32, f64) {
        if self.confirmed == 0 || places == 0 {
            return (0, 0.0);
        }
        let times = self
            .origins
            .get(&stable_hash(truncate(place, BYTES)))
            .copied()
            .unwrap_or(0);
        let places = places as f64;
        let share = (f64::from(times) + 0.5) / (f64::from(self.confirmed) + 0.5 * places);
        (times, (share * places).ln())
    }

    /// The confirmed origins that the graph knows by name, those confirmed most often first, at most 32.
    pub(super) fn confirmed_places<'t>(&self, topology: &'t Topology) -> Vec<&'t str> {
        const MOST: usize = 32;
        let mut known: Vec<(u32, &str)> = self
            .origins
            .iter()
            .filter_map(|(place, times)| Some((*times, topology.name(topology.node_by_hash(*place)?))))
            .collect();
        known.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
        known.into_iter().take(MOST).map(|(_, name)| name).collect()
    }

    fn forget_beyond_bound(&mut self) {
        if self.past.len() > self.capacity {
            let mut last: Vec<u32> = self.past.values().map(|past| past.last).collect();
            last.sort_unstable();
            let median = last[last.len() / 2];
            self.past.retain(|_, past| past.last > median);
        }
        for counts in [&mut self.classes, &mut self.class_sizes] {
            if counts.len() > self.capacity {
                let mut sizes: Vec<u32> = counts.values().copied().collect();
                sizes.sort_unstable();
                let median = sizes[sizes.len() / 2];
                counts.retain(|_, count| *count > median);
            }
        }
    }
}

pub(super) fn kind_hash(symptom: &Symptom<'_>) -> u64 {
    stable_hash(truncate(symptom.kind, BYTES))
}

fn kind_key(kind: (Signal, u64)) -> u64 {
    combine(kind.0 as u64, kind.1)
}

fn symptom_key(place: &str, kind: (Signal, u64)) -> u64 {
    combine(stable_hash(truncate(place, BYTES)), kind_key(kind))
}

/// The name without its numbers: `node-7` and `node-12` are of a class.
fn class_of(place: &str) -> u64 {
    let mut class = String::new();
    let mut inside = false;
    for letter in truncate(place, BYTES).chars() {
        let digit = letter.is_ascii_digit() || (inside && letter == '.');
        if digit && !inside {
            class.push('#');
        } else if !digit {
            class.push(letter);
        }
        inside = digit;
    }
    stable_hash(&class)
}
