//! What clients count and read in log entries.

use serde_json::{Value, json};
use store::Engine;

use super::{send_rich, the_incident};
use crate::harness::TestApp;

async fn entries(muster: &TestApp, id: &str, kind: &str) -> Vec<Value> {
    let path = format!("/incidents/{id}/log_entries?limit=100");
    let found = muster.get(&path).await.good();
    let mut found = found["log_entries"].as_array().unwrap().clone();
    found.retain(|entry| entry["type"] == kind);
    found
}

#[store::both_engines]
async fn each_event_that_triggers_has_one_entry_and_so_has_the_end(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let team = muster.team("Payments").await;
    let policy = json!({ "escalation_policy": { "teams": [{ "id": team }] } });
    muster
        .put(&format!("/escalation_policies/{}", built.policy_id), policy)
        .await
        .good();
    send_rich(&muster, &built, "trigger", "till-1").await;
    let id = the_incident(&muster).await;
    let triggered = entries(&muster, &id, "trigger_log_entry").await;
    assert_eq!(triggered.len(), 1, "{triggered:?}");
    let entry = &triggered[0];
    assert_eq!(entry["channel"]["type"], "api");
    assert_eq!(entry["channel"]["details"]["free_disk"], "1%");
    assert_eq!(entry["channel"]["incident_key"], "till-1");
    assert_eq!(entry["contexts"][0]["href"], "https://runbook.example.org");
    assert_eq!(entry["service"]["summary"], "tills");
    assert_eq!(entry["incident"]["summary"], "[#1] Terminal silent");
    assert_eq!(entry["teams"][0]["summary"], "Payments");
    assert_eq!(entry["agent"]["summary"], "Prometheus");

    let incident = muster.get(&format!("/incidents/{id}")).await.good();
    assert_eq!(incident["incident"]["first_trigger_log_entry"]["id"], entry["id"]);
    let alerts = format!("/incidents/{id}/alerts");
    let plain = muster.get(&alerts).await.good();
    assert_eq!(plain["alerts"][0]["first_trigger_log_entry"]["id"], entry["id"]);
    let whole = muster
        .get(&format!("{alerts}?include[]=first_trigger_log_entries"))
        .await
        .good();
    let whole = &whole["alerts"][0]["first_trigger_log_entry"];
    assert_eq!(
        (&whole["id"], &whole["channel"]),
        (&entry["id"], &entry["channel"])
    );

    send_rich(&muster, &built, "trigger", "till-1").await;
    assert_eq!(entries(&muster, &id, "trigger_log_entry").await.len(), 2);
    send_rich(&muster, &built, "resolve", "till-1").await;
    assert_eq!(entries(&muster, &id, "resolve_log_entry").await.len(), 1);
    for entry in entries(&muster, &id, "annotate_log_entry").await {
        assert_eq!(entry["service"]["summary"], "tills", "{entry}");
    }
}

#[store::both_engines]
async fn what_a_person_opens_has_one_entry_too(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let body = json!({ "incident": { "title": "Till drawer stuck", "service": { "id": built.service_id } } });
    let made = muster.post("/incidents", body).await.with_status(201);
    let id = made["incident"]["id"].as_str().unwrap();
    let triggered = entries(&muster, id, "trigger_log_entry").await;
    assert_eq!(triggered.len(), 1, "{triggered:?}");
    assert_eq!(
        made["incident"]["first_trigger_log_entry"]["id"],
        triggered[0]["id"]
    );
}

#[store::both_engines]
async fn an_alert_that_was_moved_still_points_at_its_first_event(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    muster.trigger(&built, "till-1", "Terminal 1 silent").await;
    muster.trigger(&built, "till-2", "Terminal 2 silent").await;
    let found = muster.get("/incidents").await.good();
    let id = |index: usize| found["incidents"][index]["id"].as_str().unwrap().to_owned();
    let (target, source) = (id(0), id(1));
    let triggered = entries(&muster, &source, "trigger_log_entry").await;
    let body = json!({ "source_incidents": [{ "id": source, "type": "incident_reference" }] });
    muster
        .put(&format!("/incidents/{target}/merge"), body)
        .await
        .good();
    let alerts = muster.get(&format!("/incidents/{target}/alerts")).await.good();
    let moved = alerts["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|alert| alert["summary"] == "Terminal 2 silent")
        .unwrap();
    assert_eq!(moved["first_trigger_log_entry"]["id"], triggered[0]["id"]);
}

#[store::both_engines]
async fn entries_are_narrowed_by_team(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let tills = muster.service("tills").build().await;
    let web = muster.service("web").build().await;
    let team = muster.team("Payments").await;
    let policy = json!({ "escalation_policy": { "teams": [{ "id": team }] } });
    muster
        .put(&format!("/escalation_policies/{}", tills.policy_id), policy)
        .await
        .good();
    muster.trigger(&tills, "till-1", "Terminal silent").await;
    muster.trigger(&web, "web-1", "Slow").await;
    let found = muster
        .get(&format!("/log_entries?team_ids[]={team}&total=true"))
        .await
        .good();
    let services: Vec<&Value> = found["log_entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["service"]["summary"])
        .collect();
    assert!(
        !services.is_empty() && services.iter().all(|name| *name == "tills"),
        "{services:?}"
    );
    assert_eq!(found["total"], services.len());
    let nobody = muster.get("/log_entries?team_ids[]=PNOPE").await.good();
    assert_eq!(nobody["log_entries"], json!([]));
}

#[store::both_engines]
async fn what_a_person_did_is_listed_and_an_unknown_person_is_named(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let priya = muster
        .person(
            "Priya Raman",
            "priya@example.org",
            muster::people::Role::Responder,
        )
        .await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let id = the_incident(&muster).await;
    let acknowledged = json!({ "incident": { "type": "incident_reference", "status": "acknowledged" } });
    let path = format!("/incidents/{id}");
    muster
        .as_person(&priya, axum::http::Method::PUT, &path, Some(acknowledged))
        .await
        .good();
    muster
        .put(
            &path,
            json!({ "incident": { "type": "incident_reference", "priority": null } }),
        )
        .await
        .good();
    let of = async |person: &str| muster.get(&format!("/users/{person}/log_entries")).await;
    let found = of(priya.id.as_str()).await.good();
    let found = found["log_entries"].as_array().unwrap();
    assert!(!found.is_empty());
    for entry in found {
        assert_eq!(entry["agent"]["id"], priya.id.as_str(), "{entry}");
    }
    assert!(
        found.iter().any(|entry| entry["type"] == "acknowledge_log_entry"),
        "{found:?}"
    );
    for unknown in ["Q0", "me-not", "%ff"] {
        assert_eq!(of(unknown).await.with_status(404)["error"]["code"], 2100);
    }
}
