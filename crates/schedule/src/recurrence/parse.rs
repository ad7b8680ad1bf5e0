//! Reading and writing recurrence rules as RFC 5545 spells them.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};

use super::{Frequency, Moment, Recurrence, Rule, RuleDay};

/// Most dates that a recurrence may list besides its rule.
const MAX_DATES: usize = 10_000;
/// Longest line that is read.
const MAX_LINE: usize = 200_000;

/// Why a recurrence was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecurrenceProblem {
    /// The line is none of `RRULE`, `EXDATE`, `RDATE`.
    #[error("`{0}` is not a recurrence; write RRULE, EXDATE or RDATE")]
    UnknownLine(String),
    /// There is more than one rule.
    #[error("write exactly one RRULE")]
    SeveralRules,
    /// The rule has no `FREQ`.
    #[error("the rule needs FREQ=HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY")]
    NoFrequency,
    /// A part of the rule that this crate does not obey.
    #[error("`{0}` is not supported in a rule")]
    UnsupportedPart(String),
    /// A part whose value makes no sense.
    #[error("`{value}` is not a value for {part}")]
    BadValue {
        /// Such as `BYDAY`.
        part: String,
        /// As written.
        value: String,
    },
    /// The list of dates or the line is too long.
    #[error("a recurrence may list at most {MAX_DATES} dates")]
    TooLong,
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

fn bad(part: &str, value: &str) -> RecurrenceProblem {
    RecurrenceProblem::BadValue {
        part: shown(part),
        value: shown(value),
    }
}

impl TryFrom<Vec<String>> for Recurrence {
    type Error = RecurrenceProblem;

    fn try_from(lines: Vec<String>) -> Result<Self, RecurrenceProblem> {
        Self::parse(lines.iter().map(String::as_str))
    }
}

impl Recurrence {
    /// Reads the lines of a recurrence: at most one `RRULE`, any `EXDATE` and `RDATE`.
    ///
    /// # Errors
    /// [`RecurrenceProblem`] for the first thing that is wrong or not supported.
    ///
    /// ```
    /// let every_second_week = schedule::Recurrence::parse(["RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR"])?;
    /// assert_eq!(every_second_week.rule.unwrap().interval, 2);
    /// # Ok::<(), schedule::RecurrenceProblem>(())
    /// ```
    pub fn parse<'line>(lines: impl IntoIterator<Item = &'line str>) -> Result<Self, RecurrenceProblem> {
        let mut recurrence = Self::default();
        for line in lines {
            let line = line.trim();
            if line.len() > MAX_LINE {
                return Err(RecurrenceProblem::TooLong);
            }
            let (name, value) = line.split_once(':').unwrap_or(("RRULE", line));
            let (name, parameters) = name.split_once(';').unwrap_or((name, ""));
            match name.to_ascii_uppercase().as_str() {
                "RRULE" if recurrence.rule.is_some() => return Err(RecurrenceProblem::SeveralRules),
                "RRULE" => recurrence.rule = Some(value.parse()?),
                "EXDATE" => read_dates("EXDATE", parameters, value, &mut recurrence.excluded)?,
                "RDATE" => read_dates("RDATE", parameters, value, &mut recurrence.added)?,
                _ => return Err(RecurrenceProblem::UnknownLine(shown(line))),
            }
        }
        Ok(recurrence)
    }
}

fn read_dates(
    part: &str,
    parameters: &str,
    value: &str,
    into: &mut Vec<Moment>,
) -> Result<(), RecurrenceProblem> {
    let zone = parameters
        .split(';')
        .find_map(|parameter| parameter.strip_prefix("TZID="));
    for text in value.split(',') {
        if into.len() >= MAX_DATES {
            return Err(RecurrenceProblem::TooLong);
        }
        into.push(parse_moment(text.trim(), zone).ok_or_else(|| bad(part, text))?);
    }
    Ok(())
}

/// Reads `20260131`, `20260131T090000` or `20260131T090000Z`.
pub(crate) fn parse_moment(text: &str, zone: Option<&str>) -> Option<Moment> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let date = |text: &str| {
        let fits = text.len() == 8 && digits(text);
        let part = |from, to| text.get(from..to).and_then(|part: &str| part.parse::<i16>().ok());
        fits.then(|| Date::new(part(0, 4)?, part(4, 6)? as i8, part(6, 8)? as i8).ok())?
    };
    let Some((day, time)) = text.split_once('T') else {
        return date(text).map(Moment::Date);
    };
    let (time, utc) = time.strip_suffix('Z').map_or((time, false), |time| (time, true));
    if time.len() != 6 || !digits(time) {
        return None;
    }
    let part = |from, to| time.get(from..to).and_then(|part: &str| part.parse::<i8>().ok());
    // A leap second counts as the second before it, as calendars hold no instant for it.
    let time = Time::new(part(0, 2)?, part(2, 4)?, part(4, 6)?.min(59), 0).ok()?;
    let local: DateTime = date(day)?.to_datetime(time);
    match (utc, zone) {
        (true, _) => {
            // Calendars write the last day of the year 9999 for ever, which is a day more than an instant can tell.
            let utc = local.to_zoned(jiff::tz::TimeZone::UTC).map(|utc| utc.timestamp());
            Some(Moment::Instant(utc.unwrap_or(if local.year() > 0 {
                Timestamp::MAX
            } else {
                Timestamp::MIN
            })))
        }
        (false, Some(zone)) => Some(Moment::Zoned(local, zone.trim_matches('"').to_owned())),
        (false, None) => Some(Moment::Local(local)),
    }
}

impl std::str::FromStr for Rule {
    type Err = RecurrenceProblem;

    fn from_str(text: &str) -> Result<Self, RecurrenceProblem> {
        let parts = || {
            text.split(';')
                .filter(|part| !part.is_empty())
                .map(|part| part.split_once('=').unwrap_or((part, "")))
        };
        let frequency = parts().find(|(name, _)| name.eq_ignore_ascii_case("FREQ"));
        let mut rule = Self::every(
            match frequency.map(|(_, value)| value.to_ascii_uppercase()).as_deref() {
                None => return Err(RecurrenceProblem::NoFrequency),
                Some("HOURLY") => Frequency::Hourly,
                Some("DAILY") => Frequency::Daily,
                Some("WEEKLY") => Frequency::Weekly,
                Some("MONTHLY") => Frequency::Monthly,
                Some("YEARLY") => Frequency::Yearly,
                Some(other) => return Err(bad("FREQ", other)),
            },
        );
        for (name, value) in parts() {
            let name = name.to_ascii_uppercase();
            let wrong = || bad(&name, value);
            match name.as_str() {
                "FREQ" => {}
                "INTERVAL" => {
                    let interval = value
                        .parse()
                        .ok()
                        .filter(|interval| (1..=100_000).contains(interval));
                    rule.interval = interval.ok_or_else(wrong)?;
                }
                "COUNT" => {
                    rule.count = Some(value.parse().ok().filter(|count| *count >= 1).ok_or_else(wrong)?);
                }
                "UNTIL" => rule.until = Some(parse_moment(value, None).ok_or_else(wrong)?),
                "WKST" => rule.week_start = weekday(value).ok_or_else(wrong)?,
                "BYMONTH" => rule.months = numbers(value, 1, 12).ok_or_else(wrong)?,
                "BYMONTHDAY" if rule.frequency != Frequency::Weekly => {
                    rule.month_days = numbers(value, -31, 31).ok_or_else(wrong)?;
                }
                "BYDAY" => rule.days = days(value).ok_or_else(wrong)?,
                "BYSETPOS" => rule.positions = numbers(value, -366, 366).ok_or_else(wrong)?,
                _ => return Err(RecurrenceProblem::UnsupportedPart(shown(&name))),
            }
        }
        rule.checked()
    }
}

impl Rule {
    fn checked(mut self) -> Result<Self, RecurrenceProblem> {
        let counted_by_month = matches!(self.frequency, Frequency::Monthly | Frequency::Yearly);
        let has_ordinals = self.days.iter().any(|day| day.ordinal.is_some());
        // By year, an ordinal without months would count through the year.
        if has_ordinals
            && (!counted_by_month || (self.frequency == Frequency::Yearly && self.months.is_empty()))
        {
            return Err(RecurrenceProblem::UnsupportedPart(
                "BYDAY with numbers other than in a month".to_owned(),
            ));
        }
        if !self.positions.is_empty() && !counted_by_month {
            return Err(RecurrenceProblem::UnsupportedPart(
                "BYSETPOS other than by month or year".to_owned(),
            ));
        }
        self.days.dedup();
        let mut seen = Vec::new();
        self.days.retain(|day| {
            !seen.contains(day) && {
                seen.push(*day);
                true
            }
        });
        Ok(self)
    }
}

fn numbers<N: std::str::FromStr + PartialOrd + From<i8>>(value: &str, low: N, high: N) -> Option<Vec<N>> {
    let number = |text: &str| {
        let number = text.trim().parse::<N>().ok()?;
        (low <= number && number <= high && number != N::from(0)).then_some(number)
    };
    value.split(',').take(1_000).map(number).collect()
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}

fn days(value: &str) -> Option<Vec<RuleDay>> {
    let day = |text: &str| {
        let text = text.trim();
        let split = text.len().checked_sub(2)?;
        let (ordinal, name) = (text.get(..split)?, text.get(split..)?);
        let ordinal = match ordinal {
            "" => None,
            number => Some(
                number
                    .parse::<i8>()
                    .ok()
                    .filter(|ordinal| (1..=5).contains(&ordinal.abs()))?,
            ),
        };
        Some(RuleDay {
            ordinal,
            weekday: weekday(name)?,
        })
    };
    value.split(',').take(1_000).map(day).collect()
}

impl From<Recurrence> for Vec<String> {
    fn from(recurrence: Recurrence) -> Self {
        let mut lines: Self = recurrence
            .rule
            .iter()
            .map(|rule| format!("RRULE:{rule}"))
            .collect();
        lines.extend(
            recurrence
                .excluded
                .iter()
                .map(|moment| date_line("EXDATE", moment)),
        );
        lines.extend(recurrence.added.iter().map(|moment| date_line("RDATE", moment)));
        lines
    }
}

fn date_line(name: &str, moment: &Moment) -> String {
    match moment {
        Moment::Date(_) => format!("{name};VALUE=DATE:{moment}"),
        Moment::Zoned(_, zone) => format!("{name};TZID={zone}:{moment}"),
        Moment::Local(_) | Moment::Instant(_) => format!("{name}:{moment}"),
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => write!(formatter, "{}", date.strftime("%Y%m%d")),
            Self::Local(local) | Self::Zoned(local, _) => {
                write!(formatter, "{}", local.strftime("%Y%m%dT%H%M%S"))
            }
            Self::Instant(at) => write!(formatter, "{}", at.strftime("%Y%m%dT%H%M%SZ")),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frequency = match self.frequency {
            Frequency::Hourly => "HOURLY",
            Frequency::Daily => "DAILY",
            Frequency::Weekly => "WEEKLY",
            Frequency::Monthly => "MONTHLY",
            Frequency::Yearly => "YEARLY",
        };
        write!(formatter, "FREQ={frequency}")?;
        if self.interval != 1 {
            write!(formatter, ";INTERVAL={}", self.interval)?;
        }
        if let Some(count) = self.count {
            write!(formatter, ";COUNT={count}")?;
        }
        if let Some(until) = &self.until {
            write!(formatter, ";UNTIL={until}")?;
        }
        if self.week_start != Weekday::Monday {
            write!(formatter, ";WKST={}", weekday_name(self.week_start))?;
        }
        write_list(formatter, "BYMONTH", &self.months)?;
        write_list(formatter, "BYMONTHDAY", &self.month_days)?;
        let day = |day: &RuleDay| {
            let ordinal = day.ordinal.map(|ordinal| ordinal.to_string()).unwrap_or_default();
            format!("{ordinal}{}", weekday_name(day.weekday))
        };
        write_list(
            formatter,
            "BYDAY",
            &self.days.iter().map(day).collect::<Vec<String>>(),
        )?;
        write_list(formatter, "BYSETPOS", &self.positions)
    }
}

fn write_list<T: ToString>(formatter: &mut fmt::Formatter<'_>, name: &str, list: &[T]) -> fmt::Result {
    if list.is_empty() {
        return Ok(());
    }
    let written: Vec<String> = list.iter().map(ToString::to_string).collect();
    write!(formatter, ";{name}={}", written.join(","))
}

fn weekday_name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "MO",
        Weekday::Tuesday => "TU",
        Weekday::Wednesday => "WE",
        Weekday::Thursday => "TH",
        Weekday::Friday => "FR",
        Weekday::Saturday => "SA",
        Weekday::Sunday => "SU",
    }
}
