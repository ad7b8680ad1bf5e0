use std::time::Duration;

use axum::http::Method;
use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::{schedule, turns};
use crate::harness::TestApp;

#[store::both_engines]
async fn each_override_is_answered_by_itself(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let path = schedule(&muster, "Payments", &[muster.owner.id.as_str()]).await;
    let overrides = format!("{path}/overrides");
    let user = json!({ "id": ben.id, "type": "user_reference" });
    let answer = muster
        .as_person(
            &ben,
            Method::POST,
            &overrides,
            Some(json!({ "overrides": [
                { "start": "2026-11-17T12:00:00Z", "end": "2026-11-17T18:00:00Z", "user": user },
                { "start": "2026-11-16T12:00:00Z", "end": "2026-11-16T18:00:00Z", "user": user },
                { "start": "2026-11-17T12:00:00Z", "end": "2026-11-17T18:00:00Z", "user": { "id": "Q", "type": "user" } },
            ] })),
        )
        .await
        .with_status(201);
    let statuses: Vec<i64> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_i64().unwrap())
        .collect();
    assert_eq!(statuses, [201, 400, 400]);
    assert_eq!(
        answer[1]["errors"][0],
        "End must lie in the future and after the start."
    );
    let range = "since=2026-11-17T09:00:00Z&until=2026-11-17T20:00:00Z";
    let shown = muster.get(&format!("{path}?{range}")).await.good();
    let names: Vec<String> = turns(&shown).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Maya Okafor", "Ben", "Maya Okafor"]);
    let listed = muster.get(&format!("{overrides}?{range}")).await.good();
    assert_eq!(listed["overrides"].as_array().unwrap().len(), 1);
    assert_eq!(listed["overrides"][0]["start"], "2026-11-17T12:00:00+00:00");
    let missing = muster.get(&overrides).await.with_status(400);
    assert_eq!(missing["error"]["code"], 2003);
}

#[store::both_engines]
async fn what_has_begun_is_cut_off_and_what_is_over_stays(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let path = schedule(&muster, "Payments", &[muster.owner.id.as_str()]).await;
    let overrides = format!("{path}/overrides");
    let made = muster
        .post(
            &overrides,
            json!({ "override": {
                "start": "2026-11-17T05:00:00Z", "end": "2026-11-17T08:00:00Z",
                "user": { "id": muster.owner.id, "type": "user" },
            } }),
        )
        .await
        .with_status(201);
    assert_eq!(made["override"]["start"], "2026-11-17T06:00:00+00:00");
    let one = format!("{overrides}/{}", made["override"]["id"].as_str().unwrap());
    let past = json!({ "override": {
        "start": "2026-11-16T05:00:00Z", "end": "2026-11-16T08:00:00Z",
        "user": { "id": muster.owner.id, "type": "user" },
    } });
    let refused = muster.post(&overrides, past).await.with_status(400);
    assert!(
        refused.to_string().contains("End must lie in the future"),
        "{refused}"
    );
    muster.clock.advance(Duration::from_secs(600));
    muster.delete(&one).await.with_status(200);
    let over = muster.delete(&one).await.with_status(400);
    assert_eq!(over["error"]["code"], 4004);
    let later = json!({ "overrides": [{
        "start": "2026-11-18T05:00:00Z", "end": "2026-11-18T08:00:00Z",
        "user": { "id": muster.owner.id, "type": "user" },
    }] });
    let made = muster.post(&overrides, later).await.with_status(201);
    let one = format!("{overrides}/{}", made[0]["override"]["id"].as_str().unwrap());
    muster.delete(&one).await.with_status(204);
    muster.delete(&one).await.with_status(404);
}

/// Otherwise nobody would be paged during it: neither who is gone nor whom they stand in for.
#[store::both_engines]
async fn who_stands_in_cannot_be_taken_away_before_it_is_over(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let path = schedule(&muster, "Payments", &[muster.owner.id.as_str()]).await;
    let later = json!({ "overrides": [{
        "start": "2026-11-17T07:00:00Z", "end": "2026-11-17T08:00:00Z",
        "user": { "id": ben.id, "type": "user" },
    }] });
    muster
        .post(&format!("{path}/overrides"), later)
        .await
        .with_status(201);
    let removal = format!("/users/{}", ben.id);
    for seconds in [0, 3_600] {
        muster.clock.advance(Duration::from_secs(seconds));
        let refused = muster.delete(&removal).await.with_status(400);
        assert!(
            refused
                .to_string()
                .contains("stands in on the schedule 'Payments'"),
            "{refused}"
        );
    }
    muster.clock.advance(Duration::from_secs(3_600));
    muster.delete(&removal).await.with_status(204);
}

#[store::both_engines]
async fn only_those_are_shown_that_can_still_be_changed_when_that_is_asked(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let path = schedule(&muster, "Payments", &[muster.owner.id.as_str()]).await;
    let user = json!({ "id": muster.owner.id, "type": "user_reference" });
    let both = json!({ "overrides": [
        { "start": "2026-11-17T07:00:00Z", "end": "2026-11-17T08:00:00Z", "user": user },
        { "start": "2026-11-17T12:00:00Z", "end": "2026-11-17T18:00:00Z", "user": user },
    ] });
    muster
        .post(&format!("{path}/overrides"), both)
        .await
        .with_status(201);
    muster.clock.advance(Duration::from_secs(3 * 3_600));
    let range = "since=2026-11-17T00:00:00Z&until=2026-11-18T00:00:00Z";
    let mut begins = Vec::new();
    for asked in ["", "&editable=false", "&editable=true"] {
        let listed = muster
            .get(&format!("{path}/overrides?{range}{asked}"))
            .await
            .good();
        let hours: Vec<String> = listed["overrides"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["start"].as_str().unwrap()[11..16].to_owned())
            .collect();
        begins.push(hours.join(" "));
    }
    assert_eq!(begins, ["07:00 12:00", "07:00 12:00", "12:00"]);
    let unclear = muster
        .get(&format!("{path}/overrides?{range}&editable=perhaps"))
        .await
        .with_status(400);
    assert!(unclear.to_string().contains("editable"), "{unclear}");
}
