//! What is posted from *On call*: covering for somebody, and taking that back. Times are the reader's own.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::{escaped, from_json, go_to, maintenance};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted};
use crate::http::Path;
use crate::oncall::api::overrides as api;
use crate::oncall::{ScheduleId, ScheduleOverrideId};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/on-call/{id}/overrides", post(cover))
        .route("/console/on-call/{id}/overrides/{override_id}/end", post(end))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Cover {
    user: String,
    from: String,
    until: String,
}

async fn cover(
    State(app): State<Arc<App>>,
    Path(id): Path<ScheduleId>,
    posted: Posted<Cover>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let reading = visitor.reading(&app);
    let at = |text: &str| maintenance::instant(text, &reading).map(|at| at.to_string());
    let body = json!({ "overrides": [{
        "start": at(&fields.from), "end": at(&fields.until),
        "user": { "id": fields.user, "type": "user_reference" },
    }] });
    let back = format!(
        "/console/on-call?schedule={}&from={}",
        escaped(id.as_str()),
        escaped(fields.from.get(..10).unwrap_or_default())
    );
    api::create_together(app, visitor.0, id, from_json(body)?).await?;
    Ok(go_to(&back))
}

async fn end(
    State(app): State<Arc<App>>,
    Path((id, override_id)): Path<(ScheduleId, ScheduleOverrideId)>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let back = format!("/console/on-call?schedule={}", escaped(id.as_str()));
    api::delete(State(app), posted.visitor.0, Path((id, override_id)))
        .await
        .map(drop)?;
    Ok(go_to(&back))
}
