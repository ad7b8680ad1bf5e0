//! What people teach by merging and moving, and what the past teaches about waiting.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Built, TestApp};

async fn intelligent(muster: &TestApp, name: &str) -> Built {
    muster
        .service(name)
        .grouping(json!({ "type": "intelligent", "fields": [], "window_seconds": 600 }))
        .build()
        .await
}

async fn recommended(muster: &TestApp, name: &str) -> Built {
    let built = muster.service(name).build().await;
    let body = json!({ "service": {
        "auto_pause_notifications_parameters": { "enabled": true, "timeout": 0 },
    }});
    muster
        .put(&format!("/services/{}", built.service_id), body)
        .await
        .good();
    built
}

/// Every incident, the oldest first.
async fn incidents(muster: &TestApp) -> Vec<Value> {
    let answer = muster
        .get("/incidents?date_range=all&sort_by=created_at:asc&limit=100")
        .await
        .good();
    answer["incidents"].as_array().unwrap().clone()
}

fn id(incident: &Value) -> &str {
    incident["id"].as_str().unwrap()
}

/// The owner is a person; the key of the tests is not, and teaches nothing.
async fn merge(muster: &TestApp, target: &Value, source: &Value) {
    let body = json!({ "source_incidents": [{ "id": id(source), "type": "incident_reference" }] });
    let path = format!("/incidents/{}/merge", id(target));
    muster
        .as_person(&muster.owner, Method::PUT, &path, Some(body))
        .await
        .good();
}

async fn move_alert(muster: &TestApp, alert: &str, from: &Value, to: &Value) {
    let body = json!({ "alert": {
        "type": "alert", "incident": { "id": id(to), "type": "incident_reference" },
    }});
    let path = format!("/incidents/{}/alerts/{alert}", id(from));
    muster
        .as_person(&muster.owner, Method::PUT, &path, Some(body))
        .await
        .good();
}

async fn alerts_of(muster: &TestApp, incident: &Value) -> Vec<Value> {
    let answer = muster
        .get(&format!("/incidents/{}/alerts", id(incident)))
        .await
        .good();
    answer["alerts"].as_array().unwrap().clone()
}

const QUEUE: &str = "queue of receipts grows";
const PRINTER: &str = "printer does not answer";

#[store::both_engines]
async fn a_merge_teaches_across_services_and_taking_it_apart_unteaches(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let queue = intelligent(&muster, "queue").await;
    let printer = intelligent(&muster, "printer").await;
    muster.trigger(&queue, "q1", QUEUE).await;
    muster.trigger(&printer, "p1", PRINTER).await;
    let first = incidents(&muster).await;
    assert_eq!(first.len(), 2, "nothing says yet that the two belong together");
    merge(&muster, &first[0], &first[1]).await;

    // The next time Muster puts them together by itself, and says why.
    muster.clock.advance(Duration::from_secs(7200));
    muster.trigger(&queue, "q2", QUEUE).await;
    muster.trigger(&printer, "p2", PRINTER).await;
    let again = incidents(&muster).await;
    assert_eq!(again.len(), 3, "{again:?}");
    let joined = alerts_of(&muster, &again[2]).await;
    let sentences = joined[1]["grouping_reasons"].to_string();
    assert!(
        sentences.contains("People put such alerts together once"),
        "{sentences}"
    );

    // Taking the printer out of the merged incident takes the lesson back.
    let merged = alerts_of(&muster, &again[0]).await;
    let printed = merged.iter().find(|alert| alert["summary"] == PRINTER).unwrap();
    muster.trigger(&printer, "p3", "toner is low").await;
    let all = incidents(&muster).await;
    move_alert(&muster, printed["id"].as_str().unwrap(), &all[0], &all[3]).await;
    muster.clock.advance(Duration::from_secs(7200));
    muster.trigger(&queue, "q4", QUEUE).await;
    muster.trigger(&printer, "p4", PRINTER).await;
    assert_eq!(incidents(&muster).await.len(), all.len() + 2);
}

#[store::both_engines]
async fn an_alert_moved_away_and_back_leaves_no_lesson(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = intelligent(&muster, "shop").await;
    muster.trigger(&built, "a1", "checkout is slow").await;
    muster.trigger(&built, "a2", "checkout is slow and fails").await;
    muster.trigger(&built, "b1", "certificate of www runs out").await;
    let before = incidents(&muster).await;
    let lessons = || async {
        let answer = muster.get("/grouping_lessons").await.good();
        answer["grouping_lessons"].as_array().unwrap().len()
    };
    assert_eq!(lessons().await, 0);
    let other = intelligent(&muster, "other").await;
    muster.trigger(&other, "o1", "disk is full").await;
    let all = incidents(&muster).await;
    let target = all.last().unwrap();
    let moved = alerts_of(&muster, &before[0]).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    move_alert(&muster, &moved, &before[0], target).await;
    assert!(lessons().await > 0);
    move_alert(&muster, &moved, target, &before[0]).await;
    assert_eq!(lessons().await, 0);
}

#[store::both_engines]
async fn a_person_takes_a_lesson_back_by_itself(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let queue = intelligent(&muster, "queue").await;
    let printer = intelligent(&muster, "printer").await;
    muster.trigger(&queue, "q1", QUEUE).await;
    muster.trigger(&printer, "p1", PRINTER).await;
    let first = incidents(&muster).await;
    merge(&muster, &first[0], &first[1]).await;
    let told = muster.get("/grouping_lessons").await.good();
    let lesson = &told["grouping_lessons"][0];
    assert_eq!(lesson["verdict"], "together");
    let path = format!("/grouping_lessons/{}", lesson["id"].as_str().unwrap());
    muster.delete(&path).await.with_status(204);
    muster.delete(&path).await.with_status(404);
    muster.clock.advance(Duration::from_secs(7200));
    muster.trigger(&queue, "q2", QUEUE).await;
    muster.trigger(&printer, "p2", PRINTER).await;
    assert_eq!(incidents(&muster).await.len(), 4);
}

#[store::both_engines]
async fn a_second_incident_takes_along_what_came_with_its_wave(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = intelligent(&muster, "cart").await;
    let texts = [
        "latency of cart is high",
        "latency of login is high",
        "latency of search is high",
    ];
    for (number, text) in texts.iter().enumerate() {
        muster.trigger(&built, &format!("first-{number}"), text).await;
    }
    assert_eq!(incidents(&muster).await.len(), 1);
    muster.clock.advance(Duration::from_secs(200));
    for (number, text) in texts.iter().enumerate() {
        muster.trigger(&built, &format!("second-{number}"), text).await;
        muster.clock.advance(Duration::from_secs(1));
    }
    let found = incidents(&muster).await;
    let counts: Vec<i64> = found
        .iter()
        .map(|one| one["alert_counts"]["all"].as_i64().unwrap())
        .collect();
    assert_eq!(counts, [3, 3]);
}

#[store::both_engines]
async fn as_recommended_nothing_waits_until_the_past_speaks_for_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = recommended(&muster, "link").await;
    // Twenty alerts clear by themselves after a minute; each opened an incident, because little was known.
    for number in 0..20 {
        muster
            .trigger(&built, &format!("link-{number}"), "link is down")
            .await;
        muster.clock.advance(Duration::from_secs(60));
        muster
            .enqueue(&built, "resolve", &format!("link-{number}"), "link is down")
            .await
            .with_status(202);
        muster.take_signals().await;
        muster.clock.advance(Duration::from_secs(3600));
    }
    let learned = incidents(&muster).await.len();
    assert!((10..20).contains(&learned), "{learned}");
    let offered = muster
        .get(&format!("/services/{}/transient_alerts", built.service_id))
        .await
        .good();
    assert_eq!(offered["transient_alerts"][0]["pause_seconds"], 120);
    assert_eq!(offered["transient_alerts"][0]["alerts"], 20);

    // The next one waits; it stays, so it becomes an incident after the pause.
    muster.trigger(&built, "link-21", "link is down").await;
    assert_eq!(incidents(&muster).await.len(), learned);
    muster.pass(Duration::from_secs(121)).await;
    assert_eq!(incidents(&muster).await.len(), learned + 1);
    // Another kind of alert does not wait.
    muster.trigger(&built, "other", "disk is full").await;
    assert_eq!(incidents(&muster).await.len(), learned + 2);
}

#[store::both_engines]
async fn what_people_resolve_never_teaches_to_wait(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = recommended(&muster, "link").await;
    for number in 0..20 {
        muster
            .trigger(&built, &format!("link-{number}"), "link is down")
            .await;
        let open = incidents(&muster).await;
        let body = json!({ "incident": { "type": "incident_reference", "status": "resolved" } });
        let path = format!("/incidents/{}", id(open.last().unwrap()));
        muster
            .as_person(&muster.owner, Method::PUT, &path, Some(body))
            .await
            .good();
        muster.clock.advance(Duration::from_secs(3600));
    }
    muster.trigger(&built, "link-21", "link is down").await;
    assert_eq!(incidents(&muster).await.len(), 21);
}

#[store::both_engines]
async fn a_flapping_alert_waits_until_it_stays(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = recommended(&muster, "link").await;
    for _ in 0..6 {
        muster.trigger(&built, "port-7", "port 7 is down").await;
        muster.clock.advance(Duration::from_secs(5));
        muster
            .enqueue(&built, "resolve", "port-7", "port 7 is down")
            .await
            .with_status(202);
        muster.take_signals().await;
        muster.clock.advance(Duration::from_secs(5));
    }
    let before = incidents(&muster).await.len();
    assert!(before < 6, "{before}");
    muster.trigger(&built, "port-7", "port 7 is down").await;
    assert_eq!(
        incidents(&muster).await.len(),
        before,
        "it flaps, so nobody is told yet"
    );
    muster.pass(Duration::from_secs(3600)).await;
    assert_eq!(
        incidents(&muster).await.len(),
        before + 1,
        "it stays, so somebody is told"
    );
}
