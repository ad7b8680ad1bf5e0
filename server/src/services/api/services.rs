//! `/services`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use super::integrations::sees_keys;
use super::service_input::{ServiceRequest, check};
use super::view::{ServiceView, views};
use super::wholes::{self, OF_SERVICES};
use super::{present, teams_of};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::expansion::expand;
use crate::http::listing::{Direction, anywhere, sorted_by_name};
use crate::http::{Body, Include, Listing, Paging, Path, Problem, Problems, Query, Site};
use crate::jobs::{self, Owed};
use crate::oncall::EscalationPolicyId;
use crate::services::model::{AlertGrouping, AutoPause, Service, ServiceId, UrgencyRule};
use crate::services::store::services::{self as rows, ServiceFilter, ServiceOrder};
use crate::timeline::Change;
use store::Tx;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceAnswer {
    #[schema(value_type = ServiceView)]
    pub(crate) service: Value,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServicesAnswer {
    #[schema(value_type = Vec<ServiceView>)]
    services: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ServicesQuery {
    /// A part of the name.
    query: Option<String>,
    /// The whole name.
    name: Option<String>,
    #[serde(rename = "team_ids[]")]
    team_ids: Vec<String>,
    /// `name` or `name:desc`.
    sort_by: Option<String>,
}

/// All services, by name.
#[utoipa::path(get, path = "/services", tag = "Services", params(Listing, Include, ServicesQuery),
    responses((status = 200, body = ServicesAnswer), Problems))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
    Query(include): Query<Include>,
    Query(asked): Query<ServicesQuery>,
) -> Result<Json<ServicesAnswer>, Problem> {
    caller.require(Action::View, Resource::Service)?;
    let include = seen_by(include, &caller);
    let page = listing.page()?;
    let filter = ServiceFilter {
        pattern: asked
            .query
            .filter(|query| !query.is_empty())
            .map(|query| anywhere(&query)),
        name: asked.name.filter(|name| !name.is_empty()),
        team_ids: asked.team_ids,
        order: match sorted_by_name(asked.sort_by.as_deref())? {
            Direction::Descending => ServiceOrder::NameDescending,
            Direction::Ascending => ServiceOrder::Name,
        },
    };
    let (site, now) = (app.site.clone(), app.clock.now());
    app.read(move |tx| {
        let found = rows::list(tx, &filter, page)?;
        let (found, paging) = page.finish(found, || rows::count(tx, &filter))?;
        let mut services = views(tx, &site, &found, &include, now)?;
        expand(&include, &OF_SERVICES, &mut services, |kind, ids| {
            wholes::load(tx, &site, now, kind, ids)
        })?;
        hide_keys(tx, &caller, &found, &mut services)?;
        Ok(Json(ServicesAnswer { services, paging }))
    })
    .await
}

/// Adds a service.
#[utoipa::path(post, path = "/services", tag = "Services", request_body = ServiceRequest,
    responses((status = 201, body = ServiceAnswer), Problems))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<ServiceRequest>,
) -> Result<(StatusCode, Json<ServiceAnswer>), Problem> {
    caller.require_for_own(Action::Create, Resource::Service)?;
    let site = app.site.clone();
    let service = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let blank = Service {
                id: change.identifier(),
                name: String::new(),
                description: None,
                escalation_policy_id: EscalationPolicyId::from(""),
                disabled: false,
                auto_resolve_timeout: None,
                acknowledgement_timeout: None,
                incident_urgency_rule: UrgencyRule::default(),
                support_hours: None,
                scheduled_actions: Vec::new(),
                alert_grouping: AlertGrouping::default(),
                auto_pause: AutoPause::default(),
                created_at: change.now,
                deleted_at: None,
            };
            let service = check(change.tx, &request.service, blank)?;
            let teams = teams_of(change.tx, &service)?;
            caller.require_for_teams(Action::Create, Resource::Service, &teams)?;
            rows::add(change.tx, &service).map_err(name_taken)?;
            let made = changed(&service).telling(&Value::Null, &told(&service));
            audit::record(change, &caller, AuditAction::Create, &made);
            change.touch("services");
            view_of(change, &site, &service)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(ServiceAnswer { service })))
}

/// One service.
#[utoipa::path(get, path = "/services/{id}", tag = "Services", params(("id" = String, Path), Include),
    responses((status = 200, body = ServiceAnswer), Problems))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ServiceId>,
    Query(include): Query<Include>,
) -> Result<Json<ServiceAnswer>, Problem> {
    caller.require(Action::View, Resource::Service)?;
    let include = seen_by(include, &caller);
    let (site, now) = (app.site.clone(), app.clock.now());
    app.read(move |tx| {
        let found = [present(tx, &id)?];
        let mut services = views(tx, &site, &found, &include, now)?;
        expand(&include, &OF_SERVICES, &mut services, |kind, ids| {
            wholes::load(tx, &site, now, kind, ids)
        })?;
        hide_keys(tx, &caller, &found, &mut services)?;
        let service = services.pop().unwrap_or_default();
        Ok(Json(ServiceAnswer { service }))
    })
    .await
}

/// Changes the fields that are sent.
#[utoipa::path(put, path = "/services/{id}", tag = "Services", params(("id" = String, Path)), request_body = ServiceRequest,
    responses((status = 200, body = ServiceAnswer), Problems))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ServiceId>,
    Body(request): Body<ServiceRequest>,
) -> Result<Json<ServiceAnswer>, Problem> {
    caller.require_for_own(Action::Change, Resource::Service)?;
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        let before = present(change.tx, &id)?;
        let teams = teams_of(change.tx, &before)?;
        caller.require_for_teams(Action::Change, Resource::Service, &teams)?;
        let was = told(&before);
        let service = check(change.tx, &request.service, before.clone())?;
        // Whoever gives it to another team's policy must manage that team, too.
        let teams = teams_of(change.tx, &service)?;
        caller.require_for_teams(Action::Change, Resource::Service, &teams)?;
        rows::set(change.tx, &service).map_err(name_taken)?;
        let hours_changed = service.support_hours != before.support_hours
            || service.scheduled_actions != before.scheduled_actions;
        if hours_changed {
            owe_new_hours(change, &service.id)?;
        }
        // It may have been switched on.
        change.owe(&Owed::now(
            jobs::Kind::SilenceEnds,
            service.id.as_str(),
            change.now,
        ))?;
        let changed = changed(&service).telling(&was, &told(&service));
        audit::record(change, &caller, AuditAction::Update, &changed);
        change.touch("services");
        Ok(Json(ServiceAnswer {
            service: view_of(change, &site, &service)?,
        }))
    })
    .await
}

/// Removes a service. Its incidents stay: those that are open can be read, answered and resolved as before.
#[utoipa::path(delete, path = "/services/{id}", tag = "Services", params(("id" = String, Path)),
    responses((status = 204), Problems))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ServiceId>,
) -> Result<StatusCode, Problem> {
    caller.require_for_own(Action::Delete, Resource::Service)?;
    app.change(caller.agent(), move |change| {
        let service = present(change.tx, &id)?;
        let teams = teams_of(change.tx, &service)?;
        caller.require_for_teams(Action::Delete, Resource::Service, &teams)?;
        rows::delete(change.tx, &id, change.now)?;
        owe_new_hours(change, &id)?;
        audit::record(change, &caller, AuditAction::Delete, &changed(&service));
        change.touch("services");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

fn view_of(change: &mut Change, site: &Site, service: &Service) -> Result<Value, Problem> {
    let now = change.now;
    let views = views(
        change.tx,
        site,
        std::slice::from_ref(service),
        &Include::default(),
        now,
    )?;
    Ok(views.into_iter().next().unwrap_or_default())
}

/// Its quiet incidents become urgent at another time now, or no longer do.
fn owe_new_hours(change: &mut Change, id: &ServiceId) -> Result<(), Problem> {
    let now = change.now;
    change.owe(&Owed::now(jobs::Kind::SupportHoursChanged, id.as_str(), now))?;
    Ok(())
}

fn name_taken(error: store::Error) -> Problem {
    if error.is_unique_on("services", &["name"]) {
        Problem::invalid(["Name has already been taken."])
    } else {
        error.into()
    }
}

/// Integrations stay references for those who may see no keys at all.
fn seen_by(include: Include, caller: &Caller) -> Include {
    if caller.may(Action::Change, Resource::Service) {
        return include;
    }
    include.without("integrations")
}

/// Takes the keys out of those services that the caller may not change. The views stand in the order of the services.
fn hide_keys(tx: &mut Tx, caller: &Caller, services: &[Service], views: &mut [Value]) -> Result<(), Problem> {
    for (service, view) in services.iter().zip(views) {
        let integrations = view["integrations"].as_array_mut();
        let mut whole = integrations
            .into_iter()
            .flatten()
            .filter(|one| one.get("integration_key").is_some())
            .peekable();
        if whole.peek().is_some() && !sees_keys(tx, caller, service)? {
            whole.for_each(|one| one["integration_key"] = Value::Null);
        }
    }
    Ok(())
}

fn changed(service: &Service) -> Changed<'_> {
    Changed::named("service", service.id.as_str(), &service.name)
}

/// What the audit log tells of a service.
fn told(service: &Service) -> Value {
    json!({
        "name": service.name,
        "description": service.description,
        "escalation_policy": service.escalation_policy_id,
        "disabled": service.disabled,
        "auto_resolve_timeout": service.auto_resolve_timeout,
        "acknowledgement_timeout": service.acknowledgement_timeout,
        "incident_urgency_rule": service.incident_urgency_rule,
        "support_hours": service.support_hours,
        "scheduled_actions": service.scheduled_actions,
        "alert_grouping_parameters": service.alert_grouping.grouping,
        "auto_pause_notifications_parameters": service.auto_pause,
    })
}
