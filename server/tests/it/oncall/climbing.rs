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

/// A service whose only level asks these people in turn; gives a body that opens an incident on it.
async fn in_turn(muster: &TestApp, name: &str, people: &[&str], num_loops: u32) -> Value {
    let targets: Vec<Value> = people
        .iter()
        .map(|id| json!({ "id": id, "type": "user_reference" }))
        .collect();
    let body = json!({ "escalation_policy": { "type": "escalation_policy", "name": name, "num_loops": num_loops,
        "escalation_rules": [{ "escalation_delay_in_minutes": 30, "targets": targets,
            "escalation_rule_assignment_strategy": { "type": "round_robin" } }] } });
    let policy = muster.post("/escalation_policies", body).await.with_status(201);
    let service = json!({ "service": { "type": "service", "name": name,
        "escalation_policy": { "id": policy["escalation_policy"]["id"], "type": "escalation_policy_reference" } } });
    let service = muster.post("/services", service).await.with_status(201);
    json!({ "incident": { "type": "incident", "title": "Cards fail",
        "service": { "id": service["service"]["id"], "type": "service_reference" } } })
}

/// Opens one and gives its path and who was asked.
async fn open_and_ask(muster: &TestApp, body: &Value) -> (String, String) {
    let opened = muster.post("/incidents", body.clone()).await.with_status(201);
    let path = format!("/incidents/{}", opened["incident"]["id"].as_str().unwrap());
    let asked = asked(muster, &path).await.join(", ");
    (path, asked)
}

async fn three_people(muster: &TestApp) -> Vec<String> {
    let mut people = Vec::new();
    for name in ["Priya", "Tomasz", "Ines"] {
        let address = format!("{}@example.org", name.to_lowercase());
        let person = muster.person(name, &address, Role::Responder).await;
        people.push(person.id.to_string());
    }
    people
}

#[store::both_engines]
async fn a_level_that_asks_in_turn_asks_another_for_each_incident_of_its_own(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let people = three_people(&muster).await;
    let cards = in_turn(&muster, "Cards", &[&people[0], &people[1], &people[2]], 0).await;
    let stock = in_turn(&muster, "Stock", &[&people[2], &people[1]], 0).await;
    let (mut for_cards, mut for_stock) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        for_cards.push(open_and_ask(&muster, &cards).await.1);
        for_stock.push(open_and_ask(&muster, &stock).await.1);
    }
    assert_eq!(for_cards, ["Priya", "Tomasz", "Ines", "Priya"]);
    assert_eq!(for_stock, ["Ines", "Tomasz", "Ines", "Tomasz"]);
}

#[store::both_engines]
async fn who_did_not_answer_is_followed_by_the_next_when_the_policy_begins_again(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let people = three_people(&muster).await;
    let cards = in_turn(&muster, "Cards", &[&people[0], &people[1], &people[2]], 1).await;
    let (incident, first) = open_and_ask(&muster, &cards).await;
    assert_eq!(first, "Priya");
    muster.pass(Duration::from_secs(1_800)).await;
    assert_eq!(asked(&muster, &incident).await, ["Tomasz"]);
    assert_eq!(open_and_ask(&muster, &cards).await.1, "Ines");
}
