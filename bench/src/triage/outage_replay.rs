//! A small outage in a busy queue: are the customers' words enough to notice it?
//!
//! The test part of the customers' questions is replayed as a stream of random arrivals, four weeks of it without
//! incident; then an outage adds questions of one topic for five hours. Three monitors watch, each with the default
//! settings and one false alarm a month: one counts everything, one counts each topic (as the classifier, trained on the
//! training part, sees it) and everything, one counts the clusters found without labels and everything. Measured are
//! the median delay and the share of outages that none of its alarms met. The figures beside them are those of the same
//! replay with other tools: a CUSUM on the total, a CUSUM for each topic, a burst of similar neighbours.

use std::collections::BTreeMap;

use triage::counts::{Key, Monitor, Settings};
use triage::words::Classifier;
use triage::words::discovery::Discovery;

use crate::score::{Draws, Finding};

const BUCKET: i64 = 300;
const DAY: i64 = 86_400;
const HISTORY: i64 = 28 * DAY;
const OUTAGE: i64 = 5 * 3_600;
const FALSE_ALARMS_PER_WEEK: f64 = 7.0 / 30.4;
const OUTAGES: usize = 24;

/// Questions an hour in the background, questions an hour that the outage adds, and the medians (minutes) of the
/// other tools: on the total, for each topic, without labels; absent where most outages were missed.
const SCENES: [(f64, f64, [Option<f64>; 3]); 5] = [
    (10.0, 5.0, [Some(209.0), Some(60.0), Some(199.0)]),
    (10.0, 20.0, [Some(36.0), Some(15.0), Some(24.0)]),
    (60.0, 5.0, [None, Some(94.0), None]),
    (60.0, 10.0, [None, Some(45.0), Some(186.0)]),
    (60.0, 40.0, [Some(37.0), Some(9.0), Some(18.0)]),
];

/// A text as the monitors see it.
struct Seen {
    truth: usize,
    /// What is counted for it, one list for each monitor.
    keys: [Vec<Key>; 3],
}

pub(crate) fn run(
    classifier: &Classifier,
    history: &[String],
    test: &[(String, String)],
    seed: u64,
) -> Vec<Finding> {
    let topics: BTreeMap<&str, usize> = test
        .iter()
        .map(|(_, topic)| (topic.as_str(), 0))
        .collect::<BTreeMap<_, _>>()
        .into_keys()
        .zip(0..)
        .collect();
    let mut discovery = Discovery::default();
    for text in history {
        discovery.observe(text);
    }
    let total = Key {
        topic: None,
        place: None,
    };
    let of_topic = |topic: String| Key {
        topic: Some(topic),
        place: None,
    };
    let seen: Vec<Seen> = test
        .iter()
        .map(|(text, topic)| {
            let said = classifier
                .classify(text)
                .candidates
                .into_iter()
                .next()
                .map(|first| of_topic(first.topic));
            let found = discovery
                .observe(text)
                .map(|placement| of_topic(placement.cluster.to_string()));
            let with_total = |key: Option<Key>| key.into_iter().chain([total.clone()]).collect();
            Seen {
                truth: topics[topic.as_str()],
                keys: [vec![total.clone()], with_total(said), with_total(found)],
            }
        })
        .collect();
    SCENES
        .iter()
        .flat_map(|scene| replay(&seen, topics.len(), scene, seed))
        .collect()
}

fn replay(
    seen: &[Seen],
    topics: usize,
    (background, added, others): &(f64, f64, [Option<f64>; 3]),
    seed: u64,
) -> Vec<Finding> {
    let mut draws = Draws::new(seed);
    let settings = Settings {
        false_alarms_per_week: FALSE_ALARMS_PER_WEEK,
        ..Settings::default()
    };
    let mut monitors: [Monitor; 3] = std::array::from_fn(|_| Monitor::new(settings.clone()));
    for at in (0..HISTORY).step_by(BUCKET as usize) {
        step(&mut monitors, at, &arrivals(seen, *background, None, &mut draws));
    }
    let mut delays: [Vec<f64>; 3] = std::array::from_fn(|_| Vec::new());
    for _ in 0..OUTAGES {
        let topic = draws.below(topics);
        let mut monitors = monitors.clone();
        let mut noticed = [None; 3];
        for at in (HISTORY..HISTORY + OUTAGE).step_by(BUCKET as usize) {
            let mut came = arrivals(seen, *background, None, &mut draws);
            came.extend(arrivals(seen, *added, Some(topic), &mut draws));
            let alarmed = step(&mut monitors, at, &came);
            for (noticed, alarmed) in noticed.iter_mut().zip(alarmed) {
                if alarmed && at > HISTORY && noticed.is_none() {
                    *noticed = Some((at - HISTORY) as f64 / 60.0);
                }
            }
        }
        for (delays, noticed) in delays.iter_mut().zip(noticed) {
            delays.push(noticed.unwrap_or(f64::INFINITY));
        }
    }
    let names = ["everything", "each topic", "found clusters"];
    let mut findings = Vec::new();
    for ((name, mut delays), other) in names.iter().zip(delays).zip(others) {
        delays.sort_by(f64::total_cmp);
        let missed = delays.iter().filter(|delay| delay.is_infinite()).count();
        let scene = format!("outage +{added}/h in {background}/h, {name}");
        let finding = Finding::new(
            format!(
                "{scene}: minutes ({:.0} % missed)",
                100.0 * missed as f64 / delays.len() as f64
            ),
            delays[delays.len() / 2],
        );
        findings.push(match other {
            Some(other) => finding.baseline(*other),
            None => finding,
        });
    }
    findings
}

/// Questions that come in one bucket, of one topic or of all.
fn arrivals<'a>(seen: &'a [Seen], an_hour: f64, topic: Option<usize>, draws: &mut Draws) -> Vec<&'a Seen> {
    let limit = (-an_hour * BUCKET as f64 / 3_600.0).exp();
    let mut unit = || (draws.next() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut product = unit();
    let mut number = 0;
    while product > limit {
        product *= unit();
        number += 1;
    }
    let of_topic: Vec<&Seen> = seen
        .iter()
        .filter(|seen| topic.is_none_or(|topic| seen.truth == topic))
        .collect();
    (0..number)
        .map(|_| of_topic[draws.below(of_topic.len())])
        .collect()
}

/// Moves the monitors to `at`, says which raise an alarm, then counts what came.
fn step(monitors: &mut [Monitor; 3], at: i64, came: &[&Seen]) -> [bool; 3] {
    let mut alarmed = [false; 3];
    for (index, monitor) in monitors.iter_mut().enumerate() {
        alarmed[index] = !monitor.advance(at).is_empty();
        for key in came.iter().flat_map(|seen| &seen.keys[index]) {
            monitor.observe(key, 1);
        }
    }
    alarmed
}
