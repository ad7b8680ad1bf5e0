//! Layers, restrictions and overrides by example.

use schedule::{Advance, Layer, ProblemKind, Schedule, merge_by_user};

use crate::build::{DAY, at, daily, final_lines, layer, lines, plan, replacement, span, weekly};

#[test]
fn people_take_turns_from_the_virtual_start() {
    let plan = plan(
        "UTC",
        vec![layer("L", "2026-01-05T09:00:00Z", DAY, &["ann", "bob"])],
        vec![],
    );
    assert_eq!(
        final_lines(&plan, span("2026-01-05T00:00:00Z", "2026-01-07T12:00:00Z")),
        [
            "2026-01-05T09:00:00Z 2026-01-06T09:00:00Z ann by L",
            "2026-01-06T09:00:00Z 2026-01-07T09:00:00Z bob by L",
            "2026-01-07T09:00:00Z 2026-01-07T12:00:00Z ann by L",
        ]
    );
}

#[test]
fn a_daily_hand_off_keeps_its_local_time_when_the_clocks_change() {
    let start = "2026-03-06T15:00:00Z"; // 09:00 in Chicago
    let plan = plan(
        "America/Chicago",
        vec![layer("L", start, DAY, &["ann", "bob"])],
        vec![],
    );
    assert_eq!(
        final_lines(&plan, span("2026-03-07T15:00:00Z", "2026-03-09T14:00:00Z")),
        [
            "2026-03-07T15:00:00Z 2026-03-08T14:00:00Z bob by L",
            "2026-03-08T14:00:00Z 2026-03-09T14:00:00Z ann by L",
        ]
    );
}

#[test]
fn an_hourly_turn_that_holds_the_repeated_hour_lasts_two_hours() {
    let plan = plan(
        "America/Chicago",
        vec![layer("L", "2026-11-01T05:00:00Z", 3600, &["a", "b", "c"])],
        vec![],
    );
    assert_eq!(
        final_lines(&plan, span("2026-11-01T05:00:00Z", "2026-11-01T09:00:00Z")),
        [
            "2026-11-01T05:00:00Z 2026-11-01T06:00:00Z a by L",
            "2026-11-01T06:00:00Z 2026-11-01T08:00:00Z b by L",
            "2026-11-01T08:00:00Z 2026-11-01T09:00:00Z c by L",
        ]
    );
}

#[test]
fn a_later_layer_covers_an_earlier_one_and_an_override_covers_both() {
    let mut upper = layer("day", "2026-01-05T00:00:00Z", 7 * DAY, &["dan"]);
    upper.restrictions = vec![daily("09:00:00", 8)];
    let lower = layer("night", "2026-01-05T00:00:00Z", 7 * DAY, &["nia"]);
    let covers = vec![replacement(
        "O1",
        "2026-01-05T16:00:00Z",
        "2026-01-05T18:00:00Z",
        "eve",
    )];
    let plan = plan("UTC", vec![lower, upper], covers);
    assert_eq!(
        final_lines(&plan, span("2026-01-05T08:00:00Z", "2026-01-05T20:00:00Z")),
        [
            "2026-01-05T08:00:00Z 2026-01-05T09:00:00Z nia by night",
            "2026-01-05T09:00:00Z 2026-01-05T16:00:00Z dan by day",
            "2026-01-05T16:00:00Z 2026-01-05T18:00:00Z eve by O1",
            "2026-01-05T18:00:00Z 2026-01-05T20:00:00Z nia by night",
        ]
    );
}

#[test]
fn the_newer_of_two_overrides_wins() {
    let covers = vec![
        replacement("old", "2026-01-05T00:00:00Z", "2026-01-05T12:00:00Z", "ann"),
        replacement("new", "2026-01-05T04:00:00Z", "2026-01-05T06:00:00Z", "bob"),
    ];
    let plan = plan("UTC", vec![], covers);
    assert_eq!(
        final_lines(&plan, span("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")),
        [
            "2026-01-05T00:00:00Z 2026-01-05T04:00:00Z ann by old",
            "2026-01-05T04:00:00Z 2026-01-05T06:00:00Z bob by new",
            "2026-01-05T06:00:00Z 2026-01-05T12:00:00Z ann by old",
        ]
    );
}

#[test]
fn a_restriction_runs_over_midnight_and_over_the_end_of_the_week() {
    let mut nights = layer("L", "2026-01-05T00:00:00Z", 7 * DAY, &["nia"]);
    nights.restrictions = vec![daily("22:00:00", 8)];
    let mut weekend = layer("W", "2026-01-05T00:00:00Z", 7 * DAY, &["wes"]);
    weekend.restrictions = vec![weekly(7, "20:00:00", 10)];
    let nights = plan("UTC", vec![nights], vec![]);
    let weekend = plan("UTC", vec![weekend], vec![]);
    assert_eq!(
        final_lines(&nights, span("2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z")),
        [
            "2026-01-06T00:00:00Z 2026-01-06T06:00:00Z nia by L",
            "2026-01-06T22:00:00Z 2026-01-07T00:00:00Z nia by L"
        ]
    );
    assert_eq!(
        final_lines(&weekend, span("2026-01-10T00:00:00Z", "2026-01-20T00:00:00Z")),
        [
            "2026-01-11T20:00:00Z 2026-01-12T06:00:00Z wes by W",
            "2026-01-18T20:00:00Z 2026-01-19T06:00:00Z wes by W"
        ]
    );
}

#[test]
fn several_restrictions_add_up_and_may_fill_the_week() {
    let mut layer = layer("L", "2026-01-05T00:00:00Z", 7 * DAY, &["ann"]);
    layer.restrictions = vec![daily("08:00:00", 12), daily("20:00:00", 12)];
    let plan = plan("UTC", vec![layer], vec![]);
    let rendered = plan
        .render(span("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"))
        .unwrap();
    assert_eq!(rendered.final_schedule.coverage_percentage.to_string(), "100");
    assert_eq!(rendered.final_schedule.entries.len(), 1);
}

#[test]
fn coverage_is_the_share_of_the_span() {
    let mut layer = layer("L", "2026-01-05T00:00:00Z", DAY, &["ann", "bob"]);
    layer.restrictions = vec![daily("09:00:00", 6)];
    let rendered = plan("UTC", vec![layer], vec![])
        .render(span("2026-02-01T00:00:00Z", "2026-02-11T00:00:00Z"))
        .unwrap();
    assert_eq!(rendered.layers[0].schedule.coverage_percentage.to_string(), "25");
    assert_eq!(rendered.overrides.coverage_percentage.to_string(), "0");
}

#[test]
fn worked_turns_skip_the_days_on_which_nobody_works() {
    let mut layer = layer("L", "2026-01-05T00:00:00Z", DAY, &["a", "b", "c"]);
    layer.restrictions = (1..=5).map(|day| weekly(day, "09:00:00", 8)).collect();
    let who = |advance| {
        let layer = Layer {
            advance,
            ..layer.clone()
        };
        let plan = plan("UTC", vec![layer], vec![]);
        let entries = plan
            .render(span("2026-01-05T00:00:00Z", "2026-01-17T00:00:00Z"))
            .unwrap();
        entries
            .final_schedule
            .entries
            .iter()
            .map(|entry| entry.user.to_string())
            .collect::<String>()
    };
    assert_eq!(who(Advance::CalendarTurns), "abcab".to_owned() + "bcabc");
    assert_eq!(who(Advance::WorkedTurns), "abcab".to_owned() + "cabca");
}

#[test]
fn entries_beyond_the_span_are_cut_unless_they_may_overflow() {
    let plan = plan(
        "UTC",
        vec![layer("L", "2026-01-05T00:00:00Z", 7 * DAY, &["ann", "bob"])],
        vec![],
    );
    let asked = span("2026-01-07T00:00:00Z", "2026-01-14T00:00:00Z");
    let cut = plan.render(asked).unwrap().final_schedule;
    let whole = plan.render_overflowing(asked).unwrap().final_schedule;
    assert_eq!(
        lines(&cut.entries),
        [
            "2026-01-07T00:00:00Z 2026-01-12T00:00:00Z ann by L",
            "2026-01-12T00:00:00Z 2026-01-14T00:00:00Z bob by L"
        ]
    );
    assert_eq!(
        lines(&whole.entries),
        [
            "2026-01-05T00:00:00Z 2026-01-12T00:00:00Z ann by L",
            "2026-01-12T00:00:00Z 2026-01-19T00:00:00Z bob by L"
        ]
    );
    assert_eq!(
        cut.coverage_percentage.to_string(),
        whole.coverage_percentage.to_string()
    );
}

#[test]
fn a_shift_is_found_whole_and_the_next_one_too() {
    let plan = plan(
        "UTC",
        vec![layer("L", "2026-01-05T00:00:00Z", 30 * DAY, &["ann", "bob"])],
        vec![],
    );
    let year = jiff::SignedDuration::from_hours(365 * 24);
    let shift = plan.shift_at(at("2026-01-20T00:00:00Z"), year).unwrap().unwrap();
    assert_eq!(
        (shift.start, shift.end),
        (Some(at("2026-01-05T00:00:00Z")), Some(at("2026-02-04T00:00:00Z")))
    );
    let next = plan
        .next_shift_of(&"bob".into(), at("2026-01-20T00:00:00Z"), year)
        .unwrap()
        .unwrap();
    assert_eq!(
        (next.start, next.end),
        (Some(at("2026-02-04T00:00:00Z")), Some(at("2026-03-06T00:00:00Z")))
    );
    assert_eq!(
        plan.next_shift_of(&"zoe".into(), at("2026-01-20T00:00:00Z"), year)
            .unwrap(),
        None
    );
}

#[test]
fn a_layer_has_nobody_before_its_start_or_after_its_end() {
    let mut ended = layer("L", "2026-01-05T00:00:00Z", DAY, &["ann"]);
    ended.end = Some(at("2026-01-06T00:00:00Z"));
    let plan = plan("UTC", vec![ended], vec![]);
    assert!(plan.on_call_at(at("2026-01-04T23:59:59Z")).is_none());
    assert!(plan.on_call_at(at("2026-01-05T00:00:00Z")).is_some());
    assert!(plan.on_call_at(at("2026-01-05T23:59:59Z")).is_some());
    assert!(plan.on_call_at(at("2026-01-06T00:00:00Z")).is_none());
}

#[test]
fn entries_of_one_person_join_across_sources_when_asked() {
    let covers = vec![replacement(
        "O",
        "2026-01-05T12:00:00Z",
        "2026-01-05T18:00:00Z",
        "ann",
    )];
    let plan = plan(
        "UTC",
        vec![layer("L", "2026-01-05T00:00:00Z", DAY, &["ann", "bob"])],
        covers,
    );
    let entries = plan
        .render(span("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"))
        .unwrap()
        .final_schedule
        .entries;
    assert_eq!(entries.len(), 3);
    assert_eq!(
        lines(&merge_by_user(&entries)),
        ["2026-01-05T00:00:00Z 2026-01-06T00:00:00Z ann by L"]
    );
}

#[test]
fn every_problem_is_named_with_its_field() {
    let mut bad = layer("L", "2026-01-05T00:00:00Z", 0, &[]);
    bad.restrictions = vec![weekly(8, "09:00:00", 0)];
    let covers = vec![replacement(
        "O",
        "2026-01-06T00:00:00Z",
        "2026-01-05T00:00:00Z",
        "ann",
    )];
    let schedule = Schedule {
        time_zone: "Mars/Olympus".into(),
        layers: vec![bad.clone(), bad],
        overrides: covers,
    };
    let problems = schedule.validate().unwrap_err();
    let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "time_zone",
            "layers[0].rotation_turn_length_seconds",
            "layers[0].users",
            "layers[0].restrictions[0].start_day_of_week",
            "layers[0].restrictions[0].duration_seconds",
            "layers[1].id",
            "layers[1].rotation_turn_length_seconds",
            "layers[1].users",
            "layers[1].restrictions[0].start_day_of_week",
            "layers[1].restrictions[0].duration_seconds",
            "overrides[0].end",
        ]
    );
    assert_eq!(
        problems[0].kind,
        ProblemKind::UnknownTimeZone("Mars/Olympus".into())
    );
}

#[test]
fn a_span_with_too_many_hand_offs_is_refused_before_any_work() {
    let plan = plan(
        "UTC",
        vec![layer("L", "1970-01-01T00:00:00Z", 1, &["ann", "bob"])],
        vec![],
    );
    assert!(
        plan.render(span("1970-01-01T00:00:00Z", "2970-01-01T00:00:00Z"))
            .is_err()
    );
    assert!(
        plan.render(span("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z"))
            .is_ok()
    );
}

#[test]
fn the_written_form_is_the_field_s_own() {
    let text = r#"{
        "time_zone": "Europe/Dublin",
        "layers": [{
            "id": "L1", "start": "2026-01-05T09:00:00+01:00", "rotation_virtual_start": "2026-01-05T09:00:00Z",
            "rotation_turn_length_seconds": 604800, "users": ["ann"],
            "restrictions": [
                {"type": "daily_restriction", "start_time_of_day": "08:00:00", "duration_seconds": 32400},
                {"type": "weekly_restriction", "start_day_of_week": 5, "start_time_of_day": "17:00:00",
                 "duration_seconds": 3600}
            ]
        }]
    }"#;
    let schedule: Schedule = serde_json::from_str(text).unwrap();
    assert_eq!(schedule.layers[0].start, at("2026-01-05T08:00:00Z"));
    assert_eq!(
        schedule.layers[0].restrictions,
        vec![daily("08:00:00", 9), weekly(5, "17:00:00", 1)]
    );
    let written = serde_json::to_string(&schedule).unwrap();
    assert_eq!(serde_json::from_str::<Schedule>(&written).unwrap(), schedule);
}
