//! Which kinds of alerts bring about which, learned from history with the dependency graph.
//!
//! Every alert of the past either came by itself or was brought about by one shortly before at the same place or next
//! to it. A process of mutual excitation (Hawkes 1971) with exponential decays is fitted by expectation and
//! maximisation (Veen and Schoenberg 2008): in turns each alert is shared out among its possible causes, and the rates
//! are counted anew from the shares. Sharing out is what sets it apart from counting pairs: when A brings about B and
//! B brings about C, then C is B's, and A gets little of it.
//!
//! A batch computation over a bounded stretch of history, to be run now and then; its result is a small table that
//! grouping reads.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{profile::Kind, topology::Topology, work};

/// An alert of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happening<'a> {
    /// The kind of the alert.
    pub kind: Kind,
    /// Where: a name that the dependency graph may know.
    pub place: &'a str,
    /// When it came.
    pub at: Timestamp,
}

/// How causes are learned. The defaults suit alerts of machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CausesSetting {
    /// The longest time between cause and effect, in seconds.
    pub window_seconds: u32,
    /// Typical times between cause and effect, in seconds; how common each is, is learned. Those that are not finite and above
    /// zero are left out.
    pub decays_seconds: Vec<f64>,
    /// So many times the shares are dealt out anew, at most 1,000.
    pub iterations: u32,
    /// So many effects are taken for chance and do not count.
    pub discount: f64,
    /// Pairs with fewer effects for each alert of the causing kind are left out.
    pub lowest_rate: f64,
    /// At most so many possible causes of one alert are considered, the latest.
    pub possible_causes: usize,
    /// Of a longer history the latest part is read.
    pub history: usize,
}

impl Default for CausesSetting {
    fn default() -> Self {
        Self {
            window_seconds: 300,
            decays_seconds: vec![10.0, 60.0],
            iterations: 15,
            discount: 3.0,
            lowest_rate: 0.02,
            possible_causes: 64,
            history: 500_000,
        }
    }
}

/// One kind brings about another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// The kind that brings about.
    pub from: Kind,
    /// The kind that is brought about.
    pub to: Kind,
    /// Effects that were put down to the cause.
    pub effects: f64,
    /// Effects for each alert of the kind `from`, 0 or more.
    pub rate: f64,
    /// The share of all alerts of the kind `to` that was brought about by `from`, 0 to 1.
    pub share: f64,
}

/// What history taught about causes: a process of mutual excitation (Hawkes, "Spectra of some self-exciting and mutually
/// exciting point processes", 1971) over places that are next to each other, fitted by expectation and maximisation
/// (Veen and Schoenberg, "Estimation of space–time branching process models in seismology using an EM-type algorithm",
/// 2008). At most 50,000 pairs are kept, those with most effects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Cause>", into = "Vec<Cause>")]
pub struct Causes {
    pairs: BTreeMap<(Kind, Kind), Cause>,
}

const PAIRS: usize = 50_000;

impl From<Vec<Cause>> for Causes {
    fn from(causes: Vec<Cause>) -> Self {
        Self {
            pairs: causes
                .into_iter()
                .map(|cause| ((cause.from, cause.to), cause))
                .collect(),
        }
    }
}

impl From<Causes> for Vec<Cause> {
    fn from(causes: Causes) -> Self {
        causes.pairs.into_values().collect()
    }
}

impl Causes {
    /// Learns from history, in any order. Alerts at the same instant do not bring about each other, because their order
    /// is not known.
    ///
    /// ```
    /// use jiff::Timestamp;
    /// use triage::{Causes, CausesSetting, Happening, Kind, Topology};
    /// let (cause, effect) = (Kind::of("switch", "down"), Kind::of("router", "lost"));
    /// let history: Vec<Happening> = (0..50)
    ///     .flat_map(|round: i64| [(cause, 0), (effect, 7)].map(|(kind, late)| Happening {
    ///         kind, place: "rack 1", at: Timestamp::from_second(round * 5000 + late).unwrap(),
    ///     }))
    ///     .collect();
    /// let causes = Causes::learn(&history, &Topology::default(), &CausesSetting::default());
    /// assert!(causes.of(cause, effect).unwrap().share > 0.8);
    /// assert!(causes.of(effect, cause).is_none());
    /// ```
    pub fn learn(history: &[Happening<'_>], topology: &Topology, setting: &CausesSetting) -> Self {
        let mut fit = Fit::prepare(history, topology, setting);
        for _ in 0..setting.iterations.min(1000) {
            fit.iterate(setting.discount);
        }
        fit.causes(setting.lowest_rate)
    }

    /// Takes over what was learned of one pair before and kept elsewhere, such as in a table.
    pub fn recall(&mut self, cause: Cause) {
        if self.pairs.len() < PAIRS || self.pairs.contains_key(&(cause.from, cause.to)) {
            self.pairs.insert((cause.from, cause.to), cause);
        }
    }

    /// What is known of a pair, if anything.
    pub fn of(&self, from: Kind, to: Kind) -> Option<Cause> {
        self.pairs.get(&(from, to)).copied()
    }

    /// All pairs, the surest first.
    pub fn by_rate(&self) -> Vec<Cause> {
        let mut causes: Vec<Cause> = self.pairs.values().copied().collect();
        causes.sort_by(|one, other| other.rate.total_cmp(&one.rate));
        causes
    }

    /// True while nothing was learned.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

/// A possible cause of an alert: which pair of kinds it is, and how long before.
struct Possible {
    pair: u32,
    seconds: f64,
}

struct Pair {
    from: usize,
    to: usize,
    rate: f64,
    effects: f64,
}

/// The state of the fit.
struct Fit {
    kinds: Vec<Kind>,
    counts: Vec<f64>,
    spontaneous: Vec<f64>,
    pairs: Vec<Pair>,
    decays: Vec<(f64, f64)>,
    /// For each alert its kind and where its possible causes begin.
    alerts: Vec<(usize, usize)>,
    possible: Vec<Possible>,
    seconds: f64,
    places: f64,
}

impl Fit {
    fn prepare(history: &[Happening<'_>], topology: &Topology, setting: &CausesSetting) -> Self {
        let mut sorted: Vec<&Happening<'_>> = history.iter().collect();
        sorted.sort_by_key(|happening| (happening.at, happening.kind, happening.place));
        let sorted = &sorted[sorted.len().saturating_sub(setting.history)..];

        let (kinds, kind_of) = number(sorted.iter().map(|happening| happening.kind));
        let (places, place_of) = number(sorted.iter().map(|happening| happening.place));
        let near = neighbours(&places, topology);
        let mut counts = vec![0.0; kinds.len()];
        let mut fit = Self {
            counts: Vec::new(),
            spontaneous: Vec::new(),
            pairs: Vec::new(),
            decays: setting
                .decays_seconds
                .iter()
                .filter(|decay| decay.is_finite() && **decay > 0.0)
                .map(|decay| (*decay, 1.0 / setting.decays_seconds.len() as f64))
                .collect(),
            alerts: Vec::with_capacity(sorted.len()),
            possible: Vec::new(),
            seconds: span_seconds(sorted),
            places: places.len().max(1) as f64,
            kinds,
        };
        let mut numbers: HashMap<(usize, usize), u32> = HashMap::new();
        let mut at_place: Vec<Vec<(i64, usize)>> = vec![Vec::new(); places.len()];
        for happening in sorted {
            let (kind, place) = (kind_of[&happening.kind], place_of[happening.place]);
            let now = happening.at.as_millisecond();
            let earliest = now.saturating_sub(i64::from(setting.window_seconds) * 1000);
            counts[kind] += 1.0;
            fit.alerts.push((kind, fit.possible.len()));
            let mut found: Vec<(i64, usize)> = Vec::new();
            for place in &near[place] {
                // Alerts of the same instant are skipped by halving, not one by one: a storm may bring them all at once.
                let known = &at_place[*place];
                let before = &known[..known.partition_point(|(at, _)| *at < now)];
                let counted = before.iter().rev().inspect(|_| work::count(1));
                let recent = counted.take_while(|(at, _)| *at >= earliest);
                found.extend(recent.take(setting.possible_causes));
            }
            found.sort_unstable_by(|one, other| other.cmp(one));
            for (at, from) in found.into_iter().take(setting.possible_causes) {
                let pair = *numbers.entry((from, kind)).or_insert_with(|| {
                    fit.pairs.push(Pair {
                        from,
                        to: kind,
                        rate: 0.05,
                        effects: 0.0,
                    });
                    fit.pairs.len() as u32 - 1
                });
                fit.possible.push(Possible {
                    pair,
                    seconds: (now - at) as f64 / 1000.0,
                });
            }
            at_place[place].push((now, kind));
        }
        fit.spontaneous = counts
            .iter()
            .map(|count| 0.7 * count / fit.seconds / fit.places)
            .collect();
        fit.counts = counts;
        fit
    }

    /// The density of the time between cause and effect.
    fn density(decays: &[(f64, f64)], seconds: f64) -> f64 {
        decays
            .iter()
            .map(|(decay, share)| share * (-seconds / decay).exp() / decay)
            .sum()
    }

    fn iterate(&mut self, discount: f64) {
        let mut effects = vec![0.0; self.pairs.len()];
        let mut by_itself = vec![0.0; self.kinds.len()];
        let mut of_decay = vec![0.0; self.decays.len()];
        for (index, (kind, start)) in self.alerts.iter().enumerate() {
            let end = self
                .alerts
                .get(index + 1)
                .map_or(self.possible.len(), |(_, next)| *next);
            let possible = &self.possible[*start..end];
            let weight = |possible: &Possible| {
                self.pairs[possible.pair as usize].rate * Self::density(&self.decays, possible.seconds)
            };
            let total = self.spontaneous[*kind] + possible.iter().map(weight).sum::<f64>();
            if total <= 0.0 {
                continue;
            }
            by_itself[*kind] += self.spontaneous[*kind] / total;
            for possible in possible {
                let share = weight(possible) / total;
                effects[possible.pair as usize] += share;
                let density = Self::density(&self.decays, possible.seconds).max(f64::MIN_POSITIVE);
                for ((decay, common), sum) in self.decays.iter().zip(&mut of_decay) {
                    *sum += share * common * (-possible.seconds / decay).exp() / decay / density;
                }
            }
        }
        for (pair, effects) in self.pairs.iter_mut().zip(effects) {
            pair.effects = effects;
            pair.rate = (effects - discount.max(0.0)).max(0.0) / self.counts[pair.from];
        }
        for (spontaneous, by_itself) in self.spontaneous.iter_mut().zip(by_itself) {
            *spontaneous = by_itself.max(0.5) / self.seconds / self.places;
        }
        let all: f64 = of_decay.iter().sum();
        if all > 0.0 {
            for ((_, share), sum) in self.decays.iter_mut().zip(of_decay) {
                *share = (sum / all).max(1e-3);
            }
        }
    }

    fn causes(self, lowest_rate: f64) -> Causes {
        let mut causes: Vec<Cause> = self
            .pairs
            .iter()
            .filter(|pair| pair.rate > lowest_rate.max(0.0))
            .map(|pair| Cause {
                from: self.kinds[pair.from],
                to: self.kinds[pair.to],
                effects: pair.effects,
                rate: pair.rate,
                share: (pair.effects / self.counts[pair.to]).min(1.0),
            })
            .collect();
        causes.sort_by(|one, other| other.effects.total_cmp(&one.effects));
        causes.truncate(PAIRS);
        Causes::from(causes)
    }
}

fn number<T: std::hash::Hash + Eq + Copy>(values: impl Iterator<Item = T>) -> (Vec<T>, HashMap<T, usize>) {
    let mut list = Vec::new();
    let mut numbers = HashMap::new();
    for value in values {
        numbers.entry(value).or_insert_with(|| {
            list.push(value);
            list.len() - 1
        });
    }
    (list, numbers)
}

/// For each place itself and what is next to it in the graph.
fn neighbours(places: &[&str], topology: &Topology) -> Vec<Vec<usize>> {
    let numbers: HashMap<&str, usize> = places
        .iter()
        .enumerate()
        .map(|(number, place)| (*place, number))
        .collect();
    places
        .iter()
        .enumerate()
        .map(|(number, place)| match topology.node(place) {
            None => vec![number],
            Some(node) => topology
                .neighbourhood(node, 1)
                .iter()
                .filter_map(|(near, _)| numbers.get(topology.name(*near)).copied())
                .collect(),
        })
        .collect()
}

fn span_seconds(sorted: &[&Happening<'_>]) -> f64 {
    match (sorted.first(), sorted.last()) {
        (Some(first), Some(last)) => last.at.duration_since(first.at).as_secs_f64().max(1.0),
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Causes, CausesSetting, Happening};
    use crate::{Kind, Topology, work};
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn happening(kind: u64, place: &str, second: i64) -> Happening<'_> {
        Happening {
            kind: Kind(kind),
            place,
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    #[test]
    fn in_a_chain_the_last_belongs_to_the_middle() {
        let history: Vec<Happening<'_>> = (0..80_i64)
            .flat_map(|round| {
                let start = round * 4000;
                let third = (round % 4 != 0).then_some(happening(3, "c", start + 25 + round % 7));
                let second = happening(2, "b", start + 8 + round % 5);
                [Some(happening(1, "a", start)), Some(second), third]
            })
            .flatten()
            .collect();
        let mut topology = Topology::default();
        topology.add_dependency("c", "b");
        topology.add_dependency("b", "a");
        topology.add_dependency("c", "a");
        let causes = Causes::learn(&history, &topology, &CausesSetting::default());
        let share = |from, to| causes.of(Kind(from), Kind(to)).map_or(0.0, |cause| cause.share);
        assert!(share(1, 2) > 0.9, "{causes:?}");
        assert!(share(2, 3) > 3.0 * share(1, 3), "{causes:?}");
    }

    #[test]
    fn places_that_are_not_connected_bring_about_nothing() {
        let history: Vec<Happening<'_>> = (0..50_i64)
            .flat_map(|round| {
                [
                    happening(1, "a", round * 4000),
                    happening(2, "b", round * 4000 + 9),
                ]
            })
            .collect();
        assert!(Causes::learn(&history, &Topology::default(), &CausesSetting::default()).is_empty());
    }

    #[test]
    fn what_was_learned_and_kept_elsewhere_is_taken_over() {
        let history: Vec<Happening<'_>> = (0..50_i64)
            .flat_map(|round| [1, 2].map(|kind| happening(kind, "a", round * 4000 + 9 * kind as i64)))
            .collect();
        let learned = Causes::learn(&history, &Topology::default(), &CausesSetting::default());
        let mut kept = Causes::default();
        for cause in learned.by_rate() {
            kept.recall(cause);
        }
        assert!(!kept.is_empty());
        assert_eq!(kept, learned);
    }

    /// Counted, not timed: ten times as many alerts of one instant at one place take ten times the work, not a hundred times.
    #[test]
    fn a_storm_within_one_instant_takes_work_in_proportion() {
        let of = |number: usize| {
            // The last alert comes a second later: any of the others may have brought it about.
            let storm: Vec<_> = (0..=number)
                .map(|each| happening(each as u64 % 7, "a", i64::from(each == number)))
                .collect();
            let setting = CausesSetting {
                iterations: 1,
                ..CausesSetting::default()
            };
            work::of(|| Causes::learn(&storm, &Topology::default(), &setting)).0
        };
        let (few, many) = (of(300), of(3_000));
        assert!(few > 0 && many <= 12 * few, "{few} and {many}");
    }

    proptest! {
        #[test]
        fn any_history_gives_finite_rates(
            rows in prop::collection::vec((0_u64..4, 0_u8..3, -2000_i64..2000), 0..60),
            decays in prop::collection::vec(any::<f64>(), 0..3),
        ) {
            let names = ["a", "b", "c"];
            let history: Vec<_> =
                rows.iter().map(|(kind, place, at)| happening(*kind, names[usize::from(*place)], *at)).collect();
            let setting = CausesSetting { decays_seconds: decays, iterations: 3, ..CausesSetting::default() };
            let causes = Causes::learn(&history, &Topology::default(), &setting);
            prop_assert!(causes.by_rate().iter().all(|cause| cause.rate.is_finite() && cause.share <= 1.0));
        }
    }
}
