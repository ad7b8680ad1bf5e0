use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::schedule;
use crate::harness::TestApp;

#[store::both_engines]
async fn everybody_on_call_is_told_with_level_and_turn(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let path = schedule(&muster, "Payments", &[ben.id.as_str(), muster.owner.id.as_str()]).await;
    let schedule_id = path.rsplit('/').next().unwrap();
    let policy = muster
        .post(
            "/escalation_policies",
            json!({ "escalation_policy": { "name": "Payments", "escalation_rules": [
                { "escalation_delay_in_minutes": 5, "targets": [{ "id": schedule_id, "type": "schedule" }] },
                { "escalation_delay_in_minutes": 5, "targets": [{ "id": muster.owner.id, "type": "user" }] },
            ] } }),
        )
        .await
        .with_status(201);
    let policy_id = policy["escalation_policy"]["id"].as_str().unwrap();
    let now = muster.get("/oncalls?include[]=users").await.good();
    let oncalls = now["oncalls"].as_array().unwrap();
    assert_eq!(oncalls.len(), 2);
    assert_eq!(oncalls[0]["escalation_level"], 1);
    assert_eq!(oncalls[0]["schedule"]["summary"], "Payments");
    assert_eq!(oncalls[0]["user"]["type"], "user");
    assert_eq!(oncalls[0]["start"], "2026-11-16T08:00:00+00:00");
    assert_eq!(oncalls[0]["end"], "2026-11-17T08:00:00+00:00");
    assert_eq!(oncalls[1]["schedule"], json!(null));
    assert_eq!(oncalls[1]["start"], json!(null));
    let always = muster.get("/oncalls?schedule_ids[]=null").await.good();
    assert_eq!(always["oncalls"].as_array().unwrap().len(), 1);
    let days = "since=2026-11-17T06:00:00Z&until=2026-11-21T06:00:00Z";
    let all = muster
        .get(&format!(
            "/oncalls?{days}&escalation_policy_ids[]={policy_id}&total=true"
        ))
        .await
        .good();
    assert_eq!(all["total"], 6);
    let earliest = muster.get(&format!("/oncalls?{days}&earliest=true")).await.good();
    assert_eq!(earliest["oncalls"].as_array().unwrap().len(), 3);
    let of_ben = muster
        .get(&format!("/oncalls?{days}&user_ids[]={}", ben.id))
        .await
        .good();
    assert!(
        of_ben["oncalls"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["user"]["summary"] == "Ben")
    );
    muster
        .get("/oncalls?since=2026-01-01&until=2026-12-31")
        .await
        .with_status(400);
    muster
        .get("/oncalls?since=2026-11-18&until=2026-11-17")
        .await
        .with_status(400);
}
