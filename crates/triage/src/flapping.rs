//! Flapping: an alert that opens and closes so often that telling people each time helps nobody.
//!
//! Each change of state counts one and fades with a half-life. Flapping starts at one height and stops at a lower
//! one (hysteresis), so that an alert at the border does not flap in and out of flapping.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{hash::stable_hash_pair, reason::Reason, work};

/// When an alert counts as flapping.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlappingLimits {
    /// Seconds after which a change of state counts half.
    pub half_life_seconds: f64,
    /// So many recent changes start flapping.
    pub starts_at: f64,
    /// So few recent changes end it; below `starts_at`.
    pub stops_at: f64,
    /// How many keys are remembered; those calmest are forgotten first.
    pub capacity: usize,
}

impl Default for FlappingLimits {
    fn default() -> Self {
        Self {
            half_life_seconds: 600.0,
            starts_at: 5.0,
            stops_at: 2.0,
            capacity: 100_000,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Restlessness {
    /// Recent changes in millionths: whole numbers come back from a snapshot as they were, whatever its format.
    millionths: u64,
    at: Timestamp,
    flapping: bool,
}

const MILLION: f64 = 1_000_000.0;

/// How restless each key was lately: every change of state counts one and fades with a half-life. Flapping starts at one
/// height and stops at a lower one (hysteresis). At most [`FlappingLimits::capacity`] keys are remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flapping {
    keys: BTreeMap<u64, Restlessness>,
}

impl Flapping {
    /// Counts a change of state of an alert (opened, or closed by its sender) and says whether it is flapping, with the
    /// reason when it is, or when it has just stopped.
    ///
    /// ```
    /// use triage::{Flapping, FlappingLimits};
    /// let mut flapping = Flapping::default();
    /// let now = jiff::Timestamp::UNIX_EPOCH;
    /// let held: Vec<bool> =
    ///     (0..6).map(|_| flapping.change(&FlappingLimits::default(), "integration", "link 7", now).0).collect();
    /// assert_eq!(held, [false, false, false, false, true, true]);
    /// ```
    pub fn change(
        &mut self,
        limits: &FlappingLimits,
        integration: &str,
        dedup_key: &str,
        now: Timestamp,
    ) -> (bool, Option<Reason>) {
        self.change_of(limits, stable_hash_pair(integration, dedup_key), now)
    }

    /// How many seconds after `now` a flapping alert will have calmed down if it keeps its state; 0 if it is calm.
    pub fn calm_in_seconds(
        &self,
        limits: &FlappingLimits,
        integration: &str,
        dedup_key: &str,
        now: Timestamp,
    ) -> i64 {
        self.keys
            .get(&stable_hash_pair(integration, dedup_key))
            .filter(|known| known.flapping)
            .map_or(0, |known| {
                let halvings = (faded(known, limits, now) / limits.stops_at.max(f64::MIN_POSITIVE)).log2();
                (halvings.max(0.0) * limits.half_life_seconds).max(0.0).ceil() as i64
            })
    }

    fn change_of(&mut self, limits: &FlappingLimits, key: u64, now: Timestamp) -> (bool, Option<Reason>) {
        if self.keys.len() >= limits.capacity && !self.keys.contains_key(&key) {
            self.forget_calmest(limits, now);
        }
        let calm = Restlessness {
            millionths: 0,
            at: now,
            flapping: false,
        };
        let known = self.keys.entry(key).or_insert(calm);
        let before = faded(known, limits, now);
        let was_flapping = known.flapping;
        let stopped = was_flapping && before <= limits.stops_at;
        let changes = before + 1.0;
        known.millionths = (changes * MILLION).round() as u64;
        known.at = known.at.max(now);
        known.flapping = (was_flapping && !stopped) || changes >= limits.starts_at;
        let reason = if known.flapping {
            Some(Reason::Flapping {
                changes,
                starts_at: limits.starts_at,
            })
        } else {
            stopped.then_some(Reason::Calm {
                changes: before,
                stops_at: limits.stops_at,
            })
        };
        (known.flapping, reason)
    }

    fn forget_calmest(&mut self, limits: &FlappingLimits, now: Timestamp) {
        work::count(2 * self.keys.len());
        let mut heights: Vec<f64> = self
            .keys
            .values()
            .map(|known| faded(known, limits, now))
            .collect();
        heights.sort_by(f64::total_cmp);
        let median = heights.get(heights.len() / 2).copied().unwrap_or(0.0);
        let before = self.keys.len();
        self.keys.retain(|_, known| faded(known, limits, now) > median);
        if self.keys.len() == before {
            self.keys.clear();
        }
    }
}

fn faded(known: &Restlessness, limits: &FlappingLimits, now: Timestamp) -> f64 {
    let seconds = now.duration_since(known.at).as_secs_f64().max(0.0);
    known.millionths as f64 / MILLION * (-seconds / limits.half_life_seconds.max(f64::MIN_POSITIVE)).exp2()
}

#[cfg(test)]
mod tests {
    use super::{Flapping, FlappingLimits};
    use jiff::Timestamp;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn flapping_starts_high_and_stops_low() {
        let limits = FlappingLimits::default();
        let mut flapping = Flapping::default();
        let started = (0..10)
            .find(|step| flapping.change_of(&limits, 1, at(step * 30)).0)
            .unwrap();
        assert_eq!(started, 5, "five changes faded a little are not enough, six are");
        assert!(
            flapping.change_of(&limits, 1, at(600)).0,
            "still above the lower border"
        );
        assert!(
            !flapping.change_of(&limits, 1, at(3600)).0,
            "an hour of calm ends it"
        );
    }

    #[test]
    fn memory_is_bounded_and_keeps_the_restless() {
        let limits = FlappingLimits {
            capacity: 10,
            ..FlappingLimits::default()
        };
        let mut flapping = Flapping::default();
        for _ in 0..6 {
            flapping.change_of(&limits, 0, at(0));
        }
        for key in 1..1000 {
            flapping.change_of(&limits, key, at(1));
            assert!(flapping.keys.len() <= 10);
        }
        assert!(flapping.change_of(&limits, 0, at(2)).0);
    }
}
