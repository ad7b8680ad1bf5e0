//! Scores shared by all tasks: one line of a report, and the bootstrap interval behind it.

/// One measured number beside what it should be compared with.
pub(crate) struct Finding {
    /// What was measured, for example `top-1, pooled`.
    pub(crate) measure: String,
    pub(crate) ours: f64,
    /// 95 % interval by bootstrap over the units that the task names.
    pub(crate) interval: Option<(f64, f64)>,
    pub(crate) baseline: Option<f64>,
    pub(crate) target: Option<f64>,
}

impl Finding {
    pub(crate) fn new(measure: impl Into<String>, ours: f64) -> Self {
        Self {
            measure: measure.into(),
            ours,
            interval: None,
            baseline: None,
            target: None,
        }
    }

    pub(crate) fn interval(mut self, interval: (f64, f64)) -> Self {
        self.interval = Some(interval);
        self
    }

    pub(crate) fn baseline(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self
    }

    pub(crate) fn target(mut self, target: f64) -> Self {
        self.target = Some(target);
        self
    }
}

/// A small generator (SplitMix64, Steele and others 2014) so that the seed alone decides every draw.
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// Puts `values` into an order drawn at random (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            let chosen = self.below(last + 1);
            values.swap(last, chosen);
        }
    }
}

/// The 2.5th and 97.5th percentile of `statistic` over 1,000 resamples of `units` with replacement.
pub(crate) fn bootstrap<T>(units: &[T], seed: u64, statistic: impl Fn(&[&T]) -> f64) -> (f64, f64) {
    const RESAMPLES: usize = 1000;
    if units.is_empty() {
        return (f64::NAN, f64::NAN);
    }
    let mut draws = Draws::new(seed);
    let mut values: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let sample: Vec<&T> = (0..units.len())
                .map(|_| &units[draws.below(units.len())])
                .collect();
            statistic(&sample)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    (values[RESAMPLES / 40], values[RESAMPLES - 1 - RESAMPLES / 40])
}

/// The arithmetic mean; not a number for no values.
pub(crate) fn mean<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    let (sum, count) = values
        .into_iter()
        .fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    sum / count as f64
}

#[cfg(test)]
mod tests {
    use super::{bootstrap, mean};

    #[test]
    fn the_interval_holds_the_mean_and_depends_on_the_seed_alone() {
        let units: Vec<f64> = (0..50).map(|value| f64::from(value % 2)).collect();
        let statistic = |sample: &[&f64]| mean(sample.iter().copied());
        let (low, high) = bootstrap(&units, 7, statistic);
        assert!(low < 0.5 && 0.5 < high && low > 0.2 && high < 0.8, "{low} {high}");
        assert_eq!((low, high), bootstrap(&units, 7, statistic));
    }
}
