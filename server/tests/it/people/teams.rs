use axum::http::Method;
use muster::people::Role;
use serde_json::json;
use store::Engine;

use crate::harness::TestApp;

#[store::both_engines]
async fn a_team_has_members_with_roles(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let made = muster
        .post(
            "/teams",
            json!({ "team": { "type": "team", "name": "Payments", "description": "Tills" } }),
        )
        .await
        .with_status(201);
    let id = made["team"]["id"].as_str().unwrap().to_owned();
    let member = format!("/teams/{id}/users/{}", ben.id);
    muster
        .put(&member, json!({ "role": "responder" }))
        .await
        .with_status(204);
    muster.clock.advance(std::time::Duration::from_secs(1));
    muster
        .as_person(
            &muster.owner,
            Method::PUT,
            &format!("/teams/{id}/users/{}", muster.owner.id),
            None,
        )
        .await
        .with_status(204);
    let members = muster
        .get(&format!("/teams/{id}/members?include[]=users"))
        .await
        .good();
    assert_eq!(members["members"][0]["role"], "responder");
    assert_eq!(members["members"][0]["user"]["email"], "ben@example.org");
    assert_eq!(members["members"][1]["role"], "manager");
    let users = muster
        .get(&format!("/users?team_ids[]={id}&include[]=teams"))
        .await
        .good();
    assert_eq!(users["users"].as_array().unwrap().len(), 2);
    assert_eq!(users["users"][0]["teams"][0]["description"], "Tills");
    muster.delete(&member).await.with_status(204);
    muster.delete(&member).await.with_status(404);
    muster.delete(&format!("/teams/{id}")).await.with_status(204);
    muster.get(&format!("/teams/{id}")).await.with_status(404);
}

#[store::both_engines]
async fn names_are_unique_and_parents_make_no_circle(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let parent = muster.team("Retail").await;
    let child = muster
        .post(
            "/teams",
            json!({ "team": { "name": "Tills", "parent": { "id": parent, "type": "team_reference" } } }),
        )
        .await
        .with_status(201);
    assert_eq!(child["team"]["parent"]["summary"], "Retail");
    muster
        .post("/teams", json!({ "team": { "name": "Tills" } }))
        .await
        .with_status(400);
    muster
        .put(
            &format!("/teams/{parent}"),
            json!({ "team": { "parent": { "id": child["team"]["id"] } } }),
        )
        .await
        .with_status(400);
    let kept = muster.delete(&format!("/teams/{parent}")).await.with_status(400);
    assert_eq!(kept["error"]["code"], 6006);
}

#[store::both_engines]
async fn a_stakeholder_cannot_be_a_member(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let sam = muster.person("Sam", "sam@example.org", Role::Stakeholder).await;
    let team = muster.team("Payments").await;
    muster
        .put(&format!("/teams/{team}/users/{}", sam.id), json!({}))
        .await
        .with_status(400);
}

#[store::both_engines]
async fn a_body_that_is_too_large_or_no_json_is_named_and_changes_no_member(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let team = muster.team("Payments").await;
    let path = format!("/teams/{team}/users/{}", muster.owner.id);
    let large = serde_json::json!({ "role": "x".repeat(2 * 1024 * 1024) });
    let refused = muster.put(&path, large).await.with_status(413);
    assert!(
        refused["error"]["errors"].to_string().contains("1048576 bytes"),
        "{refused}"
    );
    let refused = muster.put(&path, serde_json::json!([7])).await.with_status(400);
    assert_eq!(refused["error"]["code"], 2001, "{refused}");
    let members = muster.get(&format!("/teams/{team}/members")).await.good();
    assert_eq!(members["members"], serde_json::json!([]));
    muster
        .as_person(&muster.owner, axum::http::Method::PUT, &path, None)
        .await
        .with_status(204);
}

#[store::both_engines]
async fn a_team_goes_only_if_the_one_that_follows_it_is_another_that_exists(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (tills, payments) = (muster.team("Tills").await, muster.team("Payments").await);
    for nobody in ["QNOBODY", tills.as_str()] {
        let refused = muster
            .delete(&format!("/teams/{tills}?reassignment_team={nobody}"))
            .await
            .with_status(400);
        assert_eq!(refused["error"]["code"], 6003);
    }
    muster
        .delete(&format!("/teams/{tills}?reassignment_team={payments}"))
        .await
        .with_status(204);
    muster.get(&format!("/teams/{tills}")).await.with_status(404);
}
