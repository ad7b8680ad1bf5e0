//! Who stands on whom: what else hurts when something breaks.
//!
//! The graph is loaded by one query and walked in memory. It holds no circles (the door refuses them), and
//! a walk visits each node once all the same.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use store::{Error, Tx, params, sql};
use utoipa::ToSchema;

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    store::TextEnum,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ServiceKind {
    Service,
    BusinessService,
}

/// A technical service or a touchpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServiceNode {
    pub kind: ServiceKind,
    pub id: String,
}

impl ServiceNode {
    pub fn technical(id: impl AsRef<str>) -> Self {
        Self {
            kind: ServiceKind::Service,
            id: id.as_ref().to_owned(),
        }
    }

    pub fn business(id: impl AsRef<str>) -> Self {
        Self {
            kind: ServiceKind::BusinessService,
            id: id.as_ref().to_owned(),
        }
    }
}

/// `supporting` carries `dependent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    pub supporting: ServiceNode,
    pub dependent: ServiceNode,
}

/// A node that a walk came to, by a shortest way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    pub node: ServiceNode,
    /// 0 for the start itself.
    pub hops: usize,
    /// From the start to the node, both included.
    pub path: Vec<ServiceNode>,
}

#[derive(Debug, Clone, Default)]
pub struct Graph {
    dependents: HashMap<ServiceNode, Vec<ServiceNode>>,
    supporting: HashMap<ServiceNode, Vec<ServiceNode>>,
}

impl Graph {
    pub fn of(edges: impl IntoIterator<Item = Edge>) -> Self {
        let mut graph = Self::default();
        for Edge {
            supporting,
            dependent,
        } in edges
        {
            graph
                .dependents
                .entry(supporting.clone())
                .or_default()
                .push(dependent.clone());
            graph.supporting.entry(dependent).or_default().push(supporting);
        }
        graph
    }

    /// The starts and everything that stands on them, nearest first.
    pub fn dependents_of(&self, starts: &[ServiceNode]) -> Vec<Reached> {
        walk(starts, &self.dependents)
    }

    /// The starts and everything that they stand on, nearest first.
    pub fn supporting_of(&self, starts: &[ServiceNode]) -> Vec<Reached> {
        walk(starts, &self.supporting)
    }

    /// The way from `dependent` to `supporting` that a new edge between the two would close to a circle.
    pub fn circle_closed_by(&self, edge: &Edge) -> Option<Vec<ServiceNode>> {
        self.dependents_of(std::slice::from_ref(&edge.dependent))
            .into_iter()
            .find(|reached| reached.node == edge.supporting)
            .map(|reached| reached.path)
    }
}

fn walk(starts: &[ServiceNode], next: &HashMap<ServiceNode, Vec<ServiceNode>>) -> Vec<Reached> {
    // For each node the one it was first reached from.
    let mut from: HashMap<&ServiceNode, (usize, Option<&ServiceNode>)> = HashMap::new();
    let mut queue: VecDeque<&ServiceNode> = VecDeque::new();
    let mut order: Vec<&ServiceNode> = Vec::new();
    for start in starts {
        if from.insert(start, (0, None)).is_none() {
            queue.push_back(start);
            order.push(start);
        }
    }
    while let Some(node) = queue.pop_front() {
        let hops = from.get(node).map_or(0, |(hops, _)| *hops);
        for neighbour in next.get(node).into_iter().flatten() {
            if !from.contains_key(neighbour) {
                from.insert(neighbour, (hops + 1, Some(node)));
                queue.push_back(neighbour);
                order.push(neighbour);
            }
        }
    }
    order
        .into_iter()
        .map(|node| {
            let mut path = vec![node.clone()];
            let mut at = node;
            while let Some((_, Some(previous))) = from.get(at) {
                path.push((*previous).clone());
                at = previous;
            }
            path.reverse();
            Reached {
                node: node.clone(),
                hops: path.len() - 1,
                path,
            }
        })
        .collect()
}

/// All dependencies as a graph.
pub fn load(tx: &mut Tx) -> Result<Graph, Error> {
    Ok(Graph::of(edges(tx)?))
}

/// All dependencies, by one query.
pub fn edges(tx: &mut Tx) -> Result<Vec<Edge>, Error> {
    let rows: Vec<(ServiceKind, String, ServiceKind, String)> = tx.rows(
        sql!(
            "SELECT supporting_type, supporting_id, dependent_type, dependent_id
             FROM service_dependencies ORDER BY id"
        ),
        params![],
    )?;
    Ok(rows
        .into_iter()
        .map(
            |(supporting_kind, supporting_id, dependent_kind, dependent_id)| Edge {
                supporting: ServiceNode {
                    kind: supporting_kind,
                    id: supporting_id,
                },
                dependent: ServiceNode {
                    kind: dependent_kind,
                    id: dependent_id,
                },
            },
        )
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(supporting: &str, dependent: &str) -> Edge {
        Edge {
            supporting: ServiceNode::technical(supporting),
            dependent: ServiceNode::technical(dependent),
        }
    }

    #[test]
    fn everything_above_is_reached_once_by_the_shortest_way() {
        let graph = Graph::of([
            edge("database", "terminals"),
            edge("terminals", "payments"),
            edge("payments", "checkout"),
            edge("database", "checkout"),
            edge("mail", "newsletter"),
        ]);
        let reached = graph.dependents_of(&[ServiceNode::technical("database")]);
        let told: Vec<(&str, usize)> = reached
            .iter()
            .map(|one| (one.node.id.as_str(), one.hops))
            .collect();
        assert_eq!(
            told,
            [
                ("database", 0),
                ("terminals", 1),
                ("checkout", 1),
                ("payments", 2)
            ]
        );
        let payments: Vec<&str> = reached[3].path.iter().map(|node| node.id.as_str()).collect();
        assert_eq!(payments, ["database", "terminals", "payments"]);
    }

    #[test]
    fn a_circle_is_found_before_it_is_closed() {
        let graph = Graph::of([edge("a", "b"), edge("b", "c")]);
        assert!(graph.circle_closed_by(&edge("a", "c")).is_none());
        let circle = graph.circle_closed_by(&edge("c", "a")).unwrap();
        let names: Vec<&str> = circle.iter().map(|node| node.id.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert!(graph.circle_closed_by(&edge("a", "a")).is_some());
    }

    #[test]
    fn a_circle_that_is_there_all_the_same_does_not_trap_a_walk() {
        let graph = Graph::of([edge("a", "b"), edge("b", "a")]);
        assert_eq!(graph.dependents_of(&[ServiceNode::technical("a")]).len(), 2);
    }
}
