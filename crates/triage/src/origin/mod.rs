//! The probable origin of a cascade: where it started, ranked, with reasons.
//!
//! Each place that shows symptoms gets evidence in nats (natural-log units), which adds up:
//!
//! - **Rarity**: how seldom the place showed such a symptom, or so much of it, in the cascades before this one. With a
//!   measured deviation it weighs as much as the deviation is large. Without one, a symptom that many places of the
//!   cascade show tells little about which of them it came from, and weighs less.
//! - **Walk**: what the places it depends on, or was seen to call, show themselves is taken off, because trouble travels
//!   from what is needed to who needs it.
//! - **Parts**: a whole (a service) takes what most of its parts (instances) show.
//! - **Onset**: the later the first symptom, the less likely the origin.
//! - **Changes**: what was changed shortly before.
//! - **Confirmed origins**: which places and which symptoms turned out to be the origin before, as people confirmed.
//!   A confirmation can be taken back without a trace.
//!
//! The memory is bounded, forgets what was seen longest ago, and holds nothing of the cascade being ranked until
//! [`Origins::remember`] is called.

mod memory;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{change::Change, reason::Reason, topology::Topology};
pub use memory::{Confirmation, Origins};

/// What sort of observation a symptom is; some say more about where the trouble is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// An alert of unknown making.
    #[default]
    Alert,
    /// A metric left its usual range. Metrics come in families that say the same, so each weighs less.
    Metric,
    /// A log message, by template.
    Log,
    /// Calls of the place are slow.
    SlowCall,
    /// Calls of the place fail.
    FailedCall,
}

/// One symptom of a cascade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Symptom<'a> {
    /// Where: a name that the dependency graph may know.
    pub place: &'a str,
    /// What sort of observation it is.
    pub signal: Signal,
    /// What, without values: the name of a metric and its direction, a message template, a class.
    pub kind: &'a str,
    /// How often it was seen; 0 counts as 1.
    pub count: u32,
    /// The first time; `None` when it is not known.
    pub at: Option<Timestamp>,
    /// How far from usual, in standard deviations, where it was measured. Not finite or negative counts as none.
    pub deviation: Option<f64>,
    /// Who noticed it by calling the place.
    pub noticed_by: Option<&'a str>,
}

/// A place that may be the origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// The name, as the symptoms or the graph gave it.
    pub place: String,
    /// The sum of the weights of the reasons, in nats; for comparing suspects of one cascade only.
    pub score: f64,
    /// The evidence, heaviest first.
    pub reasons: Vec<Reason>,
}

/// Weights of the evidence, each a factor of nats (natural-log units). One configuration for every source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OriginWeights {
    /// Of a symptom of unknown making.
    pub alert: f64,
    /// Of a metric that left its usual range.
    pub metric: f64,
    /// Of a log message.
    pub log: f64,
    /// Of slow calls.
    pub slow_call: f64,
    /// Of failed calls.
    pub failed_call: f64,
    /// The deviation, in standard deviations, that weighs as much as a symptom without one.
    pub usual_deviation: f64,
    /// The share of a place's evidence that what it depends on may take off, 0 to 1.
    pub walk: f64,
    /// For the evidence of the typical part.
    pub parts: f64,
    /// For every factor e of delay after the first symptom, in half minutes.
    pub onset: f64,
    /// For a change just before the first symptom.
    pub change: f64,
    /// For the odds that the place was an origin before.
    pub origin_before: f64,
    /// For the odds that its symptoms were an origin's before.
    pub symptoms_before: f64,
}

impl Default for OriginWeights {
    fn default() -> Self {
        Self {
            alert: 1.0,
            metric: 0.5,
            log: 1.5,
            slow_call: 1.0,
            failed_call: 1.0,
            usual_deviation: 3.0,
            walk: 0.8,
            parts: 2.0,
            onset: 0.5,
            change: 3.0,
            origin_before: 1.0,
            symptoms_before: 0.2,
        }
    }
}

impl OriginWeights {
    fn of(&self, signal: Signal) -> f64 {
        match signal {
            Signal::Alert => self.alert,
            Signal::Metric => self.metric,
            Signal::Log => self.log,
            Signal::SlowCall => self.slow_call,
            Signal::FailedCall => self.failed_call,
        }
    }
}

/// The delay of a place of whose symptoms no instant is known.
const UNKNOWN_SECONDS: i64 = 120;

/// The most symptoms of one cascade that are looked at; the first ones count.
pub(crate) const SYMPTOMS: usize = 10_000;

/// Symptoms of one place, summed up by kind.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) counts: BTreeMap<(Signal, u64), u32>,
    deviations: BTreeMap<(Signal, u64), f64>,
    first: Option<Timestamp>,
}

/// Sums up a cascade by place and kind.
pub(crate) fn by_place<'a>(symptoms: &[Symptom<'a>]) -> BTreeMap<&'a str, Shown> {
    let mut places: BTreeMap<&str, Shown> = BTreeMap::new();
    for symptom in symptoms.iter().take(SYMPTOMS) {
        let shown = places.entry(symptom.place).or_default();
        let kind = (symptom.signal, memory::kind_hash(symptom));
        let count = shown.counts.entry(kind).or_default();
        *count = count.saturating_add(symptom.count.max(1));
        if let Some(deviation) = symptom.deviation {
            let deviation = if deviation.is_finite() {
                deviation.max(0.0)
            } else {
                0.0
            };
            let known = shown.deviations.entry(kind).or_default();
            *known = known.max(deviation);
        }
        shown.first = match (shown.first, symptom.at) {
            (Some(known), Some(at)) => Some(known.min(at)),
            (known, at) => known.or(at),
        };
    }
    places
}

/// Evidence against one place while it is put together.
#[derive(Default)]
struct Case {
    rarity: f64,
    rarest: f64,
    symptoms: u32,
    explained: f64,
    explained_by: String,
    parts: f64,
    affected_parts: u32,
    past: f64,
    onset: f64,
    delay_seconds: i64,
    origin_before: f64,
    times_origin: u32,
    change: f64,
    changed: Option<(String, i64)>,
}

impl Case {
    fn score(&self) -> f64 {
        self.rarity - self.explained + self.parts + self.past + self.onset + self.origin_before + self.change
    }
}

impl Origins {
    /// Ranks the places of a cascade by how probably it started there, best first.
    ///
    /// `changes` are recent ones; those after the first symptom or more than a day before it say nothing.
    ///
    /// ```
    /// use triage::{Origins, Signal, Symptom, Topology};
    /// let mut topology = Topology::default();
    /// topology.add_dependency("shop", "payment");
    /// let slow = |place, deviation| Symptom {
    ///     place, signal: Signal::Metric, kind: "latency up", count: 1, at: None, deviation: Some(deviation),
    ///     noticed_by: None,
    /// };
    /// let suspects = Origins::default().rank(&[slow("shop", 9.0), slow("payment", 8.0)], &topology, &[]);
    /// assert_eq!(suspects[0].place, "payment");
    /// ```
    pub fn rank(
        &self,
        symptoms: &[Symptom<'_>],
        topology: &Topology,
        changes: &[Change<'_>],
    ) -> Vec<Suspect> {
        let shown = by_place(symptoms);
        let mut cases = self.weigh_symptoms(&shown, topology);
        let own: BTreeMap<String, (f64, f64)> = cases
            .iter()
            .map(|(place, case)| (place.clone(), (case.rarity, case.past)))
            .collect();
        self.walk(&mut cases, &own, symptoms, topology);
        self.add_wholes(&mut cases, &own, topology);
        self.add_onset(&mut cases, &shown);
        self.add_changes(&mut cases, &shown, changes);
        self.add_confirmed(&mut cases, topology);
        let mut suspects: Vec<Suspect> = cases
            .into_iter()
            .map(|(place, case)| suspect(place, &case))
            .collect();
        suspects.sort_by(|one, other| other.score.total_cmp(&one.score));
        suspects
    }

    fn weigh_symptoms(&self, shown: &BTreeMap<&str, Shown>, topology: &Topology) -> BTreeMap<String, Case> {
        let weights = self.weights();
        let mut spread: BTreeMap<(Signal, u64), u32> = BTreeMap::new();
        for kind in shown.values().flat_map(|shown| shown.counts.keys()) {
            *spread.entry(*kind).or_default() += 1;
        }
        let places = shown.len() as f64 + 1.0;
        let mut cases = BTreeMap::new();
        for (place, shown) in shown {
            let mut case = Case::default();
            let external = topology
                .node(place)
                .is_some_and(|node| topology.is_external(node));
            for (kind, count) in &shown.counts {
                let surprise = self.surprise(place, *kind, *count);
                let showing = f64::from(spread.get(kind).copied().unwrap_or(1));
                let size = match shown.deviations.get(kind) {
                    Some(deviation) => deviation.ln_1p() / weights.usual_deviation.max(0.1).ln_1p(),
                    None => (places / showing).ln() / places.ln(),
                };
                let weight = if external {
                    0.0
                } else {
                    weights.of(kind.0) * surprise * size
                };
                case.rarity += weight;
                case.rarest = case.rarest.max(surprise);
                case.symptoms += 1;
                case.past += weights.symptoms_before * self.odds_of_symptom(place, *kind);
            }
            cases.insert((*place).to_owned(), case);
        }
        cases
    }

    /// Takes off what the supporting places show themselves.
    fn walk(
        &self,
        cases: &mut BTreeMap<String, Case>,
        own: &BTreeMap<String, (f64, f64)>,
        symptoms: &[Symptom<'_>],
        topology: &Topology,
    ) {
        let mut calls: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for symptom in symptoms.iter().take(SYMPTOMS) {
            if let Some(caller) = symptom.noticed_by.filter(|caller| *caller != symptom.place) {
                calls.entry(caller).or_default().insert(symptom.place);
            }
        }
        for (place, case) in cases {
            let node = topology.node(place);
            let needed = node.map_or(&[][..], |node| topology.supporting(node));
            let called = calls.get(place.as_str()).into_iter().flatten().copied();
            let heaviest = needed
                .iter()
                .map(|node| topology.name(*node))
                .chain(called)
                .filter_map(|name| own.get(name).map(|(rarity, _)| (name, *rarity)))
                .max_by(|one, other| one.1.total_cmp(&other.1));
            if let Some((name, rarity)) = heaviest {
                case.explained = self.weights().walk * rarity.min(case.rarity);
                name.clone_into(&mut case.explained_by);
            }
        }
    }

    /// A whole takes what its typical part shows, if there are at least three: of two, one may well be the cause.
    fn add_wholes(
        &self,
        cases: &mut BTreeMap<String, Case>,
        own: &BTreeMap<String, (f64, f64)>,
        topology: &Topology,
    ) {
        const FEWEST: usize = 3;
        for whole in topology.wholes() {
            let parts = topology.parts(whole);
            if parts.len() < FEWEST {
                continue;
            }
            let of = |node: &crate::Node| own.get(topology.name(*node)).copied();
            let mut shown: Vec<f64> = parts
                .iter()
                .map(|part| of(part).map_or(0.0, |own| own.0))
                .collect();
            let affected = shown.iter().filter(|rarity| **rarity > 0.0).count();
            if affected < 2 {
                continue;
            }
            let mut past: Vec<f64> = parts
                .iter()
                .map(|part| of(part).map_or(0.0, |own| own.1))
                .collect();
            shown.sort_by(|one, other| other.total_cmp(one));
            past.sort_by(|one, other| other.total_cmp(one));
            let case = cases.entry(topology.name(whole).to_owned()).or_default();
            case.parts = self.weights().parts * f64::midpoint(shown[1], shown[2]);
            case.affected_parts = affected as u32;
            case.past += past[past.len() / 2];
        }
    }

    fn add_onset(&self, cases: &mut BTreeMap<String, Case>, shown: &BTreeMap<&str, Shown>) {
        let Some(first) = shown.values().filter_map(|shown| shown.first).min() else {
            return;
        };
        for (place, case) in cases {
            let at = shown.get(place.as_str()).and_then(|shown| shown.first);
            case.delay_seconds = at.map_or(UNKNOWN_SECONDS, |at| {
                at.as_second().saturating_sub(first.as_second())
            });
            case.onset = self.onset_weight(case.delay_seconds);
        }
    }

    fn onset_weight(&self, delay_seconds: i64) -> f64 {
        -self.weights().onset * (delay_seconds as f64 / 30.0).ln_1p()
    }

    fn add_changes(
        &self,
        cases: &mut BTreeMap<String, Case>,
        shown: &BTreeMap<&str, Shown>,
        changes: &[Change<'_>],
    ) {
        const DAY_SECONDS: i64 = 86_400;
        const FADING_SECONDS: f64 = 3600.0;
        let Some(first) = shown.values().filter_map(|shown| shown.first).min() else {
            return;
        };
        for change in changes {
            let seconds = first.as_second().saturating_sub(change.at.as_second());
            if !(0..=DAY_SECONDS).contains(&seconds) {
                continue;
            }
            let weight = self.weights().change * (-(seconds as f64) / FADING_SECONDS).exp();
            let case = cases.entry(change.place.to_owned()).or_default();
            if weight > case.change {
                case.change = weight;
                case.changed = Some((change.summary.to_owned(), seconds));
            }
        }
    }

    fn add_confirmed(&self, cases: &mut BTreeMap<String, Case>, topology: &Topology) {
        let count = cases.len();
        // An origin may show nothing itself; one that did so before is a suspect all the same.
        let delay_seconds = cases
            .values()
            .map(|case| case.delay_seconds)
            .max()
            .unwrap_or(0)
            .max(UNKNOWN_SECONDS);
        for place in self.confirmed_places(topology) {
            cases.entry(place.to_owned()).or_insert_with(|| Case {
                delay_seconds,
                onset: self.onset_weight(delay_seconds),
                ..Case::default()
            });
        }
        for (place, case) in cases {
            let (times, odds) = self.odds_of_origin(place, count);
            case.times_origin = times;
            case.origin_before = self.weights().origin_before * odds;
        }
    }
}

fn suspect(place: String, case: &Case) -> Suspect {
    let mut reasons = Vec::new();
    let mut add = |weight: f64, reason: Reason| {
        if weight != 0.0 {
            reasons.push((weight.abs(), reason));
        }
    };
    let Case {
        rarity,
        explained,
        parts,
        past,
        onset,
        origin_before,
        change,
        ..
    } = *case;
    add(
        rarity,
        Reason::RareSymptoms {
            symptoms: case.symptoms,
            rarest: case.rarest,
            weight: rarity,
        },
    );
    add(
        explained,
        Reason::ExplainedBy {
            place: case.explained_by.clone(),
            weight: -explained,
        },
    );
    add(
        parts,
        Reason::PartsAffected {
            parts: case.affected_parts,
            weight: parts,
        },
    );
    add(past, Reason::SymptomsOfOrigins { weight: past });
    add(
        onset,
        Reason::Onset {
            delay_seconds: case.delay_seconds,
            weight: onset,
        },
    );
    add(
        origin_before,
        Reason::OriginBefore {
            times: case.times_origin,
            weight: origin_before,
        },
    );
    if let Some((summary, seconds)) = &case.changed {
        add(
            change,
            Reason::ChangedBefore {
                summary: summary.clone(),
                seconds: *seconds,
                weight: change,
            },
        );
    }
    reasons.sort_by(|one, other| other.0.total_cmp(&one.0));
    Suspect {
        place,
        score: case.score(),
        reasons: reasons.into_iter().map(|(_, reason)| reason).collect(),
    }
}
