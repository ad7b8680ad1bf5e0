//! The desk: is it us, who is owed an answer, and the public forms.

mod answers;
mod answers_again;
mod at_the_desk;
mod forms;
mod notices;
mod race;
mod warnings;

use serde_json::{Value, json};
use store::Engine;

use crate::harness::{Built, TestApp};

pub(crate) struct Outage {
    pub(crate) built: Built,
    pub(crate) cards: String,
    pub(crate) leeds: String,
    pub(crate) incident: String,
}

/// card-gateway carries card payments, two shops use them, and it is silent.
pub(crate) async fn outage(muster: &TestApp) -> Outage {
    let built = muster.service("card-gateway").build().await;
    let cards = muster
        .touchpoint("Card payments", &built.service_id, 40_000)
        .await;
    let sites = muster
        .sites("North", &["Leeds Briggate", "York Coney Street"], &cards)
        .await;
    muster.trigger(&built, "gateway", "Gateway silent").await;
    let incident = muster.get("/incidents?date_range=all").await.good()["incidents"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    Outage {
        built,
        cards,
        leeds: sites[0].clone(),
        incident,
    }
}

pub(crate) async fn link(muster: &TestApp, case: &Value, incident: &str) {
    let path = format!("/cases/{}/link", case["id"].as_str().unwrap());
    muster
        .post(&path, json!({ "incident": { "id": incident } }))
        .await
        .good();
    muster.settle().await;
}

pub(crate) async fn set_status(muster: &TestApp, incident: &str, status: &str) {
    let body = json!({ "incident": { "type": "incident_reference", "status": status } });
    muster.put(&format!("/incidents/{incident}"), body).await.good();
    muster.settle().await;
}

async fn ask(muster: &TestApp, query: &str) -> Value {
    muster.get(&format!("/desk/is_it_us?{query}")).await.good()
}

#[store::both_engines]
async fn the_words_and_the_place_of_a_customer_find_the_incident_with_reasons(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let answer = ask(&muster, "query=card+reader+says+offline,+leeds+briggate").await;
    let first = &answer["matches"][0];
    assert_eq!(first["incident"]["id"], outage.incident.as_str());
    assert_eq!(first["answer"], "Yes, very likely");
    assert_eq!(answer["question"]["locations"][0]["id"], outage.leeds.as_str());
    let kinds: Vec<&str> = first["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["words", "location", "began_before"]);
    assert!(!first["reasons"][0]["words"].as_array().unwrap().is_empty());
    assert_eq!(
        first["what_to_say"]["words"],
        "Card payments do not work just now. This is us and not your card."
    );
    assert_eq!(
        first["what_to_do"],
        "Take cash, or hold the basket until tomorrow."
    );
    assert_eq!(answer["no_match"], Value::Null);
}

#[store::both_engines]
async fn an_open_case_asks_by_itself_and_others_who_wrote_the_same_count(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    for _ in 0..3 {
        let other = muster
            .case(json!({ "text": "gift voucher refused at the counter" }))
            .await;
        link(&muster, &other, &outage.incident).await;
    }
    let case = muster
        .case(json!({ "text": "the gift voucher was refused at our counter" }))
        .await;
    let answer = ask(&muster, &format!("case_id={}", case["id"].as_str().unwrap())).await;
    let first = &answer["matches"][0];
    assert_eq!(first["likelihood"], "very_likely");
    assert_eq!(answer["others"]["count"], 3);
    assert_eq!(answer["others"]["unlinked"], 0);
}

#[store::both_engines]
async fn what_nobody_knows_is_said_so(engine: Engine) {
    let muster = TestApp::new(engine).await;
    outage(&muster).await;
    muster.case(json!({ "text": "the trolley wheels squeak" })).await;
    let answer = ask(&muster, "query=trolley+wheels+squeak+terribly").await;
    assert_eq!(
        answer["no_match"],
        "We know of nothing like this. 1 other wrote the same in the last hour."
    );
}

#[store::both_engines]
async fn approved_words_replace_those_of_the_catalogue(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let issue = muster::desk::known::KnownIssue {
        incident_id: outage.incident.as_str().into(),
        words_to_say: muster::words::PublicText::fixed("Cards fail in two shops. Cash works."),
        approved_by_name: "Maya Okafor".to_owned(),
        approved_at: muster.app.clock.now(),
        facts_revision: 7,
        next_update_by: Some("2026-11-17T06:20:00Z".parse().unwrap()),
    };
    muster
        .app
        .change(muster::timeline::Agent::muster(), move |change| {
            muster::desk::known::tell(change, &issue)
        })
        .await
        .unwrap();
    let answer = ask(&muster, "query=card+payments+offline").await;
    let first = &answer["matches"][0];
    assert_eq!(
        first["what_to_say"]["words"],
        "Cards fail in two shops. Cash works."
    );
    assert_eq!(first["what_to_say"]["facts_revision"], 7);
    assert_eq!(first["next_update_by"], "2026-11-17T06:20:00Z");
}

#[store::both_engines]
async fn a_question_without_words_or_too_many_is_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    muster.get("/desk/is_it_us").await.with_status(400);
    muster.get("/desk/is_it_us?query=+++").await.with_status(400);
    muster.get("/desk/is_it_us?case_id=Q0").await.with_status(400);
    let long = "x".repeat(4_001);
    muster
        .get(&format!("/desk/is_it_us?query={long}"))
        .await
        .with_status(400);
    let hostile = muster
        .get("/desk/is_it_us?query=%3Cscript%3E%27%22%F0%9F%92%A9%E2%80%AE%3B--")
        .await;
    hostile.good();
}

#[store::both_engines]
async fn merging_takes_the_linked_cases_along(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let case = muster.case(json!({ "text": "Card reader offline" })).await;
    link(&muster, &case, &outage.incident).await;
    muster.trigger(&outage.built, "other", "Switch down").await;
    let all = muster.get("/incidents?date_range=all").await.good();
    let target = all["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|incident| incident["id"] != outage.incident.as_str())
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({ "source_incidents": [{ "id": outage.incident, "type": "incident_reference" }] });
    muster
        .put(&format!("/incidents/{target}/merge"), body)
        .await
        .good();
    muster.settle().await;
    let moved = muster
        .get(&format!("/cases/{}", case["id"].as_str().unwrap()))
        .await
        .good();
    assert_eq!(moved["case"]["incident"]["id"], target.as_str());
    assert_ne!(moved["case"]["owed_since"], Value::Null);
}

#[store::both_engines]
async fn the_oldest_and_most_valuable_are_owed_first(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let account = muster
        .post(
            "/accounts",
            json!({ "account": { "name": "Brodie & Sons", "tier": "business", "value_per_year": 4_100_000, "currency": "GBP" } }),
        )
        .await
        .good()["account"]["id"]
        .clone();
    let first = muster.case(json!({ "text": "one" })).await;
    muster.pass(std::time::Duration::from_secs(120)).await;
    muster
        .case(json!({ "text": "two", "account": { "id": account }, "touchpoint": { "id": outage.cards } }))
        .await;
    link(&muster, &first, &outage.incident).await;
    let owed = muster.get("/desk/owed?total=true").await.good();
    let told: Vec<(&str, &str)> = owed["owed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            (
                case["text"].as_str().unwrap(),
                case["waits_for"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("two", "link_or_reply"), ("one", "resolution")]);
    assert_eq!(owed["counts"], json!({ "owed": 2, "not_linked": 1 }));
    let own = muster
        .get(&format!("/desk/owed?incident_id={}", outage.incident))
        .await
        .good();
    assert_eq!(own["owed"].as_array().unwrap().len(), 1);
}
