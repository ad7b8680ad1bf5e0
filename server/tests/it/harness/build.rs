//! Builders: what a test needs to stand before it begins.

use muster::app::App;
use muster::people::UserId;
use muster::timeline::Agent;
use serde_json::json;
use store::{params, sql};

use super::TestApp;

/// A technical service with one integration and a policy of one level for each of `levels`.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) service_id: String,
    pub(crate) integration_key: String,
    pub(crate) policy_id: String,
}

pub(crate) struct ServiceBuilder<'a> {
    muster: &'a TestApp,
    name: String,
    levels: Vec<Vec<UserId>>,
    delay_in_minutes: u32,
    num_loops: i64,
    grouping: serde_json::Value,
    urgency: &'static str,
    acknowledgement_timeout: Option<i64>,
}

impl TestApp {
    /// Begins a service whose only responder is the owner.
    pub(crate) fn service(&self, name: &str) -> ServiceBuilder<'_> {
        ServiceBuilder {
            muster: self,
            name: name.to_owned(),
            levels: vec![vec![self.owner.id.clone()]],
            delay_in_minutes: 5,
            num_loops: 0,
            grouping: json!({ "grouping": { "type": "off" } }),
            urgency: "high",
            acknowledgement_timeout: None,
        }
    }

    /// Sends a trigger and waits until it has become an alert; gives the answer's key.
    pub(crate) async fn trigger(&self, built: &Built, dedup_key: &str, summary: &str) -> String {
        let answer = self
            .enqueue(built, "trigger", dedup_key, summary)
            .await
            .with_status(202);
        self.take_signals().await;
        answer["dedup_key"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn enqueue(
        &self,
        built: &Built,
        action: &str,
        dedup_key: &str,
        summary: &str,
    ) -> super::Answer {
        let body = json!({
            "routing_key": built.integration_key,
            "event_action": action,
            "dedup_key": dedup_key,
            "payload": { "summary": summary, "source": "till-1.leeds", "severity": "critical" },
        });
        let request = axum::http::Request::post("/v2/enqueue")
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    /// Reports that a service was changed just now.
    pub(crate) async fn changed(&self, built: &Built, summary: &str) {
        let body = json!({ "routing_key": built.integration_key, "payload": { "summary": summary } });
        let request = axum::http::Request::post("/v2/change/enqueue")
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        self.send(request).await.with_status(202);
        self.take_signals().await;
    }

    /// Turns what waits in the journal into alerts and incidents, and does the jobs that follow.
    pub(crate) async fn take_signals(&self) {
        while muster::signals::intake::take_waiting(&self.app).await.unwrap() > 0 {}
        self.settle().await;
    }
}

impl ServiceBuilder<'_> {
    pub(crate) fn levels(mut self, levels: Vec<Vec<UserId>>) -> Self {
        self.levels = levels;
        self
    }

    pub(crate) fn loops(mut self, num_loops: i64) -> Self {
        self.num_loops = num_loops;
        self
    }

    pub(crate) fn grouping(mut self, grouping: serde_json::Value) -> Self {
        self.grouping = json!({ "grouping": grouping });
        self
    }

    /// Every alert joins the incident that is open.
    pub(crate) fn all_in_one(self) -> Self {
        self.grouping(json!({ "type": "time", "config": { "timeout": 0 } }))
    }

    pub(crate) fn low_urgency(mut self) -> Self {
        self.urgency = "low";
        self
    }

    pub(crate) fn urgency_by_severity(mut self) -> Self {
        self.urgency = "severity_based";
        self
    }

    pub(crate) fn acknowledgement_timeout(mut self, seconds: i64) -> Self {
        self.acknowledgement_timeout = Some(seconds);
        self
    }

    pub(crate) async fn build(self) -> Built {
        let rules: Vec<serde_json::Value> = self
            .levels
            .iter()
            .enumerate()
            .map(|(level, people)| {
                json!({
                    "id": format!("rule-{level}"),
                    "delay_in_minutes": self.delay_in_minutes,
                    "strategy": "assign_to_everyone",
                    "targets": people.iter().map(|id| json!({ "kind": "user", "id": id })).collect::<Vec<_>>(),
                })
            })
            .collect();
        let name = self.name.clone();
        let (grouping, urgency, timeout) =
            (self.grouping.clone(), self.urgency, self.acknowledgement_timeout);
        let num_loops = self.num_loops;
        let app: &App = &self.muster.app;
        app.change(Agent::muster(), move |change| -> Result<Built, store::Error> {
            let policy_id: String = change.identifier();
            let service_id: String = change.identifier();
            let integration_id: String = change.identifier();
            let integration_key = muster::access::token::integration_key();
            let now = change.now;
            change.tx.execute(
                sql!(
                    "INSERT INTO escalation_policies (id, name, num_loops, on_call_handoff_notifications, rules, created_at)
                     VALUES ($1, $2, $3, 'if_has_services', $4, $5)"
                ),
                params![&policy_id, format!("{name} policy"), num_loops, json!(rules), now],
            )?;
            change.tx.execute(
                sql!(
                    "INSERT INTO services (id, name, escalation_policy_id, disabled, acknowledgement_timeout,
                         incident_urgency_rule, scheduled_actions, alert_grouping, auto_pause, created_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                ),
                params![
                    &service_id,
                    &name,
                    &policy_id,
                    false,
                    timeout,
                    json!({ "type": "constant", "urgency": urgency }),
                    json!([]),
                    grouping.clone(),
                    json!({ "enabled": false, "timeout": 0 }),
                    now
                ],
            )?;
            change.tx.execute(
                sql!(
                    "INSERT INTO integrations (id, service_id, type, name, integration_key, key_hash, created_at)
                     VALUES ($1, $2, 'events_api_v2_inbound_integration', 'Prometheus', $3, $4, $5)"
                ),
                params![
                    &integration_id,
                    &service_id,
                    &integration_key,
                    muster::access::token::hash(&integration_key),
                    now
                ],
            )?;
            Ok(Built { service_id, integration_key, policy_id })
        })
        .await
        .unwrap()
    }
}

impl TestApp {
    /// A touchpoint that customers know, standing on a technical service.
    pub(crate) async fn touchpoint(&self, name: &str, supporting_id: &str, loss_per_hour: i64) -> String {
        let (name, supporting_id) = (name.to_owned(), supporting_id.to_owned());
        self.app
            .change(Agent::muster(), move |change| -> Result<String, store::Error> {
                let id: String = change.identifier();
                let edge: String = change.identifier();
                let now = change.now;
                change.tx.execute(
                    sql!(
                        "INSERT INTO business_services (id, name, harm_weight, loss_per_hour, currency, customer_words,
                             fallback, words_to_say, created_at)
                         VALUES ($1, $2, 90, $3, 'GBP', $4, 'Take cash, or hold the basket until tomorrow.', $5, $6)"
                    ),
                    params![
                        &id,
                        &name,
                        loss_per_hour,
                        "I cannot pay by card in the shop; the card reader says offline",
                        format!("{name} do not work just now. This is us and not your card."),
                        now
                    ],
                )?;
                change.tx.execute(
                    sql!(
                        "INSERT INTO service_dependencies (id, supporting_type, supporting_id, dependent_type, dependent_id, created_at)
                         SELECT $1, CASE WHEN EXISTS (SELECT 1 FROM services WHERE id = $2) THEN 'service' ELSE 'business_service' END,
                             $2, 'business_service', $3, $4"
                    ),
                    params![edge, &supporting_id, &id, now],
                )?;
                Ok(id)
            })
            .await
            .unwrap()
    }

    /// A region with sites in it that use a touchpoint; gives the sites' ids.
    pub(crate) async fn sites(&self, region: &str, names: &[&str], touchpoint_id: &str) -> Vec<String> {
        let body = json!({ "location": { "name": region, "kind": "region" } });
        let region = self.post("/locations", body).await.good()["location"]["id"].clone();
        let mut sites = Vec::new();
        for name in names {
            let body = json!({ "location": {
                "name": name, "kind": "site", "parent": { "id": region },
                "services": [{ "id": touchpoint_id, "type": "business_service_reference" }],
                "takings_per_hour": 10_000, "currency": "GBP",
            } });
            let answer = self.post("/locations", body).await.good();
            sites.push(answer["location"]["id"].as_str().unwrap().to_owned());
        }
        sites
    }

    /// A case, reported over the API; gives the whole case.
    pub(crate) async fn case(&self, fields: serde_json::Value) -> serde_json::Value {
        self.post("/cases", json!({ "case": fields }))
            .await
            .with_status(201)["case"]
            .clone()
    }
}
