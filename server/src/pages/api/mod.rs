//! `/status_pages` and their components, by the conventions of the dialect: what both have in common.

pub(crate) mod components;
pub(crate) mod status_pages;

use std::sync::Arc;

use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Component, StatusPage, StatusPageId};
use super::store as rows;
use crate::access::audit::Changed;
use crate::app::App;
use crate::http::Problem;
use crate::words::PublicText;

pub(crate) use components::*;
pub(crate) use status_pages::*;

/// Longest address of a page.
pub const LONGEST_SLUG: usize = 63;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change_one, delete))
        .routes(routes!(list_components, add_component))
        .routes(routes!(show_component, change_component, delete_component))
}

fn find(tx: &mut store::Tx, id: &str) -> Result<StatusPage, Problem> {
    rows::find(tx, &StatusPageId::from(id))?.ok_or_else(|| Problem::not_found("The status page"))
}

fn page_named(page: &StatusPage) -> Changed<'_> {
    Changed::named("status_page", page.id.as_str(), &page.name)
}

/// What the audit log tells of a status page.
fn page_told(page: &StatusPage) -> Value {
    json!({
        "name": page.name,
        "slug": page.slug,
        "visibility": page.visibility,
        "language": page.language,
        "time_zone": page.time_zone,
    })
}

fn component_named(component: &Component) -> Changed<'_> {
    Changed::named(
        "status_page_component",
        component.id.as_str(),
        component.name.as_str(),
    )
}

/// What the audit log tells of a component.
fn component_told(component: &Component) -> Value {
    json!({
        "name": component.name.as_str(),
        "description": component.description.as_ref().map(PublicText::as_str),
        "business_service": component.business_service_id,
        "group": component.is_group,
        "group_id": component.group_id,
        "position": component.position,
        "showcase": component.showcase,
        "only_show_if_degraded": component.only_show_if_degraded,
        "override_status": component.override_status,
    })
}
