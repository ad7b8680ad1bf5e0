//! What must never harm: texts of a million characters, empty ones, numbers that are none, graphs that go in circles, time from
//! before 1970 and beyond the end. Each public entry is tried with each of them that it takes; the answer is a sensible one or a
//! typed error, never a panic, and what is kept stays small.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use triage::{
    Action, Aggregate, AlertId, AutoPause, Causes, CausesSetting, Change, Changes, Configuration, Ending,
    Event, Features, Flapping, FlappingLimits, GroupId, Grouping, Happening, Kind, Knowledge, Lessons,
    Notification, OriginWeights, Origins, Profile, Setting, Signal, Symptom, Templates, Topology,
    TransientLimits, Transients, Triage, Unknown, Verdict, Weights, choose_group, counts, flatten_details,
    lower_bound, mask, similar, words,
};

const MILLION: usize = 1_000_000;

/// Texts that nobody should send.
fn texts() -> Vec<String> {
    vec![
        String::new(),
        " \t\n".to_owned(),
        "\u{0}\u{202E}\u{FEFF}".to_owned(),
        "x".repeat(MILLION),
        "é".repeat(MILLION),
        "disk 7 ".repeat(MILLION / 7),
        "'".repeat(MILLION),
        ":::://///----".repeat(MILLION / 13),
        "1.".repeat(MILLION / 2),
        "\u{1D54F}\u{301}".repeat(MILLION / 2),
    ]
}

fn instants() -> [Timestamp; 5] {
    [
        Timestamp::MIN,
        "1969-12-31T23:59:59Z".parse().unwrap_or_default(),
        Timestamp::UNIX_EPOCH,
        "2027-01-15T08:00:00Z".parse().unwrap_or_default(),
        Timestamp::MAX,
    ]
}

const NUMBERS: [f64; 8] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN_POSITIVE,
    -1.0,
    0.0,
    1e-300,
];

fn groupings() -> [Grouping; 4] {
    let fields = vec![
        "summary".to_owned(),
        String::new(),
        "custom_details.a.b".to_owned(),
    ];
    [
        Grouping::Time {
            window_seconds: Some(0),
        },
        Grouping::ContentBased {
            aggregate: Aggregate::Any,
            fields: fields.clone(),
            window_seconds: u32::MAX,
        },
        Grouping::Intelligent {
            fields: fields.clone(),
            window_seconds: 60,
        },
        Grouping::ContentBasedIntelligent {
            aggregate: Aggregate::All,
            fields,
            window_seconds: 60,
        },
    ]
}

/// Everything depends on everything, and on itself.
fn circular() -> Topology {
    let mut topology = Topology::default();
    let names = ["a", "b", "c", "d", ""];
    for one in names {
        for other in names {
            topology.add_dependency(one, other);
            topology.add_part(one, other);
        }
        topology.mark_external(one);
    }
    topology
}

#[test]
fn any_text_is_masked_and_filed_under_a_template() {
    let mut templates = Templates::with_capacity(0);
    for text in texts() {
        let masked = mask(&text);
        assert_eq!(mask(&masked), masked);
        let id = templates.learn(&text);
        assert_eq!(templates.find(&text), Some(templates.current(id)));
        assert!(templates.text(id).unwrap().len() <= 8_192);
    }
    assert!(serde_json::to_string(&templates).unwrap().len() < 100_000);
}

#[test]
fn any_event_is_taken_in_every_field_at_any_time() {
    let mut triage = Triage::new(Configuration {
        maximum_open_alerts: 20,
        ..Configuration::default()
    });
    for grouping in groupings() {
        let setting = Setting {
            scope: None,
            grouping,
            auto_pause: AutoPause::Seconds(u32::MAX),
        };
        for text in texts() {
            let details = [(text.clone(), text.clone())];
            let event = Event {
                integration: &text,
                service: &text,
                dedup_key: &text,
                summary: &text,
                source: &text,
                component: Some(&text),
                group: Some(&text),
                class: Some(&text),
                details: &details,
                ..Event::default()
            };
            let features = Features::of(&event, &setting.grouping);
            assert!(serde_json::to_string(&features).unwrap().len() < 10_000);
            for (number, now) in instants().into_iter().enumerate() {
                let action = [Action::Trigger, Action::Acknowledge, Action::Resolve][number % 3];
                let decision = triage.observe(&Event { action, ..event }, &setting, now);
                assert!(
                    decision
                        .reasons
                        .iter()
                        .all(|reason| !reason.to_string().is_empty())
                );
            }
        }
    }
    assert!(triage.open_alerts() <= 20);
    assert!(serde_json::to_string(&triage).unwrap().len() < 1_000_000);
}

#[test]
fn acts_on_what_never_was_are_errors_that_say_so() {
    let mut triage = Triage::default();
    let (alert, group) = (AlertId(u64::MAX), GroupId(u64::MAX));
    assert_eq!(
        triage.resolve_alert(alert, Timestamp::MIN).err(),
        Some(Unknown::Alert(alert))
    );
    assert_eq!(
        triage.close_group(group, Timestamp::MAX),
        Err(Unknown::Group(group))
    );
    assert_eq!(triage.merge(group, group).err(), Some(Unknown::Pointless));
    assert_eq!(
        triage.merge(group, GroupId(0)).err(),
        Some(Unknown::Group(GroupId(0)))
    );
    assert_eq!(triage.split(group, &[]).err(), Some(Unknown::Group(group)));
    assert_eq!(triage.group_of(alert), None);
}

#[test]
fn weights_that_are_no_numbers_still_give_a_choice() {
    let grouping = Grouping::Intelligent {
        fields: vec![],
        window_seconds: 300,
    };
    let event = Event {
        service: "a",
        source: "b",
        summary: "disk full",
        ..Event::default()
    };
    let features = Features::of(&event, &grouping);
    let profile = Profile::open(features.clone(), Timestamp::UNIX_EPOCH);
    let spoils: [fn(&mut Weights, f64); 8] = [
        |weights, number| weights.bias = number,
        |weights, number| weights.needed = number,
        |weights, number| weights.plenty = number,
        |weights, number| weights.gap = number,
        |weights, number| weights.neutral_gap_seconds = number,
        |weights, number| weights.hops = [number; 4],
        |weights, number| weights.age = number,
        |weights, number| weights.text = number,
    ];
    for number in NUMBERS {
        for spoil in spoils {
            let mut knowledge = Knowledge {
                topology: circular(),
                ..Knowledge::default()
            };
            spoil(&mut knowledge.weights, number);
            for now in instants() {
                let choice = choose_group(&grouping, &features, &[&profile, &profile], &knowledge, now);
                assert!(!choice.reasons.is_empty() && choice.joined.is_none_or(|index| index < 2));
            }
        }
    }
}

#[test]
fn profiles_stay_small_whatever_joins_or_leaves() {
    let grouping = Grouping::default();
    let of = |number: usize| {
        let text = format!("{} {number}", "word ".repeat(300));
        let event = Event {
            service: "s",
            source: &text,
            summary: &text,
            class: Some(&text),
            ..Event::default()
        };
        Features::of(&event, &grouping)
    };
    let mut profile = Profile::open(of(0), Timestamp::MAX);
    for number in 1..3_000 {
        profile.add(of(number), instants()[number % 5]);
    }
    let other = profile.clone();
    profile.absorb(other);
    let gone: Vec<Features> = (0..3_000).map(of).collect();
    profile.cede(&gone);
    profile.cede(&gone);
    assert!(serde_json::to_string(&profile).unwrap().len() < 60_000);
    assert!(profile.opened_at() <= profile.last_alert_at());
}

#[test]
fn graphs_in_circles_and_names_of_a_million_characters_are_walked() {
    let mut topology = circular();
    for text in texts() {
        topology.add_dependency(&text, "a");
        topology.add_part("a", &text);
        assert!(
            topology
                .node(&text)
                .is_some_and(|node| topology.name(node).len() <= 255)
        );
        assert_eq!(topology.hops(&text, &text, u8::MAX), Some(0));
    }
    let start = topology.node("a").unwrap();
    for limit in [0, 1, u8::MAX] {
        assert!(!topology.neighbourhood(start, limit).is_empty());
        assert!(!topology.needs(start, limit).is_empty());
    }
    assert!(serde_json::to_string(&topology).unwrap().len() < 20_000);
    for spoiled in [
        r#"{"names":["a","a","b"],"dependencies":[[0,1],[1,0],[2,2],[7,0],[4294967295,0]]}"#,
        r#"{"names":[],"dependencies":[[0,0]],"parts":[[0,0]],"external":[0,1]}"#,
    ] {
        let topology: Topology = serde_json::from_str(spoiled).unwrap();
        assert!(topology.len() <= 3);
    }
}

#[test]
fn origins_are_ranked_with_finite_scores_in_a_graph_of_circles() {
    let texts = texts();
    let topology = circular();
    let places = ["a", "b", "", texts[3].as_str(), texts[4].as_str()];
    let mut symptoms: Vec<Symptom<'_>> = Vec::new();
    for (number, deviation) in NUMBERS.into_iter().enumerate() {
        symptoms.push(Symptom {
            place: places[number % places.len()],
            signal: [Signal::Alert, Signal::Metric, Signal::Log, Signal::SlowCall][number % 4],
            kind: &texts[number % texts.len()],
            count: [0, 1, u32::MAX][number % 3],
            at: instants().get(number).copied(),
            deviation: Some(deviation),
            noticed_by: Some(places[(number + 1) % places.len()]),
        });
    }
    let changes = [Change {
        place: &texts[3],
        kind: &texts[3],
        summary: &texts[3],
        at: Timestamp::MIN,
    }];
    let mut origins = Origins::new(OriginWeights::default(), 0);
    for _ in 0..3 {
        let suspects = origins.rank(&symptoms, &topology, &changes);
        assert!(!suspects.is_empty() && suspects.iter().all(|suspect| suspect.score.is_finite()));
        origins.remember(&symptoms);
        let confirmation = origins.confirm(&symptoms, &texts[3]);
        drop(origins.confirm(&[], ""));
        origins.take_back(&confirmation);
        origins.take_back(&confirmation);
    }
    assert!(origins.rank(&[], &topology, &[]).len() <= topology.len());
    assert!(serde_json::to_string(&origins).unwrap().len() < 100_000);
    for number in NUMBERS {
        let weights = OriginWeights {
            usual_deviation: number,
            walk: number,
            onset: number,
            ..OriginWeights::default()
        };
        assert!(
            !Origins::new(weights, 10)
                .rank(&symptoms, &topology, &changes)
                .is_empty()
        );
    }
}

#[test]
fn changes_are_correlated_at_any_time_and_blame_never_runs_over() {
    let text = "x".repeat(MILLION);
    let topology = circular();
    let mut changes = Changes::default();
    let all: Vec<Change<'_>> = instants()
        .into_iter()
        .flat_map(|at| {
            ["", "a", text.as_str()].map(|place| Change {
                place,
                kind: place,
                summary: place,
                at,
            })
        })
        .collect();
    for change in &all {
        changes.absolve(change);
        changes.blame(change);
        changes.remember(change);
        let risk = changes.risk(change);
        assert!(
            (0.0..=1.0).contains(&risk.share) && risk.lower <= risk.upper,
            "{risk:?}"
        );
    }
    for onset in instants() {
        for found in changes.correlate(&["", "b", &text], onset, &all, &topology) {
            assert!((0.0..=1.0).contains(&found.score) && found.change < all.len());
        }
    }
    assert!(changes.correlate(&[], Timestamp::MIN, &all, &topology).len() <= all.len());
    assert!(serde_json::to_string(&changes).unwrap().len() < 10_000);
}

#[test]
fn causes_are_learned_under_any_setting() {
    let text = "x".repeat(MILLION);
    let history: Vec<Happening<'_>> = (0..60)
        .map(|number| Happening {
            kind: Kind::of(&text, ["", "a"][number % 2]),
            place: ["", "a", text.as_str()][number % 3],
            at: instants()[number % 5],
        })
        .collect();
    for number in NUMBERS {
        for (window_seconds, possible_causes, history_read) in [(0, 0, 0), (u32::MAX, usize::MAX, usize::MAX)]
        {
            let setting = CausesSetting {
                window_seconds,
                decays_seconds: vec![number, 1.0, number],
                iterations: 3,
                discount: number,
                lowest_rate: number,
                possible_causes,
                history: history_read,
            };
            let causes = Causes::learn(&history, &circular(), &setting);
            assert!(
                causes
                    .by_rate()
                    .iter()
                    .all(|cause| cause.rate.is_finite() && cause.share.is_finite()),
                "{number}: {causes:?}"
            );
        }
    }
    assert!(Causes::learn(&[], &Topology::default(), &CausesSetting::default()).is_empty());
}

#[test]
fn pauses_and_flapping_follow_limits_that_are_no_numbers() {
    let kind = Kind::of("", "");
    for number in NUMBERS {
        let limits = TransientLimits {
            share: number,
            deviations: number,
            memory: 0,
            capacity: 0,
        };
        let flapping_limits = FlappingLimits {
            half_life_seconds: number,
            starts_at: number,
            stops_at: number,
            capacity: 0,
        };
        let (mut transients, mut flapping) = (Transients::default(), Flapping::default());
        for now in instants() {
            for age in [SignedDuration::MIN, SignedDuration::ZERO, SignedDuration::MAX] {
                transients.learn(&limits, kind, Ending::ByItself, age);
                transients.learn(&limits, kind, Ending::ByPerson, age);
            }
            if let Some((until, _)) = transients.pause(&limits, AutoPause::Recommended, kind, now) {
                assert!(until > now);
            }
            flapping.change(&flapping_limits, "", "", now);
            assert!(flapping.calm_in_seconds(&flapping_limits, "", "", now) >= 0);
        }
        let bound = lower_bound(u32::MAX, 1, number);
        assert!((0.0..=1.0).contains(&bound), "{number} {bound}");
    }
    assert!(lower_bound(0, 0, 1.645) <= 0.0);
}

#[test]
fn lessons_with_any_kinds_are_taken_back_whole() {
    let kinds: Vec<Kind> = (0..2_000).map(|number| Kind::from_bits(number * 7)).collect();
    let mut lessons = Lessons::with_capacity(0);
    let lesson = lessons.teach(Verdict::Together, &kinds, &[]);
    lessons.unteach(&lesson);
    let lesson = lessons.teach(Verdict::Apart, &kinds, &kinds);
    lessons.unteach(&lesson);
    lessons.unteach(&lesson);
    assert!(lessons.is_empty());
    lessons.recall((kinds[0], kinds[1]), u32::MAX, u32::MAX);
    let lesson = lessons.teach(Verdict::Together, &kinds[..1], &kinds[1..2]);
    lessons.unteach(&lesson);
}

#[test]
fn details_of_any_depth_and_width_are_flattened_within_bounds() {
    let mut deep = json!("end");
    for _ in 0..100 {
        deep = json!({ "x".repeat(10_000): [deep, null, 1e308] });
    }
    let wide: serde_json::Map<String, serde_json::Value> = (0..10_000)
        .map(|number| (number.to_string(), json!("y".repeat(1_000))))
        .collect();
    for details in [
        deep,
        wide.into(),
        json!(null),
        json!("z".repeat(MILLION)),
        json!([]),
    ] {
        let flat = flatten_details(&details);
        let bytes: usize = flat.iter().map(|(path, value)| path.len() + value.len()).sum();
        assert!(flat.len() <= 64 && bytes < 200_000, "{} {bytes}", flat.len());
    }
}

#[test]
fn counts_of_any_key_at_any_time_raise_finite_alarms() {
    for number in NUMBERS {
        let mut monitor = counts::Monitor::new(counts::Settings {
            false_alarms_per_week: number,
            bucket_seconds: 3_600,
            keys_maximum: 3,
            ..counts::Settings::default()
        });
        for now in [0, i64::MIN, 3_600, -1, 40 * 86_400, i64::MAX, i64::MAX] {
            for text in texts().iter().take(4) {
                for key in counts::Key::grains(text, text) {
                    monitor.observe(&key, u32::MAX);
                }
            }
            for alarm in monitor.advance(now) {
                assert!(alarm.expected.is_finite() && alarm.chance_per_week >= 0.0);
            }
        }
        assert!(monitor.len() <= 3);
    }
}

#[test]
fn any_words_are_taught_asked_and_gathered() {
    let mut classifier = words::Classifier::new(words::Settings {
        keep: f64::NAN,
        candidates: 0,
        topics_maximum: 3,
        examples_maximum: 0,
        history_maximum: 0,
        weights_maximum: 0,
    });
    let mut discovery = words::discovery::Discovery::new(words::discovery::Settings {
        likeness: f64::NAN,
        clusters_maximum: 0,
    });
    for text in texts() {
        for topic in ["one", "two", text.as_str(), "four"] {
            match classifier.teach(topic, &text) {
                Ok(()) | Err(words::TeachError::NoWords | words::TeachError::TooManyTopics(3)) => {}
                Err(other) => panic!("{other}"),
            }
            classifier.describe(topic, &text);
        }
        assert!(classifier.teach_stranger(&text).is_ok() || words::tokens(&text).is_empty());
        classifier.observe(&text);
        assert!(words::tokens(&text).len() <= words::TOKENS_READ);
        discovery.place(&text);
        discovery.observe(&text);
        assert!(discovery.clusters().len() <= 1);
    }
    classifier.fit();
    for text in texts() {
        let verdict = classifier.classify(&text);
        assert!((0.0..=1.0).contains(&verdict.fit));
        classifier.unteach("one", &text);
        classifier.forget(&text);
    }
    assert!(discovery.name(u64::MAX).is_empty() && !discovery.merge(0, u64::MAX));
    discovery.remove(u64::MAX);
}

#[test]
fn any_report_is_kept_ranked_and_taught_within_bounds() {
    let mut index = similar::Index::new(similar::Settings { reports_maximum: 0 });
    for (number, text) in texts().into_iter().enumerate() {
        let report = similar::Report {
            title: text.clone(),
            body: text.clone(),
            template: Some(text.clone()),
            services: vec![text.clone(); 2],
            touchpoints: vec![String::new(); 200],
            locations: vec![text.clone()],
            at: [None, Some(i64::MIN), Some(i64::MAX)][number % 3],
        };
        index.insert(&number.to_string(), report.clone());
        for limit in [0, 1, usize::MAX] {
            let found = index.rank(&report, limit);
            assert!(found.len() <= limit && found.iter().all(|found| found.score.is_finite()));
        }
        for id in ["", "0", &number.to_string()] {
            index.confirm(&report, id);
            index.refuse(&report, id);
            index.take_back(&report, id);
        }
    }
    assert_eq!(index.len(), 1);
    assert!(serde_json::to_string(&index).unwrap().len() < 1_000_000);
    index.remove("9");
    assert!(index.is_empty() && index.get("9").is_none());
}

#[test]
fn a_pause_at_the_end_of_time_notifies_now() {
    let mut triage = Triage::default();
    let setting = Setting {
        auto_pause: AutoPause::Recommended,
        ..Setting::default()
    };
    fn event(dedup_key: &str, action: Action) -> Event<'_> {
        Event {
            dedup_key,
            action,
            class: Some("c"),
            ..Event::default()
        }
    }
    for number in 0..50 {
        let key = number.to_string();
        triage.observe(&event(&key, Action::Trigger), &setting, Timestamp::UNIX_EPOCH);
        triage.observe(&event(&key, Action::Resolve), &setting, Timestamp::UNIX_EPOCH);
    }
    let now = triage.observe(&event("x", Action::Trigger), &setting, Timestamp::UNIX_EPOCH);
    assert!(matches!(now.notification, Notification::PauseUntil { .. }));
    let end = triage.observe(&event("y", Action::Trigger), &setting, Timestamp::MAX);
    assert_eq!(end.notification, Notification::Now);
}
