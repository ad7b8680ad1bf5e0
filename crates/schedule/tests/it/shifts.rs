//! Recurring shifts by example and against a second opinion.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;
use schedule::shifts::{
    AssignmentStrategy, CustomShift, Member, OverrideTarget, PlaceTime, ShiftEntry, ShiftEvent,
    ShiftOverride, ShiftPlan, ShiftRotation, ShiftSchedule, ShiftSource,
};
use schedule::{Advance, Frequency, ProblemKind, Recurrence, Rule, Span};

use crate::arbitrary::{HALF_WINDOW_MINUTES, MOMENTS, cases};
use crate::build::{at, span};
use crate::oracle::Watch;

fn members(names: &[&str]) -> Vec<Member> {
    names.iter().map(|name| Member::user(*name)).collect()
}

fn rotating(shifts_per_member: u32, names: &[&str]) -> AssignmentStrategy {
    AssignmentStrategy::Rotating {
        shifts_per_member,
        members: members(names),
    }
}

fn event(
    zone: &str,
    start: &str,
    end: &str,
    recurrence: &[&str],
    strategy: AssignmentStrategy,
) -> ShiftEvent {
    let place = |text: &str| PlaceTime {
        date_time: text.parse().unwrap(),
        time_zone: zone.to_owned(),
    };
    ShiftEvent {
        id: "E".into(),
        name: String::new(),
        start_time: place(start),
        end_time: place(end),
        effective_since: Timestamp::MIN,
        effective_until: None,
        recurrence: Recurrence::parse(recurrence.iter().copied()).unwrap(),
        assignment_strategy: strategy,
        advance: Advance::WorkedTurns,
    }
}

fn of_event(event: ShiftEvent) -> ShiftSchedule {
    ShiftSchedule {
        time_zone: "UTC".into(),
        rotations: vec![ShiftRotation {
            id: "R".into(),
            events: vec![event],
        }],
        custom_shifts: vec![],
        overrides: vec![],
    }
}

pub(crate) fn name(member: &Member) -> String {
    member
        .as_user()
        .map_or_else(|| "nobody".to_owned(), ToString::to_string)
}

fn lines(entries: &[ShiftEntry]) -> Vec<String> {
    let line =
        |entry: &ShiftEntry| format!("{} {} {}", entry.start_time, entry.end_time, name(&entry.member));
    entries.iter().map(line).collect()
}

fn rendered(plan: &ShiftPlan, start: &str, end: &str) -> Vec<String> {
    lines(&plan.render(span(start, end)).unwrap().entries)
}

fn names(plan: &ShiftPlan, start: &str, end: &str) -> String {
    let entries = plan.render(span(start, end)).unwrap().entries;
    entries.iter().map(|entry| name(&entry.member)).collect()
}

#[test]
fn weekday_shifts_rotate_per_occurrence() {
    let event = event(
        "Europe/Dublin",
        "2026-03-27T09:00:00",
        "2026-03-27T17:00:00",
        &["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"],
        rotating(1, &["ann", "bob"]),
    );
    let plan = of_event(event).validate().unwrap();
    assert_eq!(
        rendered(&plan, "2026-03-27T00:00:00Z", "2026-03-31T00:00:00Z"),
        [
            "2026-03-27T09:00:00Z 2026-03-27T17:00:00Z ann",
            "2026-03-30T08:00:00Z 2026-03-30T16:00:00Z bob"
        ]
    );
}

#[test]
fn members_may_have_several_shifts_in_a_row() {
    let event = event(
        "UTC",
        "2026-01-05T00:00:00",
        "2026-01-06T00:00:00",
        &["RRULE:FREQ=DAILY"],
        rotating(3, &["a", "b"]),
    );
    let plan = of_event(event).validate().unwrap();
    assert_eq!(
        names(&plan, "2026-01-05T00:00:00Z", "2026-01-14T00:00:00Z"),
        "aaabbbaaa"
    );
}

#[test]
fn a_shift_taken_out_uses_up_a_turn_only_by_the_calendar() {
    let lines = ["RRULE:FREQ=DAILY", "EXDATE:20260106T000000,20260107T000000"];
    let worked = event(
        "UTC",
        "2026-01-05T00:00:00",
        "2026-01-05T08:00:00",
        &lines,
        rotating(1, &["a", "b", "c"]),
    );
    let calendar = ShiftEvent {
        advance: Advance::CalendarTurns,
        ..worked.clone()
    };
    let (start, end) = ("2026-01-05T00:00:00Z", "2026-01-11T00:00:00Z");
    assert_eq!(names(&of_event(worked).validate().unwrap(), start, end), "abca");
    assert_eq!(names(&of_event(calendar).validate().unwrap(), start, end), "aabc");
}

#[test]
fn everybody_has_the_shift_when_the_strategy_says_so() {
    let strategy = AssignmentStrategy::Everyone {
        members: members(&["ann", "bob"]),
    };
    let event = event(
        "UTC",
        "2026-01-05T08:00:00",
        "2026-01-05T16:00:00",
        &["RRULE:FREQ=DAILY;COUNT=1"],
        strategy,
    );
    let plan = of_event(event).validate().unwrap();
    assert_eq!(plan.on_call_at(at("2026-01-05T09:00:00Z")).unwrap().len(), 2);
    assert_eq!(plan.on_call_at(at("2026-01-06T09:00:00Z")).unwrap().len(), 0);
}

#[test]
fn an_empty_member_leaves_a_planned_gap() {
    let mut strategy = members(&["ann"]);
    strategy.push(Member::Empty);
    let strategy = AssignmentStrategy::Rotating {
        shifts_per_member: 1,
        members: strategy,
    };
    let event = event(
        "UTC",
        "2026-01-05T00:00:00",
        "2026-01-06T00:00:00",
        &["RRULE:FREQ=DAILY"],
        strategy,
    );
    let plan = of_event(event).validate().unwrap();
    let rendered = plan
        .render(span("2026-01-05T00:00:00Z", "2026-01-09T00:00:00Z"))
        .unwrap();
    assert_eq!(rendered.coverage_percentage.to_string(), "50");
    assert_eq!(name(&rendered.entries[1].member), "nobody");
}

#[test]
fn an_override_may_be_overridden_in_turn() {
    let event = event(
        "UTC",
        "2026-01-05T00:00:00",
        "2026-01-06T00:00:00",
        &["RRULE:FREQ=DAILY"],
        rotating(1, &["ann"]),
    );
    let replace = |id: &str, hours: (i64, i64), from: &str, to: &str| ShiftOverride {
        id: id.into(),
        target: OverrideTarget::Rotation("R".into()),
        start_time: at("2026-01-05T00:00:00Z") + SignedDuration::from_hours(hours.0),
        end_time: at("2026-01-05T00:00:00Z") + SignedDuration::from_hours(hours.1),
        overridden_member: Member::user(from),
        overriding_member: Member::user(to),
    };
    let mut schedule = of_event(event);
    schedule.overrides = vec![
        replace("O1", (6, 18), "ann", "bob"),
        replace("O2", (12, 20), "bob", "cat"),
        replace("O3", (0, 24), "zoe", "dan"),
    ];
    let plan = schedule.validate().unwrap();
    assert_eq!(
        rendered(&plan, "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"),
        [
            "2026-01-05T00:00:00Z 2026-01-05T06:00:00Z ann",
            "2026-01-05T06:00:00Z 2026-01-05T12:00:00Z bob",
            "2026-01-05T12:00:00Z 2026-01-05T18:00:00Z cat",
            "2026-01-05T18:00:00Z 2026-01-06T00:00:00Z ann",
        ]
    );
    let by = plan.on_call_at(at("2026-01-05T13:00:00Z")).unwrap()[0]
        .source
        .clone();
    assert_eq!(
        by,
        ShiftSource::RotationOverride {
            rotation_id: "R".into(),
            override_id: "O2".into()
        }
    );
}

#[test]
fn custom_shifts_add_people() {
    let event = event(
        "UTC",
        "2026-01-05T00:00:00",
        "2026-01-06T00:00:00",
        &["RRULE:FREQ=DAILY"],
        rotating(1, &["ann"]),
    );
    let mut schedule = of_event(event);
    schedule.custom_shifts = vec![CustomShift {
        id: "C".into(),
        start_time: at("2026-01-05T06:00:00Z"),
        end_time: at("2026-01-05T07:00:00Z"),
        member: Member::user("eve"),
    }];
    assert_eq!(
        rendered(
            &schedule.validate().unwrap(),
            "2026-01-05T00:00:00Z",
            "2026-01-06T00:00:00Z"
        ),
        [
            "2026-01-05T00:00:00Z 2026-01-06T00:00:00Z ann",
            "2026-01-05T06:00:00Z 2026-01-05T07:00:00Z eve"
        ]
    );
}

#[test]
fn an_event_that_is_ended_stops_in_the_middle_of_a_shift() {
    let mut event = event(
        "UTC",
        "2026-01-05T00:00:00",
        "2026-01-06T00:00:00",
        &["RRULE:FREQ=DAILY"],
        rotating(1, &["ann"]),
    );
    event.effective_since = at("2026-01-05T12:00:00Z");
    event.effective_until = Some(at("2026-01-06T03:00:00Z"));
    assert_eq!(
        rendered(
            &of_event(event).validate().unwrap(),
            "2026-01-01T00:00:00Z",
            "2026-02-01T00:00:00Z"
        ),
        [
            "2026-01-05T12:00:00Z 2026-01-06T00:00:00Z ann",
            "2026-01-06T00:00:00Z 2026-01-06T03:00:00Z ann"
        ]
    );
}

#[test]
fn a_shift_may_end_on_the_clock_of_another_place() {
    let mut event = event(
        "Europe/London",
        "2026-03-20T09:00:00",
        "2026-03-20T09:00:00",
        &["RRULE:FREQ=DAILY"],
        rotating(1, &["ann"]),
    );
    event.end_time.time_zone = "America/New_York".into();
    // From London's nine o'clock to New York's: five hours usually, four while only New York has summer time.
    let plan = of_event(event).validate().unwrap();
    assert_eq!(
        rendered(&plan, "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z"),
        [
            "2026-03-28T09:00:00Z 2026-03-28T13:00:00Z ann",
            "2026-03-29T08:00:00Z 2026-03-29T13:00:00Z ann"
        ]
    );
}

#[test]
fn a_first_shift_inside_an_hour_that_does_not_exist_takes_no_time_and_the_next_one_does() {
    let event = event(
        "America/Chicago",
        "2026-03-08T02:00:00",
        "2026-03-08T02:30:00",
        &["RRULE:FREQ=DAILY"],
        rotating(1, &["ann", "bob"]),
    );
    assert_eq!(
        rendered(
            &of_event(event).validate().unwrap(),
            "2026-03-08T00:00:00Z",
            "2026-03-10T00:00:00Z"
        ),
        ["2026-03-09T07:00:00Z 2026-03-09T07:30:00Z bob"]
    );
}

#[test]
fn the_written_form_is_the_field_s_own() {
    let text = r#"{
        "time_zone": "UTC",
        "rotations": [{"id": "R", "events": [{
            "id": "E", "name": "Days",
            "start_time": {"date_time": "2026-01-05T09:00:00", "time_zone": "Europe/Dublin"},
            "end_time": {"date_time": "2026-01-05T17:00:00", "time_zone": "Europe/Dublin"},
            "effective_since": "2026-01-01T00:00:00Z",
            "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,WE", "EXDATE:20260107T090000"],
            "assignment_strategy": {"type": "rotating_member_assignment_strategy", "shifts_per_member": 2,
                "members": [{"type": "user_member", "user_id": "PANN"}, {"type": "empty_member"}]}
        }]}],
        "overrides": [{"id": "O", "rotation_id": "R", "start_time": "2026-01-05T09:00:00Z",
            "end_time": "2026-01-05T10:00:00Z", "overridden_member": {"type": "empty_member"},
            "overriding_member": {"type": "user_member", "user_id": "PBOB"}}]
    }"#;
    let schedule: ShiftSchedule = serde_json::from_str(text).unwrap();
    let written = serde_json::to_string(&schedule).unwrap();
    assert!(written.contains(r#""RRULE:FREQ=WEEKLY;BYDAY=MO,WE""#));
    assert_eq!(serde_json::from_str::<ShiftSchedule>(&written).unwrap(), schedule);
    assert!(schedule.validate().is_ok());
}

#[test]
fn every_problem_is_named_with_its_field() {
    let mut bad = event(
        "Mars/Olympus",
        "2026-01-05T09:00:00",
        "2026-01-05T08:00:00",
        &[],
        rotating(0, &[]),
    );
    bad.end_time.time_zone = "UTC".into();
    let mut backwards = event(
        "UTC",
        "2026-01-05T09:00:00",
        "2026-01-05T08:00:00",
        &[],
        rotating(1, &["ann"]),
    );
    backwards.id = "E2".into();
    let mut schedule = of_event(bad);
    schedule.rotations[0].events.push(backwards);
    schedule.overrides = vec![ShiftOverride {
        id: "O".into(),
        target: OverrideTarget::CustomShift("nowhere".into()),
        start_time: at("2026-01-05T00:00:00Z"),
        end_time: at("2026-01-05T00:00:00Z"),
        overridden_member: Member::Empty,
        overriding_member: Member::Empty,
    }];
    let problems = schedule.validate().unwrap_err();
    let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "rotations[0].events[0].start_time.time_zone",
            "rotations[0].events[0].assignment_strategy.members",
            "rotations[0].events[0].assignment_strategy.shifts_per_member",
            "rotations[0].events[1].end_time",
            "overrides[0].custom_shift_id",
            "overrides[0].end_time",
        ]
    );
    assert_eq!(problems[4].kind, ProblemKind::UnknownId("nowhere".into()));
}

#[test]
fn what_a_rule_asks_for_and_this_crate_does_not_do_is_refused_by_name() {
    let refused = |text: &str| text.parse::<Rule>().unwrap_err().to_string();
    assert_eq!(
        refused("FREQ=DAILY;BYHOUR=9"),
        "`BYHOUR` is not supported in a rule"
    );
    assert_eq!(
        refused("FREQ=WEEKLY;BYDAY=1MO"),
        "`BYDAY with numbers other than in a month` is not supported in a rule"
    );
    assert_eq!(refused("FREQ=MINUTELY"), "`MINUTELY` is not a value for FREQ");
    assert_eq!(
        refused("FREQ=DAILY;INTERVAL=0"),
        "`0` is not a value for INTERVAL"
    );
    assert_eq!(
        refused("BYDAY=MO"),
        "the rule needs FREQ=HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY"
    );
}

/// Walks hour by hour or day by day from the first occurrence and asks of each candidate whether the rule wants it.
pub(crate) fn occurrences_by_walking(rule: &Rule, first: DateTime, last: DateTime) -> Vec<DateTime> {
    let mut found = Vec::new();
    let mut candidate = first;
    while candidate <= last && rule.count.is_none_or(|count| found.len() < count as usize) {
        if is_wanted(rule, first, candidate) {
            found.push(candidate);
        }
        let step = if rule.frequency == Frequency::Hourly {
            1.hour()
        } else {
            1.day()
        };
        candidate = candidate.checked_add(step).unwrap();
    }
    found
}

fn is_wanted(rule: &Rule, first: DateTime, candidate: DateTime) -> bool {
    let date = candidate.date();
    let monday = |date: Date| date - i64::from(date.weekday().since(rule.week_start)).days();
    let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
    let apart = match rule.frequency {
        Frequency::Hourly => candidate.duration_since(first).as_hours(),
        Frequency::Daily => date.duration_since(first.date()).as_hours() / 24,
        Frequency::Weekly => monday(date).duration_since(monday(first.date())).as_hours() / 24 / 7,
        Frequency::Monthly => months(date) - months(first.date()),
        Frequency::Yearly => i64::from(date.year() - first.date().year()),
    };
    let last_of_month = date.days_in_month();
    let month_day = |wanted: &i8| *wanted == date.day() || *wanted == date.day() - last_of_month - 1;
    let weekday = |weekday: Weekday, ordinal: Option<i8>| {
        let ordinal_fits = |ordinal: i8| {
            date.nth_weekday_of_month(ordinal, weekday)
                .is_ok_and(|nth| nth == date)
        };
        date.weekday() == weekday && ordinal.is_none_or(ordinal_fits)
    };
    let by_date = rule.days.is_empty() && rule.month_days.is_empty();
    let implied = match rule.frequency {
        Frequency::Hourly | Frequency::Daily => true,
        Frequency::Weekly => !rule.days.is_empty() || date.weekday() == first.date().weekday(),
        Frequency::Monthly => !by_date || date.day() == first.date().day(),
        Frequency::Yearly => {
            (!by_date || date.day() == first.date().day())
                && (!by_date || !rule.months.is_empty() || date.month() == first.date().month())
        }
    };
    apart % i64::from(rule.interval) == 0
        && implied
        && (rule.months.is_empty() || rule.months.contains(&date.month()))
        && (rule.month_days.is_empty() || rule.month_days.iter().any(month_day))
        && (rule.days.is_empty() || rule.days.iter().any(|day| weekday(day.weekday, day.ordinal)))
}

pub(crate) fn rule() -> impl Strategy<Value = String> {
    let days = prop::sample::subsequence(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"], 0..5);
    let ordinals = prop::sample::subsequence(vec!["1MO", "2TU", "-1FR", "3SU", "5WE", "-2SA"], 1..3);
    let month_days = prop::sample::subsequence(vec!["1", "15", "28", "31", "-1", "-7"], 0..3);
    let months = prop::sample::subsequence(vec!["1", "2", "6", "10", "11"], 0..3);
    let frequency = prop::sample::select(vec!["HOURLY", "DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let bound = prop::option::of(1..60u32);
    (
        frequency,
        1..8u32,
        days,
        ordinals,
        month_days,
        months,
        bound,
        any::<[bool; 3]>(),
    )
        .prop_map(
            |(frequency, interval, days, ordinals, month_days, months, bound, [plain, ordered, sunday])| {
                let mut rule = format!("FREQ={frequency};INTERVAL={interval}");
                let mut add = |name: &str, values: &[&str]| {
                    if !values.is_empty() && !plain {
                        rule.extend([";", name, "=", &values.join(",")]);
                    }
                };
                if ordered && frequency == "MONTHLY" {
                    add("BYDAY", &ordinals);
                } else {
                    add("BYDAY", &days);
                }
                if frequency != "WEEKLY" && !ordered {
                    add("BYMONTHDAY", &month_days);
                }
                add("BYMONTH", &months);
                if let Some(count) = bound {
                    rule.extend([";COUNT=".to_owned(), count.to_string()]);
                }
                rule + if sunday { ";WKST=SU" } else { "" }
            },
        )
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn rotating_shifts_agree_with_walking_through_time(
        index in 0..MOMENTS.len(),
        rule in rule(),
        days_before in 0..500i64,
        minute in 0..1440i64,
        length in prop_oneof![1..1440i64, 1..6000i64],
        shifts_per_member in 1..4u32,
        excluded in prop::collection::vec(0..30usize, 0..3),
        advance in prop::sample::select(vec![Advance::CalendarTurns, Advance::WorkedTurns]),
    ) {
        let (zone, moment) = MOMENTS[index];
        let half = SignedDuration::from_mins(HALF_WINDOW_MINUTES);
        let start = at(moment) - half;
        let minutes = usize::try_from(2 * HALF_WINDOW_MINUTES).unwrap();
        let local = at(moment).to_zoned(jiff::tz::TimeZone::UTC).date().to_datetime(jiff::civil::time(0, 0, 0, 0));
        let first = local - days_before.days() + SignedDuration::from_mins(minute);
        let parsed: Rule = rule.parse().unwrap();
        let last = local + 5.days();
        let walked = occurrences_by_walking(&parsed, first, last);

        let mut lines = vec![format!("RRULE:{rule}")];
        let near_end = walked.len().saturating_sub(30);
        let taken_out: Vec<DateTime> = excluded.iter().filter_map(|back| walked.get(near_end + back)).copied().collect();
        lines.extend(taken_out.iter().map(|out| format!("EXDATE:{}", out.strftime("%Y%m%dT%H%M%S"))));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut event = event(zone, "2026-01-01T00:00:00", "2026-01-01T00:00:00", &lines, rotating(shifts_per_member, &["a", "b", "c"]));
        event.start_time.date_time = first;
        event.end_time.date_time = first + SignedDuration::from_mins(length);
        event.advance = advance;
        let plan = match of_event(event).validate() {
            Ok(plan) => plan,
            Err(problems) => {
                // So many of a rule that never comes true cannot be counted.
                prop_assert_eq!(&problems[0].kind, &ProblemKind::RecurrenceTooLong);
                prop_assert!(parsed.count.is_some() && walked.is_empty());
                return Ok(());
            }
        };
        let entries = plan.render(Span::new(start, at(moment) + half).unwrap()).unwrap().entries;

        let mut watch = Watch::new(start, minutes);
        let mut expected = vec![Vec::new(); minutes];
        let mut turn = 0;
        for occurrence in walked {
            let out = taken_out.contains(&occurrence);
            if !out {
                let who = ["a", "b", "c"][(turn / shifts_per_member as usize) % 3];
                let ends = occurrence + SignedDuration::from_mins(length);
                for (minute, local) in watch.look(zone).iter().enumerate() {
                    if occurrence <= *local && *local < ends {
                        expected[minute].push(who.to_owned());
                    }
                }
            }
            turn += usize::from(!out || advance == Advance::CalendarTurns);
        }
        for (minute, expected) in expected.iter_mut().enumerate() {
            let now = watch.minute(minute);
            let on_call = entries.iter().filter(|entry| entry.start_time <= now && now < entry.end_time);
            let mut found: Vec<String> = on_call.map(|entry| name(&entry.member)).collect();
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(&*expected, &found, "{} at {}", rule, now);
        }
    }

    #[test]
    fn a_rule_that_is_written_and_read_again_is_the_same(rule in rule()) {
        let parsed: Rule = rule.parse().unwrap();
        prop_assert_eq!(parsed.to_string().parse::<Rule>().unwrap(), parsed);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*", rule in "(FREQ=(DAILY|WEEKLY|YEARLY|HOURLY)|[A-Z]{2,8}=[-0-9A-Z,]{0,12})(;(INTERVAL|COUNT|UNTIL|BYDAY|BYMONTHDAY|BYSETPOS)=[-0-9MOTUZ,]{0,12}){0,4}") {
        for text in [text, rule] {
            if let Ok(recurrence) = Recurrence::parse([text.as_str()]) {
                let event = ShiftEvent {
                    recurrence,
                    ..event("Europe/Dublin", "1990-01-31T00:30:00", "1990-02-02T00:00:00", &[], rotating(1, &["a"]))
                };
                if let Ok(plan) = of_event(event).validate() {
                    let rendered = plan.render(span("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"));
                    prop_assert!(rendered.is_err() || rendered.unwrap().coverage_percentage <= 100.0);
                }
            }
        }
    }
}
