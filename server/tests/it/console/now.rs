//! *Now* and the situation bar: what needs the reader in order of harm, what is happening, and the bar's figures.

use std::time::Duration;

use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::room::{between, post, see};
use crate::desk::{Outage, link, outage, set_status};
use crate::harness::{Browser, TestApp};
use crate::updates::tell_customers;

fn needs(page: &str) -> Vec<String> {
    page.split("<li class=\"need\"")
        .skip(1)
        .map(|need| between(need, "<h2 dir=\"auto\">", "</h2>"))
        .collect()
}

fn bar(page: &str) -> String {
    between(page, "id=\"situation\"", "<span class=\"spacer\"")
}

#[store::both_engines]
async fn what_needs_the_reader_stands_in_order_of_harm(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let jonas = muster
        .person("Jonas Weber", "jonas@example.org", Role::Responder)
        .await;
    let booking = muster
        .service("booking")
        .levels(vec![vec![muster.owner.id.clone()], vec![jonas.id.clone()]])
        .build()
        .await;
    let Outage { incident, .. } = outage(&muster).await;
    let acknowledged = json!({ "incident": { "type": "incident_reference", "status": "acknowledged" } });
    muster
        .put(&format!("/incidents/{incident}"), acknowledged)
        .await
        .good();
    let task = json!({ "incident_task": { "name": "Ask the bank", "assignee": { "id": muster.owner.id } } });
    muster
        .post(&format!("/incidents/{incident}/tasks"), task)
        .await
        .good();
    tell_customers(&muster, &incident).await;
    let case = json!({ "case": {
        "channel": "api", "text": "Did I pay?", "reporter": { "name": "Ana", "email": "ana@example.org" },
        "owner": { "id": muster.owner.id, "type": "user_reference" },
    } });
    let made = muster.post("/cases", case).await.good();
    link(&muster, &made["case"], &incident).await;
    muster.trigger(&booking, "late", "Reminders are late").await;
    muster.pass(Duration::from_secs(60)).await;

    let page = see(&muster, &muster.owner, "/console").await;
    assert_eq!(
        needs(&page),
        [
            "Acknowledge: Reminders are late",
            "Keep a promise: customers expect the next word",
            "Ask the bank",
            "Answer Ana",
        ]
    );
    assert!(page.contains("Four things need you"), "{page}");
    assert!(page.contains("The first one escalates to Jonas Weber."), "{page}");
    assert!(page.contains("4 min left"), "{page}");
    let others = see(&muster, &jonas, "/console").await;
    assert_eq!(needs(&others), Vec::<String>::new());

    let done = page
        .split("action=\"")
        .find(|rest| rest.contains("/tasks/"))
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    post(&muster, &muster.owner, &done, &[]).await;
    assert!(!needs(&see(&muster, &muster.owner, "/console").await).contains(&"Ask the bank".to_owned()));
}

#[store::both_engines]
async fn a_promise_needs_its_commander_until_it_is_kept_though_the_incident_is_over(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let commander = json!({ "assignee": { "id": muster.owner.id, "type": "user_reference" } });
    muster
        .put(
            &format!("/incidents/{incident}/roles/incident_commander"),
            commander,
        )
        .await
        .good();
    tell_customers(&muster, &incident).await;
    set_status(&muster, &incident, "resolved").await;
    let page = see(&muster, &muster.owner, "/console").await;
    assert_eq!(
        needs(&page),
        ["Say the last word: customers were not told that it is over"]
    );
    let updates = see(&muster, &muster.owner, "/console/updates").await;
    assert!(updates.contains("Customers expect to hear from us"), "{updates}");
}

#[store::both_engines]
async fn a_public_story_that_nobody_ended_needs_everybody_who_may_publish(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let jonas = muster
        .person("Jonas Weber", "jonas@example.org", Role::Responder)
        .await;
    let agent = muster.person("Ana Lim", "ana@example.org", Role::Agent).await;
    let Outage { incident, .. } = outage(&muster).await;
    tell_customers(&muster, &incident).await;
    set_status(&muster, &incident, "resolved").await;
    muster.pass(Duration::from_secs(7 * 24 * 3_600)).await;

    for person in [&muster.owner, &jonas] {
        let page = see(&muster, person, "/console").await;
        assert_eq!(
            needs(&page),
            ["Say the last word: customers were not told that it is over"]
        );
    }
    let theirs = see(&muster, &agent, "/console").await;
    assert!(
        theirs.contains("Customers wait for a word") && !theirs.contains("Nothing needs you"),
        "{theirs}"
    );

    tell_customers(&muster, &incident).await;
    for person in [&muster.owner, &jonas, &agent] {
        let page = see(&muster, person, "/console").await;
        assert!(page.contains("Nothing needs you"), "{page}");
    }
}

#[store::both_engines]
async fn a_promise_of_others_that_is_late_needs_everybody_who_may_publish(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let jonas = muster
        .person("Jonas Weber", "jonas@example.org", Role::Responder)
        .await;
    let Outage { incident, .. } = outage(&muster).await;
    set_status(&muster, &incident, "acknowledged").await;
    tell_customers(&muster, &incident).await;
    assert_eq!(
        needs(&see(&muster, &jonas, "/console").await),
        Vec::<String>::new()
    );
    muster.pass(Duration::from_secs(3_600)).await;
    assert_eq!(
        needs(&see(&muster, &jonas, "/console").await),
        ["Keep a promise: customers expect the next word"]
    );
}

#[store::both_engines]
async fn pages_beyond_the_list_are_counted(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    for number in 0..23 {
        let incident = json!({ "incident": {
            "type": "incident", "title": format!("Fault {number}"), "service": { "id": built.service_id, "type": "service_reference" },
        } });
        muster.post("/incidents", incident).await.with_status(201);
    }
    let page = see(&muster, &muster.owner, "/console").await;
    assert!(page.contains("23 things need you"), "{page}");
    assert_eq!(needs(&page).last().unwrap(), "3 further incidents to acknowledge");
}

#[store::both_engines]
async fn who_is_asked_to_join_can_come_from_now(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let jonas = muster
        .person("Jonas Weber", "jonas@example.org", Role::Responder)
        .await;
    post(
        &muster,
        &muster.owner,
        &format!("/console/incidents/{incident}/responders"),
        &[
            ("user", jonas.id.as_str()),
            ("message", "We need the terminals’ logs"),
        ],
    )
    .await;
    let page = see(&muster, &jonas, "/console").await;
    assert_eq!(needs(&page), ["Join #1: We need the terminals’ logs"]);
    post(
        &muster,
        &jonas,
        &format!("/console/incidents/{incident}/join"),
        &[],
    )
    .await;
    assert!(needs(&see(&muster, &jonas, "/console").await).is_empty());
    let room = see(&muster, &jonas, &format!("/console/incidents/{incident}")).await;
    assert!(between(&room, "id=\"asked\"", "</section>").contains("1 of 1 here"));
}

#[store::both_engines]
async fn happening_says_in_one_line_whom_it_hurts_and_the_pulse_counts(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let case = json!({ "case": {
        "channel": "api", "text": "The reader is offline", "reporter": { "name": "Ana", "email": "ana@example.org" },
        "location": { "id": outage.leeds, "type": "location_reference" },
    } });
    let made = muster.post("/cases", case).await.good();
    link(&muster, &made["case"], &outage.incident).await;
    let page = see(&muster, &muster.owner, "/console").await;
    let happening = between(&page, "id=\"happening\"", "</ul>");
    assert!(
        happening.contains("Customers have trouble with Card payments in 1 place. #1 · 1 place down"),
        "{happening}"
    );
    assert!(happening.contains("1 case"), "{happening}");
    let pulse = between(&page, "class=\"pulse\"", "</ul>");
    assert!(pulse.contains("Customers’ cases"), "{pulse}");
    assert!(page.contains("Alerts in: 1 in the last ten minutes"), "{page}");
    assert!(
        page.contains("What is usual is shown after the first day."),
        "{page}"
    );

    muster.clock.advance(Duration::from_secs(24 * 3_600));
    let next_day = see(&muster, &muster.owner, "/console").await;
    assert!(next_day.contains("the same hours yesterday"), "{next_day}");
}

#[store::both_engines]
async fn the_bar_shows_the_next_promise_what_recovers_and_whether_muster_is_behind(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    assert!(bar(&see(&muster, &muster.owner, "/console").await).contains("1 triggered No promises due"));
    let acknowledged = json!({ "incident": { "type": "incident_reference", "status": "acknowledged" } });
    muster
        .put(&format!("/incidents/{incident}"), acknowledged)
        .await
        .good();
    tell_customers(&muster, &incident).await;
    let told = bar(&see(&muster, &muster.owner, "/console/situation").await.replace(
        "<a class=\"part states\"",
        "<i id=\"situation\"></i><a class=\"part states\"",
    ));
    assert!(
        told.contains("1 acknowledged Customers by 06:20 in 20 min"),
        "{told}"
    );
    assert!(told.contains("Muster is well"), "{told}");

    let facts = json!({ "facts": { "phase": "monitoring" } });
    muster
        .put(&format!("/incidents/{incident}/facts"), facts)
        .await
        .good();
    assert!(bar(&see(&muster, &muster.owner, "/console").await).contains("1 recovering"));

    // Nothing runs what is owed for half an hour.
    muster.clock.advance(Duration::from_secs(50 * 60));
    let behind = bar(&see(&muster, &muster.owner, "/console").await);
    assert!(behind.contains("min behind"), "{behind}");
    assert!(behind.contains("Customers 30 min late"), "{behind}");
}

#[store::both_engines]
async fn a_case_that_never_was_is_said_not_to_be_found(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let led = Browser::led_to(&browser.look("/console/cases/PNOPE").await);
    assert_eq!(browser.look(&led).await.status.as_u16(), 404, "{led}");
}

#[store::both_engines]
async fn an_incident_that_nobody_answered_to_the_end_needs_whoever_can_take_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let jonas = muster
        .person("Jonas Weber", "jonas@example.org", Role::Responder)
        .await;
    let built = muster
        .service("booking")
        .levels(vec![vec![muster.owner.id.clone()]])
        .build()
        .await;
    muster.trigger(&built, "late", "Reminders are late").await;
    muster.pass(Duration::from_secs(60)).await;
    assert_eq!(
        needs(&see(&muster, &jonas, "/console").await),
        Vec::<String>::new()
    );
    muster.pass(Duration::from_secs(3_600)).await;
    let seen = needs(&see(&muster, &jonas, "/console").await);
    assert!(
        seen.len() == 1 && seen[0].starts_with("Nobody answers: "),
        "{seen:?}"
    );
    // Whoever has it is asked as before.
    let own = needs(&see(&muster, &muster.owner, "/console").await);
    assert!(own.len() == 1 && own[0].starts_with("Acknowledge: "), "{own:?}");
}

#[store::both_engines]
async fn the_first_page_is_loaded_anew_when_there_is_something_to_show(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let page = browser.open("/console").await;
    assert!(
        page.contains("hx-get=\"/console/now/begun\" hx-trigger=\"sse:incidents\""),
        "{page}"
    );
    let nothing = browser.look("/console/now/begun").await;
    assert_eq!(
        (nothing.status.as_u16(), nothing.headers.get("hx-refresh")),
        (204, None)
    );

    let built = muster.service("card-gateway").build().await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let begun = browser.look("/console/now/begun").await;
    assert_eq!(begun.headers["hx-refresh"], "true");
    let page = browser.open("/console").await;
    assert!(page.contains("id=\"happening\" data-live-list"), "{page}");
}
