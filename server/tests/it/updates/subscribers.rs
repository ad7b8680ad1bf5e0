//! The dialect's status updates: who subscribed, and what they are sent.

use muster::people::Role;
use serde_json::json;
use store::Engine;

use super::{outage, touchpoint};
use crate::harness::TestApp;

#[store::both_engines]
async fn subscribers_come_and_go_in_the_references_shapes(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (built, incident) = outage(&muster).await;
    let priya = muster
        .person("Priya Raman", "priya@example.org", Role::Stakeholder)
        .await;
    let path = format!("/incidents/{incident}/status_updates");
    let one = json!({ "subscriber_id": priya.id, "subscriber_type": "user" });
    let stranger = json!({ "subscriber_id": "QNOBODY", "subscriber_type": "team" });
    let body = json!({ "subscribers": [one, stranger] });
    let first = muster
        .post(&format!("{path}/subscribers"), body.clone())
        .await
        .with_status(200);
    insta::assert_json_snapshot!("subscriptions", first, {
        ".subscriptions[].subscribable_id" => "[incident]", ".subscriptions[0].subscriber_id" => "[user]",
    });
    let again = muster
        .post(&format!("{path}/subscribers"), body.clone())
        .await
        .good();
    assert_eq!(again["subscriptions"][0]["result"], "duplicate");

    let known_for = touchpoint(&muster, &built, "Loyalty points").await;
    let via = json!({ "subscribers": [{ "subscriber_id": muster.owner.id, "subscriber_type": "user" }] });
    muster
        .post(&format!("/business_services/{known_for}/subscribers"), via)
        .await
        .good();
    let listed = muster.get(&format!("{path}/subscribers?total=true")).await.good();
    assert_eq!(
        (&listed["total"], &listed["account_id"]),
        (&json!(2), &json!("QMUSTER"))
    );
    let indirect = listed["subscribers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["subscriber_id"] == muster.owner.id.as_str())
        .unwrap();
    assert_eq!(
        indirect["subscribed_via"],
        json!([{ "id": known_for, "type": "business_service" }])
    );

    let gone = muster.post(&format!("{path}/unsubscribe"), body).await.good();
    assert_eq!(
        gone,
        json!({ "deleted_count": 1, "unauthorized_count": 0, "non_existent_count": 1 })
    );
}

#[store::both_engines]
async fn who_unsubscribes_from_a_touchpoint_is_not_told_of_its_incidents_any_more(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (built, incident) = outage(&muster).await;
    let known_for = touchpoint(&muster, &built, "Loyalty points").await;
    let path = format!("/business_services/{known_for}");
    let me = json!({ "subscribers": [{ "subscriber_id": muster.owner.id, "subscriber_type": "user" }] });
    muster
        .post(&format!("{path}/subscribers"), me.clone())
        .await
        .good();
    let told = format!("/incidents/{incident}/status_updates/subscribers");
    let before = muster.get(&told).await.good();
    assert_eq!(before["subscribers"].as_array().unwrap().len(), 1);
    let unsubscribe = format!("{path}/unsubscribe");
    let counts = |gone, unknown| json!({ "deleted_count": gone, "unauthorized_count": 0, "non_existent_count": unknown });
    assert_eq!(muster.post(&unsubscribe, me.clone()).await.good(), counts(1, 0));
    assert_eq!(muster.post(&unsubscribe, me.clone()).await.good(), counts(0, 1));
    assert_eq!(muster.get(&told).await.good()["subscribers"], json!([]));
    muster
        .post("/business_services/QNOTHING/unsubscribe", me)
        .await
        .with_status(404);
}

#[store::both_engines]
async fn a_status_update_reaches_every_subscriber_once(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let path = format!("/incidents/{incident}/status_updates");
    let body = json!({ "subscribers": [{ "subscriber_id": muster.owner.id, "subscriber_type": "user" }] });
    muster.post(&format!("{path}/subscribers"), body).await.good();
    let sent = muster
        .post(&path, json!({ "message": "Terminals come back one by one." }))
        .await
        .with_status(200);
    assert_eq!(
        sent["status_update"]["message"],
        "Terminals come back one by one."
    );
    assert_eq!(sent["status_update"]["sender"]["type"], "user_reference");
    for key in ["id", "created_at", "subject", "html_message"] {
        assert!(sent["status_update"].get(key).is_some(), "{key}");
    }
    let only_subject = json!({ "message": "x", "subject": "y" });
    muster.post(&path, only_subject).await.with_status(400);
    muster
        .post(&path, json!({ "message": " " }))
        .await
        .with_status(400);
    muster
        .post(&format!("{path}/subscribers"), json!({ "subscribers": [] }))
        .await
        .with_status(400);
}

/// What somebody wrote as HTML goes into other people's mail.
#[store::both_engines]
async fn html_of_a_status_update_is_made_harmless(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let path = format!("/incidents/{incident}/status_updates");
    let body = json!({ "subscribers": [{ "subscriber_id": muster.owner.id, "subscriber_type": "user" }] });
    muster.post(&format!("{path}/subscribers"), body).await.good();
    let update = json!({
        "message": "Terminals come back.",
        "subject": "Terminals",
        "html_message": "<p onclick=\"x()\">They <b>come back</b>.</p><script>x()</script><img src=x onerror=x()>",
    });
    muster.post(&path, update).await.good();
    let read = muster.app.store.read(|tx| {
        tx.rows::<(Option<String>,)>(
            store::sql!("SELECT html FROM sends WHERE purpose = 'update' AND subject = 'Terminals'"),
            store::params![],
        )
    });
    let html = Some("<p>They <b>come back</b>.</p>".to_owned());
    assert_eq!(read.await.unwrap(), [(html,)]);
}
