//! Transient alerts: those that usually clear by themselves, and how long to wait for it.
//!
//! For each kind of alert and each pause on offer two counts are kept: how many alerts were seen long enough to
//! tell, and how many of them cleared by themselves within the pause. Only a clearing that the sender reported
//! counts in favour. What a person resolved never does: where the alert had already outlived a pause it counts
//! against that pause, and otherwise it counts for nothing. The lower confidence bound decides, not the average, so
//! three lucky cases prove nothing.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{profile::Kind, reason::Reason, work};

/// The pauses on offer, in seconds (`auto_pause_notifications_parameters.timeout`).
pub const PAUSES: [u32; 5] = [120, 180, 300, 600, 900];

/// What the service wants of auto-pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoPause {
    /// Notify at once.
    #[default]
    Off,
    /// The shortest pause that is long enough for the kind of alert (`timeout` 0 in the reference).
    Recommended,
    /// At most this many seconds; one of [`PAUSES`], otherwise the next shorter one counts.
    Seconds(u32),
}

/// When a kind of alert counts as transient.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransientLimits {
    /// The share of alerts that surely clears within the pause.
    pub share: f64,
    /// How sure: standard deviations of the one-sided bound; 1.645 is 95 %.
    pub deviations: f64,
    /// Counts are halved when they reach this, so that the past fades.
    pub memory: u32,
    /// How many kinds are remembered; those with the fewest cases are forgotten first.
    pub capacity: usize,
}

impl Default for TransientLimits {
    fn default() -> Self {
        Self {
            share: 0.8,
            deviations: 1.645,
            memory: 200,
            capacity: 50_000,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    observed: [u32; PAUSES.len()],
    cleared: [u32; PAUSES.len()],
}

/// How the kinds of alerts ended so far.
///
/// ```
/// use jiff::{SignedDuration, Timestamp};
/// use triage::{AutoPause, Ending, Kind, TransientLimits, Transients};
///
/// let (limits, kind) = (TransientLimits::default(), Kind::of("link", "down"));
/// let mut transients = Transients::default();
/// for _ in 0..20 {
///     transients.learn(&limits, kind, Ending::ByItself, SignedDuration::from_secs(90));
/// }
/// let (until, why) = transients.pause(&limits, AutoPause::Recommended, kind, Timestamp::UNIX_EPOCH).unwrap();
/// assert_eq!(until, Timestamp::from_second(120).unwrap());
/// assert_eq!(
///     why.to_string(),
///     "20 of 20 such alerts cleared by themselves within 2 minutes (surely more than 88 %)."
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transients {
    #[serde(with = "as_rows")]
    kinds: BTreeMap<Kind, Tally>,
}

/// Who ended an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The sender reported that it is over.
    ByItself,
    /// A person resolved it.
    ByPerson,
}

impl Transients {
    /// Learns from the end of an alert. `age` is how long it was open; a negative one counts as zero.
    pub fn learn(&mut self, limits: &TransientLimits, kind: Kind, ending: Ending, age: SignedDuration) {
        if self.kinds.len() >= limits.capacity && !self.kinds.contains_key(&kind) {
            self.forget_least_seen();
        }
        let seconds = age.as_secs().max(0);
        let tally = self.kinds.entry(kind).or_default();
        for (index, pause) in PAUSES.into_iter().enumerate() {
            let cleared = seconds <= i64::from(pause);
            match ending {
                Ending::ByPerson if cleared => continue,
                Ending::ByPerson => {}
                Ending::ByItself => {
                    tally.cleared[index] = tally.cleared[index].saturating_add(u32::from(cleared));
                }
            }
            tally.observed[index] = tally.observed[index].saturating_add(1);
            if tally.observed[index] >= limits.memory.max(2) {
                tally.observed[index] /= 2;
                tally.cleared[index] /= 2;
            }
        }
    }

    /// The instant until which notifying should wait, with the reason; `None`: notify now.
    pub fn pause(
        &self,
        limits: &TransientLimits,
        wanted: AutoPause,
        kind: Kind,
        now: Timestamp,
    ) -> Option<(Timestamp, Reason)> {
        let longest = match wanted {
            AutoPause::Off => return None,
            AutoPause::Recommended => u32::MAX,
            AutoPause::Seconds(seconds) => seconds,
        };
        let tally = self.kinds.get(&kind)?;
        PAUSES
            .into_iter()
            .enumerate()
            .take_while(|(_, pause)| *pause <= longest)
            .find_map(|(index, pause)| {
                let (cleared, observed) = (tally.cleared[index], tally.observed[index]);
                let lower_bound = lower_bound(cleared, observed, limits.deviations);
                let until = now
                    .checked_add(SignedDuration::from_secs(i64::from(pause)))
                    .ok()?;
                (lower_bound >= limits.share).then_some((
                    until,
                    Reason::UsuallyClears {
                        cleared,
                        observed,
                        lower_bound,
                        pause_seconds: pause,
                    },
                ))
            })
    }

    fn forget_least_seen(&mut self) {
        work::count(2 * self.kinds.len());
        let mut counts: Vec<u32> = self.kinds.values().map(|tally| tally.observed[0]).collect();
        counts.sort_unstable();
        let median = counts.get(counts.len() / 2).copied().unwrap_or(0);
        let before = self.kinds.len();
        self.kinds.retain(|_, tally| tally.observed[0] > median);
        if self.kinds.len() == before {
            self.kinds.clear();
        }
    }
}

/// The lower end of Wilson's score interval (Wilson 1927) for `hits` of `trials`, `deviations` standard deviations wide
/// (1.645: surely more in 95 % of cases). Between 0 and 1; 0 without trials and for a width that is not finite, because then
/// nothing is sure.
///
/// ```
/// assert!(triage::lower_bound(3, 3, 1.645) < 0.6);
/// assert!(triage::lower_bound(300, 300, 1.645) > 0.99);
/// ```
pub fn lower_bound(hits: u32, trials: u32, deviations: f64) -> f64 {
    if trials == 0 {
        return 0.0;
    }
    let square = deviations * deviations;
    if !square.is_finite() {
        return 0.0;
    }
    let trials = f64::from(trials);
    let share = f64::from(hits).min(trials) / trials;
    let spread = deviations * (share * (1.0 - share) / trials + square / (4.0 * trials * trials)).sqrt();
    ((share + square / (2.0 * trials) - spread) / (1.0 + square / trials)).clamp(0.0, 1.0)
}

mod as_rows {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Kind, Tally};

    pub(super) fn serialize<S: Serializer>(
        kinds: &BTreeMap<Kind, Tally>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(kinds)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Kind, Tally>, D::Error> {
        Ok(Vec::<(Kind, Tally)>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{AutoPause, Ending, TransientLimits, Transients, lower_bound};
    use crate::profile::Kind;
    use jiff::{SignedDuration, Timestamp};

    const KIND: Kind = Kind(7);

    fn after(endings: &[(Ending, i64)]) -> Option<i64> {
        let limits = TransientLimits::default();
        let mut transients = Transients::default();
        for (ending, seconds) in endings {
            transients.learn(&limits, KIND, *ending, SignedDuration::from_secs(*seconds));
        }
        let now = Timestamp::UNIX_EPOCH;
        transients
            .pause(&limits, AutoPause::Recommended, KIND, now)
            .map(|(until, _)| until.as_second())
    }

    #[test]
    fn the_shortest_pause_that_is_surely_enough_is_chosen() {
        assert_eq!(after(&[(Ending::ByItself, 150); 20]), Some(180));
        assert_eq!(after(&[(Ending::ByItself, 10_000); 20]), None);
    }

    #[test]
    fn a_few_lucky_cases_prove_nothing() {
        assert_eq!(after(&[(Ending::ByItself, 30); 5]), None);
    }

    #[test]
    fn what_people_resolved_never_speaks_for_a_pause() {
        assert_eq!(after(&[(Ending::ByPerson, 30); 100]), None);
    }

    #[test]
    fn what_people_resolved_late_speaks_against_it() {
        let mut endings = vec![(Ending::ByItself, 30); 20];
        endings.extend(vec![(Ending::ByPerson, 3600); 20]);
        assert_eq!(after(&endings), None);
    }

    #[test]
    fn a_fixed_pause_is_never_exceeded() {
        let limits = TransientLimits::default();
        let mut transients = Transients::default();
        for _ in 0..50 {
            transients.learn(&limits, KIND, Ending::ByItself, SignedDuration::from_secs(500));
        }
        let pause = |wanted| {
            transients
                .pause(&limits, wanted, KIND, Timestamp::UNIX_EPOCH)
                .is_some()
        };
        assert!(!pause(AutoPause::Seconds(300)));
        assert!(pause(AutoPause::Seconds(600)));
        assert!(!pause(AutoPause::Off));
    }

    #[test]
    fn the_bound_agrees_with_published_values() {
        assert!((lower_bound(8, 10, 1.96) - 0.4902).abs() < 1e-3);
        assert!(lower_bound(0, 0, 1.96).abs() < f64::EPSILON);
    }
}
