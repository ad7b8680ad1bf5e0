//! What is too long, too deep or not quite JSON: it is taken, shortened and marked, and the alert is not lost over it.

use serde_json::{Value, json};
use store::Engine;

use super::{event, post};
use crate::harness::{Built, TestApp};

/// Sends an event as it stands and gives the alert that it became.
async fn alert_of(muster: &TestApp, body: String) -> Value {
    post(muster, "/v2/enqueue", body).await.with_status(202);
    newest_alert(muster).await
}

async fn newest_alert(muster: &TestApp) -> Value {
    muster.take_signals().await;
    all_alerts(muster).await.pop().unwrap()
}

/// The alerts of all incidents, the oldest first.
async fn all_alerts(muster: &TestApp) -> Vec<Value> {
    let incidents = muster.get("/incidents?date_range=all&limit=100").await.good();
    let mut found = Vec::new();
    for incident in incidents["incidents"].as_array().unwrap() {
        let path = format!("/incidents/{}/alerts", incident["id"].as_str().unwrap());
        let alerts = muster.get(&path).await.good();
        found.extend(alerts["alerts"].as_array().unwrap().iter().cloned());
    }
    found.sort_by_key(|one| one["id"].as_str().unwrap().to_owned());
    found
}

fn length(value: &Value) -> usize {
    value.as_str().unwrap().chars().count()
}

#[store::both_engines]
async fn every_text_that_is_too_long_is_cut_and_marked(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let long = "é".repeat(3_000);
    let body = json!({
        "routing_key": built.integration_key,
        "event_action": "trigger",
        "dedup_key": long,
        "client": long,
        "client_url": format!("https://grafana.example/{long}"),
        "links": [
            { "href": format!("https://wiki.example/{long}"), "text": "Runbook" },
            { "href": "https://wiki.example/7", "text": long },
        ],
        "images": (0..60).map(|_| json!({ "src": "https://wiki.example/p.png" })).collect::<Vec<_>>(),
        "payload": {
            "summary": long, "source": long, "component": long, "group": long, "class": long,
            "severity": "critical", "timestamp": "yesterday", "custom_details": { "text": long },
        },
    });
    let answer = post(&muster, "/v2/enqueue", body.to_string())
        .await
        .with_status(202);
    let alert = newest_alert(&muster).await;
    assert_eq!(
        alert["truncated"],
        json!([
            "dedup_key",
            "client",
            "client_url",
            "links.href",
            "links.text",
            "images",
            "payload.summary",
            "payload.source",
            "payload.timestamp",
            "payload.component",
            "payload.group",
            "payload.class",
        ])
    );
    let details = &alert["body"]["cef_details"];
    assert_eq!(length(&alert["summary"]), 1_024);
    for field in [
        "source_origin",
        "source_component",
        "service_group",
        "event_class",
        "client",
    ] {
        assert_eq!(length(&details[field]), 1_024, "{field} in {details}");
    }
    assert_eq!(details["client_url"], Value::Null);
    let contexts = alert["body"]["contexts"].as_array().unwrap();
    assert_eq!(contexts.len(), 52);
    assert_eq!(
        contexts[0],
        json!({ "type": "link", "text": "Runbook" }),
        "half an address leads nowhere"
    );
    assert_eq!(contexts[1]["href"], "https://wiki.example/7");
    assert_eq!(alert["body"]["details"]["text"], json!(long));

    assert_eq!(answer["dedup_key"], alert["alert_key"]);
    assert!(length(&alert["alert_key"]) <= 255);
    let resolve = json!({
        "routing_key": built.integration_key, "event_action": "resolve", "dedup_key": long,
    });
    post(&muster, "/v2/enqueue", resolve.to_string())
        .await
        .with_status(202);
    muster.take_signals().await;
    let resolved = newest_alert(&muster).await;
    assert_eq!(
        (&resolved["id"], &resolved["status"]),
        (&alert["id"], &json!("resolved")),
        "the same long key is the same alert"
    );
}

#[store::both_engines]
async fn a_change_event_is_shortened_and_marked_in_the_same_way(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let long = "é".repeat(3_000);
    let links = |href: &str| (0..60).map(|_| json!({ "href": href })).collect::<Vec<_>>();
    let change = json!({
        "routing_key": built.integration_key,
        "payload": { "summary": long, "source": long, "timestamp": "yesterday" },
        "links": links("javascript:alert(1)"),
        "images": [{ "src": format!("https://wiki.example/{long}"), "alt": long }],
    });
    post(&muster, "/v2/change/enqueue", change.to_string())
        .await
        .with_status(202);
    muster.take_signals().await;
    let kept = muster.get("/change_events").await.good()["change_events"][0].clone();
    assert_eq!(
        kept["truncated"],
        json!([
            "payload.summary",
            "payload.source",
            "payload.timestamp",
            "links",
            "links.href",
            "images.src",
            "images.alt",
        ])
    );
    assert_eq!(length(&kept["summary"]), 1_024);
    assert_eq!(length(&kept["source"]), 1_024);
    assert_eq!(
        kept["timestamp"],
        crate::harness::START,
        "a time that cannot be read costs the time"
    );
    assert_eq!(kept["links"].as_array().unwrap().len(), 50);
    assert!(!kept["links"].to_string().contains("javascript"), "{kept}");
    assert_eq!(
        kept["images"][0].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["alt"]
    );
}

/// Somewhat more than the 512 KiB whose details are kept.
fn too_much() -> String {
    "x".repeat(530_000)
}

#[store::both_engines]
async fn a_body_above_512_kib_loses_its_custom_details_and_nothing_else(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let mut body = event(&built.integration_key);
    body["payload"]["custom_details"] = json!({ "dump": too_much() });
    let alert = alert_of(&muster, body.to_string()).await;
    assert_eq!(alert["summary"], "Card terminal silent");
    assert_eq!(alert["body"]["details"], json!({}));
    assert_eq!(alert["truncated"], json!(["payload.custom_details"]));

    let change = json!({
        "routing_key": built.integration_key,
        "payload": { "summary": "Deployed", "custom_details": { "diff": too_much() } },
    });
    post(&muster, "/v2/change/enqueue", change.to_string())
        .await
        .with_status(202);
    muster.take_signals().await;
    let kept = muster.get("/change_events").await.good()["change_events"][0].clone();
    assert_eq!(kept["summary"], "Deployed");
    assert_eq!(kept["custom_details"], json!({}));
    assert_eq!(kept["truncated"], json!(["payload.custom_details"]));
}

#[store::both_engines]
async fn an_alert_of_alertmanager_with_too_much_in_it_is_shortened_and_the_others_are_whole(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let long = "é".repeat(3_000);
    let alerts = json!({ "alerts": [
        {
            "status": "firing",
            "fingerprint": long,
            "labels": { "alertname": long, "instance": long, "job": long, "cluster": long },
            "annotations": { "summary": long, "dump": too_much() },
            "startsAt": "yesterday",
            "generatorURL": format!("http://prometheus.example/{long}"),
        },
        {
            "status": "firing",
            "labels": { "alertname": "Silent" },
            "annotations": { "summary": "Till 2 is silent" },
            "startsAt": "2026-11-17T05:59:00Z",
            "generatorURL": "http://prometheus.example/graph",
        },
    ] });
    let path = format!("/alertmanager/{}", built.integration_key);
    post(&muster, &path, alerts.to_string()).await.with_status(200);
    muster.take_signals().await;
    let alerts = all_alerts(&muster).await;
    let (whole, cut): (Vec<_>, Vec<_>) = alerts.iter().partition(|one| one["truncated"] == json!([]));
    assert_eq!(
        cut[0]["truncated"],
        json!([
            "fingerprint",
            "startsAt",
            "summary",
            "source",
            "component",
            "group",
            "class",
            "custom_details",
            "generatorURL",
        ])
    );
    assert_eq!(cut[0]["body"]["details"], json!({}));
    assert_eq!(cut[0]["body"]["contexts"], json!([]));
    assert_eq!(whole[0]["summary"], "Till 2 is silent");
    assert_eq!(
        whole[0]["body"]["details"]["labels"],
        json!({ "alertname": "Silent" })
    );
    assert_eq!(
        whole[0]["body"]["contexts"][0]["href"],
        "http://prometheus.example/graph"
    );
}

#[store::both_engines]
async fn beyond_4_mib_nothing_is_read(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let mut body = event(&built.integration_key);
    body["payload"]["custom_details"] = json!({ "dump": "x".repeat(4 * 1024 * 1024) });
    let body = body.to_string();
    let webhook = format!("/alertmanager/{}", built.integration_key);
    for path in ["/v2/enqueue", "/v2/change/enqueue", webhook.as_str()] {
        assert_eq!(
            post(&muster, path, body.clone()).await.with_status(413),
            json!({
                "status": "invalid event",
                "message": "Event object is too large",
                "errors": ["The body may have at most 4194304 bytes"],
            }),
            "{path}"
        );
    }
    muster.take_signals().await;
    assert_eq!(muster.get("/incidents?total=true").await.good()["total"], 0);
}

/// An event whose details are this JSON text, whatever it is.
fn with_details(built: &Built, details: &str) -> String {
    let mut body = event(&built.integration_key);
    body["payload"]["custom_details"] = json!("DETAILS");
    body.to_string().replace("\"DETAILS\"", details)
}

#[store::both_engines]
async fn a_byte_order_mark_before_an_event_is_passed_over(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let body = format!("\u{FEFF}{}", event(&built.integration_key));
    let alert = alert_of(&muster, body).await;
    assert_eq!(alert["summary"], "Card terminal silent");
    assert_eq!(alert["truncated"], json!([]));
    let body = format!("\u{FEFF}{}", json!([{ "labels": { "alertname": "Silent" } }]));
    let path = format!("/alertmanager/{}/api/v2/alerts", built.integration_key);
    post(&muster, &path, body).await.with_status(200);
}

#[store::both_engines]
async fn a_number_that_nothing_can_hold_is_kept_as_text_and_marked(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let body = with_details(&built, r#"{ "load": [1, -1e400], "name": "till \ud800" }"#);
    let alert = alert_of(&muster, body).await;
    assert_eq!(
        alert["body"]["details"],
        json!({ "load": [1, "-1e400"], "name": "till \u{FFFD}" })
    );
    assert_eq!(alert["truncated"], json!(["payload.custom_details"]));
}

/// Around the most that a JSON reader takes: what is accepted must become an alert, at each depth.
#[store::both_engines]
async fn details_of_any_depth_do_not_cost_the_alert(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    for depth in [100, 119, 120, 121, 124, 125, 126, 127, 128, 5_000] {
        let details = format!("{}\"deep\"{}", "[".repeat(depth), "]".repeat(depth));
        let mut body = with_details(&built, &format!(r#"{{ "stack": {details}, "till": 1 }}"#));
        body = body.replace("srv01/HTTP", &format!("depth {depth}"));
        post(&muster, "/v2/enqueue", body).await.with_status(202);
        let alert = newest_alert(&muster).await;
        assert_eq!(alert["alert_key"], format!("depth {depth}"), "it is lost");
        assert_eq!(alert["body"]["details"]["till"], 1);
        assert!(
            alert["body"]["details"]["stack"].to_string().contains("deep"),
            "{depth}"
        );
        let marks = if depth > 119 {
            json!(["payload.custom_details"])
        } else {
            json!([])
        };
        assert_eq!(alert["truncated"], marks, "{depth}");
    }
    let change = format!(
        r#"{{ "routing_key": "{}", "payload": {{ "summary": "Deployed", "custom_details": {} }} }}"#,
        built.integration_key,
        format_args!("{}1e999{}", "[".repeat(300), "]".repeat(300)),
    );
    post(&muster, "/v2/change/enqueue", change).await.with_status(202);
    muster.take_signals().await;
    let kept = muster.get("/change_events").await.good()["change_events"][0].clone();
    assert_eq!(kept["truncated"], json!(["payload.custom_details"]));
}
