//! Planned work.

use muster::people::Role;
use store::Engine;

use super::{HOSTILE, shows_harmlessly};
use crate::harness::{Browser, TestApp};

#[store::both_engines]
async fn work_is_planned_begins_and_is_ended_early(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let feed = muster.service("stock-feed").build().await;
    let browser = muster.browser().await;
    assert!(
        browser
            .open("/console/maintenance")
            .await
            .contains("Nothing is planned")
    );
    let fields = [
        ("words", HOSTILE),
        ("service", feed.service_id.as_str()),
        ("from", "2026-11-17T07:00"),
        ("until", "2026-11-17T09:00"),
    ];
    Browser::led_to(&browser.send("/console/maintenance", &fields).await);
    let planned = browser.open("/console/maintenance").await;
    shows_harmlessly(&planned);
    assert!(planned.contains("Call it off") && planned.contains("2 h") && planned.contains("stock-feed"));
    muster.pass(std::time::Duration::from_secs(2 * 3_600)).await;
    let under_way = browser.open("/console/maintenance").await;
    assert!(under_way.contains("One piece of work under way now"));
    let end = under_way
        .split("action=\"/console/maintenance/")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .map(|rest| format!("/console/maintenance/{rest}"))
        .unwrap();
    Browser::led_to(&browser.send(&end, &[]).await);
    let over = browser.open("/console/maintenance").await;
    assert!(
        over.contains("Nothing is planned") && over.contains("Over"),
        "{over}"
    );
}

#[store::both_engines]
async fn what_cannot_be_planned_is_said_and_what_was_typed_is_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    muster.service("stock-feed").build().await;
    let browser = muster.browser().await;
    let fields = [
        ("words", "Swap disks"),
        ("from", "2026-11-17T09:00"),
        ("until", "2026-11-17T08:00"),
    ];
    let refused = browser.send("/console/maintenance", &fields).await;
    assert_eq!(refused.status.as_u16(), 422);
    for expected in [
        "It is not planned yet",
        "Choose at least one service.",
        "value=\"Swap disks\"",
        "value=\"2026-11-17T09:00\"",
    ] {
        assert!(refused.text.contains(expected), "{expected}: {}", refused.text);
    }
}

#[store::both_engines]
async fn who_may_not_plan_is_not_asked_and_is_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let feed = muster.service("stock-feed").build().await;
    let fields = [
        ("words", "x"),
        ("service", feed.service_id.as_str()),
        ("from", "2026-11-17T07:00"),
        ("until", "2026-11-17T09:00"),
    ];
    let agent = muster.browser_as(Role::Agent).await;
    assert!(!agent.open("/console/maintenance").await.contains("Plan work"));
    assert_eq!(
        agent.send("/console/maintenance", &fields).await.status.as_u16(),
        403
    );
    let owner = muster.browser().await;
    assert_eq!(
        owner
            .send_forged("/console/maintenance", &fields)
            .await
            .status
            .as_u16(),
        403
    );
}

#[store::both_engines]
async fn who_may_not_call_work_off_is_not_asked_and_is_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let feed = muster.service("stock-feed").build().await;
    let fields = [
        ("words", "Swap disks"),
        ("service", feed.service_id.as_str()),
        ("from", "2026-11-17T07:00"),
        ("until", "2026-11-17T09:00"),
    ];
    let responder = muster.browser_as(Role::Responder).await;
    let owner = muster.browser().await;
    Browser::led_to(&owner.send("/console/maintenance", &fields).await);
    let planned = responder.open("/console/maintenance").await;
    assert!(
        planned.contains("Swap disks") && !planned.contains("Call it off"),
        "{planned}"
    );
    let windows = muster.get("/maintenance_windows").await.good();
    let id = windows["maintenance_windows"][0]["id"].as_str().unwrap();
    let end = format!("/console/maintenance/{id}/end");
    assert_eq!(responder.send(&end, &[]).await.status.as_u16(), 403);
    let manager = muster.browser_as(Role::Manager).await;
    assert!(manager.open("/console/maintenance").await.contains("Call it off"));
    Browser::led_to(&manager.send(&end, &[]).await);
    let windows = muster.get("/maintenance_windows").await.good();
    assert_eq!(windows["maintenance_windows"], serde_json::json!([]));
}
