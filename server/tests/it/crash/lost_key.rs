//! A data folder whose `secret.key` is missing, as after a restore: it is said, nothing is put in its place, and when the file
//! is back nothing has been lost.

use std::process::{Command, Output};

use serde_json::{Value, json};
use store::{Engine, Location};

use super::node::{Connection, Node, PROGRAM, build_service, environment, set_up};
use crate::smtp::MailServer;

fn check(environment: &[(String, String)]) -> Output {
    Command::new(PROGRAM)
        .arg("check")
        .envs(environment.iter().cloned())
        .output()
        .unwrap()
}

fn ask(node: &Node, api_key: &str, method: &str, path: &str, body: &Value) -> Value {
    Connection::open(node.port)
        .unwrap()
        .good(method, path, api_key, body)
}

fn integrations(node: &Node, api_key: &str) -> Vec<Value> {
    let services = ask(
        node,
        api_key,
        "GET",
        "/services?include[]=integrations",
        &json!({}),
    );
    services["services"][0]["integrations"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_lost_key_is_said_and_never_replaced() {
    let mail = MailServer::start();
    let (location, _guard) = store::testing::empty(Engine::Sqlite).await;
    let environment = environment(&location, mail.port);
    let Location::Sqlite { directory } = &location else {
        panic!("the embedded database has a folder");
    };
    let (place, elsewhere) = (directory.join("secret.key"), directory.join("elsewhere"));
    let api_key = set_up(&environment);
    let mut node = Node::start(&environment);
    let key = build_service(node.port, &api_key);
    node.stop();
    assert!(check(&environment).status.success());

    std::fs::rename(&place, &elsewhere).unwrap();
    let checked = check(&environment);
    let words = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(words.contains("secrets: UNREADABLE"), "{words}");
    assert!(words.contains(place.to_str().unwrap()), "{words}");
    assert!(
        !checked.status.success(),
        "a check that finds this must not end well"
    );
    let mut node = Node::start(&environment);
    assert!(!place.exists(), "a key was made that opens nothing");
    assert_eq!(integrations(&node, &api_key)[0]["integration_key"], Value::Null);
    let event = json!({
        "routing_key": key, "event_action": "trigger",
        "payload": { "summary": "Till is silent", "source": "till.leeds", "severity": "critical" },
    });
    ask(&node, "", "POST", "/v2/enqueue", &event);
    let service = ask(&node, &api_key, "GET", "/services", &json!({}))["services"][0]["id"].clone();
    let path = format!("/services/{}/integrations", service.as_str().unwrap());
    let more = json!({ "integration": { "type": "events_api_v2_inbound_integration", "name": "Meanwhile" } });
    let meanwhile = ask(&node, &api_key, "POST", &path, &more)["integration"]["integration_key"].clone();
    node.stop();

    std::fs::rename(&elsewhere, &place).unwrap();
    let node = Node::start(&environment);
    let shown: Vec<Value> = integrations(&node, &api_key)
        .iter()
        .map(|one| one["integration_key"].clone())
        .collect();
    assert!(
        shown.contains(&json!(key)) && shown.contains(&meanwhile),
        "{shown:?}"
    );
    assert!(check(&environment).status.success());
}
