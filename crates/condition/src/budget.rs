//! What many evaluations may cost together.

use crate::{evaluate::Evaluation, pattern::Allowance};

/// What is left to the evaluations of one event, so that a hundred rules are bounded like one.
///
/// ```
/// use condition::{Budget, Condition, Scope};
/// use serde_json::json;
///
/// let event = json!({"summary": "x".repeat(1_000)});
/// let scope = Scope::at("2026-11-22T05:00:00Z".parse()?).with("event", &event);
/// let condition: Condition = "not event.summary matches part 'disk'".parse()?;
///
/// let mut budget = Budget::of_steps(1_500);
/// assert!(condition.matches_within(&scope, &mut budget));
/// // The second does not fit any more: it is false, and so is whatever comes after it.
/// assert!(!condition.matches_within(&scope, &mut budget));
/// assert!(budget.is_spent());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The patterns of all evaluations share the allowance that one has by itself; a pattern that has to be given up spends
/// the budget, so that nothing is decided by what was not looked at.
#[derive(Debug)]
pub struct Budget {
    steps: u64,
    allowance: Allowance,
    spent: bool,
}

impl Budget {
    /// `steps` are nodes and path segments visited and bytes looked at, as in
    /// [`Outcome::steps`](crate::Outcome::steps).
    pub fn of_steps(steps: u64) -> Self {
        Self {
            steps,
            allowance: Allowance::default(),
            spent: false,
        }
    }

    /// Whether something asked for more than was left. Nothing is granted any more then.
    pub fn is_spent(&self) -> bool {
        self.spent
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// The allowance for patterns, until the evaluation is settled.
    pub(crate) fn lend(&mut self) -> Allowance {
        std::mem::replace(&mut self.allowance, Allowance::NONE)
    }

    pub(crate) fn settle(&mut self, evaluation: Evaluation<'_, '_>) {
        self.spent |= evaluation.gave_up || evaluation.steps > self.steps;
        self.steps = self.steps.saturating_sub(evaluation.steps);
        self.allowance = evaluation.allowance;
    }

    /// Takes what something costs in steps and in work on patterns; false where it is too much.
    pub(crate) fn take(&mut self, steps: u64, work: u64) -> bool {
        match self.steps.checked_sub(steps) {
            Some(rest) if !self.spent && self.allowance.take(work) => {
                self.steps = rest;
                true
            }
            _ => {
                self.spent = true;
                false
            }
        }
    }
}
