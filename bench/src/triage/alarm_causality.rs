//! Which types of telecom alarms bring about which, from a week of alarms and the device topology.
//!
//! By time: the first half of the alarms is for development, the second held out; the graph to be found is the same.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

use anyhow::{Context, ensure};
use triage::{Causes, CausesSetting, Happening, Kind, Topology};

use crate::score::{Draws, Finding};
use crate::split::Part;

struct Alarm {
    kind: usize,
    device: String,
    at: i64,
}

pub(super) fn run(folder: &Path, part: Part, seed: u64) -> anyhow::Result<Vec<Finding>> {
    let truth = read_matrix(&folder.join("true_graph.npy"))?;
    let devices = read_matrix(&folder.join("topology.npy"))?;
    let alarms = read_alarms(&folder.join("alarm.csv"))?;
    let alarms = part.half(&alarms);
    let mut topology = Topology::default();
    for (one, row) in devices.iter().enumerate() {
        for (other, _) in row.iter().enumerate().filter(|(_, linked)| **linked != 0.0) {
            topology.add_dependency(&one.to_string(), &other.to_string());
        }
    }
    let kind = |number: usize| Kind::of("network", &number.to_string());
    let history: Vec<Happening<'_>> = alarms
        .iter()
        .filter_map(|alarm| {
            let at = jiff::Timestamp::from_second(alarm.at).ok()?;
            Some(Happening {
                kind: kind(alarm.kind),
                place: &alarm.device,
                at,
            })
        })
        .collect();
    let causes = Causes::learn(&history, &topology, &CausesSetting::default());
    let ours = |from: usize, to: usize| causes.of(kind(from), kind(to)).map_or(0.0, |cause| cause.rate);
    let lift = lag_lift(alarms, &devices, truth.len());

    let pairs = |score: &dyn Fn(usize, usize) -> f64| -> Vec<(f64, bool)> {
        let all = (0..truth.len()).flat_map(|from| (0..truth.len()).map(move |to| (from, to)));
        all.filter(|(from, to)| from != to)
            .map(|(from, to)| (score(from, to), truth[from][to] != 0.0))
            .collect()
    };
    let ours = pairs(&ours);
    let baseline = pairs(&|from, to| lift.get(&(from, to)).copied().unwrap_or(0.0));
    let interval = interval(&ours, seed);
    Ok(vec![
        Finding::new(
            "average precision (baseline: lag lift with topology, rerun)",
            average_precision(&ours),
        )
        .interval(interval)
        .baseline(average_precision(&baseline))
        .target(0.93),
        Finding::new(
            "F1 of all pairs found (baseline: at its best cut)",
            f1_of_found(&ours),
        )
        .baseline(best_f1(&baseline)),
    ])
}

/// A square matrix of 64-bit floats as numpy writes it, version 1.
fn read_matrix(path: &Path) -> anyhow::Result<Vec<Vec<f64>>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    ensure!(
        bytes.starts_with(b"\x93NUMPY\x01"),
        "{} is no numpy file",
        path.display()
    );
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let values: Vec<f64> = bytes[10 + header..]
        .as_chunks()
        .0
        .iter()
        .map(|chunk| f64::from_le_bytes(*chunk))
        .collect();
    let side = values.len().isqrt();
    ensure!(side * side == values.len(), "{} is not square", path.display());
    Ok(values.chunks_exact(side).map(<[f64]>::to_vec).collect())
}

fn read_alarms(path: &Path) -> anyhow::Result<Vec<Alarm>> {
    let mut reader = csv::Reader::from_path(path).with_context(|| path.display().to_string())?;
    let mut alarms = Vec::new();
    for row in reader.records() {
        let row = row?;
        let cell = |column: usize| row.get(column).unwrap_or_default();
        alarms.push(Alarm {
            kind: cell(0).parse()?,
            device: cell(1).to_owned(),
            at: cell(2).parse()?,
        });
    }
    alarms.sort_by_key(|alarm| alarm.at);
    Ok(alarms)
}

/// The baseline: how often one type precedes another within 200 s at the same device or a linked one, against what
/// chance would give, in standard deviations.
fn lag_lift(alarms: &[Alarm], devices: &[Vec<f64>], kinds: usize) -> HashMap<(usize, usize), f64> {
    const WINDOW: i64 = 200;
    let near = |device: usize| -> Vec<usize> {
        let linked = |other: &usize| {
            *other == device || devices[device][*other] != 0.0 || devices[*other][device] != 0.0
        };
        (0..devices.len()).filter(linked).collect()
    };
    let near: Vec<Vec<usize>> = (0..devices.len()).map(near).collect();
    let mut at_device: Vec<Vec<(i64, usize)>> = vec![Vec::new(); devices.len()];
    let mut times: HashMap<(usize, usize), f64> = HashMap::new();
    let mut counts = vec![0.0; kinds];
    for alarm in alarms {
        let device: usize = alarm.device.parse().unwrap_or(0);
        counts[alarm.kind] += 1.0;
        let mut before = BTreeSet::new();
        for other in &near[device] {
            let recent = at_device[*other]
                .iter()
                .rev()
                .take_while(|(at, _)| alarm.at - at <= WINDOW);
            before.extend(recent.filter(|(at, _)| *at < alarm.at).map(|(_, kind)| *kind));
        }
        for kind in before {
            *times.entry((kind, alarm.kind)).or_default() += 1.0;
        }
        at_device[device].push((alarm.at, alarm.kind));
    }
    let span = alarms.last().map_or(1, |last| last.at) - alarms.first().map_or(0, |first| first.at);
    let reach = near.iter().map(Vec::len).sum::<usize>() as f64 / devices.len() as f64 / devices.len() as f64;
    for ((from, to), times) in &mut times {
        let rate = counts[*from] * reach * WINDOW as f64 / span.max(1) as f64;
        let expected = counts[*to] * (1.0 - (-rate).exp());
        *times = (*times - expected) / (expected + 1.0).sqrt();
    }
    times
}

fn average_precision(pairs: &[(f64, bool)]) -> f64 {
    let mut order: Vec<&(f64, bool)> = pairs.iter().collect();
    order.sort_by(|one, other| other.0.total_cmp(&one.0));
    let positives = pairs.iter().filter(|pair| pair.1).count() as f64;
    let mut hits = 0.0;
    let mut sum = 0.0;
    for (rank, pair) in order.iter().enumerate() {
        if pair.1 {
            hits += 1.0;
            sum += hits / (rank + 1) as f64;
        }
    }
    sum / positives
}

fn f1_of_found(pairs: &[(f64, bool)]) -> f64 {
    let found = pairs.iter().filter(|pair| pair.0 > 0.0).count() as f64;
    let right = pairs.iter().filter(|pair| pair.0 > 0.0 && pair.1).count() as f64;
    2.0 * right / (found + pairs.iter().filter(|pair| pair.1).count() as f64)
}

fn best_f1(pairs: &[(f64, bool)]) -> f64 {
    let mut order: Vec<&(f64, bool)> = pairs.iter().collect();
    order.sort_by(|one, other| other.0.total_cmp(&one.0));
    let positives = pairs.iter().filter(|pair| pair.1).count() as f64;
    let mut hits = 0.0;
    let mut best = 0.0_f64;
    for (rank, pair) in order.iter().enumerate() {
        hits += f64::from(u8::from(pair.1));
        best = best.max(2.0 * hits / ((rank + 1) as f64 + positives));
    }
    best
}

/// Average precision over resamples of the pairs.
fn interval(pairs: &[(f64, bool)], seed: u64) -> (f64, f64) {
    let mut draws = Draws::new(seed);
    let mut values: Vec<f64> = (0..200)
        .map(|_| {
            let sample: Vec<(f64, bool)> = (0..pairs.len())
                .map(|_| pairs[draws.below(pairs.len())])
                .collect();
            average_precision(&sample)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    (values[5], values[194])
}
