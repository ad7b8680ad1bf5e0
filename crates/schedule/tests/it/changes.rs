//! Versions, changed members, differences, covers and swaps.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use schedule::{
    Agreement, Assignment, Cover, Extent, Fit, History, HistoryProblem, Layer, Misfit, Roster, Schedule,
    ShiftChange, Span, UserKey, Version, apply_agreements, difference, double_bookings, gaps, preview,
};

use crate::arbitrary::{MOMENTS, case, cases};
use crate::build::{DAY, at, layer, span};

fn daily_rotation(users: &[&str]) -> Schedule {
    let layers = vec![layer("L", "2026-01-05T00:00:00Z", DAY, users)];
    Schedule {
        time_zone: "UTC".into(),
        layers,
        overrides: vec![],
    }
}

fn people(names: &[&str]) -> Vec<UserKey> {
    names.iter().map(|name| UserKey::from(*name)).collect()
}

fn names_per_day(roster: &impl Roster, start: &str, days: i64) -> String {
    let day = |index: i64| {
        let start = at(start) + SignedDuration::from_hours(24 * index);
        let assigned = roster
            .assignments(Span::new(start, start + SignedDuration::from_hours(24)).unwrap())
            .unwrap();
        assigned
            .iter()
            .map(|assignment| assignment.user.to_string())
            .collect::<String>()
    };
    (0..days).map(day).collect()
}

#[test]
fn a_new_version_leaves_the_past_alone() {
    let mut history = History::new(at("2026-01-05T00:00:00Z"), daily_rotation(&["a", "b"]));
    let before = history.validate().unwrap();
    let noon = at("2026-01-10T12:00:00Z");
    history.change(noon, noon, daily_rotation(&["x", "y"])).unwrap();
    let after = history.validate().unwrap();
    let past = span("2026-01-05T00:00:00Z", "2026-01-10T12:00:00Z");
    assert_eq!(
        before.assignments(past).unwrap(),
        after.assignments(past).unwrap()
    );
    assert_eq!(
        names_per_day(&after, "2026-01-05T00:00:00Z", 8),
        "ababa".to_owned() + "byxy"
    );
    assert_eq!(
        after
            .on_call_at(at("2026-01-10T11:59:59Z"))
            .unwrap()
            .user
            .as_str(),
        "b"
    );
    assert_eq!(after.on_call_at(noon).unwrap().user.as_str(), "y");
    assert!(after.on_call_at(at("2026-01-04T00:00:00Z")).is_none());
}

#[test]
fn a_change_in_the_past_is_refused() {
    let mut history = History::new(at("2026-01-05T00:00:00Z"), daily_rotation(&["a"]));
    let (now, earlier) = (at("2026-01-10T00:00:00Z"), at("2026-01-09T00:00:00Z"));
    let refused = history.change(now, earlier, daily_rotation(&["b"])).unwrap_err();
    assert_eq!(
        refused,
        HistoryProblem::InThePast {
            effective_from: earlier,
            now
        }
    );
    assert_eq!(history.versions().len(), 1);
}

#[test]
fn a_planned_version_can_be_withdrawn_until_it_counts() {
    let mut history = History::new(at("2026-01-05T00:00:00Z"), daily_rotation(&["a"]));
    let (now, later) = (at("2026-01-10T00:00:00Z"), at("2026-01-20T00:00:00Z"));
    history.change(now, later, daily_rotation(&["b"])).unwrap();
    assert!(history.withdraw(at("2026-01-21T00:00:00Z"), later).is_err());
    assert!(history.withdraw(now, later).is_ok());
    assert_eq!(
        history.withdraw(now, later),
        Err(HistoryProblem::NoSuchVersion {
            effective_from: later
        })
    );
}

#[test]
fn an_entry_that_goes_on_over_a_change_stays_one_entry() {
    let mut history = History::new(at("2026-01-05T00:00:00Z"), daily_rotation(&["a", "b"]));
    let noon = at("2026-01-06T12:00:00Z");
    history
        .change(noon, noon, daily_rotation(&["a", "b", "c"]))
        .unwrap();
    let plan = history.validate().unwrap();
    let rendered = plan
        .render(span("2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z"))
        .unwrap();
    assert_eq!(rendered.final_schedule.entries.len(), 1);
    assert_eq!(rendered.layers.len(), 1);
    assert_eq!(rendered.final_schedule.coverage_percentage.to_string(), "100");
}

#[test]
fn a_shift_over_a_change_is_found_and_shown_whole() {
    let mut history = History::new(at("2026-01-05T00:00:00Z"), daily_rotation(&["a", "b"]));
    for hour in [6, 12, 18] {
        let change = at("2026-01-06T00:00:00Z") + SignedDuration::from_hours(hour);
        history
            .change(change, change, daily_rotation(&["a", "b", "c"]))
            .unwrap();
    }
    let plan = history.validate().unwrap();
    let (noon, year) = (at("2026-01-06T12:00:00Z"), SignedDuration::from_hours(8760));
    let (start, end) = (at("2026-01-06T00:00:00Z"), at("2026-01-07T00:00:00Z"));
    let shift = plan.shifts_at(noon, year).unwrap().remove(0);
    assert_eq!(
        (shift.user.as_str(), shift.start, shift.end),
        ("b", Some(start), Some(end))
    );
    let next = plan.next_shift_of(&"c".into(), noon, year).unwrap().unwrap();
    assert_eq!(next.start, Some(end));
    let final_entries = |start: &str, end: &str| {
        let rendered = plan.render_overflowing(span(start, end)).unwrap().final_schedule;
        rendered
            .entries
            .iter()
            .map(|entry| (entry.start, entry.end))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        final_entries("2026-01-06T11:00:00Z", "2026-01-06T13:00:00Z"),
        [(start, end)]
    );
    assert_eq!(
        final_entries("2026-01-05T11:00:00Z", "2026-01-05T13:00:00Z"),
        [(at("2026-01-05T00:00:00Z"), start)]
    );
    assert_eq!(final_entries("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), []);
}

#[test]
fn a_problem_in_a_version_is_named_with_it() {
    let versions = vec![
        Version {
            effective_from: at("2026-01-05T00:00:00Z"),
            schedule: daily_rotation(&["a"]),
        },
        Version {
            effective_from: at("2026-01-06T00:00:00Z"),
            schedule: daily_rotation(&[]),
        },
    ];
    let history = History::try_from(versions).unwrap();
    assert_eq!(
        history.validate().unwrap_err()[0].field,
        "versions[1].layers[0].users"
    );
}

#[test]
fn a_new_member_moves_nobody_s_present_turn() {
    let now = at("2026-01-09T12:00:00Z"); // b's turn
    let grown = daily_rotation(&["a", "b", "c"])
        .with_members(&"L".into(), people(&["a", "d", "b", "c"]), now)
        .unwrap();
    let plan = grown.validate().unwrap();
    assert_eq!(names_per_day(&plan, "2026-01-09T00:00:00Z", 6), "bcadbc");
}

#[test]
fn when_somebody_else_leaves_the_others_close_up() {
    let now = at("2026-01-09T12:00:00Z"); // b's turn
    let shrunk = daily_rotation(&["a", "b", "c"])
        .with_members(&"L".into(), people(&["a", "b"]), now)
        .unwrap();
    assert_eq!(
        names_per_day(&shrunk.validate().unwrap(), "2026-01-09T00:00:00Z", 4),
        "baba"
    );
}

#[test]
fn when_the_person_on_call_leaves_the_next_turn_stays_where_it_was() {
    let now = at("2026-01-09T12:00:00Z"); // b's turn, c is next
    let shrunk = daily_rotation(&["a", "b", "c"])
        .with_members(&"L".into(), people(&["a", "c"]), now)
        .unwrap();
    assert_eq!(
        names_per_day(&shrunk.validate().unwrap(), "2026-01-10T00:00:00Z", 3),
        "cac"
    );
}

#[test]
fn when_two_in_a_row_are_replaced_the_others_keep_their_turns() {
    let schedule = daily_rotation(&["a", "b", "c", "d"]);
    assert_eq!(
        names_per_day(&schedule.validate().unwrap(), "2026-01-09T00:00:00Z", 8),
        "abcdabcd"
    );
    let changed = schedule
        .with_members(
            &"L".into(),
            people(&["x", "y", "c", "d"]),
            at("2026-01-09T12:00:00Z"),
        )
        .unwrap();
    assert_eq!(
        names_per_day(&changed.validate().unwrap(), "2026-01-09T00:00:00Z", 8),
        "xycdxycd"
    );
}

#[test]
fn the_difference_names_whose_shifts_change_and_how() {
    let week = span("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z");
    let before = vec![
        Assignment::new("ann", span("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z")),
        Assignment::new("bob", span("2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z")),
        Assignment::new("cat", span("2026-01-07T00:00:00Z", "2026-01-08T00:00:00Z")),
    ];
    let after = vec![
        Assignment::new("ann", span("2026-01-05T00:00:00Z", "2026-01-06T06:00:00Z")),
        Assignment::new("bob", span("2026-01-06T06:00:00Z", "2026-01-07T00:00:00Z")),
        Assignment::new("dan", span("2026-01-08T00:00:00Z", "2026-01-09T00:00:00Z")),
    ];
    let found = difference(&before, &after, week);
    let changes: Vec<(&str, usize, i64)> = found
        .people
        .iter()
        .map(|change| {
            (
                change.user.as_str(),
                change.shifts.len(),
                change.balance.as_hours(),
            )
        })
        .collect();
    assert_eq!(
        changes,
        [("ann", 1, 6), ("bob", 1, -6), ("cat", 1, -24), ("dan", 1, 24)]
    );
    assert_eq!(
        found.of(&"ann".into()).unwrap().shifts,
        [ShiftChange::Moved {
            before: before[0].span,
            after: after[0].span
        }]
    );
    assert_eq!(
        found.of(&"cat".into()).unwrap().shifts,
        [ShiftChange::Lost { span: before[2].span }]
    );
    assert_eq!(found.new_gaps().collect::<Vec<Span>>(), [before[2].span]);
}

#[test]
fn a_preview_shows_what_a_change_of_members_does() {
    let now = at("2026-01-09T12:00:00Z");
    let schedule = daily_rotation(&["a", "b", "c"]);
    let grown = schedule
        .with_members(&"L".into(), people(&["a", "b", "c", "d"]), now)
        .unwrap();
    let mut history = History::new(at("2026-01-05T00:00:00Z"), schedule.clone());
    history.change(now, now, grown).unwrap();
    let shown = span("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z");
    let found = preview(&schedule.validate().unwrap(), &history.validate().unwrap(), shown).unwrap();
    let who: Vec<&str> = found.people.iter().map(|change| change.user.as_str()).collect();
    assert_eq!(who, ["a", "d"]);
}

#[test]
fn gaps_and_double_bookings_are_found() {
    let week = span("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z");
    let here = vec![Assignment::new(
        "ann",
        span("2026-01-05T00:00:00Z", "2026-01-08T00:00:00Z"),
    )];
    let there = vec![
        Assignment::new("ann", span("2026-01-07T00:00:00Z", "2026-01-09T00:00:00Z")),
        Assignment::new("bob", span("2026-01-09T00:00:00Z", "2026-01-10T00:00:00Z")),
    ];
    assert_eq!(
        gaps(&here, week),
        [span("2026-01-08T00:00:00Z", "2026-01-12T00:00:00Z")]
    );
    let found = double_bookings(&[here, there]);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].span,
        span("2026-01-07T00:00:00Z", "2026-01-08T00:00:00Z")
    );
    assert_eq!(
        (found[0].user.as_str(), &found[0].rosters[..]),
        ("ann", &[0, 1][..])
    );
}

fn cover(giver: &str, taker: &str, agreed: Span, extent: Extent) -> Cover {
    Cover {
        giver: giver.into(),
        taker: taker.into(),
        agreed,
        extent,
    }
}

fn agreement(covers: Vec<Cover>) -> Vec<Agreement> {
    vec![Agreement {
        id: "A".into(),
        covers,
    }]
}

#[test]
fn a_cover_follows_the_shift_when_it_moves() {
    let agreed = span("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
    let moved = span("2026-01-05T06:00:00Z", "2026-01-06T06:00:00Z");
    let agreements = agreement(vec![cover("ann", "bob", agreed, Extent::WholeShift)]);
    let as_agreed = apply_agreements(&[Assignment::new("ann", agreed)], &agreements);
    let followed = apply_agreements(&[Assignment::new("ann", moved)], &agreements);
    assert_eq!(as_agreed.fits[0].1, Fit::AsAgreed);
    assert_eq!(
        followed.fits[0].1,
        Fit::Moved {
            now: vec![vec![moved]]
        }
    );
    assert_eq!(followed.assignments, [Assignment::new("bob", moved)]);
}

#[test]
fn an_exact_cover_takes_only_its_own_time() {
    let shift = span("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
    let evening = span("2026-01-05T18:00:00Z", "2026-01-05T20:00:00Z");
    let covered = apply_agreements(
        &[Assignment::new("ann", shift)],
        &agreement(vec![cover("ann", "bob", evening, Extent::ExactTime)]),
    );
    assert_eq!(
        covered.assignments,
        [
            Assignment::new("ann", span("2026-01-05T00:00:00Z", "2026-01-05T18:00:00Z")),
            Assignment::new("bob", evening),
            Assignment::new("ann", span("2026-01-05T20:00:00Z", "2026-01-06T00:00:00Z")),
        ]
    );
}

#[test]
fn a_cover_that_no_longer_fits_says_why_and_changes_nothing() {
    let agreed = span("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
    let agreements = agreement(vec![cover("ann", "bob", agreed, Extent::WholeShift)]);
    let gone = [Assignment::new("cat", agreed)];
    let busy = [Assignment::new("ann", agreed), Assignment::new("bob", agreed)];
    let endless = [Assignment::new(
        "ann",
        span("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"),
    )];
    let reason = |assignments: &[Assignment]| {
        let covered = apply_agreements(assignments, &agreements);
        assert_eq!(covered.assignments, assignments);
        match covered.fits.into_iter().next().unwrap().1 {
            Fit::NoLongerFits { reason, .. } => reason,
            fits => panic!("should not fit: {fits:?}"),
        }
    };
    assert_eq!(reason(&gone), Misfit::GiverNotOnCall { giver: "ann".into() });
    assert_eq!(
        reason(&busy),
        Misfit::TakerOnCall {
            taker: "bob".into(),
            already: agreed
        }
    );
    assert_eq!(
        reason(&endless),
        Misfit::ShiftGrew {
            giver: "ann".into(),
            now_hours: 59 * 24
        }
    );
}

#[test]
fn a_swap_stands_or_falls_as_a_whole() {
    let monday = span("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
    let tuesday = span("2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z");
    let swap = agreement(vec![
        cover("ann", "bob", monday, Extent::WholeShift),
        cover("bob", "ann", tuesday, Extent::WholeShift),
    ]);
    let planned = [Assignment::new("ann", monday), Assignment::new("bob", tuesday)];
    let swapped = apply_agreements(&planned, &swap);
    assert_eq!(
        swapped.assignments,
        [Assignment::new("bob", monday), Assignment::new("ann", tuesday)]
    );
    let changed = [Assignment::new("ann", monday), Assignment::new("cat", tuesday)];
    let failed = apply_agreements(&changed, &swap);
    assert_eq!(failed.assignments, changed);
    let reason = Misfit::GiverNotOnCall { giver: "bob".into() };
    assert_eq!(failed.fits[0].1, Fit::NoLongerFits { cover: 1, reason });
}

#[test]
fn a_swap_follows_both_shifts_when_a_later_change_moves_them() {
    let monday = span("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
    let tuesday = span("2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z");
    let swap = agreement(vec![
        cover("ann", "bob", monday, Extent::WholeShift),
        cover("bob", "ann", tuesday, Extent::WholeShift),
    ]);
    // A new version hands over at eight in the morning.
    let moved = [
        span("2026-01-05T08:00:00Z", "2026-01-06T08:00:00Z"),
        span("2026-01-06T08:00:00Z", "2026-01-07T08:00:00Z"),
    ];
    let changed = [Assignment::new("ann", moved[0]), Assignment::new("bob", moved[1])];
    let followed = apply_agreements(&changed, &swap);
    assert_eq!(
        followed.assignments,
        [Assignment::new("bob", moved[0]), Assignment::new("ann", moved[1])]
    );
    assert_eq!(
        followed.fits[0].1,
        Fit::Moved {
            now: moved.map(|shift| vec![shift]).to_vec()
        }
    );
}

/// The window that the moments' schedules are looked at in.
fn window(index: usize) -> Span {
    let moment = at(MOMENTS[index].1);
    let half = SignedDuration::from_hours(30);
    Span::new(moment - half, moment + half).unwrap()
}

fn on_call_in(layer: &Layer, zone: &str, instant: Timestamp) -> Option<UserKey> {
    let open = Layer {
        restrictions: vec![],
        start: Timestamp::MIN,
        end: None,
        ..layer.clone()
    };
    let layers = vec![Layer {
        advance: layer.advance,
        ..open
    }];
    let schedule = Schedule {
        time_zone: zone.into(),
        layers,
        overrides: vec![],
    };
    schedule
        .validate()
        .unwrap()
        .on_call_at(instant)
        .map(|on_call| on_call.user)
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn adding_a_member_keeps_the_present_person_and_every_hand_off(
        (index, schedule) in case(),
        position in 0..6usize,
    ) {
        let now = at(MOMENTS[index].1);
        for layer in schedule.layers.iter().filter(|layer| layer.users.len() > 1) {
            let mut members = layer.users.clone();
            members.insert(position.min(members.len()), "new".into());
            let changed = schedule.with_members(&layer.id, members, now).unwrap();
            let new_layer = changed.layers.iter().find(|new| new.id == layer.id).unwrap();
            let zone = &schedule.time_zone;
            prop_assert_eq!(on_call_in(layer, zone, now), on_call_in(new_layer, zone, now));
            // With everybody different, every hand-off shows; the times must be the same.
            let handoffs = |layer: &Layer| {
                let mut layer = layer.clone();
                layer.users = people(&["1", "2", "3", "4", "5"]);
                let schedule = Schedule { time_zone: zone.clone(), layers: vec![layer], overrides: vec![] };
                let rendered = schedule.validate().unwrap().render(window(index)).unwrap();
                rendered.final_schedule.entries.iter().map(|entry| (entry.start, entry.end)).collect::<Vec<_>>()
            };
            prop_assert_eq!(handoffs(layer), handoffs(new_layer));
        }
    }

    #[test]
    fn a_difference_accounts_for_every_hour((index, before) in case(), (_, after) in case()) {
        let window = window(index);
        let (before, after) = (before.validate().unwrap(), after.validate().unwrap());
        let found = preview(&before, &after, window).unwrap();
        prop_assert_eq!(found.is_empty(), found.people.is_empty());
        let hours = |roster: &schedule::Plan, user: &UserKey| -> SignedDuration {
            let assigned = roster.assignments(window).unwrap();
            assigned.iter().filter(|one| one.user == *user).map(|one| one.span.duration()).sum()
        };
        for user in before.people().iter().chain(after.people()) {
            let balance = found.of(user).map_or(SignedDuration::ZERO, |change| change.balance);
            prop_assert_eq!(balance, hours(&after, user) - hours(&before, user));
        }
    }

    #[test]
    fn later_versions_never_alter_what_was((index, first) in case(), (_, second) in case(), cut in 0.01..0.99f64) {
        let window = window(index);
        let change = window.start() + window.duration().mul_f64(cut);
        let mut history = History::new(Timestamp::MIN, first.clone());
        history.change(change, change, second.clone()).unwrap();
        let both = history.validate().unwrap();
        let past = Span::new(window.start(), change).unwrap();
        let future = Span::new(change, window.end()).unwrap();
        prop_assert_eq!(both.assignments(past).unwrap(), first.validate().unwrap().assignments(past).unwrap());
        prop_assert_eq!(both.assignments(future).unwrap(), second.validate().unwrap().assignments(future).unwrap());
        let rendered = both.render(window).unwrap();
        let whole = both.render_overflowing(window).unwrap().final_schedule.entries;
        prop_assert_eq!(whole.len(), rendered.final_schedule.entries.len());
        for (cut, whole) in rendered.final_schedule.entries.iter().zip(&whole) {
            prop_assert_eq!((&cut.user, &cut.source), (&whole.user, &whole.source));
            prop_assert_eq!((cut.start, cut.end), (whole.start.max(window.start()), whole.end.min(window.end())));
        }
        for entry in &rendered.final_schedule.entries {
            let asked = both.on_call_at(entry.start).unwrap();
            prop_assert_eq!((&asked.user, &asked.source), (&entry.user, &entry.source));
        }
    }
}

#[test]
fn the_sun_is_followed_without_a_gap_through_every_change_of_the_clocks() {
    let team = |name: &str, zone: &str, begins: &str, users: &[&str]| schedule::SunTeam {
        name: name.into(),
        time_zone: zone.into(),
        day_begins: begins.parse().unwrap(),
        users: people(users),
    };
    let teams = [
        team("Sydney", "Australia/Sydney", "09:00:00", &["s1", "s2"]),
        team("London", "Europe/London", "08:00:00", &["l1", "l2"]),
        team("Chicago", "America/Chicago", "09:00:00", &["c1", "c2"]),
    ];
    let start = at("2026-01-05T00:00:00Z");
    let schedule = schedule::follow_the_sun(&teams, start, 7, jiff::tz::db()).unwrap();
    let plan = schedule.validate().unwrap();
    let years = span("2026-01-06T00:00:00Z", "2030-01-01T00:00:00Z");
    assert_eq!(gaps(&plan.assignments(years).unwrap(), years), []);
    let handoffs = |start: &str, end: &str| {
        let assigned = plan.assignments(span(start, end)).unwrap();
        let line = |one: &Assignment| format!("{} {}", one.span.start(), one.user);
        assigned.iter().map(line).collect::<Vec<String>>()
    };
    assert_eq!(
        handoffs("2026-01-07T22:00:00Z", "2026-01-08T22:00:00Z"),
        [
            "2026-01-07T22:00:00Z s1",
            "2026-01-08T08:00:00Z l1",
            "2026-01-08T15:00:00Z c1"
        ]
    );
    // In July it is winter in Sydney and summer elsewhere, so everybody hands over at another hour of UTC.
    assert_eq!(
        handoffs("2026-07-07T23:00:00Z", "2026-07-08T23:00:00Z"),
        [
            "2026-07-07T23:00:00Z s1",
            "2026-07-08T07:00:00Z l1",
            "2026-07-08T14:00:00Z c1"
        ]
    );
}
