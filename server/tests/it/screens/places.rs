//! On call, customers, locations, the wall of shops, and words that go out.

use std::time::Duration;

use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::{HOSTILE, shows_harmlessly};
use crate::desk::{link, outage};
use crate::harness::{Browser, TestApp};

async fn schedule(muster: &TestApp) -> String {
    let user = json!({ "user": { "id": muster.owner.id, "type": "user_reference" } });
    let layer = json!({
        "name": "Days", "start": "2026-11-01T00:00:00Z", "rotation_virtual_start": "2026-11-01T00:00:00Z",
        "rotation_turn_length_seconds": 86_400, "users": [user],
        "restrictions": [{ "type": "daily_restriction", "start_time_of_day": "00:00:00", "duration_seconds": 43_200 }],
    });
    let body = json!({ "schedule": {
        "type": "schedule", "name": "Shops", "time_zone": "Etc/UTC", "schedule_layers": [layer],
    } });
    let made = muster.post("/schedules", body).await.with_status(201);
    made["schedule"]["id"].as_str().unwrap().to_owned()
}

#[store::both_engines]
async fn a_gap_is_filled_by_covering_and_the_cover_is_taken_back(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let schedule = schedule(&muster).await;
    let emre = muster.person(HOSTILE, "emre@example.org", Role::Responder).await;
    let browser = muster.browser().await;
    let page = browser.open("/console/on-call").await;
    assert!(
        page.contains("Fill the gap") && page.contains("You are on call until 12:00."),
        "{page}"
    );
    assert!(page.contains("Load, last 8 weeks"));
    let path = format!("/console/on-call/{schedule}/overrides");
    let cover = [
        ("user", emre.id.as_str()),
        ("from", "2026-11-17T12:00"),
        ("until", "2026-11-18T00:00"),
    ];
    let agent = muster.browser_as(Role::Agent).await;
    assert_eq!(agent.send(&path, &cover).await.status.as_u16(), 403);
    assert_eq!(browser.send_forged(&path, &cover).await.status.as_u16(), 403);
    Browser::led_to(&browser.send(&path, &cover).await);
    let covered = browser.open("/console/on-call").await;
    shows_harmlessly(&covered);
    let end = covered
        .split("action=\"")
        .map(|rest| rest.split('"').next().unwrap_or_default())
        .find(|action| action.ends_with("/end"))
        .unwrap()
        .to_owned();
    Browser::led_to(&browser.send(&end, &[]).await);
    assert!(!browser.open("/console/on-call").await.contains("/end\""));

    let wrong = [
        ("user", emre.id.as_str()),
        ("from", "2026-11-17T12:00"),
        ("until", "2026-11-17T11:00"),
    ];
    let refused = browser.send(&path, &wrong).await;
    assert_eq!(refused.status.as_u16(), 400);
    assert!(
        refused
            .text
            .contains("End must lie in the future and after the start.")
    );
}

#[store::both_engines]
async fn a_customer_and_a_location_show_their_cases_and_what_was_said(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let account = json!({ "account": { "name": HOSTILE, "email": "shop@example.org", "location": { "id": outage.leeds } } });
    let account = muster.post("/accounts", account).await.with_status(201);
    let id = account["account"]["id"].as_str().unwrap().to_owned();
    let case = muster
        .case(json!({ "text": "Reader keeps saying offline", "account": { "id": id }, "location": { "id": outage.leeds } }))
        .await;
    link(&muster, &case, &outage.incident).await;
    let browser = muster.browser().await;
    for path in [
        format!("/console/customers/{id}"),
        format!("/console/locations/{}", outage.leeds),
    ] {
        let page = browser.open(&path).await;
        assert!(
            page.contains("Reader keeps saying offline") && page.contains("Linked to #1, owed"),
            "{path}: {page}"
        );
    }
    shows_harmlessly(&browser.open(&format!("/console/customers/{id}")).await);
    assert!(
        browser
            .open("/console/customers")
            .await
            .contains("Owed an answer")
    );
    assert!(
        browser
            .open(&format!("/console/locations/{}", outage.leeds))
            .await
            .contains("Hurt now")
    );
    assert_eq!(
        browser.look("/console/locations/QNOWHERE").await.status.as_u16(),
        404
    );
}

#[store::both_engines]
async fn the_wall_shows_who_was_named_and_not_who_only_uses_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    let quiet = browser.open("/console/services/shops").await;
    assert!(quiet.contains("none was named"), "{quiet}");
    let case = muster
        .case(json!({ "text": "Cards fail", "location": { "id": outage.leeds } }))
        .await;
    link(&muster, &case, &outage.incident).await;
    let wall = browser.open("/console/services/shops").await;
    assert!(wall.contains("1 shop is hurt, 0 of 1 back"), "{wall}");
    assert!(wall.contains(&format!("/console/locations/{}", outage.leeds)));
}

#[store::both_engines]
async fn words_that_waited_too_long_go_out_with_a_new_promise(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    muster.settle().await;
    muster.pass(Duration::from_secs(2 * 3_600)).await;
    let browser = muster.browser().await;
    let page = browser.open("/console/updates").await;
    assert!(!page.contains("promised time has passed"), "{page}");
    let words = page
        .split("name=\"words\"")
        .nth(1)
        .and_then(|rest| rest.split('>').nth(1))
        .and_then(|rest| rest.split('<').next())
        .unwrap()
        .replace("&#39;", "'");
    let fields = [
        ("incident", outage.incident.as_str()),
        ("audience", "QA1000000CUSTO"),
        ("words", words.as_str()),
        ("do", "send"),
    ];
    let agent = muster.browser_as(Role::Observer).await;
    assert_eq!(agent.send("/console/updates", &fields).await.status.as_u16(), 403);
    assert_eq!(
        browser
            .send_forged("/console/updates", &fields)
            .await
            .status
            .as_u16(),
        403
    );
    Browser::led_to(&browser.send("/console/updates", &fields).await);
    assert!(
        browser
            .open("/console/updates")
            .await
            .contains("Customers expect to hear from us")
    );
}
