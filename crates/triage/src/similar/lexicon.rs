//! The terms of all reports, how rare each is, and the comparison of a question with a report.

use std::collections::HashMap;

use super::terms::Bag;

/// The terms in use: a small number for each, and in how many reports it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Lexicon {
    pub(super) known: HashMap<u64, u32>,
    hashes: Vec<u64>,
    pub(super) reports: Vec<u32>,
    free: Vec<u32>,
}

impl Lexicon {
    pub(super) fn take_in(&mut self, bag: &Bag) -> Vec<(u32, f32)> {
        bag.iter()
            .map(|(hash, count)| (self.count(*hash), *count))
            .collect()
    }

    fn count(&mut self, hash: u64) -> u32 {
        let term = self.known.get(&hash).copied().unwrap_or_else(|| {
            let term = self.free.pop().unwrap_or_else(|| {
                self.hashes.push(0);
                self.reports.push(0);
                (self.reports.len() - 1) as u32
            });
            self.known.insert(hash, term);
            self.hashes[term as usize] = hash;
            term
        });
        self.reports[term as usize] += 1;
        term
    }

    pub(super) fn let_go(&mut self, terms: &[(u32, f32)]) {
        for (term, _) in terms {
            let reports = &mut self.reports[*term as usize];
            *reports -= 1;
            if *reports == 0 {
                self.known.remove(&self.hashes[*term as usize]);
                self.free.push(*term);
            }
        }
    }
}

/// Rarity of a term that is in `reports` of `number` reports (the always positive form of BM25's).
fn rarity(reports: u32, number: usize) -> f64 {
    let (reports, number) = (f64::from(reports), number as f64);
    (1.0 + (number - reports + 0.5).max(0.0) / (reports + 0.5)).ln()
}

fn dampened(count: f32) -> f64 {
    // Below one (words that hold sentences together) the count itself is the damped value.
    if count < 1.0 {
        f64::from(count)
    } else {
        1.0 + f64::from(count).ln()
    }
}

/// A question made ready to be compared with many reports.
pub(super) struct Query {
    /// The weight of each term in the question, by term; zero for most.
    weights: Vec<f64>,
    mentions: Vec<f32>,
    rarities: Vec<f64>,
    length: f64,
}

impl Query {
    pub(super) fn new(bag: &Bag, lexicon: &Lexicon, number: usize) -> Self {
        let rarities: Vec<f64> = lexicon
            .reports
            .iter()
            .map(|reports| rarity(*reports, number))
            .collect();
        let mut weights = vec![0.0; rarities.len()];
        let mut mentions = vec![0.0; rarities.len()];
        let mut squares = 0.0;
        for (hash, count) in bag {
            let term = lexicon.known.get(hash).map(|term| *term as usize);
            let weight = dampened(*count) * term.map_or_else(|| rarity(0, number), |term| rarities[term]);
            squares += weight * weight;
            if let Some(term) = term {
                weights[term] = weight;
                mentions[term] = *count;
            }
        }
        Self {
            weights,
            mentions,
            rarities,
            length: squares.sqrt(),
        }
    }

    fn weight(&self, (term, count): (u32, f32)) -> f64 {
        dampened(count) * self.rarities[term as usize]
    }

    pub(super) fn cosine(&self, terms: &[(u32, f32)]) -> f64 {
        let (mut product, mut squares) = (0.0, 0.0);
        for term in terms {
            let weight = self.weight(*term);
            squares += weight * weight;
            product += weight * self.weights[term.0 as usize];
        }
        if product > 0.0 {
            product / (squares.sqrt() * self.length)
        } else {
            0.0
        }
    }

    pub(super) fn covered(&self, terms: &[(u32, f32)]) -> f64 {
        let found: f64 = terms
            .iter()
            .map(|(term, _)| self.weights[*term as usize].powi(2))
            .sum();
        if found > 0.0 {
            found / (self.length * self.length)
        } else {
            0.0
        }
    }

    /// What each shared term brings to the cosine for each time that the question mentions it, and the cosine.
    pub(super) fn contributions(&self, terms: &[(u32, f32)]) -> (HashMap<u32, f64>, f64) {
        let squares: f64 = terms.iter().map(|term| self.weight(*term).powi(2)).sum();
        let length = squares.sqrt() * self.length;
        let mut each = HashMap::new();
        let mut total = 0.0;
        for term in terms {
            let at = term.0 as usize;
            if self.weights[at] > 0.0 {
                let points = self.weights[at] * self.weight(*term) / length;
                total += points;
                each.insert(term.0, points / f64::from(self.mentions[at]));
            }
        }
        (each, total)
    }
}
