//! An incident climbs over rotas: whoever has the turn at that moment is asked, and a rota with nobody is passed over.

use std::time::Duration;

use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::schedule;
use crate::harness::TestApp;

async fn policy(muster: &TestApp, rotas: &[&str]) -> String {
    let rules: Vec<Value> = rotas
        .iter()
        .map(|path| {
            let id = path.trim_start_matches("/schedules/");
            json!({ "escalation_delay_in_minutes": 30, "targets": [{ "id": id, "type": "schedule_reference" }] })
        })
        .collect();
    let body = json!({ "escalation_policy": { "type": "escalation_policy", "name": "Payments", "escalation_rules": rules } });
    let made = muster.post("/escalation_policies", body).await.with_status(201);
    made["escalation_policy"]["id"].as_str().unwrap().to_owned()
}

async fn open(muster: &TestApp, policy: &str) -> String {
    let service = json!({ "service": { "type": "service", "name": "card-gateway",
        "escalation_policy": { "id": policy, "type": "escalation_policy_reference" } } });
    let service = muster.post("/services", service).await.with_status(201);
    let incident = json!({ "incident": { "type": "incident", "title": "Cards fail",
        "service": { "id": service["service"]["id"], "type": "service_reference" } } });
    let opened = muster.post("/incidents", incident).await.with_status(201);
    muster.settle().await;
    format!("/incidents/{}", opened["incident"]["id"].as_str().unwrap())
}

async fn asked(muster: &TestApp, incident: &str) -> Vec<String> {
    let shown = muster.get(incident).await.good();
    let names = shown["incident"]["assignments"].as_array().unwrap().iter();
    names
        .map(|one| one["assignee"]["summary"].as_str().unwrap().to_owned())
        .collect()
}

#[store::both_engines]
async fn each_level_asks_whoever_has_the_turn_at_that_moment(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let mut people = Vec::new();
    for name in ["Priya", "Tomasz", "Ines"] {
        let address = format!("{}@example.org", name.to_lowercase());
        people.push(
            muster
                .person(name, &address, Role::Responder)
                .await
                .id
                .to_string(),
        );
    }
    let first = schedule(&muster, "First", &[&people[0]]).await;
    let second = schedule(&muster, "Second", &[&people[1], &people[2]]).await;
    let incident = open(&muster, &policy(&muster, &[&first, &second]).await).await;
    let oncalls = format!(
        "/oncalls?schedule_ids[]={}",
        second.trim_start_matches("/schedules/")
    );
    let on_second = muster.get(&oncalls).await.good()["oncalls"][0]["user"]["summary"].clone();
    assert_eq!(asked(&muster, &incident).await, ["Priya"]);
    muster.pass(Duration::from_secs(1_810)).await;
    assert_eq!(asked(&muster, &incident).await, [on_second.as_str().unwrap()]);
}

#[store::both_engines]
async fn a_rota_with_nobody_is_passed_over_and_said_to_be_empty(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let priya = muster.person("Priya", "priya@example.org", Role::Responder).await;
    let gone = json!({ "schedule": { "type": "schedule", "name": "Over", "time_zone": "Etc/UTC", "schedule_layers": [{
        "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z", "rotation_virtual_start": "2026-01-01T00:00:00Z",
        "rotation_turn_length_seconds": 86_400, "users": [{ "user": { "id": priya.id, "type": "user_reference" } }] }] } });
    let made = muster.post("/schedules", gone).await.with_status(201);
    let empty = format!("/schedules/{}", made["schedule"]["id"].as_str().unwrap());
    let rota = schedule(&muster, "Second", &[priya.id.as_str()]).await;
    let incident = open(&muster, &policy(&muster, &[&empty, &rota]).await).await;
    assert_eq!(asked(&muster, &incident).await, ["Priya"]);
    let story = muster
        .get(&format!("{incident}/log_entries?limit=100"))
        .await
        .text;
    assert!(story.contains("Nobody is on call on level 1"), "{story}");
}
