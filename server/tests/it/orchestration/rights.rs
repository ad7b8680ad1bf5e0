//! Who may look at rules and who may change them: whoever may the service.

use axum::http::Method;
use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::{path_of, start};
use crate::harness::TestApp;

#[store::both_engines]
async fn rules_are_changed_by_those_who_may_change_the_service(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let path = path_of(&built);
    let active = format!("{path}/active");
    for (role, may_look, may_change) in [
        (Role::Admin, 200, 200),
        (Role::Manager, 200, 200),
        (Role::Responder, 200, 403),
        (Role::Agent, 200, 403),
        (Role::Stakeholder, 200, 403),
        (Role::Observer, 200, 403),
    ] {
        let email = format!("{role:?}@example.org").to_lowercase();
        let person = muster.person("Jonas Weber", &email, role).await;
        for (address, body) in [
            (&path, json!({ "orchestration_path": start(json!([])) })),
            (&active, json!({ "active": true })),
        ] {
            let looked = muster.as_person(&person, Method::GET, address, None).await;
            assert_eq!(looked.status.as_u16(), may_look, "{role:?} {address}");
            let changed = muster.as_person(&person, Method::PUT, address, Some(body)).await;
            assert_eq!(changed.status.as_u16(), may_change, "{role:?} {address}");
        }
    }
}

#[store::both_engines]
async fn a_teams_manager_hands_incidents_to_policies_of_that_team_only(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (own, other) = (
        muster.service("card-gateway").build().await,
        muster.service("disks").build().await,
    );
    let lead = muster
        .person("Jonas Weber", "jonas@example.org", Role::Responder)
        .await;
    let team = muster.team("Payments").await;
    let member = json!({ "role": "manager" });
    muster
        .put(&format!("/teams/{team}/users/{}", lead.id), member)
        .await
        .with_status(204);
    muster
        .put(
            &format!("/teams/{team}/escalation_policies/{}", own.policy_id),
            json!({}),
        )
        .await
        .with_status(204);
    let asking = |policy: &str| json!({ "orchestration_path": start(json!([{ "actions": { "escalation_policy": policy } }])) });
    let put = async |policy: &str| {
        let answer = muster
            .as_person(&lead, Method::PUT, &path_of(&own), Some(asking(policy)))
            .await;
        answer.status.as_u16()
    };
    assert_eq!(put(&own.policy_id).await, 200);
    assert_eq!(put(&other.policy_id).await, 403);
    muster.put(&path_of(&own), asking(&other.policy_id)).await.good();
    assert_eq!(
        put(&other.policy_id).await,
        200,
        "what stands there already may stay"
    );
    let elsewhere = muster
        .as_person(&lead, Method::PUT, &path_of(&other), Some(asking(&own.policy_id)))
        .await;
    assert_eq!(elsewhere.status.as_u16(), 403);
}
