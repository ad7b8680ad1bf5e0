//! Impact over the API: Muster's own document, and the dialect's lists of hurt business services.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::jobs;
use super::model::{HurtAccounts, HurtLocations, HurtService, HurtTouchpoint, Impact, LossPerHour, Relation};
use super::store as rows;
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Head, Path, Problem, Problems, Query, Reference, Site};
use crate::incidents::{Incident, IncidentId};
use crate::jobs::{Kind as JobKind, Owed};
use crate::timeline::Agent;

/// Open incidents that are looked at for the list of hurt business services.
const MOST_INCIDENTS: i64 = 1_000;
/// Business services in one answer, as the dialect has it.
const MOST_SERVICES: usize = 200;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(of_incident))
        .routes(routes!(say_by_hand))
        .routes(routes!(of_everything))
}

/// The impact of one incident.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ImpactAnswer {
    pub impact: ImpactView,
}

/// Whom an incident hurts.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ImpactView {
    #[serde(flatten)]
    head: Head,
    incident: Reference,
    /// Counts the changes of this document; 0 while nobody has needed it.
    revision: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    changed_at: Option<Timestamp>,
    /// Technical services: those that broke and those that stand on them.
    services: Vec<HurtService>,
    touchpoints: Vec<HurtTouchpoint>,
    locations: HurtLocations,
    accounts: HurtAccounts,
    cases: LinkedCases,
    /// One estimate for each currency.
    loss_per_hour: Vec<LossPerHour>,
    /// The same from the beginning until now, or until the end.
    loss_so_far: Vec<LossPerHour>,
}

#[derive(Debug, serde::Serialize, ToSchema)]
struct LinkedCases {
    linked: i64,
}

/// Show whom an incident hurts: touchpoints, locations, customers and the loss an hour, each with the way to it.
#[utoipa::path(
    get, path = "/incidents/{id}/impact", tag = "Impact",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The impact", body = ImpactAnswer), Problems)
)]
async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<ImpactAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let names_customers = caller.may(Action::View, Resource::Account);
    let id = IncidentId::from(id);
    let asked = id.clone();
    let (impact, current) = app
        .read(move |tx| -> Result<_, Problem> {
            let incident = load(tx, &asked)?;
            let stored = rows::find(tx, &asked)?;
            let mut fresh = rows::current(tx, &incident, stored.as_ref())?;
            let current = stored.as_ref().is_some_and(|stored| stored.document == fresh);
            if !names_customers {
                fresh.accounts.top.clear();
            }
            Ok((view(&incident, &fresh, stored.as_ref(), now, &site), current))
        })
        .await?;
    if !current {
        // The graph or the catalogue changed beside the incident: the document follows.
        app.change(Agent::muster(), move |change| -> Result<(), Problem> {
            let now = change.now;
            Ok(change.owe(&Owed::now(JobKind::ImpactDue, id.as_str(), now))?)
        })
        .await?;
    }
    Ok(axum::Json(ImpactAnswer { impact }))
}

fn load(tx: &mut Tx, id: &IncidentId) -> Result<Incident, Problem> {
    crate::incidents::store::find(tx, id)?.ok_or_else(|| Problem::not_found("The incident"))
}

/// The document with what belongs to its moment: age, loss so far, references.
pub fn view(
    incident: &Incident,
    impact: &Impact,
    stored: Option<&rows::Stored>,
    now: Timestamp,
    site: &Site,
) -> ImpactView {
    let until = incident.resolved_at.unwrap_or(now);
    let seconds = until.duration_since(incident.created_at).as_secs().max(0);
    let so_far: Vec<LossPerHour> = impact
        .loss_per_hour
        .iter()
        .map(|loss| {
            let of = |amount: i64| {
                i64::try_from(i128::from(amount) * i128::from(seconds) / 3_600).unwrap_or(i64::MAX)
            };
            LossPerHour {
                currency: loss.currency.clone(),
                low: of(loss.low),
                likely: of(loss.likely),
                high: of(loss.high),
            }
        })
        .collect();
    let title = format!("[#{}] {}", incident.number, incident.title);
    ImpactView {
        head: Head {
            id: incident.id.to_string(),
            kind: "impact".to_owned(),
            summary: Some(impact.sentence()),
            api_url: Some(site.url(&format!("/incidents/{}/impact", incident.id))),
            html_url: Some(site.html_url("incidents", incident.id.as_str())),
        },
        incident: site.reference("incident", "incidents", incident.id.as_str(), title),
        revision: stored.map_or(0, |stored| stored.revision),
        changed_at: stored.map(|stored| stored.changed_at),
        services: impact.services.clone(),
        touchpoints: impact.touchpoints.clone(),
        locations: impact.locations.clone(),
        accounts: impact.accounts.clone(),
        cases: LinkedCases { linked: impact.cases },
        loss_per_hour: impact.loss_per_hour.clone(),
        loss_so_far: so_far,
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Only these business services.
    #[serde(rename = "ids[]")]
    ids: Vec<String>,
}

/// A business service, and whether it is hurt.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ServiceImpact {
    id: String,
    /// `business_service`
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    status: Relation,
    additional_fields: ImpactingPriority,
}

#[derive(Debug, serde::Serialize, ToSchema)]
struct ImpactingPriority {
    /// Of the open incidents that hurt it.
    highest_impacting_priority: Option<PriorityPlace>,
}

#[derive(Debug, serde::Serialize, ToSchema)]
struct PriorityPlace {
    id: String,
    /// Its place on the ladder.
    order: i64,
}

#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ImpactTotals {
    total_impacted_count: usize,
}

/// What was said.
#[derive(Debug, serde::Serialize, ToSchema)]
struct RelationAnswer {
    relation: Relation,
}

/// Business services and whether they are hurt.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ImpactsAnswer {
    pub services: Vec<ServiceImpact>,
    pub limit: i64,
    pub more: bool,
    pub additional_fields: ImpactTotals,
}

/// List the business services that one incident hurts.
#[utoipa::path(
    get, path = "/incidents/{id}/business_services/impacts", tag = "Impact",
    params(Wanted, ("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "Under `services`", body = ImpactsAnswer), Problems)
)]
async fn of_incident(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<ImpactsAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let incident = load(tx, &IncidentId::from(id.as_str()))?;
            let stored = rows::find(tx, &incident.id)?;
            let impact = rows::current(tx, &incident, stored.as_ref())?;
            let priorities = Priorities::read(tx)?;
            let highest = priorities.of(&incident);
            let hurt: Vec<Hurt> = impact
                .touchpoints
                .iter()
                .map(|one| Hurt {
                    id: one.id.clone(),
                    name: one.name.clone(),
                    priority: highest.clone(),
                    since: Some(incident.created_at),
                })
                .collect();
            Ok(answer(hurt, &wanted.ids))
        })
        .await?;
    Ok(axum::Json(answer))
}

/// List business services, those that open incidents hurt most first.
#[utoipa::path(
    get, path = "/business_services/impacts", tag = "Impact", params(Wanted),
    responses((status = 200, description = "Under `services`", body = ImpactsAnswer), Problems)
)]
async fn of_everything(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<ImpactsAnswer>, Problem> {
    caller.require(Action::View, Resource::BusinessService)?;
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let priorities = Priorities::read(tx)?;
            let mut hurt: HashMap<String, (Option<(i64, String)>, Timestamp)> = HashMap::new();
            for (incident, impact) in rows::of_open(tx, MOST_INCIDENTS)? {
                for touchpoint in impact.touchpoints {
                    let own = priorities.of(&incident);
                    let known = hurt
                        .entry(touchpoint.id)
                        .or_insert((own.clone(), incident.created_at));
                    known.1 = known.1.max(incident.created_at);
                    known.0 = match (known.0.take(), own) {
                        (Some(one), Some(other)) => Some(one.min(other)),
                        (one, other) => one.or(other),
                    };
                }
            }
            let all = rows::touchpoint_names(tx)?
                .into_iter()
                .map(|(id, name)| {
                    let found = hurt.remove(&id);
                    Hurt {
                        id,
                        name,
                        since: found.as_ref().map(|(_, since)| *since),
                        priority: found.and_then(|(priority, _)| priority),
                    }
                })
                .collect();
            Ok(answer(all, &wanted.ids))
        })
        .await?;
    Ok(axum::Json(answer))
}

/// A business service, since when it is hurt, and by an incident of which priority.
struct Hurt {
    id: String,
    name: String,
    priority: Option<(i64, String)>,
    since: Option<Timestamp>,
}

/// Hurt ones first, then the latest, then by name.
fn answer(mut services: Vec<Hurt>, ids: &[String]) -> ImpactsAnswer {
    if !ids.is_empty() {
        services.retain(|one| ids.contains(&one.id));
    }
    services.sort_by(|one, other| {
        other
            .since
            .is_some()
            .cmp(&one.since.is_some())
            .then_with(|| other.since.cmp(&one.since))
            .then_with(|| (&one.name, &one.id).cmp(&(&other.name, &other.id)))
    });
    let total = services.iter().filter(|one| one.since.is_some()).count();
    let more = services.len() > MOST_SERVICES;
    services.truncate(MOST_SERVICES);
    ImpactsAnswer {
        services: services
            .into_iter()
            .map(|one| ServiceImpact {
                id: one.id,
                kind: "business_service",
                name: one.name,
                status: match one.since {
                    Some(_) => Relation::Impacted,
                    None => Relation::NotImpacted,
                },
                additional_fields: ImpactingPriority {
                    highest_impacting_priority: one.priority.map(|(order, id)| PriorityPlace { id, order }),
                },
            })
            .collect(),
        limit: MOST_SERVICES as i64,
        more,
        additional_fields: ImpactTotals {
            total_impacted_count: total,
        },
    }
}

/// The place of each priority on the ladder.
struct Priorities(HashMap<String, i64>);

impl Priorities {
    fn read(tx: &mut Tx) -> Result<Self, Problem> {
        let all = crate::services::store::priorities(tx)?;
        Ok(Self(
            all.into_iter()
                .map(|priority| (priority.id.to_string(), priority.position))
                .collect(),
        ))
    }

    fn of(&self, incident: &Incident) -> Option<(i64, String)> {
        let id = incident.priority_id.as_ref()?;
        let order = self.0.get(id.as_str())?;
        Some((*order, id.to_string()))
    }
}

#[derive(Debug, Deserialize, ToSchema)]
struct SaidByHand {
    relation: Relation,
}

/// Say that an incident does, or does not, hurt a business service, whatever follows from the graph.
#[utoipa::path(
    put, path = "/incidents/{id}/business_services/{business_service_id}/impacts", tag = "Impact",
    request_body = SaidByHand,
    params(("id" = String, Path, description = "The incident's id"),
        ("business_service_id" = String, Path, description = "The business service's id")),
    responses((status = 200, description = "The relation as it stands", body = RelationAnswer), Problems)
)]
async fn say_by_hand(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, business_service_id)): Path<(String, String)>,
    Body(body): Body<SaidByHand>,
) -> Result<axum::Json<RelationAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    let relation = body.relation;
    app.change(caller.agent(), move |change| -> Result<(), Problem> {
        let id = IncidentId::from(id.as_str());
        load(change.tx, &id)?;
        let name = rows::touchpoint_name(change.tx, &business_service_id)?
            .ok_or_else(|| Problem::not_found("The business service"))?;
        rows::say_by_hand(change, &id, &business_service_id, relation)?;
        audit::record(
            change,
            &caller,
            AuditAction::Update,
            &Changed {
                resource_type: "incident",
                resource_id: id.as_str(),
                resource_name: &name,
                details: json!({ "relation": relation }),
            },
        );
        jobs::renew(change, &id)
    })
    .await?;
    Ok(axum::Json(RelationAnswer { relation }))
}
