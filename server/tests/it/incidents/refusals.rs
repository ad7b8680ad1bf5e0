//! What is refused about an incident, with what to do instead.

use muster::incidents::{IncidentId, merge};
use muster::timeline::Change;
use serde_json::json;
use store::Engine;

use super::open_one;
use super::race::at_once;
use crate::harness::TestApp;

async fn set_status(muster: &TestApp, id: &str, status: &str) -> crate::harness::Answer {
    let body = json!({ "incident": { "status": status } });
    muster.put(&format!("/incidents/{id}"), body).await
}

#[store::both_engines]
async fn two_open_incidents_of_a_service_never_have_one_key(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let new = json!({ "incident": {
        "title": "Cards fail", "incident_key": "cards", "service": { "id": built.service_id } } });
    let both = tokio::join!(
        muster.post("/incidents", new.clone()),
        muster.post("/incidents", new.clone())
    );
    let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400]);
    let opened = if both.0.status == 201 { &both.0 } else { &both.1 };
    let first = opened.json()["incident"]["id"].as_str().unwrap().to_owned();
    set_status(&muster, &first, "resolved").await.good();
    muster.post("/incidents", new).await.with_status(201);
    let refused = set_status(&muster, &first, "triggered").await.with_status(400);
    assert!(
        refused["error"]["errors"][0]
            .as_str()
            .unwrap()
            .contains("incident_key"),
        "{refused}"
    );
}

#[store::both_engines]
async fn an_alert_that_two_move_at_once_leaves_no_open_incident_without_one(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let source = open_one(&muster, &built).await;
    let mut targets = Vec::new();
    for key in ["till-2", "till-3"] {
        muster.trigger(&built, key, "Terminal silent").await;
        let all = muster.get("/incidents?date_range=all").await.good();
        let newest = all["incidents"]
            .as_array()
            .unwrap()
            .iter()
            .max_by_key(|one| one["incident_number"].as_i64())
            .unwrap()
            .clone();
        targets.push(newest["id"].as_str().unwrap().to_owned());
    }
    let alerts = muster.get(&format!("/incidents/{source}/alerts")).await.good();
    let alert = alerts["alerts"][0]["id"].as_str().unwrap().to_owned();
    let moving = |target: &str| {
        let (alert, target) = (alert.clone(), IncidentId::from(target));
        move |change: &mut Change| merge::move_alert(change, &alert.as_str().into(), &target)
    };
    let moved = at_once(&muster, moving(&targets[0]), moving(&targets[1])).await;
    assert!(moved.iter().all(Result::is_ok), "{moved:?}");
    let entries = crate::updates::entries(&muster, &targets[0]).await;
    assert!(
        entries
            .iter()
            .any(|(kind, text)| kind == "alert_moved" && text.contains("moved an alert to #3")),
        "the second took it from where the first had put it: {entries:?}"
    );
}
