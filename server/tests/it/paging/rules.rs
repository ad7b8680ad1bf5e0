//! The times and ways of pages.

use std::time::Duration;

use axum::http::Method;
use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::{add_rule, link_in, open_one, pages, remove_rules};
use crate::harness::TestApp;
use crate::smtp::MailServer;

const MINUTE: Duration = Duration::from_mins(1);

#[store::both_engines]
async fn a_page_says_what_broke_and_arrives_by_each_rule_at_its_time(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    add_rule(
        &muster,
        &muster.owner.id,
        "email_contact_method",
        "maya@home.example",
        3,
    )
    .await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    let page = server.mail();
    assert_eq!(page.to, ["maya@example.org"]);
    assert_eq!(
        page.header("subject").unwrap(),
        "[High] Terminal silent (#1, card-gateway)"
    );
    let text = page.text();
    for words in [
        "Terminal silent",
        "Service:  card-gateway",
        "Urgency:  High",
        "Tue 17 Nov, 06:00 (Europe/London)",
        &format!("https://muster.example.org/console/incidents/{id}"),
    ] {
        assert!(text.contains(words), "{words} is missing in {text}");
    }
    muster.pass(2 * MINUTE).await;
    server.no_more_mail();
    muster.pass(MINUTE).await;
    assert_eq!(server.mail().to, ["maya@home.example"]);
    muster.pass(30 * MINUTE).await;
    server.no_more_mail();
    let entries = muster
        .get(&format!("/incidents/{id}/log_entries"))
        .await
        .good()
        .to_string();
    assert!(entries.contains("notify"), "{entries}");
}

#[store::both_engines]
async fn whoever_is_acknowledged_for_is_not_paged_any_further(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    add_rule(
        &muster,
        &muster.owner.id,
        "email_contact_method",
        "maya@home.example",
        3,
    )
    .await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    server.mail();
    let body = json!({"incident": {"type": "incident_reference", "status": "acknowledged"}});
    muster.put(&format!("/incidents/{id}"), body).await.good();
    muster.pass(10 * MINUTE).await;
    server.no_more_mail();
    assert_eq!(
        pages(&muster, &id).await,
        [("maya@example.org".to_owned(), "sent".to_owned())]
    );
}

#[store::both_engines]
async fn a_page_that_the_mail_server_puts_off_is_withdrawn_when_somebody_else_acknowledges(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let grey = muster.person("Grey", "grey@example.org", Role::Responder).await;
    let built = muster
        .service("card-gateway")
        .levels(vec![vec![grey.id]])
        .build()
        .await;
    let id = open_one(&muster, &built).await;
    assert_eq!(
        pages(&muster, &id).await,
        [("grey@example.org".to_owned(), "owed".to_owned())]
    );
    let body = json!({"incident": {"type": "incident_reference", "status": "resolved"}});
    muster.put(&format!("/incidents/{id}"), body).await.good();
    muster.pass(10 * MINUTE).await;
    server.no_more_mail();
    assert_eq!(
        pages(&muster, &id).await,
        [("grey@example.org".to_owned(), "cancelled".to_owned())]
    );
}

#[store::both_engines]
async fn the_next_level_is_paged_when_the_first_does_not_answer_and_again_when_an_acknowledgement_lapses(
    engine: Engine,
) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Responder)
        .await;
    let tomasz = muster
        .person("Tomasz Zielinski", "tomasz@example.org", Role::Responder)
        .await;
    let built = muster
        .service("card-gateway")
        .levels(vec![vec![priya.id.clone()], vec![tomasz.id.clone()]])
        .acknowledgement_timeout(1_800)
        .build()
        .await;
    let id = open_one(&muster, &built).await;
    assert_eq!(server.mail().to, ["priya@example.org"]);
    muster.pass(5 * MINUTE).await;
    assert_eq!(server.mail().to, ["tomasz@example.org"]);
    let body = json!({"incident": {"type": "incident_reference", "status": "acknowledged"}});
    muster
        .as_person(&tomasz, Method::PUT, &format!("/incidents/{id}"), Some(body))
        .await
        .good();
    muster.pass(29 * MINUTE).await;
    server.no_more_mail();
    muster.pass(2 * MINUTE).await;
    assert_eq!(server.mail().to, ["tomasz@example.org"]);
}

#[store::both_engines]
async fn nobody_goes_unpaged_for_want_of_rules(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Responder)
        .await;
    remove_rules(&muster, &priya).await;
    let built = muster
        .service("card-gateway")
        .levels(vec![vec![priya.id]])
        .build()
        .await;
    open_one(&muster, &built).await;
    assert_eq!(server.mail().to, ["priya@example.org"]);
}

#[store::both_engines]
async fn a_page_that_is_refused_stands_on_the_timeline_and_the_escalation_goes_on(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let gone = muster
        .person("Gone", "refused@example.org", Role::Responder)
        .await;
    let built = muster
        .service("card-gateway")
        .levels(vec![vec![gone.id], vec![muster.owner.id.clone()]])
        .build()
        .await;
    let id = open_one(&muster, &built).await;
    assert_eq!(
        pages(&muster, &id).await,
        [("refused@example.org".to_owned(), "failed".to_owned())]
    );
    muster.pass(5 * MINUTE).await;
    assert_eq!(server.mail().to, ["maya@example.org"]);
}

#[store::both_engines]
async fn two_people_are_paged_at_once_and_told_of_each_other(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Responder)
        .await;
    let people = vec![priya.id, muster.owner.id.clone()];
    let built = muster.service("card-gateway").levels(vec![people]).build().await;
    open_one(&muster, &built).await;
    let (first, second) = (server.mail(), server.mail());
    let (to_maya, to_priya) = if first.to == ["maya@example.org"] {
        (first, second)
    } else {
        (second, first)
    };
    assert!(
        to_maya.text().contains("Also paged: Priya Raman"),
        "{}",
        to_maya.text()
    );
    assert!(
        to_priya.text().contains("Also paged: Maya Okafor"),
        "{}",
        to_priya.text()
    );
    assert_ne!(link_in(&to_maya), link_in(&to_priya));
}

#[store::both_engines]
async fn low_urgency_is_paged_by_its_own_rules_and_a_rise_begins_the_others(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    add_rule(
        &muster,
        &muster.owner.id,
        "email_contact_method",
        "maya@home.example",
        2,
    )
    .await;
    let built = muster.service("card-gateway").low_urgency().build().await;
    let id = open_one(&muster, &built).await;
    assert!(server.mail().header("subject").unwrap().starts_with("[Low]"));
    muster.pass(10 * MINUTE).await;
    server.no_more_mail();
    let body = json!({"incident": {"type": "incident_reference", "urgency": "high"}});
    muster.put(&format!("/incidents/{id}"), body).await.good();
    muster.settle().await;
    assert_eq!(server.mail().to, ["maya@example.org"]);
    muster.pass(2 * MINUTE).await;
    assert_eq!(server.mail().to, ["maya@home.example"]);
}

#[store::both_engines]
async fn somebody_whose_help_is_asked_for_is_paged_too(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Responder)
        .await;
    let built = muster.service("card-gateway").build().await;
    let id = open_one(&muster, &built).await;
    server.mail();
    let body = json!({
        "requester_id": muster.owner.id,
        "message": "Please look at the gateway",
        "responder_request_targets": [
            {"responder_request_target": {"id": priya.id, "type": "user_reference"}}
        ],
    });
    muster
        .post(&format!("/incidents/{id}/responder_requests"), body)
        .await
        .good();
    muster.settle().await;
    let page = server.mail();
    assert_eq!(page.to, ["priya@example.org"]);
    assert!(
        page.text().contains("Please look at the gateway"),
        "{}",
        page.text()
    );
}
