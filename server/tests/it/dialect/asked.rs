//! What is asked in a query string, a header or the length of a body, and how it is understood.

use axum::body::Body;
use axum::http::{Method, Request, header};
use muster::http::body::LARGEST_BODY;
use serde_json::{Value, json};
use store::Engine;

use super::the_incident;
use crate::harness::TestApp;
use crate::oncall::daily;

const MINUTE: std::time::Duration = std::time::Duration::from_secs(60);

fn each(list: &Value, field: &str) -> Vec<Value> {
    let list = list.as_array().unwrap().iter();
    list.map(|one| one[field].clone()).collect()
}

#[store::both_engines]
async fn incidents_are_sorted_by_two_fields_in_their_order(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let urgent = muster.service("tills").build().await;
    let calm = muster.service("reports").low_urgency().build().await;
    for (service, key) in [(&urgent, "1"), (&calm, "2"), (&urgent, "3"), (&calm, "4")] {
        muster.trigger(service, key, &format!("Fault {key}")).await;
    }
    for (service, key) in [(&urgent, "1"), (&calm, "2")] {
        muster.pass(MINUTE).await;
        muster.enqueue(service, "resolve", key, "").await;
        muster.take_signals().await;
    }
    for (sort_by, wanted) in [
        ("urgency", [1, 3, 2, 4]),
        ("urgency,created_at:desc", [3, 1, 4, 2]),
        ("urgency:desc,incident_number:asc", [2, 4, 1, 3]),
        ("created_at:desc,urgency", [4, 3, 2, 1]),
        ("resolved_at,urgency:desc", [1, 2, 4, 3]),
        ("resolved_at:desc,created_at:desc", [2, 1, 4, 3]),
        ("urgency,resolved_at:desc", [1, 3, 2, 4]),
    ] {
        let found = muster.get(&format!("/incidents?sort_by={sort_by}")).await.good();
        assert_eq!(each(&found["incidents"], "incident_number"), wanted, "{sort_by}");
    }
    let refused = muster
        .get("/incidents?sort_by=urgency,title")
        .await
        .with_status(400);
    assert_eq!(
        refused["error"]["errors"],
        json!([
            "sort_by: \"title\" is not a field that incidents are sorted by; incident_number, created_at, resolved_at, urgency are, with :asc or :desc."
        ])
    );
}

#[store::both_engines]
async fn alerts_of_an_incident_are_narrowed_and_sorted_and_what_is_unknown_is_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").all_in_one().build().await;
    for key in ["a", "b", "c"] {
        muster.trigger(&built, key, "Terminal silent").await;
    }
    let alerts = format!("/incidents/{}/alerts", the_incident(&muster).await);
    muster.pass(MINUTE).await;
    muster.enqueue(&built, "resolve", "b", "").await;
    muster.take_signals().await;
    for (asked, wanted) in [
        ("", vec!["a", "b", "c"]),
        ("sort_by=created_at:desc", vec!["c", "b", "a"]),
        ("sort_by=resolved_at", vec!["b", "a", "c"]),
        ("sort_by=resolved_at:desc,created_at:desc", vec!["b", "c", "a"]),
        ("statuses[]=resolved", vec!["b"]),
        ("statuses[]=triggered", vec!["a", "c"]),
        ("statuses[]=triggered&statuses[]=resolved", vec!["a", "b", "c"]),
    ] {
        let found = muster.get(&format!("{alerts}?{asked}&total=true")).await.good();
        assert_eq!(each(&found["alerts"], "alert_key"), wanted, "{asked}");
        assert_eq!(found["total"], wanted.len(), "{asked}");
    }
    for (asked, words) in [
        ("statuses[]=bogus", "statuses[]: \"bogus\" is not known."),
        (
            "sort_by=severity",
            "sort_by: \"severity\" is not a field that alerts are sorted by; created_at, resolved_at are, with :asc or :desc.",
        ),
        (
            "sort_by=created_at,resolved_at,created_at",
            "sort_by may name at most 2 fields.",
        ),
    ] {
        let refused = muster.get(&format!("{alerts}?{asked}")).await.with_status(400);
        assert_eq!(refused["error"]["errors"], json!([words]));
    }
}

#[store::both_engines]
async fn a_yes_or_no_is_understood_in_any_case_of_letters_and_nothing_else_is(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let rota = daily("Tills", &[muster.owner.id.as_str()]);
    let rota = muster.post("/schedules", rota).await.with_status(201);
    let rota = format!("/schedules/{}", rota["schedule"]["id"].as_str().unwrap());
    let range = "since=2026-11-17T00:00:00Z&until=2026-11-18T00:00:00Z";
    for (path, name) in [
        ("/teams?".to_owned(), "total"),
        ("/oncalls?".to_owned(), "earliest"),
        (format!("{rota}?{range}&"), "overflow"),
        (format!("{rota}/overrides?{range}&"), "editable"),
        ("/log_entries?".to_owned(), "is_overview"),
        ("/promises?".to_owned(), "open"),
        ("/cases?".to_owned(), "linked"),
    ] {
        for text in ["true", "True", "TRUE", "1", "false", "False", "0", ""] {
            muster.get(&format!("{path}{name}={text}")).await.good();
        }
        let refused = muster.get(&format!("{path}{name}=maybe")).await.with_status(400);
        assert_eq!(
            refused["error"]["errors"],
            json!([format!("{name} must be true, false, 1 or 0.")])
        );
    }
    let counted = muster.get("/schedules?total=TRUE").await.good();
    assert_eq!(counted["total"], 1);
    let uncounted = muster.get("/schedules?total=False").await.good();
    assert_eq!(uncounted["total"], Value::Null);
}

#[store::both_engines]
async fn a_body_may_be_as_long_as_is_said_and_not_a_byte_longer(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let body = |name: &str, length: usize| {
        let bare = json!({ "team": { "name": name }, "padding": "" });
        let padding = "x".repeat(length - bare.to_string().len());
        json!({ "team": { "name": name }, "padding": padding })
    };
    let largest = body("Tills", LARGEST_BODY);
    assert_eq!(largest.to_string().len(), 1_048_576);
    muster.post("/teams", largest).await.with_status(201);
    let refused = muster
        .post("/teams", body("Shop", LARGEST_BODY + 1))
        .await
        .with_status(413);
    assert_eq!(
        refused["error"]["errors"],
        json!(["The body may have at most 1048576 bytes."])
    );
    let teams = muster.get("/teams").await.good();
    assert_eq!(each(&teams["teams"], "name"), ["Tills"]);
}

#[store::both_engines]
async fn a_key_may_be_shown_in_any_case_of_letters(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let key = &muster.owner.key;
    for (shown, status) in [
        (format!("Token token={key}"), 200),
        (format!("token token={key}"), 200),
        (format!("TOKEN Token=\"{key}\""), 200),
        (format!("Bearer {key}"), 200),
        (format!("bearer {key}"), 200),
        (format!("Basic {key}"), 401),
        (format!("bearer {}", key.to_lowercase()), 401),
    ] {
        let request = Request::builder()
            .method(Method::GET)
            .uri("/users/me")
            .header(header::AUTHORIZATION, &shown);
        let answer = muster.send(request.body(Body::empty()).unwrap()).await;
        answer.with_status(status);
    }
}

/// Some clients end every address with a slash, and one of them posts its events so.
#[store::both_engines]
async fn a_slash_at_the_end_of_an_address_means_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let event = json!({
        "routing_key": built.integration_key, "event_action": "trigger",
        "payload": { "summary": "Terminal silent", "source": "till", "severity": "critical" },
    });
    muster.post("/v2/enqueue/", event).await.with_status(202);
    muster.take_signals().await;
    let found = muster.get("/incidents/?limit=1").await.good();
    assert_eq!(found["incidents"][0]["title"], "Terminal silent");
    muster.get("/users/me/").await.good();
    muster.get("/nothing/").await.with_status(404);
}

#[store::both_engines]
async fn incidents_are_narrowed_by_their_priorities(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    muster.trigger(&built, "one", "Terminal silent").await;
    let id = muster.get("/incidents").await.good()["incidents"][0]["id"].clone();
    let priorities = muster.get("/priorities").await.good()["priorities"].clone();
    let priority = json!({ "id": priorities[0]["id"], "type": "priority_reference" });
    let change = json!({ "incident": { "type": "incident_reference", "priority": priority } });
    let path = format!("/incidents/{}", id.as_str().unwrap());
    muster.put(&path, change).await.good();
    let count = async |index: usize| {
        let asked = format!(
            "/incidents?priority_ids[]={}",
            priorities[index]["id"].as_str().unwrap()
        );
        muster.get(&asked).await.good()["incidents"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((count(0).await, count(1).await), (1, 0));
}

#[store::both_engines]
async fn a_compressed_body_is_refused_as_such(engine: Engine) {
    let muster = TestApp::new(engine).await;
    for path in ["/v2/enqueue", "/teams"] {
        let request = Request::post(path)
            .header("authorization", format!("Token token={}", muster.owner.key))
            .header("content-type", "application/json")
            .header("content-encoding", "gzip")
            .body(Body::from(vec![0x1f, 0x8b, 8, 0, 0, 0]))
            .unwrap();
        let refused = muster.send(request).await.with_status(400);
        assert!(
            refused.to_string().contains("The body is compressed"),
            "{path}: {refused}"
        );
    }
}
