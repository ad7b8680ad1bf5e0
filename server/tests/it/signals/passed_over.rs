//! Events that were accepted and could not be taken: seen by admins, taken again, or let go.

use std::time::Duration;

use axum::http::Method;
use muster::people::Role;
use muster::signals::leaves::Leaf;
use muster::signals::trying_again::try_again;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Browser, Built, TestApp};
use crate::orchestration::{rule, start};

const LIST: &str = "/signals/passed_over";

/// An event that was accepted before its service was taken away, or with something else wrong.
async fn keep_apart(muster: &TestApp, built: &Built, spoil: impl Fn(&mut Value)) {
    let line = accepted(muster, built, spoil).await;
    keep_line_apart(muster, line).await;
}

async fn accepted(muster: &TestApp, built: &Built, spoil: impl Fn(&mut Value)) -> String {
    let service = muster
        .get(&format!("/services/{}", built.service_id))
        .await
        .good();
    let mut line = json!({
        "received_at": 1_794_895_200_000_000_i64,
        "integration_id": service["service"]["integrations"][0]["id"],
        "service_id": built.service_id,
        "event": { "alert": {
            "action": "trigger", "dedup_key": "till-1", "summary": "Terminal <b>silent</b>", "source": "till",
            "severity": "error",
        } },
    });
    spoil(&mut line);
    line.to_string()
}

async fn keep_line_apart(muster: &TestApp, lines: String) {
    keep_line(muster, 7, lines).await;
}

async fn keep_line(muster: &TestApp, sequence: i64, lines: String) {
    let leaf = Leaf {
        sequence,
        signals: 1,
        lines,
    };
    muster.app.journal.leaves.add(900, leaf).await.unwrap();
    muster.take_signals().await;
}

async fn listed(muster: &TestApp) -> Vec<Value> {
    let answer = muster.get(&format!("{LIST}?total=true")).await.good();
    let found = answer["signals"].as_array().unwrap().clone();
    assert_eq!(answer["total"], found.len());
    found
}

async fn titles(muster: &TestApp) -> Vec<String> {
    let found = muster.get("/incidents").await.good();
    let incidents = found["incidents"].as_array().unwrap().iter();
    incidents
        .map(|one| one["title"].as_str().unwrap().to_owned())
        .collect()
}

fn unknown_integration(line: &mut Value) {
    line["integration_id"] = json!("QNOBODYKNOWSIT");
}

/// The row of the integration comes back, as from a copy of the database.
async fn bring_the_integration_back(muster: &TestApp, built: &Built) {
    let service = built.service_id.clone();
    muster
        .app
        .store
        .write(move |tx| {
            tx.execute(
                store::sql!(
                    "INSERT INTO integrations (id, service_id, type, name, integration_key, created_at)
                     VALUES ('QNOBODYKNOWSIT', $1, 'events_api_v2_inbound_integration', 'Old', 'old', 0)"
                ),
                store::params![&service],
            )
        })
        .await
        .unwrap();
}

#[store::both_engines]
async fn what_stood_in_the_way_of_many_is_mended_and_they_are_taken_by_themselves(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    keep_apart(&muster, &built, unknown_integration).await;
    muster::app::auditor::begin(&muster.app).await.unwrap();
    muster.pass(Duration::from_secs(120)).await;
    assert_eq!(listed(&muster).await.len(), 1, "it still cannot be taken");
    bring_the_integration_back(&muster, &built).await;
    muster.pass(Duration::from_secs(60)).await;
    assert!(listed(&muster).await.is_empty());
    assert_eq!(titles(&muster).await, ["Terminal <b>silent</b>"]);
}

/// By then somebody has decided, or what it tells is over.
#[store::both_engines]
async fn an_event_that_was_kept_apart_long_ago_is_left_to_people(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    keep_apart(&muster, &built, unknown_integration).await;
    muster.pass_quietly(3_700);
    bring_the_integration_back(&muster, &built).await;
    assert_eq!(try_again(&muster.app).await.unwrap(), 0);
    assert_eq!(listed(&muster).await.len(), 1);
}

/// A trigger that is taken after the alert's end would page somebody for what is over.
#[store::both_engines]
async fn an_event_whose_alert_was_heard_of_since_is_left_to_people(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    keep_apart(&muster, &built, unknown_integration).await;
    bring_the_integration_back(&muster, &built).await;
    let later = accepted(&muster, &built, |line| {
        unknown_integration(line);
        line["received_at"] = json!(1_794_895_201_000_000_i64);
    });
    keep_line(&muster, 8, later.await).await;
    assert_eq!(titles(&muster).await.len(), 1, "the later one is taken");
    assert_eq!(try_again(&muster.app).await.unwrap(), 0);
    assert_eq!(listed(&muster).await.len(), 1);
}

/// As a node leaves it that is older than its database, and cannot take anything.
async fn keep_many_apart(muster: &TestApp, lines: Vec<String>) {
    let kept = muster.app.store.write(move |tx| -> Result<(), store::Error> {
        for (line, sequence) in lines.iter().zip(1_i64..) {
            tx.execute(
                store::sql!(
                    "INSERT INTO signals_passed_over (node, sequence, at, reason, line)
                     VALUES (901, $1, 1794895200000000, 'no such column', $2)"
                ),
                store::params![sequence, line],
            )?;
        }
        Ok(())
    });
    kept.await.unwrap();
}

#[store::both_engines]
async fn those_that_can_still_not_be_taken_do_not_bar_the_way_of_others(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let stuck = accepted(&muster, &built, unknown_integration).await;
    let mut lines = vec![stuck; 1_150];
    lines.push(accepted(&muster, &built, |_| ()).await);
    keep_many_apart(&muster, lines).await;
    assert_eq!(
        try_again(&muster.app).await.unwrap(),
        0,
        "a round has its measure"
    );
    assert_eq!(
        try_again(&muster.app).await.unwrap(),
        1,
        "the next one goes on behind it"
    );
    muster.settle().await;
    assert_eq!(titles(&muster).await, ["Terminal <b>silent</b>"]);
}

fn ends(line: &mut Value) {
    unknown_integration(line);
    line["received_at"] = json!(1_794_895_220_000_000_i64);
    line["event"]["alert"]["action"] = json!("resolve");
}

/// It would page somebody for what is over, and nothing would ever end it.
#[store::both_engines]
async fn an_event_whose_end_came_meanwhile_is_left_to_people(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    keep_apart(&muster, &built, unknown_integration).await;
    let end = accepted(&muster, &built, ends).await;
    keep_line(&muster, 8, end).await;
    bring_the_integration_back(&muster, &built).await;
    assert_eq!(try_again(&muster.app).await.unwrap(), 0);
    assert!(titles(&muster).await.is_empty());
    assert_eq!(listed(&muster).await.len(), 1);
}

#[store::both_engines]
async fn an_end_is_known_by_the_key_that_rules_write(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let by_source = json!([{ "actions": { "extractions": [
        { "target": "event.dedup_key", "source": "event.source", "regex": "^[^.]+" },
    ] } }]);
    rule(&muster, &built, start(by_source)).await;
    keep_apart(&muster, &built, unknown_integration).await;
    let end = accepted(&muster, &built, |line| {
        ends(line);
        line["event"]["alert"]["dedup_key"] = json!("till-1 is fine");
    });
    keep_line(&muster, 8, end.await).await;
    bring_the_integration_back(&muster, &built).await;
    assert_eq!(try_again(&muster.app).await.unwrap(), 0);
    assert!(titles(&muster).await.is_empty());
}

#[store::both_engines]
async fn what_stood_in_the_way_is_mended_and_the_event_is_taken_again(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    keep_apart(&muster, &built, unknown_integration).await;
    let found = listed(&muster).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["id"], "900-7");
    assert_eq!(found[0]["summary"], "Terminal <b>silent</b>");
    assert_eq!(found[0]["received_at"], "2026-11-17T06:00:00Z");
    assert!(!found[0]["reason"].as_str().unwrap().is_empty(), "{found:?}");

    let retry = format!("{LIST}/900-7/retry");
    let refused = muster.post(&retry, Value::Null).await.with_status(409);
    assert!(
        refused.to_string().contains("can still not be taken"),
        "{refused}"
    );
    assert_eq!(listed(&muster).await, found, "it stays");
    assert!(titles(&muster).await.is_empty());

    bring_the_integration_back(&muster, &built).await;
    muster.post(&retry, Value::Null).await.with_status(204);
    muster.settle().await;
    assert!(listed(&muster).await.is_empty());
    assert_eq!(titles(&muster).await, ["Terminal <b>silent</b>"]);
    let sends = muster.get("/outbox/sends?purposes[]=page").await.good();
    assert_eq!(
        sends["sends"].as_array().unwrap().len(),
        1,
        "somebody is paged: {sends}"
    );
    muster.post(&retry, Value::Null).await.with_status(404);
    let records = muster.get("/audit/records").await.good().to_string();
    assert!(records.contains("passed_over_signal"), "{records}");
}

#[store::both_engines]
async fn what_cannot_be_read_is_let_go_by_an_admin_only(engine: Engine) {
    let muster = TestApp::new(engine).await;
    keep_line_apart(&muster, "<torn>".to_owned()).await;
    let found = listed(&muster).await;
    assert_eq!(found[0]["summary"], "<torn>");
    assert_eq!(found[0]["service_id"], Value::Null);
    muster
        .post(&format!("{LIST}/900-7/retry"), Value::Null)
        .await
        .with_status(409);
    let ben = muster.person("Ben", "ben@example.org", Role::Manager).await;
    for (method, path) in [
        (Method::GET, LIST.to_owned()),
        (Method::POST, format!("{LIST}/900-7/retry")),
        (Method::DELETE, format!("{LIST}/900-7")),
    ] {
        muster.as_person(&ben, method, &path, None).await.with_status(403);
    }
    for unknown in ["900-8", "x", "9-9-9", "-1", "99999999999999999999-1", "%00-1"] {
        let answer = muster.delete(&format!("{LIST}/{unknown}")).await;
        assert!(
            [400, 404].contains(&answer.status.as_u16()),
            "{unknown}: {}",
            answer.text
        );
    }
    muster.delete(&format!("{LIST}/900-7")).await.with_status(204);
    assert!(listed(&muster).await.is_empty());
}

#[store::both_engines]
async fn the_console_shows_them_under_health(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let health = "/console/settings/health";
    let browser = muster.browser().await;
    assert!(!browser.open(health).await.contains("could not be taken"));
    let built = muster.service("card-gateway").build().await;
    keep_apart(&muster, &built, unknown_integration).await;
    let page = browser.open(health).await;
    assert!(
        page.contains("could not be taken") && !page.contains("<b>silent"),
        "{page}"
    );
    let again = format!("{health}/events/900-7/again");
    let refused = browser.send(&again, &[]).await;
    assert_eq!(refused.status.as_u16(), 409, "{}", refused.text);
    assert_eq!(browser.send_forged(&again, &[]).await.status.as_u16(), 403);
    let remove = format!("{health}/events/900-7/remove");
    assert_eq!(Browser::led_to(&browser.send(&remove, &[]).await), health);
    assert!(!browser.open(health).await.contains("could not be taken"));
}
