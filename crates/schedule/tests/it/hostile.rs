//! Whatever comes in, there is a typed error or an answer, soon.

use std::time::{Duration, Instant};

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use schedule::calendar::{Import, Skipped, import_calendar};
use schedule::shifts::{
    AssignmentStrategy, CustomShift, Member, OverrideTarget, PlaceTime, ShiftEvent, ShiftOverride,
    ShiftRotation, ShiftSchedule,
};
use schedule::working_time::{
    Candidate, Duty, DutyKind, NightWorker, RulePack, StandBy, Worker, check, rest_owed_until, who_may_take,
};
use schedule::{
    Absence, AbsenceKind, Advance, Agreement, Assignment, Bearer, Concerned, Cover, Extent, History, Layer,
    LayerId, Override, QualityQuestion, Recurrence, Restriction, Roster, Schedule, Span, SunTeam, UserKey,
    apply_agreements, clashes, difference, double_bookings, follow_the_sun, gaps, quality,
};

use crate::arbitrary::cases;
use crate::build::{at, layer};

/// Long enough for a loaded machine without optimisation, and far too short for anything unbounded.
const SOON: Duration = Duration::from_secs(20);

fn soon<T>(work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = work();
    assert!(begin.elapsed() < SOON, "took {:?}", begin.elapsed());
    result
}

fn instant() -> impl Strategy<Value = Timestamp> {
    let any = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    prop_oneof![
        1 => Just(Timestamp::MIN),
        1 => Just(Timestamp::MAX),
        1 => Just(Timestamp::UNIX_EPOCH),
        4 => any.prop_map(|second| Timestamp::from_second(second).unwrap()),
        4 => (1_500_000_000..2_000_000_000i64).prop_map(|second| Timestamp::from_second(second).unwrap()),
        1 => (0..2_000_000_000i64, 0..1_000_000_000i32)
            .prop_map(|(second, nanosecond)| Timestamp::new(second, nanosecond).unwrap()),
    ]
}

fn span() -> impl Strategy<Value = Span> {
    let length = prop_oneof![1..100i64, 1..100_000i64, 1..100_000_000i64, 1..400_000_000_000i64];
    let near = (instant(), length).prop_filter_map("past the end of time", |(start, seconds)| {
        let end = start
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap_or(Timestamp::MAX);
        Span::new(start, end).ok()
    });
    let any = (instant(), instant()).prop_filter_map("empty", |(start, end)| Span::new(start, end).ok());
    prop_oneof![4 => near, 1 => any]
}

fn zone() -> impl Strategy<Value = String> {
    let names = [
        "UTC",
        "America/Chicago",
        "Pacific/Apia",
        "Africa/Monrovia",
        "Etc/GMT+12",
        "Europe/Dublin",
        "",
        "Mars",
    ];
    prop::sample::select(names.to_vec()).prop_map(str::to_owned)
}

fn known_zone() -> impl Strategy<Value = String> {
    zone().prop_filter("unknown", |zone| TimeZone::get(zone).is_ok())
}

fn user() -> impl Strategy<Value = UserKey> {
    prop_oneof!["[a-d]", "\\PC{0,3}"].prop_map(UserKey::from)
}

fn time() -> impl Strategy<Value = Time> {
    (0..24i8, 0..60i8, 0..60i8, 0..1_000_000_000i32)
        .prop_map(|(hour, minute, second, nanosecond)| jiff::civil::time(hour, minute, second, nanosecond))
}

fn duration() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(u32::MAX), 1..604_800u32, 1..100u32, Just(604_799)]
}

fn restriction() -> impl Strategy<Value = Restriction> {
    prop_oneof![
        (time(), duration()).prop_map(|(start_time_of_day, duration_seconds)| Restriction::Daily {
            start_time_of_day,
            duration_seconds
        }),
        (0..9u8, time(), duration()).prop_map(|(start_day_of_week, start_time_of_day, duration_seconds)| {
            Restriction::Weekly {
                start_day_of_week,
                start_time_of_day,
                duration_seconds,
            }
        }),
    ]
}

fn hostile_layer() -> impl Strategy<Value = Layer> {
    let turn = prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX),
        1..100_000u64,
        any::<u64>(),
        Just(60),
        Just(3_162_240_000)
    ];
    let advance = prop::sample::select(vec![Advance::CalendarTurns, Advance::WorkedTurns]);
    let text = "[a-c]";
    (
        text,
        instant(),
        prop::option::of(instant()),
        instant(),
        turn,
        vec(user(), 0..4),
        vec(restriction(), 0..4),
        advance,
        prop::option::of(zone()),
    )
        .prop_map(
            |(
                id,
                start,
                end,
                rotation_virtual_start,
                rotation_turn_length_seconds,
                users,
                restrictions,
                advance,
                time_zone,
            )| Layer {
                id: LayerId::from(id),
                name: String::new(),
                start,
                end,
                rotation_virtual_start,
                rotation_turn_length_seconds,
                users,
                restrictions,
                advance,
                time_zone,
            },
        )
}

fn hostile_schedule() -> impl Strategy<Value = Schedule> {
    let replacement = ("[a-c]", instant(), instant(), user()).prop_map(|(id, start, end, user)| Override {
        id: id.as_str().into(),
        start,
        end,
        user,
    });
    (zone(), vec(hostile_layer(), 0..3), vec(replacement, 0..3)).prop_map(|(time_zone, layers, overrides)| {
        Schedule {
            time_zone,
            layers,
            overrides,
        }
    })
}

/// A schedule as near to the hostile one as is valid.
fn repaired(mut schedule: Schedule) -> Schedule {
    schedule.time_zone = "Pacific/Apia".into();
    for (index, layer) in schedule.layers.iter_mut().enumerate() {
        layer.id = LayerId::new(format!("{index}"));
        layer.time_zone = layer.time_zone.take().filter(|zone| TimeZone::get(zone).is_ok());
        layer.rotation_turn_length_seconds = layer.rotation_turn_length_seconds.clamp(1, 3_162_240_000);
        if layer.advance == Advance::WorkedTurns {
            layer.rotation_turn_length_seconds = (layer.rotation_turn_length_seconds / 60 * 60).max(60);
        }
        if layer.users.is_empty() {
            layer.users = vec!["a".into(), "b".into()];
        }
        for restriction in &mut layer.restrictions {
            let (Restriction::Daily { duration_seconds, .. } | Restriction::Weekly { duration_seconds, .. }) =
                restriction;
            *duration_seconds = (*duration_seconds).clamp(1, 604_799);
            if let Restriction::Weekly {
                start_day_of_week, ..
            } = restriction
            {
                *start_day_of_week = (*start_day_of_week).clamp(1, 7);
            }
        }
    }
    for (index, replacement) in schedule.overrides.iter_mut().enumerate() {
        replacement.id = format!("{index}").into();
    }
    schedule
        .overrides
        .retain(|replacement| Span::new(replacement.start, replacement.end).is_ok());
    schedule
}

fn date_time() -> impl Strategy<Value = DateTime> {
    let near = (2020..2030i16, 1..13i8, 1..29i8, time())
        .prop_map(|(year, month, day, time)| jiff::civil::date(year, month, day).to_datetime(time));
    prop_oneof![1 => Just(DateTime::MIN), 1 => Just(DateTime::MAX), 6 => near]
}

fn hostile_event() -> impl Strategy<Value = ShiftEvent> {
    let place =
        || (date_time(), zone()).prop_map(|(date_time, time_zone)| PlaceTime { date_time, time_zone });
    let rules = [
        "FREQ=HOURLY",
        "FREQ=HOURLY;INTERVAL=7;BYDAY=MO",
        "FREQ=DAILY;COUNT=4000000000",
        "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4000000000",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;COUNT=3",
        "FREQ=WEEKLY;INTERVAL=100000;BYDAY=MO,TU;UNTIL=99991231T235959Z",
    ];
    let recurrence = (
        prop::sample::select(rules.to_vec()),
        vec("(EXDATE|RDATE):(0001|2026|9999)(01|12)(01|31)(T000000Z?)?", 0..3),
    )
        .prop_map(|(rule, dates)| {
            let lines: Vec<&str> = std::iter::once(rule)
                .chain(dates.iter().map(String::as_str))
                .collect();
            Recurrence::parse(lines).unwrap()
        });
    let member = || prop_oneof![Just(Member::Empty), user().prop_map(Member::user)];
    let strategy = prop_oneof![
        (prop_oneof![0..3u32, Just(u32::MAX)], vec(member(), 0..3)).prop_map(
            |(shifts_per_member, members)| AssignmentStrategy::Rotating {
                shifts_per_member,
                members
            }
        ),
        vec(member(), 0..3).prop_map(|members| AssignmentStrategy::Everyone { members }),
    ];
    (
        place(),
        place(),
        instant(),
        prop::option::of(instant()),
        recurrence,
        strategy,
        any::<bool>(),
    )
        .prop_map(
            |(
                start_time,
                mut end_time,
                effective_since,
                effective_until,
                recurrence,
                assignment_strategy,
                sensible,
            )| {
                if sensible {
                    end_time.date_time = start_time
                        .date_time
                        .checked_add(SignedDuration::from_hours(30))
                        .unwrap_or(DateTime::MAX);
                    end_time.time_zone.clone_from(&start_time.time_zone);
                }
                ShiftEvent {
                    id: "e".into(),
                    name: String::new(),
                    start_time,
                    end_time,
                    effective_since,
                    effective_until,
                    recurrence,
                    assignment_strategy,
                    advance: Advance::WorkedTurns,
                }
            },
        )
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn any_schedule_is_refused_or_answers(schedule in hostile_schedule(), span in span(), at in instant()) {
        for schedule in [schedule.clone(), repaired(schedule)] {
            let Ok(plan) = soon(|| schedule.validate()) else { continue };
            soon(|| plan.on_call_at(at));
            let rendered = soon(|| plan.render(span));
            let overflowing = soon(|| plan.render_overflowing(span));
            if let (Ok(cut), Ok(whole)) = (&rendered, &overflowing) {
                prop_assert_eq!(cut.final_schedule.entries.len(), whole.final_schedule.entries.len());
            }
            for horizon in [SignedDuration::MAX, SignedDuration::MIN, SignedDuration::from_hours(24)] {
                let shift = soon(|| plan.shift_at(at, horizon));
                if let Ok(shift) = shift {
                    prop_assert_eq!(shift.map(|shift| shift.user), plan.on_call_at(at).map(|on_call| on_call.user));
                }
                soon(|| plan.next_shift_of(&"a".into(), at, horizon)).ok();
            }
            for layer in &schedule.layers {
                let changed = soon(|| schedule.with_members(&layer.id, vec!["a".into(), "new".into()], at));
                prop_assert!(changed.is_ok());
            }
            let mut history = History::new(at, schedule.clone());
            history.change(at, Timestamp::MAX, schedule.clone()).unwrap();
            let versioned = history.validate().unwrap();
            soon(|| versioned.assignments(span)).ok();
            soon(|| versioned.render_overflowing(span)).ok();
            let year = SignedDuration::from_hours(8_760);
            soon(|| versioned.shifts_at(at, year)).ok();
            soon(|| versioned.next_shift_of(&"a".into(), at, year)).ok();
        }
    }

    #[test]
    fn any_shift_schedule_is_refused_or_answers(
        events in vec(hostile_event(), 0..3),
        span in span(),
        times in vec((instant(), instant()), 0..3),
        at in instant(),
    ) {
        let custom_shifts = times.iter().map(|(start, end)| CustomShift {
            id: "c".into(),
            start_time: *start,
            end_time: *end,
            member: Member::user("a"),
        });
        let overrides = times.iter().map(|(start, end)| ShiftOverride {
            id: "o".into(),
            target: OverrideTarget::Rotation("r".into()),
            start_time: *start,
            end_time: *end,
            overridden_member: Member::user("a"),
            overriding_member: Member::Empty,
        });
        let schedule = ShiftSchedule {
            time_zone: "UTC".into(),
            custom_shifts: custom_shifts.take(1).collect(),
            overrides: overrides.take(1).collect(),
            rotations: vec![ShiftRotation { id: "r".into(), events }],
        };
        if let Ok(plan) = soon(|| schedule.validate()) {
            soon(|| plan.render(span)).ok();
            soon(|| plan.render_overflowing(span)).ok();
            soon(|| plan.on_call_at(at)).ok();
        }
    }

    #[test]
    fn any_lists_of_spans_are_looked_through(
        spans in vec((user(), span()), 0..20),
        others in vec((user(), span()), 0..20),
        whole in span(),
        zone in known_zone(),
    ) {
        let assignments: Vec<Assignment> = spans.into_iter().map(|(user, span)| Assignment::new(user, span)).collect();
        let others: Vec<Assignment> = others.into_iter().map(|(user, span)| Assignment::new(user, span)).collect();
        gaps(&assignments, whole);
        double_bookings(&[assignments.clone(), others.clone()]);
        let found = difference(&assignments, &others, whole);
        prop_assert_eq!(found.is_empty(), found.people.is_empty());
        let covers: Vec<Cover> = others.iter().map(|other| Cover {
            giver: other.user.clone(),
            taker: "a".into(),
            agreed: other.span,
            extent: Extent::WholeShift,
        }).collect();
        apply_agreements(&assignments, &[Agreement { id: "x".into(), covers }]);
        let holidays: Vec<Absence> = others.iter().map(|other| Absence {
            who: Concerned::Everybody,
            kind: AbsenceKind::Holiday,
            span: other.span,
            label: String::new(),
        }).collect();
        clashes(&assignments, &holidays);
        let bearer = |user: &UserKey| Bearer { user: user.clone(), time_zone: zone.clone(), share: 1_000.0 };
        let question = QualityQuestion {
            span: whole,
            people: assignments.iter().map(|assignment| bearer(&assignment.user)).collect(),
            night_begins: jiff::civil::time(22, 0, 0, 0),
            night_ends: jiff::civil::time(22, 0, 0, 1),
            weekend: vec![7, 7, 1],
            holidays,
        };
        let judged = soon(|| quality(&assignments, &question, jiff::tz::db()));
        prop_assert_eq!(judged.is_ok(), whole.duration().as_hours() / 24 < 36_600);
    }

    #[test]
    fn any_duties_are_judged(
        spans in vec((span(), 0..3usize), 0..10),
        known in span(),
        zone in zone(),
        shift in span(),
        at in instant(),
    ) {
        let kinds = [DutyKind::Work, DutyKind::StandBy, DutyKind::Intervention];
        let duties: Vec<Duty> = spans.iter().map(|(span, kind)| Duty { span: *span, kind: kinds[*kind] }).collect();
        let leave: Vec<Span> = spans.iter().map(|(span, _)| *span).take(1).collect();
        for night_worker in [NightWorker::Usual, NightWorker::Hazardous] {
            let worker = Worker {
                user: "a".into(),
                time_zone: zone.clone(),
                opted_out: leave.clone(),
                night_worker,
                leave: leave.clone(),
            };
            let pack = RulePack::european_union(StandBy::Wholly);
            soon(|| check(&pack, &worker, &duties, known, jiff::tz::db())).ok();
            let candidate = Candidate { worker, duties: duties.clone() };
            let shift = Duty { span: shift, kind: DutyKind::Work };
            soon(|| who_may_take(&pack, &[candidate], shift, known, jiff::tz::db())).ok();
            rest_owed_until(&pack, &duties, at);
        }
    }

    #[test]
    fn teams_anywhere_at_any_time_follow_the_sun_or_are_refused(
        teams in vec((zone(), time(), vec(user(), 0..2)), 0..4),
        start in instant(),
        turn_days in prop_oneof![0..8u32, Just(u32::MAX)],
    ) {
        let teams: Vec<SunTeam> = teams.into_iter().enumerate().map(|(index, (time_zone, day_begins, users))| SunTeam {
            name: index.to_string(),
            time_zone,
            day_begins,
            users,
        }).collect();
        if let Ok(schedule) = soon(|| follow_the_sun(&teams, start, turn_days, jiff::tz::db())) {
            prop_assert!(schedule.validate().unwrap().on_call_at(start).is_some());
        }
    }

    #[test]
    fn any_text_is_read_as_a_schedule_or_refused(text in "\\PC{0,80}", bytes in vec(any::<u8>(), 0..80)) {
        serde_json::from_str::<Schedule>(&text).ok();
        serde_json::from_slice::<ShiftSchedule>(&bytes).ok();
        serde_json::from_slice::<Span>(&bytes).ok();
    }
}

#[test]
fn a_thousand_years_are_answered_or_refused() {
    let years = Span::new(at("1500-01-01T00:00:00Z"), at("2500-01-01T00:00:00Z")).unwrap();
    let answer = |turn: u64| {
        let layers = vec![layer("L", "1500-01-01T00:00:00Z", turn, &["a", "b"])];
        let schedule = Schedule {
            time_zone: "America/Chicago".into(),
            layers,
            overrides: vec![],
        };
        let plan = schedule.validate().unwrap();
        soon(|| plan.render(years)).map(|rendered| rendered.final_schedule.entries.len())
    };
    assert_eq!(answer(86_400), Ok(365_243));
    assert!(answer(1).unwrap_err().estimated > 31_000_000_000);
    assert!(answer(3_600).is_err());
}

#[test]
fn a_whole_life_of_overrides_is_flattened_in_good_time() {
    let replacement = |index: i64| Override {
        id: format!("{index}").into(),
        start: at("2026-01-01T00:00:00Z") + SignedDuration::from_secs(index),
        end: at("2026-06-01T00:00:00Z") + SignedDuration::from_secs(index),
        user: format!("{index}").into(),
    };
    let schedule = Schedule {
        time_zone: "UTC".into(),
        layers: vec![],
        overrides: (0..20_000).map(replacement).collect(),
    };
    let year = Span::new(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")).unwrap();
    let rendered = soon(|| schedule.validate().unwrap().render(year)).unwrap();
    assert_eq!(rendered.final_schedule.entries.len(), 20_000);
}

#[test]
fn many_recurrences_that_never_come_true_are_refused_together() {
    let place = PlaceTime {
        date_time: "2026-01-01T00:00:00".parse().unwrap(),
        time_zone: "UTC".into(),
    };
    let event = |index: usize| ShiftEvent {
        id: format!("{index}").into(),
        name: String::new(),
        end_time: PlaceTime {
            date_time: "2026-01-02T00:00:00".parse().unwrap(),
            ..place.clone()
        },
        start_time: place.clone(),
        effective_since: Timestamp::MIN,
        effective_until: None,
        recurrence: Recurrence::parse(["FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2"]).unwrap(),
        assignment_strategy: AssignmentStrategy::Everyone {
            members: vec![Member::Empty],
        },
        advance: Advance::WorkedTurns,
    };
    let rotation = |index: usize| ShiftRotation {
        id: format!("{index}").into(),
        events: (0..200).map(event).collect(),
    };
    let schedule = ShiftSchedule {
        time_zone: "UTC".into(),
        rotations: (0..100).map(rotation).collect(),
        custom_shifts: vec![],
        overrides: vec![],
    };
    assert_eq!(soon(|| schedule.validate()).unwrap_err().len(), 20_000);
}

#[test]
fn the_largest_rotations_by_worked_turns_are_counted_in_good_time() {
    let window = |minute: i8| Restriction::Daily {
        start_time_of_day: jiff::civil::time(minute / 60, minute % 60, 0, 0),
        duration_seconds: 1,
    };
    let layers = (0..200).map(|index| Layer {
        advance: Advance::WorkedTurns,
        restrictions: (0..100).map(window).collect(),
        ..layer(&index.to_string(), "2026-01-01T00:00:00Z", 60, &["a", "b"])
    });
    let schedule = Schedule {
        time_zone: "UTC".into(),
        layers: layers.collect(),
        overrides: vec![],
    };
    assert!(
        soon(|| schedule.validate())
            .unwrap()
            .on_call_at(at("2030-01-01T00:00:00Z"))
            .is_some()
    );
}

#[test]
fn many_changes_of_many_events_with_one_name_are_given_up_soon() {
    let repeated =
        "BEGIN:VEVENT\nUID:1\nDTSTART:20260601T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEND:VEVENT\n";
    let change = "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260603T090000Z\nDTSTART:20260603T100000Z\n\
                  DURATION:PT1H\nEND:VEVENT\n";
    let text = format!(
        "BEGIN:VCALENDAR\n{}{}END:VCALENDAR\n",
        repeated.repeat(5_000),
        change.repeat(5_000)
    );
    let import = Import {
        zone: TimeZone::UTC,
        span: Span::new(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")).unwrap(),
        zones: jiff::tz::db(),
    };
    let found = soon(|| import_calendar(&text, &import).unwrap());
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.skipped == Skipped::TooManyOccurrences)
    );
}
