//! A form that is sent twice counts once.

use store::Engine;

use crate::harness::{Browser, TestApp};

async fn count(muster: &TestApp) -> i64 {
    let found = muster.get("/incidents?total=true&date_range=all").await.good();
    found["total"].as_i64().unwrap()
}

#[store::both_engines]
async fn pressing_twice_raises_one_incident_and_leads_to_it_both_times(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await.on_one_page().await;
    let fields = [("title", "Cards fail"), ("service", built.service_id.as_str())];
    let (first, second) = tokio::join!(
        browser.send("/console/incidents", &fields),
        browser.send("/console/incidents", &fields)
    );
    let third = browser.send("/console/incidents", &fields).await;
    assert_eq!(count(&muster).await, 1);
    let place = Browser::led_to(&first);
    assert_eq!(
        [Browser::led_to(&second), Browser::led_to(&third)],
        [place.clone(), place]
    );
}

#[store::both_engines]
async fn other_words_and_another_page_are_another_wish(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await.on_one_page().await;
    for title in ["Cards fail", "Loyalty fails"] {
        let fields = [("title", title), ("service", built.service_id.as_str())];
        browser.send("/console/incidents", &fields).await;
    }
    let browser = browser.on_one_page().await;
    let fields = [("title", "Cards fail"), ("service", built.service_id.as_str())];
    browser.send("/console/incidents", &fields).await;
    assert_eq!(count(&muster).await, 3);
}

#[store::both_engines]
async fn what_was_refused_can_be_sent_again(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await.on_one_page().await;
    let fields = [("title", "Cards fail"), ("service", "PNONE")];
    for _ in 0..2 {
        let answer = browser.send("/console/incidents", &fields).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
    }
}
