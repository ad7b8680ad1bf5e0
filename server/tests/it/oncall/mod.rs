//! Escalation policies, schedules, and who is on call.

mod climbing;
mod oncalls;
mod overrides;
mod policies;
mod schedules;

use serde_json::{Value, json};

use crate::harness::TestApp;

/// A schedule in which these people take turns of a day, handing over at 08:00 in London.
pub(crate) fn daily(name: &str, people: &[&str]) -> Value {
    let users: Vec<Value> = people
        .iter()
        .map(|id| json!({ "user": { "id": id, "type": "user_reference" } }))
        .collect();
    json!({ "schedule": {
        "type": "schedule", "name": name, "time_zone": "Europe/London",
        "schedule_layers": [{
            "name": "Turns", "start": "2026-11-02T08:00:00Z", "rotation_virtual_start": "2026-11-02T08:00:00Z",
            "rotation_turn_length_seconds": 86_400, "users": users,
        }],
    } })
}

/// Makes the schedule and gives its path.
async fn schedule(muster: &TestApp, name: &str, people: &[&str]) -> String {
    let made = muster
        .post("/schedules", daily(name, people))
        .await
        .with_status(201);
    format!("/schedules/{}", made["schedule"]["id"].as_str().unwrap())
}

/// Who is on call, in order, with the beginning of each turn.
pub(crate) fn turns(schedule: &Value) -> Vec<(String, String)> {
    schedule["schedule"]["final_schedule"]["rendered_schedule_entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["user"]["summary"].as_str().unwrap().to_owned(),
                entry["start"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}
