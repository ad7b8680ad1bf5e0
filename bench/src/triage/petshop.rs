//! A shop of micro-services: which service is behind a slow or failing front end, from its call graph and five-minute
//! metrics. The usual spread of a metric comes from the recording without issues, its level from before the alarm.
//!
//! The published split: issues in folders `train` are for development, those in `test` held out.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context;
use serde::Deserialize;
use triage::{Origins, Signal, Symptom, Topology};

use crate::score::{Finding, bootstrap, mean};
use crate::split::Part;

#[derive(Deserialize)]
struct Issue {
    target: Target,
    root_cause: Cause,
}

#[derive(Deserialize)]
struct Target {
    node: String,
    metric: String,
    timestamp: f64,
}

#[derive(Deserialize)]
struct Cause {
    node: String,
}

/// Average of a metric of a service over time; a gap is `None`.
type Series = BTreeMap<(String, String), Vec<(f64, Option<f64>)>>;

pub(super) fn run(folder: &Path, part: Part, seed: u64) -> anyhow::Result<Vec<Finding>> {
    let usual = read_metrics(&folder.join("low_traffic/noissue/metrics.csv"))?;
    let mut ours = Vec::new();
    let mut unresolved = Vec::new();
    let mut traversal = Vec::new();
    for load in ["low_traffic", "temporal_traffic1"] {
        let (topology, plain) = read_graph(&folder.join(load).join("graph.csv"))?;
        for half in ["train", "test"] {
            if !part.takes(half == "train") {
                continue;
            }
            let mut issues: Vec<_> =
                std::fs::read_dir(folder.join(load).join(half))?.collect::<Result<Vec<_>, _>>()?;
            issues.sort_by_key(std::fs::DirEntry::file_name);
            for issue in issues {
                let target: Issue =
                    serde_json::from_str(&std::fs::read_to_string(issue.path().join("target.json"))?)?;
                let metrics = read_metrics(&issue.path().join("metrics.csv"))?;
                let deviations = deviations(&target.target, &metrics, &usual);
                ours.push(rank(&target, &deviations, &topology));
                unresolved.push(rank(&target, &deviations, &plain));
                traversal.push(traverse(&target, &deviations, &plain));
            }
        }
    }
    let hits = |ranks: &[usize], depth: usize| -> Vec<f64> {
        ranks
            .iter()
            .map(|rank| f64::from(u8::from((1..=depth).contains(rank))))
            .collect()
    };
    let mut findings = Vec::new();
    for (depth, target, published) in [(1, 0.73, 0.65), (3, 0.90, 0.83)] {
        let units = hits(&ours, depth);
        let interval = bootstrap(&units, seed, |sample| mean(sample.iter().copied()));
        let name = format!("top-{depth} (baseline as published)");
        findings.push(
            Finding::new(name, mean(&units))
                .interval(interval)
                .baseline(published)
                .target(target),
        );
        findings.push(
            Finding::new(
                format!("top-{depth}, client-side nodes taken as services"),
                mean(&hits(&unresolved, depth)),
            )
            .baseline(mean(&hits(&traversal, depth))),
        );
    }
    Ok(findings)
}

/// The call graph, once with what the tracing marks as seen from the client's side only (the types `remote` and
/// `client` at the end of a name) known as such, and once without that knowledge.
fn read_graph(path: &Path) -> anyhow::Result<(Topology, Topology)> {
    let mut reader = csv::Reader::from_path(path).with_context(|| path.display().to_string())?;
    let names: Vec<String> = reader.headers()?.iter().skip(1).map(str::to_owned).collect();
    let mut topology = Topology::default();
    for row in reader.records() {
        let row = row?;
        let caller = row.get(0).unwrap_or_default();
        for (callee, cell) in names.iter().zip(row.iter().skip(1)) {
            if cell.parse::<f64>().unwrap_or(0.0) > 0.0 {
                topology.add_dependency(caller, callee);
            }
        }
    }
    let plain = topology.clone();
    for name in &names {
        if matches!(name.rsplit_once('_'), Some((_, "remote" | "client"))) {
            topology.mark_external(name);
        }
    }
    Ok((topology, plain))
}

fn read_metrics(path: &Path) -> anyhow::Result<Series> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(path)
        .with_context(|| path.display().to_string())?;
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>()?;
    let cell = |row: usize, column: usize| rows.get(row).and_then(|row| row.get(column)).unwrap_or_default();
    let mut series = Series::new();
    let columns = rows.first().map_or(0, csv::StringRecord::len);
    for column in (1..columns).filter(|column| cell(2, *column) == "Average") {
        let values = rows[3..]
            .iter()
            .filter_map(|row| Some((row.get(0)?.parse().ok()?, row.get(column)?.parse().ok())))
            .collect();
        series.insert((cell(0, column).to_owned(), cell(1, column).to_owned()), values);
    }
    Ok(series)
}

/// How far the metric of the alarm moved at each service after the alarm, in its usual steps from one value to the
/// next; latency on the logarithmic scale.
fn deviations(target: &Target, metrics: &Series, usual: &Series) -> BTreeMap<String, f64> {
    let latency = target.metric == "latency";
    let scale = |value: f64| if latency { (value + 1e-4).ln() } else { -value };
    let floor = if latency { 0.05 } else { 0.3 };
    let mut deviations = BTreeMap::new();
    for ((node, metric), values) in metrics {
        if *metric != target.metric {
            continue;
        }
        let past: Vec<f64> = usual
            .get(&(node.clone(), metric.clone()))
            .map(|values| values.iter().filter_map(|(_, value)| value.map(scale)).collect())
            .unwrap_or_default();
        let mut steps: Vec<f64> = past.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        steps.sort_by(f64::total_cmp);
        let spread = steps
            .get(steps.len() * 9 / 10)
            .map_or(0.0, |step| step / 1.65)
            .max(floor);
        let within = |after: bool| {
            values
                .iter()
                .filter(move |(at, _)| (*at > target.timestamp) == after)
                .filter_map(|(_, value)| value.map(scale))
        };
        let before: Vec<f64> = within(false).collect();
        let level = if before.is_empty() {
            mean(&past)
        } else {
            mean(&before)
        };
        let highest = within(true).fold(f64::NEG_INFINITY, f64::max);
        deviations.insert(node.clone(), ((highest - level) / spread).max(0.0));
    }
    deviations
}

/// The services that the front end needs, with their deviations.
fn reachable<'a>(
    issue: &Issue,
    deviations: &'a BTreeMap<String, f64>,
    topology: &Topology,
) -> Vec<(&'a str, f64)> {
    let Some(start) = topology.node(&issue.target.node) else {
        return Vec::new();
    };
    let names: Vec<String> = topology
        .needs(start, u8::MAX)
        .iter()
        .map(|(node, _)| topology.name(*node).to_owned())
        .collect();
    deviations
        .iter()
        .filter(|(node, _)| names.contains(node))
        .map(|(node, deviation)| {
            (
                node.as_str(),
                if deviation.is_finite() { *deviation } else { 0.0 },
            )
        })
        .collect()
}

fn rank(issue: &Issue, deviations: &BTreeMap<String, f64>, topology: &Topology) -> usize {
    let symptoms: Vec<Symptom<'_>> = reachable(issue, deviations, topology)
        .into_iter()
        .map(|(place, deviation)| Symptom {
            place,
            signal: Signal::Metric,
            kind: &issue.target.metric,
            count: 1,
            at: None,
            deviation: Some(deviation),
            noticed_by: None,
        })
        .collect();
    let suspects = Origins::default().rank(&symptoms, topology, &[]);
    suspects
        .iter()
        .position(|suspect| suspect.place == issue.root_cause.node)
        .map_or(0, |position| position + 1)
}

/// The baseline: abnormal services none of whose callees is abnormal come first, then by deviation.
fn traverse(issue: &Issue, deviations: &BTreeMap<String, f64>, topology: &Topology) -> usize {
    const ABNORMAL: f64 = 3.0;
    let places = reachable(issue, deviations, topology);
    let abnormal = |name: &str| {
        places
            .iter()
            .any(|(place, deviation)| *place == name && *deviation > ABNORMAL)
    };
    let leaf = |name: &str| {
        let callees = topology
            .node(name)
            .map_or(&[][..], |node| topology.supporting(node));
        abnormal(name) && !callees.iter().any(|callee| abnormal(topology.name(*callee)))
    };
    let mut order = places.clone();
    order.sort_by(|one, other| {
        (leaf(other.0), other.1)
            .partial_cmp(&(leaf(one.0), one.1))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    order
        .iter()
        .position(|(place, _)| *place == issue.root_cause.node)
        .map_or(0, |position| position + 1)
}
