//! The API's document, for programs and for people.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use store::Engine;
use tower::ServiceExt as _;

use crate::harness::TestApp;

async fn page(muster: &TestApp, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = muster.router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX)
        .await
        .unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn every_operation_of_the_document_has_its_place_in_the_manual() {
    let muster = TestApp::new(Engine::Sqlite).await;
    let (_, document) = page(&muster, "/openapi.json").await;
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let (_, contents) = page(&muster, "/docs").await;
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(contents.contains(&format!("<code>{path}</code>")), "{path}");
    }
    let (status, chapter) = page(&muster, "/docs/cases").await;
    assert_eq!(status, StatusCode::OK);
    assert!(chapter.contains("id=\"post-cases\""));
    assert!(chapter.contains("<code>external_reference</code>"));
    assert_eq!(page(&muster, "/docs/%3Cscript%3E").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_document_names_each_operation_once_and_says_how_to_prove_who_one_is() {
    let document = serde_json::to_value(muster::app::router::document()).unwrap();
    let mut names = BTreeSet::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(names.insert(name.clone()), "{name} stands for two operations");
        }
    }
    assert_eq!(
        document["components"]["securitySchemes"]["api_key"]["in"],
        "header"
    );
    assert_eq!(document["security"][0]["api_key"], serde_json::json!([]));
}

#[tokio::test]
async fn the_served_document_says_which_version_of_openapi_it_speaks() {
    let muster = TestApp::new(Engine::Sqlite).await;
    let (status, document) = page(&muster, "/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    let version = document["openapi"].as_str().unwrap();
    assert!(version.starts_with("3.1."), "{version}");
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    fn references<'a>(value: &'a serde_json::Value, found: &mut BTreeSet<&'a str>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str() {
                        Some(reference) if name == "$ref" => drop(found.insert(reference)),
                        _ => references(value, found),
                    }
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = serde_json::to_value(muster::app::router::document()).unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        let place = reference.trim_start_matches('#');
        assert!(document.pointer(place).is_some(), "{reference} leads nowhere");
    }
}

/// Whether a schema says nothing at all.
fn is_empty(schema: &serde_json::Value) -> bool {
    schema
        .as_object()
        .is_none_or(|fields| fields.keys().all(|name| name == "description"))
}

#[tokio::test]
async fn every_body_and_every_answer_has_a_shape() {
    let document = serde_json::to_value(muster::app::router::document()).unwrap();
    let mut shapes = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let answers = operation["responses"].as_object().unwrap().values();
            let contents = answers.chain([&operation["requestBody"]]);
            for content in contents.filter_map(|one| one["content"].as_object()) {
                for (kind, content) in content {
                    shapes += 1;
                    assert!(!is_empty(&content["schema"]), "{method} {path}: {kind}");
                }
            }
        }
    }
    assert!(shapes > 500, "only {shapes} were found");
}

#[tokio::test]
async fn the_manual_shows_the_fields_of_an_event_and_which_key_it_needs() {
    let muster = TestApp::new(Engine::Sqlite).await;
    let (_, events) = page(&muster, "/docs/events").await;
    for field in [
        "routing_key",
        "dedup_key",
        "severity",
        "custom_details",
        "generatorURL",
        "href",
    ] {
        assert!(events.contains(&format!("<code>{field}</code>")), "{field}");
    }
    assert!(events.contains("No API key is needed."));
    assert!(events.contains("as the password, with any user name"));
    let (_, incidents) = page(&muster, "/docs/incidents").await;
    for field in [
        "incident_number",
        "assignee",
        "conference_url",
        "pending_actions",
        "correlation",
    ] {
        assert!(incidents.contains(&format!("<code>{field}</code>")), "{field}");
    }
}
