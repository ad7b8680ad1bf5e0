//! `/services/{id}/integrations`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::catalogue::vendor_name;
use super::view::{IntegrationView, integration_view};
use super::wholes::{self, OF_INTEGRATIONS};
use super::{present, teams_of};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource, token};
use crate::app::App;
use crate::http::expansion::expand;
use crate::http::faults::LONGEST_NAME;
use crate::http::{Body, Faults, Include, Path, Problem, Problems, Query, ReferenceInput};
use crate::services::model::{Integration, IntegrationId, Service, ServiceId};
use crate::services::store::{keys, services as rows};
use crate::timeline::Change;
use store::Tx;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntegrationAnswer {
    #[schema(value_type = IntegrationView)]
    pub(crate) integration: Value,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct IntegrationRequest {
    integration: IntegrationInput,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct IntegrationInput {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    vendor: Option<ReferenceInput>,
}

/// The kinds whose senders speak to a key.
const KINDS: [&str; 9] = [
    "events_api_v2_inbound_integration",
    "generic_events_api_inbound_integration",
    "event_transformer_api_inbound_integration",
    "aws_cloudwatch_inbound_integration",
    "nagios_inbound_integration",
    "pingdom_inbound_integration",
    "cloudkick_inbound_integration",
    "keynote_inbound_integration",
    "sql_monitor_inbound_integration",
];

fn check(input: &IntegrationInput, before: Integration) -> Result<Integration, Problem> {
    let mut faults = Faults::new();
    let mut integration = before;
    if input.name.is_some() || integration.name.is_empty() {
        let default = input.name.as_deref().or(Some("Events API v2"));
        integration.name = faults.name("Name", default, LONGEST_NAME);
    }
    if let Some(kind) = &input.kind {
        let kind = kind.strip_suffix("_reference").unwrap_or(kind);
        if KINDS.contains(&kind) {
            kind.clone_into(&mut integration.kind);
        } else {
            faults.add(format!("Type must be one of {}.", KINDS.join(", ")));
        }
    }
    if let Some(vendor) = &input.vendor {
        if vendor_name(&vendor.id).is_none() {
            faults.add("Vendor is not known; GET /vendors lists those that are.");
        }
        integration.vendor_id = Some(vendor.id.clone());
    }
    faults.done()?;
    Ok(integration)
}

fn owned(change: &mut Change, caller: &Caller, id: &ServiceId) -> Result<Service, Problem> {
    let service = present(change.tx, id)?;
    let teams = teams_of(change.tx, &service)?;
    caller.require_for_teams(Action::Change, Resource::Service, &teams)?;
    Ok(service)
}

fn changed(integration: &Integration) -> Changed<'_> {
    Changed::named("integration", integration.id.as_str(), &integration.name)
}

/// What the audit log tells of an integration; its key is a secret.
fn told(integration: &Integration) -> Value {
    json!({
        "type": integration.kind,
        "name": integration.name,
        "service": integration.service_id,
        "vendor": integration.vendor_id,
    })
}

/// Adds a way in for events and gives its key.
#[utoipa::path(post, path = "/services/{id}/integrations", tag = "Services", params(("id" = String, Path)),
    request_body = IntegrationRequest, responses((status = 201, body = IntegrationAnswer), Problems))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<ServiceId>,
    Body(request): Body<IntegrationRequest>,
) -> Result<(StatusCode, Json<IntegrationAnswer>), Problem> {
    let site = app.site.clone();
    let integration = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let service = owned(change, &caller, &id)?;
            let (id_of_it, key) = (change.identifier(), token::integration_key());
            let stored_key = keys::sealed(change.vault, &id_of_it, &key).map_err(Problem::internal)?;
            let blank = Integration {
                id: id_of_it,
                service_id: id.clone(),
                kind: "events_api_v2_inbound_integration".to_owned(),
                name: String::new(),
                stored_key,
                vendor_id: None,
                created_at: change.now,
            };
            let integration = check(&request.integration, blank)?;
            rows::add_integration(change.tx, &integration, &key)?;
            let made = changed(&integration).telling(&Value::Null, &told(&integration));
            audit::record(change, &caller, AuditAction::Create, &made);
            Ok(integration_view(&integration, &service.name, &site))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(IntegrationAnswer { integration })))
}

/// One integration.
#[utoipa::path(get, path = "/services/{id}/integrations/{integration_id}", tag = "Services",
    params(("id" = String, Path), ("integration_id" = String, Path), Include),
    responses((status = 200, body = IntegrationAnswer), Problems))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, integration_id)): Path<(ServiceId, IntegrationId)>,
    Query(include): Query<Include>,
) -> Result<Json<IntegrationAnswer>, Problem> {
    caller.require(Action::View, Resource::Service)?;
    let (site, now) = (app.site.clone(), app.clock.now());
    app.read(move |tx| {
        let service = present(tx, &id)?;
        let integration = rows::find_integration(tx, &id, &integration_id)?
            .ok_or_else(|| Problem::not_found("The integration"))?;
        let mut integration = integration_view(&integration, &service.name, &site);
        if !sees_keys(tx, &caller, &service)? {
            integration["integration_key"] = Value::Null;
        }
        let integrations = std::slice::from_mut(&mut integration);
        expand(&include, &OF_INTEGRATIONS, integrations, |kind, ids| {
            wholes::load(tx, &site, now, kind, ids)
        })?;
        Ok(Json(IntegrationAnswer { integration }))
    })
    .await
}

/// Whoever has a key can open and resolve incidents with it, so it is shown to those alone who may change the service.
pub(super) fn sees_keys(tx: &mut Tx, caller: &Caller, service: &Service) -> Result<bool, Problem> {
    let teams = teams_of(tx, service)?;
    Ok(caller
        .require_for_teams(Action::Change, Resource::Service, &teams)
        .is_ok())
}

/// Changes an integration; its key stays.
#[utoipa::path(put, path = "/services/{id}/integrations/{integration_id}", tag = "Services",
    params(("id" = String, Path), ("integration_id" = String, Path)), request_body = IntegrationRequest,
    responses((status = 200, body = IntegrationAnswer), Problems))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, integration_id)): Path<(ServiceId, IntegrationId)>,
    Body(request): Body<IntegrationRequest>,
) -> Result<Json<IntegrationAnswer>, Problem> {
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        let service = owned(change, &caller, &id)?;
        let before = rows::find_integration(change.tx, &id, &integration_id)?
            .ok_or_else(|| Problem::not_found("The integration"))?;
        let was = told(&before);
        let integration = check(&request.integration, before)?;
        rows::set_integration(change.tx, &integration)?;
        let changed = changed(&integration).telling(&was, &told(&integration));
        audit::record(change, &caller, AuditAction::Update, &changed);
        Ok(Json(IntegrationAnswer {
            integration: integration_view(&integration, &service.name, &site),
        }))
    })
    .await
}

/// Removes an integration; events with its key are refused from then on.
#[utoipa::path(delete, path = "/services/{id}/integrations/{integration_id}", tag = "Services",
    params(("id" = String, Path), ("integration_id" = String, Path)), responses((status = 204), Problems))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, integration_id)): Path<(ServiceId, IntegrationId)>,
) -> Result<StatusCode, Problem> {
    app.change(caller.agent(), move |change| {
        owned(change, &caller, &id)?;
        let integration = rows::find_integration(change.tx, &id, &integration_id)?
            .ok_or_else(|| Problem::not_found("The integration"))?;
        rows::delete_integration(change.tx, &integration_id, change.now)?;
        audit::record(change, &caller, AuditAction::Delete, &changed(&integration));
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
