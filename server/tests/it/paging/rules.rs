//! The times and ways of pages.

use axum::http::Method;
use serde_json::json;
use store::Engine;

use super::acknowledge::visit;
use super::{Paging, add_rule, link_in, open_one, pages, remove_rules};

#[store::both_engines]
async fn a_page_says_what_broke_and_arrives_by_each_rule_at_its_time(engine: Engine) {
    let paging = Paging::new(engine).await;
    paging.page_maya_at_home_after(3).await;
    let id = paging.open(vec![vec![paging.maya()]]).await;
    let page = paging.server.mail();
    assert_eq!(page.to, ["maya@example.org"]);
    assert_eq!(
        page.header("subject").unwrap(),
        "[High] Terminal silent (#1, card-gateway)"
    );
    let text = page.text();
    for words in [
        "Terminal silent",
        "Service:  card-gateway",
        "Urgency:  High",
        "Tue 17 Nov, 06:00 (Europe/London)",
        &format!("https://muster.example.org/console/incidents/{id}"),
    ] {
        assert!(text.contains(words), "{words} is missing in {text}");
    }
    paging.pass_minutes(2).await;
    paging.server.no_more_mail();
    paging.pass_minutes(1).await;
    paging.next_page_is_for("maya@home.example");
    paging.pass_minutes(30).await;
    paging.server.no_more_mail();
    let entries = paging
        .muster
        .get(&format!("/incidents/{id}/log_entries"))
        .await
        .good()
        .to_string();
    assert!(entries.contains("notify"), "{entries}");
}

#[store::both_engines]
async fn whoever_is_acknowledged_for_is_not_paged_any_further(engine: Engine) {
    let paging = Paging::new(engine).await;
    paging.page_maya_at_home_after(3).await;
    let id = paging.open(vec![vec![paging.maya()]]).await;
    paging.next_page_is_for("maya@example.org");
    paging.set(&id, "status", "acknowledged").await;
    paging.pass_minutes(10).await;
    paging.server.no_more_mail();
    paging.one_page(&id, "maya@example.org", "sent").await;
}

#[store::both_engines]
async fn a_page_that_the_mail_server_puts_off_is_withdrawn_when_somebody_else_acknowledges(engine: Engine) {
    let paging = Paging::new(engine).await;
    let grey = paging.responder("Grey", "grey@example.org").await;
    let id = paging.open(vec![vec![grey.id]]).await;
    paging.one_page(&id, "grey@example.org", "owed").await;
    paging.set(&id, "status", "resolved").await;
    paging.pass_minutes(10).await;
    paging.server.no_more_mail();
    paging.one_page(&id, "grey@example.org", "cancelled").await;
}

#[store::both_engines]
async fn the_next_level_is_paged_when_the_first_does_not_answer_and_again_when_an_acknowledgement_lapses(
    engine: Engine,
) {
    let paging = Paging::new(engine).await;
    let priya = paging.priya().await;
    let tomasz = paging.responder("Tomasz Zielinski", "tomasz@example.org").await;
    let built = paging
        .muster
        .service("card-gateway")
        .levels(vec![vec![priya.id], vec![tomasz.id.clone()]])
        .acknowledgement_timeout(1_800)
        .build()
        .await;
    let id = open_one(&paging.muster, &built).await;
    paging.next_page_is_for("priya@example.org");
    paging.pass_minutes(5).await;
    paging.next_page_is_for("tomasz@example.org");
    let body = json!({"incident": {"type": "incident_reference", "status": "acknowledged"}});
    paging
        .muster
        .as_person(&tomasz, Method::PUT, &format!("/incidents/{id}"), Some(body))
        .await
        .good();
    paging.pass_minutes(29).await;
    paging.server.no_more_mail();
    paging.pass_minutes(2).await;
    paging.next_page_is_for("tomasz@example.org");
}

#[store::both_engines]
async fn nobody_goes_unpaged_for_want_of_rules(engine: Engine) {
    let paging = Paging::new(engine).await;
    let priya = paging.priya().await;
    remove_rules(&paging.muster, &priya).await;
    paging.open(vec![vec![priya.id]]).await;
    paging.next_page_is_for("priya@example.org");
}

#[store::both_engines]
async fn a_page_that_is_refused_stands_on_the_timeline_and_the_escalation_goes_on(engine: Engine) {
    let paging = Paging::new(engine).await;
    let gone = paging.responder("Gone", "refused@example.org").await;
    let priya = paging.priya().await;
    let id = paging.open(vec![vec![gone.id], vec![priya.id]]).await;
    let of_first_level = pages(&paging.muster, &id).await;
    assert_eq!(
        of_first_level[0],
        ("refused@example.org".to_owned(), "failed".to_owned())
    );
    paging.next_page_is_for("maya@example.org");
    paging.pass_minutes(5).await;
    paging.next_page_is_for("priya@example.org");
}

#[store::both_engines]
async fn when_nobody_is_on_call_the_owner_is_paged_and_can_acknowledge(engine: Engine) {
    let paging = Paging::new(engine).await;
    let id = paging.open(vec![vec![]]).await;
    let page = paging.server.mail();
    assert_eq!(page.to, ["maya@example.org"]);
    let subject = page.header("subject").unwrap();
    assert_eq!(
        subject,
        "Nobody else could be paged: Terminal silent (#1, card-gateway)"
    );
    assert!(
        page.text().contains("You own this account, so it comes to you."),
        "{}",
        page.text()
    );
    let browser = paging.muster.browser().await;
    let now = browser.open("/console").await;
    assert!(now.contains("Nobody has it"), "{now}");
    let answer = visit(&paging.muster, Method::POST, &link_in(&page)).await;
    assert!(answer.status.is_success(), "{}", answer.status);
    let incident = paging.muster.get(&format!("/incidents/{id}")).await.good();
    assert_eq!(incident["incident"]["status"], "acknowledged");
    let now = browser.open("/console").await;
    assert!(!now.contains("Nobody has it"), "{now}");
}

/// Whoever had it under the other policy would count as asked, and nobody would hear of it.
#[store::both_engines]
async fn the_owner_is_paged_when_it_is_handed_to_a_policy_that_finds_nobody(engine: Engine) {
    let paging = Paging::new(engine).await;
    let priya = paging.priya().await;
    let id = paging.open(vec![vec![priya.id.clone()]]).await;
    paging.next_page_is_for("priya@example.org");
    let empty = paging
        .muster
        .service("order-hub")
        .levels(vec![vec![]])
        .build()
        .await;
    let policy = json!({ "id": empty.policy_id, "type": "escalation_policy_reference" });
    let handed = json!({ "incident": { "type": "incident_reference", "escalation_policy": policy } });
    let path = format!("/incidents/{id}");
    let handed = paging.muster.put(&path, handed).await.good();
    assert_eq!(handed["incident"]["assignments"], json!([]));
    paging.muster.settle().await;
    let page = paging.server.mail();
    assert_eq!(page.to, ["maya@example.org"]);
    assert!(
        page.header("subject")
            .unwrap()
            .starts_with("Nobody else could be paged")
    );
}

#[store::both_engines]
async fn the_owner_is_paged_when_every_page_to_those_who_have_it_was_refused(engine: Engine) {
    let paging = Paging::new(engine).await;
    let gone = paging.responder("Gone", "refused@example.org").await;
    let id = paging.open(vec![vec![gone.id.clone()]]).await;
    paging.next_page_is_for("maya@example.org");
    paging.server.no_more_mail();
    let made = [
        ("refused@example.org".to_owned(), "failed".to_owned()),
        ("maya@example.org".to_owned(), "sent".to_owned()),
    ];
    assert_eq!(pages(&paging.muster, &id).await, made);
}

#[store::both_engines]
async fn the_owner_is_left_alone_while_one_way_to_somebody_may_still_work(engine: Engine) {
    let paging = Paging::new(engine).await;
    let gone = paging.responder("Gone", "refused@example.org").await;
    add_rule(
        &paging.muster,
        &gone.id,
        "email_contact_method",
        "gone@home.example",
        1,
    )
    .await;
    paging.open(vec![vec![gone.id]]).await;
    paging.server.no_more_mail();
    paging.pass_minutes(1).await;
    paging.next_page_is_for("gone@home.example");
    paging.server.no_more_mail();
}

#[store::both_engines]
async fn two_people_are_paged_at_once_and_told_of_each_other(engine: Engine) {
    let paging = Paging::new(engine).await;
    let priya = paging.priya().await;
    paging.open(vec![vec![priya.id, paging.maya()]]).await;
    let (first, second) = (paging.server.mail(), paging.server.mail());
    let (to_maya, to_priya) = if first.to == ["maya@example.org"] {
        (first, second)
    } else {
        (second, first)
    };
    let (maya_reads, priya_reads) = (to_maya.text(), to_priya.text());
    assert!(maya_reads.contains("Also paged: Priya Raman"), "{maya_reads}");
    assert!(priya_reads.contains("Also paged: Maya Okafor"), "{priya_reads}");
    assert_ne!(link_in(&to_maya), link_in(&to_priya));
}

#[store::both_engines]
async fn low_urgency_is_paged_by_its_own_rules_and_a_rise_begins_the_others(engine: Engine) {
    let paging = Paging::new(engine).await;
    paging.page_maya_at_home_after(2).await;
    let built = paging.muster.service("card-gateway").low_urgency().build().await;
    let id = open_one(&paging.muster, &built).await;
    let page = paging.server.mail();
    assert!(page.header("subject").unwrap().starts_with("[Low]"));
    paging.pass_minutes(10).await;
    paging.server.no_more_mail();
    paging.set(&id, "urgency", "high").await;
    paging.next_page_is_for("maya@example.org");
    paging.pass_minutes(2).await;
    paging.next_page_is_for("maya@home.example");
}

#[store::both_engines]
async fn somebody_whose_help_is_asked_for_is_paged_too(engine: Engine) {
    let paging = Paging::new(engine).await;
    let priya = paging.priya().await;
    let id = paging.open(vec![vec![paging.maya()]]).await;
    paging.next_page_is_for("maya@example.org");
    let body = json!({
        "requester_id": paging.maya(),
        "message": "Please look at the gateway",
        "responder_request_targets": [
            {"responder_request_target": {"id": priya.id, "type": "user_reference"}}
        ],
    });
    paging
        .muster
        .post(&format!("/incidents/{id}/responder_requests"), body)
        .await
        .good();
    paging.muster.settle().await;
    let page = paging.server.mail();
    assert_eq!(page.to, ["priya@example.org"]);
    let words = page.text();
    assert!(words.contains("Please look at the gateway"), "{words}");
}

#[store::both_engines]
async fn who_declined_and_is_asked_again_is_paged_again(engine: Engine) {
    let paging = Paging::new(engine).await;
    let priya = paging.priya().await;
    let id = paging.open(vec![vec![paging.maya()]]).await;
    paging.next_page_is_for("maya@example.org");
    let ask = json!({
        "requester_id": paging.maya(),
        "message": "Please look at the gateway",
        "responder_request_targets": [
            {"responder_request_target": {"id": priya.id, "type": "user_reference"}}
        ],
    });
    let requests = format!("/incidents/{id}/responder_requests");
    paging.muster.post(&requests, ask.clone()).await.good();
    paging.muster.settle().await;
    paging.next_page_is_for("priya@example.org");
    let declined = json!({ "state": "declined" });
    paging
        .muster
        .as_person(
            &priya,
            axum::http::Method::PUT,
            &format!("/incidents/{id}/responders/me"),
            Some(declined),
        )
        .await
        .good();
    paging.pass_minutes(60).await;
    paging.muster.post(&requests, ask).await.good();
    paging.muster.settle().await;
    paging.next_page_is_for("priya@example.org");
}

/// A mailbox that is gone must not be the end of it.
#[store::both_engines]
async fn who_cannot_be_reached_by_any_rule_is_paged_where_they_sign_in(engine: Engine) {
    let paging = Paging::new(engine).await;
    let priya = paging.priya().await;
    remove_rules(&paging.muster, &priya).await;
    add_rule(
        &paging.muster,
        &priya.id,
        "email_contact_method",
        "refused@example.org",
        0,
    )
    .await;
    let id = paging.open(vec![vec![priya.id]]).await;
    paging.next_page_is_for("priya@example.org");
    paging.server.no_more_mail();
    let made = [
        ("refused@example.org".to_owned(), "failed".to_owned()),
        ("priya@example.org".to_owned(), "sent".to_owned()),
    ];
    assert_eq!(pages(&paging.muster, &id).await, made);
}

/// A mail server that puts off for an hour must not keep to itself that somebody is needed.
#[store::both_engines]
async fn who_is_not_reached_in_minutes_is_tried_where_they_sign_in(engine: Engine) {
    let paging = Paging::new(engine).await;
    let priya = paging.priya().await;
    remove_rules(&paging.muster, &priya).await;
    let slow = "slow@example.org";
    add_rule(&paging.muster, &priya.id, "email_contact_method", slow, 0).await;
    let id = paging.open(vec![vec![priya.id]]).await;
    paging.pass_minutes(4).await;
    paging.one_page(&id, slow, "owed").await;
    paging.pass_minutes(1).await;
    paging.next_page_is_for("priya@example.org");
    paging.pass_minutes(10).await;
    paging.next_page_is_for(slow);
    paging.server.no_more_mail();
}

#[store::both_engines]
async fn the_owner_is_paged_when_nobody_else_is_reached_in_minutes(engine: Engine) {
    let paging = Paging::new(engine).await;
    let slow = paging.responder("Slow", "slow@example.org").await;
    let id = paging.open(vec![vec![slow.id]]).await;
    paging.pass_minutes(4).await;
    paging.one_page(&id, "slow@example.org", "owed").await;
    paging.pass_minutes(1).await;
    paging.next_page_is_for("maya@example.org");
    paging.pass_minutes(10).await;
    paging.next_page_is_for("slow@example.org");
    paging.server.no_more_mail();
}

/// Tries the page of an incident to an address again, as an admin does in the outbox.
async fn try_again(paging: &Paging, id: &str, address: &str) {
    let path = format!("/outbox/sends?incident_id={id}&purposes[]=page");
    let sends = paging.muster.get(&path).await.good();
    let sends = sends["sends"].as_array().unwrap();
    let send = sends.iter().find(|one| one["address"] == address).unwrap();
    let retry = format!("/outbox/sends/{}/retry", send["id"].as_str().unwrap());
    paging.muster.post(&retry, serde_json::Value::Null).await.good();
}

#[store::both_engines]
async fn a_last_way_that_was_taken_back_comes_when_it_is_needed_after_all(engine: Engine) {
    let paging = Paging::new(engine).await;
    let grey = paging.responder("Grey", "grey@example.org").await;
    let tomasz = paging.responder("Tomasz Zielinski", "tomasz@example.org").await;
    remove_rules(&paging.muster, &grey).await;
    let gone = "refused@example.org";
    add_rule(&paging.muster, &grey.id, "email_contact_method", gone, 0).await;
    let id = paging.open(vec![vec![grey.id]]).await;
    try_again(&paging, &id, gone).await;
    let ask = json!({
        "requester_id": paging.maya(),
        "message": "Please look at the gateway",
        "responder_request_targets": [
            {"responder_request_target": {"id": tomasz.id, "type": "user_reference"}}
        ],
    });
    paging
        .muster
        .post(&format!("/incidents/{id}/responder_requests"), ask)
        .await
        .good();
    muster::app::runner::run_due(&paging.muster.app).await.unwrap();
    let states: Vec<String> = pages(&paging.muster, &id)
        .await
        .into_iter()
        .map(|(_, state)| state)
        .collect();
    assert_eq!(states, ["owed", "cancelled", "owed"]);
    paging.pass_minutes(1).await;
    paging.next_page_is_for("tomasz@example.org");
    let page = paging.server.mail();
    assert_eq!(page.to, ["grey@example.org"]);
    let opened = visit(&paging.muster, Method::GET, &link_in(&page)).await;
    assert!(opened.status.is_success(), "{}", opened.status);
    paging.server.no_more_mail();
}
