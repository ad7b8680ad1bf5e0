//! A disk that is full: what cannot be kept is refused, so that its sender tries again, and what was accepted is not lost.

use std::fs::File;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use store::Engine;

use super::PATIENCE;
use super::node::{Connection, Node, PROGRAM, build_service, environment, set_up};
use crate::smtp::MailServer;

/// A process that hears from the system, as from a full disk, that a write failed, instead of being ended by it. Its log is on
/// that disk, too.
fn start_hearing_of_failed_writes(environment: &[(String, String)], log: File) -> Node {
    let mut shell = Command::new("sh");
    shell.stderr(log);
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", PROGRAM]);
    Node::start_as(shell, environment)
}

/// From now on the process can write to no file, or again to all.
fn limit_files(node: &Node, longest: Option<u64>) {
    let limit = Rlimit {
        current: longest,
        maximum: None,
    };
    prlimit(Some(node.pid()), Resource::Fsize, limit).unwrap();
}

fn report(node: &Node, key: &str, terminal: &str) -> (u16, Value) {
    let event = json!({
        "routing_key": key, "event_action": "trigger", "dedup_key": terminal,
        "payload": { "summary": format!("{terminal} is silent"), "source": terminal, "severity": "critical" },
    });
    let mut door = Connection::open(node.port).unwrap();
    door.ask("POST", "/v2/enqueue", "", Some(&event)).unwrap()
}

fn is_ready(node: &Node) -> bool {
    let mut door = Connection::open(node.port).unwrap();
    door.ask("GET", "/health/ready", "", None).unwrap().0 == 200
}

fn titles(node: &Node, key: &str) -> Vec<String> {
    let mut api = Connection::open(node.port).unwrap();
    let (_, answer) = api.ask("GET", "/incidents?limit=100", key, None).unwrap();
    let incidents = answer["incidents"].as_array().unwrap();
    let titles = incidents.iter().map(|one| one["title"].as_str().unwrap());
    let mut titles: Vec<String> = titles.map(str::to_owned).collect();
    titles.sort_unstable();
    titles
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_it_cannot_keep_and_loses_nothing_that_it_accepted() {
    let mail = MailServer::start();
    let (location, _guard) = store::testing::empty(Engine::Sqlite).await;
    let environment = environment(&location, mail.port);
    let api_key = set_up(&environment);
    let node = start_hearing_of_failed_writes(&environment, tempfile::tempfile().unwrap());
    let key = build_service(node.port, &api_key);

    assert_eq!(report(&node, &key, "till-1").0, 202);
    limit_files(&node, Some(0));
    let (status, answer) = report(&node, &key, "till-2");
    assert_eq!(status, 503, "{answer}");
    insta::assert_json_snapshot!(answer);
    assert!(!is_ready(&node), "it says that it accepts events");
    let note = json!({ "note": { "content": "Is anybody there?" } });
    let mut api = Connection::open(node.port).unwrap();
    let (_, listed) = api.ask("GET", "/incidents", &api_key, None).unwrap();
    for incident in listed["incidents"].as_array().unwrap() {
        let path = format!("/incidents/{}/notes", incident["id"].as_str().unwrap());
        assert_eq!(api.ask("POST", &path, &api_key, Some(&note)).unwrap().0, 503);
    }

    limit_files(&node, None);
    assert_eq!(report(&node, &key, "till-3").0, 202);
    assert!(is_ready(&node), "it does not say that it accepts events again");
    let began = Instant::now();
    while titles(&node, &api_key) != ["till-1 is silent", "till-3 is silent"] {
        assert!(
            began.elapsed() < PATIENCE,
            "not what was accepted: {:?}",
            titles(&node, &api_key)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
