//! The dependency graph: who stands on whom.
//!
//! Nodes are names (services, hosts, components); an edge leads from the dependent to what it depends on. The
//! graph may have cycles, loops and repeated edges; every walk is bounded in hops and in nodes visited.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    hash::{BuildHasherDefault, Hasher},
};

use serde::{Deserialize, Serialize};

use crate::{
    event::{NAME_BYTES, truncate},
    hash::stable_hash,
    work,
};

/// A node of a [`Topology`], valid for the topology that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Node(u32);

impl Node {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The largest number of nodes; names beyond it are not added.
const NODES: usize = 1 << 20;
/// The most neighbours that a question of nearness looks at.
const NEIGHBOURS: usize = 64;
/// The most nodes that one walk visits.
const VISITS: usize = 2048;

/// A directed graph of dependencies with names.
///
/// ```
/// let mut topology = triage::Topology::default();
/// topology.add_dependency("shop", "payment");
/// topology.add_dependency("payment", "database");
/// assert_eq!(topology.hops("shop", "database", 3), Some(2));
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Edges", into = "Edges")]
pub struct Topology {
    names: Vec<String>,
    nodes: HashMap<u64, Node, BuildHasherDefault<Unhashed>>,
    supporting: Vec<Vec<Node>>,
    dependent: Vec<Vec<Node>>,
    parts: Vec<Vec<Node>>,
    /// Neighbours of every sort, sorted.
    around: Vec<Vec<Node>>,
    /// Seen only through those that call them.
    external: BTreeSet<Node>,
}

/// Keys of the map are hashes already.
#[derive(Clone, Copy, Default)]
struct Unhashed(u64);

impl Hasher for Unhashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes
            .iter()
            .fold(self.0, |state, byte| state.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The stored form: names in order of their first appearance, and edges as pairs of their positions.
#[derive(Clone, Serialize, Deserialize)]
struct Edges {
    names: Vec<String>,
    dependencies: Vec<(u32, u32)>,
    #[serde(default)]
    parts: Vec<(u32, u32)>,
    #[serde(default)]
    external: Vec<u32>,
}

impl From<Edges> for Topology {
    fn from(edges: Edges) -> Self {
        let mut topology = Self::default();
        let nodes: Vec<Option<Node>> = edges.names.iter().map(|name| topology.add(name)).collect();
        let at = |position: u32| nodes.get(position as usize).copied().flatten();
        for (dependent, supporting) in edges.dependencies {
            if let (Some(dependent), Some(supporting)) = (at(dependent), at(supporting)) {
                topology.connect(dependent, supporting);
            }
        }
        for (whole, part) in edges.parts {
            if let (Some(whole), Some(part)) = (at(whole), at(part)) {
                topology.contain(whole, part);
            }
        }
        topology.external = edges.external.into_iter().filter_map(at).collect();
        topology
    }
}

impl From<Topology> for Edges {
    fn from(topology: Topology) -> Self {
        let pairs = |lists: &[Vec<Node>]| -> Vec<(u32, u32)> {
            let numbered = (0_u32..).zip(lists);
            numbered
                .flat_map(|(from, list)| list.iter().map(move |node| (from, node.0)))
                .collect()
        };
        Self {
            dependencies: pairs(&topology.supporting),
            parts: pairs(&topology.parts),
            external: topology.external.iter().map(|node| node.0).collect(),
            names: topology.names,
        }
    }
}

impl Topology {
    /// Adds a node without edges, or finds it. `None` when the graph is full, or when another name has the same
    /// hash, which does not happen by chance.
    pub fn add(&mut self, name: &str) -> Option<Node> {
        let name = truncate(name, NAME_BYTES);
        let hash = stable_hash(name);
        if let Some(node) = self.nodes.get(&hash) {
            return (self.name(*node) == name).then_some(*node);
        }
        if self.names.len() >= NODES {
            return None;
        }
        let node = Node(self.names.len() as u32);
        self.names.push(name.to_owned());
        self.nodes.insert(hash, node);
        self.supporting.push(Vec::new());
        self.dependent.push(Vec::new());
        self.parts.push(Vec::new());
        self.around.push(Vec::new());
        Some(node)
    }

    /// Says that `dependent` needs `supporting`. A loop is ignored.
    pub fn add_dependency(&mut self, dependent: &str, supporting: &str) {
        if let (Some(dependent), Some(supporting)) = (self.add(dependent), self.add(supporting)) {
            self.connect(dependent, supporting);
        }
    }

    fn connect(&mut self, dependent: Node, supporting: Node) {
        if dependent != supporting && !self.supporting[dependent.index()].contains(&supporting) {
            self.supporting[dependent.index()].push(supporting);
            self.dependent[supporting.index()].push(dependent);
            self.neighbours(dependent, supporting);
        }
    }

    /// Says that `part` is one of several that make up `whole`: an instance of a service, a member of a cluster.
    pub fn add_part(&mut self, part: &str, whole: &str) {
        if let (Some(part), Some(whole)) = (self.add(part), self.add(whole)) {
            self.contain(whole, part);
        }
    }

    fn contain(&mut self, whole: Node, part: Node) {
        if whole != part && !self.parts[whole.index()].contains(&part) {
            self.parts[whole.index()].push(part);
            self.neighbours(whole, part);
        }
    }

    fn neighbours(&mut self, one: Node, other: Node) {
        for (one, other) in [(one, other), (other, one)] {
            let around = &mut self.around[one.index()];
            if let Err(position) = around.binary_search(&other) {
                around.insert(position, other);
            }
        }
    }

    /// Says that nothing is known of a place but what its callers see: an address outside, or one that the tracing did
    /// not resolve. What is wrong there can not be told from what is wrong behind it.
    pub fn mark_external(&mut self, name: &str) {
        if let Some(node) = self.add(name) {
            self.external.insert(node);
        }
    }

    /// Whether [`Topology::mark_external`] said so.
    pub fn is_external(&self, node: Node) -> bool {
        self.external.contains(&node)
    }

    /// What the node is made of.
    pub fn parts(&self, whole: Node) -> &[Node] {
        self.parts.get(whole.index()).map_or(&[], Vec::as_slice)
    }

    /// Every node that has parts.
    pub fn wholes(&self) -> impl Iterator<Item = Node> {
        (0_u32..)
            .zip(&self.parts)
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(number, _)| Node(number))
    }

    /// The node of a name; `None` where the graph does not know it. Of a name 255 bytes are read.
    pub fn node(&self, name: &str) -> Option<Node> {
        self.node_by_hash(stable_hash(truncate(name, NAME_BYTES)))
    }

    pub(crate) fn node_by_hash(&self, hash: u64) -> Option<Node> {
        self.nodes.get(&hash).copied()
    }

    /// The distance of two nodes if it is at most 3, looking at no more than [`NEIGHBOURS`] neighbours of each, so
    /// that a hub stays cheap.
    pub(crate) fn near(&self, one: Node, other: Node) -> Option<u8> {
        if one == other {
            return Some(0);
        }
        let (first, second) = (self.around.get(one.index())?, self.around.get(other.index())?);
        let (fewer, more) = if first.len() < second.len() {
            (first, second)
        } else {
            (second, first)
        };
        let end = if first.len() < second.len() { other } else { one };
        if fewer.binary_search(&end).is_ok() {
            return Some(1);
        }
        let fewer = &fewer[..fewer.len().min(NEIGHBOURS)];
        work::count(fewer.len());
        if fewer.iter().any(|node| more.binary_search(node).is_ok()) {
            return Some(2);
        }
        let two_steps = |node: &Node| {
            let next = &self.around[node.index()];
            work::count(next.len().min(NEIGHBOURS));
            next.iter()
                .take(NEIGHBOURS)
                .any(|node| more.binary_search(node).is_ok())
        };
        fewer.iter().any(two_steps).then_some(3)
    }

    /// The name of a node, empty for one of another graph.
    pub fn name(&self, node: Node) -> &str {
        self.names.get(node.index()).map_or("", String::as_str)
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True for a graph without nodes.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// What the node depends on directly.
    pub fn supporting(&self, node: Node) -> &[Node] {
        self.supporting.get(node.index()).map_or(&[], Vec::as_slice)
    }

    /// What depends on the node directly.
    pub fn dependent(&self, node: Node) -> &[Node] {
        self.dependent.get(node.index()).map_or(&[], Vec::as_slice)
    }

    /// The length of the shortest path between two names along edges in either direction, if at most `limit`.
    pub fn hops(&self, from: &str, to: &str, limit: u8) -> Option<u8> {
        let (from, to) = (self.node(from)?, self.node(to)?);
        self.neighbourhood(from, limit)
            .into_iter()
            .find(|(node, _)| *node == to)
            .map(|(_, hops)| hops)
    }

    /// Every node within `limit` hops in either direction, nearest first, with its distance; the node itself has
    /// distance 0. At most 2,048 nodes are visited.
    pub fn neighbourhood(&self, start: Node, limit: u8) -> Vec<(Node, u8)> {
        walk(start, limit, |node| {
            self.supporting(node).iter().chain(self.dependent(node)).copied()
        })
    }

    /// Every node that `start` needs, directly or not, within `limit` steps, nearest first, itself with 0.
    pub fn needs(&self, start: Node, limit: u8) -> Vec<(Node, u8)> {
        walk(start, limit, |node| self.supporting(node).iter().copied())
    }
}

fn walk<I: Iterator<Item = Node>>(start: Node, limit: u8, next: impl Fn(Node) -> I) -> Vec<(Node, u8)> {
    let mut seen = BTreeSet::from([start]);
    let mut found = Vec::new();
    let mut queue = VecDeque::from([(start, 0)]);
    while let Some((node, hops)) = queue.pop_front() {
        found.push((node, hops));
        if hops == limit {
            continue;
        }
        for neighbour in next(node) {
            if seen.len() >= VISITS {
                break;
            }
            if seen.insert(neighbour) {
                queue.push_back((neighbour, hops + 1));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::Topology;

    fn chain() -> Topology {
        let mut topology = Topology::default();
        topology.add_dependency("a", "b");
        topology.add_dependency("b", "c");
        topology.add_dependency("c", "a");
        topology.add_dependency("c", "d");
        topology.add_dependency("d", "d");
        topology
    }

    #[test]
    fn hops_count_both_directions_and_survive_a_cycle() {
        let topology = chain();
        assert_eq!(topology.hops("a", "a", 3), Some(0));
        assert_eq!(topology.hops("a", "c", 3), Some(1));
        assert_eq!(topology.hops("a", "d", 3), Some(2));
        assert_eq!(topology.hops("a", "d", 1), None);
        assert_eq!(topology.hops("a", "unknown", 3), None);
    }

    #[test]
    fn nearness_agrees_with_the_walk() {
        let mut topology = Topology::default();
        for number in 0..40_u32 {
            topology.add_dependency(&format!("{}", number * 7 % 30), &format!("{}", number * 11 % 30));
        }
        for one in 0..30 {
            for other in 0..30 {
                let (one, other) = (one.to_string(), other.to_string());
                let near = topology
                    .node(&one)
                    .zip(topology.node(&other))
                    .and_then(|(one, other)| topology.near(one, other));
                assert_eq!(near, topology.hops(&one, &other, 3), "{one} {other}");
            }
        }
    }

    #[test]
    fn a_stored_graph_comes_back_the_same() {
        let stored = serde_json::to_string(&chain()).unwrap();
        let restored: Topology = serde_json::from_str(&stored).unwrap();
        assert_eq!(serde_json::to_string(&restored).unwrap(), stored);
        assert_eq!(restored.hops("b", "d", 3), Some(2));
    }

    #[test]
    fn edges_to_nowhere_are_dropped_on_reading() {
        let topology: Topology = serde_json::from_str(r#"{"names":["a"],"dependencies":[[0,7]]}"#).unwrap();
        assert_eq!(topology.len(), 1);
    }
}
