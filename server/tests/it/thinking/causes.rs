//! Alerts that brought about others before are expected to do so again, after any restart, and only as long as they do.

use std::sync::Arc;
use std::time::Duration;

use muster::app::App;
use muster::app::router::router;
use muster::clock::Clock;
use muster::incidents::causes;
use serde_json::{Value, json};
use store::{Engine, Store};

use crate::harness::{Built, TestApp};

const PUMP: &str = "pump of the cooling stands still";
const RACK: &str = "temperature above limit";
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn intelligent(muster: &TestApp, name: &str) -> Built {
    muster
        .service(name)
        .grouping(json!({ "type": "intelligent", "fields": [], "window_seconds": 900 }))
        .build()
        .await
}

async fn report(muster: &TestApp, built: &Built, key: String, source: &str, summary: &str) {
    let event = json!({
        "routing_key": built.integration_key,
        "event_action": "trigger",
        "dedup_key": key,
        "payload": { "summary": summary, "source": source, "severity": "critical" },
    });
    let request = axum::http::Request::post("/v2/enqueue")
        .body(axum::body::Body::from(event.to_string()))
        .unwrap();
    muster.send(request).await.with_status(202);
    muster.take_signals().await;
}

/// The pump stops, and soon the racks are too hot. Nothing in the words or the places says
/// that it is one.
async fn pump_then_rack(muster: &TestApp, pump: &Built, rack: &Built, round: usize) {
    report(muster, pump, format!("pump-{round}"), "cellar", PUMP).await;
    muster.clock.advance(Duration::from_secs(100));
    report(muster, rack, format!("rack-{round}"), "third floor", RACK).await;
}

async fn a_past(muster: &TestApp, pump: &Built, rack: &Built) {
    for round in 0..20 {
        pump_then_rack(muster, pump, rack, round).await;
        muster.clock.advance(Duration::from_secs(7200));
    }
}

async fn learn(muster: &TestApp) {
    causes::begin(&muster.app).await.unwrap();
    muster.clock.advance(Duration::from_secs(3600));
    muster.settle().await;
}

/// Every incident, the latest first.
async fn incidents(muster: &TestApp) -> Vec<Value> {
    let answer = muster
        .get("/incidents?date_range=all&sort_by=created_at:desc&limit=100")
        .await
        .good();
    answer["incidents"].as_array().unwrap().clone()
}

async fn count(muster: &TestApp) -> usize {
    incidents(muster).await.len()
}

/// Why the alerts of the latest incident are where they are.
async fn reasons(muster: &TestApp) -> String {
    let latest = incidents(muster).await[0]["id"].as_str().unwrap().to_owned();
    let answer = muster.get(&format!("/incidents/{latest}/alerts")).await.good();
    let alerts = answer["alerts"].as_array().unwrap();
    alerts
        .iter()
        .map(|alert| alert["grouping_reasons"].to_string())
        .collect()
}

#[store::both_engines]
async fn what_followed_each_other_in_the_past_belongs_together(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let cooling = intelligent(&muster, "cooling").await;
    a_past(&muster, &cooling, &cooling).await;
    let before = count(&muster).await;
    assert_eq!(before, 40, "nothing says yet that the two belong together");

    learn(&muster).await;
    pump_then_rack(&muster, &cooling, &cooling, 20).await;
    assert_eq!(count(&muster).await, before + 1);
    let why = reasons(&muster).await;
    assert!(
        why.contains("In the past the one brought about the other"),
        "{why}"
    );
}

#[store::both_engines]
async fn what_was_learned_survives_a_restart_and_is_forgotten_when_it_is_no_longer_so(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let cooling = intelligent(&muster, "cooling").await;
    a_past(&muster, &cooling, &cooling).await;
    learn(&muster).await;
    let before = count(&muster).await;

    let store = Store::open(&muster.database.location, muster::app::migrations::MIGRATIONS)
        .await
        .unwrap();
    let app = App::assemble(
        store,
        Clock::Simulated(muster.clock.clone()),
        muster.app.settings.clone(),
    )
    .await
    .unwrap();
    let again = TestApp {
        router: router(Arc::clone(&app)),
        app,
        clock: muster.clock.clone(),
        owner: muster.owner.clone(),
        database: Arc::clone(&muster.database),
    };
    pump_then_rack(&again, &cooling, &cooling, 20).await;
    assert_eq!(count(&again).await, before + 1);

    // Forty days on nothing of it is within the month that is looked at.
    for _ in 0..40 {
        again.clock.advance(DAY);
        again.settle().await;
    }
    pump_then_rack(&again, &cooling, &cooling, 21).await;
    assert_eq!(count(&again).await, before + 3);
}

#[store::both_engines]
async fn history_alone_never_moves_an_alert_to_another_service(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let pump = intelligent(&muster, "pump").await;
    let rack = intelligent(&muster, "rack").await;
    let relation: Value = json!({ "relationships": [{
        "dependent_service": { "id": rack.service_id, "type": "service" },
        "supporting_service": { "id": pump.service_id, "type": "service" },
    }]});
    muster
        .post("/service_dependencies/associate", relation)
        .await
        .good();
    a_past(&muster, &pump, &rack).await;
    learn(&muster).await;
    let before = count(&muster).await;
    pump_then_rack(&muster, &pump, &rack, 20).await;
    assert_eq!(count(&muster).await, before + 2);
}
