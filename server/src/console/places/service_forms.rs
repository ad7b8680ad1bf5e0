//! What is posted from the pages of services: adding one, connecting a tool, saying what it stands on and what
//! is said when it fails. Each is the API's own function.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::{from_json, go_to, service};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted};
use crate::http::{Body, Path, Problem};
use crate::services::api::{business_services, dependencies, integrations, services as services_api};
use crate::services::{IntegrationId, ServiceId};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/services", post(add))
        .route("/console/services/{id}/integrations", post(connect))
        .route(
            "/console/services/{id}/integrations/{integration_id}/remove",
            post(disconnect),
        )
        .route("/console/services/{id}/uses", post(also_uses))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewService {
    name: String,
    /// `technical` or `business`.
    kind: String,
    escalation_policy: String,
    description: String,
}

async fn add(State(app): State<Arc<App>>, posted: Posted<NewService>) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let description = Some(fields.description.trim()).filter(|text| !text.is_empty());
    let id = if fields.kind == "business" {
        let body = json!({ "business_service": { "name": fields.name, "description": description } });
        let answer = business_services::create(State(app), visitor.0, Body(from_json(body)?)).await?;
        answer.0.business_service["id"].clone()
    } else {
        if fields.escalation_policy.is_empty() {
            return Err(Problem::invalid([
                "Choose who is paged: a service that engineers run needs a policy.",
            ])
            .into());
        }
        let policy = json!({ "id": fields.escalation_policy, "type": "escalation_policy_reference" });
        let body = json!({ "service": {
            "name": fields.name, "description": description, "escalation_policy": policy,
        } });
        let (_, answer) = services_api::create(State(app), visitor.0, Body(from_json(body)?)).await?;
        answer.0.service["id"].clone()
    };
    Ok(go_to(&format!(
        "/console/services/{}",
        id.as_str().unwrap_or_default()
    )))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewIntegration {
    name: String,
    /// `events` or `alertmanager`.
    sender: String,
}

/// Makes a key and shows it, this once.
async fn connect(
    State(app): State<Arc<App>>,
    Path(id): Path<ServiceId>,
    posted: Posted<NewIntegration>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let body = json!({ "integration": { "name": fields.name, "type": "events_api_v2_inbound_integration" } });
    let (_, answer) = integrations::create(
        State(app.clone()),
        visitor.0.clone(),
        Path(id.clone()),
        Body(from_json(body)?),
    )
    .await?;
    let text = |field: &str| {
        answer.0.integration[field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let key = text("integration_key");
    let base = &app.settings.base_url;
    let address = match fields.sender.as_str() {
        "alertmanager" => format!("{base}/alertmanager/{key}"),
        _ => format!("{base}/v2/enqueue"),
    };
    service::draw(&app, &visitor, id.as_str(), Some((text("name"), key, address))).await
}

async fn disconnect(
    State(app): State<Arc<App>>,
    Path((id, integration_id)): Path<(ServiceId, IntegrationId)>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let back = format!("/console/services/{id}");
    integrations::delete(State(app), posted.visitor.0, Path((id, integration_id))).await?;
    Ok(go_to(&back))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Used {
    service: String,
}

async fn also_uses(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Used>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let wanted = ServiceId::from(id.as_str());
    let is_technical = app
        .read(move |tx| crate::services::store::find(tx, &wanted))
        .await?
        .is_some();
    let kind = if is_technical {
        "service"
    } else {
        "business_service"
    };
    let body = json!({ "relationships": [{
        "supporting_service": { "id": fields.service, "type": "service" },
        "dependent_service": { "id": id, "type": kind },
    }] });
    dependencies::associate(State(app), visitor.0, Body(from_json(body)?))
        .await
        .map(drop)?;
    Ok(go_to(&format!("/console/services/{id}")))
}
