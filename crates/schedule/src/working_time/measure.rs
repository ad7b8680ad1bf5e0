//! Work and rest as lists of stretches, and sums over them.

use jiff::tz::TimeZone;

use super::{Duty, DutyKind, StandBy};
use crate::span::{Micros, Span, WEEK};
use crate::wall_clock::WallClock;
use crate::week::monday_before;
use crate::work;

/// Stretches in order, apart from each other.
#[derive(Debug, Clone, Default)]
pub(super) struct Stretches(Vec<(Micros, Micros)>);

impl Stretches {
    pub(super) fn joined(mut stretches: Vec<(Micros, Micros)>) -> Self {
        work::count(stretches.len());
        stretches.sort_unstable();
        let mut joined: Vec<(Micros, Micros)> = Vec::with_capacity(stretches.len());
        for (start, end) in stretches {
            match joined.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        Self(joined)
    }

    pub(super) fn of_spans(spans: &[Span]) -> Self {
        Self::joined(
            spans
                .iter()
                .map(|span| (span.start_micros(), span.end_micros()))
                .collect(),
        )
    }

    /// What of the duties is working time.
    pub(super) fn worked(duties: &[Duty], stand_by: StandBy) -> Self {
        let counts = |duty: &&Duty| match duty.kind {
            DutyKind::Work | DutyKind::Intervention => true,
            DutyKind::StandBy => stand_by == StandBy::Wholly,
        };
        let counted = duties.iter().filter(counts);
        Self::joined(
            counted
                .map(|duty| (duty.span.start_micros(), duty.span.end_micros()))
                .collect(),
        )
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (Micros, Micros)> + '_ {
        self.0.iter().copied()
    }

    /// Those that have time in common with `start..end`, cut to it.
    pub(super) fn within(&self, start: Micros, end: Micros) -> impl Iterator<Item = (Micros, Micros)> + '_ {
        let first = self.0.partition_point(|(_, to)| *to <= start);
        let cut = self.0[first..].iter().take_while(move |(from, _)| *from < end);
        cut.inspect(|_| work::count(1))
            .map(move |(from, to)| ((*from).max(start), (*to).min(end)))
    }

    /// How much of `start..end` they fill.
    pub(super) fn total_within(&self, start: Micros, end: Micros) -> Micros {
        self.within(start, end).map(|(from, to)| to - from).sum()
    }

    /// The holes of `start..end`, cut to it.
    pub(super) fn holes(&self, start: Micros, end: Micros) -> Vec<(Micros, Micros)> {
        let mut holes = Vec::new();
        let mut since = start;
        for (from, to) in self.within(start, end) {
            if since < from {
                holes.push((since, from));
            }
            since = to;
        }
        if since < end {
            holes.push((since, end));
        }
        holes
    }

    /// The whole hole around an instant that lies in one; its ends are those of time where nothing follows.
    pub(super) fn hole_around(&self, at: Micros) -> (Micros, Micros) {
        let next = self.0.partition_point(|(from, _)| *from <= at);
        let start = next
            .checked_sub(1)
            .map_or(Micros::MIN / 4, |index| self.0[index].1);
        (start, self.0.get(next).map_or(Micros::MAX / 4, |(from, _)| *from))
    }

    /// The first one that ends after an instant.
    pub(super) fn ending_after(&self, at: Micros) -> Option<(Micros, Micros)> {
        self.0.get(self.0.partition_point(|(_, to)| *to <= at)).copied()
    }
}

/// The Mondays, at local midnight, that lie inside a stretch, as instants.
pub(super) fn mondays(zone: &TimeZone, start: Micros, end: Micros) -> Vec<Micros> {
    let clock = WallClock::over(zone, start, end);
    let mut local = monday_before(clock.reading(start));
    let mut mondays = Vec::new();
    loop {
        let monday = clock.first_instant(local);
        if monday > end {
            return mondays;
        }
        if monday >= start {
            mondays.push(monday);
        }
        local += WEEK;
    }
}
