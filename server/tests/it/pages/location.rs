//! The page of one location, for staff without an account.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use muster::app::App;
use muster::app::router::router;
use muster::clock::Clock;
use serde_json::{Value, json};
use store::Engine;
use tower::ServiceExt as _;

use super::{anybody, break_it, post_form, shown};
use crate::harness::{Answer, Built, TestApp, settings};
use crate::updates::{entries, tell_customers};

/// A shop that uses card payments; gives its code.
async fn shop(muster: &TestApp, touchpoint: &str) -> String {
    named_shop(muster, touchpoint, "Manchester Market Street").await
}

#[store::both_engines]
async fn a_name_cannot_turn_the_words_around_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let code = named_shop(&muster, &shown.touchpoint, "Shop \u{202E}gnp.exe").await;
    let page = anybody(&muster, &format!("/at/{code}")).await;
    assert!(page.text.contains("Shop gnp.exe"), "{}", page.text);
    assert!(!page.text.contains('\u{202E}'));
}

async fn named_shop(muster: &TestApp, touchpoint: &str, name: &str) -> String {
    let body = json!({ "location": { "name": name, "kind": "site", "time_zone": "Europe/London",
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
    assert!(page.text.len() < 6_144, "{} bytes", page.text.len());
    let order = [
        "Manchester Market Street",
        "<h1>Card payments may not work here</h1>",
        "Since 06:00 GMT.",
        "Do this now",
        "Pay with cash, or we hold your basket.",
        "Say this",
        "I am sorry. It is us, not your card.",
        "We tell you more by 06:20 GMT.",
        "Customers were told:",
        "Us too",
        "Works here",
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

/// A terminal of a shop falls silent, or answers again.
async fn terminal(muster: &TestApp, built: &Built, action: &str, shop: &str) {
    let body = json!({ "routing_key": built.integration_key, "event_action": action, "dedup_key": shop,
        "payload": { "summary": "Card terminal is silent", "source": "terminal-1", "severity": "critical", "group": shop } });
    let request = Request::post("/v2/enqueue")
        .body(Body::from(body.to_string()))
        .unwrap();
    muster.send(request).await.with_status(202);
    muster.take_signals().await;
}

fn headline(page: &Answer) -> String {
    let rest = page.text.split("<h1>").nth(1).unwrap_or_default();
    rest.split("</h1>").next().unwrap_or_default().to_owned()
}

#[store::both_engines]
async fn a_shop_that_works_is_not_told_that_it_may_not(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let grouping =
        json!({ "service": { "alert_grouping_parameters": { "type": "time", "config": { "timeout": 0 } } } });
    muster
        .put(&format!("/services/{}", shown.built.service_id), grouping)
        .await
        .good();
    let hurt = format!(
        "/at/{}",
        named_shop(&muster, &shown.touchpoint, "Leeds Briggate").await
    );
    let well = format!(
        "/at/{}",
        named_shop(&muster, &shown.touchpoint, "Bath Stall Street").await
    );
    terminal(&muster, &shown.built, "trigger", "Leeds Briggate").await;
    assert_eq!(
        headline(&anybody(&muster, &hurt).await),
        "Card payments do not work here"
    );
    let page = anybody(&muster, &well).await;
    assert_eq!(headline(&page), "Everything works here");
    for words in [
        "Other places have trouble with Card payments. Yours is not one of them.",
        "If Card payments fails here too:",
        "Us too: Card payments",
    ] {
        assert!(page.text.contains(words), "{words} is missing: {}", page.text);
    }
    // The machines are quiet again: that it works is for people to say.
    let second = named_shop(&muster, &shown.touchpoint, "York Coney Street").await;
    terminal(&muster, &shown.built, "trigger", "York Coney Street").await;
    terminal(&muster, &shown.built, "resolve", "Leeds Briggate").await;
    let page = anybody(&muster, &hurt).await;
    assert_eq!(headline(&page), "Card payments should work here again");
    assert!(!page.text.contains("Do this now"), "{}", page.text);
    post_form(&muster, &format!("{hurt}/said"), "said=up&sure=yes").await;
    muster.settle().await;
    assert_eq!(headline(&anybody(&muster, &hurt).await), "Everything works here");
    let other = anybody(&muster, &format!("/at/{second}")).await;
    assert_eq!(headline(&other), "Card payments do not work here");
    assert!(
        other
            .text
            .contains("Other places are back. Yours is the last to go."),
        "{}",
        other.text
    );
}

#[store::both_engines]
async fn one_tap_says_us_too_and_makes_one_case(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    named_shop(&muster, &shown.touchpoint, "Leeds Briggate").await;
    let well = named_shop(&muster, &shown.touchpoint, "Bath Stall Street").await;
    terminal(&muster, &shown.built, "trigger", "Leeds Briggate").await;
    let tap = format!("too={}", shown.touchpoint);
    for _ in 0..2 {
        assert_eq!(
            post_form(&muster, &format!("/at/{well}/said"), &tap).await.status,
            303
        );
        muster.settle().await;
    }
    let page = anybody(&muster, &format!("/at/{well}")).await;
    assert_eq!(headline(&page), "Card payments do not work here");
    let cases = muster.get("/cases").await.good();
    let cases: Vec<&Value> = cases["cases"].as_array().unwrap().iter().collect();
    assert_eq!(cases.len(), 1, "{cases:?}");
    assert_eq!(cases[0]["location"]["summary"], "Bath Stall Street");
    assert_eq!(cases[0]["channel"], "location_form");
    assert!(cases[0]["incident"]["id"].is_string(), "{}", cases[0]);
    let incident = cases[0]["incident"]["id"].as_str().unwrap().to_owned();
    let said = entries(&muster, &incident).await;
    let said: Vec<&String> = said
        .iter()
        .filter(|(kind, _)| kind == "location_reported")
        .map(|(_, text)| text)
        .collect();
    assert_eq!(said, ["Bath Stall Street says: still down."]);
    // A touchpoint that is not in trouble leads to the form.
    let calm = post_form(&muster, &format!("/at/{well}/said"), "too=Q0").await;
    assert_eq!(
        calm.headers[header::LOCATION],
        format!("/at/{well}/report").as_str()
    );
}

#[store::both_engines]
async fn a_tap_after_the_case_was_closed_has_it_owed_again(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    named_shop(&muster, &shown.touchpoint, "Leeds Briggate").await;
    let well = named_shop(&muster, &shown.touchpoint, "Bath Stall Street").await;
    terminal(&muster, &shown.built, "trigger", "Leeds Briggate").await;
    let said = format!("/at/{well}/said");
    let tap = format!("too={}", shown.touchpoint);
    post_form(&muster, &said, &tap).await;
    muster.settle().await;
    let case = muster.get("/cases").await.good()["cases"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let closed = json!({ "case": { "status": "closed" } });
    muster.put(&format!("/cases/{case}"), closed).await.good();
    muster.settle().await;
    assert_eq!(post_form(&muster, &said, &tap).await.status, 303);
    let cases = muster.get("/cases").await.good();
    assert_eq!(cases["cases"].as_array().unwrap().len(), 1);
    assert_eq!(cases["cases"][0]["status"], "open");
    assert_ne!(cases["cases"][0]["owed_since"], Value::Null);
}

#[store::both_engines]
async fn a_promise_that_was_not_kept_is_not_hidden(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let code = shop(&muster, &shown.touchpoint).await;
    let incident = break_it(&muster, &shown.built).await;
    tell_customers(&muster, &incident).await;
    muster.clock.advance(Duration::from_secs(21 * 60));
    let page = anybody(&muster, &format!("/at/{code}")).await;
    assert!(
        page.text
            .contains("We wanted to tell you more by 06:20 GMT and are late."),
        "{}",
        page.text
    );
}

#[store::both_engines]
async fn looking_asks_no_database_until_something_changes_here_or_on_another_node(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let code = shop(&muster, &shown.touchpoint).await;
    let path = format!("/at/{code}");
    let clock = Clock::simulated(crate::harness::START.parse().unwrap());
    let second = App::assemble(muster.database.store.clone(), clock, settings())
        .await
        .unwrap();
    let elsewhere = async |path: String| -> String {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(Arc::clone(&second)).oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    muster::pages::jobs::look(&second).await.unwrap();
    assert!(elsewhere(path.clone()).await.contains("Everything works here"));
    let first = anybody(&muster, &path).await;
    assert_eq!(first.headers[header::CACHE_CONTROL], "private, no-cache");
    assert!(first.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).is_none());
    let read = (
        muster.app.location_boards.times_read(),
        second.location_boards.times_read(),
    );
    for _ in 0..20 {
        anybody(&muster, &path).await;
        elsewhere(path.clone()).await;
        muster::pages::jobs::look(&second).await.unwrap();
    }
    assert_eq!(
        (
            muster.app.location_boards.times_read(),
            second.location_boards.times_read()
        ),
        read
    );
    let again = Request::get(&path).header(header::IF_NONE_MATCH, &first.headers[header::ETAG]);
    assert_eq!(muster.send(again.body(Body::empty()).unwrap()).await.status, 304);

    break_it(&muster, &shown.built).await;
    assert_eq!(
        headline(&anybody(&muster, &path).await),
        "Card payments may not work here"
    );
    muster::pages::jobs::look(&second).await.unwrap();
    assert!(
        elsewhere(path.clone())
            .await
            .contains("Card payments may not work here")
    );
    // The catalogue counts too: what to do instead is renamed by a person.
    let body = json!({ "business_service": { "name": "Cards", "fallback": "Take cash only." } });
    muster
        .put(&format!("/business_services/{}", shown.touchpoint), body)
        .await
        .good();
    assert_eq!(
        headline(&anybody(&muster, &path).await),
        "Cards may not work here"
    );
    muster::pages::jobs::look(&second).await.unwrap();
    assert!(elsewhere(path).await.contains("Take cash only."));
}

#[store::both_engines]
async fn with_a_code_that_was_taken_away_nothing_is_read_or_said(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let code = shop(&muster, &shown.touchpoint).await;
    let incident = break_it(&muster, &shown.built).await;
    let path = format!("/at/{code}");
    assert_eq!(anybody(&muster, &path).await.status, 200);
    let places = muster.get("/locations?kind=site").await.good();
    let id = places["locations"][0]["id"].as_str().unwrap().to_owned();
    let before = muster.app.location_boards.times_read();
    muster
        .post(&format!("/locations/{id}/code"), json!({}))
        .await
        .good();
    let said = post_form(&muster, &format!("{path}/said"), "said=down&sure=yes").await;
    assert_eq!(said.status, 404);
    assert_eq!(anybody(&muster, &path).await.status, 404);
    assert!(muster.app.location_boards.times_read() > before);
    let told = entries(&muster, &incident).await;
    assert!(
        told.iter().all(|(kind, _)| kind != "location_reported"),
        "{told:?}"
    );
}

/// Another node may have renewed the code: its word is checked against the database.
#[store::both_engines]
async fn a_word_with_a_code_that_the_board_still_knows_is_not_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let code = shop(&muster, &shown.touchpoint).await;
    let incident = break_it(&muster, &shown.built).await;
    let path = format!("/at/{code}");
    assert_eq!(anybody(&muster, &path).await.status, 200);
    muster
        .app
        .store
        .write(|tx| -> Result<(), store::Error> {
            tx.execute(
                store::sql!("UPDATE locations SET code = 'another'"),
                store::params![],
            )?;
            Ok(())
        })
        .await
        .unwrap();
    let said = post_form(&muster, &format!("{path}/said"), "said=down&sure=yes").await;
    assert_eq!(said.status, 404);
    let told = entries(&muster, &incident).await;
    assert!(
        told.iter().all(|(kind, _)| kind != "location_reported"),
        "{told:?}"
    );
}
