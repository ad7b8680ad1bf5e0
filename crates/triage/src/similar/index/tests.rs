use proptest::prelude::*;

use super::super::{Field, Reason, Report};
use super::{Index, Settings};

fn titled(title: &str) -> Report {
    Report {
        title: title.to_owned(),
        ..Report::default()
    }
}

fn said(body: &str) -> Report {
    Report {
        body: body.to_owned(),
        ..Report::default()
    }
}

fn index(titles: &[&str]) -> Index {
    let mut index = Index::new(Settings::default());
    for title in titles {
        index.insert(title, titled(title));
    }
    index
}

fn best(index: &Index, question: &Report) -> String {
    index
        .rank(question, 1)
        .into_iter()
        .next()
        .map(|found| found.id)
        .unwrap_or_default()
}

#[test]
fn a_customers_sentence_finds_the_known_issue_in_spite_of_typing_errors() {
    let index = index(&[
        "Card payments declined in shops",
        "Login codes arrive late",
        "Loyalty points missing",
    ]);
    assert_eq!(
        best(
            &index,
            &said("hi my card paymnet was declinde in the shop please help")
        ),
        "Card payments declined in shops"
    );
    assert_eq!(
        best(&index, &said("i never get the login code")),
        "Login codes arrive late"
    );
}

#[test]
fn a_single_report_is_found_although_nothing_is_rare() {
    assert_eq!(
        index(&["Card payments declined"])
            .rank(&said("card declined"), 3)
            .len(),
        1
    );
}

#[test]
fn reports_with_nothing_in_common_are_left_out() {
    assert!(
        index(&["Card payments declined"])
            .rank(&said("zzz 123"), 3)
            .is_empty()
    );
    assert!(
        index(&["Card payments declined"])
            .rank(&Report::default(), 3)
            .is_empty()
    );
}

#[test]
fn the_same_text_gets_one_point() {
    let found = index(&["Card payments declined", "Login late"]).rank(&titled("Card payments declined"), 1);
    assert!((found[0].score - 1.0).abs() < 1e-6, "{found:?}");
}

#[test]
fn the_score_is_the_sum_of_the_reasons() {
    let mut index = index(&["Login late"]);
    let known = Report {
        template: Some("t7".into()),
        services: vec!["till".into(), "gateway".into()],
        touchpoints: vec!["payments".into()],
        locations: vec!["berlin".into()],
        at: Some(1_000),
        ..titled("Card payments fail")
    };
    index.insert("known", known.clone());
    let asked = Report {
        locations: vec!["rome".into()],
        at: Some(90_000),
        ..known
    };
    let found = &index.rank(&asked, 1)[0];
    let sum: f64 = found.reasons.iter().map(Reason::points).sum();
    assert!((found.score - sum).abs() < 1e-9);
    assert_eq!(found.reasons.len(), 6);
    assert!(matches!(found.reasons.last(), Some(Reason::OtherLocation { points }) if *points < 0.0));
}

#[test]
fn the_matched_words_point_into_the_question() {
    let index = index(&["Card payments declined in shops", "Login codes arrive late"]);
    let asked = said("Why was my CARD declined?");
    let found = index.rank(&asked, 1);
    let Some(Reason::Words { words, covered, .. }) = found[0].reasons.first() else {
        panic!("{found:?}")
    };
    assert_eq!(words[0].field, Field::Body);
    assert_eq!(&asked.body[words[0].place.clone()], words[0].text);
    assert!(words.iter().any(|word| word.text == "CARD") && words.iter().any(|word| word.text == "declined"));
    assert!(*covered > 0.4 && *covered <= 1.0);
}

#[test]
fn of_the_same_words_the_one_at_the_customers_touchpoint_and_location_comes_first() {
    let mut index = Index::new(Settings::default());
    for (id, location) in [("a", "rome"), ("b", "berlin")] {
        index.insert(
            id,
            Report {
                locations: vec![location.into()],
                ..titled("Till does not start")
            },
        );
    }
    assert_eq!(
        best(
            &index,
            &Report {
                locations: vec!["berlin".into()],
                ..said("till is dead, will not start")
            }
        ),
        "b"
    );
}

#[test]
fn the_oldest_report_makes_room_and_takes_its_words_along() {
    let mut index = Index::new(Settings { reports_maximum: 2 });
    for title in ["one alpha", "two beta", "three gamma"] {
        index.insert(title, titled(title));
    }
    assert_eq!(index.len(), 2);
    assert!(index.rank(&said("alpha"), 5).is_empty());
    for round in 0..1_000 {
        index.insert(
            &format!("id{}", round % 3),
            titled(&format!("word{round} other{round}")),
        );
    }
    assert!(index.words.reports.len() < 20 && index.letters.reports.len() < 100 && index.ages.len() <= 20);
}

#[test]
fn what_people_confirm_changes_what_counts_and_can_be_taken_back() {
    let mut index = index(&["Till shows a blue screen"]);
    index.insert(
        "place",
        Report {
            locations: vec!["rome".into()],
            ..titled("Scanner beeps twice")
        },
    );
    let before = index.clone();
    let asked = |words: &str| Report {
        locations: vec!["rome".into()],
        ..said(words)
    };
    let questions = [
        "blue till",
        "till screen",
        "the screen shows blue",
        "a blue screen again",
    ]
    .map(asked);
    let unseen = asked("screen of the till");
    let score = |index: &Index, id: &str| {
        index
            .rank(&unseen, 9)
            .iter()
            .find(|found| found.id == id)
            .map_or(0.0, |found| found.score)
    };
    for question in &questions {
        index.confirm(question, "place");
    }
    assert!(score(&index, "place") > score(&before, "place"));
    assert!(score(&index, "Till shows a blue screen") < score(&before, "Till shows a blue screen"));
    index.refuse(&unseen, "place");
    index.confirm(&unseen, "not there");
    let read: Index = serde_json::from_str(&serde_json::to_string(&index).unwrap()).unwrap();
    assert_eq!(read.rank(&unseen, 9), index.rank(&unseen, 9));
    for question in questions.iter().chain([&unseen]) {
        index.take_back(question, "place");
    }
    assert_eq!(index.rank(&unseen, 9), before.rank(&unseen, 9));
}

#[test]
fn removing_a_report_is_as_if_it_had_never_been_there() {
    let mut changed = index(&["Card payments declined", "Login codes arrive late"]);
    let plain = changed.clone();
    changed.insert("extra", titled("Card login extra words"));
    changed.remove("extra");
    let asked = said("card login late");
    assert_eq!(changed.rank(&asked, 5), plain.rank(&asked, 5));
}

proptest! {
    #[test]
    fn any_texts_are_ranked_without_panic_and_alike_after_a_round_trip(
        titles in prop::collection::vec("\\PC{0,40}|[a-e ]{0,20}|[\u{590}-\u{6FF}\u{202E} ]{0,20}", 0..8),
        body in "\\PC{0,60}|[a-e ]{0,40}",
        at in prop::option::of(any::<i64>()),
    ) {
        let mut index = Index::new(Settings { reports_maximum: 6 });
        for title in &titles {
            index.insert(title, Report { at, ..titled(title) });
        }
        let asked = Report { at: Some(0), ..said(&body) };
        let ranked = index.rank(&asked, 3);
        prop_assert!(ranked.iter().all(|found| found.score.is_finite() && found.score > 0.0));
        let written = serde_json::to_string(&index).unwrap();
        let read: Index = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(read.rank(&asked, 3), ranked);
    }
}

#[test]
fn a_title_of_a_million_characters_is_cut() {
    let mut index = Index::new(Settings::default());
    index.insert(
        "long",
        Report {
            body: "b ".repeat(500_000),
            services: vec!["s".repeat(9_999); 9_999],
            ..titled(&"a".repeat(1_000_000))
        },
    );
    let kept = index.get("long").unwrap();
    assert!(kept.title.len() + kept.body.len() + kept.services.concat().len() < 5_000);
    assert!(!index.is_empty());
}
