//! Two people change the same thing: the form that comes second does not undo what the first one did.

use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::form::Filled;
use crate::desk::outage;
use crate::harness::{Browser, TestApp};
use crate::oncall::daily;
use crate::orchestration::{rule, start, when};

async fn form(browser: &Browser<'_>, address: &str) -> Filled {
    Filled::on(&browser.open(address).await, address)
}

fn id_of(answer: &serde_json::Value, kind: &str) -> String {
    answer[kind]["id"].as_str().unwrap().to_owned()
}

/// The form of each kind of thing, and a field of it beside its name.
async fn forms(muster: &TestApp) -> Vec<(String, &'static str)> {
    let outage = outage(muster).await;
    let customer = muster
        .post("/accounts", json!({ "account": { "name": "Hannah Whitcombe" } }))
        .await
        .with_status(201);
    let audience = json!({ "audience": {
        "name": "Partners", "visibility": "public", "time_zone": "Europe/London", "cadence_minutes": 20,
        "channels": [{ "type": "status_page" }],
    } });
    let audience = muster.post("/audiences", audience).await.with_status(201);
    let rota = daily("Payments", &[muster.owner.id.as_str()]);
    let rota = muster.post("/schedules", rota).await.with_status(201);
    vec![
        (
            format!("/console/services/{}/change", outage.built.service_id),
            "description",
        ),
        (
            format!("/console/services/{}/change", outage.cards),
            "description",
        ),
        (format!("/console/locations/{}/change", outage.leeds), "telephone"),
        (
            format!("/console/customers/{}/change", id_of(&customer, "account")),
            "telephone",
        ),
        (
            format!("/console/settings/audiences/{}", id_of(&audience, "audience")),
            "subject",
        ),
        (
            format!("/console/settings/escalation-policies/{}", outage.built.policy_id),
            "description",
        ),
        (
            format!("/console/on-call/{}/change", id_of(&rota, "schedule")),
            "description",
        ),
    ]
}

#[store::both_engines]
async fn a_form_that_was_overtaken_says_by_whom_and_keeps_what_both_wrote(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let forms = forms(&muster).await;
    let (mine, theirs) = (muster.browser().await, muster.browser_as(Role::Admin).await);
    for (address, beside) in forms {
        let filled = form(&mine, &address).await.with("name", "Typed by me");
        let faster = form(&theirs, &address)
            .await
            .with(beside, "Written by them")
            .pressed("act", "keep");
        Browser::led_to(&faster.sent_by(&theirs).await);

        let met = filled.pressed("act", "keep").sent_by(&mine).await;
        assert_eq!(met.status.as_u16(), 409, "{address}: {}", met.text);
        assert!(
            met.text.contains("Admin changed this at"),
            "{address}: {}",
            met.text
        );
        let again = Filled::on(&met.text, &address);
        assert_eq!(again.value("name"), "Typed by me", "{address}");
        assert_eq!(again.value(beside), "Written by them", "{address}");
        let stands = form(&theirs, &address).await;
        assert_ne!(
            stands.value("name"),
            "Typed by me",
            "{address}: nothing was changed yet"
        );

        Browser::led_to(&again.pressed("act", "keep").sent_by(&mine).await);
        let stands = form(&theirs, &address).await;
        assert_eq!(stands.value("name"), "Typed by me", "{address}");
        assert_eq!(stands.value(beside), "Written by them", "{address}");
    }
}

#[store::both_engines]
async fn a_rule_that_somebody_narrowed_meanwhile_is_not_widened_again(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let wide = when("event.severity == 'info'", json!({ "suppress": true }));
    let kept = rule(&muster, &built, start(json!([wide]))).await;
    let rule_id = kept["sets"][0]["rules"][0]["id"].as_str().unwrap();
    let address = format!("/console/services/{}/rules/{rule_id}", built.service_id);
    let (mine, theirs) = (muster.browser().await, muster.browser_as(Role::Admin).await);
    let filled = form(&mine, &address).await.with("label", "Quiet");
    let narrow = "event.severity == 'info' and event.source == 'batch'";
    let faster = form(&theirs, &address).await.with("conditions", narrow);
    Browser::led_to(&faster.sent_by(&theirs).await);
    let met = filled.sent_by(&mine).await;
    assert_eq!(met.status.as_u16(), 409, "{}", met.text);
    let again = Filled::on(&met.text, &address);
    assert_eq!(
        (again.value("label"), again.value("conditions")),
        ("Quiet", narrow)
    );
    Browser::led_to(&again.sent_by(&mine).await);
    let stands = form(&theirs, &address).await;
    assert_eq!(
        (stands.value("label"), stands.value("conditions")),
        ("Quiet", narrow)
    );
}

#[store::both_engines]
async fn what_both_changed_is_shown_beside_what_was_typed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let (mine, theirs) = (muster.browser().await, muster.browser_as(Role::Admin).await);
    let address = format!("/console/services/{}/change", built.service_id);
    let filled = form(&mine, &address).await.with("name", "tills");
    let faster = form(&theirs, &address).await.with("name", "terminals");
    Browser::led_to(&faster.sent_by(&theirs).await);
    let met = filled.sent_by(&mine).await;
    assert_eq!(met.status.as_u16(), 409, "{}", met.text);
    assert!(
        met.text.contains("Admin made this “terminals” at"),
        "{}",
        met.text
    );
    assert_eq!(Filled::on(&met.text, &address).value("name"), "tills");
}

#[store::both_engines]
async fn the_same_change_made_twice_is_no_quarrel(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let (mine, theirs) = (muster.browser().await, muster.browser_as(Role::Admin).await);
    let address = format!("/console/services/{}/change", built.service_id);
    let filled = form(&mine, &address).await.with("name", "tills");
    let faster = form(&theirs, &address).await.with("name", "tills");
    Browser::led_to(&faster.sent_by(&theirs).await);
    Browser::led_to(&filled.sent_by(&mine).await);
}

#[store::both_engines]
async fn a_level_that_was_added_meanwhile_is_not_taken_away_unseen(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let (mine, theirs) = (muster.browser().await, muster.browser_as(Role::Admin).await);
    let address = format!("/console/settings/escalation-policies/{}", built.policy_id);
    let filled = form(&mine, &address).await.with("name", "Cards");
    let longer = form(&theirs, &address)
        .await
        .pressed("act", "more")
        .sent_by(&theirs)
        .await;
    let who = format!("user:{}", muster.owner.id);
    let longer = Filled::on(&longer.text, &address).with("level-new1-who", &who);
    Browser::led_to(&longer.sent_by(&theirs).await);
    // The form that gets one more level on the way still knows what its reader saw.
    let wider = filled.pressed("act", "more").sent_by(&mine).await;
    let met = Filled::on(&wider.text, &address).sent_by(&mine).await;
    assert_eq!(met.status.as_u16(), 409, "{}", met.text);
    assert!(
        met.text.contains("added or took away parts of this"),
        "{}",
        met.text
    );
}

#[store::both_engines]
async fn facts_that_two_people_state_at_once_are_both_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let incident = outage(&muster).await.incident;
    let page = format!("/console/updates?incident={incident}");
    let (mine, theirs) = (muster.browser().await, muster.browser_as(Role::Admin).await);
    let facts = |page: &str| Filled::on(page, "/console/updates/facts");
    let slower = facts(&mine.open(&page).await).with("symptom", "Cards are refused");
    let faster = facts(&theirs.open(&page).await).with("phase", "identified");
    Browser::led_to(&faster.sent_by(&theirs).await);
    Browser::led_to(&slower.sent_by(&mine).await);
    let stated = muster.get(&format!("/incidents/{incident}/facts")).await.good();
    let stated = &stated["facts"];
    assert_eq!(
        (&stated["phase"], &stated["symptom"]),
        (&json!("identified"), &json!("Cards are refused"))
    );
}
