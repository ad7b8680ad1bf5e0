//! What agents are told stands on their desk at once.

use axum::http::Method;
use muster::people::Role;
use serde_json::json;
use store::Engine;

use crate::harness::TestApp;
use crate::updates::{AGENTS, draft, outage, publish, tell_customers};

#[store::both_engines]
async fn an_update_for_agents_is_a_notice_on_the_desk_and_an_entry_of_the_outbox(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let mut heard = muster.app.live.listen();
    let update = draft(&muster, &incident, AGENTS).await;
    publish(&muster, &update).await.good();
    let topics: Vec<String> = std::iter::from_fn(|| heard.try_recv().ok())
        .map(|topic| topic.to_string())
        .collect();
    assert!(topics.contains(&"notices".to_owned()), "{topics:?}");
    let agent = muster.person("Ana", "ana@example.org", Role::Agent).await;
    let notices = muster
        .as_person(&agent, Method::GET, "/desk/notices?total=true", None)
        .await
        .good();
    assert_eq!(notices["total"], 1);
    let notice = &notices["notices"][0];
    assert_eq!(
        (
            &notice["incident"]["id"],
            &notice["audience_name"],
            &notice["subject"]
        ),
        (&json!(incident), &json!("Agents"), &update["subject"])
    );
    assert!(
        notice["words"].as_str().unwrap().contains("store-edge 4.18.0"),
        "{notice}"
    );
    let sends = muster
        .get(&format!("/outbox/sends?incident_id={incident}&purposes[]=update"))
        .await
        .good();
    let desk: Vec<_> = sends["sends"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|send| send["address"] == "desk")
        .map(|send| send["state"].clone())
        .collect();
    assert_eq!(desk, ["shown"]);
    let shown = muster
        .as_person(&agent, Method::GET, "/console/desk", None)
        .await
        .text;
    let told = shown.split("id=\"told\"").nth(1).unwrap();
    assert!(told.contains("store-edge 4.18.0"), "{told}");
    let later = muster
        .get("/desk/notices?since=2026-11-17T06:00:01Z")
        .await
        .good();
    assert_eq!(later["notices"], json!([]));
    muster.get("/desk/notices?since=soon").await.with_status(400);
}

#[store::both_engines]
async fn what_only_customers_are_told_is_no_notice(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    tell_customers(&muster, &incident).await;
    let notices = muster.get("/desk/notices").await.good();
    assert_eq!(notices["notices"], json!([]));
    let stakeholder = muster.person("Sam", "sam@example.org", Role::Stakeholder).await;
    muster
        .as_person(&stakeholder, Method::GET, "/desk/notices", None)
        .await
        .with_status(403);
}
