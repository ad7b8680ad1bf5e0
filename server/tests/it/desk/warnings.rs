//! More reports than usual are an early warning, with its reason, until they are linked.

use std::time::Duration;

use axum::http::Method;
use muster::config::{Given, Settings};
use muster::desk::usual;
use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::{Outage, link, outage};
use crate::harness::TestApp;

const HOUR: Duration = Duration::from_secs(3_600);

/// A report about card payments in Leeds, each in other words, so that only their number is unusual.
async fn report(muster: &TestApp, outage: &Outage, number: usize) -> Value {
    const WORDS: [&str; 8] = [
        "paying takes ages",
        "my receipt shows another amount",
        "the terminal beeps twice",
        "contactless was refused",
        "where is the refund",
        "the signature line is missing",
        "charged in euros",
        "the keypad sticks",
    ];
    muster
        .case(json!({
            "channel": "api",
            "text": WORDS[number % WORDS.len()],
            "location": { "id": outage.leeds },
            "touchpoint": { "id": outage.cards },
        }))
        .await
}

/// A fortnight in which somebody reports something every eight hours.
async fn a_calm_fortnight(muster: &TestApp, outage: &Outage) {
    for number in 0..42 {
        report(muster, outage, number).await;
        muster.clock.advance(8 * HOUR);
    }
}

/// Lets the counting reach the present: it goes a day at a time, and rests in between.
async fn catch_up(muster: &TestApp) {
    muster.pass(Duration::from_secs(180)).await;
}

async fn burst(muster: &TestApp, outage: &Outage, reports: usize) -> Vec<Value> {
    let mut cases = Vec::new();
    for number in 0..reports {
        cases.push(report(muster, outage, number).await);
        muster.clock.advance(Duration::from_secs(20));
    }
    muster.clock.advance(Duration::from_secs(300));
    muster.settle().await;
    cases
}

async fn more_than_usual(muster: &TestApp) -> Vec<Value> {
    let answer = muster.get("/desk/early_warnings").await.good();
    let warnings = answer["early_warnings"].as_array().unwrap();
    let is_wanted = |warning: &&Value| warning["kind"] == "more_than_usual";
    warnings.iter().filter(is_wanted).cloned().collect()
}

#[store::both_engines]
async fn more_reports_than_usual_are_an_early_warning_until_they_are_linked(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    usual::begin(&muster.app).await.unwrap();
    a_calm_fortnight(&muster, &outage).await;
    catch_up(&muster).await;
    assert_eq!(more_than_usual(&muster).await, Vec::<Value>::new());

    let cases = burst(&muster, &outage, 15).await;
    let warnings = more_than_usual(&muster).await;
    assert_eq!(
        warnings.len(),
        1,
        "one warning for the same reports: {warnings:?}"
    );
    let warning = &warnings[0];
    assert_eq!(warning["touchpoint"]["summary"], "Card payments");
    assert!(warning["observed"].as_u64().unwrap() >= 5, "{warning}");
    assert!(warning["expected"].as_f64().unwrap() < 1.0, "{warning}");
    assert!(warning["chance_per_week"].as_f64().unwrap() <= 0.5, "{warning}");
    let reason = warning["reason"].as_str().unwrap();
    assert!(
        reason.contains("hardly any is usual at this hour of the week. Chance alone brings this"),
        "{reason}"
    );

    let browser = muster.browser().await;
    let page = browser.open("/console").await;
    assert!(
        page.contains("More reports than usual about Card payments"),
        "{page}"
    );
    for case in &cases {
        link(&muster, case, &outage.incident).await;
    }
    assert_eq!(more_than_usual(&muster).await, Vec::<Value>::new());
    assert!(!browser.open("/console").await.contains("More reports than usual"));
}

#[store::both_engines]
async fn what_is_usual_is_learned_from_cases_that_were_there_before_and_outlives_a_restart(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    a_calm_fortnight(&muster, &outage).await;
    // The first to count is another process than the one that notices.
    usual::begin(&muster.app).await.unwrap();
    catch_up(&muster).await;
    let second = muster.started_again().await;
    burst(&second, &outage, 15).await;
    let warnings = more_than_usual(&muster).await;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    // Counting once more, on either of them, adds nothing.
    usual::begin(&muster.app).await.unwrap();
    muster.settle().await;
    assert_eq!(more_than_usual(&second).await, warnings);
    // After some hours it is old.
    muster.clock.advance(5 * HOUR);
    muster.settle().await;
    assert_eq!(more_than_usual(&muster).await, Vec::<Value>::new());
}

fn stating(false_alarms_per_week: f64) -> Settings {
    Given {
        false_alarms_per_week: Some(false_alarms_per_week.to_string()),
        ..Given::default()
    }
    .check()
    .unwrap()
}

#[store::both_engines]
async fn who_states_fewer_false_alarms_is_warned_of_less(engine: Engine) {
    for (rate, expected) in [(100.0, 1), (0.001, 0)] {
        let muster = TestApp::with_settings(engine, stating(rate)).await;
        let outage = outage(&muster).await;
        usual::begin(&muster.app).await.unwrap();
        a_calm_fortnight(&muster, &outage).await;
        catch_up(&muster).await;
        burst(&muster, &outage, 3).await;
        assert_eq!(more_than_usual(&muster).await.len(), expected, "{rate}");
        let answer = muster.get("/desk/early_warnings").await.good();
        assert_eq!(answer["false_alarms_per_week"], rate);
    }
}

#[store::both_engines]
async fn the_first_reports_ever_raise_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    usual::begin(&muster.app).await.unwrap();
    muster.settle().await;
    let outage = outage(&muster).await;
    burst(&muster, &outage, 15).await;
    assert_eq!(more_than_usual(&muster).await, Vec::<Value>::new());
}

#[store::both_engines]
async fn alerts_that_wait_and_customers_who_write_alike_are_told_over_the_api_too(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let waits = json!({ "service": {
        "auto_pause_notifications_parameters": { "enabled": true, "timeout": 300 },
    }});
    let path = format!("/services/{}", outage.built.service_id);
    muster.put(&path, waits).await.good();
    muster
        .trigger(&outage.built, "slow", "Gateway answers slowly")
        .await;
    for _ in 0..3 {
        let case = json!({ "channel": "api", "text": "The card reader says offline and I cannot pay" });
        muster.case(case).await;
    }
    let answer = muster.get("/desk/early_warnings").await.good();
    let told: Vec<(&str, &str)> = answer["early_warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["kind"].as_str().unwrap(), one["title"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "said_by_many",
                "3 customers write alike, and no incident is open for it"
            ),
            ("held_back", "Gateway answers slowly")
        ]
    );
    let stakeholder = muster.person("Sam", "sam@example.org", Role::Stakeholder).await;
    muster
        .as_person(&stakeholder, Method::GET, "/desk/early_warnings", None)
        .await
        .with_status(403);
}
