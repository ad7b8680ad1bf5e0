//! The palette's search: what the asker may see and do, and nothing else, whatever is typed.

use std::fmt::Write as _;

use axum::http::Method;
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::room::post;
use crate::desk::{Outage, outage};
use crate::harness::{Person, TestApp};

async fn search(muster: &TestApp, person: &Person, query: &str) -> Vec<Value> {
    let query = query.bytes().fold(String::new(), |mut query, byte| {
        write!(query, "%{byte:02X}").unwrap();
        query
    });
    let answer = muster
        .as_person(
            person,
            Method::GET,
            &format!("/console/search?query={query}"),
            None,
        )
        .await
        .good();
    answer["found"].as_array().unwrap().clone()
}

/// Kind and words of what was found.
fn told(found: &[Value]) -> Vec<String> {
    found
        .iter()
        .map(|one| {
            format!(
                "{}: {}",
                one["where"].as_str().unwrap(),
                one["words"].as_str().unwrap()
            )
        })
        .collect()
}

#[store::both_engines]
async fn any_object_is_found_by_its_name_or_number(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let account = json!({ "account": { "name": "Gateway Catering", "email": "buy@example.org" } });
    muster.post("/accounts", account).await.good();
    let case = json!({ "case": {
        "channel": "api", "text": "The gateway ate my card", "reporter": { "name": "Ana", "email": "ana@example.org" },
    } });
    muster.post("/cases", case).await.good();
    muster
        .person("Gateway Gertrude", "gg@example.org", Role::Responder)
        .await;

    let found = told(&search(&muster, &muster.owner, "gateway").await);
    for expected in [
        "Incident, triggered: #1 Customers have trouble with Card payments in up to 2 places.",
        "Case: C-1 Ana: The gateway ate my card",
        "Service: card-gateway",
        "Customer: Gateway Catering",
        "Person: Gateway Gertrude",
    ] {
        assert!(found.contains(&expected.to_owned()), "{expected} in {found:?}");
    }
    assert_eq!(
        told(&search(&muster, &muster.owner, "briggate").await),
        ["Location: Leeds Briggate"]
    );
    let cards = told(&search(&muster, &muster.owner, "card pay").await);
    assert!(
        cards.contains(&"Touchpoint: Card payments".to_owned()),
        "{cards:?}"
    );
    let by_number = search(&muster, &muster.owner, "#1").await;
    assert_eq!(by_number[0]["to"], format!("/console/incidents/{incident}"));
}

#[store::both_engines]
async fn an_action_is_offered_to_whoever_may_do_it_and_works(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let found = search(&muster, &muster.owner, "1").await;
    let acknowledge = found
        .iter()
        .find(|one| one["words"] == "Acknowledge #1")
        .unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(acknowledge["does"], "post");
    post(&muster, &muster.owner, acknowledge["to"].as_str().unwrap(), &[]).await;
    let status = muster.get(&format!("/incidents/{incident}")).await.good();
    assert_eq!(status["incident"]["status"], "acknowledged");

    let raise = told(&search(&muster, &muster.owner, "raise").await);
    assert_eq!(raise, ["Do: Raise an incident"]);
    let observer = muster.person("Olga", "olga@example.org", Role::Observer).await;
    assert!(search(&muster, &observer, "raise").await.is_empty());
    let seen = told(&search(&muster, &observer, "1").await);
    assert!(!seen.iter().any(|one| one.starts_with("Do:")), "{seen:?}");
}

#[store::both_engines]
async fn a_stakeholder_finds_neither_customers_nor_their_cases(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let account = json!({ "account": { "name": "Brodie Catering", "email": "b@example.org" } });
    muster.post("/accounts", account).await.good();
    let case = json!({ "case": {
        "channel": "api", "text": "Brodie could not pay", "reporter": { "name": "Ana", "email": "ana@example.org" },
    } });
    muster.post("/cases", case).await.good();
    assert_eq!(search(&muster, &muster.owner, "brodie").await.len(), 2);
    let stakeholder = muster
        .person("Stella", "stella@example.org", Role::Stakeholder)
        .await;
    assert!(search(&muster, &stakeholder, "brodie").await.is_empty());
}

#[store::both_engines]
async fn hostile_and_endless_questions_get_a_short_answer(engine: Engine) {
    let muster = TestApp::new(engine).await;
    outage(&muster).await;
    for number in 0..12 {
        muster
            .person(
                &format!("Card Person {number}"),
                &format!("p{number}@example.org"),
                Role::Agent,
            )
            .await;
    }
    let long = "card ".repeat(2_000);
    for question in [
        "%' OR 1=1 --",
        "<script>alert(1)</script>",
        "\u{202e}تعذّر الدفع",
        "'; DROP TABLE incidents; --",
        "\"card* AND NEAR(",
        "99999999999999999999",
        "%_!",
        "",
        " ",
        "a",
        long.as_str(),
    ] {
        let found = search(&muster, &muster.owner, question).await;
        assert!(found.len() <= 20, "{question:?}: {}", found.len());
    }
    let holds_nothing = muster.get("/console/search?query=card%00").await;
    assert_eq!(holds_nothing.status, 400);
    let people = told(&search(&muster, &muster.owner, "card person").await);
    assert_eq!(people.len(), 4, "{people:?}");
    let stranger = axum::http::Request::get("/console/search?query=card")
        .body(axum::body::Body::empty())
        .unwrap();
    assert!(!muster.send(stranger).await.text.contains("Card payments"));
}
