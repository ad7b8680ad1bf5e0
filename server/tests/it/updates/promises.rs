//! A promise nags before it is due, escalates when it is missed, and ends with the next word.

use std::time::Duration;

use muster::http::Problem;
use muster::jobs::{Job, Kind as JobKind, store as job_rows};
use muster::timeline::Change;
use muster::updates::{UpdateId, jobs, promises, publication};
use serde_json::{Value, json};
use store::Engine;

use super::{CUSTOMERS, approve, draft, entries, outage, tell_customers};
use crate::harness::TestApp;
use crate::incidents::race::at_once;

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn about_promises(entries: Vec<(String, String)>) -> Vec<String> {
    entries
        .into_iter()
        .map(|(kind, _)| kind)
        .filter(|kind| kind.starts_with("promise_"))
        .collect()
}

async fn reminders(muster: &TestApp) -> Vec<Value> {
    let sends = muster
        .get("/outbox/sends?purposes[]=reminder&limit=100")
        .await
        .good();
    sends["sends"].as_array().unwrap().clone()
}

#[store::both_engines]
async fn a_kept_promise_is_followed_by_the_next(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let told = tell_customers(&muster, &incident).await;
    assert_eq!(told["next_update_by"], "2026-11-17T06:20:00Z");
    muster.pass(minutes(14)).await;
    assert_eq!(
        about_promises(entries(&muster, &incident).await),
        ["promise_made"]
    );
    muster.pass(minutes(2)).await;
    assert_eq!(
        about_promises(entries(&muster, &incident).await),
        ["promise_made", "promise_due_soon"]
    );
    muster
        .put(
            &format!("/incidents/{incident}/facts"),
            json!({ "facts": { "phase": "identified" } }),
        )
        .await
        .good();
    tell_customers(&muster, &incident).await;
    assert_eq!(
        about_promises(entries(&muster, &incident).await),
        ["promise_made", "promise_due_soon", "promise_kept", "promise_made"]
    );
    let promises = muster
        .get(&format!("/promises?incident_id={incident}"))
        .await
        .good();
    let states: Vec<&str> = promises["promises"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["open", "kept"]);
}

#[store::both_engines]
async fn a_missed_promise_stays_missed_and_is_written_about_until_the_word_comes(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    tell_customers(&muster, &incident).await;
    muster.pass(minutes(21)).await;
    assert_eq!(
        about_promises(entries(&muster, &incident).await),
        ["promise_made", "promise_due_soon", "promise_missed"]
    );
    let told = reminders(&muster).await.len();
    assert!(told >= 2, "{told}");
    muster.pass(minutes(10)).await;
    assert!(reminders(&muster).await.len() > told);
    muster
        .put(
            &format!("/incidents/{incident}/facts"),
            json!({ "facts": { "phase": "identified" } }),
        )
        .await
        .good();
    tell_customers(&muster, &incident).await;
    assert_eq!(
        about_promises(entries(&muster, &incident).await),
        [
            "promise_made",
            "promise_due_soon",
            "promise_missed",
            "promise_made"
        ]
    );
    let kept_late = muster
        .get(&format!("/promises?incident_id={incident}"))
        .await
        .good();
    let first = &kept_late["promises"][1];
    assert_eq!(first["state"], "missed");
    assert!(first["ended_at"].is_string());
}

/// The timer of the promise that waits, as a node holds it that has claimed it.
async fn claimed(muster: &TestApp) -> Job {
    let now = muster.app.clock.now();
    let claim = muster
        .app
        .store
        .write(move |tx| job_rows::claim(tx, "another", now, 100));
    let jobs = claim.await.unwrap();
    jobs.into_iter()
        .find(|job| job.kind == JobKind::PromiseDue)
        .unwrap()
}

#[store::both_engines]
async fn a_word_in_the_last_moment_keeps_its_promise(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    tell_customers(&muster, &incident).await;
    muster.pass(minutes(16)).await;
    let facts = json!({ "facts": { "phase": "identified" } });
    muster
        .put(&format!("/incidents/{incident}/facts"), facts)
        .await
        .good();
    let next = draft(&muster, &incident, CUSTOMERS).await;
    approve(&muster, &next).await.good();
    muster.settle().await;
    muster.pass_quietly(240);
    let job = claimed(&muster).await;
    let (id, owner) = (
        UpdateId::from(next["id"].as_str().unwrap()),
        muster.owner.id.clone(),
    );
    let site = muster.app.site.clone();
    let both = at_once(
        &muster,
        move |change: &mut Change| publication::publish(change, &id, Some(&owner)).map(drop),
        move |change: &mut Change| promises::chase(change, &site, &job).map_err(Problem::from),
    )
    .await;
    assert!(both.iter().all(Result::is_ok), "{both:?}");
    assert_eq!(
        about_promises(entries(&muster, &incident).await),
        ["promise_made", "promise_due_soon", "promise_kept", "promise_made"]
    );
    let kept = muster
        .get(&format!("/promises?incident_id={incident}"))
        .await
        .good();
    assert_eq!(kept["promises"][1]["state"], "kept");
}

#[store::both_engines]
async fn a_timer_that_two_nodes_have_writes_to_people_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    tell_customers(&muster, &incident).await;
    muster.pass(minutes(21)).await;
    muster.pass_quietly(600);
    let job = claimed(&muster).await;
    let before = reminders(&muster).await.len();
    jobs::promise_due(&muster.app, &job).await.unwrap();
    let after = reminders(&muster).await.len();
    assert!(after > before);
    jobs::promise_due(&muster.app, &job).await.unwrap();
    assert_eq!(reminders(&muster).await.len(), after);
}

#[store::both_engines]
async fn a_missed_promise_is_written_about_every_day_though_the_incident_is_over(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    tell_customers(&muster, &incident).await;
    super::resolve(&muster, &incident).await;
    muster.pass(minutes(120)).await;
    let after_two_hours = reminders(&muster).await.len();
    muster.pass(minutes(10 * 60)).await;
    assert_eq!(reminders(&muster).await.len(), after_two_hours);
    muster.pass(minutes(3 * 24 * 60)).await;
    let later = reminders(&muster).await.len() - after_two_hours;
    assert_eq!(later, 3);
    tell_customers(&muster, &incident).await;
    let told = reminders(&muster).await.len();
    muster.pass(minutes(3 * 24 * 60)).await;
    assert_eq!(reminders(&muster).await.len(), told);
}

#[store::both_engines]
async fn a_promise_goes_with_its_incident_into_another(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (built, incident) = outage(&muster).await;
    tell_customers(&muster, &incident).await;
    muster.trigger(&built, "till-2", "Terminal silent").await;
    let all = muster.get("/incidents?date_range=all").await.good();
    let other = all["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] != incident.as_str())
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({ "source_incidents": [{ "id": incident, "type": "incident_reference" }] });
    muster
        .put(&format!("/incidents/{other}/merge"), body)
        .await
        .good();
    muster.settle().await;
    let open = muster.get("/promises?open=true").await.good();
    let list = open["promises"].as_array().unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["incident"]["id"], other.as_str());
}

/// What the timeline says about promises and estimates.
fn about_words(entries: Vec<(String, String)>) -> Vec<String> {
    entries
        .into_iter()
        .map(|(kind, _)| kind)
        .filter(|kind| kind.starts_with("promise_") || kind.starts_with("estimate_"))
        .collect()
}

async fn subjects(muster: &TestApp) -> Vec<String> {
    reminders(muster)
        .await
        .iter()
        .map(|one| one["subject"].as_str().unwrap().to_owned())
        .collect()
}

/// Customers are told that it will be fixed before they hear from us again.
async fn give_estimate(muster: &TestApp, incident: &str) -> Value {
    give_estimate_until(muster, incident, "2026-11-17T07:00:00Z").await
}

async fn give_estimate_until(muster: &TestApp, incident: &str, expires_at: &str) -> Value {
    let estimate = json!({
        "earliest": "2026-11-17T06:05:00Z", "latest": "2026-11-17T06:12:00Z",
        "confidence": "high", "expires_at": expires_at,
    });
    muster
        .put(
            &format!("/incidents/{incident}/facts"),
            json!({ "facts": { "estimate": estimate } }),
        )
        .await
        .good();
    tell_customers(muster, incident).await
}

#[store::both_engines]
async fn an_estimate_that_has_passed_is_chased_and_the_promise_stays_as_it_was_made(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let told = give_estimate(&muster, &incident).await;
    assert_eq!(told["next_update_by"], "2026-11-17T06:20:00Z");
    let promises = muster.get("/promises?open=true").await.good();
    let promise = &promises["promises"][0];
    assert_eq!(promise["due_at"], told["next_update_by"]);
    assert_eq!(
        promise["estimate"],
        json!({ "latest": "2026-11-17T06:12:00Z", "ends_at": "2026-11-17T06:12:00Z" })
    );
    muster.pass(minutes(13)).await;
    assert_eq!(
        about_words(entries(&muster, &incident).await),
        ["promise_made", "estimate_passed"]
    );
    assert_eq!(
        subjects(&muster).await,
        [
            "The estimate given to Customers has passed",
            "The estimate given to Customers ends soon"
        ]
    );
    let again = super::draft(&muster, &incident, super::CUSTOMERS).await;
    let words = again["words"].as_str().unwrap();
    assert!(!words.contains("06:12"), "an estimate outlived its time: {words}");
    tell_customers(&muster, &incident).await;
    assert_eq!(
        about_words(entries(&muster, &incident).await),
        ["promise_made", "estimate_passed", "promise_kept", "promise_made"],
        "a word after the estimate and before the promised time is in time"
    );
    let sent = reminders(&muster).await.len();
    muster.pass(minutes(5)).await;
    assert_eq!(reminders(&muster).await.len(), sent, "chased after the word came");
}

#[store::both_engines]
async fn people_are_written_the_time_that_readers_were_told_also_when_the_estimate_ran_out_before(
    engine: Engine,
) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let told = give_estimate_until(&muster, &incident, "2026-11-17T06:08:00Z").await;
    assert!(told["words"].as_str().unwrap().contains("06:12"), "{told}");
    muster.pass(minutes(9)).await;
    for mail in reminders(&muster).await {
        let mail = muster
            .get(&format!("/outbox/sends/{}", mail["id"].as_str().unwrap()))
            .await
            .good();
        let body = mail["send"]["body"].as_str().unwrap();
        assert!(body.contains("fixed by 06:12"), "{body}");
        assert!(!body.contains("06:08"), "nobody was told this time: {body}");
    }
    assert_eq!(
        about_words(entries(&muster, &incident).await),
        ["promise_made", "estimate_passed"]
    );
}

#[store::both_engines]
async fn once_the_promise_itself_is_missed_the_estimate_is_let_be(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    give_estimate(&muster, &incident).await;
    muster.pass(minutes(21)).await;
    let about_estimates = |subjects: &[String]| {
        subjects
            .iter()
            .filter(|subject| subject.starts_with("The estimate"))
            .count()
    };
    let before = about_estimates(&subjects(&muster).await);
    assert_eq!(
        about_words(entries(&muster, &incident).await),
        [
            "promise_made",
            "estimate_passed",
            "promise_due_soon",
            "promise_missed"
        ]
    );
    muster.pass(minutes(20)).await;
    let after = subjects(&muster).await;
    assert_eq!(about_estimates(&after), before, "{after:?}");
}

#[store::both_engines]
async fn an_estimate_that_holds_is_never_asked_about(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    give_estimate(&muster, &incident).await;
    muster.pass(minutes(5)).await;
    super::resolve(&muster, &incident).await;
    tell_customers(&muster, &incident).await;
    muster.pass(minutes(20)).await;
    assert_eq!(reminders(&muster).await, Vec::<Value>::new());
    assert_eq!(
        about_promises(entries(&muster, &incident).await),
        ["promise_made", "promise_kept"]
    );
}
