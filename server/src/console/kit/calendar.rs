//! A week (or two, or a month) on call, in lanes: the final line, its backup, and the layers beneath. Gaps are
//! hatched, "you" is the only filled colour, notes are numbered pins. Across is in percent of the time that is
//! really there: a day of a clock change is 23 or 25 hours wide.

use askama::Template;
use jiff::{Timestamp, ToSpan};

use super::words::coordinate;
use super::{Reading, drawn};

#[derive(Debug, Clone)]
pub struct CalendarInput {
    pub from: Timestamp,
    pub to: Timestamp,
    pub lanes: Vec<CalendarLaneInput>,
}

#[derive(Debug, Clone)]
pub struct CalendarLaneInput {
    pub name: String,
    pub note: String,
    pub rank: LaneRank,
    pub shifts: Vec<ShiftInput>,
    pub pins: Vec<(Timestamp, Pin)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneRank {
    /// Who is paged: taller than its layers.
    Final,
    /// Further levels and layers.
    Layer,
}

#[derive(Debug, Clone)]
pub struct ShiftInput {
    pub from: Timestamp,
    pub to: Timestamp,
    /// The person, or the word for a gap.
    pub name: String,
    pub look: ShiftLook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShiftLook {
    Plain,
    Night,
    Weekend,
    You,
    /// Swapped or covered.
    Change,
    YouInChange,
    Gap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    Note(u8),
    Gap,
}

#[derive(Debug, Clone, PartialEq, Template)]
#[template(path = "kit/calendar.html")]
pub struct Calendar {
    pub days: Vec<Day>,
    /// In percent, when now is shown.
    pub now: Option<String>,
    pub lanes: Vec<CalendarLane>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    pub across: String,
    pub name: String,
    pub class: &'static str,
}

#[derive(Debug, Clone, PartialEq)]
pub struct CalendarLane {
    pub name: String,
    pub note: String,
    pub class: &'static str,
    pub height: u32,
    pub shifts: Vec<Shift>,
    pub pins: Vec<PlacedPin>,
}

impl CalendarLane {
    fn shift_height(&self) -> u32 {
        self.height - 16
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Shift {
    pub class: &'static str,
    pub across: String,
    pub width: String,
    pub name: String,
    /// "Lucía Ferrer, Mon 16 20:00 to Tue 17 08:00".
    pub told: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedPin {
    pub across: String,
    pub pin: Pin,
}

/// Lays out a calendar in the reader's zone. Shifts outside are cut at the edges.
pub fn calendar(input: &CalendarInput, reading: &Reading) -> Calendar {
    let length = (input.to.as_second() - input.from.as_second()).max(1) as f64;
    let percent =
        |at: Timestamp| ((at.as_second() - input.from.as_second()) as f64 / length * 100.0).clamp(0.0, 100.0);
    Calendar {
        days: days(input, reading, &percent),
        now: (input.from..input.to)
            .contains(&reading.now)
            .then(|| coordinate(percent(reading.now))),
        lanes: input
            .lanes
            .iter()
            .map(|lane| CalendarLane {
                name: lane.name.clone(),
                note: lane.note.clone(),
                class: if lane.rank == LaneRank::Final { "final" } else { "" },
                height: if lane.rank == LaneRank::Final { 64 } else { 48 },
                shifts: lane
                    .shifts
                    .iter()
                    .filter(|shift| shift.to > input.from && shift.from < input.to)
                    .map(|shift| lay_shift(shift, reading, &percent))
                    .collect(),
                pins: lane
                    .pins
                    .iter()
                    .map(|(at, pin)| PlacedPin {
                        across: coordinate(percent(*at)),
                        pin: *pin,
                    })
                    .collect(),
            })
            .collect(),
    }
}

fn lay_shift(shift: &ShiftInput, reading: &Reading, percent: &dyn Fn(Timestamp) -> f64) -> Shift {
    let (from, to) = (percent(shift.from), percent(shift.to));
    let width = to - from;
    let said = |at: Timestamp| reading.zoned(at).strftime("%a %-d %H:%M").to_string();
    let name = match shift.look {
        ShiftLook::Gap => String::new(),
        _ if width < 2.0 => String::new(),
        _ if width < 5.5 => super::letters(&shift.name),
        _ if width < 14.0 => shift
            .name
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned(),
        _ => shift.name.clone(),
    };
    Shift {
        class: match shift.look {
            ShiftLook::Plain => "shift",
            ShiftLook::Night => "shift night",
            ShiftLook::Weekend => "shift weekend",
            ShiftLook::You => "shift you",
            ShiftLook::Change => "shift change",
            ShiftLook::YouInChange => "shift change you",
            ShiftLook::Gap => "shift gap",
        },
        across: coordinate(from),
        width: coordinate(width.max(0.3)),
        told: format!("{}, {} to {}", shift.name, said(shift.from), said(shift.to)),
        name,
    }
}

fn days(input: &CalendarInput, reading: &Reading, percent: &dyn Fn(Timestamp) -> f64) -> Vec<Day> {
    let today = reading.zoned(reading.now).date();
    let mut days = Vec::new();
    // Where many days stand side by side there is room for their numbers only.
    let names = if input.to.as_second() - input.from.as_second() > 15 * 86_400 {
        "%-d"
    } else {
        "%a %-d"
    };
    let Ok(mut day) = reading.zoned(input.from).start_of_day() else {
        return days;
    };
    while day.timestamp() < input.to && days.len() < 62 {
        if day.timestamp() >= input.from {
            days.push(Day {
                across: coordinate(percent(day.timestamp())),
                name: day.strftime(names).to_string(),
                class: if day.date() == today {
                    "day-name today"
                } else {
                    "day-name"
                },
            });
        }
        match day.checked_add(1.day()).and_then(|next| next.start_of_day()) {
            Ok(next) => day = next,
            Err(_) => break,
        }
    }
    days
}

drawn!(Calendar);

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn week_of(from: &str, to: &str, zone: &str, shifts: Vec<ShiftInput>) -> Calendar {
        let lane = CalendarLaneInput {
            name: "On call".to_owned(),
            note: String::new(),
            rank: LaneRank::Final,
            shifts,
            pins: Vec::new(),
        };
        let input = CalendarInput {
            from: at(from),
            to: at(to),
            lanes: vec![lane],
        };
        calendar(
            &input,
            &Reading::new(at("2026-11-17T06:12:00Z"), TimeZone::get(zone).unwrap()),
        )
    }

    #[test]
    fn a_week_has_seven_days_and_today_is_marked() {
        let drawn = week_of(
            "2026-11-16T00:00:00Z",
            "2026-11-23T00:00:00Z",
            "Europe/London",
            vec![],
        );
        let names: Vec<_> = drawn.days.iter().map(|day| day.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "Mon 16", "Tue 17", "Wed 18", "Thu 19", "Fri 20", "Sat 21", "Sun 22"
            ]
        );
        assert_eq!(drawn.days[1].class, "day-name today");
        assert_eq!(drawn.now.as_deref(), Some("17.98"));
    }

    #[test]
    fn the_day_of_a_clock_change_is_longer() {
        let drawn = week_of(
            "2026-10-24T23:00:00Z",
            "2026-10-27T00:00:00Z",
            "Europe/London",
            vec![],
        );
        let across: Vec<f64> = drawn.days.iter().map(|day| day.across.parse().unwrap()).collect();
        assert_eq!(drawn.days.len(), 2);
        assert!((across[1] - 25.0 / 49.0 * 100.0).abs() < 0.01, "{across:?}");
    }

    #[test]
    fn names_shrink_with_their_shift() {
        let shift = |hours: i64| ShiftInput {
            from: at("2026-11-16T00:00:00Z"),
            to: at("2026-11-16T00:00:00Z") + hours.hours(),
            name: "Emre Yıldız".to_owned(),
            look: ShiftLook::Plain,
        };
        let drawn = week_of(
            "2026-11-16T00:00:00Z",
            "2026-11-23T00:00:00Z",
            "UTC",
            [2, 8, 12, 48].map(shift).to_vec(),
        );
        let names: Vec<_> = drawn.lanes[0]
            .shifts
            .iter()
            .map(|shift| shift.name.as_str())
            .collect();
        assert_eq!(names, ["", "EY", "Emre", "Emre Yıldız"]);
        assert_eq!(
            drawn.lanes[0].shifts[0].told,
            "Emre Yıldız, Mon 16 00:00 to Mon 16 02:00"
        );
    }
}
