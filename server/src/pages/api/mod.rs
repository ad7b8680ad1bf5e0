//! `/status_pages` and their components, by the conventions of the dialect: what both have in common.

pub(crate) mod components;
pub(crate) mod status_pages;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{StatusPage, StatusPageId};
use super::store as rows;
use crate::access::Caller;
use crate::access::audit::{self, AuditAction, Changed};
use crate::app::App;
use crate::http::Problem;
use crate::timeline::Change;

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

fn note(change: &mut Change, caller: &Caller, action: AuditAction, kind: &str, id: &str, name: &str) {
    audit::record(change, caller, action, &Changed::named(kind, id, name));
}
