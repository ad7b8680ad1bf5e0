//! Random schedules, set around the moments at which clocks change.

use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use schedule::{Advance, Layer, LayerId, Override, OverrideId, Restriction, Schedule, UserKey};

use crate::build::at;

/// Zones and moments worth a look: changes of an hour, of half an hour, of two, at midnight, downwards in summer,
/// during Ramadan, of a whole day, of a zone's standard time, and none at all.
pub(crate) const MOMENTS: &[(&str, &str)] = &[
    ("America/Chicago", "2026-03-08T08:00:00Z"),
    ("America/Chicago", "2026-11-01T07:00:00Z"),
    ("America/Chicago", "1974-01-06T08:00:00Z"),
    ("America/Chicago", "2026-12-31T18:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Australia/Lord_Howe", "1985-10-26T14:00:00Z"),
    ("Europe/Dublin", "2026-03-29T01:00:00Z"),
    ("Europe/Dublin", "2026-10-25T01:00:00Z"),
    ("Europe/Dublin", "1971-10-31T02:00:00Z"),
    ("Asia/Kathmandu", "1985-12-31T18:30:00Z"),
    ("Asia/Kathmandu", "2026-07-01T00:00:00Z"),
    ("America/Sao_Paulo", "2017-10-15T03:00:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
    ("America/Sao_Paulo", "1985-11-02T03:00:00Z"),
    ("Africa/Casablanca", "2026-02-15T02:00:00Z"),
    ("Africa/Casablanca", "2026-03-22T02:00:00Z"),
    ("Africa/Casablanca", "2018-10-28T01:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Pacific/Kwajalein", "1969-09-30T13:00:00Z"),
    ("Antarctica/Troll", "2026-03-29T01:00:00Z"),
    ("Antarctica/Troll", "2026-10-25T01:00:00Z"),
    ("UTC", "2026-06-01T00:00:00Z"),
];

/// Minutes before and after a moment that a test looks at.
pub(crate) const HALF_WINDOW_MINUTES: i64 = 30 * 60;

/// A moment (index into [`MOMENTS`]) and a schedule around it.
pub(crate) fn case() -> impl Strategy<Value = (usize, Schedule)> {
    (0..MOMENTS.len()).prop_flat_map(|index| (Just(index), schedule_around(index)))
}

fn schedule_around(index: usize) -> impl Strategy<Value = Schedule> {
    let (zone, moment) = MOMENTS[index];
    (vec(layer(at(moment)), 0..4), vec(replacement(at(moment)), 0..4)).prop_map(
        move |(mut layers, mut overrides)| {
            for (number, layer) in layers.iter_mut().enumerate() {
                layer.id = LayerId::new(format!("L{number}"));
            }
            for (number, replacement) in overrides.iter_mut().enumerate() {
                replacement.id = OverrideId::new(format!("O{number}"));
            }
            Schedule {
                time_zone: zone.to_owned(),
                layers,
                overrides,
            }
        },
    )
}

fn user() -> impl Strategy<Value = UserKey> {
    prop::sample::select(vec!["ann", "bob", "cat", "dan", "eve"]).prop_map(UserKey::from)
}

fn minutes_from(moment: Timestamp, minutes: i64) -> Timestamp {
    moment + SignedDuration::from_mins(minutes)
}

fn near(moment: Timestamp) -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        4 => (-120..120i64).prop_map(move |minutes| minutes_from(moment, minutes)),
        4 => (-HALF_WINDOW_MINUTES..HALF_WINDOW_MINUTES).prop_map(move |minutes| minutes_from(moment, minutes)),
        1 => (-120_000..120_000i64).prop_map(move |seconds| moment + SignedDuration::from_secs(seconds)),
    ]
}

fn origin(moment: Timestamp) -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        (-600_000..300_000i64).prop_map(move |minutes| minutes_from(moment, minutes)),
        (-800..100i64).prop_map(move |half_days| minutes_from(moment, half_days * 720)),
        near(moment),
    ]
}

fn turn() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => prop::sample::select(vec![1800, 3600, 5400, 7200, 28_800, 43_200, 86_400, 172_800, 604_800, 1_209_600]),
        2 => (1..3000u64).prop_map(|minutes| minutes * 60),
        1 => 61..400_000u64,
        1 => 604_801..90_000_000u64,
    ]
}

fn time_of_day() -> impl Strategy<Value = jiff::civil::Time> {
    prop_oneof![
        3 => (0..4i8, prop::sample::select(vec![0i8, 15, 30, 45])),
        3 => (0..24i8, Just(0i8)),
        2 => (0..24i8, 0..60i8),
    ]
    .prop_map(|(hour, minute)| jiff::civil::time(hour, minute, 0, 0))
}

fn duration() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => (1..25u32).prop_map(|hours| hours * 3600),
        2 => (1..300u32).prop_map(|minutes| minutes * 60),
        1 => (1..10_079u32).prop_map(|minutes| minutes * 60),
        1 => 1..604_800u32,
    ]
}

pub(crate) fn restriction() -> impl Strategy<Value = Restriction> {
    prop_oneof![
        (time_of_day(), duration()).prop_map(|(start_time_of_day, duration_seconds)| Restriction::Daily {
            start_time_of_day,
            duration_seconds
        }),
        (1..8u8, time_of_day(), duration()).prop_map(
            |(start_day_of_week, start_time_of_day, duration_seconds)| {
                Restriction::Weekly {
                    start_day_of_week,
                    start_time_of_day,
                    duration_seconds,
                }
            }
        ),
    ]
}

fn layer(moment: Timestamp) -> impl Strategy<Value = Layer> {
    let start = prop_oneof![3 => origin(moment), 1 => near(moment)];
    let end = prop_oneof![3 => Just(None), 1 => near(moment).prop_map(Some)];
    let own_zone = prop_oneof![
        6 => Just(None),
        1 => prop::sample::select(MOMENTS).prop_map(|(zone, _)| Some(zone.to_owned())),
    ];
    (
        start,
        end,
        origin(moment),
        turn(),
        vec(user(), 1..5),
        vec(restriction(), 0..4),
        own_zone,
    )
        .prop_map(
            |(
                start,
                end,
                rotation_virtual_start,
                rotation_turn_length_seconds,
                users,
                restrictions,
                time_zone,
            )| Layer {
                id: "L".into(),
                name: String::new(),
                start,
                end,
                rotation_virtual_start,
                rotation_turn_length_seconds,
                users,
                restrictions,
                advance: Advance::CalendarTurns,
                time_zone,
            },
        )
}

fn replacement(moment: Timestamp) -> impl Strategy<Value = Override> {
    (near(moment), 1..3000i64, user()).prop_map(|(start, minutes, user)| Override {
        id: "O".into(),
        start,
        end: minutes_from(start, minutes),
        user,
    })
}

/// How many cases a property runs: the given number, times `SCHEDULE_TEST_FACTOR` if that is set.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let factor = std::env::var("SCHEDULE_TEST_FACTOR")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    ProptestConfig {
        cases: usual.saturating_mul(factor),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
