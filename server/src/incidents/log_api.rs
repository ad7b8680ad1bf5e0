//! The timeline as log entries of the dialect.

use std::sync::Arc;

use crate::http::{Path, Query};
use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::instant;
use super::log_view::views;
use super::model::IncidentId;
use super::shapes::LogEntryView;
use super::wholes::{OF_ENTRIES, expand};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Faults, Include, Listing, Paging, Problem, Problems};
use crate::people::UserId;
use crate::people::store::find_user;
use crate::timeline::Kind;
use crate::timeline::model::EntryId;
use crate::timeline::store::{self as entries, Sought};

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
    #[schema(value_type = Vec<LogEntryView>)]
    pub log_entries: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

/// One log entry.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct LogEntryAnswer {
    #[schema(value_type = LogEntryView)]
    pub log_entry: Value,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Span {
    since: Option<String>,
    until: Option<String>,
    /// `true`: only the main changes.
    #[param(value_type = Option<bool>)]
    is_overview: Option<String>,
    /// The teams whose policies the incidents follow.
    #[serde(rename = "team_ids[]")]
    team_ids: Vec<String>,
}

impl Span {
    fn sought(&self, incident: Option<String>, user: Option<String>) -> Result<Sought, Problem> {
        let mut errors = Vec::new();
        let since: Option<Timestamp> = instant("since", self.since.as_deref(), &mut errors);
        let until = instant("until", self.until.as_deref(), &mut errors);
        let mut faults = Faults::of(errors);
        let kinds = match faults.yes_or_no("is_overview", self.is_overview.as_deref()) {
            Some(true) => OVERVIEW.to_vec(),
            Some(false) | None => Vec::new(),
        };
        faults.done()?;
        Ok(Sought {
            incident,
            user,
            since,
            until,
            kinds,
            team_ids: self.team_ids.clone(),
        })
    }
}

const OVERVIEW: &[Kind] = &[
    Kind::Triggered,
    Kind::AlertAdded,
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
    caller.require(Action::View, Resource::Incident)?;
    let wanted = UserId::from(id.as_str());
    let known = app
        .read(move |tx| -> Result<_, Problem> { Ok(find_user(tx, &wanted)?) })
        .await?;
    known.ok_or_else(|| Problem::not_found("The person"))?;
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
            let mut log_entries = views(tx, &found, &site)?;
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
            let mut log_entries = views(tx, &[entry], &site)?;
            expand(tx, &site, now, &include, &OF_ENTRIES, &mut log_entries)?;
            Ok(log_entries.pop().unwrap_or_default())
        })
        .await?;
    Ok(axum::Json(LogEntryAnswer { log_entry }))
}
