//! The clock on the wall of a place, made monotone.
//!
//! Hand-offs and restrictions are promises about local time, but local time jumps: forwards over hours that never
//! exist, backwards over hours that come twice. This module reads the wall clock as a person would who never hands
//! over twice and never waits for an hour that does not come: its reading is the **latest local time seen so far**.
//! A hand-off happens at the first instant at which the reading has reached it. Two rules follow for every zone and
//! every kind of change: a local time inside a skipped stretch falls on the first instant after it, and one that
//! comes twice counts the first time.
//!
//! Everything else in the crate reckons on this face, where a day always has 24 hours, and asks here for instants.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::span::{DAY, Micros, SECOND, instant, micros};
use crate::work;

/// No change of offset on record exceeds a day and a few hours (Kwajalein 1993, Apia 2011), so a change that lies
/// further back than this has no say in a reading.
const MEMORY: Micros = 3 * DAY;

/// The wall clock of one zone over one stretch of time.
#[derive(Debug, Clone)]
pub(crate) struct WallClock {
    /// In order of time; never empty.
    stretches: Vec<Stretch>,
}

#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// The first instant with this offset.
    from: Micros,
    /// Local time minus UTC.
    offset: Micros,
    /// The highest local time (exclusive) that was shown before `from`.
    seen_before: Micros,
    /// The highest local time (exclusive) that has been shown when the stretch ends.
    seen_after: Micros,
}

impl WallClock {
    /// The clock for questions about instants from `start` to `end`; it answers outside them too, but there it
    /// knows nothing of further changes of offset.
    pub(crate) fn over(zone: &TimeZone, start: Micros, end: Micros) -> Self {
        let first = instant(start.saturating_sub(MEMORY));
        let last = instant(end.saturating_add(MEMORY));
        let mut offset = offset_at(zone, first);
        let mut changes = vec![(Micros::MIN / 4, offset)];
        for change in zone.following(first) {
            work::count(1);
            if change.timestamp() > last {
                break;
            }
            let next = Micros::from(change.offset().seconds()) * SECOND;
            if next != offset {
                changes.push((micros(change.timestamp()), next));
                offset = next;
            }
        }
        let mut seen = Micros::MIN / 2;
        let mut stretches = Vec::with_capacity(changes.len());
        for (index, &(from, offset)) in changes.iter().enumerate() {
            let until = changes.get(index + 1).map_or(Micros::MAX / 4, |&(next, _)| next);
            let seen_after = seen.max(until + offset);
            stretches.push(Stretch {
                from,
                offset,
                seen_before: seen,
                seen_after,
            });
            seen = seen_after;
        }
        Self { stretches }
    }

    /// The reading at an instant: the latest local time shown up to then.
    pub(crate) fn reading(&self, at: Micros) -> Micros {
        work::count(1);
        let index = self
            .stretches
            .partition_point(|stretch| stretch.from <= at)
            .saturating_sub(1);
        let stretch = &self.stretches[index];
        (at + stretch.offset).max(stretch.seen_before - 1)
    }

    /// The first instant at which the reading is `local` or later.
    pub(crate) fn first_instant(&self, local: Micros) -> Micros {
        work::count(1);
        let index = self
            .stretches
            .partition_point(|stretch| stretch.seen_after <= local);
        let stretch = &self.stretches[index.min(self.stretches.len() - 1)];
        (local - stretch.offset).max(stretch.from)
    }
}

fn offset_at(zone: &TimeZone, at: Timestamp) -> Micros {
    Micros::from(zone.to_offset(at).seconds()) * SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(zone: &str, year: i16) -> WallClock {
        let zone = TimeZone::get(zone).unwrap();
        let start = jiff::civil::date(year, 1, 1)
            .to_zoned(TimeZone::UTC)
            .unwrap()
            .timestamp();
        let end = jiff::civil::date(year + 1, 1, 1)
            .to_zoned(TimeZone::UTC)
            .unwrap()
            .timestamp();
        WallClock::over(&zone, micros(start), micros(end))
    }

    fn local(text: &str) -> Micros {
        micros(format!("{text}Z").parse().unwrap())
    }

    fn first_instant(clock: &WallClock, text: &str) -> String {
        instant(clock.first_instant(local(text))).to_string()
    }

    #[test]
    fn a_skipped_local_time_falls_on_the_first_instant_after_the_gap() {
        let chicago = clock("America/Chicago", 2026);
        assert_eq!(
            first_instant(&chicago, "2026-03-08T01:59:59"),
            "2026-03-08T07:59:59Z"
        );
        assert_eq!(
            first_instant(&chicago, "2026-03-08T02:00:00"),
            "2026-03-08T08:00:00Z"
        );
        assert_eq!(
            first_instant(&chicago, "2026-03-08T02:30:00"),
            "2026-03-08T08:00:00Z"
        );
        assert_eq!(
            first_instant(&chicago, "2026-03-08T03:00:00"),
            "2026-03-08T08:00:00Z"
        );
        assert_eq!(
            first_instant(&chicago, "2026-03-08T03:00:01"),
            "2026-03-08T08:00:01Z"
        );
    }

    #[test]
    fn a_repeated_local_time_counts_the_first_time() {
        let chicago = clock("America/Chicago", 2026);
        assert_eq!(
            first_instant(&chicago, "2026-11-01T01:00:00"),
            "2026-11-01T06:00:00Z"
        );
        assert_eq!(
            first_instant(&chicago, "2026-11-01T01:59:59"),
            "2026-11-01T06:59:59Z"
        );
        assert_eq!(
            first_instant(&chicago, "2026-11-01T02:00:00"),
            "2026-11-01T08:00:00Z"
        );
    }

    #[test]
    fn the_reading_stands_still_while_an_hour_repeats() {
        let chicago = clock("America/Chicago", 2026);
        let at = |text: &str| chicago.reading(micros(text.parse().unwrap()));
        assert_eq!(at("2026-11-01T06:59:59Z"), local("2026-11-01T01:59:59"));
        assert_eq!(at("2026-11-01T07:30:00Z"), local("2026-11-01T02:00:00") - 1);
        assert_eq!(at("2026-11-01T08:00:00Z"), local("2026-11-01T02:00:00"));
    }

    #[test]
    fn a_whole_day_that_a_place_skips_collapses_to_one_instant() {
        let apia = clock("Pacific/Apia", 2011);
        assert_eq!(
            first_instant(&apia, "2011-12-30T00:00:00"),
            "2011-12-30T10:00:00Z"
        );
        assert_eq!(
            first_instant(&apia, "2011-12-30T23:00:00"),
            "2011-12-30T10:00:00Z"
        );
        assert_eq!(
            first_instant(&apia, "2011-12-31T00:00:00"),
            "2011-12-30T10:00:00Z"
        );
    }

    #[test]
    fn a_half_hour_change_obeys_the_same_rules() {
        let lord_howe = clock("Australia/Lord_Howe", 2026);
        assert_eq!(
            first_instant(&lord_howe, "2026-10-04T02:15:00"),
            "2026-10-03T15:30:00Z"
        );
        assert_eq!(
            first_instant(&lord_howe, "2026-04-05T01:45:00"),
            "2026-04-04T14:45:00Z"
        );
        assert_eq!(
            first_instant(&lord_howe, "2026-04-05T02:00:00"),
            "2026-04-04T15:30:00Z"
        );
    }
}
