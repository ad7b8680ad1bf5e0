use serde_json::json;
use store::Engine;

use crate::harness::TestApp;

#[store::both_engines]
async fn abilities_are_plain_strings_and_can_be_tested(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let list = muster.get("/abilities").await.good();
    assert!(list["abilities"].as_array().unwrap().contains(&json!("teams")));
    muster.get("/abilities/teams").await.with_status(204);
    muster.get("/abilities/sso").await.with_status(402);
    muster.get("/abilities/levitation").await.with_status(404);
}

#[store::both_engines]
async fn there_is_one_licence_and_everybody_has_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let licences = muster.get("/licenses").await.good();
    assert_eq!(licences["licenses"][0]["current_value"], 1);
    let allocations = muster.get("/license_allocations?total=true").await.good();
    assert_eq!(allocations["total"], 1);
    muster
        .get(&format!("/users/{}/license", muster.owner.id))
        .await
        .good();
}
