//! What a rule remembers of its trigger events, against a list of all of them.

use condition::{Budget, Condition, Scope, SlidingCount, Template, Threshold, ThresholdKind, TriggerCounts};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn rule(texts: &[&str]) -> Vec<Condition> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// What the rule says of events about `class`, one each second.
fn judged(rule: &[Condition], classes: &[&str]) -> Vec<bool> {
    let mut counts = TriggerCounts::default();
    (0..)
        .zip(classes)
        .map(|(second, class)| judge_at(&mut counts, rule, second, class))
        .collect()
}

fn judge_at(counts: &mut TriggerCounts, rule: &[Condition], second: i64, class: &str) -> bool {
    let event = json!({ "class": class });
    counts.judge(rule, &Scope::at(at(second)).with("event", &event))
}

#[test]
fn events_count_that_the_rest_of_the_rule_is_true_of() {
    let rule = rule(&["event.class == 'disk' and trigger_count over 1 minute >= 3"]);
    assert_eq!(
        judged(&rule, &["disk", "load", "disk", "load", "disk", "load", "disk"]),
        [false, false, false, false, true, false, true]
    );
}

#[test]
fn the_order_of_the_comparisons_does_not_matter() {
    let rule = rule(&["trigger_count over 1 minute >= 2 and event.class == 'disk'"]);
    assert_eq!(
        judged(&rule, &["load", "load", "disk", "disk"]),
        [false, false, false, true]
    );
}

#[test]
fn a_negated_count_lets_the_first_through_only() {
    let rule = rule(&["event.class == 'disk' and not trigger_count over 1 minute > 1"]);
    assert_eq!(
        judged(&rule, &["disk", "disk", "load", "disk"]),
        [true, false, false, false]
    );
}

#[test]
fn conditions_of_a_rule_share_its_counts() {
    let rule = rule(&[
        "event.class == 'disk' and trigger_count over 1 minute >= 3",
        "event.class == 'load' and trigger_count over 1 minute >= 3",
    ]);
    assert_eq!(
        judged(&rule, &["disk", "load", "net", "disk", "load"]),
        [false, false, false, true, true]
    );
}

#[test]
fn a_resetting_count_begins_again_once_the_rule_was_true() {
    let resetting = rule(&["resetting_trigger_count over 1 minute >= 3"]);
    assert_eq!(
        judged(&resetting, &["x"; 7]),
        [false, false, true, false, false, true, false]
    );
    let sliding = rule(&["trigger_count over 1 minute >= 3"]);
    assert_eq!(judged(&sliding, &["x"; 5]), [false, false, true, true, true]);
}

#[test]
fn an_event_leaves_the_window_when_it_has_passed() {
    let rule = rule(&["trigger_count over 10 seconds >= 2"]);
    let mut counts = TriggerCounts::default();
    assert!(!judge_at(&mut counts, &rule, 0, "x"));
    assert!(!judge_at(&mut counts, &rule, 10, "x"));
    assert!(judge_at(&mut counts, &rule, 19, "x"));
}

#[test]
fn a_rule_that_asks_for_no_counts_keeps_none() {
    let rule = rule(&["event.class == 'disk'"]);
    let mut counts = TriggerCounts::default();
    assert!(judge_at(&mut counts, &rule, 0, "disk"));
    assert_eq!(counts, TriggerCounts::default());
    assert!(
        !counts.judge(&[], &Scope::at(at(0))),
        "a rule without conditions is the caller's business"
    );
}

#[test]
fn counts_are_read_back_as_they_were_and_forgotten_when_not_asked_for() {
    let before = rule(&["trigger_count over 1 minute >= 3"]);
    let mut counts = TriggerCounts::default();
    assert!(!judge_at(&mut counts, &before, 0, "x"));
    let mut restored: TriggerCounts = serde_json::from_str(&serde_json::to_string(&counts).unwrap()).unwrap();
    assert_eq!(restored, counts);
    assert!(!judge_at(&mut restored, &before, 1, "x"));
    assert!(judge_at(&mut restored, &before, 2, "x"));
    let minute = Threshold {
        kind: ThresholdKind::Sliding,
        window_seconds: 60,
    };
    assert_eq!(restored.count(minute, at(2)), 3);
    judge_at(&mut restored, &rule(&["trigger_count over 1 hour >= 3"]), 3, "x");
    assert_eq!(restored.count(minute, at(3)), 0);
}

#[test]
fn a_budget_that_does_not_last_counts_nothing() {
    let rule = rule(&["event.class matches part 'x' and trigger_count over 1 minute >= 1"]);
    let event = json!({ "class": "x".repeat(1_000) });
    let scope = Scope::at(at(0)).with("event", &event);
    let mut counts = TriggerCounts::default();
    for steps in [0, 10, 1_000, 1_500] {
        let mut budget = Budget::of_steps(steps);
        assert!(!counts.judge_within(&rule, &scope, &mut budget));
        assert!(budget.is_spent());
        assert_eq!(counts, TriggerCounts::default(), "{steps}");
    }
    let mut budget = Budget::of_steps(3_000);
    assert!(counts.judge_within(&rule, &scope, &mut budget));
    assert_ne!(counts, TriggerCounts::default());
}

#[test]
fn cache_variables_are_a_document_like_others() {
    let cache = json!({ "last_host": "db-7", "disks": 6, "quiet": true });
    let event = json!({ "source": "db-7" });
    let scope = Scope::at(at(0)).with("event", &event).with("cache_var", &cache);
    for text in [
        "cache_var.last_host == event.source",
        "cache_var.disks > 5",
        "cache_var.quiet == true",
        "cache_var.disks exists",
    ] {
        assert!(text.parse::<Condition>().unwrap().matches(&scope), "{text}");
    }
    let template = Template::parse("{{cache_var.disks}} on {{ cache_var.last_host | upper }}").unwrap();
    assert_eq!(template.render(&scope).unwrap().text, "6 on DB-7");
}

#[test]
fn spoiled_counts_are_refused() {
    let refused = |count: &Value| {
        let counts = json!([{ "kind": "sliding", "count": count }]);
        serde_json::from_value::<TriggerCounts>(counts).map_err(|error| error.to_string())
    };
    let count = |entries: Value| json!({ "window_seconds": 60, "grain": 1, "entries": entries });
    assert!(refused(&count(json!([[1, 1], [2, 7]]))).is_ok());
    for (spoiled, why) in [
        (
            json!({ "window_seconds": 0, "grain": 1, "entries": [] }),
            "window",
        ),
        (
            json!({ "window_seconds": 60, "grain": 0, "entries": [] }),
            "window",
        ),
        (
            json!({ "window_seconds": 60, "grain": -5, "entries": [] }),
            "window",
        ),
        (count(json!([[2, 1], [1, 1]])), "in order"),
        (count(json!([[1, 1], [1, 1]])), "in order"),
        (count(json!([[1, 0]])), "at least one"),
        (count(json!([[i64::MIN, 1]])), "instants"),
        (count(json!([[1, u64::MAX], [2, 1]])), "runs over"),
        (
            count((0..300).map(|place| json!([place, 1])).collect()),
            "more entries",
        ),
    ] {
        let error = refused(&spoiled).unwrap_err();
        assert!(error.contains(why), "{spoiled}: {error}");
    }
    let twice = json!([
        { "kind": "sliding", "count": count(json!([])) },
        { "kind": "sliding", "count": count(json!([])) },
    ]);
    assert!(
        serde_json::from_value::<TriggerCounts>(twice)
            .unwrap_err()
            .to_string()
            .contains("twice")
    );
}

#[test]
fn a_count_at_its_end_stays_there() {
    let mut count: SlidingCount =
        serde_json::from_value(json!({ "window_seconds": 60, "grain": 1, "entries": [[0, u64::MAX]] }))
            .unwrap();
    count.add(Timestamp::UNIX_EPOCH);
    count.add("1970-01-01T00:00:01Z".parse().unwrap());
    assert_eq!(count.count("1970-01-01T00:00:02Z".parse().unwrap()), u64::MAX);
}

#[test]
fn any_instant_and_any_window_can_be_counted() {
    for window in [0, 1, u32::MAX] {
        for (first, second) in [(Timestamp::MIN, Timestamp::MAX), (Timestamp::MAX, Timestamp::MIN)] {
            let mut count = SlidingCount::over(window);
            count.add(first);
            count.add(second);
            assert!(count.count(first) >= 1);
            assert!(count.count(second) >= 1);
        }
    }
}

/// Events by the milliseconds between them, and a window in seconds.
fn events() -> impl Strategy<Value = (u32, Vec<i64>)> {
    (
        1..200_u32,
        prop::collection::vec(prop_oneof![8 => 0..200_i64, 1 => 0..20_000_i64], 0..1_500),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_sliding_count_is_the_truth_or_a_little_more((window, gaps) in events()) {
        let mut count = SlidingCount::over(window);
        let mut all = Vec::new();
        let mut now = 0_i64;
        let truth = |all: &[i64], now: i64, window: i64| -> u64 {
            all.iter().filter(|event| now - **event < window).count() as u64
        };
        let window = i64::from(window) * 1_000;
        for gap in gaps {
            now += gap;
            all.push(now);
            let instant = Timestamp::from_millisecond(now).unwrap();
            count.add(instant);
            let counted = count.count(instant);
            prop_assert!(counted >= truth(&all, now, window));
            prop_assert!(counted <= truth(&all, now, window + window / 128 + 1));
        }
        let stored = serde_json::to_string(&count).unwrap();
        prop_assert_eq!(serde_json::from_str::<SlidingCount>(&stored).unwrap(), count);
        prop_assert!(stored.len() < 10_000);
    }

    #[test]
    fn a_sliding_count_of_few_instants_is_exact((window, gaps) in events()) {
        let mut count = SlidingCount::over(window);
        let mut all: Vec<i64> = Vec::new();
        let mut now = 0_i64;
        for gap in gaps.into_iter().take(256) {
            now += gap;
            all.push(now);
            let instant = Timestamp::from_millisecond(now).unwrap();
            count.add(instant);
            let within = all.iter().filter(|event| now - **event < i64::from(window) * 1_000);
            prop_assert_eq!(count.count(instant), within.count() as u64);
        }
    }
}
