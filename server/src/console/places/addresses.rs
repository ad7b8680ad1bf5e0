//! Where the `html_url` of a resource leads. The API names every resource by its own collection, as the field's clients
//! expect; the console shows some of them on a page with others.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;

use super::{escaped, go_to};
use crate::app::App;

/// A collection of the API, and the page that shows one of it; `{id}` stands for the resource.
const PAGES: [(&str, &str); 17] = [
    ("accounts", "/console/customers/{id}"),
    ("api_keys", "/console/settings/keys"),
    ("audiences", "/console/updates"),
    ("business_services", "/console/services/{id}"),
    ("cases", "/console/desk?case={id}"),
    ("escalation_policies", "/console/settings/escalation-policies"),
    ("integrations", "/console/settings/integrations"),
    ("licenses", "/console/settings"),
    ("maintenance_windows", "/console/maintenance"),
    ("outbox", "/console/settings/outbox"),
    ("reviews", "/console/learn"),
    ("schedules", "/console/on-call?schedule={id}"),
    ("status_pages", "/console/pages/{id}"),
    ("teams", "/console/settings/teams/{id}"),
    ("updates", "/console/updates"),
    ("users", "/console/settings"),
    ("vendors", "/console/settings/integrations"),
];

pub(super) fn routes() -> Router<Arc<App>> {
    PAGES.iter().fold(Router::new(), |router, (collection, page)| {
        let page = *page;
        let lead = move |Path(id): Path<String>| async move { lead_to(page, &id) };
        router.route(&format!("/console/{collection}/{{id}}"), get(lead))
    })
}

fn lead_to(page: &str, id: &str) -> Response {
    go_to(&page.replace("{id}", &escaped(id).replace('/', "%2F")))
}
