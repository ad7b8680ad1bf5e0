//! What grouping was taught, over the API: to be looked at, and to be taken back.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::wrapped;
use super::lessons::{self, GroupingLessonId};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Path, Problem, Problems};

/// The latest lessons; more than a person reads.
const TOLD: i64 = 500;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(take_back))
}

/// List what people taught by merging incidents and moving alerts, the latest first.
#[utoipa::path(
    get, path = "/grouping_lessons", tag = "Incidents",
    responses((status = 200, description = "The lessons under `grouping_lessons`", body = inline(Value)), Problems)
)]
async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<axum::Json<Value>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let found = app
        .read(move |tx| -> Result<_, Problem> { Ok(lessons::latest(tx, TOLD)?) })
        .await?;
    let views: Vec<Value> = found
        .into_iter()
        .map(|one| {
            json!({
                "id": one.id,
                "type": "grouping_lesson",
                "at": one.at,
                "verdict": one.verdict,
                "incident": app.site.reference("incident", "incidents", one.incident_id.as_str(), one.incident_title),
                "from_incident":
                    app.site.reference("incident", "incidents", one.from_incident_id.as_str(), one.from_incident_title),
            })
        })
        .collect();
    Ok(wrapped("grouping_lessons", Value::from(views)))
}

/// Take a lesson back: grouping decides again as if it had never been taught. Incidents stay as they are.
#[utoipa::path(
    delete, path = "/grouping_lessons/{id}", tag = "Incidents",
    params(("id" = String, Path, description = "The lesson's id")),
    responses((status = 204, description = "It is taken back"), Problems)
)]
async fn take_back(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    app.change(caller.agent(), move |change| -> Result<(), Problem> {
        lessons::forget(change, &GroupingLessonId::from(id.as_str()))?;
        let changed = Changed::named("grouping_lesson", &id, "Grouping lesson");
        audit::record(change, &caller, AuditAction::Delete, &changed);
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
