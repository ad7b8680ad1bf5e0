//! One event before the rules of its service: the first rule that matches applies, so an event that none matches is
//! looked at by all of them. Ten, a hundred and a thousand rules of the kinds that teams write.

use std::{fmt::Write, hint::black_box};

use condition::{Budget, Condition, Scope, TriggerCounts};
use serde_json::{Value, json};

use super::{event, measure};

/// What a server lets one event cost.
const STEPS: u64 = 2_000_000;

/// The rule of a number: five kinds, one after the other.
fn rule(number: usize) -> String {
    match number % 5 {
        0 => format!("event.source matches part 'host-{number}.' and event.severity == 'critical'"),
        1 => format!("event.custom_details.team == 'team-{number}' and event.class == 'disk'"),
        2 => format!("event.summary matches regex 'queue-{number} (is|was) (full|stuck)'"),
        3 => format!(
            "event.component == 'svc-{number}' and now in Mon,Tue,Wed,Thu,Fri 09:00:00 to 17:00:00 Europe/London"
        ),
        _ => format!("event.summary matches part 'tenant {number} ' or event.group == 'group-{number}'"),
    }
}

fn rules(many: usize, also: &str) -> Vec<Condition> {
    (0..many)
        .map(|number| format!("({}){also}", rule(number)).parse().expect("a condition"))
        .collect()
}

/// The first rule that matches, as a server asks for it.
fn judge(rules: &[Condition], document: &Value) -> Option<usize> {
    let now = "2026-11-23T15:00:00Z".parse().expect("an instant");
    let scope = Scope::at(now).with("event", document);
    let mut budget = Budget::of_steps(STEPS);
    let matched = rules
        .iter()
        .position(|rule| rule.matches_within(&scope, &mut budget));
    assert!(!budget.is_spent(), "the budget is meant to last");
    matched
}

/// The same for rules with counts of their own.
fn judge_counting(rules: &[Condition], counts: &mut [TriggerCounts], document: &Value) -> Option<usize> {
    let now = "2026-11-23T15:00:00Z".parse().expect("an instant");
    let scope = Scope::at(now).with("event", document);
    let mut budget = Budget::of_steps(STEPS);
    rules
        .chunks(1)
        .zip(counts)
        .position(|(rule, counts)| counts.judge_within(rule, &scope, &mut budget))
}

pub(super) fn print() {
    println!("\n| one event, judged by its rules | µs with 10 | with 100 | with 1,000 |");
    println!("| --- | ---: | ---: | ---: |");
    let plain = event();
    let mut long = event();
    long["summary"] = json!("A long and dull report of what was seen. ".repeat(100));
    let mut last = event();
    last["source"] = json!("host-0.eu-west-1.example.com");
    row("no rule matches", |many| {
        let rules = rules(many, "");
        assert_eq!(judge(&rules, &plain), None);
        measure(|| {
            black_box(judge(black_box(&rules), black_box(&plain)));
        })
    });
    row("the last rule matches", |many| {
        let mut rules = rules(many, "");
        rules.reverse();
        assert_eq!(judge(&rules, &last), Some(many - 1));
        measure(|| {
            black_box(judge(black_box(&rules), black_box(&last)));
        })
    });
    row("no rule matches, a summary of 4 kB", |many| {
        let rules = rules(many, "");
        measure(|| {
            black_box(judge(black_box(&rules), black_box(&long)));
        })
    });
    row("each rule also counts, the last is at its count", |many| {
        let mut rules = rules(many, " and trigger_count over 5 minutes > 3");
        rules.reverse();
        let mut counts = vec![TriggerCounts::default(); many];
        for _ in 0..3 {
            assert_eq!(judge_counting(&rules, &mut counts, &last), None);
        }
        assert_eq!(judge_counting(&rules, &mut counts, &last), Some(many - 1));
        measure(|| {
            black_box(judge_counting(black_box(&rules), &mut counts, black_box(&last)));
        })
    });
    row("compiling the rules", |many| {
        measure(|| {
            black_box(rules(many, ""));
        })
    });
}

fn row(name: &str, mut nanoseconds: impl FnMut(usize) -> f64) {
    let mut line = format!("| {name} |");
    for many in [10, 100, 1_000] {
        let microseconds = nanoseconds(many) / 1e3;
        write!(line, " {microseconds:.1} |").expect("a text grows");
    }
    println!("{line}");
}
