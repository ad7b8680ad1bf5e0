//! The promises that must hold when a process dies in the middle of a storm, or when two share the work.

mod full_disk;
mod lost_key;
pub(crate) mod node;
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
/// Events of a storm. One that goes on beyond them becomes a drizzle, so that a slow machine can follow.
const EVENTS: usize = 900;
const DRIZZLE: Duration = Duration::from_millis(20);
/// A node is killed when it has accepted so many events, and sent so many pages of them.
const ACCEPTED_BEFORE_THE_KILL: usize = 300;
const PAGED_BEFORE_THE_KILL: usize = 10;
const PATIENCE: Duration = Duration::from_secs(120);

/// The keys of the events that were answered 202, so far.
type Accepted = Mutex<BTreeSet<String>>;

/// How a storm ended.
struct Storm {
    accepted: BTreeSet<String>,
    /// Senders whose connection broke while they still had something to say.
    broken_off: usize,
}

/// Sends so many events to the ports in turn, or until nobody is there any more. `beside` runs while they are sent.
fn storm(ports: &[u16], key: &str, events: usize, beside: impl FnOnce(&Accepted)) -> Storm {
    let accepted = Arc::new(Accepted::default());
    let next = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let (accepted, next) = (Arc::clone(&accepted), Arc::clone(&next));
            let (port, key) = (ports[sender % ports.len()], key.to_owned());
            std::thread::spawn(move || -> std::io::Result<()> {
                let mut connection = Connection::open(port)?;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= events {
                        return Ok(());
                    }
                    if number >= EVENTS {
                        std::thread::sleep(DRIZZLE);
                    }
                    let dedup_key = format!("terminal-{number}");
                    let event = json!({
                        "routing_key": key,
                        "event_action": "trigger",
                        "dedup_key": dedup_key,
                        "payload": { "summary": format!("Terminal {number} is silent"), "source": "till", "severity": "critical" },
                    });
                    let (status, answer) = connection.ask("POST", "/v2/enqueue", "", Some(&event))?;
                    assert_eq!(status, 202, "{dedup_key}: {answer}");
                    accepted.lock().unwrap().insert(dedup_key);
                }
            })
        })
        .collect();
    beside(&accepted);
    let ends: Vec<std::io::Result<()>> = senders.into_iter().map(|one| one.join().unwrap()).collect();
    Storm {
        accepted: Arc::into_inner(accepted).unwrap().into_inner().unwrap(),
        broken_off: ends.iter().filter(|end| end.is_err()).count(),
    }
}

/// A page as the database keeps it.
struct KeptPage {
    send_id: String,
    incident_id: String,
    state: String,
}

/// What the database says.
struct Kept {
    /// Alerts: the id, the key, the incident each is in.
    alerts: Vec<(String, String, Option<String>)>,
    incidents: BTreeSet<String>,
    pages: Vec<KeptPage>,
}

impl Kept {
    fn pages_in(&self, state: &str) -> BTreeSet<String> {
        let pages = self.pages.iter().filter(|page| page.state == state);
        pages.map(|page| page.send_id.clone()).collect()
    }
}

async fn read(location: &Location) -> Kept {
    let store = Store::open(location, MIGRATIONS).await.unwrap();
    let kept = store
        .read(|tx| -> Result<Kept, store::Error> {
            let incidents: Vec<(String,)> = tx.rows(sql!("SELECT id FROM incidents"), params![])?;
            let pages: Vec<(String, String, String)> = tx.rows(
                sql!("SELECT id, incident_id, state FROM sends WHERE purpose = 'page'"),
                params![],
            )?;
            let pages = pages.into_iter().map(|(send_id, incident_id, state)| KeptPage {
                send_id,
                incident_id,
                state,
            });
            Ok(Kept {
                alerts: tx.rows(sql!("SELECT id, alert_key, incident_id FROM alerts"), params![])?,
                incidents: incidents.into_iter().map(|(id,)| id).collect(),
                pages: pages.collect(),
            })
        })
        .await
        .unwrap();
    store.close().await;
    kept
}

/// Waits until every accepted event has been paged.
async fn settle(location: &Location, accepted: usize) {
    let began = Instant::now();
    loop {
        let kept = read(location).await;
        let sent = kept.pages_in("sent").len();
        if sent >= accepted && sent == kept.pages.len() && kept.incidents.len() == sent {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{accepted} accepted, {} incidents, {} pages, {sent} sent",
            kept.incidents.len(),
            kept.pages.len()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Every accepted event is one alert in one incident, and every incident has one page.
fn check_kept(kept: &Kept, accepted: &BTreeSet<String>) {
    let alerts: BTreeMap<&str, Option<&String>> = kept
        .alerts
        .iter()
        .map(|(_, key, incident)| (key.as_str(), incident.as_ref()))
        .collect();
    for key in accepted {
        let incident = alerts.get(key.as_str()).copied().flatten();
        assert!(
            incident.is_some_and(|id| kept.incidents.contains(id)),
            "{key} was answered 202 and is in no incident"
        );
    }
    assert_eq!(alerts.len(), kept.alerts.len(), "an event became two alerts");
    let paged: BTreeSet<String> = kept.pages.iter().map(|page| page.incident_id.clone()).collect();
    assert_eq!(paged, kept.incidents, "an incident is owed its page");
    assert_eq!(paged.len(), kept.pages.len(), "an incident has two pages");
}

/// How often each page arrived, by the message that it is.
#[derive(Default)]
struct Arrived(BTreeMap<String, usize>);

impl Arrived {
    /// Takes in what the mail server has.
    fn look(&mut self, mail: &MailServer) {
        while let Some(one) = mail.waiting() {
            let message_id = one.header("message-id").unwrap();
            let (send_id, _) = message_id.trim_start_matches('<').split_once('@').unwrap();
            *self.0.entry(send_id.to_owned()).or_insert(0) += 1;
        }
    }

    fn at_all(&self) -> BTreeSet<String> {
        self.0.keys().cloned().collect()
    }

    fn more_than_once(&self) -> BTreeSet<String> {
        let doubled = self.0.iter().filter(|(_, count)| **count > 1);
        doubled.map(|(send_id, _)| send_id.clone()).collect()
    }
}

#[store::both_engines]
async fn a_kill_in_a_storm_loses_nothing_and_doubles_only_what_was_in_flight(engine: Engine) {
    let mail = MailServer::start();
    let (location, _guard) = store::testing::empty(engine).await;
    let environment = environment(&location, mail.port);
    let api_key = set_up(&environment);
    let mut first = Node::start(&environment);
    let key = build_service(first.port, &api_key);
    let storm = storm(&[first.port], &key, usize::MAX, |accepted| {
        let began = Instant::now();
        while accepted.lock().unwrap().len() < ACCEPTED_BEFORE_THE_KILL
            || mail.taken() < PAGED_BEFORE_THE_KILL
        {
            assert!(began.elapsed() < PATIENCE, "the storm does not get going");
            std::thread::sleep(Duration::from_millis(2));
        }
        first.kill();
    });
    assert_eq!(storm.broken_off, SENDERS, "the storm was over before the kill");
    let accepted = storm.accepted;
    let at_the_kill = read(&location).await;
    let in_flight = at_the_kill.pages_in("sending");
    let sent = at_the_kill.pages_in("sent").len();
    assert!(sent < accepted.len(), "every page was sent before the kill");

    let mut second = Node::start(&environment);
    settle(&location, accepted.len()).await;
    second.stop();
    let kept = read(&location).await;
    check_kept(&kept, &accepted);
    let mut arrived = Arrived::default();
    arrived.look(&mail);
    assert_eq!(
        arrived.at_all(),
        kept.pages_in("sent"),
        "a page that counts as sent never arrived"
    );
    let doubled = arrived.more_than_once();
    assert!(
        doubled.is_subset(&in_flight),
        "came twice: {doubled:?}; in flight at the kill: {in_flight:?}"
    );
    assert!(arrived.0.values().all(|count| *count <= 2));
}

#[tokio::test]
async fn two_nodes_on_one_postgres_share_the_work_and_page_once() {
    let mail = MailServer::start();
    let (location, _guard) = store::testing::empty(Engine::Postgres).await;
    let environment = environment(&location, mail.port);
    let api_key = set_up(&environment);
    let mut nodes = [Node::start(&environment), Node::start(&environment)];
    let key = build_service(nodes[0].port, &api_key);
    let ports = [nodes[0].port, nodes[1].port];
    let accepted = storm(&ports, &key, EVENTS, |_| {}).accepted;
    assert_eq!(accepted.len(), EVENTS, "both nodes accept every event");
    settle(&location, accepted.len()).await;
    for port in ports {
        let metrics = Connection::open(port).unwrap().text("/metrics").unwrap();
        for name in [
            "muster_events_accepted_total",
            r#"muster_sends_total{channel="email",purpose="page",state="sent"}"#,
        ] {
            assert!(figure(&metrics, name) > 0.0, "one node has no {name}: {metrics}");
        }
    }
    for node in &mut nodes {
        node.stop();
    }
    let kept = read(&location).await;
    check_kept(&kept, &accepted);
    assert_eq!(kept.incidents.len(), EVENTS);
    let makers: BTreeSet<u64> = kept.alerts.iter().map(|(id, _, _)| maker_of(id)).collect();
    assert_eq!(makers.len(), 2, "one node made all alerts");
    let mut arrived = Arrived::default();
    arrived.look(&mail);
    assert_eq!(arrived.0.len(), EVENTS);
    assert!(arrived.0.values().all(|count| *count == 1), "a page came twice");
}

/// The figure of a series in Prometheus' text format; 0 when it is not there.
fn figure(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series));
    line.map_or(0.0, |figure| figure.trim().parse().unwrap())
}

/// The node that made an identifier: ten bits of it, behind thirteen of a counter.
fn maker_of(id: &str) -> u64 {
    let digits = id.trim_start_matches('Q').chars().map(|letter| {
        let alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        alphabet.find(letter).unwrap() as u128
    });
    let packed = digits.fold(0_u128, |packed, digit| (packed << 5) | digit);
    ((packed >> 13) & 1023) as u64
}
