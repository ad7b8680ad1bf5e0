//! Changing a service and a touchpoint from the console, switching off, taking away, renaming what reports.

use muster::people::Role;
use serde_json::{Value, json};
use store::Engine;

use super::form::{Filled, newest_audit};
use super::{HOSTILE, shows_harmlessly};
use crate::harness::{Browser, Built, TestApp};

fn page_of(built: &Built) -> String {
    format!("/console/services/{}", built.service_id)
}

fn form_of(built: &Built) -> String {
    format!("{}/change", page_of(built))
}

async fn service(muster: &TestApp, id: &str) -> Value {
    muster.get(&format!("/services/{id}")).await.good()["service"].clone()
}

async fn form(browser: &Browser<'_>, address: &str) -> Filled {
    Filled::on(&browser.open(address).await, address)
}

#[store::both_engines]
async fn every_setting_of_a_service_is_changed_and_shows(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let other = muster.service("tills").build().await;
    let browser = muster.browser().await;
    assert!(browser.open(&page_of(&built)).await.contains(&form_of(&built)));
    let filled = form(&browser, &form_of(&built))
        .await
        .with("name", HOSTILE)
        .with("description", "Takes the cards.")
        .with("policy", &other.policy_id)
        .with("acknowledged", "30 min")
        .with("resolves", "1 day 12 h")
        .with("urgency", "hours")
        .with("days", "Mon to Fri")
        .with("from", "08:00")
        .with("until", "18:30")
        .with("zone", "Europe/London")
        .with("outside", "severity_based")
        .ticked("at-start")
        .with("grouping", "content_based")
        .with("names", "component, custom_details.host")
        .with("agreement", "any")
        .with("window", "10 min")
        .with("pause", "300");
    Browser::led_to(&filled.sent_by(&browser).await);
    let kept = service(&muster, &built.service_id).await;
    for (field, expected) in [
        ("description", json!("Takes the cards.")),
        ("acknowledgement_timeout", json!(1_800)),
        ("auto_resolve_timeout", json!(129_600)),
        (
            "incident_urgency_rule",
            json!({
                "type": "use_support_hours",
                "during_support_hours": { "type": "constant", "urgency": "high" },
                "outside_support_hours": { "type": "constant", "urgency": "severity_based" },
            }),
        ),
        (
            "support_hours",
            json!({
                "type": "fixed_time_per_day", "time_zone": "Europe/London", "days_of_week": [1, 2, 3, 4, 5],
                "start_time": "08:00:00", "end_time": "18:30:00",
            }),
        ),
        (
            "scheduled_actions",
            json!([{ "type": "urgency_change", "to_urgency": "high",
                "at": { "type": "named_time", "name": "support_hours_start" } }]),
        ),
        (
            "auto_pause_notifications_parameters",
            json!({ "enabled": true, "timeout": 300, "recommended_timeout": 300 }),
        ),
    ] {
        assert_eq!(kept[field], expected, "{field}: {kept}");
    }
    assert_eq!(kept["escalation_policy"]["id"], other.policy_id.as_str());
    let grouping = &kept["alert_grouping_parameters"];
    assert_eq!(grouping["type"], "content_based", "{grouping}");
    assert_eq!(grouping["config"]["aggregate"], "any", "{grouping}");
    assert_eq!(grouping["config"]["time_window"], 600, "{grouping}");
    let page = browser.open(&page_of(&built)).await;
    shows_harmlessly(&page);
    assert!(page.contains("after 1 day 12 h"), "{page}");
}

#[store::both_engines]
async fn a_form_that_is_sent_as_it_was_changes_nothing(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let grouping = json!({ "type": "intelligent", "fields": ["source"], "window_seconds": 301 });
    let built = muster
        .service("card-gateway")
        .grouping(grouping)
        .acknowledgement_timeout(1_801)
        .build()
        .await;
    let before = service(&muster, &built.service_id).await;
    let browser = muster.browser().await;
    let filled = form(&browser, &form_of(&built)).await;
    assert_eq!(filled.value("acknowledged"), "30 min 1 s");
    Browser::led_to(&filled.sent_by(&browser).await);
    assert_eq!(service(&muster, &built.service_id).await, before);
}

#[store::both_engines]
async fn a_service_is_changed_as_the_audit_log_says(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await;
    let filled = form(&browser, &form_of(&built)).await.with("name", "cards");
    Browser::led_to(&filled.sent_by(&browser).await);
    assert_eq!(
        newest_audit(&muster).await,
        ("update".to_owned(), "cards".to_owned())
    );
}

#[store::both_engines]
async fn what_is_wrong_with_a_service_is_said_at_its_field_and_all_is_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    muster.service("tills").build().await;
    let before = service(&muster, &built.service_id).await;
    let browser = muster.browser().await;
    for (name, value, said) in [
        ("name", "", "The name can&#39;t be blank."),
        ("name", "tills", "The name has already been taken."),
        ("policy", "PNONE", "The policy was not found."),
        ("acknowledged", "soon", "Say how long, such as 30 min"),
        ("resolves", "10 s", "counted in seconds, must lie between 60"),
        ("window", "100 days", "must lie between 0 and 1440"),
        ("window", "90 s", "Say it in whole minutes."),
    ] {
        let filled = form(&browser, &form_of(&built))
            .await
            .with("description", "What I typed.")
            .with("grouping", "time")
            .with(name, value);
        let refused = filled.sent_by(&browser).await;
        assert_eq!(refused.status.as_u16(), 422, "{name}: {}", refused.text);
        assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
        assert!(
            refused.text.contains(&format!("id=\"{name}-problem\"")),
            "{name} is not marked: {}",
            refused.text
        );
        let again = Filled::on(&refused.text, &form_of(&built));
        assert_eq!(again.value(name), value);
        assert_eq!(again.value("description"), "What I typed.");
        assert_eq!(again.value("grouping"), "time");
    }
    for (name, value, said) in [
        ("zone", "Mars/Olympus", "The time zone must be an IANA time zone"),
        ("days", "Funday", "Say which days"),
        ("from", "nine", "Say a time, such as 09:00."),
    ] {
        let filled = form(&browser, &form_of(&built))
            .await
            .with("urgency", "hours")
            .with("zone", "Europe/London")
            .with(name, value);
        let refused = filled.sent_by(&browser).await;
        assert_eq!(refused.status.as_u16(), 422, "{name}: {}", refused.text);
        assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
    }
    assert_eq!(service(&muster, &built.service_id).await, before);
}

#[store::both_engines]
async fn a_service_is_changed_only_by_those_of_its_teams(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ours = muster.service("tills").build().await;
    let theirs = muster.service("web").build().await;
    let team = muster.team("Tills").await;
    let path = format!("/teams/{team}/escalation_policies/{}", ours.policy_id);
    muster.put(&path, json!({})).await.good();
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let path = format!("/teams/{team}/users/{}", ben.id);
    muster.put(&path, json!({ "role": "manager" })).await.good();
    let browser = muster.browser_of(&ben).await;

    assert!(browser.open(&page_of(&ours)).await.contains(&form_of(&ours)));
    let page = browser.open(&page_of(&theirs)).await;
    assert!(!page.contains(&form_of(&theirs)) && !page.contains("Take it away"));
    assert_eq!(browser.look(&form_of(&theirs)).await.status.as_u16(), 403);
    let owner = muster.browser().await;
    let not_his = form(&owner, &form_of(&theirs)).await.with("name", "mine");
    assert_eq!(not_his.sent_by(&browser).await.status.as_u16(), 403);
    for act in ["off", "remove"] {
        let refused = browser.send(&format!("{}/{act}", page_of(&theirs)), &[]).await;
        assert_eq!(refused.status.as_u16(), 403, "{act}");
    }

    // He may not give it to a policy of others, and loses nothing that he typed by trying.
    let html = browser.open(&form_of(&ours)).await;
    assert!(!html.contains(&theirs.policy_id), "{html}");
    let given_away = Filled::on(&html, &form_of(&ours))
        .with("description", "What I typed.")
        .with("policy", &theirs.policy_id)
        .sent_by(&browser)
        .await;
    assert_eq!(given_away.status.as_u16(), 422, "{}", given_away.text);
    assert!(given_away.text.contains("What I typed.") && given_away.text.contains("may not change"));

    let own = Filled::on(&html, &form_of(&ours)).with("name", "tills of Leeds");
    Browser::led_to(&own.sent_by(&browser).await);
    assert_eq!(service(&muster, &ours.service_id).await["name"], "tills of Leeds");
}

#[store::both_engines]
async fn who_may_only_look_is_refused_the_form_of_a_service(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let owner = muster.browser().await;
    let filled = form(&owner, &form_of(&built)).await;
    assert_eq!(filled.forged_by(&owner).await.status.as_u16(), 403);
    for role in [Role::Agent, Role::Stakeholder, Role::Observer] {
        let browser = muster.browser_as(role).await;
        assert!(!browser.open(&page_of(&built)).await.contains(&form_of(&built)));
        assert_eq!(browser.look(&form_of(&built)).await.status.as_u16(), 403);
        assert_eq!(filled.sent_by(&browser).await.status.as_u16(), 403, "{role:?}");
    }
}

#[store::both_engines]
async fn a_service_is_switched_off_and_on(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await;
    Browser::led_to(&browser.send(&format!("{}/off", page_of(&built)), &[]).await);
    assert_eq!(service(&muster, &built.service_id).await["status"], "disabled");
    assert!(browser.open(&page_of(&built)).await.contains("Switched off"));
    muster.trigger(&built, "a", "Gateway silent").await;
    let incidents = muster.get("/incidents?date_range=all").await.good();
    assert_eq!(incidents["incidents"].as_array().unwrap().len(), 0);

    assert!(browser.open(&form_of(&built)).await.contains("Switch it on"));
    Browser::led_to(&browser.send(&format!("{}/on", page_of(&built)), &[]).await);
    assert_eq!(service(&muster, &built.service_id).await["status"], "active");
    assert_eq!(newest_audit(&muster).await.0, "update");
}

#[store::both_engines]
async fn a_service_that_was_taken_away_meanwhile_is_told_kindly(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let browser = muster.browser().await;
    let filled = form(&browser, &form_of(&built))
        .await
        .with("description", "Half an hour of typing.");
    let removed = browser.send(&format!("{}/remove", page_of(&built)), &[]).await;
    assert_eq!(Browser::led_to(&removed), "/console/services");
    assert_eq!(
        newest_audit(&muster).await,
        ("delete".to_owned(), "card-gateway".to_owned())
    );
    let late = filled.sent_by(&browser).await;
    assert_eq!(late.status.as_u16(), 404, "{}", late.text);
    for said in ["This service is not here any more", "Half an hour of typing."] {
        assert!(late.text.contains(said), "{said} is not in {}", late.text);
    }
    for act in ["off", "on", "remove"] {
        let late = browser.send(&format!("{}/{act}", page_of(&built)), &[]).await;
        assert_eq!(late.status.as_u16(), 404, "{act}");
        assert!(late.text.contains("This service is not here any more"), "{act}");
    }
    assert_eq!(browser.look(&form_of(&built)).await.status.as_u16(), 404);
}

#[store::both_engines]
async fn what_reports_to_a_service_is_renamed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let list = muster
        .get(&format!("/services/{}?include[]=integrations", built.service_id))
        .await
        .good();
    let id = list["service"]["integrations"][0]["id"].as_str().unwrap();
    let address = format!("{}/integrations/{id}", page_of(&built));
    let browser = muster.browser().await;
    assert!(browser.open(&page_of(&built)).await.contains(&address));
    let blank = form(&browser, &address).await.with("name", " ");
    let refused = blank.sent_by(&browser).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    assert!(refused.text.contains("The name can&#39;t be blank."));

    Browser::led_to(
        &form(&browser, &address)
            .await
            .with("name", HOSTILE)
            .sent_by(&browser)
            .await,
    );
    shows_harmlessly(&browser.open(&page_of(&built)).await);
    assert_eq!(newest_audit(&muster).await.0, "update");
    muster.trigger(&built, "a", "Its key still works").await;

    let filled = form(&browser, &address).await.with("name", "Prometheus, Leeds");
    let observer = muster.browser_as(Role::Observer).await;
    assert_eq!(filled.sent_by(&observer).await.status.as_u16(), 403);
    Browser::led_to(&browser.send(&format!("{address}/remove"), &[]).await);
    let late = filled.sent_by(&browser).await;
    assert_eq!(late.status.as_u16(), 404);
    assert!(late.text.contains("is not here any more") && late.text.contains("Prometheus, Leeds"));
}

async fn touchpoint(muster: &TestApp) -> String {
    let built = muster.service("card-gateway").build().await;
    muster
        .touchpoint("Card payments", &built.service_id, 1_200_000)
        .await
}

#[store::both_engines]
async fn a_touchpoint_is_changed_and_shows(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let id = touchpoint(&muster).await;
    let team = muster.team("Payments").await;
    let browser = muster.browser().await;
    let address = format!("/console/services/{id}/change");
    let page = format!("/console/services/{id}");
    assert!(browser.open(&page).await.contains(&address));
    let filled = form(&browser, &address).await;
    assert_eq!(filled.value("loss"), "12000");
    let filled = filled
        .with("name", HOSTILE)
        .with("description", "Paying in a shop")
        .with("team", &team)
        .with("weight", "70")
        .with("loss", "12,500.50")
        .with("currency", "eur")
        .with("fallback", "");
    Browser::led_to(&filled.sent_by(&browser).await);
    let kept = muster.get(&format!("/business_services/{id}")).await.good()["business_service"].clone();
    for (field, expected) in [
        ("description", json!("Paying in a shop")),
        ("harm_weight", json!(70)),
        ("loss_per_hour", json!(1_250_050)),
        ("currency", json!("EUR")),
        ("fallback", Value::Null),
    ] {
        assert_eq!(kept[field], expected, "{field}: {kept}");
    }
    assert_eq!(kept["team"]["id"], team.as_str());
    shows_harmlessly(&browser.open(&page).await);
    assert_eq!(newest_audit(&muster).await.0, "update");
}

#[store::both_engines]
async fn what_is_wrong_with_a_touchpoint_is_said_at_its_field_and_all_is_kept(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let id = touchpoint(&muster).await;
    let browser = muster.browser().await;
    let address = format!("/console/services/{id}/change");
    for (name, value, said) in [
        ("name", "", "The name can&#39;t be blank."),
        (
            "weight",
            "101",
            "How much its loss hurts must lie between 0 and 100.",
        ),
        ("weight", "a lot", "from 0 to 100"),
        ("loss", "much", "Say an amount"),
        ("currency", "POUNDS", "The currency must be three capital letters"),
        ("team", "TNONE", "The team was not found."),
    ] {
        let refused = form(&browser, &address)
            .await
            .with("words-to-say", "What I typed.")
            .with(name, value)
            .sent_by(&browser)
            .await;
        assert_eq!(refused.status.as_u16(), 422, "{name}: {}", refused.text);
        assert!(refused.text.contains(said), "{said} is not in {}", refused.text);
        let again = Filled::on(&refused.text, &address);
        assert_eq!(again.value(name), value);
        assert_eq!(again.value("words-to-say"), "What I typed.");
    }
    let filled = form(&browser, &address).await;
    let agent = muster.browser_as(Role::Agent).await;
    assert!(
        !agent
            .open(&format!("/console/services/{id}"))
            .await
            .contains(&address)
    );
    assert_eq!(agent.look(&address).await.status.as_u16(), 403);
    assert_eq!(filled.sent_by(&agent).await.status.as_u16(), 403);
}

#[store::both_engines]
async fn a_touchpoint_that_was_taken_away_meanwhile_is_told_kindly(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let id = touchpoint(&muster).await;
    let browser = muster.browser().await;
    let address = format!("/console/services/{id}/change");
    let filled = form(&browser, &address).await.with("contact", "Ask for Priya");
    Browser::led_to(&browser.send(&format!("/console/services/{id}/remove"), &[]).await);
    assert_eq!(newest_audit(&muster).await.0, "delete");
    let late = filled.sent_by(&browser).await;
    assert_eq!(late.status.as_u16(), 404, "{}", late.text);
    assert!(late.text.contains("This touchpoint is not here any more"));
    assert!(late.text.contains("Ask for Priya"), "{}", late.text);
}
