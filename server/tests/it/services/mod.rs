//! Services, touchpoints and what joins them, over the API.

mod includes;
mod keys;
mod maintenance;
mod refused;
mod silence;

use std::time::Duration;

use serde_json::{Value, json};
use store::Engine;

use crate::harness::TestApp;

async fn create(muster: &TestApp, policy_id: &str, name: &str) -> Value {
    let body = json!({ "service": {
        "type": "service",
        "name": name,
        "escalation_policy": { "id": policy_id, "type": "escalation_policy_reference" },
        "acknowledgement_timeout": 0,
        "alert_grouping_parameters": { "type": "time", "config": { "timeout": 5 } },
    } });
    muster.post("/services", body).await.with_status(201)["service"].clone()
}

#[store::both_engines]
async fn a_service_has_every_field_of_the_dialect(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("store-edge").build().await;
    let service = create(&muster, &built.policy_id, "card-gateway").await;
    let id = service["id"].as_str().unwrap();
    let integration =
        json!({ "integration": { "type": "events_api_v2_inbound_integration", "name": "Prometheus" } });
    let made = muster
        .post(&format!("/services/{id}/integrations"), integration)
        .await
        .with_status(201);
    assert_eq!(made["integration"]["integration_key"].as_str().unwrap().len(), 32);
    let shown = muster
        .get(&format!(
            "/services/{id}?include[]=integrations&include[]=unknown"
        ))
        .await
        .good();
    insta::assert_json_snapshot!("service", shown, {
        ".service.id" => "[id]",
        ".service.self" => "[url]",
        ".service.html_url" => "[url]",
        ".service.escalation_policy.id" => "[id]",
        ".service.escalation_policy.self" => "[url]",
        ".service.escalation_policy.html_url" => "[url]",
        ".service.integrations[].id" => "[id]",
        ".service.integrations[].self" => "[url]",
        ".service.integrations[].html_url" => "[url]",
        ".service.integrations[].integration_key" => "[key]",
        ".service.integrations[].service.id" => "[id]",
        ".service.integrations[].service.self" => "[url]",
        ".service.integrations[].service.html_url" => "[url]",
    });
    let found = muster.get("/services?query=CARD&total=true").await.good();
    assert_eq!(
        (&found["total"], &found["services"][0]["name"]),
        (&json!(1), &json!("card-gateway"))
    );
    let taken =
        json!({ "service": { "name": "card-gateway", "escalation_policy": { "id": built.policy_id } } });
    let refused = muster.post("/services", taken).await.with_status(400);
    assert_eq!(
        refused["error"]["errors"],
        json!(["Name has already been taken."])
    );
    muster.delete(&format!("/services/{id}")).await.with_status(204);
    muster.get(&format!("/services/{id}")).await.with_status(404);
}

#[store::both_engines]
async fn dependencies_never_close_a_circle(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("store-edge").build().await;
    let gateway = create(&muster, &built.policy_id, "card-gateway").await;
    let touchpoint =
        json!({ "business_service": { "name": "Card payments", "harm_weight": 95, "currency": "GBP" } });
    let touchpoint = muster
        .post("/business_services", touchpoint)
        .await
        .with_status(200)["business_service"]
        .clone();
    let edge = |supporting: &Value, dependent: &Value| json!({ "relationships": [{ "supporting_service": supporting, "dependent_service": dependent }] });
    let store_edge = json!({ "id": built.service_id, "type": "service" });
    let gateway = json!({ "id": gateway["id"], "type": "service_reference" });
    let payments = json!({ "id": touchpoint["id"], "type": "business_service" });
    muster
        .post("/service_dependencies/associate", edge(&store_edge, &gateway))
        .await
        .with_status(200);
    muster
        .post("/service_dependencies/associate", edge(&gateway, &payments))
        .await
        .with_status(200);
    let circle = muster
        .post("/service_dependencies/associate", edge(&payments, &store_edge))
        .await
        .with_status(400);
    assert!(
        circle["error"]["errors"][0].as_str().unwrap().contains("circle"),
        "{circle}"
    );
    let path = format!(
        "/service_dependencies/technical_services/{}",
        gateway["id"].as_str().unwrap()
    );
    let known = muster.get(&path).await.good();
    assert_eq!(known["relationships"].as_array().unwrap().len(), 2);
    let of_business_service = "/service_dependencies/business_services";
    let known = muster
        .get(&format!(
            "{of_business_service}/{}",
            payments["id"].as_str().unwrap()
        ))
        .await
        .good();
    let known = known["relationships"].as_array().unwrap();
    assert_eq!(known.len(), 1, "{known:?}");
    assert_eq!(known[0]["supporting_service"]["id"], gateway["id"]);
    assert_eq!(known[0]["dependent_service"]["id"], payments["id"]);
    muster
        .get(&format!("{of_business_service}/Q0"))
        .await
        .with_status(404);
    muster
        .post("/service_dependencies/disassociate", edge(&gateway, &payments))
        .await
        .with_status(200);
    assert_eq!(
        muster.get(&path).await.good()["relationships"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[store::both_engines]
async fn a_service_in_maintenance_opens_no_incident(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let window = json!({ "maintenance_window": {
        "start_time": "2026-11-17T05:00:00+0000",
        "end_time": "2026-11-17T07:00:00Z",
        "description": "New firmware",
        "services": [{ "id": built.service_id, "type": "service_reference" }],
    } });
    let made = muster.post("/maintenance_windows", window).await.with_status(201);
    assert_eq!(
        made["maintenance_window"]["start_time"], "2026-11-17T06:00:00Z",
        "a start in the past becomes now"
    );
    muster.trigger(&built, "till-1", "Terminal silent").await;
    assert_eq!(muster.get("/incidents?total=true").await.good()["total"], 0);
    let path = format!("/services/{}", built.service_id);
    assert_eq!(muster.get(&path).await.good()["service"]["status"], "maintenance");
    muster.enqueue(&built, "resolve", "till-1", "").await;
    muster.take_signals().await;
    muster.clock.advance(Duration::from_secs(2 * 3600));
    muster.trigger(&built, "till-2", "Terminal silent").await;
    assert_eq!(muster.get("/incidents?total=true").await.good()["total"], 1);
    assert_eq!(muster.get(&path).await.good()["service"]["status"], "critical");
}

#[store::both_engines]
async fn locations_are_a_tree_and_customers_are_found(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let make = async |resource: Value| muster.post("/locations", json!({ "location": resource })).await;
    let region = make(json!({ "name": "North", "kind": "region" }))
        .await
        .with_status(201)["location"]
        .clone();
    let site = json!({ "name": "Leeds Briggate", "kind": "site", "parent": { "id": region["id"] }, "time_zone": "Europe/London" });
    let site = make(site).await.with_status(201)["location"].clone();
    assert_eq!(site["code"].as_str().unwrap().len(), 12);
    make(json!({ "name": "Odd", "kind": "region", "parent": { "id": site["id"] } }))
        .await
        .with_status(400);
    let refused =
        make(json!({ "name": "", "kind": "site", "time_zone": "Mars/Olympus", "currency": "pounds" })).await;
    assert_eq!(
        refused.with_status(400)["error"]["errors"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let delete = format!("/locations/{}", region["id"].as_str().unwrap());
    muster.delete(&delete).await.with_status(400);

    let account = json!({ "account": { "name": "Hannah 100%_Whitcombe", "email": "Hannah@Mail.example", "tier": "gold",
        "location": { "id": site["id"] } } });
    muster.post("/accounts", account).await.with_status(201);
    for (query, count) in [
        ("whitcombe", 1),
        ("hannah@mail", 1),
        ("100%25_", 1),
        ("10_%25", 0),
        ("nobody", 0),
    ] {
        let found = muster
            .get(&format!("/accounts?total=true&query={query}"))
            .await
            .good();
        assert_eq!(found["total"], count, "{query}");
    }
}
