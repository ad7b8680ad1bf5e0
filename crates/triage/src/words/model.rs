//! What a classifier learned, and how.
//!
//! Learning goes in rounds. The first uses what people taught. Each further round takes the observed texts of which
//! the separators are most certain, the same share for every topic so that a large topic cannot swallow the others,
//! and learns again with them at a lower weight. (Self-training; the balanced choice follows Zou and others,
//! "Unsupervised domain adaptation via class-balanced self-training", ECCV 2018.) Texts that look like strangers are
//! never taken. What a person taught always keeps its topic.

use serde::{Deserialize, Serialize};

use super::families::{Family, shares};
use super::features::{Gram, Vector, Vocabulary, grams};
use super::linear::{Draws, Dual, Lesson, Own, Separators, separate};
use super::text::tokens;
use crate::work;

/// Parts into which examples are divided to score each by a model that has not seen it.
const FOLDS: usize = 5;

/// Examples beyond which one held-out part stands for all, because it is large enough by itself.
const LARGE: usize = 3_000;

/// Share of the observed texts that each round takes.
const ROUNDS: [f64; 3] = [0.5, 0.8, 0.9];

/// What an observed text counts, compared with one that was taught.
const OBSERVED_WEIGHT: f32 = 0.5;

/// Observed texts that fit less well than this share of held-out examples count as strangers.
const STRANGE: f64 = 0.05;

/// Features at most, whatever the number of topics.
const FEATURES: usize = 250_000;

/// Deciding words named for each candidate.
const WORDS_NAMED: usize = 6;

/// A text to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Example {
    text: String,
    topic: Option<u32>,
    weight: f32,
}

impl Example {
    /// A text that a person gave as an example of a topic, or of none of them.
    pub(super) fn taught(text: &str, topic: Option<u32>) -> Self {
        Self {
            text: text.to_owned(),
            topic,
            weight: 1.0,
        }
    }

    /// A text of which nothing is known; it weighs nothing until a round takes it.
    pub(super) fn observed(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            topic: None,
            weight: 0.0,
        }
    }

    fn is_taught(&self) -> bool {
        self.weight >= 1.0
    }
}

/// What was learned. Only texts, their weights and the held-out scores are written down; the rest follows from them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "ModelRecord", into = "ModelRecord")]
pub(super) struct Model {
    topics: Vec<String>,
    basis: Vec<Example>,
    duals: Vec<Dual>,
    families: Vec<Family>,
    /// Best scores that taught examples got from a model that had not seen them, ascending.
    held_out: Vec<f32>,
    features_maximum: usize,
    vocabulary: Vocabulary,
    separators: Separators,
}

#[derive(Serialize, Deserialize)]
struct ModelRecord {
    topics: Vec<String>,
    basis: Vec<Example>,
    duals: Vec<Dual>,
    #[serde(default)]
    families: Vec<Family>,
    held_out: Vec<f32>,
    features_maximum: usize,
}

impl From<Model> for ModelRecord {
    fn from(model: Model) -> Self {
        Self {
            topics: model.topics,
            basis: model.basis,
            duals: model.duals,
            families: model.families,
            held_out: model.held_out,
            features_maximum: model.features_maximum,
        }
    }
}

impl From<ModelRecord> for Model {
    fn from(record: ModelRecord) -> Self {
        let (vocabulary, vectors) = read(&record.basis, record.features_maximum);
        let mut duals = record.duals;
        duals.resize(record.topics.len(), Dual::new());
        let separators = Separators::from_duals(&duals, &record.families, &vectors, vocabulary.len());
        Self {
            topics: record.topics,
            basis: record.basis,
            duals,
            families: record.families,
            held_out: record.held_out,
            features_maximum: record.features_maximum,
            vocabulary,
            separators,
        }
    }
}

impl Model {
    /// Learns from `basis`; topics are numbered as in `topics`, and in `named` are those whose names have something in
    /// common.
    pub(super) fn learn(
        topics: Vec<String>,
        named: &[Vec<u32>],
        mut basis: Vec<Example>,
        features_maximum: usize,
    ) -> Self {
        let features_maximum = features_maximum.clamp(1, FEATURES);
        let (vocabulary, vectors) = read(&basis, features_maximum);
        let learn = |basis: &[Example]| separate_all(basis, &vectors, topics.len(), named, vocabulary.len());
        let (mut duals, mut families) = learn(&basis);
        let mut held_out = held_out_scores(&basis, topics.len(), named, features_maximum);
        if basis.iter().any(|example| !example.is_taught()) {
            for share in ROUNDS {
                let separators = Separators::from_duals(&duals, &families, &vectors, vocabulary.len());
                adopt(&mut basis, &vectors, &separators, &held_out, share);
                (duals, families) = learn(&basis);
            }
            held_out = held_out_scores(&basis, topics.len(), named, features_maximum);
        }
        let separators = Separators::from_duals(&duals, &families, &vectors, vocabulary.len());
        Self {
            topics,
            basis,
            duals,
            families,
            held_out,
            features_maximum,
            vocabulary,
            separators,
        }
    }

    pub(super) fn topic(&self, topic: usize) -> &str {
        self.topics.get(topic).map_or("", String::as_str)
    }

    pub(super) fn vector(&self, grams: &[Gram]) -> Vector {
        self.vocabulary.vector(grams)
    }

    /// One score for each topic; none if nothing was learned.
    pub(super) fn scores(&self, vector: &Vector) -> Vec<f32> {
        self.separators.scores(vector)
    }

    /// Share of held-out examples that scored no higher: a conformal p-value (Vovk and others, "Algorithmic Learning in a
    /// Random World", 2005) without its correction for small numbers, which with a handful of examples would
    /// never reject anything.
    pub(super) fn fit_of(&self, best: f32) -> f64 {
        fit_among(&self.held_out, best)
    }

    /// What each token added to the score of `topic` beyond what it added to the average topic, strongest first;
    /// only those above zero.
    pub(super) fn words_for(
        &self,
        topic: usize,
        grams: &[Gram],
        vector: &Vector,
        tokens: usize,
    ) -> Vec<(usize, f32)> {
        let mut weights = vec![0.0_f32; tokens];
        work::count(grams.len());
        for gram in grams {
            let Some(feature) = self.vocabulary.index(gram.hash) else {
                continue;
            };
            let Ok(at) = vector.binary_search_by_key(&feature, |(index, _)| *index) else {
                continue;
            };
            let weight = self.separators.beyond_average(feature, topic) * vector[at].1;
            for token in [gram.first, gram.last] {
                weights[token] += weight / 2.0;
            }
        }
        let mut named: Vec<(usize, f32)> = weights
            .into_iter()
            .enumerate()
            .filter(|(_, weight)| *weight > 0.0)
            .collect();
        named.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        named.truncate(WORDS_NAMED);
        named
    }
}

fn fit_among(held_out: &[f32], best: f32) -> f64 {
    let below = held_out.partition_point(|score| *score <= best);
    below as f64 / held_out.len().max(1) as f64
}

fn read(basis: &[Example], features_maximum: usize) -> (Vocabulary, Vec<Vector>) {
    let texts: Vec<_> = basis.iter().map(|example| tokens(&example.text)).collect();
    let vocabulary = Vocabulary::learn(texts.iter().map(Vec::as_slice), features_maximum);
    let vectors = texts.iter().map(|text| vocabulary.vector(&grams(text))).collect();
    (vocabulary, vectors)
}

/// The separators of all topics and of their families; examples without weight take no part.
fn separate_all(
    basis: &[Example],
    vectors: &[Vector],
    topics: usize,
    named: &[Vec<u32>],
    features: usize,
) -> (Vec<Dual>, Vec<Family>) {
    let taking_part: Vec<u32> = (0..basis.len() as u32)
        .filter(|index| basis[*index as usize].weight > 0.0)
        .collect();
    let lessons: Vec<Lesson<'_>> = taking_part
        .iter()
        .map(|&index| {
            let example = &basis[index as usize];
            Lesson {
                vector: &vectors[index as usize],
                topic: example.topic,
                weight: example.weight,
            }
        })
        .collect();
    let learned = |own: &Own<'_>| -> Dual {
        let dual = separate(&lessons, own, features);
        dual.into_iter()
            .map(|(lesson, amount)| (taking_part[lesson as usize], amount))
            .collect()
    };
    let duals = (0..topics as u32)
        .map(|topic| learned(&Own::Topic { topic, topics }))
        .collect();
    let taught: Vec<(u32, &Vector)> = basis
        .iter()
        .zip(vectors)
        .filter(|(example, _)| example.is_taught())
        .filter_map(|(example, vector)| Some((example.topic?, vector)))
        .collect();
    let families = shares(named, &taught, topics)
        .into_iter()
        .enumerate()
        .map(|(number, (topics, share))| {
            let dual = learned(&Own::Family(&topics, number as u32));
            Family { topics, share, dual }
        });
    (duals, families.collect())
}

/// Gives a topic to the given share of the observed texts, those with the widest margin for each topic.
fn adopt(basis: &mut [Example], vectors: &[Vector], separators: &Separators, held_out: &[f32], share: f64) {
    let mut by_topic: std::collections::BTreeMap<usize, Vec<(f32, usize)>> =
        std::collections::BTreeMap::new();
    for (index, example) in basis.iter_mut().enumerate() {
        if example.is_taught() {
            continue;
        }
        (example.topic, example.weight) = (None, 0.0);
        let (best, second, topic) = two_best(&separators.scores(&vectors[index]));
        if !vectors[index].is_empty() && fit_among(held_out, best) > STRANGE {
            by_topic.entry(topic).or_default().push((best - second, index));
        }
    }
    for (topic, mut texts) in by_topic {
        texts.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        let number = (texts.len() as f64 * share).ceil() as usize;
        for (_, index) in texts.into_iter().take(number) {
            basis[index].topic = Some(topic as u32);
            basis[index].weight = OBSERVED_WEIGHT;
        }
    }
}

fn two_best(scores: &[f32]) -> (f32, f32, usize) {
    let mut found = (f32::NEG_INFINITY, f32::NEG_INFINITY, 0);
    for (topic, score) in scores.iter().enumerate() {
        if *score > found.0 {
            found = (*score, found.0, topic);
        } else if *score > found.1 {
            found.1 = *score;
        }
    }
    found
}

/// The best score that each taught example gets from a model that has not seen it, ascending. Observed texts keep
/// the topic that they were given.
fn held_out_scores(
    basis: &[Example],
    topics: usize,
    named: &[Vec<u32>],
    features_maximum: usize,
) -> Vec<f32> {
    let (mut known, others): (Vec<&Example>, Vec<&Example>) = basis
        .iter()
        .partition(|example| example.is_taught() && example.topic.is_some());
    Draws(1).shuffle(&mut known);
    let folds = if basis.len() > LARGE { 1 } else { FOLDS };
    let mut scores = Vec::new();
    for fold in 0..folds {
        let in_fold = |place: &usize| place % FOLDS == fold;
        let taught: Vec<Example> = (0..known.len())
            .filter(|place| !in_fold(place))
            .map(|place| known[place])
            .chain(others.iter().copied())
            .cloned()
            .collect();
        let (vocabulary, vectors) = read(&taught, features_maximum);
        let (duals, families) = separate_all(&taught, &vectors, topics, named, vocabulary.len());
        let separators = Separators::from_duals(&duals, &families, &vectors, vocabulary.len());
        scores.extend((0..known.len()).filter(in_fold).filter_map(|place| {
            let vector = vocabulary.vector(&grams(&tokens(&known[place].text)));
            separators.scores(&vector).into_iter().max_by(f32::total_cmp)
        }));
    }
    scores.sort_by(f32::total_cmp);
    scores
}
