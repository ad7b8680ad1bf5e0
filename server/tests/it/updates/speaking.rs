//! Speaking from the console: who may not send asks for an approval, and no words are lost or contradict themselves.

use muster::people::Role;
use muster::timeline::Change;
use muster::updates::{UpdateId, publication};
use serde_json::json;
use store::Engine;

use super::{AGENTS, CUSTOMERS, approve, draft, entries, outage, publish, tell_customers};
use crate::harness::{Browser, TestApp};
use crate::incidents::race::at_once;

const WORDS: &str = "Cards fail in some shops.\n\nWe are looking into it.";

#[store::both_engines]
async fn who_may_not_send_is_offered_to_ask_and_keeps_their_words(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    for role in [Role::Agent, Role::Responder] {
        let browser = muster.browser_as(role).await;
        let path = format!("/console/updates?incident={incident}");
        let page = browser.open(&path).await;
        assert!(page.contains("Ask for approval"), "{page}");
        assert!(!page.contains("Tell customers"), "{page}");
        let words = format!("{WORDS} So says the {role:?}.");
        let fields = [
            ("incident", incident.as_str()),
            ("audience", CUSTOMERS),
            ("words", words.as_str()),
            ("do", "send"),
        ];
        let sent = browser.send("/console/updates", &fields).await;
        assert_eq!(Browser::led_to(&sent), path);
        let kept = draft(&muster, &incident, CUSTOMERS).await;
        assert_eq!(kept["words"], words.as_str());
    }
    assert!(
        muster
            .browser()
            .await
            .open(&format!("/console/updates?incident={incident}"))
            .await
            .contains("Tell customers")
    );
}

#[store::both_engines]
async fn words_that_are_objected_to_are_kept_with_the_objection(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let (_, incident) = outage(&muster).await;
    let words = "store-edge is broken. We will tell you more by 06:20 GMT.";
    let fields = [
        ("incident", incident.as_str()),
        ("audience", CUSTOMERS),
        ("words", words),
        ("do", "send"),
    ];
    let sent = browser.send("/console/updates", &fields).await;
    let page = browser.open(&Browser::led_to(&sent)).await;
    assert!(page.contains("Customers do not know the name"), "{page}");
    assert_eq!(draft(&muster, &incident, CUSTOMERS).await["words"], words);
}

#[store::both_engines]
async fn a_time_in_the_words_is_the_time_that_is_promised(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let (_, incident) = outage(&muster).await;
    let say = format!("/console/incidents/{incident}/say");
    let words = "Cards fail in some shops. Next update by 06:50.";
    let fields = [("reader", AGENTS), ("words", words), ("promise", "")];
    Browser::led_to(&browser.send(&say, &fields).await);
    muster.settle().await;
    let promises = muster.get("/promises?open=true").await.good();
    assert_eq!(promises["promises"][0]["due_at"], "2026-11-17T06:50:00Z");
}

#[store::both_engines]
async fn words_and_picked_time_that_contradict_do_not_go_out(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let (_, incident) = outage(&muster).await;
    let say = format!("/console/incidents/{incident}/say");
    let words = "Cards fail in some shops. Next update by 06:50.";
    let fields = [("reader", CUSTOMERS), ("words", words), ("promise", "15")];
    let sent = browser.send(&say, &fields).await;
    assert_eq!(
        Browser::led_to(&sent),
        format!("/console/updates?incident={incident}")
    );
    let kept = draft(&muster, &incident, CUSTOMERS).await;
    assert_eq!(kept["words"], words);
    let findings = kept["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|one| one["kind"] == "promise_contradicted")
        .unwrap_or_else(|| panic!("{findings:?}"));
    assert_eq!(
        found["objection"],
        "This promises the next word for 06:50; what will be kept is 06:15."
    );
    approve(&muster, &kept).await.with_status(400);
    let put_right = json!({ "update": { "next_update_by": "2026-11-17T06:50:00Z" } });
    let path = format!("/updates/{}", kept["id"].as_str().unwrap());
    let right = muster.put(&path, put_right).await.good()["update"].clone();
    approve(&muster, &right).await.good();
    publish(&muster, &right).await.good();
}

#[store::both_engines]
async fn a_promise_is_made_in_whole_seconds_and_words_name_who_sent_them(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let body = json!({ "update": { "audience": { "id": CUSTOMERS }, "next_update_by": "2026-11-17T06:40:07.418524Z" } });
    let written = muster
        .post(&format!("/incidents/{incident}/updates"), body)
        .await
        .with_status(201);
    assert_eq!(written["update"]["next_update_by"], "2026-11-17T06:40:07Z");
    let told = tell_customers(&muster, &incident).await;
    assert_eq!(told["published_by"]["summary"], "Maya Okafor");
    assert_eq!(told["published_by"]["type"], "user_reference");
    assert!(told["incident"]["summary"].as_str().unwrap().starts_with("[#1] "));
}

#[store::both_engines]
async fn facts_about_nothing_are_refused_by_either_door(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    let fields = [("incident", ""), ("symptom", "Cards fail.")];
    let page = browser.send("/console/updates/facts", &fields).await;
    assert_eq!(page.status, 404, "{}", page.text);
    let body = json!({ "facts": { "symptom": "Cards fail." } });
    muster.put("/incidents/Q0/facts", body).await.with_status(404);
}

#[store::both_engines]
async fn an_update_that_two_publish_at_once_goes_out_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let update = draft(&muster, &incident, AGENTS).await;
    let id = UpdateId::from(update["id"].as_str().unwrap());
    let owner = muster.owner.id.clone();
    let publishing = move |change: &mut Change| publication::publish(change, &id, Some(&owner));
    let [first, second] = at_once(&muster, publishing.clone(), publishing).await;
    first.unwrap();
    let refused = second.unwrap_err();
    assert_eq!(refused.status(), 409, "{refused:?}");
    let entries = entries(&muster, &incident).await;
    let published = entries.iter().filter(|(kind, _)| kind == "update_published");
    assert_eq!(published.count(), 1);
}

#[store::both_engines]
async fn readers_who_wait_for_a_promised_word_are_not_let_go(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    tell_customers(&muster, &incident).await;
    let path = format!("/audiences/{CUSTOMERS}");
    let refused = muster.delete(&path).await.with_status(400);
    assert_eq!(
        refused["error"]["errors"][0],
        "Customers still wait for a word that was promised about #1. Tell them how it ended first."
    );
    super::resolve(&muster, &incident).await;
    tell_customers(&muster, &incident).await;
    assert_eq!(muster.delete(&path).await.status, 204);
}

#[store::both_engines]
async fn a_report_says_of_an_open_promise_that_readers_wait(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let agents = draft(&muster, &incident, AGENTS).await;
    publish(&muster, &agents).await.good();
    super::resolve(&muster, &incident).await;
    muster.pass(std::time::Duration::from_secs(60)).await;
    let path = format!("/incidents/{incident}/review");
    let review = muster.get(&path).await.good();
    let body = review["incident_review"]["body"].as_str().unwrap();
    assert!(
        body.contains("A next update was promised, and readers still wait for it."),
        "{body}"
    );
    let page = muster
        .browser()
        .await
        .open(&format!("/console/learn/{incident}"))
        .await;
    assert!(page.contains("1 made, 0 kept, 0 missed, 1 still open"), "{page}");
    assert!(!page.contains("nothing promised"), "{page}");
}
