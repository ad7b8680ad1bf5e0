//! Families: topics that have something in common, and learn it together.
//!
//! Examples of one topic are few, but "a fee", "a transfer" or "pending" is meant in many topics alike. So a separator is
//! learned for each family as for each topic ("these topics against all the others"), and a small share of its score is
//! added to the score of its members. All of it stays a sum over the words of a text. Families are the topics whose names
//! share a word, and the branches of a tree in which the topics that read most alike are joined first (average linkage).
//! (Shrinkage along a hierarchy: McCallum and others, "Improving text classification by shrinkage in a hierarchy of
//! classes", ICML 1998; separators of groups of classes: Dietterich and Bakiri, "Solving multiclass learning problems via
//! error-correcting output codes", 1995.)

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::features::Vector;
use super::linear::Dual;
use super::text::{stem, tokens};
use crate::work;

/// Share of the score of topics whose names share a word.
const NAMED_SHARE: f32 = 0.1;

/// Share of the score of topics that read alike.
const ALIKE_SHARE: f32 = 0.05;

/// A word in the names of more topics than this share of them says nothing.
const COMMON: f64 = 0.75;

/// Topics that share a separator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Family {
    /// Ascending.
    pub(super) topics: Vec<u32>,
    /// How much of the family's score each member gets.
    pub(super) share: f32,
    pub(super) dual: Dual,
}

/// The families that the names of topics make: for each word in several names, the topics named so. At most as many as
/// there are topics, those of the most topics first.
pub(super) fn named<'text>(
    names: impl IntoIterator<Item = (u32, &'text str)>,
    topics: usize,
) -> Vec<Vec<u32>> {
    let mut by_word: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for (topic, name) in names {
        for token in tokens(name) {
            by_word.entry(stem(&token.text)).or_default().insert(topic);
        }
    }
    let most = (topics as f64 * COMMON) as usize;
    let mut families: Vec<Vec<u32>> = by_word
        .into_values()
        .filter(|members| members.len() > 1 && members.len() <= most)
        .map(|members| members.into_iter().collect())
        .collect();
    families.sort_by_key(|members| std::cmp::Reverse(members.len()));
    families.truncate(topics);
    families
}

/// All families, each once, with the share of each.
pub(super) fn shares(
    named: &[Vec<u32>],
    examples: &[(u32, &Vector)],
    topics: usize,
) -> BTreeMap<Vec<u32>, f32> {
    let mut shares: BTreeMap<Vec<u32>, f32> = BTreeMap::new();
    for members in named {
        *shares.entry(members.clone()).or_default() += NAMED_SHARE;
    }
    for members in alike(likeness(examples, topics)) {
        *shares.entry(members).or_default() += ALIKE_SHARE;
    }
    shares
}

/// How alike the examples of every two topics are: the cosine of their sums.
fn likeness(examples: &[(u32, &Vector)], topics: usize) -> Vec<Vec<f32>> {
    let mut sums: BTreeMap<(u32, u32), f32> = BTreeMap::new();
    for (topic, vector) in examples {
        for (feature, value) in *vector {
            *sums.entry((*feature, *topic)).or_default() += value;
        }
    }
    let mut products = vec![vec![0.0_f32; topics]; topics];
    let sums: Vec<((u32, u32), f32)> = sums.into_iter().collect();
    for of_feature in sums.chunk_by(|one, other| one.0.0 == other.0.0) {
        work::count(of_feature.len() * of_feature.len());
        for ((_, one), left) in of_feature {
            for ((_, other), right) in of_feature {
                products[*one as usize][*other as usize] += left * right;
            }
        }
    }
    let lengths: Vec<f32> = (0..topics)
        .map(|topic| products[topic][topic].sqrt().max(1e-9))
        .collect();
    for (row, left) in products.iter_mut().zip(&lengths) {
        for (product, right) in row.iter_mut().zip(&lengths) {
            *product /= left * right;
        }
    }
    products
}

/// The branches of the tree that joins the two most alike again and again; those of more than half of the topics left out.
fn alike(mut likeness: Vec<Vec<f32>>) -> Vec<Vec<u32>> {
    let topics = likeness.len();
    let mut branches: Vec<Option<Vec<u32>>> = (0..topics as u32).map(|topic| Some(vec![topic])).collect();
    let mut families = Vec::new();
    while let Some((one, other)) = most_alike(&likeness, &branches) {
        let (Some(left), Some(right)) = (branches[one].take(), branches[other].take()) else {
            break;
        };
        let (weight, total) = (left.len() as f32, (left.len() + right.len()) as f32);
        let both = likeness[one].iter().zip(&likeness[other]);
        let joined: Vec<f32> = both
            .map(|(left, right)| (left * weight + right * (total - weight)) / total)
            .collect();
        for (row, likeness) in likeness.iter_mut().zip(&joined) {
            row[one] = *likeness;
        }
        likeness[one] = joined;
        let mut members = [left, right].concat();
        members.sort_unstable();
        if members.len() <= topics / 2 {
            families.push(members.clone());
        }
        branches[one] = Some(members);
    }
    families
}

fn most_alike(likeness: &[Vec<f32>], branches: &[Option<Vec<u32>>]) -> Option<(usize, usize)> {
    work::count(branches.len());
    let open: Vec<usize> = (0..branches.len())
        .filter(|index| branches[*index].is_some())
        .collect();
    let pairs = open
        .iter()
        .enumerate()
        .flat_map(|(place, one)| open[place + 1..].iter().map(move |other| (*one, *other)));
    pairs.max_by(|(a, b), (c, d)| {
        // Of pairs that are equally alike the first, whatever the order of comparison.
        likeness[*a][*b]
            .total_cmp(&likeness[*c][*d])
            .then((*c, *d).cmp(&(*a, *b)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_whose_names_share_a_word_are_a_family() {
        let names = ["card lost", "card stolen", "pending transfer", "failed transfer"];
        let names = names
            .iter()
            .enumerate()
            .map(|(topic, name)| (topic as u32, *name));
        assert_eq!(named(names, 4), [vec![0, 1], vec![2, 3]]);
        let same = (0..4).map(|topic| (topic, "my question"));
        assert_eq!(
            named(same, 4),
            Vec::<Vec<u32>>::new(),
            "what all share says nothing"
        );
    }

    #[test]
    fn the_most_alike_are_joined_first_and_no_family_has_more_than_half_of_the_topics() {
        let vector = |features: &[u32]| features.iter().map(|feature| (*feature, 1.0)).collect::<Vector>();
        let vectors = [
            vector(&[1, 2]),
            vector(&[1, 2, 3]),
            vector(&[7, 8]),
            vector(&[8]),
            vector(&[9]),
        ];
        let examples: Vec<(u32, &Vector)> = vectors
            .iter()
            .enumerate()
            .map(|(topic, vector)| (topic as u32, vector))
            .collect();
        assert_eq!(alike(likeness(&examples, 5)), [vec![0, 1], vec![2, 3]]);
    }

    #[test]
    fn a_family_found_in_both_ways_gets_both_shares() {
        let vector: Vector = vec![(1, 1.0)];
        let others: Vector = vec![(2, 1.0)];
        let examples = [(0, &vector), (1, &vector), (2, &others), (3, &others)];
        let shares = shares(&[vec![0, 1]], &examples, 4);
        assert_eq!(
            shares.into_iter().collect::<Vec<_>>(),
            [(vec![0, 1], NAMED_SHARE + ALIKE_SHARE), (vec![2, 3], ALIKE_SHARE)]
        );
    }
}
