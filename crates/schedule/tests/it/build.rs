//! Short words for building schedules in tests.

use jiff::{SignedDuration, Timestamp};
use schedule::{
    Advance, Entry, Layer, LayerId, Override, Plan, Restriction, Schedule, Source, Span, UserKey,
};

pub(crate) const DAY: u64 = 86_400;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn span(start: &str, end: &str) -> Span {
    Span::new(at(start), at(end)).unwrap()
}

pub(crate) fn layer(id: &str, start: &str, turn: u64, users: &[&str]) -> Layer {
    Layer {
        id: LayerId::new(id),
        name: id.to_owned(),
        start: at(start),
        end: None,
        rotation_virtual_start: at(start),
        rotation_turn_length_seconds: turn,
        users: users.iter().map(|user| UserKey::from(*user)).collect(),
        restrictions: Vec::new(),
        advance: Advance::CalendarTurns,
        time_zone: None,
    }
}

pub(crate) fn daily(start: &str, hours: u32) -> Restriction {
    Restriction::Daily {
        start_time_of_day: start.parse().unwrap(),
        duration_seconds: hours * 3600,
    }
}

pub(crate) fn weekly(day: u8, start: &str, hours: u32) -> Restriction {
    Restriction::Weekly {
        start_day_of_week: day,
        start_time_of_day: start.parse().unwrap(),
        duration_seconds: hours * 3600,
    }
}

pub(crate) fn replacement(id: &str, start: &str, end: &str, user: &str) -> Override {
    Override {
        id: id.into(),
        start: at(start),
        end: at(end),
        user: user.into(),
    }
}

pub(crate) fn plan(time_zone: &str, layers: Vec<Layer>, overrides: Vec<Override>) -> Plan {
    Schedule {
        time_zone: time_zone.to_owned(),
        layers,
        overrides,
    }
    .validate()
    .unwrap()
}

pub(crate) fn lines(entries: &[Entry]) -> Vec<String> {
    let line = |entry: &Entry| {
        let source = match &entry.source {
            Source::Layer(id) => id.to_string(),
            Source::Override(id) => id.to_string(),
        };
        format!("{} {} {} by {source}", entry.start, entry.end, entry.user)
    };
    entries.iter().map(line).collect()
}

pub(crate) fn final_lines(plan: &Plan, span: Span) -> Vec<String> {
    lines(&plan.render(span).unwrap().final_schedule.entries)
}

pub(crate) fn hours(duration: SignedDuration) -> i64 {
    duration.as_hours()
}
