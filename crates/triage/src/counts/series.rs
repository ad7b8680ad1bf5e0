//! One key's counts: what is usual, what came lately, and how rare that is.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Sign;
use super::tail::{SPAN_SECONDS, Tail};
use super::usual::{Evidence, Hour, Usual};

/// Widths of the scan, in seconds; the first is one bucket.
const SCANS: [u32; 4] = [0, 1_800, 10_800, 43_200];

/// Questions asked of each bucket: the scans and the CUSUM.
pub(super) const QUESTIONS: usize = SCANS.len() + 1;

/// Counts below this are never expected in a window: what was never reported may well be reported once or twice.
const EXPECTED_LEAST: f64 = 0.25;

/// The CUSUM looks for this multiple of the usual rate.
const CUSUM_RATIO: f64 = 2.0;

/// Memory of the dispersion, by bucket, and how far one bucket may move it.
const DISPERSION_KEPT: f64 = 0.999;
const DISPERSION_STEP: f64 = 50.0;

/// The counts of one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Series {
    usual: Usual,
    /// Reports in the bucket that is open.
    pub(super) open: u32,
    /// Counts of the last closed buckets and what was usual, newest last.
    recent: VecDeque<(u32, f32)>,
    cusum: Cusum,
    tails: [Tail; QUESTIONS],
    /// End of the last bucket with a report.
    pub(super) last_report: i64,
    /// When it may raise an alarm again.
    pub(super) quiet_until: i64,
}

/// Evidence for twice the usual rate, as a log likelihood ratio that never falls below zero (Page 1954), divided by how
/// much more the series scatters than a Poisson count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Cusum {
    value: f64,
    dispersion: f64,
    since: i64,
    observed: u64,
    expected: f64,
}

/// What a bucket's answer looks like.
pub(super) struct Answer {
    pub(super) sign: Sign,
    pub(super) observed: u64,
    pub(super) expected: f64,
    /// Minus the logarithm of the probability that six hours of chance bring it.
    pub(super) surprise: f64,
}

/// A bucket that ends.
#[derive(Clone, Copy)]
pub(super) struct Bucket {
    pub(super) end: i64,
    pub(super) seconds: u32,
    pub(super) hour: Hour,
    /// Whether a span of the tails ends with it.
    pub(super) ends_span: bool,
}

impl Series {
    /// A series that was silent until now, after `spans` spans of the monitor.
    pub(super) fn silent_for(spans: usize) -> Self {
        Self {
            usual: Usual::default(),
            open: 0,
            recent: VecDeque::new(),
            cusum: Cusum {
                value: 0.0,
                dispersion: 1.0,
                since: 0,
                observed: 0,
                expected: 0.0,
            },
            tails: std::array::from_fn(|_| Tail::silent_for(spans)),
            last_report: 0,
            quiet_until: i64::MIN,
        }
    }

    /// Closes the open bucket: the most surprising answer, and everything learned.
    pub(super) fn close(&mut self, bucket: Bucket, evidence: &Evidence) -> Option<Answer> {
        let count = std::mem::take(&mut self.open);
        if count > 0 {
            self.last_report = bucket.end;
        }
        let expected = self.usual.expected(bucket.hour, evidence);
        let usual = expected.unwrap_or(f64::from(count));
        self.usual.learn(bucket.hour, count, expected, evidence);
        self.remember(count, usual, bucket);
        self.cusum.add(count, usual, bucket);
        let mut most: Option<Answer> = None;
        for (question, reading) in self.readings(usual, bucket).into_iter().enumerate() {
            let Some(reading) = reading else { continue };
            let tail = &mut self.tails[question];
            let by_past = tail.surprise(reading.value);
            tail.add(reading.value);
            let Some(surprise) = by_past.map(|by_past| by_past.min(reading.by_chance)) else {
                continue;
            };
            if most.as_ref().is_none_or(|most| surprise > most.surprise) {
                most = Some(Answer {
                    surprise,
                    ..reading.answer
                });
            }
        }
        if bucket.ends_span {
            self.tails.iter_mut().for_each(Tail::end_span);
        }
        most
    }

    fn remember(&mut self, count: u32, usual: f64, bucket: Bucket) {
        self.recent.push_back((count, usual as f32));
        let kept = SCANS
            .iter()
            .map(|width| buckets(*width, bucket.seconds))
            .max()
            .unwrap_or(1);
        while self.recent.len() > kept {
            self.recent.pop_front();
        }
    }

    /// The reading of each question; a scan has none before its window is full.
    fn readings(&self, usual: f64, bucket: Bucket) -> [Option<Reading>; QUESTIONS] {
        let mut readings = [const { None }; QUESTIONS];
        let in_span = SPAN_SECONDS as f64 / f64::from(bucket.seconds);
        let (mut observed, mut expected, mut summed) = (0_u64, 0.0, 0);
        for (reading, width) in readings.iter_mut().zip(SCANS) {
            let width = buckets(width, bucket.seconds);
            if self.recent.len() < width {
                break;
            }
            for (count, usual) in self.recent.iter().rev().take(width).skip(summed) {
                observed += u64::from(*count);
                expected += f64::from(*usual);
            }
            summed = width;
            let sign = Sign::Burst {
                seconds: (width as u32).saturating_mul(bucket.seconds),
            };
            let (value, by_chance) = scan(
                observed as f64,
                expected.max(EXPECTED_LEAST),
                width as f64,
                in_span,
            );
            *reading = Some(Reading {
                value,
                by_chance,
                answer: Answer {
                    sign,
                    observed,
                    expected,
                    surprise: 0.0,
                },
            });
        }
        let seconds = u32::try_from(bucket.end.saturating_sub(self.cusum.since)).unwrap_or(u32::MAX);
        // An excursion begins with a report, which alone is worth the logarithm of the ratio.
        let excursions = (CUSUM_RATIO * usual * in_span).clamp(0.5, in_span);
        readings[SCANS.len()] = Some(Reading {
            value: self.cusum.value,
            by_chance: self.cusum.value - excursions.ln(),
            answer: Answer {
                sign: Sign::Persistent { seconds },
                observed: self.cusum.observed,
                expected: self.cusum.expected,
                surprise: 0.0,
            },
        });
        readings
    }
}

/// What a question found.
struct Reading {
    /// Evidence against the usual mean: exponent of the likelihood ratio, zero where there is none.
    value: f64,
    /// Minus the logarithm of the probability that a Poisson count with the usual mean brings it within a span.
    by_chance: f64,
    answer: Answer,
}

fn buckets(seconds: u32, bucket_seconds: u32) -> usize {
    (seconds / bucket_seconds).max(1) as usize
}

/// The evidence in a window (half the Poisson deviance), and how improbable so many or more are within a span.
///
/// Of one window the probability is bounded by Stirling's formula, closely and from above. Windows that overlap are not
/// new chances: high values come in clumps, about one more than twice the
/// exponent of them for each window that lies apart.
fn scan(observed: f64, expected: f64, width: f64, in_span: f64) -> (f64, f64) {
    let logarithm = if observed > 0.0 {
        observed * (observed / expected).ln()
    } else {
        0.0
    };
    let exponent = (logarithm - (observed - expected)).max(0.0);
    if observed <= expected {
        return (0.0, -in_span.ln());
    }
    let of_window =
        exponent + (std::f64::consts::TAU * observed).ln() / 2.0 + (1.0 - expected / (observed + 1.0)).ln();
    let windows = (1.0 + in_span / width * (1.0 + 2.0 * exponent)).min(in_span);
    (exponent, of_window - windows.ln())
}

impl Cusum {
    fn add(&mut self, count: u32, usual: f64, bucket: Bucket) {
        let least = EXPECTED_LEAST * f64::from(bucket.seconds) / 3_600.0;
        let (count, usual_rate) = (f64::from(count), usual.max(least));
        let evidence = count * CUSUM_RATIO.ln() - (CUSUM_RATIO - 1.0) * usual_rate;
        let scatter = ((count - usual_rate).powi(2) / usual_rate).min(DISPERSION_STEP * self.dispersion);
        if self.value <= 0.0 {
            self.since = bucket.end.saturating_sub(i64::from(bucket.seconds));
            (self.observed, self.expected) = (0, 0.0);
        }
        self.value = (self.value + evidence / self.dispersion).max(0.0);
        self.observed = self.observed.saturating_add(count as u64);
        self.expected += usual;
        self.dispersion = (self.dispersion * DISPERSION_KEPT + scatter * (1.0 - DISPERSION_KEPT)).max(1.0);
    }
}
