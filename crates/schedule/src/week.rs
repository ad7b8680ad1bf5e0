//! The hours of a week in which a layer works, as one pattern of the wall clock.
//!
//! Daily and weekly restrictions all repeat with the week of the clock face, so their union is worked out once, as
//! sorted windows that neither overlap nor touch. A window over the week's end is kept whole: it begins in the week
//! it belongs to and may end in the next.

use crate::layered::Restriction;
use crate::span::{DAY, Micros, SECOND, WEEK};
use crate::work;

/// Local time of a Monday midnight near 1970 (29 December 1969).
const MONDAY: Micros = -3 * DAY;

/// When a layer works, on its wall clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WorkingHours {
    /// Without restriction.
    Always,
    /// Windows from Monday midnight on, sorted, apart from each other also across the week's end; never empty.
    Weekly(Vec<(Micros, Micros)>),
}

impl WorkingHours {
    pub(crate) fn new(restrictions: &[Restriction]) -> Self {
        if restrictions.is_empty() {
            return Self::Always;
        }
        let mut windows: Vec<(Micros, Micros)> = Vec::new();
        for restriction in restrictions {
            match *restriction {
                Restriction::Daily {
                    start_time_of_day,
                    duration_seconds,
                } => {
                    let opens = time_of_day(start_time_of_day);
                    let length = Micros::from(duration_seconds) * SECOND;
                    windows.extend((0..7).map(|day| (day * DAY + opens, day * DAY + opens + length)));
                }
                Restriction::Weekly {
                    start_day_of_week,
                    start_time_of_day,
                    duration_seconds,
                } => {
                    let day = Micros::from(start_day_of_week.saturating_sub(1));
                    let opens = day * DAY + time_of_day(start_time_of_day);
                    windows.push((opens, opens + Micros::from(duration_seconds) * SECOND));
                }
            }
        }
        Self::joined(windows)
    }

    /// Joins windows that start in one week and may reach into the next.
    fn joined(mut windows: Vec<(Micros, Micros)>) -> Self {
        work::count(windows.len());
        windows.sort_unstable();
        let mut apart: Vec<(Micros, Micros)> = Vec::with_capacity(windows.len());
        for window in windows {
            match apart.last_mut() {
                Some(last) if window.0 <= last.1 => last.1 = last.1.max(window.1),
                _ => apart.push(window),
            }
        }
        // What reaches into the next week swallows the windows at its beginning, one after the other.
        let mut swallowed = 0;
        let mut reach = apart.last().map_or(0, |last| last.1);
        while let Some(first) = apart.get(swallowed).filter(|first| first.0 + WEEK <= reach) {
            if swallowed + 1 == apart.len() {
                return Self::Always;
            }
            reach = reach.max(first.1 + WEEK);
            swallowed += 1;
        }
        if let Some(last) = apart.last_mut() {
            last.1 = reach;
        }
        apart.drain(..swallowed);
        Self::Weekly(apart)
    }

    /// Whether the layer works when the wall clock reads `local`.
    pub(crate) fn contains(&self, local: Micros) -> bool {
        self.overlaps(local, local + 1)
    }

    /// Whether any of the time from `start` to `end` is worked.
    pub(crate) fn overlaps(&self, start: Micros, end: Micros) -> bool {
        let Self::Weekly(windows) = self else {
            return start < end;
        };
        let from = (start - MONDAY).rem_euclid(WEEK);
        let to = from + (end - start);
        let reaches = |from: Micros, to: Micros| {
            let next = windows.partition_point(|&(_, closes)| closes <= from);
            windows.get(next).is_some_and(|&(opens, _)| opens < to)
        };
        // The last window may reach into this week from the one before, and the time asked for into the next.
        reaches(from, to)
            || reaches(from + WEEK, to + WEEK)
            || windows.first().is_some_and(|&(opens, _)| opens + WEEK < to)
    }

    /// The windows that have time in common with `start..end`, uncut, in order.
    pub(crate) fn windows(&self, start: Micros, end: Micros) -> impl Iterator<Item = (Micros, Micros)> + '_ {
        let always = matches!(self, Self::Always)
            .then_some((start, end))
            .filter(|_| start < end);
        let windows: &[(Micros, Micros)] = match self {
            Self::Always => &[],
            Self::Weekly(windows) => windows,
        };
        let first_week = (start - MONDAY).div_euclid(WEEK) - 1;
        let weeks = if windows.is_empty() {
            first_week..first_week
        } else {
            first_week..Micros::MAX
        };
        let weekly = weeks
            .flat_map(move |week| {
                let monday = MONDAY + week * WEEK;
                windows
                    .iter()
                    .inspect(|_| work::count(1))
                    .map(move |&(opens, closes)| (monday + opens, monday + closes))
            })
            .skip_while(move |&(_, closes)| closes <= start)
            .take_while(move |&(opens, _)| opens < end);
        always.into_iter().chain(weekly)
    }

    /// How many windows there are in a week.
    pub(crate) fn windows_per_week(&self) -> usize {
        match self {
            Self::Always => 0,
            Self::Weekly(windows) => windows.len(),
        }
    }
}

pub(crate) fn time_of_day(time: jiff::civil::Time) -> Micros {
    let seconds =
        Micros::from(time.hour()) * 3600 + Micros::from(time.minute()) * 60 + Micros::from(time.second());
    seconds * SECOND + Micros::from(time.subsec_nanosecond()) / 1_000
}

/// Monday midnight at or before a local time.
pub(crate) fn monday_before(local: Micros) -> Micros {
    MONDAY + (local - MONDAY).div_euclid(WEEK) * WEEK
}
