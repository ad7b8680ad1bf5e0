//! Telling strangers: questions to 150 topics among questions that belong to none.
//!
//! Learned from the training part of the topics only, no stranger is shown beforehand; asked are the validation part
//! and all out-of-scope questions of both parts. The area under the curve says how often a stranger fits less well
//! than a question of a known topic; the interval resamples both. Then the rejection as it is set by default is
//! measured: of the known, how many are kept (it promises 95 %), and of the strangers, how many are caught.
//!
//! For development a fifth of each topic's training part is asked instead of the validation part, among the first half of
//! the strangers; held out are the validation part and the other half.

use std::path::Path;

use anyhow::Context;
use triage::words::{Classifier, Decision, Settings, Verdict};

use super::linear_baseline::Baseline;
use crate::score::{Finding, bootstrap, mean};
use crate::split::Part;

#[derive(serde::Deserialize)]
struct Parts {
    train: Vec<(String, String)>,
    val: Vec<(String, String)>,
    oos_train: Vec<(String, String)>,
    oos_val: Vec<(String, String)>,
}

/// How well a question fits the known topics, and whether it belongs to one.
type Asked = (f64, bool);

pub(crate) fn run(folder: &Path, part: Part, seed: u64) -> anyhow::Result<Vec<Finding>> {
    let path = folder.join("dev.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut parts: Parts = serde_json::from_str(&text)?;
    (parts.train, parts.val) = part.questions(parts.train, parts.val);
    let all_strangers = [parts.oos_train, parts.oos_val].concat();
    let mut classifier = Classifier::new(Settings::default());
    for (text, topic) in &parts.train {
        classifier.teach(topic, text)?;
    }
    classifier.fit();

    let strangers = || part.half(&all_strangers).iter();
    let known: Vec<Verdict> = parts
        .val
        .iter()
        .map(|(text, _)| classifier.classify(text))
        .collect();
    let unknown: Vec<Verdict> = strangers().map(|(text, _)| classifier.classify(text)).collect();
    let fits = |verdicts: &[Verdict], belongs: bool| -> Vec<Asked> {
        verdicts.iter().map(|verdict| (verdict.score, belongs)).collect()
    };
    let asked = [fits(&known, true), fits(&unknown, false)].concat();

    let baseline = Baseline::learn(&parts.train);
    let known_baseline = parts.val.iter().map(|(text, _)| (baseline.best(text).1, true));
    let unknown_baseline = strangers().map(|(text, _)| (baseline.best(text).1, false));
    let asked_baseline: Vec<Asked> = known_baseline.chain(unknown_baseline).collect();
    let baseline_hits: Vec<f64> = parts
        .val
        .iter()
        .map(|(text, topic)| f64::from(u8::from(baseline.best(text).0 == topic)))
        .collect();

    let hits: Vec<f64> = known
        .iter()
        .zip(&parts.val)
        .map(|(verdict, (_, topic))| {
            f64::from(u8::from(
                verdict
                    .candidates
                    .first()
                    .is_some_and(|first| first.topic == *topic),
            ))
        })
        .collect();
    let accepted = |verdicts: &[Verdict]| -> Vec<f64> {
        verdicts
            .iter()
            .map(|verdict| f64::from(u8::from(matches!(verdict.decision, Decision::Topic(_)))))
            .collect()
    };
    let share = |sample: &[&f64]| mean(sample.iter().copied());
    let (kept, let_in) = (accepted(&known), accepted(&unknown));
    let caught: Vec<f64> = let_in.iter().map(|in_| 1.0 - in_).collect();
    Ok(vec![
        Finding::new(
            "strangers told from known, AUROC",
            area(&asked.iter().collect::<Vec<_>>()),
        )
        .interval(bootstrap(&asked, seed, area))
        .baseline(area(&asked_baseline.iter().collect::<Vec<_>>()))
        .target(0.955),
        Finding::new("accuracy among the known", mean(&hits))
            .interval(bootstrap(&hits, seed, share))
            .baseline(mean(&baseline_hits)),
        Finding::new("known kept (promised 0.95)", mean(&kept)).interval(bootstrap(&kept, seed, share)),
        Finding::new("strangers caught at that", mean(&caught)).interval(bootstrap(&caught, seed, share)),
    ])
}

/// The share of pairs of a known and a strange question in which the known one fits better; ties count half.
fn area(asked: &[&Asked]) -> f64 {
    let mut sorted: Vec<&Asked> = asked.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut strangers, mut known, mut pairs) = (0.0, 0.0, 0.0);
    for ties in sorted.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq()) {
        let belonging = ties.iter().filter(|(_, belongs)| *belongs).count() as f64;
        let not = ties.len() as f64 - belonging;
        pairs += belonging * (strangers + not / 2.0);
        strangers += not;
        known += belonging;
    }
    pairs / (strangers * known)
}
