//! Prometheus posting straight here, as to an Alertmanager: the key in the header, ends, and how large groups are counted.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use store::Engine;

use super::alerts_of_prometheus;
use crate::harness::{Answer, TestApp};

async fn post_with_header(muster: &TestApp, authorization: Option<&str>, alerts: &Value) -> Answer {
    let mut request = Request::post("/api/v2/alerts");
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let answer = muster
        .send(request.body(Body::from(alerts.to_string())).unwrap())
        .await;
    muster.take_signals().await;
    answer
}

fn basic(scheme: &str, user: &str, password: &str) -> String {
    let pair = data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes());
    format!("{scheme} {pair}")
}

#[store::both_engines]
async fn the_key_is_a_bearer_token_or_a_password_whatever_the_case_of_its_scheme(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let key = &built.integration_key;
    let good = [
        format!("Bearer {key}"),
        format!("bearer {key}"),
        format!("BEARER  {key}"),
        basic("Basic", "muster", key),
        basic("basic", "", key),
    ];
    for (number, authorization) in good.iter().enumerate() {
        let alerts = json!([{ "labels": { "alertname": "Silent", "instance": format!("till-{number}") } }]);
        let answer = post_with_header(&muster, Some(authorization), &alerts).await;
        assert_eq!(answer.with_status(200), json!({}), "{authorization}");
    }
    assert_eq!(
        muster.get("/incidents?total=true").await.good()["total"],
        good.len()
    );
}

#[store::both_engines]
async fn without_a_good_key_nothing_is_taken(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let key = &built.integration_key;
    let alerts = json!([{ "labels": { "alertname": "Silent" } }]);
    let length = "Length of 'routing_key' is incorrect (should be 32 characters)";
    let wrong = format!("Bearer {}", "a".repeat(32));
    let table = [
        (None, length),
        (Some("Bearer".to_owned()), length),
        (Some(format!("Token {key}")), length),
        (Some(basic("Basic", key, "")), length),
        (Some(format!("Basic {key}")), length),
        (Some(wrong), "Invalid routing key"),
    ];
    for (authorization, error) in table {
        let answer = post_with_header(&muster, authorization.as_deref(), &alerts).await;
        assert_eq!(
            answer.with_status(400)["errors"],
            json!([error]),
            "{authorization:?}"
        );
    }
    assert_eq!(muster.get("/incidents?total=true").await.good()["total"], 0);
}

/// Prometheus sends what it no longer finds once more with the time at which it ended; the zero time means "still firing".
#[store::both_engines]
async fn an_end_that_has_passed_resolves_and_the_zero_time_does_not(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let say = async |ends_at: &str| {
        let alerts = json!([{
            "labels": { "alertname": "Silent", "instance": "till-1" },
            "annotations": { "summary": "Till 1 is silent" },
            "startsAt": "2026-11-17T05:00:00Z",
            "endsAt": ends_at,
        }]);
        let bearer = format!("Bearer {}", built.integration_key);
        post_with_header(&muster, Some(&bearer), &alerts)
            .await
            .with_status(200);
        let found = muster.get("/incidents?date_range=all&total=true").await.good();
        assert_eq!(found["total"], 1);
        found["incidents"][0]["status"].clone()
    };
    assert_eq!(say("0001-01-01T00:00:00Z").await, "triggered");
    muster.pass(std::time::Duration::from_mins(10)).await;
    assert_eq!(
        say("0001-01-01T00:00:00Z").await,
        "triggered",
        "it never said an end"
    );
    assert_eq!(say("2026-11-17T06:09:30Z").await, "resolved");
}

fn group(first: usize, count: usize) -> Value {
    let alerts = (first..first + count)
        .map(|number| json!({ "labels": { "alertname": "Silent", "instance": format!("till-{number}") } }));
    alerts.collect()
}

/// The limit is 120 events a minute.
#[store::both_engines]
async fn each_alert_of_a_group_counts_and_a_group_is_taken_whole_or_not_at_all(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let send = async |first, count| {
        let answer = muster
            .send(alerts_of_prometheus(&built.integration_key, group(first, count)))
            .await;
        muster.take_signals().await;
        answer
    };
    let total = async || muster.get("/incidents?date_range=all&total=true").await.good()["total"].clone();
    send(0, 100).await.with_status(200);
    send(100, 50).await.with_status(200);
    let refused = send(150, 2).await;
    refused.with_status(429);
    assert_eq!(refused.headers["ratelimit-limit"], "120");
    assert_eq!(refused.headers["ratelimit-remaining"], "0");
    assert_eq!(
        refused.headers["retry-after"], "16",
        "thirty are owed, two a second"
    );
    muster
        .enqueue(&built, "trigger", "one", "Terminal silent")
        .await
        .with_status(429);
    assert_eq!(
        total().await,
        150,
        "a group that was refused left something behind"
    );
    muster.pass_quietly(16);
    send(150, 2).await.with_status(200);
    assert_eq!(total().await, 152);
}

#[store::both_engines]
async fn a_group_larger_than_the_limit_is_taken_and_its_sender_waits_a_minute_at_most(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let send = async |alerts| {
        muster
            .send(alerts_of_prometheus(&built.integration_key, alerts))
            .await
    };
    send(group(0, 1_000)).await.with_status(200);
    send(group(0, 1)).await.with_status(429);
    muster.pass_quietly(61);
    send(group(0, 1)).await.with_status(200);
}
