//! The keys that senders carry: hashed and sealed in the database, shown to whoever may see the service.

use muster::app::sealing::seal_what_lies_open;
use muster::config::Settings;
use muster::vault::Vault;
use serde_json::{Value, json};
use store::{Engine, params, sql};

use crate::harness::{TestApp, settings};

fn vault(directory: &tempfile::TempDir) -> Vault {
    Vault::with_own_key_file(&directory.path().join("secret.key")).unwrap()
}

/// What the database holds of every key: the key itself and its hash.
async fn stored(muster: &TestApp) -> Vec<(String, Option<String>)> {
    muster
        .app
        .store
        .read(|tx| {
            tx.rows(
                sql!("SELECT integration_key, key_hash FROM integrations ORDER BY id"),
                params![],
            )
        })
        .await
        .unwrap()
}

async fn is_taken(muster: &TestApp, key: &str) -> bool {
    let event = json!({
        "routing_key": key, "event_action": "trigger",
        "payload": { "summary": "Gateway silent", "source": "gateway", "severity": "error" },
    });
    muster.post("/v2/enqueue", event).await.status.as_u16() == 202
}

/// Makes an integration over the API: its path and its key.
async fn integration(muster: &TestApp) -> (String, String) {
    let service = muster.service("tills").build().await.service_id;
    let path = format!("/services/{service}/integrations");
    let made = muster
        .post(&path, json!({ "integration": { "name": "Nagios" } }))
        .await
        .with_status(201);
    let text = |name: &str| made["integration"][name].as_str().unwrap().to_owned();
    (format!("{path}/{}", text("id")), text("integration_key"))
}

async fn shown(muster: &TestApp, path: &str) -> Value {
    muster.get(path).await.good()["integration"]["integration_key"].clone()
}

#[store::both_engines]
async fn a_key_lies_sealed_and_is_shown_again_and_taken(engine: Engine) {
    let directory = tempfile::tempdir().unwrap();
    let vault = vault(&directory);
    let muster = TestApp::with_settings(engine, Settings { vault, ..settings() }).await;
    let (path, key) = integration(&muster).await;
    let rows = stored(&muster).await;
    assert!(
        rows.iter().any(|(stored, _)| stored.starts_with("sealed:1:")),
        "{rows:?}"
    );
    assert!(!rows.iter().any(|(stored, _)| stored.contains(&key)), "{rows:?}");
    assert_eq!(shown(&muster, &path).await, key.as_str());
    let browser = muster.browser().await;
    let end = &key[key.len() - 4..];
    assert!(browser.open("/console/settings/integrations").await.contains(end));
    assert!(is_taken(&muster, &key).await);
    assert!(
        !is_taken(&muster, &rows[1].0).await,
        "what is stored opens nothing"
    );
}

#[store::both_engines]
async fn keys_and_links_from_before_are_sealed_at_the_start(engine: Engine) {
    let directory = tempfile::tempdir().unwrap();
    let vault = vault(&directory);
    let muster = TestApp::with_settings(engine, Settings { vault, ..settings() }).await;
    let (path, key) = integration(&muster).await;
    let before = key.clone();
    muster
        .app
        .store
        .write(move |tx| {
            tx.execute(
                sql!("UPDATE integrations SET integration_key = $1, key_hash = NULL WHERE name = 'Nagios'"),
                params![&before],
            )
        })
        .await
        .unwrap();
    assert!(!is_taken(&muster, &key).await, "not before it is hashed");
    for _ in 0..2 {
        seal_what_lies_open(&muster.app).await.unwrap();
        let rows = stored(&muster).await;
        assert!(
            rows.iter()
                .all(|(stored, hash)| stored.starts_with("sealed:1:") && hash.is_some()),
            "{rows:?}"
        );
        assert_eq!(shown(&muster, &path).await, key.as_str());
    }
    assert!(is_taken(&muster, &key).await);
}

#[store::both_engines]
async fn without_the_sealing_key_events_are_taken_and_the_key_is_not_shown(engine: Engine) {
    let directory = tempfile::tempdir().unwrap();
    let vault = vault(&directory);
    let muster = TestApp::with_settings(engine, Settings { vault, ..settings() }).await;
    let (path, key) = integration(&muster).await;
    muster
        .app
        .store
        .write(|tx| {
            tx.execute(
                sql!(
                    "UPDATE integrations SET integration_key = 'sealed:1:00000000:AAAA' WHERE name = 'Nagios'"
                ),
                params![],
            )
        })
        .await
        .unwrap();
    assert_eq!(shown(&muster, &path).await, Value::Null);
    assert!(is_taken(&muster, &key).await);
    muster
        .browser()
        .await
        .open("/console/settings/integrations")
        .await;
}
