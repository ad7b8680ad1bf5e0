//! What clients such as Terraform set up, and what they may leave out.

use serde_json::{Value, json};
use store::Engine;

use super::{by_program, the_incident};
use crate::harness::TestApp;

/// The first sentence of a refusal.
fn why(refused: &Value) -> &str {
    refused["error"]["errors"][0].as_str().unwrap()
}

#[store::both_engines]
async fn a_push_method_keeps_its_device_and_numbers_their_country(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let methods = format!("/users/{}/contact_methods", muster.owner.id);
    let add = async |method: Value| muster.post(&methods, json!({ "contact_method": method })).await;
    let push = json!({ "type": "push_notification_contact_method", "label": "Phone", "address": "token", "device_type": "ios" });
    let made = add(push).await.with_status(201)["contact_method"].clone();
    assert_eq!(
        (&made["device_type"], &made["enabled"]),
        (&json!("ios"), &json!(true))
    );
    let path = format!("{methods}/{}", made["id"].as_str().unwrap());
    let renamed = json!({ "contact_method": { "label": "Other phone" } });
    let renamed = muster.put(&path, renamed).await.good();
    assert_eq!(renamed["contact_method"]["device_type"], "ios");
    for (wrong, words) in [
        (
            json!({ "type": "push_notification_contact_method", "label": "x", "address": "t" }),
            "Device type must be android or ios.",
        ),
        (
            json!({ "type": "sms_contact_method", "label": "x", "address": "7700900123" }),
            "Country code is missing; it is a number such as 44.",
        ),
    ] {
        assert_eq!(why(&add(wrong).await.with_status(400)), words);
    }
}

#[store::both_engines]
async fn a_webhook_that_could_never_be_posted_is_refused_when_it_is_named(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let methods = format!("/users/{}/contact_methods", muster.owner.id);
    for address in [
        "http://169.254.169.254/latest",
        "http://localhost:8080/",
        "http://[::1]/",
        "https://user:secret@example.org/",
        "https://example.org/\r\nX-Evil: 1",
        "https://",
    ] {
        let method = json!({ "contact_method": { "type": "webhook_contact_method", "label": "x", "address": address } });
        let refused = muster.post(&methods, method).await.with_status(400);
        assert!(why(&refused).starts_with("Address"), "{address}: {refused}");
    }
    let good = json!({ "contact_method": { "type": "webhook_contact_method", "label": "x", "address": "https://example.org/hook" } });
    muster.post(&methods, good).await.with_status(201);
}

#[store::both_engines]
async fn what_the_dialect_requires_is_required(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let maya = json!({ "id": muster.owner.id, "type": "user_reference" });
    let policy =
        json!({ "escalation_policy": { "name": "Hasty", "escalation_rules": [{ "targets": [maya] }] } });
    let refused = muster.post("/escalation_policies", policy).await.with_status(400);
    assert_eq!(
        why(&refused),
        "Escalation rules[0].escalation_delay_in_minutes is missing."
    );
    let schedule = crate::oncall::daily("Turns", &[muster.owner.id.as_str()]);
    let mut zoneless = schedule.clone();
    zoneless["schedule"]["time_zone"] = Value::Null;
    let refused = muster.post("/schedules", zoneless).await.with_status(400);
    assert!(why(&refused).starts_with("Time zone"), "{refused}");
    let mut backwards = schedule.clone();
    backwards["schedule"]["schedule_layers"][0]["end"] = json!("2020-01-01T00:00:00Z");
    let refused = muster.post("/schedules", backwards).await.with_status(400);
    assert_eq!(why(&refused), "schedule_layers[0].end must lie after its start.");
    let ways_in = format!("/services/{}/integrations", built.service_id);
    let unknown = json!({ "integration": { "name": "x", "vendor": { "id": "PNOPE" } } });
    assert!(why(&muster.post(&ways_in, unknown).await.with_status(400)).starts_with("Vendor"));
    let mail = json!({ "integration": { "name": "x", "type": "generic_email_inbound_integration" } });
    let refused = muster.post(&ways_in, mail).await.with_status(400);
    assert!(
        why(&refused).contains("events_api_v2_inbound_integration"),
        "{refused}"
    );
    let known = json!({ "integration": { "name": "x", "vendor": { "id": "PVALERTMGR" } } });
    let made = muster.post(&ways_in, known).await.with_status(201);
    assert_eq!(
        made["integration"]["vendor"]["summary"],
        "Prometheus Alertmanager"
    );
}

#[store::both_engines]
async fn older_clients_set_the_grouping_in_their_own_words(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let path = format!("/services/{}", built.service_id);
    let timed = json!({ "service": { "alert_grouping": "time", "alert_grouping_timeout": 5 } });
    let service = muster.put(&path, timed).await.good()["service"].clone();
    assert_eq!(service["alert_grouping_parameters"]["type"], "time");
    assert_eq!(
        (&service["alert_grouping"], &service["alert_grouping_timeout"]),
        (&json!("time"), &json!(5))
    );
    let unknown = json!({ "service": { "alert_grouping": "magic" } });
    muster.put(&path, unknown).await.with_status(400);
}

#[store::both_engines]
async fn a_service_that_is_gone_leaves_its_incidents_readable(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let id = the_incident(&muster).await;
    muster
        .delete(&format!("/services/{}", built.service_id))
        .await
        .with_status(204);
    let path = format!("/incidents/{id}");
    let incident = muster.get(&path).await.good();
    assert_eq!(incident["incident"]["service"]["summary"], "tills");
    for page in [
        format!("/console{path}"),
        "/console".to_owned(),
        "/console/incidents".to_owned(),
    ] {
        assert_eq!(muster.get(&page).await.status.as_u16(), 200, "{page}");
    }
    for status in ["acknowledged", "resolved"] {
        let body = json!({ "incident": { "status": status } });
        assert_eq!(muster.put(&path, body).await.good()["incident"]["status"], status);
    }
    muster.settle().await;
}

#[store::both_engines]
async fn nothing_is_opened_on_a_service_that_is_switched_off(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let off = json!({ "service": { "status": "disabled" } });
    muster
        .put(&format!("/services/{}", built.service_id), off)
        .await
        .good();
    let new = json!({ "incident": { "title": "x", "service": { "id": built.service_id } } });
    let refused = muster.post("/incidents", new).await.with_status(400);
    assert!(
        why(&refused).starts_with("incident.service is switched off"),
        "{refused}"
    );
}

#[store::both_engines]
async fn changes_say_where_they_came_from_and_can_be_read_alone(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    muster.changed(&built, "Release 41").await;
    let listed = muster.get("/change_events?total=true").await.good();
    assert_eq!(listed["total"], 1);
    let change = &listed["change_events"][0];
    assert_eq!(change["routing_key"], built.integration_key);
    assert_eq!(change["services"][0]["summary"], "tills");
    assert_eq!(change["integration"]["summary"], "Prometheus");
    let path = change["self"]
        .as_str()
        .unwrap()
        .replace("https://muster.example.org", "");
    assert_eq!(muster.get(&path).await.good()["change_event"], *change);
    let of_service = format!("/services/{}/change_events", built.service_id);
    assert_eq!(muster.get(&of_service).await.good()["change_events"][0], *change);
    let key = muster.account_key("read_only").await;
    let read = by_program(&muster, &key, None, (axum::http::Method::GET, &path, json!({}))).await;
    assert_eq!(
        read.good()["change_event"]["routing_key"],
        Value::Null,
        "whoever only reads does not learn the key that opens incidents"
    );
    let elsewhere = muster.get("/change_events?integration_ids[]=PNOPE").await.good();
    assert_eq!(elsewhere["change_events"], json!([]));
}

#[store::both_engines]
async fn answers_are_there_as_soon_as_the_incident_is_over(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let id = the_incident(&muster).await;
    let case = muster
        .case(json!({ "text": "Reader says offline", "reporter": { "email": "hannah@example.org" } }))
        .await;
    let link = format!("/cases/{}/link", case["id"].as_str().unwrap());
    muster
        .post(
            &link,
            json!({ "incident": { "id": id, "type": "incident_reference" } }),
        )
        .await
        .good();
    muster.settle().await;
    let over = json!({ "incident": { "status": "resolved" } });
    muster.put(&format!("/incidents/{id}"), over).await.good();
    // Nothing that is due has been done yet.
    let answers = muster.get(&format!("/incidents/{id}/answers")).await.good();
    assert_eq!(answers["answers"][0]["state"], "drafted", "{answers}");
}
