//! The shapes of audiences, updates and promises, whole.

use axum::http::Method;
use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::{CUSTOMERS, draft, outage, tell_customers};
use crate::harness::TestApp;

#[store::both_engines]
async fn an_update_tells_everything_about_itself(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let told = tell_customers(&muster, &incident).await;
    insta::assert_json_snapshot!("update", told, {
        ".id" => "[id]", ".self" => "[url]", ".html_url" => "[url]",
        ".incident.id" => "[id]", ".incident.self" => "[url]", ".incident.html_url" => "[url]",
        ".approved_by.id" => "[id]", ".approved_by.self" => "[url]", ".approved_by.html_url" => "[url]",
        ".published_by.id" => "[id]", ".published_by.self" => "[url]", ".published_by.html_url" => "[url]",
    });
}

#[store::both_engines]
async fn audiences_are_kept_like_every_resource(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let seeded = muster.get("/audiences").await.good();
    insta::assert_json_snapshot!("audiences", seeded);
    let body = json!({ "audience": {
        "name": "Partners", "visibility": "public", "time_zone": "Europe/Dublin", "cadence_minutes": 60,
        "channels": [{ "type": "email", "address": "ops@partner.example" }],
        "templates": { "investigating": "Hold reversals. Next word by {{ next_update_by }}." },
    } });
    let made = muster.post("/audiences", body.clone()).await.with_status(201);
    let path = format!("/audiences/{}", made["audience"]["id"].as_str().unwrap());
    muster.post("/audiences", body).await.with_status(400);
    let changed = muster
        .put(&path, json!({ "audience": { "approval": "not_required" } }))
        .await
        .good();
    assert_eq!(changed["audience"]["cadence_minutes"], 60);
    let leaky = json!({ "audience": { "templates": { "investigating": "{{ incident.title }}" } } });
    muster.put(&path, leaky).await.with_status(400);
    muster
        .put(&path, json!({ "audience": { "visibility": "internal" } }))
        .await
        .with_status(400);
    muster.delete(&path).await.with_status(204);
    muster.get(&path).await.with_status(404);
}

#[store::both_engines]
async fn a_template_that_would_fill_the_memory_is_refused_when_it_is_saved(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let audiences = muster.get("/audiences").await.good();
    let path = format!("/audiences/{}", audiences["audiences"][0]["id"].as_str().unwrap());
    let long = "x".repeat(40);
    for bomb in [
        format!(
            "{{{{ symptom|replace('', '{long}')|replace('x', '{long}')|replace('x', '{long}')|replace('x', '{long}') }}}}"
        ),
        "{% set x = 'xxxxxxxxxxxxxxxx' %}".to_owned() + &"{% set x = x ~ x %}".repeat(40),
        "{{ debug() }}".to_owned(),
        "{{ 'x' * 100000000 }}".to_owned(),
    ] {
        let body = json!({ "audience": { "templates": { "investigating": bomb } } });
        let refused = muster.put(&path, body).await.with_status(400);
        assert!(
            refused["error"]
                .to_string()
                .contains("templates.investigating does not work"),
            "{refused}"
        );
    }
}

#[store::both_engines]
async fn who_may_approve_and_publish_is_decided_by_role(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let update = draft(&muster, &incident, CUSTOMERS).await;
    let path = format!("/updates/{}", update["id"].as_str().unwrap());
    for role in [Role::Responder, Role::Agent, Role::Stakeholder, Role::Observer] {
        let person = muster
            .person(role.as_text(), &format!("{}@example.org", role.as_text()), role)
            .await;
        let answer = muster
            .as_person(&person, Method::POST, &format!("{path}/approve"), Some(json!({})))
            .await;
        answer.with_status(403);
    }
    let agent = muster.person("Ana Silva", "ana@example.org", Role::Agent).await;
    muster
        .as_person(&agent, Method::POST, &format!("{path}/publish"), None)
        .await
        .with_status(403);
}

#[store::both_engines]
async fn bad_input_is_named_and_never_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let path = format!("/incidents/{incident}/updates");
    for (body, status) in [
        (json!({}), 400),
        (json!({ "update": {} }), 400),
        (json!({ "update": { "audience": { "id": "QNONE" } } }), 404),
        (
            json!({ "update": { "audience": { "id": CUSTOMERS }, "words": "   " } }),
            400,
        ),
        (
            json!({ "update": { "audience": { "id": CUSTOMERS }, "words": "x".repeat(10_001) } }),
            400,
        ),
        (
            json!({ "update": { "audience": { "id": CUSTOMERS }, "next_update_by": "soon" } }),
            400,
        ),
        (
            json!({ "update": { "audience": { "id": CUSTOMERS }, "next_update_by": "2020-01-01" } }),
            400,
        ),
    ] {
        muster.post(&path, body).await.with_status(status);
    }
    muster.get("/updates/QNONE").await.with_status(404);
    muster.get("/incidents/QNONE/facts").await.with_status(404);
    let phase = json!({ "facts": { "phase": "resolved" } });
    muster
        .put(&format!("/incidents/{incident}/facts"), phase)
        .await
        .with_status(400);
}
