//! What plans mean for people: clashes and fairness.

use schedule::{
    Absence, AbsenceKind, Assignment, Bearer, Concerned, QualityQuestion, Span, clashes, quality,
};

use crate::build::{hours, span};

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
