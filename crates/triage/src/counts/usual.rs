//! The usual count of each hour of the week.
//!
//! An hour of the week (Tuesday, 9 to 10) is estimated from its own past, drawn towards the same hour of all days,
//! and that towards the mean of all hours, each by as much as two hours or ten reports are worth; so the estimate is
//! usable after a day and sharp after some weeks. Older weeks count less and less. A burst is cut before it is
//! learned, so that an outage does not become usual.

use serde::{Deserialize, Serialize};

const HOURS_OF_DAY: usize = 24;
const HOURS_OF_WEEK: usize = 168;

/// Evidence that draws an estimate towards the coarser one, in seconds of observation.
const PRIOR_SECONDS: f64 = 7_200.0;

/// The same in reports, for series that have few: a handful of them says little about its hour.
const PRIOR_REPORTS: f64 = 10.0;

/// What is left of the evidence for each hour of observation in the same slot: all, hour of the day, hour of the week.
/// The last loses about a fifth each week, the first about half.
const KEPT_PER_HOUR: [f64; 3] = [0.9964, 0.9646, 0.7847];

/// A count that is above so many times the usual one, and some, is learned as if it were not.
const CUT_FACTOR: f64 = 3.0;
const CUT_OFFSET: f64 = 5.0;

/// Where an instant lies in the week.
#[derive(Clone, Copy)]
pub(super) struct Hour(usize);

impl Hour {
    /// `local` in seconds since 1970 in local time.
    pub(super) fn of(local: i64) -> Self {
        Self(local.div_euclid(3_600).rem_euclid(HOURS_OF_WEEK as i64) as usize)
    }

    fn of_day(self) -> usize {
        self.0 % HOURS_OF_DAY
    }
}

/// How many buckets stand behind each estimate. The same for all series of a monitor, because a series that is new was
/// silent before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Evidence {
    buckets: Slots,
    bucket_seconds: f64,
}

/// Weighted sums over all, by hour of the day, by hour of the week.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Slots {
    all: f64,
    day: Vec<f32>,
    week: Vec<f32>,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            all: 0.0,
            day: vec![0.0; HOURS_OF_DAY],
            week: vec![0.0; HOURS_OF_WEEK],
        }
    }
}

impl Slots {
    fn add(&mut self, hour: Hour, amount: f64, kept: [f64; 3]) {
        self.all = self.all * kept[0] + amount;
        if let Some(slot) = self.day.get_mut(hour.of_day()) {
            *slot = (f64::from(*slot) * kept[1] + amount) as f32;
        }
        if let Some(slot) = self.week.get_mut(hour.0) {
            *slot = (f64::from(*slot) * kept[2] + amount) as f32;
        }
    }

    fn get(&self, hour: Hour) -> [f64; 3] {
        let at = |slots: &[f32], index: usize| f64::from(slots.get(index).copied().unwrap_or_default());
        [self.all, at(&self.day, hour.of_day()), at(&self.week, hour.0)]
    }
}

impl Evidence {
    pub(super) fn new(bucket_seconds: u32) -> Self {
        Self {
            buckets: Slots::default(),
            bucket_seconds: f64::from(bucket_seconds),
        }
    }

    /// Counts one more bucket.
    pub(super) fn add(&mut self, hour: Hour) {
        self.buckets.add(hour, 1.0, self.kept());
    }

    fn kept(&self) -> [f64; 3] {
        KEPT_PER_HOUR.map(|kept| kept.powf(self.bucket_seconds / 3_600.0))
    }
}

/// The usual counts of one series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Usual {
    counts: Slots,
}

impl Usual {
    /// The count to be expected of a bucket in `hour`; `None` before anything was observed.
    pub(super) fn expected(&self, hour: Hour, evidence: &Evidence) -> Option<f64> {
        let counts = self.counts.get(hour);
        let buckets = evidence.buckets.get(hour);
        (buckets[0] > 0.0).then(|| {
            let mean = counts[0] / buckets[0];
            let prior = (PRIOR_SECONDS / evidence.bucket_seconds).max(PRIOR_REPORTS / mean.max(1e-9));
            let day = (counts[1] + prior * mean) / (buckets[1] + prior);
            (counts[2] + prior * day) / (buckets[2] + prior)
        })
    }

    /// Learns the count of a bucket of which `expected` was usual.
    pub(super) fn learn(&mut self, hour: Hour, count: u32, expected: Option<f64>, evidence: &Evidence) {
        let cut = expected.map_or(f64::INFINITY, |expected| CUT_FACTOR * expected + CUT_OFFSET);
        self.counts.add(hour, f64::from(count).min(cut), evidence.kept());
    }
}

#[cfg(test)]
mod tests {
    use super::{Evidence, Hour, Usual};

    fn after(weeks: i64, count: impl Fn(i64) -> u32) -> (Usual, Evidence) {
        let (mut usual, mut evidence) = (Usual::default(), Evidence::new(300));
        for bucket in 0..weeks * 2_016 {
            let hour = Hour::of(bucket * 300);
            let expected = usual.expected(hour, &evidence);
            usual.learn(hour, count(bucket), expected, &evidence);
            evidence.add(hour);
        }
        (usual, evidence)
    }

    #[test]
    fn each_hour_of_the_week_has_its_own_usual_count() {
        let weekday_mornings = |bucket: i64| {
            let hour = bucket / 12;
            if hour % 24 == 9 && hour / 24 % 7 < 5 {
                10
            } else {
                1
            }
        };
        let (usual, evidence) = after(6, weekday_mornings);
        let expected = |day: i64, hour: i64| {
            usual
                .expected(Hour::of((day * 24 + hour) * 3_600), &evidence)
                .unwrap()
        };
        assert!(expected(1, 9) > 8.0, "{}", expected(1, 9));
        assert!(expected(6, 9) < 4.0, "{}", expected(6, 9));
        assert!(expected(1, 12) < 1.5);
    }

    #[test]
    fn a_day_is_enough_for_a_first_estimate() {
        let (mut usual, mut evidence) = (Usual::default(), Evidence::new(300));
        assert_eq!(usual.expected(Hour::of(0), &evidence), None);
        for bucket in 0..288 {
            usual.learn(Hour::of(bucket * 300), 4, None, &evidence);
            evidence.add(Hour::of(bucket * 300));
        }
        let expected = usual.expected(Hour::of(86_400), &evidence).unwrap();
        assert!((expected - 4.0).abs() < 0.5, "{expected}");
    }

    #[test]
    fn an_outage_does_not_become_usual() {
        let (mut usual, evidence) = after(4, |_| 1);
        for bucket in 0..36 {
            let hour = Hour::of(bucket * 300);
            let expected = usual.expected(hour, &evidence);
            usual.learn(hour, 1_000, expected, &evidence);
        }
        assert!(usual.expected(Hour::of(12 * 3_600), &evidence).unwrap() < 2.0);
    }
}
