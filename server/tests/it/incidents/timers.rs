//! Timers that somebody was faster than, and what ends with an acknowledgement.

use std::time::Duration;

use muster::app::{dispatch, one_time};
use muster::jobs::{Job, Kind, store as jobs};
use muster::people::{Role, UserId};
use serde_json::{Value, json};
use store::{Engine, params, sql};

use super::{assignees, only_incident, open_one};
use crate::harness::TestApp;

/// Three people, each on a level of the policy of one service with an open incident; and the incident.
async fn three_levels(muster: &TestApp) -> (Vec<UserId>, String) {
    let mut people = Vec::new();
    for name in ["Priya", "Tomasz", "Ines"] {
        let address = format!("{}@example.org", name.to_lowercase());
        people.push(muster.person(name, &address, Role::Responder).await.id);
    }
    let levels = people.iter().map(|id| vec![id.clone()]).collect();
    let built = muster.service("card-gateway").levels(levels).build().await;
    let id = open_one(muster, &built).await;
    (people, id)
}

/// What is due, in the hands of a node that has not come to it yet.
async fn claimed(muster: &TestApp, kind: Kind) -> Job {
    let now = muster.app.clock.now();
    let claim = muster
        .app
        .store
        .write(move |tx| jobs::claim(tx, "a slow node", now, 256));
    let jobs = claim.await.unwrap();
    jobs.into_iter().find(|job| job.kind == kind).unwrap()
}

async fn set(muster: &TestApp, id: &str, fields: Value) {
    let mut incident = json!({ "type": "incident_reference" });
    let given = fields.as_object().unwrap().clone();
    incident.as_object_mut().unwrap().extend(given);
    muster
        .put(&format!("/incidents/{id}"), json!({ "incident": incident }))
        .await
        .good();
}

#[store::both_engines]
async fn a_timer_that_somebody_was_faster_than_skips_no_level(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, id) = three_levels(&muster).await;
    muster.clock.advance(Duration::from_secs(301));
    let timer = claimed(&muster, Kind::EscalationDue).await;
    set(&muster, &id, json!({ "escalation_level": 2 })).await;
    dispatch::run(&muster.app, &timer).await.unwrap();
    assert_eq!(assignees(&only_incident(&muster).await), ["Tomasz"]);
    muster.pass(Duration::from_secs(310)).await;
    assert_eq!(
        assignees(&only_incident(&muster).await),
        ["Ines"],
        "the new timer holds"
    );
}

#[store::both_engines]
async fn what_a_clock_planned_that_stood_ahead_comes_in_time_when_it_is_right_again(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let right = muster.app.clock.now();
    muster.clock.advance(Duration::from_hours(2));
    three_levels(&muster).await;
    muster.clock.advance(Duration::from_secs(300));
    claimed(&muster, Kind::EscalationDue).await;
    muster.clock.set(right + Duration::from_secs(330));
    let muster = muster.started_again().await;
    one_time::set_back_what_was_owed_ahead(&muster.app).await.unwrap();
    muster.pass(Duration::from_secs(290)).await;
    assert_eq!(assignees(&only_incident(&muster).await), ["Priya"]);
    muster.pass(Duration::from_secs(20)).await;
    assert_eq!(assignees(&only_incident(&muster).await), ["Tomasz"]);
}

#[store::both_engines]
async fn what_was_planned_by_a_clock_that_is_right_stays_where_it_is(engine: Engine) {
    let muster = TestApp::new(engine).await;
    three_levels(&muster).await;
    muster.clock.advance(Duration::from_secs(200));
    one_time::set_back_what_was_owed_ahead(&muster.app).await.unwrap();
    muster.pass(Duration::from_secs(90)).await;
    assert_eq!(assignees(&only_incident(&muster).await), ["Priya"]);
    muster.pass(Duration::from_secs(20)).await;
    assert_eq!(assignees(&only_incident(&muster).await), ["Tomasz"]);
}

#[store::both_engines]
async fn a_timer_that_two_nodes_hold_acts_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    three_levels(&muster).await;
    muster.clock.advance(Duration::from_secs(301));
    let timer = claimed(&muster, Kind::EscalationDue).await;
    dispatch::run(&muster.app, &timer).await.unwrap();
    dispatch::run(&muster.app, &timer).await.unwrap();
    assert_eq!(assignees(&only_incident(&muster).await), ["Tomasz"]);
}

#[store::both_engines]
async fn a_snooze_ends_with_the_acknowledgement_that_it_rested_on(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (people, id) = three_levels(&muster).await;
    let rest = json!({ "duration": 4 * 3_600 });
    muster
        .post(&format!("/incidents/{id}/snooze"), rest)
        .await
        .with_status(201);
    muster.pass(Duration::from_secs(3_600)).await;
    let to = json!([{ "assignee": { "id": people[2], "type": "user_reference" } }]);
    set(&muster, &id, json!({ "assignments": to })).await;
    set(&muster, &id, json!({ "status": "acknowledged" })).await;
    muster.pass(Duration::from_secs(4 * 3_600)).await;
    let incident = only_incident(&muster).await;
    assert_eq!(incident["status"], "acknowledged");
    assert_eq!(incident["pending_actions"], json!([]));
}

#[store::both_engines]
async fn a_kind_of_job_that_only_a_newer_node_knows_is_left_to_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    three_levels(&muster).await;
    let newer = muster.app.store.write(|tx| {
        tx.execute(
            sql!(
                "INSERT INTO jobs (id, kind, subject, payload, unique_key, generation, due_at, attempt, leased_until, created_at)
                 VALUES ('newer', 'from_the_future', 'x', 'null', 'from_the_future:x', 1, 0, 0, 0, 0)"
            ),
            params![],
        )
    });
    newer.await.unwrap();
    muster.pass(Duration::from_secs(301)).await;
    assert_eq!(assignees(&only_incident(&muster).await), ["Tomasz"]);
    // Nor does this node stay awake for it.
    let now = muster.app.clock.now();
    let next = muster
        .app
        .store
        .read(move |tx| muster::jobs::store::next_due(tx, now))
        .await
        .unwrap();
    assert!(next.is_none_or(|next| next > now), "{next:?} has passed at {now}");
    let waiting = muster
        .app
        .store
        .read(move |tx| muster::jobs::store::waiting_since(tx, now));
    assert_eq!(waiting.await.unwrap(), None);
}
