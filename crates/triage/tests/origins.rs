//! The probable origin of a cascade, from outside.

#![expect(clippy::unwrap_used, reason = "the helpers of these tests may fail loudly")]

use jiff::Timestamp;
use proptest::prelude::*;
use triage::{Change, Origins, Reason, Signal, Symptom, Topology};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn symptom<'a>(place: &'a str, kind: &'a str) -> Symptom<'a> {
    Symptom {
        place,
        signal: Signal::Alert,
        kind,
        count: 1,
        at: None,
        deviation: None,
        noticed_by: None,
    }
}

fn first(origins: &Origins, symptoms: &[Symptom<'_>], topology: &Topology) -> String {
    origins.rank(symptoms, topology, &[])[0].place.clone()
}

#[test]
fn what_is_rare_for_the_place_points_to_it() {
    let mut origins = Origins::default();
    for _ in 0..10 {
        origins.remember(&[symptom("cache", "slow"), symptom("shop", "slow")]);
    }
    let cascade = [
        symptom("cache", "slow"),
        symptom("shop", "slow"),
        symptom("queue", "stuck"),
    ];
    let suspects = origins.rank(&cascade, &Topology::default(), &[]);
    assert_eq!(suspects[0].place, "queue");
    assert!(
        suspects[0]
            .reasons
            .iter()
            .any(|reason| matches!(reason, Reason::RareSymptoms { .. }))
    );
}

#[test]
fn trouble_travels_from_what_is_needed() {
    let mut topology = Topology::default();
    topology.add_dependency("shop", "payment");
    topology.add_dependency("payment", "bank");
    let cascade = [symptom("shop", "failing"), symptom("payment", "failing")];
    assert_eq!(first(&Origins::default(), &cascade, &topology), "payment");
}

#[test]
fn a_service_is_suspected_when_most_of_its_instances_suffer() {
    let mut topology = Topology::default();
    for instance in ["a-0", "a-1", "a-2", "a-3"] {
        topology.add_part(instance, "a");
    }
    let all = ["a-0", "a-1", "a-2", "a-3"].map(|instance| symptom(instance, "slow"));
    assert_eq!(first(&Origins::default(), &all, &topology), "a");
    assert_eq!(first(&Origins::default(), &all[..1], &topology), "a-0");
}

#[test]
fn the_earlier_of_two_equals_is_suspected() {
    let cascade = [
        Symptom {
            at: Some(at(60)),
            ..symptom("a", "slow")
        },
        Symptom {
            at: Some(at(0)),
            ..symptom("b", "slow")
        },
    ];
    assert_eq!(first(&Origins::default(), &cascade, &Topology::default()), "b");
}

#[test]
fn a_recent_change_makes_a_suspect() {
    let cascade = [
        Symptom {
            at: Some(at(0)),
            ..symptom("a", "slow")
        },
        Symptom {
            at: Some(at(0)),
            ..symptom("b", "slow")
        },
    ];
    let change = Change {
        place: "b",
        kind: "deploy",
        summary: "release 7",
        at: at(-300),
    };
    let suspects = Origins::default().rank(&cascade, &Topology::default(), &[change]);
    assert_eq!(suspects[0].place, "b");
    let sentences: Vec<String> = suspects[0].reasons.iter().map(ToString::to_string).collect();
    assert!(
        sentences.contains(&"It was changed 5 minutes before: “release 7”.".to_owned()),
        "{sentences:?}"
    );
}

#[test]
fn a_place_seen_only_from_outside_is_not_blamed_for_what_is_behind_it() {
    let mut topology = Topology::default();
    topology.add_dependency("shop", "gateway address");
    topology.add_dependency("shop", "payment");
    topology.mark_external("gateway address");
    let slow = |place, deviation| Symptom {
        deviation: Some(deviation),
        ..symptom(place, "latency")
    };
    let cascade = [
        slow("shop", 9.0),
        slow("gateway address", 20.0),
        slow("payment", 8.0),
    ];
    assert_eq!(first(&Origins::default(), &cascade, &topology), "payment");
}

#[test]
fn confirmed_origins_teach() {
    let mut origins = Origins::default();
    let cascade = [symptom("a", "slow"), symptom("b", "slow")];
    let taught: Vec<_> = (0..3).map(|_| origins.confirm(&cascade, "b")).collect();
    assert_eq!(first(&origins, &cascade, &Topology::default()), "b");
    for confirmation in &taught {
        origins.take_back(confirmation);
    }
    assert_eq!(origins, Origins::default());
}

prop_compose! {
    fn symptoms()(rows in prop::collection::vec(
        (0_u8..6, 0_u8..5, "\\PC{0,3}", any::<u32>(), prop::option::of(-10_000_i64..10_000), prop::option::of(any::<f64>()), prop::option::of(0_u8..6)),
        0..20,
    )) -> Vec<(String, u8, String, u32, Option<i64>, Option<f64>, Option<String>)> {
        rows.into_iter()
            .map(|(place, signal, kind, count, second, deviation, caller)| {
                (format!("p{place}"), signal, kind, count, second, deviation, caller.map(|caller| format!("p{caller}")))
            })
            .collect()
    }
}

type Row = (String, u8, String, u32, Option<i64>, Option<f64>, Option<String>);

fn borrow(rows: &[Row]) -> Vec<Symptom<'_>> {
    let signals = [
        Signal::Alert,
        Signal::Metric,
        Signal::Log,
        Signal::SlowCall,
        Signal::FailedCall,
    ];
    rows.iter()
        .map(
            |(place, signal, kind, count, second, deviation, caller)| Symptom {
                place,
                signal: signals[usize::from(*signal)],
                kind,
                count: *count,
                at: second.map(at),
                deviation: *deviation,
                noticed_by: caller.as_deref(),
            },
        )
        .collect()
}

fn cyclic() -> Topology {
    let mut topology = Topology::default();
    for number in 0..6 {
        topology.add_dependency(&format!("p{number}"), &format!("p{}", (number + 1) % 6));
        topology.add_part(&format!("p{number}"), "p0");
    }
    topology
}

proptest! {
    #[test]
    fn any_cascade_is_ranked_in_order_with_finite_scores(past in symptoms(), now in symptoms()) {
        let mut origins = Origins::default();
        origins.remember(&borrow(&past));
        let suspects = origins.rank(&borrow(&now), &cyclic(), &[]);
        prop_assert!(suspects.iter().all(|suspect| suspect.score.is_finite()));
        prop_assert!(suspects.windows(2).all(|pair| pair[0].score >= pair[1].score));
    }

    #[test]
    fn a_restart_changes_no_ranking(past in symptoms(), now in symptoms()) {
        let mut origins = Origins::default();
        origins.remember(&borrow(&past));
        drop(origins.confirm(&borrow(&past), "p1"));
        let restored: Origins = serde_json::from_str(&serde_json::to_string(&origins).unwrap()).unwrap();
        prop_assert_eq!(origins.rank(&borrow(&now), &cyclic(), &[]), restored.rank(&borrow(&now), &cyclic(), &[]));
    }

    #[test]
    fn taking_back_in_any_order_restores_what_was(cascades in prop::collection::vec((symptoms(), 0_u8..6), 1..5)) {
        let mut origins = Origins::default();
        let taught: Vec<_> =
            cascades.iter().map(|(rows, origin)| origins.confirm(&borrow(rows), &format!("p{origin}"))).collect();
        for confirmation in &taught {
            origins.take_back(confirmation);
        }
        prop_assert_eq!(origins, Origins::default());
    }
}

#[test]
fn a_confirmed_origin_is_a_suspect_even_when_it_shows_nothing() {
    let mut topology = Topology::default();
    topology.add_dependency("web", "login");
    let symptoms = [symptom("web", "slow"), symptom("cache", "slow")];
    let mut origins = Origins::default();
    let silent = |origins: &Origins| {
        let suspects = origins.rank(&symptoms, &topology, &[]);
        suspects.iter().position(|suspect| suspect.place == "login")
    };
    assert_eq!(silent(&origins), None);
    let taught: Vec<_> = (0..6).map(|_| origins.confirm(&symptoms, "login")).collect();
    assert_eq!(silent(&origins), Some(0));
    for confirmation in &taught {
        origins.take_back(confirmation);
    }
    assert_eq!(silent(&origins), None);
}

#[test]
fn what_every_place_shows_tells_less_than_what_one_shows() {
    let symptoms = [
        symptom("one", "slow"),
        symptom("two", "slow"),
        symptom("three", "slow"),
        symptom("three", "disk full"),
    ];
    let suspects = Origins::default().rank(&symptoms, &Topology::default(), &[]);
    assert_eq!(suspects[0].place, "three");
    assert!(suspects[0].score > 2.0 * suspects[1].score, "{suspects:?}");
}
