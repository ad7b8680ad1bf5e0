//! Changing a service or a touchpoint, switching a service off and on, and taking either away; giving what reports to
//! a service another name. Each ends in the API's own function.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use store::Tx;

use super::seen::{Seen, overtaken};
use super::service_fields::Fields;
use super::sheet::{Gone, Outcome, Sheet, line, parts_of, status_of};
use super::typed::{Belongs, Typed, Wrong};
use super::{from_json, go_to, situation, touchpoint_change};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::frame::Situation;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Link, Pick, Place, Rich};
use crate::console::screens::settings::{Button, Field, Form, SettingsPart, Weight};
use crate::http::listing::Counted;
use crate::http::{Body, Page, Path, Problem};
use crate::oncall::EscalationPolicyId;
use crate::oncall::store::{PolicyFilter, list_policies, teams_of_policies, teams_of_policy};
use crate::people::TeamId;
use crate::services::api::{integrations as integrations_api, services as api};
use crate::services::model::{Integration, Service};
use crate::services::store::services as rows;
use crate::services::{BusinessServiceId, IntegrationId, ServiceId};

/// Policies that the form offers.
const MOST_POLICIES: i64 = 500;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/services/{id}/change", get(form).post(change))
        .route("/console/services/{id}/off", post(switch_off))
        .route("/console/services/{id}/on", post(switch_on))
        .route("/console/services/{id}/remove", post(remove))
        .route(
            "/console/services/{id}/integrations/{integration_id}",
            get(name_form).post(rename),
        )
}

pub(super) fn address(id: &str) -> String {
    format!("/console/services/{id}")
}

/// Whether the caller may change (or take away) a service that pages by this policy: it belongs to its teams.
pub(super) fn may(
    tx: &mut Tx,
    caller: &Caller,
    action: Action,
    policy: &EscalationPolicyId,
) -> Result<bool, Problem> {
    let teams = teams_of_policy(tx, policy)?;
    Ok(caller
        .require_for_teams(action, Resource::Service, &teams)
        .is_ok())
}

struct Known {
    service: Service,
    policies: Vec<Pick>,
    may_remove: bool,
}

/// The service, if it is still there.
fn know(tx: &mut Tx, caller: &Caller, id: &ServiceId) -> Result<Option<Known>, Problem> {
    caller.require_for_own(Action::Change, Resource::Service)?;
    let Some(service) = crate::services::store::find(tx, id)? else {
        return Ok(None);
    };
    let teams = teams_of_policy(tx, &service.escalation_policy_id)?;
    caller.require_for_teams(Action::Change, Resource::Service, &teams)?;
    Ok(Some(Known {
        policies: policies(tx, caller)?,
        may_remove: may(tx, caller, Action::Delete, &service.escalation_policy_id)?,
        service,
    }))
}

/// Those that the caller may give a service to.
pub(super) fn policies(tx: &mut Tx, caller: &Caller) -> Result<Vec<Pick>, Problem> {
    let page = Page {
        limit: MOST_POLICIES,
        offset: 0,
        counted: Counted::No,
    };
    let policies = list_policies(tx, &PolicyFilter::default(), page)?;
    let ids: Vec<&EscalationPolicyId> = policies.iter().map(|policy| &policy.id).collect();
    let owned = teams_of_policies(tx, &ids)?;
    Ok(policies
        .iter()
        .filter(|policy| {
            let teams: Vec<TeamId> = owned
                .iter()
                .filter(|(id, _)| *id == policy.id)
                .map(|(_, team)| team.clone())
                .collect();
            caller
                .require_for_teams(Action::Change, Resource::Service, &teams)
                .is_ok()
        })
        .map(|policy| Pick::new(policy.id.as_str(), policy.name.clone()))
        .collect())
}

async fn read(app: &App, caller: &Caller, id: &str) -> Result<(Situation, Option<Known>), Problem> {
    let (caller, now, id) = (caller.clone(), app.clock.now(), ServiceId::from(id));
    app.read(move |tx| Ok((situation::read(tx, &caller, now)?, know(tx, &caller, &id)?)))
        .await
}

fn gone() -> Gone {
    Gone {
        place: Place::Services,
        what: "This service",
        back: Link::new("See all services", "/console/services"),
    }
}

/// Whether it is a touchpoint, which has a form of its own.
async fn is_touchpoint(app: &App, id: &str) -> Result<bool, Problem> {
    let id = BusinessServiceId::from(id);
    app.read(move |tx| Ok(crate::services::store::touchpoints::find(tx, &id)?.is_some()))
        .await
}

async fn form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageProblem> {
    if is_touchpoint(&app, &id).await? {
        return touchpoint_change::form(&app, &visitor, &id).await;
    }
    let (situation, known) = read(&app, &visitor.0, &id).await?;
    let known = known.ok_or_else(|| Problem::not_found("The service"))?;
    let stands = Fields::of(&known.service).drawn(&known.policies);
    Ok(draw(&app, &visitor, situation, &known, stands, &Wrong::default()))
}

async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Typed>,
) -> Result<Response, PageProblem> {
    let Posted {
        visitor,
        fields: typed,
    } = posted;
    // A touchpoint that is gone is known by the fields of its form.
    if is_touchpoint(&app, &id).await? || touchpoint_change::is_its_form(&typed) {
        return touchpoint_change::change(&app, &visitor, &id, &typed).await;
    }
    let fields = Fields::of_typed(&typed);
    let (situation, known) = read(&app, &visitor.0, &id).await?;
    let Some(known) = known else {
        return Ok(gone().shown(&app, &visitor, situation, &fields.drawn(&[])));
    };
    let drawn = fields.drawn(&known.policies);
    let stands = Fields::of(&known.service).drawn(&known.policies);
    let met = overtaken(&app, &visitor, &id, &typed, drawn.clone(), &stands).await?;
    if let Some((merged, wrong)) = met {
        return Ok(draw(&app, &visitor, situation, &known, merged, &wrong));
    }
    let outcome = match fields.body(&known.service) {
        Ok(body) => Outcome::of(put(&app, &visitor.0, &id, body).await, &Fields::belongs())?,
        Err(wrong) => Outcome::Wrong(wrong),
    };
    match outcome {
        Outcome::Done(()) => Ok(go_to(&address(&id))),
        Outcome::Wrong(wrong) => Ok(draw(&app, &visitor, situation, &known, drawn, &wrong)),
        Outcome::Gone => Ok(gone().shown(&app, &visitor, situation, &drawn)),
    }
}

async fn put(app: &Arc<App>, caller: &Caller, id: &str, body: serde_json::Value) -> Result<(), Problem> {
    let body = Body(from_json(body)?);
    api::update(
        State(app.clone()),
        caller.clone(),
        Path(ServiceId::from(id)),
        body,
    )
    .await
    .map(drop)
}

fn draw(
    app: &App,
    visitor: &Visitor,
    situation: Situation,
    known: &Known,
    fields: Vec<Field>,
    wrong: &Wrong,
) -> Response {
    let service = &known.service;
    let seen = Seen::of(&Fields::of(service).drawn(&known.policies));
    let to = address(service.id.as_str());
    let mut parts = parts_of(
        Form {
            id: "change-service",
            title: "Change it".to_owned(),
            words: "Incidents that are open keep the policy they began with.".to_owned(),
            post_to: format!("{to}/change"),
            fields: seen.hidden_in(fields),
            verb: "Change it",
            also: Vec::new(),
            back: Some(Link::new("Leave it as it is", to.clone())),
        },
        wrong,
    );
    parts.push(switch(service, &to));
    if known.may_remove {
        let question = format!("Take the service {} away?", service.name);
        parts.push(SettingsPart::Act {
            title: "Take it away".to_owned(),
            words: "Its keys stop working at once. Its incidents stay: those that are open can still be answered and resolved.".to_owned(),
            button: Button::post("Take the service away", format!("{to}/remove"), Weight::Danger(question)),
        });
    }
    let sheet = Sheet {
        place: Place::Services,
        headline: service.name.clone(),
        below: Rich::default()
            .then("A service that engineers run. ")
            .link("See how it stands", to),
        parts,
    };
    sheet.shown(app, visitor, situation, status_of(wrong))
}

fn switch(service: &Service, to: &str) -> SettingsPart {
    if service.disabled {
        SettingsPart::Act {
            title: "It is switched off".to_owned(),
            words: "Alerts that reach it are kept, but open no incident and page nobody.".to_owned(),
            button: Button::post("Switch it on", format!("{to}/on"), Weight::Plain),
        }
    } else {
        let question = format!(
            "Switch {} off? Nobody is paged for it until it is on again.",
            service.name
        );
        SettingsPart::Act {
            title: "Switch it off".to_owned(),
            words: "While it is off, alerts that reach it are kept, but open no incident and page nobody. Planned work that ends by itself is better said as maintenance.".to_owned(),
            button: Button::post("Switch it off", format!("{to}/off"), Weight::Danger(question)),
        }
    }
}

async fn switch_off(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    set_status(&app, &posted.visitor, &id, "disabled").await
}

async fn switch_on(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    set_status(&app, &posted.visitor, &id, "active").await
}

async fn set_status(
    app: &Arc<App>,
    visitor: &Visitor,
    id: &str,
    status: &str,
) -> Result<Response, PageProblem> {
    let body = json!({ "service": { "status": status } });
    match put(app, &visitor.0, id, body).await {
        Ok(()) => Ok(go_to(&address(id))),
        Err(problem) => refuse(app, visitor, gone(), problem).await,
    }
}

/// What is refused without a form: kindly, where there is nothing left to change.
pub(super) async fn refuse(
    app: &App,
    visitor: &Visitor,
    gone: Gone,
    problem: Problem,
) -> Result<Response, PageProblem> {
    if problem.status() != axum::http::StatusCode::NOT_FOUND {
        return Err(problem.into());
    }
    let situation = situation::of(app, &visitor.0).await?;
    Ok(gone.shown(app, visitor, situation, &[]))
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let visitor = posted.visitor;
    if is_touchpoint(&app, &id).await? {
        return touchpoint_change::remove(&app, &visitor, &id).await;
    }
    let path = Path(ServiceId::from(id.as_str()));
    match api::delete(State(app.clone()), visitor.0.clone(), path).await {
        Ok(_) => Ok(go_to("/console/services")),
        Err(problem) => refuse(&app, &visitor, gone(), problem).await,
    }
}

/// The service and what reports to it, for those who may change it.
async fn read_integration(
    app: &App,
    caller: &Caller,
    (id, integration_id): (&ServiceId, &IntegrationId),
) -> Result<(Situation, Option<(Service, Integration)>), Problem> {
    let (caller, now) = (caller.clone(), app.clock.now());
    let (id, integration_id) = (id.clone(), integration_id.clone());
    app.read(move |tx| {
        let situation = situation::read(tx, &caller, now)?;
        let Some(known) = know(tx, &caller, &id)? else {
            return Ok((situation, None));
        };
        let found = rows::find_integration(tx, &id, &integration_id)?;
        Ok((situation, found.map(|found| (known.service, found))))
    })
    .await
}

fn integration_gone(id: &ServiceId) -> Gone {
    Gone {
        place: Place::Services,
        what: "What reported here",
        back: Link::new("See the service", address(id.as_str())),
    }
}

async fn name_form(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, integration_id)): Path<(ServiceId, IntegrationId)>,
) -> Result<Response, PageProblem> {
    let (situation, found) = read_integration(&app, &visitor.0, (&id, &integration_id)).await?;
    let (service, integration) = found.ok_or_else(|| Problem::not_found("The integration"))?;
    let name = integration.name.clone();
    Ok(draw_name(
        &app,
        &visitor,
        situation,
        (&service, &integration),
        &name,
        &Wrong::default(),
    ))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Name {
    name: String,
}

async fn rename(
    State(app): State<Arc<App>>,
    Path((id, integration_id)): Path<(ServiceId, IntegrationId)>,
    posted: Posted<Name>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let (situation, found) = read_integration(&app, &visitor.0, (&id, &integration_id)).await?;
    let typed = [name_field(&fields.name)];
    let Some((service, integration)) = found else {
        return Ok(integration_gone(&id).shown(&app, &visitor, situation, &typed));
    };
    let body = json!({ "integration": { "name": fields.name } });
    let answer = integrations_api::update(
        State(app.clone()),
        visitor.0.clone(),
        Path((id.clone(), integration_id)),
        Body(from_json(body)?),
    )
    .await;
    match Outcome::of(answer, &[Belongs::new("Name", "name", "The name")])? {
        Outcome::Done(_) => Ok(go_to(&address(id.as_str()))),
        Outcome::Wrong(wrong) => Ok(draw_name(
            &app,
            &visitor,
            situation,
            (&service, &integration),
            &fields.name,
            &wrong,
        )),
        Outcome::Gone => Ok(integration_gone(&id).shown(&app, &visitor, situation, &typed)),
    }
}

fn name_field(name: &str) -> Field {
    line("name", "What you call it", name).hint("The tool and where it watches: “Prometheus, Leeds”.")
}

fn draw_name(
    app: &App,
    visitor: &Visitor,
    situation: Situation,
    (service, integration): (&Service, &Integration),
    name: &str,
    wrong: &Wrong,
) -> Response {
    let back = address(service.id.as_str());
    let to = format!("{back}/integrations/{}", integration.id);
    let question = format!("Take {} away? Its key stops working at once.", integration.name);
    let mut parts = parts_of(
        Form {
            id: "rename-integration",
            title: "Give it another name".to_owned(),
            words: "Its key stays as it is.".to_owned(),
            post_to: to.clone(),
            fields: vec![name_field(name)],
            verb: "Rename it",
            also: Vec::new(),
            back: Some(Link::new("Leave it as it is", back.clone())),
        },
        wrong,
    );
    parts.push(SettingsPart::Act {
        title: "Take it away".to_owned(),
        words: "Events that are sent with its key are refused from then on.".to_owned(),
        button: Button::post("Take it away", format!("{to}/remove"), Weight::Danger(question)),
    });
    let sheet = Sheet {
        place: Place::Services,
        headline: integration.name.clone(),
        below: Rich::default()
            .then("Reports to ")
            .link(service.name.clone(), back),
        parts,
    };
    sheet.shown(app, visitor, situation, status_of(wrong))
}
