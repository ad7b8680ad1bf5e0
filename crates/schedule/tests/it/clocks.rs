//! Hand-offs on the day on which the clocks change, one example for each sort of change.

use jiff::Timestamp;
use schedule::shifts::{AssignmentStrategy, Member, PlaceTime, ShiftEvent, ShiftRotation, ShiftSchedule};
use schedule::{Advance, Recurrence};

use crate::build::{DAY, final_lines, layer, plan, span};

/// The hand-offs of a layer with daily turns from `start` within three days of it.
fn hand_offs(zone: &str, start: &str, until: &str) -> Vec<String> {
    let plan = plan(zone, vec![layer("L", start, DAY, &["ann", "bob"])], vec![]);
    let entries = plan.render(span(start, until)).unwrap().final_schedule.entries;
    entries
        .iter()
        .skip(1)
        .map(|entry| entry.start.to_string())
        .collect()
}

#[test]
fn in_a_skipped_hour_the_hand_off_is_at_the_first_instant_after_it() {
    // 02:30 in Chicago; on 8 March the clocks go from 02:00 to 03:00.
    assert_eq!(
        hand_offs("America/Chicago", "2026-03-07T08:30:00Z", "2026-03-10T00:00:00Z"),
        ["2026-03-08T08:00:00Z", "2026-03-09T07:30:00Z"]
    );
}

#[test]
fn in_a_repeated_hour_the_hand_off_is_at_its_first_occurrence() {
    // 01:30 in Chicago; on 1 November the clocks go from 02:00 back to 01:00.
    assert_eq!(
        hand_offs("America/Chicago", "2026-10-31T06:30:00Z", "2026-11-03T00:00:00Z"),
        ["2026-11-01T06:30:00Z", "2026-11-02T07:30:00Z"]
    );
}

#[test]
fn a_change_by_half_an_hour_is_a_change_like_any_other() {
    // Lord Howe: 02:15 does not exist on 4 October, and 01:45 comes twice on 5 April.
    assert_eq!(
        hand_offs(
            "Australia/Lord_Howe",
            "2026-10-02T15:45:00Z",
            "2026-10-05T00:00:00Z"
        ),
        ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"]
    );
    assert_eq!(
        hand_offs(
            "Australia/Lord_Howe",
            "2026-04-03T14:45:00Z",
            "2026-04-06T00:00:00Z"
        ),
        ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]
    );
}

#[test]
fn a_zone_that_moved_once_in_history_is_followed() {
    // Nepal went from +05:30 to +05:45 with the year 1986: five past midnight did not exist.
    assert_eq!(
        hand_offs("Asia/Kathmandu", "1985-12-30T18:35:00Z", "1986-01-02T12:00:00Z"),
        ["1985-12-31T18:30:00Z", "1986-01-01T18:20:00Z"]
    );
}

#[test]
fn a_zone_without_changes_hands_over_at_the_same_instant_every_day() {
    assert_eq!(
        hand_offs(
            "America/Sao_Paulo",
            "2026-02-14T12:00:00Z",
            "2026-02-17T00:00:00Z"
        ),
        ["2026-02-15T12:00:00Z", "2026-02-16T12:00:00Z"]
    );
}

#[test]
fn recurring_shifts_keep_to_the_same_rules() {
    let place = |text: &str| PlaceTime {
        date_time: text.parse().unwrap(),
        time_zone: "America/Chicago".to_owned(),
    };
    let shifts = |day: &str, begins: &str, ends: &str| -> Vec<(String, String)> {
        let event = ShiftEvent {
            id: "E".into(),
            name: String::new(),
            start_time: place(&format!("2026-{day}T{begins}")),
            end_time: place(&format!("2026-{day}T{ends}")),
            effective_since: Timestamp::MIN,
            effective_until: None,
            recurrence: Recurrence::parse(["RRULE:FREQ=DAILY;COUNT=2"]).unwrap(),
            assignment_strategy: AssignmentStrategy::Everyone {
                members: vec![Member::user("ann")],
            },
            advance: Advance::CalendarTurns,
        };
        let schedule = ShiftSchedule {
            time_zone: "UTC".into(),
            rotations: vec![ShiftRotation {
                id: "R".into(),
                events: vec![event],
            }],
            custom_shifts: vec![],
            overrides: vec![],
        };
        let plan = schedule.validate().unwrap();
        let rendered = plan
            .render(span("2026-03-01T00:00:00Z", "2026-12-01T00:00:00Z"))
            .unwrap();
        let ends =
            |entry: &schedule::shifts::ShiftEntry| (entry.start_time.to_string(), entry.end_time.to_string());
        rendered.entries.iter().map(ends).collect()
    };
    let skipped = shifts("03-07", "02:30:00", "10:00:00");
    assert_eq!(
        skipped[1],
        (
            "2026-03-08T08:00:00Z".to_owned(),
            "2026-03-08T15:00:00Z".to_owned()
        )
    );
    let repeated = shifts("10-31", "01:30:00", "10:00:00");
    assert_eq!(
        repeated[1],
        (
            "2026-11-01T06:30:00Z".to_owned(),
            "2026-11-01T16:00:00Z".to_owned()
        )
    );
}

#[test]
fn the_night_of_the_change_is_an_hour_shorter_or_longer_for_who_has_it() {
    let nights = |start: &str, until: &str| {
        let plan = plan(
            "Europe/Dublin",
            vec![layer("L", start, DAY, &["ann", "bob"])],
            vec![],
        );
        final_lines(&plan, span(start, until))
    };
    assert_eq!(
        nights("2026-03-28T20:00:00Z", "2026-03-29T19:00:00Z"),
        ["2026-03-28T20:00:00Z 2026-03-29T19:00:00Z ann by L"]
    );
    assert_eq!(
        nights("2026-10-24T19:00:00Z", "2026-10-25T20:00:00Z"),
        ["2026-10-24T19:00:00Z 2026-10-25T20:00:00Z ann by L"]
    );
}
