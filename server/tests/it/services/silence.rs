//! What is reported while a service opens no incidents is not forgotten when it does again.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use muster::app::runner;
use muster::http::Problem;
use muster::jobs::{Kind, Owed};
use muster::services::ServiceId;
use muster::signals::intake::take_waiting;
use muster::timeline::Agent;
use serde_json::{Value, json};
use store::Engine;
use tokio::task::JoinHandle;

use crate::harness::{Built, TestApp};
use crate::incidents::race::{go_on, until_it_waits};

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

/// A run over the journal that has a service's alerts in hand and does not commit before it is let go.
async fn a_run_over_the_journal(muster: &TestApp, built: &Built) -> (JoinHandle<()>, Arc<Barrier>) {
    let (begun, ends) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (app, id) = (
        Arc::clone(&muster.app),
        ServiceId::from(built.service_id.as_str()),
    );
    let (has_begun, may_end) = (Arc::clone(&begun), Arc::clone(&ends));
    let run = tokio::spawn(async move {
        let change = app.change(Agent::muster(), move |change| -> Result<(), Problem> {
            muster::services::store::lock(change.tx, &id)?;
            has_begun.wait();
            may_end.wait();
            Ok(())
        });
        change.await.unwrap();
    });
    go_on(begun).await;
    (run, ends)
}

async fn owe_the_end(muster: &TestApp, built: &Built) {
    let id = built.service_id.clone();
    muster
        .app
        .change(Agent::muster(), move |change| {
            change.owe(&Owed::now(Kind::SilenceEnds, &id, change.now))
        })
        .await
        .unwrap();
}

/// What such a run has taken is not seen before it commits: whoever looked earlier would open no incident for it, ever.
#[tokio::test]
async fn the_end_of_a_silence_waits_for_what_is_just_being_taken() {
    let muster = TestApp::new(Engine::Postgres).await;
    let built = muster.service("card-gateway").build().await;
    owe_the_end(&muster, &built).await;
    let (run, ends) = a_run_over_the_journal(&muster, &built).await;
    let app = Arc::clone(&muster.app);
    let ending = tokio::spawn(async move { runner::run_due(&app).await.unwrap() });
    until_it_waits(&muster, &ending).await;
    assert!(!ending.is_finished(), "it did not wait");
    go_on(ends).await;
    run.await.unwrap();
    assert_eq!(ending.await.unwrap(), 1);
}

/// One job that cannot go on keeps nobody from being paged.
#[tokio::test]
async fn somebody_is_paged_while_another_job_takes_long() {
    let muster = TestApp::new(Engine::Postgres).await;
    let (slow, built) = (
        muster.service("loyalty").build().await,
        muster.service("card-gateway").build().await,
    );
    owe_the_end(&muster, &slow).await;
    let (run, ends) = a_run_over_the_journal(&muster, &slow).await;
    let node = tokio::spawn(runner::run(Arc::clone(&muster.app)));
    until_it_waits(&muster, &node).await;
    muster
        .enqueue(&built, "trigger", "till-1", "Terminal silent")
        .await
        .with_status(202);
    while take_waiting(&muster.app).await.unwrap() > 0 {}
    let paged = async {
        while muster.get("/outbox/sends?purposes[]=page").await.good()["sends"] == json!([]) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), paged)
        .await
        .expect("nobody was paged");
    assert!(!run.is_finished(), "the slow job is still under way");
    go_on(ends).await;
    run.await.unwrap();
    muster.app.stopping.cancel();
    node.await.unwrap();
}
