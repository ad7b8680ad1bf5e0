//! How long the common questions take: `cargo bench -p schedule`.
//!
//! Each question is asked in batches until a second has gone by; the table shows the fastest, the median and the
//! slowest batch, per question. The big schedule has 20 people in 10 layers, each with two restrictions, daily and
//! weekly turns mixed, and 50 overrides, in a zone whose clocks change.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark speaks to a terminal and may stop at once"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use schedule::shifts::{AssignmentStrategy, Member, PlaceTime, ShiftEvent, ShiftRotation, ShiftSchedule};
use schedule::working_time::{Duty, RulePack, StandBy, Worker, check, stand_by};
use schedule::{
    Advance, Assignment, Bearer, Layer, LayerId, Override, OverrideId, Plan, QualityQuestion, Recurrence,
    Restriction, Roster, Schedule, Span, UserKey, difference, quality,
};

fn main() {
    let schedule = big_schedule();
    let plan = schedule.validate().unwrap();
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let after = |days: i64| start + SignedDuration::from_hours(24 * days);
    let year = Span::new(start, after(365)).unwrap();
    let fortnight = Span::new(start, after(14)).unwrap();
    println!(
        "{:<48} {:>12} {:>12} {:>12}",
        "question", "fastest", "median", "slowest"
    );
    measure("a year, layers and final, from a plan", || {
        plan.render(year).unwrap()
    });
    measure("a year, from the schedule as written", || {
        schedule.validate().unwrap().render(year).unwrap()
    });
    measure("two weeks, from a plan", || plan.render(fortnight).unwrap());
    let mut hour = 0;
    measure("who is on call at an instant, from a plan", || {
        hour = (hour + 7) % 8760;
        plan.on_call_at(start + SignedDuration::from_hours(hour))
    });
    measure("who is on call, from the schedule as written", || {
        hour = (hour + 7) % 8760;
        schedule
            .validate()
            .unwrap()
            .on_call_at(start + SignedDuration::from_hours(hour))
    });
    measure("whole shift around an instant, from a plan", || {
        hour = (hour + 7) % 8760;
        plan.shift_at(
            start + SignedDuration::from_hours(hour),
            SignedDuration::from_hours(24 * 90),
        )
        .unwrap()
    });
    let shifts = three_shifts_a_day().validate().unwrap();
    measure("a year of three recurring shifts a day", || {
        shifts.render(year).unwrap()
    });
    measure("who has a shift, six years into the recurrence", || {
        hour = (hour + 7) % 8760;
        shifts
            .on_call_at(after(6 * 365) + SignedDuration::from_hours(hour))
            .unwrap()
    });
    measure_judgements(&plan, year);
    let entries = plan.render(year).unwrap();
    let layers: usize = entries
        .layers
        .iter()
        .map(|layer| layer.schedule.entries.len())
        .sum();
    println!(
        "(the year has {layers} entries in layers and {} in the end)",
        entries.final_schedule.entries.len()
    );
}

fn measure_judgements(plan: &Plan, year: Span) {
    let assignments = plan.assignments(year).unwrap();
    let bearer = |user: &UserKey| Bearer {
        user: user.clone(),
        time_zone: "America/Chicago".to_owned(),
        share: 1.0,
    };
    let question = QualityQuestion {
        span: year,
        people: plan.people().iter().map(bearer).collect(),
        night_begins: jiff::civil::time(22, 0, 0, 0),
        night_ends: jiff::civil::time(6, 0, 0, 0),
        weekend: vec![6, 7],
        holidays: Vec::new(),
    };
    measure("fairness of the year for 20 people", || {
        quality(&assignments, &question, jiff::tz::db()).unwrap()
    });
    let changed = year.start() + SignedDuration::from_hours(24 * 100);
    let moved: Vec<Assignment> = assignments
        .iter()
        .filter(|one| one.span.start() < changed)
        .cloned()
        .collect();
    measure("difference of two versions of the year", || {
        difference(&assignments, &moved, year)
    });
    let worker: Worker =
        serde_json::from_str(r#"{"user": "PUSER01", "time_zone": "America/Chicago"}"#).unwrap();
    let duties: Vec<Duty> = stand_by(&assignments, &worker.user).collect();
    let pack = RulePack::european_union(StandBy::Wholly);
    measure("working-time rules, a person's year", || {
        check(&pack, &worker, &duties, year, jiff::tz::db()).unwrap()
    });
}

fn three_shifts_a_day() -> ShiftSchedule {
    let event = |id: &str, hour: i8| ShiftEvent {
        id: id.into(),
        name: String::new(),
        start_time: place_time(5, hour),
        end_time: place_time(if hour == 22 { 6 } else { 5 }, (hour + 8) % 24),
        effective_since: "2026-01-01T00:00:00Z".parse().unwrap(),
        effective_until: None,
        recurrence: Recurrence::parse(["RRULE:FREQ=DAILY"]).unwrap(),
        assignment_strategy: AssignmentStrategy::Rotating {
            shifts_per_member: 2,
            members: (0..6)
                .map(|index| Member::user(format!("PUSER{index}")))
                .collect(),
        },
        advance: Advance::WorkedTurns,
    };
    let events = vec![event("early", 6), event("late", 14), event("night", 22)];
    ShiftSchedule {
        time_zone: "Europe/Dublin".to_owned(),
        rotations: vec![ShiftRotation {
            id: "PROTATION".into(),
            events,
        }],
        custom_shifts: Vec::new(),
        overrides: Vec::new(),
    }
}

fn place_time(day: i8, hour: i8) -> PlaceTime {
    PlaceTime {
        date_time: jiff::civil::date(2026, 1, day).at(hour, 0, 0, 0),
        time_zone: "Europe/Dublin".to_owned(),
    }
}

fn measure<T>(name: &str, mut question: impl FnMut() -> T) {
    let begin = Instant::now();
    let mut calls: u32 = 0;
    while begin.elapsed() < Duration::from_millis(100) {
        black_box(question());
        calls += 1;
    }
    let batch = (calls / 50).max(1);
    let mut times = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(1) || times.len() < 10 {
        let batch_begin = Instant::now();
        for _ in 0..batch {
            black_box(question());
        }
        times.push(batch_begin.elapsed() / batch);
    }
    times.sort_unstable();
    let [fastest, median, slowest] = [times[0], times[times.len() / 2], times[times.len() - 1]].map(shown);
    println!("{name:<48} {fastest:>12} {median:>12} {slowest:>12}");
}

fn shown(time: Duration) -> String {
    format!("{:.2} µs", time.as_secs_f64() * 1e6)
}

fn big_schedule() -> Schedule {
    let start: Timestamp = "2024-01-01T15:00:00Z".parse().unwrap();
    let user = |index: u64| UserKey::from(format!("PUSER{:02}", index % 20));
    let layers = (0..10u64).map(|index| Layer {
        id: LayerId::new(format!("PLAYER{index}")),
        name: format!("Layer {index}"),
        start,
        end: None,
        rotation_virtual_start: start,
        rotation_turn_length_seconds: if index % 2 == 0 { 86_400 } else { 604_800 },
        users: (0..20).map(|offset| user(index + offset)).collect(),
        restrictions: vec![
            Restriction::Daily {
                start_time_of_day: jiff::civil::time((index * 2) as i8, 0, 0, 0),
                duration_seconds: 4 * 3600,
            },
            Restriction::Weekly {
                start_day_of_week: (index % 7 + 1) as u8,
                start_time_of_day: jiff::civil::time(9, 0, 0, 0),
                duration_seconds: 12 * 3600,
            },
        ],
        advance: if index == 3 {
            Advance::WorkedTurns
        } else {
            Advance::CalendarTurns
        },
        time_zone: None,
    });
    let overrides = (0..50i32).map(|index| Override {
        id: OverrideId::new(format!("POVERRIDE{index}")),
        start: start + SignedDuration::from_hours(24 * 14) * index,
        end: start + SignedDuration::from_hours(24 * 14) * index + SignedDuration::from_hours(30),
        user: user(index.unsigned_abs().into()),
    });
    Schedule {
        time_zone: "America/Chicago".to_owned(),
        overrides: overrides.collect(),
        layers: layers.collect(),
    }
}
