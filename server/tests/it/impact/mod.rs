//! Whom an incident hurts.

use axum::http::Method;
use muster::people::Role;
use serde_json::{Value, json};
use store::{Engine, params, sql};

use crate::harness::{Built, TestApp};

struct Outage {
    built: Built,
    cards: String,
    leeds: String,
    incident: String,
}

/// card-gateway carries card payments; three shops in two regions use them; the gateway is silent.
async fn outage(muster: &TestApp) -> Outage {
    let built = muster.service("card-gateway").build().await;
    let cards = muster
        .touchpoint("Card payments", &built.service_id, 40_000)
        .await;
    muster.touchpoint("Loyalty", &cards, 8_000).await;
    let north = muster
        .sites("North", &["Leeds Briggate", "York Coney Street"], &cards)
        .await;
    muster.sites("South", &["Bath Stall Street"], &cards).await;
    muster.trigger(&built, "gateway", "Gateway silent").await;
    let incident = muster.get("/incidents?date_range=all").await.good()["incidents"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    Outage {
        built,
        cards,
        leeds: north[0].clone(),
        incident,
    }
}

async fn impact(muster: &TestApp, incident: &str) -> Value {
    muster.get(&format!("/incidents/{incident}/impact")).await.good()["impact"].clone()
}

async fn told(muster: &TestApp, incident: &str) -> Vec<String> {
    let incident = muster::incidents::IncidentId::from(incident);
    let entries = muster
        .app
        .read(move |tx| muster::timeline::store::of_incident(tx, &incident))
        .await
        .unwrap();
    entries
        .into_iter()
        .filter(|entry| entry.kind == muster::timeline::Kind::ImpactChanged)
        .map(|entry| entry.text)
        .collect()
}

#[store::both_engines]
async fn an_incident_hurts_the_touchpoints_places_and_money_that_stand_on_its_service(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let impact = impact(&muster, &outage.incident).await;
    let names: Vec<&str> = impact["touchpoints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Card payments", "Loyalty"]);
    assert_eq!(
        impact["touchpoints"][1]["reason"],
        "Loyalty stands on card-gateway by way of Card payments."
    );
    assert_eq!(impact["locations"]["sites_using"], 3);
    assert_eq!(
        impact["loss_per_hour"],
        json!([{ "currency": "GBP", "low": 20_000, "likely": 44_000, "high": 48_000 }])
    );
    assert_eq!(impact["revision"], 1);
    assert_eq!(
        told(&muster, &outage.incident).await,
        ["Hurt: Card payments, Loyalty; 3 sites use it"]
    );
}

#[store::both_engines]
async fn a_linked_case_names_its_place_and_its_customer(engine: Engine) {
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
    let case = muster
        .case(json!({ "text": "Card reader offline", "location": { "id": outage.leeds }, "account": { "id": account } }))
        .await;
    let path = format!("/cases/{}/link", case["id"].as_str().unwrap());
    for _ in 0..2 {
        muster
            .post(&path, json!({ "incident": { "id": outage.incident } }))
            .await
            .good();
        muster.settle().await;
    }
    let impact = impact(&muster, &outage.incident).await;
    assert_eq!(impact["cases"]["linked"], 1);
    assert_eq!(impact["locations"]["sites_confirmed"], 1);
    assert_eq!(impact["locations"]["sites"][0]["name"], "Leeds Briggate");
    assert_eq!(impact["locations"]["sites"][0]["evidence"], json!(["case"]));
    assert_eq!(impact["accounts"]["count"], 1);
    assert_eq!(impact["accounts"]["top"][0]["name"], "Brodie & Sons");
    assert_eq!(impact["loss_per_hour"][0]["high"], 13_333 + 2_666);
    assert_eq!(
        told(&muster, &outage.incident).await,
        [
            "Hurt: Card payments, Loyalty; 3 sites use it",
            "Hurt: Card payments, Loyalty; 1 of 3 sites named"
        ]
    );
}

#[store::both_engines]
async fn a_reader_gets_what_is_true_now_even_when_only_the_catalogue_changed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    muster
        .touchpoint("Click & collect", &outage.built.service_id, 0)
        .await;
    let fresh = impact(&muster, &outage.incident).await;
    assert_eq!(fresh["touchpoints"].as_array().unwrap().len(), 3);
    assert_eq!(fresh["revision"], 1);
    muster.settle().await;
    assert_eq!(impact(&muster, &outage.incident).await["revision"], 2);
}

#[store::both_engines]
async fn the_dialect_lists_hurt_business_services_and_takes_a_persons_word(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let own = format!("/incidents/{}/business_services", outage.incident);
    let list = muster.get(&format!("{own}/impacts")).await.good();
    assert_eq!(list["services"][0]["status"], "impacted");
    muster
        .put(
            &format!("{own}/{}/impacts", outage.cards),
            json!({ "relation": "not_impacted" }),
        )
        .await
        .good();
    let all = muster.get("/business_services/impacts").await.good();
    assert_eq!(all["additional_fields"]["total_impacted_count"], 1);
    let status: Vec<(&str, &str)> = all["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["status"].as_str().unwrap()))
        .collect();
    assert_eq!(
        status,
        [("Loyalty", "impacted"), ("Card payments", "not_impacted")]
    );
    let one = muster
        .get(&format!("/business_services/impacts?ids[]={}", outage.cards))
        .await
        .good();
    assert_eq!(one["services"].as_array().unwrap().len(), 1);
}

#[store::both_engines]
async fn what_is_not_there_or_not_meant_is_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    muster.get("/incidents/Q0/impact").await.with_status(404);
    muster
        .get("/incidents/Q0/business_services/impacts")
        .await
        .with_status(404);
    let by_hand = format!("/incidents/{}/business_services", outage.incident);
    muster
        .put(
            &format!("{by_hand}/{}/impacts", outage.cards),
            json!({ "relation": "maybe" }),
        )
        .await
        .with_status(400);
    muster
        .put(
            &format!("{by_hand}/Q0/impacts"),
            json!({ "relation": "impacted" }),
        )
        .await
        .with_status(404);
}

#[store::both_engines]
async fn an_incident_that_is_over_keeps_the_impact_it_ended_with(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let before = impact(&muster, &outage.incident).await;
    muster
        .put(
            &format!("/incidents/{}", outage.incident),
            json!({ "incident": { "type": "incident_reference", "status": "resolved" } }),
        )
        .await
        .good();
    muster
        .touchpoint("Click & collect", &outage.built.service_id, 0)
        .await;
    muster.settle().await;
    let after = impact(&muster, &outage.incident).await;
    assert_eq!(after["touchpoints"], before["touchpoints"]);
}

#[store::both_engines]
async fn a_place_that_only_a_late_alert_of_many_names_is_named(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let incident = outage.incident.clone();
    let copies = muster.app.store.write(move |tx| {
        for number in 0..1_100 {
            let source = if number == 1_099 { "Leeds Briggate" } else { "elsewhere" };
            tx.execute(
                sql!(
                    "INSERT INTO alerts (id, incident_id, integration_id, service_id, alert_key, status, severity, summary,
                         source, custom_details, contexts, truncated, suppressed, reasons, created_at, last_event_at,
                         event_count)
                     SELECT $2, incident_id, integration_id, service_id, $2, status, severity, summary, $3, custom_details,
                         contexts, truncated, suppressed, reasons, created_at, last_event_at, event_count
                     FROM alerts WHERE incident_id = $1 ORDER BY id LIMIT 1"
                ),
                params![&incident, format!("Z{number:05}"), source],
            )?;
        }
        Ok::<_, store::Error>(())
    });
    copies.await.unwrap();
    let places = &impact(&muster, &outage.incident).await["locations"];
    assert_eq!(places["sites_confirmed"], 1, "{places}");
}

#[store::both_engines]
async fn who_may_not_see_customers_reads_how_many_and_not_who(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let account = json!({ "account": { "name": "Brodie & Sons", "tier": "business", "value_per_year": 4_100_000, "currency": "GBP" } });
    let account = muster.post("/accounts", account).await.with_status(201);
    let case = json!({ "text": "Cards", "account": { "id": account["account"]["id"] }, "location": { "id": outage.leeds } });
    let case = muster.case(case).await;
    let link = format!("/cases/{}/link", case["id"].as_str().unwrap());
    let incident = json!({ "incident": { "id": outage.incident } });
    muster.post(&link, incident).await.good();
    muster.settle().await;
    let mut top = Vec::new();
    for role in [Role::Agent, Role::Responder, Role::Observer, Role::Stakeholder] {
        let address = format!("{}@example.org", role.as_text());
        let person = muster.person(role.as_text(), &address, role).await;
        let path = format!("/incidents/{}/impact", outage.incident);
        let answer = muster.as_person(&person, Method::GET, &path, None).await.good();
        let may = muster
            .as_person(&person, Method::GET, "/accounts", None)
            .await
            .status
            .is_success();
        let names = answer["impact"]["accounts"]["top"].as_array().unwrap().len();
        assert_eq!(names > 0, may, "{}", role.as_text());
        assert_eq!(answer["impact"]["accounts"]["count"], 1);
        top.push(names);
    }
    assert!(top.contains(&0) && top.contains(&1), "{top:?}");
}
