//! Rules of services on their events.

mod actions;
mod held;
mod nodes;
mod refused;
mod rights;

use serde_json::{Value, json};

use crate::harness::{Built, TestApp};

pub(crate) fn path_of(built: &Built) -> String {
    format!("/event_orchestrations/services/{}", built.service_id)
}

/// Sets the rules of a service; gives the answer.
pub(crate) async fn rule(muster: &TestApp, built: &Built, path: Value) -> Value {
    let answer = muster
        .put(&path_of(built), json!({ "orchestration_path": path }))
        .await;
    answer.with_status(200)["orchestration_path"].clone()
}

/// Rules of the set `start` alone.
pub(crate) fn start(rules: Value) -> Value {
    json!({ "sets": [{ "id": "start", "rules": rules }], "catch_all": { "actions": {} } })
}

/// One rule that does this when that is true.
pub(crate) fn when(condition: &str, actions: Value) -> Value {
    json!({ "label": "Disks", "conditions": [{ "expression": condition }], "actions": actions })
}

/// Sends a trigger with these fields, and waits until it has been taken.
pub(crate) async fn report(muster: &TestApp, built: &Built, key: &str, payload: Value) {
    send(muster, built, "trigger", key, payload).await;
}

/// Sends an event whose payload is completed by what every payload needs.
pub(crate) async fn send(muster: &TestApp, built: &Built, action: &str, key: &str, payload: Value) {
    let mut whole = json!({ "summary": "Disk full", "source": "db-7.leeds", "severity": "critical" });
    for (name, value) in payload.as_object().unwrap() {
        whole[name] = value.clone();
    }
    let body = json!({
        "routing_key": built.integration_key, "event_action": action, "dedup_key": key, "payload": whole,
    });
    let request = axum::http::Request::post("/v2/enqueue")
        .body(axum::body::Body::from(body.to_string()))
        .unwrap();
    muster.send(request).await.with_status(202);
    muster.take_signals().await;
}

pub(crate) async fn incidents(muster: &TestApp) -> Vec<Value> {
    let found = muster.get("/incidents?date_range=all").await.good();
    found["incidents"].as_array().unwrap().clone()
}

/// The alerts of an incident.
pub(crate) async fn alerts(muster: &TestApp, incident: &Value) -> Vec<Value> {
    let id = incident["id"].as_str().unwrap();
    let found = muster.get(&format!("/incidents/{id}/alerts")).await.good();
    found["alerts"].as_array().unwrap().clone()
}

/// The sentences that say why an alert is where it is.
pub(crate) fn sentences(alert: &Value) -> Vec<String> {
    alert["grouping_reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["sentence"].as_str().unwrap().to_owned())
        .collect()
}

/// The texts of an incident's timeline, in order.
pub(crate) async fn story(muster: &TestApp, incident: &Value) -> Vec<String> {
    let id = incident["id"].as_str().unwrap();
    let found = muster
        .get(&format!("/incidents/{id}/log_entries?limit=100"))
        .await
        .good();
    let mut texts: Vec<String> = found["log_entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            format!(
                "{}: {}",
                entry["agent"]["summary"].as_str().unwrap_or("-"),
                entry["summary"].as_str().unwrap()
            )
        })
        .collect();
    texts.reverse();
    texts
}
