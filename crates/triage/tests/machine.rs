//! The state machine from outside: what a caller may rely on.

#![expect(clippy::unwrap_used, reason = "the helpers of these tests may fail loudly")]

use jiff::Timestamp;
use proptest::prelude::*;
use triage::{
    Action, Aggregate, AutoPause, Configuration, Decision, Event, GroupId, Grouping, Notification, Outcome,
    Reason, Setting, Triage, Unknown,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn trigger<'a>(dedup_key: &'a str, source: &'a str, summary: &'a str) -> Event<'a> {
    Event {
        integration: "i",
        service: "shop",
        dedup_key,
        source,
        summary,
        ..Event::default()
    }
}

fn resolve(dedup_key: &str) -> Event<'_> {
    Event {
        action: Action::Resolve,
        ..trigger(dedup_key, "", "")
    }
}

fn intelligent() -> Setting {
    let grouping = Grouping::Intelligent {
        fields: vec![],
        window_seconds: 300,
    };
    Setting {
        grouping,
        ..Setting::default()
    }
}

fn opened(decision: &Decision) -> Option<GroupId> {
    match decision.outcome {
        Outcome::OpenedGroup { group, .. } => Some(group),
        _ => None,
    }
}

#[test]
fn a_key_with_an_open_alert_opens_no_second_one() {
    let mut triage = Triage::new(Configuration::default());
    let first = triage.observe(&trigger("disk", "db1", "disk full"), &Setting::default(), at(0));
    assert_eq!(first.notification, Notification::Now);
    let second = triage.observe(&trigger("disk", "db1", "disk full"), &Setting::default(), at(9));
    assert!(matches!(second.outcome, Outcome::Repeated { .. }));
    assert_eq!(second.notification, Notification::Unneeded);
    assert_eq!(
        second.reasons[0].to_string(),
        "An alert with the key “disk” is open; this is its event number 2."
    );
    assert_eq!(triage.open_alerts(), 1);
}

#[test]
fn a_key_is_scoped_to_its_integration() {
    let mut triage = Triage::default();
    triage.observe(&trigger("disk", "db1", "disk full"), &Setting::default(), at(0));
    let foreign = Event {
        integration: "other",
        ..resolve("disk")
    };
    assert_eq!(
        triage.observe(&foreign, &Setting::default(), at(1)).outcome,
        Outcome::Dropped
    );
}

#[test]
fn a_resolved_alert_is_never_reopened() {
    let mut triage = Triage::default();
    let first = triage.observe(&trigger("disk", "db1", "disk full"), &intelligent(), at(0));
    let ended = triage.observe(&resolve("disk"), &intelligent(), at(5));
    assert!(matches!(ended.outcome, Outcome::ResolvedGroup { .. }));
    let again = triage.observe(&trigger("disk", "db1", "disk full"), &intelligent(), at(9));
    assert!(opened(&again).is_some());
    assert_ne!(
        opened(&again),
        opened(&first),
        "a closed incident receives no more alerts"
    );
}

#[test]
fn content_based_grouping_needs_all_fields_or_any() {
    for (aggregate, joins) in [(Aggregate::All, false), (Aggregate::Any, true)] {
        let fields = vec!["class".to_owned(), "source".to_owned()];
        let grouping = Grouping::ContentBased {
            aggregate,
            fields,
            window_seconds: 600,
        };
        let setting = Setting {
            grouping,
            ..Setting::default()
        };
        let mut triage = Triage::default();
        let event = Event {
            class: Some("disk"),
            ..trigger("a", "db1", "disk full")
        };
        triage.observe(&event, &setting, at(0));
        let event = Event {
            class: Some("disk"),
            ..trigger("b", "db2", "disk full")
        };
        let decision = triage.observe(&event, &setting, at(60));
        assert_eq!(
            matches!(decision.outcome, Outcome::JoinedGroup { .. }),
            joins,
            "{aggregate:?}"
        );
    }
}

#[test]
fn the_window_rolls_with_the_last_alert() {
    let setting = Setting {
        grouping: Grouping::Time {
            window_seconds: Some(100),
        },
        ..Setting::default()
    };
    let mut triage = Triage::default();
    let outcomes: Vec<bool> = [(0, "a"), (90, "b"), (180, "c"), (300, "d")]
        .into_iter()
        .map(|(second, key)| opened(&triage.observe(&trigger(key, key, key), &setting, at(second))).is_some())
        .collect();
    assert_eq!(outcomes, [true, false, false, true]);
}

#[test]
fn services_of_one_scope_share_their_groups() {
    let setting = Setting {
        scope: Some("shops".into()),
        grouping: Grouping::Time { window_seconds: None },
        auto_pause: AutoPause::Off,
    };
    let mut triage = Triage::default();
    triage.observe(&trigger("a", "x", "x"), &setting, at(0));
    let other = Event {
        service: "billing",
        ..trigger("b", "y", "y")
    };
    assert!(matches!(
        triage.observe(&other, &setting, at(9999)).outcome,
        Outcome::JoinedGroup { .. }
    ));
}

#[test]
fn the_dependency_graph_joins_what_text_would_not() {
    let mut triage = Triage::default();
    triage.knowledge_mut().topology.add_dependency("web", "database");
    triage.observe(
        &trigger("a", "database", "too many connections"),
        &intelligent(),
        at(0),
    );
    let near = triage.observe(&trigger("b", "web", "checkout slow"), &intelligent(), at(20));
    assert!(matches!(near.outcome, Outcome::JoinedGroup { .. }));
    assert!(
        near.reasons
            .iter()
            .any(|reason| matches!(reason, Reason::Hops { hops: 1, .. }))
    );
    let far = triage.observe(&trigger("c", "printer", "paper jam"), &intelligent(), at(25));
    assert!(opened(&far).is_some());
}

#[test]
fn a_merge_teaches_and_undoing_it_unteaches() {
    let alerts = |triage: &mut Triage, second: i64| {
        let setting = intelligent();
        let first = triage.observe(
            &trigger("a", "till 7", "card reader offline"),
            &setting,
            at(second),
        );
        let other = triage.observe(
            &trigger("b", "vendor", "acquirer maintenance"),
            &setting,
            at(second + 60),
        );
        (opened(&first).unwrap(), opened(&other))
    };
    let mut triage = Triage::default();
    let (first, other) = alerts(&mut triage, 0);
    let lesson = triage
        .merge(other.expect("nothing in common yet"), first)
        .unwrap();
    triage.close_group(first, at(100)).unwrap();

    let (first, other) = alerts(&mut triage, 10_000);
    assert_eq!(other, None, "the merge was learned");
    triage.close_group(first, at(10_100)).unwrap();

    triage.undo(&lesson);
    assert!(alerts(&mut triage, 20_000).1.is_some(), "and unlearned");
}

#[test]
fn a_split_teaches_to_keep_apart() {
    let mut triage = Triage::default();
    triage.knowledge_mut().topology.add_dependency("web", "database");
    let alerts = |triage: &mut Triage, second: i64| {
        triage.observe(
            &trigger("a", "database", "too many connections"),
            &intelligent(),
            at(second),
        );
        triage.observe(
            &trigger("b", "web", "certificate expires"),
            &intelligent(),
            at(second + 30),
        )
    };
    let Outcome::JoinedGroup { alert, group } = alerts(&mut triage, 0).outcome else {
        panic!("they are neighbours")
    };
    let (other, _lesson) = triage.split(group, &[alert]).unwrap();
    assert_eq!(triage.group_of(alert), Some(other));
    triage.close_group(group, at(60)).unwrap();
    triage.close_group(other, at(60)).unwrap();
    assert!(opened(&alerts(&mut triage, 10_000)).is_some());
}

#[test]
fn acts_on_what_is_not_open_are_typed_errors() {
    let mut triage = Triage::default();
    let decision = triage.observe(&trigger("a", "x", "x"), &Setting::default(), at(0));
    let group = opened(&decision).unwrap();
    assert_eq!(triage.merge(group, group), Err(Unknown::Pointless));
    assert_eq!(triage.merge(GroupId(99), group), Err(Unknown::Group(GroupId(99))));
    assert_eq!(triage.split(group, &[]).unwrap_err(), Unknown::Pointless);
    assert_eq!(
        triage.close_group(GroupId(99), at(1)),
        Err(Unknown::Group(GroupId(99)))
    );
}

#[test]
fn alerts_that_clear_by_themselves_are_paused() {
    let setting = Setting {
        auto_pause: AutoPause::Recommended,
        ..Setting::default()
    };
    let mut triage = Triage::default();
    let mut last = Notification::Now;
    for round in 0..30 {
        let key = format!("probe {round}");
        last = triage
            .observe(&trigger(&key, "probe", "ping lost"), &setting, at(round * 3600))
            .notification;
        triage.observe(&resolve(&key), &setting, at(round * 3600 + 60));
    }
    assert_eq!(
        last,
        Notification::PauseUntil {
            until: at(29 * 3600 + 120)
        }
    );
}

#[test]
fn a_flapping_alert_is_held_back() {
    let mut triage = Triage::default();
    let mut last = Notification::Now;
    for round in 0..6 {
        last = triage
            .observe(
                &trigger("link", "switch", "down"),
                &Setting::default(),
                at(round * 20),
            )
            .notification;
        triage.observe(&resolve("link"), &Setting::default(), at(round * 20 + 10));
    }
    assert_eq!(last, Notification::HeldBack);
}

#[test]
fn beyond_the_bound_the_oldest_alert_is_forgotten() {
    let mut triage = Triage::new(Configuration {
        maximum_open_alerts: 3,
        ..Configuration::default()
    });
    for key in ["a", "b", "c", "d"] {
        triage.observe(&trigger(key, key, key), &Setting::default(), at(0));
    }
    assert_eq!(triage.open_alerts(), 3);
    assert_eq!(
        triage.observe(&resolve("a"), &Setting::default(), at(1)).outcome,
        Outcome::Dropped
    );
}

#[test]
fn a_title_of_a_million_characters_is_just_a_title() {
    let title = "ä1 ".repeat(400_000);
    let mut triage = Triage::default();
    triage.observe(&trigger(&title, &title, &title), &intelligent(), at(0));
    let stored = serde_json::to_string(&triage).unwrap();
    assert!(stored.len() < 20_000, "{}", stored.len());
}

#[derive(Clone, Debug)]
enum Act {
    Event {
        action: Action,
        key: u8,
        source: u8,
        summary: String,
        setting: u8,
    },
    ResolveAlert(u8),
    CloseGroup(u8),
    Merge(u8, u8),
    Split(u8),
}

fn acts() -> impl Strategy<Value = Vec<(Act, i64)>> {
    let action =
        prop_oneof![4 => Just(Action::Trigger), 1 => Just(Action::Acknowledge), 2 => Just(Action::Resolve)];
    let summary = prop_oneof![
        Just("disk full".to_owned()),
        Just("slow 17ms".to_owned()),
        "\\PC{0,20}"
    ];
    let event =
        (action, 0_u8..12, 0_u8..5, summary, 0_u8..6).prop_map(|(action, key, source, summary, setting)| {
            Act::Event {
                action,
                key,
                source,
                summary,
                setting,
            }
        });
    let act = prop_oneof![
        12 => event,
        1 => (0_u8..40).prop_map(Act::ResolveAlert),
        1 => (0_u8..40).prop_map(Act::CloseGroup),
        1 => (0_u8..40, 0_u8..40).prop_map(|(from, into)| Act::Merge(from, into)),
        1 => (0_u8..40).prop_map(Act::Split),
    ];
    prop::collection::vec((act, -1_000_000_i64..1000), 1..60)
}

fn settings() -> [Setting; 6] {
    let fields = || vec!["source".to_owned(), "class".to_owned()];
    let window_seconds = 300;
    [
        Grouping::Off,
        Grouping::Time { window_seconds: None },
        Grouping::Time {
            window_seconds: Some(60),
        },
        Grouping::ContentBased {
            aggregate: Aggregate::Any,
            fields: fields(),
            window_seconds,
        },
        Grouping::Intelligent {
            fields: vec![],
            window_seconds,
        },
        Grouping::ContentBasedIntelligent {
            aggregate: Aggregate::All,
            fields: fields(),
            window_seconds,
        },
    ]
    .map(|grouping| Setting {
        scope: None,
        grouping,
        auto_pause: AutoPause::Recommended,
    })
}

fn perform(triage: &mut Triage, act: &Act, now: Timestamp) -> String {
    match act {
        Act::Event {
            action,
            key,
            source,
            summary,
            setting,
        } => {
            let (key, source) = (format!("key {key}"), format!("source {source}"));
            let event = Event {
                action: *action,
                ..trigger(&key, &source, summary)
            };
            format!(
                "{:?}",
                triage.observe(&event, &settings()[usize::from(*setting)], now)
            )
        }
        Act::ResolveAlert(id) => format!("{:?}", triage.resolve_alert(triage::AlertId((*id).into()), now)),
        Act::CloseGroup(id) => format!("{:?}", triage.close_group(GroupId((*id).into()), now)),
        Act::Merge(from, into) => format!(
            "{:?}",
            triage.merge(GroupId((*from).into()), GroupId((*into).into()))
        ),
        Act::Split(id) => {
            let alert = triage::AlertId((*id).into());
            let group = triage.group_of(alert).unwrap_or(GroupId(0));
            format!("{:?}", triage.split(group, &[alert]))
        }
    }
}

fn small() -> Triage {
    let mut triage = Triage::new(Configuration {
        maximum_open_alerts: 8,
        ..Configuration::default()
    });
    let topology = &mut triage.knowledge_mut().topology;
    for (dependent, supporting) in [(0, 1), (1, 2), (2, 0), (3, 3)] {
        topology.add_dependency(&format!("source {dependent}"), &format!("source {supporting}"));
    }
    triage
}

proptest! {
    #[test]
    fn a_restart_changes_no_later_decision(acts in acts(), restart in 0_usize..60) {
        let mut steady = small();
        let mut restarted = small();
        for (index, (act, second)) in acts.iter().enumerate() {
            if index == restart {
                let stored = serde_json::to_string(&restarted).unwrap();
                restarted = serde_json::from_str(&stored).unwrap();
            }
            prop_assert_eq!(perform(&mut steady, act, at(*second)), perform(&mut restarted, act, at(*second)));
        }
        prop_assert_eq!(serde_json::to_string(&steady).unwrap(), serde_json::to_string(&restarted).unwrap());
    }

    #[test]
    fn memory_stays_bounded_and_every_open_alert_has_a_group(acts in acts()) {
        let mut triage = small();
        for (act, second) in &acts {
            perform(&mut triage, act, at(*second));
            prop_assert!(triage.open_alerts() <= 8);
            prop_assert!(triage.open_groups() <= triage.open_alerts());
        }
    }
}

/// Two faults of one system: the first alerts of the second one are taken for repetitions until the wave is recognised.
#[test]
fn what_came_with_a_wave_goes_into_the_incident_that_it_opens() {
    let mut triage = Triage::new(Configuration::default());
    let mut number = 0;
    let mut say = |triage: &mut Triage, second: i64, summary: &str| {
        number += 1;
        triage.observe(
            &trigger(&number.to_string(), "web1", summary),
            &intelligent(),
            at(second),
        )
    };
    let first = say(&mut triage, 0, "latency of cart is high");
    for (second, summary) in [(1, "latency of login is high"), (2, "latency of search is high")] {
        assert!(matches!(
            say(&mut triage, second, summary).outcome,
            Outcome::JoinedGroup { .. }
        ));
    }
    let repeated = say(&mut triage, 200, "latency of cart is high");
    let fresh = say(&mut triage, 201, "latency of basket is high");
    let again = say(&mut triage, 202, "latency of login is high");
    assert_eq!(again.moved, []);
    let wave = say(&mut triage, 203, "latency of search is high");

    let older = opened(&first).unwrap();
    let younger = opened(&wave).unwrap();
    let alert = |decision: &Decision| match decision.outcome {
        Outcome::OpenedGroup { alert, .. } | Outcome::JoinedGroup { alert, .. } => alert,
        _ => panic!("{decision:?}"),
    };
    assert_eq!(wave.moved, [&repeated, &fresh, &again].map(alert));
    assert!(
        wave.moved
            .iter()
            .all(|moved| triage.group_of(*moved) == Some(younger))
    );
    assert_eq!(triage.group_of(alert(&first)), Some(older));
    assert!(wave.reasons.contains(&Reason::TakenAlong { alerts: 3 }));
    // What only the second incident had so far counts as new to the first again, and as known to the second.
    let seen = say(&mut triage, 210, "latency of basket is high");
    assert!(matches!(seen.outcome, Outcome::JoinedGroup { group, .. } if group == older));
}
