//! Two hands on one case at the same moment: the second goes by what the first has made of it.

use std::sync::{Arc, Barrier};

use axum::http::Method;
use muster::cases::raise::{Raise, raise};
use muster::cases::{CaseId, actions};
use muster::desk::actions as desk;
use muster::desk::answers::Confirmed;
use muster::http::Problem;
use muster::timeline::{Agent, Change};
use serde_json::{Value, json};
use store::Engine;
use tokio::task::JoinHandle;

use super::{link, outage};
use crate::harness::{Answer, TestApp};
use crate::incidents::race::{go_on, until_it_waits};

/// Somebody does something, and their transaction stays open until the barrier is met a second time.
async fn begin(
    muster: &TestApp,
    work: impl Fn(&mut Change) -> Result<(), Problem> + Send + 'static,
) -> (JoinHandle<()>, Arc<Barrier>) {
    let (done, may_commit) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let app = Arc::clone(&muster.app);
    let agent = Agent::user(muster.owner.id.as_str(), "Maya Okafor");
    let (is_done, commits) = (Arc::clone(&done), Arc::clone(&may_commit));
    let running = tokio::spawn(async move {
        let change = app.change(agent, move |change| -> Result<(), Problem> {
            work(change)?;
            is_done.wait();
            commits.wait();
            Ok(())
        });
        change.await.unwrap();
    });
    tokio::task::spawn_blocking(move || done.wait()).await.unwrap();
    (running, may_commit)
}

/// The second, who comes while the first has not committed.
async fn meanwhile(
    muster: &TestApp,
    (first, barrier): (JoinHandle<()>, Arc<Barrier>),
    path: &str,
    body: Value,
) -> Answer {
    let request = axum::http::Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("authorization", format!("Token token={}", muster.owner.key))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(body.to_string()))
        .unwrap();
    let router = muster.router.clone();
    let second = tokio::spawn(async move {
        let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    });
    until_it_waits(muster, &second).await;
    go_on(barrier).await;
    first.await.unwrap();
    second.await.unwrap()
}

#[store::both_engines]
async fn two_who_raise_one_case_raise_one_incident(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let case = muster.case(json!({ "text": "The till prints nothing" })).await;
    let (id, service_id) = (
        CaseId::from(case["id"].as_str().unwrap()),
        built.service_id.clone(),
    );
    let path = format!("/cases/{id}/raise");
    let first = begin(&muster, move |change| {
        let wanted = Raise {
            service_id: Some(service_id.clone()),
            ..Raise::default()
        };
        raise(change, &id, &wanted).map(drop)
    })
    .await;
    let body = json!({ "raise": { "service": { "id": built.service_id } } });
    let second = meanwhile(&muster, first, &path, body).await;
    second.with_status(409);
    let incidents = muster.get("/incidents?date_range=all&total=true").await.good();
    assert_eq!(incidents["total"], 1);
}

#[store::both_engines]
async fn two_agents_who_answer_one_case_send_one_answer_and_show_one(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let reporter = json!({ "name": "Hannah", "email": "hannah@example.org" });
    let case = muster
        .case(json!({ "text": "Card reader offline", "reporter": reporter }))
        .await;
    link(&muster, &case, &outage.incident).await;
    let id = CaseId::from(case["id"].as_str().unwrap());
    let path = format!("/cases/{id}/answer");
    let (site, owner) = (muster.app.site.clone(), muster.owner.id.clone());
    let first = begin(&muster, move |change| {
        desk::confirm(change, &id, &Confirmed::default(), &owner, &site).map(drop)
    })
    .await;
    let second = meanwhile(&muster, first, &path, json!({})).await;
    assert_eq!(second.good()["answer"]["state"], "sent");
    let messages = format!("/cases/{}/messages", case["id"].as_str().unwrap());
    let messages = muster.get(&messages).await.good();
    assert_eq!(messages["messages"].as_array().unwrap().len(), 1);
}

#[store::both_engines]
async fn what_a_reporter_says_while_a_note_of_the_case_is_corrected_is_not_lost(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let case = muster.case(json!({ "text": "The till prints nothing" })).await;
    let id = CaseId::from(case["id"].as_str().unwrap());
    let path = format!("/cases/{id}");
    let body = json!({ "case": { "status": "closed" } });
    muster.put(&path, body).await.good();
    let first = begin(&muster, move |change| {
        let case = actions::load(change, &id)?;
        actions::hear(change, &case, muster::cases::model::Word::StillBroken, None)
    })
    .await;
    let app = Arc::clone(&muster.app);
    let corrected = CaseId::from(case["id"].as_str().unwrap());
    let second = tokio::spawn(async move {
        app.change(Agent::muster(), move |change| -> Result<(), Problem> {
            let case = actions::load(change, &corrected)?;
            let wanted = actions::Corrected {
                status: case.status,
                owner_id: None,
                account_id: None,
                location_id: None,
                touchpoint_id: None,
                subject: "Tills".to_owned(),
            };
            actions::correct(change, &case, &wanted).map(drop)
        })
        .await
        .unwrap();
    });
    until_it_waits(&muster, &second).await;
    go_on(first.1).await;
    first.0.await.unwrap();
    second.await.unwrap();
    let case = muster.get(&path).await.good()["case"].clone();
    assert_eq!(
        (&case["status"], &case["subject"]),
        (&json!("open"), &json!("Tills"))
    );
    assert_ne!(case["owed_since"], Value::Null);
}

#[store::both_engines]
async fn the_same_number_of_a_sender_twice_at_once_is_one_case(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let first = begin(&muster, |change| {
        let new = muster::cases::input::Report {
            text: Some("The till prints nothing"),
            ..Default::default()
        };
        let mut new = new.check("", muster::cases::Channel::Api)?;
        new.external_reference = Some("Z-17".to_owned());
        actions::report(change, &new).map(drop)
    })
    .await;
    let body = json!({ "case": { "text": "The till prints nothing", "external_reference": "Z-17" } });
    let second = meanwhile(&muster, first, "/cases", body).await;
    assert_eq!(second.with_status(200)["case"]["number"], 1);
}
