//! Everyone who reported is answered.

use axum::http::Method;
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::{Outage, link, outage, set_status};
use crate::harness::TestApp;
use crate::smtp::MailServer;
use muster::app::auditor::begin;

/// Three linked reporters: by e-mail, by telephone, and one who left nothing.
async fn reported(muster: &TestApp) -> (Outage, [Value; 3]) {
    let outage = outage(muster).await;
    let mail = muster
        .case(json!({ "text": "Card reader offline", "reporter": { "name": "Hannah", "email": "hannah@example.org" },
            "touchpoint": { "id": outage.cards } }))
        .await;
    let call = muster
        .case(json!({ "text": "Card reader offline", "reporter": { "name": "Dieter", "telephone": "+49 221 1" } }))
        .await;
    let page = muster.case(json!({ "text": "Card reader offline" })).await;
    for case in [&mail, &call, &page] {
        link(muster, case, &outage.incident).await;
    }
    (outage, [mail, call, page])
}

pub(super) async fn owed(muster: &TestApp) -> i64 {
    muster.get("/desk/owed").await.good()["counts"]["owed"]
        .as_i64()
        .unwrap()
}

pub(super) fn path(case: &Value, rest: &str) -> String {
    format!("/cases/{}{rest}", case["id"].as_str().unwrap())
}

#[store::both_engines]
async fn resolving_drafts_an_answer_for_everyone_and_sends_none_by_itself(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (outage, [mail, ..]) = reported(&muster).await;
    assert_eq!(owed(&muster).await, 3);
    set_status(&muster, &outage.incident, "resolved").await;
    assert_eq!(owed(&muster).await, 3);
    let answers = muster
        .get(&format!("/incidents/{}/answers?total=true", outage.incident))
        .await
        .good();
    assert_eq!(answers["total"], 3);
    let draft = muster.get(&path(&mail, "/answer")).await.good();
    assert_eq!(draft["answer"]["state"], "drafted");
    assert_eq!(
        draft["answer"]["text"],
        "Hello Hannah,\n\nCard payments should be working again since 06:00 GMT. You told us at 06:00 GMT; thank you, \
         and we are sorry for the trouble.\n\nDoes it work for you now? Please tell us. If it is still broken, say so \
         and we go on."
    );
}

#[store::both_engines]
async fn confirming_all_keeps_personal_parts_and_empties_the_list(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (outage, [mail, call, page]) = reported(&muster).await;
    set_status(&muster, &outage.incident, "resolved").await;
    muster
        .put(
            &path(&mail, "/answer"),
            json!({ "answer": { "personal_part": "The 64.20 comes back within 3 days." } }),
        )
        .await
        .good();
    let confirm = format!("/incidents/{}/answers/confirm", outage.incident);
    let told = muster.post(&confirm, json!({})).await.good();
    assert_eq!(told, json!({ "sent": 2, "to_call": 1, "left": 0 }));
    assert_eq!(owed(&muster).await, 1);
    let again = muster.post(&confirm, json!({})).await.good();
    assert_eq!(again, json!({ "sent": 0, "to_call": 0, "left": 0 }));
    let messages = muster.get(&path(&mail, "/messages")).await.good();
    let words = messages["messages"][0]["text"].as_str().unwrap();
    assert!(
        words.starts_with("Hello Hannah,\n\nThe 64.20 comes back within 3 days.\n\nCard payments should")
    );
    let list = muster.get("/desk/owed").await.good();
    assert_eq!(list["owed"][0]["waits_for"], "call");
    muster
        .post(&path(&call, "/answer/called"), json!({}))
        .await
        .good();
    assert_eq!(owed(&muster).await, 0);
    muster
        .post(&path(&call, "/answer/called"), json!({}))
        .await
        .with_status(400);
    for case in [&mail, &call, &page] {
        let case = muster.get(&path(case, "")).await.good();
        assert_eq!(case["case"]["status"], "waiting");
        assert_eq!(case["case"]["recovery"], "asked");
    }
}

#[store::both_engines]
async fn while_it_lasts_reporters_are_told_and_stay_owed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, [mail, ..]) = reported(&muster).await;
    let told = muster.post(&path(&mail, "/answer"), json!({})).await.good();
    assert_eq!(told["answer"]["kind"], "progress");
    assert_eq!(told["answer"]["state"], "sent");
    assert!(
        told["answer"]["text"]
            .as_str()
            .unwrap()
            .contains("Card payments do not work just now. This is us and not your card.")
    );
    assert_eq!(owed(&muster).await, 3);
    let case = muster.get(&path(&mail, "")).await.good();
    assert_ne!(case["case"]["first_answered_at"], Value::Null);
}

#[store::both_engines]
async fn an_incident_that_opens_again_takes_its_drafts_back(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (outage, [mail, ..]) = reported(&muster).await;
    set_status(&muster, &outage.incident, "resolved").await;
    set_status(&muster, &outage.incident, "triggered").await;
    let answers = muster
        .get(&format!("/incidents/{}/answers", outage.incident))
        .await
        .good();
    assert_eq!(answers["answers"], json!([]));
    let refused = muster
        .post(
            &path(&mail, "/answer"),
            json!({ "answer": { "kind": "resolution" } }),
        )
        .await
        .with_status(400);
    assert_eq!(
        refused["error"]["errors"][0],
        "answer.kind: resolution is for a case whose incident is resolved."
    );
}

#[store::both_engines]
async fn a_case_without_an_incident_is_answered_with_the_agents_own_words(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let agent = muster.person("Aoife", "aoife@example.org", Role::Agent).await;
    let responder = muster.person("Priya", "priya@example.org", Role::Responder).await;
    let case = muster.case(json!({ "text": "Where is the toilet paper?" })).await;
    muster
        .post(&path(&case, "/answer"), json!({}))
        .await
        .with_status(400);
    let body = Some(json!({ "answer": { "text": "In aisle 4." } }));
    muster
        .as_person(&responder, Method::POST, &path(&case, "/answer"), body.clone())
        .await
        .with_status(403);
    let told = muster
        .as_person(&agent, Method::POST, &path(&case, "/answer"), body)
        .await
        .good();
    assert_eq!(told["answer"]["text"], "Hello,\n\nIn aisle 4.");
    assert_eq!(owed(&muster).await, 0);
    let long = json!({ "answer": { "text": "x".repeat(10_001) } });
    muster.post(&path(&case, "/answer"), long).await.with_status(400);
    muster.get("/cases/Q0/answer").await.with_status(404);
    muster.get("/incidents/Q0/answers").await.with_status(404);
    muster
        .post("/incidents/Q0/answers/confirm", json!({}))
        .await
        .with_status(404);
}

#[store::both_engines]
async fn an_answer_that_cannot_be_delivered_is_owed_again_and_whoever_answers_reads_why(engine: Engine) {
    let server = MailServer::start();
    let muster = TestApp::with_settings(engine, server.settings()).await;
    begin(&muster.app).await.unwrap();
    let outage = outage(&muster).await;
    let case = muster
        .case(json!({ "text": "Card reader offline", "reporter": { "name": "Hannah", "email": "refused@example.org" } }))
        .await;
    link(&muster, &case, &outage.incident).await;
    set_status(&muster, &outage.incident, "resolved").await;
    let answer = json!({ "answer": {} });
    muster.post(&path(&case, "/answer"), answer).await.good();
    assert_eq!(owed(&muster).await, 0);
    muster.pass(std::time::Duration::from_secs(120)).await;
    assert_eq!(owed(&muster).await, 1, "Hannah has heard nothing");
    let draft = muster.get(&path(&case, "/answer")).await.good();
    assert_eq!(draft["answer"]["state"], "drafted");
    let entries = muster
        .get(&format!("/incidents/{}/log_entries?limit=100", outage.incident))
        .await;
    assert!(entries.text.contains("No such person here"), "{}", entries.text);
    let sends = muster.get("/outbox/sends?purposes[]=answer").await.good();
    let retry = format!(
        "/outbox/sends/{}/retry",
        sends["sends"][0]["id"].as_str().unwrap()
    );
    muster.post(&retry, json!({})).await.with_status(409);

    let review = muster
        .get(&format!("/incidents/{}/review", outage.incident))
        .await
        .good()["incident_review"]
        .clone();
    assert_eq!(review["facts"]["cases"]["owed"], 1);
    assert_eq!(review["facts"]["seconds"]["to_last_answer"], Value::Null);
    let body = review["body"].as_str().unwrap();
    assert!(
        body.contains("Answers that came back")
            && body.contains("1 customer waits for an answer still")
            && !body.contains("Everyone who told us")
            && !body.contains("refused@example.org"),
        "{body}"
    );
    let browser = muster.browser().await;
    let page = browser
        .open(&format!("/console/desk?case={}", case["id"].as_str().unwrap()))
        .await;
    for words in [
        "Our answer to refused@example.org could not be delivered",
        "No such person here",
        "Check the address",
        "Answer came back",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }

    let answer = json!({ "answer": { "text": "We reached you in another way." } });
    muster.post(&path(&case, "/answer"), answer).await.good();
    let page = browser
        .open(&format!("/console/desk?case={}", case["id"].as_str().unwrap()))
        .await;
    assert!(!page.contains("could not be delivered"), "{page}");
}
