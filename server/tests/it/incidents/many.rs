//! Many incidents that are changed with one request.

use serde_json::{Value, json};
use store::Engine;

use crate::harness::TestApp;

/// Incidents on one service, the oldest first.
pub(crate) async fn several(muster: &TestApp, count: usize) -> Vec<String> {
    let built = muster.service("card-gateway").build().await;
    for number in 0..count {
        muster
            .trigger(
                &built,
                &format!("till-{number}"),
                &format!("Terminal {number} silent"),
            )
            .await;
    }
    let listed = muster.get("/incidents?sort_by=incident_number").await.good();
    listed["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

/// The state of every incident, the oldest first.
pub(crate) async fn states(muster: &TestApp) -> Vec<String> {
    let listed = muster.get("/incidents?sort_by=incident_number").await.good();
    listed["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_str().unwrap().to_owned())
        .collect()
}

fn with_status(id: &str, status: &str) -> Value {
    json!({ "id": id, "type": "incident_reference", "status": status })
}

#[store::both_engines]
async fn many_incidents_change_with_one_request(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ids = several(&muster, 3).await;
    let body =
        json!({ "incidents": [with_status(&ids[2], "resolved"), with_status(&ids[0], "acknowledged")] });
    let answer = muster.put("/incidents", body).await.good();
    let shown: Vec<(&Value, &Value)> = answer["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["id"], &one["status"]))
        .collect();
    assert_eq!(
        shown,
        [
            (&json!(ids[2]), &json!("resolved")),
            (&json!(ids[0]), &json!("acknowledged"))
        ]
    );
    assert_eq!(states(&muster).await, ["acknowledged", "triggered", "resolved"]);
}

#[store::both_engines]
async fn one_that_cannot_change_keeps_all_as_they_were(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ids = several(&muster, 2).await;
    let far_too_high = json!({ "id": ids[1], "type": "incident_reference", "escalation_level": 9 });
    let body = json!({ "incidents": [with_status(&ids[0], "resolved"), far_too_high] });
    let refused = muster.put("/incidents", body).await.with_status(400);
    assert_eq!(
        refused["error"]["errors"],
        json!(["escalation_level must be between 1 and 1."])
    );
    let unknown =
        json!({ "incidents": [with_status(&ids[0], "resolved"), with_status("QNOTHING", "resolved")] });
    muster.put("/incidents", unknown).await.with_status(404);
    let nameless = json!({ "incidents": [{ "type": "incident_reference", "status": "resolved" }] });
    let refused = muster.put("/incidents", nameless).await.with_status(400);
    assert_eq!(refused["error"]["errors"], json!(["incidents[0].id is missing."]));
    assert_eq!(states(&muster).await, ["triggered", "triggered"]);
}

#[store::both_engines]
async fn more_than_250_at_once_are_too_many(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ids = several(&muster, 1).await;
    let many = |count: usize| json!({ "incidents": vec![with_status(&ids[0], "acknowledged"); count] });
    let refused = muster.put("/incidents", many(251)).await.with_status(413);
    assert_eq!(
        refused["error"]["errors"],
        json!(["incidents: at most 250 may be changed at once."])
    );
    assert_eq!(states(&muster).await, ["triggered"]);
    muster.put("/incidents", many(250)).await.good();
    assert_eq!(states(&muster).await, ["acknowledged"]);
}
