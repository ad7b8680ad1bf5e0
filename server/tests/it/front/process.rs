//! The settings and words that others rely on, given to a real process.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Engine;

use super::tls::ask_encrypted;
use crate::crash::node::{Connection, Node, PROGRAM, build_service, environment, run_setup, set_up};
use crate::smtp::MailServer;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_process_speaks_tls_when_its_environment_or_its_flags_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    for by_flags in [false, true] {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut command = Command::new(PROGRAM);
        command
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .env("MUSTER_DATA", folder.path().join("data"))
            .env("MUSTER_LOG", "error")
            .stdout(Stdio::null());
        if by_flags {
            command
                .arg("--tls-cert")
                .arg(&certificate)
                .arg("--tls-key")
                .arg(&key);
        } else {
            command
                .env("MUSTER_TLS_CERT", &certificate)
                .env("MUSTER_TLS_KEY", &key);
        }
        let mut process = command.spawn().unwrap();
        let began = Instant::now();
        let answer = loop {
            match ask_encrypted(port, made.cert.der(), "/health/ready").await {
                Ok(answer) => break answer,
                Err(error) => assert!(began.elapsed() < PATIENCE, "it does not listen: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with("ready\n"), "{answer}");
    }
}

#[store::both_engines]
async fn setup_prints_three_fields_of_json_and_the_database_may_be_named_by_a_flag(engine: Engine) {
    let (location, _guard) = store::testing::empty(engine).await;
    let (flag, place) = match &location {
        store::Location::Sqlite { directory } => ("--data", directory.to_str().unwrap().to_owned()),
        store::Location::Postgres { url } => ("--database", url.clone()),
    };
    let made: Value = run_setup(&[flag, &place], &[]);
    let names: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(names, ["api_key", "password", "user_id"]);
    let key = made["api_key"].as_str().unwrap();
    assert_eq!(key.len(), 20, "clients refuse keys of another length");
    assert!(
        key.chars()
            .all(|one| one.is_ascii_alphanumeric() || "-_+".contains(one)),
        "{key}"
    );

    let again: Value = run_setup(&[flag, &place], &[]);
    assert_eq!(
        again["user_id"], made["user_id"],
        "the database of the flag was not used"
    );
    assert_ne!(again["api_key"], made["api_key"]);
    assert_eq!(again.get("password"), None);
    let checked = Command::new(PROGRAM)
        .args(["check", flag, &place])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(words.contains("database: ready"), "{words}");
}

#[test]
fn setup_gives_nobodys_key_away_as_an_owners() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let owner: Value = run_setup(&["--data", data], &[]);
    let node = Node::start(&[
        ("MUSTER_DATA".to_owned(), data.to_owned()),
        ("MUSTER_LOG".to_owned(), "error".to_owned()),
    ]);
    let agent = json!({ "user": { "name": "Ana Silva", "email": "ana@example.org", "role": "agent" } });
    let key = owner["api_key"].as_str().unwrap();
    Connection::open(node.port)
        .unwrap()
        .good("POST", "/users", key, &agent);
    drop(node);
    let refused = Command::new(PROGRAM)
        .args([
            "setup",
            "--data",
            data,
            "--email",
            "Ana@example.org",
            "--name",
            "Ana",
            "--json",
        ])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    assert!(refused.stdout.is_empty(), "{:?}", refused.stdout);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        words.contains("known as Ana Silva, whose role is agent"),
        "{words}"
    );
}

/// The copy is taken while a server takes events, and is whole.
#[tokio::test]
async fn a_backup_is_taken_beside_a_server_at_work() {
    let mail = MailServer::start();
    let (location, _guard) = store::testing::empty(Engine::Sqlite).await;
    let environment = environment(&location, mail.port);
    let api_key = set_up(&environment);
    let mut node = Node::start(&environment);
    let key = build_service(node.port, &api_key);
    let folder = tempfile::tempdir().unwrap();
    let (copy, again) = (folder.path().join("copy.db"), folder.path().join("again"));
    let send = |number: usize| {
        let event = json!({
            "routing_key": key, "event_action": "trigger", "dedup_key": format!("till-{number}"),
            "payload": { "summary": "Till is silent", "source": "till", "severity": "critical" },
        });
        let mut connection = Connection::open(node.port).unwrap();
        assert_eq!(
            connection.ask("POST", "/v2/enqueue", "", Some(&event)).unwrap().0,
            202
        );
    };
    (0..50).for_each(send);
    let mut backup = Command::new(PROGRAM)
        .arg("backup")
        .arg(&copy)
        .envs(environment.iter().cloned())
        .spawn()
        .unwrap();
    let mut number = 50;
    let ended = loop {
        send(number);
        number += 1;
        if let Some(status) = backup.try_wait().unwrap() {
            break status;
        }
    };
    assert!(ended.success());
    node.stop();

    let restored = Command::new(PROGRAM)
        .args(["restore", "--data"])
        .args([&again, &copy])
        .output()
        .unwrap();
    assert!(
        restored.status.success(),
        "{}",
        String::from_utf8_lossy(&restored.stderr)
    );
    let mut settings = environment.clone();
    settings[0].1 = again.to_str().unwrap().to_owned();
    let node = Node::start(&settings);
    let mut api = Connection::open(node.port).unwrap();
    let began = Instant::now();
    loop {
        let (status, found) = api
            .ask("GET", "/incidents/count?date_range=all", &api_key, None)
            .unwrap();
        assert_eq!(status, 200, "{found}");
        let total = found["total"].as_u64().unwrap() as usize;
        if (50..=number).contains(&total) {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "of 50 events and more, {total} are in the copy"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
