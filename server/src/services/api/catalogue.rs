//! What is the same for everybody: priorities, and the vendors whose tools send events.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Head, Listing, Paging, Path, Problem, Problems, Query, Site};
use crate::services::store;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PrioritiesAnswer {
    priorities: Vec<PriorityView>,
    #[serde(flatten)]
    paging: Paging,
}

/// How important an incident can be.
#[derive(Debug, Serialize, ToSchema)]
struct PriorityView {
    #[serde(flatten)]
    head: Head,
    name: String,
    description: Option<String>,
    /// Its place on the ladder.
    order: i64,
    /// As CSS writes colours in hexadecimal digits, without the `#`.
    color: String,
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
            .map(|one| PriorityView {
                head: Head {
                    id: one.id.to_string(),
                    kind: "priority".to_owned(),
                    summary: Some(one.name.clone()),
                    api_url: None,
                    html_url: None,
                },
                name: one.name.clone(),
                description: one.description.clone(),
                order: one.position,
                color: one.color.clone(),
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
    vendors: Vec<VendorView>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VendorAnswer {
    vendor: VendorView,
}

/// A tool that sends events.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VendorView {
    #[serde(flatten)]
    head: Head,
    name: &'static str,
    description: &'static str,
    /// Always null, as are the addresses below.
    website_url: Option<String>,
    logo_url: Option<String>,
    thumbnail_url: Option<String>,
    integration_guide_url: Option<String>,
}

fn vendor_view((id, name, description): &(&str, &'static str, &'static str), site: &Site) -> VendorView {
    VendorView {
        head: site.part("vendor", "vendors", *id, *name).into(),
        name,
        description,
        website_url: None,
        logo_url: None,
        thumbnail_url: None,
        integration_guide_url: None,
    }
}

/// Those of the tools that have these ids.
pub(super) fn vendor_views(ids: &[String], site: &Site) -> Vec<VendorView> {
    let named = |(id, _, _): &&(&str, _, _)| ids.iter().any(|wanted| wanted == id);
    VENDORS
        .iter()
        .filter(named)
        .map(|one| vendor_view(one, site))
        .collect()
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
