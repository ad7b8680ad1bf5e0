//! Rules over several nodes, and that no event is lost to them.

use std::sync::Arc;

use muster::app::App;
use muster::clock::Clock;
use muster::signals::intake::{count_passed_over, take_waiting};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use store::Engine;

use super::{incidents, report, rule, start, when};
use crate::harness::{TestApp, settings};

#[store::both_engines]
async fn a_change_of_the_rules_counts_on_every_node_from_the_next_event_on(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let other = App::assemble(
        muster.app.store.clone(),
        Clock::Simulated(muster.clock.clone()),
        settings(),
    )
    .await
    .unwrap();
    let all = |suppress: bool| start(json!([{ "actions": { "suppress": suppress } }]));
    for round in 0..3 {
        for suppress in [true, false] {
            rule(&muster, &built, all(suppress)).await;
            for (place, node) in [&muster.app, &other].into_iter().enumerate() {
                let before = incidents(&muster).await.len();
                let key = format!("{round} {suppress} {place}");
                muster
                    .enqueue(&built, "trigger", &key, "Disk full")
                    .await
                    .with_status(202);
                while take_waiting(node).await.unwrap() > 0 {}
                let opened = incidents(&muster).await.len() - before;
                assert_eq!(opened, usize::from(!suppress), "{key}");
            }
        }
    }
}

#[store::both_engines]
async fn rules_that_can_no_longer_be_read_stop_no_event(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    rule(
        &muster,
        &built,
        start(json!([{ "actions": { "suppress": true } }])),
    )
    .await;
    muster
        .app
        .store
        .write(|tx| {
            let broken = json!({ "sets": [{ "id": "start", "rules": [
                { "id": "R", "label": null, "conditions": [{ "expression": "event.x ~~" }], "disabled": false,
                  "actions": { "suppress": true } },
            ] }], "catch_all": { "actions": { "annotate": "{{" } } });
            tx.execute(
                store::sql!("UPDATE service_orchestrations SET rules = $1, version = version + 1"),
                store::params![broken],
            )
        })
        .await
        .unwrap();
    report(&muster, &built, "a", json!({})).await;
    assert_eq!(
        incidents(&muster).await.len(),
        1,
        "a rule that cannot be read never matches"
    );
    muster
        .app
        .store
        .write(|tx| {
            tx.execute(
                store::sql!("UPDATE service_orchestrations SET rules = $1, version = version + 1"),
                store::params![json!(["nonsense"])],
            )
        })
        .await
        .unwrap();
    report(&muster, &built, "b", json!({})).await;
    assert_eq!(incidents(&muster).await.len(), 2);
}

fn condition() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "event.severity == 'info'",
        "event.summary matches part 'disk'",
        "not event.custom_details.used > 50",
        "event.custom_details matches regex '\\\\d{2}'",
        "variables.host exists",
        "now in Tue 06:00:00 to 07:00:00 Etc/UTC",
        "event == 3 or event.links exists",
        "true",
    ])
}

fn action() -> impl Strategy<Value = (&'static str, Value)> {
    prop::sample::select(vec![
        ("suppress", json!(true)),
        ("suppress", json!(false)),
        ("suspend", json!(120)),
        ("severity", json!("info")),
        ("severity", json!("critical")),
        ("priority", json!("QP1000000000P1")),
        ("annotate", json!("{{event.summary}} {{event.nothing | upper}}")),
        ("annotate", json!("{{event.custom_details}}")),
        ("event_action", json!("trigger")),
        (
            "variables",
            json!([{ "name": "host", "type": "regex", "path": "event.source", "value": ".*" }]),
        ),
        (
            "extractions",
            json!([{ "target": "event.dedup_key", "template": "{{event.dedup_key}}{{variables.host}}" }]),
        ),
        (
            "extractions",
            json!([{ "target": "event.summary", "template": "{{event.summary | replace('d', '\\x00')}}" }]),
        ),
        (
            "extractions",
            json!([{ "target": "event.custom_details.used.deep", "template": "x" }]),
        ),
        (
            "extractions",
            json!([{ "target": "event.summary", "source": "event.custom_details", "regex": "no.*|(x)?" }]),
        ),
    ])
}

fn some_rule() -> impl Strategy<Value = Value> {
    (condition(), prop::collection::vec(action(), 0..4)).prop_map(|(condition, actions)| {
        let mut done = serde_json::Map::new();
        for (name, value) in actions {
            done.insert(name.to_owned(), value);
        }
        when(condition, Value::Object(done))
    })
}

fn event() -> impl Strategy<Value = Value> {
    (
        prop::sample::select(vec!["Disk full", "disk ddd", "\u{1F4BE} d", "Till silent"]),
        prop::sample::select(vec!["info", "critical"]),
        prop::sample::select(vec![json!({}), json!({ "used": 97 }), json!({ "used": "x\u{0}y" }), json!([1, 2])]),
    )
        .prop_map(|(summary, severity, details)| {
            json!({ "summary": summary, "severity": severity, "custom_details": details })
        })
}

/// Whatever the rules are and whatever is sent: no event is passed over, and whatever is reported is an open alert.
#[store::both_engines]
async fn rules_never_lose_an_event(engine: Engine) {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(12);
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let rules = prop::collection::vec(some_rule(), 0..4);
    let events = prop::collection::vec(event(), 1..8);
    let mut open = 0_i64;
    for case in 0..cases {
        let (rules, events) = (
            rules.new_tree(&mut runner).unwrap().current(),
            events.new_tree(&mut runner).unwrap().current(),
        );
        rule(&muster, &built, start(json!(rules))).await;
        for (place, payload) in events.iter().enumerate() {
            report(&muster, &built, &format!("{case}-{place}"), payload.clone()).await;
        }
        let app = Arc::clone(&muster.app);
        let (now_open, passed_over) = app
            .read(|tx| {
                Ok::<_, store::Error>((muster::alerts::store::count_open(tx)?, count_passed_over(tx)?))
            })
            .await
            .unwrap();
        assert_eq!(passed_over, 0, "{rules:?} {events:?}");
        assert_eq!(now_open - open, events.len() as i64, "{rules:?} {events:?}");
        open = now_open;
    }
}
