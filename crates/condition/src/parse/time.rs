//! Dates, windows and weekly schedules.

use jiff::{
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};
use winnow::stream::{Location, Stream};

use super::{
    Fault, Input, Result,
    lexeme::{digits, expected, peek, skip_blanks, symbol, take, word, word_is},
};
use crate::{
    error::Problem,
    syntax::{LocalInstant, Threshold, ThresholdKind},
    weekly::{DAYS, WeeklySchedule},
};

/// `2021-12-04 19:00:42 America/Los_Angeles`
pub(super) fn local_instant(input: &mut Input<'_, '_>) -> Result<LocalInstant> {
    const FORM: &[&str] = &["a date such as 2021-12-04"];
    let offset = input.current_token_start();
    let year = number(input, 4, FORM)?;
    separator(input, "-", FORM)?;
    let month = small_number(input, FORM)?;
    separator(input, "-", FORM)?;
    let day = small_number(input, FORM)?;
    let date = Date::new(year, month, day).map_err(|_| Fault::at(offset, Problem::NoSuchTime))?;
    blanks(input)?;
    let time = time_of_day(input)?;
    blanks(input)?;
    let (zone_name, zone) = time_zone(input)?;
    LocalInstant::resolve(DateTime::from_parts(date, time), &zone_name, &zone)
        .ok_or_else(|| Fault::at(offset, Problem::NoSuchTime))
}

/// `over 1 hour 30 minutes`, after the name of the count.
pub(super) fn threshold(input: &mut Input<'_, '_>, kind: ThresholdKind) -> Result<Threshold> {
    skip_blanks(input)?;
    if !word_is(input, "over") {
        return Err(expected(
            input,
            &["`over`"],
            Some("A count has a window: trigger_count over 5 minutes."),
        ));
    }
    word(input)?;
    skip_blanks(input)?;
    let offset = input.current_token_start();
    let mut given: Vec<&'static str> = Vec::new();
    let mut total: u32 = 0;
    loop {
        let too_large = |_| Fault::at(offset, Problem::NumberTooLarge);
        let amount = digits(input)?;
        if amount.is_empty() {
            return Err(expected(
                input,
                &["a number of seconds, minutes, hours or days"],
                None,
            ));
        }
        let amount: u32 = amount.parse().map_err(too_large)?;
        blanks(input)?;
        let (unit, seconds) = unit(input, &given)?;
        given.push(unit);
        total = amount
            .checked_mul(seconds)
            .and_then(|part| total.checked_add(part))
            .ok_or(Fault::at(offset, Problem::NumberTooLarge))?;
        // Blanks that no further amount follows do not belong to the window.
        let after_unit = input.checkpoint();
        skip_blanks(input)?;
        if !peek(input).is_some_and(|character| character.is_ascii_digit()) {
            input.reset(&after_unit);
            break;
        }
    }
    if total == 0 {
        return Err(Fault::at(offset, Problem::EmptyWindow));
    }
    Ok(Threshold {
        kind,
        window_seconds: total,
    })
}

fn unit(input: &mut Input<'_, '_>, given: &[&'static str]) -> Result<(&'static str, u32)> {
    const UNITS: &[(&str, &str, u32)] = &[
        ("second", "seconds", 1),
        ("minute", "minutes", 60),
        ("hour", "hours", 3_600),
        ("day", "days", 86_400),
    ];
    let offset = input.current_token_start();
    let known = UNITS
        .iter()
        .find(|(one, many, _)| word_is(input, one) || word_is(input, many));
    let Some((unit, _, seconds)) = known else {
        return Err(expected(
            input,
            &["`seconds`", "`minutes`", "`hours`", "`days`"],
            None,
        ));
    };
    if given.contains(unit) {
        return Err(Fault::at(offset, Problem::RepeatedUnit { unit }));
    }
    word(input)?;
    Ok((unit, *seconds))
}

/// `Mon,Tue 09:00:00 to 17:00:00 America/New_York`
pub(super) fn weekly_schedule(input: &mut Input<'_, '_>) -> Result<WeeklySchedule> {
    let mut days = vec![weekday(input)?];
    while peek(input) == Some(',') {
        symbol(input, ",")?;
        days.push(weekday(input)?);
    }
    blanks(input)?;
    let start = time_of_day(input)?;
    blanks(input)?;
    if !word_is(input, "to") {
        return Err(expected(input, &["`to`"], None));
    }
    word(input)?;
    blanks(input)?;
    let end = time_of_day(input)?;
    blanks(input)?;
    let (zone_name, zone) = time_zone(input)?;
    Ok(WeeklySchedule::new(&days, start, end, &zone_name, zone))
}

fn weekday(input: &mut Input<'_, '_>) -> Result<Weekday> {
    let Some((_, day)) = DAYS.iter().find(|(name, _)| word_is(input, name)) else {
        let hint = match peek(input) {
            Some(' ') => Some("There is no blank after the comma: Mon,Tue."),
            _ => Some("Days are shortened to three letters and separated by commas: Mon,Tue,Wed."),
        };
        return Err(expected(input, &["a day such as `Mon`"], hint));
    };
    word(input)?;
    Ok(*day)
}

fn time_of_day(input: &mut Input<'_, '_>) -> Result<Time> {
    const FORM: &[&str] = &["a time such as 09:00:00"];
    let offset = input.current_token_start();
    let hour = small_number(input, FORM)?;
    separator(input, ":", FORM)?;
    let minute = small_number(input, FORM)?;
    separator(input, ":", FORM)?;
    let second = small_number(input, FORM)?;
    if second > 59 {
        return Err(Fault::at(offset, Problem::NoSuchTime));
    }
    Time::new(hour, minute, second, 0).map_err(|_| Fault::at(offset, Problem::NoSuchTime))
}

fn time_zone(input: &mut Input<'_, '_>) -> Result<(String, TimeZone)> {
    let offset = input.current_token_start();
    let name = take(input, |character| {
        character.is_ascii_alphanumeric() || matches!(character, '/' | '_' | '-' | '+')
    })?;
    if name.is_empty() {
        return Err(expected(input, &["a time zone such as America/New_York"], None));
    }
    let unknown = || {
        Fault::at(
            offset,
            Problem::UnknownZone {
                name: name.chars().take(64).collect(),
            },
        )
    };
    let zone = input.state.zones.get(name).map_err(|_| unknown())?;
    if zone.is_unknown() {
        return Err(unknown());
    }
    let name = zone.iana_name().unwrap_or(name).to_owned();
    Ok((name, zone))
}

fn blanks(input: &mut Input<'_, '_>) -> Result<()> {
    if !peek(input).is_some_and(|character| character.is_ascii_whitespace()) {
        return Err(expected(input, &["a blank"], None));
    }
    skip_blanks(input)
}

fn separator(input: &mut Input<'_, '_>, text: &'static str, form: &'static [&'static str]) -> Result<()> {
    if peek(input) != text.chars().next() {
        return Err(expected(input, form, None));
    }
    symbol(input, text)
}

fn small_number(input: &mut Input<'_, '_>, form: &'static [&'static str]) -> Result<i8> {
    number(input, 2, form)
}

/// Exactly so many digits.
fn number<N: std::str::FromStr>(
    input: &mut Input<'_, '_>,
    length: usize,
    form: &'static [&'static str],
) -> Result<N> {
    let offset = input.current_token_start();
    let text = digits(input)?;
    if text.len() != length {
        let problem = Problem::Expected {
            expected: form,
            found: format!("`{text:.20}`"),
            hint: None,
        };
        return Err(Fault::at(offset, problem));
    }
    text.parse().map_err(|_| Fault::at(offset, Problem::NoSuchTime))
}
