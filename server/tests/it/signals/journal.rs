//! What the journal promises: nothing that was accepted is lost, and nothing stops what comes behind it.

use muster::app::App;
use muster::app::migrations::MIGRATIONS;
use muster::clock::Clock;
use muster::signals::journal::{Line, Signal};
use muster::signals::leaves::{self, Leaf};
use serde_json::{Value, json};
use store::{Engine, Location, Store, params, sql};

use crate::harness::{Built, START, TestApp, settings};

/// A signal as the journal holds it.
async fn line(muster: &TestApp, built: &Built, key: &str) -> Value {
    let service = muster
        .get(&format!("/services/{}", built.service_id))
        .await
        .good();
    json!({
        "received_at": 1_794_895_200_000_000_i64,
        "integration_id": service["service"]["integrations"][0]["id"],
        "service_id": built.service_id,
        "event": { "alert": {
            "action": "trigger", "dedup_key": key, "summary": "Terminal silent", "source": "till", "severity": "error",
        } },
    })
}

/// What another node might have left behind: one leaf of another part of the journal.
async fn leave_leaf(muster: &TestApp, lines: &[String]) {
    let leaf = Leaf {
        sequence: 100,
        signals: lines.len() as i64,
        lines: lines.join("\n"),
    };
    muster.app.journal.leaves.add(900, leaf).await.unwrap();
}

async fn keys_of_alerts(muster: &TestApp) -> Vec<String> {
    let incidents = muster.get("/incidents?limit=100").await.good();
    let mut keys = Vec::new();
    for incident in incidents["incidents"].as_array().unwrap() {
        let path = format!("/incidents/{}/alerts", incident["id"].as_str().unwrap());
        for alert in muster.get(&path).await.good()["alerts"].as_array().unwrap() {
            keys.push(alert["alert_key"].as_str().unwrap().to_owned());
        }
    }
    keys.sort();
    keys
}

async fn passed_over(muster: &TestApp) -> Vec<(i64, i64, String)> {
    let read = muster.app.store.read(|tx| {
        tx.rows(
            sql!("SELECT node, sequence, line FROM signals_passed_over ORDER BY node, sequence"),
            params![],
        )
    });
    read.await.unwrap()
}

async fn rows_in_journal(muster: &TestApp) -> usize {
    muster.app.journal.leaves.sizes().await.unwrap().len()
}

#[store::both_engines]
async fn a_line_that_cannot_be_read_is_kept_apart_and_stops_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let torn = r#"{"received_at":179489"#.to_owned();
    leave_leaf(
        &muster,
        &[
            line(&muster, &built, "before").await.to_string(),
            torn.clone(),
            line(&muster, &built, "behind").await.to_string(),
        ],
    )
    .await;
    muster.take_signals().await;
    assert_eq!(keys_of_alerts(&muster).await, ["before", "behind"]);
    assert_eq!(passed_over(&muster).await, [(900, 99, torn)]);
    assert_eq!(rows_in_journal(&muster).await, 0);
}

#[store::both_engines]
async fn a_signal_that_the_database_refuses_is_kept_apart_and_stops_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let mut refused = line(&muster, &built, "refused").await;
    refused["integration_id"] = json!("QNOBODYKNOWSIT");
    leave_leaf(
        &muster,
        &[
            line(&muster, &built, "before").await.to_string(),
            refused.to_string(),
            line(&muster, &built, "behind").await.to_string(),
        ],
    )
    .await;
    for _ in 0..3 {
        muster.take_signals().await;
    }
    assert_eq!(keys_of_alerts(&muster).await, ["before", "behind"]);
    assert_eq!(passed_over(&muster).await, [(900, 99, refused.to_string())]);
    assert_eq!(rows_in_journal(&muster).await, 0);
}

#[store::both_engines]
async fn what_is_said_again_is_counted_with_its_newest_words_and_told_ever_more_rarely(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    for count in 1..=12 {
        let words = format!("{count} of 40 tills are silent");
        muster.enqueue(&built, "trigger", "tills", &words).await;
        if count % 5 == 0 {
            muster.take_signals().await;
        }
    }
    muster.take_signals().await;
    let incidents = muster.get("/incidents").await.good();
    let id = incidents["incidents"][0]["id"].as_str().unwrap();
    let read = async || muster.get(&format!("/incidents/{id}/alerts")).await.good()["alerts"][0].clone();
    let alert = read().await;
    assert_eq!(alert["event_count"], 12);
    assert_eq!(alert["summary"], "12 of 40 tills are silent");

    let entries = muster.get(&format!("/incidents/{id}/log_entries")).await.good();
    let told: Vec<&str> = entries["log_entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["summary"].as_str())
        .filter(|text| text.contains("again"))
        .collect();
    assert_eq!(
        told,
        [
            "Prometheus said it again, 10 times now: 10 of 40 tills are silent",
            "Prometheus said it again: 2 of 40 tills are silent",
        ]
    );

    let resolve = json!({ "incident": { "type": "incident_reference", "status": "resolved" } });
    muster.put(&format!("/incidents/{id}"), resolve).await.good();
    let alert = read().await;
    assert_eq!(
        (&alert["event_count"], &alert["status"]),
        (&json!(12), &json!("resolved"))
    );
    muster.trigger(&built, "tills", "1 of 40 tills is silent").await;
    assert_eq!(muster.get("/incidents?total=true").await.good()["total"], 2);
}

#[store::both_engines]
async fn words_that_look_like_an_escaped_nul_are_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    muster.trigger(&built, "odd", r"C:\u0000 \ ends with \").await;
    let incidents = muster.get("/incidents").await.good();
    assert_eq!(incidents["incidents"][0]["title"], r"C:\u0000 \ ends with \");
}

/// Signals that were accepted before the journal had leaves must become alerts after it.
#[store::both_engines]
async fn signals_of_an_older_journal_are_taken_over(engine: Engine) {
    let (location, _database): (Location, _) = store::testing::empty(engine).await;
    let older: Vec<_> = MIGRATIONS.iter().filter(|one| one.number < 18).copied().collect();
    let store = Store::open(&location, &older).await.unwrap();
    let write = store.write(|tx| {
        tx.execute(
            sql!(
                "INSERT INTO signals (node, sequence, received_at, integration_id, service_id, kind, body)
                 VALUES (4, 1, 5, 'QI', 'QS', 'alert', '{\"dedup_key\":\"taken\"}'),
                        (4, 2, 6, 'QI', 'QS', 'alert', '{\"dedup_key\":\"waits\"}')"
            ),
            params![],
        )?;
        tx.execute_one(
            sql!("INSERT INTO signal_cursors (node, sequence) VALUES (4, 1)"),
            params![],
        )
    });
    write.await.unwrap();
    store.close().await;

    let store = Store::open(&location, MIGRATIONS).await.unwrap();
    let read = store.read(|tx| {
        tx.rows::<(i64, i64, i64, String)>(
            sql!("SELECT node, sequence, signals, lines FROM journal"),
            params![],
        )
    });
    let lines = r#"{"received_at":6,"integration_id":"QI","service_id":"QS","event":{"alert":{"dedup_key":"waits"}}}"#;
    assert_eq!(read.await.unwrap(), [(4, 2, 1, lines.to_owned())]);
    store.close().await;
}

#[store::both_engines]
async fn what_comes_for_a_service_that_was_taken_away_is_kept_apart(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let line = line(&muster, &built, "late").await.to_string();
    muster
        .delete(&format!("/services/{}", built.service_id))
        .await
        .with_status(204);
    leave_leaf(&muster, std::slice::from_ref(&line)).await;
    muster.take_signals().await;
    assert!(keys_of_alerts(&muster).await.is_empty());
    assert_eq!(passed_over(&muster).await, [(900, 100, line)]);
}

#[store::both_engines]
async fn one_signal_among_many_that_cannot_be_taken_is_found(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster
        .service("card-gateway")
        .grouping(json!({ "type": "time", "window_seconds": null }))
        .build()
        .await;
    let good = line(&muster, &built, "KEY").await.to_string();
    let lines: Vec<String> = (0..40)
        .map(|number| {
            let line = good.replace("KEY", &format!("till-{number:02}"));
            match number {
                27 => line.replace("\"integration_id\":\"Q", "\"integration_id\":\"Z"),
                _ => line,
            }
        })
        .collect();
    leave_leaf(&muster, &lines).await;
    for _ in 0..10 {
        muster.take_signals().await;
    }
    let incidents = muster.get("/incidents").await.good();
    let counts: Vec<&Value> = incidents["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["alert_counts"]["all"])
        .collect();
    assert_eq!(counts, [39]);
    let apart = passed_over(&muster).await;
    assert_eq!(apart.len(), 1);
    assert!(apart[0].2.contains("till-27"), "{}", apart[0].2);
}

/// A crash between the commit that took a leaf and the one that removes it leaves the leaf behind.
#[store::both_engines]
async fn a_leaf_that_a_crash_left_behind_is_not_taken_twice(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let line = line(&muster, &built, "once").await.to_string();
    for _ in 0..2 {
        leave_leaf(&muster, std::slice::from_ref(&line)).await;
        muster.take_signals().await;
        assert_eq!(rows_in_journal(&muster).await, 0);
    }
    let incidents = muster.get("/incidents").await.good();
    let path = format!(
        "/incidents/{}/alerts",
        incidents["incidents"][0]["id"].as_str().unwrap()
    );
    let alerts = muster.get(&path).await.good();
    assert_eq!(alerts["alerts"][0]["event_count"], 1);
}

/// A second process over the same database, as after a new start.
async fn start_again(store: Store) -> anyhow::Result<std::sync::Arc<App>> {
    let clock = Clock::simulated(START.parse().unwrap());
    App::assemble(store, clock, settings()).await
}

/// An older program, and a backup, leave what waits in the database itself.
#[store::both_engines]
async fn leaves_in_the_database_itself_are_taken_after_a_start(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let line = line(&muster, &built, "waited").await.to_string();
    let write = muster.app.store.write(move |tx| {
        tx.execute_one(
            sql!("INSERT INTO journal (node, sequence, signals, lines) VALUES (0, 7, 1, $1)"),
            params![&line],
        )
    });
    write.await.unwrap();
    start_again(muster.database.store.clone()).await.unwrap();
    muster.take_signals().await;
    assert_eq!(keys_of_alerts(&muster).await, ["waited"]);
    assert_eq!(rows_in_journal(&muster).await, 0);
}

#[tokio::test]
async fn a_backup_holds_what_was_accepted_and_not_taken_yet() {
    let muster = TestApp::new(Engine::Sqlite).await;
    let built = muster.service("card-gateway").build().await;
    muster
        .enqueue(&built, "trigger", "till-7", "Terminal silent")
        .await
        .with_status(202);
    let directory = tempfile::tempdir().unwrap();
    let saved = directory.path().join("saved.db");
    leaves::back_up(&muster.app.store, &saved).await.unwrap();

    let location = Location::Sqlite {
        directory: directory.path().join("data"),
    };
    leaves::restore(&location, &saved).await.unwrap();
    let restored = Store::open(&location, MIGRATIONS).await.unwrap();
    let app = start_again(restored).await.unwrap();
    assert_eq!(muster::signals::intake::take_waiting(&app).await.unwrap(), 1);
    let read = app
        .store
        .read(|tx| tx.rows::<(String,)>(sql!("SELECT alert_key FROM alerts"), params![]));
    assert_eq!(read.await.unwrap(), [("till-7".to_owned(),)]);

    let again = leaves::restore(&location, &saved).await.unwrap_err().to_string();
    assert!(again.contains("move it away first"), "{again}");
}

#[tokio::test]
async fn a_journal_of_another_database_is_not_taken_for_this_one() {
    let muster = TestApp::new(Engine::Sqlite).await;
    leave_leaf(&muster, &["{}".to_owned()]).await;
    let refused = start_again(muster.database.store.clone()).await.err().unwrap();
    assert!(
        refused.to_string().contains("accepted for another database"),
        "{refused}"
    );
}

/// Senders wait a little when far more was accepted than has become alerts, and nobody is refused.
#[store::both_engines]
async fn acceptance_goes_on_when_nothing_is_taken(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let line = line(&muster, &built, "flood").await.to_string();
    let lines = |count: usize| -> Vec<Line> {
        let signal: Signal = serde_json::from_str(&line).unwrap();
        (0..count).map(|_| Line::of(&signal).unwrap()).collect()
    };
    for _ in 0..5 {
        muster.app.journal.write(lines(1_000)).await.unwrap();
    }
    assert_eq!(muster.app.journal.accepted(), 5_000);
    assert_eq!(
        muster::signals::intake::count_waiting(&muster.app).await.unwrap(),
        5_000
    );
    muster.take_signals().await;
    let incidents = muster.get("/incidents").await.good();
    let path = format!(
        "/incidents/{}/alerts",
        incidents["incidents"][0]["id"].as_str().unwrap()
    );
    assert_eq!(muster.get(&path).await.good()["alerts"][0]["event_count"], 5_000);
    assert_eq!(
        muster::signals::intake::count_waiting(&muster.app).await.unwrap(),
        0
    );
}
