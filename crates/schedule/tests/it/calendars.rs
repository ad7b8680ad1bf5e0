//! Calendars out and in.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use schedule::calendar::{
    Feed, FeedEvent, Import, ImportError, Imported, Length, Occupied, Skipped, import_calendar,
};
use schedule::{AbsenceKind, Concerned, Schedule, Span};

use crate::arbitrary::cases;
use crate::build::{DAY, at, layer, span};

fn feed() -> Feed {
    Feed {
        name: "Payments, on call".into(),
        product: "-//Muster//On call//EN".into(),
        realm: "PSCHED1.muster.example".into(),
        written_at: at("2026-11-22T05:00:00Z"),
        refresh_minutes: 60,
    }
}

fn feed_events(asked: Span) -> Vec<FeedEvent> {
    let layers = vec![layer("L1", "2026-01-05T09:00:00Z", 7 * DAY, &["PANN", "PBOB"])];
    let plan = Schedule {
        time_zone: "Europe/Dublin".into(),
        layers,
        overrides: vec![],
    }
    .validate()
    .unwrap();
    let entries = plan.render_overflowing(asked).unwrap().final_schedule.entries;
    entries
        .iter()
        .map(|entry| FeedEvent::of_entry(entry, format!("On call: {}", entry.user)))
        .collect()
}

#[test]
fn a_feed_has_utc_times_and_escaped_text() {
    let events = feed_events(span("2026-03-25T00:00:00Z", "2026-04-01T00:00:00Z"));
    let text = feed().write(&events[..1]);
    assert_eq!(
        text,
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Muster//On call//EN\r\nCALSCALE:GREGORIAN\r\nMETHOD:PUBLISH\r\n\
         NAME:Payments\\, on call\r\nX-WR-CALNAME:Payments\\, on call\r\nREFRESH-INTERVAL;VALUE=DURATION:PT60M\r\n\
         X-PUBLISHED-TTL:PT60M\r\nBEGIN:VEVENT\r\n\
         UID:20260323T090000Z-layer-L1-PBOB@PSCHED1.muster.example\r\nDTSTAMP:20261122T050000Z\r\n\
         DTSTART:20260323T090000Z\r\nDTEND:20260330T080000Z\r\nSUMMARY:On call: PBOB\r\nTRANSP:TRANSPARENT\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n"
    );
}

#[test]
fn the_same_shift_has_the_same_uid_whatever_span_was_asked_for() {
    let uids = |asked: Span| -> Vec<String> {
        let text = feed().write(&feed_events(asked));
        text.lines()
            .filter(|line| line.starts_with("UID:"))
            .map(str::to_owned)
            .collect()
    };
    let month = uids(span("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"));
    let day = uids(span("2026-03-25T11:00:00Z", "2026-03-26T00:00:00Z"));
    assert_eq!(day.len(), 1);
    assert!(month.contains(&day[0]));
}

#[test]
fn different_keys_never_share_a_uid() {
    let asked = span("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
    let event = |key: &str| FeedEvent {
        span: asked,
        key: key.into(),
        summary: String::new(),
        description: String::new(),
    };
    let text = feed().write(&[event("a b"), event("a-b"), event("a_b"), event("a,b")]);
    let mut uids: Vec<&str> = text
        .split("\r\n")
        .filter(|line| line.starts_with("UID:"))
        .collect();
    uids.sort_unstable();
    uids.dedup();
    assert_eq!(uids.len(), 4);
}

fn read(text: &str) -> Result<Imported, ImportError> {
    let zone = TimeZone::get("Europe/Dublin").unwrap();
    let span = span("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    import_calendar(
        text,
        &Import {
            zone,
            span,
            zones: jiff::tz::db(),
        },
    )
}

fn import(text: &str) -> Imported {
    read(text).unwrap()
}

fn calendar(events: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n")
}

fn spans(imported: &Imported) -> Vec<String> {
    let line =
        |event: &schedule::calendar::ImportedEvent| format!("{} {}", event.span.start(), event.span.end());
    imported.events.iter().map(line).collect()
}

#[test]
fn whole_days_are_days_where_the_reader_lives() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:1\nSUMMARY:Leave\\, at last\nDTSTART;VALUE=DATE:20260327\nDTEND;VALUE=DATE:20260330\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:2\nSUMMARY:St Patr\n ick's Day\nDTSTART;VALUE=DATE:20200317\nRRULE:FREQ=YEARLY\n\
         TRANSP:TRANSPARENT\nCATEGORIES:Holiday,Ireland\nEND:VEVENT\n",
    );
    let found = import(&text);
    assert_eq!(
        spans(&found),
        [
            "2026-03-17T00:00:00Z 2026-03-18T00:00:00Z",
            "2026-03-27T00:00:00Z 2026-03-29T23:00:00Z"
        ]
    );
    assert_eq!(found.events[0].summary, "St Patrick's Day");
    assert_eq!(found.events[0].categories, ["Holiday", "Ireland"]);
    assert_eq!(
        (found.events[0].occupied, found.events[1].occupied),
        (Occupied::Free, Occupied::Busy)
    );
    assert_eq!(
        (found.events[1].summary.as_str(), found.events[1].length),
        ("Leave, at last", Length::Days)
    );
    let absence = found.events[1].absence(Concerned::People(vec!["ann".into()]), AbsenceKind::Leave);
    assert_eq!(absence.label, "Leave, at last");
}

#[test]
fn zones_are_found_by_their_names_or_aliases_or_as_windows_calls_them() {
    let event = |zone: &str| {
        format!("BEGIN:VEVENT\nUID:1\nDTSTART;TZID={zone}:20260701T090000\nDURATION:PT1H30M\nEND:VEVENT\n")
    };
    let own = "BEGIN:VTIMEZONE\nTZID:/freeassociation/Berlin\nX-LIC-LOCATION:Europe/Berlin\nEND:VTIMEZONE\n";
    let expected = ["2026-07-01T07:00:00Z 2026-07-01T08:30:00Z"];
    assert_eq!(spans(&import(&calendar(&event("Europe/Berlin")))), expected);
    assert_eq!(
        spans(&import(&calendar(&event("\"W. Europe Standard Time\"")))),
        expected
    );
    assert_eq!(
        spans(&import(&calendar(&format!(
            "{own}{}",
            event("/freeassociation/Berlin")
        )))),
        expected
    );
    let unknown = import(&calendar(&event("Olympus")));
    assert_eq!(spans(&unknown), ["2026-07-01T08:00:00Z 2026-07-01T09:30:00Z"]);
    assert_eq!(unknown.notes[0].skipped, Skipped::UnknownZone("Olympus".into()));
}

#[test]
fn occurrences_that_were_moved_or_cancelled_are_obeyed() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:1\nDTSTART:20260601T090000Z\nDTEND:20260601T100000Z\nRRULE:FREQ=DAILY;COUNT=4\n\
         EXDATE:20260602T090000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260603T090000Z\nDTSTART:20260603T150000Z\nDTEND:20260603T160000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260604T090000Z\nDTSTART:20260604T090000Z\nDTEND:20260604T100000Z\n\
         STATUS:CANCELLED\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:2\nDTSTART:20260605T090000Z\nDTEND:20260605T100000Z\nSTATUS:CANCELLED\nEND:VEVENT\n",
    );
    assert_eq!(
        spans(&import(&text)),
        [
            "2026-06-01T09:00:00Z 2026-06-01T10:00:00Z",
            "2026-06-03T15:00:00Z 2026-06-03T16:00:00Z"
        ]
    );
}

#[test]
fn an_occurrence_is_moved_however_its_beginning_is_written() {
    let weekly = "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20260601T090000\nDURATION:PT1H\n\
                  RRULE:FREQ=WEEKLY;COUNT=2\nEND:VEVENT\n";
    let days = "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260601\nRRULE:FREQ=WEEKLY;COUNT=2\nEND:VEVENT\n";
    let moved = |name: &str| {
        format!(
            "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID{name}\nDTSTART:20260610T150000Z\nDTEND:20260610T160000Z\nEND:VEVENT\n"
        )
    };
    let names = [
        ";TZID=Europe/Berlin:20260608T090000",
        ":20260608T070000Z",
        ":20260608T090000",
        ";TZID=America/New_York:20260608T030000",
    ];
    for name in names {
        let found = spans(&import(&calendar(&format!("{weekly}{}", moved(name)))));
        let expected = [
            "2026-06-01T07:00:00Z 2026-06-01T08:00:00Z",
            "2026-06-10T15:00:00Z 2026-06-10T16:00:00Z",
        ];
        assert_eq!(found, expected, "{name}");
    }
    let found = spans(&import(&calendar(&format!(
        "{days}{}",
        moved(";VALUE=DATE:20260608")
    ))));
    assert_eq!(
        found,
        [
            "2026-05-31T23:00:00Z 2026-06-01T23:00:00Z",
            "2026-06-10T15:00:00Z 2026-06-10T16:00:00Z"
        ]
    );
}

#[test]
fn a_change_of_one_occurrence_and_all_that_follow_is_obeyed() {
    // From the third on an hour later and twice as long, except the fourth, which is on its own; the clocks change before the sixth.
    let text = calendar(
        "BEGIN:VEVENT\nUID:1\nSUMMARY:Clinic\nDTSTART;TZID=Europe/Berlin:20260223T090000\nDURATION:PT1H\n\
         RRULE:FREQ=WEEKLY;COUNT=6\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:1\nSUMMARY:Clinic\\, longer\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260309T090000\n\
         DTSTART;TZID=Europe/Berlin:20260309T100000\nDURATION:PT2H\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;TZID=Europe/Berlin:20260316T090000\nDTSTART:20260317T060000Z\nDTEND:20260317T070000Z\nEND:VEVENT\n",
    );
    let found = import(&text);
    assert_eq!(
        spans(&found),
        [
            "2026-02-23T08:00:00Z 2026-02-23T09:00:00Z",
            "2026-03-02T08:00:00Z 2026-03-02T09:00:00Z",
            "2026-03-09T09:00:00Z 2026-03-09T11:00:00Z",
            "2026-03-17T06:00:00Z 2026-03-17T07:00:00Z",
            "2026-03-23T09:00:00Z 2026-03-23T11:00:00Z",
            "2026-03-30T08:00:00Z 2026-03-30T10:00:00Z",
        ]
    );
    let named: Vec<&str> = found.events.iter().map(|event| event.summary.as_str()).collect();
    assert_eq!(named[1..3], ["Clinic", "Clinic, longer"]);
    assert_eq!(named[5], "Clinic, longer");
}

#[test]
fn all_that_follow_may_be_cancelled_or_follow_a_rule_of_their_own_or_be_changed_again() {
    let daily = "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260601\nRRULE:FREQ=DAILY;COUNT=5\nEND:VEVENT\n";
    let changed = |rest: &str| spans(&import(&calendar(&format!("{daily}{rest}"))));
    let first = "2026-05-31T23:00:00Z 2026-06-01T23:00:00Z";
    let second = "2026-06-01T23:00:00Z 2026-06-02T23:00:00Z";
    let cancelled = "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20260603\nSTATUS:CANCELLED\nEND:VEVENT\n";
    assert_eq!(changed(cancelled), [first, second]);
    let own_rule = "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20260603\nDTSTART;VALUE=DATE:20260610\n\
                    RRULE:FREQ=WEEKLY;COUNT=2\nEND:VEVENT\n";
    assert_eq!(
        changed(own_rule),
        [
            first,
            second,
            "2026-06-09T23:00:00Z 2026-06-10T23:00:00Z",
            "2026-06-16T23:00:00Z 2026-06-17T23:00:00Z"
        ]
    );
    let twice = "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20260604\nDTSTART;VALUE=DATE:20260620\nEND:VEVENT\n\
                 BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20260602\nDTSTART;VALUE=DATE:20260602\n\
                 DTEND;VALUE=DATE:20260603\nTRANSP:TRANSPARENT\nEND:VEVENT\n";
    assert_eq!(
        changed(twice),
        [
            first,
            second,
            "2026-06-02T23:00:00Z 2026-06-03T23:00:00Z",
            "2026-06-19T23:00:00Z 2026-06-20T23:00:00Z",
            "2026-06-20T23:00:00Z 2026-06-21T23:00:00Z"
        ]
    );
}

#[test]
fn what_is_moved_into_the_span_from_outside_is_found() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20240101\nRRULE:FREQ=YEARLY\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20250101\nDTSTART;VALUE=DATE:20250301\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:2\nDTSTART;VALUE=DATE:20220601\nRRULE:FREQ=YEARLY\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:2\nRECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20220601\nDTSTART;VALUE=DATE:20240601\nEND:VEVENT\n",
    );
    // The second is moved by 731 days, as its first occurrence was.
    assert_eq!(
        spans(&import(&text)),
        [
            "2026-03-01T00:00:00Z 2026-03-02T00:00:00Z",
            "2026-06-01T23:00:00Z 2026-06-02T23:00:00Z"
        ]
    );
}

/// A zone as Outlook defines it, under a name that nobody else knows.
const CUSTOMIZED: &str = "BEGIN:VTIMEZONE\nTZID:Customized Time Zone\nBEGIN:STANDARD\nDTSTART:16010101T030000\n\
    TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\n\
    BEGIN:DAYLIGHT\nDTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
    RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n";

#[test]
fn a_zone_that_only_the_calendar_knows_is_taken_from_its_definition() {
    let event = |day: &str| {
        format!(
            "BEGIN:VEVENT\nUID:{day}\nDTSTART;TZID=Customized Time Zone:{day}T090000\nDURATION:PT1H\nEND:VEVENT\n"
        )
    };
    let days = ["20260328", "20260329", "20261024", "20261025"];
    let events: String = days.into_iter().map(event).collect();
    let found = import(&calendar(&format!("{CUSTOMIZED}{events}")));
    assert_eq!(found.notes, []);
    assert_eq!(
        spans(&found),
        [
            "2026-03-28T08:00:00Z 2026-03-28T09:00:00Z",
            "2026-03-29T07:00:00Z 2026-03-29T08:00:00Z",
            "2026-10-24T07:00:00Z 2026-10-24T08:00:00Z",
            "2026-10-25T08:00:00Z 2026-10-25T09:00:00Z",
        ]
    );
    let fixed = "BEGIN:VTIMEZONE\nTZID:Customized Time Zone\nBEGIN:STANDARD\nDTSTART:19700101T000000\n\
                 TZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE\n";
    let found = import(&calendar(&format!("{fixed}{}", event("20260701"))));
    assert_eq!(spans(&found), ["2026-07-01T03:30:00Z 2026-07-01T04:30:00Z"]);
}

#[test]
fn what_cannot_be_read_is_noted_and_the_rest_is_kept() {
    let text = calendar(
        "BEGIN:VEVENT\nUID:1\nDTSTART:yesterday\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:2\nDTSTART:20260601T090000Z\nRRULE:FREQ=SECONDLY\nDURATION:PT1H\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:3\nDTSTART:20260601T090000Z\nBEGIN:VALARM\nDURATION:PT5M\nEND:VALARM\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:4\nDTSTART:20260601T090000Z\nDURATION:PT1H\nEND:VEVENT\n",
    );
    let found = import(&text);
    assert_eq!(found.events.len(), 1);
    let lines: Vec<usize> = found.notes.iter().map(|note| note.line).collect();
    assert_eq!(lines, [3, 7, 13]);
    assert_eq!(
        (&found.notes[0].skipped, &found.notes[2].skipped),
        (&Skipped::NoStart, &Skipped::NoLength)
    );
}

#[test]
fn a_text_that_is_no_calendar_is_refused() {
    assert_eq!(read("hello"), Err(ImportError::NotACalendar));
}

#[test]
fn rules_that_never_come_true_cost_little() {
    let event = "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=4\nEND:VEVENT\n";
    let text = calendar(&event.repeat(5_000));
    let begin = std::time::Instant::now();
    assert_eq!(import(&text).events.len(), 0);
    assert!(begin.elapsed() < std::time::Duration::from_secs(20));
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn what_goes_out_comes_back_in(
        start in 0..300_000i64,
        minutes in 1..5_000i64,
        summary in "[^\\p{C}]{0,120}",
        key in "\\PC{0,20}",
    ) {
        let begin = at("2026-01-10T00:00:00Z") + SignedDuration::from_mins(start);
        let written = FeedEvent {
            span: Span::new(begin, begin + SignedDuration::from_mins(minutes)).unwrap(),
            key,
            summary,
            description: String::new(),
        };
        let text = feed().write(std::slice::from_ref(&written));
        for line in text.split("\r\n") {
            prop_assert!(line.len() <= 75);
        }
        let found = import(&text);
        prop_assert_eq!(found.events.len(), 1);
        prop_assert_eq!(&found.events[0].span, &written.span);
        prop_assert_eq!(&found.events[0].summary, &written.summary);
    }

}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn no_text_makes_the_reader_panic(
        lines in prop::collection::vec(
            "((BEGIN|END):(VEVENT|VCALENDAR|VALARM|VTIMEZONE)|(DTSTART|DTEND|RECURRENCE-ID|EXDATE|RDATE)(;TZID=[A-Za-z/\"]{0,9}|;VALUE=DATE|;RANGE=THISANDFUTURE)?:[0-9]{0,9}T?[0-9]{0,7}Z?|RRULE:FREQ=(DAILY|YEARLY|HOURLY)(;(COUNT|INTERVAL|BYMONTHDAY)=-?[0-9]{1,9})?|DURATION:P[0-9TDWHMS]{0,20}|[ \\t]?\\PC{0,40})",
            0..30,
        ),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let text = format!("BEGIN:VCALENDAR\n{}\n{}", lines.join("\r\n"), String::from_utf8_lossy(&bytes));
        // A first line that begins with a space makes the calendar none; anything else is read.
        let found = read(&text);
        prop_assert!(found.is_ok() || found == Err(ImportError::NotACalendar));
    }
}
