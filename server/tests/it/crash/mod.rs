//! The promises that must hold when a process dies in the middle of a storm, or when two share the work.

mod lost_key;
mod node;
mod stopping;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use muster::app::migrations::MIGRATIONS;
use node::{Connection, Node, build_service, environment, set_up};
use serde_json::json;
use store::{Engine, Location, Store, params, sql};

use crate::smtp::MailServer;

/// Senders at the same time.
const SENDERS: usize = 6;
/// Events that all senders send together at most.
const EVENTS: usize = 900;
/// Messages that may be on their way at one moment: they are the only ones that may be sent twice.
const IN_FLIGHT: usize = 64;
const PATIENCE: Duration = Duration::from_secs(120);

/// Sends events to the ports in turn until told otherwise, and gives the keys that were answered 202.
fn storm(ports: &[u16], key: &str, after: impl FnOnce()) -> BTreeSet<String> {
    let accepted = Arc::new(Mutex::new(BTreeSet::new()));
    let next = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (accepted, next) = (Arc::clone(&accepted), Arc::clone(&next));
            let (port, key) = (ports[sender % ports.len()], key.to_owned());
            std::thread::spawn(move || {
                let Ok(mut connection) = Connection::open(port) else { return };
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= EVENTS {
                        return;
                    }
                    let dedup_key = format!("terminal-{number}");
                    let event = json!({
                        "routing_key": key,
                        "event_action": "trigger",
                        "dedup_key": dedup_key,
                        "payload": { "summary": format!("Terminal {number} is silent"), "source": "till", "severity": "critical" },
                    });
                    match connection.ask("POST", "/v2/enqueue", "", Some(&event)) {
                        Ok((202, _)) => {
                            accepted.lock().unwrap().insert(dedup_key);
                        }
                        Ok(_) => {}
                        Err(_) => return,
                    }
                }
            })
        })
        .collect();
    after();
    for thread in threads {
        thread.join().unwrap();
    }
    Arc::into_inner(accepted).unwrap().into_inner().unwrap()
}

/// What the database says at the end.
struct Kept {
    /// Alerts by key, with the incident each is in.
    alerts: Vec<(String, Option<String>)>,
    incidents: i64,
    /// Pages: the idempotency key, the state, how often it was tried.
    pages: Vec<(String, String, i64)>,
}

async fn read(location: &Location) -> Kept {
    let store = Store::open(location, MIGRATIONS).await.unwrap();
    let kept = store
        .read(|tx| -> Result<Kept, store::Error> {
            let (incidents,): (i64,) = tx.one(sql!("SELECT COUNT(*) FROM incidents"), params![])?;
            Ok(Kept {
                alerts: tx.rows(sql!("SELECT alert_key, incident_id FROM alerts"), params![])?,
                incidents,
                pages: tx.rows(
                    sql!("SELECT idempotency_key, state, attempts FROM sends WHERE purpose = 'page'"),
                    params![],
                )?,
            })
        })
        .await
        .unwrap();
    store.close().await;
    kept
}

/// Waits until every accepted event has been paged, then stops the nodes.
async fn settle(location: &Location, nodes: &mut [Node], accepted: usize) -> Kept {
    let began = Instant::now();
    loop {
        let kept = read(location).await;
        let sent = kept.pages.iter().filter(|(_, state, _)| state == "sent").count();
        if sent >= accepted && sent == kept.pages.len() && kept.incidents as usize == sent {
            for node in nodes.iter_mut() {
                node.stop();
            }
            return read(location).await;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{accepted} accepted, {} incidents, {} pages, {sent} sent",
            kept.incidents,
            kept.pages.len()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn check_kept(kept: &Kept, accepted: &BTreeSet<String>) {
    let alerts: BTreeMap<&str, bool> = kept
        .alerts
        .iter()
        .map(|(key, incident)| (key.as_str(), incident.is_some()))
        .collect();
    for key in accepted {
        assert_eq!(
            alerts.get(key.as_str()),
            Some(&true),
            "{key} was answered 202 and is in no incident"
        );
    }
    assert_eq!(alerts.len(), kept.alerts.len(), "an event became two alerts");
}

/// How often each page arrived, by its message id.
fn arrived(mail: &MailServer) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    while let Some(one) = mail.waiting() {
        *counts.entry(one.header("message-id").unwrap()).or_insert(0) += 1;
    }
    counts
}

#[store::both_engines]
async fn a_kill_in_a_storm_loses_nothing_and_doubles_only_what_was_in_flight(engine: Engine) {
    let mail = MailServer::start();
    let (location, _guard) = store::testing::empty(engine).await;
    let environment = environment(&location, mail.port);
    let api_key = set_up(&environment);
    let mut first = Node::start(&environment);
    let key = build_service(first.port, &api_key);
    let accepted = storm(&[first.port], &key, || {
        std::thread::sleep(Duration::from_millis(700));
        first.kill();
    });
    assert!(!accepted.is_empty(), "nothing was accepted before the kill");

    let second = Node::start(&environment);
    let kept = settle(&location, &mut [second], accepted.len()).await;
    check_kept(&kept, &accepted);
    let arrived = arrived(&mail);
    assert_eq!(
        arrived.len(),
        kept.pages.len(),
        "a page that counts as sent never arrived"
    );
    let doubled = arrived.values().filter(|count| **count > 1).count();
    let tried_again = kept.pages.iter().filter(|(_, _, attempts)| *attempts > 1).count();
    assert!(
        doubled <= tried_again,
        "{doubled} pages came twice, but only {tried_again} were tried again"
    );
    assert!(doubled <= IN_FLIGHT, "{doubled} pages came twice");
    assert!(arrived.values().all(|count| *count <= 2));
}

#[tokio::test]
async fn two_nodes_on_one_postgres_share_the_work_and_page_once() {
    let mail = MailServer::start();
    let (location, _guard) = store::testing::empty(Engine::Postgres).await;
    let environment = environment(&location, mail.port);
    let api_key = set_up(&environment);
    let nodes = [Node::start(&environment), Node::start(&environment)];
    let key = build_service(nodes[0].port, &api_key);
    let ports = [nodes[0].port, nodes[1].port];
    let accepted = storm(&ports, &key, || {});
    assert_eq!(accepted.len(), EVENTS, "both nodes accept every event");
    let mut nodes = nodes;
    let kept = settle(&location, &mut nodes, accepted.len()).await;
    check_kept(&kept, &accepted);
    assert_eq!(kept.incidents as usize, EVENTS);
    let arrived = arrived(&mail);
    assert_eq!(arrived.len(), EVENTS);
    assert!(arrived.values().all(|count| *count == 1), "a page came twice");
}
