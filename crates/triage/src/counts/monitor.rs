//! All series together, and the clock that they share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::series::{Bucket, QUESTIONS, Series};
use super::tail::SPAN_SECONDS;
use super::usual::{Evidence, Hour};
use super::{Alarm, Key, Settings};
use crate::work;

/// A jump of the clock beyond this is not filled with silence: 28 days.
const LONGEST_GAP: i64 = 28 * 86_400;

const WEEK: f64 = 7.0 * 86_400.0;

/// Watches the counts of many keys, at most [`Settings::keys_maximum`], some ten kilobytes each.
///
/// A scan in four widths (half an hour to half a day, and the last bucket) and a CUSUM (Page, "Continuous inspection
/// schemes", 1954) ask of each key whether it is too full; a tail fitted to its own past (peaks over threshold: Coles,
/// 2001; predictive: Geisser, 1993) says how rare that is. See the [module](crate::counts).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "MonitorRecord", into = "MonitorRecord")]
pub struct Monitor {
    settings: Settings,
    evidence: Evidence,
    /// Start of the open bucket, in units of buckets since 1970; `None` before the first instant.
    open: Option<i64>,
    /// Spans that ended since the beginning.
    spans: usize,
    series: BTreeMap<Key, Series>,
}

/// How a [`Monitor`] is written down.
#[derive(Serialize, Deserialize)]
struct MonitorRecord {
    settings: Settings,
    evidence: Evidence,
    open: Option<i64>,
    spans: usize,
    series: Vec<(Key, Series)>,
}

impl From<Monitor> for MonitorRecord {
    fn from(monitor: Monitor) -> Self {
        Self {
            settings: monitor.settings,
            evidence: monitor.evidence,
            open: monitor.open,
            spans: monitor.spans,
            series: monitor.series.into_iter().collect(),
        }
    }
}

impl From<MonitorRecord> for Monitor {
    fn from(record: MonitorRecord) -> Self {
        Self {
            settings: bounded(record.settings),
            evidence: record.evidence,
            open: record.open,
            spans: record.spans,
            series: record.series.into_iter().collect(),
        }
    }
}

fn bounded_rate(rate: f64) -> f64 {
    if rate.is_finite() {
        rate.clamp(1e-6, 1e3)
    } else {
        Settings::default().false_alarms_per_week
    }
}

/// Settings that make sense, whatever was asked for.
fn bounded(settings: Settings) -> Settings {
    Settings {
        bucket_seconds: settings.bucket_seconds.clamp(1, 3_600),
        false_alarms_per_week: bounded_rate(settings.false_alarms_per_week),
        keys_maximum: settings.keys_maximum.max(1),
        ..settings
    }
}

impl Monitor {
    /// A monitor that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        let settings = bounded(settings);
        Self {
            evidence: Evidence::new(settings.bucket_seconds),
            settings,
            open: None,
            spans: 0,
            series: BTreeMap::new(),
        }
    }

    /// States another rate of false alarms, by the week ([`Settings::false_alarms_per_week`]), from now on. What is known of
    /// the usual stays.
    pub fn state_false_alarms(&mut self, per_week: f64) {
        self.settings.false_alarms_per_week = bounded_rate(per_week);
    }

    /// Counts `reports` of `key` now, that is in the bucket of the last [`Monitor::advance`].
    pub fn observe(&mut self, key: &Key, reports: u32) {
        if reports == 0 {
            return;
        }
        if !self.series.contains_key(key) {
            self.make_room();
            self.series.insert(key.clone(), Series::silent_for(self.spans));
        }
        if let Some(series) = self.series.get_mut(key) {
            series.open = series.open.saturating_add(reports);
        }
    }

    fn make_room(&mut self) {
        while self.series.len() >= self.settings.keys_maximum {
            work::count(self.series.len());
            let silent = self
                .series
                .iter()
                .min_by_key(|(_, series)| (series.open > 0, series.last_report));
            let Some(key) = silent.map(|(key, _)| key.clone()) else {
                return;
            };
            self.series.remove(&key);
        }
    }

    /// Moves time to `now` (seconds since 1970, UTC), closes the buckets that are over, and says what is unusual in them,
    /// in order of time, then strongest first. Time that runs backwards is ignored.
    pub fn advance(&mut self, now: i64) -> Vec<Alarm> {
        let seconds = i64::from(self.settings.bucket_seconds);
        let target = now.div_euclid(seconds);
        let first = self.open.unwrap_or(target);
        if target < first {
            return Vec::new();
        }
        let last = target.min(first.saturating_add(LONGEST_GAP / seconds));
        let mut alarms = Vec::new();
        for open in first..last {
            alarms.extend(self.close((open + 1).saturating_mul(seconds)));
        }
        self.open = Some(target);
        alarms
    }

    fn close(&mut self, end: i64) -> Vec<Alarm> {
        let seconds = self.settings.bucket_seconds;
        let start = end.saturating_sub(i64::from(seconds));
        let local = start.saturating_add(i64::from(self.settings.utc_offset_seconds));
        let bucket = Bucket {
            end,
            seconds,
            hour: Hour::of(local),
            ends_span: end.div_euclid(SPAN_SECONDS) != start.div_euclid(SPAN_SECONDS),
        };
        // A span brings one chance to each question of each key.
        let chances = WEEK / SPAN_SECONDS as f64 * (QUESTIONS * self.series.len()) as f64;
        let mut alarms = Vec::new();
        for (key, series) in &mut self.series {
            let Some(answer) = series.close(bucket, &self.evidence) else {
                continue;
            };
            let chance_per_week = chances * (-answer.surprise).exp();
            if chance_per_week <= self.settings.false_alarms_per_week && end >= series.quiet_until {
                series.quiet_until = end.saturating_add(i64::from(self.settings.quiet_seconds));
                alarms.push(Alarm {
                    key: key.clone(),
                    at: end,
                    sign: answer.sign,
                    observed: answer.observed,
                    expected: answer.expected,
                    chance_per_week,
                });
            }
        }
        self.evidence.add(bucket.hour);
        self.spans += usize::from(bucket.ends_span);
        alarms.sort_by(|one, other| one.chance_per_week.total_cmp(&other.chance_per_week));
        alarms
    }

    /// How many keys are watched.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether nothing was reported yet.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}

#[cfg(test)]
mod tests;
