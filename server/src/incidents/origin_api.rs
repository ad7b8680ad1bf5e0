//! Hints over the API: where an incident may have begun, what may have brought it about, and what was like it.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::find;
use super::confirmed_origin::{self, ConfirmedOrigin};
use super::model::Status;
use super::{origin, similar};
use crate::access::{Action, Caller, Resource};
use crate::alerts::model::Reason;
use crate::app::App;
use crate::http::{Head, Path, Problem, Problems, Reference};

/// As many as the dialect gives.
const PAST_TOLD: usize = 5;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show_origin))
        .routes(routes!(list_past))
        .routes(routes!(list_changes))
}

/// Where an incident may have begun.
#[derive(Debug, Serialize, ToSchema)]
struct OriginAnswer {
    origin: OriginView,
}

#[derive(Debug, Serialize, ToSchema)]
struct OriginView {
    #[serde(flatten)]
    found: origin::Origin,
    /// What somebody said it was.
    confirmed: Option<ConfirmedOrigin>,
}

/// Where an incident may have begun, ranked, with reasons.
#[utoipa::path(
    get, path = "/incidents/{id}/origin", tag = "Incidents",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "Suspects, changes and what a person confirmed", body = OriginAnswer), Problems)
)]
async fn show_origin(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<OriginAnswer>, Problem> {
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
    let origin = OriginView { found, confirmed };
    Ok(axum::Json(OriginAnswer { origin }))
}

/// Past incidents that were like one.
#[derive(Debug, Serialize, ToSchema)]
struct PastIncidentsAnswer {
    past_incidents: Vec<PastIncident>,
    total: usize,
    /// As many are told at most.
    limit: usize,
}

#[derive(Debug, Serialize, ToSchema)]
struct PastIncident {
    incident: PastIncidentReference,
    /// The sum of the points of the reasons; two incidents with the same words and nothing else get 1.
    score: f64,
    /// Why, the weightiest first, one sentence each.
    reasons: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct PastIncidentReference {
    #[serde(flatten)]
    reference: Head,
    title: String,
    status: Status,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Timestamp>,
}

/// Past incidents that were like this one, the most alike first.
#[utoipa::path(
    get, path = "/incidents/{id}/past_incidents", tag = "Incidents",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "Incidents with their score and reasons", body = PastIncidentsAnswer), Problems)
)]
async fn list_past(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<PastIncidentsAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let site = app.site.clone();
    let past_incidents: Vec<PastIncident> = app
        .read(move |tx| -> Result<_, Problem> {
            let incident = find(tx, &id)?;
            Ok(similar::of(tx, &incident, PAST_TOLD)?)
        })
        .await?
        .into_iter()
        .map(|one| {
            let summary = format!("[#{}] {}", one.number, one.title);
            let reference = site.reference("incident", "incidents", one.id.as_str(), summary);
            PastIncident {
                incident: PastIncidentReference {
                    reference: reference.into(),
                    title: one.title,
                    status: one.status,
                    created_at: one.created_at,
                    resolved_at: one.resolved_at,
                },
                score: one.score,
                reasons: one.reasons,
            }
        })
        .collect();
    Ok(axum::Json(PastIncidentsAnswer {
        total: past_incidents.len(),
        past_incidents,
        limit: PAST_TOLD,
    }))
}

/// Changes that may be behind an incident.
#[derive(Debug, Serialize, ToSchema)]
struct RelatedChangesAnswer {
    change_events: Vec<RelatedChange>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RelatedChange {
    #[serde(flatten)]
    head: Head,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    services: Vec<Reference>,
    correlation: Correlation,
}

/// How probable it is that a change is behind an incident.
#[derive(Debug, Serialize, ToSchema)]
struct Correlation {
    /// Between 0 and 1, for comparing the changes of one incident; no probability.
    score: f64,
    /// Heaviest first.
    reasons: Vec<Reason>,
}

/// Changes of the day before that may have brought an incident about, the most probable first.
#[utoipa::path(
    get, path = "/incidents/{id}/related_change_events", tag = "Incidents",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "Changes with their correlation", body = RelatedChangesAnswer), Problems)
)]
async fn list_changes(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<RelatedChangesAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let site = app.site.clone();
    let found = app
        .read(move |tx| -> Result<_, Problem> {
            let incident = find(tx, &id)?;
            Ok(origin::of(tx, &incident)?)
        })
        .await?;
    let change_events = found
        .changes
        .into_iter()
        .map(|one| RelatedChange {
            head: site
                .part("change_event", "change_events", &one.id, one.summary)
                .into(),
            timestamp: one.at,
            services: vec![site.reference("service", "services", &one.service_id, one.service_name)],
            correlation: Correlation {
                score: one.score,
                reasons: one.reasons,
            },
        })
        .collect();
    Ok(axum::Json(RelatedChangesAnswer { change_events }))
}
