//! Whole shift-based schedules against an evaluator that goes through time minute by minute.
//!
//! Several rotations with several events each, of which some have taken effect and some have ended, some end on the clock
//! of another place; strategies, dates taken out and added, custom shifts, and overrides of overrides. The evaluator lists
//! occurrences by walking from day to day, and asks of each minute who is on call by comparing local times.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::collection::vec;
use proptest::prelude::*;
use schedule::shifts::{
    AssignmentStrategy, CustomShift, Member, OverrideTarget, PlaceTime, ShiftEvent, ShiftOverride,
    ShiftRotation, ShiftSchedule,
};
use schedule::{Advance, Recurrence, Rule, Span};

use crate::arbitrary::{HALF_WINDOW_MINUTES, MOMENTS, cases};
use crate::build::at;
use crate::oracle::Watch;
use crate::shifts::{name, occurrences_by_walking, rule};

/// An event as drawn, with what the evaluator needs to know beside what is written.
#[derive(Debug, Clone)]
struct Drawn {
    event: ShiftEvent,
    /// Local times at which shifts begin, those taken out included, in order.
    planned: Vec<DateTime>,
    taken_out: Vec<DateTime>,
}

fn member() -> impl Strategy<Value = Member> {
    prop_oneof![
        6 => prop::sample::select(vec!["ann", "bob", "cat", "dan"]).prop_map(Member::user),
        1 => Just(Member::Empty),
    ]
}

fn strategy() -> impl Strategy<Value = AssignmentStrategy> {
    prop_oneof![
        3 => (1..4u32, vec(member(), 1..5)).prop_map(|(shifts_per_member, members)| AssignmentStrategy::Rotating { shifts_per_member, members }),
        1 => vec(member(), 1..3).prop_map(|members| AssignmentStrategy::Everyone { members }),
    ]
}

fn near(moment: Timestamp) -> impl Strategy<Value = Timestamp> {
    (-HALF_WINDOW_MINUTES..HALF_WINDOW_MINUTES)
        .prop_map(move |minutes| moment + SignedDuration::from_mins(minutes))
}

fn stamp(local: DateTime) -> String {
    local.strftime("%Y%m%dT%H%M%S").to_string()
}

prop_compose! {
    fn event(index: usize)(
        rule in rule(),
        days_before in 0..200i64,
        minute in 0..1440i64,
        length in prop_oneof![1..1440i64, 1..4000i64],
        excluded in vec(0..20usize, 0..3),
        added in vec((-1..3i64, 0..1440i64), 0..2),
        since in prop::option::of(near(at(MOMENTS[index].1))),
        until in prop::option::of(near(at(MOMENTS[index].1))),
        elsewhere in prop::option::weighted(0.2, prop::sample::select(MOMENTS)),
        strategy in strategy(),
        calendar in any::<bool>(),
    ) -> Drawn {
        let (zone, moment) = MOMENTS[index];
        let today = at(moment).to_zoned(TimeZone::UTC).date().to_datetime(jiff::civil::time(0, 0, 0, 0));
        let first = today - days_before.days() + SignedDuration::from_mins(minute);
        let parsed: Rule = rule.parse().unwrap();
        let mut planned = occurrences_by_walking(&parsed, first, today + 5.days());
        planned.extend(added.iter().map(|(day, minute)| today + day.days() + SignedDuration::from_mins(*minute)));
        planned.sort_unstable();
        planned.dedup();
        let late = planned.len().saturating_sub(20);
        let taken_out: Vec<DateTime> = excluded.iter().filter_map(|back| planned.get(late + back)).copied().collect();
        let mut lines = vec![format!("RRULE:{rule}")];
        lines.extend(added.iter().map(|(day, minute)| {
            format!("RDATE:{}", stamp(today + day.days() + SignedDuration::from_mins(*minute)))
        }));
        lines.extend(taken_out.iter().map(|out| format!("EXDATE:{}", stamp(*out))));
        let end_zone = elsewhere.map_or(zone, |(zone, _)| zone);
        // The first shift lasts as long as was drawn, whatever the clocks of the two places say.
        let began = TimeZone::get(zone).unwrap().to_ambiguous_zoned(first).compatible().unwrap();
        let ended = began.timestamp() + SignedDuration::from_mins(length);
        let last = if end_zone == zone { first + SignedDuration::from_mins(length) } else { TimeZone::get(end_zone).unwrap().to_datetime(ended) };
        let place = |date_time, zone: &str| PlaceTime { date_time, time_zone: zone.to_owned() };
        let since = since.unwrap_or(Timestamp::MIN);
        Drawn {
            event: ShiftEvent {
                id: "E".into(),
                name: String::new(),
                start_time: place(first, zone),
                end_time: place(last, end_zone),
                effective_since: since,
                effective_until: until.map(|until| until.max(since)),
                recurrence: Recurrence::parse(lines.iter().map(String::as_str)).unwrap(),
                assignment_strategy: strategy,
                advance: if calendar { Advance::CalendarTurns } else { Advance::WorkedTurns },
            },
            planned,
            taken_out,
        }
    }
}

fn custom_shift(index: usize) -> impl Strategy<Value = CustomShift> {
    (near(at(MOMENTS[index].1)), 1..2000i64, member()).prop_map(|(start_time, minutes, member)| CustomShift {
        id: "C".into(),
        start_time,
        end_time: start_time + SignedDuration::from_mins(minutes),
        member,
    })
}

fn replacement(index: usize) -> impl Strategy<Value = ShiftOverride> {
    let target = prop_oneof![
        3 => (0..2usize).prop_map(|number| OverrideTarget::Rotation(format!("R{number}").into())),
        1 => (0..2usize).prop_map(|number| OverrideTarget::CustomShift(format!("C{number}").into())),
    ];
    (near(at(MOMENTS[index].1)), 1..3000i64, member(), member(), target).prop_map(
        |(start_time, minutes, overridden_member, overriding_member, target)| ShiftOverride {
            id: "O".into(),
            target,
            start_time,
            end_time: start_time + SignedDuration::from_mins(minutes),
            overridden_member,
            overriding_member,
        },
    )
}

prop_compose! {
    /// Two rotations of one or two events each, two custom shifts and up to five overrides around a moment.
    fn schedule()(index in 0..MOMENTS.len())(
        rotations in vec(vec(event(index), 1..3), 2),
        custom_shifts in vec(custom_shift(index), 2),
        overrides in vec(replacement(index), 0..6),
        index in Just(index),
    ) -> (usize, Vec<Vec<Drawn>>, ShiftSchedule) {
        let mut rotations = rotations;
        for (number, drawn) in rotations.iter_mut().flatten().enumerate() {
            drawn.event.id = format!("E{number}").into();
        }
        let mut schedule = ShiftSchedule {
            time_zone: MOMENTS[index].0.to_owned(),
            rotations: rotations.iter().enumerate().map(|(number, events)| ShiftRotation {
                id: format!("R{number}").into(),
                events: events.iter().map(|drawn| drawn.event.clone()).collect(),
            }).collect(),
            custom_shifts,
            overrides,
        };
        for (number, shift) in schedule.custom_shifts.iter_mut().enumerate() {
            shift.id = format!("C{number}").into();
        }
        for (number, replacement) in schedule.overrides.iter_mut().enumerate() {
            replacement.id = format!("O{number}").into();
        }
        (index, rotations, schedule)
    }
}

/// Who has the shift at a minute, after overrides: each concerns whom it names, as planned or as an older one has it.
fn after_overrides(
    schedule: &ShiftSchedule,
    target: &OverrideTarget,
    planned: &Member,
    now: Timestamp,
) -> Member {
    let mut present = planned.clone();
    for replacement in &schedule.overrides {
        let is_on = replacement.target == *target
            && replacement.start_time <= now
            && now < replacement.end_time
            && (replacement.overridden_member == present || replacement.overridden_member == *planned);
        if is_on {
            present = replacement.overriding_member.clone();
        }
    }
    present
}

/// Everybody on call at every minute, by name; whoever has two shifts twice.
fn everybody(watch: &mut Watch, drawn: &[Vec<Drawn>], schedule: &ShiftSchedule) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new(); watch.minutes];
    for (rotation, events) in schedule.rotations.iter().zip(drawn) {
        let target = OverrideTarget::Rotation(rotation.id.clone());
        for drawn in events {
            everybody_of_event(watch, drawn, schedule, &target, &mut found);
        }
    }
    for shift in &schedule.custom_shifts {
        let target = OverrideTarget::CustomShift(shift.id.clone());
        for (minute, found) in found.iter_mut().enumerate() {
            let now = watch.minute(minute);
            if shift.start_time <= now && now < shift.end_time {
                found.push(name(&after_overrides(schedule, &target, &shift.member, now)));
            }
        }
    }
    for found in &mut found {
        found.sort_unstable();
    }
    found
}

fn everybody_of_event(
    watch: &mut Watch,
    drawn: &Drawn,
    schedule: &ShiftSchedule,
    target: &OverrideTarget,
    found: &mut [Vec<String>],
) {
    let event = &drawn.event;
    let (first, last) = (event.start_time.date_time, event.end_time.date_time);
    let starts = watch.look(&event.start_time.time_zone).to_vec();
    let ends = watch.look(&event.end_time.time_zone).to_vec();
    let mut turn = 0;
    for begins in &drawn.planned {
        let is_out = drawn.taken_out.contains(begins);
        if !is_out {
            let over = *begins + last.duration_since(first);
            let members = match &event.assignment_strategy {
                AssignmentStrategy::Everyone { members } => members.clone(),
                AssignmentStrategy::Rotating {
                    shifts_per_member,
                    members,
                } => {
                    vec![members[turn / *shifts_per_member as usize % members.len()].clone()]
                }
            };
            for (minute, found) in found.iter_mut().enumerate() {
                let now = watch.minute(minute);
                let counts =
                    event.effective_since <= now && event.effective_until.is_none_or(|until| now < until);
                if counts && *begins <= starts[minute] && ends[minute] < over {
                    let present = members
                        .iter()
                        .map(|member| after_overrides(schedule, target, member, now));
                    found.extend(present.map(|member| name(&member)));
                }
            }
        }
        turn += usize::from(!is_out || event.advance == Advance::CalendarTurns);
    }
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn the_second_opinion_agrees_on_whole_shift_schedules((index, drawn, schedule) in schedule()) {
        let half = SignedDuration::from_mins(HALF_WINDOW_MINUTES);
        let moment = at(MOMENTS[index].1);
        let Ok(plan) = schedule.validate() else {
            // An end on another clock that jumps past it, or so many of a rule that never comes true.
            return Err(TestCaseError::reject("refused"));
        };
        let span = Span::new(moment - half, moment + half).unwrap();
        let rendered = plan.render(span).unwrap();
        let mut watch = Watch::new(span.start(), usize::try_from(2 * HALF_WINDOW_MINUTES).unwrap());
        let expected = everybody(&mut watch, &drawn, &schedule);
        let mut covered = 0;
        for (minute, expected) in expected.iter().enumerate() {
            let now = watch.minute(minute);
            let on_call = rendered.entries.iter().filter(|entry| entry.start_time <= now && now < entry.end_time);
            let mut found: Vec<String> = on_call.map(|entry| name(&entry.member)).collect();
            found.sort_unstable();
            prop_assert_eq!(expected, &found, "at {}", now);
            let people: Vec<&String> = expected.iter().filter(|name| *name != "nobody").collect();
            covered += usize::from(!people.is_empty());
            if minute % 97 == 0 {
                let mut asked: Vec<String> = plan.on_call_at(now).unwrap().iter().map(|entry| name(&entry.member)).collect();
                asked.sort_unstable();
                prop_assert_eq!(people, asked.iter().collect::<Vec<_>>(), "asked at {}", now);
            }
        }
        let percentage = covered as f64 / watch.minutes as f64 * 100.0;
        prop_assert!((rendered.coverage_percentage - percentage).abs() < 1e-6, "{} not {percentage}", rendered.coverage_percentage);
    }
}
