//! Stretches of time, and the unit in which this crate reckons.
//!
//! Every stretch is half-open: its start belongs to it, its end does not, so neighbours never overlap. Instants are
//! kept to the microsecond; what is finer is cut off towards the past, alike in questions and in schedules.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Microseconds: since 1970 UTC for an instant, since 1970 on the clock face for a local time.
pub(crate) type Micros = i64;

pub(crate) const SECOND: Micros = 1_000_000;
pub(crate) const DAY: Micros = 86_400 * SECOND;
pub(crate) const WEEK: Micros = 7 * DAY;

pub(crate) fn micros(instant: Timestamp) -> Micros {
    Micros::try_from(instant.as_nanosecond().div_euclid(1_000)).unwrap_or(Micros::MAX)
}

/// The instant, or the nearest one that a [`Timestamp`] can hold.
pub(crate) fn instant(at: Micros) -> Timestamp {
    Timestamp::from_microsecond(at).unwrap_or(if at < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// A stretch of time from `start` (inside) to `end` (outside); never empty, never backwards. Instants are UTC, to the
/// microsecond.
///
/// ```
/// use schedule::Span;
///
/// let day = Span::new("2026-03-08T00:00:00Z".parse()?, "2026-03-09T00:00:00Z".parse()?)?;
/// assert!(day.contains(day.start()) && !day.contains(day.end()));
/// assert_eq!(day.duration().as_hours(), 24);
/// assert!(Span::new(day.end(), day.start()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Bounds", into = "Bounds")]
pub struct Span {
    start: Timestamp,
    end: Timestamp,
}

/// The end of a span does not come after its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the end ({end}) must come after the start ({start})")]
pub struct EmptySpan {
    /// The start as given.
    pub start: Timestamp,
    /// The end as given.
    pub end: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Bounds {
    start: Timestamp,
    end: Timestamp,
}

impl TryFrom<Bounds> for Span {
    type Error = EmptySpan;

    fn try_from(bounds: Bounds) -> Result<Self, EmptySpan> {
        Self::new(bounds.start, bounds.end)
    }
}

impl From<Span> for Bounds {
    fn from(span: Span) -> Self {
        Self {
            start: span.start,
            end: span.end,
        }
    }
}

impl Span {
    /// The stretch between two instants, each cut to the microsecond.
    ///
    /// # Errors
    /// [`EmptySpan`] when `end` is not at least a microsecond after `start`.
    pub fn new(start: Timestamp, end: Timestamp) -> Result<Self, EmptySpan> {
        let (from, to) = (micros(start), micros(end));
        if from < to {
            Ok(Self::from_micros(from, to))
        } else {
            Err(EmptySpan { start, end })
        }
    }

    pub(crate) fn from_micros(start: Micros, end: Micros) -> Self {
        debug_assert!(start < end, "a span is never empty");
        Self {
            start: instant(start),
            end: instant(end),
        }
    }

    /// The first instant inside.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The first instant after.
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// How much time passes in it.
    pub fn duration(&self) -> SignedDuration {
        self.end.duration_since(self.start)
    }

    /// Whether the instant lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        let at = micros(at);
        self.start_micros() <= at && at < self.end_micros()
    }

    /// The part that both have in common, if there is one.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end)).ok()
    }

    pub(crate) fn start_micros(&self) -> Micros {
        micros(self.start)
    }

    pub(crate) fn end_micros(&self) -> Micros {
        micros(self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_finer_than_a_microsecond_is_cut_off_everywhere_alike() {
        let at = |nanosecond: i128| Timestamp::from_nanosecond(nanosecond).unwrap();
        let span = Span::new(at(5_750_999), at(1_005_750_001)).unwrap();
        assert_eq!(span, Span::from_micros(5_750, 1_005_750));
        assert!(span.contains(at(5_750_001)) && !span.contains(at(1_005_750_001)));
        assert_eq!(span.duration(), SignedDuration::from_secs(1));
        assert!(Span::new(at(1_000), at(1_999)).is_err());
    }
}
