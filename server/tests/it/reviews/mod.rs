//! The report that writes itself.

use std::time::Duration;

use serde_json::{Value, json};
use store::Engine;

use crate::desk::{Outage, link, outage, set_status};
use crate::harness::TestApp;

/// An outage with one reporter, acknowledged after two minutes and resolved after an hour.
async fn over(muster: &TestApp) -> Outage {
    let outage = outage(muster).await;
    let case = muster.case(json!({ "text": "Card reader offline" })).await;
    link(muster, &case, &outage.incident).await;
    muster.pass(Duration::from_secs(120)).await;
    set_status(muster, &outage.incident, "acknowledged").await;
    muster.pass(Duration::from_secs(3_480)).await;
    set_status(muster, &outage.incident, "resolved").await;
    outage
}

async fn review(muster: &TestApp, outage: &Outage) -> Value {
    muster
        .get(&format!("/incidents/{}/review", outage.incident))
        .await
        .good()["incident_review"]
        .clone()
}

#[store::both_engines]
async fn a_report_is_written_from_the_timeline_when_it_is_over(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = over(&muster).await;
    let review = review(&muster, &outage).await;
    let facts = &review["facts"];
    assert_eq!(facts["seconds"]["to_acknowledge"], 120);
    assert_eq!(facts["seconds"]["to_resolve"], 3_600);
    assert_eq!(facts["seconds"]["to_last_answer"], Value::Null);
    assert_eq!(facts["noticed_by"], "machines");
    assert_eq!(facts["people"][0]["name"], "Maya Okafor");
    assert_eq!(facts["cases"]["linked"], 1);
    assert_eq!(facts["cost"][0]["high"], 40_000);
    assert_eq!(facts["lanes"]["customers"][0]["count"], 1);
    assert!(review["body"].as_str().unwrap().contains("It lasted 1 h 0 min."));
    let list = muster.get("/incidents/reviews").await.good();
    assert_eq!(list["incident_reviews"][0]["id"], review["id"]);
}

#[store::both_engines]
async fn everything_counts_from_the_first_sign_and_the_report_says_which(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let case = muster.case(json!({ "text": "Card reader offline" })).await;
    muster.pass(Duration::from_secs(600)).await;
    let outage = outage(&muster).await;
    link(&muster, &case, &outage.incident).await;
    muster.pass(Duration::from_secs(300)).await;
    set_status(&muster, &outage.incident, "acknowledged").await;
    muster.pass(Duration::from_secs(300)).await;
    crate::updates::tell_customers(&muster, &outage.incident).await;
    muster.pass(Duration::from_secs(2_400)).await;
    set_status(&muster, &outage.incident, "resolved").await;
    let review = review(&muster, &outage).await;
    let facts = &review["facts"];
    assert_eq!(facts["began_at"], case["created_at"]);
    assert_eq!(facts["noticed_by"], "customers");
    assert_eq!(
        facts["seconds"],
        json!({ "to_acknowledge": 900, "to_first_update": 1_200, "to_resolve": 3_600, "to_last_answer": null })
    );
    let body = review["body"].as_str().unwrap();
    for words in [
        "Times count from the first customer's report.",
        "acknowledged it after 15 min",
        "After 20 min, to Customers",
        "Customers heard nothing for 20 min",
        "It lasted 1 h 0 min.",
    ] {
        assert!(body.contains(words), "{words}: {body}");
    }
    let markdown = muster
        .get(&format!("/incidents/{}/review.md", outage.incident))
        .await
        .text;
    assert!(
        markdown.contains("with the first customer's report") && markdown.contains("count from then"),
        "{markdown}"
    );
}

#[store::both_engines]
async fn a_title_that_a_person_gave_stays(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = over(&muster).await;
    let path = format!("/incidents/{}/review", outage.incident);
    let titled = json!({ "incident_review": { "title": "The day of the gateway", "status": "published" } });
    muster.put(&path, titled).await.good();
    muster.pass(Duration::from_secs(600)).await;
    let confirm = format!("/incidents/{}/answers/confirm", outage.incident);
    muster.post(&confirm, json!({})).await.good();
    muster.settle().await;
    let after = review(&muster, &outage).await;
    assert_eq!(after["facts"]["seconds"]["to_last_answer"], 4_200);
    assert_eq!(after["title"], "The day of the gateway");
}

#[store::both_engines]
async fn facts_go_on_but_edited_words_stay(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = over(&muster).await;
    let path = format!("/incidents/{}/review", outage.incident);
    let before = review(&muster, &outage).await;
    let edited = json!({ "incident_review": { "body": "## What happened\n\nWe know now.", "version": before["version"] } });
    muster.put(&path, edited.clone()).await.good();
    muster.put(&path, edited).await.with_status(409);
    muster.pass(Duration::from_secs(600)).await;
    muster
        .post(
            &format!("/incidents/{}/answers/confirm", outage.incident),
            json!({}),
        )
        .await
        .good();
    muster.settle().await;
    let after = review(&muster, &outage).await;
    assert_eq!(after["body"], "## What happened\n\nWe know now.");
    assert_eq!(after["facts"]["seconds"]["to_last_answer"], 4_200);
    assert!(after["facts_revision"].as_i64() > before["facts_revision"].as_i64());
    let versions = muster.get(&format!("{path}/versions")).await.good();
    let origins: Vec<&str> = versions["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["origin"].as_str().unwrap())
        .collect();
    assert_eq!(origins, ["generated", "edited"]);
}

#[store::both_engines]
async fn a_report_is_exported_as_markdown_and_as_a_harmless_page(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = over(&muster).await;
    let path = format!("/incidents/{}/review", outage.incident);
    let evil = "## Why\n\n<script>alert(1)</script>[x](javascript:alert(1))<img src=x onerror=a>";
    muster
        .put(
            &path,
            json!({ "incident_review": { "title": "Cards <b>failed", "body": evil, "status": "published" } }),
        )
        .await
        .good();
    let markdown = muster.get(&format!("{path}.md")).await;
    assert_eq!(markdown.headers["content-type"], "text/markdown; charset=utf-8");
    assert!(markdown.text.starts_with("# Cards \\<b\\>failed\n"));
    assert!(markdown.text.contains("| To put right | 1 h 0 min |"));
    assert!(markdown.text.contains("## Timeline"));
    let page = muster.get(&format!("{path}.html")).await;
    assert!(page.text.contains("Cards &lt;b&gt;failed"));
    for wrong in ["<script", "href=\"javascript:", "<img"] {
        assert!(!page.text.contains(wrong), "{wrong}");
    }
}

#[store::both_engines]
async fn there_is_no_report_before_the_end_unless_somebody_asks(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let outage = outage(&muster).await;
    let path = format!("/incidents/{}/review", outage.incident);
    muster.get(&path).await.with_status(404);
    muster.get(&format!("{path}.md")).await.with_status(404);
    let asked = muster.post(&path, json!({})).await.good();
    assert_eq!(
        asked["incident_review"]["facts"]["seconds"]["to_resolve"],
        Value::Null
    );
    muster.get("/incidents/Q0/review").await.with_status(404);
    muster
        .put(&path, json!({ "incident_review": { "title": "" } }))
        .await
        .with_status(400);
    muster
        .put(&path, json!({ "incident_review": { "status": "odd" } }))
        .await
        .with_status(400);
}
