//! Log lines to templates: the share of lines whose group holds exactly the lines that the annotation says.
//!
//! By name of the source: the first four (Apache, HDFS, Linux, OpenSSH) are for development, the other three held out.

use std::{collections::HashMap, path::Path};

use anyhow::Context;

use crate::score::{Finding, bootstrap, mean};
use crate::split::Part;

pub(super) fn run(folder: &Path, part: Part, seed: u64) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut ours = Vec::new();
    let mut baselines = Vec::new();
    let mut sources: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    sources.sort_by_key(std::fs::DirEntry::file_name);
    for source in part.half(&sources) {
        let name = source.file_name().to_string_lossy().into_owned();
        let lines = read(&source.path().join(format!("{name}_2k.log_structured.csv")))?;
        let truth: Vec<&str> = lines.iter().map(|line| line.event.as_str()).collect();

        let mut templates = triage::Templates::default();
        let found: Vec<_> = lines.iter().map(|line| templates.learn(&line.content)).collect();
        let found: Vec<_> = found.into_iter().map(|id| templates.current(id)).collect();
        let right = exactly_grouped(&truth, &found);
        if std::env::var_os("MUSTER_BENCH_SHOW").is_some() {
            show(&lines, &found, &right, &templates);
        }

        let mut drain = super::drain::Drain::default();
        let baseline: Vec<usize> = lines.iter().map(|line| drain.learn(&line.content)).collect();
        let baseline = mean(&exactly_grouped(&truth, &baseline));
        let interval = bootstrap(&right, seed, |sample| mean(sample.iter().copied()));
        findings.push(
            Finding::new(name, mean(&right))
                .interval(interval)
                .baseline(baseline),
        );
        ours.push(mean(&right));
        baselines.push(baseline);
    }
    let interval = bootstrap(&ours, seed, |sample| mean(sample.iter().copied()));
    findings.push(
        Finding::new("mean of sources (baseline: Drain, rerun)", mean(&ours))
            .interval(interval)
            .baseline(mean(&baselines))
            .target(0.85),
    );
    Ok(findings)
}

struct Line {
    content: String,
    event: String,
}

fn read(path: &Path) -> anyhow::Result<Vec<Line>> {
    let mut reader = csv::Reader::from_path(path).with_context(|| path.display().to_string())?;
    let headers = reader.byte_headers()?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header == name.as_bytes())
            .with_context(|| format!("no column {name}"))
    };
    let (content, event) = (column("Content")?, column("EventId")?);
    reader
        .byte_records()
        .map(|record| {
            let record = record?;
            let text =
                |index: usize| String::from_utf8_lossy(record.get(index).unwrap_or_default()).into_owned();
            Ok(Line {
                content: text(content),
                event: text(event),
            })
        })
        .collect()
}

/// For each line 1 if its group holds exactly the lines of its true group, else 0 (grouping accuracy, Zhu and
/// others 2019).
fn exactly_grouped<T: std::hash::Hash + Eq>(truth: &[&str], found: &[T]) -> Vec<f64> {
    let mut true_sizes: HashMap<&str, usize> = HashMap::new();
    let mut found_sizes: HashMap<&T, usize> = HashMap::new();
    let mut both: HashMap<(&str, &T), usize> = HashMap::new();
    for (truth, found) in truth.iter().zip(found) {
        *true_sizes.entry(truth).or_default() += 1;
        *found_sizes.entry(found).or_default() += 1;
        *both.entry((truth, found)).or_default() += 1;
    }
    truth
        .iter()
        .zip(found)
        .map(|(truth, found)| {
            let same = both[&(*truth, found)];
            f64::from(u8::from(same == true_sizes[truth] && same == found_sizes[found]))
        })
        .collect()
}

#[expect(clippy::print_stdout, reason = "shown on request only")]
fn show(lines: &[Line], found: &[triage::TemplateId], right: &[f64], templates: &triage::Templates) {
    let mut wrong: HashMap<(&str, String), (usize, &str)> = HashMap::new();
    for ((line, id), right) in lines.iter().zip(found).zip(right) {
        if *right < 1.0 {
            let text = templates.text(*id).unwrap_or_default();
            wrong.entry((&line.event, text)).or_insert((0, &line.content)).0 += 1;
        }
    }
    let mut wrong: Vec<_> = wrong.into_iter().collect();
    wrong.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for ((event, text), (count, example)) in wrong.iter().take(25) {
        println!("      {count:>4} {event:>5} {text}   e.g. {example}");
    }
}
