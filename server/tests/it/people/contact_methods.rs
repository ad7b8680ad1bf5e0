use axum::body::Body;
use axum::http::{Method, Request};
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::TestApp;

#[store::both_engines]
async fn a_number_is_added_used_by_a_rule_and_taken_away(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let base = format!("/users/{}", muster.owner.id);
    let methods = format!("{base}/contact_methods");
    let made = muster
        .post(
            &methods,
            json!({ "contact_method": {
                "type": "sms_contact_method", "label": "Mobile", "address": "7700 900-123", "country_code": 44
            } }),
        )
        .await
        .with_status(201);
    let method = &made["contact_method"];
    assert_eq!(method["address"], "7700900123");
    assert_eq!(method["country_code"], 44);
    let id = method["id"].as_str().unwrap();
    let rule = muster
        .post(
            &format!("{base}/notification_rules"),
            json!({ "notification_rule": {
                "type": "assignment_notification_rule", "start_delay_in_minutes": 5, "urgency": "high",
                "contact_method": { "id": id, "type": "sms_contact_method" }
            } }),
        )
        .await
        .with_status(201);
    assert_eq!(
        rule["notification_rule"]["contact_method"]["type"],
        "sms_contact_method_reference"
    );
    let rules = muster
        .get(&format!(
            "{base}/notification_rules?urgency=high&include[]=contact_methods"
        ))
        .await
        .good();
    let rules = rules["notification_rules"].as_array().unwrap();
    assert_eq!(rules.len(), 2);
    assert_eq!(rules[1]["contact_method"]["address"], "7700900123");
    muster.delete(&format!("{methods}/{id}")).await.with_status(204);
    let left = muster.get(&format!("{base}/notification_rules")).await.good();
    assert_eq!(left["notification_rules"].as_array().unwrap().len(), 2);
}

#[store::both_engines]
async fn the_last_contact_method_stays(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let methods = format!("/users/{}/contact_methods", muster.owner.id);
    let list = muster.get(&methods).await.good();
    let id = list["contact_methods"][0]["id"].as_str().unwrap();
    muster.delete(&format!("{methods}/{id}")).await.with_status(400);
}

#[store::both_engines]
async fn what_cannot_be_reached_is_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let methods = format!("/users/{}/contact_methods", muster.owner.id);
    for wrong in [
        json!({ "type": "pigeon", "address": "loft" }),
        json!({ "type": "phone_contact_method", "address": "call me", "country_code": 44 }),
        json!({ "type": "phone_contact_method", "address": "123456", "country_code": 5000 }),
        json!({ "type": "email_contact_method", "address": "nobody" }),
        json!({ "type": "webhook_contact_method", "address": "file:///etc/passwd" }),
        json!({ "type": "email_contact_method", "address": 7 }),
    ] {
        muster
            .post(&methods, json!({ "contact_method": wrong }))
            .await
            .with_status(400);
    }
    let twice = muster
        .post(
            &methods,
            json!({ "contact_method": { "type": "email_contact_method", "label": "x", "address": "maya@example.org" } }),
        )
        .await
        .with_status(400);
    assert_eq!(twice["error"]["errors"][0], "User Contact method must be unique");
}

#[store::both_engines]
async fn nobody_but_owners_changes_how_an_owner_is_reached(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let admin = muster.person("Ada", "ada@example.org", Role::Admin).await;
    let owner = format!("/users/{}", muster.owner.id);
    let stolen = json!({ "user": { "email": "ada+maya@example.org" } });
    let as_admin =
        async |method, path: &str, body: Value| muster.as_person(&admin, method, path, Some(body)).await;
    as_admin(Method::PUT, &owner, stolen.clone())
        .await
        .with_status(403);
    let way = json!({ "contact_method": { "type": "email_contact_method", "label": "Mine", "address": "ada+maya@example.org" } });
    let ways = format!("{owner}/contact_methods");
    as_admin(Method::POST, &ways, way.clone()).await.with_status(403);

    // A program may name anybody as the one it acts for, and is no owner for that.
    let key = muster.account_key("full").await;
    let request = Request::put(&owner)
        .header("authorization", format!("Token token={key}"))
        .header("from", "maya@example.org")
        .body(Body::from(stolen.to_string()))
        .unwrap();
    muster.send(request).await.with_status(403);

    let responder = muster.person("Rita", "rita@example.org", Role::Responder).await;
    let theirs = format!("/users/{}/contact_methods", responder.id);
    as_admin(Method::POST, &theirs, way).await.with_status(201);
}

#[store::both_engines]
async fn how_people_are_reached_is_for_those_who_respond(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let base = format!("/users/{}", muster.owner.id);
    for (role, status) in [
        (Role::Manager, 200),
        (Role::Responder, 200),
        (Role::Agent, 403),
        (Role::Stakeholder, 403),
        (Role::Observer, 403),
    ] {
        let person = muster.person("Sam", &format!("{role:?}@example.org"), role).await;
        let look = async |path: String| muster.as_person(&person, Method::GET, &path, None).await;
        for list in ["contact_methods", "notification_rules"] {
            look(format!("{base}/{list}")).await.with_status(status);
        }
        let listed = look("/users?include[]=contact_methods".to_owned()).await.text;
        let shown = look(format!("{base}?include[]=contact_methods")).await.text;
        for text in [listed, shown] {
            assert_eq!(text.contains("\"address\""), status == 200, "{role:?}: {text}");
        }
        look(format!("/users/{}/contact_methods", person.id))
            .await
            .with_status(200);
    }
}

#[store::both_engines]
async fn a_country_code_may_come_as_text(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let path = format!("/users/{}/contact_methods", muster.owner.id);
    let telephone = |code: Value| {
        json!({ "contact_method": {
            "type": "phone_contact_method", "label": "Work", "address": "2079460000", "country_code": code,
        } })
    };
    let made = muster.post(&path, telephone(json!("44"))).await.with_status(201);
    assert_eq!(made["contact_method"]["country_code"], 44);
    for wrong in [json!("forty-four"), json!(true), json!([44]), json!(4.5)] {
        let refused = muster.post(&path, telephone(wrong)).await.with_status(400);
        assert!(
            refused
                .to_string()
                .contains("contact_method.country_code must be a whole number."),
            "{refused}"
        );
    }
}
