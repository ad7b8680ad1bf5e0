//! Notices that more is reported than usual: per topic, per place, per topic at a place, and in all.
//!
//! A [`Monitor`] counts reports in short buckets of time. For every [`Key`] it knows the usual count of each hour of the
//! week, and at the end of each bucket it asks five questions: are the last bucket, half hour, three hours and half
//! day too full (a scan in four widths), and has there been a little too much for long (a CUSUM)? An alarm on the
//! total is blind to a small outage inside a busy queue; that is why every grain is watched by itself.
//!
//! How unusual is too unusual is not a number of standard deviations but the rate of false alarms that the user
//! states ([`Settings::false_alarms_per_week`]), shared by all keys and questions. Two judges must agree that the
//! count is rarer than that: the tail of a Poisson count with the usual mean, which needs no past, and the series' own
//! past, of which the strongest evidence of every six hours is continued beyond the strongest by an exponential tail whose
//! steepness is known only as well as the past is long (peaks over threshold; Coles, "An Introduction to Statistical
//! Modeling of Extreme Values", 2001), which knows how restless this series really is. Nothing is raised in the first two
//! days. `bench triage simulated-counts` measures whether the rate holds, for calm and for restless series.
//!
//! The caller moves time: [`Monitor::advance`] to an instant, then [`Monitor::observe`] what is reported there. Memory
//! is bounded by [`Settings::keys_maximum`] (some ten kilobytes a key; the key that was silent longest makes room), and
//! everything is serialisable (in a format that keeps numbers exactly it goes on as if it had never stopped; for
//! `serde_json` that is its feature `float_roundtrip`).
//!
//! ```
//! use triage::counts::{Key, Monitor, Settings};
//!
//! let mut monitor = Monitor::new(Settings::default());
//! let hour = 3_600;
//! for passed in 0..14 * 24 {
//!     assert!(monitor.advance(passed * hour).is_empty());
//!     for key in Key::grains("card-declined", "berlin") {
//!         monitor.observe(&key, 1);
//!     }
//! }
//! for key in Key::grains("card-declined", "berlin") {
//!     monitor.observe(&key, 40);
//! }
//! let alarms = monitor.advance(14 * 24 * hour);
//! let alarm = alarms.iter().find(|alarm| alarm.key == Key::at("card-declined", "berlin")).unwrap();
//! assert_eq!(alarm.observed, 41);
//! assert!(alarm.expected < 2.0);
//! ```

mod monitor;
mod series;
mod tail;
mod usual;

use serde::{Deserialize, Serialize};

pub use monitor::Monitor;

/// What is counted together: a topic, a place, both, or everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// `None` is every topic.
    pub topic: Option<String>,
    /// `None` is every place.
    pub place: Option<String>,
}

impl Key {
    /// One topic at one place.
    pub fn at(topic: &str, place: &str) -> Self {
        Self {
            topic: Some(topic.to_owned()),
            place: Some(place.to_owned()),
        }
    }

    /// The four keys under which a report of `topic` from `place` counts, finest first: both, the topic, the place,
    /// everything.
    pub fn grains(topic: &str, place: &str) -> [Self; 4] {
        let both = Self::at(topic, place);
        [
            both.clone(),
            Self {
                place: None,
                ..both.clone()
            },
            Self { topic: None, ..both },
            Self {
                topic: None,
                place: None,
            },
        ]
    }
}

/// How counts are watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Length of a bucket, in seconds; between 1 and 3,600.
    pub bucket_seconds: u32,
    /// False alarms a week that are accepted at most from the whole monitor, in the long run, while nothing unusual
    /// happens.
    pub false_alarms_per_week: f64,
    /// After an alarm of a key, seconds for which it raises no other.
    pub quiet_seconds: u32,
    /// Local time minus UTC, in seconds: decides where hours and weeks begin.
    pub utc_offset_seconds: i32,
    /// Keys watched at most.
    pub keys_maximum: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bucket_seconds: 300,
            false_alarms_per_week: 0.5,
            quiet_seconds: 86_400,
            utc_offset_seconds: 0,
            keys_maximum: 2_000,
        }
    }
}

/// More was reported than usual.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// Of what.
    pub key: Key,
    /// End of the bucket that decided, in seconds since 1970 (UTC).
    pub at: i64,
    /// Which question was answered with yes.
    pub sign: Sign,
    /// Reports counted over the span of the sign.
    pub observed: u64,
    /// Reports usual over that span.
    pub expected: f64,
    /// How often a week something like it would come from chance alone, over the whole monitor.
    pub chance_per_week: f64,
}

/// How too many reports show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "sign", rename_all = "snake_case")]
pub enum Sign {
    /// Too many within one window of time.
    Burst {
        /// Length of the window, in seconds.
        seconds: u32,
    },
    /// A little too many, for long.
    Persistent {
        /// Since when, in seconds before the alarm.
        seconds: u32,
    },
}
