//! The explainable score: how much speaks for an alert to belong to an open group.
//!
//! A sum of evidence in log odds, each term a reason with its weight. It is compared with every remembered alert
//! of a group, and the best of them counts; time is counted from the last alert of the group. There is no hidden
//! term: bias and reasons add up to the score.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    grouping::{Choice, gap_seconds},
    lessons::Lessons,
    profile::{Features, Profile},
    reason::Reason,
    topology::Topology,
};

/// What the score knows beside the alert and the groups.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Knowledge {
    pub topology: Topology,
    pub lessons: Lessons,
    pub weights: Weights,
}

/// The weights of the evidence, in natural-log odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// The score of an alert about which nothing is known.
    pub bias: f64,
    /// The score needed to join.
    pub needed: f64,
    /// For an alert without any gap; fades to its negative by the square root of the gap.
    pub gap: f64,
    /// The gap, in seconds, at which time says nothing.
    pub neutral_gap_seconds: f64,
    /// By distance in the dependency graph: the same node, one step, two steps, …
    pub hops: Vec<f64>,
    /// Both known to the graph, but farther apart than `hops` is long.
    pub no_path: f64,
    /// The same source, where the graph does not know it.
    pub same_source: f64,
    pub same_template: f64,
    /// For all words in common.
    pub text: f64,
    /// For all labels in common.
    pub labels: f64,
    /// The most that people's merges and splits can weigh.
    pub people: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            bias: -1.8,
            needed: 0.0,
            gap: 1.0,
            neutral_gap_seconds: 300.0,
            hops: vec![1.8, 1.5, 0.4],
            no_path: -1.5,
            same_source: 1.5,
            same_template: 1.0,
            text: 1.5,
            labels: 0.8,
            people: 5.0,
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
    let scored = candidates
        .iter()
        .map(|(index, profile)| (*index, *profile, score(features, profile, knowledge, now)))
        .reduce(|best, next| {
            let later = next.1.last_alert_at > best.1.last_alert_at;
            if next.2.0 > best.2.0 || (next.2.0 >= best.2.0 && later) {
                next
            } else {
                best
            }
        });
    let Some((index, _, (score, mut reasons))) = scored else {
        return Choice {
            joined: None,
            reasons: Vec::new(),
        };
    };
    let needed = knowledge.weights.needed;
    reasons.push(Reason::Score { score, needed });
    Choice {
        joined: (score >= needed).then_some(index),
        reasons,
    }
}

/// The score of an alert against a group, with its evidence, heaviest first.
pub(crate) fn score(
    features: &Features,
    profile: &Profile,
    knowledge: &Knowledge,
    now: Timestamp,
) -> (f64, Vec<Reason>) {
    let weights = &knowledge.weights;
    let seconds = gap_seconds(profile, now);
    let faded = 1.0 - (seconds as f64 / weights.neutral_gap_seconds.max(1.0)).sqrt();
    let gap = weights.gap * faded.max(-1.0);
    let best = profile
        .members
        .iter()
        .map(|member| compare(features, &member.features, knowledge))
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    let (score, mut evidence) = best.unwrap_or_default();
    evidence.push((gap, Reason::Gap { seconds, weight: gap }));
    evidence.sort_by(|one, other| other.0.abs().total_cmp(&one.0.abs()));
    (
        weights.bias + gap + score,
        evidence.into_iter().map(|(_, reason)| reason).collect(),
    )
}

type Evidence = Vec<(f64, Reason)>;

fn compare(one: &Features, other: &Features, knowledge: &Knowledge) -> (f64, Evidence) {
    let weights = &knowledge.weights;
    let mut evidence = Vec::new();
    evidence.extend(distance(one, other, knowledge));
    if one.template == other.template {
        let weight = weights.same_template;
        evidence.push((weight, Reason::SameTemplate { weight }));
    }
    let share = overlap(&one.words, &other.words);
    if share > 0.0 {
        let weight = weights.text * share;
        evidence.push((weight, Reason::SimilarText { share, weight }));
    }
    let share = overlap(&one.labels, &other.labels);
    if share > 0.0 {
        let weight = weights.labels * share;
        evidence.push((weight, Reason::SharedLabels { share, weight }));
    }
    let (together, apart) = knowledge.lessons.tally(one.kind(), other.kind());
    if together + apart > 0 {
        let balance = f64::from(together) - f64::from(apart);
        let weight = weights.people * balance / (f64::from(together) + f64::from(apart) + 0.5);
        evidence.push((
            weight,
            Reason::PeopleDecided {
                together,
                apart,
                weight,
            },
        ));
    }
    (evidence.iter().map(|(weight, _)| weight).sum(), evidence)
}

/// Evidence from places: the dependency graph where it knows both, else whether the names are equal.
fn distance(one: &Features, other: &Features, knowledge: &Knowledge) -> Option<(f64, Reason)> {
    let weights = &knowledge.weights;
    let topology = &knowledge.topology;
    let known = |features: &Features| {
        features
            .places
            .iter()
            .find_map(|place| topology.node(place).map(|node| (node, place.to_string())))
    };
    if let (Some((start, from)), Some((end, to))) = (known(one), known(other)) {
        let limit = weights.hops.len().saturating_sub(1).min(usize::from(u8::MAX)) as u8;
        let found = topology
            .neighbourhood(start, limit)
            .into_iter()
            .find(|(node, _)| *node == end);
        return Some(match found {
            Some((_, hops)) => {
                let weight = weights.hops.get(usize::from(hops)).copied().unwrap_or(0.0);
                (
                    weight,
                    Reason::Hops {
                        from,
                        to,
                        hops,
                        weight,
                    },
                )
            }
            None => (
                weights.no_path,
                Reason::NoPath {
                    from,
                    to,
                    weight: weights.no_path,
                },
            ),
        });
    }
    let same = !one.place().is_empty() && one.place() == other.place();
    let weight = weights.same_source;
    same.then(|| {
        (
            weight,
            Reason::SameSource {
                source: one.place().to_owned(),
                weight,
            },
        )
    })
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
