//! Customers and locations, added, changed and taken away from the console.

use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::form::{Filled, newest_audit};
use super::{HOSTILE, shows_harmlessly};
use crate::desk::outage;
use crate::harness::{Browser, TestApp};

async fn form(browser: &Browser<'_>, address: &str) -> Filled {
    Filled::on(&browser.open(address).await, address)
}

async fn account(muster: &TestApp, page: &str) -> Value {
    let id = page.rsplit('/').next().unwrap();
    muster.get(&format!("/accounts/{id}")).await.good()["account"].clone()
}

async fn location(muster: &TestApp, page: &str) -> Value {
    let id = page.rsplit('/').next().unwrap();
    muster.get(&format!("/locations/{id}")).await.good()["location"].clone()
}

/// A customer with everything; gives the address of the page.
async fn hannah(muster: &TestApp, site: &str, touchpoint: &str) -> String {
    let body = json!({ "account": {
        "name": "Hannah Whitcombe", "email": "hannah@example.org", "telephone": "0161 4960000", "tier": "gold",
        "value_per_year": 214_050, "currency": "GBP", "language": "en", "external_id": "K-88",
        "location": { "id": site }, "customer_since": "2017-03-01T15:30:00Z",
        "services": [{ "id": touchpoint }],
    } });
    let made = muster.post("/accounts", body).await.with_status(201);
    format!("/console/customers/{}", made["account"]["id"].as_str().unwrap())
}

#[store::both_engines]
async fn a_customer_is_added_with_everything(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let browser = muster.browser_as(Role::Agent).await;
    assert!(
        browser
            .open("/console/customers")
            .await
            .contains("/console/customers/new")
    );
    let filled = form(&browser, "/console/customers/new")
        .await
        .with("name", HOSTILE)
        .with("email", "hannah@example.org")
        .with("tier", "gold")
        .with("value", "£2,140.50")
        .with("currency", "gbp")
        .with("location", &outage.leeds)
        .with("since", "2017-03-01")
        .with("uses", &outage.cards);
    let page = Browser::led_to(&filled.sent_by(&browser).await);
    shows_harmlessly(&browser.open(&page).await);
    shows_harmlessly(&browser.open("/console/customers").await);
    let kept = account(&muster, &page).await;
    for (field, expected) in [
        ("email", json!("hannah@example.org")),
        ("tier", json!("gold")),
        ("value_per_year", json!(214_050)),
        ("currency", json!("GBP")),
        ("customer_since", json!("2017-03-01T00:00:00Z")),
    ] {
        assert_eq!(kept[field], expected, "{field}: {kept}");
    }
    assert_eq!(kept["location"]["id"], outage.leeds.as_str());
    assert_eq!(kept["services"][0]["id"], outage.cards.as_str());
    assert_eq!(newest_audit(&muster).await.0, "create");
}

#[store::both_engines]
async fn a_customer_is_changed_and_what_is_emptied_is_forgotten(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let page = hannah(&muster, &outage.leeds, &outage.cards).await;
    let before = account(&muster, &page).await;
    let browser = muster.browser().await;
    let address = format!("{page}/change");
    assert!(browser.open(&page).await.contains(&address));
    let untouched = form(&browser, &address).await;
    assert_eq!(untouched.value("value"), "2140.50");
    Browser::led_to(&untouched.sent_by(&browser).await);
    assert_eq!(account(&muster, &page).await, before, "nothing was typed");

    let emptied = form(&browser, &address)
        .await
        .with("name", "Hannah Webb")
        .with("email", "")
        .with("telephone", "")
        .with("number", "")
        .with("location", "")
        .with("since", "")
        .with("value", "")
        .with("uses", "");
    Browser::led_to(&emptied.sent_by(&browser).await);
    let kept = account(&muster, &page).await;
    for (field, expected) in [
        ("name", json!("Hannah Webb")),
        ("email", Value::Null),
        ("telephone", Value::Null),
        ("external_id", Value::Null),
        ("location", Value::Null),
        ("customer_since", Value::Null),
        ("value_per_year", json!(0)),
        ("services", json!([])),
        ("tier", json!("gold")),
    ] {
        assert_eq!(kept[field], expected, "{field}: {kept}");
    }
    assert_eq!(
        newest_audit(&muster).await,
        ("update".to_owned(), "Hannah Webb".to_owned())
    );
}

#[store::both_engines]
async fn what_is_wrong_with_a_customer_is_said_at_its_field_and_all_is_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let page = hannah(&muster, &outage.leeds, &outage.cards).await;
    let browser = muster.browser().await;
    for address in ["/console/customers/new".to_owned(), format!("{page}/change")] {
        for (name, value, said) in [
            ("name", "", "The name can&#39;t be blank."),
            ("email", "nobody", "This is not a mail address."),
            ("value", "lots", "Say an amount"),
            ("currency", "POUNDS", "The currency must be three capital letters"),
            ("since", "2017-02-30", "Say a date"),
            ("location", "LNONE", "The place was not found."),
            ("uses", "SNONE", "One of these was not found."),
        ] {
            let filled = form(&browser, &address)
                .await
                .with("name", "Hannah")
                .with("number", "What I typed")
                .with(name, value);
            let refused = filled.sent_by(&browser).await;
            assert_eq!(refused.status.as_u16(), 422, "{name}: {}", refused.text);
            assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
            let again = Filled::on(&refused.text, &address);
            assert_eq!(
                (again.value(name), again.value("number")),
                (value, "What I typed")
            );
        }
    }
}

#[store::both_engines]
async fn who_may_only_look_changes_no_customer(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let page = hannah(&muster, &outage.leeds, &outage.cards).await;
    let owner = muster.browser().await;
    let new = form(&owner, "/console/customers/new").await.with("name", "X");
    let changed = form(&owner, &format!("{page}/change")).await;
    assert_eq!(new.forged_by(&owner).await.status.as_u16(), 403);
    let browser = muster.browser_as(Role::Responder).await;
    assert!(
        !browser
            .open("/console/customers")
            .await
            .contains("Add a customer")
    );
    assert!(!browser.open(&page).await.contains(&format!("{page}/change")));
    assert_eq!(browser.look("/console/customers/new").await.status.as_u16(), 403);
    assert_eq!(new.sent_by(&browser).await.status.as_u16(), 403);
    assert_eq!(changed.sent_by(&browser).await.status.as_u16(), 403);
    // An agent changes customers, and takes none away.
    let agent = muster.browser_as(Role::Agent).await;
    assert!(
        !agent
            .open(&format!("{page}/change"))
            .await
            .contains("Take the customer away")
    );
    let removed = agent.send(&format!("{page}/remove"), &[]).await;
    assert_eq!(removed.status.as_u16(), 403);
}

#[store::both_engines]
async fn a_customer_who_was_taken_away_meanwhile_is_told_kindly(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let page = hannah(&muster, &outage.leeds, &outage.cards).await;
    let browser = muster.browser().await;
    let filled = form(&browser, &format!("{page}/change"))
        .await
        .with("number", "Typed for long");
    let remove = format!("{page}/remove");
    Browser::led_to(&browser.send(&remove, &[]).await);
    assert_eq!(newest_audit(&muster).await.0, "delete");
    let late = filled.sent_by(&browser).await;
    assert_eq!(late.status.as_u16(), 404, "{}", late.text);
    assert!(late.text.contains("This customer is not here any more"));
    assert!(late.text.contains("Typed for long"), "{}", late.text);
    assert_eq!(browser.send(&remove, &[]).await.status.as_u16(), 404);
}

#[store::both_engines]
async fn a_location_is_added_and_has_a_page_of_its_own(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let region = location(&muster, &outage.leeds).await["parent"]["id"].clone();
    let browser = muster.browser().await;
    assert!(
        browser
            .open("/console/services/shops")
            .await
            .contains("/console/locations/new")
    );
    let filled = form(&browser, "/console/locations/new")
        .await
        .with("name", HOSTILE)
        .with("kind", "site")
        .with("parent", region.as_str().unwrap())
        .with("address", "1 High Street\r\nHull")
        .with("country", "gb")
        .with("zone", "Europe/London")
        .with("takings", "412.50")
        .with("currency", "gbp")
        .with("uses", &outage.cards);
    let page = Browser::led_to(&filled.sent_by(&browser).await);
    shows_harmlessly(&browser.open(&page).await);
    let kept = location(&muster, &page).await;
    for (field, expected) in [
        ("kind", json!("site")),
        ("address", json!("1 High Street\nHull")),
        ("country", json!("GB")),
        ("takings_per_hour", json!(41_250)),
    ] {
        assert_eq!(kept[field], expected, "{field}: {kept}");
    }
    assert_eq!(kept["parent"]["id"], region);
    assert_eq!(kept["services"][0]["id"], outage.cards.as_str());
    assert!(kept["code"].is_string());
    assert_eq!(newest_audit(&muster).await.0, "create");
}

#[store::both_engines]
async fn a_location_is_changed_emptied_and_given_a_new_code(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let page = format!("/console/locations/{}", outage.leeds);
    let before = location(&muster, &page).await;
    // An agent may change a location, and neither add one nor take one away.
    let browser = muster.browser_as(Role::Agent).await;
    let address = format!("{page}/change");
    assert!(browser.open(&page).await.contains(&address));
    assert_eq!(browser.look("/console/locations/new").await.status.as_u16(), 403);
    let untouched = form(&browser, &address).await;
    Browser::led_to(&untouched.sent_by(&browser).await);
    assert_eq!(location(&muster, &page).await, before, "nothing was typed");

    let filled = form(&browser, &address)
        .await
        .with("name", "Leeds Trinity")
        .with("telephone", "0113 4960000")
        .with("parent", "")
        .with("uses", "");
    Browser::led_to(&filled.sent_by(&browser).await);
    let kept = location(&muster, &page).await;
    assert_eq!(kept["telephone"], "0113 4960000");
    assert_eq!((&kept["parent"], &kept["services"]), (&Value::Null, &json!([])));
    assert_eq!(
        newest_audit(&muster).await,
        ("update".to_owned(), "Leeds Trinity".to_owned())
    );

    // What would make printed codes worthless, and the location disappear, is not an agent's to do.
    for deed in ["code", "remove"] {
        let refused = browser.send(&format!("{page}/{deed}"), &[]).await;
        assert_eq!(refused.status.as_u16(), 403, "{deed}");
        let page = browser.open(&address).await;
        assert!(!page.contains(&format!("/{deed}\"")), "{deed} is offered");
    }
    let owner = muster.browser().await;
    Browser::led_to(&owner.send(&format!("{page}/code"), &[]).await);
    assert_ne!(location(&muster, &page).await["code"], before["code"]);
}

#[store::both_engines]
async fn what_is_wrong_with_a_location_is_said_at_its_field_and_all_is_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    for address in [
        "/console/locations/new".to_owned(),
        format!("/console/locations/{}/change", outage.leeds),
    ] {
        for (name, value, said) in [
            ("name", "", "The name can&#39;t be blank."),
            ("parent", "LNONE", "This place was not found."),
            ("parent", outage.leeds.as_str(), "Part of: a"),
            ("zone", "Mars/Olympus", "The time zone must be an IANA time zone"),
            ("country", "IRELAND", "The country is too long"),
            ("takings", "lots", "Say an amount"),
            ("currency", "EURO", "The currency must be three capital letters"),
        ] {
            let filled = form(&browser, &address)
                .await
                .with("name", "Hull")
                .with("telephone", "What I typed")
                .with(name, value);
            let refused = filled.sent_by(&browser).await;
            assert_eq!(refused.status.as_u16(), 422, "{name}: {}", refused.text);
            assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
            let again = Filled::on(&refused.text, &address);
            assert_eq!(
                (again.value(name), again.value("telephone")),
                (value, "What I typed")
            );
        }
    }
}

#[store::both_engines]
async fn a_location_that_was_taken_away_meanwhile_is_told_kindly(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let page = format!("/console/locations/{}", outage.leeds);
    let browser = muster.browser().await;
    let filled = form(&browser, &format!("{page}/change"))
        .await
        .with("telephone", "Typed for long");
    let observer = muster.browser_as(Role::Observer).await;
    assert_eq!(filled.sent_by(&observer).await.status.as_u16(), 403);
    Browser::led_to(&browser.send(&format!("{page}/remove"), &[]).await);
    assert_eq!(newest_audit(&muster).await.0, "delete");
    let late = filled.sent_by(&browser).await;
    assert_eq!(late.status.as_u16(), 404, "{}", late.text);
    assert!(late.text.contains("This location is not here any more"));
    assert!(late.text.contains("Typed for long"), "{}", late.text);
    for act in ["code", "remove"] {
        let late = browser.send(&format!("{page}/{act}"), &[]).await;
        assert_eq!(late.status.as_u16(), 404, "{act}");
    }
}

#[store::both_engines]
async fn all_open_cases_of_a_customer_are_counted_also_those_that_are_not_shown(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let made = muster
        .post("/accounts", json!({ "account": { "name": "Hannah Whitcombe" } }))
        .await
        .with_status(201);
    let account = json!({ "id": made["account"]["id"], "type": "account_reference" });
    for number in 0..52 {
        let text = format!("Complaint {number}");
        muster
            .case(json!({ "channel": "api", "text": text, "account": account }))
            .await;
    }
    let page = muster
        .browser()
        .await
        .open(&format!(
            "/console/customers/{}",
            made["account"]["id"].as_str().unwrap()
        ))
        .await;
    let figure = page.split("Open cases").nth(1).unwrap();
    assert!(figure[..120].contains("52"), "{}", &figure[..200]);
    assert!(page.contains("52 are owed an answer"), "{page}");
}
