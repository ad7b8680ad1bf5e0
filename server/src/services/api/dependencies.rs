//! `/service_dependencies`: who stands on whom.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Tx;
use utoipa::ToSchema;

use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Path, Problem, Problems, ReferenceInput};
use crate::people::TeamId;
use crate::services::graph::{self, Edge, ServiceKind, ServiceNode};
use crate::services::store as services;
use crate::services::store::touchpoints::{self as rows, Dependency};
use crate::services::{BusinessServiceId, ServiceId};
use crate::timeline::Change;

/// Relationships one request may hold.
const MOST_AT_ONCE: usize = 250;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RelationshipsAnswer {
    relationships: Vec<DependencyView>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct RelationshipsRequest {
    relationships: Vec<RelationshipInput>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct RelationshipInput {
    supporting_service: ReferenceInput,
    dependent_service: ReferenceInput,
}

/// Understands the names that clients use for the two kinds.
fn node(tx: &mut Tx, field: &str, reference: &ReferenceInput) -> Result<ServiceNode, Problem> {
    let kind = match reference.plain_kind() {
        "service" | "technical_service" => ServiceKind::Service,
        "business_service" => ServiceKind::BusinessService,
        _ => {
            return Err(Problem::invalid([format!(
                "{field} type must be service or business_service."
            )]));
        }
    };
    rows::node_name(tx, kind, &reference.id)?
        .ok_or_else(|| Problem::refused(5002, format!("{field} was not found.")))?;
    Ok(ServiceNode {
        kind,
        id: reference.id.clone(),
    })
}

/// That one service stands on another.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DependencyView {
    id: String,
    /// `service_dependency`
    #[serde(rename = "type")]
    kind: &'static str,
    /// What the other one stands on.
    supporting_service: ServicePointer,
    dependent_service: ServicePointer,
}

/// A service or a touchpoint, without its name.
#[derive(Debug, Serialize, ToSchema)]
struct ServicePointer {
    id: String,
    /// `technical_service_reference` or `business_service_reference`.
    #[serde(rename = "type")]
    kind: &'static str,
}

fn view(dependency: &Dependency) -> DependencyView {
    let reference = |kind: ServiceKind, id: &str| {
        let kind = match kind {
            ServiceKind::Service => "technical_service_reference",
            ServiceKind::BusinessService => "business_service_reference",
        };
        ServicePointer {
            id: id.to_owned(),
            kind,
        }
    };
    DependencyView {
        id: dependency.id.to_string(),
        kind: "service_dependency",
        supporting_service: reference(dependency.supporting_type, &dependency.supporting_id),
        dependent_service: reference(dependency.dependent_type, &dependency.dependent_id),
    }
}

/// The teams of what stands on something: they say what it stands on.
fn teams_of_node(tx: &mut Tx, kind: ServiceKind, id: &str) -> Result<Vec<TeamId>, Problem> {
    match kind {
        ServiceKind::Service => match services::find(tx, &ServiceId::from(id))? {
            Some(service) => super::teams_of(tx, &service),
            None => Ok(Vec::new()),
        },
        ServiceKind::BusinessService => {
            let found = rows::find(tx, &BusinessServiceId::from(id))?;
            Ok(found.and_then(|one| one.team_id).into_iter().collect())
        }
    }
}

fn check_count(relationships: &[RelationshipInput]) -> Result<(), Problem> {
    if relationships.is_empty() || relationships.len() > MOST_AT_ONCE {
        return Err(Problem::invalid([format!(
            "Relationships must hold between 1 and {MOST_AT_ONCE} entries."
        )]));
    }
    Ok(())
}

fn record(change: &mut Change, caller: &Caller, action: AuditAction, dependency: &Dependency) {
    let details = json!(view(dependency));
    let id = dependency.id.to_string();
    let changed = Changed {
        resource_type: "service_dependency",
        resource_id: &id,
        resource_name: "Dependency",
        details,
    };
    audit::record(change, caller, action, &changed);
}

/// Says that services stand on others. A circle is refused: impact would have no end.
#[utoipa::path(post, path = "/service_dependencies/associate", tag = "Business services",
    request_body = RelationshipsRequest, responses((status = 200, body = RelationshipsAnswer), Problems))]
pub(crate) async fn associate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<RelationshipsRequest>,
) -> Result<Json<RelationshipsAnswer>, Problem> {
    caller.require_for_own(Action::Create, Resource::BusinessService)?;
    check_count(&request.relationships)?;
    app.change(caller.agent(), move |change| {
        change.tx.lock("service_dependencies")?;
        let mut relationships = Vec::new();
        for (index, wanted) in request.relationships.iter().enumerate() {
            let supporting = node(
                change.tx,
                &format!("Relationships[{index}] supporting service"),
                &wanted.supporting_service,
            )?;
            let dependent = node(
                change.tx,
                &format!("Relationships[{index}] dependent service"),
                &wanted.dependent_service,
            )?;
            let teams = teams_of_node(change.tx, dependent.kind, &dependent.id)?;
            caller.require_for_teams(Action::Create, Resource::BusinessService, &teams)?;
            if let Some(known) = rows::find_dependency(change.tx, &supporting.id, &dependent.id)? {
                relationships.push(view(&known));
                continue;
            }
            let edge = Edge {
                supporting,
                dependent,
            };
            if graph::load(change.tx)?.circle_closed_by(&edge).is_some() || edge.supporting == edge.dependent
            {
                return Err(Problem::invalid([format!(
                    "Relationships[{index}] would close a circle: the two would stand on each other."
                )]));
            }
            let dependency = Dependency {
                id: change.identifier(),
                supporting_type: edge.supporting.kind,
                supporting_id: edge.supporting.id,
                dependent_type: edge.dependent.kind,
                dependent_id: edge.dependent.id,
            };
            rows::add_dependency(change.tx, &dependency, change.now)?;
            record(change, &caller, AuditAction::Create, &dependency);
            relationships.push(view(&dependency));
        }
        change.touch("services");
        Ok(Json(RelationshipsAnswer { relationships }))
    })
    .await
}

/// Takes dependencies away.
#[utoipa::path(post, path = "/service_dependencies/disassociate", tag = "Business services",
    request_body = RelationshipsRequest, responses((status = 200, body = RelationshipsAnswer), Problems))]
pub(crate) async fn disassociate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<RelationshipsRequest>,
) -> Result<Json<RelationshipsAnswer>, Problem> {
    caller.require_for_own(Action::Delete, Resource::BusinessService)?;
    check_count(&request.relationships)?;
    app.change(caller.agent(), move |change| {
        let mut relationships = Vec::new();
        for (index, wanted) in request.relationships.iter().enumerate() {
            let (supporting, dependent) = (&wanted.supporting_service.id, &wanted.dependent_service.id);
            let known = rows::find_dependency(change.tx, supporting, dependent)?
                .ok_or_else(|| Problem::invalid([format!("Relationships[{index}] was not found.")]))?;
            let teams = teams_of_node(change.tx, known.dependent_type, &known.dependent_id)?;
            caller.require_for_teams(Action::Delete, Resource::BusinessService, &teams)?;
            rows::delete_dependency(change.tx, &known.id)?;
            record(change, &caller, AuditAction::Delete, &known);
            relationships.push(view(&known));
        }
        change.touch("services");
        Ok(Json(RelationshipsAnswer { relationships }))
    })
    .await
}

async fn of(
    app: &Arc<App>,
    caller: &Caller,
    kind: ServiceKind,
    id: String,
) -> Result<Json<RelationshipsAnswer>, Problem> {
    caller.require(Action::View, Resource::BusinessService)?;
    app.read(move |tx| {
        rows::node_name(tx, kind, &id)?.ok_or_else(|| Problem::not_found("The service"))?;
        let relationships = rows::dependencies_of(tx, &id)?.iter().map(view).collect();
        Ok(Json(RelationshipsAnswer { relationships }))
    })
    .await
}

/// What a technical service stands on, and what stands on it.
#[utoipa::path(get, path = "/service_dependencies/technical_services/{id}", tag = "Business services",
    params(("id" = String, Path)), responses((status = 200, body = RelationshipsAnswer), Problems))]
pub(crate) async fn of_service(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RelationshipsAnswer>, Problem> {
    of(&app, &caller, ServiceKind::Service, id).await
}

/// What a touchpoint stands on, and what stands on it.
#[utoipa::path(get, path = "/service_dependencies/business_services/{id}", tag = "Business services",
    params(("id" = String, Path)), responses((status = 200, body = RelationshipsAnswer), Problems))]
pub(crate) async fn of_business_service(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<RelationshipsAnswer>, Problem> {
    of(&app, &caller, ServiceKind::BusinessService, id).await
}
