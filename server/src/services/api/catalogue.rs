//! What is the same for everybody: priorities, and the vendors whose tools send events.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Listing, Paging, Path, Problem, Problems, Query, Site};
use crate::services::store;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PrioritiesAnswer {
    #[schema(value_type = Vec<Object>)]
    priorities: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

/// All priorities, the most important first.
#[utoipa::path(get, path = "/priorities", tag = "Incidents", params(Listing),
    responses((status = 200, body = PrioritiesAnswer), Problems))]
pub(super) async fn priorities(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Json<PrioritiesAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let page = listing.page()?;
    app.read(move |tx| {
        let all = store::priorities(tx)?;
        let total = all.len() as i64;
        let rows = all
            .into_iter()
            .skip(page.offset as usize)
            .take(page.rows_to_read() as usize)
            .collect();
        let (rows, paging) = page.finish(rows, || Ok::<_, Problem>(total))?;
        let priorities = rows
            .iter()
            .map(|one| {
                json!({
                    "id": one.id,
                    "type": "priority",
                    "summary": one.name,
                    "self": Value::Null,
                    "html_url": Value::Null,
                    "name": one.name,
                    "description": one.description,
                    "order": one.position,
                    "color": one.color,
                })
            })
            .collect();
        Ok(Json(PrioritiesAnswer { priorities, paging }))
    })
    .await
}

/// Id, name, and what it is.
const VENDORS: [(&str, &str, &str); 8] = [
    (
        "PVALERTMGR",
        "Prometheus Alertmanager",
        "Alerts of Prometheus, by its webhook",
    ),
    (
        "PVPROMETHE",
        "Prometheus",
        "Alerts of Prometheus, posted straight here",
    ),
    ("PVGRAFANA0", "Grafana", "Grafana's alerting"),
    ("PVDATADOG0", "Datadog", "Datadog monitors"),
    ("PVZABBIX00", "Zabbix", "Zabbix triggers"),
    ("PVSENTRY00", "Sentry", "Errors of applications"),
    ("PVUPTIMEKU", "Uptime Kuma", "Checks from outside"),
    ("PVEVENTSV2", "Events API v2", "Anything that can send an event"),
];

pub(super) fn vendor_name(id: &str) -> Option<&'static str> {
    let known = VENDORS.iter().find(|(known, _, _)| *known == id)?;
    Some(known.1)
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VendorsAnswer {
    #[schema(value_type = Vec<Object>)]
    vendors: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VendorAnswer {
    #[schema(value_type = Object)]
    vendor: Value,
}

fn vendor_view((id, name, description): &(&str, &str, &str), site: &Site) -> Value {
    json!({
        "id": id,
        "type": "vendor",
        "summary": name,
        "self": site.api_url("vendors", id),
        "html_url": Value::Null,
        "name": name,
        "description": description,
        "website_url": Value::Null,
        "logo_url": Value::Null,
        "thumbnail_url": Value::Null,
        "integration_guide_url": Value::Null,
    })
}

/// The tools that integrations can be named after.
#[utoipa::path(get, path = "/vendors", tag = "Services", params(Listing),
    responses((status = 200, body = VendorsAnswer), Problems))]
pub(super) async fn vendors(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Json<VendorsAnswer>, Problem> {
    caller.require(Action::View, Resource::Service)?;
    let page = listing.page()?;
    let rows = VENDORS
        .iter()
        .skip(page.offset as usize)
        .take(page.rows_to_read() as usize)
        .collect();
    let (rows, paging) = page.finish(rows, || Ok::<_, Problem>(VENDORS.len() as i64))?;
    Ok(Json(VendorsAnswer {
        vendors: rows.into_iter().map(|one| vendor_view(one, &app.site)).collect(),
        paging,
    }))
}

/// One of them.
#[utoipa::path(get, path = "/vendors/{id}", tag = "Services", params(("id" = String, Path)),
    responses((status = 200, body = VendorAnswer), Problems))]
pub(super) async fn vendor(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<VendorAnswer>, Problem> {
    caller.require(Action::View, Resource::Service)?;
    let found = VENDORS
        .iter()
        .find(|(known, _, _)| *known == id)
        .ok_or_else(|| Problem::not_found("The vendor"))?;
    Ok(Json(VendorAnswer {
        vendor: vendor_view(found, &app.site),
    }))
}
