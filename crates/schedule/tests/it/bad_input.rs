//! What people and programs get wrong, one test for each: a typed error that names the place, or a sensible answer.

use jiff::{SignedDuration, Timestamp};
use schedule::shifts::{AssignmentStrategy, Member, ShiftSchedule};
use schedule::working_time::{RulePack, StandBy, Worker, check};
use schedule::{
    Agreement, Assignment, Cover, Extent, Fit, MembersProblem, ProblemKind, QualityQuestion, Recurrence,
    Schedule, Span, SunTeam, UserKey, apply_agreements, follow_the_sun, quality,
};
use serde_json::json;

use crate::build::{DAY, at, layer, plan, span};

fn schedule(turn: u64, users: &[&str]) -> Schedule {
    Schedule {
        time_zone: "Europe/Dublin".into(),
        layers: vec![layer("L", "2026-01-05T00:00:00Z", turn, users)],
        overrides: vec![],
    }
}

/// A shift every day, as JSON; `change` makes it bad.
fn shifts(change: impl Fn(&mut serde_json::Value)) -> ShiftSchedule {
    let place = |time: &str| json!({"date_time": time, "time_zone": "UTC"});
    let mut event = json!({
        "id": "E", "name": "days",
        "start_time": place("2026-01-05T09:00:00"), "end_time": place("2026-01-05T17:00:00"),
        "effective_since": "2026-01-05T00:00:00Z", "recurrence": ["RRULE:FREQ=DAILY"],
        "assignment_strategy": {
            "type": "rotating_member_assignment_strategy", "shifts_per_member": 1,
            "members": [{"type": "user_member", "user_id": "ann"}]
        }
    });
    change(&mut event);
    let schedule = json!({"time_zone": "UTC", "rotations": [{"id": "R", "events": [event]}], "custom_shifts": [], "overrides": []});
    serde_json::from_value(schedule).unwrap()
}

#[test]
fn turns_of_no_length_are_refused_with_their_field() {
    let problems = schedule(0, &["ann"]).validate().unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].field, "layers[0].rotation_turn_length_seconds");
    assert_eq!(problems[0].kind, ProblemKind::TurnLength(0));

    let problems = shifts(|event| event["end_time"] = event["start_time"].clone())
        .validate()
        .unwrap_err();
    assert_eq!(problems[0].kind, ProblemKind::EndsBeforeStart);

    let team = SunTeam {
        name: "Dublin".into(),
        time_zone: "Europe/Dublin".into(),
        day_begins: jiff::civil::time(9, 0, 0, 0),
        users: vec!["ann".into()],
    };
    assert!(follow_the_sun(&[team], at("2026-01-05T00:00:00Z"), 0, jiff::tz::db()).is_err());
}

#[test]
fn shifts_of_which_nobody_ever_has_one_are_refused() {
    let problems = shifts(|event| event["assignment_strategy"]["shifts_per_member"] = json!(0))
        .validate()
        .unwrap_err();
    assert_eq!(problems[0].kind, ProblemKind::NoShiftsPerMember);
}

#[test]
fn rotations_without_users_are_refused_with_their_field() {
    let problems = schedule(DAY, &[]).validate().unwrap_err();
    assert_eq!(
        (problems[0].field.as_str(), &problems[0].kind),
        ("layers[0].users", &ProblemKind::NoUsers)
    );

    let mut without = shifts(|_| ());
    without.rotations[0].events[0].assignment_strategy = AssignmentStrategy::Everyone { members: vec![] };
    assert_eq!(without.validate().unwrap_err()[0].kind, ProblemKind::NoUsers);

    let emptied = schedule(DAY, &["ann"]).with_members(&"L".into(), vec![], at("2026-01-06T00:00:00Z"));
    assert!(matches!(emptied, Err(MembersProblem::Invalid(_))));
}

#[test]
fn users_whom_the_schedule_does_not_know_have_no_shifts_and_nothing_to_give() {
    let plan = plan(
        "UTC",
        vec![layer("L", "2026-01-05T00:00:00Z", DAY, &["ann"])],
        vec![],
    );
    let nobody = UserKey::from("nobody");
    let next = plan.next_shift_of(
        &nobody,
        at("2026-01-06T00:00:00Z"),
        SignedDuration::from_hours(1_000),
    );
    assert_eq!(next, Ok(None));

    let day = span("2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z");
    let cover = Cover {
        giver: nobody,
        taker: "bob".into(),
        agreed: day,
        extent: Extent::WholeShift,
    };
    let agreements = [Agreement {
        id: "C".into(),
        covers: vec![cover],
    }];
    let covered = apply_agreements(&[Assignment::new("ann", day)], &agreements);
    assert!(matches!(covered.fits[0].1, Fit::NoLongerFits { .. }));
    assert_eq!(covered.assignments, [Assignment::new("ann", day)]);

    let strange = schedule(DAY, &["ann"]).with_members(&"X".into(), vec!["bob".into()], day.start());
    assert!(matches!(strange, Err(MembersProblem::NoSuchLayer(_))));
}

#[test]
fn unknown_zones_are_refused_wherever_one_is_named() {
    let unknown = |kind: &ProblemKind| *kind == ProblemKind::UnknownTimeZone("Mars/Olympus".into());
    let mars = || "Mars/Olympus".to_owned();

    let mut layered = schedule(DAY, &["ann"]);
    layered.layers[0].time_zone = Some(mars());
    let problems = layered.validate().unwrap_err();
    assert!(problems[0].field == "layers[0].time_zone" && unknown(&problems[0].kind));

    let problems = shifts(|event| event["end_time"]["time_zone"] = json!("Mars/Olympus"))
        .validate()
        .unwrap_err();
    assert!(
        problems[0].field.ends_with("end_time.time_zone") && unknown(&problems[0].kind),
        "{problems:?}"
    );

    let team = SunTeam {
        name: "Mars".into(),
        time_zone: mars(),
        day_begins: jiff::civil::time(9, 0, 0, 0),
        users: vec!["ann".into()],
    };
    let problems = follow_the_sun(&[team], at("2026-01-05T00:00:00Z"), 7, jiff::tz::db()).unwrap_err();
    assert!(
        problems[0].field == "teams[0].time_zone" && unknown(&problems[0].kind),
        "{problems:?}"
    );

    let worker: Worker = serde_json::from_value(json!({"user": "ann", "time_zone": "Mars/Olympus"})).unwrap();
    let pack = RulePack::european_union(StandBy::Wholly);
    let week = span("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z");
    let problem = check(&pack, &worker, &[], week, jiff::tz::db()).unwrap_err();
    assert!(
        problem.field == "time_zone" && unknown(&problem.kind),
        "{problem:?}"
    );

    let question: QualityQuestion = serde_json::from_value(json!({
        "span": week, "people": [{"user": "ann", "time_zone": "Mars/Olympus", "share": 1.0}],
        "night_begins": "22:00:00", "night_ends": "06:00:00", "weekend": [6, 7], "holidays": []
    }))
    .unwrap();
    let problems = quality(&[], &question, jiff::tz::db()).unwrap_err();
    assert!(
        problems[0].field == "people[0].time_zone" && unknown(&problems[0].kind),
        "{problems:?}"
    );
}

#[test]
fn spans_before_the_epoch_are_answered_like_others() {
    let old = plan(
        "Europe/Dublin",
        vec![layer("L", "1916-01-01T00:00:00Z", DAY, &["ann", "bob"])],
        vec![],
    );
    // Dublin's clocks stood 25 minutes and 21 seconds behind Greenwich until 1 October 1916.
    let days = span("1916-09-28T00:00:00Z", "1916-10-05T00:00:00Z");
    let rendered = old.render(days).unwrap();
    assert_eq!(rendered.final_schedule.coverage_percentage.to_string(), "100");
    for entry in &rendered.final_schedule.entries {
        let asked = old.on_call_at(entry.start).unwrap();
        assert_eq!(asked.user, entry.user);
    }

    let newer = plan(
        "Europe/Dublin",
        vec![layer("L", "2026-01-05T00:00:00Z", DAY, &["ann"])],
        vec![],
    );
    assert_eq!(newer.on_call_at(Timestamp::MIN), None);
    assert!(newer.render(days).unwrap().final_schedule.entries.is_empty());
    assert_eq!(
        shifts(|_| ()).validate().unwrap().render(days).unwrap().entries,
        []
    );
}

#[test]
fn spans_that_end_before_they_begin_are_refused() {
    let (early, late) = (at("2026-01-05T00:00:00Z"), at("2026-01-06T00:00:00Z"));
    assert!(Span::new(late, early).is_err());
    assert!(Span::new(early, early).is_err());
    assert!(serde_json::from_value::<Span>(json!({"start": late, "end": early})).is_err());
}

#[test]
fn empty_texts_are_names_like_others_or_refused() {
    let mut nameless = schedule(DAY, &["", "ann"]);
    nameless.layers[0].id = "".into();
    nameless.layers[0].name = String::new();
    let plan = nameless.validate().unwrap();
    assert_eq!(
        plan.on_call_at(at("2026-01-05T12:00:00Z")).unwrap().user,
        UserKey::from("")
    );
    nameless.time_zone = String::new();
    assert_eq!(nameless.validate().unwrap_err()[0].field, "time_zone");
    assert!(Recurrence::parse([""]).is_err());
    assert!(serde_json::from_str::<Schedule>("").is_err());
}

#[test]
fn members_who_are_nobody_leave_a_gap_that_was_planned() {
    let mut open = shifts(|_| ());
    open.rotations[0].events[0].assignment_strategy = AssignmentStrategy::Everyone {
        members: vec![Member::Empty],
    };
    let rendered = open
        .validate()
        .unwrap()
        .render(span("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"))
        .unwrap();
    assert_eq!(
        (
            rendered.entries.len(),
            rendered.coverage_percentage.to_string().as_str()
        ),
        (1, "0")
    );
}
