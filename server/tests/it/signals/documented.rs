//! What the document says of events is what is read: every field that it names arrives.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use store::Engine;

use super::post;
use crate::harness::TestApp;

/// What one sender would send who fills in every field of a shape: the examples that the document gives.
fn example(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return example(
            document,
            document.pointer(reference.trim_start_matches('#')).unwrap(),
        );
    }
    if !schema["example"].is_null() {
        return schema["example"].clone();
    }
    let choices = ["oneOf", "anyOf", "allOf"].map(|name| schema[name].as_array());
    if let Some(choice) = choices
        .into_iter()
        .flatten()
        .flatten()
        .find(|one| one["type"] != "null")
    {
        return example(document, choice);
    }
    if let Some(allowed) = schema["enum"].as_array() {
        return allowed[0].clone();
    }
    if schema["items"].is_object() {
        return json!([example(document, &schema["items"])]);
    }
    let Some(fields) = schema["properties"].as_object() else {
        assert!(
            schema["type"].to_string().contains("object"),
            "no example of {schema}"
        );
        return json!({ "whatever": "the sender likes" });
    };
    let fields: Map<String, Value> = fields
        .iter()
        .map(|(name, field)| (name.clone(), example(document, field)))
        .collect();
    Value::from(fields)
}

fn example_of(shape: &str) -> Value {
    let document = serde_json::to_value(muster::app::router::document()).unwrap();
    example(&document, &document["components"]["schemas"][shape])
}

fn names(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

#[track_caller]
fn arrived(sent: &Value, shown: &Value) {
    let (mut wanted, mut there) = (Vec::new(), Vec::new());
    texts(sent, &mut wanted);
    texts(shown, &mut there);
    for text in wanted {
        assert!(there.contains(&text), "{text} did not arrive: {shown}");
    }
}

async fn the_alert(muster: &TestApp) -> Value {
    let incidents = muster.get("/incidents").await.good();
    let id = incidents["incidents"][0]["id"].as_str().unwrap().to_owned();
    muster.get(&format!("/incidents/{id}/alerts")).await.good()["alerts"][0].clone()
}

#[store::both_engines]
async fn an_event_with_every_documented_field_arrives_whole(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let mut event = example_of("AlertEventBody");
    assert_eq!(
        names(&event),
        BTreeSet::from([
            "client",
            "client_url",
            "dedup_key",
            "event_action",
            "images",
            "links",
            "payload",
            "routing_key",
        ])
    );
    assert_eq!(
        names(&event["payload"]),
        BTreeSet::from([
            "class",
            "component",
            "custom_details",
            "group",
            "severity",
            "source",
            "summary",
            "timestamp",
        ])
    );
    assert_eq!(event["event_action"], "trigger");
    event["routing_key"] = json!(built.integration_key);
    post(&muster, "/v2/enqueue", event.to_string())
        .await
        .with_status(202);
    muster.take_signals().await;
    let alert = the_alert(&muster).await;
    for name in ["payload", "images", "links", "client", "client_url", "dedup_key"] {
        arrived(&event[name], &alert);
    }
    assert_eq!(alert["truncated"], json!([]));
    assert_eq!(alert["body"]["details"], event["payload"]["custom_details"]);
}

#[store::both_engines]
async fn a_change_event_with_every_documented_field_arrives_whole(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let mut event = example_of("ChangeEventBody");
    event["routing_key"] = json!(built.integration_key);
    post(&muster, "/v2/change/enqueue", event.to_string())
        .await
        .with_status(202);
    muster.take_signals().await;
    let change = muster.get("/change_events").await.good()["change_events"][0].clone();
    arrived(&event, &change);
}

#[store::both_engines]
async fn an_alert_of_prometheus_with_every_documented_field_arrives_whole(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let alert = example_of("AlertmanagerAlert");
    let path = format!("/alertmanager/{}/api/v2/alerts", built.integration_key);
    let answer = post(&muster, &path, json!([alert]).to_string()).await;
    assert_eq!(answer.with_status(200), json!({}));
    muster.take_signals().await;
    let shown = the_alert(&muster).await;
    for name in ["labels", "annotations", "generatorURL", "startsAt", "fingerprint"] {
        arrived(&alert[name], &shown);
    }
}
