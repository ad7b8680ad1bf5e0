//! Finding quickly which of many stretches touch a given one.

use crate::span::Micros;
use crate::work;

/// Values by the stretch to which each belongs; stretches may overlap.
#[derive(Debug, Clone)]
pub(crate) struct SpanIndex<T> {
    by_start: Vec<(Micros, Micros, T)>,
    /// The latest end among the first so many.
    latest_end: Vec<Micros>,
}

impl<T> SpanIndex<T> {
    pub(crate) fn new(mut stretches: Vec<(Micros, Micros, T)>) -> Self {
        work::count(stretches.len());
        stretches.sort_by_key(|(start, end, _)| (*start, *end));
        let mut latest = Micros::MIN;
        let latest_end = stretches.iter().map(|(_, end, _)| {
            latest = latest.max(*end);
            latest
        });
        Self {
            latest_end: latest_end.collect(),
            by_start: stretches,
        }
    }

    /// Those that have time in common with `start..end`, by their start.
    pub(crate) fn during(&self, start: Micros, end: Micros) -> impl Iterator<Item = &(Micros, Micros, T)> {
        let first = self.latest_end.partition_point(|latest| *latest <= start);
        let last = self.by_start.partition_point(|(from, _, _)| *from < end);
        let between = self.by_start.get(first..last).unwrap_or_default();
        work::count(1 + between.len());
        between.iter().filter(move |(_, to, _)| start < *to)
    }
}
