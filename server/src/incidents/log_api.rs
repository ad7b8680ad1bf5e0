//! The timeline as log entries of the dialect.

use std::sync::Arc;

use crate::http::{Path, Query};
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::instant;
use super::model::IncidentId;
use super::wholes::{OF_ENTRIES, expand};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Include, Listing, Paging, Problem, Problems, Site};
use crate::timeline::model::EntryId;
use crate::timeline::store::{self as entries, Sought};
use crate::timeline::{AgentKind, Entry, Kind};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(list_of_incident))
        .routes(routes!(list_of_user))
}

/// A page of log entries.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct LogEntriesAnswer {
    #[schema(value_type = Vec<Object>)]
    pub log_entries: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

/// One log entry.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct LogEntryAnswer {
    #[schema(value_type = Object)]
    pub log_entry: Value,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Span {
    since: Option<String>,
    until: Option<String>,
    /// `true`: only the main changes.
    is_overview: Option<String>,
}

impl Span {
    fn sought(&self, incident: Option<String>, user: Option<String>) -> Result<Sought, Problem> {
        let mut errors = Vec::new();
        let since: Option<Timestamp> = instant("since", self.since.as_deref(), &mut errors);
        let until = instant("until", self.until.as_deref(), &mut errors);
        if !errors.is_empty() {
            return Err(Problem::invalid(errors));
        }
        let overview = matches!(self.is_overview.as_deref(), Some("true" | "1"));
        let kinds = if overview { OVERVIEW.to_vec() } else { Vec::new() };
        Ok(Sought {
            incident,
            user,
            since,
            until,
            kinds,
        })
    }
}

const OVERVIEW: &[Kind] = &[
    Kind::Triggered,
    Kind::Acknowledged,
    Kind::Unacknowledged,
    Kind::Escalated,
    Kind::Assigned,
    Kind::Resolved,
    Kind::Reopened,
    Kind::Snoozed,
    Kind::Noted,
];

/// List log entries of all incidents, the newest first.
#[utoipa::path(
    get, path = "/log_entries", tag = "Log entries", params(Span, Listing, Include),
    responses((status = 200, description = "A page of log entries", body = LogEntriesAnswer), Problems)
)]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(span): Query<Span>,
    Query(listing): Query<Listing>,
    Query(include): Query<Include>,
) -> Result<axum::Json<LogEntriesAnswer>, Problem> {
    answer(&app, &caller, span.sought(None, None)?, listing, include).await
}

/// List the log entries of an incident, the newest first.
#[utoipa::path(
    get, path = "/incidents/{id}/log_entries", tag = "Log entries", params(Span, Listing, Include,
        ("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "A page of log entries", body = LogEntriesAnswer), Problems)
)]
async fn list_of_incident(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(span): Query<Span>,
    Query(listing): Query<Listing>,
    Query(include): Query<Include>,
) -> Result<axum::Json<LogEntriesAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let wanted = IncidentId::from(id.as_str());
    let known = app
        .read(move |tx| -> Result<_, Problem> { Ok(super::store::find(tx, &wanted)?) })
        .await?;
    known.ok_or_else(|| Problem::not_found("The incident"))?;
    answer(&app, &caller, span.sought(Some(id), None)?, listing, include).await
}

/// List what a person did, the newest first.
#[utoipa::path(
    get, path = "/users/{id}/log_entries", tag = "Log entries", params(Span, Listing, Include,
        ("id" = String, Path, description = "The person's id")),
    responses((status = 200, description = "A page of log entries", body = LogEntriesAnswer), Problems)
)]
async fn list_of_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(span): Query<Span>,
    Query(listing): Query<Listing>,
    Query(include): Query<Include>,
) -> Result<axum::Json<LogEntriesAnswer>, Problem> {
    answer(&app, &caller, span.sought(None, Some(id))?, listing, include).await
}

async fn answer(
    app: &Arc<App>,
    caller: &Caller,
    sought: Sought,
    listing: Listing,
    include: Include,
) -> Result<axum::Json<LogEntriesAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let page = listing.page()?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let found = entries::list(tx, &sought, page)?;
            let (found, paging) = page.finish(found, || entries::count(tx, &sought))?;
            let mut log_entries: Vec<Value> = found.iter().map(|entry| view(entry, &site)).collect();
            expand(tx, &site, now, &include, &OF_ENTRIES, &mut log_entries)?;
            Ok(LogEntriesAnswer { log_entries, paging })
        })
        .await?;
    Ok(axum::Json(answer))
}

/// Show one log entry.
#[utoipa::path(
    get, path = "/log_entries/{id}", tag = "Log entries",
    params(("id" = String, Path, description = "The entry's id"), Include),
    responses((status = 200, description = "The log entry", body = LogEntryAnswer), Problems)
)]
async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(include): Query<Include>,
) -> Result<axum::Json<LogEntryAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let log_entry = app
        .read(move |tx| -> Result<_, Problem> {
            let entry = entries::find(tx, &EntryId::from(id.as_str()))?
                .ok_or_else(|| Problem::not_found("The log entry"))?;
            let mut log_entry = view(&entry, &site);
            let entries = std::slice::from_mut(&mut log_entry);
            expand(tx, &site, now, &include, &OF_ENTRIES, entries)?;
            Ok(log_entry)
        })
        .await?;
    Ok(axum::Json(LogEntryAnswer { log_entry }))
}

/// The dialect knows fewer kinds; what it lacks is an annotation.
fn dialect_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Triggered | Kind::AlertAdded | Kind::AlertRepeated | Kind::Reopened => "trigger",
        Kind::Acknowledged => "acknowledge",
        Kind::Unacknowledged | Kind::SnoozeEnded => "unacknowledge",
        Kind::Resolved | Kind::AlertResolved | Kind::MergedAway => "resolve",
        Kind::Assigned => "assign",
        Kind::Delegated => "delegate",
        Kind::Escalated => "escalate",
        Kind::EscalationRepeated => "repeat_escalation_path",
        Kind::EscalationExhausted | Kind::NobodyOnCall => "exhaust_escalation_path",
        Kind::PageOwed | Kind::PageSent | Kind::PageFailed => "notify",
        Kind::AlertLimitReached => "reach_trigger_limit",
        Kind::Snoozed => "snooze",
        Kind::UrgencyChanged => "urgency_change",
        Kind::PriorityChanged | Kind::TitleChanged | Kind::ServiceChanged | Kind::TypeChanged => {
            "field_value_change"
        }
        _ => "annotate",
    }
}

/// The resource `<kind>_log_entry`.
pub(super) fn view(entry: &Entry, site: &Site) -> Value {
    let kind = dialect_kind(entry.kind);
    let agent = match (entry.agent_type, &entry.agent_id) {
        (AgentKind::User, Some(id)) => Some(site.reference("user", "users", id, entry.agent_name.clone())),
        (AgentKind::Integration, Some(id)) => {
            Some(site.reference("integration", "integrations", id, entry.agent_name.clone()))
        }
        (AgentKind::Service, Some(id)) => {
            Some(site.reference("service", "services", id, entry.agent_name.clone()))
        }
        _ => None,
    };
    let channel = match entry.kind {
        Kind::Snoozed => json!({ "type": "website", "duration": entry.details["duration"] }),
        Kind::PageOwed | Kind::PageSent | Kind::PageFailed => {
            json!({ "type": "notification", "notification": entry.details })
        }
        _ if entry.agent_type == AgentKind::Integration => {
            json!({ "type": "api", "description": entry.text, "details": entry.details })
        }
        _ => json!({ "type": "website", "summary": entry.text, "details": entry.details }),
    };
    json!({
        "id": entry.id,
        "type": format!("{kind}_log_entry"),
        "summary": entry.text,
        "self": site.api_url("log_entries", entry.id.as_str()),
        "html_url": null,
        "created_at": entry.at,
        "agent": agent,
        "channel": channel,
        "service": entry.service_id.as_ref().map(|id| site.reference("service", "services", id, "")),
        "incident": entry.incident_id.as_ref().map(|id| site.reference("incident", "incidents", id.as_str(), "")),
        "teams": [],
        "contexts": [],
        "note": if entry.kind == Kind::Noted { Value::from(entry.text.clone()) } else { Value::Null },
        "event_details": { "description": entry.text },
        "muster_kind": entry.kind,
    })
}
