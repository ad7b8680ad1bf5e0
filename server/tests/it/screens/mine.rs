//! How the reader is paged, and who is what in a team, set by the forms of the console.

use std::time::Duration;

use store::Engine;

use super::{HOSTILE, shows_harmlessly};
use crate::harness::{Browser, TestApp};
use muster::people::Role;

const ME: &str = "/console/settings/me";

/// The ids of what the API lists at this path.
async fn ids(muster: &TestApp, path: &str, collection: &str) -> Vec<String> {
    muster.get(path).await.good()[collection]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

#[store::both_engines]
async fn a_way_to_be_reached_is_added_used_changed_and_removed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let fields = [
        ("kind", "webhook_contact_method"),
        ("label", HOSTILE),
        ("address", "https://pager.example.org/hook"),
    ];
    Browser::led_to(&browser.send(&format!("{ME}/methods"), &fields).await);
    shows_harmlessly(&browser.open(ME).await);
    let methods = format!("/users/{}/contact_methods", muster.owner.id);
    let id = ids(&muster, &methods, "contact_methods").await.pop().unwrap();

    let rule = [("urgency", "high"), ("delay", "5"), ("by", id.as_str())];
    Browser::led_to(&browser.send(&format!("{ME}/rules"), &rule).await);
    let page = browser.open(ME).await;
    assert!(
        page.contains("then after 5 min by webhook to https://pager.example.org/hook"),
        "{page}"
    );

    let form = browser.open(&format!("{ME}?method={id}")).await;
    assert!(
        form.contains("value=\"https://pager.example.org/hook\""),
        "{form}"
    );
    let changed = [
        ("label", "Night pager"),
        ("address", "https://pager.example.org/night"),
    ];
    Browser::led_to(&browser.send(&format!("{ME}/methods/{id}"), &changed).await);
    let rules = format!("/users/{}/notification_rules?urgency=high", muster.owner.id);
    let rule_id = ids(&muster, &rules, "notification_rules").await.pop().unwrap();
    let form = browser.open(&format!("{ME}?rule={rule_id}")).await;
    assert!(
        form.contains("<option value=\"5\" selected>after 5 min"),
        "{form}"
    );
    let later = [("urgency", "high"), ("delay", "10"), ("by", id.as_str())];
    Browser::led_to(&browser.send(&format!("{ME}/rules/{rule_id}"), &later).await);
    let page = browser.open(ME).await;
    assert!(page.contains("then after 10 min by webhook to https://pager.example.org/night"));

    Browser::led_to(&browser.send(&format!("{ME}/rules/{rule_id}/remove"), &[]).await);
    Browser::led_to(&browser.send(&format!("{ME}/methods/{id}/remove"), &[]).await);
    assert!(!browser.open(ME).await.contains("Night pager"));
}

#[store::both_engines]
async fn a_test_page_goes_out_at_once_and_its_fate_is_shown(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let methods = format!("/users/{}/contact_methods", muster.owner.id);
    let id = ids(&muster, &methods, "contact_methods").await.remove(0);
    let test = format!("{ME}/methods/{id}/test");
    Browser::led_to(&browser.send(&test, &[]).await);
    Browser::led_to(&browser.send(&test, &[]).await);
    muster.settle().await;
    let sends = muster.get("/outbox/sends").await.good();
    let sends = sends["sends"].as_array().unwrap();
    assert_eq!(sends.len(), 1, "one press too many sends no second one");
    assert_eq!(sends[0]["subject"], "[Test] This is how Muster pages you");
    assert!(browser.open(ME).await.contains("In the outbox only"));
    let audit = muster.get("/audit/records").await.good();
    let kept: Vec<_> = audit["records"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["root_resource"]["type"] == "test_page_reference")
        .collect();
    assert!(kept.iter().all(|one| one["action"] == "create"), "{audit}");
    assert!(!kept.is_empty(), "{audit}");
    let from = muster.app.clock.now() - Duration::from_secs(3_600);
    let pulse = muster
        .app
        .store
        .read(move |tx| muster::outbox::store::pages_by_step(tx, from, Duration::from_secs(7_200)))
        .await
        .unwrap();
    assert_eq!(pulse, [], "nobody was paged about anything");

    let other = muster.browser_as(Role::Responder).await;
    assert_eq!(
        other.send(&test, &[]).await.status.as_u16(),
        404,
        "somebody else’s method"
    );
}

#[store::both_engines]
async fn without_a_rule_the_page_says_where_pages_go_instead(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let rules = format!("/users/{}/notification_rules", muster.owner.id);
    for id in ids(&muster, &rules, "notification_rules").await {
        Browser::led_to(&browser.send(&format!("{ME}/rules/{id}/remove"), &[]).await);
    }
    let page = browser.open(ME).await;
    assert!(
        page.contains("has no rule that can reach you, so it is sent at once by e-mail"),
        "{page}"
    );
}

#[store::both_engines]
async fn the_reader_changes_their_own_name_and_zone(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser_as(Role::Agent).await;
    let fields = [("name", "Aoife"), ("time_zone", "Europe/Dublin")];
    Browser::led_to(&browser.send(ME, &fields).await);
    let page = browser.open(ME).await;
    assert!(page.contains("value=\"Aoife\"") && page.contains("value=\"Europe/Dublin\""));
    let wrong = [("name", "Aoife"), ("time_zone", "Europe/Nowhere")];
    let refused = browser.send(ME, &wrong).await;
    assert_eq!(refused.status.as_u16(), 400, "{}", refused.text);
}

#[store::both_engines]
async fn somebody_gets_another_role_in_a_team_and_is_taken_out(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Responder)
        .await;
    let team = [("name", "Payments"), ("description", "Cards")];
    let page = Browser::led_to(&browser.send("/console/settings/teams", &team).await);
    let put = [("person", priya.id.as_str()), ("role", "responder")];
    Browser::led_to(&browser.send(&format!("{page}/members"), &put).await);
    let member = format!("{page}/members/{}", priya.id);
    Browser::led_to(&browser.send(&member, &[("role", "manager")]).await);
    let shown = browser.open(&page).await;
    assert!(
        shown.contains("Priya Raman") && shown.contains("<option value=\"manager\" selected>"),
        "{shown}"
    );
    let changed = [("name", HOSTILE), ("description", "")];
    Browser::led_to(&browser.send(&page, &changed).await);
    shows_harmlessly(&browser.open(&page).await);
    Browser::led_to(&browser.send(&format!("{member}/remove"), &[]).await);
    assert!(browser.open(&page).await.contains("Nobody yet."));

    let agent = muster.browser_as(Role::Agent).await;
    assert!(!agent.open(&page).await.contains("Put somebody in"));
    assert_eq!(
        agent.send(&format!("{page}/members"), &put).await.status.as_u16(),
        403
    );
    Browser::led_to(&browser.send(&format!("{page}/remove"), &[]).await);
    assert_eq!(browser.look(&page).await.status.as_u16(), 404);
}
