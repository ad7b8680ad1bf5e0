//! What is refused about an incident, with what to do instead.

use muster::incidents::{IncidentId, merge};
use muster::timeline::Change;
use serde_json::{Value, json};
use store::Engine;

use super::open_one;
use super::race::at_once;
use crate::harness::TestApp;

async fn set_status(muster: &TestApp, id: &str, status: &str) -> crate::harness::Answer {
    let body = json!({ "incident": { "status": status } });
    muster.put(&format!("/incidents/{id}"), body).await
}

#[store::both_engines]
async fn nobody_is_asked_to_join_what_is_over(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    set_status(&muster, &id, "resolved").await.good();
    let body = json!({ "message": "Please join", "responder_request_targets": [
        { "responder_request_target": { "id": muster.owner.id, "type": "user_reference" } }] });
    let path = format!("/incidents/{id}/responder_requests");
    let refused = muster.post(&path, body).await.with_status(400);
    assert_eq!(refused["error"]["code"], 1001);
    let form = [("user", muster.owner.id.as_str())];
    let path = format!("/console/incidents/{id}/responders");
    let page = browser.send(&path, &form).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("Reopen it first"), "{}", page.text);
}

#[store::both_engines]
async fn what_nobody_would_be_told_of_is_not_reopened(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    set_status(&muster, &id, "resolved").await.good();
    muster
        .delete(&format!("/services/{}", built.service_id))
        .await
        .good();
    let refused = set_status(&muster, &id, "triggered").await.with_status(400);
    assert!(
        refused["error"]["errors"][0]
            .as_str()
            .unwrap()
            .starts_with("The incident's service was removed"),
        "{refused}"
    );
    let shown = muster.get(&format!("/incidents/{id}")).await.good();
    assert_eq!(shown["incident"]["status"], "resolved");
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

#[store::both_engines]
async fn a_touchpoint_that_is_shown_or_used_is_not_removed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = crate::pages::shown(&muster).await;
    muster
        .sites("North", &["Leeds Briggate"], &shown.touchpoint)
        .await;
    let path = format!("/business_services/{}", shown.touchpoint);
    let refused = muster.delete(&path).await.with_status(400);
    let errors: Vec<&Value> = refused["error"]["errors"].as_array().unwrap().iter().collect();
    assert_eq!(
        errors,
        [
            "The status page 'Larkfield' shows it as 'Card payments'; take it off there first.",
            "The location 'Leeds Briggate' uses it; take it off there first.",
        ]
    );
    let component = format!("/status_pages/{}/components/{}", shown.page, shown.component);
    assert_eq!(muster.delete(&component).await.status, 204);
    muster.delete(&path).await.with_status(400);
}
