//! Pages by webhook: a program is posted the page, and its link answers for the person.

use axum::http::{Method, StatusCode};
use muster::config::{Given, Settings};
use serde_json::{Value, json};
use store::Engine;

use super::acknowledge::visit;
use super::{Paging, add_rule, pages, remove_rules};
use crate::harness::{Person, TestApp};
use crate::outbox::webhooks::receiver;
use crate::smtp::MailServer;

/// A Muster that mails, and may post to this machine.
async fn paging(engine: Engine) -> Paging {
    let server = MailServer::start();
    let loopback = Given {
        allowed_networks: vec!["127.0.0.0/8".to_owned()],
        ..Given::default()
    };
    let settings = Settings {
        allowed_networks: loopback.check().unwrap().allowed_networks,
        ..server.settings()
    };
    Paging {
        muster: TestApp::with_settings(engine, settings).await,
        server,
    }
}

/// Somebody who is paged by a webhook alone.
async fn hooked(paging: &Paging, address: &str) -> Person {
    let priya = paging.priya().await;
    remove_rules(&paging.muster, &priya).await;
    add_rule(&paging.muster, &priya.id, "webhook_contact_method", address, 0).await;
    priya
}

async fn page_of(paging: &Paging, incident: &str, address: &str) -> Value {
    let path = format!("/outbox/sends?incident_id={incident}&purposes[]=page");
    let sends = paging.muster.get(&path).await.good();
    let sends = sends["sends"].as_array().unwrap();
    let id = sends.iter().find(|one| one["address"] == address).unwrap()["id"].clone();
    let path = format!("/outbox/sends/{}", id.as_str().unwrap());
    paging.muster.get(&path).await.good()["send"].clone()
}

#[store::both_engines]
async fn a_webhook_is_posted_the_page_and_its_link_acknowledges(engine: Engine) {
    let (address, received) = receiver().await;
    let paging = paging(engine).await;
    let priya = hooked(&paging, &address).await;
    let id = paging.open(vec![vec![priya.id.clone()]]).await;
    paging.server.no_more_mail();
    let (headers, body) = received.lock().unwrap().pop().expect("nothing was posted");
    let posted: Value = serde_json::from_slice(&body).unwrap();
    let send = &posted["send"];
    assert_eq!(send["purpose"], "page");
    assert_eq!(send["incident_id"], id);
    assert_eq!(
        send["recipient"],
        json!({ "id": priya.id, "name": "Priya Raman" })
    );
    assert_eq!(send["subject"], "[High] Terminal silent (#1, card-gateway)");
    assert_eq!(headers["x-webhook-id"], send["id"].as_str().unwrap());
    let link = send["link"].as_str().unwrap();
    assert!(send["text"].as_str().unwrap().contains(link), "{send}");

    let kept = page_of(&paging, &id, &address).await;
    assert_eq!(kept["state"], "sent");
    assert_eq!(kept["receipt"], "200 thank you");
    let attempts = kept["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    assert_eq!(
        (
            &attempts[0]["number"],
            &attempts[0]["outcome"],
            &attempts[0]["detail"]
        ),
        (&json!(1), &json!("accepted"), &json!("200 thank you"))
    );
    assert!(!kept.to_string().contains(link), "the outbox gives the link away");

    let path = link.trim_start_matches("https://muster.example.org");
    let answered = visit(&paging.muster, Method::POST, path).await;
    assert_eq!(answered.status, StatusCode::OK);
    let incident = paging.muster.get(&format!("/incidents/{id}")).await.good()["incident"].clone();
    assert_eq!(incident["status"], "acknowledged");
    assert_eq!(
        incident["acknowledgements"][0]["acknowledger"]["id"],
        priya.id.as_str()
    );
    paging.pass_minutes(60).await;
    paging.server.no_more_mail();
    assert!(
        received.lock().unwrap().is_empty(),
        "who has acknowledged is left alone"
    );
}

#[store::both_engines]
async fn a_webhook_whose_address_is_gone_is_not_the_end_of_it(engine: Engine) {
    let (address, _) = receiver().await;
    let gone = format!("{address}/gone");
    let paging = paging(engine).await;
    let priya = hooked(&paging, &gone).await;
    let id = paging.open(vec![vec![priya.id]]).await;
    paging.next_page_is_for("priya@example.org");
    paging.server.no_more_mail();
    let made = [
        (gone.clone(), "failed".to_owned()),
        ("priya@example.org".to_owned(), "sent".to_owned()),
    ];
    assert_eq!(pages(&paging.muster, &id).await, made);
    let kept = page_of(&paging, &id, &gone).await;
    assert_eq!(kept["last_error"], "410 nobody here");
    assert_eq!(kept["attempts"][0]["outcome"], "refused");
}

#[store::both_engines]
async fn a_webhook_that_is_busy_is_tried_again_and_each_attempt_is_shown(engine: Engine) {
    let (address, _) = receiver().await;
    let busy = format!("{address}/busy");
    let paging = paging(engine).await;
    let priya = hooked(&paging, &busy).await;
    let id = paging.open(vec![vec![priya.id]]).await;
    paging.pass_minutes(1).await;
    let kept = page_of(&paging, &id, &busy).await;
    assert_eq!(kept["state"], "owed");
    let attempts = kept["attempts"].as_array().unwrap();
    assert!(attempts.len() >= 3, "{attempts:?}");
    for (attempt, number) in attempts.iter().zip(1..) {
        assert_eq!(
            (&attempt["number"], &attempt["outcome"], &attempt["detail"]),
            (&json!(number), &json!("put_off"), &json!("503 later"))
        );
    }
}
