//! What is done to several incidents at once from their list.

use axum::http::StatusCode;
use muster::people::Role;
use store::Engine;

use crate::harness::{Browser, TestApp};
use crate::incidents::many::{several, states};

const FORM: &str = "/console/incidents/together";

fn chosen<'t>(ids: &'t [String], what: &'t str) -> Vec<(&'static str, &'t str)> {
    let ids = ids.iter().map(|id| ("incident", id.as_str()));
    ids.chain([("do", what)]).collect()
}

#[store::both_engines]
async fn several_are_acknowledged_and_resolved_together(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ids = several(&muster, 3).await;
    let browser = muster.browser().await;
    let answer = browser.send(FORM, &chosen(&ids[..2], "acknowledge")).await;
    assert_eq!(Browser::led_to(&answer), "/console/incidents");
    assert_eq!(
        states(&muster).await,
        ["acknowledged", "acknowledged", "triggered"]
    );
    let answer = browser.send(FORM, &chosen(&ids[1..], "resolve")).await;
    assert_eq!(Browser::led_to(&answer), "/console/incidents");
    assert_eq!(states(&muster).await, ["acknowledged", "resolved", "resolved"]);
}

#[store::both_engines]
async fn those_that_are_merged_go_into_the_oldest(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let mut ids = several(&muster, 3).await;
    ids.reverse();
    let browser = muster.browser().await;
    Browser::led_to(&browser.send(FORM, &chosen(&ids, "merge")).await);
    assert_eq!(states(&muster).await, ["triggered", "resolved", "resolved"]);
    let oldest = muster.get(&format!("/incidents/{}", ids[2])).await.good();
    assert_eq!(oldest["incident"]["alert_counts"]["all"], 3);
}

#[store::both_engines]
async fn what_cannot_be_done_together_is_said_and_changes_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ids = several(&muster, 2).await;
    let browser = muster.browser().await;
    let far_too_many: Vec<String> = (0..251).map(|number| format!("Q{number}")).collect();
    for (fields, words) in [
        (
            chosen(&ids, "forget"),
            "Choose what to do with them: acknowledge, resolve or merge.",
        ),
        (chosen(&[], "resolve"), "Choose at least one incident."),
        (
            chosen(&ids[..1], "merge"),
            "Choose at least two incidents to merge",
        ),
        (
            chosen(&far_too_many, "resolve"),
            "You chose 251 incidents. Choose at most 250 at once; nothing was changed.",
        ),
    ] {
        let answer = browser.send(FORM, &fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        assert!(answer.text.contains(words), "{words:?} is not in {}", answer.text);
    }
    assert_eq!(states(&muster).await, ["triggered", "triggered"]);
}

#[store::both_engines]
async fn who_only_looks_on_changes_nothing_together(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ids = several(&muster, 1).await;
    let browser = muster.browser_as(Role::Observer).await;
    let answer = browser.send(FORM, &chosen(&ids, "resolve")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(states(&muster).await, ["triggered"]);
}
