//! Mail through a real SMTP server.

use std::time::Duration;

use axum::http::Method;
use muster::config::Settings;
use muster::outbox::{self, Channel, HeaderName, NewSend, Purpose, SECRET_LINK, State};
use muster::people::Role;
use muster::timeline::Agent;
use muster::vault::Vault;
use serde_json::json;
use store::{Engine, params, sql};

use super::{message, owe, shown, state};
use crate::harness::TestApp;
use crate::smtp::MailServer;

fn mail(muster: &TestApp, key: &str, address: &str) -> NewSend {
    message(key, Channel::Email, address, muster.app.clock.now())
}

#[store::both_engines]
async fn a_message_owed_twice_arrives_once(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let first = owe(&muster, mail(&muster, "notice:1", "maya@example.org")).await;
    let second = owe(
        &muster,
        mail(&muster, "notice:1", "maya@example.org").words("Other", "words"),
    )
    .await;
    assert_eq!(first, second);
    muster.settle().await;
    let arrived = server.mail();
    assert_eq!(arrived.from, "muster@example.org");
    assert_eq!(arrived.to, ["maya@example.org"]);
    assert_eq!(arrived.header("subject").unwrap(), "Card terminals");
    assert_eq!(arrived.header("auto-submitted").unwrap(), "auto-generated");
    assert_eq!(
        arrived.header("message-id").unwrap(),
        format!("<{first}@example.org>")
    );
    assert_eq!(arrived.header("date").unwrap(), "Tue, 17 Nov 2026 06:00:00 +0000");
    server.no_more_mail();
    let send = shown(&muster, &first).await;
    assert_eq!(send["state"], "sent");
    assert_eq!(send["receipt"], "250 2.0.0 Accepted");
    assert_eq!(send["attempts"][0]["outcome"], "accepted");
}

#[store::both_engines]
async fn a_message_that_is_put_off_arrives_later(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let id = owe(&muster, mail(&muster, "notice:1", "grey@example.org")).await;
    muster.settle().await;
    server.no_more_mail();
    assert_eq!(state(&muster, &id).await, State::Owed);
    muster.pass(Duration::from_mins(1)).await;
    server.mail();
    server.no_more_mail();
    let send = shown(&muster, &id).await;
    let outcomes: Vec<&str> = send["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["put_off", "put_off", "accepted"]);
    assert_eq!(send["state"], "sent");
}

#[store::both_engines]
async fn a_message_that_is_refused_for_good_fails_with_the_reason_and_can_be_tried_again(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let id = owe(&muster, mail(&muster, "notice:1", "refused@example.org")).await;
    muster.pass(Duration::from_hours(1)).await;
    let send = shown(&muster, &id).await;
    assert_eq!(send["state"], "failed");
    assert_eq!(send["attempt_count"], 1);
    let reason = send["last_error"].as_str().unwrap();
    assert!(reason.contains("No such person here"), "{reason}");
    let again = muster
        .post(&format!("/outbox/sends/{id}/retry"), json!({}))
        .await
        .good();
    assert_eq!(again["send"]["state"], "owed");
    muster.settle().await;
    assert_eq!(shown(&muster, &id).await["attempt_count"], 2);
    let path = format!("/outbox/sends/{id}/retry");
    let agent = muster.person("Tom Lee", "tom@example.org", Role::Responder).await;
    muster
        .as_person(&agent, Method::POST, &path, None)
        .await
        .with_status(403);
}

#[store::both_engines]
async fn what_is_put_off_for_ever_fails_at_its_deadline(engine: Engine) {
    let muster = {
        let server = MailServer::start();
        TestApp::with_settings(engine, server.settings()).await
    };
    let now = muster.app.clock.now();
    let mut page = message("page:1", Channel::Email, "maya@example.org", now);
    page.purpose = Purpose::Page;
    let id = owe(&muster, page).await;
    muster.settle().await;
    assert_eq!(state(&muster, &id).await, State::Owed);
    for _ in 0..70 {
        muster.clock.advance(Duration::from_mins(1));
        muster.settle().await;
    }
    let send = shown(&muster, &id).await;
    assert_eq!(send["state"], "failed");
    assert!(send["last_error"].as_str().unwrap().len() > 10, "{send}");
}

#[store::both_engines]
async fn a_message_that_is_withdrawn_in_time_never_leaves(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let mut later = mail(&muster, "notice:1", "maya@example.org");
    later.due_at += Duration::from_mins(1);
    let id = owe(&muster, later).await;
    let ids = vec![id.clone()];
    muster
        .app
        .change(Agent::muster(), move |change| outbox::cancel(change, &ids))
        .await
        .unwrap();
    muster.pass(Duration::from_mins(2)).await;
    server.no_more_mail();
    assert_eq!(state(&muster, &id).await, State::Cancelled);
}

/// A process that dies between its claim and its record: the message is tried once more, after the lease.
#[store::both_engines]
async fn a_claim_whose_process_died_is_taken_up_once(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let id = owe(&muster, mail(&muster, "notice:1", "maya@example.org")).await;
    let now = muster.app.clock.now();
    let claimed = muster
        .app
        .store
        .write(move |tx| outbox::store::claim(tx, Channel::Email, now, 10))
        .await
        .unwrap();
    assert_eq!(claimed.len(), 1);
    muster.pass(Duration::from_secs(50)).await;
    server.no_more_mail();
    muster.pass(Duration::from_mins(1)).await;
    server.mail();
    muster.pass(Duration::from_mins(10)).await;
    server.no_more_mail();
    let send = shown(&muster, &id).await;
    assert_eq!(send["state"], "sent");
    assert_eq!(send["attempts"][0]["outcome"], "unknown");
    assert_eq!(send["attempts"][1]["outcome"], "accepted");
}

#[store::both_engines]
async fn hostile_words_cannot_add_a_header_or_a_recipient(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let mut hostile = mail(&muster, "notice:1", "maya@example.org")
        .words(
            "Down\r\nBcc: all@example.org\r\n\r\nX",
            ".\r\n.\r\nMAIL FROM:<x@example.org>\r\n",
        )
        .header(
            HeaderName::ListUnsubscribe,
            "<https://muster.example.org/u/1>\r\nBcc: all@example.org",
        );
    hostile.recipient.name = "Maya\r\nBcc: all@example.org <b@example.org>,".to_owned();
    let id = owe(&muster, hostile).await;
    muster.settle().await;
    let arrived = server.mail();
    assert_eq!(arrived.to, ["maya@example.org"]);
    assert_eq!(arrived.header("bcc"), None, "{}", arrived.content);
    assert!(arrived.header("list-unsubscribe").is_some());
    server.no_more_mail();
    assert_eq!(state(&muster, &id).await, State::Sent);
    for address in ["", "nobody", "a@b\r\nRCPT TO:<c@d>", "<a@b>, c@d"] {
        let id = owe(&muster, mail(&muster, &format!("to {address}"), address)).await;
        muster.settle().await;
        assert_eq!(state(&muster, &id).await, State::Failed, "{address}");
    }
    server.no_more_mail();
}

#[store::both_engines]
async fn a_secret_link_is_mailed_and_then_forgotten(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let send = mail(&muster, "notice:1", "maya@example.org")
        .words("Prove it", format!("Open {SECRET_LINK} please."))
        .secret_link("https://muster.example.org/ack/SECRET");
    let id = owe(&muster, send).await;
    muster.settle().await;
    assert!(
        server
            .mail()
            .text()
            .contains("Open https://muster.example.org/ack/SECRET please.")
    );
    let send = shown(&muster, &id).await;
    assert_eq!(send["body"], "Open (the recipient's own link) please.");
}

#[store::both_engines]
async fn a_secret_link_lies_sealed_until_it_is_mailed(engine: Engine) {
    let directory = tempfile::tempdir().unwrap();
    let vault = Vault::with_own_key_file(&directory.path().join("secret.key")).unwrap();
    let server = MailServer::start();
    let settings = Settings {
        vault,
        ..server.settings()
    };
    let muster = TestApp::with_settings(engine, settings).await;
    let send = mail(&muster, "notice:1", "maya@example.org")
        .words("Prove it", format!("Open {SECRET_LINK} please."))
        .secret_link("https://muster.example.org/ack/SECRET");
    owe(&muster, send).await;
    let (stored,): (String,) = muster
        .app
        .store
        .read(|tx| tx.one(sql!("SELECT secret_link FROM sends"), params![]))
        .await
        .unwrap();
    assert!(
        stored.starts_with("sealed:1:") && !stored.contains("SECRET"),
        "{stored}"
    );
    muster.settle().await;
    assert!(server.mail().text().contains("/ack/SECRET please."));
}

#[store::both_engines]
async fn without_a_mail_server_messages_are_shown_in_the_outbox(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let id = owe(&muster, mail(&muster, "notice:1", "maya@example.org")).await;
    muster.settle().await;
    assert_eq!(state(&muster, &id).await, State::Shown);
    let listed = muster
        .get("/outbox/sends?states[]=shown&purposes[]=notice&total=true")
        .await
        .good();
    assert_eq!(listed["total"], 1);
    assert_eq!(listed["sends"][0]["subject"], "Card terminals");
    assert_eq!(listed["sends"][0]["attempts"], json!(null));
    muster.get("/outbox/sends?states[]=lost").await.with_status(400);
    muster.get("/outbox/sends/QNOSUCH").await.with_status(404);
}

#[store::both_engines]
async fn the_loop_sends_while_muster_runs_and_finishes_when_it_stops(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    let lane = tokio::spawn(outbox::sender::run(muster.app.clone(), Channel::Email));
    for number in 0..60 {
        owe(
            &muster,
            mail(&muster, &format!("notice:{number}"), "maya@example.org"),
        )
        .await;
    }
    let sent = || muster.get("/outbox/sends?states[]=sent&total=true");
    while sent().await.good()["total"] != 60 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    muster.app.stopping.cancel();
    lane.await.unwrap();
    for _ in 0..60 {
        server.mail();
    }
    server.no_more_mail();
}
