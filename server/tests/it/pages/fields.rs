//! What programs read: the fields of the public JSON, the feed, and planned work.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use store::Engine;

use super::{anybody, break_it, shown};
use crate::harness::TestApp;
use crate::updates::{resolve, tell_customers};

const PAGE: &str = "id name time_zone updated_at url";
const COMPONENT: &str = "created_at description group group_id id name only_show_if_degraded page_id position showcase start_date status updated_at";
const INCIDENT: &str = "created_at id impact incident_updates monitoring_at name page_id resolved_at shortlink started_at status updated_at";
const UPDATE: &str =
    "affected_components body created_at deliver_notifications display_at id incident_id status updated_at";
const AFFECTED: &str = "code name new_status old_status";

#[track_caller]
fn has_exactly(value: &Value, fields: &str, what: &str) {
    let found: BTreeSet<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let wanted: BTreeSet<&str> = fields.split_whitespace().collect();
    assert_eq!(found, wanted, "the fields of {what}");
}

fn each<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value[key].as_array().into_iter().flatten()
}

/// Checks every object of a document; gives how many of them there were.
fn check(document: &Value) -> usize {
    has_exactly(&document["page"], PAGE, "the page");
    if !document["status"].is_null() {
        has_exactly(&document["status"], "description indicator", "the status");
    }
    let mut checked = 0;
    for component in each(document, "components") {
        has_exactly(component, COMPONENT, "a component");
        checked += 1;
    }
    let planned = format!("{INCIDENT} scheduled_for scheduled_until");
    let incidents = each(document, "incidents").map(|one| (one, INCIDENT));
    for (one, fields) in
        incidents.chain(each(document, "scheduled_maintenances").map(|one| (one, planned.as_str())))
    {
        has_exactly(one, fields, "an incident or planned work");
        for update in each(one, "incident_updates") {
            has_exactly(update, UPDATE, "an update");
            for affected in each(update, "affected_components") {
                has_exactly(affected, AFFECTED, "an affected component");
                checked += 1;
            }
        }
        checked += 1;
    }
    checked
}

async fn plan(muster: &TestApp, service: &str, from: &str, until: &str) -> Value {
    let body = json!({ "maintenance_window": {
        "type": "maintenance_window", "start_time": from, "end_time": until, "description": "Replace store-edge 4.18.0",
        "public_words": "Card payments pause for a minute, twice.",
        "services": [{ "id": service, "type": "service_reference" }] } });
    let made = muster.post("/maintenance_windows", body).await.with_status(201);
    muster.settle().await;
    made["maintenance_window"].clone()
}

#[store::both_engines]
async fn every_document_has_the_fields_of_the_field_and_no_other(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let group = json!({ "component": { "name": "In the shop", "group": true } });
    muster
        .post(&format!("/status_pages/{}/components", shown.page), group)
        .await
        .with_status(201);
    let incident = break_it(&muster, &shown.built).await;
    tell_customers(&muster, &incident).await;
    let service = &shown.built.service_id;
    plan(&muster, service, "2026-11-17T05:00:00Z", "2026-11-17T07:00:00Z").await;
    plan(&muster, service, "2026-11-18T22:00:00Z", "2026-11-18T23:30:00Z").await;
    let wanted = [
        (
            "summary",
            "page status components incidents scheduled_maintenances",
            9,
        ),
        ("status", "page status", 0),
        ("components", "page components", 2),
        ("incidents", "page incidents", 2),
        ("incidents/unresolved", "page incidents", 2),
        ("scheduled-maintenances", "page scheduled_maintenances", 5),
        (
            "scheduled-maintenances/upcoming",
            "page scheduled_maintenances",
            2,
        ),
        ("scheduled-maintenances/active", "page scheduled_maintenances", 3),
    ];
    for (name, fields, objects) in wanted {
        let document = anybody(&muster, &format!("/status/larkfield/api/v2/{name}.json"))
            .await
            .good();
        has_exactly(&document, fields, name);
        assert_eq!(check(&document), objects, "{name}: {document:#}");
    }
}

#[store::both_engines]
async fn planned_work_is_told_in_its_public_words_and_in_the_time_of_the_page(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let zone = json!({ "status_page": { "time_zone": "Europe/Berlin" } });
    muster
        .put(&format!("/status_pages/{}", shown.page), zone)
        .await
        .good();
    let window = plan(
        &muster,
        &shown.built.service_id,
        "2026-11-17T06:10:00Z",
        "2026-11-17T07:30:00Z",
    )
    .await;
    assert_eq!(window["public_words"], "Card payments pause for a minute, twice.");
    let page = anybody(&muster, "/status/larkfield").await.text;
    for words in [
        "Everything works.",
        "07:10 to 08:30 CET: Card payments pause for a minute, twice.",
    ] {
        assert!(page.contains(words), "{words} is missing: {page}");
    }
    muster.pass(Duration::from_secs(11 * 60)).await;
    let page = anybody(&muster, "/status/larkfield").await.text;
    for words in ["Planned work is under way.", "It ends by 08:30 CET.", "Under way"] {
        assert!(page.contains(words), "{words} is missing: {page}");
    }
    for path in ["", "/api/v2/summary.json", "/feed.atom", "/history"] {
        let text = anybody(&muster, &format!("/status/larkfield{path}")).await.text;
        assert!(!text.contains("store-edge"), "{path}: {text}");
    }
}

#[store::both_engines]
async fn a_promise_to_readers_that_lapses_is_told_on_every_node(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let incident = break_it(&muster, &shown.built).await;
    tell_customers(&muster, &incident).await;
    muster.pass(Duration::from_secs(21 * 60)).await;
    let page = anybody(&muster, "/status/larkfield").await.text;
    assert!(
        page.contains("We wanted to tell you more by 06:20 GMT and are late."),
        "{page}"
    );
}

#[store::both_engines]
async fn components_say_in_how_many_places_they_are_hurt(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    for name in ["Leeds Briggate", "Bath Stall Street"] {
        let body = json!({ "location": { "name": name, "kind": "site",
            "services": [{ "id": shown.touchpoint, "type": "business_service_reference" }] } });
        muster.post("/locations", body).await.with_status(201);
    }
    let body = json!({ "routing_key": shown.built.integration_key, "event_action": "trigger",
        "payload": { "summary": "Silent", "source": "Leeds Briggate", "severity": "critical" } });
    let request = axum::http::Request::post("/v2/enqueue").body(axum::body::Body::from(body.to_string()));
    muster.send(request.unwrap()).await.with_status(202);
    muster.take_signals().await;
    let page = anybody(&muster, "/status/larkfield").await.text;
    assert!(page.contains("Not working in 1 place"), "{page}");
    assert!(
        page.contains("watched since today") && !page.contains("% working"),
        "{page}"
    );
}

/// The child elements of this name in the namespace of Atom.
fn atom<'n>(node: roxmltree::Node<'n, 'n>, name: &'static str) -> Vec<roxmltree::Node<'n, 'n>> {
    node.children()
        .filter(|child| child.has_tag_name(("http://www.w3.org/2005/Atom", name)))
        .collect()
}

/// What RFC 4287 requires of a feed and of an entry: exactly one id, title and updated, dates of RFC 3339.
#[track_caller]
fn check_required(node: roxmltree::Node<'_, '_>) -> String {
    for name in ["id", "title", "updated"] {
        let found: Vec<_> = node
            .children()
            .filter(|child| child.has_tag_name(("http://www.w3.org/2005/Atom", name)))
            .collect();
        assert_eq!(found.len(), 1, "{name}");
        assert!(!found[0].text().unwrap_or_default().is_empty(), "{name} is empty");
    }
    for name in ["updated", "published"] {
        for date in node.children().filter(|child| child.tag_name().name() == name) {
            let text = date.text().unwrap();
            assert!(text.parse::<jiff::Timestamp>().is_ok(), "{name}: {text}");
        }
    }
    let id = node.children().find(|child| child.tag_name().name() == "id");
    let id = id.unwrap().text().unwrap().to_owned();
    assert!(id.starts_with("https://"), "{id} is no IRI");
    id
}

#[store::both_engines]
async fn the_feed_is_atom_whatever_people_write(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let name = "<b>Lark & field</b> ]]> \"\u{202E}متجر";
    muster
        .put(
            &format!("/status_pages/{}", shown.page),
            json!({ "status_page": { "name": name } }),
        )
        .await
        .good();
    let incident = break_it(&muster, &shown.built).await;
    tell_customers(&muster, &incident).await;
    resolve(&muster, &incident).await;
    tell_customers(&muster, &incident).await;
    let answer = anybody(&muster, "/status/larkfield/feed.atom").await;
    assert_eq!(
        answer.headers["content-type"],
        "application/atom+xml; charset=utf-8"
    );
    let document = roxmltree::Document::parse(&answer.text).unwrap();
    let feed = document.root_element();
    assert!(feed.has_tag_name(("http://www.w3.org/2005/Atom", "feed")));
    let mut ids = BTreeSet::from([check_required(feed)]);
    let title = atom(feed, "title")[0].text().unwrap();
    assert_eq!(title, format!("{name} status"));
    assert!(
        !atom(feed, "author").is_empty()
            && atom(feed, "author")
                .iter()
                .all(|one| !atom(*one, "name").is_empty())
    );
    let own: Vec<_> = atom(feed, "link")
        .into_iter()
        .filter(|link| link.attribute("rel") == Some("self"))
        .collect();
    assert_eq!(own.len(), 1);
    assert_eq!(
        own[0].attribute("href"),
        Some("https://muster.example.org/status/larkfield/feed.atom")
    );
    let entries = atom(feed, "entry");
    assert_eq!(entries.len(), 1);
    for entry in entries {
        assert!(ids.insert(check_required(entry)), "two things have one id");
        let content = atom(entry, "content");
        assert_eq!((content.len(), content[0].attribute("type")), (1, Some("text")));
        assert!(
            content[0].text().unwrap().contains("17 November 2026, 06:00 GMT"),
            "{:?}",
            content[0].text()
        );
        let ways = atom(entry, "link")
            .into_iter()
            .filter(|link| link.attribute("rel") == Some("alternate"));
        assert_eq!(ways.count(), 1);
    }
}

#[store::both_engines]
async fn planned_work_that_is_over_stands_in_the_history_the_json_and_the_feed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let service = &shown.built.service_id;
    plan(&muster, service, "2026-11-17T06:10:00Z", "2026-11-17T06:30:00Z").await;
    muster.pass(Duration::from_secs(31 * 60)).await;
    let later = plan(&muster, service, "2026-11-18T22:00:00Z", "2026-11-18T23:30:00Z").await;
    let history = anybody(&muster, "/status/larkfield/history").await.text;
    for words in [
        "November 2026",
        "17 November, 06:10",
        "Planned work: Card payments",
        "Card payments pause for a minute, twice.",
        "Done since 17 November, 06:30 GMT.",
    ] {
        assert!(history.contains(words), "{words} is missing: {history}");
    }
    assert!(
        !history.contains("18 November"),
        "what has not begun is no history"
    );
    let page = anybody(&muster, "/status/larkfield").await.text;
    assert!(page.contains("Everything that happened"), "{page}");
    let all = anybody(&muster, "/status/larkfield/api/v2/scheduled-maintenances.json")
        .await
        .json();
    let listed = all["scheduled_maintenances"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["id"], later["id"], "what begins last comes first");
    let over = &listed[1];
    assert_eq!(
        (&over["status"], &over["resolved_at"], &over["updated_at"]),
        (
            &json!("completed"),
            &json!("2026-11-17T06:30:00.000Z"),
            &json!("2026-11-17T06:30:00.000Z")
        )
    );
    let steps: Vec<(&Value, &Value)> = over["incident_updates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (&step["status"], &step["display_at"]))
        .collect();
    assert_eq!(
        steps,
        [
            (&json!("completed"), &json!("2026-11-17T06:30:00.000Z")),
            (&json!("in_progress"), &json!("2026-11-17T06:10:00.000Z")),
            (&json!("scheduled"), &json!("2026-11-17T06:00:00.000Z")),
        ]
    );
    let summary = anybody(&muster, "/status/larkfield/api/v2/summary.json")
        .await
        .json();
    assert_eq!(summary["scheduled_maintenances"].as_array().unwrap().len(), 1);
    let feed = anybody(&muster, "/status/larkfield/feed.atom").await.text;
    for words in [
        "<title>Planned work: Card payments</title>",
        "The planned work is done.",
        "<updated>2026-11-17T06:30:00Z</updated>",
    ] {
        assert!(feed.contains(words), "{words} is missing: {feed}");
    }
    // A page looks back ninety days and no further.
    muster.clock.advance(Duration::from_secs(91 * 24 * 3_600));
    muster.settle().await;
    let history = anybody(&muster, "/status/larkfield/history").await.text;
    assert!(!history.contains("17 November"), "{history}");
}
