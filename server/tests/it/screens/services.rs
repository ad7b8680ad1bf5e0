//! One service's page, and what is posted from it.

use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::form::Filled;
use super::{HOSTILE, shows_harmlessly};
use crate::desk::outage;
use crate::harness::{Browser, TestApp};

#[store::both_engines]
async fn a_service_says_how_it_stands_who_answers_and_whom_it_hurts(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    let page = browser
        .open(&format!("/console/services/{}", outage.built.service_id))
        .await;
    for expected in [
        "card-gateway",
        "Triggered",
        "Paged first",
        "Maya Okafor",
        "Customers lose Card payments.",
        "Gateway silent",
        "key ends in",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(
        !page.contains(&outage.built.integration_key),
        "the key is shown only once"
    );
    let touchpoint = browser.open(&format!("/console/services/{}", outage.cards)).await;
    for expected in [
        "Customers touch it",
        "card-gateway",
        "Hurt",
        "Gateway silent",
        "Take cash, or hold the basket until tomorrow.",
    ] {
        assert!(touchpoint.contains(expected), "{expected}: {touchpoint}");
    }
    assert_eq!(
        browser.look("/console/services/QNOTHING").await.status.as_u16(),
        404
    );
}

#[store::both_engines]
async fn a_service_is_added_connected_and_put_on_top_of_another(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let below = muster.service("store-edge").build().await;
    let browser = muster.browser().await;
    let fields = [
        ("name", HOSTILE),
        ("kind", "technical"),
        ("escalation_policy", below.policy_id.as_str()),
        ("description", ""),
    ];
    let page = Browser::led_to(&browser.send("/console/services", &fields).await);
    shows_harmlessly(&browser.open(&page).await);
    shows_harmlessly(&browser.open("/console/services").await);

    let connected = browser
        .send(
            &format!("{page}/integrations"),
            &[("name", "Prometheus"), ("sender", "events")],
        )
        .await;
    assert_eq!(connected.status.as_u16(), 200);
    let key = connected
        .text
        .split("id=\"made-key\" tabindex=\"0\">")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .unwrap()
        .to_owned();
    assert!(!browser.open(&page).await.contains(&key), "the key is shown once");
    let event = json!({ "routing_key": key, "event_action": "trigger", "payload": { "summary": "x", "source": "y", "severity": "error" } });
    muster.post("/v2/enqueue", event).await.with_status(202);

    Browser::led_to(
        &browser
            .send(&format!("{page}/uses"), &[("service", &below.service_id)])
            .await,
    );
    assert!(browser.open(&page).await.contains("store-edge"));
    let circle = format!("/console/services/{}/uses", below.service_id);
    let own = page.rsplit('/').next().unwrap();
    let refused = browser.send(&circle, &[("service", own)]).await;
    assert_eq!(refused.status.as_u16(), 400);
    assert!(refused.text.contains("would close a circle"), "{}", refused.text);
}

#[store::both_engines]
async fn a_touchpoint_is_added_and_given_words(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let fields = [
        ("name", "Loyalty"),
        ("kind", "business"),
        ("description", "Points"),
    ];
    let page = Browser::led_to(&browser.send("/console/services", &fields).await);
    let form = format!("{page}/change");
    assert!(browser.open(&page).await.contains(&format!("{form}#words-head")));
    let filled = Filled::on(&browser.open(&form).await, &form)
        .with("customer-words", "my points are gone")
        .with("fallback", HOSTILE)
        .with("words-to-say", "They will come back.");
    Browser::led_to(&filled.sent_by(&browser).await);
    let html = browser.open(&page).await;
    shows_harmlessly(&html);
    assert!(html.contains("They will come back."));
}

#[store::both_engines]
async fn who_may_only_look_changes_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let page = format!("/console/services/{}", built.service_id);
    let observer = muster.browser_as(Role::Observer).await;
    let html = observer.open(&page).await;
    assert!(!html.contains("Connect something</button>") && !html.contains("Take it away"));
    for (path, fields) in [
        (format!("{page}/integrations"), &[("name", "x")][..]),
        (format!("{page}/uses"), &[("service", "x")]),
        (
            "/console/services".to_owned(),
            &[("name", "x"), ("kind", "business")],
        ),
    ] {
        assert_eq!(observer.send(&path, fields).await.status.as_u16(), 403, "{path}");
    }
    let owner = muster.browser().await;
    assert_eq!(
        owner
            .send_forged(&format!("{page}/integrations"), &[("name", "x")])
            .await
            .status
            .as_u16(),
        403
    );
}
