//! What an incident does by itself, and what it never does.

use std::time::Duration;

use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::{assignees, only_incident, open_one};
use crate::harness::{Built, TestApp};

/// A service that lets no incident stay open for longer than ten minutes.
async fn short_lived(muster: &TestApp) -> Built {
    let built = muster.service("card-gateway").build().await;
    let timeout = json!({ "service": { "auto_resolve_timeout": 600 } });
    muster
        .put(&format!("/services/{}", built.service_id), timeout)
        .await
        .good();
    built
}

async fn set(muster: &TestApp, id: &str, status: &str) {
    let body = json!({ "incident": { "type": "incident_reference", "status": status } });
    muster.put(&format!("/incidents/{id}"), body).await.good();
}

fn resolution(incident: &Value) -> Option<&Value> {
    let pending = incident["pending_actions"].as_array().unwrap();
    pending
        .iter()
        .find(|one| one["type"] == "resolve")
        .map(|one| &one["at"])
}

#[store::both_engines]
async fn an_incident_ends_after_the_time_its_service_allows_and_again_when_it_is_back(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = short_lived(&muster).await;
    let id = open_one(&muster, &built).await;
    let opened = only_incident(&muster).await;
    assert_eq!(resolution(&opened), Some(&json!("2026-11-17T06:10:00Z")));
    muster.pass(Duration::from_secs(590)).await;
    assert_eq!(only_incident(&muster).await["status"], "triggered");
    muster.pass(Duration::from_secs(10)).await;
    assert_eq!(only_incident(&muster).await["status"], "resolved");
    set(&muster, &id, "triggered").await;
    let back = only_incident(&muster).await;
    assert_eq!(resolution(&back), Some(&json!("2026-11-17T06:20:00Z")));
    muster.pass(Duration::from_secs(590)).await;
    assert_eq!(only_incident(&muster).await["status"], "triggered");
    muster.pass(Duration::from_secs(10)).await;
    let ended = only_incident(&muster).await;
    assert_eq!(ended["status"], "resolved");
    assert_eq!(ended["pending_actions"], json!([]));
}

/// Else it would end by the rule of a service that it does not belong to, or never.
#[store::both_engines]
async fn an_incident_that_moves_stays_open_as_long_as_its_new_service_allows(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = short_lived(&muster).await;
    let patient = muster.service("order-hub").build().await;
    let id = open_one(&muster, &built).await;
    let to = |service: &Built| {
        json!({ "incident": {
            "type": "incident_reference",
            "service": { "id": service.service_id, "type": "service_reference" },
        } })
    };
    let path = format!("/incidents/{id}");
    let there = muster.put(&path, to(&patient)).await.good();
    assert_eq!(resolution(&there["incident"]), None);
    muster.pass(Duration::from_secs(900)).await;
    assert_eq!(only_incident(&muster).await["status"], "triggered");
    let back = muster.put(&path, to(&built)).await.good();
    assert_eq!(
        resolution(&back["incident"]),
        Some(&json!("2026-11-17T06:25:00Z"))
    );
}

#[store::both_engines]
async fn an_acknowledged_incident_is_open_and_ends_in_the_same_time(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = short_lived(&muster).await;
    let id = open_one(&muster, &built).await;
    set(&muster, &id, "acknowledged").await;
    muster.pass(Duration::from_secs(590)).await;
    assert_eq!(only_incident(&muster).await["status"], "acknowledged");
    muster.pass(Duration::from_secs(10)).await;
    assert_eq!(only_incident(&muster).await["status"], "resolved");
}

#[store::both_engines]
async fn who_resolved_it_first_is_not_followed_by_the_timer(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = short_lived(&muster).await;
    let id = open_one(&muster, &built).await;
    set(&muster, &id, "resolved").await;
    muster.pass(Duration::from_secs(300)).await;
    set(&muster, &id, "triggered").await;
    muster.pass(Duration::from_secs(310)).await;
    assert_eq!(
        only_incident(&muster).await["status"],
        "triggered",
        "the time counts from the return"
    );
}

#[store::both_engines]
async fn what_is_given_to_a_person_never_climbs(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let priya = muster.person("Priya", "priya@example.org", Role::Responder).await;
    let tomasz = muster
        .person("Tomasz", "tomasz@example.org", Role::Responder)
        .await;
    let levels = vec![vec![muster.owner.id.clone()], vec![tomasz.id]];
    let built = muster
        .service("card-gateway")
        .levels(levels)
        .acknowledgement_timeout(600)
        .build()
        .await;
    let to_priya = json!([{ "assignee": { "id": priya.id, "type": "user_reference" } }]);
    let body = json!({ "incident": { "type": "incident", "title": "Terminal silent", "urgency": "high",
        "service": { "id": built.service_id, "type": "service_reference" }, "assignments": to_priya } });
    let opened = muster.post("/incidents", body).await.with_status(201);
    let id = opened["incident"]["id"].as_str().unwrap();
    muster.pass(Duration::from_secs(3_600)).await;
    let still = only_incident(&muster).await;
    assert_eq!(still["assigned_via"], "direct_assignment");
    assert_eq!(
        (assignees(&still), &still["pending_actions"]),
        (vec!["Priya".to_owned()], &json!([]))
    );
    // Nor when an acknowledgement lapses, nor when it becomes urgent again.
    set(&muster, id, "acknowledged").await;
    muster.pass(Duration::from_secs(610)).await;
    for urgency in ["low", "high"] {
        let body = json!({ "incident": { "type": "incident_reference", "urgency": urgency } });
        muster.put(&format!("/incidents/{id}"), body).await.good();
    }
    muster.pass(Duration::from_secs(600)).await;
    let still = only_incident(&muster).await;
    assert_eq!(still["status"], "triggered");
    assert_eq!(still["pending_actions"], json!([]));
    assert!(!assignees(&still).contains(&"Tomasz".to_owned()), "{still}");
}

#[store::both_engines]
async fn an_incident_that_climbs_stops_when_it_is_given_to_a_person(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let priya = muster.person("Priya", "priya@example.org", Role::Responder).await;
    let tomasz = muster
        .person("Tomasz", "tomasz@example.org", Role::Responder)
        .await;
    let levels = vec![vec![muster.owner.id.clone()], vec![tomasz.id]];
    let built = muster.service("card-gateway").levels(levels).build().await;
    let id = open_one(&muster, &built).await;
    let to_priya = json!([{ "assignee": { "id": priya.id, "type": "user_reference" } }]);
    let body = json!({ "incident": { "type": "incident_reference", "assignments": to_priya } });
    muster.put(&format!("/incidents/{id}"), body).await.good();
    muster.pass(Duration::from_secs(3_600)).await;
    assert_eq!(assignees(&only_incident(&muster).await), ["Priya"]);
}
