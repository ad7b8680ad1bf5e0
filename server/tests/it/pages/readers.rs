//! Readers who are told by mail: asked twice, let go by one click.

use serde_json::Value;
use store::Engine;

use super::{anybody, break_it, post_form, shown};
use crate::harness::TestApp;
use crate::updates::tell_customers;

async fn mails(muster: &TestApp, purpose: &str) -> Vec<Value> {
    let sends = muster
        .get(&format!("/outbox/sends?purposes[]={purpose}&limit=100"))
        .await
        .good();
    sends["sends"].as_array().unwrap().clone()
}

/// The secret link of the newest mail, as its reader has it.
async fn secret_link(muster: &TestApp) -> String {
    let row: (Option<String>,) = muster
        .app
        .read(|tx| {
            tx.one(
                store::sql!(
                    "SELECT secret_link FROM sends WHERE purpose = 'confirmation' ORDER BY id DESC LIMIT 1"
                ),
                store::params![],
            )
        })
        .await
        .map_err(|error: store::Error| error)
        .unwrap();
    row.0.unwrap().replace("https://muster.example.org", "")
}

async fn way_out(muster: &TestApp) -> String {
    let row: (Value,) = muster
        .app
        .read(|tx| {
            tx.one(
                store::sql!("SELECT headers FROM sends WHERE purpose = 'update' ORDER BY id DESC LIMIT 1"),
                store::params![],
            )
        })
        .await
        .map_err(|error: store::Error| error)
        .unwrap();
    let headers = row.0.to_string();
    assert!(headers.contains("List-Unsubscribe=One-Click"), "{headers}");
    let begin = headers.find("/status/larkfield/unsubscribe/").unwrap();
    headers[begin..].split('>').next().unwrap().to_owned()
}

#[store::both_engines]
async fn nobody_is_told_who_has_not_said_so_twice(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let asked = post_form(&muster, "/status/larkfield/subscribe", "email=Ana%40example.org").await;
    assert_eq!(asked.status, 200);
    let again = post_form(&muster, "/status/larkfield/subscribe", "email=ana%40example.org").await;
    assert_eq!(again.text, asked.text);
    assert_eq!(mails(&muster, "confirmation").await.len(), 1);
    let incident = break_it(&muster, &shown.built).await;
    tell_customers(&muster, &incident).await;
    assert_eq!(mails(&muster, "update").await.len(), 0);

    let link = secret_link(&muster).await;
    assert!(anybody(&muster, &link).await.text.contains("Yes, tell me"));
    assert_eq!(
        post_form(&muster, "/status/larkfield/confirm/guessed", "")
            .await
            .status,
        404
    );
    assert_eq!(post_form(&muster, &link, "").await.status, 200);
    let known = post_form(&muster, "/status/larkfield/subscribe", "email=ana%40example.org").await;
    assert_eq!(known.text, asked.text, "an answer tells who reads");

    crate::updates::resolve(&muster, &incident).await;
    tell_customers(&muster, &incident).await;
    let told = mails(&muster, "update").await;
    assert_eq!(told.len(), 1);
    let body = told[0]["body"].as_str().unwrap_or_default();
    assert!(
        body.contains("everything works again") && !body.contains("store-edge"),
        "{}",
        told[0]
    );
}

#[store::both_engines]
async fn one_click_ends_it(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    post_form(&muster, "/status/larkfield/subscribe", "email=ana%40example.org").await;
    let link = secret_link(&muster).await;
    post_form(&muster, &link, "").await;
    let incident = break_it(&muster, &shown.built).await;
    tell_customers(&muster, &incident).await;
    let way_out = way_out(&muster).await;
    assert_eq!(anybody(&muster, &way_out).await.status, 200);
    let page = muster.get(&format!("/status_pages/{}", shown.page)).await.good();
    assert_eq!(
        page["status_page"]["subscribers"], 1,
        "a look alone let somebody go"
    );
    assert_eq!(
        post_form(&muster, &way_out, "List-Unsubscribe=One-Click")
            .await
            .status,
        200
    );
    let page = muster.get(&format!("/status_pages/{}", shown.page)).await.good();
    assert_eq!(page["status_page"]["subscribers"], 0);
}

#[store::both_engines]
async fn bad_addresses_and_floods_are_turned_away(engine: Engine) {
    let muster = TestApp::new(engine).await;
    shown(&muster).await;
    for form in [
        "",
        "email=",
        "email=nobody",
        "email=a%40b%0d%0aBcc%3Ac%40d.example",
        "x=%ff",
    ] {
        let status = post_form(&muster, "/status/larkfield/subscribe", form)
            .await
            .status;
        assert_eq!(status, 400, "{form}");
    }
    let mut refused = 0;
    for number in 0..25 {
        let form = format!("email=reader{number}%40example.org");
        if post_form(&muster, "/status/larkfield/subscribe", &form)
            .await
            .status
            == 429
        {
            refused += 1;
        }
    }
    assert_eq!(refused, 5);
}

#[store::both_engines]
async fn an_address_that_never_said_yes_is_forgotten_after_a_week(engine: Engine) {
    let muster = TestApp::new(engine).await;
    shown(&muster).await;
    muster::app::cleaning::begin(&muster.app).await.unwrap();
    post_form(&muster, "/status/larkfield/subscribe", "email=ana%40example.org").await;
    let link = secret_link(&muster).await;
    post_form(&muster, &link, "").await;
    post_form(&muster, "/status/larkfield/subscribe", "email=bo%40example.org").await;
    let readers = async || -> Vec<(String,)> {
        let read = muster.app.store.read(|tx| {
            tx.rows(
                store::sql!("SELECT email FROM status_page_subscribers ORDER BY email"),
                store::params![],
            )
        });
        read.await.unwrap()
    };
    let days = |days: u64| std::time::Duration::from_secs(days * 24 * 3600);
    muster.clock.advance(days(2));
    muster.settle().await;
    assert_eq!(readers().await.len(), 2);
    muster.clock.advance(days(6));
    muster.settle().await;
    assert_eq!(readers().await, [("ana@example.org".to_owned(),)]);
}

/// A reader of the page who said yes, and the incident that they were mailed about.
async fn told_reader(muster: &TestApp, shown: &super::Shown) -> String {
    post_form(muster, "/status/larkfield/subscribe", "email=ana%40example.org").await;
    let link = secret_link(muster).await;
    post_form(muster, &link, "").await;
    let incident = break_it(muster, &shown.built).await;
    tell_customers(muster, &incident).await;
    assert_eq!(mails(muster, "update").await.len(), 1);
    incident
}

async fn change_page(muster: &TestApp, shown: &super::Shown, fields: Value) {
    let path = format!("/status_pages/{}", shown.page);
    muster
        .put(&path, serde_json::json!({ "status_page": fields }))
        .await
        .good();
    muster.settle().await;
}

async fn readers_of(muster: &TestApp, shown: &super::Shown) -> Value {
    let page = muster.get(&format!("/status_pages/{}", shown.page)).await.good();
    page["status_page"]["subscribers"].clone()
}

#[store::both_engines]
async fn a_page_that_became_private_writes_to_nobody_and_lets_everybody_go(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let incident = told_reader(&muster, &shown).await;
    post_form(&muster, "/status/larkfield/subscribe", "email=bo%40example.org").await;
    let unanswered = secret_link(&muster).await;
    change_page(&muster, &shown, serde_json::json!({ "visibility": "private" })).await;
    crate::updates::resolve(&muster, &incident).await;
    tell_customers(&muster, &incident).await;
    assert_eq!(
        mails(&muster, "update").await.len(),
        1,
        "a private page wrote to somebody outside"
    );
    let browser = muster.browser().await;
    let form = browser.open(&format!("/console/pages/{}", shown.page)).await;
    assert!(
        form.contains("Nobody while the page is private; 1 asked to be") && form.contains("not written to"),
        "{form}"
    );
    assert_eq!(anybody(&muster, &unanswered).await.status, 200);
    assert!(
        post_form(&muster, &unanswered, "")
            .await
            .text
            .contains("not open to everybody")
    );
    let way_out = way_out(&muster).await;
    let asked = anybody(&muster, &way_out).await;
    assert!(
        asked.text.contains("No more mails") && !asked.text.contains("How everything is now"),
        "{}",
        asked.text
    );
    let gone = post_form(&muster, &way_out, "List-Unsubscribe=One-Click").await;
    assert_eq!(gone.status, 200);
    assert_eq!(readers_of(&muster, &shown).await, 1);
    assert_eq!(
        post_form(&muster, &way_out, "List-Unsubscribe=One-Click")
            .await
            .status,
        200
    );
}

#[store::both_engines]
async fn a_new_address_keeps_every_link_that_was_mailed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    let incident = told_reader(&muster, &shown).await;
    post_form(&muster, "/status/larkfield/subscribe", "email=bo%40example.org").await;
    let unanswered = secret_link(&muster).await;
    let way_out = way_out(&muster).await;
    change_page(&muster, &shown, serde_json::json!({ "slug": "larkfield-shops" })).await;
    let list = anybody(&muster, "/status/larkfield/api/v2/incidents.json").await;
    assert_eq!(
        (list.status.as_u16(), &list.headers["location"]),
        (
            307,
            &axum::http::HeaderValue::from_static("/status/larkfield-shops/api/v2/incidents.json")
        ),
        "the story of {incident} is lost"
    );
    assert_eq!(anybody(&muster, &unanswered).await.status, 200);
    assert!(post_form(&muster, &unanswered, "").await.text.contains("Done"));
    assert_eq!(readers_of(&muster, &shown).await, 2);

    // Also where another page has taken the address.
    let other = serde_json::json!({ "status_page": { "name": "Other", "slug": "larkfield" } });
    muster.post("/status_pages", other).await.with_status(201);
    muster.settle().await;
    assert!(anybody(&muster, "/status/larkfield").await.text.contains("Other"));
    assert_eq!(anybody(&muster, &way_out).await.status, 200);
    assert_eq!(
        post_form(&muster, &way_out, "List-Unsubscribe=One-Click")
            .await
            .status,
        200
    );
    assert_eq!(readers_of(&muster, &shown).await, 1);
}

#[store::both_engines]
async fn the_former_address_of_a_private_page_is_not_found(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let shown = shown(&muster).await;
    change_page(
        &muster,
        &shown,
        serde_json::json!({ "slug": "inside", "visibility": "private" }),
    )
    .await;
    let unknown = anybody(&muster, "/status/nowhere").await;
    let former = anybody(&muster, "/status/larkfield").await;
    assert_eq!((former.status, former.text), (unknown.status, unknown.text));
    assert_eq!(muster.get("/status/larkfield").await.status, 307);
}

/// Else each of them makes the links of the others useless.
#[store::both_engines]
async fn many_who_ask_for_one_address_at_once_make_one_mail_whose_link_works(engine: Engine) {
    let muster = TestApp::new(engine).await;
    shown(&muster).await;
    let asked = (0..8).map(|_| post_form(&muster, "/status/larkfield/subscribe", "email=ana%40example.org"));
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer.status, 200);
    }
    assert_eq!(mails(&muster, "confirmation").await.len(), 1);
    let link = secret_link(&muster).await;
    assert_eq!(post_form(&muster, &link, "").await.status, 200);
}
