//! What rules do with an event.

use muster::oncall::EscalationPolicyId;
use muster::oncall::store::delete_policy;
use serde_json::{Value, json};
use store::Engine;

use super::{alerts, incidents, report, rule, send, sentences, start, story, when};
use crate::harness::{Built, TestApp};

async fn only_incident(muster: &TestApp) -> Value {
    let found = incidents(muster).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// The one alert of the one incident.
async fn only_alert(muster: &TestApp) -> Value {
    let incident = only_incident(muster).await;
    alerts(muster, &incident).await.remove(0)
}

#[store::both_engines]
async fn the_rules_are_shown_as_they_were_set_and_keep_their_ids(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let redacted = |shown: &Value, name: &str| {
        insta::assert_json_snapshot!(name, shown, {
            ".self" => "[url]",
            ".parent.id" => "[id]", ".parent.self" => "[url]", ".parent.html_url" => "[url]",
            ".sets[].rules[].id" => "[id]",
            ".*.id" => "[id]", ".*.self" => "[url]", ".*.html_url" => "[url]",
        });
    };
    let before = muster.get(&super::path_of(&built)).await.good();
    redacted(&before["orchestration_path"], "without_rules");
    let path = json!({
        "sets": [
            { "id": "start", "rules": [
                when("event.component matches 'disk'", json!({ "route_to": "disks" })),
            ] },
            { "id": "disks", "rules": [
                { "actions": {
                    "severity": "warning", "suspend": 300, "annotate": "{{event.summary}}",
                    "variables": [{ "name": "host", "path": "event.source", "type": "regex", "value": "^[^.]+" }],
                    "extractions": [
                        { "target": "event.component", "template": "{{variables.host}}" },
                        { "target": "event.group", "source": "event.source", "regex": "\\.(.*)$" },
                    ],
                } },
            ] },
        ],
        "catch_all": { "actions": { "suppress": true } },
    });
    let set = rule(&muster, &built, path).await;
    redacted(&set, "with_rules");
    let again = rule(
        &muster,
        &built,
        json!({ "sets": set["sets"], "catch_all": set["catch_all"] }),
    )
    .await;
    assert_eq!(again["sets"], set["sets"], "what is read can be sent back");
    assert_eq!(again["version"], "2");
    let audit = muster.get("/audit/records").await.good();
    let newest = &audit["records"][0];
    assert_eq!(
        newest["root_resource"]["type"], "service_orchestration_reference",
        "{newest}"
    );
}

#[store::both_engines]
async fn the_first_rule_that_matches_acts_and_no_other(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let mut disabled = when("event.summary matches part 'disk'", json!({ "severity": "info" }));
    disabled["disabled"] = json!(true);
    let mut either = when("event.severity == 'nonsense'", json!({ "severity": "warning" }));
    either["conditions"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "expression": "event.source matches part 'DB-'" }));
    rule(
        &muster,
        &built,
        start(json!([
            disabled,
            when("event.summary matches part 'tape'", json!({ "severity": "info" })),
            either,
            { "actions": { "suppress": true } },
        ])),
    )
    .await;
    report(&muster, &built, "k", json!({})).await;
    let alert = only_alert(&muster).await;
    assert_eq!(alert["severity"], "warning");
    assert_eq!(
        sentences(&alert)[0],
        "The rule “Disks” set the severity to warning."
    );
}

#[store::both_engines]
async fn sets_lead_on_and_what_matches_nothing_is_caught(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    rule(&muster, &built, json!({
        "sets": [
            { "id": "start", "rules": [when("event.component exists", json!({ "route_to": "parts", "severity": "info" }))] },
            { "id": "parts", "rules": [when("event.severity == 'info' and event.component == 'tape'", json!({ "suppress": true }))] },
        ],
        "catch_all": { "actions": { "severity": "error" } },
    })).await;
    report(&muster, &built, "tape", json!({ "component": "tape" })).await;
    assert!(
        incidents(&muster).await.is_empty(),
        "the second set suppressed it"
    );
    report(&muster, &built, "disk", json!({ "component": "disk" })).await;
    let alert = only_alert(&muster).await;
    assert_eq!(alert["severity"], "error");
    assert_eq!(
        sentences(&alert)[..2],
        [
            "The rule “Disks” set the severity to info and handed it to “parts”.",
            "The rule for everything else set the severity to error."
        ]
    );
    report(&muster, &built, "none", json!({})).await;
    let severities: Vec<Value> = {
        let mut found = Vec::new();
        for incident in incidents(&muster).await {
            found.push(alerts(&muster, &incident).await[0]["severity"].clone());
        }
        found
    };
    assert_eq!(severities, ["error", "error"]);
}

#[store::both_engines]
async fn rules_that_rest_judge_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let active = format!("{}/active", super::path_of(&built));
    assert_eq!(muster.get(&active).await.good(), json!({ "active": true }));
    rule(
        &muster,
        &built,
        start(json!([{ "actions": { "suppress": true } }])),
    )
    .await;
    let rest = muster.put(&active, json!({ "active": false })).await.good();
    assert_eq!(rest, json!({ "active": false }));
    assert_eq!(muster.get(&active).await.good(), rest);
    report(&muster, &built, "a", json!({})).await;
    assert_eq!(incidents(&muster).await.len(), 1);
    muster.put(&active, json!({ "active": true })).await.good();
    report(&muster, &built, "b", json!({})).await;
    assert_eq!(incidents(&muster).await.len(), 1, "the second was suppressed");
}

#[store::both_engines]
async fn priority_policy_and_note_reach_the_incident(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let other = muster.service("disks").build().await;
    rule(
        &muster,
        &built,
        start(json!([when(
            "event.summary matches part 'disk'",
            json!({
                "priority": "QP2000000000P2", "escalation_policy": other.policy_id,
                "annotate": "Look at {{event.source}} first, {{event.nothing | default('then call')}}.",
                "severity": "info",
            })
        )])),
    )
    .await;
    report(&muster, &built, "k", json!({})).await;
    let incident = only_incident(&muster).await;
    assert_eq!(incident["priority"]["summary"], "P2");
    assert_eq!(incident["escalation_policy"]["id"], other.policy_id);
    let id = incident["id"].as_str().unwrap();
    let notes = muster.get(&format!("/incidents/{id}/notes")).await.good();
    assert_eq!(
        notes["notes"][0]["content"],
        "Look at db-7.leeds first, then call."
    );
    let alert = only_alert(&muster).await;
    assert_eq!(
        sentences(&alert)[0],
        "The rule “Disks” set the severity to info, asked for the priority P2, asked for another escalation policy and left a note."
    );
    let told = story(&muster, &incident).await.join("\n");
    assert!(told.contains("Look at db-7.leeds first"), "{told}");
}

fn together() -> Value {
    json!({ "type": "time", "window_seconds": null })
}

#[store::both_engines]
async fn an_alert_that_joins_gives_a_priority_where_there_is_none_and_says_what_stays(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").grouping(together()).build().await;
    let other = muster.service("disks").build().await;
    rule(&muster, &built, start(json!([
        when("event.component == 'disk'", json!({ "priority": "QP2000000000P2", "escalation_policy": other.policy_id, "annotate": "Look." })),
        when("event.component == 'tape'", json!({ "priority": "QP1000000000P1", "annotate": "Look." })),
    ]))).await;
    report(&muster, &built, "plain", json!({})).await;
    report(&muster, &built, "disk", json!({ "component": "disk" })).await;
    report(&muster, &built, "tape", json!({ "component": "tape" })).await;
    let incident = only_incident(&muster).await;
    assert_eq!(
        incident["priority"]["summary"], "P2",
        "the first that was asked for"
    );
    assert_eq!(incident["escalation_policy"]["id"], built.policy_id);
    let id = incident["id"].as_str().unwrap();
    let notes = muster.get(&format!("/incidents/{id}/notes")).await.good();
    assert_eq!(
        notes["notes"].as_array().unwrap().len(),
        1,
        "the same note is left once"
    );
    let all = alerts(&muster, &incident).await;
    let of = |key: &str| sentences(all.iter().find(|one| one["alert_key"] == key).unwrap()).join(" ");
    assert!(
        of("disk").contains("stays with its escalation policy"),
        "{}",
        of("disk")
    );
    assert!(of("tape").contains("keeps its priority"), "{}", of("tape"));
}

#[store::both_engines]
async fn a_policy_that_is_gone_costs_nobody_the_page(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let policy = json!({ "escalation_policy": { "type": "escalation_policy", "name": "Disks", "escalation_rules": [
        { "escalation_delay_in_minutes": 5, "targets": [{ "id": muster.owner.id, "type": "user_reference" }] },
    ] } });
    let made = muster.post("/escalation_policies", policy).await.with_status(201);
    let id = made["escalation_policy"]["id"].as_str().unwrap().to_owned();
    rule(
        &muster,
        &built,
        start(json!([{ "actions": { "escalation_policy": id } }])),
    )
    .await;
    // Older programs let a policy be deleted that a rule names.
    let (gone, now) = (EscalationPolicyId::from(id.as_str()), muster.app.clock.now());
    let delete = muster.app.store.write(move |tx| delete_policy(tx, &gone, now));
    delete.await.unwrap();
    report(&muster, &built, "k", json!({})).await;
    let incident = only_incident(&muster).await;
    assert_eq!(incident["escalation_policy"]["id"], built.policy_id);
    let said = sentences(&only_alert(&muster).await).join(" ");
    assert!(said.contains("is not there any more"), "{said}");
}

#[store::both_engines]
async fn fields_are_written_by_pattern_and_by_template(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    rule(&muster, &built, start(json!([when("event.custom_details.used > 90", json!({
        "variables": [{ "name": "host", "path": "event.source", "type": "regex", "value": "^[^.]+" }],
        "extractions": [
            { "target": "event.summary", "template": "{{variables.host | upper}}: {{event.summary}} ({{event.custom_details.used}}%)" },
            { "target": "event.component", "template": "{{variables.host}}" },
            { "target": "event.group", "source": "event.source", "regex": "\\.(.*)$" },
            { "target": "event.custom_details.place.name", "template": "Leeds" },
            { "target": "event.severity", "source": "event.summary", "regex": "Disk" },
        ],
    }))]))).await;
    report(&muster, &built, "k", json!({ "custom_details": { "used": 97 } })).await;
    let alert = only_alert(&muster).await;
    assert_eq!(alert["summary"], "DB-7: Disk full (97%)");
    let cef = &alert["body"]["cef_details"];
    assert_eq!(cef["source_component"], "db-7");
    assert_eq!(cef["service_group"], "leeds");
    assert_eq!(
        alert["body"]["details"],
        json!({ "used": 97, "place": { "name": "Leeds" } })
    );
    assert_eq!(
        alert["severity"], "critical",
        "what is no severity is not written"
    );
    assert!(
        sentences(&alert)[0].ends_with(
            "custom_details.place.name. It could not write event.severity: “Disk” is no severity."
        ),
        "{:?}",
        sentences(&alert)
    );
}

#[store::both_engines]
async fn a_key_that_is_written_anew_makes_one_alert_of_two_and_ends_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    rule(&muster, &built, start(json!([
        { "actions": { "extractions": [{ "target": "event.dedup_key", "source": "event.source", "regex": "^[^.]+" }] } },
    ]))).await;
    report(&muster, &built, "one", json!({})).await;
    report(&muster, &built, "two", json!({ "summary": "Disk still full" })).await;
    let alert = only_alert(&muster).await;
    assert_eq!(
        (alert["alert_key"].as_str(), alert["event_count"].as_i64()),
        (Some("db-7"), Some(2))
    );
    send(&muster, &built, "resolve", "three", json!({})).await;
    assert_eq!(only_incident(&muster).await["status"], "resolved");
}

#[store::both_engines]
async fn an_end_is_known_by_the_key_as_sent_when_rules_came_between(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    report(&muster, &built, "one", json!({})).await;
    rule(&muster, &built, start(json!([
        { "actions": { "extractions": [{ "target": "event.dedup_key", "template": "new {{event.dedup_key}}" }] } },
    ]))).await;
    send(&muster, &built, "resolve", "one", json!({})).await;
    assert_eq!(only_incident(&muster).await["status"], "resolved");
}

#[store::both_engines]
async fn a_rule_says_what_is_an_end_and_what_a_report(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    rule(
        &muster,
        &built,
        start(json!([
            when(
                "event.summary matches part 'OK'",
                json!({ "event_action": "resolve" })
            ),
            when(
                "event.dedup_key == 'odd' and event.event_action == 'resolve'",
                json!({ "event_action": "trigger" })
            ),
        ])),
    )
    .await;
    report(&muster, &built, "k", json!({ "summary": "Disk OK" })).await;
    assert!(incidents(&muster).await.is_empty(), "nothing was open");
    report(&muster, &built, "k", json!({})).await;
    report(&muster, &built, "k", json!({ "summary": "Disk OK" })).await;
    let incident = only_incident(&muster).await;
    assert_eq!(incident["status"], "resolved");
    let told = story(&muster, &incident).await.join("\n");
    assert!(told.contains("By the service's rules, what"), "{told}");
    let bare = json!({ "routing_key": built.integration_key, "event_action": "resolve", "dedup_key": "odd" });
    let request = axum::http::Request::post("/v2/enqueue")
        .body(axum::body::Body::from(bare.to_string()))
        .unwrap();
    muster.send(request).await.with_status(202);
    muster.take_signals().await;
    let titles: Vec<Value> = incidents(&muster)
        .await
        .iter()
        .map(|one| one["title"].clone())
        .collect();
    assert!(titles.contains(&json!("odd")), "{titles:?}");
}

#[store::both_engines]
async fn now_is_when_the_event_arrived(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    rule(
        &muster,
        &built,
        start(json!([when(
            "now in Tue 06:00:00 to 06:30:00 Europe/London",
            json!({ "suppress": true })
        ),])),
    )
    .await;
    muster
        .enqueue(&built, "trigger", "early", "Disk full")
        .await
        .with_status(202);
    muster.pass_quietly(3_600);
    muster
        .enqueue(&built, "trigger", "late", "Disk full")
        .await
        .with_status(202);
    muster.take_signals().await;
    let alert = only_alert(&muster).await;
    assert_eq!(
        alert["alert_key"], "late",
        "the first arrived within the time, though it was taken after it"
    );
}

async fn hostile(muster: &TestApp) -> Built {
    let built = muster.service("card-gateway").build().await;
    let condition = "not event.custom_details.noise matches regex '[ab]*a[ab]{900}c'";
    rule(
        muster,
        &built,
        start(json!([when(condition, json!({ "suppress": true }))])),
    )
    .await;
    built
}

#[store::both_engines]
async fn rules_that_take_too_much_work_are_left_out_and_the_event_goes_on(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = hostile(&muster).await;
    let mut state = 1_u64;
    let noise: String = (0..64 * 1024)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            if state >> 63 == 0 { 'a' } else { 'b' }
        })
        .collect();
    report(
        &muster,
        &built,
        "k",
        json!({ "custom_details": { "noise": noise } }),
    )
    .await;
    let alert = only_alert(&muster).await;
    assert_eq!(
        sentences(&alert)[0],
        "The service's rules would have taken too much work on this event, so none was applied."
    );
    report(
        &muster,
        &built,
        "short",
        json!({ "custom_details": { "noise": "ab" } }),
    )
    .await;
    assert_eq!(incidents(&muster).await.len(), 1, "the short one is judged");
}
