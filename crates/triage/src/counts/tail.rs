//! How rare a value is, judged by the series' own past.
//!
//! A value is evidence on a logarithmic scale. Of every six hours the highest value is kept. The highest fifth of these (the
//! upper half, while they are few) are taken to lie on an exponential tail, which continues beyond the highest value seen.
//! How steep the tail is was estimated from few values, so what is asked is not "how rare is this on the tail that fits
//! best" but "how rare is it on the tails that these values may have come from": averaged over them, the exponential becomes
//! a power whose exponent is the number of values (a Lomax distribution; Geisser, "Predictive Inference", 1993). With few
//! values behind it, a tail is therefore much longer than it looks. Fewer than eight spans say nothing.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Length of a span, in seconds.
pub(super) const SPAN_SECONDS: i64 = 21_600;

/// Spans that are remembered: sixty days.
const SPANS: usize = 240;

/// Spans before which nothing is said.
pub(super) const SPANS_NEEDED: usize = 8;

/// The highest value of each so many spans makes the tail; while there are few spans more of them do, up to half.
const TAIL_SHARE: usize = 5;
const TAIL_LEAST: usize = 12;

/// The narrowest tail; keeps a series that never changed from dividing by zero.
const SCALE_LEAST: f64 = 1e-6;

/// The highest values of past spans.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tail {
    highest: VecDeque<f32>,
    current: f32,
    fitted: Option<Fitted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Fitted {
    threshold: f64,
    scale: f64,
    /// How many values the scale was estimated from; none in what earlier versions wrote down, which knew no more than the scale.
    #[serde(default)]
    values: Option<u32>,
    /// Logarithm of how rare a span above the threshold is.
    rarity: f64,
}

impl Tail {
    /// The tail of a series that was silent for `spans` spans.
    pub(super) fn silent_for(spans: usize) -> Self {
        let mut tail = Self {
            highest: std::iter::repeat_n(0.0, spans.min(SPANS)).collect(),
            ..Self::default()
        };
        tail.fit();
        tail
    }

    /// Minus the logarithm of the probability that a span has a value above `value`; `None` if too little is known.
    pub(super) fn surprise(&self, value: f64) -> Option<f64> {
        self.fitted.map(|fitted| {
            let beyond = (value - fitted.threshold) / fitted.scale;
            match fitted.values.map(f64::from) {
                Some(values) if beyond > 0.0 => values * (beyond / values).ln_1p() + fitted.rarity,
                _ => beyond + fitted.rarity,
            }
        })
    }

    /// Takes a value of the current span. Values below zero are as usual as zero.
    pub(super) fn add(&mut self, value: f64) {
        self.current = self.current.max(value as f32);
    }

    /// Ends the current span.
    pub(super) fn end_span(&mut self) {
        self.highest.push_back(std::mem::take(&mut self.current));
        if self.highest.len() > SPANS {
            self.highest.pop_front();
        }
        self.fit();
    }

    fn fit(&mut self) {
        let spans = self.highest.len();
        if spans < SPANS_NEEDED {
            return;
        }
        let mut sorted: Vec<f64> = self.highest.iter().map(|value| f64::from(*value)).collect();
        sorted.sort_by(|one, other| other.total_cmp(one));
        let taken = (spans / TAIL_SHARE).max(TAIL_LEAST.min(spans / 2));
        let threshold = sorted[taken];
        let excess: f64 = sorted[..taken].iter().map(|value| value - threshold).sum();
        self.fitted = Some(Fitted {
            threshold,
            scale: (excess / taken as f64).max(SCALE_LEAST),
            values: u32::try_from(taken).ok(),
            rarity: (spans as f64 / taken as f64).ln(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{SPANS, Tail};

    fn of(values: impl Iterator<Item = f64>) -> Tail {
        let mut tail = Tail::default();
        for value in values {
            tail.add(value);
            tail.end_span();
        }
        tail
    }

    #[test]
    fn nothing_is_said_before_two_days() {
        assert_eq!(of((0..7).map(f64::from)).surprise(100.0), None);
        assert!(of((0..8).map(f64::from)).surprise(100.0).is_some());
    }

    #[test]
    fn an_exponential_tail_is_found_again() {
        // Quantiles of the standard exponential distribution.
        let tail = of((1..=200_u32).map(|rank| -(f64::from(rank) / 201.0).ln()));
        for surprise in [3.0, 6.0, 9.0] {
            let found = tail.surprise(surprise).unwrap();
            assert!((found / surprise - 1.0).abs() < 0.15, "{surprise} {found}");
        }
    }

    /// Quantiles stand for draws: what lies beyond all of them is seen less often than a tail promises that is taken for known.
    #[test]
    fn few_values_behind_a_tail_make_it_longer() {
        let quantiles = |number: u32| {
            of((1..=number).map(move |rank| -(f64::from(rank) / (f64::from(number) + 1.0)).ln()))
        };
        let (few, many) = (quantiles(10), quantiles(200));
        let (few, many) = (few.surprise(12.0).unwrap(), many.surprise(12.0).unwrap());
        assert!(few < 0.75 * many, "{few} {many}");
    }

    #[test]
    fn what_an_earlier_version_wrote_down_is_still_read() {
        let written =
            r#"{"highest":[1.0],"current":0.0,"fitted":{"threshold":1.0,"scale":2.0,"rarity":1.5}}"#;
        let tail: Tail = serde_json::from_str(written).unwrap();
        assert_eq!(tail.surprise(5.0), Some(3.5));
    }

    #[test]
    fn a_restless_series_needs_more_to_surprise_than_a_calm_one() {
        let calm = of((0..50).map(|span| f64::from(span % 5)));
        let restless = of((0..50).map(|span| f64::from(span % 5) * 10.0));
        assert!(calm.surprise(20.0) > restless.surprise(20.0));
    }

    #[test]
    fn memory_is_bounded_and_a_series_without_change_is_no_trouble() {
        let tail = of((0..1_000).map(|_| 2.0));
        assert_eq!(tail.highest.len(), SPANS);
        assert!(tail.surprise(2.0).unwrap().is_finite() && tail.surprise(3.0).unwrap() > 100.0);
    }
}
