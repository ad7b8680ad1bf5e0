//! Schedules that the field's public documentation describes, with what it says comes out.

use jiff::SignedDuration;
use schedule::{Layer, Roster, Span, gaps};

use crate::build::{DAY, at, daily, final_lines, layer, plan, span, weekly};

/// PagerDuty, "Schedule Examples", example 1: nine to five, a day each, with the hand-off at nine.
#[test]
fn nine_to_five_with_a_day_each() {
    let mut days = layer("L", "2026-01-05T14:00:00Z", DAY, &["a", "b", "c"]);
    days.restrictions = vec![daily("09:00:00", 8)];
    assert_eq!(
        final_lines(
            &plan("America/New_York", vec![days], vec![]),
            span("2026-01-05T00:00:00Z", "2026-01-09T00:00:00Z")
        ),
        [
            "2026-01-05T14:00:00Z 2026-01-05T22:00:00Z a by L",
            "2026-01-06T14:00:00Z 2026-01-06T22:00:00Z b by L",
            "2026-01-07T14:00:00Z 2026-01-07T22:00:00Z c by L",
            "2026-01-08T14:00:00Z 2026-01-08T22:00:00Z a by L",
        ]
    );
}

/// PagerDuty, "Setting up Restrictions for On-Call Shifts": 19:00 to 07:00 on every weekday leaves nobody on call from
/// 07:00 to 19:00 nor at the weekend.
#[test]
fn weekday_nights_leave_the_days_and_the_weekend_open() {
    let mut nights = layer("L", "2026-01-05T19:00:00Z", 7 * DAY, &["a"]);
    nights.restrictions = (1..=5).map(|day| weekly(day, "19:00:00", 12)).collect();
    let plan = plan("UTC", vec![nights], vec![]);
    let week = span("2026-01-12T00:00:00Z", "2026-01-19T00:00:00Z");
    let open: Vec<i64> = gaps(&plan.assignments(week).unwrap(), week)
        .iter()
        .map(|gap| gap.duration().as_hours())
        .collect();
    // Monday from midnight to seven in the evening, four days, and from Saturday at seven to the end of the week.
    assert_eq!(open, [19, 12, 12, 12, 12, 41]);
}

/// PagerDuty, "Schedule Examples", irregular shifts: six people have the even days of one week and, three weeks later,
/// the odd ones.
#[test]
fn six_people_have_alternate_days_in_two_staggered_rotations() {
    let users = ["1", "2", "3", "4", "5", "6"];
    let staggered = ["4", "5", "6", "1", "2", "3"];
    let mut four_days = layer("STTS", "2026-01-04T00:00:00Z", 7 * DAY, &users);
    four_days.restrictions = [7, 2, 4, 6].map(|day| weekly(day, "00:00:00", 24)).to_vec();
    let mut three_days = layer("MWF", "2026-01-04T00:00:00Z", 7 * DAY, &staggered);
    three_days.restrictions = [1, 3, 5].map(|day| weekly(day, "00:00:00", 24)).to_vec();
    let plan = plan("UTC", vec![four_days, three_days], vec![]);
    let week = |number: i64| -> String {
        let start = at("2026-01-04T00:00:00Z") + SignedDuration::from_hours(168 * number);
        let span = Span::new(start, start + SignedDuration::from_hours(168)).unwrap();
        plan.render(span)
            .unwrap()
            .final_schedule
            .entries
            .iter()
            .map(|entry| entry.user.to_string())
            .collect()
    };
    assert_eq!(
        (week(0), week(1), week(3)),
        ("1414141".into(), "2525252".into(), "4141414".into())
    );
    assert_eq!(week(6), week(0));
}

/// PagerDuty, "Schedule Basics": where layers 1 and 2 overlap, layer 2 is on call, and layer 1 again after that.
#[test]
fn the_second_layer_hides_the_first_while_they_overlap() {
    let first = layer("1", "2026-01-05T00:00:00Z", 7 * DAY, &["a"]);
    let second = Layer {
        end: Some(at("2026-01-05T16:00:00Z")),
        ..layer("2", "2026-01-05T08:00:00Z", 7 * DAY, &["b"])
    };
    assert_eq!(
        final_lines(
            &plan("UTC", vec![first, second], vec![]),
            span("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")
        ),
        [
            "2026-01-05T00:00:00Z 2026-01-05T08:00:00Z a by 1",
            "2026-01-05T08:00:00Z 2026-01-05T16:00:00Z b by 2",
            "2026-01-05T16:00:00Z 2026-01-06T00:00:00Z a by 1",
        ]
    );
}

/// OneUptime, issue 2413: with daily turns at weekdays only, people expect a weekend not to use up anybody's turn.
#[test]
fn a_weekend_uses_up_turns_by_the_calendar_and_not_by_worked_turns() {
    let mut weekdays = layer("L", "2026-01-05T00:00:00Z", DAY, &["a", "b", "c"]);
    weekdays.restrictions = (1..=5).map(|day| weekly(day, "00:00:00", 24)).collect();
    let monday_after = at("2026-01-12T00:00:00Z");
    let by_calendar = plan("UTC", vec![weekdays.clone()], vec![])
        .on_call_at(monday_after)
        .unwrap();
    weekdays.advance = schedule::Advance::WorkedTurns;
    let by_worked_turns = plan("UTC", vec![weekdays], vec![])
        .on_call_at(monday_after)
        .unwrap();
    assert_eq!(
        (by_calendar.user.as_str(), by_worked_turns.user.as_str()),
        ("b", "c")
    );
}

/// Grafana OnCall, issues 3261 and 5247: shifts moved by an hour, with a gap and an overlap, when clocks changed.
#[test]
fn neighbouring_shifts_neither_part_nor_overlap_when_clocks_change() {
    let shift = |id: &str, start: &str| {
        let mut shift = layer(id, "2026-01-01T00:00:00Z", 7 * DAY, &[id]);
        shift.restrictions = vec![daily(start, 8)];
        shift
    };
    let layers = vec![
        shift("early", "02:30:00"),
        shift("late", "10:30:00"),
        shift("night", "18:30:00"),
    ];
    for zone in [
        "America/Chicago",
        "Europe/Dublin",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
    ] {
        let plan = plan(zone, layers.clone(), vec![]);
        let year = span("2026-01-02T12:00:00Z", "2027-01-01T00:00:00Z");
        let rendered = plan.render(year).unwrap();
        assert_eq!(
            rendered.final_schedule.coverage_percentage.to_string(),
            "100",
            "{zone}"
        );
        let alone: f64 = rendered
            .layers
            .iter()
            .map(|layer| layer.schedule.coverage_percentage)
            .sum();
        assert!((alone - 100.0).abs() < 1e-9, "{zone}: {alone}");
    }
}
