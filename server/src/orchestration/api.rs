//! `/event_orchestrations/services/{service_id}`.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::input::{self, PathRequest};
use super::model::{Actions, Condition, EventAction, Extraction, Orchestration, Rules, Severity, Variable};
use super::store as rows;
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Path, Problem, Problems, Reference, Site};
use crate::oncall::EscalationPolicyId;
use crate::oncall::store::teams_of_policy;
use crate::people::UserId;
use crate::services::{Service, ServiceId};
use crate::timeline::Change;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show, update))
        .routes(routes!(show_active, update_active))
}

/// The rules of a service.
#[derive(Debug, Serialize, ToSchema)]
pub struct PathAnswer {
    pub orchestration_path: PathView,
}

/// The rules themselves.
#[derive(Debug, Serialize, ToSchema)]
pub struct PathView {
    /// `service`
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "self")]
    api_url: String,
    /// The service.
    parent: Reference,
    /// An event begins in the set `start`.
    sets: Vec<RuleSetView>,
    /// What is done with events that no rule fits.
    catch_all: CatchAllView,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    created_by: Option<Reference>,
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
    updated_by: Option<Reference>,
    version: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct RuleSetView {
    id: String,
    /// Tried one after the other.
    rules: Vec<EventRuleView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct EventRuleView {
    id: String,
    label: Option<String>,
    /// One of them must be true; none: always.
    conditions: Vec<Condition>,
    #[schema(value_type = ActionsView)]
    actions: Value,
    disabled: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct CatchAllView {
    #[schema(value_type = ActionsView)]
    actions: Value,
}

/// What a rule does with an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RuleActionsView)]
pub struct ActionsView {
    /// The set that goes on with the event. Not there in `catch_all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_to: Option<String>,
    /// Its alert opens no incident.
    pub suppress: Option<bool>,
    /// Seconds in which its alert may clear by itself before it opens an incident.
    pub suspend: Option<u32>,
    /// The id of a priority.
    pub priority: Option<String>,
    /// The id of the policy that is asked instead of the service's own.
    pub escalation_policy: Option<String>,
    /// A template; what it gives becomes a note of the incident.
    pub annotate: Option<String>,
    pub severity: Option<Severity>,
    pub event_action: Option<EventAction>,
    pub variables: Vec<Variable>,
    pub extractions: Vec<Extraction>,
    /// Always empty, as are the two below.
    pub automation_actions: Vec<Reference>,
    pub pagerduty_automation_actions: Vec<Reference>,
    pub incident_custom_field_updates: Vec<Reference>,
}

/// Whether the rules of a service judge its events.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct Active {
    pub active: bool,
}

/// The rules of a service on its events. A service without rules has an empty set `start`.
#[utoipa::path(get, path = "/event_orchestrations/services/{service_id}", tag = "Event orchestrations",
    params(("service_id" = String, Path, description = "The service's id")),
    responses((status = 200, description = "The rules", body = PathAnswer), Problems))]
async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ServiceId>,
) -> Result<Json<PathAnswer>, Problem> {
    caller.require(Action::View, Resource::Service)?;
    let site = app.site.clone();
    app.read(move |tx| {
        let service = present(tx, &id)?;
        answer(tx, &site, &service)
    })
    .await
}

/// Sets the rules of a service. They judge whatever arrives from then on.
#[utoipa::path(put, path = "/event_orchestrations/services/{service_id}", tag = "Event orchestrations",
    params(("service_id" = String, Path, description = "The service's id")), request_body = PathRequest,
    responses((status = 200, description = "The rules as they are now", body = PathAnswer), Problems))]
async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ServiceId>,
    Body(body): Body<Value>,
) -> Result<Json<PathAnswer>, Problem> {
    caller.require_for_own(Action::Change, Resource::Service)?;
    let site = app.site.clone();
    let sent = parsed(body).await?;
    app.change(caller.agent(), move |change| {
        let service = held(change, &caller, &id)?;
        let before = rows::find(change.tx, &id)?.map_or_else(Rules::default, |row| row.rules);
        let rules = checked(change, &sent, &before)?;
        keep(change, &caller, &service, &before, &rules)?;
        answer(change.tx, &site, &service)
    })
    .await
}

/// Whether the rules of a service judge its events.
#[utoipa::path(get, path = "/event_orchestrations/services/{service_id}/active", tag = "Event orchestrations",
    params(("service_id" = String, Path, description = "The service's id")),
    responses((status = 200, description = "Whether they do", body = Active), Problems))]
async fn show_active(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ServiceId>,
) -> Result<Json<Active>, Problem> {
    caller.require(Action::View, Resource::Service)?;
    app.read(move |tx| {
        present(tx, &id)?;
        let active = rows::find(tx, &id)?.is_none_or(|row| row.active);
        Ok(Json(Active { active }))
    })
    .await
}

/// Has the rules of a service judge its events, or rest.
#[utoipa::path(put, path = "/event_orchestrations/services/{service_id}/active", tag = "Event orchestrations",
    params(("service_id" = String, Path, description = "The service's id")), request_body = Active,
    responses((status = 200, description = "Whether they do", body = Active), Problems))]
pub(crate) async fn update_active(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ServiceId>,
    Body(wanted): Body<Active>,
) -> Result<Json<Active>, Problem> {
    caller.require_for_own(Action::Change, Resource::Service)?;
    app.change(caller.agent(), move |change| {
        let service = held(change, &caller, &id)?;
        let judging = if wanted.active {
            rows::Judging::Now
        } else {
            rows::Judging::NotNow
        };
        rows::set_judging(change, &id, judging)?;
        note(change, &caller, &service, json!({ "active": wanted.active }));
        Ok(Json(wanted))
    })
    .await
}

fn present(tx: &mut Tx, id: &ServiceId) -> Result<Service, Problem> {
    crate::services::store::find(tx, id)?.ok_or_else(|| Problem::not_found("The service"))
}

/// A service that the caller may change; nobody else changes its rules meanwhile.
pub(crate) fn held(change: &mut Change, caller: &Caller, id: &ServiceId) -> Result<Service, Problem> {
    let service = present(change.tx, id)?;
    let teams = teams_of_policy(change.tx, &service.escalation_policy_id)?;
    caller.require_for_teams(Action::Change, Resource::Service, &teams)?;
    rows::hold(change.tx, id)?;
    Ok(service)
}

/// Reads rules away from the threads that answer: compiling patterns may take a moment.
pub(crate) async fn parsed(body: Value) -> Result<input::Parsed, Problem> {
    tokio::task::spawn_blocking(move || input::parse(&body))
        .await
        .map_err(Problem::internal)?
}

/// What was sent, checked.
pub(crate) fn checked(change: &mut Change, sent: &input::Parsed, before: &Rules) -> Result<Rules, Problem> {
    let mut rules = sent.over(change.tx, before)?;
    for set in &mut rules.sets {
        for rule in set.rules.iter_mut().filter(|rule| rule.id.is_empty()) {
            rule.id = change.identifier();
        }
    }
    Ok(rules)
}

/// Keeps the rules of a service that [`held`] gave.
pub(crate) fn keep(
    change: &mut Change,
    caller: &Caller,
    service: &Service,
    before: &Rules,
    rules: &Rules,
) -> Result<(), Problem> {
    // Whoever hands incidents to another team must manage that team, too.
    let known: BTreeSet<&EscalationPolicyId> = before.policies().collect();
    for policy in rules.policies().filter(|policy| !known.contains(policy)) {
        let teams = teams_of_policy(change.tx, policy)?;
        caller.require_for_teams(Action::Change, Resource::Service, &teams)?;
    }
    rows::set_rules(change, &service.id, rules)?;
    let count = rules.all().count();
    note(change, caller, service, json!({ "rules": count }));
    Ok(())
}

fn note(change: &mut Change, caller: &Caller, service: &Service, details: Value) {
    let changed = Changed {
        resource_type: "service_orchestration",
        resource_id: service.id.as_str(),
        resource_name: &service.name,
        details,
    };
    audit::record(change, caller, AuditAction::Update, &changed);
    change.touch("services");
}

fn answer(tx: &mut Tx, site: &Site, service: &Service) -> Result<Json<PathAnswer>, Problem> {
    let kept = rows::find(tx, &service.id)?;
    let mut authors = Vec::new();
    for id in [
        kept.as_ref().and_then(|row| row.created_by.as_ref()),
        kept.as_ref().and_then(|row| row.updated_by.as_ref()),
    ] {
        authors.push(match id {
            Some(id) => Some(author(tx, site, id)?),
            None => None,
        });
    }
    Ok(Json(PathAnswer {
        orchestration_path: view(site, service, kept.as_ref(), &authors),
    }))
}

fn author(tx: &mut Tx, site: &Site, id: &UserId) -> Result<Reference, Problem> {
    let name = crate::people::store::find_user(tx, id)?.map_or_else(String::new, |user| user.name);
    Ok(site.reference("user", "users", id, name))
}

/// The resource `orchestration_path`.
fn view(
    site: &Site,
    service: &Service,
    kept: Option<&Orchestration>,
    authors: &[Option<Reference>],
) -> PathView {
    let nothing = Rules::default();
    let rules = kept.map_or(&nothing, |row| &row.rules);
    let sets = rules
        .sets
        .iter()
        .map(|set| {
            let rules = set
                .rules
                .iter()
                .map(|rule| EventRuleView {
                    id: rule.id.clone(),
                    label: rule.label.clone(),
                    conditions: rule.conditions.clone(),
                    actions: actions_view(&rule.actions),
                    disabled: rule.disabled,
                })
                .collect();
            RuleSetView {
                id: set.id.clone(),
                rules,
            }
        })
        .collect();
    let mut catch_all = actions_view(&rules.catch_all.actions);
    if let Value::Object(actions) = &mut catch_all {
        actions.remove("route_to");
    }
    PathView {
        kind: "service",
        api_url: site.api_url("event_orchestrations/services", service.id.as_str()),
        parent: site.reference("service", "services", &service.id, service.name.as_str()),
        sets,
        catch_all: CatchAllView { actions: catch_all },
        created_at: kept.map(|row| row.created_at),
        created_by: authors.first().cloned().flatten(),
        updated_at: kept.map(|row| row.updated_at),
        updated_by: authors.get(1).cloned().flatten(),
        version: kept.map(|row| row.version.to_string()),
    }
}

/// Actions with all the fields of the dialect; those that Muster does not do are empty.
pub(crate) fn actions_view(actions: &Actions) -> Value {
    let mut shown = serde_json::to_value(actions).unwrap_or_default();
    if let Value::Object(fields) = &mut shown {
        for name in [
            "automation_actions",
            "pagerduty_automation_actions",
            "incident_custom_field_updates",
        ] {
            fields.insert(name.to_owned(), json!([]));
        }
    }
    shown
}
