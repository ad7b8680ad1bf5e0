//! Reports: read, edited, published.

use std::time::Duration;

use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::{HOSTILE, shows_harmlessly};
use crate::desk::{Outage, link, outage, set_status};
use crate::harness::{Browser, TestApp};

async fn over(muster: &TestApp) -> Outage {
    let outage = outage(muster).await;
    let case = muster.case(json!({ "text": "Card reader offline" })).await;
    link(muster, &case, &outage.incident).await;
    muster.pass(Duration::from_secs(120)).await;
    set_status(muster, &outage.incident, "acknowledged").await;
    muster.pass(Duration::from_secs(3_480)).await;
    set_status(muster, &outage.incident, "resolved").await;
    outage
}

fn version(page: &str) -> String {
    page.split("name=\"version\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap()
        .to_owned()
}

#[store::both_engines]
async fn a_report_shows_one_picture_then_figures_then_words(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = over(&muster).await;
    let browser = muster.browser().await;
    let list = browser.open("/console/learn").await;
    assert!(
        list.contains(&format!("/console/learn/{}", outage.incident)),
        "{list}"
    );
    let page = browser.open(&format!("/console/learn/{}", outage.incident)).await;
    for expected in [
        "class=\"lanes\"",
        "What was said",
        "06:00 began",
        "07:00 resolved",
        "To acknowledge",
        "2 min",
        "1 customer told us; one still waits",
        "It lasted 1 h 0 min.",
        "/review.md",
        "/review.html",
    ] {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
    let markdown = browser
        .look(&format!("/incidents/{}/review.md", outage.incident))
        .await;
    assert!(markdown.text.starts_with("# "), "{}", markdown.text);
}

#[store::both_engines]
async fn words_are_edited_in_the_browser_and_the_second_of_two_editors_loses_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = over(&muster).await;
    let browser = muster.browser().await;
    let path = format!("/console/learn/{}", outage.incident);
    let form = browser.open(&format!("{path}/edit")).await;
    let first = version(&form);
    let fields = |words: &'static str| {
        [
            ("headline", "Cards failed"),
            ("title", "What happened"),
            ("words", words),
            ("title", ""),
            ("words", ""),
        ]
    };
    let with_version = |version: &'static str, words| [&[("version", version)][..], &fields(words)].concat();
    let first: &'static str = first.leak();
    let kept = browser
        .send(
            &path,
            &with_version(first, "The agent **dropped** the route. <b onclick=x>Bold</b>"),
        )
        .await;
    assert_eq!(Browser::led_to(&kept), path);
    let page = browser.open(&path).await;
    assert!(page.contains("The agent <strong>dropped</strong> the route."));
    assert!(!page.contains("onclick"));

    let late = browser.send(&path, &with_version(first, "My own words")).await;
    assert_eq!(late.status.as_u16(), 422);
    assert!(late.text.contains("My own words") && late.text.contains("Somebody kept another version"));
    let second: &'static str = version(&late.text).leak();
    let kept = browser.send(&path, &with_version(second, "My own words")).await;
    Browser::led_to(&kept);
    assert!(browser.open(&path).await.contains("My own words"));

    Browser::led_to(&browser.send(&format!("{path}/publish"), &[]).await);
    assert!(browser.open(&path).await.contains("published, version 3"));
}

#[store::both_engines]
async fn hostile_titles_stay_words(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = over(&muster).await;
    let browser = muster.browser().await;
    let path = format!("/console/learn/{}", outage.incident);
    let form = browser.open(&format!("{path}/edit")).await;
    let version = version(&form);
    let sent = browser
        .send(
            &path,
            &[
                ("version", &version),
                ("headline", HOSTILE),
                ("title", HOSTILE),
                ("words", HOSTILE),
            ],
        )
        .await;
    Browser::led_to(&sent);
    for path in [path.clone(), format!("{path}/edit"), "/console/learn".to_owned()] {
        shows_harmlessly(&browser.open(&path).await);
    }
}

#[store::both_engines]
async fn an_incident_without_a_report_offers_to_write_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let browser = muster.browser().await;
    let path = format!("/console/learn/{}", outage.incident);
    assert!(browser.open(&path).await.contains("No report yet"));
    Browser::led_to(&browser.send(&format!("{path}/write"), &[]).await);
    assert!(browser.open(&path).await.contains("class=\"lanes\""));
}

#[store::both_engines]
async fn who_may_only_read_reads_and_nobody_forges(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = over(&muster).await;
    let path = format!("/console/learn/{}", outage.incident);
    let observer = muster.browser_as(Role::Observer).await;
    let page = observer.open(&path).await;
    assert!(!page.contains("/edit\"") && !page.contains("/publish\""));
    let fields = [
        ("version", "1"),
        ("headline", "x"),
        ("title", "x"),
        ("words", "x"),
    ];
    for (path, fields) in [
        (path.clone(), &fields[..]),
        (format!("{path}/publish"), &[]),
        (format!("{path}/write"), &[]),
    ] {
        assert_eq!(observer.send(&path, fields).await.status.as_u16(), 403, "{path}");
    }
    let owner = muster.browser().await;
    assert_eq!(
        owner
            .send_forged(&format!("{path}/publish"), &[])
            .await
            .status
            .as_u16(),
        403
    );
}
