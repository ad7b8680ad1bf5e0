//! What is done to incidents, updates and alerts is audited alike, through whichever door, once.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Browser, TestApp};
use crate::updates::{CUSTOMERS, draft, outage, tell_customers};

/// The audit log's records about one thing, the oldest first: the method, what was done, and the fields.
async fn told(muster: &TestApp, kind: &str, id: &str) -> Vec<(String, String, Value)> {
    let records = muster
        .get(&format!("/audit/records?root_resource_types[]={kind}&limit=100"))
        .await
        .good();
    let mut told: Vec<(String, String, Value)> = records["records"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| record["root_resource"]["id"] == id)
        .map(|record| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let mut fields = serde_json::Map::new();
            for field in record["details"]["fields"].as_array().unwrap() {
                fields.insert(text(&field["name"]), field["value"].clone());
            }
            (
                text(&record["method"]["type"]),
                text(&record["action"]),
                Value::Object(fields),
            )
        })
        .collect();
    told.reverse();
    told
}

fn did(told: &[(String, String, Value)]) -> Vec<(&str, &str, &str)> {
    told.iter()
        .map(|(method, action, fields)| {
            (
                method.as_str(),
                action.as_str(),
                fields["did"].as_str().unwrap_or_default(),
            )
        })
        .collect()
}

#[store::both_engines]
async fn what_is_done_to_an_incident_is_audited_once_through_either_door(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let (_, incident) = outage(&muster).await;
    assert_eq!(
        told(&muster, "incident", &incident).await,
        [],
        "an event is no deed"
    );
    let room = format!("/console/incidents/{incident}");
    Browser::led_to(&browser.send(&format!("{room}/acknowledge"), &[]).await);
    let path = format!("/incidents/{incident}");
    let rest = json!({ "duration": 3600 });
    muster
        .post(&format!("{path}/snooze"), rest)
        .await
        .with_status(201);
    let say = [("reader", "inside"), ("words", "Looking at the gateway.")];
    Browser::led_to(&browser.send(&format!("{room}/say"), &say).await);
    let done = json!({ "incident": { "status": "resolved", "title": "Cards fail" } });
    muster.put(&path, done).await.good();
    let told = told(&muster, "incident", &incident).await;
    assert_eq!(
        did(&told),
        [
            ("browser", "update", "[\"acknowledged\"]"),
            ("api_token", "update", "[\"snoozed\"]"),
            ("browser", "update", "[\"noted\"]"),
            ("api_token", "update", "[\"title_changed\",\"resolved\"]"),
        ]
    );
    let chain = muster.get("/audit/verification").await.good();
    assert_eq!(chain["verification"]["broken"], Value::Null);
}

#[store::both_engines]
async fn an_incident_that_somebody_opens_is_said_to_have_been_created(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let new = json!({ "incident": { "title": "Tills fail", "service": { "id": built.service_id } } });
    let opened = muster.post("/incidents", new).await.with_status(201);
    let id = opened["incident"]["id"].as_str().unwrap();
    let told = told(&muster, "incident", id).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].1, "create");
}

#[store::both_engines]
async fn a_key_that_acts_for_somebody_is_named_beside_them(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let key = muster.account_key("full").await;
    let body = json!({ "incident": { "status": "acknowledged" } });
    let request = Request::put(format!("/incidents/{incident}"))
        .header(header::AUTHORIZATION, format!("Token token={key}"))
        .header(header::FROM, "maya@example.org")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    muster.send(request).await.good();
    let records = muster
        .get("/audit/records?root_resource_types[]=incident")
        .await
        .good();
    let record = &records["records"][0];
    assert_eq!(record["actors"][0]["summary"], "Maya Okafor");
    let fields = record["details"]["fields"].as_array().unwrap();
    assert!(
        fields
            .iter()
            .any(|field| field["name"] == "key" && field["value"] == "Program"),
        "{record}"
    );
    assert_eq!(
        record["method"]["truncated_token"].as_str().unwrap(),
        &key[key.len() - 4..]
    );
}

#[store::both_engines]
async fn words_that_go_out_from_the_room_are_audited_as_over_the_api(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let (_, incident) = outage(&muster).await;
    let update = draft(&muster, &incident, CUSTOMERS).await;
    let id = update["id"].as_str().unwrap().to_owned();
    let say = [
        ("reader", CUSTOMERS),
        ("words", "Cards fail in some shops. We are looking into it."),
        ("promise", "30"),
    ];
    let said = browser
        .send(&format!("/console/incidents/{incident}/say"), &say)
        .await;
    Browser::led_to(&said);
    let spoken = told(&muster, "update", &id).await;
    assert_eq!(spoken.len(), 2, "kept, then agreed to and sent: {spoken:?}");
    assert_eq!(spoken[1].2["told"], "Customers");
    crate::updates::resolve(&muster, &incident).await;
    let over = tell_customers(&muster, &incident).await;
    let told = told(&muster, "update", over["id"].as_str().unwrap()).await;
    assert_eq!(told.len(), 2, "approved and published: {told:?}");
    let facts = [("incident", incident.as_str()), ("symptom", "Cards fail.")];
    Browser::led_to(&browser.send("/console/updates/facts", &facts).await);
    assert_eq!(self::told(&muster, "incident_facts", &incident).await.len(), 1);
}

#[store::both_engines]
async fn an_alert_that_is_ended_by_hand_is_audited(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let alerts = format!("/incidents/{incident}/alerts");
    let alert = muster.get(&alerts).await.good()["alerts"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({ "alert": { "status": "resolved" } });
    muster.put(&format!("{alerts}/{alert}"), body).await.good();
    assert_eq!(told(&muster, "alert", &alert).await.len(), 1);
}
