//! Days as numbers, so that rules can reckon without building dates.
//!
//! Day 0 is 1 January 1970 of the Gregorian calendar, extended both ways. The conversion counts from 1 March, so that
//! a leap day is the last of its year (Howard Hinnant, "chrono-compatible low-level date algorithms").

use jiff::civil::{Date, DateTime, Weekday};

use crate::span::{DAY, Micros};
use crate::week::time_of_day;

/// Number of a day; any month, counted from `year`'s January as 0, may be given.
pub(crate) fn day_number(year: i64, month_index: i64, day: i64) -> i64 {
    let (year, month_index) = (year + month_index.div_euclid(12), month_index.rem_euclid(12));
    let (year, from_march) = if month_index < 2 {
        (year - 1, month_index + 10)
    } else {
        (year, month_index - 2)
    };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// Year, month from 1, and day from 1.
pub(crate) fn year_month_day(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

pub(crate) fn days_in_month(year: i64, month_index: i64) -> i64 {
    day_number(year, month_index + 1, 1) - day_number(year, month_index, 1)
}

/// Monday is 0.
pub(crate) fn weekday_index(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

pub(crate) fn index_of(weekday: Weekday) -> i64 {
    i64::from(weekday.to_monday_zero_offset())
}

pub(crate) fn day_of(date: Date) -> i64 {
    day_number(date.year().into(), i64::from(date.month()) - 1, date.day().into())
}

pub(crate) fn local_micros(local: DateTime) -> Micros {
    day_of(local.date()) * DAY + time_of_day(local.time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_with_the_calendar_over_four_centuries_and_the_ends() {
        let mut date = jiff::civil::date(1799, 12, 30);
        let mut number = day_of(date);
        assert_eq!(day_of(jiff::civil::date(1970, 1, 1)), 0);
        while date.year() < 2201 {
            let (year, month, day) = year_month_day(number);
            assert_eq!(
                (year, month, day),
                (date.year().into(), date.month().into(), date.day().into())
            );
            assert_eq!(day_of(date), number);
            assert_eq!(weekday_index(number), index_of(date.weekday()));
            (date, number) = (date.tomorrow().unwrap(), number + 1);
        }
    }
}
