//! Two servers on one PostgreSQL think as one: what belongs together meets, whichever of them accepted it and
//! whichever takes it, and what a person does on one holds on the other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use muster::app::App;
use muster::app::migrations::MIGRATIONS;
use muster::app::router::router;
use muster::app::runner::run_due;
use muster::clock::Clock;
use muster::live::others::Heard;
use muster::outbox::sender::send_due;
use muster::people::Role;
use muster::signals::intake::take_waiting;
use serde_json::{Value, json};
use store::{Engine, Store};

use crate::harness::{Built, TestApp};
use crate::smtp::MailServer;

/// Another server on the same database, with the same clock.
async fn beside(first: &TestApp) -> TestApp {
    let clock = Clock::Simulated(first.clock.clone());
    let store = Store::open(&first.database.location, MIGRATIONS).await.unwrap();
    let app = App::assemble(store, clock, first.app.settings.clone())
        .await
        .unwrap();
    TestApp {
        router: router(Arc::clone(&app)),
        app,
        clock: first.clock.clone(),
        owner: first.owner.clone(),
        database: Arc::clone(&first.database),
    }
}

/// A morning on one service: what was said under which key, and how many seconds later than what came before.
const MORNING: [(&str, &str, u64); 12] = [
    ("till-1", "card terminal 1 does not answer in Leeds", 0),
    ("till-2", "card terminal 2 does not answer in Leeds", 5),
    ("queue-1", "queue of receipts grows on printer 7", 4),
    ("till-3", "card terminal 3 does not answer in York", 9),
    ("disk-1", "disk of backup server is nearly full", 2),
    ("queue-2", "queue of receipts grows on printer 9", 8),
    ("till-1", "card terminal 1 does not answer in Leeds", 1),
    ("till-4", "card terminal 4 does not answer in Hull", 700),
    ("queue-3", "queue of receipts grows on printer 2", 3),
    ("till-5", "card terminal 5 does not answer in Hull", 6),
    ("disk-2", "disk of backup server is nearly full", 2),
    ("till-6", "card terminal 6 does not answer in Bath", 4_000),
];

/// The keys of each incident's alerts.
async fn together(muster: &TestApp) -> BTreeSet<BTreeSet<String>> {
    let found = muster.get("/incidents?date_range=all&limit=100").await.good();
    let mut all = BTreeSet::new();
    for incident in found["incidents"].as_array().unwrap() {
        let path = format!("/incidents/{}/alerts?limit=100", incident["id"].as_str().unwrap());
        let alerts = muster.get(&path).await.good();
        let keys = alerts["alerts"].as_array().unwrap().iter();
        all.insert(
            keys.map(|one| one["alert_key"].as_str().unwrap().to_owned())
                .collect(),
        );
    }
    all
}

async fn service(muster: &TestApp, grouping: &Value) -> Built {
    muster
        .service("card-gateway")
        .grouping(grouping.clone())
        .build()
        .await
}

async fn with_one_server(grouping: &Value) -> BTreeSet<BTreeSet<String>> {
    let muster = TestApp::new(Engine::Postgres).await;
    let built = service(&muster, grouping).await;
    for (key, words, later) in MORNING {
        muster.pass_quietly(later);
        muster
            .enqueue(&built, "trigger", key, words)
            .await
            .with_status(202);
        muster.take_signals().await;
    }
    together(&muster).await
}

/// Accepted by the one and the other in turn, and taken by the one that did not accept it, or by whichever comes first.
async fn with_two_servers(grouping: &Value) -> BTreeSet<BTreeSet<String>> {
    let first = TestApp::new(Engine::Postgres).await;
    let second = beside(&first).await;
    let built = service(&first, grouping).await;
    for (number, (key, words, later)) in MORNING.into_iter().enumerate() {
        first.pass_quietly(later);
        let (accepting, other) = match number % 2 {
            0 => (&first, &second),
            _ => (&second, &first),
        };
        accepting
            .enqueue(&built, "trigger", key, words)
            .await
            .with_status(202);
        match number % 3 {
            0 => other.take_signals().await,
            1 => accepting.take_signals().await,
            _ => {
                let (one, two) = tokio::join!(take_waiting(&first.app), take_waiting(&second.app));
                assert_eq!(one.unwrap() + two.unwrap(), 1, "each event is taken once");
                first.settle().await;
            }
        }
    }
    let seen = together(&first).await;
    assert_eq!(seen, together(&second).await, "both show the same");
    seen
}

#[tokio::test]
async fn two_servers_group_as_one_does() {
    for grouping in [
        json!({ "type": "time", "window_seconds": 300 }),
        json!({ "type": "content_based", "aggregate": "all", "fields": ["summary"], "window_seconds": 1_000 }),
        json!({ "type": "intelligent", "fields": [], "window_seconds": 600 }),
    ] {
        let one = with_one_server(&grouping).await;
        assert!(one.len() > 1 && one.len() < 11, "nothing to see: {one:?}");
        assert_eq!(with_two_servers(&grouping).await, one, "{grouping}");
    }
}

#[tokio::test]
async fn a_storm_on_both_servers_is_one_incident() {
    let first = TestApp::new(Engine::Postgres).await;
    let second = beside(&first).await;
    let built = service(&first, &json!({ "type": "time", "window_seconds": null })).await;
    for number in 0..40 {
        let at = if number % 2 == 0 { &first } else { &second };
        let (key, words) = (format!("till-{number}"), format!("Terminal {number} is silent"));
        at.enqueue(&built, "trigger", &key, &words).await.with_status(202);
    }
    // Each has events of its own waiting; both take at the same time.
    let mut taken = 0;
    while taken < 40 {
        let (one, two) = tokio::join!(take_waiting(&first.app), take_waiting(&second.app));
        taken += one.unwrap() + two.unwrap();
    }
    assert_eq!(taken, 40);
    first.settle().await;
    let together = together(&second).await;
    assert_eq!(together.len(), 1, "{together:?}");
    assert_eq!(together.first().unwrap().len(), 40);
}

/// Acknowledges the only incident, and gives its id.
async fn acknowledge(muster: &TestApp) -> String {
    let found = muster.get("/incidents").await.good();
    let path = format!("/incidents/{}", found["incidents"][0]["id"].as_str().unwrap());
    let body = json!({ "incident": { "type": "incident", "status": "acknowledged" } });
    let changed = muster.put(&path, body).await.good();
    changed["incident"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_acknowledgement_on_one_stops_the_pages_of_the_other() {
    let server = MailServer::start();
    let first = TestApp::with_settings(Engine::Postgres, server.settings()).await;
    let second = beside(&first).await;
    let ben = first.person("Ben", "ben@example.org", Role::Responder).await;
    let levels = vec![vec![first.owner.id.clone()], vec![ben.id]];
    let built = first.service("card-gateway").levels(levels).build().await;
    first
        .enqueue(&built, "trigger", "till-1", "Terminal silent")
        .await;
    while take_waiting(&first.app).await.unwrap() > 0 {}
    first.settle().await;
    assert_eq!(server.mail().to, ["maya@example.org"]);

    let id = acknowledge(&second).await;
    // Only the first server goes on; it had the timer of the escalation before the acknowledgement.
    for _ in 0..200 {
        first.clock.advance(Duration::from_secs(30));
        run_due(&first.app).await.unwrap();
        send_due(&first.app).await.unwrap();
    }
    server.no_more_mail();
    let entries = first.get(&format!("/incidents/{id}/log_entries")).await.good();
    assert!(!entries.to_string().contains("Ben"), "{entries}");
}

#[tokio::test]
async fn a_page_that_waits_on_one_is_withdrawn_by_an_acknowledgement_on_the_other() {
    let server = MailServer::start();
    let first = TestApp::with_settings(Engine::Postgres, server.settings()).await;
    let second = beside(&first).await;
    let built = first.service("card-gateway").build().await;
    first
        .enqueue(&built, "trigger", "till-1", "Terminal silent")
        .await;
    while take_waiting(&first.app).await.unwrap() > 0 {}
    // The page is owed and not sent yet when somebody acknowledges.
    while run_due(&first.app).await.unwrap() > 0 {}
    acknowledge(&second).await;
    while run_due(&second.app).await.unwrap() > 0 {}
    first.settle().await;
    server.no_more_mail();
    let sends = first.get("/outbox/sends?purposes[]=page").await.good();
    assert_eq!(sends["sends"][0]["state"], "cancelled", "{sends}");
}

#[tokio::test]
async fn what_one_server_does_is_heard_by_those_who_look_at_the_other() {
    let first = TestApp::new(Engine::Postgres).await;
    let second = beside(&first).await;
    let built = service(&first, &json!({ "type": "time", "window_seconds": null })).await;
    let mut heard = Heard::from_now(&second.app).await.unwrap();
    let mut reader = second.app.live.listen();
    first.trigger(&built, "till-1", "Terminal is silent").await;
    heard.tell(&second.app).await.unwrap();
    let id = second.get("/incidents").await.good()["incidents"][0]["id"].clone();
    let mut topics = BTreeSet::new();
    while let Ok(topic) = reader.try_recv() {
        topics.insert(topic.to_string());
    }
    assert!(topics.contains(id.as_str().unwrap()), "{topics:?}");
    heard.tell(&second.app).await.unwrap();
    assert!(reader.try_recv().is_err(), "nothing is told twice");
}
