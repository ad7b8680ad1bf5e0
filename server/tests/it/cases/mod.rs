//! What customers report, and how it is found, linked and raised.

use axum::http::Method;
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use crate::harness::TestApp;

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

async fn found(muster: &TestApp, query: &str) -> Vec<i64> {
    let answer = muster.get(&format!("/cases?{query}")).await.good();
    let mut numbers: Vec<i64> = answer["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["number"].as_i64().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
}

#[store::both_engines]
async fn a_report_is_shown_whole_and_owes_an_answer(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let account = muster
        .post("/accounts", json!({ "account": { "name": "Hannah Whitcombe", "email": "hannah@example.org", "tier": "gold" } }))
        .await
        .good();
    let case = muster
        .case(json!({
            "subject": "Card reader keeps saying offline",
            "text": "I tried twice with two cards.",
            "reporter": { "name": "Hannah Whitcombe", "email": "Hannah@Example.org" },
        }))
        .await;
    assert_eq!(case["account"]["id"], account["account"]["id"]);
    insta::assert_json_snapshot!("a_report_is_shown_whole", case, {
        ".id" => "[id]", ".self" => "[url]", ".html_url" => "[url]", ".private_url" => "[url]",
        ".account.id" => "[id]", ".account.self" => "[url]", ".account.html_url" => "[url]",
    });
}

#[store::both_engines]
async fn the_same_reference_again_is_the_same_case(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let fields = json!({ "case": { "text": "Till frozen", "external_reference": "ZD-4711" } });
    let first = muster.post("/cases", fields.clone()).await.with_status(201);
    let second = muster.post("/cases", fields).await.with_status(200);
    assert_eq!(first["case"]["id"], second["case"]["id"]);
    assert_eq!(found(&muster, "total=true").await, [1]);
}

#[store::both_engines]
async fn cases_are_found_by_customer_words_touchpoint_place_and_number(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let cards = muster.touchpoint("Card payments", &built.service_id, 0).await;
    let sites = muster
        .sites("North", &["Leeds Briggate", "York Coney Street"], &cards)
        .await;
    muster
        .case(
            json!({ "text": "The card reader says OFFLINE", "reporter": { "name": "Zoë Käfer" },
            "location": { "id": sites[0] }, "touchpoint": { "id": cards } }),
        )
        .await;
    muster
        .case(json!({ "text": "Points missing", "location": { "id": sites[1] } }))
        .await;
    muster
        .case(json!({ "text": "Reader offline; card swallowed" }))
        .await;
    assert_eq!(found(&muster, "query=card+reader+offl").await, [1, 3]);
    assert_eq!(found(&muster, "query=zoe+kafer").await, [1]);
    assert_eq!(found(&muster, "query=briggate").await, [1]);
    assert_eq!(found(&muster, "query=card+payments").await, [1]);
    assert_eq!(found(&muster, "query=C-2").await, [2]);
    assert_eq!(found(&muster, "number=C-3").await, [3]);
    assert_eq!(found(&muster, &format!("touchpoint_ids[]={cards}")).await, [1]);
    assert_eq!(found(&muster, &format!("location_ids[]={}", sites[1])).await, [2]);
    let region = muster.get("/locations?kind=region").await.good()["locations"][0]["id"].clone();
    assert_eq!(
        found(&muster, &format!("location_ids[]={}", region.as_str().unwrap())).await,
        [1, 2]
    );
    assert_eq!(
        found(&muster, "query=%27%22%29+OR+1%3D1+--%2A").await,
        Vec::<i64>::new()
    );
    assert_eq!(
        found(&muster, "query=%22%2A%3A%21%26%7C").await,
        Vec::<i64>::new()
    );
    let page = muster.get("/cases?limit=2&total=true").await.good();
    assert_eq!(
        (page["more"].clone(), page["total"].clone()),
        (json!(true), json!(3))
    );
}

#[store::both_engines]
async fn a_case_is_linked_and_unlinked_in_one_step_each(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    muster.trigger(&built, "a", "Gateway silent").await;
    let incident = muster.get("/incidents?date_range=all").await.good()["incidents"][0].clone();
    let case = muster.case(json!({ "text": "Card reader offline" })).await;
    let linked = muster
        .post(
            &format!("/cases/{}/link", id(&case)),
            json!({ "incident": { "id": id(&incident), "type": "incident" } }),
        )
        .await
        .good();
    assert_eq!(linked["case"]["incident"]["id"], incident["id"]);
    assert_eq!(found(&muster, "linked=true").await, [1]);
    let unlinked = muster
        .post(&format!("/cases/{}/unlink", id(&case)), json!({}))
        .await
        .good();
    assert_eq!(unlinked["case"]["incident"], Value::Null);
    assert_eq!(found(&muster, "linked=false").await, [1]);
}

#[store::both_engines]
async fn raising_opens_an_incident_below_the_touchpoint_with_the_customers_context(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let cards = muster.touchpoint("Card payments", &built.service_id, 0).await;
    let sites = muster.sites("North", &["Leeds Briggate"], &cards).await;
    let agent = muster
        .person("Aoife Brennan", "aoife@example.org", Role::Agent)
        .await;
    let case = muster
        .case(json!({ "subject": "Cards refused", "text": "Every card is refused.", "touchpoint": { "id": cards },
            "location": { "id": sites[0] }, "reporter": { "name": "Hannah", "telephone": "+44 20 7946 0000" } }))
        .await;
    let path = format!("/cases/{}/raise", id(&case));
    let raised = muster
        .as_person(
            &agent,
            Method::POST,
            &path,
            Some(json!({ "raise": { "tried": "two cards" } })),
        )
        .await
        .with_status(201);
    let incident_id = raised["case"]["incident"]["id"].as_str().unwrap().to_owned();
    let incident = muster.get(&format!("/incidents/{incident_id}")).await.good()["incident"].clone();
    assert_eq!(incident["service"]["id"], built.service_id);
    assert_eq!(incident["origin"], "case");
    assert_eq!(incident["assignments"][0]["assignee"]["summary"], "Maya Okafor");
    assert_eq!(
        incident["body"]["details"],
        "Raised from C-1.\nLocation: Leeds Briggate\nTouchpoint: Card payments\n\
         Tried already: two cards\n\nEvery card is refused."
    );
}

#[store::both_engines]
async fn who_may_see_no_cases_reads_nowhere_who_reported_them(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let cards = muster.touchpoint("Card payments", &built.service_id, 0).await;
    let stakeholder = muster.person("Sam", "sam@example.org", Role::Stakeholder).await;
    let hannah = json!({ "name": "Hannah Whitcombe", "email": "hannah@mail.example", "telephone": "+44 20 7946 0000" });
    let case = muster
        .case(json!({ "subject": "Cards refused", "text": "Every card is refused.", "touchpoint": { "id": cards },
            "reporter": hannah }))
        .await;
    let raised = muster
        .post(&format!("/cases/{}/raise", id(&case)), json!({}))
        .await
        .with_status(201);
    let incident = raised["case"]["incident"]["id"].as_str().unwrap().to_owned();
    muster
        .put(
            &format!("/incidents/{incident}"),
            json!({ "incident": { "type": "incident_reference", "status": "resolved" } }),
        )
        .await
        .good();
    muster.settle().await;
    muster
        .post(&format!("/incidents/{incident}/answers/confirm"), json!({}))
        .await
        .good();
    muster.settle().await;
    let browser = muster.browser_of(&stakeholder).await;
    let mut seen = browser.open(&format!("/console/incidents/{incident}")).await;
    for path in [
        format!("/incidents/{incident}"),
        format!("/incidents/{incident}/log_entries"),
        format!("/incidents/{incident}/review"),
    ] {
        let answer = muster.as_person(&stakeholder, Method::GET, &path, None).await;
        seen.push_str(&answer.good().to_string());
    }
    assert!(seen.contains("C-1"), "{seen}");
    for told in ["Hannah", "hannah@mail.example", "7946"] {
        assert!(!seen.contains(told), "{told} is in {seen}");
    }
}

#[store::both_engines]
async fn bad_reports_are_refused_with_every_field_named(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let refused = muster
        .post(
            "/cases",
            json!({ "case": { "text": "", "reporter": { "email": "x" }, "language": "\"><script>" } }),
        )
        .await
        .with_status(400);
    assert_eq!(refused["error"]["errors"].as_array().unwrap().len(), 3);
    let nowhere = json!({ "case": { "text": "t", "location": { "id": "Q0" }, "touchpoint": { "id": "Q1" },
        "account": { "id": "Q2" }, "owner": { "id": "Q3" } } });
    let refused = muster.post("/cases", nowhere).await.with_status(400);
    assert_eq!(refused["error"]["errors"].as_array().unwrap().len(), 4);
    for bad in [
        json!({ "case": { "text": "t", "channel": "form" } }),
        json!({ "case": { "text": "t", "channel": "pigeon" } }),
        json!({ "case": { "text": "x".repeat(10_001) } }),
        json!({ "case": { "text": "a\u{0}b" } }),
        json!({ "case": [] }),
        json!({ "case": { "text": 4 } }),
    ] {
        muster.post("/cases", bad).await.with_status(400);
    }
    for query in [
        "statuses[]=odd",
        "linked=perhaps",
        "number=x",
        "since=soon",
        "limit=-1",
    ] {
        muster.get(&format!("/cases?{query}")).await.with_status(400);
    }
    muster.get("/cases/Q0").await.with_status(404);
    muster.post("/cases/Q0/raise", json!({})).await.with_status(404);
    let case = muster.case(json!({ "text": "t" })).await;
    muster
        .post(&format!("/cases/{}/raise", id(&case)), json!({}))
        .await
        .with_status(400);
    muster
        .post(
            &format!("/cases/{}/link", id(&case)),
            json!({ "incident": { "id": "Q0" } }),
        )
        .await
        .with_status(400);
}

#[store::both_engines]
async fn who_may_only_look_may_not_report(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let observer = muster.person("Ola", "ola@example.org", Role::Observer).await;
    let stakeholder = muster.person("Sam", "sam@example.org", Role::Stakeholder).await;
    let body = Some(json!({ "case": { "text": "t" } }));
    muster
        .as_person(&observer, Method::POST, "/cases", body)
        .await
        .with_status(403);
    muster
        .as_person(&stakeholder, Method::GET, "/cases", None)
        .await
        .with_status(403);
}

#[store::both_engines]
async fn corrections_keep_what_is_left_out_and_notes_stay_inside(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let case = muster
        .case(json!({ "text": "t", "reporter": { "name": "Hannah" } }))
        .await;
    let path = format!("/cases/{}", id(&case));
    let owner = muster.owner.id.as_str().to_owned();
    let changed = muster
        .put(
            &path,
            json!({ "case": { "owner": { "id": owner }, "subject": "Till frozen" } }),
        )
        .await
        .good();
    assert_eq!(changed["case"]["owner"]["summary"], "Maya Okafor");
    assert_eq!(found(&muster, "query=frozen").await, [1]);
    let closed = muster
        .put(&path, json!({ "case": { "status": "closed", "owner": null } }))
        .await
        .good();
    assert_eq!(closed["case"]["owner"], Value::Null);
    assert_eq!(closed["case"]["owed_since"], Value::Null);
    muster
        .post(
            &format!("{path}/notes"),
            json!({ "note": { "text": "<b>He was rude</b>" } }),
        )
        .await
        .with_status(201);
    let messages = muster.get(&format!("{path}/messages")).await.good();
    assert_eq!(messages["messages"][0]["direction"], "inside");
}
