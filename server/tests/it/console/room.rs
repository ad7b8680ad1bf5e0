//! The incident room: what customers feel first, the story folded, and words that leave through the updates' rules.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use muster::people::Role;
use serde_json::json;
use store::Engine;

use crate::desk::{Outage, outage};
use crate::harness::{Answer, Person, TestApp};
use crate::updates::{AGENTS, CUSTOMERS, entries, tell_customers};

/// A page as a person sees it.
pub(crate) async fn see(muster: &TestApp, person: &Person, path: &str) -> String {
    let answer = muster
        .as_person(person, axum::http::Method::GET, path, None)
        .await;
    assert!(
        answer.status.is_success(),
        "{path}: {} {}",
        answer.status,
        answer.text
    );
    answer.text
}

/// A form sent by a person.
pub(crate) async fn post(muster: &TestApp, person: &Person, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            let value: String = value
                .bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                    byte => format!("%{byte:02X}"),
                })
                .collect();
            format!("{name}={value}")
        })
        .collect();
    let request = Request::post(path)
        .header(header::AUTHORIZATION, format!("Token token={}", person.key))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.join("&")))
        .unwrap();
    let answer = muster.send(request).await;
    muster.settle().await;
    answer
}

async fn room(muster: &TestApp, incident: &str) -> String {
    see(muster, &muster.owner, &format!("/console/incidents/{incident}")).await
}

/// What stands between two texts of a page, without tags and with single spaces.
pub(super) fn between(page: &str, from: &str, to: &str) -> String {
    let rest = page
        .split_once(from)
        .unwrap_or_else(|| panic!("no {from:?} in {page}"))
        .1;
    let part = rest.split_once(to).map_or(rest, |(part, _)| part);
    let mut text = String::new();
    let mut inside = false;
    for letter in part.chars() {
        match letter {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(letter),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn title(page: &str) -> String {
    between(page, "<h1 dir=\"auto\">", "</h1>")
}

#[store::both_engines]
async fn the_title_says_what_customers_feel_and_the_first_alert_stands_below(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let page = room(&muster, &incident).await;
    assert_eq!(
        title(&page),
        "Customers have trouble with Card payments in up to 2 places."
    );
    assert!(page.contains("First seen: Gateway silent"), "{page}");

    let facts = json!({ "facts": { "symptom": "Cards are refused at every till" } });
    muster
        .put(&format!("/incidents/{incident}/facts"), facts)
        .await
        .good();
    let page = room(&muster, &incident).await;
    assert_eq!(
        title(&page),
        "Cards are refused at every till. Also hurt: Card payments."
    );
    let list = see(&muster, &muster.owner, "/console/incidents").await;
    assert!(list.contains("Cards are refused at every till."), "{list}");
    assert!(list.contains("may hurt 2 places"), "{list}");
}

#[store::both_engines]
async fn the_room_says_who_was_told_and_who_hears_next(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let before = room(&muster, &incident).await;
    assert!(between(&before, "id=\"told\"", "</section>").contains("Customers not yet no promise"));
    tell_customers(&muster, &incident).await;
    let after = room(&muster, &incident).await;
    let told = between(&after, "id=\"told\"", "</section>");
    assert!(told.contains("Customers 06:00 06:20"), "{told}");
    let head = between(&after, "id=\"room-head\"", "<h1");
    assert!(head.contains("customers hear next by 06:20"), "{head}");
    let story = between(&after, "id=\"timeline\"", "</ol>");
    assert!(
        story.contains("Maya Okafor told Customers Public Customers, next word by 06:20"),
        "{story}"
    );
}

#[store::both_engines]
async fn words_for_customers_go_out_from_the_room_with_their_promise(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let said = post(
        &muster,
        &muster.owner,
        &format!("/console/incidents/{incident}/say"),
        &[
            ("reader", CUSTOMERS),
            (
                "words",
                "Card payments do not work in some shops. You can pay with cash.",
            ),
            ("promise", "30"),
        ],
    )
    .await;
    assert_eq!(
        said.headers[header::LOCATION],
        format!("/console/incidents/{incident}").as_str()
    );
    let updates = muster.get(&format!("/incidents/{incident}/updates")).await.good();
    let published = updates["updates"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["state"] == "published")
        .unwrap_or_else(|| panic!("{updates}"))
        .clone();
    assert_eq!(published["next_update_by"], "2026-11-17T06:30:00Z");
    let page = room(&muster, &incident).await;
    assert!(
        page.contains("You can pay with cash.\n\nWe will tell you more by 06:30 UTC."),
        "{page}"
    );
}

#[store::both_engines]
async fn words_that_the_checker_refuses_are_kept_as_a_draft_and_nothing_goes_out(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let said = post(
        &muster,
        &muster.owner,
        &format!("/console/incidents/{incident}/say"),
        &[
            ("reader", CUSTOMERS),
            ("words", "Priya says that card-gateway is silent."),
        ],
    )
    .await;
    assert_eq!(
        said.headers[header::LOCATION],
        format!("/console/updates?incident={incident}").as_str()
    );
    let kinds: Vec<String> = entries(&muster, &incident)
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert!(!kinds.contains(&"update_published".to_owned()), "{kinds:?}");
    let updates = see(
        &muster,
        &muster.owner,
        &format!("/console/updates?incident={incident}"),
    )
    .await;
    assert!(updates.contains("says that"), "the words were lost");
}

#[store::both_engines]
async fn who_may_not_approve_asks_for_it_and_who_may_not_write_is_not_offered_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let tomasz = muster
        .person("Tomasz Zieliński", "tomasz@example.org", Role::Responder)
        .await;
    let path = format!("/console/incidents/{incident}");
    assert!(
        see(&muster, &tomasz, &path)
            .await
            .contains("data-verb=\"Ask for approval\"")
    );
    post(
        &muster,
        &tomasz,
        &format!("{path}/say"),
        &[
            ("reader", CUSTOMERS),
            ("words", "Cards do not work. You can pay with cash."),
        ],
    )
    .await;
    let kinds: Vec<String> = entries(&muster, &incident)
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert!(!kinds.contains(&"update_published".to_owned()), "{kinds:?}");
    let now = see(&muster, &muster.owner, "/console").await;
    assert!(now.contains("Approve the words for customers"), "{now}");

    let observer = muster.person("Olga", "olga@example.org", Role::Observer).await;
    assert!(!see(&muster, &observer, &path).await.contains(CUSTOMERS));
    let refused = post(
        &muster,
        &observer,
        &format!("{path}/say"),
        &[("reader", AGENTS), ("words", "Hello")],
    )
    .await;
    assert_eq!(refused.status, 403);
}

#[store::both_engines]
async fn alerts_in_a_row_are_one_line_and_a_long_story_goes_on_below(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster
        .service("card-gateway")
        .grouping(json!({ "type": "time", "window_seconds": 600 }))
        .build()
        .await;
    for number in 0..6 {
        muster
            .trigger(
                &built,
                &format!("till-{number}"),
                &format!("Till {number} is silent"),
            )
            .await;
    }
    let incidents = muster.get("/incidents?date_range=all").await.good();
    let incident = incidents["incidents"][0]["id"].as_str().unwrap().to_owned();
    let page = room(&muster, &incident).await;
    let story = between(&page, "id=\"timeline\"", "</ol>");
    assert!(story.contains("alerts joined"), "{story}");
    assert!(story.contains("Till 3 is silent"), "{story}");
    assert!(!page.contains("Show what came before"), "{page}");

    for number in 0..60 {
        let note = json!({ "note": { "content": format!("note number {number}.") } });
        muster
            .post(&format!("/incidents/{incident}/notes"), note)
            .await
            .good();
    }
    let page = room(&muster, &incident).await;
    assert!(page.contains("note number 59.") && !page.contains("note number 5."));
    let older = page
        .split("class=\"older\"><a class=\"btn\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&");
    let before = see(&muster, &muster.owner, &older).await;
    assert!(before.contains("note number 5.") && !before.contains("note number 59."));
    assert!(before.contains("Back to the newest"), "{before}");
    let machines = room(&muster, &format!("{incident}?show=machines")).await;
    assert!(!machines.contains("note number") && machines.contains("alerts joined"));
    let lines = see(
        &muster,
        &muster.owner,
        &format!("/console/incidents/{incident}/timeline?show=people"),
    )
    .await;
    assert!(lines.contains("note number 59.") && !lines.contains("<html"));
}

#[store::both_engines]
async fn a_change_shortly_before_and_what_happened_before_stand_beside_the_story(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    muster
        .trigger(&built, "first", "Card terminals in Leeds are silent")
        .await;
    let incidents = muster.get("/incidents?date_range=all").await.good();
    let earlier = incidents["incidents"][0]["id"].as_str().unwrap().to_owned();
    let resolved = json!({ "incident": {
        "type": "incident_reference", "status": "resolved", "resolution": "Rolled the update back",
    } });
    muster
        .put(&format!("/incidents/{earlier}"), resolved)
        .await
        .good();
    muster.clock.advance(std::time::Duration::from_secs(45 * 60));
    muster.settle().await;

    let change = json!({
        "routing_key": built.integration_key,
        "payload": { "summary": "card-gateway 4.18 goes out", "source": "deploy", "timestamp": "2026-11-17T06:35:00Z" },
    });
    let request = Request::post("/v2/change/enqueue")
        .body(Body::from(change.to_string()))
        .unwrap();
    assert_eq!(muster.send(request).await.status, 202);
    muster
        .trigger(&built, "second", "Card terminals in York are silent")
        .await;
    let incidents = muster
        .get("/incidents?date_range=all&statuses[]=triggered")
        .await
        .good();
    let incident = incidents["incidents"][0]["id"].as_str().unwrap().to_owned();
    let page = room(&muster, &incident).await;
    let origin = between(&page, "id=\"origin\"", "</section>");
    assert!(origin.contains("likely"), "{origin}");
    assert!(
        origin.contains("card-gateway , 06:35: card-gateway 4.18 goes out"),
        "{origin}"
    );
    assert!(
        origin.contains("The only change near it in the 24 hours before."),
        "{origin}"
    );
    let before = between(&page, "id=\"before\"", "</section>");
    assert!(before.contains("Card terminals in Leeds are silent"), "{before}");
    assert!(before.contains("Rolled the update back"), "{before}");
}

#[store::both_engines]
async fn what_customers_say_is_gathered_by_their_words(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    for (text, place) in [
        (
            "The card reader at Leeds Briggate says offline",
            Some(&outage.leeds),
        ),
        ("The card reader says offline", None),
        ("My loyalty points are missing since yesterday", None),
    ] {
        let mut case = json!({
            "channel": "api",
            "text": text,
            "reporter": { "name": "Ana", "email": "ana@example.org" },
        });
        if let Some(place) = place {
            case["location"] = json!({ "id": place, "type": "location_reference" });
        }
        let made = muster.post("/cases", json!({ "case": case })).await.good();
        crate::desk::link(&muster, &made["case"], &outage.incident).await;
    }
    let page = room(&muster, &outage.incident).await;
    let voices = between(&page, "id=\"voices\"", "</section>");
    assert!(voices.contains("3 cases, gathered by their words"), "{voices}");
    assert!(voices.contains("says offline” 2"), "{voices}");
    let strip = between(&page, "id=\"impact\"", "</section>");
    assert!(strip.contains("3 linked 3 owed an answer"), "{strip}");
}

/// The button of the composer for the words that customers read.
fn offered(page: &str) -> &'static str {
    let says = |verb: &str| page.contains(&format!("data-verb=\"{verb}\""));
    match (says("Tell customers"), says("Ask for approval")) {
        (true, false) => "tell",
        (false, true) => "ask",
        both => panic!("{both:?} in {page}"),
    }
}

#[store::both_engines]
async fn only_those_of_the_incidents_teams_are_offered_to_agree_to_words(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, built, .. } = outage(&muster).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let team = muster.team("Tills").await;
    let manager = json!({ "role": "manager" });
    muster
        .put(&format!("/teams/{team}/users/{}", ben.id), manager)
        .await
        .good();
    let path = format!("/console/incidents/{incident}");
    let words = [
        ("reader", CUSTOMERS),
        ("words", "Card payments do not work in some shops."),
        ("promise", "30"),
    ];
    post(&muster, &ben, &format!("{path}/say"), &words).await;
    let approve = "Approve the words for customers";
    assert_eq!(offered(&see(&muster, &ben, &path).await), "ask");
    assert!(!see(&muster, &ben, "/console").await.contains(approve));

    let policy = &built.policy_id;
    muster
        .put(&format!("/teams/{team}/escalation_policies/{policy}"), json!({}))
        .await
        .good();
    assert_eq!(offered(&see(&muster, &ben, &path).await), "tell");
    assert!(see(&muster, &ben, "/console").await.contains(approve));
}

/// The runbook that a tool sends along must be one tap away for whoever it woke.
#[store::both_engines]
async fn what_senders_give_along_is_linked_from_the_room(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    let event = json!({
        "routing_key": built.integration_key,
        "event_action": "trigger",
        "links": [
            { "href": "https://wiki.example/till?a=1&b=2", "text": "Runbook <b>till</b>" },
            { "href": "javascript:alert(1)", "text": "Not this" },
        ],
        "payload": { "summary": "Terminal silent", "source": "till-1", "severity": "critical" },
    });
    let request = Request::post("/v2/enqueue")
        .body(Body::from(event.to_string()))
        .unwrap();
    muster.send(request).await.with_status(202);
    muster.take_signals().await;
    let id = muster.get("/incidents").await.good()["incidents"][0]["id"].clone();
    let shown = room(&muster, id.as_str().unwrap()).await;
    assert!(shown.contains("From the senders"));
    assert!(
        shown.contains(r#"href="https://wiki.example/till?a=1&#38;b=2""#)
            && shown.contains("Runbook &#60;b&#62;till"),
        "{shown}"
    );
    assert!(!shown.contains("javascript:"));
}

#[store::both_engines]
async fn who_may_only_look_is_offered_nothing_that_would_be_refused(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let Outage { incident, .. } = outage(&muster).await;
    let path = format!("/console/incidents/{incident}");
    for role in [Role::Stakeholder, Role::Observer] {
        let page = muster.browser_as(role).await.open(&path).await;
        for words in [
            "acknowledge\"",
            "data-open=\"escalate\"",
            "data-open=\"responders\"",
            "<dialog id=\"resolve\"",
            "Add note",
        ] {
            assert!(!page.contains(words), "{role:?} is offered {words}");
        }
        assert!(page.contains("Report so far"));
        let may_read_cases = role == Role::Observer;
        for words in ["What customers say", "href=\"/console/cases"] {
            assert_eq!(page.contains(words), may_read_cases, "{role:?}: {words}");
        }
    }
    let agent = muster.browser_as(Role::Agent).await.open(&path).await;
    assert!(!agent.contains("acknowledge\"") && !agent.contains("Add note"));
    assert!(
        agent.contains("aria-label=\"Say something\""),
        "agents write to customers"
    );
}

/// What the room says about timers is what they do.
#[store::both_engines]
async fn the_room_says_who_has_it_and_what_happens_by_itself(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let ben = muster.person("Ben", "ben@example.org", Role::Responder).await;
    let built = muster
        .service("card-gateway")
        .levels(vec![vec![muster.owner.id.clone()], vec![ben.id.clone()]])
        .build()
        .await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let id = muster.get("/incidents").await.good()["incidents"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut said = Vec::new();
    said.push(holders(&room(&muster, &id).await));
    muster.pass(Duration::from_secs(300)).await;
    said.push(holders(&room(&muster, &id).await));
    muster.pass(Duration::from_secs(300)).await;
    said.push(holders(&room(&muster, &id).await));
    let snooze = json!({ "duration": 3_600 });
    muster
        .post(&format!("/incidents/{id}/snooze"), snooze)
        .await
        .with_status(201);
    said.push(holders(&room(&muster, &id).await));
    let over = json!({ "incident": { "type": "incident_reference", "status": "resolved" } });
    muster.put(&format!("/incidents/{id}"), over).await.good();
    said.push(holders(&room(&muster, &id).await));
    insta::assert_json_snapshot!("who_has_it", said);
}

fn holders(page: &str) -> String {
    between(page, "id=\"holders\"", "</section>")
}
