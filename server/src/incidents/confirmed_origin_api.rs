//! Saying over the API what the origin of an incident was, and taking it back.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::find;
use super::confirmed_origin::{self, Blamed, ConfirmedOrigin};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Path, Problem, Problems, ReferenceInput};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(confirm, take_back))
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ConfirmedOriginRequest {
    /// A `change_event_reference`, a `service_reference` or a `business_service_reference`.
    confirmed_origin: ReferenceInput,
}

/// What somebody said the origin was.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConfirmedOriginAnswer {
    confirmed_origin: ConfirmedOrigin,
}

/// Say what the origin of an incident was. The last word counts; later incidents are judged by it.
#[utoipa::path(
    put, path = "/incidents/{id}/confirmed_origin", tag = "Incidents", request_body = ConfirmedOriginRequest,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "What stands", body = ConfirmedOriginAnswer), Problems)
)]
pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<ConfirmedOriginRequest>,
) -> Result<axum::Json<ConfirmedOriginAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    let named = request.confirmed_origin;
    let blamed = match named.plain_kind() {
        "change_event" => Blamed::Change(named.id),
        "service" | "business_service" => Blamed::Service(named.id),
        _ => {
            return Err(Problem::invalid([
                "confirmed_origin.type must be change_event, service or business_service.",
            ]));
        }
    };
    let confirmed_origin = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let incident = find(change.tx, &id)?;
            let confirmed = confirmed_origin::confirm(change, &incident.id, &blamed)?;
            let changed = Changed {
                resource_type: "incident",
                resource_id: incident.id.as_str(),
                resource_name: &incident.title,
                details: json!({ "confirmed_origin": confirmed.summary }),
            };
            audit::note(change, AuditAction::Update, &changed);
            Ok(confirmed)
        })
        .await?;
    Ok(axum::Json(ConfirmedOriginAnswer { confirmed_origin }))
}

/// Take back what was said about the origin of an incident.
#[utoipa::path(
    delete, path = "/incidents/{id}/confirmed_origin", tag = "Incidents",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 204, description = "It is taken back"), Problems)
)]
pub(crate) async fn take_back(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    app.change(caller.agent(), move |change| -> Result<(), Problem> {
        let incident = find(change.tx, &id)?;
        confirmed_origin::take_back(change, &incident.id)?;
        let changed = Changed {
            resource_type: "incident",
            resource_id: incident.id.as_str(),
            resource_name: &incident.title,
            details: json!({ "confirmed_origin": null }),
        };
        audit::note(change, AuditAction::Update, &changed);
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
