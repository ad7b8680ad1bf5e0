//! Writing on-call time as a calendar feed that people subscribe to.
//!
//! Times go out in UTC, because every calendar program reads UTC alike and because RFC 5545 resolves hours that never exist
//! otherwise than hand-offs do. An event's UID is made of the schedule, the person, the source and the instant at which the
//! entry begins, so the same shift has the same UID in every rendering and calendars update it in place.

use std::fmt::Write;

use jiff::Timestamp;

use crate::render::{Entry, Source};
use crate::shifts::{ShiftEntry, ShiftSource};
use crate::span::Span;

/// A calendar feed of one schedule or one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// What the calendar is called.
    pub name: String,
    /// Who made it, such as `-//Muster//On call//EN`.
    pub product: String,
    /// What makes the UIDs unique in the world: the schedule's id and the host, such as `PSCHED1.muster.example`.
    pub realm: String,
    /// When the feed is written.
    pub written_at: Timestamp,
    /// How often subscribers should look again, in minutes.
    pub refresh_minutes: u32,
}

/// One event of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// From when to when.
    pub span: Span,
    /// What tells this event from others with the same beginning; together with it and the realm, the UID.
    pub key: String,
    /// What the calendar shows.
    pub summary: String,
    /// What it shows on a closer look; nothing, if empty.
    pub description: String,
}

impl FeedEvent {
    /// An entry of a layered schedule, under a summary. Give entries that are not cut at the ends of a span (see
    /// [`Plan::render_overflowing`](crate::Plan::render_overflowing)), or the UIDs of those at the ends will vary.
    pub fn of_entry(entry: &Entry, summary: impl Into<String>) -> Self {
        let source = match &entry.source {
            Source::Layer(id) => format!("layer {id}"),
            Source::Override(id) => format!("override {id}"),
        };
        let key = format!("{source} {}", entry.user);
        Self {
            span: entry.span(),
            key,
            summary: summary.into(),
            description: String::new(),
        }
    }

    /// A shift of a shift-based schedule, under a summary; none for an empty member.
    pub fn of_shift(entry: &ShiftEntry, summary: impl Into<String>) -> Option<Self> {
        let user = entry.member.as_user()?;
        let source = match &entry.source {
            ShiftSource::Rotation {
                rotation_id,
                event_id,
            } => format!("rotation {rotation_id} {event_id}"),
            ShiftSource::CustomShift { shift_id } => format!("shift {shift_id}"),
            ShiftSource::RotationOverride {
                rotation_id,
                override_id,
            } => {
                format!("rotation {rotation_id} override {override_id}")
            }
            ShiftSource::CustomShiftOverride {
                shift_id,
                override_id,
            } => {
                format!("shift {shift_id} override {override_id}")
            }
        };
        let span = Span::new(entry.start_time, entry.end_time).ok()?;
        Some(Self {
            span,
            key: format!("{source} {user}"),
            summary: summary.into(),
            description: String::new(),
        })
    }
}

impl Feed {
    /// The calendar as text, with lines folded and ended as RFC 5545 demands.
    pub fn write<'event>(&self, events: impl IntoIterator<Item = &'event FeedEvent>) -> String {
        let mut calendar = Lines::default();
        calendar.add("BEGIN", "VCALENDAR");
        calendar.add("VERSION", "2.0");
        calendar.add("PRODID", &escaped(&self.product));
        calendar.add("CALSCALE", "GREGORIAN");
        calendar.add("METHOD", "PUBLISH");
        calendar.add("NAME", &escaped(&self.name));
        calendar.add("X-WR-CALNAME", &escaped(&self.name));
        let refresh = format!("PT{}M", self.refresh_minutes.max(1));
        calendar.add("REFRESH-INTERVAL;VALUE=DURATION", &refresh);
        calendar.add("X-PUBLISHED-TTL", &refresh);
        for event in events {
            self.write_event(&mut calendar, event);
        }
        calendar.add("END", "VCALENDAR");
        calendar.0
    }

    fn write_event(&self, calendar: &mut Lines, event: &FeedEvent) {
        calendar.add("BEGIN", "VEVENT");
        let uid = format!("{} {}", utc(event.span.start()), event.key);
        calendar.add(
            "UID",
            &format!("{}@{}", identifier(&uid), identifier(&self.realm)),
        );
        calendar.add("DTSTAMP", &utc(self.written_at));
        calendar.add("DTSTART", &utc(event.span.start()));
        calendar.add("DTEND", &utc(event.span.end()));
        calendar.add("SUMMARY", &escaped(&event.summary));
        if !event.description.is_empty() {
            calendar.add("DESCRIPTION", &escaped(&event.description));
        }
        // Being on call does not make somebody busy for meetings.
        calendar.add("TRANSP", "TRANSPARENT");
        calendar.add("END", "VEVENT");
    }
}

fn utc(at: Timestamp) -> String {
    // Four digits are all the format has for a year.
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Letters, digits, dots and hyphens as they are, a space as a hyphen, and everything else by its code, so that different
/// texts stay different.
fn identifier(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' => written.push(character),
            ' ' => written.push('-'),
            other => {
                // Writing to a string cannot fail.
                let _: std::fmt::Result = write!(written, "_{:x}_", u32::from(other));
            }
        }
    }
    written
}

fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => {
                written.push('\\');
                written.push(character);
            }
            '\n' => written.push_str("\\n"),
            control if control.is_control() => {}
            other => written.push(other),
        }
    }
    written
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    /// Adds a line, folded so that none is longer than 75 octets without its end.
    fn add(&mut self, name: &str, value: &str) {
        let mut length = 0;
        for character in name.chars().chain([':']).chain(value.chars()) {
            if length + character.len_utf8() > 75 {
                self.0.push_str("\r\n ");
                length = 1;
            }
            self.0.push(character);
            length += character.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}
