//! Many evaluations on one account.

use condition::{Budget, Condition, Extraction, Scope};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::programs;

fn scope(event: &Value) -> Scope<'_> {
    Scope::at("2026-11-22T05:00:00Z".parse().unwrap()).with("event", event)
}

#[test]
fn a_hard_pattern_spends_the_budget_and_decides_nothing() {
    let event = json!({ "summary": "ab".repeat(32 * 1024) });
    let mut letters = String::new();
    let mut state = 1_u64;
    for _ in 0..64 * 1024 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        letters.push(if state >> 63 == 0 { 'a' } else { 'b' });
    }
    let noise = json!({ "summary": letters });
    let condition: Condition = "not event.summary matches regex '[ab]*a[ab]{900}c'"
        .parse()
        .unwrap();
    for document in [&event, &noise] {
        let alone = condition.evaluate(&scope(document));
        let mut budget = Budget::of_steps(1_000_000);
        let matched = condition.matches_within(&scope(document), &mut budget);
        assert_eq!(budget.is_spent(), !alone.warnings.is_empty());
        assert_eq!(matched, alone.matched && alone.warnings.is_empty());
    }
    assert!(
        !condition.evaluate(&scope(&noise)).warnings.is_empty(),
        "it is hard"
    );
}

#[test]
fn extractions_are_on_the_account_too() {
    let event = json!({ "summary": "disk full on db-7 ".repeat(2_000) });
    for extraction in [
        Extraction::capture("event.summary", r"on (\S+) disk").unwrap(),
        Extraction::template("{{event.summary}}!").unwrap(),
        Extraction::template("{{event.summary | upper}}").unwrap(),
    ] {
        let alone = extraction.extract(&scope(&event)).unwrap();
        let mut budget = Budget::of_steps(100_000);
        assert_eq!(
            extraction.extract_within(&scope(&event), &mut budget).unwrap(),
            alone
        );
        assert!(!budget.is_spent());
        let mut small = Budget::of_steps(1_000);
        assert_eq!(
            extraction.extract_within(&scope(&event), &mut small).unwrap(),
            None
        );
        assert!(small.is_spent());
        let condition: Condition = "true".parse().unwrap();
        assert!(
            !condition.matches_within(&scope(&event), &mut small),
            "nothing is granted any more"
        );
    }
}

proptest! {
    /// A budget that lasts changes no answer; one that does not is never overdrawn by more than one look at a text.
    #[test]
    fn a_budget_changes_no_answer_unless_it_is_spent(source in programs::condition(), steps in 0_u64..200) {
        let condition: Condition = source.parse().unwrap();
        let event = json!({ "summary": "Disk full on db-7", "severity": "critical", "custom_details": { "used": 97 } });
        let scope = scope(&event);
        let mut budget = Budget::of_steps(steps);
        let matched = condition.matches_within(&scope, &mut budget);
        let alone = condition.evaluate(&scope);
        if budget.is_spent() {
            prop_assert!(!matched);
            prop_assert!(alone.steps > steps);
        } else {
            prop_assert_eq!(matched, alone.matched);
            prop_assert!(alone.steps <= steps);
        }
    }
}
