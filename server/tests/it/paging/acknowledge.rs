//! The link in a page.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;
use store::Engine;

use super::{Paging, link_in, open_one};
use crate::harness::{Answer, TestApp};
use crate::smtp::MailServer;

pub(super) async fn visit(muster: &TestApp, method: Method, path: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap();
    muster.send(request).await
}

async fn status(muster: &TestApp, id: &str) -> String {
    let incident = muster.get(&format!("/incidents/{id}")).await.good();
    incident["incident"]["status"].as_str().unwrap().to_owned()
}

#[store::both_engines]
async fn looking_changes_nothing_and_the_button_acknowledges_as_the_person_paged(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    let link = link_in(&server.mail());
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let looked = visit(&muster, method, &link).await;
        assert_eq!(looked.status.as_u16(), 200);
        assert_eq!(looked.headers["referrer-policy"], "no-referrer");
        assert_eq!(looked.headers["cache-control"], "no-store");
    }
    assert_eq!(status(&muster, &id).await, "triggered");
    let looked = visit(&muster, Method::GET, &link).await.text;
    assert_eq!(looked.matches("<button").count(), 1, "{looked}");
    assert!(!looked.contains("<script"), "{looked}");
    let done = visit(&muster, Method::POST, &link).await;
    assert!(done.text.contains("you have it"), "{}", done.text);
    assert!(!done.text.contains("<button"), "{}", done.text);
    let incident = muster.get(&format!("/incidents/{id}")).await.good()["incident"].clone();
    assert_eq!(incident["status"], "acknowledged");
    assert_eq!(
        incident["acknowledgements"][0]["acknowledger"]["id"],
        muster.owner.id.as_str()
    );
    let again = visit(&muster, Method::POST, &link).await;
    assert!(again.text.contains("you have it"), "{}", again.text);
    let audited = muster.get("/audit/records").await.text;
    assert!(audited.contains(&id), "{audited}");
}

#[store::both_engines]
async fn a_link_says_when_others_were_faster_or_it_is_over(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let priya = muster
        .person(
            "Priya <b>Raman</b>",
            "priya@example.org",
            muster::people::Role::Responder,
        )
        .await;
    let people = vec![priya.id, muster.owner.id.clone()];
    let built = muster.service("card-gateway").levels(vec![people]).build().await;
    let id = open_one(&muster, &built).await;
    let (one, two) = (server.mail(), server.mail());
    let (mayas, priyas) = if one.to == ["maya@example.org"] {
        (one, two)
    } else {
        (two, one)
    };
    visit(&muster, Method::POST, &link_in(&priyas)).await;
    let looked = visit(&muster, Method::GET, &link_in(&mayas)).await.text;
    assert!(looked.contains("Acknowledged by Priya"), "{looked}");
    assert!(!looked.contains("<b>Raman"), "{looked}");
    assert!(!looked.contains("<button"), "{looked}");
    let body = serde_json::json!({"incident": {"type": "incident_reference", "status": "resolved"}});
    muster.put(&format!("/incidents/{id}"), body).await.good();
    let over = visit(&muster, Method::POST, &link_in(&mayas)).await.text;
    assert!(over.contains("Resolved"), "{over}");
    assert_eq!(status(&muster, &id).await, "resolved");
}

#[store::both_engines]
async fn links_that_were_never_made_or_are_old_say_so(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    let link = link_in(&server.mail());
    let made_up = format!("/ack/{}", "a".repeat(32));
    for wrong in [
        "/ack/x",
        made_up.as_str(),
        "/ack/%00%00",
        "/ack/%F0%9F%A6%80",
        "/ack/%3Cscript%3E",
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = visit(&muster, method, wrong).await;
            assert_eq!(answer.status.as_u16(), 404, "{wrong}");
            assert!(answer.text.contains("expired"), "{wrong}: {}", answer.text);
        }
    }
    muster.clock.advance(Duration::from_hours(8 * 24));
    assert_eq!(visit(&muster, Method::POST, &link).await.status.as_u16(), 404);
    assert_eq!(status(&muster, &id).await, "triggered");
}

#[store::both_engines]
async fn the_outbox_does_not_give_the_link_away(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    let link = link_in(&server.mail());
    let sends = muster.get(&format!("/outbox/sends?incident_id={id}")).await;
    sends.good();
    assert!(!sends.text.contains(&link), "{}", sends.text);
}

#[store::both_engines]
async fn the_senders_runbook_is_on_the_page(engine: Engine) {
    let paging = Paging::new(engine).await;
    let built = paging
        .muster
        .service("card-gateway")
        .levels(vec![vec![paging.maya()]])
        .build()
        .await;
    let event = json!({
        "routing_key": built.integration_key,
        "event_action": "trigger",
        "links": [{ "href": "https://wiki.example/till?a=1", "text": "Runbook\nAcknowledge" }],
        "payload": { "summary": "Terminal silent", "source": "till-1", "severity": "critical" },
    });
    let request = axum::http::Request::post("/v2/enqueue")
        .body(axum::body::Body::from(event.to_string()))
        .unwrap();
    paging.muster.send(request).await.with_status(202);
    paging.muster.take_signals().await;
    let words = paging.server.mail().text();
    assert!(
        words.contains("Runbook Acknowledge: https://wiki.example/till?a=1"),
        "{words}"
    );
}

/// What they were paged for goes on as the incident that it became part of.
#[store::both_engines]
async fn the_link_of_a_merged_incident_acknowledges_what_it_became_part_of(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let built = muster.service("card-gateway").build().await;
    let first = open_one(&muster, &built).await;
    let link = link_in(&server.mail());
    muster.trigger(&built, "other", "Switch down").await;
    let all = muster.get("/incidents?date_range=all").await.good();
    let into = all["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] != first.as_str())
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({ "source_incidents": [{ "id": first, "type": "incident_reference" }] });
    muster.put(&format!("/incidents/{into}/merge"), body).await.good();
    muster.settle().await;
    let looked = visit(&muster, Method::GET, &link).await.text;
    assert!(looked.contains("#2, which #1 became part of"), "{looked}");
    assert!(looked.contains("<button"), "{looked}");
    let done = visit(&muster, Method::POST, &link).await.text;
    assert!(done.contains("you have it"), "{done}");
    assert_eq!(status(&muster, &into).await, "acknowledged");
    assert_eq!(status(&muster, &first).await, "resolved");
}
