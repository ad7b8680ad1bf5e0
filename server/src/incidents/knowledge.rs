//! What the `triage` crate is told of this installation: who stands on whom, by name, and what earlier incidents looked
//! like.
//!
//! Everything is read from the database at the moment of the question, so every node gives the same answer, and nothing
//! has to be rebuilt after a restart.

use std::collections::HashMap;

use jiff::Timestamp;
use store::{Error, Tx, params, query, sql};
use triage::{Signal, Symptom, Topology};

use super::model::IncidentId;
use crate::services::graph::{self, ServiceKind, ServiceNode};

/// The dependency graph of the services under the names that people read, because the reasons name places.
pub struct Landscape {
    pub topology: Topology,
    names: HashMap<ServiceNode, String>,
    nodes: HashMap<String, ServiceNode>,
}

impl Landscape {
    pub fn read(tx: &mut Tx) -> Result<Self, Error> {
        let rows: Vec<(ServiceKind, String, String)> = tx.rows(
            sql!(
                "SELECT 'service', id, name FROM services WHERE deleted_at IS NULL
                 UNION ALL SELECT 'business_service', id, name FROM business_services WHERE deleted_at IS NULL
                 ORDER BY 1, 2"
            ),
            params![],
        )?;
        let mut names = HashMap::new();
        let mut nodes: HashMap<String, ServiceNode> = HashMap::new();
        for (kind, id, name) in rows {
            // Two of a name are told apart by their ids.
            let name = if nodes.contains_key(&name) {
                format!("{name} ({id})")
            } else {
                name
            };
            let node = ServiceNode { kind, id };
            nodes.insert(name.clone(), node.clone());
            names.insert(node, name);
        }
        let mut topology = Topology::default();
        for name in nodes.keys().collect::<std::collections::BTreeSet<_>>() {
            topology.add(name);
        }
        for edge in graph::edges(tx)? {
            if let (Some(dependent), Some(supporting)) =
                (names.get(&edge.dependent), names.get(&edge.supporting))
            {
                topology.add_dependency(dependent, supporting);
            }
        }
        Ok(Self {
            topology,
            names,
            nodes,
        })
    }

    /// The name of a technical service; its id where it is gone.
    pub fn name_of<'a>(&'a self, service_id: &'a str) -> &'a str {
        self.names
            .get(&ServiceNode::technical(service_id))
            .map_or(service_id, String::as_str)
    }

    pub fn node(&self, name: &str) -> Option<&ServiceNode> {
        self.nodes.get(name)
    }

    /// Where an alert happened: the service that its source or component is called after, else its own.
    pub fn place_of<'a>(
        &'a self,
        source: &'a str,
        component: Option<&'a str>,
        service_id: &'a str,
    ) -> &'a str {
        [Some(source), component]
            .into_iter()
            .flatten()
            .find(|name| self.node(name).is_some())
            .unwrap_or_else(|| self.name_of(service_id))
    }

    /// Ids of the technical services within `hops` steps of one, itself included, in either direction.
    pub fn services_near(&self, service_id: &str, hops: u8) -> Vec<String> {
        let Some(start) = self.topology.node(self.name_of(service_id)) else {
            return vec![service_id.to_owned()];
        };
        let near = self.topology.neighbourhood(start, hops);
        let nodes = near
            .iter()
            .filter_map(|(node, _)| self.node(self.topology.name(*node)));
        let mut ids: Vec<String> = nodes
            .filter(|node| node.kind == ServiceKind::Service)
            .map(|node| node.id.clone())
            .collect();
        ids.sort_unstable();
        ids
    }
}

/// What is read of an alert to judge a cascade.
#[derive(Debug, Clone)]
pub struct Sign {
    pub incident_id: IncidentId,
    pub service_id: String,
    pub summary: String,
    pub source: String,
    pub component: Option<String>,
    pub class: Option<String>,
    pub created_at: Timestamp,
    /// Class, or the summary without its values.
    kind: String,
}

/// The alerts of incidents, in the order in which they came, at most `limit`.
pub fn signs(tx: &mut Tx, incidents: &[IncidentId], limit: i64) -> Result<Vec<Sign>, Error> {
    let ids: Vec<String> = incidents.iter().map(|id| id.as_str().to_owned()).collect();
    let rows: Vec<(
        IncidentId,
        String,
        String,
        String,
        Option<String>,
        Option<String>,
        Timestamp,
    )> = query!(
        "SELECT incident_id, service_id, summary, source, component, class, created_at FROM alerts
         WHERE incident_id = ANY($incidents) ORDER BY id LIMIT $limit"
    )
    .bind("incidents", store::Value::texts(&ids))
    .bind("limit", limit)
    .rows(tx)?;
    Ok(rows
        .into_iter()
        .map(
            |(incident_id, service_id, summary, source, component, class, created_at)| Sign {
                kind: class
                    .clone()
                    .filter(|class| !class.is_empty())
                    .unwrap_or_else(|| triage::mask(&summary)),
                incident_id,
                service_id,
                summary,
                source,
                component,
                class,
                created_at,
            },
        )
        .collect())
}

impl Sign {
    /// Where it happened.
    pub fn place<'a>(&'a self, landscape: &'a Landscape) -> &'a str {
        landscape.place_of(&self.source, self.component.as_deref(), &self.service_id)
    }

    pub fn symptom<'a>(&'a self, landscape: &'a Landscape) -> Symptom<'a> {
        Symptom {
            place: self.place(landscape),
            signal: Signal::Alert,
            kind: &self.kind,
            count: 1,
            at: Some(self.created_at),
            deviation: None,
            noticed_by: None,
        }
    }
}
