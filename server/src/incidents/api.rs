//! The incident endpoints of the dialect.

use std::sync::Arc;

use crate::http::{Path, Query};
use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::dialect::{Surroundings, view};
use super::input::{CreateIncident, ManyIncidents, Merge, OneIncident, Snooze};
use super::model::{Incident, IncidentId, Status, Urgency};
use super::shapes::IncidentView;
use super::store::{self as rows, Order, Sought, Standing};
use super::wholes::{OF_INCIDENTS, expand};
use super::{actions, input, merge};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::faults::parse_instant;
use crate::http::listing::{Direction, parse_all, shown, sorted_by};
use crate::http::{Body, Include, Listing, Paging, Problem, Problems};

/// Six months, the longest of them.
const LONGEST_RANGE: SignedDuration = SignedDuration::from_hours(24 * 184);
/// Incidents one request may change.
pub const MOST_AT_ONCE: usize = 250;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create, change_many))
        .routes(routes!(count))
        .routes(routes!(show, change_one))
        .routes(routes!(merge_into))
        .routes(routes!(snooze))
        .merge(super::room_api::routes())
        .merge(super::log_api::routes())
        .merge(super::origin_api::routes())
        .merge(super::confirmed_origin_api::routes())
        .merge(super::lessons_api::routes())
        .merge(crate::alerts::api::routes())
}

/// One incident.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct IncidentAnswer {
    #[schema(value_type = IncidentView)]
    pub incident: Value,
}

/// A page of incidents.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct IncidentsAnswer {
    #[schema(value_type = Vec<IncidentView>)]
    pub incidents: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

/// What a list of incidents can be narrowed by.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Narrowing {
    /// `triggered`, `acknowledged`, `resolved`; all of them unless told.
    #[serde(rename = "statuses[]")]
    statuses: Vec<String>,
    #[serde(rename = "urgencies[]")]
    urgencies: Vec<String>,
    #[serde(rename = "service_ids[]")]
    service_ids: Vec<String>,
    #[serde(rename = "team_ids[]")]
    team_ids: Vec<String>,
    #[serde(rename = "priority_ids[]")]
    priority_ids: Vec<String>,
    /// People who have it now, so open incidents only.
    #[serde(rename = "user_ids[]")]
    user_ids: Vec<String>,
    incident_key: Option<String>,
    /// `all` lifts the usual span of one month.
    date_range: Option<String>,
    since: Option<String>,
    until: Option<String>,
    /// One or two of `incident_number`, `created_at`, `resolved_at` and `urgency`, with `:asc` or `:desc`; the first counts
    /// first.
    sort_by: Option<String>,
}

impl Narrowing {
    fn sought(&self, now: Timestamp) -> Result<Sought, Problem> {
        let mut errors = Vec::new();
        let statuses = parse_all("statuses[]", &self.statuses, Status::from_text, &mut errors);
        let urgencies = parse_all("urgencies[]", &self.urgencies, Urgency::from_text, &mut errors);
        let since = instant("since", self.since.as_deref(), &mut errors);
        let until = instant("until", self.until.as_deref(), &mut errors);
        let order = order(self.sort_by.as_deref(), &mut errors);
        let range = self.date_range.as_deref().filter(|range| !range.is_empty());
        if range.is_some_and(|range| range != "all") {
            errors.push("date_range must be all, or left out.".to_owned());
        }
        if !errors.is_empty() {
            return Err(Problem::invalid(errors));
        }
        let lifted = range.is_some() || self.incident_key.is_some();
        if let Some(since) = since
            && !lifted
            && until.unwrap_or(now).duration_since(since) > LONGEST_RANGE
        {
            return Err(Problem::refused(
                2005,
                "since and until may lie at most six months apart; date_range=all looks at everything.",
            ));
        }
        let last = until.unwrap_or(now).min(now);
        let month_ago = last.checked_sub((30 * 24).hours()).unwrap_or(last);
        let since = if lifted || !self.user_ids.is_empty() {
            None
        } else {
            since.or(Some(month_ago))
        };
        Ok(Sought {
            statuses,
            urgencies,
            service_ids: self.service_ids.clone(),
            team_ids: self.team_ids.clone(),
            priority_ids: self.priority_ids.clone(),
            user_ids: self.user_ids.clone(),
            incident_key: self.incident_key.clone(),
            since,
            until: if lifted { None } else { until },
            order,
            ..Sought::default()
        })
    }
}

pub(super) fn instant(name: &str, text: Option<&str>, errors: &mut Vec<String>) -> Option<Timestamp> {
    let text = text.filter(|text| !text.is_empty())?;
    let parsed = parse_instant(text);
    if parsed.is_none() {
        errors.push(format!("{name}: \"{}\" is not an ISO 8601 time.", shown(text)));
    }
    parsed
}

/// What incidents are sorted by: their number and their age are the same.
const SORTED_BY: [&str; 4] = ["incident_number", "created_at", "resolved_at", "urgency"];

fn order(text: Option<&str>, errors: &mut Vec<String>) -> Order {
    let mut order = Order::default();
    let mut standings = Vec::new();
    for (field, direction) in sorted_by(text, &SORTED_BY, "incidents", errors) {
        let standing = match (field, direction) {
            ("resolved_at", Direction::Ascending) => Standing::ResolvedFirst,
            ("resolved_at", Direction::Descending) => Standing::ResolvedLast,
            ("urgency", Direction::Ascending) => Standing::UrgentFirst,
            ("urgency", Direction::Descending) => Standing::UrgentLast,
            (_, direction) => {
                order.age = direction;
                break;
            }
        };
        standings.push(standing);
    }
    let mut standings = standings.into_iter();
    order.first = standings.next().unwrap_or_default();
    order.second = standings.next().unwrap_or_default();
    order
}

/// List incidents.
#[utoipa::path(
    get, path = "/incidents", tag = "Incidents", params(Narrowing, Listing, Include),
    responses((status = 200, description = "A page of incidents", body = IncidentsAnswer), Problems)
)]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(narrowing): Query<Narrowing>,
    Query(listing): Query<Listing>,
    Query(include): Query<Include>,
) -> Result<axum::Json<IncidentsAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let page = listing.page()?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let sought = narrowing.sought(now)?;
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let found = rows::list(tx, &sought, page)?;
            let (found, paging) = page.finish(found, || rows::count(tx, &sought))?;
            let around = Surroundings::read(tx, &found)?;
            let mut incidents: Vec<Value> = found.iter().map(|one| view(one, &around, &site)).collect();
            expand(tx, &site, now, &include, &OF_INCIDENTS, &mut incidents)?;
            Ok(IncidentsAnswer { incidents, paging })
        })
        .await?;
    Ok(axum::Json(answer))
}

/// How many incidents there are.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct CountAnswer {
    pub total: i64,
}

/// Count incidents.
#[utoipa::path(
    get, path = "/incidents/count", tag = "Incidents", params(Narrowing),
    responses((status = 200, description = "The number of incidents", body = CountAnswer), Problems)
)]
async fn count(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(narrowing): Query<Narrowing>,
) -> Result<axum::Json<CountAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let sought = narrowing.sought(app.clock.now())?;
    let total = app
        .read(move |tx| -> Result<_, Problem> { Ok(rows::count(tx, &sought)?) })
        .await?;
    Ok(axum::Json(CountAnswer { total }))
}

/// Show one incident.
#[utoipa::path(
    get, path = "/incidents/{id}", tag = "Incidents",
    params(("id" = String, Path, description = "The incident's id"), Include),
    responses((status = 200, description = "The incident", body = IncidentAnswer), Problems)
)]
async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(include): Query<Include>,
) -> Result<axum::Json<IncidentAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let incident = app
        .read(move |tx| -> Result<_, Problem> {
            let incident = find(tx, &id)?;
            let mut incident = one(tx, &incident, &site)?;
            if include.asks_for("custom_fields") {
                incident["custom_fields"] = json!([]);
            }
            let incidents = std::slice::from_mut(&mut incident);
            expand(tx, &site, now, &include, &OF_INCIDENTS, incidents)?;
            Ok(incident)
        })
        .await?;
    Ok(axum::Json(IncidentAnswer { incident }))
}

/// Clients show people the number, and people type it: both find the incident.
pub(super) fn find(tx: &mut store::Tx, id: &str) -> Result<Incident, Problem> {
    let found = match id.parse::<i64>() {
        Ok(number) => rows::find_by_number(tx, number)?,
        Err(_) => rows::find(tx, &IncidentId::from(id))?,
    };
    found.ok_or_else(|| Problem::not_found("The incident"))
}

pub(super) fn one(
    tx: &mut store::Tx,
    incident: &Incident,
    site: &crate::http::Site,
) -> Result<Value, store::Error> {
    let around = Surroundings::read(tx, std::slice::from_ref(incident))?;
    Ok(view(incident, &around, site))
}

/// Open an incident.
#[utoipa::path(
    post, path = "/incidents", tag = "Incidents", request_body = CreateIncident,
    responses((status = 201, description = "The incident", body = IncidentAnswer), Problems)
)]
async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<CreateIncident>,
) -> Result<(StatusCode, axum::Json<IncidentAnswer>), Problem> {
    caller.require(Action::Create, Resource::Incident)?;
    caller.require_name()?;
    let new = body.incident;
    new.check()?;
    let site = app.site.clone();
    let incident = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let incident = input::open(change, &new)?;
            let incident = actions::load(change, &incident.id)?;
            Ok(one(change.tx, &incident, &site)?)
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(IncidentAnswer { incident })))
}

/// Change one incident: its state, people, priority, title and more.
#[utoipa::path(
    put, path = "/incidents/{id}", tag = "Incidents", request_body = OneIncident,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The incident", body = IncidentAnswer), Problems)
)]
async fn change_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<OneIncident>,
) -> Result<axum::Json<IncidentAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    caller.require_name()?;
    body.incident.check("incident")?;
    let site = app.site.clone();
    let incident = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let found = find(change.tx, &id)?;
            input::apply(change, &found.id, &body.incident)?;
            let incident = actions::load(change, &found.id)?;
            Ok(one(change.tx, &incident, &site)?)
        })
        .await?;
    Ok(axum::Json(IncidentAnswer { incident }))
}

/// Many incidents that were changed together.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ChangedAnswer {
    #[schema(value_type = Vec<IncidentView>)]
    pub incidents: Vec<Value>,
}

/// Change up to 250 incidents: all of them, or none.
#[utoipa::path(
    put, path = "/incidents", tag = "Incidents", request_body = ManyIncidents,
    responses((status = 200, description = "The incidents", body = ChangedAnswer), Problems)
)]
async fn change_many(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<ManyIncidents>,
) -> Result<axum::Json<ChangedAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    caller.require_name()?;
    if body.incidents.len() > MOST_AT_ONCE {
        return Err(Problem::too_large(format!(
            "incidents: at most {MOST_AT_ONCE} may be changed at once."
        )));
    }
    for (index, one) in body.incidents.iter().enumerate() {
        one.check(&format!("incidents[{index}]"))?;
        if one.id.is_none() {
            return Err(Problem::invalid([format!("incidents[{index}].id is missing.")]));
        }
    }
    let site = app.site.clone();
    let incidents = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let mut changed = Vec::new();
            for item in &body.incidents {
                let found = find(change.tx, item.id.as_deref().unwrap_or_default())?;
                input::apply(change, &found.id, item)?;
                changed.push(actions::load(change, &found.id)?);
            }
            let around = Surroundings::read(change.tx, &changed)?;
            Ok(changed
                .iter()
                .map(|incident| view(incident, &around, &site))
                .collect())
        })
        .await?;
    Ok(axum::Json(ChangedAnswer { incidents }))
}

/// Merge other incidents into this one.
#[utoipa::path(
    put, path = "/incidents/{id}/merge", tag = "Incidents", request_body = Merge,
    params(("id" = String, Path, description = "The incident that stays")),
    responses((status = 200, description = "The incident that stays", body = IncidentAnswer), Problems)
)]
async fn merge_into(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<Merge>,
) -> Result<axum::Json<IncidentAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    caller.require_name()?;
    if body.source_incidents.is_empty() || body.source_incidents.len() > MOST_AT_ONCE {
        return Err(Problem::invalid([format!(
            "source_incidents must name between 1 and {MOST_AT_ONCE} incidents."
        )]));
    }
    let site = app.site.clone();
    let incident = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let sources: Vec<IncidentId> = body
                .source_incidents
                .iter()
                .map(|source| IncidentId::from(source.id.as_str()))
                .collect();
            let incident = merge::merge(change, &IncidentId::from(id.as_str()), &sources)?;
            Ok(one(change.tx, &incident, &site)?)
        })
        .await?;
    Ok(axum::Json(IncidentAnswer { incident }))
}

/// Let an incident rest for a while; it comes back as triggered.
#[utoipa::path(
    post, path = "/incidents/{id}/snooze", tag = "Incidents", request_body = Snooze,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 201, description = "The incident", body = IncidentAnswer), Problems)
)]
async fn snooze(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<Snooze>,
) -> Result<(StatusCode, axum::Json<IncidentAnswer>), Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    caller.require_name()?;
    let site = app.site.clone();
    let incident = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let incident = actions::snooze(change, &IncidentId::from(id.as_str()), body.duration)?;
            Ok(one(change.tx, &incident, &site)?)
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(IncidentAnswer { incident })))
}
