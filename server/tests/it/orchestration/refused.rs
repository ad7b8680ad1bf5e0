//! Rules that would not do what they say are refused with their place.

use serde_json::{Value, json};
use store::Engine;

use super::{path_of, start, when};
use crate::harness::TestApp;

async fn errors(muster: &TestApp, path: &str, body: Value) -> Value {
    muster.put(path, body).await.with_status(400)["error"]["errors"].clone()
}

fn wrapped(rules: Value) -> Value {
    json!({ "orchestration_path": start(rules) })
}

#[store::both_engines]
async fn what_cannot_be_kept_is_refused_with_its_place(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let path = path_of(&built);
    let mut said = Vec::new();
    for rules in [
        json!([{}, when("event.severity = 'critical'", json!({}))]),
        json!([when("event.summary matches part", json!({}))]),
        json!([when("", json!({}))]),
        json!([when(
            "event.sumary == 'x' and raw_event.x exists and cache_var.y == 1 or evnt.z == 2",
            json!({})
        )]),
        json!([when("trigger_count over 5 minutes > 10", json!({}))]),
        json!([when("event.summary matches regex '('", json!({}))]),
        json!([{ "actions": {
            "automation_actions": [{ "name": "x" }], "pagerduty_automation_actions": [{ "action_id": "x" }],
            "incident_custom_field_updates": [{ "id": "x", "value": "y" }], "drop_event": true, "explode": 1,
        } }]),
        json!([{ "actions": { "suspend": -1, "priority": "P1", "escalation_policy": "X", "route_to": "nowhere" } }]),
        json!([{ "actions": { "severity": "bad" } }]),
        json!([{ "actions": { "suspend": "soon" } }]),
        json!([{ "actions": { "annotate": "{{event.summary", "variables": [
            { "name": " ", "type": "regex", "path": "event.", "value": "[" },
        ] } }]),
        json!([{ "actions": { "annotate": "{{event.sumary}} {{raw_event.x | upper}}", "extractions": [
            { "target": "event.event_action", "template": "x" },
            { "target": "event.summary" },
            { "target": "event.summary", "template": "x", "regex": "y" },
            { "target": "variables.x", "source": "raw_event.x", "regex": "y" },
        ] } }]),
        json!({ "not": "a list" }),
    ] {
        said.push(errors(&muster, &path, wrapped(rules)).await);
    }
    insta::assert_json_snapshot!("refused", said);
    assert_eq!(
        muster.get(&path).await.good()["orchestration_path"]["version"],
        Value::Null,
        "nothing was kept"
    );
}

#[store::both_engines]
async fn what_is_too_much_or_leads_nowhere_is_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let path = path_of(&built);
    let many = |count: usize, one: Value| Value::from(vec![one; count]);
    let sets = |sets: Value| json!({ "orchestration_path": { "sets": sets } });
    let lead = |to: &str| json!({ "actions": { "route_to": to } });
    let mut said = Vec::new();
    for body in [
        sets(json!([])),
        sets(many(11, json!({ "id": "start" }))),
        sets(json!([{ "id": "start" }, { "id": "start" }, { "id": " " }])),
        wrapped(many(101, json!({}))),
        wrapped(
            json!([{ "conditions": many(21, json!({ "expression": "true" })), "label": "x".repeat(256) }]),
        ),
        sets(json!([
            { "id": "start", "rules": [lead("a")] }, { "id": "a", "rules": [lead("b")] }, { "id": "b", "rules": [lead("a")] },
        ])),
        sets(json!([{ "id": "start", "rules": [lead("start")] }])),
        json!({ "orchestration_path": { "catch_all": { "actions": { "route_to": "start" } } } }),
        wrapped(many(60, when("event.summary matches regex '.{250}'", json!({})))),
        wrapped(json!([when(
            &format!("event.summary == '{}'", "x".repeat(2_100)),
            json!({ "annotate": "x".repeat(4_001) })
        )])),
        json!({}),
        json!([]),
        json!({ "orchestration_path": null }),
    ] {
        said.push(errors(&muster, &path, body).await);
    }
    insta::assert_json_snapshot!("too_much", said);
    muster
        .put(&format!("{path}/active"), json!({ "active": "yes" }))
        .await
        .with_status(400);
    for missing in [
        "/event_orchestrations/services/NOBODY",
        "/event_orchestrations/services/NOBODY/active",
    ] {
        muster.get(missing).await.with_status(404);
        muster
            .put(missing, json!({ "active": true, "orchestration_path": {} }))
            .await
            .with_status(404);
    }
}

#[store::both_engines]
async fn what_asks_for_nothing_is_accepted_whatever_it_is_called(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let nothing = json!([{ "id": "made-up", "label": " ", "conditions": null, "disabled": null, "actions": {
        "automation_actions": [], "pagerduty_automation_actions": null, "incident_custom_field_updates": [],
        "drop_event": false, "suspend": null, "variables": null, "extractions": [], "route_to": null, "annotate": "",
    } }]);
    let kept = super::rule(&muster, &built, start(nothing)).await;
    let rule = &kept["sets"][0]["rules"][0];
    assert_ne!(rule["id"], "made-up");
    assert_eq!(rule["label"], Value::Null);
}
