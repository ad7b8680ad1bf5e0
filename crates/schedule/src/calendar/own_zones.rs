//! Zones that a calendar defines itself, for when their names mean nothing to anybody else ("Customized Time Zone").
//!
//! A definition lists when its clocks change to standard time and to summer time. What counts is how they change today:
//! of each kind the observance that began last. Two yearly rules become a zone with summer time, anything else one with a
//! fixed offset; a definition that says neither is no definition, and the caller falls back on what it knows.

use std::collections::HashMap;

use jiff::civil::Weekday;
use jiff::tz::{Offset, TimeZone};

use super::lines::Property;
use crate::recurrence::{Frequency, Moment, Rule, parse_moment};

/// The zones defined so far, and the one that is being read.
#[derive(Debug, Default)]
pub(super) struct OwnZones {
    defined: HashMap<String, Definition>,
    /// The `TZID` of the definition that is open.
    name: String,
    open: Observance,
}

#[derive(Debug, Default)]
struct Definition {
    standard: Option<Observance>,
    daylight: Option<Observance>,
}

/// One kind of time and when it begins.
#[derive(Debug, Clone, Default)]
struct Observance {
    begins: Option<Moment>,
    /// Local time minus UTC, in seconds.
    offset: Option<i32>,
    rule: Option<Rule>,
}

impl OwnZones {
    /// A definition with this name begins.
    pub(super) fn begin(&mut self, name: String) {
        self.name = name;
    }

    /// An observance begins.
    pub(super) fn begin_observance(&mut self) {
        self.open = Observance::default();
    }

    /// Takes a line of the observance that is open.
    pub(super) fn take(&mut self, property: &Property<'_>) {
        let value = property.value.trim();
        match property.name.as_str() {
            "DTSTART" => self.open.begins = parse_moment(value, None),
            "TZOFFSETTO" => self.open.offset = offset_seconds(value),
            "RRULE" => self.open.rule = value.parse().ok(),
            _ => {}
        }
    }

    /// The observance that is open is complete.
    pub(super) fn end_observance(&mut self, component: &str) {
        let observance = std::mem::take(&mut self.open);
        if observance.offset.is_none() {
            return;
        }
        let definition = self.defined.entry(self.name.clone()).or_default();
        let place = if component == "DAYLIGHT" {
            &mut definition.daylight
        } else {
            &mut definition.standard
        };
        if place
            .as_ref()
            .is_none_or(|known| known.began() <= observance.began())
        {
            *place = Some(observance);
        }
    }

    /// The zone that a definition describes.
    pub(super) fn get(&self, name: &str) -> Option<TimeZone> {
        let definition = self.defined.get(name)?;
        let (standard, daylight) = (definition.standard.as_ref(), definition.daylight.as_ref());
        if let (Some(standard), Some(daylight)) = (standard, daylight)
            && let Some(changing) = changing(standard, daylight)
        {
            return Some(changing);
        }
        let last = [standard, daylight]
            .into_iter()
            .flatten()
            .max_by_key(|observance| observance.began())?;
        Offset::from_seconds(last.offset?).ok().map(TimeZone::fixed)
    }
}

impl Observance {
    fn began(&self) -> Option<jiff::civil::DateTime> {
        match self.begins.as_ref()? {
            Moment::Local(local) | Moment::Zoned(local, _) => Some(*local),
            Moment::Date(date) => Some(date.to_datetime(jiff::civil::Time::midnight())),
            Moment::Instant(_) => None,
        }
    }

    /// When it begins every year, as POSIX writes it: `M10.5.0/3:00:00`.
    fn every_year(&self) -> Option<String> {
        let rule = self.rule.as_ref()?;
        let (&[month], [day]) = (&rule.months[..], &rule.days[..]) else {
            return None;
        };
        let is_plain = rule.frequency == Frequency::Yearly
            && rule.interval == 1
            && rule.month_days.is_empty()
            && rule.positions.is_empty()
            && rule.count.is_none()
            && rule.until.is_none();
        let week = match day.ordinal? {
            -1 => 5,
            ordinal @ 1..=5 => ordinal,
            _ => return None,
        };
        let weekday = day.weekday.since(Weekday::Sunday);
        let time = self.began()?.time();
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        is_plain.then(|| format!("M{month}.{week}.{weekday}/{hour}:{minute:02}:{second:02}"))
    }
}

fn changing(standard: &Observance, daylight: &Observance) -> Option<TimeZone> {
    let (winter, summer) = (posix_offset(standard.offset?), posix_offset(daylight.offset?));
    let (to_summer, to_winter) = (daylight.every_year()?, standard.every_year()?);
    TimeZone::posix(&format!("STD{winter}DST{summer},{to_summer},{to_winter}")).ok()
}

/// An offset as POSIX writes it: what must be added to local time to get UTC.
fn posix_offset(seconds: i32) -> String {
    let sign = if seconds > 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    format!(
        "{sign}{}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Reads `+0530` and `-013045`.
fn offset_seconds(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes, seconds) = if digits.len() == 6 {
        (number / 10_000, number / 100 % 100, number % 100)
    } else {
        (number / 100, number % 100, 0)
    };
    (hours < 24 && minutes < 60 && seconds < 60).then(|| sign * (hours * 3600 + minutes * 60 + seconds))
}
