//! `/maintenance_windows`: planned work, during which services open no incidents.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Tx;
use utoipa::{IntoParams, ToSchema};

use super::wholes::{self, OF_WINDOWS};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::expansion::expand;
use crate::http::faults::LONGEST_TEXT;
use crate::http::listing::anywhere;
use crate::http::{
    Body, Faults, Head, Include, Listing, Paging, Path, Problem, Problems, Query, Reference, ReferenceInput,
    Site,
};
use crate::jobs::{EVERY_PAGE, Kind as JobKind, Owed};
use crate::people::store::find_users;
use crate::people::{TeamId, User, UserId};
use crate::services::model::{MaintenanceWindow, MaintenanceWindowId, ServiceId};
use crate::services::store::touchpoints::{self as rows, WindowFilter, WindowSpan, WindowTeam};
use crate::timeline::Change;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WindowAnswer {
    #[schema(value_type = WindowView)]
    maintenance_window: Value,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WindowsAnswer {
    #[schema(value_type = Vec<WindowView>)]
    maintenance_windows: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

/// Planned work.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MaintenanceWindowView)]
pub(crate) struct WindowView {
    #[serde(flatten)]
    head: Head,
    sequence_number: i64,
    #[schema(value_type = String, format = DateTime)]
    start_time: jiff::Timestamp,
    #[schema(value_type = String, format = DateTime)]
    end_time: jiff::Timestamp,
    /// For the people of the house.
    description: Option<String>,
    /// For readers of status pages. Muster's own.
    public_words: Option<String>,
    created_by: Option<Reference>,
    services: Vec<Reference>,
    /// Those of the services.
    teams: Vec<Reference>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct WindowRequest {
    maintenance_window: WindowInput,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct WindowInput {
    start_time: Option<String>,
    end_time: Option<String>,
    /// For the people of the house.
    description: Option<String>,
    /// For readers of status pages. Muster's own; without it a plain sentence names what may not work.
    public_words: Option<String>,
    services: Option<Vec<ReferenceInput>>,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct WindowsQuery {
    /// A part of the description.
    query: Option<String>,
    #[serde(rename = "service_ids[]")]
    service_ids: Vec<String>,
    /// The teams of the services.
    #[serde(rename = "team_ids[]")]
    team_ids: Vec<String>,
    /// `past`, `future`, `ongoing`, `open` or `all`.
    filter: Option<String>,
}

const MOST_SERVICES: usize = 500;
const LONGEST_PUBLIC_WORDS: usize = 2_000;

/// Has the pages and the alerts of these services follow what was planned.
fn follow(change: &mut Change, services: &[String]) -> Result<(), Problem> {
    change.touch(crate::live::SERVICES);
    for id in services {
        change.owe(&Owed::now(JobKind::SilenceEnds, id, change.now))?;
    }
    Ok(change.owe(&Owed::now(JobKind::PagesRender, EVERY_PAGE, change.now))?)
}

/// What stands around windows: their services, the teams of these, and whoever planned them.
struct Around {
    /// Window, service, name.
    services: Vec<(String, String, String)>,
    teams: Vec<WindowTeam>,
    planners: Vec<User>,
}

impl Around {
    fn read(tx: &mut Tx, windows: &[MaintenanceWindow]) -> Result<Self, Problem> {
        let ids: Vec<String> = windows.iter().map(|one| one.id.to_string()).collect();
        let planners: Vec<&UserId> = windows
            .iter()
            .filter_map(|window| window.created_by.as_ref())
            .collect();
        Ok(Self {
            services: rows::window_services(tx, &ids)?,
            teams: rows::window_teams(tx, &ids)?,
            planners: find_users(tx, &planners)?,
        })
    }
}

fn view(window: &MaintenanceWindow, around: &Around, site: &Site) -> Value {
    let planned_by = |id: &UserId| {
        let planner = around.planners.iter().find(|one| one.id == *id);
        let name = planner.map_or(id.as_str(), |one| one.name.as_str());
        site.reference("user", "users", id.as_str(), name)
    };
    let own: Vec<_> = around
        .services
        .iter()
        .filter(|(id, _, _)| id == window.id.as_str())
        .map(|(_, id, name)| site.reference("service", "services", id, name.clone()))
        .collect();
    let mut teams: Vec<_> = around
        .teams
        .iter()
        .filter(|team| team.maintenance_window_id == window.id)
        .map(|team| site.reference("team", "teams", team.team_id.as_str(), team.team_name.clone()))
        .collect();
    // They come in the order of the teams, one for each service.
    teams.dedup();
    let summary = window.description.clone();
    let summary = summary.unwrap_or_else(|| "Maintenance".to_owned());
    json!(WindowView {
        head: site
            .part(
                "maintenance_window",
                "maintenance_windows",
                window.id.as_str(),
                summary
            )
            .into(),
        sequence_number: window.sequence_number,
        start_time: window.start_at,
        end_time: window.end_at,
        description: window.description.clone(),
        public_words: window.public_words.clone(),
        created_by: window.created_by.as_ref().map(planned_by),
        services: own,
        teams,
    })
}

fn shown(tx: &mut Tx, window: &MaintenanceWindow, site: &Site) -> Result<Value, Problem> {
    let around = Around::read(tx, std::slice::from_ref(window))?;
    Ok(view(window, &around, site))
}

/// Refuses who may not take this window away, or end it: where that is a matter of team, each of its services must
/// be theirs, since silence that ends too early pages the others. Whoever planned it may always take it back.
pub(crate) fn require_delete(
    caller: &Caller,
    window: &MaintenanceWindow,
    services: &[(String, String, String)],
    teams: &[WindowTeam],
) -> Result<(), Problem> {
    if window.created_by.as_ref().is_some_and(|id| caller.is_person(id)) {
        return caller.require(Action::Change, Resource::MaintenanceWindow);
    }
    let id = &window.id;
    for (_, service, _) in services.iter().filter(|(window, ..)| window == id.as_str()) {
        let own: Vec<TeamId> = teams
            .iter()
            .filter(|team| team.maintenance_window_id == *id && team.service_id == *service)
            .map(|team| team.team_id.clone())
            .collect();
        caller.require_for_teams(Action::Delete, Resource::MaintenanceWindow, &own)?;
    }
    caller.require_for_own(Action::Delete, Resource::MaintenanceWindow)
}

fn present(tx: &mut Tx, id: &MaintenanceWindowId) -> Result<MaintenanceWindow, Problem> {
    rows::find_window(tx, id)?.ok_or_else(|| Problem::not_found("The maintenance window"))
}

fn services_of(tx: &mut Tx, id: &MaintenanceWindowId) -> Result<Vec<String>, Problem> {
    let found = rows::window_services(tx, &[id.to_string()])?;
    Ok(found.into_iter().map(|(_, id, _)| id).collect())
}

/// The window as it will be, and its services. A start in the past becomes now.
fn check(
    tx: &mut Tx,
    input: &WindowInput,
    before: MaintenanceWindow,
    now: jiff::Timestamp,
    kept: Vec<String>,
) -> Result<(MaintenanceWindow, Vec<String>), Problem> {
    let mut faults = Faults::new();
    let mut window = before;
    let is_new = kept.is_empty();
    if input.start_time.is_some() || is_new {
        let start = faults.instant("Start time", input.start_time.as_deref());
        window.start_at = start.unwrap_or(now).max(now);
    }
    if input.end_time.is_some() || is_new {
        window.end_at = faults
            .instant("End time", input.end_time.as_deref())
            .unwrap_or(now);
    }
    if window.end_at <= now || window.end_at <= window.start_at {
        faults.add("End time must lie in the future and after the start time.");
    }
    if input.description.is_some() {
        window.description = faults.optional_text("Description", input.description.as_deref(), LONGEST_TEXT);
    }
    if input.public_words.is_some() {
        window.public_words = faults.optional_text(
            "Public words",
            input.public_words.as_deref(),
            LONGEST_PUBLIC_WORDS,
        );
    }
    let services = match &input.services {
        Some(list) => list.iter().map(|one| one.id.clone()).collect(),
        None => kept,
    };
    if services.is_empty() || services.len() > MOST_SERVICES {
        faults.add(format!(
            "Services must name between 1 and {MOST_SERVICES} services."
        ));
    }
    faults.done()?;
    for id in &services {
        crate::services::store::find(tx, &ServiceId::from(id.as_str()))?
            .ok_or_else(|| Problem::refused(5002, format!("Services: {id} was not found.")))?;
    }
    Ok((window, services))
}

fn changed(window: &MaintenanceWindow) -> Changed<'_> {
    Changed::named(
        "maintenance_window",
        window.id.as_str(),
        window.description.as_deref().unwrap_or("Maintenance"),
    )
}

/// What the audit log tells of a window.
fn told(window: &MaintenanceWindow, services: &[String]) -> Value {
    let mut services = services.to_vec();
    services.sort();
    json!({
        "description": window.description,
        "public_words": window.public_words,
        "start_time": window.start_at,
        "end_time": window.end_at,
        "services": services,
    })
}

/// Maintenance windows, by their start.
#[utoipa::path(get, path = "/maintenance_windows", tag = "Maintenance", params(Listing, WindowsQuery, Include),
    responses((status = 200, body = WindowsAnswer), Problems))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
    Query(asked): Query<WindowsQuery>,
    Query(include): Query<Include>,
) -> Result<Json<WindowsAnswer>, Problem> {
    caller.require(Action::View, Resource::MaintenanceWindow)?;
    let page = listing.page()?;
    let span = match asked.filter.as_deref() {
        None | Some("") => WindowSpan::All,
        Some(text) => WindowSpan::from_text(text)
            .ok_or_else(|| Problem::invalid(["Filter must be past, future, ongoing, open or all."]))?,
    };
    let filter = WindowFilter {
        pattern: asked
            .query
            .filter(|query| !query.is_empty())
            .map(|query| anywhere(&query)),
        service_ids: asked.service_ids,
        team_ids: asked.team_ids,
        span,
        now: app.clock.now(),
    };
    let site = app.site.clone();
    app.read(move |tx| {
        let found = rows::list_windows(tx, &filter, page)?;
        let (found, paging) = page.finish(found, || rows::count_windows(tx, &filter))?;
        let around = Around::read(tx, &found)?;
        let mut maintenance_windows: Vec<Value> = found.iter().map(|one| view(one, &around, &site)).collect();
        expand(&include, &OF_WINDOWS, &mut maintenance_windows, |kind, ids| {
            wholes::load(tx, &site, filter.now, kind, ids)
        })?;
        Ok(Json(WindowsAnswer {
            maintenance_windows,
            paging,
        }))
    })
    .await
}

/// Plans work.
#[utoipa::path(post, path = "/maintenance_windows", tag = "Maintenance", request_body = WindowRequest,
    responses((status = 201, body = WindowAnswer), Problems))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<WindowRequest>,
) -> Result<(StatusCode, Json<WindowAnswer>), Problem> {
    caller.require(Action::Create, Resource::MaintenanceWindow)?;
    let site = app.site.clone();
    let maintenance_window = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let now = change.now;
            let blank = MaintenanceWindow {
                id: change.identifier(),
                sequence_number: 0,
                description: None,
                public_words: None,
                start_at: now,
                end_at: now,
                created_by: caller.user_id().cloned(),
                created_at: now,
                deleted_at: None,
            };
            let (mut window, services) =
                check(change.tx, &request.maintenance_window, blank, now, Vec::new())?;
            window.sequence_number = crate::numbers::next(change.tx, "maintenance_windows")?;
            rows::put_window(change.tx, &window, &services)?;
            let made = changed(&window).telling(&Value::Null, &told(&window, &services));
            audit::record(change, &caller, AuditAction::Create, &made);
            follow(change, &services)?;
            shown(change.tx, &window, &site)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(WindowAnswer { maintenance_window })))
}

/// One maintenance window.
#[utoipa::path(get, path = "/maintenance_windows/{id}", tag = "Maintenance", params(("id" = String, Path), Include),
    responses((status = 200, body = WindowAnswer), Problems))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<MaintenanceWindowId>,
    Query(include): Query<Include>,
) -> Result<Json<WindowAnswer>, Problem> {
    caller.require(Action::View, Resource::MaintenanceWindow)?;
    let (site, now) = (app.site.clone(), app.clock.now());
    app.read(move |tx| {
        let window = present(tx, &id)?;
        let mut maintenance_window = shown(tx, &window, &site)?;
        let windows = std::slice::from_mut(&mut maintenance_window);
        expand(&include, &OF_WINDOWS, windows, |kind, ids| {
            wholes::load(tx, &site, now, kind, ids)
        })?;
        Ok(Json(WindowAnswer { maintenance_window }))
    })
    .await
}

/// Changes planned or running work.
#[utoipa::path(put, path = "/maintenance_windows/{id}", tag = "Maintenance", params(("id" = String, Path)),
    request_body = WindowRequest, responses((status = 200, body = WindowAnswer), Problems))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<MaintenanceWindowId>,
    Body(request): Body<WindowRequest>,
) -> Result<Json<WindowAnswer>, Problem> {
    caller.require(Action::Change, Resource::MaintenanceWindow)?;
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        let before = present(change.tx, &id)?;
        let kept = services_of(change.tx, &id)?;
        let now = change.now;
        let was = told(&before, &kept);
        let (window, services) = check(change.tx, &request.maintenance_window, before, now, kept.clone())?;
        rows::put_window(change.tx, &window, &services)?;
        let changed = changed(&window).telling(&was, &told(&window, &services));
        audit::record(change, &caller, AuditAction::Update, &changed);
        follow(change, &[kept, services].concat())?;
        Ok(Json(WindowAnswer {
            maintenance_window: shown(change.tx, &window, &site)?,
        }))
    })
    .await
}

/// Removes a window that lies ahead, or ends one that is running.
#[utoipa::path(delete, path = "/maintenance_windows/{id}", tag = "Maintenance", params(("id" = String, Path)),
    responses((status = 204), Problems))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<MaintenanceWindowId>,
) -> Result<StatusCode, Problem> {
    caller.require_for_own(Action::Change, Resource::MaintenanceWindow)?;
    app.change(caller.agent(), move |change| {
        let mut window = present(change.tx, &id)?;
        let ids = [id.to_string()];
        let covered = rows::window_services(change.tx, &ids)?;
        let teams = rows::window_teams(change.tx, &ids)?;
        require_delete(&caller, &window, &covered, &teams)?;
        if window.end_at <= change.now {
            return Err(Problem::refused(
                5003,
                "A maintenance window that is over cannot be cancelled.",
            ));
        }
        let services: Vec<String> = covered.into_iter().map(|(_, service, _)| service).collect();
        if window.start_at > change.now {
            rows::delete_window(change.tx, &id, change.now)?;
        } else {
            window.end_at = change.now;
            rows::put_window(change.tx, &window, &services)?;
        }
        audit::record(change, &caller, AuditAction::Delete, &changed(&window));
        follow(change, &services)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
