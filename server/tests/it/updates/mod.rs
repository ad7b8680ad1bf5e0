//! From the facts of an incident to what each audience is told, and the promises made on the way.

mod promises;
mod shapes;
mod speaking;
mod subscribers;

use axum::http::Method;
use muster::timeline::Agent;
use serde_json::{Value, json};
use store::{Engine, params, sql};

use crate::harness::{Answer, Built, Person, TestApp};
use muster::people::Role;

pub(crate) const CUSTOMERS: &str = "QA1000000CUSTO";
pub(crate) const AGENTS: &str = "QA2000000AGENT";

/// A touchpoint that stands on the service, with what staff do and say.
pub(crate) async fn touchpoint(muster: &TestApp, built: &Built, name: &str) -> String {
    let (service_id, name) = (built.service_id.clone(), name.to_owned());
    muster
        .app
        .change(Agent::muster(), move |change| -> Result<String, store::Error> {
            let id: String = change.identifier();
            let dependency_id: String = change.identifier();
            change.tx.execute(
                sql!(
                    "INSERT INTO business_services (id, name, harm_weight, loss_per_hour, currency, fallback, words_to_say, created_at)
                     VALUES ($1, $2, 80, 0, 'EUR', 'Pay with cash, or we hold your basket.', 'I am sorry. It is us, not your card.', $3)"
                ),
                params![&id, &name, change.now],
            )?;
            change.tx.execute(
                sql!(
                    "INSERT INTO service_dependencies (id, supporting_type, supporting_id, dependent_type, dependent_id, created_at)
                     VALUES ($1, 'service', $2, 'business_service', $3, $4)"
                ),
                params![&dependency_id, &service_id, &id, change.now],
            )?;
            Ok(id)
        })
        .await
        .unwrap()
}

/// An incident that hurts card payments.
pub(crate) async fn outage(muster: &TestApp) -> (Built, String) {
    let built = muster.service("store-edge").build().await;
    touchpoint(muster, &built, "Card payments").await;
    muster
        .trigger(&built, "till-1", "store-edge 4.18.0 refuses terminals")
        .await;
    let incidents = muster.get("/incidents?date_range=all").await.good();
    (
        built,
        incidents["incidents"][0]["id"].as_str().unwrap().to_owned(),
    )
}

pub(crate) async fn draft(muster: &TestApp, incident: &str, audience: &str) -> Value {
    let updates = muster.get(&format!("/incidents/{incident}/updates")).await.good();
    let list = updates["updates"].as_array().unwrap().clone();
    list.into_iter()
        .find(|one| one["audience"]["id"] == audience && one["state"] != "published")
        .unwrap_or_else(|| panic!("no draft for {audience}: {updates}"))
}

fn id(update: &Value) -> &str {
    update["id"].as_str().unwrap()
}

pub(crate) async fn approve(muster: &TestApp, update: &Value) -> Answer {
    muster
        .post(
            &format!("/updates/{}/approve", id(update)),
            json!({ "facts_revision": update["facts_revision"] }),
        )
        .await
}

pub(crate) async fn publish(muster: &TestApp, update: &Value) -> Answer {
    muster
        .as_person(
            &muster.owner,
            Method::POST,
            &format!("/updates/{}/publish", id(update)),
            None,
        )
        .await
}

/// Approves and publishes what stands in the draft for customers.
pub(crate) async fn tell_customers(muster: &TestApp, incident: &str) -> Value {
    let update = draft(muster, incident, CUSTOMERS).await;
    approve(muster, &update).await.good();
    let told = publish(muster, &update).await.good()["update"].clone();
    muster.settle().await;
    told
}

pub(crate) async fn resolve(muster: &TestApp, incident: &str) {
    muster
        .put(
            &format!("/incidents/{incident}"),
            json!({ "incident": { "type": "incident_reference", "status": "resolved" } }),
        )
        .await
        .good();
    muster.settle().await;
}

pub(crate) async fn entries(muster: &TestApp, incident: &str) -> Vec<(String, String)> {
    let incident = incident.to_owned();
    let entries = muster
        .app
        .read(move |tx| muster::timeline::store::of_incident(tx, &incident.as_str().into()))
        .await
        .map_err(|error: store::Error| error)
        .unwrap();
    entries
        .into_iter()
        .map(|entry| (entry.kind.as_text().to_owned(), entry.text))
        .collect()
}

async fn state(muster: &TestApp, incident: &str, facts: Value) -> Answer {
    let answer = muster
        .put(&format!("/incidents/{incident}/facts"), json!({ "facts": facts }))
        .await;
    muster.settle().await;
    answer
}

#[store::both_engines]
async fn an_incident_that_customers_feel_gets_a_draft_for_every_audience(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let customers = draft(&muster, &incident, CUSTOMERS).await;
    assert_eq!(
        customers["words"],
        "We have a problem with Card payments. It began at 06:00 UTC. We are looking into it.\n\n\
         Until then: Pay with cash, or we hold your basket.\n\nWe will tell you more by 06:20 UTC."
    );
    assert_eq!(customers["findings"], json!([]));
    let agents = draft(&muster, &incident, AGENTS).await;
    let words = agents["words"].as_str().unwrap();
    assert!(
        words.contains("store-edge 4.18.0") && words.contains("Say: I am sorry."),
        "{words}"
    );
}

#[store::both_engines]
async fn an_incident_that_nobody_outside_notices_gets_none_until_somebody_says_so(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("nightly-report").build().await;
    muster.trigger(&built, "job-1", "Report is late").await;
    let incident = muster.get("/incidents?date_range=all").await.good()["incidents"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let updates = muster.get(&format!("/incidents/{incident}/updates")).await.good();
    assert_eq!(updates["updates"], json!([]));
    state(
        &muster,
        &incident,
        json!({ "symptom": "Yesterday's figures are missing" }),
    )
    .await
    .good();
    let words = draft(&muster, &incident, CUSTOMERS).await["words"].clone();
    assert!(
        words
            .as_str()
            .unwrap()
            .starts_with("Yesterday's figures are missing."),
        "{words}"
    );
}

#[store::both_engines]
async fn changed_facts_take_an_approval_back_and_say_what_changed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let update = draft(&muster, &incident, CUSTOMERS).await;
    approve(&muster, &update).await.good();
    state(&muster, &incident, json!({ "workaround": "Take cash only" }))
        .await
        .good();
    let now = draft(&muster, &incident, CUSTOMERS).await;
    assert_eq!(
        (now["state"].as_str(), &now["approved_by"]),
        (Some("draft"), &Value::Null)
    );
    assert!(now["words"].as_str().unwrap().contains("Take cash only."));
    let withdrawn: Vec<String> = entries(&muster, &incident)
        .await
        .into_iter()
        .filter(|(kind, _)| kind == "approval_withdrawn")
        .map(|(_, text)| text)
        .collect();
    assert_eq!(
        withdrawn,
        [
            "The approval of the words for Customers was withdrawn, because workaround changed from \
          “Pay with cash, or we hold your basket.” to “Take cash only”."
        ]
    );
    publish(&muster, &update).await.with_status(409);
    approve(&muster, &update).await.with_status(409);
    approve(&muster, &now).await.good();
    assert_eq!(
        publish(&muster, &now).await.good()["update"]["state"],
        "published"
    );
}

#[store::both_engines]
async fn a_persons_own_words_are_kept_when_facts_change_and_must_be_read_again(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let update = draft(&muster, &incident, AGENTS).await;
    let path = format!("/updates/{}", id(&update));
    let own = json!({ "update": { "words": "Link every case. Next word by 06:20." } });
    muster.put(&path, own.clone()).await.good();
    state(&muster, &incident, json!({ "phase": "identified" }))
        .await
        .good();
    let now = draft(&muster, &incident, AGENTS).await;
    assert_eq!(now["words"], "Link every case. Next word by 06:20.");
    assert_eq!(now["changed_facts"][0]["fact"], "phase");
    publish(&muster, &now).await.with_status(409);
    muster.put(&path, own).await.good();
    publish(&muster, &now).await.good();
}

#[store::both_engines]
async fn words_that_must_not_go_out_are_refused_with_their_place(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let update = draft(&muster, &incident, CUSTOMERS).await;
    let path = format!("/updates/{}", id(&update));
    let body =
        json!({ "update": { "words": "We restart store-edge with Maya Okafor. It is fixed by 08:00." } });
    let edited = muster.put(&path, body).await.good()["update"].clone();
    let kinds: Vec<&str> = edited["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "internal_name",
            "person_name",
            "estimate_without_ground",
            "promise_missing"
        ]
    );
    assert_eq!(
        (&edited["findings"][0]["start"], &edited["findings"][0]["end"]),
        (&json!(11), &json!(21))
    );
    let refused = approve(&muster, &edited).await.with_status(400);
    let errors = refused["error"]["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 4);
    assert!(
        errors[0]
            .as_str()
            .unwrap()
            .starts_with("words at 11 (“store-edge”): "),
        "{errors:?}"
    );
    let nowhere = errors[3].as_str().unwrap();
    assert!(
        nowhere.starts_with("words: The words do not say when the next word comes."),
        "a place without words was quoted: {nowhere}"
    );
    publish(&muster, &edited).await.with_status(409);
}

#[store::both_engines]
async fn an_estimate_needs_all_four_parts_and_a_person_who_may_approve(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let half = json!({ "estimate": { "latest": "2026-11-17T08:00:00Z" } });
    let refused = state(&muster, &incident, half).await.with_status(400);
    let errors = refused["error"]["errors"].to_string();
    for part in ["earliest", "confidence", "expires_at"] {
        assert!(errors.contains(&format!("facts.estimate.{part}")), "{errors}");
    }
    let whole = json!({ "estimate": { "earliest": "2026-11-17T08:00:00Z", "latest": "2026-11-17T09:30:00Z",
                                      "confidence": "medium", "expires_at": "2026-11-17T07:00:00Z" } });
    let agent: Person = muster.person("Ana Silva", "ana@example.org", Role::Agent).await;
    muster
        .as_person(
            &agent,
            Method::PUT,
            &format!("/incidents/{incident}/facts"),
            Some(json!({ "facts": whole })),
        )
        .await
        .with_status(403);
    state(&muster, &incident, whole).await.good();
    let said = draft(&muster, &incident, CUSTOMERS).await;
    assert!(
        said["words"]
            .as_str()
            .unwrap()
            .contains("between 08:00 UTC and 09:30 UTC; we are fairly sure."),
        "{said}"
    );
    assert_eq!(said["findings"], json!([]));
    muster.pass(std::time::Duration::from_secs(61 * 60)).await;
    let later = draft(&muster, &incident, CUSTOMERS).await;
    assert!(
        !later["words"].as_str().unwrap().contains("09:30"),
        "an estimate outlived its expiry: {later}"
    );
}

#[store::both_engines]
async fn resolving_ends_the_story_without_another_promise(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    tell_customers(&muster, &incident).await;
    resolve(&muster, &incident).await;
    let last = tell_customers(&muster, &incident).await;
    assert_eq!(
        (last["phase"].as_str(), &last["next_update_by"]),
        (Some("resolved"), &Value::Null)
    );
    let open = muster.get("/promises?open=true").await.good();
    assert_eq!(open["promises"], json!([]));
    let updates = muster.get(&format!("/incidents/{incident}/updates")).await.good();
    let published = updates["updates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["state"] == "published");
    assert_eq!(published.count(), 2);
}
