use super::*;
use crate::updates::facts::Confidence;
use crate::updates::model::{ApprovalRule, Templates};

fn audience(readers: Readers) -> Audience {
    Audience {
        id: "QA".into(),
        name: "Customers".to_owned(),
        readers,
        language: "en".to_owned(),
        time_zone: "Europe/London".to_owned(),
        approval: ApprovalRule::Required,
        cadence_minutes: 20,
        later_cadence_minutes: 60,
        templates: Templates::default(),
        channels: Vec::new(),
        position: 1,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn names() -> InternalNames {
    InternalNames {
        services: vec!["store-edge".to_owned(), "Card payments".to_owned()],
        people: vec!["Priya Raman".to_owned()],
        hosts: vec!["TILL7".to_owned()],
        touchpoints: vec!["Card payments".to_owned()],
        public_hosts: vec!["status.example.org".to_owned()],
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn found(words: &str) -> Vec<(FindingKind, String)> {
    found_with(words, None)
}

fn found_with(words: &str, estimate: Option<&Estimate>) -> Vec<(FindingKind, String)> {
    let (audience, names) = (audience(Readers::Public), names());
    let against = Against {
        audience: &audience,
        phase: Phase::Identified,
        next_update_by: Some(at("2026-11-17T06:20:00Z")),
        estimate,
        names: &names,
        now: at("2026-11-17T06:00:00Z"),
    };
    let words = InternalText::new(format!("{words} We will tell you more by 06:20 GMT."));
    check(&InternalText::new("Card payments"), &words, &against)
        .into_iter()
        .map(|one| (one.kind, one.excerpt))
        .collect()
}

#[test]
fn plain_public_words_pass() {
    for words in [
        "Card payments do not work in 24 shops. You can pay with cash, or we hold your basket until tomorrow evening.",
        "The shops are coming back one by one; 7 of 24 work again.",
        "Card payments have been back in 7 shops since 05:58.",
        "Your knowledge of status.example.org helps.",
    ] {
        assert_eq!(found(words), [], "{words}");
    }
}

#[test]
fn internal_names_are_found_where_they_stand() {
    assert_eq!(
        found("We put the Store-Edge agent back."),
        [(FindingKind::InternalName, "Store-Edge".to_owned())]
    );
    assert_eq!(
        found("Priya Raman is on it."),
        [(FindingKind::PersonName, "Priya Raman".to_owned())]
    );
    for host in [
        "till7",
        "pos-42.leeds.internal",
        "db-03",
        "10.1.2.3",
        "gw.northpay.com",
    ] {
        assert_eq!(
            found(&format!("We restarted {host} again.")),
            [(FindingKind::HostName, host.to_owned())]
        );
    }
}

#[test]
fn the_place_is_counted_in_characters() {
    let (audience, names) = (audience(Readers::Public), names());
    let against = Against {
        audience: &audience,
        phase: Phase::Resolved,
        next_update_by: None,
        estimate: None,
        names: &names,
        now: at("2026-11-17T06:00:00Z"),
    };
    let words = InternalText::new("Für store-edge gilt das.");
    let findings = check(&InternalText::new("S"), &words, &against);
    assert_eq!((findings[0].start, findings[0].end), (4, 14));
}

#[test]
fn a_time_of_resolution_needs_its_ground() {
    for words in [
        "It will be fixed by 08:30.",
        "We expect to be back to normal within two hours.",
        "Everything will be working again soon.",
        "ETA 30 minutes.",
    ] {
        let kinds: Vec<FindingKind> = found(words).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, [FindingKind::EstimateWithoutGround], "{words}");
    }
    let estimate = Estimate {
        earliest: at("2026-11-17T08:00:00Z"),
        latest: at("2026-11-17T09:30:00Z"),
        confidence: Confidence::Medium,
        approved_by: "Q1".into(),
        expires_at: at("2026-11-17T07:00:00Z"),
    };
    let said = "We expect it to be fixed between 08:00 GMT and 09:30 GMT; we are fairly sure.";
    assert_eq!(found_with(said, Some(&estimate)), []);
    let half = "We expect it to be fixed by 08:00 GMT.";
    assert_eq!(found_with(half, Some(&estimate)).len(), 1);
}

#[test]
fn blame_and_hard_words_are_pointed_out() {
    let kinds = |words: &str| found(words).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(kinds("It was human error."), [FindingKind::Blame]);
    let long = "You can pay with cash or by card at the other till or you can ask us to keep your bag for you and come back when all is well.";
    assert_eq!(kinds(long), [FindingKind::LongSentence]);
    let hard =
        "Intermittent authorisation degradation necessitates comprehensive infrastructure reconfiguration.";
    assert_eq!(kinds(hard), [FindingKind::HardToRead]);
}

#[test]
fn a_missing_or_past_promise_is_refused() {
    let (audience, names) = (audience(Readers::Internal), names());
    let check_with = |due: Option<&str>, words: &str| {
        let against = Against {
            audience: &audience,
            phase: Phase::Investigating,
            next_update_by: due.map(at),
            estimate: None,
            names: &names,
            now: at("2026-11-17T06:00:00Z"),
        };
        check(&InternalText::new("S"), &InternalText::new(words), &against).len()
    };
    assert_eq!(check_with(None, "Next word by 06:20."), 1);
    assert_eq!(check_with(Some("2026-11-17T05:59:00Z"), "Next word by 05:59."), 1);
    assert_eq!(check_with(Some("2026-11-17T06:20:00Z"), "We work on it."), 1);
    assert_eq!(
        check_with(Some("2026-11-17T06:20:00Z"), "Next word by 06:20, store-edge."),
        0
    );
}

#[test]
fn a_promise_in_ones_own_words_may_be_written_as_people_write_times() {
    let (audience, names) = (audience(Readers::Internal), names());
    let kinds = |due: &str, words: &str| -> Vec<FindingKind> {
        let against = Against {
            audience: &audience,
            phase: Phase::Investigating,
            next_update_by: Some(at(due)),
            estimate: None,
            names: &names,
            now: at("2026-11-17T06:00:00Z"),
        };
        let found = check(&InternalText::new("S"), &InternalText::new(words), &against);
        found.into_iter().map(|one| one.kind).collect()
    };
    let evening = "2026-11-17T18:30:00Z";
    for words in [
        "Next update by 18:30.",
        "Next update by 18.30.",
        "Next update by 6:30 pm.",
        "Next update by 6.30 p.m.",
    ] {
        assert_eq!(kinds(evening, words), [], "{words}");
    }
    assert_eq!(kinds("2026-11-17T06:30:00Z", "Next update by 6:30."), []);
    assert_eq!(
        kinds(evening, "Next update by 6:30 am."),
        [FindingKind::PromiseContradicted]
    );
}

#[test]
fn every_pattern_compiles() {
    for pattern in [&HOST, &BLAME] {
        assert!(!pattern.is_match(""));
    }
}
