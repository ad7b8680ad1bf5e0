//! Alerts that rules keep from an incident, beside those that a silence does.

use std::time::Duration;

use serde_json::{Value, json};
use store::Engine;

use super::{alerts, incidents, report, rule, send, sentences, start, when};
use crate::harness::{Built, TestApp};

const MINUTE: Duration = Duration::from_secs(60);

async fn maintain(muster: &TestApp, built: &Built, end: &str) {
    let window = json!({ "maintenance_window": {
        "start_time": "2026-11-17T06:00:00Z", "end_time": end,
        "services": [{ "id": built.service_id, "type": "service_reference" }],
    } });
    muster.post("/maintenance_windows", window).await.with_status(201);
}

/// Minor faults are suppressed.
async fn suppress_minor(muster: &TestApp, built: &Built) {
    let minor = when("event.severity == 'info'", json!({ "suppress": true }));
    rule(muster, built, start(json!([minor]))).await;
}

/// Minor faults wait five minutes.
async fn suspend_minor(muster: &TestApp, built: &Built) {
    let minor = when(
        "event.severity == 'info'",
        json!({ "suspend": 300, "priority": "QP2000000000P2" }),
    );
    rule(muster, built, start(json!([minor]))).await;
}

fn keys(incidents: &[Value]) -> Vec<&str> {
    incidents
        .iter()
        .map(|one| one["title"].as_str().unwrap())
        .collect()
}

#[store::both_engines]
async fn what_a_rule_suppressed_stays_so_when_the_work_ends(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    suppress_minor(&muster, &built).await;
    maintain(&muster, &built, "2026-11-17T06:30:00Z").await;
    report(
        &muster,
        &built,
        "minor",
        json!({ "severity": "info", "summary": "Minor" }),
    )
    .await;
    report(&muster, &built, "grave", json!({ "summary": "Grave" })).await;
    assert!(incidents(&muster).await.is_empty());
    muster.pass(31 * MINUTE).await;
    assert_eq!(keys(&incidents(&muster).await), ["Grave"]);
    muster
        .put(
            &format!("/services/{}", built.service_id),
            json!({ "service": { "status": "active" } }),
        )
        .await
        .good();
    muster.pass(MINUTE).await;
    assert_eq!(keys(&incidents(&muster).await), ["Grave"]);
}

#[store::both_engines]
async fn what_was_suppressed_pages_as_soon_as_it_is_worse(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    suppress_minor(&muster, &built).await;
    report(&muster, &built, "k", json!({ "severity": "info" })).await;
    report(&muster, &built, "k", json!({ "severity": "info" })).await;
    assert!(incidents(&muster).await.is_empty());
    report(&muster, &built, "k", json!({ "summary": "Disk is gone" })).await;
    let found = incidents(&muster).await;
    assert_eq!(keys(&found), ["Disk is gone"]);
    assert_eq!(found[0]["assignments"].as_array().unwrap().len(), 1);
    let alert = &alerts(&muster, &found[0]).await[0];
    assert_eq!(alert["suppressed"], false);
    assert_eq!(alert["held_by_rule"], Value::Null);
    assert_eq!(alert["event_count"], 3);
    assert_eq!(alert["severity"], "critical");
    report(&muster, &built, "k", json!({ "severity": "info" })).await;
    assert_eq!(incidents(&muster).await.len(), 1, "it keeps its incident");
}

#[store::both_engines]
async fn what_gets_worse_during_work_waits_for_its_end(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    suppress_minor(&muster, &built).await;
    report(&muster, &built, "k", json!({ "severity": "info" })).await;
    maintain(&muster, &built, "2026-11-17T06:30:00Z").await;
    report(&muster, &built, "k", json!({})).await;
    assert!(incidents(&muster).await.is_empty());
    muster.pass(31 * MINUTE).await;
    assert_eq!(incidents(&muster).await.len(), 1);
}

#[store::both_engines]
async fn what_clears_while_it_is_suspended_opens_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    suspend_minor(&muster, &built).await;
    report(&muster, &built, "k", json!({ "severity": "info" })).await;
    muster.pass(4 * MINUTE).await;
    send(&muster, &built, "resolve", "k", json!({})).await;
    muster.pass(10 * MINUTE).await;
    assert!(incidents(&muster).await.is_empty());
}

#[store::both_engines]
async fn what_stays_longer_than_it_is_suspended_opens_its_incident_as_asked(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    suspend_minor(&muster, &built).await;
    report(&muster, &built, "k", json!({ "severity": "info" })).await;
    muster.pass(4 * MINUTE).await;
    report(&muster, &built, "k", json!({ "severity": "info" })).await;
    assert!(
        incidents(&muster).await.is_empty(),
        "saying it again does not prolong it"
    );
    muster.pass(2 * MINUTE).await;
    let found = incidents(&muster).await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0]["priority"]["summary"], "P2",
        "what was asked for is kept until then"
    );
    let alert = &alerts(&muster, &found[0]).await[0];
    assert_eq!(alert["held_by_rule"], Value::Null);
    assert_eq!(
        sentences(alert)[0],
        "The rule “Disks” held it back for 5 minutes to see whether it clears by itself and asked for the priority P2."
    );
}

#[store::both_engines]
async fn what_is_suspended_and_gets_worse_pages_at_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    suspend_minor(&muster, &built).await;
    report(&muster, &built, "k", json!({ "severity": "info" })).await;
    report(&muster, &built, "k", json!({ "summary": "Disk is gone" })).await;
    assert_eq!(incidents(&muster).await.len(), 1);
    muster.pass(10 * MINUTE).await;
    assert_eq!(incidents(&muster).await.len(), 1, "its pause was called off");
}

#[store::both_engines]
async fn what_is_suspended_and_then_suppressed_stays_suppressed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    suspend_minor(&muster, &built).await;
    report(&muster, &built, "k", json!({ "severity": "info" })).await;
    suppress_minor(&muster, &built).await;
    report(&muster, &built, "k", json!({ "severity": "info" })).await;
    muster.pass(10 * MINUTE).await;
    assert!(incidents(&muster).await.is_empty());
    send(&muster, &built, "resolve", "k", json!({})).await;
    report(&muster, &built, "k", json!({})).await;
    assert_eq!(incidents(&muster).await.len(), 1, "its key is free again");
}

#[store::both_engines]
async fn events_of_one_batch_are_judged_one_by_one(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let part = when("event.summary matches part 'minor'", json!({ "suppress": true }));
    rule(&muster, &built, start(json!([part]))).await;
    for (key, summary) in [
        ("a", "minor"),
        ("a", "grave"),
        ("b", "minor"),
        ("b", "minor"),
        ("c", "grave"),
        ("c", "minor"),
    ] {
        muster
            .enqueue(&built, "trigger", key, summary)
            .await
            .with_status(202);
    }
    muster.enqueue(&built, "resolve", "b", "").await.with_status(202);
    muster
        .enqueue(&built, "trigger", "b", "grave again")
        .await
        .with_status(202);
    muster.take_signals().await;
    let found = incidents(&muster).await;
    let mut titles = keys(&found);
    titles.sort_unstable();
    assert_eq!(titles, ["grave", "grave", "grave again"]);
}
