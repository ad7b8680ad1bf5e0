//! Measuring a person's duties against a pack of rules.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use super::measure::{Stretches, mondays};
use super::pack::{Limit, NightHours, OptOut, RulePack, WorkingRule};
use super::{Duty, DutyKind, Known, Measure, NightWorker, Standing, Violation, Worker};
use crate::layered::Restriction;
use crate::span::{DAY, Micros, SECOND, Span, WEEK, instant, micros};
use crate::validate::{Problem, ProblemKind};
use crate::wall_clock::WallClock;
use crate::week::{WorkingHours, time_of_day};

const HOUR: Micros = 3600 * SECOND;

/// Longest time that is judged at once, in days: ten years.
pub const MAX_KNOWN_DAYS: i64 = 3_660;

/// How far around the known time duties still matter to rests that reach into it.
const LEAD: Micros = 21 * DAY;

fn later(at: Timestamp, by: Micros) -> Timestamp {
    instant(micros(at).saturating_add(by))
}

/// Every rule of the pack that the worker's duties break, in the order of the pack and then of time.
///
/// All duties during `known` must be given; those outside it may be.
///
/// # Errors
/// A [`Problem`] when the worker's time zone is unknown, or `known` is longer than [`MAX_KNOWN_DAYS`].
pub fn check(
    pack: &RulePack,
    worker: &Worker,
    duties: &[Duty],
    known: Known,
    zones: &TimeZoneDatabase,
) -> Result<Vec<Violation>, Problem> {
    let zone = zones.get(&worker.time_zone).map_err(|_| Problem {
        field: "time_zone".to_owned(),
        kind: ProblemKind::UnknownTimeZone(worker.time_zone.chars().take(100).collect()),
    })?;
    if known.end_micros() - known.start_micros() > MAX_KNOWN_DAYS * DAY {
        return Err(Problem {
            field: "known".to_owned(),
            kind: ProblemKind::SpanTooLong(MAX_KNOWN_DAYS),
        });
    }
    // What lies far outside has no say in what is judged.
    let (from, to) = (later(known.start(), -LEAD), later(known.end(), LEAD));
    let near = |duty: &Duty| {
        let span = Span::new(duty.span.start().max(from), duty.span.end().min(to)).ok()?;
        Some(Duty {
            span,
            kind: duty.kind,
        })
    };
    let duties: Vec<Duty> = duties.iter().filter_map(near).collect();
    let inspection = Inspection {
        pack,
        worker,
        zone,
        known,
        worked: Stretches::worked(&duties, pack.stand_by),
        interventions: interventions(&duties),
        leave: Stretches::of_spans(&worker.leave),
    };
    Ok(pack
        .rules
        .iter()
        .flat_map(|rule| inspection.broken(rule))
        .collect())
}

fn interventions(duties: &[Duty]) -> Stretches {
    let called = duties.iter().filter(|duty| duty.kind == DutyKind::Intervention);
    Stretches::joined(
        called
            .map(|duty| (duty.span.start_micros(), duty.span.end_micros()))
            .collect(),
    )
}

struct Inspection<'question> {
    pack: &'question RulePack,
    worker: &'question Worker,
    zone: TimeZone,
    known: Known,
    worked: Stretches,
    interventions: Stretches,
    leave: Stretches,
}

/// What was measured and what the limit is.
struct Finding {
    start: Micros,
    end: Micros,
    measure: Measure,
    measured: Micros,
    limit: Micros,
    standing: Standing,
}

impl Inspection<'_> {
    fn broken(&self, rule: &WorkingRule) -> Vec<Violation> {
        let found = match rule.limit {
            Limit::DailyRest { hours } => self.daily_rest(i64::from(hours) * HOUR),
            Limit::WeeklyRest {
                hours,
                reference_weeks,
            } => self.weekly_rest(i64::from(hours.max(1)) * HOUR, reference_weeks),
            Limit::WeeklyWork {
                hours,
                reference_weeks,
                opt_out,
            } => self.weekly_work(i64::from(hours) * HOUR, reference_weeks, opt_out),
            Limit::NightWork {
                hours,
                reference_weeks,
                night,
            } => self.night_work(i64::from(hours) * HOUR, reference_weeks, night),
            Limit::CompensatoryRest { hours } => self.compensatory_rest(i64::from(hours) * HOUR),
        };
        let violation = |finding: Finding| Violation {
            rule: rule.id.clone(),
            source: rule.source.clone(),
            user: self.worker.user.clone(),
            span: Span::from_micros(finding.start, finding.end),
            measure: finding.measure,
            measured: SignedDuration::from_micros(finding.measured),
            limit: SignedDuration::from_micros(finding.limit),
            standing: finding.standing,
        };
        found.into_iter().map(violation).collect()
    }

    /// Working days: each begins with the first work after a rest that was long enough, or 24 hours after the last one
    /// began where there was none.
    fn days(&self, rest: Micros) -> Vec<WorkingDay> {
        let mut days = Vec::new();
        let mut next = self.worked.iter().next().map(|(start, _)| start);
        while let Some(begins) = next {
            let ends = begins + DAY;
            let holes = self.worked.holes(begins, ends);
            let longest = holes.iter().map(|(from, to)| to - from).max().unwrap_or(0);
            days.push(WorkingDay {
                begins,
                ends,
                longest_rest: longest,
            });
            let long_enough = holes.iter().find(|(from, to)| to - from >= rest);
            let after = long_enough.map_or(ends, |(_, to)| *to);
            next = self.worked.ending_after(after).map(|(from, _)| from.max(after));
        }
        days
    }

    fn daily_rest(&self, rest: Micros) -> Vec<Finding> {
        let compensated = self
            .pack
            .rules
            .iter()
            .any(|rule| matches!(rule.limit, Limit::CompensatoryRest { .. }));
        let days = self
            .days(rest)
            .into_iter()
            .filter(|day| day.longest_rest < rest && self.knows(day));
        // What only interventions broke is owed as compensatory rest, where the pack has such a rule.
        let planned = days.filter(|day| !(compensated && self.only_by_interventions(day, rest)));
        let finding = |day: WorkingDay| Finding {
            start: day.begins,
            end: day.ends,
            measure: Measure::DailyRest,
            measured: day.longest_rest,
            limit: rest,
            standing: Standing::Breach,
        };
        planned.map(finding).collect()
    }

    fn knows(&self, day: &WorkingDay) -> bool {
        self.known.start_micros() <= day.begins && day.ends <= self.known.end_micros()
    }

    fn only_by_interventions(&self, day: &WorkingDay, rest: Micros) -> bool {
        let called: Vec<(Micros, Micros)> = self.interventions.within(day.begins, day.ends).collect();
        let planned: Vec<(Micros, Micros)> = self.worked.within(day.begins, day.ends).collect();
        let without = planned
            .into_iter()
            .flat_map(|(from, to)| Stretches::joined(called.clone()).holes(from, to));
        !called.is_empty()
            && Stretches::joined(without.collect())
                .holes(day.begins, day.ends)
                .iter()
                .any(|(from, to)| to - from >= rest)
    }

    fn compensatory_rest(&self, rest: Micros) -> Vec<Finding> {
        let mut found = Vec::new();
        for day in self
            .days(rest)
            .into_iter()
            .filter(|day| day.longest_rest < rest && self.knows(day))
        {
            let last = self.interventions.within(day.begins, day.ends).last();
            let Some((_, until)) = last.filter(|_| self.only_by_interventions(&day, rest)) else {
                continue;
            };
            // Work may follow at once, and then there is no rest at all.
            let at_once = self.worked.ending_after(until).filter(|(from, _)| *from <= until);
            let (measured, end) = if let Some((_, to)) = at_once {
                (0, to)
            } else {
                let (_, works) = self.worked.hole_around(until);
                (works - until, works)
            };
            if measured < rest {
                found.push(Finding {
                    start: until,
                    end,
                    measure: Measure::CompensatoryRest,
                    measured,
                    limit: rest,
                    standing: Standing::Breach,
                });
            }
        }
        found
    }

    fn weekly_rest(&self, rest: Micros, reference_weeks: u32) -> Vec<Finding> {
        let weeks = reference_weeks.max(1) as usize;
        let mondays = mondays(&self.zone, self.known.start_micros(), self.known.end_micros());
        let mut found = Vec::new();
        let mut index = 0;
        while let (Some(&start), Some(&end)) = (mondays.get(index), mondays.get(index + weeks)) {
            let rests: i64 = self
                .worked
                .holes(start, end)
                .iter()
                .map(|hole| self.rests_in(*hole, start, end, rest))
                .sum();
            if rests < weeks as i64 {
                found.push(Finding {
                    start,
                    end,
                    measure: Measure::WeeklyRest,
                    measured: rests * rest,
                    limit: weeks as i64 * rest,
                    standing: Standing::Breach,
                });
            }
            index += weeks;
        }
        found
    }

    /// How many weekly rests a hole is worth to the period; one that lies across a border counts where most of it lies.
    fn rests_in(&self, (from, to): (Micros, Micros), start: Micros, end: Micros, rest: Micros) -> i64 {
        let whole = (to - from) / rest;
        if whole > 0 || (from > start && to < end) {
            return whole;
        }
        let (from, to) = self.worked.hole_around(from);
        let middle = from + (to - from) / 2;
        i64::from(to - from >= rest && start <= middle && middle < end)
    }

    fn weekly_work(&self, limit: Micros, reference_weeks: u32, opt_out: OptOut) -> Vec<Finding> {
        let opted_out = Stretches::of_spans(&self.worker.opted_out);
        let average = |start: Micros, end: Micros| {
            if opt_out == OptOut::Possible && opted_out.total_within(start, end) > 0 {
                return None;
            }
            let counted = end - start - self.leave.total_within(start, end);
            (counted > 0).then(|| scaled(self.worked_outside_leave(start, end), WEEK, counted))
        };
        self.averages(Measure::WeeklyWork, limit, reference_weeks, average)
    }

    fn night_work(&self, limit: Micros, reference_weeks: u32, night: NightHours) -> Vec<Finding> {
        match self.worker.night_worker {
            NightWorker::No => Vec::new(),
            NightWorker::Hazardous => self.night_work_each_day(limit, night),
            NightWorker::Usual => {
                let average = |start: Micros, end: Micros| {
                    let counted = (end - start - self.leave.total_within(start, end)) / 7 * 6;
                    (counted > 0).then(|| scaled(self.worked_outside_leave(start, end), DAY, counted))
                };
                self.averages(Measure::NightWorkAverage, limit, reference_weeks, average)
            }
        }
    }

    fn night_work_each_day(&self, limit: Micros, night: NightHours) -> Vec<Finding> {
        let length = (time_of_day(night.ends) - time_of_day(night.begins))
            .rem_euclid(DAY)
            .max(1);
        let duration_seconds = u32::try_from(length / SECOND).unwrap_or(0).max(1);
        let nights = WorkingHours::new(&[Restriction::Daily {
            start_time_of_day: night.begins,
            duration_seconds,
        }]);
        let clock = WallClock::over(&self.zone, self.known.start_micros(), self.known.end_micros());
        let by_night = |day: &WorkingDay| {
            self.worked.within(day.begins, day.ends).any(|(from, to)| {
                let mut windows = nights.windows(clock.reading(from), clock.reading(to).saturating_add(1));
                windows.any(|(opens, closes)| {
                    clock.first_instant(opens) < to && from < clock.first_instant(closes)
                })
            })
        };
        let days = self
            .days(8 * HOUR)
            .into_iter()
            .filter(|day| self.knows(day) && by_night(day));
        let worked = days.map(|day| (self.worked.total_within(day.begins, day.ends), day));
        let finding = |(measured, day): (Micros, WorkingDay)| Finding {
            start: day.begins,
            end: day.ends,
            measure: Measure::NightWork,
            measured,
            limit,
            standing: Standing::Breach,
        };
        worked
            .filter(|(measured, _)| *measured > limit)
            .map(finding)
            .collect()
    }

    fn worked_outside_leave(&self, start: Micros, end: Micros) -> Micros {
        let on_leave = self
            .leave
            .within(start, end)
            .map(|(from, to)| self.worked.total_within(from, to));
        self.worked.total_within(start, end) - on_leave.sum::<Micros>()
    }

    /// Averages over every reference period that is known, or over all that is known where that is shorter. Periods that
    /// overlap and all break the rule are one finding, with the worst of them.
    fn averages(
        &self,
        measure: Measure,
        limit: Micros,
        reference_weeks: u32,
        average: impl Fn(Micros, Micros) -> Option<Micros>,
    ) -> Vec<Finding> {
        let weeks = reference_weeks.max(1) as usize;
        let mondays = mondays(&self.zone, self.known.start_micros(), self.known.end_micros());
        let mut found: Vec<Finding> = Vec::new();
        let mut add = |start: Micros, end: Micros, standing: Standing| {
            let Some(measured) = average(start, end).filter(|measured| *measured > limit) else {
                return;
            };
            match found.last_mut() {
                Some(last) if start < last.end => {
                    last.end = end;
                    last.measured = last.measured.max(measured);
                }
                _ => found.push(Finding {
                    start,
                    end,
                    measure,
                    measured,
                    limit,
                    standing,
                }),
            }
        };
        if let (true, Some(&first), Some(&last)) = (mondays.len() <= weeks, mondays.first(), mondays.last()) {
            if first < last {
                add(first, last, Standing::Trend);
            }
            return found;
        }
        for (start, end) in mondays.iter().zip(mondays.iter().skip(weeks)) {
            add(*start, *end, Standing::Breach);
        }
        found
    }
}

struct WorkingDay {
    begins: Micros,
    ends: Micros,
    longest_rest: Micros,
}

/// `amount` per `unit`, given that it is spread over `over`.
fn scaled(amount: Micros, unit: Micros, over: Micros) -> Micros {
    let exact = i128::from(amount) * i128::from(unit) / i128::from(over);
    Micros::try_from(exact).unwrap_or(Micros::MAX)
}
