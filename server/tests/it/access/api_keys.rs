use axum::body::Body;
use axum::http::{Method, Request};
use muster::people::Role;
use serde_json::json;
use store::{Engine, params, sql};

use crate::harness::{Answer, TestApp};

#[store::both_engines]
async fn a_key_is_shown_once_works_and_is_taken_back(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let made = muster
        .post(
            "/api_keys",
            json!({ "api_key": { "name": "Terraform", "kind": "account" } }),
        )
        .await
        .with_status(201);
    let key = made["api_key"]["key"].as_str().unwrap().to_owned();
    assert_eq!(key.len(), 20);
    let path = format!("/api_keys/{}", made["api_key"]["id"].as_str().unwrap());
    muster.with_key(&key, Method::GET, "/users", None).await.good();
    let shown = muster.get(&path).await.good();
    assert_eq!(shown["api_key"].get("key"), None);
    assert_eq!(shown["api_key"]["last_four"], key[16..]);
    assert_eq!(shown["api_key"]["last_used_at"], "2026-11-17T06:00:00Z");
    muster.delete(&path).await.with_status(204);
    muster
        .with_key(&key, Method::GET, "/users", None)
        .await
        .with_status(401);
}

#[store::both_engines]
async fn a_read_only_key_reads_and_changes_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let team = muster.team("Payments").await;
    for kind in ["account", "user"] {
        let made = muster
            .post(
                "/api_keys",
                json!({ "api_key": { "name": "Board", "kind": kind, "scope": "read_only" } }),
            )
            .await
            .with_status(201);
        let key = made["api_key"]["key"].as_str().unwrap();
        muster.with_key(key, Method::GET, "/teams", None).await.good();
        let body = json!({ "team": { "name": "Other" } });
        muster
            .with_key(key, Method::POST, "/teams", Some(body.clone()))
            .await
            .with_status(403);
        let path = format!("/teams/{team}");
        muster
            .with_key(key, Method::PUT, &path, Some(body))
            .await
            .with_status(403);
        muster
            .with_key(key, Method::DELETE, &path, None)
            .await
            .with_status(403);
        let more = json!({ "api_key": { "name": "More", "kind": kind } });
        muster
            .with_key(key, Method::POST, "/api_keys", Some(more))
            .await
            .with_status(403);
    }
}

/// Sends something with a key, in the name of the owner where nobody's own key it is.
async fn ask(muster: &TestApp, key: &str, method: &str, path: &str, kind: &str, body: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Token token={key}"))
        .header("from", "maya@example.org")
        .header("content-type", kind)
        .body(Body::from(body.to_owned()))
        .unwrap();
    muster.send(request).await
}

#[store::both_engines]
async fn no_address_lets_a_key_that_only_reads_change_anything(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let key = muster.account_key("read_only").await;
    let document = muster.get("/openapi.json").await.good();
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.replace('{', "Q").replace('}', "0");
        for (method, operation) in operations.as_object().unwrap() {
            let is_door = !operation["security"].is_null();
            if is_door || !["post", "put", "delete", "patch"].contains(&method.as_str()) {
                continue;
            }
            let method = method.to_uppercase();
            let answer = ask(&muster, &key, &method, &path, "application/json", "{}").await;
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
            asked += 1;
        }
    }
    assert!(asked > 100, "only {asked} were asked");
    for path in [
        "/console/settings/keys",
        "/console/settings/keys/Q0/revoke",
        "/console/incidents/Q0/join",
    ] {
        let form = "application/x-www-form-urlencoded";
        let answer = ask(&muster, &key, "POST", path, form, "name=More").await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text);
    }
}

#[store::both_engines]
async fn a_key_of_the_account_makes_no_key_of_the_person_it_names(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let key = muster.account_key("full").await;
    let form = "application/x-www-form-urlencoded";
    let made = ask(&muster, &key, "POST", "/console/settings/keys", form, "name=More").await;
    assert_eq!(made.status, 403, "{}", made.text);
    let keys = muster.get("/api_keys").await.good();
    assert_eq!(keys["api_keys"].as_array().unwrap().len(), 2, "{keys}");
}

#[store::both_engines]
async fn people_see_and_make_only_their_own_keys(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let list = muster
        .as_person(&ben, Method::GET, "/api_keys", None)
        .await
        .good();
    assert_eq!(list["api_keys"].as_array().unwrap().len(), 1);
    let account = json!({ "api_key": { "name": "Mine", "kind": "account" } });
    muster
        .as_person(&ben, Method::POST, "/api_keys", Some(account))
        .await
        .with_status(403);
    let owner_keys = muster.get("/api_keys").await.good();
    let of_owner = owner_keys["api_keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["user"]["id"] == muster.owner.id.as_str())
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    muster
        .as_person(&ben, Method::DELETE, &format!("/api_keys/{of_owner}"), None)
        .await
        .with_status(404);
}

#[store::both_engines]
async fn from_names_somebody_who_is_known(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let key = muster.account_key("full").await;
    let request = |from: &str| {
        Request::builder()
            .method(Method::POST)
            .uri("/teams")
            .header("authorization", format!("Token token={key}"))
            .header("from", from)
            .body(Body::from(json!({ "team": { "name": "Payments" } }).to_string()))
            .unwrap()
    };
    let unknown = muster
        .send(request("stranger@example.org"))
        .await
        .with_status(400);
    assert_eq!(unknown["error"]["code"], 1008);
    muster.send(request("maya@example.org")).await.with_status(201);
    let records = muster
        .get("/audit/records?root_resource_types[]=teams")
        .await
        .good();
    assert_eq!(records["records"][0]["actors"][0]["summary"], "Maya Okafor");
}

#[store::both_engines]
async fn without_a_good_key_nothing_is_answered(engine: Engine) {
    let muster = TestApp::new(engine).await;
    for authorization in [
        "Token token=",
        "Token token=nonsense",
        "Basic abc",
        "Bearer nonsense",
    ] {
        let request = Request::builder()
            .uri("/users")
            .header("authorization", authorization)
            .body(Body::empty())
            .unwrap();
        let problem = muster.send(request).await.with_status(401);
        assert_eq!(problem["error"]["code"], 2006, "{authorization}");
    }
}

#[store::both_engines]
async fn no_key_and_no_password_lies_in_the_database_as_it_is(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let key = muster.account_key("full").await;
    let read = muster.app.store.read(|tx| {
        let keys: Vec<(String,)> = tx.rows(sql!("SELECT key_hash FROM api_keys"), params![])?;
        let passwords: Vec<(Option<String>,)> =
            tx.rows(sql!("SELECT password_hash FROM users"), params![])?;
        Ok::<_, store::Error>((keys, passwords))
    });
    let (keys, passwords) = read.await.unwrap();
    assert!(keys.len() >= 2);
    for (hash,) in keys {
        assert!(hash.len() == 64 && !hash.contains(&key) && !hash.contains(&muster.owner.key));
    }
    for hash in passwords.into_iter().filter_map(|(hash,)| hash) {
        assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
    }
    let made = muster::access::password::hash("Correct horse battery".to_owned())
        .await
        .unwrap();
    assert!(made.starts_with("$argon2id$v=19$"), "{made}");
}
