//! `/abilities`: clients ask at start, and stop when the answer is wrong.

use axum::Json;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Caller;
use crate::http::{Path, Problem, Problems};

/// What Muster does, by the names that clients look for. There are no plans: everybody has all of it.
const PRESENT: [&str; 8] = [
    "teams",
    "urgencies",
    "read_only_users",
    "service_support_hours",
    "advanced_permissions",
    "team_responders",
    "time_based_alert_grouping",
    "preview_intelligent_alert_grouping",
];

/// Names that exist in the field and mean something Muster does not do.
const MISSING: [&str; 4] = ["sso", "live_call_routing", "response_plays", "event_rules"];

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AbilitiesAnswer {
    abilities: [&'static str; PRESENT.len()],
}

/// What this Muster is able to do.
#[utoipa::path(get, path = "/abilities", tag = "Access",
    responses((status = 200, body = AbilitiesAnswer), Problems))]
pub(super) async fn list(_caller: Caller) -> Json<AbilitiesAnswer> {
    Json(AbilitiesAnswer { abilities: PRESENT })
}

/// Whether it is able to do one thing.
#[utoipa::path(get, path = "/abilities/{id}", tag = "Access", params(("id" = String, Path)),
    responses((status = 204), (status = 402, body = crate::http::problem::ProblemBody), Problems))]
pub(super) async fn test(_caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    if PRESENT.contains(&id.as_str()) {
        Ok(StatusCode::NO_CONTENT)
    } else if MISSING.contains(&id.as_str()) {
        Err(Problem::ability_missing())
    } else {
        Err(Problem::not_found("The ability"))
    }
}
