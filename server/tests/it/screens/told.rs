//! What the console tells besides: every case of an incident, early warnings, and who says what it was.

use std::time::Duration;

use axum::http::Method;
use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::{HOSTILE, shows_harmlessly};
use crate::desk::{Outage, link, outage};
use crate::harness::{Browser, TestApp};

#[store::both_engines]
async fn every_case_of_an_incident_is_listed_and_found_by_words_and_state(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    for (text, name) in [
        ("The card reader says offline", "Ana"),
        ("Was I charged twice", HOSTILE),
        ("My parcel is late", "Ben"),
    ] {
        let case = muster
            .case(json!({ "channel": "api", "text": text, "reporter": { "name": name } }))
            .await;
        if name != "Ben" {
            link(&muster, &case, &incident).await;
        }
    }
    let browser = muster.browser().await;
    let room = browser.open(&format!("/console/incidents/{incident}")).await;
    let list = format!("/console/cases?incident={incident}");
    assert!(
        room.contains(&format!("href=\"{list}\"")),
        "the room leads to its cases"
    );
    let page = browser.open(&list).await;
    shows_harmlessly(&page);
    assert!(page.contains("2 cases, 2 owed an answer"), "{page}");
    assert!(page.contains("The card reader says offline") && !page.contains("My parcel"));
    let found = browser.open(&format!("{list}&words=charged&state=owed")).await;
    assert!(found.contains("Was I charged twice") && !found.contains("card reader says"));
    let none = browser.open(&format!("{list}&state=answered")).await;
    assert!(none.contains("No case here"), "{none}");
    let all = browser.open("/console/cases").await;
    assert!(all.contains("My parcel is late"));
    let refused = browser.look("/console/cases?incident=nothing").await;
    assert_eq!(refused.status.as_u16(), 404);
}

#[store::both_engines]
async fn a_long_list_of_cases_goes_on_over_pages(engine: Engine) {
    let muster = TestApp::new(engine).await;
    for number in 0..103 {
        let text = format!("Complaint of table {number}");
        muster.case(json!({ "channel": "api", "text": text })).await;
    }
    let browser = muster.browser().await;
    let page = browser.open("/console/cases").await;
    assert!(
        page.contains("1 to 100 of 103") && page.contains("from=100"),
        "{page}"
    );
    let last = browser.open("/console/cases?from=100").await;
    assert!(last.contains("101 to 103 of 103") && last.contains("Complaint of table 0"));
}

#[store::both_engines]
async fn customers_who_write_alike_are_an_early_warning_until_they_are_linked(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let mut cases = Vec::new();
    for _ in 0..3 {
        let text = "The card reader says offline and I cannot pay";
        cases.push(muster.case(json!({ "channel": "api", "text": text })).await);
    }
    let browser = muster.browser().await;
    let page = browser.open("/console").await;
    assert!(
        page.contains("3 customers write alike, and no incident is open for it")
            && page.contains("1 early warning"),
        "{page}"
    );
    for case in &cases {
        link(&muster, case, &incident).await;
    }
    assert!(!browser.open("/console").await.contains("write alike"));
}

#[store::both_engines]
async fn an_alert_that_is_held_back_is_an_early_warning_with_its_reason(engine: Engine) {
    let muster = TestApp::new(engine).await;
    outage(&muster).await;
    let built = muster.service("loyalty-api").build().await;
    let waits = json!({ "service": {
        "auto_pause_notifications_parameters": { "enabled": true, "timeout": 300 },
    }});
    muster
        .put(&format!("/services/{}", built.service_id), waits)
        .await
        .good();
    muster.trigger(&built, "slow", "Loyalty answers slowly").await;
    let browser = muster.browser().await;
    let page = browser.open("/console").await;
    assert!(
        page.contains("Loyalty answers slowly") && page.contains("Held back for 300 seconds"),
        "{page}"
    );
    muster.pass(Duration::from_secs(301)).await;
    let page = browser.open("/console").await;
    assert!(!page.contains("Held back"), "it is an incident now: {page}");
}

#[store::both_engines]
async fn somebody_says_that_this_was_it_and_takes_it_back(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    muster.changed(&built, "card-gateway 4.18 goes out").await;
    muster.clock.advance(Duration::from_secs(300));
    muster.trigger(&built, "silent", "Terminals are silent").await;
    let incidents = muster.get("/incidents?date_range=all").await.good();
    let id = incidents["incidents"][0]["id"].as_str().unwrap().to_owned();
    let room = format!("/console/incidents/{id}");
    let browser = muster.browser().await;
    let page = browser.open(&room).await;
    let value = page
        .split("name=\"origin\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("the room offers what it names")
        .to_owned();
    assert!(value.starts_with("change:"), "{value}");

    let said = [("origin", value.as_str())];
    Browser::led_to(&browser.send(&format!("{room}/origin"), &said).await);
    let page = browser.open(&room).await;
    assert!(page.contains("confirmed") && page.contains("said so"), "{page}");
    assert!(page.contains("This was the origin: card-gateway 4.18 goes out"));
    let origin = muster.get(&format!("/incidents/{id}/origin")).await.good();
    assert_eq!(
        origin["origin"]["confirmed"]["summary"],
        "card-gateway 4.18 goes out"
    );

    Browser::led_to(&browser.send(&format!("{room}/origin/take-back"), &[]).await);
    let page = browser.open(&room).await;
    assert!(page.contains("This was it") && page.contains("This was not the origin after all"));
    let nothing = [("origin", "change:nothing")];
    let unknown = browser.send(&format!("{room}/origin"), &nothing).await;
    assert_eq!(unknown.status.as_u16(), 404, "{}", unknown.text);
    let observer = muster.browser_as(Role::Observer).await;
    assert!(!observer.open(&room).await.contains("This was it</button>"));
    let refused = observer.send(&format!("{room}/origin"), &said).await;
    assert_eq!(refused.status.as_u16(), 403);
}

#[store::both_engines]
async fn what_was_confirmed_before_speaks_when_the_next_incident_is_judged(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    muster.trigger(&built, "first", "Terminals are silent").await;
    let incidents = muster.get("/incidents?date_range=all").await.good();
    let id = incidents["incidents"][0]["id"].as_str().unwrap().to_owned();
    let named = json!({ "confirmed_origin": { "id": built.service_id, "type": "service_reference" } });
    let path = format!("/incidents/{id}/confirmed_origin");
    muster
        .as_person(&muster.owner, Method::PUT, &path, Some(named))
        .await
        .good();
    let resolved = json!({ "incident": { "type": "incident_reference", "status": "resolved" } });
    muster.put(&format!("/incidents/{id}"), resolved).await.good();
    muster.pass(Duration::from_secs(3_600)).await;
    muster.trigger(&built, "second", "Terminals are silent").await;
    let incidents = muster
        .get("/incidents?date_range=all&statuses[]=triggered")
        .await
        .good();
    let second = incidents["incidents"][0]["id"].as_str().unwrap().to_owned();
    let reasons = |origin: serde_json::Value| origin["origin"]["suspects"][0]["reasons"].to_string();
    let taught = reasons(muster.get(&format!("/incidents/{second}/origin")).await.good());
    muster.delete(&path).await.with_status(204);
    let untaught = reasons(muster.get(&format!("/incidents/{second}/origin")).await.good());
    assert_ne!(taught, untaught, "taking it back takes the lesson back");
    muster.delete(&path).await.with_status(404);
}
