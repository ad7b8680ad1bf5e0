//! Where an incident began, which change may be behind it, and what was like it before.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Built, TestApp};

async fn depends(muster: &TestApp, dependent: &Built, supporting: &Built) {
    let body = json!({ "relationships": [{
        "dependent_service": { "id": dependent.service_id, "type": "service" },
        "supporting_service": { "id": supporting.service_id, "type": "service" },
    }]});
    muster.post("/service_dependencies/associate", body).await.good();
}

/// The latest incident of a service.
async fn incident_of(muster: &TestApp, built: &Built) -> String {
    let path = format!(
        "/incidents?service_ids[]={}&date_range=all&sort_by=created_at:desc",
        built.service_id
    );
    let incidents = muster.get(&path).await.good();
    incidents["incidents"][0]["id"].as_str().unwrap().to_owned()
}

async fn origin(muster: &TestApp, id: &str) -> Value {
    muster.get(&format!("/incidents/{id}/origin")).await.good()["origin"].clone()
}

#[store::both_engines]
async fn a_cascade_is_traced_to_what_the_others_stand_on(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let database = muster.service("orders-database").build().await;
    let shop = muster.service("shop").build().await;
    let front = muster.service("front").build().await;
    depends(&muster, &shop, &database).await;
    depends(&muster, &front, &shop).await;
    muster.trigger(&database, "disk", "disk of db-1 is full").await;
    muster.clock.advance(Duration::from_secs(40));
    muster.trigger(&shop, "errors", "orders fail with timeout").await;
    muster.clock.advance(Duration::from_secs(40));
    muster
        .trigger(&front, "errors", "pages fail with error 502")
        .await;

    let id = incident_of(&muster, &front).await;
    let found = origin(&muster, &id).await;
    let names: Vec<&str> = found["suspects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names[0], "orders-database");
    assert_eq!(names.len(), 3);
    assert_eq!(found["incidents"].as_array().unwrap().len(), 3);
    assert!(
        !found["suspects"][0]["reasons"][0]["sentence"]
            .as_str()
            .unwrap()
            .is_empty()
    );
    // Asked again, or from another incident of the cascade, the answer is the same.
    let other = incident_of(&muster, &shop).await;
    assert_eq!(origin(&muster, &other).await["suspects"], found["suspects"]);
}

#[store::both_engines]
async fn a_change_shortly_before_is_named_with_why(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let payment = muster.service("payment").build().await;
    let shop = muster.service("shop").build().await;
    let elsewhere = muster.service("canteen").build().await;
    depends(&muster, &shop, &payment).await;
    muster.changed(&payment, "release 17 of payment").await;
    muster.changed(&elsewhere, "new menu").await;
    muster.clock.advance(Duration::from_secs(300));
    muster.trigger(&shop, "errors", "checkout fails").await;

    let id = incident_of(&muster, &shop).await;
    let answer = muster
        .get(&format!("/incidents/{id}/related_change_events"))
        .await
        .good();
    let changes = answer["change_events"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "what is not connected is not blamed: {answer}");
    assert_eq!(changes[0]["summary"], "release 17 of payment");
    let reasons: Vec<&str> = changes[0]["correlation"]["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["sentence"].as_str().unwrap())
        .collect();
    assert!(reasons.contains(&"It was made 5 minutes before."), "{reasons:?}");
    assert!(
        reasons.contains(&"“payment” and “shop” depend on each other directly."),
        "{reasons:?}"
    );
}

#[store::both_engines]
async fn a_kind_of_change_that_was_blamed_before_is_suspected_before_others(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let payment = muster.service("payment").build().await;
    let changes_of = |id: String| {
        let muster = &muster;
        async move {
            let path = format!("/incidents/{id}/related_change_events");
            muster.get(&path).await.good()["change_events"]
                .as_array()
                .unwrap()
                .clone()
        }
    };
    let certificate = |change: &&Value| change["summary"].as_str().unwrap().starts_with("Certificate");
    let mut confirmed = Vec::new();
    for number in 0..8 {
        muster
            .changed(&payment, &format!("Certificate {number} renewed"))
            .await;
        muster.clock.advance(Duration::from_secs(120));
        muster
            .changed(&payment, &format!("Release {number} deployed"))
            .await;
        muster.clock.advance(Duration::from_secs(120));
        muster
            .trigger(&payment, &format!("key-{number}"), "checkout fails")
            .await;
        let id = incident_of(&muster, &payment).await;
        let found = changes_of(id.clone()).await;
        if number == 0 {
            assert_eq!(
                found[0]["summary"], "Release 0 deployed",
                "the later one, as long as nothing is known"
            );
        } else {
            let blamed = found.iter().find(certificate).unwrap();
            let body =
                json!({ "confirmed_origin": { "id": blamed["id"], "type": "change_event_reference" } });
            let path = format!("/incidents/{id}/confirmed_origin");
            muster
                .as_person(&muster.owner, Method::PUT, &path, Some(body))
                .await
                .good();
            confirmed.push(path);
        }
        let body = json!({ "incident": { "type": "incident_reference", "status": "resolved" } });
        muster.put(&format!("/incidents/{id}"), body).await.good();
        muster.clock.advance(Duration::from_secs(26 * 3600));
    }
    muster.changed(&payment, "Certificate 9 renewed").await;
    muster.clock.advance(Duration::from_secs(120));
    muster.changed(&payment, "Release 9 deployed").await;
    muster.clock.advance(Duration::from_secs(120));
    muster.trigger(&payment, "last", "checkout fails").await;
    let id = incident_of(&muster, &payment).await;
    let found = changes_of(id.clone()).await;
    assert_eq!(found[0]["summary"], "Certificate 9 renewed");
    let why = found[0]["correlation"]["reasons"].to_string();
    assert!(why.contains("7 of 9 such changes"), "{why}");

    // Taking the confirmations back takes the lesson back.
    for path in confirmed {
        muster
            .as_person(&muster.owner, Method::DELETE, &path, None)
            .await
            .good();
    }
    assert_eq!(changes_of(id).await[0]["summary"], "Release 9 deployed");
}

#[store::both_engines]
async fn past_incidents_that_were_alike_come_with_their_reasons(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let gateway = muster.service("card-gateway").build().await;
    let mail = muster.service("mail").build().await;
    muster
        .trigger(&gateway, "a", "Card payments are declined at 12 tills")
        .await;
    let alike = incident_of(&muster, &gateway).await;
    muster.trigger(&mail, "b", "Newsletter queue is long").await;
    muster.clock.advance(Duration::from_secs(3600));
    muster
        .trigger(&gateway, "c", "Card payments are declined at 3 tills")
        .await;

    let id = incident_of(&muster, &gateway).await;
    assert_ne!(id, alike);
    let answer = muster
        .get(&format!("/incidents/{id}/past_incidents"))
        .await
        .good();
    let past = answer["past_incidents"].as_array().unwrap();
    assert_eq!(past.len(), 1, "{answer}");
    assert_eq!(past[0]["incident"]["id"], alike.as_str());
    let reasons = past[0]["reasons"].as_array().unwrap();
    assert!(
        reasons.contains(&json!("The same message, apart from its values.")),
        "{answer}"
    );
    assert!(
        reasons.contains(&json!("On the same service: card-gateway.")),
        "{answer}"
    );
}

#[store::both_engines]
async fn hints_for_an_unknown_incident_are_not_found(engine: Engine) {
    let muster = TestApp::new(engine).await;
    for hint in ["origin", "past_incidents", "related_change_events"] {
        muster
            .get(&format!("/incidents/PNOTHERE/{hint}"))
            .await
            .with_status(404);
    }
}

#[store::both_engines]
async fn an_incident_without_alerts_has_no_suspects_and_no_panic(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("shop").build().await;
    let body = json!({ "incident": {
        "type": "incident", "title": "Something is odd",
        "service": { "id": built.service_id, "type": "service_reference" },
    }});
    let opened = muster.post("/incidents", body).await.with_status(201);
    let found = origin(&muster, opened["incident"]["id"].as_str().unwrap()).await;
    assert_eq!(found["suspects"], json!([]));
}
