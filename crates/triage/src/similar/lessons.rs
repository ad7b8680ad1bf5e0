//! What people confirmed and refused, and the weights of the reasons that follow from it.
//!
//! Each answer of a person is kept as the difference between what spoke for the right report and what spoke for a wrong
//! one. The weights are those that a few careful steps along all these differences give (pairwise logistic regression),
//! starting from one for every reason. They are computed anew from the answers, so that an answer that is taken back
//! leaves no trace; the oldest of too many answers is forgotten.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Reason;

/// Sorts of reasons.
const SORTS: usize = 7;

/// Answers kept.
const ANSWERS: usize = 500;

/// How far one answer can move a weight, and how sure a ranking must be not to move it.
const STEP: f64 = 0.5;
const SHARPNESS: f64 = 4.0;

/// No reason is ever worth nothing, or all.
const LEAST: f64 = 0.2;
const MOST: f64 = 5.0;

/// Points by sort of reason.
pub(super) type Points = [f64; SORTS];

/// How much each sort of reason counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Weights(Points);

impl Default for Weights {
    fn default() -> Self {
        Self([1.0; SORTS])
    }
}

impl Weights {
    pub(super) fn of(&self, reason: &Reason) -> f64 {
        self.0[sort(reason)]
    }
}

fn sort(reason: &Reason) -> usize {
    match reason {
        Reason::Words { .. } => 0,
        Reason::Template { .. } => 1,
        Reason::Services { .. } => 2,
        Reason::Touchpoints { .. } => 3,
        Reason::Locations { .. } => 4,
        Reason::OtherLocation { .. } => 5,
        Reason::Time { .. } => 6,
    }
}

/// The points of reasons, by sort, as they are before weighting.
pub(super) fn points<'a>(reasons: impl Iterator<Item = &'a Reason>) -> Points {
    let mut points = [0.0; SORTS];
    for reason in reasons {
        points[sort(reason)] += reason.points();
    }
    points
}

/// The answers of people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Lessons {
    answers: VecDeque<Answer>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    /// Which question and report it was about.
    about: u64,
    difference: Points,
}

impl Lessons {
    /// Learns that `right` is to stand above `wrong`.
    pub(super) fn learn(&mut self, about: u64, right: &Points, wrong: &Points) {
        let difference = std::array::from_fn(|sort| right[sort] - wrong[sort]);
        self.answers.push_back(Answer { about, difference });
        while self.answers.len() > ANSWERS {
            self.answers.pop_front();
        }
    }

    /// Forgets what was learned from one question and report.
    pub(super) fn forget(&mut self, about: u64) {
        self.answers.retain(|answer| answer.about != about);
    }

    /// The weights that follow from all answers.
    pub(super) fn weights(&self) -> Weights {
        let mut weights = Weights::default();
        for answer in &self.answers {
            let margin: f64 = weights
                .0
                .iter()
                .zip(&answer.difference)
                .map(|(weight, points)| weight * points)
                .sum();
            let doubt = 1.0 / (1.0 + (SHARPNESS * margin).exp());
            for (weight, points) in weights.0.iter_mut().zip(&answer.difference) {
                *weight = (*weight + STEP * doubt * points).clamp(LEAST, MOST);
            }
        }
        weights
    }
}
