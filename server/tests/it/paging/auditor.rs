//! What was lost is noticed and made good.

use std::time::Duration;

use store::{Engine, params, sql};

use super::{Paging, pages};
use crate::harness::TestApp;
use crate::smtp::MailServer;

#[store::both_engines]
async fn a_page_that_was_lost_is_owed_again_and_said_so(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let built = muster.service("card-gateway").build().await;
    muster
        .enqueue(&built, "trigger", "till-1", "Terminal silent")
        .await
        .with_status(202);
    while muster::signals::intake::take_waiting(&muster.app).await.unwrap() > 0 {}
    let lost = muster
        .app
        .store
        .write(|tx| tx.execute(sql!("DELETE FROM jobs WHERE kind = 'pages_due'"), params![]))
        .await
        .unwrap();
    assert_eq!(lost, 1, "there was nothing to lose");
    muster.settle().await;
    server.no_more_mail();
    assert_eq!(
        muster::paging::auditor::audit(&muster.app).await.unwrap(),
        0,
        "too early to say"
    );
    muster.pass(Duration::from_secs(90)).await;
    server.no_more_mail();
    assert_eq!(muster::paging::auditor::audit(&muster.app).await.unwrap(), 1);
    muster.settle().await;
    assert_eq!(server.mail().to, ["maya@example.org"]);
    let incidents = muster.get("/incidents?date_range=all").await.good();
    let id = incidents["incidents"][0]["id"].as_str().unwrap();
    assert_eq!(pages(&muster, id).await.len(), 1);
    let told: Vec<(String,)> = muster
        .app
        .read(|tx| {
            tx.rows::<(String,)>(
                sql!("SELECT text FROM timeline_entries WHERE kind = 'repaired'"),
                params![],
            )
        })
        .await
        .map_err(|error: store::Error| error)
        .unwrap();
    assert!(told[0].0.contains("had not been paged"), "{told:?}");
    assert_eq!(
        muster::paging::auditor::audit(&muster.app).await.unwrap(),
        0,
        "it was mended before"
    );
}

#[store::both_engines]
async fn the_auditor_comes_back_every_minute(engine: Engine) {
    let muster = TestApp::new(engine).await;
    muster::app::auditor::begin(&muster.app).await.unwrap();
    let built = muster.service("card-gateway").build().await;
    muster
        .enqueue(&built, "trigger", "till-1", "Terminal silent")
        .await
        .with_status(202);
    while muster::signals::intake::take_waiting(&muster.app).await.unwrap() > 0 {}
    muster
        .app
        .store
        .write(|tx| tx.execute(sql!("DELETE FROM jobs WHERE kind = 'pages_due'"), params![]))
        .await
        .unwrap();
    muster.pass(Duration::from_secs(150)).await;
    let incidents = muster.get("/incidents?date_range=all").await.good();
    let id = incidents["incidents"][0]["id"].as_str().unwrap();
    assert_eq!(
        pages(&muster, id).await,
        [("maya@example.org".to_owned(), "shown".to_owned())]
    );
}

#[store::both_engines]
async fn an_incident_that_nobody_has_and_nobody_was_paged_for_is_noticed_too(engine: Engine) {
    let paging = Paging::new(engine).await;
    let muster = &paging.muster;
    let built = muster.service("card-gateway").levels(vec![vec![]]).build().await;
    muster
        .enqueue(&built, "trigger", "till-1", "Terminal silent")
        .await
        .with_status(202);
    while muster::signals::intake::take_waiting(&muster.app).await.unwrap() > 0 {}
    let lost = muster
        .app
        .store
        .write(|tx| tx.execute(sql!("DELETE FROM jobs WHERE kind = 'pages_due'"), params![]));
    assert_eq!(lost.await.unwrap(), 1, "there was nothing to lose");
    muster.pass(Duration::from_secs(90)).await;
    paging.server.no_more_mail();
    assert_eq!(muster::paging::auditor::audit(&muster.app).await.unwrap(), 1);
    muster.settle().await;
    paging.next_page_is_for("maya@example.org");
    let incidents = muster.get("/incidents?date_range=all").await.good();
    let id = incidents["incidents"][0]["id"].as_str().unwrap();
    let told = crate::updates::entries(muster, id).await;
    assert!(
        told.iter()
            .any(|(_, text)| text.starts_with("Nobody has this incident")),
        "{told:?}"
    );
    assert_eq!(muster::paging::auditor::audit(&muster.app).await.unwrap(), 0);
}
