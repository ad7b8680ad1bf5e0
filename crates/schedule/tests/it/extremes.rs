//! Texts of a million characters, empty ones, and numbers that are none, at each door of the crate.

use std::iter::once;

use jiff::civil::time;
use jiff::tz::TimeZone;
use schedule::calendar::{Feed, FeedEvent, Import, import_calendar};
use schedule::shifts::ShiftSchedule;
use schedule::working_time::{Candidate, Duty, DutyKind, RulePack, StandBy, Worker, check, who_may_take};
use schedule::{
    Absence, AbsenceKind, Agreement, Assignment, Concerned, Cover, Extent, Fit, QualityQuestion, Recurrence,
    Schedule, Span, SunTeam, UserKey, apply_agreements, clashes, follow_the_sun, quality,
};

use crate::build::{DAY, at, layer, span};

const MILLION: usize = 1_000_000;

fn texts() -> impl Iterator<Item = String> {
    once(String::new())
        .chain(["x", "é", ";", "\r\n ", "=", "\\"].map(|part| part.repeat(MILLION)))
        .chain(once("\u{0}\u{202E}".to_owned()))
}

fn day() -> Span {
    span("2026-05-04T00:00:00Z", "2026-05-05T00:00:00Z")
}

#[test]
fn a_schedule_takes_any_names_and_refuses_zones_that_are_none() {
    for text in texts() {
        let mut schedule = Schedule {
            time_zone: text.clone(),
            layers: vec![layer(&text, "2026-05-01T00:00:00Z", DAY, &[&text, "b"])],
            overrides: vec![],
        };
        let problems = schedule.validate().unwrap_err();
        assert!(problems.iter().any(|problem| problem.field == "time_zone"));
        schedule.time_zone = "UTC".to_owned();
        if let Ok(plan) = schedule.validate() {
            assert!(plan.on_call_at(day().start()).is_some());
            assert_eq!(plan.render(day()).unwrap().final_schedule.entries.len(), 1);
        }
        drop(schedule.with_members(&"L".into(), vec![UserKey::from(text.as_str())], day().start()));
        assert!(serde_json::from_str::<Schedule>(&text).is_err());
        assert!(serde_json::from_str::<ShiftSchedule>(&text).is_err());
    }
}

#[test]
fn rules_and_calendars_of_any_length_are_read_or_refused() {
    let import = || Import {
        zone: TimeZone::UTC,
        span: day(),
        zones: jiff::tz::db(),
    };
    for text in texts() {
        let problem = Recurrence::parse([format!("RRULE:{text}").as_str(), text.as_str()]).unwrap_err();
        assert!(problem.to_string().len() < 1_000);
        let event = format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:{text}\r\nSUMMARY:{text}\r\nDTSTART;TZID={text}:20260504T080000\r\n\
             RRULE:{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        if let Ok(read) = import_calendar(&event, &import()) {
            assert!(read.events.len() <= 1 && read.notes.len() <= 10_000);
        }
        assert!(import_calendar(&text, &import()).is_err());
    }
}

#[test]
fn a_feed_folds_any_text_into_lines_that_every_calendar_reads() {
    for text in texts() {
        let feed = Feed {
            name: text.clone(),
            product: text.clone(),
            realm: text.clone(),
            written_at: day().start(),
            refresh_minutes: 0,
        };
        let event = FeedEvent {
            span: day(),
            key: text.clone(),
            summary: text.clone(),
            description: text.clone(),
        };
        let written = feed.write([&event]);
        assert!(written.split("\r\n").all(|line| line.len() <= 75));
        assert!(written.ends_with("END:VCALENDAR\r\n"));
    }
}

#[test]
fn people_with_any_name_are_covered_judged_and_compared() {
    for text in texts() {
        let key = UserKey::from(text.as_str());
        let assignments = [Assignment::new(key.clone(), day())];
        let cover = Cover {
            giver: key.clone(),
            taker: "bob".into(),
            agreed: day(),
            extent: Extent::WholeShift,
        };
        let agreements = [Agreement {
            id: "A".into(),
            covers: vec![cover],
        }];
        assert_eq!(
            apply_agreements(&assignments, &agreements).fits[0].1,
            Fit::AsAgreed
        );
        let absence = Absence {
            who: Concerned::People(vec![key.clone()]),
            kind: AbsenceKind::Leave,
            span: day(),
            label: text.clone(),
        };
        assert_eq!(clashes(&assignments, &[absence]).len(), 1);
        let worker = Worker {
            user: key,
            time_zone: text.clone(),
            opted_out: vec![],
            night_worker: schedule::working_time::NightWorker::No,
            leave: vec![],
        };
        let pack = RulePack::european_union(StandBy::Wholly);
        let duty = Duty {
            span: day(),
            kind: DutyKind::Work,
        };
        let unknown = check(&pack, &worker, &[duty], day(), jiff::tz::db()).unwrap_err();
        assert_eq!(unknown.field, "time_zone");
        let candidate = Candidate {
            worker,
            duties: vec![],
        };
        assert!(who_may_take(&pack, &[candidate], duty, day(), jiff::tz::db()).is_err());
        let team = SunTeam {
            name: text.clone(),
            time_zone: text.clone(),
            day_begins: time(9, 0, 0, 0),
            users: vec![],
        };
        assert!(follow_the_sun(&[team], day().start(), u32::MAX, jiff::tz::db()).is_err());
    }
}

#[test]
fn a_share_that_is_no_number_is_refused_with_its_field() {
    for share in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -1.0,
        f64::MIN_POSITIVE,
        f64::MAX,
    ] {
        let question = QualityQuestion {
            span: day(),
            people: vec![schedule::Bearer {
                user: "ann".into(),
                time_zone: "UTC".into(),
                share,
            }],
            night_begins: time(22, 0, 0, 0),
            night_ends: time(6, 0, 0, 0),
            weekend: vec![],
            holidays: vec![],
        };
        match quality(&[Assignment::new("ann", day())], &question, jiff::tz::db()) {
            Ok(found) => assert!(share > 0.0 && found.fairness.total.is_finite(), "{share}"),
            Err(problems) => assert!(problems[0].field.starts_with("people[0]"), "{share}"),
        }
    }
}

#[test]
fn imported_leave_clashes_with_being_on_call() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Leave\nDTSTART;VALUE=DATE:20260504\nDTEND;VALUE=DATE:20260505\n\
                END:VEVENT\nEND:VCALENDAR\n";
    let import = Import {
        zone: TimeZone::get("Europe/Dublin").unwrap(),
        span: span("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"),
        zones: jiff::tz::db(),
    };
    let read = import_calendar(text, &import).unwrap();
    let leave = read.events[0].absence(Concerned::People(vec!["ann".into()]), AbsenceKind::Leave);
    let week = Assignment::new("ann", span("2026-05-04T08:00:00Z", "2026-05-11T08:00:00Z"));
    let found = clashes(&[week], &[leave]);
    assert_eq!(
        (found[0].span.start(), found[0].label.as_str()),
        (at("2026-05-04T08:00:00Z"), "Leave")
    );
    assert_eq!(found[0].span.end(), at("2026-05-04T23:00:00Z"));
}
