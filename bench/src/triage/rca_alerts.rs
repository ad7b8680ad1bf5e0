//! Where a cascade started: labelled faults, ranked in the order of time. Whatever is learned comes from the faults
//! before: what was rare, and in the second measurement also which origins people confirmed.
//!
//! By time: the first half of each system's faults is for development; of the second half, held out, only the ranks count,
//! and the first half is its past.

use std::path::Path;

use triage::{Origins, Topology};

use super::faults::{self, Fault};
use crate::score::{Finding, bootstrap, mean};
use crate::split::Part;

/// Ranks of the true origins by system, 0 where it is not among the suspects.
type Ranks = Vec<Vec<usize>>;

#[derive(Clone, Copy, PartialEq)]
enum Feedback {
    None,
    Confirmed,
}

pub(super) fn run(folder: &Path, part: Part, seed: u64) -> anyhow::Result<Vec<Finding>> {
    let systems = [("MicroSS", 0.36), ("Online-Boutique-cloudbed-1", 0.43)];
    let mut plain = Ranks::new();
    let mut confirmed = Ranks::new();
    let mut rarest = Ranks::new();
    for (system, _) in systems {
        let faults = faults::read_faults(&folder.join("faults").join(system))?;
        let topology = read_topology(&folder.join("topology").join(format!("{system}-KG.json")))?;
        plain.push(part.half(&rank(&faults, &topology, Feedback::None)).to_vec());
        confirmed.push(part.half(&rank(&faults, &topology, Feedback::Confirmed)).to_vec());
        rarest.push(part.half(&rank_by_rarity(&faults)).to_vec());
    }
    let mut findings = Vec::new();
    for (name, ranks) in [
        ("past only", &plain),
        ("past only, origins confirmed afterwards", &confirmed),
    ] {
        for ((system, best), ranks) in systems.iter().zip(ranks) {
            findings.push(Finding::new(format!("{system}: top-1, {name}"), hits(ranks, 1)).baseline(*best));
        }
        let all: Vec<usize> = ranks.concat();
        for (depth, target) in [(1, 0.5), (3, 0.7)] {
            let units: Vec<f64> = all
                .iter()
                .map(|rank| f64::from(u8::from((1..=depth).contains(rank))))
                .collect();
            let interval = bootstrap(&units, seed, |sample| mean(sample.iter().copied()));
            findings.push(
                Finding::new(
                    format!("pooled top-{depth}, {name} (baseline: rarity, rerun)"),
                    hits(&all, depth),
                )
                .interval(interval)
                .baseline(hits(&rarest.concat(), depth))
                .target(target),
            );
        }
    }
    Ok(findings)
}

fn hits(ranks: &[usize], depth: usize) -> f64 {
    ranks.iter().filter(|rank| (1..=depth).contains(*rank)).count() as f64 / ranks.len() as f64
}

/// Instances are parts of their service; what is hosted depends on its host.
fn read_topology(path: &Path) -> anyhow::Result<Topology> {
    let mut topology = Topology::default();
    for edge in faults::read_graph(path)?.edges {
        match edge.label.as_str() {
            "instance_of" => topology.add_part(&edge.source, &edge.target),
            "has_instance" | "hosts" | "discovers" => {}
            _ => topology.add_dependency(&edge.source, &edge.target),
        }
    }
    Ok(topology)
}

fn rank(faults: &[Fault], topology: &Topology, feedback: Feedback) -> Vec<usize> {
    let mut origins = Origins::default();
    faults
        .iter()
        .map(|fault| {
            let symptoms = fault.symptoms();
            let suspects = origins.rank(&symptoms, topology, &[]);
            origins.remember(&symptoms);
            if feedback == Feedback::Confirmed {
                drop(origins.confirm(&symptoms, &fault.origin));
            }
            suspects
                .iter()
                .position(|suspect| suspect.place == fault.origin)
                .map_or(0, |position| position + 1)
        })
        .collect()
}

/// The baseline: the place with the rarest alert, by how many of the faults before had it.
fn rank_by_rarity(faults: &[Fault]) -> Vec<usize> {
    let mut seen: std::collections::HashMap<(String, String), f64> = std::collections::HashMap::new();
    faults
        .iter()
        .map(|fault| {
            let mut scores: std::collections::BTreeMap<&str, f64> = std::collections::BTreeMap::new();
            let mut keys = std::collections::BTreeSet::new();
            for noticed in &fault.noticed {
                keys.insert((noticed.place.clone(), noticed.kind.clone()));
            }
            for noticed in &fault.noticed {
                let times = seen
                    .get(&(noticed.place.clone(), noticed.kind.clone()))
                    .copied()
                    .unwrap_or(0.0);
                let score = scores.entry(&noticed.place).or_default();
                *score = score.max(1.0 / (1.0 + times));
            }
            for key in keys {
                *seen.entry(key).or_default() += 1.0;
            }
            let mut order: Vec<(&str, f64)> = scores.into_iter().collect();
            order.sort_by(|one, other| other.1.total_cmp(&one.1));
            order
                .iter()
                .position(|(place, _)| *place == fault.origin)
                .map_or(0, |position| position + 1)
        })
        .collect()
}
