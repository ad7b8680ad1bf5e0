//! Rate limits and their headers.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use muster::config::Given;
use muster::people::Role;
use store::Engine;

use crate::harness::TestApp;

async fn limited(engine: Engine, limit: &str) -> TestApp {
    let settings = Given {
        api_rate_limit: Some(limit.to_owned()),
        ..Given::default()
    };
    TestApp::with_settings(engine, settings.check().unwrap()).await
}

#[store::both_engines]
async fn every_answer_says_how_much_is_left(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let first = muster.get("/users/me").await;
    first.good();
    assert_eq!(first.headers["ratelimit-limit"], "960");
    assert_eq!(first.headers["ratelimit-remaining"], "959");
    assert_eq!(first.headers["ratelimit-reset"], "1");
    assert!(first.headers.contains_key("x-request-id"));
    let missing = muster.get("/incidents/QNOSUCH").await;
    assert_eq!(missing.headers["ratelimit-remaining"], "958");
}

#[store::both_engines]
async fn a_key_that_asks_too_often_is_refused_in_the_dialect_and_others_are_not(engine: Engine) {
    let muster = limited(engine, "3").await;
    let other = muster.person("Tom Lee", "tom@example.org", Role::Responder).await;
    for _ in 0..3 {
        muster.get("/users/me").await.good();
    }
    let refused = muster.get("/users/me").await;
    let body = refused.with_status(429);
    assert_eq!(body["error"]["message"], "Rate Limit Exceeded");
    assert_eq!(body["error"]["code"], 2020);
    assert_eq!(refused.headers["ratelimit-remaining"], "0");
    assert_eq!(refused.headers["ratelimit-reset"], "20");
    muster
        .as_person(&other, Method::GET, "/users/me", None)
        .await
        .good();
    muster.clock.advance(Duration::from_secs(20));
    muster.get("/users/me").await.good();
    muster.get("/users/me").await.with_status(429);
}

#[store::both_engines]
async fn the_limit_can_be_off_and_health_is_never_limited(engine: Engine) {
    let muster = limited(engine, "off").await;
    for _ in 0..20 {
        assert!(
            !muster
                .get("/users/me")
                .await
                .headers
                .contains_key("ratelimit-limit")
        );
    }
    let muster = limited(engine, "1").await;
    for _ in 0..5 {
        assert_eq!(muster.get("/health/live").await.status.as_u16(), 200);
    }
}

#[store::both_engines]
async fn an_address_that_shows_wrong_keys_is_held_up(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let mut statuses = Vec::new();
    for number in 0..70 {
        let request = Request::get("/users/me")
            .header("authorization", format!("Token token=wrong{number}"))
            .body(Body::empty())
            .unwrap();
        statuses.push(muster.send(request).await.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 60);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 10);
}

#[store::both_engines]
async fn who_works_there_is_not_held_up_by_the_wrong_keys_of_a_neighbour(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    muster.get("/users/me").await.good();
    for number in 0..70 {
        let key = format!("wrong{number}");
        muster.with_key(&key, Method::GET, "/users/me", None).await;
    }
    muster.get("/users/me").await.good();
    browser.open("/console").await;
}

#[store::both_engines]
async fn a_made_up_session_is_a_visitor(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let mut refused = 0;
    for number in 0..310 {
        let request = Request::get("/report")
            .header("cookie", format!("muster=made-up-{number}"))
            .body(Body::empty())
            .unwrap();
        refused += u32::from(muster.send(request).await.status.as_u16() == 429);
    }
    assert_eq!(refused, 10);
}
