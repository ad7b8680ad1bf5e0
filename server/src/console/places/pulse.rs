//! The pulse of *Now*: alerts, cases and pages of the last six hours on one clock, beside what is usual.
//!
//! Usual is what the same six hours were yesterday and a week ago, the lowest and the highest step with its
//! neighbours. Two windows are read, so the cost does not grow with the history.

use std::time::Duration;

use jiff::Timestamp;
use store::{Error, Tx};

use crate::console::kit::{Pulse, Reading, Rich, Series, spark, thousands};

/// Steps of the pulse: six hours in steps of ten minutes.
const STEPS: usize = 36;
const STEP: Duration = Duration::from_mins(10);
const WINDOW: Duration = Duration::from_hours(6);
/// How long ago the windows began that say what is usual.
const BEFORE: [Duration; 2] = [Duration::from_hours(24), Duration::from_hours(7 * 24)];

/// One thing that is counted, now and before.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    name: &'static str,
    values: Vec<f64>,
    usual: Option<(f64, f64)>,
}

/// Everything that is counted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counted {
    now: Timestamp,
    lines: Vec<Line>,
}

impl Counted {
    pub(super) fn has_usual(&self) -> bool {
        self.lines.iter().any(|line| line.usual.is_some())
    }
}

type ByStep = fn(&mut Tx, Timestamp, Duration) -> Result<Vec<(i64, i64)>, Error>;

pub(super) fn count(tx: &mut Tx, now: Timestamp) -> Result<Counted, Error> {
    let counted: [(&'static str, ByStep); 3] = [
        ("Alerts in", crate::alerts::store::by_step),
        ("Customers’ cases", crate::cases::store::by_step),
        ("Pages to people", crate::outbox::store::pages_by_step),
    ];
    let mut lines = Vec::new();
    for (name, by_step) in counted {
        let values = steps(&by_step(tx, now - WINDOW, STEP)?, STEPS);
        let mut past = Vec::new();
        for before in BEFORE {
            past.push(steps(&by_step(tx, now - WINDOW - before, STEP)?, STEPS));
        }
        lines.push(Line {
            name,
            values,
            usual: usual(&past),
        });
    }
    Ok(Counted { now, lines })
}

/// Counts by the number of their step; what lies outside of the window is left out.
fn steps(rows: &[(i64, i64)], count: usize) -> Vec<f64> {
    let mut values = vec![0.0; count];
    for (index, counted) in rows {
        // What came in this very instant stands on the edge of the last step.
        let index = usize::try_from(*index)
            .ok()
            .map(|index| if index == count { index - 1 } else { index });
        if let Some(value) = index.and_then(|index| values.get_mut(index)) {
            *value += *counted as f64;
        }
    }
    values
}

/// The range in which nine of ten steps were; nothing where nothing was counted.
fn usual(past: &[Vec<f64>]) -> Option<(f64, f64)> {
    let mut all: Vec<f64> = past.iter().flatten().copied().collect();
    if all.iter().all(|value| *value == 0.0) {
        return None;
    }
    all.sort_by(f64::total_cmp);
    let at = |share: f64| {
        all.get(((all.len() - 1) as f64 * share).round() as usize)
            .copied()
    };
    Some((at(0.05)?, at(0.95)?))
}

/// `began` is the line through all pictures: since when something is open.
pub(super) fn draw(counted: &Counted, began: Option<Timestamp>) -> Vec<Pulse> {
    let share = began.and_then(|at| {
        let ago = counted.now.duration_since(at).as_secs_f64() / WINDOW.as_secs_f64();
        (0.0..=1.0).contains(&ago).then_some(1.0 - ago)
    });
    counted.lines.iter().map(|line| pulse(line, share)).collect()
}

fn pulse(line: &Line, began: Option<f64>) -> Pulse {
    let last = line.values.last().copied().unwrap_or(0.0);
    let most = line.values.iter().copied().fold(0.0_f64, f64::max);
    let number = |value: f64| thousands(value as u64);
    let note = match line.usual {
        Some((low, high)) => format!("usual {} to {}", number(low), number(high)),
        None => format!("at most {}", number(most)),
    };
    Pulse {
        name: line.name,
        spark: spark(&Series {
            values: line.values.clone(),
            usual: line.usual,
            began,
            told: format!(
                "{}: {} in the last ten minutes, {} at most in six hours, {note}",
                line.name,
                number(last),
                number(most)
            ),
        }),
        note: Rich::plain(note),
        value: number(last),
        unit: "in 10 min",
    }
}

/// Four times under the pulse.
pub(super) fn axis(reading: &Reading) -> Vec<String> {
    (0..4)
        .rev()
        .map(|part| reading.clock_words(reading.now - STEP * (part * 12)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_outside_of_the_window_are_left_out() {
        assert_eq!(
            steps(&[(-1, 5), (0, 2), (2, 1), (2, 1), (3, 1), (4, 9)], 3),
            [2.0, 0.0, 3.0]
        );
    }

    #[test]
    fn usual_leaves_out_the_rare_and_needs_something_counted() {
        assert_eq!(usual(&[vec![0.0; 36], vec![0.0; 36]]), None);
        let mut past = vec![4.0; 36];
        past[7] = 900.0;
        past[8] = 0.0;
        assert_eq!(usual(&[past, vec![5.0; 36]]), Some((4.0, 5.0)));
    }
}
