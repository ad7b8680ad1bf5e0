//! Whose turn it is, reckoned on the wall clock.
//!
//! Turn 0 begins when the clock reads the virtual start; turns extend evenly both ways from there. By the calendar,
//! turn *n* is the *n*-th person's. By worked turns, turns without working hours are skipped in the count; whether a
//! turn is worked repeats with the pattern of turns and weeks, so one period is counted once and any turn of any
//! century is found in constant time.

use crate::layered::Advance;
use crate::span::{Micros, SECOND, WEEK};
use crate::week::WorkingHours;
use crate::work;

#[derive(Debug, Clone)]
pub(crate) struct Rotation {
    /// Local time at which turn 0 begins.
    origin: Micros,
    /// Length of a turn on the wall clock.
    length: Micros,
    worked: Option<WorkedTurns>,
}

/// How many turns are worked before each turn of one period.
#[derive(Debug, Clone)]
struct WorkedTurns {
    /// One entry per turn of the period.
    before: Vec<u32>,
    per_period: i64,
}

impl Rotation {
    pub(crate) fn new(origin: Micros, length_seconds: u64, advance: Advance, hours: &WorkingHours) -> Self {
        let length = Micros::try_from(length_seconds).unwrap_or(Micros::MAX / SECOND) * SECOND;
        let mut rotation = Self {
            origin,
            length,
            worked: None,
        };
        if advance == Advance::WorkedTurns && *hours != WorkingHours::Always {
            rotation.worked = Some(rotation.count_worked(hours));
        }
        rotation
    }

    fn count_worked(&self, hours: &WorkingHours) -> WorkedTurns {
        let period = WEEK / greatest_common_divisor(self.length, WEEK);
        let mut worked: u32 = 0;
        let mut before = Vec::new();
        for turn in 0..period {
            work::count(1);
            before.push(worked);
            let start = (self.origin + (turn * (self.length % WEEK)) % WEEK).rem_euclid(WEEK);
            if self.length >= WEEK || hours.overlaps(start, start + self.length) {
                worked += 1;
            }
        }
        WorkedTurns {
            before,
            per_period: i64::from(worked),
        }
    }

    /// The turn to which a local time belongs.
    pub(crate) fn turn_at(&self, local: Micros) -> i64 {
        (local - self.origin).div_euclid(self.length)
    }

    /// Local time at which a turn begins.
    pub(crate) fn start_of(&self, turn: i64) -> Micros {
        self.origin.saturating_add(turn.saturating_mul(self.length))
    }

    pub(crate) fn length(&self) -> Micros {
        self.length
    }

    /// How far the rotation has advanced since turn 0 when the turn begins; negative before it.
    pub(crate) fn advanced_by(&self, turn: i64) -> i64 {
        let Some(worked) = &self.worked else { return turn };
        let period = worked.before.len() as i64;
        let before = worked.before[turn.rem_euclid(period) as usize];
        turn.div_euclid(period) * worked.per_period + i64::from(before)
    }

    /// Whose turn it is, as an index below `people`.
    pub(crate) fn person(&self, turn: i64, people: usize) -> usize {
        self.advanced_by(turn).rem_euclid(people.max(1) as i64) as usize
    }
}

fn greatest_common_divisor(mut a: Micros, mut b: Micros) -> Micros {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
