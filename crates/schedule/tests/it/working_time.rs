//! Working-time rules by example, and daily rest against a second opinion.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use schedule::working_time::{
    Candidate, Duty, DutyKind, NightWorker, RulePack, StandBy, Standing, Violation, Worker, check,
    rest_owed_until, stand_by, who_may_take,
};
use schedule::{Assignment, ProblemKind, Span};

use crate::arbitrary::cases;
use crate::build::{at, hours, span};

fn worker(user: &str) -> Worker {
    Worker {
        user: user.into(),
        time_zone: "Europe/Dublin".into(),
        opted_out: vec![],
        night_worker: NightWorker::No,
        leave: vec![],
    }
}

fn duty(kind: DutyKind, start: &str, hours: i64) -> Duty {
    let start = at(start);
    Duty {
        span: Span::new(start, start + SignedDuration::from_hours(hours)).unwrap(),
        kind,
    }
}

fn work_from(start: Timestamp, offsets_and_hours: &[(i64, i64)]) -> Vec<Duty> {
    let duty = |(offset, hours): &(i64, i64)| {
        let start = start + SignedDuration::from_hours(*offset);
        Duty {
            span: Span::new(start, start + SignedDuration::from_hours(*hours)).unwrap(),
            kind: DutyKind::Work,
        }
    };
    offsets_and_hours.iter().map(duty).collect()
}

fn judged(stand_by: StandBy, worker: &Worker, duties: &[Duty], known: Span) -> Vec<Violation> {
    check(
        &RulePack::european_union(stand_by),
        worker,
        duties,
        known,
        jiff::tz::db(),
    )
    .unwrap()
}

fn broken(violations: &[Violation]) -> Vec<(&str, i64)> {
    violations
        .iter()
        .map(|violation| (violation.rule.as_str(), hours(violation.measured)))
        .collect()
}

const MONDAY: &str = "2026-01-05T00:00:00Z";

fn weeks(count: i64) -> Span {
    Span::new(at(MONDAY), at(MONDAY) + SignedDuration::from_hours(count * 168)).unwrap()
}

#[test]
fn eleven_hours_of_rest_are_due_in_every_day_of_work() {
    let late_then_early = [
        duty(DutyKind::Work, "2026-01-05T14:00:00Z", 9),
        duty(DutyKind::Work, "2026-01-06T08:00:00Z", 8),
    ];
    let enough = [
        duty(DutyKind::Work, "2026-01-05T14:00:00Z", 7),
        duty(DutyKind::Work, "2026-01-06T08:00:00Z", 8),
    ];
    let found = judged(
        StandBy::InterventionsOnly,
        &worker("ann"),
        &late_then_early,
        weeks(1),
    );
    assert_eq!(broken(&found), [("daily-rest", 9)]);
    assert_eq!(
        found[0].to_string(),
        "ann rests 9 h at most between 2026-01-05T14:00:00Z and 2026-01-06T14:00:00Z; 11 h are due \
         (Directive 2003/88/EC, art. 3)"
    );
    assert_eq!(
        broken(&judged(
            StandBy::InterventionsOnly,
            &worker("ann"),
            &enough,
            weeks(1)
        )),
        []
    );
}

#[test]
fn stand_by_counts_as_the_pack_says() {
    let week = [duty(DutyKind::StandBy, MONDAY, 168)];
    assert_eq!(
        broken(&judged(
            StandBy::InterventionsOnly,
            &worker("ann"),
            &week,
            weeks(1)
        )),
        []
    );
    let found = judged(StandBy::Wholly, &worker("ann"), &week, weeks(1));
    assert_eq!(
        found
            .iter()
            .filter(|violation| violation.rule == "daily-rest")
            .count(),
        7
    );
    let average = found
        .iter()
        .find(|violation| violation.rule == "weekly-work")
        .unwrap();
    assert_eq!(
        (hours(average.measured), average.standing),
        (168, Standing::Trend)
    );
}

#[test]
fn a_call_at_night_must_be_made_up_for_before_work() {
    let planned = |begins: &str| {
        vec![
            duty(DutyKind::Work, "2026-01-05T09:00:00Z", 8),
            duty(DutyKind::StandBy, "2026-01-05T17:00:00Z", 16),
            duty(DutyKind::Intervention, "2026-01-06T03:00:00Z", 1),
            duty(DutyKind::Work, begins, 6),
        ]
    };
    let as_usual = judged(
        StandBy::InterventionsOnly,
        &worker("ann"),
        &planned("2026-01-06T09:00:00Z"),
        weeks(1),
    );
    assert_eq!(broken(&as_usual), [("compensatory-rest", 5)]);
    let later = judged(
        StandBy::InterventionsOnly,
        &worker("ann"),
        &planned("2026-01-06T15:00:00Z"),
        weeks(1),
    );
    assert_eq!(broken(&later), []);
    let pack = RulePack::european_union(StandBy::InterventionsOnly);
    let owed = rest_owed_until(
        &pack,
        &planned("2026-01-06T09:00:00Z"),
        at("2026-01-06T05:00:00Z"),
    )
    .unwrap();
    assert_eq!(owed.until, at("2026-01-06T15:00:00Z"));
    assert_eq!(
        rest_owed_until(
            &pack,
            &planned("2026-01-06T09:00:00Z"),
            at("2026-01-06T16:00:00Z")
        ),
        None
    );
}

#[test]
fn work_right_after_a_call_leaves_no_rest_at_all() {
    let duties = [
        duty(DutyKind::Work, "2026-01-05T09:00:00Z", 8),
        duty(DutyKind::Intervention, "2026-01-06T03:00:00Z", 2),
        duty(DutyKind::Work, "2026-01-06T05:00:00Z", 3),
    ];
    assert_eq!(
        broken(&judged(
            StandBy::InterventionsOnly,
            &worker("ann"),
            &duties,
            weeks(1)
        )),
        [("compensatory-rest", 0)]
    );
}

#[test]
fn two_long_rests_are_due_in_a_fortnight() {
    let every_day: Vec<(i64, i64)> = (0..14).map(|day| (day * 24 + 9, 8)).collect();
    let found = judged(
        StandBy::InterventionsOnly,
        &worker("ann"),
        &work_from(at(MONDAY), &every_day),
        weeks(2),
    );
    assert!(broken(&found).contains(&("weekly-rest", 0)));
    let weekends_off: Vec<(i64, i64)> = every_day
        .into_iter()
        .filter(|(hour, _)| hour / 24 % 7 < 5)
        .collect();
    let found = judged(
        StandBy::InterventionsOnly,
        &worker("ann"),
        &work_from(at(MONDAY), &weekends_off),
        weeks(2),
    );
    assert_eq!(broken(&found), []);
}

#[test]
fn forty_eight_hours_a_week_are_an_average_that_leave_does_not_lower() {
    let fifty_hours: Vec<(i64, i64)> = (0..17 * 5)
        .map(|day| (day / 5 * 168 + day % 5 * 24 + 8, 10))
        .collect();
    let duties = work_from(at(MONDAY), &fifty_hours);
    let found = judged(StandBy::InterventionsOnly, &worker("ann"), &duties, weeks(17));
    assert_eq!(broken(&found), [("weekly-work", 50)]);
    assert_eq!(found[0].standing, Standing::Breach);

    let opted_out = Worker {
        opted_out: vec![weeks(17)],
        ..worker("ann")
    };
    assert_eq!(
        broken(&judged(
            StandBy::InterventionsOnly,
            &opted_out,
            &duties,
            weeks(17)
        )),
        []
    );

    // A fortnight's leave instead of work would bring the average to 44 h if it counted.
    let leave = Span::new(weeks(15).end(), weeks(17).end()).unwrap();
    let on_leave = Worker {
        leave: vec![leave],
        ..worker("ann")
    };
    let before_leave: Vec<Duty> = duties
        .into_iter()
        .filter(|duty| duty.span.end() <= leave.start())
        .collect();
    assert_eq!(
        broken(&judged(
            StandBy::InterventionsOnly,
            &on_leave,
            &before_leave,
            weeks(17)
        )),
        [("weekly-work", 50)]
    );
}

#[test]
fn night_workers_work_eight_hours_on_average_or_at_most() {
    let nights: Vec<(i64, i64)> = (0..17 * 6)
        .map(|night| (night / 6 * 168 + night % 6 * 24 + 22, 9))
        .collect();
    let duties = work_from(at(MONDAY), &nights);
    let rules = |night_worker: NightWorker| {
        let found = judged(
            StandBy::InterventionsOnly,
            &Worker {
                night_worker,
                ..worker("ann")
            },
            &duties,
            weeks(17),
        );
        found
            .iter()
            .filter(|violation| violation.rule == "night-work")
            .count()
    };
    assert_eq!(rules(NightWorker::No), 0);
    assert_eq!(rules(NightWorker::Usual), 1);
    assert_eq!(rules(NightWorker::Hazardous), 17 * 6);
}

#[test]
fn four_people_can_cover_the_clock_lawfully_by_early_late_and_night_shifts() {
    // Two early, two late, two night shifts, two days off; each begins two days after the one before.
    let pattern = [
        Some(6),
        Some(6),
        Some(14),
        Some(14),
        Some(22),
        Some(22),
        None,
        None,
    ];
    for person in 0..4 {
        let shift = |day: usize| pattern[(day + 2 * person) % 8].map(|hour: i64| (day as i64 * 24 + hour, 8));
        let shifts: Vec<(i64, i64)> = (0..7 * 18).filter_map(shift).collect();
        let found = judged(
            StandBy::InterventionsOnly,
            &worker("ann"),
            &work_from(at(MONDAY), &shifts),
            weeks(17),
        );
        assert!(
            found.iter().all(|violation| violation.rule == "weekly-rest"),
            "{found:?}"
        );
    }
}

#[test]
fn those_who_may_lawfully_take_a_shift_come_first_and_the_least_burdened_among_them() {
    let shift = duty(DutyKind::Work, "2026-01-07T06:00:00Z", 8);
    let candidate = |name: &str, duties: Vec<Duty>| Candidate {
        worker: worker(name),
        duties,
    };
    let mut on_leave = candidate("eve", vec![]);
    on_leave.worker.leave = vec![span("2026-01-07T00:00:00Z", "2026-01-08T00:00:00Z")];
    let candidates = [
        candidate("tired", vec![duty(DutyKind::Work, "2026-01-06T15:00:00Z", 8)]),
        candidate("busy", vec![duty(DutyKind::Work, "2026-01-07T08:00:00Z", 2)]),
        candidate("fresh", vec![]),
        candidate("rested", vec![duty(DutyKind::Work, "2026-01-05T08:00:00Z", 8)]),
        on_leave,
    ];
    let pack = RulePack::european_union(StandBy::InterventionsOnly);
    let verdicts = who_may_take(&pack, &candidates, shift, weeks(1), jiff::tz::db()).unwrap();
    let order: Vec<(&str, bool)> = verdicts
        .iter()
        .map(|verdict| (verdict.user.as_str(), verdict.is_clear()))
        .collect();
    assert_eq!(
        order,
        [
            ("fresh", true),
            ("rested", true),
            ("eve", false),
            ("busy", false),
            ("tired", false)
        ]
    );
    assert_eq!(broken(&verdicts[4].violations), [("daily-rest", 7)]);
    assert!(verdicts[3].occupied.is_some());
    assert!(verdicts[2].leave.is_some());
}

#[test]
fn a_shift_that_makes_an_average_worse_is_refused_even_where_another_week_is_worse_still() {
    // Sixteen weeks of 60 hours, then as many of 50: every seventeen weeks are above 48, so they are one finding.
    let week = |start: Timestamp, hours: i64| {
        (0..5).map(move |day| {
            let start = start + SignedDuration::from_hours(day * 24 + 8);
            let end = start + SignedDuration::from_hours(hours / 5);
            Duty {
                span: Span::new(start, end).unwrap(),
                kind: DutyKind::Work,
            }
        })
    };
    let monday = |number: i64| at("2026-01-05T00:00:00Z") + SignedDuration::from_hours(number * 168);
    let duties: Vec<Duty> = (0..34)
        .flat_map(|number| week(monday(number), if number < 17 { 60 } else { 50 }))
        .collect();
    let shift = Duty {
        span: Span::new(
            monday(32) + SignedDuration::from_hours(5 * 24 + 8),
            monday(32) + SignedDuration::from_hours(5 * 24 + 16),
        )
        .unwrap(),
        kind: DutyKind::Work,
    };
    let candidates = [Candidate {
        worker: worker("ann"),
        duties,
    }];
    let pack = RulePack::european_union(StandBy::InterventionsOnly);
    let verdict = &who_may_take(&pack, &candidates, shift, weeks(34), jiff::tz::db()).unwrap()[0];
    assert_eq!(broken(&verdict.violations), [("weekly-work", 60)]);

    // To be on stand-by for as long is no work, and changes nothing.
    let stand_by = Duty {
        kind: DutyKind::StandBy,
        ..shift
    };
    let verdict = &who_may_take(&pack, &candidates, stand_by, weeks(34), jiff::tz::db()).unwrap()[0];
    assert!(verdict.is_clear());
}

#[test]
fn who_has_had_too_little_rest_already_may_not_go_on_working() {
    // After five hours of rest she worked until six in the morning; an hour later is no time for the next shift.
    let duties = vec![
        duty(DutyKind::Work, "2026-01-06T08:00:00Z", 9),
        duty(DutyKind::Work, "2026-01-06T22:00:00Z", 8),
    ];
    let candidates = [Candidate {
        worker: worker("ann"),
        duties,
    }];
    let pack = RulePack::european_union(StandBy::InterventionsOnly);
    let shift = duty(DutyKind::Work, "2026-01-07T07:00:00Z", 8);
    let verdict = &who_may_take(&pack, &candidates, shift, weeks(1), jiff::tz::db()).unwrap()[0];
    assert_eq!(broken(&verdict.violations), [("daily-rest", 5)]);
    let rested = duty(DutyKind::Work, "2026-01-07T18:00:00Z", 8);
    let verdict = &who_may_take(&pack, &candidates, rested, weeks(1), jiff::tz::db()).unwrap()[0];
    assert!(verdict.is_clear(), "{:?}", verdict.violations);
}

#[test]
fn nobody_is_cleared_for_a_shift_around_which_too_little_is_known() {
    let candidates = [Candidate {
        worker: worker("ann"),
        duties: vec![],
    }];
    let pack = RulePack::european_union(StandBy::Wholly);
    for start in [
        "2026-01-05T20:00:00Z",
        "2026-01-11T08:00:00Z",
        "2026-02-01T08:00:00Z",
    ] {
        let shift = duty(DutyKind::Work, start, 8);
        let problem = who_may_take(&pack, &candidates, shift, weeks(1), jiff::tz::db()).unwrap_err();
        assert_eq!(
            (problem.field.as_str(), problem.kind),
            ("known", ProblemKind::ShiftNotKnown)
        );
    }
}

#[test]
fn a_pack_is_data_that_can_be_written_and_read() {
    let pack = RulePack::european_union(StandBy::Wholly);
    let text = serde_json::to_string(&pack).unwrap();
    assert!(text.contains(
        r#"{"id":"daily-rest","source":"Directive 2003/88/EC, art. 3","limit":"daily_rest","hours":11}"#
    ));
    assert_eq!(serde_json::from_str::<RulePack>(&text).unwrap(), pack);
}

#[test]
fn on_call_time_becomes_stand_by() {
    let week = weeks(1);
    let assignments = [Assignment::new("ann", week), Assignment::new("bob", week)];
    let duties: Vec<Duty> = stand_by(&assignments, &"ann".into()).collect();
    assert_eq!(
        duties,
        [Duty {
            span: week,
            kind: DutyKind::StandBy
        }]
    );
}

/// Whether every stretch of rest and work, looked at hour by hour, leaves a daily rest.
fn hour_by_hour_has_daily_rest(hours: &[bool]) -> bool {
    let mut hour = 0;
    while let Some(begins) = (hour..hours.len()).find(|hour| hours[*hour]) {
        let day: Vec<bool> = (begins..begins + 24)
            .map(|hour| hours.get(hour).copied().unwrap_or(false))
            .collect();
        let Some(rest) = (0..=13).find(|from| day[*from..from + 11].iter().all(|works| !works)) else {
            return false;
        };
        hour = begins + rest + 11;
    }
    true
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn daily_rest_agrees_with_looking_hour_by_hour(shifts in prop::collection::vec((0..200i64, 1..14i64), 0..8)) {
        let mut hours = vec![false; 240];
        for (start, length) in &shifts {
            for hour in *start..start + length {
                hours[usize::try_from(hour).unwrap()] = true;
            }
        }
        let duties = work_from(at(MONDAY), &shifts);
        let known = Span::new(at(MONDAY), at(MONDAY) + SignedDuration::from_hours(300)).unwrap();
        let found = judged(StandBy::InterventionsOnly, &worker("ann"), &duties, known);
        let broken = found.iter().any(|violation| violation.rule == "daily-rest");
        prop_assert_eq!(broken, !hour_by_hour_has_daily_rest(&hours));
    }
}
