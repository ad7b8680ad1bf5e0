//! Reading the labelled faults: topology graphs, alerts of metrics, traces and logs, and true origins.

use std::{collections::HashMap, path::Path};

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
    pub(super) label: String,
}

pub(super) fn read_graph(path: &Path) -> anyhow::Result<Graph> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// One labelled fault with everything that was noticed of it.
pub(super) struct Fault {
    pub(super) origin: String,
    /// As written in the label: sorts by time within one system.
    pub(super) started: String,
    pub(super) noticed: Vec<Noticed>,
}

pub(super) struct Noticed {
    pub(super) place: String,
    pub(super) signal: triage::Signal,
    pub(super) kind: String,
    pub(super) count: u32,
    pub(super) at: Option<jiff::Timestamp>,
    pub(super) noticed_by: Option<String>,
}

impl Fault {
    pub(super) fn symptoms(&self) -> Vec<triage::Symptom<'_>> {
        self.noticed
            .iter()
            .map(|noticed| triage::Symptom {
                place: &noticed.place,
                signal: noticed.signal,
                kind: &noticed.kind,
                count: noticed.count,
                at: noticed.at,
                deviation: None,
                noticed_by: noticed.noticed_by.as_deref(),
            })
            .collect()
    }
}

type Rows = HashMap<String, Vec<Vec<serde_json::Value>>>;

/// The faults of one system in the order of time.
pub(super) fn read_faults(folder: &Path) -> anyhow::Result<Vec<Fault>> {
    let rows = |name: &str| -> anyhow::Result<Rows> {
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_str(&text)?)
    };
    let (metrics, traces, logs) = (rows("metrics.json")?, rows("traces.json")?, rows("logs.json")?);
    let mut reader = csv::Reader::from_path(folder.join("label.csv"))?;
    let mut faults = Vec::new();
    for label in reader.deserialize() {
        let label: HashMap<String, String> = label?;
        let field = |name: &str| {
            label
                .get(name)
                .cloned()
                .with_context(|| format!("no column {name}"))
        };
        let id = field("fault_id")?;
        let of = |rows: &Rows| rows.get(&id).cloned().unwrap_or_default();
        let mut noticed = Vec::new();
        noticed.extend(of(&metrics).iter().map(|row| metric(row)));
        noticed.extend(of(&traces).iter().map(|row| trace(row)));
        noticed.extend(of(&logs).iter().map(|row| log(row)));
        faults.push(Fault {
            origin: field("fault_entity")?,
            started: field("fault_st_time")?,
            noticed,
        });
    }
    faults.sort_by(|one, other| one.started.cmp(&other.started));
    Ok(faults)
}

fn text(row: &[serde_json::Value], column: usize) -> &str {
    row.get(column)
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default()
}

fn instant(row: &[serde_json::Value]) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(text(row, 0).parse().ok()?).ok()
}

/// Metrics of one family (the cores of a processor, absolute and normalised) are one kind.
fn metric(row: &[serde_json::Value]) -> Noticed {
    let family = triage::mask(&text(row, 3).replace("_norm", "").replace('_', " "));
    Noticed {
        place: text(row, 1).to_owned(),
        signal: triage::Signal::Metric,
        kind: format!("{family} {}", text(row, 4)),
        count: 1,
        at: instant(row),
        noticed_by: None,
    }
}

fn trace(row: &[serde_json::Value]) -> Noticed {
    let slow = text(row, 4) == "PD";
    Noticed {
        place: text(row, 2).to_owned(),
        signal: if slow {
            triage::Signal::SlowCall
        } else {
            triage::Signal::FailedCall
        },
        kind: text(row, 4).to_owned(),
        count: 1,
        at: instant(row),
        noticed_by: Some(text(row, 1).to_owned()),
    }
}

fn log(row: &[serde_json::Value]) -> Noticed {
    Noticed {
        place: text(row, 0).to_owned(),
        signal: triage::Signal::Log,
        kind: text(row, 1).to_owned(),
        count: row.get(3).and_then(serde_json::Value::as_u64).unwrap_or(1) as u32,
        at: None,
        noticed_by: None,
    }
}
