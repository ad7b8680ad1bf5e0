//! A page follows what is said for it, whatever is said for others, and one story goes on when incidents are merged.

use muster::http::Problem;
use muster::incidents::IncidentId;
use muster::timeline::Agent;
use muster::updates::drafts::{self, Edit};
use muster::updates::{AudienceId, publication};
use serde_json::{Value, json};
use store::{Engine, params, sql};

use super::{SECRET, anybody, shown};
use crate::harness::{Built, TestApp};
use crate::updates::{CUSTOMERS, resolve, tell_customers, touchpoint};

/// Breaks a service once more, and gives the incident that this opened.
async fn break_again(muster: &TestApp, built: &Built, key: &str) -> String {
    let before = ids(muster).await;
    muster.trigger(built, key, SECRET).await;
    let after = ids(muster).await;
    after.into_iter().find(|id| !before.contains(id)).unwrap()
}

async fn ids(muster: &TestApp) -> Vec<String> {
    let incidents = muster.get("/incidents?date_range=all").await.good();
    let incidents = incidents["incidents"].as_array().unwrap().clone();
    incidents
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Tells customers the same thing many times.
async fn tell_often(muster: &TestApp, incident: &str, times: usize) {
    let (id, owner) = (IncidentId::from(incident), muster.owner.id.clone());
    let agent = Agent::user(owner.as_str(), "Maya Okafor");
    muster
        .app
        .change(agent, move |change| -> Result<(), Problem> {
            for _ in 0..times {
                let draft = drafts::write(change, &id, &AudienceId::from(CUSTOMERS), &Edit::default())?;
                drafts::approve(change, &draft.id, &owner, None)?;
                publication::publish(change, &draft.id, Some(&owner))?;
            }
            Ok(())
        })
        .await
        .unwrap();
    muster.settle().await;
}

async fn open_on_the_page(muster: &TestApp) -> Vec<Value> {
    let open = anybody(muster, "/status/larkfield/api/v2/incidents/unresolved.json").await;
    open.good()["incidents"].as_array().unwrap().clone()
}

async fn merge(muster: &TestApp, source: &str, target: &str) {
    let body = json!({ "source_incidents": [{ "id": source, "type": "incident_reference" }] });
    muster
        .put(&format!("/incidents/{target}/merge"), body)
        .await
        .good();
    muster.settle().await;
}

#[store::both_engines]
async fn what_is_said_for_others_never_stands_before_what_is_said_for_the_page(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let parcels = muster.service("parcels").build().await;
    touchpoint(&muster, &parcels, "Parcels").await;
    let elsewhere = break_again(&muster, &parcels, "belt-1").await;
    tell_often(&muster, &elsewhere, 201).await;
    assert_eq!(open_on_the_page(&muster).await, Vec::<Value>::new());
    let incident = break_again(&muster, &shown.built, "till-1").await;
    tell_customers(&muster, &incident).await;
    let open = open_on_the_page(&muster).await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0]["name"], "Problem with Card payments");
}

#[store::both_engines]
async fn what_was_said_before_a_component_was_added_stands_there_too(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let parcels = muster.service("parcels").build().await;
    let touchpoint = touchpoint(&muster, &parcels, "Parcels").await;
    let incident = break_again(&muster, &parcels, "belt-1").await;
    tell_customers(&muster, &incident).await;
    assert_eq!(open_on_the_page(&muster).await, Vec::<Value>::new());
    let body = json!({ "component": { "name": "Parcels",
        "business_service": { "id": touchpoint, "type": "business_service_reference" } } });
    let components = format!("/status_pages/{}/components", shown.page);
    muster.post(&components, body).await.with_status(201);
    muster.settle().await;
    assert_eq!(open_on_the_page(&muster).await.len(), 1);
}

/// Somebody who said twice that they want to be told.
async fn reader(muster: &TestApp, page: &str, email: &str) {
    let (page, email) = (page.to_owned(), email.to_owned());
    muster
        .app
        .change(Agent::muster(), move |change| -> Result<(), store::Error> {
            let id: String = change.identifier();
            change.tx.execute(
                sql!(
                    "INSERT INTO status_page_subscribers (id, page_id, email, state, asked_at, confirmed_at)
                     VALUES ($1, $2, $3, 'confirmed', $4, $4)"
                ),
                params![&id, &page, &email, change.now],
            )?;
            Ok(())
        })
        .await
        .unwrap();
}

/// Many of them.
async fn readers(muster: &TestApp, page: &str, many: usize) {
    let page = page.to_owned();
    muster
        .app
        .change(Agent::muster(), move |change| -> Result<(), store::Error> {
            for number in 0..many {
                let id: String = change.identifier();
                change.tx.execute(
                    sql!(
                        "INSERT INTO status_page_subscribers (id, page_id, email, state, asked_at, confirmed_at)
                         VALUES ($1, $2, $3, 'confirmed', $4, $4)"
                    ),
                    params![&id, &page, format!("reader{number}@example.org"), change.now],
                )?;
            }
            Ok(())
        })
        .await
        .unwrap();
}

async fn count(muster: &TestApp, counted: store::Statement) -> i64 {
    let read = muster
        .database
        .store
        .read(move |tx| tx.one::<(i64,)>(counted.clone(), params![]));
    read.await.unwrap().0
}

#[store::both_engines]
async fn what_was_said_long_before_a_component_was_added_is_mailed_to_nobody(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    reader(&muster, &shown.page, "ana@example.org").await;
    let parcels = muster.service("parcels").build().await;
    let touchpoint = touchpoint(&muster, &parcels, "Parcels").await;
    let incident = break_again(&muster, &parcels, "belt-1").await;
    tell_customers(&muster, &incident).await;
    resolve(&muster, &incident).await;
    tell_customers(&muster, &incident).await;
    muster.pass_quietly(24 * 3_600);
    muster.settle().await;
    let body = json!({ "component": { "name": "Parcels",
        "business_service": { "id": touchpoint, "type": "business_service_reference" } } });
    let components = format!("/status_pages/{}/components", shown.page);
    muster.post(&components, body).await.with_status(201);
    muster.settle().await;
    let all = anybody(&muster, "/status/larkfield/api/v2/incidents.json")
        .await
        .good();
    assert_eq!(all["incidents"].as_array().unwrap().len(), 1, "{all}");
    let mailed = sql!("SELECT COUNT(*) FROM sends WHERE idempotency_key LIKE 'status-page:%'");
    assert_eq!(count(&muster, mailed.clone()).await, 0);
    let news = break_again(&muster, &shown.built, "till-1").await;
    tell_customers(&muster, &news).await;
    assert_eq!(count(&muster, mailed).await, 1);
}

#[store::both_engines]
async fn saying_how_a_component_stands_has_nothing_judged_anew(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let parcels = muster.service("parcels").build().await;
    touchpoint(&muster, &parcels, "Parcels").await;
    let incident = break_again(&muster, &parcels, "belt-1").await;
    tell_customers(&muster, &incident).await;
    let passed = sql!("SELECT COUNT(*) FROM status_page_passed");
    let before = count(&muster, passed.clone()).await;
    assert!(before > 0);
    let component = format!("/status_pages/{}/components/{}", shown.page, shown.component);
    let body = json!({ "component": { "override_status": "degraded_performance" } });
    muster.put(&component, body).await.good();
    assert_eq!(count(&muster, passed).await, before);
}

#[store::both_engines]
async fn a_word_published_right_after_a_merge_goes_on_with_the_story_there_is(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let first = break_again(&muster, &shown.built, "till-1").await;
    tell_customers(&muster, &first).await;
    let second = break_again(&muster, &shown.built, "till-2").await;
    let body = json!({ "source_incidents": [{ "id": first, "type": "incident_reference" }] });
    muster
        .put(&format!("/incidents/{second}/merge"), body)
        .await
        .good();
    tell_often(&muster, &second, 1).await;
    let all = anybody(&muster, "/status/larkfield/api/v2/incidents.json")
        .await
        .good();
    let stories = all["incidents"].as_array().unwrap();
    assert_eq!(stories.len(), 1, "{all}");
    assert_eq!(stories[0]["incident_updates"].as_array().unwrap().len(), 2);
}

#[store::both_engines]
async fn a_merged_story_ends_in_the_language_of_its_page(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let german = json!({ "status_page": { "language": "de-AT" } });
    muster
        .put(&format!("/status_pages/{}", shown.page), german)
        .await
        .good();
    let first = break_again(&muster, &shown.built, "till-1").await;
    tell_customers(&muster, &first).await;
    let second = break_again(&muster, &shown.built, "till-2").await;
    tell_customers(&muster, &second).await;
    merge(&muster, &first, &second).await;
    let all = anybody(&muster, "/status/larkfield/api/v2/incidents.json")
        .await
        .good();
    let all = all["incidents"].as_array().unwrap();
    let ended = all.iter().find(|one| one["status"] == "resolved").unwrap();
    let last = &ended["incident_updates"][0];
    assert_eq!(
        last["body"],
        "Das hat sich als Teil von „Problem with Card payments“ herausgestellt. Dort berichten wir weiter."
    );
    assert_ne!(last["id"], ended["id"], "an incident's id is no update's");
}

#[store::both_engines]
async fn a_merged_incident_goes_on_as_the_one_it_went_into(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let first = break_again(&muster, &shown.built, "till-1").await;
    tell_customers(&muster, &first).await;
    let second = break_again(&muster, &shown.built, "till-2").await;
    let before = open_on_the_page(&muster).await;
    merge(&muster, &first, &second).await;
    let after = open_on_the_page(&muster).await;
    assert_eq!((after.len(), &after[0]["id"]), (1, &before[0]["id"]));
    resolve(&muster, &second).await;
    tell_customers(&muster, &second).await;
    assert_eq!(open_on_the_page(&muster).await, Vec::<Value>::new());
    let status = anybody(&muster, "/status/larkfield/api/v2/status.json").await;
    assert_eq!(status.json()["status"]["indicator"], "none");
}

#[store::both_engines]
async fn of_two_stories_that_are_one_the_merged_one_ends_and_says_where_it_goes_on(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let first = break_again(&muster, &shown.built, "till-1").await;
    tell_customers(&muster, &first).await;
    let second = break_again(&muster, &shown.built, "till-2").await;
    tell_customers(&muster, &second).await;
    assert_eq!(open_on_the_page(&muster).await.len(), 2);
    merge(&muster, &first, &second).await;
    assert_eq!(open_on_the_page(&muster).await.len(), 1);
    let all = anybody(&muster, "/status/larkfield/api/v2/incidents.json").await;
    let all = all.json()["incidents"].as_array().unwrap().clone();
    let ended = all.iter().find(|one| one["status"] == "resolved").unwrap();
    let words = &ended["incident_updates"][0]["body"];
    assert_eq!(
        words,
        "This turned out to be part of “Problem with Card payments”. We go on telling about it there."
    );
    let story = format!("/status/larkfield/incidents/{}", ended["id"].as_str().unwrap());
    assert!(
        anybody(&muster, &story)
            .await
            .text
            .contains("This turned out to be part of")
    );
}

#[store::both_engines]
async fn many_readers_are_told_in_groups_each_of_them_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    readers(&muster, &shown.page, 1_001).await;
    let incident = break_again(&muster, &shown.built, "till-1").await;
    let update = crate::updates::draft(&muster, &incident, CUSTOMERS).await;
    crate::updates::approve(&muster, &update).await.good();
    crate::updates::publish(&muster, &update).await.good();
    let mut told = vec![0];
    while told.last() != Some(&1_001) {
        assert!(
            muster::app::runner::run_due(&muster.app).await.unwrap() > 0,
            "{told:?}"
        );
        let (now,): (i64,) = muster
            .database
            .store
            .read(|tx| {
                tx.one(
                    sql!("SELECT COUNT(*) FROM sends WHERE idempotency_key LIKE 'status-page:%'"),
                    params![],
                )
            })
            .await
            .unwrap();
        assert!(now - told.last().unwrap() <= 500, "{told:?} then {now}");
        told.push(now);
    }
}

/// Publishes the draft for customers, and does nothing of what follows.
async fn publish_only(muster: &TestApp, incident: &str) {
    let update = crate::updates::draft(muster, incident, CUSTOMERS).await;
    crate::updates::approve(muster, &update).await.good();
    crate::updates::publish(muster, &update).await.good();
}

#[store::both_engines]
async fn what_was_published_while_nobody_looked_is_news_for_hours(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    reader(&muster, &shown.page, "ana@example.org").await;
    let mailed = sql!("SELECT COUNT(*) FROM sends WHERE idempotency_key LIKE 'status-page:%'");
    let incident = break_again(&muster, &shown.built, "till-1").await;
    muster.pass_quietly(10);
    publish_only(&muster, &incident).await;
    muster.pass_quietly(65 * 60);
    muster.settle().await;
    assert_eq!(count(&muster, mailed.clone()).await, 1);
    resolve(&muster, &incident).await;
    publish_only(&muster, &incident).await;
    muster.pass_quietly(7 * 3_600);
    muster.settle().await;
    assert_eq!(count(&muster, mailed).await, 1, "by then it is history");
}

#[store::both_engines]
async fn a_component_that_is_added_later_makes_no_news_of_what_was_said_hours_ago(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    reader(&muster, &shown.page, "ana@example.org").await;
    let parcels = muster.service("parcels").build().await;
    let touchpoint = touchpoint(&muster, &parcels, "Parcels").await;
    let incident = break_again(&muster, &parcels, "belt-1").await;
    tell_customers(&muster, &incident).await;
    muster.pass_quietly(2 * 3_600);
    break_again(&muster, &shown.built, "till-1").await;
    let body = json!({ "component": { "name": "Parcels",
        "business_service": { "id": touchpoint, "type": "business_service_reference" } } });
    let components = format!("/status_pages/{}/components", shown.page);
    muster.post(&components, body).await.with_status(201);
    muster.settle().await;
    assert_eq!(open_on_the_page(&muster).await.len(), 1);
    let mailed = sql!("SELECT COUNT(*) FROM sends WHERE idempotency_key LIKE 'status-page:%'");
    assert_eq!(count(&muster, mailed).await, 0);
}

async fn make(muster: &TestApp, page: &str, visibility: &str) {
    let body = json!({ "status_page": { "visibility": visibility } });
    muster.put(&format!("/status_pages/{page}"), body).await.good();
    muster.settle().await;
}

#[store::both_engines]
async fn a_page_that_is_private_for_a_minute_drops_none_of_its_readers(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    readers(&muster, &shown.page, 700).await;
    let incident = break_again(&muster, &shown.built, "till-1").await;
    publish_only(&muster, &incident).await;
    let mailed = sql!("SELECT COUNT(*) FROM sends WHERE idempotency_key LIKE 'status-page:%'");
    while count(&muster, mailed.clone()).await == 0 {
        assert!(muster::app::runner::run_due(&muster.app).await.unwrap() > 0);
    }
    make(&muster, &shown.page, "private").await;
    assert_eq!(
        count(&muster, mailed.clone()).await,
        500,
        "nobody is written to meanwhile"
    );
    make(&muster, &shown.page, "public").await;
    muster.pass(std::time::Duration::from_mins(1)).await;
    assert_eq!(count(&muster, mailed).await, 700);
}

#[store::both_engines]
async fn the_words_of_old_mails_go_and_that_they_were_sent_stays(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    muster::app::cleaning::begin(&muster.app).await.unwrap();
    let (_, incident) = (&shown, break_again(&muster, &shown.built, "till-1").await);
    let agents = crate::updates::draft(&muster, &incident, crate::updates::AGENTS).await;
    crate::updates::publish(&muster, &agents).await.good();
    muster.settle().await;
    let sends = async || {
        let sends = muster
            .get("/outbox/sends?purposes[]=update&limit=100")
            .await
            .good();
        sends["sends"].as_array().unwrap().clone()
    };
    let before = sends().await;
    assert!(!before.is_empty() && before[0]["body"] != "", "{before:?}");
    let days = |days: u64| std::time::Duration::from_secs(days * 24 * 3600);
    muster.clock.advance(days(89));
    muster.settle().await;
    assert_eq!(sends().await, before);
    muster.clock.advance(days(2));
    muster.settle().await;
    let after = sends().await;
    assert_eq!((after.len(), &after[0]["body"]), (before.len(), &json!("")));
}

#[store::both_engines]
async fn a_page_that_is_called_status_is_not_called_so_twice(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let body =
        json!({ "status_page": { "name": "Larkfield Status", "slug": "larkfield", "time_zone": "UTC" } });
    muster.post("/status_pages", body).await.with_status(201);
    muster.settle().await;
    let page = anybody(&muster, "/status/larkfield").await.text;
    assert!(page.contains("<title>Larkfield Status: "), "{page}");
    let feed = anybody(&muster, "/status/larkfield/feed.atom").await.text;
    assert!(feed.contains("<title>Larkfield Status</title>"), "{feed}");
}

#[store::both_engines]
async fn a_component_works_again_when_somebody_says_that_the_incident_does_not_hurt_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let incident = break_again(&muster, &shown.built, "till-1").await;
    muster.settle().await;
    assert_ne!(component(&muster).await, "operational");
    let list = muster
        .get(&format!("/incidents/{incident}/business_services/impacts"))
        .await
        .good();
    let cards = list["services"][0]["id"].as_str().unwrap();
    muster
        .put(
            &format!("/incidents/{incident}/business_services/{cards}/impacts"),
            json!({ "relation": "not_impacted" }),
        )
        .await
        .good();
    muster.settle().await;
    assert_eq!(component(&muster).await, "operational");
}

async fn component(muster: &TestApp) -> String {
    let summary = anybody(muster, "/status/larkfield/api/v2/summary.json").await;
    summary.good()["components"][0]["status"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[store::both_engines]
async fn an_incident_that_customers_cannot_notice_leaves_boards_alone(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let unseen = muster.service("build-farm").build().await;
    let before = board_version(&muster).await;
    break_again(&muster, &unseen, "runner-1").await;
    muster.settle().await;
    assert_eq!(board_version(&muster).await, before);
    break_again(&muster, &shown.built, "till-1").await;
    muster.settle().await;
    assert!(board_version(&muster).await > before);
}

async fn board_version(muster: &TestApp) -> i64 {
    let (version,): (i64,) = muster
        .app
        .store
        .read(|tx| tx.one(sql!("SELECT version FROM location_boards"), params![]))
        .await
        .unwrap();
    version
}
