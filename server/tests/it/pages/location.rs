//! The page of one location, for staff without an account.

use serde_json::json;
use store::Engine;

use super::{anybody, break_it, post_form, shown};
use crate::harness::TestApp;
use crate::updates::{entries, tell_customers};

/// A shop that uses card payments; gives its code.
async fn shop(muster: &TestApp, touchpoint: &str) -> String {
    let body = json!({ "location": { "name": "Manchester Market Street", "kind": "site", "time_zone": "Europe/London",
        "services": [{ "id": touchpoint, "type": "business_service_reference" }] } });
    let made = muster.post("/locations", body).await.with_status(201);
    let code = made["location"]["code"].as_str().map(str::to_owned);
    match code {
        Some(code) => code,
        None => panic!("a shop without a code: {made}"),
    }
}

#[store::both_engines]
async fn staff_read_what_is_down_what_to_do_and_what_to_say_in_this_order(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let code = shop(&muster, &shown.touchpoint).await;
    let path = format!("/at/{code}");
    assert!(
        anybody(&muster, &path)
            .await
            .text
            .contains("Everything works here")
    );
    let incident = break_it(&muster, &shown.built).await;
    tell_customers(&muster, &incident).await;
    let page = anybody(&muster, &path).await;
    assert!(page.text.len() < 8_192, "{} bytes", page.text.len());
    let order = [
        "Manchester Market Street",
        "<h1>Card payments: may not work here</h1>",
        "Since 06:00 GMT.",
        "Do this now",
        "Pay with cash, or we hold your basket.",
        "Say this",
        "I am sorry. It is us, not your card.",
        "We tell you more by 06:20 GMT.",
        "Customers were told:",
        "Still down",
        "Back up",
    ];
    let mut rest = page.text.split("<body>").nth(1).unwrap();
    for words in order {
        let place = rest
            .find(words)
            .unwrap_or_else(|| panic!("{words} is missing or too early: {}", page.text));
        rest = &rest[place..];
    }
    assert!(!page.text.contains("<script") && !page.text.contains("store-edge"));
}

#[store::both_engines]
async fn a_word_from_the_shop_is_asked_once_more_and_then_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let code = shop(&muster, &shown.touchpoint).await;
    let incident = break_it(&muster, &shown.built).await;
    let path = format!("/at/{code}/said");
    let asked = post_form(&muster, &path, "said=down").await;
    assert!(asked.text.contains("Yes, still down"), "{}", asked.text);
    let reported = |entries: Vec<(String, String)>| {
        entries
            .into_iter()
            .filter(|(kind, _)| kind == "location_reported")
            .map(|(_, text)| text)
            .collect::<Vec<_>>()
    };
    assert!(reported(entries(&muster, &incident).await).is_empty());
    assert_eq!(
        post_form(&muster, &path, "said=down&sure=yes&name=Ana")
            .await
            .status,
        303
    );
    assert_eq!(
        reported(entries(&muster, &incident).await),
        ["Manchester Market Street (Ana) says: still down."]
    );
    let page = anybody(&muster, &format!("/at/{code}")).await.text;
    assert!(
        page.contains("“still down” said here at 06:00 GMT by Ana."),
        "{page}"
    );
    post_form(&muster, &path, "said=up&sure=yes").await;
    assert_eq!(reported(entries(&muster, &incident).await).len(), 2);
}

#[store::both_engines]
async fn unknown_codes_all_look_the_same_and_cannot_be_tried_for_long(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let first = anybody(&muster, "/at/aaaaaaaaaaaa").await;
    assert_eq!(first.status, 404);
    let odd = anybody(&muster, &format!("/at/{}", "x".repeat(500))).await;
    assert_eq!((odd.status, &odd.text), (first.status, &first.text));
    let mut statuses = Vec::new();
    for number in 0..30 {
        statuses.push(
            anybody(&muster, &format!("/at/code{number}"))
                .await
                .status
                .as_u16(),
        );
    }
    assert_eq!(statuses.last(), Some(&429));
}
