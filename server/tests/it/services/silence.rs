//! What is reported while a service opens no incidents is not forgotten when it does again.

use std::time::Duration;

use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Built, TestApp};

const HOUR: Duration = Duration::from_secs(3_600);

async fn plan(muster: &TestApp, built: &Built, end: &str) -> String {
    let window = json!({ "maintenance_window": {
        "start_time": "2026-11-17T06:00:00Z",
        "end_time": end,
        "services": [{ "id": built.service_id, "type": "service_reference" }],
    } });
    let made = muster.post("/maintenance_windows", window).await.with_status(201);
    let id = made["maintenance_window"]["id"].as_str().unwrap();
    format!("/maintenance_windows/{id}")
}

async fn switch(muster: &TestApp, built: &Built, status: &str) {
    let body = json!({ "service": { "status": status } });
    muster
        .put(&format!("/services/{}", built.service_id), body)
        .await
        .good();
    muster.settle().await;
}

async fn incidents(muster: &TestApp) -> Vec<Value> {
    let found = muster.get("/incidents?date_range=all").await.good();
    found["incidents"].as_array().unwrap().clone()
}

#[store::both_engines]
async fn a_fault_that_outlives_the_work_gets_its_incident_when_the_work_ends(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    plan(&muster, &built, "2026-11-17T08:00:00Z").await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    muster.trigger(&built, "till-2", "Terminal slow").await;
    muster.enqueue(&built, "resolve", "till-2", "").await;
    muster.take_signals().await;
    muster.pass(HOUR).await;
    assert!(incidents(&muster).await.is_empty(), "the work is under way");
    muster.pass(HOUR).await;
    let found = incidents(&muster).await;
    let titles: Vec<&str> = found.iter().map(|one| one["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Terminal silent"]);
    assert_eq!(found[0]["assignments"].as_array().unwrap().len(), 1);
    muster.trigger(&built, "till-1", "Terminal silent").await;
    assert_eq!(incidents(&muster).await.len(), 1, "it is that same alert");
}

#[store::both_engines]
async fn work_that_is_called_off_early_or_prolonged_is_followed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let window = plan(&muster, &built, "2026-11-17T08:00:00Z").await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let later = json!({ "maintenance_window": { "end_time": "2026-11-17T12:00:00Z" } });
    muster.put(&window, later).await.good();
    muster.pass(3 * HOUR).await;
    assert!(incidents(&muster).await.is_empty(), "it was prolonged");
    muster.delete(&window).await.with_status(204);
    muster.settle().await;
    assert_eq!(incidents(&muster).await.len(), 1);
}

#[store::both_engines]
async fn a_service_that_is_switched_on_opens_what_was_reported_meanwhile(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    switch(&muster, &built, "disabled").await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    assert!(incidents(&muster).await.is_empty());
    switch(&muster, &built, "active").await;
    assert_eq!(incidents(&muster).await.len(), 1);
}

#[store::both_engines]
async fn a_pause_that_ends_during_work_waits_for_its_end(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let pause =
        json!({ "service": { "auto_pause_notifications_parameters": { "enabled": true, "timeout": 300 } } });
    muster
        .put(&format!("/services/{}", built.service_id), pause)
        .await
        .good();
    muster.trigger(&built, "till-1", "Terminal silent").await;
    plan(&muster, &built, "2026-11-17T07:00:00Z").await;
    muster.pass(Duration::from_secs(600)).await;
    assert!(incidents(&muster).await.is_empty());
    muster.pass(HOUR).await;
    assert_eq!(incidents(&muster).await.len(), 1);
}
