//! Shifts, holidays and leave that repeat, by a subset of RFC 5545's recurrence rules.
//!
//! Understood are `FREQ` from `HOURLY` to `YEARLY`, `INTERVAL`, `COUNT`, `UNTIL`, `WKST`, `BYMONTH`, `BYMONTHDAY`, `BYDAY`
//! (with ordinals by month), and `BYSETPOS`, with `EXDATE` and `RDATE` beside them. Anything else is refused by name
//! rather than half obeyed. Rules are reckoned on the wall clock; where the clocks change, the crate's own two rules
//! decide (see the decision on changing clocks), which differ from RFC 5545 for hours that never exist.

pub(crate) mod days;
mod parse;
mod rule;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

pub use parse::RecurrenceProblem;
pub(crate) use parse::parse_moment;
pub(crate) use rule::MAX_BARREN_DAYS;
pub use rule::{Frequency, Rule, RuleDay};

use crate::span::{DAY, Micros, micros};
use crate::wall_clock::WallClock;
use days::{day_of, local_micros};

/// A rule, with dates taken out of it and dates added to it.
///
/// Written as the lines of RFC 5545: at most one `RRULE`, any number of `EXDATE` and `RDATE`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Recurrence {
    /// How it repeats; once only, if absent.
    pub rule: Option<Rule>,
    /// Occurrences that do not take place.
    pub excluded: Vec<Moment>,
    /// Occurrences besides those of the rule.
    pub added: Vec<Moment>,
}

/// A moment as calendars write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// A whole day.
    Date(Date),
    /// A local time where the event takes place.
    Local(DateTime),
    /// A local time in the zone named.
    Zoned(DateTime, String),
    /// An instant.
    Instant(Timestamp),
}

impl Moment {
    /// The moment on the wall clock of `zone`. What names a zone that is unknown is read as local.
    pub(crate) fn on_wall(&self, zone: &TimeZone, zones: &TimeZoneDatabase) -> Micros {
        let read = |at: Micros| WallClock::over(zone, at, at).reading(at);
        match self {
            Self::Date(date) => day_of(*date) * DAY,
            Self::Local(local) => local_micros(*local),
            Self::Instant(at) => read(micros(*at)),
            Self::Zoned(local, name) => match zones.get(name) {
                Ok(other) if other != *zone => {
                    let local = local_micros(*local);
                    read(WallClock::over(&other, local - DAY, local + DAY).first_instant(local))
                }
                _ => local_micros(*local),
            },
        }
    }
}

/// A recurrence that has found its place on a wall clock.
#[derive(Debug, Clone)]
pub(crate) struct Occurrences {
    start: Micros,
    rule: Option<Rule>,
    /// Last local time at which the rule may begin an occurrence, by `UNTIL` or by `COUNT`.
    until: Micros,
    /// Planned occurrences that are taken out; sorted.
    taken_out: Vec<Micros>,
    /// Sorted, and never among those of the rule.
    added: Vec<Micros>,
    /// How many days were looked at to find all this out.
    pub(crate) looked_at: i64,
}

/// One occurrence: where it begins on the wall clock, and how many occurrences come before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Occurrence {
    pub(crate) local: Micros,
    /// Counting those taken out.
    pub(crate) planned_before: i64,
    /// Not counting those taken out.
    pub(crate) held_before: i64,
}

/// Counting the occurrences would take too many steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManySteps;

impl Recurrence {
    /// About how many days are looked at to find the occurrences from one local time to another.
    pub(crate) fn effort(&self, from: Micros, to: Micros) -> i64 {
        let dates = (self.excluded.len() + self.added.len()) as i64;
        1 + dates + self.rule.as_ref().map_or(0, |rule| rule.effort(from, to))
    }

    /// Places the recurrence, whose first event begins at `start` on the wall clock of `zone`.
    pub(crate) fn place(
        &self,
        start: Micros,
        zone: &TimeZone,
        zones: &TimeZoneDatabase,
    ) -> Result<Occurrences, TooManySteps> {
        let mut placed = Occurrences {
            start,
            rule: self.rule.clone(),
            until: Micros::MAX,
            taken_out: Vec::new(),
            added: Vec::new(),
            looked_at: 0,
        };
        if let Some(rule) = &self.rule {
            let by_moment = match rule.until.as_ref() {
                None => Micros::MAX,
                Some(Moment::Date(date)) => (day_of(*date) + 1) * DAY - 1,
                Some(moment) => moment.on_wall(zone, zones),
            };
            let (by_count, looked_at) = rule.last_by_count(start)?;
            placed.until = by_moment.min(by_count);
            placed.looked_at = looked_at;
        }
        let mut added = Vec::with_capacity(self.added.len());
        for moment in &self.added {
            let mut local = moment.on_wall(zone, zones);
            if matches!(moment, Moment::Date(_)) {
                local += start.rem_euclid(DAY);
            }
            if placed.planned_between(local, local + 1)?.is_empty() {
                added.push(local);
            }
        }
        added.sort_unstable();
        added.dedup();
        placed.added = added;
        let mut taken_out = Vec::with_capacity(self.excluded.len());
        for moment in &self.excluded {
            let local = moment.on_wall(zone, zones);
            let length = if matches!(moment, Moment::Date(_)) { DAY } else { 1 };
            taken_out.extend(placed.planned_between(local, local + length)?);
        }
        taken_out.sort_unstable();
        taken_out.dedup();
        placed.taken_out = taken_out;
        Ok(placed)
    }
}

/// Most days that one question may have looked at for all recurrences together.
pub(crate) const MAX_EFFORT: i64 = 20_000_000;

impl Occurrences {
    /// About how many days are looked at to find and count the occurrences from one local time to another.
    pub(crate) fn effort(&self, from: Micros, to: Micros) -> i64 {
        self.rule.as_ref().map_or(1, |rule| {
            rule.effort(from, to) + rule.counting_effort(self.start, from)
        })
    }

    /// The occurrences that begin from `from` (inside) to `to` (outside), in order.
    pub(crate) fn between(&self, from: Micros, to: Micros) -> Result<Vec<Occurrence>, TooManySteps> {
        let planned = self.planned_between(from, to)?;
        let Some(&first) = planned.first() else {
            return Ok(Vec::new());
        };
        let before_first = self.planned_before(first)?;
        let mut missing = self.taken_out.partition_point(|local| *local < first);
        let mut occurrences = Vec::with_capacity(planned.len());
        for (planned_before, local) in (before_first..).zip(planned) {
            if self.taken_out.get(missing) == Some(&local) {
                missing += 1;
            } else {
                let held_before = planned_before - missing as i64;
                occurrences.push(Occurrence {
                    local,
                    planned_before,
                    held_before,
                });
            }
        }
        Ok(occurrences)
    }

    fn planned_between(&self, from: Micros, to: Micros) -> Result<Vec<Micros>, TooManySteps> {
        let mut planned = match &self.rule {
            Some(rule) => rule.between(self.start, from, to.min(self.until.saturating_add(1)))?,
            None => Some(self.start)
                .into_iter()
                .filter(|start| (from..to).contains(start))
                .collect(),
        };
        let begin = self.added.partition_point(|added| *added < from);
        let end = self.added.partition_point(|added| *added < to);
        if begin < end {
            planned.extend(&self.added[begin..end]);
            planned.sort_unstable();
        }
        Ok(planned)
    }

    fn planned_before(&self, local: Micros) -> Result<i64, TooManySteps> {
        let added = self.added.partition_point(|added| *added < local) as i64;
        let by_rule = match &self.rule {
            Some(rule) => rule.count_before(self.start, local.min(self.until.saturating_add(1)))?,
            None => i64::from(self.start < local),
        };
        Ok(added + by_rule)
    }
}
