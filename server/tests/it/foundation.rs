//! What everything stands on: readiness, and jobs that are done once and come back when they fail.

use std::time::Duration;

use muster::app::migrations::MIGRATIONS;
use muster::jobs::{Kind, Owed};
use muster::timeline::Agent;
use store::{Engine, params, sql};

use crate::harness::TestApp;

#[store::both_engines]
async fn ready_as_soon_as_the_database_can_be_written(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let answer = muster.get("/health/ready").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "ready\n"));
}

#[store::both_engines]
async fn a_job_owed_twice_is_one_promise(engine: Engine) {
    let muster = TestApp::new(engine).await;
    for _ in 0..2 {
        let later = muster.app.clock.now() + Duration::from_secs(30);
        muster
            .app
            .change(Agent::muster(), move |change| {
                change.owe(&Owed::at(Kind::CleanUpDue, "all", later))
            })
            .await
            .unwrap();
    }
    assert_eq!(muster::app::runner::run_due(&muster.app).await.unwrap(), 0);
    muster.clock.advance(Duration::from_secs(31));
    assert_eq!(muster::app::runner::run_due(&muster.app).await.unwrap(), 1);
    assert_eq!(muster::app::runner::run_due(&muster.app).await.unwrap(), 0);
}

/// The demo's people and their password are made by the demo, and by nothing else.
#[store::both_engines]
async fn a_new_database_has_nobody_in_it(engine: Engine) {
    let database = store::testing::fresh(engine, MIGRATIONS).await;
    let read = database
        .store
        .read(|tx| tx.one::<(i64,)>(sql!("SELECT COUNT(*) FROM users"), params![]));
    assert_eq!(read.await.unwrap().0, 0);
}
