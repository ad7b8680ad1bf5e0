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
use schedule::{Advance, Layer, LayerId, Override, OverrideId, Restriction, Schedule, Span, UserKey};

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
