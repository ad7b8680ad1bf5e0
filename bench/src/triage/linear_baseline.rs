//! The baseline for short texts: TF-IDF of words 1–2 and of characters 2–5 within words, and a linear separator for each
//! topic (squared hinge loss, C = 0.5), as in the usual toolkit recipe. Written without the triage crate, so that it
//! stays put when that improves.

use std::collections::{BTreeMap, HashMap};

use crate::score::Draws;

const COST: f64 = 0.5;
const PASSES: usize = 30;

/// A trained baseline.
pub(crate) struct Baseline {
    features: HashMap<String, (usize, f64)>,
    topics: Vec<String>,
    /// One row for each topic; the last weight is the bias.
    weights: Vec<Vec<f64>>,
}

impl Baseline {
    /// Learns from texts with their topics.
    pub(crate) fn learn(examples: &[(String, String)]) -> Self {
        let features = features(examples);
        let mut topics: Vec<String> = examples.iter().map(|(_, topic)| topic.clone()).collect();
        topics.sort();
        topics.dedup();
        let mut baseline = Self {
            features,
            topics,
            weights: Vec::new(),
        };
        let vectors: Vec<Vec<(usize, f64)>> =
            examples.iter().map(|(text, _)| baseline.vector(text)).collect();
        baseline.weights = baseline
            .topics
            .iter()
            .map(|topic| {
                let sides: Vec<f64> = examples
                    .iter()
                    .map(|(_, other)| if other == topic { 1.0 } else { -1.0 })
                    .collect();
                separate(&vectors, &sides, baseline.features.len())
            })
            .collect();
        baseline
    }

    /// The best topic and its score.
    pub(crate) fn best(&self, text: &str) -> (&str, f64) {
        let vector = self.vector(text);
        let scored = self
            .topics
            .iter()
            .zip(&self.weights)
            .map(|(topic, row)| (topic.as_str(), score(row, &vector)));
        scored
            .max_by(|one, other| one.1.total_cmp(&other.1))
            .unwrap_or(("", f64::NEG_INFINITY))
    }

    fn vector(&self, text: &str) -> Vec<(usize, f64)> {
        let mut counts: BTreeMap<usize, (bool, f64)> = BTreeMap::new();
        for gram in grams(text) {
            if let Some((feature, rarity)) = self.features.get(&gram) {
                let entry = counts.entry(*feature).or_insert((gram.starts_with('c'), 0.0));
                entry.1 += rarity;
            }
        }
        let length = |letters: bool| -> f64 {
            let squares: f64 = counts
                .values()
                .filter(|(is, _)| *is == letters)
                .map(|(_, value)| value * value)
                .sum();
            // Two blocks of length one make a vector of length one.
            (2.0 * squares).sqrt().max(1e-9)
        };
        let lengths = (length(true), length(false));
        counts
            .iter()
            .map(|(feature, (letters, value))| {
                (*feature, value / if *letters { lengths.0 } else { lengths.1 })
            })
            .collect()
    }
}

fn features(examples: &[(String, String)]) -> HashMap<String, (usize, f64)> {
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    for (text, _) in examples {
        let mut present = grams(text);
        present.sort();
        present.dedup();
        for gram in present {
            *counts.entry(gram).or_default() += 1.0;
        }
    }
    let number = examples.len() as f64;
    let rarity = |count: f64| ((1.0 + number) / (1.0 + count)).ln() + 1.0;
    counts
        .into_iter()
        .enumerate()
        .map(|(index, (gram, count))| (gram, (index, rarity(count))))
        .collect()
}

fn grams(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let mut grams: Vec<String> = words.iter().map(|word| format!("w{word}")).collect();
    grams.extend(words.windows(2).map(|pair| format!("w{} {}", pair[0], pair[1])));
    for word in words {
        let characters: Vec<char> = format!(" {word} ").chars().collect();
        for length in 2..=5 {
            grams.extend(
                characters
                    .windows(length)
                    .map(|part| format!("c{}", part.iter().collect::<String>())),
            );
        }
    }
    grams
}

/// Dual coordinate descent (Hsieh and others 2008).
fn separate(vectors: &[Vec<(usize, f64)>], sides: &[f64], features: usize) -> Vec<f64> {
    let mut weights = vec![0.0; features + 1];
    let mut alphas = vec![0.0_f64; vectors.len()];
    let mut active: Vec<usize> = (0..vectors.len()).collect();
    let mut draws = Draws::new(1);
    let slack = 0.5 / COST;
    for pass in 0..PASSES {
        draws.shuffle(&mut active);
        let mut pull = 0.0_f64;
        active.retain(|&index| {
            let gradient = sides[index] * score(&weights, &vectors[index]) - 1.0 + slack * alphas[index];
            if alphas[index] <= 0.0 && gradient > 0.0 {
                return pass < 2 || gradient < 0.3;
            }
            pull = pull.max(gradient.abs());
            let before = alphas[index];
            alphas[index] = (before - gradient / (2.0 + slack)).max(0.0);
            let step = (alphas[index] - before) * sides[index];
            for (feature, value) in &vectors[index] {
                weights[*feature] += step * value;
            }
            weights[features] += step;
            true
        });
        if pull < 0.02 {
            break;
        }
    }
    weights
}

fn score(weights: &[f64], vector: &[(usize, f64)]) -> f64 {
    weights[weights.len() - 1]
        + vector
            .iter()
            .map(|(feature, value)| weights[*feature] * value)
            .sum::<f64>()
}
