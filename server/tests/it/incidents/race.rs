//! Two hands on one incident at the same moment: the second goes by what the first has made of it.

use std::sync::{Arc, Barrier};

use muster::http::Problem;
use muster::incidents::{IncidentId, actions};
use muster::signals::intake::take_waiting;
use muster::timeline::{Agent, Change};
use serde_json::json;
use store::{Engine, params, sql};
use tokio::task::JoinHandle;

use super::open_one;
use crate::harness::TestApp;

/// Somebody resolves an incident, and their transaction stays open until the barrier is met a second time.
async fn begin_to_resolve(muster: &TestApp, id: &str) -> (JoinHandle<()>, Arc<Barrier>) {
    let (resolved, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (app, id) = (Arc::clone(&muster.app), IncidentId::from(id));
    let (has_resolved, may_commit) = (Arc::clone(&resolved), Arc::clone(&go_on));
    let resolving = tokio::spawn(async move {
        let change = app.change(Agent::muster(), move |change| -> Result<(), Problem> {
            actions::resolve(change, &id, None)?;
            has_resolved.wait();
            may_commit.wait();
            Ok(())
        });
        change.await.unwrap();
    });
    tokio::task::spawn_blocking(move || resolved.wait())
        .await
        .unwrap();
    (resolving, go_on)
}

/// Waits until the other has to wait for the first, or was done without: SQLite has one writer, who is taken.
pub(crate) async fn until_it_waits<T>(muster: &TestApp, other: &JoinHandle<T>) {
    if muster.database.store.engine() == Engine::Sqlite {
        return;
    }
    while !other.is_finished() {
        let read = muster.database.store.read(|tx| {
            tx.one::<(i64,)>(
                sql! {
                    sqlite: "SELECT 0",
                    postgres: "SELECT COUNT(*) FROM pg_stat_activity
                               WHERE datname = current_database() AND wait_event_type = 'Lock'"
                },
                params![],
            )
        });
        if read.await.unwrap().0 > 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Two do something at the same moment: the second comes while the first has done it and not committed.
pub(crate) async fn at_once<T, F, G>(muster: &TestApp, first: F, second: G) -> [Result<T, Problem>; 2]
where
    T: Send + 'static,
    F: Fn(&mut Change) -> Result<T, Problem> + Send + 'static,
    G: Fn(&mut Change) -> Result<T, Problem> + Send + 'static,
{
    let (done, may_commit) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let agent = Agent::user(muster.owner.id.as_str(), "Maya Okafor");
    let (app, acting) = (Arc::clone(&muster.app), agent.clone());
    let (is_done, commits) = (Arc::clone(&done), Arc::clone(&may_commit));
    let one = tokio::spawn(async move {
        let change = app.change(acting, move |change| {
            let answer = first(change);
            is_done.wait();
            commits.wait();
            answer
        });
        change.await
    });
    tokio::task::spawn_blocking(move || done.wait()).await.unwrap();
    let app = Arc::clone(&muster.app);
    let other = tokio::spawn(async move { app.change(agent, second).await });
    until_it_waits(muster, &other).await;
    go_on(may_commit).await;
    [one.await.unwrap(), other.await.unwrap()]
}

pub(crate) async fn go_on(barrier: Arc<Barrier>) {
    tokio::task::spawn_blocking(move || barrier.wait()).await.unwrap();
}

#[store::both_engines]
async fn an_alert_does_not_join_an_incident_that_is_just_being_resolved(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster
        .service("card-gateway")
        .grouping(json!({ "type": "time", "window_seconds": 300 }))
        .build()
        .await;
    let id = open_one(&muster, &built).await;
    muster
        .enqueue(&built, "trigger", "till-2", "Terminal silent")
        .await
        .with_status(202);
    let (resolving, barrier) = begin_to_resolve(&muster, &id).await;
    let app = Arc::clone(&muster.app);
    let taking = tokio::spawn(async move { take_waiting(&app).await.unwrap() });
    until_it_waits(&muster, &taking).await;
    go_on(barrier).await;
    resolving.await.unwrap();
    assert_eq!(taking.await.unwrap(), 1);

    let incidents = muster.get("/incidents?date_range=all").await.good();
    let states: Vec<(&str, i64)> = incidents["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let counts = &one["alert_counts"];
            (
                one["status"].as_str().unwrap(),
                counts["triggered"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(states, [("resolved", 0), ("triggered", 1)]);
}

#[store::both_engines]
async fn who_acknowledges_what_is_just_being_resolved_is_told_and_brings_nothing_back(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    let (resolving, barrier) = begin_to_resolve(&muster, &id).await;
    let (app, incident) = (Arc::clone(&muster.app), IncidentId::from(id.as_str()));
    let acknowledging = tokio::spawn(async move {
        app.change(Agent::muster(), move |change| {
            actions::acknowledge(change, &incident).map(drop)
        })
        .await
    });
    until_it_waits(&muster, &acknowledging).await;
    go_on(barrier).await;
    resolving.await.unwrap();
    assert!(acknowledging.await.unwrap().is_err());
    let incident = muster.get(&format!("/incidents/{id}")).await.good();
    assert_eq!(incident["incident"]["status"], "resolved");
}
