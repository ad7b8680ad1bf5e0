//! The explainable score: each piece of evidence counts as it says, and the sum is what decides.

#![expect(clippy::unwrap_used, reason = "the helpers of these tests may fail loudly")]

use jiff::Timestamp;
use triage::{
    Causes, CausesSetting, Choice, Event, Features, Grouping, Happening, Knowledge, Profile, Reason,
    Topology, Verdict, Weights, choose_group,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn grouping() -> Grouping {
    Grouping::Intelligent {
        fields: vec![],
        window_seconds: 3_600,
    }
}

/// Two alerts with nothing in common, not even the service.
fn strangers() -> (Event<'static>, Event<'static>) {
    let first = Event {
        service: "shop",
        source: "till 7",
        summary: "card reader offline",
        ..Event::default()
    };
    let second = Event {
        service: "warehouse",
        source: "conveyor",
        summary: "belt is stuck",
        ..Event::default()
    };
    (first, second)
}

fn choose(first: &Event<'_>, second: &Event<'_>, seconds: i64, knowledge: &Knowledge) -> Choice {
    let open = Profile::open(Features::of(first, &grouping()), at(0));
    let features = Features::of(second, &grouping());
    choose_group(&grouping(), &features, &[&open], knowledge, at(seconds))
}

fn score(choice: &Choice) -> f64 {
    let is_score = |reason: &Reason| match reason {
        Reason::Score { score, .. } => Some(*score),
        _ => None,
    };
    choice.reasons.iter().find_map(is_score).unwrap()
}

/// What the reasons add up to. How old a group is decides only between groups.
fn sum(choice: &Choice, weights: &Weights) -> f64 {
    let weight = |reason: &Reason| match reason {
        Reason::Age { .. } | Reason::Score { .. } => 0.0,
        reason => serde_json::to_value(reason).unwrap()["weight"]
            .as_f64()
            .unwrap_or(0.0),
    };
    weights.bias + choice.reasons.iter().map(weight).sum::<f64>()
}

/// Learned from a past in which the second kind always came shortly after the first, on the same service.
fn learned_causes(first: &Event<'_>, second: &Event<'_>) -> Causes {
    let kinds = [first, second].map(|event| Features::of(event, &grouping()).kind());
    let history: Vec<Happening<'_>> = (0..40_i64)
        .flat_map(|round| {
            [0, 1].map(|number| Happening {
                kind: kinds[number],
                place: "shop",
                at: at(round * 5_000 + 20 * number as i64),
            })
        })
        .collect();
    Causes::learn(&history, &Topology::default(), &CausesSetting::default())
}

fn taught(first: &Event<'_>, second: &Event<'_>, verdict: Verdict) -> Knowledge {
    let kinds = [first, second].map(|event| Features::of(event, &grouping()).kind());
    let mut knowledge = Knowledge::default();
    drop(knowledge.lessons.teach(verdict, &kinds[..1], &kinds[1..]));
    knowledge
}

fn graph() -> Knowledge {
    let mut knowledge = Knowledge::default();
    knowledge.topology.add_dependency("till 7", "conveyor");
    knowledge
}

#[test]
fn alerts_with_nothing_in_common_stay_apart() {
    let (first, second) = strangers();
    let choice = choose(&first, &second, 10, &Knowledge::default());
    assert_eq!(choice.joined, None);
    assert!(score(&choice) < 0.0);
}

#[test]
fn each_piece_of_evidence_raises_the_score_and_is_named() {
    let (first, second) = strangers();
    let nothing = score(&choose(&first, &second, 10, &Knowledge::default()));
    let with = |second: Event<'static>, knowledge: Knowledge| choose(&first, &second, 10, &knowledge);
    let labelled = |event: Event<'static>| Event {
        class: Some("hardware"),
        group: Some("leeds"),
        ..event
    };
    let labels = choose(&labelled(first), &labelled(second), 10, &Knowledge::default());
    let causes = Knowledge {
        causes: learned_causes(&first, &second),
        ..Knowledge::default()
    };
    let cases: [(&str, Choice, fn(&Reason) -> bool); 8] = [
        ("hops", with(second, graph()), |reason| {
            matches!(reason, Reason::Hops { hops: 1, .. })
        }),
        (
            "template",
            with(
                Event {
                    summary: "card reader offline",
                    ..second
                },
                Knowledge::default(),
            ),
            |reason| matches!(reason, Reason::SameTemplate { .. }),
        ),
        (
            "text",
            with(
                Event {
                    summary: "card scanner offline",
                    ..second
                },
                Knowledge::default(),
            ),
            |reason| matches!(reason, Reason::SimilarText { share, .. } if *share > 0.2),
        ),
        (
            "learned pair",
            with(second, causes),
            |reason| matches!(reason, Reason::BroughtAbout { share, .. } if *share > 0.8),
        ),
        (
            "labels",
            labels,
            |reason| matches!(reason, Reason::SharedLabels { share, .. } if *share > 0.4),
        ),
        (
            "people",
            with(second, taught(&first, &second, Verdict::Together)),
            |reason| {
                matches!(
                    reason,
                    Reason::PeopleDecided {
                        together: 1,
                        apart: 0,
                        ..
                    }
                )
            },
        ),
        (
            "service",
            with(
                Event {
                    service: "shop",
                    ..second
                },
                Knowledge::default(),
            ),
            |reason| matches!(reason, Reason::SameService { .. }),
        ),
        (
            "source",
            with(
                Event {
                    source: "till 7",
                    ..second
                },
                Knowledge::default(),
            ),
            |reason| matches!(reason, Reason::SameSource { .. }),
        ),
    ];
    for (name, choice, is_named) in cases {
        assert!(score(&choice) > nothing + 0.1, "{name}: {choice:?}");
        assert!(choice.reasons.iter().any(is_named), "{name}: {choice:?}");
        let sum = sum(&choice, &Weights::default());
        assert!((score(&choice) - sum).abs() < 1e-9, "{name}: {sum} {choice:?}");
    }
}

#[test]
fn what_speaks_against_lowers_it() {
    let (first, second) = strangers();
    let nothing = score(&choose(&first, &second, 10, &Knowledge::default()));
    let apart = choose(&first, &second, 10, &taught(&first, &second, Verdict::Apart));
    assert!(score(&apart) < nothing - 1.0, "{apart:?}");
    let mut elsewhere = Knowledge::default();
    elsewhere.topology.add("till 7");
    elsewhere.topology.add("conveyor");
    let no_path = choose(&first, &second, 10, &elsewhere);
    assert!(score(&no_path) < nothing - 1.0, "{no_path:?}");
    assert!(
        no_path
            .reasons
            .iter()
            .any(|reason| matches!(reason, Reason::NoPath { .. }))
    );
    for choice in [apart, no_path] {
        assert!((score(&choice) - sum(&choice, &Weights::default())).abs() < 1e-9);
    }
}

#[test]
fn the_longer_the_gap_the_less_it_says() {
    let (first, second) = strangers();
    let scores: Vec<f64> = [0, 10, 60, 300, 1_200, 3_000]
        .map(|seconds| score(&choose(&first, &second, seconds, &Knowledge::default())))
        .to_vec();
    assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]), "{scores:?}");
    assert!(scores[0] > scores[3] + 0.5, "{scores:?}");
}

#[test]
fn a_pair_that_always_came_together_joins_what_nothing_else_would() {
    let (first, second) = strangers();
    let second = Event {
        service: "shop",
        ..second
    };
    assert_eq!(choose(&first, &second, 20, &Knowledge::default()).joined, None);
    let knowledge = Knowledge {
        causes: learned_causes(&first, &second),
        ..Knowledge::default()
    };
    let choice = choose(&first, &second, 20, &knowledge);
    assert_eq!(choice.joined, Some(0), "{choice:?}");
}

#[test]
fn of_several_that_fit_the_one_with_more_evidence_is_joined_and_order_does_not_matter() {
    let (first, second) = strangers();
    let near = Event {
        summary: "conveyor of till 7 is stuck",
        ..first
    };
    let knowledge = graph();
    let open = [first, near].map(|event| Profile::open(Features::of(&event, &grouping()), at(0)));
    let second = Event {
        summary: "belt of till 7 is stuck",
        ..second
    };
    let features = Features::of(&second, &grouping());
    let of =
        |candidates: &[&Profile]| choose_group(&grouping(), &features, candidates, &knowledge, at(20)).joined;
    assert_eq!(of(&[&open[0], &open[1]]), Some(1));
    assert_eq!(of(&[&open[1], &open[0]]), Some(0));
}

#[test]
fn content_or_else_the_score_joins_by_either() {
    let grouping = Grouping::ContentBasedIntelligent {
        aggregate: triage::Aggregate::All,
        fields: vec!["class".to_owned()],
        window_seconds: 300,
    };
    let (first, second) = strangers();
    let class = |event: Event<'static>, class| Event {
        class: Some(class),
        ..event
    };
    let joined = |first: &Event<'_>, second: &Event<'_>| {
        let open = Profile::open(Features::of(first, &grouping), at(0));
        let features = Features::of(second, &grouping);
        choose_group(&grouping, &features, &[&open], &Knowledge::default(), at(20))
    };
    let content = joined(&class(first, "power"), &class(second, "power"));
    assert!(
        matches!(content.reasons[0], Reason::SameContent { .. }),
        "{content:?}"
    );
    let again = Event {
        source: "till 8",
        ..class(first, "network")
    };
    let scored = joined(&class(first, "power"), &again);
    assert_eq!(scored.joined, Some(0), "{scored:?}");
    assert!(
        scored
            .reasons
            .iter()
            .any(|reason| matches!(reason, Reason::Score { .. }))
    );
    assert_eq!(
        joined(&class(first, "power"), &class(second, "belt")).joined,
        None
    );
}
