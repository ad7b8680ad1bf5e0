//! Who is paged when, and how a page is answered.

mod acknowledge;
mod auditor;
mod rules;
mod webhook;

use muster::people::UserId;
use serde_json::{Value, json};

use std::time::Duration;

use muster::people::Role;
use store::Engine;

use crate::harness::{Built, Person, TestApp};
use crate::smtp::{Mail, MailServer};

const MINUTE: Duration = Duration::from_mins(1);

/// A Muster that pages by a mail server in the test's hand.
pub(crate) struct Paging {
    pub(crate) muster: TestApp,
    pub(crate) server: MailServer,
}

impl Paging {
    pub(crate) async fn new(engine: Engine) -> Self {
        let server = MailServer::start();
        let muster = TestApp::with_settings(engine, server.settings()).await;
        Self { muster, server }
    }

    pub(crate) fn maya(&self) -> UserId {
        self.muster.owner.id.clone()
    }

    pub(crate) async fn priya(&self) -> Person {
        self.responder("Priya Raman", "priya@example.org").await
    }

    pub(crate) async fn responder(&self, name: &str, address: &str) -> Person {
        self.muster.person(name, address, Role::Responder).await
    }

    /// Pages Maya at home, too, so many minutes later.
    pub(crate) async fn page_maya_at_home_after(&self, minutes: i64) {
        let home = "maya@home.example";
        add_rule(&self.muster, &self.maya(), "email_contact_method", home, minutes).await;
    }

    /// Opens an incident on a service with these levels and gives its id.
    pub(crate) async fn open(&self, levels: Vec<Vec<UserId>>) -> String {
        let built = self.muster.service("card-gateway").levels(levels).build().await;
        open_one(&self.muster, &built).await
    }

    pub(crate) async fn set(&self, id: &str, field: &str, value: &str) {
        let body = json!({"incident": {"type": "incident_reference", field: value}});
        self.muster.put(&format!("/incidents/{id}"), body).await.good();
        self.muster.settle().await;
    }

    pub(crate) async fn pass_minutes(&self, minutes: u32) {
        self.muster.pass(minutes * MINUTE).await;
    }

    /// Whom the next page that was sent is for.
    #[track_caller]
    pub(crate) fn next_page_is_for(&self, address: &str) {
        assert_eq!(self.server.mail().to, [address]);
    }

    pub(crate) async fn one_page(&self, id: &str, address: &str, state: &str) {
        let expected = [(address.to_owned(), state.to_owned())];
        assert_eq!(pages(&self.muster, id).await, expected);
    }
}

/// Opens an incident on `built` and gives its id.
pub(crate) async fn open_one(muster: &TestApp, built: &Built) -> String {
    muster.trigger(built, "till-1", "Terminal silent").await;
    let incidents = muster.get("/incidents?date_range=all").await.good();
    incidents["incidents"][0]["id"].as_str().unwrap().to_owned()
}

/// Gives somebody one rule more for high urgency, by a new contact method.
pub(crate) async fn add_rule(muster: &TestApp, user_id: &UserId, kind: &str, address: &str, minutes: i64) {
    let method = json!({"contact_method": {"type": kind, "label": "More", "address": address}});
    let method = muster
        .post(&format!("/users/{user_id}/contact_methods"), method)
        .await
        .good();
    let rule = json!({"notification_rule": {
        "type": "assignment_notification_rule",
        "start_delay_in_minutes": minutes,
        "urgency": "high",
        "contact_method": {"id": method["contact_method"]["id"], "type": kind},
    }});
    muster
        .post(&format!("/users/{user_id}/notification_rules"), rule)
        .await
        .good();
}

/// Takes away all rules somebody has.
pub(crate) async fn remove_rules(muster: &TestApp, person: &Person) {
    let path = format!("/users/{}/notification_rules", person.id);
    let rules = muster.get(&path).await.good();
    for rule in rules["notification_rules"].as_array().unwrap() {
        let id = rule["id"].as_str().unwrap();
        muster.delete(&format!("{path}/{id}")).await.good();
    }
}

/// The path of the link that acknowledges.
pub(crate) fn link_in(mail: &Mail) -> String {
    let text = mail.text();
    let start = text
        .find("https://muster.example.org/ack/")
        .expect("no link in the page");
    let link = &text[start..];
    let end = link
        .find(|character: char| character.is_whitespace() || character == '"')
        .unwrap_or(link.len());
    link[..end]
        .trim_start_matches("https://muster.example.org")
        .to_owned()
}

/// The pages of an incident, oldest first: whom, state.
pub(crate) async fn pages(muster: &TestApp, id: &str) -> Vec<(String, String)> {
    let sends = muster
        .get(&format!("/outbox/sends?incident_id={id}&purposes[]=page"))
        .await
        .good();
    let text = |send: &Value, field: &str| send[field].as_str().unwrap().to_owned();
    let sends = sends["sends"].as_array().unwrap().iter().rev();
    sends
        .map(|send| (text(send, "address"), text(send, "state")))
        .collect()
}
