//! Learns linear separators: "this topic, or this family of topics, against all the others".
//!
//! The learner is the dual coordinate descent of Hsieh and others, "A dual coordinate descent method for
//! large-scale linear SVM" (ICML 2008), with squared hinge loss. It suits short texts: thousands of sparse
//! examples take a fraction of a second, there is one setting, and the result is a sum over examples, which is how
//! it is written down. The order of the steps is drawn from a fixed seed, so the same examples always give the same
//! separators.

use super::families::Family;
use super::features::Vector;
use crate::work;

/// How strongly a wrong example counts against a wide margin.
const COST: f32 = 2.0;

/// Passes over the examples at most.
const PASSES: usize = 40;

/// A separator counts as found when no example pulls harder than this.
const TOLERANCE: f32 = 0.02;

/// How much each example weighs in the separator of one topic: `(example, signed weight)`, zero left out.
pub(crate) type Dual = Vec<(u32, f32)>;

/// An example: its vector, its topic, and how much it counts (1 for one that a person gave).
pub(crate) struct Lesson<'a> {
    pub(crate) vector: &'a Vector,
    /// `None` belongs to no topic and is an example against all of them.
    pub(crate) topic: Option<u32>,
    pub(crate) weight: f32,
}

/// What a separator divides from all the rest.
pub(crate) enum Own<'a> {
    /// One topic of so many.
    Topic {
        /// Which.
        topic: u32,
        /// Of how many.
        topics: usize,
    },
    /// Several topics, ascending; the number is only for drawing the order of the steps.
    Family(&'a [u32], u32),
}

impl Own<'_> {
    fn holds(&self, topic: Option<u32>) -> bool {
        match self {
            Self::Topic { topic: own, .. } => topic == Some(*own),
            Self::Family(members, _) => topic.is_some_and(|topic| members.binary_search(&topic).is_ok()),
        }
    }

    /// How much more an example counts on the own side.
    fn balance(&self, lessons: &[Lesson<'_>]) -> f32 {
        match self {
            Self::Topic { topic, topics } => balance(lessons, *topic, *topics),
            Self::Family(..) => 1.0,
        }
    }

    fn seed(&self) -> u64 {
        match self {
            Self::Topic { topic: number, .. } | Self::Family(_, number) => u64::from(*number) + 1,
        }
    }
}

/// The separator of a topic or a family.
pub(crate) fn separate(lessons: &[Lesson<'_>], own: &Own<'_>, features: usize) -> Dual {
    let balance = own.balance(lessons);
    let sides: Vec<bool> = lessons.iter().map(|lesson| own.holds(lesson.topic)).collect();
    let mut weights = vec![0.0_f32; features + 1];
    let squares: Vec<f32> = lessons
        .iter()
        .map(|lesson| 1.0 + lesson.vector.iter().map(|(_, value)| value * value).sum::<f32>())
        .collect();
    let mut alphas = vec![0.0_f32; lessons.len()];
    let mut active: Vec<u32> = (0..lessons.len() as u32).collect();
    let mut draws = Draws(own.seed());
    for pass in 0..PASSES {
        draws.shuffle(&mut active);
        let mut pull = 0.0_f32;
        active.retain(|&index| {
            let at = index as usize;
            let lesson = &lessons[at];
            let (side, balance) = if sides[at] { (1.0, balance) } else { (-1.0, 1.0) };
            let slack = 0.5 / (COST * lesson.weight * balance);
            let gradient = side * score(&weights, lesson.vector) - 1.0 + slack * alphas[at];
            if alphas[at] <= 0.0 && gradient > 0.0 {
                // Far on the right side: it will hardly come back, so later passes skip it.
                return pass < 2 || gradient < 0.3;
            }
            pull = pull.max(gradient.abs());
            let before = alphas[at];
            alphas[at] = (before - gradient / (squares[at] + slack)).max(0.0);
            add(&mut weights, lesson.vector, (alphas[at] - before) * side);
            true
        });
        if pull < TOLERANCE {
            break;
        }
    }
    let sign = |index: usize| if sides[index] { 1.0 } else { -1.0 };
    alphas
        .iter()
        .enumerate()
        .filter(|(_, alpha)| **alpha > 0.0)
        .map(|(index, alpha)| (index as u32, sign(index) * alpha))
        .collect()
}

/// How much more an example of this topic counts because the topic has fewer of them than others have. The root of the
/// ratio, because examples of rare topics are also the more often wrong.
fn balance(lessons: &[Lesson<'_>], topic: u32, topics: usize) -> f32 {
    let all: f32 = lessons.iter().map(|lesson| lesson.weight).sum();
    let own: f32 = lessons
        .iter()
        .filter(|lesson| lesson.topic == Some(topic))
        .map(|lesson| lesson.weight)
        .sum();
    (all / (topics as f32 * own.max(1e-3))).sqrt().clamp(0.25, 4.0)
}

/// The last weight is the bias.
fn score(weights: &[f32], vector: &Vector) -> f32 {
    let sum: f32 = vector
        .iter()
        .map(|(index, value)| weights[*index as usize] * value)
        .sum();
    sum + weights[weights.len() - 1]
}

fn add(weights: &mut [f32], vector: &Vector, amount: f32) {
    for (index, value) in vector {
        weights[*index as usize] += amount * value;
    }
    let last = weights.len() - 1;
    weights[last] += amount;
}

/// SplitMix64 (Steele and others 2014): small, and the seed alone decides.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            let chosen = (self.next() % (last as u64 + 1)) as usize;
            values.swap(last, chosen);
        }
    }
}

/// The separators of all topics together, laid out so that one text is scored for every topic in one walk over its features.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Separators {
    topics: usize,
    /// `weights[feature * topics + topic]`.
    weights: Vec<f32>,
    biases: Vec<f32>,
    /// Of each feature, over all topics.
    averages: Vec<f32>,
}

impl Separators {
    /// Sums the examples up again; `vectors` are those that the duals were learned from.
    pub(super) fn from_duals(
        duals: &[Dual],
        families: &[Family],
        vectors: &[Vector],
        features: usize,
    ) -> Self {
        let topics = duals.len();
        let mut all = Self {
            topics,
            weights: vec![0.0; features * topics],
            biases: vec![0.0; topics],
            averages: Vec::new(),
        };
        for (topic, dual) in duals.iter().enumerate() {
            for (example, amount) in dual {
                for (feature, value) in vectors.get(*example as usize).into_iter().flatten() {
                    all.weights[*feature as usize * topics + topic] += amount * value;
                }
                all.biases[topic] += amount;
            }
        }
        for family in families {
            all.add_family(family, vectors, features);
        }
        all.averages = all
            .weights
            .chunks_exact(topics.max(1))
            .map(|row| row.iter().sum::<f32>() / topics as f32)
            .collect();
        all
    }

    /// Adds a share of the family's separator to those of its members.
    fn add_family(&mut self, family: &Family, vectors: &[Vector], features: usize) {
        let (mut weights, mut bias) = (vec![0.0_f32; features], 0.0);
        for (example, amount) in &family.dual {
            for (feature, value) in vectors.get(*example as usize).into_iter().flatten() {
                weights[*feature as usize] += amount * value;
            }
            bias += amount;
        }
        let members: Vec<usize> = family
            .topics
            .iter()
            .map(|topic| *topic as usize)
            .filter(|topic| *topic < self.topics)
            .collect();
        for (row, weight) in self.weights.chunks_exact_mut(self.topics.max(1)).zip(&weights) {
            if *weight != 0.0 {
                for topic in &members {
                    row[*topic] += family.share * weight;
                }
            }
        }
        for topic in members {
            self.biases[topic] += family.share * bias;
        }
    }

    /// How much more a feature speaks for a topic than for the topics on average.
    pub(crate) fn beyond_average(&self, feature: u32, topic: usize) -> f32 {
        let of_topic = self.row(feature).get(topic).copied().unwrap_or_default();
        of_topic - self.averages.get(feature as usize).copied().unwrap_or_default()
    }

    /// One score for each topic; above zero means that the separator takes the text for its own.
    pub(crate) fn scores(&self, vector: &Vector) -> Vec<f32> {
        let mut scores = self.biases.clone();
        work::count(vector.len() * self.topics);
        for (feature, value) in vector {
            for (score, weight) in scores.iter_mut().zip(self.row(*feature)) {
                *score += weight * value;
            }
        }
        scores
    }

    /// The weights of one feature, one for each topic.
    fn row(&self, feature: u32) -> &[f32] {
        let start = feature as usize * self.topics;
        self.weights.get(start..start + self.topics).unwrap_or_default()
    }
}
