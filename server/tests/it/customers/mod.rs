//! Locations and customers, over the API.

use serde_json::{Value, json};
use store::Engine;

use crate::harness::TestApp;

async fn location(muster: &TestApp, name: &str, kind: &str, parent: Option<&str>) -> String {
    let mut location = json!({ "name": name, "kind": kind });
    if let Some(parent) = parent {
        location["parent"] = json!({ "id": parent, "type": "location_reference" });
    }
    let made = muster
        .post("/locations", json!({ "location": location }))
        .await
        .with_status(201);
    made["location"]["id"].as_str().unwrap().to_owned()
}

#[store::both_engines]
async fn what_holds_others_cannot_be_put_inside_them(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let region = location(&muster, "North", "region", None).await;
    let site = location(&muster, "Leeds", "site", Some(&region)).await;
    let inside_out =
        json!({ "location": { "kind": "terminal", "parent": { "id": site, "type": "location_reference" } } });
    let refused = muster
        .put(&format!("/locations/{region}"), inside_out)
        .await
        .with_status(400);
    assert_eq!(
        refused["error"]["errors"],
        json!(["location.kind cannot change while the location holds others; move them first."])
    );
    let empty = location(&muster, "Bradford", "site", Some(&region)).await;
    let moved =
        json!({ "location": { "kind": "terminal", "parent": { "id": site, "type": "location_reference" } } });
    let moved = muster
        .put(&format!("/locations/{empty}"), moved)
        .await
        .with_status(200);
    assert_eq!(moved["location"]["kind"], "terminal");
}

#[store::both_engines]
async fn every_mistake_in_a_location_and_in_a_customer_is_named(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let wrong = json!({ "location": {
        "name": " ", "kind": "site", "time_zone": "Mars/Olympus", "country": "GBR", "takings_per_hour": -1,
        "currency": "gbp", "telephone": "1".repeat(65),
    } });
    let refused = muster.post("/locations", wrong).await.with_status(400);
    assert_eq!(
        fields(&refused),
        [
            "location.name",
            "location.time_zone",
            "location.country",
            "location.telephone",
            "location.takings_per_hour",
            "location.currency",
        ]
    );
    let wrong = json!({ "account": {
        "name": "Ada", "email": "nobody", "language": "a".repeat(17), "value_per_year": 1_000_000_000_001_i64,
        "currency": "EURO",
    } });
    let refused = muster.post("/accounts", wrong).await.with_status(400);
    assert_eq!(
        fields(&refused),
        [
            "account.email",
            "account.language",
            "account.value_per_year",
            "account.currency",
        ]
    );
}

/// The fields that the sentences of a refusal begin with.
fn fields(refused: &Value) -> Vec<String> {
    refused["error"]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sentence| sentence.as_str().unwrap().split(' ').next().unwrap().to_owned())
        .collect()
}

#[store::both_engines]
async fn what_a_location_uses_is_shown_with_it_and_replaced_as_a_whole(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("tills").build().await;
    let cards = muster.touchpoint("Card payments", &built.service_id, 0).await;
    let uses = json!([
        { "id": cards, "type": "business_service_reference" },
        { "id": built.service_id, "type": "service_reference" },
    ]);
    let body = json!({ "location": { "name": "Leeds", "kind": "site", "services": uses } });
    let made = muster.post("/locations", body).await.with_status(201)["location"].clone();
    let names = |location: &Value| -> Vec<(String, String)> {
        let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
        let services = location["services"].as_array().unwrap().clone();
        services
            .iter()
            .map(|one| (text(one, "summary"), text(one, "type")))
            .collect()
    };
    let expected = [
        (
            "Card payments".to_owned(),
            "business_service_reference".to_owned(),
        ),
        ("tills".to_owned(), "service_reference".to_owned()),
    ];
    assert_eq!(names(&made), expected);
    let path = format!("/locations/{}", made["id"].as_str().unwrap());
    assert_eq!(names(&muster.get(&path).await.good()["location"]), expected);
    let less = json!({ "location": { "services": [{ "id": cards, "type": "business_service_reference" }] } });
    let changed = muster.put(&path, less).await.good();
    assert_eq!(names(&changed["location"]), expected[..1]);
    let listed = muster.get("/locations?query=leeds").await.good();
    assert_eq!(names(&listed["locations"][0]), expected[..1]);
}
