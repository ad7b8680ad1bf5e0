//! A real Alertmanager, as Debian packages it, that sends its notifications to Muster.

use std::net::TcpListener as Probe;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use muster::app::router::router;
use serde_json::json;
use store::Engine;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::TestApp;

const PROGRAM: &str = "prometheus-alertmanager";
/// How long Alertmanager may take to start and to notify; generous, because the machine is shared.
const PATIENCE: Duration = Duration::from_secs(60);

struct Alertmanager {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Alertmanager {
    fn notifying(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let configuration = json!({
            "route": { "receiver": "muster", "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h" },
            "receivers": [{ "name": "muster", "webhook_configs": [{ "url": url, "send_resolved": true }] }],
        });
        let file = folder.path().join("alertmanager.yml");
        std::fs::write(&file, configuration.to_string()).unwrap();
        let port = Probe::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(PROGRAM)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--cluster.listen-address=", "--log.level=error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus-alertmanager is installed; ./test does it");
        Self {
            process,
            port,
            _folder: folder,
        }
    }

    /// Posts alerts as Prometheus does, as soon as somebody listens.
    async fn take(&self, alerts: &serde_json::Value) {
        let body = alerts.to_string();
        let request = format!(
            "POST /api/v2/alerts HTTP/1.1\r\nhost: alertmanager\r\ncontent-type: application/json\r\n\
             connection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let began = Instant::now();
        loop {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)).await {
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.unwrap();
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                return;
            }
            assert!(began.elapsed() < PATIENCE, "Alertmanager does not listen");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Waits until so many events have been accepted, and turns them into alerts.
async fn accepted(muster: &TestApp, count: i64) {
    let began = Instant::now();
    while muster.app.journal.accepted() < count {
        assert!(began.elapsed() < PATIENCE, "Alertmanager did not notify Muster");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    muster.take_signals().await;
}

#[store::both_engines]
async fn what_a_real_alertmanager_sends_opens_an_incident_and_ends_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/alertmanager/{}",
        listener.local_addr().unwrap(),
        built.integration_key
    );
    let served =
        router(Arc::clone(&muster.app)).into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, served).await });
    let alertmanager = Alertmanager::notifying(&url);

    let mut alert = json!({
        "labels": { "alertname": "CardTerminalsSilent", "severity": "critical", "instance": "till-1.leeds" },
        "annotations": { "summary": "Card terminals in Leeds are silent" },
    });
    alertmanager.take(&json!([alert])).await;
    accepted(&muster, 1).await;
    let incidents = muster.get("/incidents?statuses[]=triggered").await.good();
    assert_eq!(
        incidents["incidents"][0]["title"],
        "Card terminals in Leeds are silent"
    );

    alert["endsAt"] = json!("2020-01-01T00:00:00Z");
    alertmanager.take(&json!([alert])).await;
    accepted(&muster, 2).await;
    let incidents = muster.get("/incidents?statuses[]=resolved").await.good();
    assert_eq!(incidents["incidents"].as_array().unwrap().len(), 1);
}
