//! Hints over the API: where an incident may have begun, what may have brought it about, and what was like it.

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::{find, wrapped};
use super::{confirmed_origin, origin, similar};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Path, Problem, Problems};

/// As many as the dialect gives.
const PAST_TOLD: usize = 5;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show_origin))
        .routes(routes!(list_past))
        .routes(routes!(list_changes))
}

/// Where an incident may have begun, ranked, with reasons.
#[utoipa::path(
    get, path = "/incidents/{id}/origin", tag = "Incidents",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "Suspects, changes and what a person confirmed under `origin`", body = inline(Value)), Problems)
)]
async fn show_origin(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Value>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let (found, confirmed) = app
        .read(move |tx| -> Result<_, Problem> {
            let incident = find(tx, &id)?;
            Ok((
                origin::of(tx, &incident)?,
                confirmed_origin::find(tx, &incident.id)?,
            ))
        })
        .await?;
    let mut told = json!(found);
    told["confirmed"] = json!(confirmed);
    Ok(wrapped("origin", told))
}

/// Past incidents that were like this one, the most alike first.
#[utoipa::path(
    get, path = "/incidents/{id}/past_incidents", tag = "Incidents",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "Incidents with their score and reasons under `past_incidents`", body = inline(Value)), Problems)
)]
async fn list_past(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Value>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let site = app.site.clone();
    let past: Vec<Value> = app
        .read(move |tx| -> Result<_, Problem> {
            let incident = find(tx, &id)?;
            Ok(similar::of(tx, &incident, PAST_TOLD)?)
        })
        .await?
        .into_iter()
        .map(|one| {
            json!({
                "incident": {
                    "id": one.id,
                    "type": "incident_reference",
                    "summary": format!("[#{}] {}", one.number, one.title),
                    "self": site.api_url("incidents", one.id.as_str()),
                    "html_url": site.html_url("incidents", one.id.as_str()),
                    "title": one.title,
                    "status": one.status,
                    "created_at": one.created_at,
                    "resolved_at": one.resolved_at,
                },
                "score": one.score,
                "reasons": one.reasons,
            })
        })
        .collect();
    let total = past.len();
    Ok(axum::Json(
        json!({ "past_incidents": past, "total": total, "limit": PAST_TOLD }),
    ))
}

/// Changes of the day before that may have brought an incident about, the most probable first.
#[utoipa::path(
    get, path = "/incidents/{id}/related_change_events", tag = "Incidents",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "Changes with their correlation under `change_events`", body = inline(Value)), Problems)
)]
async fn list_changes(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<Value>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let site = app.site.clone();
    let found = app
        .read(move |tx| -> Result<_, Problem> {
            let incident = find(tx, &id)?;
            Ok(origin::of(tx, &incident)?)
        })
        .await?;
    let changes: Vec<Value> = found
        .changes
        .into_iter()
        .map(|one| {
            json!({
                "id": one.id,
                "type": "change_event",
                "summary": one.summary,
                "self": site.api_url("change_events", &one.id),
                "html_url": null,
                "timestamp": one.at,
                "services": [site.reference("service", "services", &one.service_id, one.service_name)],
                "correlation": { "score": one.score, "reasons": one.reasons },
            })
        })
        .collect();
    Ok(wrapped("change_events", Value::from(changes)))
}
