//! Turns tokens into the sparse vectors that the learners work on.
//!
//! A text gives three blocks of features: its words and neighbouring pairs, pairs of words that stand near each
//! other, and the character n-grams of each word (which survive typing errors and inflection in any language).
//! Each block is weighted by rarity, brought to the same length and mixed, so that a long word cannot drown a
//! short one. Features are known by a 64-bit hash of their content; two that collide are treated as one, which
//! costs a little accuracy and nothing else.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::text::{Kind, Token, stem};
use crate::hash::{combine, stable_hash, stable_hash_pair};

/// Lengths of character n-grams.
const CHARACTERS: std::ops::RangeInclusive<usize> = 2..=5;

/// How far apart two words may stand to count as a pair.
const PAIR_REACH: usize = 8;

/// Keep the families of features apart where they are hashed.
const WORD: &str = "w";
const NEIGHBOURS: &str = "n";
const NEAR: &str = "p";
const LETTERS: &str = "l";

/// A family of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Block {
    /// Words and neighbouring pairs.
    Words,
    /// Words that stand near each other.
    Pairs,
    /// Character n-grams.
    Letters,
}

/// Share of each block in the mixed vector, before it is brought to length one.
const WEIGHTS: [f32; 3] = [1.0, 1.0, 1.0];

/// One feature of a text and the tokens it came from.
pub(crate) struct Gram {
    pub(crate) hash: u64,
    block: Block,
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// What features see of a token: the stem, and one sign for all numbers, because amounts and dates differ from
/// person to person while the topic stays.
fn reading(token: &Token) -> String {
    match token.kind {
        Kind::Number => "#".to_owned(),
        Kind::Word | Kind::Identifier => stem(&token.text),
    }
}

/// All features of a text, with repetitions.
pub(crate) fn grams(tokens: &[Token]) -> Vec<Gram> {
    let stems: Vec<String> = tokens.iter().map(reading).collect();
    let mut grams = Vec::with_capacity(tokens.len() * 24);
    for (first, stem) in stems.iter().enumerate() {
        grams.push(Gram {
            hash: stable_hash_pair(WORD, stem),
            block: Block::Words,
            first,
            last: first,
        });
        for (last, other) in stems.iter().enumerate().skip(first + 1).take(PAIR_REACH) {
            let block = if last == first + 1 {
                Block::Words
            } else {
                Block::Pairs
            };
            grams.push(Gram {
                hash: pair_hash(block, stem, other),
                block,
                first,
                last,
            });
        }
    }
    for (place, token) in tokens.iter().enumerate() {
        push_letters(token, place, &mut grams);
    }
    grams
}

fn pair_hash(block: Block, first: &str, second: &str) -> u64 {
    let family = if block == Block::Words { NEIGHBOURS } else { NEAR };
    combine(stable_hash_pair(family, first), stable_hash(second))
}

fn push_letters(token: &Token, place: usize, grams: &mut Vec<Gram>) {
    let text = if token.kind == Kind::Number {
        "#"
    } else {
        token.text.as_str()
    };
    let padded = format!(" {text} ");
    let starts: Vec<usize> = padded
        .char_indices()
        .map(|(start, _)| start)
        .chain(std::iter::once(padded.len()))
        .collect();
    for length in CHARACTERS {
        for window in starts.windows(length + 1) {
            let part = &padded[window[0]..window[length]];
            grams.push(Gram {
                hash: stable_hash_pair(LETTERS, part),
                block: Block::Letters,
                first: place,
                last: place,
            });
        }
    }
}

/// A text as features and values, ascending by feature, of length one (or empty).
pub(crate) type Vector = Vec<(u32, f32)>;

/// Which features are known, and how rare each is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "VocabularyRecord", into = "VocabularyRecord")]
pub(crate) struct Vocabulary {
    known: HashMap<u64, u32>,
    features: Vec<Feature>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Feature {
    hash: u64,
    block: Block,
    rarity: f32,
}

/// How a [`Vocabulary`] is written down.
#[derive(Serialize, Deserialize)]
struct VocabularyRecord(Vec<Feature>);

impl From<VocabularyRecord> for Vocabulary {
    fn from(record: VocabularyRecord) -> Self {
        Self::of(record.0)
    }
}

impl From<Vocabulary> for VocabularyRecord {
    fn from(vocabulary: Vocabulary) -> Self {
        Self(vocabulary.features)
    }
}

impl Vocabulary {
    fn of(features: Vec<Feature>) -> Self {
        let known = features
            .iter()
            .enumerate()
            .map(|(index, feature)| (feature.hash, index as u32))
            .collect();
        Self { known, features }
    }

    /// Learns the features of `texts`; where there are more than `bound`, those in the most texts are kept.
    pub(crate) fn learn<'a>(texts: impl Iterator<Item = &'a [Token]>, bound: usize) -> Self {
        let mut counts: BTreeMap<u64, (Block, u32)> = BTreeMap::new();
        let mut number = 0_u32;
        for text in texts {
            let mut present: Vec<(u64, Block)> =
                grams(text).iter().map(|gram| (gram.hash, gram.block)).collect();
            present.sort_unstable();
            present.dedup_by_key(|(hash, _)| *hash);
            for (hash, block) in present {
                counts.entry(hash).or_insert((block, 0)).1 += 1;
            }
            number += 1;
        }
        let mut counts: Vec<(u64, (Block, u32))> = counts.into_iter().collect();
        if counts.len() > bound {
            counts.sort_by_key(|(hash, (_, count))| (std::cmp::Reverse(*count), *hash));
            counts.truncate(bound);
        }
        let features = counts
            .into_iter()
            .map(|(hash, (block, count))| {
                let rarity = (f64::from(1 + number) / f64::from(1 + count)).ln() + 1.0;
                Feature {
                    hash,
                    block,
                    rarity: rarity as f32,
                }
            })
            .collect();
        Self::of(features)
    }

    /// Number of features known.
    pub(crate) fn len(&self) -> usize {
        self.features.len()
    }

    /// The index of a feature, if it is known.
    pub(crate) fn index(&self, hash: u64) -> Option<u32> {
        self.known.get(&hash).copied()
    }

    /// The vector of a text; features never seen in learning are left out.
    pub(crate) fn vector(&self, grams: &[Gram]) -> Vector {
        let mut indices: Vec<u32> = grams.iter().filter_map(|gram| self.index(gram.hash)).collect();
        indices.sort_unstable();
        let mut vector: Vector = indices
            .chunk_by(|one, other| one == other)
            .map(|run| {
                let feature = self.features[run[0] as usize];
                (run[0], (1.0 + (run.len() as f32).ln()) * feature.rarity)
            })
            .collect();
        let mut squares = [0.0_f32; WEIGHTS.len()];
        for (index, value) in &vector {
            squares[self.features[*index as usize].block as usize] += value * value;
        }
        let mixed: f32 = squares
            .iter()
            .zip(WEIGHTS)
            .filter(|(square, _)| **square > 0.0)
            .map(|(_, w)| w * w)
            .sum();
        for (index, value) in &mut vector {
            let block = self.features[*index as usize].block as usize;
            *value *= WEIGHTS[block] / (squares[block] * mixed).sqrt();
        }
        vector
    }
}
