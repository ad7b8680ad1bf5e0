//! What a question may cost, counted.

use jiff::{SignedDuration, Timestamp};

use super::of;
use crate::calendar::{Import, import_calendar};
use crate::shifts::{
    AssignmentStrategy, Member, PlaceTime, ShiftEvent, ShiftPlan, ShiftRotation, ShiftSchedule,
};
use crate::working_time::{RulePack, StandBy, Worker, check, stand_by};
use crate::{
    Absence, AbsenceKind, Advance, Bearer, Concerned, Layer, Override, Plan, QualityQuestion, Recurrence,
    Restriction, Roster, Schedule, Span, UserKey, difference, quality,
};

fn start() -> Timestamp {
    "2026-01-05T00:00:00Z".parse().unwrap()
}

fn after(days: i64) -> Timestamp {
    start() + SignedDuration::from_hours(24 * days)
}

fn days(count: i64) -> Span {
    Span::new(start(), after(count)).unwrap()
}

/// Twenty people; daily and weekly turns, two restrictions each, half of the layers by worked turns.
fn schedule(layers: usize, overrides: usize) -> Schedule {
    let layer = |number: usize| Layer {
        id: format!("L{number}").into(),
        name: String::new(),
        start: start(),
        end: None,
        rotation_virtual_start: start(),
        rotation_turn_length_seconds: if number.is_multiple_of(2) { 86_400 } else { 604_800 },
        users: (0..20).map(|user| UserKey::from(format!("P{user}"))).collect(),
        restrictions: vec![
            Restriction::Daily {
                start_time_of_day: jiff::civil::time(number as i8 % 20, 0, 0, 0),
                duration_seconds: 4 * 3600,
            },
            Restriction::Weekly {
                start_day_of_week: 6,
                start_time_of_day: jiff::civil::time(0, 0, 0, 0),
                duration_seconds: 86_400,
            },
        ],
        advance: if number.is_multiple_of(4) {
            Advance::WorkedTurns
        } else {
            Advance::CalendarTurns
        },
        time_zone: None,
    };
    let replacement = |number: usize| Override {
        id: format!("O{number}").into(),
        start: start() + SignedDuration::from_hours(number as i64),
        end: start() + SignedDuration::from_hours(number as i64 + 30),
        user: format!("P{}", number % 20).into(),
    };
    Schedule {
        time_zone: "America/Chicago".to_owned(),
        layers: (0..layers).map(layer).collect(),
        overrides: (0..overrides).map(replacement).collect(),
    }
}

fn plan(layers: usize, overrides: usize) -> Plan {
    schedule(layers, overrides).validate().unwrap()
}

fn recurring(rule: &str) -> ShiftPlan {
    let place = |text: &str| PlaceTime {
        date_time: text.parse().unwrap(),
        time_zone: "Europe/Dublin".to_owned(),
    };
    let event = ShiftEvent {
        id: "E".into(),
        name: String::new(),
        start_time: place("2026-01-05T08:00:00"),
        end_time: place("2026-01-05T16:00:00"),
        effective_since: start(),
        effective_until: None,
        recurrence: Recurrence::parse([rule]).unwrap(),
        assignment_strategy: AssignmentStrategy::Rotating {
            shifts_per_member: 1,
            members: (0..20).map(|user| Member::user(format!("P{user}"))).collect(),
        },
        advance: Advance::WorkedTurns,
    };
    ShiftSchedule {
        time_zone: "Europe/Dublin".to_owned(),
        rotations: vec![ShiftRotation {
            id: "R".into(),
            events: vec![event],
        }],
        custom_shifts: Vec::new(),
        overrides: Vec::new(),
    }
    .validate()
    .unwrap()
}

/// Twice as much of something takes at most a little more than twice the work, and more than none.
fn grows_no_faster(what: &str, once: u64, twice: u64) {
    assert!(once > 0, "{what} is not counted");
    assert!(twice <= 2 * once + once / 10 + 50, "{what}: {once}, then {twice}");
}

#[test]
fn twice_the_span_or_the_layers_or_the_overrides_take_about_twice_the_work() {
    let ten = plan(10, 50);
    let year = of(|| ten.render(days(365)).unwrap()).0;
    grows_no_faster("span", year, of(|| ten.render(days(730)).unwrap()).0);
    let twenty = plan(20, 50);
    // They are laid over each other by halves, so twice as many are halved once more.
    let twice = of(|| twenty.render(days(365)).unwrap()).0;
    assert!(2 * twice < 5 * year, "layers: {year}, then {twice}");
    let (some, more) = (plan(1, 4_000), plan(1, 8_000));
    let once = of(|| some.render(days(365)).unwrap()).0;
    grows_no_faster("overrides", once, of(|| more.render(days(365)).unwrap()).0);
}

#[test]
fn a_year_takes_a_few_looks_for_each_entry_that_it_gives() {
    let (work, rendered) = of(|| plan(10, 50).render(days(365)).unwrap());
    let entries: usize = rendered
        .layers
        .iter()
        .map(|layer| layer.schedule.entries.len())
        .sum();
    assert!(work < 15 * entries as u64, "{work} for {entries} entries");
}

#[test]
fn an_instant_takes_the_same_work_in_any_century() {
    let plan = plan(10, 0);
    let at = |at: Timestamp| of(|| plan.on_call_at(at)).0;
    let most = (0..200)
        .map(|hour| at(start() + SignedDuration::from_hours(hour)))
        .max();
    for years in [10, 100, 1_000, 7_000] {
        let week = after(years * 365);
        let hours = (0..200).map(|hour| at(week + SignedDuration::from_hours(hour)));
        assert!(hours.max() <= most.map(|most| most + 10), "{years} years on");
    }
    assert!(most.unwrap() < 40);
}

#[test]
fn a_recurring_shift_is_found_without_counting_those_before_it() {
    for rule in ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,WE,FR"] {
        let plan = recurring(rule);
        let year = of(|| plan.on_call_at(after(365)).unwrap()).0;
        let century = of(|| plan.on_call_at(after(36_500)).unwrap()).0;
        assert!(year > 0 && century <= year + 20, "{rule}: {year}, then {century}");
    }
}

#[test]
fn judging_a_plan_grows_with_the_plan_and_no_faster() {
    let plan = plan(10, 50);
    let pack = RulePack::european_union(StandBy::Wholly);
    let worker: Worker = serde_json::from_str(r#"{"user": "P1", "time_zone": "America/Chicago"}"#).unwrap();
    let judged = |span: Span| {
        let (assigned, assignments) = of(|| plan.assignments(span).unwrap());
        let other = plan.assignments(Span::new(start(), after(100)).unwrap()).unwrap();
        let bearer = |user: &UserKey| Bearer {
            user: user.clone(),
            time_zone: "America/Chicago".to_owned(),
            share: 1.0,
        };
        let holiday = |week: i64| Absence {
            who: Concerned::Everybody,
            kind: AbsenceKind::Holiday,
            span: Span::new(after(7 * week), after(7 * week + 1)).unwrap(),
            label: String::new(),
        };
        let weeks = span.duration().as_hours() / 24 / 7;
        let question = QualityQuestion {
            span,
            people: plan.people().iter().map(bearer).collect(),
            night_begins: jiff::civil::time(22, 0, 0, 0),
            night_ends: jiff::civil::time(6, 0, 0, 0),
            weekend: vec![6, 7],
            holidays: (0..weeks).map(holiday).collect(),
        };
        let duties: Vec<_> = stand_by(&assignments, &worker.user).collect();
        [
            assigned,
            of(|| quality(&assignments, &question, jiff::tz::db()).unwrap()).0,
            of(|| difference(&assignments, &other, span)).0,
            of(|| check(&pack, &worker, &duties, span, jiff::tz::db()).unwrap()).0,
        ]
    };
    let names = ["assignments", "quality", "difference", "working time"];
    for ((name, once), twice) in names
        .into_iter()
        .zip(judged(days(1_820)))
        .zip(judged(days(3_640)))
    {
        grows_no_faster(name, once, twice);
    }
}

#[test]
fn a_calendar_twice_as_long_takes_at_most_twice_the_work() {
    let text = |events: usize| {
        let event = |number: usize| {
            format!(
                "BEGIN:VEVENT\nUID:{number}\nDTSTART:20260105T080000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\nEND:VEVENT\n"
            )
        };
        let events: String = (0..events).map(event).collect();
        format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n")
    };
    let import = Import {
        zone: jiff::tz::TimeZone::UTC,
        span: days(365),
        zones: jiff::tz::db(),
    };
    let work = |events: usize| of(|| import_calendar(&text(events), &import).unwrap()).0;
    grows_no_faster("events", work(200), work(400));
}
