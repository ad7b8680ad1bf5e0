//! Answers that were begun, given or confirmed before, and what is sent when they are confirmed once more.

use serde_json::{Value, json};
use store::Engine;

use super::answers::{owed, path};
use super::forms::{leads_to, submit};
use super::{link, outage, set_status};
use crate::harness::{Browser, TestApp, mailing};

async fn said_to_reporter(muster: &TestApp, case: &Value) -> Vec<String> {
    let messages = muster.get(&path(case, "/messages")).await.good();
    let messages = messages["messages"].as_array().unwrap();
    messages
        .iter()
        .filter(|message| message["direction"] == "out")
        .map(|message| message["text"].as_str().unwrap().to_owned())
        .collect()
}

async fn confirm_all(muster: &TestApp, incident: &str) -> Value {
    let confirm = format!("/incidents/{incident}/answers/confirm");
    muster.post(&confirm, json!({})).await.good()
}

async fn reported_by(muster: &TestApp, reporter: Value) -> Value {
    muster
        .case(json!({ "text": "Card reader offline", "reporter": reporter }))
        .await
}

#[store::both_engines]
async fn a_reporter_for_whom_it_is_still_broken_is_answered_again_and_at_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let own = leads_to(&submit(&muster, "/report", "text=Card+reader+offline&name=Hannah").await);
    let case = muster.get("/cases").await.good()["cases"][0].clone();
    link(&muster, &case, &outage.incident).await;
    set_status(&muster, &outage.incident, "resolved").await;
    confirm_all(&muster, &outage.incident).await;
    muster.pass_quietly(180);
    leads_to(&submit(&muster, &own, "said=still_broken").await);
    muster.settle().await;
    let told = confirm_all(&muster, &outage.incident).await;
    assert_eq!(told, json!({ "sent": 1, "to_call": 0, "left": 0 }));
    assert_eq!(said_to_reporter(&muster, &case).await.len(), 2);
}

#[store::both_engines]
async fn nobody_counts_as_answered_to_whom_nothing_was_sent(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let case = reported_by(&muster, json!({ "name": "Hannah" })).await;
    link(&muster, &case, &outage.incident).await;
    set_status(&muster, &outage.incident, "resolved").await;
    confirm_all(&muster, &outage.incident).await;
    muster.post(&path(&case, "/unlink"), json!({})).await.good();
    link(&muster, &case, &outage.incident).await;
    let told = confirm_all(&muster, &outage.incident).await;
    assert_eq!(told, json!({ "sent": 0, "to_call": 0, "left": 1 }));
    assert_eq!(said_to_reporter(&muster, &case).await.len(), 1);
}

#[store::both_engines]
async fn what_was_begun_while_it_lasted_goes_out_when_it_is_over(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let case = reported_by(&muster, json!({ "name": "Hannah" })).await;
    let call = reported_by(&muster, json!({ "name": "Dieter", "telephone": "+49 221 1" })).await;
    for case in [&case, &call] {
        link(&muster, case, &outage.incident).await;
    }
    let part = json!({ "answer": { "personal_part": "The 64.20 comes back within 3 days." } });
    let begun = muster.put(&path(&case, "/answer"), part).await.good();
    assert_eq!(begun["answer"]["kind"], "progress");
    let confirmed = muster.post(&path(&call, "/answer"), json!({})).await.good();
    assert_eq!(confirmed["answer"]["state"], "to_call");
    set_status(&muster, &outage.incident, "resolved").await;
    for case in [&case, &call] {
        let draft = muster.get(&path(case, "/answer")).await.good();
        assert_eq!(
            (&draft["answer"]["kind"], &draft["answer"]["state"]),
            (&json!("resolution"), &json!("drafted"))
        );
    }
    let told = confirm_all(&muster, &outage.incident).await;
    assert_eq!(told, json!({ "sent": 1, "to_call": 1, "left": 0 }));
    let said = said_to_reporter(&muster, &case).await;
    assert!(
        said[0].starts_with(
            "Hello Hannah,\n\nThe 64.20 comes back within 3 days.\n\nCard payments should be working"
        ),
        "{said:?}"
    );
}

#[store::both_engines]
async fn what_stands_on_the_desk_is_what_is_sent(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    let case = reported_by(&muster, json!({ "name": "Hannah" })).await;
    link(&muster, &case, &outage.incident).await;
    let part = json!({ "answer": { "personal_part": "Your 64.20 comes back." } });
    muster.put(&path(&case, "/answer"), part).await.good();
    let desk = browser
        .open(&format!("/console/desk?case={}", case["id"].as_str().unwrap()))
        .await;
    for words in [
        "Hello Hannah,",
        "Your 64.20 comes back.",
        "Thank you for telling us.",
    ] {
        assert!(desk.contains(words), "{words} is not on the desk: {desk}");
    }
    let form = format!("/console/desk{}", path(&case, "/answer"));
    let stale = [("personal", ""), ("words", "It works."), ("kind", "resolution")];
    assert_eq!(browser.send(&form, &stale).await.status, 409);
    let read = [
        ("personal", ""),
        ("words", "The van is on its way."),
        ("kind", "progress"),
    ];
    Browser::led_to(&browser.send(&form, &read).await);
    assert_eq!(
        said_to_reporter(&muster, &case).await,
        ["Hello Hannah,\n\nThe van is on its way."]
    );
}

#[store::both_engines]
async fn without_mail_nobody_counts_as_told_by_mail(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    let hannah = reported_by(
        &muster,
        json!({ "name": "Hannah", "email": "hannah@example.org", "telephone": "+49 221 1" }),
    )
    .await;
    let ines = reported_by(&muster, json!({ "name": "Ines", "email": "ines@example.org" })).await;
    for case in [&hannah, &ines] {
        link(&muster, case, &outage.incident).await;
    }
    set_status(&muster, &outage.incident, "resolved").await;
    let told = muster.post(&path(&hannah, "/answer"), json!({})).await.good();
    assert_eq!(
        (&told["answer"]["delivery"], &told["answer"]["state"]),
        (&json!("call"), &json!("to_call"))
    );
    let told = muster.post(&path(&ines, "/answer"), json!({})).await.good();
    assert_eq!(told["answer"]["delivery"], "page");
    let sends = muster.get("/outbox/sends?purposes[]=answer").await.good();
    assert_eq!(sends["sends"], json!([]));
    assert_eq!(owed(&muster).await, 1, "Hannah waits for a call");
    let desk = browser
        .open(&format!("/console/desk?case={}", hannah["id"].as_str().unwrap()))
        .await;
    assert!(
        desk.contains("I have told them") && desk.contains("Hello Hannah,"),
        "{desk}"
    );
    let called = format!("/console/desk{}", path(&hannah, "/called"));
    Browser::led_to(&browser.send(&called, &[]).await);
    assert_eq!(owed(&muster).await, 0);
}

#[store::both_engines]
async fn with_mail_an_answer_goes_by_mail(engine: Engine) {
    let muster = TestApp::with_settings(engine, mailing()).await;
    let case = reported_by(
        &muster,
        json!({ "name": "Hannah", "email": "hannah@example.org", "telephone": "+49 221 1" }),
    )
    .await;
    let body = json!({ "answer": { "text": "In aisle 4.", "personal_part": null } });
    let told = muster.post(&path(&case, "/answer"), body).await.good();
    assert_eq!(told["answer"]["delivery"], "email");
    assert!(told["answer"]["send_id"].is_string());
}

/// "It works again" was wrong, so who was told so must hear of it when it is true.
#[store::both_engines]
async fn who_was_told_that_it_is_over_is_owed_again_when_it_is_not(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let own = leads_to(&submit(&muster, "/report", "text=Card+reader+offline&name=Hannah").await);
    let hannahs = muster.get("/cases").await.good()["cases"][0].clone();
    let works = leads_to(&submit(&muster, "/report", "text=Card+reader+dead&name=Ana").await);
    let anas = muster.get("/cases").await.good()["cases"][0].clone();
    for case in [&hannahs, &anas] {
        link(&muster, case, &outage.incident).await;
    }
    set_status(&muster, &outage.incident, "resolved").await;
    confirm_all(&muster, &outage.incident).await;
    leads_to(&submit(&muster, &works, "said=works").await);
    assert_eq!(owed(&muster).await, 0);
    muster.pass_quietly(3_600);

    set_status(&muster, &outage.incident, "triggered").await;
    assert_eq!(owed(&muster).await, 1);
    let back = muster.get(&path(&hannahs, "")).await.good()["case"].clone();
    assert_eq!(
        (&back["status"], &back["recovery"]),
        (&json!("open"), &json!("not_asked"))
    );
    let page = muster.browser().await.open(&own).await;
    assert!(page.contains("We work on it."), "{page}");
    assert!(!page.contains("value=\"still_broken\""), "{page}");
    let done = muster.get(&path(&anas, "")).await.good()["case"].clone();
    assert_eq!(
        (&done["status"], &done["recovery"]),
        (&json!("closed"), &json!("works"))
    );

    set_status(&muster, &outage.incident, "resolved").await;
    let told = confirm_all(&muster, &outage.incident).await;
    assert_eq!(told, json!({ "sent": 1, "to_call": 0, "left": 0 }));
    assert_eq!(said_to_reporter(&muster, &hannahs).await.len(), 2);
    assert_eq!(owed(&muster).await, 0);
}

#[store::both_engines]
async fn who_was_told_that_it_is_over_is_owed_again_when_it_becomes_part_of_what_is_not(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let case = reported_by(&muster, json!({ "name": "Hannah" })).await;
    link(&muster, &case, &outage.incident).await;
    set_status(&muster, &outage.incident, "resolved").await;
    confirm_all(&muster, &outage.incident).await;
    muster.pass_quietly(3_600);
    muster.trigger(&outage.built, "other", "Switch down").await;
    let open = muster.get("/incidents?statuses[]=triggered").await.good()["incidents"][0].clone();
    let open = open["id"].as_str().unwrap();
    let body = json!({ "source_incidents": [{ "id": outage.incident, "type": "incident_reference" }] });
    muster.put(&format!("/incidents/{open}/merge"), body).await.good();
    muster.settle().await;
    assert_eq!(owed(&muster).await, 1);
    set_status(&muster, open, "resolved").await;
    let told = confirm_all(&muster, open).await;
    assert_eq!(told, json!({ "sent": 1, "to_call": 0, "left": 0 }));
}

/// Whoever closed it has settled it; a button that answers everybody must not open it again.
#[store::both_engines]
async fn a_case_that_was_closed_is_not_written_to_with_the_others(engine: Engine) {
    let muster = TestApp::with_settings(engine, mailing()).await;
    let outage = outage(&muster).await;
    let by_mail = reported_by(
        &muster,
        json!({ "name": "Hannah", "email": "hannah@example.org" }),
    )
    .await;
    let by_call = reported_by(&muster, json!({ "name": "Ana", "telephone": "+441132000" })).await;
    for case in [&by_mail, &by_call] {
        link(&muster, case, &outage.incident).await;
    }
    set_status(&muster, &outage.incident, "resolved").await;
    let confirm = path(&by_call, "/answer");
    muster.post(&confirm, json!({})).await.good();
    for case in [&by_mail, &by_call] {
        let closed = json!({ "case": { "status": "closed" } });
        muster.put(&path(case, ""), closed).await.good();
    }
    let told = confirm_all(&muster, &outage.incident).await;
    assert_eq!(told, json!({ "sent": 0, "to_call": 0, "left": 0 }));
    let called = path(&by_call, "/answer/called");
    muster.post(&called, json!({})).await.with_status(400);
    for case in [&by_mail, &by_call] {
        let case = muster.get(&path(case, "")).await.good()["case"].clone();
        assert_eq!(
            (&case["status"], &case["owed_since"]),
            (&json!("closed"), &Value::Null)
        );
    }
}
