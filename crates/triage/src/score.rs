//! The explainable score: how much speaks for an alert to belong to an open group.
//!
//! A sum of evidence in log odds, each term a reason with its weight. Place, message, labels and lessons are compared
//! with everything remembered of a group, and the best of each counts; time is counted from the last alert of the
//! group. There is no hidden term: bias and reasons add up to the score.
//!
//! One piece of evidence speaks against: a group that had the very alert already. A single repetition means little
//! (senders repeat themselves), but when several alerts of a group repeat themselves within seconds, a second incident
//! with the same signature has begun, and the wave opens a group of its own. What came since the first repetition goes with
//! it, because the wave had begun before it could be recognised.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    causes::{Cause, Causes},
    grouping::{Choice, Wave, gap_seconds},
    lessons::Lessons,
    profile::{Features, Kind, Place, Profile},
    reason::Reason,
    topology::{Node, Topology},
    work,
};

/// What the score knows beside the alert and the groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Knowledge {
    /// Who stands on whom.
    pub topology: Topology,
    /// What people taught by merging and splitting.
    pub lessons: Lessons,
    /// Which kinds bring about which, learned from history now and then.
    pub causes: Causes,
    /// How much each piece of evidence weighs.
    pub weights: Weights,
}

/// The weights of the evidence, in natural-log odds: a term of 0.7 doubles the odds that an alert belongs to a group. The
/// sum is a naive-Bayes score: terms add up as if they were independent, which they are not quite, so the weights were chosen on
/// public data (`docs/performance/triage.md`) and are not read off tables of frequencies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// The score of an alert about which nothing is known.
    pub bias: f64,
    /// The score needed to join, all terms and the bias together.
    pub needed: f64,
    /// Groups that score more than this fit equally well.
    pub plenty: f64,
    /// For an alert without any gap; falls with the square root of the gap, at most to its negative.
    pub gap: f64,
    /// The gap, in seconds, at which time says nothing.
    pub neutral_gap_seconds: f64,
    /// For every factor e by which alerts come faster to the group than one a minute.
    pub busy: f64,
    /// For every hour that a group is open, up to one.
    pub age: f64,
    /// By distance in the dependency graph: the same node, one step, two, three.
    pub hops: [f64; 4],
    /// Both known to the graph, but farther apart.
    pub no_path: f64,
    /// The same source, where the graph does not know it.
    pub same_source: f64,
    /// The same service.
    pub same_service: f64,
    /// The same message apart from its values.
    pub same_template: f64,
    /// For all words in common.
    pub text: f64,
    /// For all labels in common.
    pub labels: f64,
    /// The most that people's merges and splits can weigh: a pair of kinds weighs this times (together − apart) ÷ (together +
    /// apart + ½), so that a single act is no certainty.
    pub people: f64,
    /// For a kind that history says is always brought about by one in the group, or always brings one about.
    pub history: f64,
    /// The group had this very alert.
    pub repeats: f64,
    /// And so did so many others within the seconds: a wave.
    pub wave: f64,
    /// So many others make a wave.
    pub wave_alerts: u32,
    /// Within so many seconds.
    pub wave_seconds: i64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            bias: -2.0,
            needed: 0.0,
            plenty: 1.0,
            gap: 1.0,
            neutral_gap_seconds: 300.0,
            busy: 0.35,
            age: -12.0,
            hops: [1.8, 1.5, 1.0, 0.3],
            no_path: -2.5,
            same_source: 1.5,
            same_service: 0.8,
            same_template: 0.7,
            text: 1.5,
            labels: 0.8,
            people: 5.0,
            history: 2.0,
            repeats: -3.0,
            wave: -8.0,
            wave_alerts: 2,
            wave_seconds: 30,
        }
    }
}

/// The group with the highest score, if that is enough.
pub(crate) fn best_match(
    features: &Features,
    candidates: &[(usize, &Profile)],
    knowledge: &Knowledge,
    now: Timestamp,
) -> Choice {
    let comparison = Comparison::new(features, knowledge, now);
    let mut waves = Vec::new();
    let best = candidates
        .iter()
        .map(|(index, profile)| (*index, *profile, comparison.evidence(profile)))
        .inspect(|(index, profile, evidence)| {
            if evidence.wave != 0.0 {
                let since = profile.repeats_since(now, knowledge.weights.wave_seconds);
                waves.extend(since.map(|since| Wave { from: *index, since }));
            }
        })
        .reduce(|best, next| {
            let fits = |evidence: &Evidence| evidence.score() >= knowledge.weights.needed;
            let rank = |evidence: &Evidence| (fits(evidence), evidence.preference(&knowledge.weights));
            let (known, found) = (rank(&best.2), rank(&next.2));
            let later = next.1.last_alert_at > best.1.last_alert_at;
            let order = found.0.cmp(&known.0).then(found.1.total_cmp(&known.1));
            if order.is_gt() || (order.is_eq() && later) {
                next
            } else {
                best
            }
        });
    let Some((index, profile, evidence)) = best else {
        return Choice::default();
    };
    let (score, needed) = (evidence.score(), knowledge.weights.needed);
    let mut reasons = comparison.explain(profile, &evidence);
    reasons.push(Reason::Score { score, needed });
    let joined = (score >= needed).then_some(index);
    if joined.is_some() {
        waves.clear();
    }
    Choice {
        joined,
        reasons,
        waves,
    }
}

/// An alert being compared with groups.
struct Comparison<'a> {
    features: &'a Features,
    knowledge: &'a Knowledge,
    now: Timestamp,
    node: Option<(Node, &'a Place)>,
}

/// What was found for one group: figures only, because most groups are not chosen and need no words.
#[derive(Default)]
struct Evidence {
    bias: f64,
    gap: f64,
    age: f64,
    place: f64,
    nearest: Option<(u8, usize)>,
    elsewhere: Option<usize>,
    same_source: bool,
    template: f64,
    text: f64,
    text_share: f64,
    labels: f64,
    labels_share: f64,
    people: f64,
    tally: (u32, u32),
    history: f64,
    cause: Option<Cause>,
    service: f64,
    busy: f64,
    busy_alerts: f64,
    repeats: f64,
    wave: f64,
    repeating: Option<u32>,
}

impl Evidence {
    fn score(&self) -> f64 {
        self.bias
            + self.gap
            + self.busy
            + self.service
            + self.place
            + self.template
            + self.text
            + self.labels
            + self.people
            + self.history
            + self.wave
    }

    /// Ranks the groups that the alert may join.
    fn preference(&self, weights: &Weights) -> f64 {
        self.score().min(weights.plenty) + self.age + self.repeats
    }
}

impl<'a> Comparison<'a> {
    fn new(features: &'a Features, knowledge: &'a Knowledge, now: Timestamp) -> Self {
        let node = first_known(&features.places, &knowledge.topology);
        Self {
            features,
            knowledge,
            now,
            node,
        }
    }

    fn evidence(&self, profile: &Profile) -> Evidence {
        let weights = &self.knowledge.weights;
        let mut evidence = Evidence {
            bias: weights.bias,
            ..Evidence::default()
        };
        let faded =
            1.0 - (gap_seconds(profile, self.now) as f64 / weights.neutral_gap_seconds.max(1.0)).sqrt();
        evidence.gap = weights.gap * faded.max(-1.0);
        evidence.age = weights.age * (age_seconds(profile, self.now) as f64 / 3600.0).min(1.0);
        evidence.busy_alerts = profile.alerts_lately(self.now);
        evidence.busy = weights.busy * evidence.busy_alerts.max(1.0).ln().min(4.0);
        let service = self.features.places.last();
        if service.is_some() && profile.places.iter().any(|places| places.last() == service) {
            evidence.service = weights.same_service;
        }
        self.compare_places(profile, &mut evidence);
        self.compare_messages(profile, &mut evidence);
        if profile.has(self.features.identity) {
            let others = profile.repeated_lately(self.features.identity, self.now, weights.wave_seconds);
            evidence.repeating = Some(others);
            evidence.repeats = weights.repeats;
            evidence.wave = if others >= weights.wave_alerts {
                weights.wave
            } else {
                0.0
            };
        }
        evidence
    }

    fn compare_places(&self, profile: &Profile, evidence: &mut Evidence) {
        let weights = &self.knowledge.weights;
        let topology = &self.knowledge.topology;
        if let Some((node, _)) = self.node {
            work::count(profile.places.len());
            for (position, places) in profile.places.iter().enumerate() {
                let Some((other, _)) = first_known(places, topology) else {
                    continue;
                };
                let hops = topology.near(node, other);
                if hops.is_none() {
                    evidence.elsewhere.get_or_insert(position);
                }
                let nearer = |hops: &u8| evidence.nearest.is_none_or(|(known, _)| *hops < known);
                if let Some(hops) = hops.filter(nearer) {
                    evidence.nearest = Some((hops, position));
                    if hops == 0 {
                        break;
                    }
                }
            }
        }
        evidence.place = match (evidence.nearest, evidence.elsewhere) {
            (Some((hops, _)), _) => weights
                .hops
                .get(usize::from(hops))
                .copied()
                .unwrap_or(weights.no_path),
            (None, Some(_)) => weights.no_path,
            (None, None) => {
                let source = self.features.places.first();
                evidence.same_source =
                    source.is_some() && profile.places.iter().any(|other| other.first() == source);
                if evidence.same_source {
                    weights.same_source
                } else {
                    0.0
                }
            }
        };
    }

    fn compare_messages(&self, profile: &Profile, evidence: &mut Evidence) {
        let weights = &self.knowledge.weights;
        let message = &self.features.message;
        work::count(profile.said.len());
        for said in &profile.said {
            let other = &said.message;
            if message.template == other.template {
                evidence.template = weights.same_template;
            }
            evidence.text_share = evidence.text_share.max(overlap(&message.words, &other.words));
            evidence.labels_share = evidence.labels_share.max(overlap(&message.labels, &other.labels));
            self.compare_history(Kind(other.kind), &mut evidence.history, &mut evidence.cause);
            let (together, apart) = self
                .knowledge
                .lessons
                .tally(self.features.kind(), Kind(other.kind));
            if together + apart > 0 {
                let balance = f64::from(together) - f64::from(apart);
                let weight = weights.people * balance / (f64::from(together) + f64::from(apart) + 0.5);
                if weight.abs() > evidence.people.abs() {
                    evidence.people = weight;
                    evidence.tally = (together, apart);
                }
            }
        }
        // Among many messages one is alike by chance, so likeness counts less.
        let crowd = (profile.said.len().max(1) as f64).sqrt();
        evidence.text = weights.text * evidence.text_share / crowd;
        evidence.labels = weights.labels * evidence.labels_share;
    }

    fn compare_history(&self, other: Kind, weight: &mut f64, known: &mut Option<Cause>) {
        let causes = &self.knowledge.causes;
        if causes.is_empty() {
            return;
        }
        let kind = self.features.kind();
        for cause in [causes.of(other, kind), causes.of(kind, other)]
            .into_iter()
            .flatten()
        {
            let found = self.knowledge.weights.history * cause.share;
            if found > *weight {
                *weight = found;
                *known = Some(cause);
            }
        }
    }

    /// The evidence in words, heaviest first.
    fn explain(&self, profile: &Profile, evidence: &Evidence) -> Vec<Reason> {
        let mut reasons = vec![
            (
                evidence.gap,
                Reason::Gap {
                    seconds: gap_seconds(profile, self.now),
                    weight: evidence.gap,
                },
            ),
            (
                evidence.age,
                Reason::Age {
                    seconds: age_seconds(profile, self.now),
                    weight: evidence.age,
                },
            ),
        ];
        if evidence.busy > 0.0 {
            let (alerts, weight) = (evidence.busy_alerts, evidence.busy);
            reasons.push((weight, Reason::Busy { alerts, weight }));
        }
        if evidence.service != 0.0 {
            reasons.push((
                evidence.service,
                Reason::SameService {
                    weight: evidence.service,
                },
            ));
        }
        reasons.extend(
            self.explain_place(profile, evidence)
                .map(|reason| (evidence.place, reason)),
        );
        if evidence.template != 0.0 {
            reasons.push((
                evidence.template,
                Reason::SameTemplate {
                    weight: evidence.template,
                },
            ));
        }
        if evidence.text_share > 0.0 {
            let (share, weight) = (evidence.text_share, evidence.text);
            reasons.push((weight, Reason::SimilarText { share, weight }));
        }
        if evidence.labels_share > 0.0 {
            let (share, weight) = (evidence.labels_share, evidence.labels);
            reasons.push((weight, Reason::SharedLabels { share, weight }));
        }
        reasons.extend(explain_past(evidence));
        reasons.sort_by(|one, other| other.0.abs().total_cmp(&one.0.abs()));
        reasons.into_iter().map(|(_, reason)| reason).collect()
    }

    /// How near the place of the alert is to the group's, in words.
    fn explain_place(&self, profile: &Profile, evidence: &Evidence) -> Option<Reason> {
        let weight = evidence.place;
        let from = self
            .node
            .map_or_else(String::new, |(_, place)| place.name.to_string());
        let name = |position: usize| {
            let places = profile.places.get(position).map_or(&[][..], Vec::as_slice);
            first_known(places, &self.knowledge.topology)
                .map_or_else(String::new, |(_, place)| place.name.to_string())
        };
        match (evidence.nearest, evidence.elsewhere) {
            (Some((hops, position)), _) => Some(Reason::Hops {
                from,
                to: name(position),
                hops,
                weight,
            }),
            (None, Some(position)) => Some(Reason::NoPath {
                from,
                to: name(position),
                weight,
            }),
            (None, None) if evidence.same_source => {
                let source = self.features.place().to_owned();
                Some(Reason::SameSource { source, weight })
            }
            (None, None) => None,
        }
    }
}

/// What people taught, what history taught, and whether the group had the alert before, in words.
fn explain_past(evidence: &Evidence) -> Vec<(f64, Reason)> {
    let mut reasons = Vec::new();
    if evidence.tally != (0, 0) {
        let ((together, apart), weight) = (evidence.tally, evidence.people);
        reasons.push((
            weight,
            Reason::PeopleDecided {
                together,
                apart,
                weight,
            },
        ));
    }
    if let Some(Cause { effects, share, .. }) = evidence.cause {
        let weight = evidence.history;
        reasons.push((
            weight,
            Reason::BroughtAbout {
                effects,
                share,
                weight,
            },
        ));
    }
    if let Some(others) = evidence.repeating {
        let weight = evidence.repeats + evidence.wave;
        reasons.push((weight, Reason::Repeats { others, weight }));
    }
    reasons
}

fn age_seconds(profile: &Profile, now: Timestamp) -> i64 {
    now.as_second()
        .saturating_sub(profile.opened_at.as_second())
        .max(0)
}

/// The most exact place of an alert that the graph knows.
fn first_known<'a>(places: &'a [Place], topology: &Topology) -> Option<(Node, &'a Place)> {
    places
        .iter()
        .find_map(|place| topology.node_by_hash(place.hash).map(|node| (node, place)))
}

/// The share of common elements of two sorted lists (Jaccard).
fn overlap(one: &[u32], other: &[u32]) -> f64 {
    let (mut first, mut second, mut common) = (0, 0, 0_u32);
    while let (Some(left), Some(right)) = (one.get(first), other.get(second)) {
        common += u32::from(left == right);
        first += usize::from(left <= right);
        second += usize::from(right <= left);
    }
    let all = one.len() + other.len() - common as usize;
    if all == 0 {
        0.0
    } else {
        f64::from(common) / all as f64
    }
}
