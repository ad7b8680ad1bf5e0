//! Recurrence rules, calendars and schedules from bytes. The first byte says which.

use ::schedule::calendar::{Import, import_calendar};
use ::schedule::shifts::ShiftSchedule;
use ::schedule::{Recurrence, Schedule, Span};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Input to begin with.
pub const SEEDS: &[&[u8]] = &[
    b"rRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;UNTIL=20300101T000000Z\nEXDATE:20270101T090000",
    b"rRRULE:FREQ=MONTHLY;BYDAY=-1SU,2MO;BYSETPOS=1;COUNT=10;WKST=SU\nRDATE;VALUE=DATE:20270105",
    b"rFREQ=YEARLY;BYMONTH=3,10;BYMONTHDAY=-1,31",
    b"cBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Dublin:20270105T090000\r\nDURATION:PT8H\r\nRRULE:FREQ=DAILY;COUNT=5\r\nSUMMARY:Leave\\, long\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    b"cBEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:2\nDTSTART;VALUE=DATE:20271225\nDTEND;VALUE=DATE:20271227\nTRANSP:OPAQUE\nCATEGORIES:HOLIDAY\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nRECURRENCE-ID:20271225\nDTSTART:20271226T100000Z\nDTEND:20271226T110000Z\nEND:VEVENT\nEND:VCALENDAR",
    br#"s{"time_zone":"Europe/Dublin","layers":[{"id":"L1","name":"n","users":["a","b"],"start":"2027-01-01T00:00:00Z","rotation_start":"2027-01-01T00:00:00Z","turn_length_seconds":86400,"restrictions":[]}],"overrides":[]}"#,
    br#"f{"time_zone":"Australia/Lord_Howe","rotations":[],"custom_shifts":[],"overrides":[]}"#,
];

/// Stretches of at most this length are asked for, so that the size of an answer is bounded by the question.
const ASKED: SignedDuration = SignedDuration::from_hours(24 * 21);

pub fn run(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind {
        b'r' => recurrence(&String::from_utf8_lossy(rest)),
        b'c' => calendar(&String::from_utf8_lossy(rest)),
        b's' => layered(rest),
        _ => shifts(rest),
    }
}

/// Three weeks with a change of the clocks in them, in Europe and in America.
fn asked() -> Option<Span> {
    let start = Timestamp::from_second(1_804_464_000).ok()?;
    Span::new(start, start.checked_add(ASKED).ok()?).ok()
}

fn recurrence(text: &str) {
    let Ok(recurrence) = Recurrence::parse(text.lines()) else {
        return;
    };
    let written = serde_json::to_value(&recurrence).unwrap_or_default();
    let again: Result<Recurrence, _> = serde_json::from_value(written.clone());
    assert_eq!(again.ok().as_ref(), Some(&recurrence), "{written}");
}

fn calendar(text: &str) {
    let Some(span) = asked() else {
        return;
    };
    let import = Import {
        zone: TimeZone::UTC,
        span,
        zones: jiff::tz::db(),
    };
    if let Ok(imported) = import_calendar(text, &import) {
        for event in &imported.events {
            assert!(event.span.start() < event.span.end());
            assert!(
                event.span.start() < span.end() && event.span.end() > span.start(),
                "outside of what was asked"
            );
        }
    }
}

fn layered(bytes: &[u8]) {
    let (Ok(schedule), Some(span)) = (serde_json::from_slice::<Schedule>(bytes), asked()) else {
        return;
    };
    match schedule.validate() {
        Ok(plan) => {
            if let Ok(rendered) = plan.render(span) {
                let entries = &rendered.final_schedule.entries;
                for pair in entries.windows(2) {
                    assert!(pair[0].end <= pair[1].start, "two at once: {pair:?}");
                }
                for entry in entries.iter().take(20) {
                    let on_call = plan.on_call_at(entry.start);
                    assert_eq!(on_call.map(|one| one.user), Some(entry.user.clone()), "{entry:?}");
                }
            }
        }
        Err(problems) => assert!(!problems.is_empty()),
    }
}

fn shifts(bytes: &[u8]) {
    let (Ok(schedule), Some(span)) = (serde_json::from_slice::<ShiftSchedule>(bytes), asked()) else {
        return;
    };
    match schedule.validate() {
        Ok(plan) => drop(plan.render(span)),
        Err(problems) => assert!(!problems.is_empty()),
    }
}
