//! What grouping was taught, over the API: to be looked at, and to be taken back.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::lessons::{self, GroupingLessonId};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Path, Problem, Problems, Reference};

/// The latest lessons; more than a person reads.
const TOLD: i64 = 500;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(take_back))
}

/// What people taught grouping.
#[derive(Debug, Serialize, ToSchema)]
struct GroupingLessonsAnswer {
    grouping_lessons: Vec<GroupingLessonView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct GroupingLessonView {
    id: String,
    /// `grouping_lesson`
    #[serde(rename = "type")]
    kind: &'static str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Whether the two belong together, or do not.
    verdict: String,
    /// Where the alerts are now.
    incident: Reference,
    /// Where they were.
    from_incident: Reference,
}

/// List what people taught by merging incidents and moving alerts, the latest first.
#[utoipa::path(
    get, path = "/grouping_lessons", tag = "Incidents",
    responses((status = 200, description = "The lessons", body = GroupingLessonsAnswer), Problems)
)]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<axum::Json<GroupingLessonsAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let found = app
        .read(move |tx| -> Result<_, Problem> { Ok(lessons::latest(tx, TOLD)?) })
        .await?;
    let reference = |id: &str, title: String| app.site.reference("incident", "incidents", id, title);
    let grouping_lessons = found
        .into_iter()
        .map(|one| GroupingLessonView {
            id: one.id.to_string(),
            kind: "grouping_lesson",
            at: one.at,
            verdict: one.verdict,
            incident: reference(one.incident_id.as_str(), one.incident_title),
            from_incident: reference(one.from_incident_id.as_str(), one.from_incident_title),
        })
        .collect();
    Ok(axum::Json(GroupingLessonsAnswer { grouping_lessons }))
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
