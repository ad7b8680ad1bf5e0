//! A recurrence rule on the clock face.
//!
//! A rule steps through periods (hours, days, weeks, months or years, every `interval`-th of them) and each period
//! holds a few candidates. Where every period holds equally many, occurrences are counted by multiplication; elsewhere
//! period by period, up to a bound.

use jiff::civil::Weekday;

use super::days::{day_number, days_in_month, index_of, weekday_index, year_month_day};
use super::{Moment, TooManySteps};
use crate::span::{DAY, Micros, SECOND, WEEK};
use crate::work;

const HOUR: Micros = 3600 * SECOND;

/// Most days (or hours, in an hourly rule) that one question looks at.
const MAX_DAYS: i64 = 400_000;

/// As many days without any occurrence, and there will be none: the rarest date, a leap day on a given weekday, comes at
/// least every 40 years.
pub(crate) const MAX_BARREN_DAYS: i64 = 100_000;

/// How often a rule repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frequency {
    /// Every so many hours of the wall clock.
    Hourly,
    /// Every so many days.
    Daily,
    /// Every so many weeks.
    Weekly,
    /// Every so many months.
    Monthly,
    /// Every so many years.
    Yearly,
}

/// A weekday, or the so-manieth of its kind in the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RuleDay {
    /// From the month's start (1 to 5) or, if negative, from its end; every one, if absent.
    pub ordinal: Option<i8>,
    /// Which day of the week.
    pub weekday: Weekday,
}

/// An RFC 5545 `RRULE` (section 3.3.10), as far as this crate goes: the parts that are fields here. Made by parsing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `FREQ`.
    pub frequency: Frequency,
    /// `INTERVAL`: 1 or more.
    pub interval: u32,
    /// `COUNT`: how many occurrences there are in all.
    pub count: Option<u32>,
    /// `UNTIL`: the last moment at which an occurrence may begin.
    pub until: Option<Moment>,
    /// `WKST`: on which day a week begins, which matters to every second week.
    pub week_start: Weekday,
    /// `BYMONTH`: 1 to 12.
    pub months: Vec<i8>,
    /// `BYMONTHDAY`: 1 to 31, or -1 to -31 from the month's end.
    pub month_days: Vec<i8>,
    /// `BYDAY`.
    pub days: Vec<RuleDay>,
    /// `BYSETPOS`: which of a period's candidates, from 1, or from -1 backwards.
    pub positions: Vec<i16>,
}

impl Rule {
    /// A rule with nothing but a frequency.
    pub fn every(frequency: Frequency) -> Self {
        Self {
            frequency,
            interval: 1,
            count: None,
            until: None,
            week_start: Weekday::Monday,
            months: Vec::new(),
            month_days: Vec::new(),
            days: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// Occurrences from `from` (inside) to `to` (outside) of the rule that begins at `start`, leaving `COUNT` and `UNTIL`
    /// aside.
    pub(super) fn between(
        &self,
        start: Micros,
        from: Micros,
        to: Micros,
    ) -> Result<Vec<Micros>, TooManySteps> {
        let mut found = Vec::new();
        let from = from.max(start);
        if from >= to {
            return Ok(found);
        }
        let (first, last) = (self.period_of(start, from), self.period_of(start, to - 1));
        if (last - first).saturating_mul(self.days_per_period()) > MAX_DAYS {
            return Err(TooManySteps);
        }
        for period in first..=last {
            found.extend(
                self.candidates(start, period)
                    .into_iter()
                    .filter(|local| (from..to).contains(local)),
            );
        }
        Ok(found)
    }

    /// Where the last occurrence begins that `COUNT` allows (never, without one), and how many days were looked at.
    pub(super) fn last_by_count(&self, start: Micros) -> Result<(Micros, i64), TooManySteps> {
        let Some(count) = self.count else {
            return Ok((Micros::MAX, 0));
        };
        let mut left = i64::from(count);
        let mut period = 0;
        if let Some(each) = self.candidates_in_every_period() {
            left -= self.candidates(start, 0).len() as i64;
            period = if left > 0 { 1 + (left - 1) / each } else { 0 };
            left = if left > 0 {
                left - (period - 1) * each
            } else {
                i64::from(count)
            };
        }
        let mut looked_at = 0;
        while looked_at < MAX_DAYS && (looked_at < MAX_BARREN_DAYS || left < i64::from(count)) {
            looked_at += self.days_per_period();
            if period.saturating_mul(self.interval.into()) > self.units_until_the_end() {
                return Ok((Micros::MAX, looked_at));
            }
            let candidates = self.candidates(start, period);
            if let Some(last) = usize::try_from(left - 1)
                .ok()
                .and_then(|index| candidates.get(index))
            {
                return Ok((*last, looked_at));
            }
            left -= candidates.len() as i64;
            period += 1;
        }
        Err(TooManySteps)
    }

    /// How many occurrences begin before `local`, leaving `COUNT` and `UNTIL` aside.
    pub(super) fn count_before(&self, start: Micros, local: Micros) -> Result<i64, TooManySteps> {
        if local <= start {
            return Ok(0);
        }
        let period = self.period_of(start, local);
        let within = |period| {
            self.candidates(start, period)
                .iter()
                .filter(|at| **at < local)
                .count() as i64
        };
        if period == 0 {
            return Ok(within(0));
        }
        if let Some(each) = self.candidates_in_every_period() {
            return Ok(within(0) + (period - 1) * each + within(period));
        }
        if period.saturating_mul(self.days_per_period()) > MAX_DAYS {
            return Err(TooManySteps);
        }
        Ok((0..=period).map(within).sum())
    }

    /// How many candidates each period holds, where that is always the same.
    fn candidates_in_every_period(&self) -> Option<i64> {
        let plain = self.months.is_empty() && self.positions.is_empty();
        let days = self.days.len() as i64;
        match self.frequency {
            Frequency::Hourly | Frequency::Daily
                if plain && self.days.is_empty() && self.month_days.is_empty() =>
            {
                Some(1)
            }
            Frequency::Weekly if plain && self.month_days.is_empty() => Some(days.max(1)),
            _ => None,
        }
    }

    /// How many days have to be looked at to find the occurrences of one period.
    fn days_per_period(&self) -> i64 {
        match self.frequency {
            Frequency::Hourly | Frequency::Daily => 1,
            Frequency::Weekly => 7,
            Frequency::Monthly => 31,
            Frequency::Yearly => 366,
        }
    }

    /// How many days are looked at to count the occurrences before a local time.
    pub(super) fn counting_effort(&self, start: Micros, local: Micros) -> i64 {
        if self.candidates_in_every_period().is_some() {
            1
        } else {
            self.effort(start, local)
        }
    }

    /// How many days are looked at to find the occurrences from one local time to another.
    pub(super) fn effort(&self, from: Micros, to: Micros) -> i64 {
        let unit = if self.frequency == Frequency::Hourly {
            HOUR
        } else {
            DAY
        };
        (to - from).max(0) / unit / i64::from(self.interval.max(1)) + self.days_per_period()
    }

    /// How many units of the frequency lie between the first date that can be written and the last.
    fn units_until_the_end(&self) -> i64 {
        let years = 20_000;
        match self.frequency {
            Frequency::Hourly => years * 366 * 24,
            Frequency::Daily => years * 366,
            Frequency::Weekly => years * 53,
            Frequency::Monthly => years * 12,
            Frequency::Yearly => years,
        }
    }

    /// Which period, counted from that of `start`, a local time belongs to or follows.
    fn period_of(&self, start: Micros, local: Micros) -> i64 {
        let interval = i64::from(self.interval.max(1));
        let units = match self.frequency {
            Frequency::Hourly => local.div_euclid(HOUR) - start.div_euclid(HOUR),
            Frequency::Daily => local.div_euclid(DAY) - start.div_euclid(DAY),
            Frequency::Weekly => (self.week_of(local) - self.week_of(start)) / WEEK,
            Frequency::Monthly => month_number(local) - month_number(start),
            Frequency::Yearly => month_number(local).div_euclid(12) - month_number(start).div_euclid(12),
        };
        units.div_euclid(interval)
    }

    fn week_of(&self, local: Micros) -> Micros {
        let day = local.div_euclid(DAY);
        (day - (weekday_index(day) - index_of(self.week_start)).rem_euclid(7)) * DAY
    }

    /// The occurrences of one period, sorted; none before `start`.
    fn candidates(&self, start: Micros, period: i64) -> Vec<Micros> {
        work::count(self.days_per_period() as usize);
        let step = period.saturating_mul(i64::from(self.interval.max(1)));
        if step > self.units_until_the_end() {
            return Vec::new();
        }
        let start_day = start.div_euclid(DAY);
        let time = start.rem_euclid(DAY);
        if self.frequency == Frequency::Hourly {
            let local = start.saturating_add(step.saturating_mul(HOUR));
            return if self.allows(local.div_euclid(DAY)) {
                vec![local]
            } else {
                Vec::new()
            };
        }
        let mut days: Vec<i64> = match self.frequency {
            Frequency::Hourly => Vec::new(),
            Frequency::Daily => Some(start_day + step)
                .filter(|day| self.allows(*day))
                .into_iter()
                .collect(),
            Frequency::Weekly => self.days_of_week(start, step),
            Frequency::Monthly => {
                let (year, month, day) = year_month_day(start_day);
                self.days_of_month(year, month - 1 + step, day)
            }
            Frequency::Yearly => self.days_of_year(start_day, step),
        };
        days.sort_unstable();
        days.dedup();
        if !self.positions.is_empty() {
            days = self.at_positions(&days);
        }
        days.into_iter()
            .map(|day| day * DAY + time)
            .filter(|local| *local >= start)
            .collect()
    }

    fn days_of_week(&self, start: Micros, step: i64) -> Vec<i64> {
        let first = self.week_of(start).div_euclid(DAY) + step * 7;
        let start_weekday = weekday_index(start.div_euclid(DAY));
        let wanted = |day: i64| {
            let weekday = weekday_index(day);
            if self.days.is_empty() {
                weekday == start_weekday
            } else {
                self.days.iter().any(|wanted| index_of(wanted.weekday) == weekday)
            }
        };
        (first..first + 7)
            .filter(|day| wanted(*day) && self.allows_date(*day))
            .collect()
    }

    fn days_of_month(&self, year: i64, month_index: i64, start_day: i64) -> Vec<i64> {
        let first = day_number(year, month_index, 1);
        let length = days_in_month(year, month_index);
        if !self.allows_month(month_index.rem_euclid(12) + 1) {
            return Vec::new();
        }
        if self.days.is_empty() && self.month_days.is_empty() {
            return Some(first + start_day - 1)
                .filter(|_| start_day <= length)
                .into_iter()
                .collect();
        }
        (first..first + length)
            .filter(|day| self.allows_date(*day) && self.is_wanted_weekday(*day))
            .collect()
    }

    fn days_of_year(&self, start_day: i64, step: i64) -> Vec<i64> {
        let (year, month, day) = year_month_day(start_day);
        let own_month = [month as i8];
        let every_month: Vec<i8> = (1..=12).collect();
        let months: &[i8] = match (
            &self.months[..],
            self.month_days.is_empty() && self.days.is_empty(),
        ) {
            ([], true) => &own_month,
            ([], false) => &every_month,
            (months, _) => months,
        };
        months
            .iter()
            .flat_map(|month| self.days_of_month(year + step, i64::from(*month) - 1, day))
            .collect()
    }

    fn at_positions(&self, days: &[i64]) -> Vec<i64> {
        let at = |position: &i16| match *position {
            0 => None,
            from_start if from_start > 0 => days.get(from_start as usize - 1),
            from_end => days
                .len()
                .checked_sub(usize::from(from_end.unsigned_abs()))
                .and_then(|index| days.get(index)),
        };
        let mut chosen: Vec<i64> = self.positions.iter().filter_map(at).copied().collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    fn allows(&self, day: i64) -> bool {
        let weekday = || {
            self.days
                .iter()
                .any(|wanted| index_of(wanted.weekday) == weekday_index(day))
        };
        self.allows_date(day) && (self.days.is_empty() || weekday())
    }

    fn allows_month(&self, month: i64) -> bool {
        self.months.is_empty() || self.months.iter().any(|wanted| i64::from(*wanted) == month)
    }

    fn allows_date(&self, day: i64) -> bool {
        if self.months.is_empty() && self.month_days.is_empty() {
            return true;
        }
        let (year, month, of_month) = year_month_day(day);
        let from_end = of_month - days_in_month(year, month - 1) - 1;
        let wanted = |wanted: &i8| i64::from(*wanted) == of_month || i64::from(*wanted) == from_end;
        self.allows_month(month) && (self.month_days.is_empty() || self.month_days.iter().any(wanted))
    }

    /// Whether the day is one of those wanted by weekday, counting within its month.
    fn is_wanted_weekday(&self, day: i64) -> bool {
        if self.days.is_empty() {
            return true;
        }
        let (year, month, of_month) = year_month_day(day);
        let from_start = (of_month - 1) / 7 + 1;
        let from_end = -((days_in_month(year, month - 1) - of_month) / 7 + 1);
        let ordinal_fits = |ordinal: i8| i64::from(ordinal) == from_start || i64::from(ordinal) == from_end;
        self.days.iter().any(|wanted| {
            index_of(wanted.weekday) == weekday_index(day) && wanted.ordinal.is_none_or(ordinal_fits)
        })
    }
}

fn month_number(local: Micros) -> i64 {
    let (year, month, _) = year_month_day(local.div_euclid(DAY));
    year * 12 + month - 1
}
