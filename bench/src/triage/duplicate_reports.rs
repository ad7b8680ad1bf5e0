//! Finding reports of the same thing: 2,503 reports, some of which people linked as duplicates.
//!
//! Every linked report asks for its likes among all the others; what counts is the place of the first linked one
//! (mean reciprocal rank). Nothing is learned from the links. The baseline is rerun: TF-IDF of words, title three
//! times, cosine. The interval resamples the asking reports.
//!
//! The published split: links of the training file are for development, those of the test file held out. All reports are
//! ranked in both.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use triage::similar::{Index, Report, Settings};

use crate::score::{Finding, bootstrap, mean};
use crate::split::Part;

/// Matches that a person is shown.
const SHOWN: usize = 10;

#[derive(serde::Deserialize)]
struct Row {
    #[serde(rename = "Summary")]
    summary: String,
    #[serde(rename = "Issue id")]
    id: String,
    #[serde(rename = "Created")]
    created: String,
    #[serde(rename = "Description")]
    description: String,
}

#[derive(serde::Deserialize)]
struct Link {
    #[serde(rename = "Issue id")]
    id: String,
    #[serde(rename = "Duplicate id")]
    duplicates: String,
}

pub(crate) fn run(folder: &Path, part: Part, seed: u64) -> anyhow::Result<Vec<Finding>> {
    let rows: Vec<Row> = rows(&folder.join("hadoop_bugs.csv"))?;
    let mut links: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let file = match part {
        Part::Development => "hadoop_bugs-train.csv",
        Part::HeldOut => "hadoop_bugs-test.csv",
        Part::Whole => "hadoop_bugs-combined.csv",
    };
    for link in self::rows::<Link>(&folder.join(file))? {
        let others = link.duplicates.split(',').map(|other| other.trim().to_owned());
        links.entry(link.id).or_default().extend(others);
    }
    let mut findings = Vec::new();
    let baseline = inverse_ranks(&links, &baseline(&rows));
    for (name, told) in [
        ("words and time", Told::Time),
        ("words alone", Told::Words),
        ("asked with the title alone", Told::Title),
    ] {
        let ours = inverse_ranks(&links, &ours(&rows, told, usize::MAX));
        let mut finding = Finding::new(format!("mean reciprocal rank, {name}"), mean(&ours))
            .interval(bootstrap(&ours, seed, |sample| mean(sample.iter().copied())));
        if told != Told::Title {
            finding = finding.baseline(mean(&baseline)).target(0.60);
        }
        findings.push(finding);
    }
    let ranking = ours(&rows, Told::Title, SHOWN);
    let started = Instant::now();
    for id in links.keys() {
        std::hint::black_box(ranking(id));
    }
    findings.push(Finding::new(
        "milliseconds to rank all and explain the best ten (this machine)",
        started.elapsed().as_secs_f64() * 1e3 / links.len() as f64,
    ));
    Ok(findings)
}

/// From the id of a report to the ids of all others, most alike first.
type Ranking = Box<dyn Fn(&str) -> Vec<String>>;

/// What the ranking is told of the asking report.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    Time,
    Words,
    Title,
}

fn rows<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let mut reader = csv::Reader::from_path(path).with_context(|| path.display().to_string())?;
    Ok(reader.deserialize().collect::<Result<Vec<T>, csv::Error>>()?)
}

/// For each asking report one over the place of its first linked report.
fn inverse_ranks(links: &BTreeMap<String, BTreeSet<String>>, rank: &dyn Fn(&str) -> Vec<String>) -> Vec<f64> {
    links
        .iter()
        .map(|(id, linked)| {
            let ranked = rank(id).into_iter().filter(|other| other != id);
            let place = ranked.enumerate().find(|(_, other)| linked.contains(other));
            place.map_or(0.0, |(before, _)| 1.0 / (before as f64 + 1.0))
        })
        .collect()
}

fn ours(rows: &[Row], told: Told, limit: usize) -> Ranking {
    let report = |row: &Row| Report {
        title: row.summary.clone(),
        body: row.description.clone(),
        at: (told == Told::Time).then(|| created(&row.created)).flatten(),
        ..Report::default()
    };
    let reports: BTreeMap<String, Report> = rows.iter().map(|row| (row.id.clone(), report(row))).collect();
    let mut index = Index::new(Settings::default());
    for (id, report) in &reports {
        index.insert(id, report.clone());
    }
    Box::new(move |id| {
        let mut asked = reports.get(id).cloned().unwrap_or_default();
        if told == Told::Title {
            asked.body.clear();
        }
        index
            .rank(&asked, limit)
            .into_iter()
            .map(|found| found.id)
            .collect()
    })
}

/// `30/Sep/21 17:20` as seconds since 1970.
fn created(text: &str) -> Option<i64> {
    let time = jiff::fmt::strtime::parse("%d/%b/%y %H:%M", text)
        .ok()?
        .to_datetime()
        .ok()?;
    Some(
        time.to_zoned(jiff::tz::TimeZone::UTC)
            .ok()?
            .timestamp()
            .as_second(),
    )
}

fn baseline(rows: &[Row]) -> Ranking {
    let texts: Vec<BTreeMap<String, f64>> = rows
        .iter()
        .map(|row| {
            let title = &row.summary;
            let text = format!("{title} {title} {title} {}", row.description).to_lowercase();
            let mut counts = BTreeMap::new();
            for word in text
                .split(|character: char| !character.is_alphanumeric())
                .filter(|word| !word.is_empty())
            {
                *counts.entry(word.to_owned()).or_insert(0.0) += 1.0;
            }
            counts
        })
        .collect();
    let mut reports: HashMap<&String, f64> = HashMap::new();
    for word in texts.iter().flat_map(BTreeMap::keys) {
        *reports.entry(word).or_default() += 1.0;
    }
    let number = texts.len() as f64;
    let vectors: Vec<BTreeMap<String, f64>> = texts
        .iter()
        .map(|counts| {
            let weight = |word: &String, count: f64| {
                (1.0 + count.ln()) * (((1.0 + number) / (1.0 + reports[word])).ln() + 1.0)
            };
            let mut vector: BTreeMap<String, f64> = counts
                .iter()
                .map(|(word, count)| (word.clone(), weight(word, *count)))
                .collect();
            let length = vector
                .values()
                .map(|value| value * value)
                .sum::<f64>()
                .sqrt()
                .max(1e-9);
            for value in vector.values_mut() {
                *value /= length;
            }
            vector
        })
        .collect();
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    Box::new(move |id| {
        let Some(asked) = ids.iter().position(|other| other == id) else {
            return Vec::new();
        };
        let mut ranked: Vec<(f64, &String)> = vectors
            .iter()
            .zip(&ids)
            .map(|(vector, other)| {
                let product = vectors[asked]
                    .iter()
                    .map(|(word, value)| value * vector.get(word).unwrap_or(&0.0));
                (product.sum(), other)
            })
            .collect();
        ranked.sort_by(|one, other| other.0.total_cmp(&one.0));
        ranked.into_iter().map(|(_, other)| other.clone()).collect()
    })
}
