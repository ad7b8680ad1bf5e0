//! The addresses from which a list that is open renews itself: each holds the list that the page has, with what is new.

use serde_json::json;
use store::Engine;

use super::room::between;
use crate::harness::{Browser, TestApp};
use crate::updates::{AGENTS, draft, outage, publish};

/// The text of the list with this id, at the address from which it renews itself.
async fn renewed(browser: &Browser<'_>, from: &str, id: &str) -> String {
    let page = browser.open(from).await;
    let end = if id.ends_with("-rows") {
        "</tbody>"
    } else {
        "</ul>"
    };
    between(&page, &format!("id=\"{id}\""), end)
}

#[store::both_engines]
async fn the_list_of_incidents_renews_itself_as_it_was_narrowed(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let browser = muster.browser().await;
    let rows = "/console/incidents/rows";
    assert!(
        renewed(&browser, rows, "incident-rows")
            .await
            .contains("Terminal silent")
    );
    muster.trigger(&built, "printer-1", "Printer on fire").await;
    let both = renewed(&browser, rows, "incident-rows").await;
    assert!(
        both.contains("Terminal silent") && both.contains("Printer on fire"),
        "{both}"
    );
    let one = renewed(&browser, &format!("{rows}?words=printer"), "incident-rows").await;
    assert!(
        !one.contains("Terminal silent") && one.contains("Printer on fire"),
        "{one}"
    );
}

#[store::both_engines]
async fn what_needs_somebody_renews_itself(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let built = muster.service("card-gateway").build().await;
    muster.trigger(&built, "till-1", "Terminal silent").await;
    let browser = muster.browser().await;
    let needs = renewed(&browser, "/console/now/needs", "needs").await;
    assert!(needs.contains("Terminal silent"), "{needs}");
}

#[store::both_engines]
async fn the_list_of_cases_renews_itself(engine: Engine) {
    let muster = TestApp::new(engine).await;
    muster.case(json!({ "text": "Card reader says offline" })).await;
    let browser = muster.browser().await;
    let rows = renewed(&browser, "/console/cases/rows", "case-rows").await;
    assert!(rows.contains("Card reader says offline"), "{rows}");
}

#[store::both_engines]
async fn what_agents_were_told_renews_itself(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let (_, incident) = outage(&muster).await;
    let update = draft(&muster, &incident, AGENTS).await;
    let browser = muster.browser().await;
    let before = renewed(&browser, "/console/desk/told", "told").await;
    assert!(!before.contains("store-edge 4.18.0"), "{before}");
    publish(&muster, &update).await.good();
    let told = renewed(&browser, "/console/desk/told", "told").await;
    assert!(told.contains("store-edge 4.18.0"), "{told}");
}
