use serde_json::json;
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
