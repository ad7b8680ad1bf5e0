//! What is done at the desk of the console is what is done over the API: told, audited and counted alike.

use axum::http::Method;
use serde_json::{Value, json};
use store::Engine;

use super::{link, outage, set_status};
use crate::harness::{Browser, TestApp, mailing};

async fn mailed(muster: &TestApp, text: &str, name: &str) -> Value {
    let email = format!("{}@example.org", name.to_lowercase());
    let reporter = json!({ "name": name, "email": email });
    muster.case(json!({ "text": text, "reporter": reporter })).await
}

fn id(case: &Value) -> &str {
    case["id"].as_str().unwrap()
}

async fn answers_sent(muster: &TestApp) -> usize {
    let sends = muster
        .get("/outbox/sends?purposes[]=answer&limit=100")
        .await
        .good();
    sends["sends"].as_array().unwrap().len()
}

async fn audited_cases(muster: &TestApp, field: &str) -> usize {
    let records = muster
        .get("/audit/records?root_resource_types[]=cases&limit=100")
        .await
        .good();
    let records = records["records"].as_array().unwrap();
    let says = |record: &&Value| {
        let fields = record["details"]["fields"].as_array().unwrap();
        fields.iter().any(|one| one["name"] == field)
    };
    records.iter().filter(says).count()
}

#[store::both_engines]
async fn answers_given_at_the_desk_stand_on_the_timeline_and_in_the_audit_log(engine: Engine) {
    let muster = TestApp::with_settings(engine, mailing()).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    let first = mailed(&muster, "Card reader offline", "Hannah").await;
    let second = mailed(&muster, "Card reader offline", "Dieter").await;
    for case in [&first, &second] {
        let path = format!("/console/desk/cases/{}/link", id(case));
        Browser::led_to(&browser.send(&path, &[("incident", &outage.incident)]).await);
    }
    assert_eq!(audited_cases(&muster, "linked_to").await, 2);
    let path = format!("/console/desk/cases/{}/answer", id(&first));
    Browser::led_to(&browser.send(&path, &[("words", "We are on it.")]).await);
    assert_eq!(audited_cases(&muster, "answered").await, 1);
    set_status(&muster, &outage.incident, "resolved").await;
    Browser::led_to(&browser.send("/console/desk/answers", &[]).await);
    assert_eq!(audited_cases(&muster, "answered").await, 3);
    let entries = crate::updates::entries(&muster, &outage.incident).await;
    let told: Vec<&str> = entries
        .iter()
        .filter(|(kind, _)| kind == "answer_sent")
        .map(|(_, text)| text.as_str())
        .collect();
    assert_eq!(
        told,
        ["Maya Okafor answered C-1", "Maya Okafor answered 2 reporters"]
    );
}

#[store::both_engines]
async fn a_draft_that_is_no_longer_right_keeps_nobody_else_waiting(engine: Engine) {
    let muster = TestApp::with_settings(engine, mailing()).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    let stray = mailed(&muster, "Card reader offline", "Hannah").await;
    let begun = mailed(&muster, "Where is the soap?", "Ines").await;
    let waiting = mailed(&muster, "Card reader offline", "Dieter").await;
    for case in [&stray, &waiting] {
        link(&muster, case, &outage.incident).await;
    }
    set_status(&muster, &outage.incident, "resolved").await;
    let unlink = format!("/cases/{}/unlink", id(&stray));
    muster.post(&unlink, json!({})).await.good();
    let begin = format!("/cases/{}/answer", id(&begun));
    let part = json!({ "answer": { "personal_part": "In aisle 4." } });
    muster.put(&begin, part).await.good();
    let desk = browser.open("/console/desk").await;
    assert!(desk.contains("Answer 1 customers"), "{desk}");
    Browser::led_to(&browser.send("/console/desk/answers", &[]).await);
    assert_eq!(answers_sent(&muster).await, 1);
    let waiting = muster.get(&format!("/cases/{}", id(&waiting))).await.good();
    assert_eq!(waiting["case"]["status"], "waiting");
}

#[store::both_engines]
async fn the_same_answer_confirmed_again_is_the_same_answer(engine: Engine) {
    let muster = TestApp::with_settings(engine, mailing()).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    let case = mailed(&muster, "Card reader offline", "Hannah").await;
    link(&muster, &case, &outage.incident).await;
    let path = format!("/cases/{}/answer", id(&case));
    let body = json!({ "answer": { "personal_part": "Your 64.20 comes back." } });
    let first = muster.post(&path, body.clone()).await.good();
    let again = muster.post(&path, body).await.good();
    assert_eq!(again["answer"]["id"], first["answer"]["id"]);
    let plainly = muster.post(&path, json!({})).await.good();
    assert_eq!(plainly["answer"]["id"], first["answer"]["id"]);
    assert_eq!(answers_sent(&muster).await, 1);
    let form = format!("/console/desk/cases/{}/answer", id(&case));
    for _ in 0..3 {
        Browser::led_to(&browser.send(&form, &[("words", "The van is on its way.")]).await);
    }
    assert_eq!(answers_sent(&muster).await, 2);
    muster.pass_quietly(601);
    muster
        .post(&path, json!({ "answer": { "text": "The van is on its way." } }))
        .await
        .good();
    assert_eq!(answers_sent(&muster).await, 3, "later the same words are news");
}

#[store::both_engines]
async fn a_case_of_an_open_incident_is_not_raised_again(engine: Engine) {
    let muster = TestApp::with_settings(engine, mailing()).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    let case = mailed(&muster, "The till prints nothing", "Hannah").await;
    let raise = format!("/cases/{}/raise", id(&case));
    let body = json!({ "raise": { "service": { "id": outage.built.service_id } } });
    let raised = muster.post(&raise, body.clone()).await.with_status(201);
    let refused = muster.post(&raise, body.clone()).await.with_status(409);
    assert_eq!(
        refused["error"]["errors"][0],
        "C-1 is linked to incident #2 already: The till prints nothing. Work on that one, or take the link back first."
    );
    let form = [
        ("title", "Tills print nothing"),
        ("service", outage.built.service_id.as_str()),
        ("case", id(&case)),
    ];
    let page = browser.send("/console/desk/raise", &form).await;
    assert_eq!(page.status, 409, "{}", page.text);
    assert!(
        page.text.contains("linked to incident #2 already"),
        "{}",
        page.text
    );
    let incidents = muster.get("/incidents?date_range=all&total=true").await.good();
    assert_eq!(incidents["total"], 2);
    let incident = raised["case"]["incident"]["id"].as_str().unwrap();
    set_status(&muster, incident, "resolved").await;
    muster.post(&raise, body).await.with_status(201);
}

#[store::both_engines]
async fn a_case_that_points_at_nothing_is_refused_wherever_it_is_written_down(engine: Engine) {
    let muster = TestApp::with_settings(engine, mailing()).await;
    let browser = muster.browser().await;
    for (field, words) in [
        ("location", "Location was not found."),
        ("touchpoint", "Touchpoint was not found."),
    ] {
        let fields = [("words", "Card reader offline"), (field, "PNOTHING")];
        let page = browser.send("/console/desk/cases", &fields).await;
        assert_eq!(page.status, 400, "{field}: {}", page.text);
        assert!(page.text.contains(words), "{field}: {}", page.text);
    }
}

#[store::both_engines]
async fn nothing_is_opened_on_a_service_that_is_switched_off(engine: Engine) {
    let muster = TestApp::with_settings(engine, mailing()).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    let service = outage.built.service_id.as_str();
    let off = json!({ "service": { "status": "disabled" } });
    muster.put(&format!("/services/{service}"), off).await.good();
    let case = mailed(&muster, "The till prints nothing", "Hannah").await;
    let title = ("title", "Tills print nothing");
    for (path, fields) in [
        ("/console/desk/raise", vec![title, ("service", service)]),
        (
            "/console/desk/raise",
            vec![title, ("service", service), ("case", id(&case))],
        ),
        ("/console/incidents", vec![title, ("service", service)]),
    ] {
        let page = browser.send(path, &fields).await;
        assert_eq!(page.status, 400, "{path}: {}", page.text);
        assert!(
            page.text.contains("Service is switched off"),
            "{path}: {}",
            page.text
        );
    }
    let body = json!({ "raise": { "service": { "id": service } } });
    let raise = format!("/cases/{}/raise", id(&case));
    muster.post(&raise, body).await.with_status(400);
}

#[store::both_engines]
async fn what_makes_a_form_count_once_is_not_shown_as_the_senders_number(engine: Engine) {
    let muster = TestApp::with_settings(engine, mailing()).await;
    let request = axum::http::Request::post("/report")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from(
            "once=abcdefghijklmnopqrstuvwx&text=Card+reader+offline",
        ))
        .unwrap();
    muster.send(request).await;
    let shown = muster.get("/cases").await.good();
    assert_eq!(shown["cases"][0]["external_reference"], Value::Null);
    let own = muster
        .as_person(
            &muster.owner,
            Method::POST,
            "/cases",
            Some(json!({ "case": { "text": "x", "external_reference": "Z-17" } })),
        )
        .await
        .with_status(201);
    assert_eq!(own["case"]["external_reference"], "Z-17");
}
