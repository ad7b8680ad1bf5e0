//! The forms of the incident room: who has it, how important it is, who does what, and that it is back.

use axum::http::StatusCode;
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Browser, TestApp};
use crate::incidents::many::several;
use crate::updates::{CUSTOMERS, draft, outage};

async fn incident(muster: &TestApp, id: &str) -> Value {
    muster.get(&format!("/incidents/{id}")).await.good()["incident"].clone()
}

fn assignees(incident: &Value) -> Vec<&str> {
    let list = incident["assignments"].as_array().unwrap();
    list.iter()
        .map(|one| one["assignee"]["summary"].as_str().unwrap())
        .collect()
}

/// Sends a form of the room that must be taken, and must lead back to the room.
async fn send(browser: &Browser<'_>, id: &str, form: &str, fields: &[(&str, &str)]) {
    let answer = browser
        .send(&format!("/console/incidents/{id}/{form}"), fields)
        .await;
    assert_eq!(Browser::led_to(&answer), format!("/console/incidents/{id}"));
}

#[store::both_engines]
async fn escalating_asks_the_next_level_a_policy_or_a_person(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let priya = muster.person("Priya", "priya@example.org", Role::Responder).await;
    let tomasz = muster
        .person("Tomasz", "tomasz@example.org", Role::Responder)
        .await;
    let levels = vec![vec![muster.owner.id.clone()], vec![priya.id.clone()]];
    let built = muster.service("card-gateway").levels(levels).build().await;
    let other = muster
        .service("stock")
        .levels(vec![vec![tomasz.id]])
        .build()
        .await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let listed = muster.get("/incidents").await.good();
    let id = listed["incidents"][0]["id"].as_str().unwrap();
    let browser = muster.browser().await;
    for _ in 0..2 {
        send(&browser, id, "escalate", &[]).await;
        assert_eq!(assignees(&incident(&muster, id).await), ["Priya"]);
    }
    let policy = [("escalation_policy", other.policy_id.as_str())];
    send(&browser, id, "escalate", &policy).await;
    assert_eq!(assignees(&incident(&muster, id).await), ["Tomasz"]);
    send(&browser, id, "escalate", &[("user", priya.id.as_str())]).await;
    let given = incident(&muster, id).await;
    assert_eq!(assignees(&given), ["Priya"]);
    assert_eq!(given["assigned_via"], "direct_assignment");
}

#[store::both_engines]
async fn the_priority_is_set_and_taken_away(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ids = several(&muster, 1).await;
    let browser = muster.browser().await;
    send(&browser, &ids[0], "priority", &[("priority", "QP2000000000P2")]).await;
    assert_eq!(incident(&muster, &ids[0]).await["priority"]["summary"], "P2");
    send(&browser, &ids[0], "priority", &[("priority", "")]).await;
    assert_eq!(incident(&muster, &ids[0]).await["priority"], Value::Null);
    let path = format!("/console/incidents/{}/priority", ids[0]);
    let unknown = browser.send(&path, &[("priority", "QNOTHING")]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[store::both_engines]
async fn a_resolved_incident_is_opened_again(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ids = several(&muster, 1).await;
    let browser = muster.browser().await;
    send(&browser, &ids[0], "resolve", &[]).await;
    assert_eq!(incident(&muster, &ids[0]).await["status"], "resolved");
    send(&browser, &ids[0], "reopen", &[]).await;
    let back = incident(&muster, &ids[0]).await;
    assert_eq!(back["status"], "triggered");
    assert_eq!(assignees(&back), ["Maya Okafor"]);
}

#[store::both_engines]
async fn a_role_is_given(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let priya = muster.person("Priya", "priya@example.org", Role::Responder).await;
    let ids = several(&muster, 1).await;
    let browser = muster.browser().await;
    let commander = [("role", "incident_commander"), ("user", priya.id.as_str())];
    send(&browser, &ids[0], "roles", &commander).await;
    let roles = muster.get(&format!("/incidents/{}/roles", ids[0])).await.good();
    let held: Vec<(&Value, &Value)> = roles["incident_roles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["role"], &one["assignee"]["summary"]))
        .collect();
    assert_eq!(held, [(&json!("incident_commander"), &json!("Priya"))]);
    let path = format!("/console/incidents/{}/roles", ids[0]);
    let unknown = browser
        .send(&path, &[("role", "king"), ("user", priya.id.as_str())])
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[store::both_engines]
async fn the_next_word_is_promised_for_later(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, id) = outage(&muster).await;
    let browser = muster.browser().await;
    let fields = [("incident", id.as_str()), ("minutes", "45")];
    let answer = browser.send("/console/updates/promise", &fields).await;
    assert_eq!(
        Browser::led_to(&answer),
        format!("/console/updates?incident={id}")
    );
    let moved = draft(&muster, &id, CUSTOMERS).await;
    assert_eq!(moved["next_update_by"], "2026-11-17T06:45:00Z");
}
