//! Reading the labelled faults: topology graphs, alerts of metrics, traces and logs, and true origins.

use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Graph {
    pub(super) edges: Vec<Edge>,
}

#[derive(Deserialize)]
pub(super) struct Edge {
    pub(super) source: String,
    pub(super) target: String,
}

pub(super) fn read_graph(path: &Path) -> anyhow::Result<Graph> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}
