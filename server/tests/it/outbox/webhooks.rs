//! Webhooks: signed, guarded, and judged by what the receiver answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use axum::routing::post;
use muster::config::{Given, Settings};
use muster::outbox::{Channel, State};
use serde_json::Value;
use store::Engine;

use super::{message, owe, shown, state};
use crate::harness::TestApp;

type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A receiver on loopback: `/` takes everything, `/busy` never does, `/gone` is gone, `/elsewhere` redirects.
async fn receiver() -> (String, Received) {
    let received = Received::default();
    let taken = Arc::clone(&received);
    let router = Router::new()
        .route(
            "/",
            post(move |headers: HeaderMap, body: Bytes| async move {
                taken.lock().unwrap().push((headers, body));
                "thank you"
            }),
        )
        .route(
            "/busy",
            post(|| async { (StatusCode::SERVICE_UNAVAILABLE, "later") }),
        )
        .route("/gone", post(|| async { (StatusCode::GONE, "nobody here") }))
        .route("/elsewhere", post(|| async { Redirect::temporary("/") }))
        .route("/endless", post(|| async { "x".repeat(5_000_000) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, received)
}

fn allowing(networks: &[&str]) -> Settings {
    Given {
        allowed_networks: networks.iter().map(|&network| network.to_owned()).collect(),
        ..Given::default()
    }
    .check()
    .unwrap()
}

async fn post_to(muster: &TestApp, address: &str) -> muster::outbox::SendId {
    let now = muster.app.clock.now();
    let id = owe(
        muster,
        message(&format!("hook {address}"), Channel::Webhook, address, now),
    )
    .await;
    muster.settle().await;
    id
}

#[store::both_engines]
async fn a_webhook_is_signed_with_the_secret_of_the_house(engine: Engine) {
    let (address, received) = receiver().await;
    let muster = TestApp::with_settings(engine, allowing(&["127.0.0.0/8"])).await;
    let id = post_to(&muster, &address).await;
    assert_eq!(state(&muster, &id).await, State::Sent);
    let received = received.lock().unwrap();
    let [(headers, body)] = received.as_slice() else {
        panic!("{} requests came", received.len());
    };
    let signature = headers["x-muster-signature"].to_str().unwrap();
    assert!(
        signature.starts_with("v1=") && signature.len() == 67,
        "{signature}"
    );
    assert_eq!(headers["x-muster-signature"], headers["x-pagerduty-signature"]);
    assert_eq!(headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body["send"]["id"], id.as_str());
    assert_eq!(body["send"]["text"], "They are down.");
}

#[store::both_engines]
async fn what_the_receiver_answers_decides(engine: Engine) {
    let (address, received) = receiver().await;
    let muster = TestApp::with_settings(engine, allowing(&["127.0.0.1"])).await;
    let busy = post_to(&muster, &format!("{address}/busy")).await;
    assert_eq!(state(&muster, &busy).await, State::Owed);
    let gone = post_to(&muster, &format!("{address}/gone")).await;
    assert_eq!(shown(&muster, &gone).await["last_error"], "410 nobody here");
    let elsewhere = post_to(&muster, &format!("{address}/elsewhere")).await;
    assert_eq!(state(&muster, &elsewhere).await, State::Failed);
    assert!(received.lock().unwrap().is_empty(), "a redirect was followed");
    let endless = post_to(&muster, &format!("{address}/endless")).await;
    let receipt = shown(&muster, &endless).await["receipt"].as_str().unwrap().len();
    assert!(receipt < 1_000, "{receipt}");
    let nobody = post_to(&muster, "http://127.0.0.1:1/").await;
    assert_eq!(state(&muster, &nobody).await, State::Owed);
    muster.pass(Duration::from_mins(1)).await;
    assert!(shown(&muster, &nobody).await["attempt_count"].as_i64().unwrap() > 1);
}

#[store::both_engines]
async fn a_webhook_never_reaches_into_the_house(engine: Engine) {
    let (address, received) = receiver().await;
    let port = address.rsplit(':').next().unwrap().to_owned();
    let muster = TestApp::new(engine).await;
    for hostile in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://0x7f000001:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fd00:ec2::254]/latest/meta-data/".to_owned(),
        "https://10.0.0.1/".to_owned(),
        "http://192.168.1.1/".to_owned(),
        "http://user:pass@example.org/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://example.org/".to_owned(),
        "not an address".to_owned(),
    ] {
        let id = post_to(&muster, &hostile).await;
        let send = shown(&muster, &id).await;
        assert_eq!(send["state"], "failed", "{hostile}: {send}");
        assert_eq!(send["attempt_count"], 1, "{hostile}");
    }
    assert!(received.lock().unwrap().is_empty());
}
