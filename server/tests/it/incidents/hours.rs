//! Support hours: how urgent an incident begins, and what becomes urgent when they begin or end.

use std::time::Duration;

use muster::incidents::urgency;
use muster::people::Role;
use serde_json::{Value, json};
use store::{Engine, params, sql};

use super::{assignees, only_incident, open_one, say};
use crate::harness::{Built, TestApp};
use crate::paging::pages;
use crate::updates::entries;

/// Urgent within the hours of every weekday in London, and quiet outside; the test begins on a Tuesday at 06:00.
fn rule(start: &str, end: &str) -> Value {
    let constant = |urgency: &str| json!({ "type": "constant", "urgency": urgency });
    json!({
        "incident_urgency_rule": { "type": "use_support_hours",
            "during_support_hours": constant("high"), "outside_support_hours": constant("low") },
        "support_hours": hours(start, end),
    })
}

fn hours(start: &str, end: &str) -> Value {
    json!({ "type": "fixed_time_per_day", "time_zone": "Europe/London", "days_of_week": [1, 2, 3, 4, 5],
        "start_time": start, "end_time": end })
}

fn raised_when(name: &str) -> Value {
    json!({ "type": "urgency_change", "to_urgency": "high", "at": { "type": "named_time", "name": name } })
}

async fn set_service(muster: &TestApp, built: &Built, fields: Value) {
    let path = format!("/services/{}", built.service_id);
    muster.put(&path, json!({ "service": fields })).await.good();
    muster.settle().await;
}

async fn set(muster: &TestApp, id: &str, fields: Value) {
    let mut incident = json!({ "type": "incident_reference" });
    incident
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    muster
        .put(&format!("/incidents/{id}"), json!({ "incident": incident }))
        .await
        .good();
    muster.settle().await;
}

/// A service whose quiet incidents become urgent when its hours begin, at half past six.
async fn office(muster: &TestApp) -> Built {
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Responder)
        .await;
    let levels = vec![vec![muster.owner.id.clone()], vec![priya.id]];
    let built = muster.service("card-gateway").levels(levels).build().await;
    let mut fields = rule("06:30:00", "17:00:00");
    fields["scheduled_actions"] = json!([raised_when("support_hours_start")]);
    set_service(muster, &built, fields).await;
    built
}

fn rise_at(at: &str) -> Value {
    json!([{ "type": "urgency_change", "at": at, "to": "high" }])
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

#[store::both_engines]
async fn a_quiet_incident_becomes_urgent_when_the_hours_begin_and_people_are_paged(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = office(&muster).await;
    let id = open_one(&muster, &built).await;
    let quiet = only_incident(&muster).await;
    assert_eq!(quiet["urgency"], "low");
    assert_eq!(quiet["pending_actions"], rise_at("2026-11-17T06:30:00Z"));
    let before = pages(&muster, &id).await.len();
    muster.pass(Duration::from_secs(1_790)).await;
    assert_eq!(only_incident(&muster).await["urgency"], "low");
    assert_eq!(pages(&muster, &id).await.len(), before);
    muster.pass(Duration::from_secs(10)).await;
    let urgent = only_incident(&muster).await;
    assert_eq!(urgent["urgency"], "high");
    assert_eq!(
        urgent["pending_actions"],
        json!([{ "type": "escalate", "at": "2026-11-17T06:35:00Z" }])
    );
    assert_eq!(
        pages(&muster, &id).await[before..],
        [("maya@example.org".to_owned(), "shown".to_owned())]
    );
    let told = entries(&muster, &id).await;
    let said = (
        "urgency_changed".to_owned(),
        "Muster set the urgency to high, because the support hours of card-gateway began".to_owned(),
    );
    assert!(told.contains(&said), "{told:?}");
    muster.pass(minutes(5)).await;
    assert_eq!(assignees(&only_incident(&muster).await), ["Priya Raman"]);
}

#[store::both_engines]
async fn what_was_resolved_before_the_hours_begin_stays_quiet_until_it_is_back(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = office(&muster).await;
    let id = open_one(&muster, &built).await;
    set(&muster, &id, json!({ "status": "resolved" })).await;
    muster.pass(minutes(40)).await;
    let resolved = only_incident(&muster).await;
    assert_eq!(
        (&resolved["status"], &resolved["urgency"]),
        (&json!("resolved"), &json!("low"))
    );
    set(&muster, &id, json!({ "status": "triggered" })).await;
    let back = only_incident(&muster).await;
    assert_eq!(back["pending_actions"], rise_at("2026-11-18T06:30:00Z"));
}

#[store::both_engines]
async fn what_is_urgent_already_has_nothing_to_wait_for(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = office(&muster).await;
    let id = open_one(&muster, &built).await;
    set(
        &muster,
        &id,
        json!({ "urgency": "high", "status": "acknowledged" }),
    )
    .await;
    assert_eq!(only_incident(&muster).await["pending_actions"], json!([]));
    let before = entries(&muster, &id).await;
    muster.pass(minutes(40)).await;
    assert_eq!(entries(&muster, &id).await, before);
}

#[store::both_engines]
async fn whoever_says_that_it_can_wait_is_heard_until_the_hours_begin(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = office(&muster).await;
    muster.pass(minutes(60)).await;
    let id = open_one(&muster, &built).await;
    assert_eq!(only_incident(&muster).await["urgency"], "high");
    set(&muster, &id, json!({ "urgency": "low" })).await;
    let quiet = only_incident(&muster).await;
    assert_eq!(quiet["pending_actions"], rise_at("2026-11-18T06:30:00Z"));
}

#[store::both_engines]
async fn an_acknowledged_incident_becomes_urgent_and_climbs_only_when_that_lapses(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = office(&muster).await;
    set_service(&muster, &built, json!({ "acknowledgement_timeout": 3_600 })).await;
    let id = open_one(&muster, &built).await;
    set(&muster, &id, json!({ "status": "acknowledged" })).await;
    muster.pass(minutes(31)).await;
    let urgent = only_incident(&muster).await;
    assert_eq!(urgent["urgency"], "high");
    assert_eq!(
        urgent["pending_actions"],
        json!([{ "type": "unacknowledge", "at": "2026-11-17T07:00:00Z" }])
    );
    muster.pass(minutes(35)).await;
    assert_eq!(assignees(&only_incident(&muster).await), ["Priya Raman"]);
}

#[store::both_engines]
async fn an_incident_goes_by_the_hours_of_the_service_it_is_moved_to(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = office(&muster).await;
    let other = muster.service("reports").low_urgency().build().await;
    let id = open_one(&muster, &built).await;
    let on = |built: &Built| json!({ "service": { "id": built.service_id, "type": "service_reference" } });
    set(&muster, &id, on(&other)).await;
    assert_eq!(only_incident(&muster).await["pending_actions"], json!([]));
    set(&muster, &id, on(&built)).await;
    assert_eq!(
        only_incident(&muster).await["pending_actions"],
        rise_at("2026-11-17T06:30:00Z")
    );
}

#[store::both_engines]
async fn new_hours_count_for_what_is_open(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = office(&muster).await;
    open_one(&muster, &built).await;
    let later = json!({ "support_hours": hours("06:45:00", "17:00:00") });
    set_service(&muster, &built, later).await;
    muster.pass(minutes(44)).await;
    let quiet = only_incident(&muster).await;
    assert_eq!(quiet["urgency"], "low");
    assert_eq!(quiet["pending_actions"], rise_at("2026-11-17T06:45:00Z"));
    let at_the_end = json!({ "support_hours": hours("05:00:00", "06:50:00"),
        "scheduled_actions": [raised_when("support_hours_start"), raised_when("support_hours_end")] });
    set_service(&muster, &built, at_the_end).await;
    muster.pass(minutes(7)).await;
    assert_eq!(only_incident(&muster).await["urgency"], "high");
}

#[store::both_engines]
async fn nothing_is_waited_for_once_the_service_asks_for_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = office(&muster).await;
    open_one(&muster, &built).await;
    set_service(&muster, &built, json!({ "scheduled_actions": [] })).await;
    assert_eq!(only_incident(&muster).await["pending_actions"], json!([]));
    muster.pass(minutes(40)).await;
    assert_eq!(only_incident(&muster).await["urgency"], "low");
}

#[store::both_engines]
async fn a_beginning_that_nobody_was_awake_for_is_made_good_by_the_hours_as_they_are(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = office(&muster).await;
    open_one(&muster, &built).await;
    muster.pass_quietly(3_600);
    let path = format!("/services/{}", built.service_id);
    let earlier = json!({ "service": { "support_hours": hours("06:15:00", "17:00:00") } });
    muster.put(&path, earlier).await.good();
    muster.settle().await;
    assert_eq!(only_incident(&muster).await["urgency"], "high");
}

#[store::both_engines]
async fn a_timer_that_is_missing_is_noticed_and_owed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = office(&muster).await;
    open_one(&muster, &built).await;
    let lost = muster.app.store.write(|tx| {
        tx.execute(
            sql!("DELETE FROM jobs WHERE kind = 'urgency_change_due'"),
            params![],
        )
    });
    assert_eq!(lost.await.unwrap(), 1);
    assert_eq!(urgency::owe_missing_rises(&muster.app).await.unwrap(), 1);
    assert_eq!(urgency::owe_missing_rises(&muster.app).await.unwrap(), 0);
    assert_eq!(
        only_incident(&muster).await["pending_actions"],
        rise_at("2026-11-17T06:30:00Z")
    );
}

#[store::both_engines]
async fn scheduled_actions_that_cannot_be_kept_are_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let path = format!("/services/{}", built.service_id);
    let start = raised_when("support_hours_start");
    for (fields, refusal) in [
        (
            json!({ "support_hours": hours("09:00:00", "17:00:00"), "scheduled_actions": [start, start, start, start, start] }),
            "Scheduled actions can be at most 4.",
        ),
        (
            json!({ "scheduled_actions": [start] }),
            "Scheduled actions need support hours.",
        ),
    ] {
        let answer = muster.put(&path, json!({ "service": fields })).await;
        assert_eq!(
            answer.with_status(400)["error"],
            json!({ "code": 2001, "message": "Invalid Input Provided", "errors": [refusal] })
        );
    }
    let service = muster.get(&path).await.good();
    assert_eq!(service["service"]["scheduled_actions"], json!([]));
}

#[store::both_engines]
async fn events_are_as_urgent_as_the_hours_they_come_in(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    set_service(&muster, &built, rule("06:30:00", "17:00:00")).await;
    say(&muster, &built, "till-1", "critical").await;
    muster.pass_quietly(1_800);
    say(&muster, &built, "till-2", "info").await;
    muster.pass_quietly(10 * 3_600 + 1_800);
    say(&muster, &built, "till-3", "critical").await;
    let incidents = muster.get("/incidents?sort_by=incident_number").await.good();
    let urgencies: Vec<&Value> = incidents["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["urgency"])
        .collect();
    assert_eq!(urgencies, ["low", "high", "low"]);
}

#[store::both_engines]
async fn outside_the_hours_the_severity_may_decide(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let mut fields = rule("06:30:00", "17:00:00");
    fields["incident_urgency_rule"]["outside_support_hours"]["urgency"] = json!("severity_based");
    set_service(&muster, &built, fields).await;
    say(&muster, &built, "till-1", "warning").await;
    say(&muster, &built, "till-2", "error").await;
    let incidents = muster.get("/incidents?sort_by=incident_number").await.good();
    assert_eq!(incidents["incidents"][0]["urgency"], "low");
    assert_eq!(incidents["incidents"][1]["urgency"], "high");
}
