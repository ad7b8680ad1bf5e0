use axum::http::Method;
use muster::people::Role;
use serde_json::json;
use store::Engine;

use crate::harness::TestApp;

#[store::both_engines]
async fn a_user_is_made_shown_changed_and_deleted(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let made = muster
        .post(
            "/users",
            json!({ "user": {
                "type": "user", "name": "Ben Adeyemi", "email": "Ben@Example.org", "role": "limited_user",
                "time_zone": "Europe/Dublin", "job_title": "Platform engineer", "html_url": "ignored"
            } }),
        )
        .await
        .with_status(201);
    insta::assert_json_snapshot!("user_made", made, {
        ".user.id" => "[id]",
        ".user.self" => "[url]",
        ".user.html_url" => "[url]",
        ".user.contact_methods[].id" => "[id]",
        ".user.contact_methods[].self" => "[url]",
        ".user.notification_rules[].id" => "[id]",
        ".user.notification_rules[].self" => "[url]",
    });
    let path = format!("/users/{}", made["user"]["id"].as_str().unwrap());
    let changed = muster
        .put(
            &path,
            json!({ "user": { "type": "user", "job_title": null, "time_zone": "Europe/Berlin" } }),
        )
        .await
        .good();
    assert_eq!(changed["user"]["job_title"], json!(null));
    assert_eq!(changed["user"]["time_zone"], "Europe/Berlin");
    assert_eq!(changed["user"]["name"], "Ben Adeyemi");
    muster.delete(&path).await.with_status(204);
    muster.get(&path).await.with_status(404);
}

#[store::both_engines]
async fn me_is_the_person_behind_the_key(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let me = muster.get("/users/me?include[]=contact_methods").await.good();
    assert_eq!(me["user"]["email"], "maya@example.org");
    assert_eq!(me["user"]["contact_methods"][0]["address"], "maya@example.org");
    assert_eq!(
        me["user"]["notification_rules"][0]["type"],
        "assignment_notification_rule_reference"
    );
    assert!(
        me["user"]["web_cal_url"]
            .as_str()
            .unwrap()
            .starts_with("webcal://")
    );
}

#[store::both_engines]
async fn an_account_level_key_is_nobody(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let key = muster.account_key("full").await;
    let answer = muster.with_key(&key, Method::GET, "/users/me", None).await;
    let problem = answer.with_status(400);
    assert!(
        problem["error"]
            .as_str()
            .unwrap()
            .contains("account-level access token")
    );
}

#[store::both_engines]
async fn users_are_found_by_a_part_of_name_or_address(engine: Engine) {
    let muster = TestApp::new(engine).await;
    muster
        .person("Ben Adeyemi", "ben@example.org", Role::Responder)
        .await;
    muster
        .person("Ana 100% Lima", "ana@example.net", Role::Agent)
        .await;
    for (query, expected) in [("ADEY", 1), ("example.", 3), ("0%25", 1), ("_", 0), ("nobody", 0)] {
        let found = muster
            .get(&format!("/users?query={query}&total=true"))
            .await
            .good();
        assert_eq!(found["total"], expected, "{query}");
        assert_eq!(found["users"].as_array().unwrap().len(), expected, "{query}");
    }
}

#[store::both_engines]
async fn mistakes_are_named_by_their_fields(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let problem = muster
        .post(
            "/users",
            json!({ "user": { "name": " ", "email": "nobody", "time_zone": "Mars/Olympus", "role": "king" } }),
        )
        .await
        .with_status(400);
    insta::assert_json_snapshot!("user_mistakes", problem);
    muster
        .post("/users", json!({ "name": "x" }))
        .await
        .with_status(400);
    let taken = muster
        .post(
            "/users",
            json!({ "user": { "name": "Maya", "email": "MAYA@example.org" } }),
        )
        .await
        .with_status(400);
    assert_eq!(taken["error"]["errors"][0], "Email has already been taken.");
    muster.get("/users/%00").await.with_status(404);
    muster.get("/users/%FF").await.with_status(404);
    muster.get("/users?query=%00").await.with_status(400);
    muster.get("/users?limit=x").await.with_status(400);
    muster.get("/users?limit=1&limit=2").await.with_status(400);
    muster.get("/users?offset=10000").await.with_status(400);
}

#[store::both_engines]
async fn the_last_owner_stays_and_only_owners_make_owners(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let admin = muster.person("Ada", "ada@example.org", Role::Admin).await;
    let own_path = format!("/users/{}", muster.owner.id);
    muster.delete(&own_path).await.with_status(400);
    muster
        .put(&own_path, json!({ "user": { "role": "user" } }))
        .await
        .with_status(400);
    let promote = json!({ "user": { "role": "owner" } });
    let path = format!("/users/{}", admin.id);
    muster
        .as_person(&admin, Method::PUT, &path, Some(promote.clone()))
        .await
        .with_status(403);
    muster.put(&path, promote).await.good();
    muster
        .put(&own_path, json!({ "user": { "role": "admin" } }))
        .await
        .good();
}

#[store::both_engines]
async fn a_person_changes_their_own_record_but_not_their_role(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let ana = muster.person("Ana", "ana@example.org", Role::Responder).await;
    let path = format!("/users/{}", ben.id);
    let rename = json!({ "user": { "name": "Benjamin" } });
    muster
        .as_person(&ben, Method::PUT, &path, Some(rename.clone()))
        .await
        .good();
    muster
        .as_person(&ana, Method::PUT, &path, Some(rename))
        .await
        .with_status(403);
    let promote = json!({ "user": { "role": "admin" } });
    muster
        .as_person(&ben, Method::PUT, &path, Some(promote))
        .await
        .with_status(403);
}
