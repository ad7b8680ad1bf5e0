//! The console's screens as people use them: pages opened and forms sent by somebody who is signed in.

mod audiences;
mod case_link;
mod customers;
mod form;
mod learn;
mod maintenance;
mod mine;
mod offers;
mod oncall;
mod overtaken;
mod pages;
mod places;
mod rules;
mod service_change;
mod services;
mod settings;
mod told;

use store::Engine;

use crate::harness::TestApp;

/// A name that breaks out of whatever is careless.
pub(crate) const HOSTILE: &str = "\"><script>alert(1)</script>\u{202e}שלום";

/// Whether a page shows hostile text as text.
#[track_caller]
pub(crate) fn shows_harmlessly(page: &str) {
    assert!(!page.contains("<script>alert"), "markup from outside");
    assert!(
        page.contains("&#60;script&#62;alert(1)"),
        "the name is not shown: {page}"
    );
}

#[store::both_engines]
async fn every_place_of_the_rail_leads_somewhere(engine: Engine) {
    let muster = TestApp::new(engine).await;
    let browser = muster.browser().await;
    for path in [
        "/console",
        "/console/incidents",
        "/console/desk",
        "/console/services",
        "/console/services/shops",
        "/console/on-call",
        "/console/customers",
        "/console/updates",
        "/console/pages",
        "/console/maintenance",
        "/console/learn",
        "/console/settings",
        "/console/settings/audiences",
        "/console/settings/outbox",
        "/console/settings/audit",
        "/console/settings/health",
    ] {
        browser.open(path).await;
    }
}
