//! Rules on the events of a service, from the console.

use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::form::{Filled, newest_audit};
use super::{HOSTILE, shows_harmlessly};
use crate::harness::{Browser, Built, TestApp};
use crate::orchestration::{report, rule as rule_on_events, start, when};

fn page_of(built: &Built) -> String {
    format!("/console/services/{}", built.service_id)
}

fn new_of(built: &Built) -> String {
    format!("{}/rules/new", page_of(built))
}

async fn form(browser: &Browser<'_>, address: &str) -> Filled {
    Filled::on(&browser.open(address).await, address)
}

/// The rules that every event begins with.
async fn rules(muster: &TestApp, built: &Built) -> Vec<Value> {
    let path = format!("/event_orchestrations/services/{}", built.service_id);
    let shown = muster.get(&path).await.good();
    shown["orchestration_path"]["sets"][0]["rules"]
        .as_array()
        .unwrap()
        .clone()
}

fn labels(rules: &[Value]) -> Vec<&str> {
    rules
        .iter()
        .map(|rule| rule["label"].as_str().unwrap_or("-"))
        .collect()
}

/// Adds a rule by the form; gives the address of its own form.
async fn add(browser: &Browser<'_>, built: &Built, label: &str, conditions: &str) -> String {
    let filled = form(browser, &new_of(built))
        .await
        .with("label", label)
        .with("conditions", conditions)
        .with("fate", "suppress");
    Browser::led_to(&filled.sent_by(browser).await);
    let page = browser.open(&page_of(built)).await;
    let after = page
        .split(&format!("<b dir=\"auto\">{label}</b>"))
        .nth(1)
        .unwrap();
    let to = after.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    to.to_owned()
}

#[store::both_engines]
async fn a_rule_is_added_shown_changed_moved_and_removed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let other = muster.service("disks").build().await;
    let browser = muster.browser().await;
    let page = browser.open(&page_of(&built)).await;
    assert!(
        page.contains("Every event becomes an alert as it comes."),
        "{page}"
    );
    let filled = form(&browser, &new_of(&built))
        .await
        .with("label", HOSTILE)
        .with(
            "conditions",
            "event.severity == 'info'\r\n\r\nevent.summary matches part '<b>'\r\n",
        )
        .with("fate", "suspend")
        .with("wait", "5 min")
        .with("severity", "warning")
        .with("priority", "QP2000000000P2")
        .with("policy", &other.policy_id)
        .with("note", "Look at {{event.source}}.");
    Browser::led_to(&filled.sent_by(&browser).await);
    assert_eq!(
        newest_audit(&muster).await,
        ("update".to_owned(), "card-gateway".to_owned())
    );
    let kept = rules(&muster, &built).await;
    assert_eq!(
        kept[0]["conditions"],
        json!([{ "expression": "event.severity == 'info'" }, { "expression": "event.summary matches part '<b>'" }])
    );
    for (action, value) in [
        ("suspend", json!(300)),
        ("suppress", Value::Null),
        ("severity", json!("warning")),
        ("priority", json!("QP2000000000P2")),
        ("escalation_policy", json!(other.policy_id)),
        ("annotate", json!("Look at {{event.source}}.")),
    ] {
        assert_eq!(kept[0]["actions"][action], value, "{action}");
    }
    let page = browser.open(&page_of(&built)).await;
    shows_harmlessly(&page);
    assert!(page.contains("holds it back for 5 minutes"), "{page}");

    let second = add(&browser, &built, "Second", "true").await;
    assert_eq!(
        labels(&rules(&muster, &built).await)[1],
        "Second",
        "a new one comes last"
    );
    Browser::led_to(
        &form(&browser, &second)
            .await
            .with("after", "")
            .with("label", "Now first")
            .sent_by(&browser)
            .await,
    );
    let kept_now = rules(&muster, &built).await;
    assert_eq!((labels(&kept_now)[0], &kept_now[1]), ("Now first", &kept[0]));
    Browser::led_to(
        &form(&browser, &second)
            .await
            .ticked("resting")
            .sent_by(&browser)
            .await,
    );
    assert_eq!(rules(&muster, &built).await[0]["disabled"], true);
    assert!(browser.open(&page_of(&built)).await.contains("Left out for now."));
    Browser::led_to(&browser.send(&format!("{second}/remove"), &[]).await);
    assert_eq!(rules(&muster, &built).await, kept);
    assert_eq!(
        browser
            .send(&format!("{second}/remove"), &[])
            .await
            .status
            .as_u16(),
        404
    );
    assert_eq!(browser.look(&second).await.status.as_u16(), 404);
}

#[store::both_engines]
async fn a_rule_that_is_sent_as_it_was_stays_with_all_the_form_has_no_words_for(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let path = json!({ "orchestration_path": {
        "sets": [
            { "id": "start", "rules": [{ "label": "Disks", "conditions": [{ "expression": "event.group\nexists" }], "actions": {
                "route_to": "more", "suppress": false, "event_action": "trigger", "suspend": 61,
                "variables": [{ "name": "host", "type": "regex", "path": "event.source", "value": ".*" }],
                "extractions": [{ "target": "event.group", "template": "{{variables.host}}" }],
            } }] },
            { "id": "more", "rules": [{ "actions": { "severity": "info" } }] },
        ],
        "catch_all": { "actions": { "suppress": true } },
    } });
    let address = format!("/event_orchestrations/services/{}", built.service_id);
    let before = muster.put(&address, path).await.good()["orchestration_path"].clone();
    let browser = muster.browser().await;
    let page = browser.open(&page_of(&built)).await;
    for said in [
        "One more rule stands in another set",
        "Of whatever no rule matches, the rule for everything else suppresses it",
    ] {
        assert!(page.contains(said), "{said} is not in {page}");
    }
    let to = format!(
        "{}/rules/{}",
        page_of(&built),
        before["sets"][0]["rules"][0]["id"].as_str().unwrap()
    );
    assert!(
        browser
            .open(&to)
            .await
            .contains("stays as it is; that is changed over the API")
    );
    Browser::led_to(&form(&browser, &to).await.sent_by(&browser).await);
    let after = muster.get(&address).await.good()["orchestration_path"].clone();
    assert_eq!(
        (&after["sets"], &after["catch_all"]),
        (&before["sets"], &before["catch_all"])
    );
}

#[store::both_engines]
async fn what_is_wrong_with_a_rule_is_said_at_its_field_with_the_place_and_all_is_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await;
    for (name, value, said) in [
        (
            "conditions",
            "true\n\nevent.severity = 'info'",
            "Line 3, column 16, at “= &#39;info&#39;”: expected “==”",
        ),
        (
            "conditions",
            "event.sumary exists",
            "Line 1, event.sumary is no field of an event.",
        ),
        (
            "conditions",
            "trigger_count over 1 hour > 3",
            "are not counted here",
        ),
        ("wait", "soon", "Say how long it waits"),
        ("wait", "2 days", "The time must lie between 1 and 86400"),
        (
            "note",
            "{{event.summary",
            "The note, at character 1: “{{” is not closed.",
        ),
        (
            "priority",
            "P1",
            "The priority: there is no priority with this id.",
        ),
    ] {
        let filled = form(&browser, &new_of(&built))
            .await
            .with("label", "What I typed")
            .with("fate", "suspend")
            .with("wait", "5 min")
            .with(name, value);
        let refused = filled.sent_by(&browser).await;
        assert_eq!(refused.status.as_u16(), 422, "{name}: {}", refused.text);
        assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
        assert!(
            refused.text.contains(&format!("id=\"{name}-problem\"")),
            "{name} is not marked: {}",
            refused.text
        );
        let again = Filled::on(&refused.text, &new_of(&built));
        assert_eq!((again.value(name), again.value("label")), (value, "What I typed"));
    }
    assert!(rules(&muster, &built).await.is_empty());
}

#[store::both_engines]
async fn a_rule_is_tried_on_the_latest_alerts_before_it_counts(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await;
    let trying = async |conditions: &str| {
        let typed = [
            ("label", "Tills"),
            ("conditions", conditions),
            ("fate", "suppress"),
            ("act", "try"),
        ];
        browser.send(&new_of(&built), &typed).await
    };
    assert!(
        trying("true")
            .await
            .text
            .contains("No alert has reached the service yet.")
    );
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let shown = trying("event.summary matches part 'terminal'").await;
    assert_eq!(shown.status.as_u16(), 200);
    assert!(
        shown.text.contains("The rule “Tills” suppressed it"),
        "{}",
        shown.text
    );
    assert_eq!(Filled::on(&shown.text, &new_of(&built)).value("label"), "Tills");
    assert!(
        trying("event.summary matches part 'disk'")
            .await
            .text
            .contains("No rule matched.")
    );
    let refused = trying("event.summary is").await;
    assert_eq!(refused.status.as_u16(), 422);
    assert!(rules(&muster, &built).await.is_empty(), "nothing was kept");
}

#[store::both_engines]
async fn a_rule_is_tried_on_what_was_sent_and_not_on_what_other_rules_made_of_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let writes = json!({ "severity": "info", "extractions": [
        { "target": "event.summary", "template": "Till" },
        { "target": "event.custom_details.shop", "template": "Leeds" },
    ] });
    let as_sent = "event.severity == 'error' and event.summary matches part 'silent' and not event.custom_details.shop exists";
    rule_on_events(
        &muster,
        &built,
        start(json!([when("event.summary exists", writes)])),
    )
    .await;
    report(
        &muster,
        &built,
        "till-1",
        json!({ "summary": "Terminal silent", "severity": "error" }),
    )
    .await;
    let typed = [
        ("label", "Tills"),
        ("conditions", as_sent),
        ("fate", "suppress"),
        ("act", "try"),
    ];
    let browser = muster.browser().await;
    let shown = browser.send(&new_of(&built), &typed).await;
    assert!(
        shown.text.contains("The rule “Tills” suppressed it"),
        "{}",
        shown.text
    );
}

#[store::both_engines]
async fn rules_rest_and_judge_again_and_what_they_keep_quiet_is_seen(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await;
    add(&browser, &built, "Everything", "").await;
    muster.trigger(&built, "till-1", HOSTILE).await;
    let page = browser.open(&page_of(&built)).await;
    shows_harmlessly(&page);
    assert!(page.contains("Kept quiet just now"), "{page}");
    assert!(
        page.contains("The rule “Everything” suppressed it, so that no incident opens."),
        "{page}"
    );
    Browser::led_to(
        &browser
            .send(&format!("{}/rules/rest", page_of(&built)), &[])
            .await,
    );
    assert!(
        browser
            .open(&page_of(&built))
            .await
            .contains("They rest: events are taken as they come.")
    );
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let found = muster.get("/incidents").await.good();
    assert_eq!(
        found["incidents"].as_array().unwrap().len(),
        1,
        "what is said again is judged by nobody"
    );
    Browser::led_to(
        &browser
            .send(&format!("{}/rules/judge", page_of(&built)), &[])
            .await,
    );
    assert!(!browser.open(&page_of(&built)).await.contains("They rest"));
}

#[store::both_engines]
async fn those_who_may_only_look_are_offered_nothing_and_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let owner = muster.browser().await;
    let to = add(&owner, &built, "Disks", "true").await;
    let browser = muster.browser_as(Role::Responder).await;
    let page = browser.open(&page_of(&built)).await;
    assert!(page.contains("Disks") && !page.contains("/rules/"), "{page}");
    for address in [to.clone(), new_of(&built)] {
        assert_eq!(browser.look(&address).await.status.as_u16(), 403, "{address}");
        assert_eq!(
            browser.send(&address, &[("label", "Mine")]).await.status.as_u16(),
            403
        );
    }
    for act in ["rest", "judge"] {
        let refused = browser
            .send(&format!("{}/rules/{act}", page_of(&built)), &[])
            .await;
        assert_eq!(refused.status.as_u16(), 403, "{act}");
    }
    assert_eq!(
        browser.send(&format!("{to}/remove"), &[]).await.status.as_u16(),
        403
    );
    assert_eq!(labels(&rules(&muster, &built).await), ["Disks"]);
}

#[store::both_engines]
async fn what_was_typed_into_a_rule_that_is_gone_can_be_copied(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await;
    let to = add(&browser, &built, "Disks", "true").await;
    let filled = form(&browser, &to).await.with("note", "What I typed.");
    Browser::led_to(&browser.send(&format!("{to}/remove"), &[]).await);
    let refused = filled.sent_by(&browser).await;
    assert_eq!(refused.status.as_u16(), 404);
    assert!(refused.text.contains("What I typed."), "{}", refused.text);
}
