//! Webhooks: signed, guarded, and judged by what the receiver answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Redirect;
use axum::routing::post;
use hmac::{Hmac, KeyInit as _, Mac as _};
use muster::config::{Given, Settings};
use muster::outbox::{Channel, State, signing};
use muster::people::Role;
use muster::timeline::Agent;
use muster::vault::Vault;
use serde_json::Value;
use sha2::Sha256;
use store::{Engine, params, sql};

use super::{message, owe, shown, state};
use crate::harness::TestApp;

pub(crate) type Received = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A receiver on loopback: `/` takes everything, `/busy` never does, `/gone` is gone, `/elsewhere` redirects.
pub(crate) async fn receiver() -> (String, Received) {
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

/// What the database holds.
async fn stored_secret(muster: &TestApp) -> String {
    let (stored,): (Value,) = muster
        .app
        .store
        .read(|tx| {
            tx.one(
                sql!("SELECT value FROM settings WHERE key = 'webhook_signing_secret'"),
                params![],
            )
        })
        .await
        .unwrap();
    stored.as_str().unwrap().to_owned()
}

#[store::both_engines]
async fn the_signing_secret_is_sealed_in_the_database_and_readable_for_admins(engine: Engine) {
    let directory = tempfile::tempdir().unwrap();
    let vault = Vault::with_own_key_file(&directory.path().join("secret.key")).unwrap();
    let (address, received) = receiver().await;
    let settings = Settings {
        vault,
        ..allowing(&["127.0.0.0/8"])
    };
    let muster = TestApp::with_settings(engine, settings).await;
    post_to(&muster, &address).await;
    muster.settle().await;
    let shown = muster.get("/outbox/signing_secret").await.good();
    let secret = shown["signing_secret"].as_str().unwrap();
    assert_eq!(secret.len(), 40);
    let stored = stored_secret(&muster).await;
    assert!(
        stored.starts_with("sealed:1:") && !stored.contains(secret),
        "{stored}"
    );
    let (headers, body) = received.lock().unwrap().pop().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(&body);
    let hex = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
    assert_eq!(
        headers["x-muster-signature"].to_str().unwrap(),
        format!("v1={hex}")
    );
    let looked: Vec<Value> = audit_of_the_secret(&muster).await;
    assert_eq!(looked.len(), 1, "{looked:?}");
    assert_eq!(looked[0]["action"], "show");
    assert!(!looked[0].to_string().contains(secret), "{looked:?}");
    let responder = muster.person("Ben", "ben@example.org", Role::Responder).await;
    muster
        .as_person(&responder, Method::GET, "/outbox/signing_secret", None)
        .await
        .with_status(403);
    let reader = muster.account_key("read_only").await;
    muster
        .with_key(&reader, Method::GET, "/outbox/signing_secret", None)
        .await
        .with_status(403);
}

#[store::both_engines]
async fn a_secret_from_before_the_key_is_sealed_and_one_of_another_key_is_said_so(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let before = muster.get("/outbox/signing_secret").await.good();
    assert_eq!(before["signing_secret"], stored_secret(&muster).await);
    let directory = tempfile::tempdir().unwrap();
    let read_with = async |key: &str| {
        let vault = Vault::with_own_key_file(&directory.path().join(key)).unwrap();
        muster
            .app
            .change(Agent::muster(), move |change| signing::secret(change, &vault))
            .await
            .map_err(|error| error.to_string())
    };
    let secret = before["signing_secret"].as_str().unwrap();
    assert_eq!(read_with("ours").await.as_deref(), Ok(secret));
    assert!(stored_secret(&muster).await.starts_with("sealed:1:"));
    assert_eq!(read_with("ours").await.as_deref(), Ok(secret));
    let stranger = read_with("theirs").await.unwrap_err();
    assert!(stranger.contains("not the one in the key file"), "{stranger}");
    let keyless = muster.get("/outbox/signing_secret").await.with_status(409);
    assert!(
        keyless["error"]["errors"].to_string().contains("no key file"),
        "{keyless}"
    );
}

async fn audit_of_the_secret(muster: &TestApp) -> Vec<Value> {
    let audit = muster.get("/audit/records?limit=100").await.good();
    audit["records"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["root_resource"]["type"].as_str() == Some("signing_secret_reference"))
        .cloned()
        .collect()
}

#[store::both_engines]
async fn a_secret_that_was_changed_is_signed_with_a_minute_later_without_a_restart(engine: Engine) {
    let (address, received) = receiver().await;
    let muster = TestApp::with_settings(engine, allowing(&["127.0.0.0/8"])).await;
    post_to(&muster, &address).await;
    muster
        .app
        .store
        .write(|tx| {
            tx.execute(
                sql!("UPDATE settings SET value = $1 WHERE key = 'webhook_signing_secret'"),
                params![Value::String("another secret".to_owned())],
            )
        })
        .await
        .unwrap();
    muster.pass(Duration::from_secs(61)).await;
    post_to(&muster, &format!("{address}/?again")).await;
    let (headers, body) = received.lock().unwrap().pop().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(b"another secret").unwrap();
    mac.update(&body);
    let hex = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
    assert_eq!(
        headers["x-muster-signature"].to_str().unwrap(),
        format!("v1={hex}")
    );
}

fn signed_with(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!(
        "v1={}",
        data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
    )
}

#[store::both_engines]
async fn a_new_secret_signs_at_once_and_the_old_one_beside_it_for_a_day(engine: Engine) {
    let (address, received) = receiver().await;
    let muster = TestApp::with_settings(engine, allowing(&["127.0.0.0/8"])).await;
    let signature = async |path: &str| {
        post_to(&muster, &format!("{address}/?{path}")).await;
        muster.settle().await;
        let (headers, body) = received.lock().unwrap().pop().unwrap();
        (headers["x-muster-signature"].to_str().unwrap().to_owned(), body)
    };
    let secret_of = |answer: &Value| answer["signing_secret"].as_str().unwrap().to_owned();
    let before = muster.get("/outbox/signing_secret").await.good();
    assert_eq!(before["old_signing_secret_valid_until"], Value::Null);
    let old = secret_of(&before);
    let (signed, body) = signature("before").await;
    assert_eq!(signed, signed_with(&old, &body));

    let rotate = "/outbox/signing_secret/rotate";
    let rotated = muster.post(rotate, Value::Null).await.with_status(200);
    assert_eq!(rotated["old_signing_secret_valid_until"], "2026-11-18T06:00:00Z");
    let new = secret_of(&rotated);
    assert_ne!(new, old);
    let (signed, body) = signature("between").await;
    assert_eq!(
        signed,
        format!("{},{}", signed_with(&new, &body), signed_with(&old, &body))
    );
    muster.clock.advance(Duration::from_hours(24));
    let (signed, body) = signature("after").await;
    assert_eq!(signed, signed_with(&new, &body));

    let records = audit_of_the_secret(&muster).await;
    assert!(records.iter().any(|one| one["action"] == "update"), "{records:?}");
    let written = serde_json::to_string(&records).unwrap();
    assert!(!written.contains(&new) && !written.contains(&old), "{written}");
    let responder = muster.person("Ben", "ben@example.org", Role::Responder).await;
    muster
        .as_person(&responder, Method::POST, rotate, None)
        .await
        .with_status(403);
}

#[store::both_engines]
async fn the_secret_is_shown_and_changed_in_the_console_by_admins(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let page = "/console/settings/outbox/signing-secret";
    let rotate = format!("{page}/rotate");
    let shown = browser.send(page, &[]).await;
    let secret = stored_secret(&muster).await;
    assert!(shown.text.contains(&secret), "{}", shown.text);
    assert!(!browser.open("/console/settings/outbox").await.contains(&secret));
    let changed = browser.send(&rotate, &[]).await;
    let new = stored_secret(&muster).await;
    assert_ne!(new, secret);
    assert!(changed.text.contains(&new) && !changed.text.contains(&secret));
    assert!(
        changed.text.contains("The one before signs too until"),
        "{}",
        changed.text
    );
    assert_eq!(browser.send_forged(&rotate, &[]).await.status.as_u16(), 403);
    let responder = muster.browser_as(Role::Responder).await;
    assert!(
        !responder
            .open("/console/settings/outbox")
            .await
            .contains("Make another")
    );
    for path in [page, rotate.as_str()] {
        assert_eq!(responder.send(path, &[]).await.status.as_u16(), 403);
    }
}
