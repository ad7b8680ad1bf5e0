//! What holds for every schedule, checked against the second opinion and against itself.

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use schedule::{Advance, Entry, Schedule, Span, UserKey};

use crate::arbitrary::{HALF_WINDOW_MINUTES, MOMENTS, case, cases};
use crate::build::at;
use crate::oracle::Watch;

fn window(index: usize) -> (Timestamp, Timestamp) {
    let half = SignedDuration::from_mins(HALF_WINDOW_MINUTES);
    let moment = at(MOMENTS[index].1);
    (moment - half, moment + half)
}

thread_local! {
    static WATCHES: RefCell<HashMap<usize, Watch>> = RefCell::new(HashMap::new());
}

/// Runs a question on the watch over a moment; the watch is kept, because looking at clocks is slow.
fn watch<T>(index: usize, ask: impl FnOnce(&mut Watch) -> T) -> T {
    WATCHES.with_borrow_mut(|watches| {
        let minutes = usize::try_from(2 * HALF_WINDOW_MINUTES).unwrap();
        ask(watches
            .entry(index)
            .or_insert_with(|| Watch::new(window(index).0, minutes)))
    })
}

fn users_per_minute(entries: &[Entry], start: Timestamp, minutes: usize) -> Vec<Option<UserKey>> {
    let mut entries = entries.iter().peekable();
    let user_at = |index: usize| {
        let now = start + SignedDuration::from_mins(i64::try_from(index).unwrap());
        while entries.peek().is_some_and(|entry| entry.end <= now) {
            entries.next();
        }
        entries
            .peek()
            .filter(|entry| entry.start <= now)
            .map(|entry| entry.user.clone())
    };
    (0..minutes).map(user_at).collect()
}

fn compare(index: usize, schedule: &Schedule) -> Result<(), TestCaseError> {
    let (start, end) = window(index);
    let plan = schedule.validate().unwrap();
    let rendered = plan.render(Span::new(start, end).unwrap()).unwrap();
    watch(index, |watch| {
        let expected = watch.who(schedule);
        let found = users_per_minute(&rendered.final_schedule.entries, start, watch.minutes);
        for (minute, (expected, found)) in expected.iter().zip(&found).enumerate() {
            prop_assert_eq!(expected, found, "final schedule at {}", watch.minute(minute));
        }
        for minute in (0..watch.minutes).step_by(97) {
            let asked = plan.on_call_at(watch.minute(minute)).map(|on_call| on_call.user);
            prop_assert_eq!(&expected[minute], &asked, "asked at {}", watch.minute(minute));
        }
        for (layer, alone) in schedule.layers.iter().zip(&rendered.layers) {
            let expected = watch.who_in_layer(schedule, layer);
            let found = users_per_minute(&alone.schedule.entries, start, watch.minutes);
            prop_assert_eq!(expected, found, "layer {}", layer.id);
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn the_second_opinion_agrees_minute_by_minute((index, schedule) in case()) {
        compare(index, &schedule)?;
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn the_second_opinion_agrees_on_worked_turns((index, mut schedule) in case()) {
        for layer in &mut schedule.layers {
            // Turns and windows on whole minutes not too far away, so that counting minutes is exact and takes no age.
            layer.advance = Advance::WorkedTurns;
            layer.rotation_turn_length_seconds = (layer.rotation_turn_length_seconds / 60).clamp(30, 20_000) * 60;
            let moment = at(MOMENTS[index].1);
            let month = SignedDuration::from_hours(30 * 24);
            let second = SignedDuration::from_secs(layer.rotation_virtual_start.as_second().rem_euclid(60));
            layer.rotation_virtual_start = (layer.rotation_virtual_start - second).clamp(moment - month, moment + month);
            for restriction in &mut layer.restrictions {
                use schedule::Restriction::{Daily, Weekly};
                let (Daily { duration_seconds, .. } | Weekly { duration_seconds, .. }) = restriction;
                *duration_seconds = (*duration_seconds / 60).max(1) * 60;
            }
        }
        compare(index, &schedule)?;
    }
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn asking_at_an_instant_agrees_with_the_list((index, schedule) in case(), offsets in prop::collection::vec(0.0..1.0f64, 20)) {
        let (start, end) = window(index);
        let plan = schedule.validate().unwrap();
        let entries = plan.render(Span::new(start, end).unwrap()).unwrap().final_schedule.entries;
        let microsecond = SignedDuration::from_micros(1);
        let random = offsets.iter().map(|offset| start + end.duration_since(start).mul_f64(*offset));
        let edges = entries.iter().flat_map(|entry| [entry.start - microsecond, entry.start, entry.end - microsecond, entry.end]);
        for instant in random.chain(edges).filter(|instant| start <= *instant && *instant < end) {
            let listed = entries.iter().find(|entry| entry.span().contains(instant));
            let asked = plan.on_call_at(instant);
            prop_assert_eq!(listed.map(|entry| &entry.user), asked.as_ref().map(|on_call| &on_call.user));
            prop_assert_eq!(listed.map(|entry| &entry.source), asked.as_ref().map(|on_call| &on_call.source));
        }
    }

    #[test]
    fn a_span_cut_in_two_gives_the_same_list((index, schedule) in case(), cut in 0.001..0.999f64) {
        let (start, end) = window(index);
        let plan = schedule.validate().unwrap();
        let middle = start + end.duration_since(start).mul_f64(cut);
        let whole = plan.render(Span::new(start, end).unwrap()).unwrap();
        let first = plan.render(Span::new(start, middle).unwrap()).unwrap();
        let second = plan.render(Span::new(middle, end).unwrap()).unwrap();
        let joined = |first: &[Entry], second: &[Entry]| {
            let mut joined: Vec<Entry> = first.to_vec();
            for entry in second {
                match joined.last_mut() {
                    Some(last) if last.end == entry.start && last.user == entry.user && last.source == entry.source => {
                        last.end = entry.end;
                    }
                    _ => joined.push(entry.clone()),
                }
            }
            joined
        };
        let halves = joined(&first.final_schedule.entries, &second.final_schedule.entries);
        prop_assert_eq!(halves, whole.final_schedule.entries);
        for ((first, second), whole) in first.layers.iter().zip(&second.layers).zip(&whole.layers) {
            prop_assert_eq!(joined(&first.schedule.entries, &second.schedule.entries), whole.schedule.entries.clone());
        }
    }

    #[test]
    fn replacing_people_moves_nobody_else_s_turn((index, schedule) in case(), leaving in prop::sample::subsequence(vec!["ann", "bob", "cat", "dan"], 1..4), worked in any::<bool>()) {
        let mut schedule = schedule;
        for layer in &mut schedule.layers {
            if worked {
                layer.advance = Advance::WorkedTurns;
                layer.rotation_turn_length_seconds = layer.rotation_turn_length_seconds.max(60) / 60 * 60;
            }
        }
        let replaced = |user: &UserKey| {
            let leaves = leaving.contains(&user.as_str());
            if leaves { UserKey::from(format!("new {user}")) } else { user.clone() }
        };
        let (start, end) = window(index);
        let span = Span::new(start, end).unwrap();
        let before = schedule.validate().unwrap().render(span).unwrap();
        for (layer, before) in schedule.layers.iter().zip(&before.layers) {
            let members = layer.users.iter().map(replaced).collect();
            // Where nobody stays there is nobody whose turn could be kept.
            prop_assume!(layer.users.iter().any(|user| replaced(user) == *user));
            let changed = schedule.with_members(&layer.id, members, at(MOMENTS[index].1)).unwrap();
            let after = changed.validate().unwrap().render(span).unwrap();
            let after = after.layers.iter().find(|after| after.id == layer.id).unwrap();
            let expected: Vec<_> = before.schedule.entries.iter().map(|entry| (entry.start, entry.end, replaced(&entry.user))).collect();
            let found: Vec<_> = after.schedule.entries.iter().map(|entry| (entry.start, entry.end, entry.user.clone())).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn entries_are_in_order_apart_and_inside_the_span((index, schedule) in case()) {
        let (start, end) = window(index);
        let rendered = schedule.validate().unwrap().render(Span::new(start, end).unwrap()).unwrap();
        let lists = rendered.layers.iter().map(|layer| &layer.schedule);
        for list in lists.chain([&rendered.overrides, &rendered.final_schedule]) {
            let mut last = start;
            for entry in &list.entries {
                prop_assert!(last <= entry.start && entry.start < entry.end && entry.end <= end);
                last = entry.end;
            }
            prop_assert!((0.0..=100.0).contains(&list.coverage_percentage));
        }
    }

    #[test]
    fn an_unrestricted_layer_covers_all_of_the_span((index, mut schedule) in case()) {
        prop_assume!(!schedule.layers.is_empty());
        schedule.layers[0].restrictions.clear();
        schedule.layers[0].start = Timestamp::MIN;
        schedule.layers[0].end = None;
        let (start, end) = window(index);
        let rendered = schedule.validate().unwrap().render(Span::new(start, end).unwrap()).unwrap();
        prop_assert_eq!(rendered.layers[0].schedule.coverage_percentage.to_bits(), 100f64.to_bits());
        prop_assert_eq!(rendered.final_schedule.coverage_percentage.to_bits(), 100f64.to_bits());
    }

    #[test]
    fn overflowing_entries_are_the_cut_ones_made_whole((index, schedule) in case()) {
        let (start, end) = window(index);
        let plan = schedule.validate().unwrap();
        let span = Span::new(start, end).unwrap();
        let cut = plan.render(span).unwrap().final_schedule.entries;
        let whole = plan.render_overflowing(span).unwrap().final_schedule.entries;
        prop_assert_eq!(cut.len(), whole.len());
        for (cut, whole) in cut.iter().zip(&whole) {
            prop_assert_eq!((&cut.user, &cut.source), (&whole.user, &whole.source));
            prop_assert_eq!((cut.start, cut.end), (whole.start.max(start), whole.end.min(end)));
        }
    }
}
