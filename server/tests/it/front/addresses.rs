//! The bare address, and addresses that nothing stands at.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use store::Engine;

use crate::harness::{Answer, TestApp};

async fn as_browser(muster: &TestApp, path: &str) -> Answer {
    let request = Request::get(path)
        .header(header::ACCEPT, "text/html,application/xhtml+xml")
        .body(Body::empty())
        .unwrap();
    muster.send(request).await
}

#[tokio::test]
async fn the_bare_address_leads_to_the_console() {
    let muster = TestApp::new(Engine::Sqlite).await;
    let answer = as_browser(&muster, "/").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.headers[header::LOCATION], "/console");
}

#[tokio::test]
async fn an_unknown_address_is_a_page_for_a_person_and_a_refusal_for_a_program() {
    let muster = TestApp::new(Engine::Sqlite).await;
    let outside = as_browser(&muster, "/nothing-here").await;
    assert_eq!(outside.status, StatusCode::NOT_FOUND);
    assert!(
        outside.text.contains("There is no page at this address"),
        "{}",
        outside.text
    );
    let inside = as_browser(&muster, "/console/nothing-here").await;
    assert_eq!(inside.status, StatusCode::NOT_FOUND);
    assert!(inside.text.contains("Go to Now"), "{}", inside.text);
    let program = muster.get("/nothing-here").await.with_status(404);
    assert_eq!(program["error"]["code"], 2100);
}

#[tokio::test]
async fn renewing_the_page_of_a_refused_form_leads_to_the_page_above_it() {
    let muster = TestApp::new(Engine::Sqlite).await;
    let answer = as_browser(&muster, "/console/incidents/P1/resolve").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.headers[header::LOCATION], "/console/incidents/P1");
    let program = muster.get("/console/incidents/P1/resolve").await;
    assert_eq!(program.status, StatusCode::METHOD_NOT_ALLOWED);
}
