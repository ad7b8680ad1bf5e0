use axum::http::Method;
use muster::access::audit::{BreakReason, verify};
use muster::people::Role;
use serde_json::json;
use store::{Engine, Tx, params, sql};

use crate::harness::TestApp;

#[store::both_engines]
async fn every_change_is_recorded_with_who_and_how(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let team = muster.team("Payments").await;
    muster
        .put(&format!("/teams/{team}"), json!({ "team": { "name": "Tills" } }))
        .await
        .good();
    let records = muster.get("/audit/records").await.good();
    insta::assert_json_snapshot!("audit_records", records, {
        ".records[].id" => "[id]",
        ".records[].execution_context.request_id" => "[id]",
        ".records[].method.truncated_token" => "[four]",
        ".records[].actors[].id" => "[id]",
        ".records[].actors[].self" => "[url]",
        ".records[].root_resource.id" => "[id]",
        ".records[].details.resource.id" => "[id]",
    });
}

#[store::both_engines]
async fn the_list_is_paged_by_cursor_and_filtered(engine: Engine) {
    let muster = TestApp::new(engine).await;
    for name in ["One", "Two", "Three"] {
        muster.team(name).await;
    }
    let first = muster.get("/audit/records?limit=2").await.good();
    assert_eq!(first["records"].as_array().unwrap().len(), 2);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = muster
        .get(&format!("/audit/records?limit=2&cursor={cursor}"))
        .await
        .good();
    assert_eq!(second["records"].as_array().unwrap().len(), 1);
    assert_eq!(second["next_cursor"], json!(null));
    let none = muster.get("/audit/records?actions[]=delete").await.good();
    assert_eq!(none["records"], json!([]));
    muster
        .get("/audit/records?cursor=nonsense")
        .await
        .with_status(400);
    muster.get("/audit/records?since=soon").await.with_status(400);
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    muster
        .as_person(&ben, Method::GET, "/audit/records", None)
        .await
        .with_status(403);
}

#[store::both_engines]
async fn the_chain_shows_what_was_altered_or_removed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    for name in ["One", "Two", "Three"] {
        muster.team(name).await;
    }
    let answer = muster.get("/audit/verification").await.good();
    assert_eq!(answer["verification"]["records"], 3);
    assert_eq!(answer["verification"]["broken"], json!(null));
    muster
        .database
        .store
        .write(|tx: &mut Tx| {
            tx.execute(
                sql!("UPDATE audit_records SET actor_name = 'Somebody else' WHERE sequence = 2"),
                params![],
            )
        })
        .await
        .unwrap();
    let altered = muster.database.store.read(verify).await.unwrap().broken.unwrap();
    assert_eq!((altered.sequence, altered.reason), (2, BreakReason::Altered));
    muster
        .database
        .store
        .write(|tx: &mut Tx| tx.execute(sql!("DELETE FROM audit_records WHERE sequence = 2"), params![]))
        .await
        .unwrap();
    let missing = muster.database.store.read(verify).await.unwrap().broken.unwrap();
    assert_eq!((missing.sequence, missing.reason), (3, BreakReason::Missing));
}
