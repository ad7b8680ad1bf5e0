//! The life of an incident.

mod hours;
mod lifetime;
pub(crate) mod many;
pub(crate) mod race;
mod refusals;
mod timers;

use std::time::Duration;

use axum::http::Method;
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Built, TestApp};

async fn only_incident(muster: &TestApp) -> Value {
    muster.get("/incidents?date_range=all").await.good()["incidents"][0].clone()
}

async fn open_one(muster: &TestApp, built: &Built) -> String {
    muster.trigger(built, "till-1", "Terminal silent").await;
    only_incident(muster).await["id"].as_str().unwrap().to_owned()
}

fn assignees(incident: &Value) -> Vec<String> {
    let list = incident["assignments"].as_array().unwrap();
    list.iter()
        .map(|one| one["assignee"]["summary"].as_str().unwrap().to_owned())
        .collect()
}

#[store::both_engines]
async fn an_unanswered_incident_climbs_its_policy_and_begins_again(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Responder)
        .await;
    let tomasz = muster
        .person("Tomasz Zielinski", "tomasz@example.org", Role::Responder)
        .await;
    let built = muster
        .service("card-gateway")
        .levels(vec![vec![priya.id], vec![tomasz.id]])
        .loops(1)
        .build()
        .await;
    open_one(&muster, &built).await;
    let mut seen = vec![assignees(&only_incident(&muster).await)];
    for _ in 0..4 {
        muster.pass(Duration::from_secs(5 * 60)).await;
        seen.push(assignees(&only_incident(&muster).await));
    }
    let names: Vec<String> = seen.into_iter().flatten().collect();
    assert_eq!(
        names,
        [
            "Priya Raman",
            "Tomasz Zielinski",
            "Priya Raman",
            "Tomasz Zielinski",
            "Tomasz Zielinski"
        ]
    );
}

#[store::both_engines]
async fn a_role_is_held_by_one_person_until_it_is_left_open(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Responder)
        .await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    let roles = format!("/incidents/{id}/roles");
    let commander = format!("{roles}/incident_commander");
    let mut held = Vec::new();
    for person in [&muster.owner.id, &priya.id] {
        let given = json!({ "assignee": { "id": person, "type": "user_reference" } });
        muster.put(&commander, given).await.with_status(204);
        held.push(muster.get(&roles).await.good()["incident_roles"].clone());
    }
    let names: Vec<Vec<&Value>> = held
        .iter()
        .map(|roles| {
            let roles = roles.as_array().unwrap().iter();
            roles.map(|one| &one["assignee"]["summary"]).collect()
        })
        .collect();
    assert_eq!(names, [[&json!("Maya Okafor")], [&json!("Priya Raman")]]);
    muster.delete(&commander).await.with_status(204);
    assert_eq!(muster.get(&roles).await.good()["incident_roles"], json!([]));
    muster.delete(&format!("{roles}/king")).await.with_status(404);
    muster
        .delete("/incidents/QNOTHING/roles/incident_commander")
        .await
        .with_status(404);
}

#[store::both_engines]
async fn an_acknowledgement_stops_the_climb_and_its_lapse_goes_on_with_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Responder)
        .await;
    let tomasz = muster
        .person("Tomasz Zielinski", "tomasz@example.org", Role::Responder)
        .await;
    let built = muster
        .service("card-gateway")
        .levels(vec![vec![priya.id.clone()], vec![tomasz.id]])
        .acknowledgement_timeout(1800)
        .build()
        .await;
    let id = open_one(&muster, &built).await;
    let body = json!({ "incident": { "type": "incident_reference", "status": "acknowledged" } });
    muster
        .as_person(&priya, Method::PUT, &format!("/incidents/{id}"), Some(body))
        .await
        .good();
    muster.pass(Duration::from_secs(20 * 60)).await;
    let incident = only_incident(&muster).await;
    assert_eq!(
        (incident["status"].as_str(), assignees(&incident)),
        (Some("acknowledged"), vec!["Priya Raman".into()])
    );
    muster.pass(Duration::from_secs(11 * 60)).await;
    assert_eq!(only_incident(&muster).await["status"], "triggered");
    muster.pass(Duration::from_secs(5 * 60)).await;
    assert_eq!(assignees(&only_incident(&muster).await), ["Tomasz Zielinski"]);
}

#[store::both_engines]
async fn low_urgency_never_climbs(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Responder)
        .await;
    let levels = vec![vec![muster.owner.id.clone()], vec![priya.id]];
    let built = muster
        .service("reports")
        .levels(levels)
        .low_urgency()
        .build()
        .await;
    open_one(&muster, &built).await;
    muster.pass(Duration::from_secs(3600)).await;
    assert_eq!(assignees(&only_incident(&muster).await), ["Maya Okafor"]);
}

#[store::both_engines]
async fn a_snoozed_incident_comes_back(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    muster
        .post(&format!("/incidents/{id}/snooze"), json!({ "duration": 3600 }))
        .await
        .with_status(201);
    muster.pass(Duration::from_secs(3590)).await;
    assert_eq!(only_incident(&muster).await["status"], "acknowledged");
    muster.pass(Duration::from_secs(20)).await;
    assert_eq!(only_incident(&muster).await["status"], "triggered");
    let answer = muster
        .post(&format!("/incidents/{id}/snooze"), json!({ "duration": 0 }))
        .await;
    assert_eq!(answer.with_status(400)["error"]["code"], 1013);
}

#[store::both_engines]
async fn alerts_join_by_the_services_setting_and_say_why(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster
        .service("card-gateway")
        .grouping(json!({ "type": "time", "window_seconds": 300 }))
        .build()
        .await;
    for till in 0..3 {
        muster
            .trigger(&built, &format!("till-{till}"), "Terminal silent")
            .await;
    }
    muster.clock.advance(Duration::from_secs(400));
    muster.trigger(&built, "till-9", "Terminal silent").await;
    let incidents = muster.get("/incidents").await.good();
    assert_eq!(incidents["incidents"].as_array().unwrap().len(), 2);
    let first = &incidents["incidents"][0];
    assert_eq!(first["alert_counts"]["all"], 3);
    let alerts = muster
        .get(&format!("/incidents/{}/alerts", first["id"].as_str().unwrap()))
        .await
        .good();
    let reason = alerts["alerts"][1]["grouping_reasons"][0]["sentence"]
        .as_str()
        .unwrap();
    assert!(!reason.is_empty());
}

#[store::both_engines]
async fn merged_incidents_move_their_alerts_and_end(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    muster.trigger(&built, "till-1", "Terminal 1 silent").await;
    muster.trigger(&built, "till-2", "Terminal 2 silent").await;
    let incidents = muster.get("/incidents").await.good();
    let (target, source) = (
        incidents["incidents"][0]["id"].clone(),
        incidents["incidents"][1]["id"].clone(),
    );
    let path = format!("/incidents/{}/merge", target.as_str().unwrap());
    let body = json!({ "source_incidents": [{ "id": source, "type": "incident_reference" }] });
    let merged = muster.put(&path, body).await.good();
    assert_eq!(merged["incident"]["alert_counts"]["all"], 2);
    let gone = muster
        .get(&format!("/incidents/{}", source.as_str().unwrap()))
        .await
        .good();
    assert_eq!(gone["incident"]["status"], "resolved");
    assert_eq!(gone["incident"]["resolve_reason"]["incident"]["id"], target);
}

#[store::both_engines]
async fn the_room_keeps_notes_roles_tasks_and_who_was_asked(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Responder)
        .await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    muster
        .post(
            &format!("/incidents/{id}/notes"),
            json!({ "note": { "content": "Rolling back" } }),
        )
        .await
        .with_status(200);
    let role = json!({ "assignee": { "id": priya.id, "type": "user_reference" } });
    muster
        .put(&format!("/incidents/{id}/roles/incident_commander"), role)
        .await
        .with_status(204);
    let task = json!({ "incident_task": { "name": "Call the shops", "assignee": { "id": priya.id } } });
    let task = muster
        .post(&format!("/incidents/{id}/tasks"), task)
        .await
        .with_status(201);
    let task_id = task["incident_task"]["id"].as_str().unwrap().to_owned();
    let done = json!({ "incident_task": { "name": "Call the shops", "status": "done" } });
    let done = muster
        .put(&format!("/incidents/{id}/tasks/{task_id}"), done)
        .await
        .with_status(200);
    assert_eq!(done["incident_task"]["status"], "done");
    let asked = json!({
        "message": "Please help",
        "requester_id": muster.owner.id,
        "responder_request_targets": [{ "responder_request_target": { "id": priya.id, "type": "user_reference" } }],
    });
    muster
        .post(&format!("/incidents/{id}/responder_requests"), asked)
        .await
        .with_status(200);
    let joined = Some(json!({ "state": "joined" }));
    muster
        .as_person(
            &priya,
            Method::PUT,
            &format!("/incidents/{id}/responders/me"),
            joined,
        )
        .await
        .with_status(204);
    let incident = muster.get(&format!("/incidents/{id}")).await.good();
    assert_eq!(incident["incident"]["incidents_responders"][0]["state"], "joined");
    let entries = muster
        .get(&format!("/incidents/{id}/log_entries?limit=100"))
        .await
        .good();
    let kinds: Vec<&str> = entries["log_entries"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|entry| entry["muster_kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "triggered",
            "assigned",
            "alert_added",
            "page_sent",
            "noted",
            "role_assigned",
            "task_added",
            "task_completed",
            "responder_requested",
            "responder_replied"
        ]
    );
}

#[store::both_engines]
async fn bad_input_names_its_field_and_changes_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let body =
        json!({ "incident": { "type": "incident", "title": 7, "service": { "id": built.service_id } } });
    let answer = muster.post("/incidents", body).await.with_status(400);
    assert_eq!(answer["error"]["code"], 2001);
    assert!(
        answer["error"]["errors"][0]
            .as_str()
            .unwrap()
            .starts_with("incident.title"),
        "{answer}"
    );
    let body = json!({ "incident": { "title": "x", "service": { "id": "QNOTHING" } } });
    assert_eq!(
        muster.post("/incidents", body).await.with_status(400)["error"]["code"],
        5002
    );
    assert_eq!(
        muster.get("/incidents/QNOTHING").await.with_status(404)["error"]["code"],
        2100
    );
    let unknown = muster
        .get("/incidents?statuses[]=sleeping&since=yesterday")
        .await
        .with_status(400);
    assert_eq!(unknown["error"]["errors"].as_array().unwrap().len(), 2);
    assert_eq!(
        muster
            .get("/incidents?limit=100&offset=9901")
            .await
            .status
            .as_u16(),
        400
    );
    assert_eq!(muster.get("/incidents?total=true").await.good()["total"], 0);
}

/// Has an alert said with a severity, and takes it.
async fn say(muster: &TestApp, built: &Built, key: &str, severity: &str) {
    let body = json!({
        "routing_key": built.integration_key,
        "event_action": "trigger",
        "dedup_key": key,
        "payload": { "summary": "Disk fills up", "source": "db-1", "severity": severity },
    });
    muster.post("/v2/enqueue", body).await.with_status(202);
    muster.take_signals().await;
}

#[store::both_engines]
async fn what_begins_as_a_warning_and_becomes_critical_is_urgent(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("database").urgency_by_severity().build().await;
    say(&muster, &built, "disk-1", "info").await;
    let mild = only_incident(&muster).await;
    assert_eq!(
        (&mild["urgency"], &mild["pending_actions"]),
        (&json!("low"), &json!([]))
    );
    say(&muster, &built, "disk-1", "critical").await;
    let grave = only_incident(&muster).await;
    assert_eq!(grave["urgency"], "high");
    assert_eq!(grave["pending_actions"][0]["type"], "escalate");
    say(&muster, &built, "disk-1", "info").await;
    assert_eq!(only_incident(&muster).await["urgency"], "high");
}

#[store::both_engines]
async fn what_was_paused_makes_the_incident_that_it_joins_urgent_too(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster
        .service("database")
        .urgency_by_severity()
        .all_in_one()
        .build()
        .await;
    say(&muster, &built, "disk-1", "info").await;
    let pause =
        json!({ "service": { "auto_pause_notifications_parameters": { "enabled": true, "timeout": 300 } } });
    muster
        .put(&format!("/services/{}", built.service_id), pause)
        .await
        .good();
    say(&muster, &built, "disk-2", "critical").await;
    assert_eq!(only_incident(&muster).await["urgency"], "low");
    muster.pass(Duration::from_secs(301)).await;
    assert_eq!(only_incident(&muster).await["urgency"], "high");
}

#[store::both_engines]
async fn how_urgent_an_incident_is_by_a_persons_word_no_alert_changes(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster
        .service("database")
        .urgency_by_severity()
        .all_in_one()
        .build()
        .await;
    say(&muster, &built, "disk-1", "critical").await;
    let id = only_incident(&muster).await["id"].as_str().unwrap().to_owned();
    let low = json!({ "incident": { "type": "incident_reference", "urgency": "low" } });
    muster.put(&format!("/incidents/{id}"), low).await.good();
    say(&muster, &built, "disk-2", "critical").await;
    assert_eq!(only_incident(&muster).await["urgency"], "low");
}
