//! The reference's table of events: what each action does, and what is refused in which words.

use serde_json::{Value, json};
use store::{Engine, params, sql};

use super::{event, post};
use crate::harness::{Answer, Built, TestApp};

async fn said(muster: &TestApp, body: &Value) -> Answer {
    let answer = post(muster, "/v2/enqueue", body.to_string()).await;
    muster.take_signals().await;
    answer
}

async fn incidents(muster: &TestApp) -> Value {
    muster.get("/incidents?date_range=all&total=true").await.good()
}

async fn pages_sent(muster: &TestApp) -> usize {
    let sends = muster.get("/outbox/sends?purposes[]=page").await.good();
    sends["sends"].as_array().unwrap().len()
}

fn follow_up(built: &Built, action: &str) -> Value {
    json!({ "routing_key": built.integration_key, "event_action": action, "dedup_key": "srv01/HTTP" })
}

#[store::both_engines]
async fn an_acknowledge_or_resolve_of_nothing_is_taken_and_makes_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    for action in ["acknowledge", "resolve"] {
        let answer = said(&muster, &follow_up(&built, action)).await;
        assert_eq!(
            answer.with_status(202),
            json!({ "status": "success", "message": "Event processed", "dedup_key": "srv01/HTTP" })
        );
    }
    assert_eq!(incidents(&muster).await["total"], 0);
    let alerts = muster
        .app
        .store
        .read(|tx| tx.one::<(i64,)>(sql!("SELECT COUNT(*) FROM alerts"), params![]));
    assert_eq!(alerts.await.unwrap(), (0,));
}

#[store::both_engines]
async fn an_acknowledge_stops_the_paging_and_what_is_said_again_pages_nobody(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    said(&muster, &event(&built.integration_key))
        .await
        .with_status(202);
    assert_eq!(pages_sent(&muster).await, 1);
    said(&muster, &follow_up(&built, "acknowledge"))
        .await
        .with_status(202);
    let incident = incidents(&muster).await["incidents"][0].clone();
    assert_eq!(incident["status"], "acknowledged");
    for _ in 0..3 {
        said(&muster, &event(&built.integration_key))
            .await
            .with_status(202);
    }
    muster.pass(std::time::Duration::from_mins(10)).await;
    assert_eq!(pages_sent(&muster).await, 1, "a repetition paged somebody");
    let found = incidents(&muster).await;
    assert_eq!(found["total"], 1);
    assert_eq!(found["incidents"][0]["status"], "acknowledged");
    let id = incident["id"].as_str().unwrap();
    let alerts = muster.get(&format!("/incidents/{id}/alerts")).await.good();
    assert_eq!(alerts["alerts"][0]["event_count"], 4);
}

#[store::both_engines]
async fn a_trigger_without_a_key_is_given_one_and_is_always_a_new_alert(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let mut body = event(&built.integration_key);
    let mut keys = Vec::new();
    for blank in [json!(null), json!(""), json!(" ")] {
        body["dedup_key"] = blank;
        let answer = said(&muster, &body).await.with_status(202);
        keys.push(answer["dedup_key"].as_str().unwrap().to_owned());
    }
    assert!(keys.iter().all(|key| key.len() == 32), "{keys:?}");
    assert_eq!(incidents(&muster).await["total"], 3, "{keys:?}");
    let mut resolve = follow_up(&built, "resolve");
    resolve["dedup_key"] = json!(keys[1]);
    said(&muster, &resolve).await.with_status(202);
    let resolved = muster
        .get("/incidents?date_range=all&statuses[]=resolved")
        .await
        .good();
    assert_eq!(resolved["incidents"].as_array().unwrap().len(), 1);
}

#[store::both_engines]
async fn each_fault_of_an_event_is_named(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let whole = event(&built.integration_key);
    let changed = |pointer: &str, value: Value| {
        let mut body = whole.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let invalid_action =
        "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')";
    let follow = |action: &str| json!({ "routing_key": built.integration_key, "event_action": action });
    let table = [
        (
            changed("/routing_key", json!(null)),
            json!(["'routing_key' is missing or blank"]),
        ),
        (
            changed("/routing_key", json!("  ")),
            json!(["'routing_key' is missing or blank"]),
        ),
        (
            changed("/routing_key", json!(7)),
            json!(["'routing_key' is invalid (must be a text)"]),
        ),
        (
            changed("/routing_key", json!("a".repeat(31))),
            json!(["Length of 'routing_key' is incorrect (should be 32 characters)"]),
        ),
        (
            changed("/routing_key", json!(format!("{}-", "a".repeat(31)))),
            json!(["'routing_key' cannot contain non-alphanumeric characters."]),
        ),
        (
            changed("/event_action", json!(null)),
            json!(["'event_action' is missing or blank"]),
        ),
        (changed("/event_action", json!("shout")), json!([invalid_action])),
        (
            changed("/event_action", json!(["trigger"])),
            json!([invalid_action]),
        ),
        (
            changed("/payload", json!(null)),
            json!(["'payload' is missing or blank"]),
        ),
        (
            changed("/payload", json!("text")),
            json!(["'payload' is missing or blank"]),
        ),
        (
            changed("/payload", json!({})),
            json!([
                "'payload.summary' is missing or blank",
                "'payload.source' is missing or blank",
                "'payload.severity' is missing or blank",
            ]),
        ),
        (
            changed("/payload/summary", json!({ "text": "Silent" })),
            json!(["'payload.summary' is invalid (must be a text)"]),
        ),
        (
            changed("/payload/severity", json!("")),
            json!(["'payload.severity' is missing or blank"]),
        ),
        (follow("acknowledge"), json!(["'dedup_key' is missing or blank"])),
        (follow("resolve"), json!(["'dedup_key' is missing or blank"])),
    ];
    for (body, errors) in table {
        assert_eq!(
            said(&muster, &body).await.with_status(400),
            json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors }),
            "{body}"
        );
    }
    assert_eq!(incidents(&muster).await["total"], 0);
}

#[store::both_engines]
async fn a_change_event_is_answered_in_the_references_words_and_never_opens_an_incident(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let change = json!({
        "routing_key": built.integration_key,
        "payload": {
            "summary": "Card gateway 4.12 was deployed",
            "source": "deploys",
            "timestamp": "2026-11-17T05:50:00.000+0000",
            "custom_details": { "version": "4.12" },
        },
        "links": [{ "href": "https://deploys.example/412", "text": "Deploy 412" }],
        "images": [{ "src": "https://deploys.example/412.png", "alt": "The diff" }],
    });
    let answer = post(&muster, "/v2/change/enqueue", change.to_string()).await;
    assert_eq!(
        answer.with_status(202),
        json!({ "status": "success", "message": "Change event processed" })
    );
    muster.take_signals().await;
    assert_eq!(incidents(&muster).await["total"], 0);
    let kept = muster.get("/change_events").await.good()["change_events"][0].clone();
    assert_eq!(kept["summary"], "Card gateway 4.12 was deployed");
    assert_eq!(kept["source"], "deploys");
    assert_eq!(kept["timestamp"], "2026-11-17T05:50:00Z");
    assert_eq!(kept["custom_details"], json!({ "version": "4.12" }));
    assert_eq!(kept["links"], change["links"]);
    assert_eq!(kept["images"], change["images"]);
    assert_eq!(kept["truncated"], json!([]));
}

#[store::both_engines]
async fn each_fault_of_a_change_event_is_named(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let key = &built.integration_key;
    let table = [
        (
            json!({ "payload": { "summary": "Deployed" } }),
            "'routing_key' is missing or blank",
        ),
        (
            json!({ "routing_key": "b".repeat(32), "payload": { "summary": "Deployed" } }),
            "Invalid routing key",
        ),
        (json!({ "routing_key": key }), "'payload' is missing or blank"),
        (
            json!({ "routing_key": key, "payload": {} }),
            "'payload.summary' is missing or blank",
        ),
        (
            json!({ "routing_key": key, "payload": { "summary": [] } }),
            "'payload.summary' is invalid (must be a text)",
        ),
    ];
    for (body, error) in table {
        let answer = post(&muster, "/v2/change/enqueue", body.to_string()).await;
        assert_eq!(
            answer.with_status(400),
            json!({ "status": "invalid event", "message": "Event object is invalid", "errors": [error] }),
            "{body}"
        );
    }
    let answer = post(&muster, "/v2/change/enqueue", "[]").await;
    assert_eq!(
        answer.with_status(400)["errors"],
        json!(["JSON parse error: an object was expected"])
    );
    muster.take_signals().await;
    assert_eq!(
        muster.get("/change_events").await.good()["change_events"],
        json!([])
    );
}
