//! What an incident hurts, as far as an update or a status page says it: touchpoints, how badly, and where.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use store::{Error, Tx, Value, params, sql};
use utoipa::ToSchema;

use crate::impact::store as impact;
use crate::incidents::{Incident, IncidentId, Urgency, store as incidents};
use crate::services::graph::{self, Graph, ServiceKind, ServiceNode};
use crate::services::{BusinessServiceId, PriorityId};

/// Open incidents that are looked at together; beyond this the oldest are left out.
const MOST_INCIDENTS: i64 = 1_000;

/// How badly a touchpoint is hurt, the mildest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, store::TextEnum, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    Slow,
    PartlyDown,
    Down,
}

/// A touchpoint and what it says about itself to customers and staff.
#[derive(Debug, Clone, store::FromRow)]
pub struct Touchpoint {
    pub id: BusinessServiceId,
    pub name: String,
    pub fallback: Option<String>,
    pub words_to_say: Option<String>,
}

/// How much an incident counts towards what the public is told; `None` for what nobody outside notices.
///
/// A priority is a person's judgement and comes first. Without one an urgent incident hurts a part, and one of
/// low urgency is not shown.
pub fn harm_of(incident: &Incident) -> Option<Harm> {
    match (
        incident.priority_id.as_ref().map(PriorityId::as_str),
        incident.urgency,
    ) {
        (Some("QP1000000000P1"), _) => Some(Harm::Down),
        (Some("QP2000000000P2"), _) => Some(Harm::PartlyDown),
        (Some("QP3000000000P3"), _) => Some(Harm::Slow),
        (Some("QP4000000000P4" | "QP5000000000P5"), _) | (_, Urgency::Low) => None,
        (_, Urgency::High) => Some(Harm::PartlyDown),
    }
}

/// The touchpoints that stand on the incident's service, the most harmful loss first.
pub fn touchpoints_of(tx: &mut Tx, incident: &Incident) -> Result<Vec<Touchpoint>, Error> {
    let graph = graph::load(tx)?;
    let ids = business_ids(&graph, incident);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    touchpoints(tx, &ids)
}

fn touchpoints(tx: &mut Tx, ids: &[String]) -> Result<Vec<Touchpoint>, Error> {
    tx.rows(
        sql!(
            "SELECT id, name, fallback, words_to_say FROM business_services
             WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY harm_weight DESC, id"
        ),
        params![Value::texts(ids)],
    )
}

fn business_ids(graph: &Graph, incident: &Incident) -> Vec<String> {
    graph
        .dependents_of(&[ServiceNode::technical(incident.service_id.as_str())])
        .into_iter()
        .filter(|reached| reached.node.kind == ServiceKind::BusinessService)
        .map(|reached| reached.node.id)
        .collect()
}

/// What hurts one touchpoint now.
#[derive(Debug, Clone)]
pub struct Hurt {
    pub harm: Harm,
    pub incident_ids: Vec<IncidentId>,
}

/// All touchpoints that open incidents hurt, by their ids.
pub fn hurt_touchpoints(tx: &mut Tx) -> Result<HashMap<String, Hurt>, Error> {
    let open = incidents::open(tx, MOST_INCIDENTS)?;
    let mut hurt: HashMap<String, Hurt> = HashMap::new();
    if open.is_empty() {
        return Ok(hurt);
    }
    let graph = graph::load(tx)?;
    for incident in &open {
        let Some(harm) = harm_of(incident) else { continue };
        for id in business_ids(&graph, incident) {
            let entry = hurt.entry(id).or_insert(Hurt {
                harm,
                incident_ids: Vec::new(),
            });
            entry.harm = entry.harm.max(harm);
            entry.incident_ids.push(incident.id.clone());
        }
    }
    Ok(hurt)
}

/// Places, by name: those that an alert, a case or their own staff named; where none was named, all that use what
/// is hurt. The same answer that the incident room shows.
pub fn places_of(tx: &mut Tx, incident: &Incident) -> Result<Vec<String>, Error> {
    let stored = impact::find(tx, &incident.id)?;
    let document = impact::current(tx, incident, stored.as_ref())?;
    let hurt: HashSet<&str> = document.hurt_site_ids().into_iter().collect();
    let mut names: Vec<String> = document
        .locations
        .sites
        .iter()
        .filter(|site| hurt.contains(site.id.as_str()))
        .map(|site| site.name.clone())
        .collect();
    names.sort_unstable();
    Ok(names)
}
