//! The door: Events v2, change events, Alertmanager.

mod documented;
mod event_rules;
mod journal;
mod passed_over;
mod prometheus;
mod real_alertmanager;
mod shortened;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Answer, TestApp};

async fn post(muster: &TestApp, path: &str, body: impl Into<Body>) -> Answer {
    muster.send(Request::post(path).body(body.into()).unwrap()).await
}

fn event(key: &str) -> Value {
    json!({
        "routing_key": key,
        "event_action": "trigger",
        "dedup_key": "srv01/HTTP",
        "payload": { "summary": "Card terminal silent", "source": "till-1", "severity": "critical" },
    })
}

#[store::both_engines]
async fn an_accepted_event_becomes_an_incident(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let answer = post(&muster, "/v2/enqueue", event(&built.integration_key).to_string()).await;
    assert_eq!(
        answer.with_status(202),
        json!({ "status": "success", "message": "Event processed", "dedup_key": "srv01/HTTP" })
    );
    muster.take_signals().await;
    let incidents = muster.get("/incidents?total=true").await.good();
    assert_eq!(incidents["total"], 1);
    let incident = &incidents["incidents"][0];
    assert_eq!(incident["title"], "Card terminal silent");
    assert_eq!(incident["status"], "triggered");
    assert_eq!(incident["assignments"][0]["assignee"]["summary"], "Maya Okafor");
    assert_eq!(
        incident["alert_counts"],
        json!({ "all": 1, "triggered": 1, "resolved": 0 })
    );
}

#[store::both_engines]
async fn repeated_keys_are_one_alert_and_a_resolve_ends_the_incident(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    for _ in 0..30 {
        muster
            .enqueue(&built, "trigger", "till-1", "Terminal silent")
            .await
            .with_status(202);
    }
    muster.take_signals().await;
    let incidents = muster.get("/incidents").await.good();
    assert_eq!(incidents["incidents"].as_array().unwrap().len(), 1);
    let id = incidents["incidents"][0]["id"].as_str().unwrap().to_owned();
    let alerts = muster.get(&format!("/incidents/{id}/alerts")).await.good();
    assert_eq!(alerts["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(alerts["alerts"][0]["event_count"], 30);

    muster
        .enqueue(&built, "resolve", "till-1", "")
        .await
        .with_status(202);
    muster.take_signals().await;
    let incident = muster.get(&format!("/incidents/{id}")).await.good();
    assert_eq!(incident["incident"]["status"], "resolved");
    assert_eq!(
        incident["incident"]["last_status_change_by"]["type"],
        "integration_reference"
    );

    muster.trigger(&built, "till-1", "Terminal silent").await;
    assert_eq!(
        muster.get("/incidents?total=true").await.good()["total"],
        2,
        "a resolved alert is never reopened"
    );
}

#[store::both_engines]
async fn what_cannot_be_understood_is_refused_in_the_references_words(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let refused = |errors: Value| json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors });
    let mut body = event("short");
    let answer = post(&muster, "/v2/enqueue", body.to_string()).await;
    assert_eq!(
        answer.with_status(400),
        refused(json!([
            "Length of 'routing_key' is incorrect (should be 32 characters)"
        ]))
    );
    body["routing_key"] = json!("a".repeat(32));
    assert_eq!(
        post(&muster, "/v2/enqueue", body.to_string())
            .await
            .with_status(400),
        refused(json!(["Invalid routing key"]))
    );
    body["routing_key"] = json!(built.integration_key);
    body["payload"]["severity"] = json!("awful");
    assert_eq!(
        post(&muster, "/v2/enqueue", body.to_string())
            .await
            .with_status(400),
        refused(json!([
            "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
        ]))
    );
    assert_eq!(
        post(&muster, "/v2/enqueue", "{not json").await.with_status(400),
        json!({
            "status": "Unrecognized object",
            "message": "Event object format is unrecognized",
            "errors": ["JSON parse error"],
        })
    );
    assert_eq!(
        post(&muster, "/v2/enqueue", vec![0xff, 0xfe])
            .await
            .status
            .as_u16(),
        400
    );
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(post(&muster, "/v2/enqueue", deep).await.status.as_u16(), 400);
}

#[store::both_engines]
async fn a_key_that_sends_too_much_is_asked_to_wait_and_loses_nothing_it_was_promised(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let mut accepted = 0;
    for number in 0..130 {
        let answer = muster
            .enqueue(&built, "trigger", &format!("till-{number}"), "Terminal silent")
            .await;
        match answer.status.as_u16() {
            202 => accepted += 1,
            other => {
                assert_eq!(other, 429);
                assert_eq!(answer.headers["ratelimit-limit"], "120");
                assert_eq!(answer.headers["ratelimit-remaining"], "0");
                assert_eq!(answer.headers["retry-after"], answer.headers["ratelimit-reset"]);
            }
        }
    }
    assert_eq!(accepted, 120);
    muster.take_signals().await;
    assert_eq!(muster.get("/incidents?total=true").await.good()["total"], 120);
}

#[store::both_engines]
async fn alertmanager_and_prometheus_can_post_straight_here(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let key = &built.integration_key;
    let firing = json!([{
        "labels": { "alertname": "TerminalSilent", "instance": "till-1", "severity": "page" },
        "annotations": { "summary": "Terminal till-1 is silent" },
        "startsAt": "2026-11-17T05:59:00Z",
        "endsAt": "2026-11-17T06:10:00Z",
        "generatorURL": "http://prometheus/graph",
    }]);
    post(
        &muster,
        &format!("/alertmanager/{key}/api/v2/alerts"),
        firing.to_string(),
    )
    .await
    .with_status(200);
    muster.take_signals().await;
    let incident = muster.get("/incidents").await.good()["incidents"][0].clone();
    assert_eq!(incident["title"], "Terminal till-1 is silent");

    let resolved = json!({
        "version": "4",
        "groupKey": "{}",
        "status": "resolved",
        "alerts": [{
            "status": "resolved",
            "labels": { "alertname": "TerminalSilent", "instance": "till-1", "severity": "page" },
            "annotations": {},
            "startsAt": "2026-11-17T05:59:00Z",
            "endsAt": "2026-11-17T06:00:00Z",
        }],
    });
    post(&muster, &format!("/alertmanager/{key}"), resolved.to_string())
        .await
        .with_status(200);
    muster.take_signals().await;
    let id = incident["id"].as_str().unwrap();
    assert_eq!(
        muster.get(&format!("/incidents/{id}")).await.good()["incident"]["status"],
        "resolved"
    );
}

fn alerts_of_prometheus(key: &str, alerts: Value) -> Request<Body> {
    Request::post(format!("/alertmanager/{key}/api/v2/alerts"))
        .body(Body::from(alerts.to_string()))
        .unwrap()
}

/// Prometheus says an alert again before its end; one that it no longer says is over: the rule may be gone, or Prometheus.
#[store::both_engines]
async fn an_alert_that_prometheus_no_longer_says_is_over_at_its_end(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let firing_until = |minute: u32| {
        json!([{
            "labels": { "alertname": "TerminalSilent", "instance": "till-1" },
            "startsAt": "2026-11-17T05:00:00Z",
            "endsAt": format!("2026-11-17T06:{minute:02}:00Z"),
        }])
    };
    assert_eq!(crate::harness::START, "2026-11-17T06:00:00Z");
    let say = async |minute| {
        let request = alerts_of_prometheus(&built.integration_key, firing_until(minute));
        muster.send(request).await.with_status(200);
        muster.take_signals().await;
    };
    say(4).await;
    muster.pass(Duration::from_mins(3)).await;
    say(7).await;
    muster.pass(Duration::from_mins(3)).await;
    let status = async || muster.get("/incidents").await.good()["incidents"][0]["status"].clone();
    assert_ne!(status().await, "resolved", "it was said again");
    muster.pass(Duration::from_mins(2)).await;
    assert_eq!(status().await, "resolved");
    let id = muster.get("/incidents").await.good()["incidents"][0]["id"].clone();
    let entries = muster
        .get(&format!("/incidents/{}/log_entries", id.as_str().unwrap()))
        .await
        .text;
    assert!(
        entries.contains("has not said an alert again in time, so it counts as over"),
        "{entries}"
    );
}

#[store::both_engines]
async fn one_alert_that_cannot_be_understood_costs_the_others_of_its_request_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let alerts = json!([
        { "labels": { "alertname": "Good", "instance": "till-1" } },
        { "labels": { "alertname": 7 } },
        "what is this",
    ]);
    muster
        .send(alerts_of_prometheus(&built.integration_key, alerts))
        .await
        .with_status(200);
    muster.take_signals().await;
    assert_eq!(muster.get("/incidents?total=true").await.good()["total"], 1);

    let webhook = format!("/alertmanager/{}", built.integration_key);
    let mixed = json!({ "alerts": [{ "labels": { "alertname": "Other" } }, { "status": "bogus" }] });
    post(&muster, &webhook, mixed.to_string()).await.with_status(200);
    muster.take_signals().await;
    let nothing = json!({ "alerts": [{ "status": "bogus" }, { "labels": { "alertname": 7 } }] });
    let refused = post(&muster, &webhook, nothing.to_string())
        .await
        .with_status(400);
    assert_eq!(
        refused["errors"],
        json!([
            "'alerts[0]' does not fit: missing field `labels`",
            "'alerts[1].labels.alertname' does not fit: invalid type: integer `7`, expected a string",
        ])
    );
}

#[store::both_engines]
async fn half_a_surrogate_does_not_cost_the_alert(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let body = event(&built.integration_key)
        .to_string()
        .replace("Card", r"\ud800 Card");
    post(&muster, "/v2/enqueue", body).await.with_status(202);
    muster.take_signals().await;
    let incidents = muster.get("/incidents").await.good();
    assert_eq!(
        incidents["incidents"][0]["title"],
        "\u{FFFD} Card terminal silent"
    );
}

#[store::both_engines]
async fn what_is_said_again_renews_links_and_pictures_and_takes_none_away(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let mut again = event(&built.integration_key);
    again["payload"]["timestamp"] = json!("2026-11-17T05:59:00Z");
    post(&muster, "/v2/enqueue", again.to_string())
        .await
        .with_status(202);
    muster.take_signals().await;
    again["client"] = json!("Grafana");
    again["links"] = json!([{ "href": "https://wiki.example/till", "text": "Runbook" }]);
    post(&muster, "/v2/enqueue", again.to_string())
        .await
        .with_status(202);
    post(&muster, "/v2/enqueue", event(&built.integration_key).to_string())
        .await
        .with_status(202);
    muster.take_signals().await;
    let id = muster.get("/incidents").await.good()["incidents"][0]["id"].clone();
    let alerts = muster
        .get(&format!("/incidents/{}/alerts", id.as_str().unwrap()))
        .await
        .good();
    let body = &alerts["alerts"][0]["body"];
    assert_eq!(
        body["contexts"],
        json!([{ "type": "link", "href": "https://wiki.example/till", "text": "Runbook" }])
    );
    assert_eq!(body["cef_details"]["client"], "Grafana");
    assert_eq!(body["cef_details"]["creation_time"], "2026-11-17T05:59:00Z");
}

#[store::both_engines]
async fn the_same_key_of_two_integrations_is_two_alerts(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let tills = muster.service("tills").build().await;
    let gateway = muster.service("card-gateway").build().await;
    muster.trigger(&tills, "silent", "A till is silent").await;
    muster.trigger(&gateway, "silent", "The gateway is silent").await;
    muster.enqueue(&tills, "resolve", "silent", "").await;
    muster.take_signals().await;
    let found = muster
        .get("/incidents?date_range=all&statuses[]=triggered")
        .await
        .good();
    let open: Vec<&str> = found["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["title"].as_str().unwrap())
        .collect();
    assert_eq!(open, ["The gateway is silent"]);
}
