//! Audiences, added, changed and taken away in the settings.

use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::form::{Filled, newest_audit};
use super::{HOSTILE, shows_harmlessly};
use crate::harness::{Browser, TestApp};

const LIST: &str = "/console/settings/audiences";

/// Adds one over the API and gives the address of its page.
async fn audience(muster: &TestApp) -> (String, String) {
    let body = json!({ "audience": {
        "name": "Partners", "visibility": "public", "time_zone": "Europe/London", "cadence_minutes": 20,
        "channels": [{ "type": "status_page" }, { "type": "email", "address": "board@example.org" }],
        "templates": { "resolved": "All is well again." },
    } });
    let made = muster.post("/audiences", body).await.with_status(201);
    let id = made["audience"]["id"].as_str().unwrap().to_owned();
    (format!("{LIST}/{id}"), id)
}

async fn kept(muster: &TestApp, id: &str) -> Value {
    muster.get(&format!("/audiences/{id}")).await.good()["audience"].clone()
}

async fn form(browser: &Browser<'_>, address: &str) -> Filled {
    Filled::on(&browser.open(address).await, address)
}

#[store::both_engines]
async fn an_audience_is_added_and_stands_in_the_list(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let filled = form(&browser, LIST).await;
    assert_eq!(filled.value("zone"), "Europe/London", "the reader's own zone");
    let filled = filled.with("name", HOSTILE).with("readers", "public");
    let page = Browser::led_to(&filled.sent_by(&browser).await);
    assert_eq!(newest_audit(&muster).await.0, "create");
    shows_harmlessly(&browser.open(&page).await);
    shows_harmlessly(&browser.open(LIST).await);
    let id = page.rsplit('/').next().unwrap();
    assert_eq!(kept(&muster, id).await["visibility"], "public");
}

#[store::both_engines]
async fn an_audience_that_cannot_be_added_keeps_what_was_typed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    audience(&muster).await;
    let browser = muster.browser().await;
    for (name, value, said) in [
        ("name", "Partners", "The name is taken by another audience."),
        ("name", "", "The name can&#39;t be blank."),
        ("zone", "Mars/Olympus", "The time zone must be an IANA time zone"),
    ] {
        let filled = form(&browser, LIST)
            .await
            .with("language", "sv")
            .with(name, value);
        let refused = filled.sent_by(&browser).await;
        assert_eq!(refused.status.as_u16(), 422, "{value}: {}", refused.text);
        assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
        let again = Filled::on(&refused.text, LIST);
        assert_eq!((again.value(name), again.value("language")), (value, "sv"));
    }
}

#[store::both_engines]
async fn everything_about_an_audience_is_changed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (address, id) = audience(&muster).await;
    let browser = muster.browser().await;
    let filled = form(&browser, &address).await;
    assert_eq!(filled.value("addresses"), "board@example.org");
    assert_eq!(filled.value("resolved"), "All is well again.");
    let filled = filled
        .with("name", HOSTILE)
        .with("language", "de")
        .with("zone", "Europe/Berlin")
        .with("approval", "not_required")
        .with("cadence", "15")
        .with("later", "1 h 30 min")
        .with("subject", "Problem: {{ touchpoints }}")
        .with("resolved", "")
        .ticked("to-desk")
        .with("addresses", "https://example.org/hook\r\nboard@example.org")
        .with("position", "7");
    Browser::led_to(&filled.sent_by(&browser).await);
    let kept = kept(&muster, &id).await;
    for (field, expected) in [
        ("language", json!("de")),
        ("time_zone", json!("Europe/Berlin")),
        ("approval", json!("not_required")),
        ("cadence_minutes", json!(15)),
        ("later_cadence_minutes", json!(90)),
        ("position", json!(7)),
        (
            "channels",
            json!([
                { "type": "status_page" },
                { "type": "desk" },
                { "type": "webhook", "url": "https://example.org/hook" },
                { "type": "email", "address": "board@example.org" },
            ]),
        ),
    ] {
        assert_eq!(kept[field], expected, "{field}: {kept}");
    }
    assert_eq!(kept["templates"]["subject"], "Problem: {{ touchpoints }}");
    assert_eq!(kept["templates"]["resolved"], Value::Null);
    assert_eq!(newest_audit(&muster).await.0, "update");
    let page = browser.open(LIST).await;
    shows_harmlessly(&page);
    assert!(page.contains("15 min, after two hours 1 h 30 min"), "{page}");
}

#[store::both_engines]
async fn what_is_wrong_with_an_audience_is_said_at_its_field_and_all_is_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (address, id) = audience(&muster).await;
    let before = kept(&muster, &id).await;
    let browser = muster.browser().await;
    for (name, value, said) in [
        ("name", "", "The name can&#39;t be blank."),
        ("zone", "Mars/Olympus", "The time zone must be an IANA time zone"),
        ("cadence", "often", "Say how long"),
        ("cadence", "2 min", "must lie between 5 and 1440"),
        ("addresses", "nobody", "One of these must be an e-mail address"),
        (
            "investigating",
            "{{ incident.title }}",
            "This template does not work",
        ),
        ("position", "first", "Say a whole number"),
    ] {
        let filled = form(&browser, &address)
            .await
            .with("monitoring", "What I typed.")
            .with(name, value);
        let refused = filled.sent_by(&browser).await;
        assert_eq!(refused.status.as_u16(), 422, "{name}: {}", refused.text);
        assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
        assert!(
            refused.text.contains(&format!("id=\"{name}-problem\"")),
            "{name} is not marked: {}",
            refused.text
        );
        let again = Filled::on(&refused.text, &address);
        assert_eq!(
            (again.value(name), again.value("monitoring")),
            (value, "What I typed.")
        );
    }
    assert_eq!(kept(&muster, &id).await, before);
}

#[store::both_engines]
async fn a_responder_sees_audiences_and_changes_none(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (address, id) = audience(&muster).await;
    let owner = muster.browser().await;
    let (first, changed) = (form(&owner, LIST).await, form(&owner, &address).await);
    assert_eq!(changed.forged_by(&owner).await.status.as_u16(), 403);
    let browser = muster.browser_as(Role::Responder).await;
    let list = browser.open(LIST).await;
    assert!(list.contains("Partners") && !list.contains("Add an audience"));
    let page = browser.open(&address).await;
    assert!(
        page.contains("Europe/London") && !page.contains("<textarea"),
        "{page}"
    );
    assert!(!page.contains("Take the audience away"));
    let first = first.with("name", "Mine");
    assert_eq!(first.sent_by(&browser).await.status.as_u16(), 403);
    assert_eq!(changed.sent_by(&browser).await.status.as_u16(), 403);
    let removed = browser.send(&format!("{address}/remove"), &[]).await;
    assert_eq!(removed.status.as_u16(), 403);
    assert_eq!(kept(&muster, &id).await["name"], "Partners");
}

#[store::both_engines]
async fn an_audience_that_was_taken_away_meanwhile_is_told_kindly(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (address, _) = audience(&muster).await;
    let browser = muster.browser().await;
    let filled = form(&browser, &address)
        .await
        .with("monitoring", "Half an hour of typing.");
    let remove = format!("{address}/remove");
    assert_eq!(Browser::led_to(&browser.send(&remove, &[]).await), LIST);
    assert_eq!(
        newest_audit(&muster).await,
        ("delete".to_owned(), "Partners".to_owned())
    );
    let late = filled.sent_by(&browser).await;
    assert_eq!(late.status.as_u16(), 404, "{}", late.text);
    assert!(late.text.contains("This audience is not here any more"));
    assert!(late.text.contains("Half an hour of typing."), "{}", late.text);
    let again = browser.send(&remove, &[]).await;
    assert_eq!(again.status.as_u16(), 404);
    assert!(again.text.contains("This audience is not here any more"));
}
