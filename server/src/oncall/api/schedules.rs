//! `/schedules`.

use std::sync::Arc;

use ::store::Tx;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::policy_input::check_teams;
use super::rendering::RangeQuery;
use super::schedule_input::{ScheduleRequest, check};
use super::schedule_view::{Origin, Parts, ScheduleView, Shown, members, schedule_view};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource, token};
use crate::app::App;
use crate::http::listing::anywhere;
use crate::http::{Body, Include, Listing, Paging, Path, Problem, Problems, Query};
use crate::oncall::model::{Definition, ScheduleId, ScheduleRow};
use crate::oncall::store::{self, ScheduleFilter};
use crate::people::api::view::{UserView, user_views};
use crate::people::store::find_users;
use crate::people::{TeamId, UserId};
use crate::timeline::Change;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScheduleAnswer {
    schedule: ScheduleView,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SchedulesAnswer {
    schedules: Vec<ScheduleView>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScheduleUsersAnswer)]
pub(super) struct UsersAnswer {
    users: Vec<UserView>,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct SchedulesQuery {
    /// A part of the name.
    query: Option<String>,
    #[serde(rename = "team_ids[]")]
    team_ids: Vec<String>,
    /// A user whose present or next turn is shown.
    include_next_oncall_for_user: Option<String>,
}

/// All schedules, by name.
#[utoipa::path(get, path = "/schedules", tag = "On call", params(Listing, SchedulesQuery, RangeQuery, Include),
    responses((status = 200, body = SchedulesAnswer), Problems))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
    Query(asked): Query<SchedulesQuery>,
    Query(range): Query<RangeQuery>,
    Query(include): Query<Include>,
) -> Result<Json<SchedulesAnswer>, Problem> {
    caller.require(Action::View, Resource::Schedule)?;
    let page = listing.page()?;
    let range = range.check()?;
    let filter = ScheduleFilter {
        pattern: asked
            .query
            .filter(|query| !query.is_empty())
            .map(|query| anywhere(&query)),
        team_ids: Some(asked.team_ids).filter(|ids| !ids.is_empty()),
    };
    let parts = Parts {
        layers: Shown::when(include.asks_for("schedule_layers")),
        overrides: Shown::when(include.asks_for("overrides_subschedule")),
        final_schedule: Shown::when(include.asks_for("final_schedule")),
        next_for: asked
            .include_next_oncall_for_user
            .map(|id| (UserId::from(id), app.clock.now())),
    };
    let site = app.site.clone();
    app.read(move |tx| {
        let rows = store::list_schedules(tx, &filter, page)?;
        let (rows, paging) = page.finish(rows, || store::count_schedules(tx, &filter))?;
        let schedules = rows
            .iter()
            .map(|row| schedule_view(tx, &site, row, &range, &parts, Origin::Stored))
            .collect::<Result<_, _>>()?;
        Ok(Json(SchedulesAnswer { schedules, paging }))
    })
    .await
}

/// Adds a schedule.
#[utoipa::path(post, path = "/schedules", tag = "On call", params(RangeQuery), request_body = ScheduleRequest,
    responses((status = 201, body = ScheduleAnswer), Problems))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(range): Query<RangeQuery>,
    Body(request): Body<ScheduleRequest>,
) -> Result<(StatusCode, Json<ScheduleAnswer>), Problem> {
    caller.require_for_own(Action::Create, Resource::Schedule)?;
    let range = range.check()?;
    let site = app.site.clone();
    let schedule = app
        .change(caller.agent(), move |change| {
            let teams = check_teams(change.tx, request.schedule.teams.as_deref().unwrap_or_default())?;
            caller.require_for_teams(Action::Create, Resource::Schedule, &teams)?;
            let blank = blank_schedule(change);
            let layer_ids = layer_ids(change);
            let row = check(change.tx, &request.schedule, blank, change.now, layer_ids)?;
            store::insert_schedule(change.tx, &row, caller.user_id().map(UserId::as_str))
                .map_err(name_taken)?;
            store::set_schedule_teams(change.tx, &row.id, &teams)?;
            audit::record(change, &caller, AuditAction::Create, &changed(&row));
            change.touch("oncall");
            let parts = Parts::all(None);
            schedule_view(change.tx, &site, &row, &range, &parts, Origin::Stored)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(ScheduleAnswer { schedule })))
}

/// Adds a schedule as a form of the console describes it, and gives its id.
pub(crate) async fn add(app: Arc<App>, caller: Caller, body: serde_json::Value) -> Result<String, Problem> {
    let request = crate::http::body::parse(body.to_string().as_bytes())?;
    let range = Query(RangeQuery::default());
    let (_, answer) = create(State(app), caller, range, Body(request)).await?;
    Ok(answer.0.schedule.head.id.clone())
}

/// Writes a schedule out over a range without keeping it.
#[utoipa::path(post, path = "/schedules/preview", tag = "On call", params(RangeQuery),
    request_body = ScheduleRequest, responses((status = 200, body = ScheduleAnswer), Problems))]
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(range): Query<RangeQuery>,
    Body(request): Body<ScheduleRequest>,
) -> Result<Json<ScheduleAnswer>, Problem> {
    caller.require(Action::View, Resource::Schedule)?;
    let range = range.check()?;
    let (site, now) = (app.site.clone(), app.clock.now());
    app.read(move |tx| {
        let layer_ids = (1..=64).map(|number| format!("preview-{number}")).rev().collect();
        let blank = blank_row(ScheduleId::from("preview"), String::new(), now);
        let row = check(tx, &request.schedule, blank, now, layer_ids)?;
        let schedule = schedule_view(tx, &site, &row, &range, &Parts::all(None), Origin::Preview)?;
        Ok(Json(ScheduleAnswer { schedule }))
    })
    .await
}

/// One schedule, written out over a range where one is given.
#[utoipa::path(get, path = "/schedules/{id}", tag = "On call",
    params(("id" = String, Path), SchedulesQuery, RangeQuery),
    responses((status = 200, body = ScheduleAnswer), Problems))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
    Query(asked): Query<SchedulesQuery>,
    Query(range): Query<RangeQuery>,
) -> Result<Json<ScheduleAnswer>, Problem> {
    caller.require(Action::View, Resource::Schedule)?;
    let range = range.check()?;
    let (site, now) = (app.site.clone(), app.clock.now());
    app.read(move |tx| {
        let row = present_schedule(tx, &id)?;
        let parts = Parts::all(
            asked
                .include_next_oncall_for_user
                .clone()
                .map(|id| (UserId::from(id), now)),
        );
        let schedule = schedule_view(tx, &site, &row, &range, &parts, Origin::Stored)?;
        Ok(Json(ScheduleAnswer { schedule }))
    })
    .await
}

/// Changes the fields that are sent, from now on. Who was on call before stays as it was; when the members of a
/// layer change, everybody else keeps their turn.
#[utoipa::path(put, path = "/schedules/{id}", tag = "On call", params(("id" = String, Path), RangeQuery),
    request_body = ScheduleRequest, responses((status = 200, body = ScheduleAnswer), Problems))]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
    Query(range): Query<RangeQuery>,
    Body(request): Body<ScheduleRequest>,
) -> Result<Json<ScheduleAnswer>, Problem> {
    caller.require_for_own(Action::Change, Resource::Schedule)?;
    let range = range.check()?;
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        let before = present_schedule(change.tx, &id)?;
        require_for(change.tx, &caller, Action::Change, &id)?;
        let layer_ids = layer_ids(change);
        let row = check(change.tx, &request.schedule, before, change.now, layer_ids)?;
        if let Some(teams) = &request.schedule.teams {
            let teams = check_teams(change.tx, teams)?;
            caller.require_for_teams(Action::Change, Resource::Schedule, &teams)?;
            store::set_schedule_teams(change.tx, &id, &teams)?;
        }
        let changed_by = caller.user_id().map(UserId::as_str);
        store::update_schedule(change.tx, &row, change.now, changed_by).map_err(name_taken)?;
        audit::record(change, &caller, AuditAction::Update, &changed(&row));
        change.touch("oncall");
        let parts = Parts::all(None);
        let schedule = schedule_view(change.tx, &site, &row, &range, &parts, Origin::Stored)?;
        Ok(Json(ScheduleAnswer { schedule }))
    })
    .await
}

/// Removes a schedule that no policy pages by any more.
#[utoipa::path(delete, path = "/schedules/{id}", tag = "On call", params(("id" = String, Path)),
    responses((status = 204), Problems))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
) -> Result<StatusCode, Problem> {
    caller.require_for_own(Action::Delete, Resource::Schedule)?;
    app.change(caller.agent(), move |change| {
        let row = present_schedule(change.tx, &id)?;
        require_for(change.tx, &caller, Action::Delete, &id)?;
        let policies = store::policies_of_schedules(change.tx, &[&id])?;
        if !policies.is_empty() {
            return Err(Problem::invalid(policies.into_iter().take(10).map(
                |(_, _, name)| {
                    format!("The escalation policy '{name}' pages by this schedule; change it first.")
                },
            )));
        }
        store::delete_schedule(change.tx, &id, change.now)?;
        audit::record(change, &caller, AuditAction::Delete, &changed(&row));
        change.touch("oncall");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The people whom a schedule names, or those who are on call by it during a range.
#[utoipa::path(get, path = "/schedules/{id}/users", tag = "On call", params(("id" = String, Path), RangeQuery),
    responses((status = 200, body = UsersAnswer), Problems))]
pub(super) async fn users(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ScheduleId>,
    Query(range): Query<RangeQuery>,
) -> Result<Json<UsersAnswer>, Problem> {
    caller.require(Action::View, Resource::Schedule)?;
    let range = range.check()?;
    let site = app.site.clone();
    app.read(move |tx| {
        let row = present_schedule(tx, &id)?;
        let people: Vec<UserId> = match range.span {
            None => members(&row.definition),
            Some(span) => match store::plan_between(tx, &id, span.start(), span.end())? {
                None => Vec::new(),
                Some(plan) => plan
                    .render(span)
                    .map_err(super::rendering::too_long)?
                    .final_schedule
                    .entries
                    .iter()
                    .map(|entry| UserId::from(entry.user.as_str()))
                    .collect(),
            },
        };
        let rows = find_users(tx, &people.iter().collect::<Vec<_>>())?;
        let users = user_views(tx, &site, &rows, &Include::default())?;
        Ok(Json(UsersAnswer { users }))
    })
    .await
}

/// A schedule that has not been deleted, or 404.
pub(super) fn present_schedule(tx: &mut Tx, id: &ScheduleId) -> Result<ScheduleRow, Problem> {
    store::find_schedule(tx, id)?.ok_or_else(|| Problem::not_found("The schedule"))
}

pub(super) fn require_for(
    tx: &mut Tx,
    caller: &Caller,
    action: Action,
    id: &ScheduleId,
) -> Result<(), Problem> {
    let teams: Vec<TeamId> = store::teams_of_schedules(tx, &[id])?
        .into_iter()
        .map(|(_, team)| team)
        .collect();
    caller.require_for_teams(action, Resource::Schedule, &teams)
}

fn blank_schedule(change: &Change) -> ScheduleRow {
    blank_row(change.identifier(), token::random_token(32), change.now)
}

fn blank_row(id: ScheduleId, calendar_key: String, now: jiff::Timestamp) -> ScheduleRow {
    ScheduleRow {
        id,
        name: String::new(),
        description: None,
        // Must be said: a rota in the wrong zone pages the wrong person.
        time_zone: String::new(),
        definition: Definition {
            schedule: schedule::Schedule {
                time_zone: "UTC".to_owned(),
                layers: Vec::new(),
                overrides: Vec::new(),
            },
            written_origins: std::collections::BTreeMap::new(),
        },
        calendar_key,
        created_at: now,
        deleted_at: None,
    }
}

/// Enough identifiers for the layers of one request.
fn layer_ids(change: &Change) -> Vec<String> {
    (0..64).map(|_| change.identifier()).collect()
}

fn name_taken(error: ::store::Error) -> Problem {
    Problem::if_taken(error, "schedules", &["name"], "Name has already been taken.")
}

fn changed(row: &ScheduleRow) -> Changed<'_> {
    Changed {
        resource_type: "schedule",
        resource_id: row.id.as_str(),
        resource_name: &row.name,
        details: json!({ "time_zone": row.time_zone, "definition": row.definition }),
    }
}
