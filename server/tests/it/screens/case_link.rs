//! Taking a case off an incident it is not about.

use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::form::newest_audit;
use crate::desk::{Outage, link, outage};
use crate::harness::{Browser, TestApp};

struct Linked {
    outage: Outage,
    case: Value,
    /// The page that takes the link back.
    address: String,
}

async fn linked(muster: &TestApp) -> Linked {
    let outage = outage(muster).await;
    let case = muster
        .case(json!({ "subject": "Card reader says offline", "text": "It says offline."}))
        .await;
    link(muster, &case, &outage.incident).await;
    let id = case["id"].as_str().unwrap();
    Linked {
        address: format!("/console/desk/cases/{id}/links/{}/remove", outage.incident),
        outage,
        case,
    }
}

async fn incident_of(muster: &TestApp, case: &Value) -> Value {
    let path = format!("/cases/{}", case["id"].as_str().unwrap());
    muster.get(&path).await.good()["case"]["incident"].clone()
}

#[store::both_engines]
async fn an_agent_takes_a_case_off_an_incident(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let linked = linked(&muster).await;
    let agent = muster.browser_as(Role::Agent).await;
    let desk = format!("/console/desk?case={}", linked.case["id"].as_str().unwrap());
    assert!(agent.open(&desk).await.contains(&linked.address));
    let asked = agent.open(&linked.address).await;
    assert!(
        asked.contains("Gateway silent") && asked.contains("still owed an answer"),
        "{asked}"
    );
    assert_eq!(
        incident_of(&muster, &linked.case).await["id"],
        linked.outage.incident.as_str()
    );

    assert_eq!(Browser::led_to(&agent.send(&linked.address, &[]).await), desk);
    assert_eq!(incident_of(&muster, &linked.case).await, Value::Null);
    assert!(!agent.open(&desk).await.contains("Take the link back"));
    assert_eq!(newest_audit(&muster).await.0, "update");
    let room = agent
        .open(&format!("/console/incidents/{}", linked.outage.incident))
        .await;
    assert!(room.contains("unlinked"), "{room}");
}

#[store::both_engines]
async fn a_link_that_is_gone_already_is_told_kindly_and_nothing_is_changed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let linked = linked(&muster).await;
    let browser = muster.browser().await;
    let other = muster.service("tills").build().await;
    muster.trigger(&other, "tills", "Tills are slow").await;
    let incidents = muster.get("/incidents?date_range=all").await.good();
    let elsewhere = incidents["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|incident| incident["title"] == "Tills are slow")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    link(&muster, &linked.case, &elsewhere).await;
    let late = browser.send(&linked.address, &[]).await;
    assert_eq!(late.status.as_u16(), 409, "{}", late.text);
    assert!(
        late.text.contains("Nothing was changed") && late.text.contains("Tills are slow by now."),
        "{}",
        late.text
    );
    assert_eq!(incident_of(&muster, &linked.case).await["id"], elsewhere.as_str());
    assert_eq!(browser.look(&linked.address).await.status.as_u16(), 409);
}

#[store::both_engines]
async fn who_may_only_look_takes_no_link_back(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let linked = linked(&muster).await;
    let observer = muster.browser_as(Role::Observer).await;
    let desk = format!("/console/desk?case={}", linked.case["id"].as_str().unwrap());
    assert!(!observer.open(&desk).await.contains(&linked.address));
    assert_eq!(observer.look(&linked.address).await.status.as_u16(), 403);
    assert_eq!(observer.send(&linked.address, &[]).await.status.as_u16(), 403);
    let owner = muster.browser().await;
    assert_eq!(owner.send_forged(&linked.address, &[]).await.status.as_u16(), 403);
    assert_eq!(
        incident_of(&muster, &linked.case).await["id"],
        linked.outage.incident.as_str()
    );
    let nowhere = format!(
        "/console/desk/cases/CNONE/links/{}/remove",
        linked.outage.incident
    );
    let late = owner.send(&nowhere, &[]).await;
    assert_eq!(late.status.as_u16(), 404);
    assert!(late.text.contains("This case is not here any more"));
}
