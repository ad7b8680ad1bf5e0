//! Customers' questions to 77 topics, from few examples and from all.
//!
//! The published split into training and test is kept. Few examples are drawn from the training part by the seed, once
//! for each of three draws; what is left of it serves as texts without labels in the measures that say so, as a desk
//! has its past cases. Nothing of the test part is seen before it is asked. The interval is over test texts (and
//! draws).
//!
//! For development every fifth text of each topic's training part is asked instead of the test part, which is held out.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use triage::words::discovery::Discovery;
use triage::words::{Classifier, Settings};

use super::linear_baseline::Baseline;
use crate::score::{Draws, Finding, bootstrap, mean};
use crate::split::Part;

/// Draws of few examples.
const DRAWS: u64 = 3;

/// A text and its topic.
type Labelled = (String, String);

pub(crate) fn run(folder: &Path, part: Part, seed: u64) -> anyhow::Result<Vec<Finding>> {
    let (train, test) = part.questions(read(&folder.join("train.csv"))?, read(&folder.join("test.csv"))?);
    let mut findings = Vec::new();
    for shots in [5, 10, 30] {
        let mut hits = [const { Vec::new() }; 4];
        for draw in 0..DRAWS {
            let (few, rest) = few_of_each(&train, shots, seed + draw);
            hits[0].extend(baseline_hits(&few, &test));
            hits[1].extend(hits_of(&learned(&few, &[], Names::Hidden), &test));
            hits[2].extend(hits_of(&learned(&few, &[], Names::Told), &test));
            hits[3].extend(hits_of(&learned(&few, &rest, Names::Told), &test));
        }
        let target = (shots == 10).then_some(0.78);
        let baseline = mean(&hits[0]);
        let names = [
            "examples alone",
            "and the topics' names",
            "and past texts without labels",
        ];
        for (name, hits) in names.iter().zip(&hits[1..]) {
            findings.push(accuracy(
                format!("{shots} of each, {name}"),
                hits,
                baseline,
                target,
                seed,
            ));
        }
    }
    let baseline = mean(&baseline_hits(&train, &test));
    let started = Instant::now();
    let classifier = learned(&train, &[], Names::Told);
    let to_learn = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let hits = hits_of(&classifier, &test);
    let to_classify = started.elapsed().as_secs_f64() / test.len() as f64;
    findings.push(accuracy(
        "all examples, and the topics' names".to_owned(),
        &hits,
        baseline,
        Some(0.925),
        seed,
    ));
    findings.push(Finding::new(
        "seconds to learn all examples (this machine)",
        to_learn,
    ));
    findings.push(Finding::new(
        "milliseconds to classify a text (this machine)",
        to_classify * 1e3,
    ));
    findings.push(
        Finding::new("topics found without labels, B-cubed F", gathered(&test, seed)).baseline(b_cubed(
            &test
                .iter()
                .enumerate()
                .map(|(each, (_, topic))| (each as u64, topic))
                .collect::<Vec<_>>(),
        )),
    );
    let history: Vec<String> = train.iter().map(|(text, _)| text.clone()).collect();
    findings.extend(super::outage_replay::run(&classifier, &history, &test, seed));
    Ok(findings)
}

/// How well the clusters into which the test texts are gathered, in random order, are the topics. The baseline beside it
/// leaves every text alone.
fn gathered(test: &[Labelled], seed: u64) -> f64 {
    let mut order: Vec<&Labelled> = test.iter().collect();
    Draws::new(seed).shuffle(&mut order);
    let mut discovery = Discovery::default();
    for (text, _) in &order {
        discovery.observe(text);
    }
    // Asked again when all have come, because clusters that became alike were merged on the way.
    let placed: Vec<(u64, &String)> = order
        .iter()
        .filter_map(|(text, topic)| Some((discovery.place(text)?.cluster, topic)))
        .collect();
    b_cubed(&placed)
}

/// B-cubed F (Bagga and Baldwin 1998) of texts as (cluster, topic).
fn b_cubed(placed: &[(u64, &String)]) -> f64 {
    let mut clusters: BTreeMap<u64, f64> = BTreeMap::new();
    let mut topics: BTreeMap<&String, f64> = BTreeMap::new();
    let mut both: BTreeMap<(u64, &String), f64> = BTreeMap::new();
    for (cluster, topic) in placed {
        *clusters.entry(*cluster).or_default() += 1.0;
        *topics.entry(topic).or_default() += 1.0;
        *both.entry((*cluster, topic)).or_default() += 1.0;
    }
    let precision: f64 = both
        .iter()
        .map(|((cluster, _), count)| count * count / clusters[cluster])
        .sum();
    let recall: f64 = both
        .iter()
        .map(|((_, topic), count)| count * count / topics[topic])
        .sum();
    2.0 * precision * recall / ((precision + recall) * placed.len() as f64)
}

fn read(path: &Path) -> anyhow::Result<Vec<Labelled>> {
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(reader
        .deserialize()
        .collect::<Result<Vec<Labelled>, csv::Error>>()?)
}

/// `number` examples of each topic, drawn by the seed, and the texts of the others.
fn few_of_each(all: &[Labelled], number: usize, seed: u64) -> (Vec<Labelled>, Vec<String>) {
    let mut order: Vec<&Labelled> = all.iter().collect();
    Draws::new(seed).shuffle(&mut order);
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut few, mut rest) = (Vec::new(), Vec::new());
    for (text, topic) in order {
        let count = taken.entry(topic).or_default();
        if *count < number {
            *count += 1;
            few.push((text.clone(), topic.clone()));
        } else {
            rest.push(text.clone());
        }
    }
    (few, rest)
}

#[derive(Clone, Copy, PartialEq)]
enum Names {
    Told,
    Hidden,
}

fn learned(examples: &[Labelled], history: &[String], names: Names) -> Classifier {
    let mut classifier = Classifier::new(Settings::default());
    for (text, topic) in examples {
        if classifier.teach(topic, text).is_ok() && names == Names::Told {
            classifier.describe(topic, &topic.replace('_', " "));
        }
    }
    for text in history {
        classifier.observe(text);
    }
    classifier.fit();
    classifier
}

fn hits_of(classifier: &Classifier, test: &[Labelled]) -> Vec<f64> {
    let best = |text: &str| {
        classifier
            .classify(text)
            .candidates
            .into_iter()
            .next()
            .map(|first| first.topic)
    };
    test.iter()
        .map(|(text, topic)| f64::from(u8::from(best(text).as_ref() == Some(topic))))
        .collect()
}

fn baseline_hits(examples: &[Labelled], test: &[Labelled]) -> Vec<f64> {
    let baseline = Baseline::learn(examples);
    test.iter()
        .map(|(text, topic)| f64::from(u8::from(baseline.best(text).0 == topic)))
        .collect()
}

fn accuracy(measure: String, hits: &[f64], baseline: f64, target: Option<f64>, seed: u64) -> Finding {
    let finding = Finding::new(format!("accuracy, {measure}"), mean(hits))
        .interval(bootstrap(hits, seed, |sample| mean(sample.iter().copied())))
        .baseline(baseline);
    match target {
        Some(target) => finding.target(target),
        None => finding,
    }
}
