//! What plans mean for people: clashes, fairness and working time.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use schedule::working_time::{
    Candidate, Duty, DutyKind, NightWorker, RulePack, StandBy, Standing, Violation, Worker, check,
    rest_owed_until, stand_by, who_may_take,
};
use schedule::{
    Absence, AbsenceKind, Assignment, Bearer, Concerned, QualityQuestion, Span, clashes, quality,
};

use crate::arbitrary::cases;
use crate::build::{at, span};

fn absence(who: Concerned, kind: AbsenceKind, start: &str, end: &str) -> Absence {
    Absence {
        who,
        kind,
        span: span(start, end),
        label: "off".into(),
    }
}

#[test]
fn leave_clashes_with_the_person_s_own_shifts_and_a_holiday_with_everybody_s() {
    let assignments = [
        Assignment::new("ann", span("2026-12-24T00:00:00Z", "2026-12-26T00:00:00Z")),
        Assignment::new("bob", span("2026-12-26T00:00:00Z", "2026-12-28T00:00:00Z")),
    ];
    let absences = [
        absence(
            Concerned::Everybody,
            AbsenceKind::Holiday,
            "2026-12-25T00:00:00Z",
            "2026-12-27T00:00:00Z",
        ),
        absence(
            Concerned::People(vec!["bob".into()]),
            AbsenceKind::Leave,
            "2026-12-20T00:00:00Z",
            "2026-12-26T12:00:00Z",
        ),
    ];
    let found: Vec<(String, Span, AbsenceKind)> = clashes(&assignments, &absences)
        .into_iter()
        .map(|clash| (clash.user.to_string(), clash.span, clash.kind))
        .collect();
    assert_eq!(
        found,
        [
            (
                "ann".into(),
                span("2026-12-25T00:00:00Z", "2026-12-26T00:00:00Z"),
                AbsenceKind::Holiday
            ),
            (
                "bob".into(),
                span("2026-12-26T00:00:00Z", "2026-12-26T12:00:00Z"),
                AbsenceKind::Leave
            ),
            (
                "bob".into(),
                span("2026-12-26T00:00:00Z", "2026-12-27T00:00:00Z"),
                AbsenceKind::Holiday
            ),
        ]
    );
}

fn question(span: Span, people: &[(&str, f64)]) -> QualityQuestion {
    let bearer = |(user, share): &(&str, f64)| Bearer {
        user: (*user).into(),
        time_zone: "Europe/Dublin".into(),
        share: *share,
    };
    QualityQuestion {
        span,
        people: people.iter().map(bearer).collect(),
        night_begins: "22:00:00".parse().unwrap(),
        night_ends: "06:00:00".parse().unwrap(),
        weekend: vec![6, 7],
        holidays: vec![],
    }
}

fn hours(duration: SignedDuration) -> i64 {
    duration.as_hours()
}

#[test]
fn nights_weekends_and_holidays_are_counted_on_the_person_s_own_clock() {
    // The last week of March 2026 in Dublin: on Sunday the 29th the clocks go forward.
    let week = span("2026-03-23T00:00:00Z", "2026-03-29T23:00:00Z");
    let mut question = question(week, &[("ann", 1.0)]);
    let holiday = absence(
        Concerned::Everybody,
        AbsenceKind::Holiday,
        "2026-03-25T00:00:00Z",
        "2026-03-26T00:00:00Z",
    );
    question.holidays = vec![holiday.clone(), holiday];
    let found = quality(&[Assignment::new("ann", week)], &question, jiff::tz::db()).unwrap();
    let load = &found.loads[0];
    assert_eq!((hours(load.total), load.stretches), (167, 1));
    // Seven nights' eight hours, less the hour skipped on the last morning, in pieces at both ends.
    assert_eq!(hours(load.nights), 6 + 5 * 8 + 7 + 2);
    assert_eq!(hours(load.weekends), 47);
    assert_eq!(hours(load.holidays), 24);
    assert_eq!(found.coverage_percentage.to_string(), "100");
}

#[test]
fn evenness_takes_the_share_of_each_person_into_account() {
    let days = span("2026-01-05T00:00:00Z", "2026-01-08T00:00:00Z");
    let assignments = [
        Assignment::new("ann", span("2026-01-05T00:00:00Z", "2026-01-07T00:00:00Z")),
        Assignment::new("bob", span("2026-01-07T00:00:00Z", "2026-01-08T00:00:00Z")),
    ];
    let fairness = |people: &[(&str, f64)]| {
        quality(&assignments, &question(days, people), jiff::tz::db())
            .unwrap()
            .fairness
            .total
    };
    assert_eq!(fairness(&[("ann", 1.0), ("bob", 0.5)]).to_string(), "1");
    assert_eq!(fairness(&[("ann", 1.0), ("bob", 1.0)]).to_string(), "0.9");
    // A third who does nothing makes it less even.
    assert_eq!(
        fairness(&[("ann", 1.0), ("bob", 1.0), ("cat", 1.0)]).to_string(),
        "0.6"
    );
}

#[test]
fn a_question_that_makes_no_sense_is_refused_with_its_field() {
    let mut question = question(
        span("2026-01-05T00:00:00Z", "2026-01-08T00:00:00Z"),
        &[("ann", f64::NAN), ("bob", 0.0)],
    );
    question.people[1].time_zone = "Mars/Olympus".into();
    question.weekend = vec![0];
    let problems = quality(&[], &question, jiff::tz::db()).unwrap_err();
    let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "people[0].share",
            "people[1].time_zone",
            "people[1].share",
            "weekend[0]"
        ]
    );
}

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
