//! What senders and people get wrong, one test for each: a typed error, or a sensible answer. More of it, in every field
//! and at every door, is in `hostile.rs`.

use jiff::{SignedDuration, Timestamp};
use triage::counts::{Key, Monitor, Settings};
use triage::similar::{Index, Report};
use triage::words::{Classifier, Decision, TeachError};
use triage::{
    AlertId, Change, Changes, Configuration, Event, Flapping, FlappingLimits, GroupId, Grouping, Origins,
    Outcome, Setting, Signal, Symptom, Templates, Topology, Triage, Unknown, lower_bound,
};

fn event<'a>(key: &'a str, summary: &'a str) -> Event<'a> {
    Event {
        integration: "monitoring",
        service: "shop",
        dedup_key: key,
        summary,
        ..Event::default()
    }
}

fn intelligent(window_seconds: u32) -> Setting {
    Setting {
        grouping: Grouping::Intelligent {
            fields: vec![],
            window_seconds,
        },
        ..Setting::default()
    }
}

#[test]
fn empty_texts_in_every_field_make_an_alert_like_others() {
    let mut triage = Triage::new(Configuration::default());
    let empty = Event {
        integration: "",
        service: "",
        dedup_key: "",
        ..Event::default()
    };
    let first = triage.observe(&empty, &intelligent(300), Timestamp::UNIX_EPOCH);
    assert!(matches!(first.outcome, Outcome::OpenedGroup { .. }));
    let again = triage.observe(&empty, &intelligent(300), Timestamp::UNIX_EPOCH);
    assert!(matches!(again.outcome, Outcome::Repeated { .. }));
    assert!(!again.reasons.is_empty());
}

#[test]
fn empty_texts_teach_nothing_and_fit_nothing() {
    let mut classifier = Classifier::default();
    assert_eq!(classifier.teach("topic", " \n\u{200b}"), Err(TeachError::NoWords));
    classifier.fit();
    assert_eq!(classifier.classify("").decision, Decision::NotTrained);
    assert_eq!(triage::words::discovery::Discovery::default().observe(""), None);
    assert!(triage::words::tokens("").is_empty());
    assert_eq!(triage::mask(""), "");
    let mut templates = Templates::default();
    let template = templates.learn("");
    assert_eq!(templates.text(template).as_deref(), Some(""));
    let mut index = Index::default();
    index.insert("", Report::default());
    assert!(index.rank(&Report::default(), 5).is_empty());
}

#[test]
fn a_window_of_no_length_still_gives_every_alert_a_group() {
    let mut triage = Triage::default();
    for (second, key) in [(0, "a"), (0, "b"), (5, "c")] {
        let now = Timestamp::from_second(second).unwrap();
        let decision = triage.observe(&event(key, "disk full"), &intelligent(0), now);
        let (Outcome::OpenedGroup { alert, .. } | Outcome::JoinedGroup { alert, .. }) = decision.outcome
        else {
            panic!("{decision:?}");
        };
        assert!(triage.group_of(alert).is_some());
    }
}

#[test]
fn instants_before_the_epoch_are_instants_like_others() {
    let mut triage = Triage::default();
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let setting = intelligent(300);
    triage.observe(
        &event("a", "checkout is slow"),
        &setting,
        at("1912-04-14T23:40:00Z"),
    );
    let near = triage.observe(
        &event("b", "checkout is slow"),
        &setting,
        at("1912-04-14T23:41:00Z"),
    );
    assert!(matches!(near.outcome, Outcome::JoinedGroup { .. }));
    let late = triage.observe(
        &event("c", "checkout is slow"),
        &setting,
        at("1912-04-15T02:20:00Z"),
    );
    assert!(matches!(late.outcome, Outcome::OpenedGroup { .. }));

    let mut monitor = Monitor::new(Settings::default());
    assert!(monitor.advance(-2_000_000_000).is_empty());
    monitor.observe(&Key::at("card", "berlin"), 1);
    assert!(monitor.advance(-1_999_999_000).is_empty());
    assert_eq!(monitor.len(), 1);
}

#[test]
fn numbers_that_are_not_finite_weigh_nothing() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
        let symptom = Symptom {
            place: "shop",
            signal: Signal::Metric,
            kind: "latency up",
            count: 0,
            at: None,
            deviation: Some(number),
            noticed_by: None,
        };
        let suspects = Origins::default().rank(&[symptom], &Topology::default(), &[]);
        assert!(suspects[0].score.is_finite(), "{number}");
        let limits = FlappingLimits {
            half_life_seconds: number,
            ..FlappingLimits::default()
        };
        let mut flapping = Flapping::default();
        for _ in 0..10 {
            flapping.change(&limits, "monitoring", "link", Timestamp::UNIX_EPOCH);
        }
        assert!(flapping.calm_in_seconds(&limits, "monitoring", "link", Timestamp::UNIX_EPOCH) >= 0);
        assert!((0.0..=1.0).contains(&lower_bound(5, 9, number)), "{number}");
    }
}

#[test]
fn a_title_of_a_million_characters_is_a_title() {
    let title = "checkout is slow ".repeat(60_000);
    let mut triage = Triage::default();
    let setting = intelligent(300);
    triage.observe(&event("a", &title), &setting, Timestamp::UNIX_EPOCH);
    let second = triage.observe(&event("b", &title), &setting, Timestamp::UNIX_EPOCH);
    assert!(matches!(second.outcome, Outcome::JoinedGroup { .. }));
    assert!(serde_json::to_string(&triage).unwrap().len() < 100_000);
}

#[test]
fn a_graph_in_a_circle_is_walked_once_around() {
    let mut topology = Topology::default();
    for (dependent, supporting) in [("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")] {
        topology.add_dependency(dependent, supporting);
    }
    assert_eq!(
        (topology.hops("a", "c", 9), topology.hops("a", "a", 9)),
        (Some(1), Some(0))
    );
    let start = topology.node("a").unwrap();
    assert_eq!(topology.needs(start, 9).len(), 3);
    assert_eq!(topology.neighbourhood(start, 9).len(), 3);
    let change = Change {
        place: "b",
        kind: "deploy",
        summary: "",
        at: Timestamp::UNIX_EPOCH,
    };
    let onset = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(1);
    assert_eq!(
        Changes::default()
            .correlate(&["c"], onset, &[change], &topology)
            .len(),
        1
    );
    let symptoms = ["a", "b", "c"].map(|place| Symptom {
        place,
        signal: Signal::Alert,
        kind: "down",
        count: 1,
        at: None,
        deviation: None,
        noticed_by: None,
    });
    let suspects = Origins::default().rank(&symptoms, &topology, &[]);
    assert!(suspects.len() == 3 && suspects.iter().all(|suspect| suspect.score.is_finite()));
}

#[test]
fn alerts_and_groups_that_are_absent_are_errors_that_name_them() {
    let mut triage = Triage::default();
    let now = Timestamp::UNIX_EPOCH;
    assert_eq!(
        triage.resolve_alert(AlertId(7), now).unwrap_err(),
        Unknown::Alert(AlertId(7))
    );
    assert_eq!(
        triage.close_group(GroupId(7), now).unwrap_err(),
        Unknown::Group(GroupId(7))
    );
    assert_eq!(
        triage.merge(GroupId(1), GroupId(1)).unwrap_err(),
        Unknown::Pointless
    );
    assert_eq!(
        triage.split(GroupId(7), &[]).unwrap_err(),
        Unknown::Group(GroupId(7))
    );
}
