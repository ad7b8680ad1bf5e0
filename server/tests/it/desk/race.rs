//! Two hands on one case at the same moment: the second goes by what the first has made of it.

use muster::cases::actions::Kept;
use muster::cases::input::Report;
use muster::cases::model::Word;
use muster::cases::raise::{Raise, raise};
use muster::cases::{CaseId, Channel, actions};
use muster::desk::actions as desk;
use muster::desk::answers::{Answering, Confirmed};
use muster::outbox::Mail;
use muster::timeline::Change;
use serde_json::{Value, json};
use store::Engine;

use super::{link, outage};
use crate::harness::TestApp;
use crate::incidents::race::at_once;

#[store::both_engines]
async fn two_who_raise_one_case_raise_one_incident(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let case = muster.case(json!({ "text": "The till prints nothing" })).await;
    let id = CaseId::from(case["id"].as_str().unwrap());
    let wanted = Raise {
        service_id: Some(built.service_id.clone()),
        ..Raise::default()
    };
    let raising = move |change: &mut Change| raise(change, &id, &wanted).map(drop);
    let [first, second] = at_once(&muster, raising.clone(), raising).await;
    first.unwrap();
    assert_eq!(second.unwrap_err().status(), 409);
    let incidents = muster.get("/incidents?date_range=all&total=true").await.good();
    assert_eq!(incidents["total"], 1);
}

#[store::both_engines]
async fn two_agents_who_answer_one_case_send_one_answer_and_show_one(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let reporter = json!({ "name": "Hannah", "email": "hannah@example.org" });
    let case = muster
        .case(json!({ "text": "Card reader offline", "reporter": reporter }))
        .await;
    link(&muster, &case, &outage.incident).await;
    let id = CaseId::from(case["id"].as_str().unwrap());
    let person = Answering {
        user_id: muster.owner.id.clone(),
        site: muster.app.site.clone(),
        mail: Mail::Configured,
    };
    let answering = move |change: &mut Change| {
        let (_, answer) = desk::confirm(change, &id, &Confirmed::default(), &person)?;
        Ok(answer.id)
    };
    let [first, second] = at_once(&muster, answering.clone(), answering).await;
    assert_eq!(first.unwrap(), second.unwrap());
    let messages = format!("/cases/{}/messages", case["id"].as_str().unwrap());
    let messages = muster.get(&messages).await.good();
    assert_eq!(messages["messages"].as_array().unwrap().len(), 1);
}

#[store::both_engines]
async fn what_a_reporter_says_while_a_note_of_the_case_is_corrected_is_not_lost(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let case = muster.case(json!({ "text": "The till prints nothing" })).await;
    let id = CaseId::from(case["id"].as_str().unwrap());
    let path = format!("/cases/{id}");
    let body = json!({ "case": { "status": "closed" } });
    muster.put(&path, body).await.good();
    let corrected = id.clone();
    let both = at_once(
        &muster,
        move |change| {
            let case = actions::load(change, &id)?;
            actions::hear(change, &case, Word::StillBroken, None)
        },
        move |change| {
            let case = actions::load(change, &corrected)?;
            let wanted = actions::Corrected {
                status: case.status,
                owner_id: None,
                account_id: None,
                location_id: None,
                touchpoint_id: None,
                subject: "Tills".to_owned(),
            };
            actions::correct(change, &case, &wanted).map(drop)
        },
    )
    .await;
    assert!(both.iter().all(Result::is_ok), "{both:?}");
    let case = muster.get(&path).await.good()["case"].clone();
    assert_eq!(
        (&case["status"], &case["subject"]),
        (&json!("open"), &json!("Tills"))
    );
    assert_ne!(case["owed_since"], Value::Null);
}

#[store::both_engines]
async fn the_same_number_of_a_sender_twice_at_once_is_one_case(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let reporting = |change: &mut Change| {
        let new = Report {
            text: Some("The till prints nothing"),
            ..Report::default()
        };
        let mut new = new.check("", Channel::Api)?;
        new.external_reference = Some("Z-17".to_owned());
        actions::report(change, &new)
    };
    let [first, second] = at_once(&muster, reporting, reporting).await;
    assert_eq!(first.unwrap().0, Kept::New);
    let (kept, case) = second.unwrap();
    assert_eq!((kept, case.number), (Kept::Known, 1));
}
