//! Whether the stated rate of false alarms holds where nothing happens: simulated series of reports, from the calm to the
//! restless, each for eight weeks, none with an incident in it. Every alarm is false by construction, which real
//! series cannot offer. Then what the promise costs: outages of two hours laid into the same series, early, when little is known
//! of it, and late. Needs no data.
//!
//! The processes are chosen for what may break the promise: more scatter than a Poisson count, a rate that wanders, reports that
//! bring further reports, bursts whose sizes have no variance, and growth.

use triage::counts::{Key, Monitor, Settings};

use crate::score::{Draws, Finding};

const BUCKET_SECONDS: i64 = 300;
const BUCKETS_A_DAY: usize = 288;
const WEEKS: usize = 8;
const DRAWN: u64 = 12;

/// An outage adds so many reports to each of its buckets.
const OUTAGE_ADDS: u32 = 8;
const OUTAGE_BUCKETS: usize = 24;
const OUTAGE_DAYS: [usize; 3] = [4, 11, 46];
const OUTAGES: u64 = 40;

/// Rates that are stated, in false alarms a week.
const STATED: [f64; 3] = [0.25, 0.5, 1.0];

type Process = fn(&mut Chance) -> Vec<u32>;

const PROCESSES: &[(&str, Process)] = &[
    ("Poisson", |chance| of_rate(chance, |_, _| 1.0)),
    ("Poisson, 3 a day", |chance| {
        (0..buckets())
            .map(|_| chance.poisson(3.0 / BUCKETS_A_DAY as f64))
            .collect()
    }),
    (
        "negative binomial, variance 5 times the mean at its height",
        |chance| of_rate(chance, |chance, _| chance.exponential()),
    ),
    ("wandering rate", wandering),
    ("reports that bring reports", self_exciting),
    ("bursts of Pareto size, one a day", |chance| bursts(chance, 1.0)),
    ("bursts of Pareto size, one a week", |chance| {
        bursts(chance, 1.0 / 7.0)
    }),
    ("growth by a tenth a week", |chance| {
        of_rate(chance, |_, bucket| {
            1.1_f64.powf(bucket as f64 / (7 * BUCKETS_A_DAY) as f64)
        })
    }),
];

pub(crate) fn run(seed: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, process) in PROCESSES {
        for stated in STATED {
            let alarms: usize = (0..DRAWN)
                .map(|draw| {
                    let counts = process(&mut Chance(Draws::new(seed + draw)));
                    alarms(&counts, stated).len()
                })
                .sum();
            let rate = alarms as f64 / (DRAWN as usize * WEEKS) as f64;
            findings.push(
                Finding::new(
                    format!("{name}: false alarms a week, where {stated} are stated"),
                    rate,
                )
                .target(stated),
            );
        }
        for day in OUTAGE_DAYS {
            let name = format!("{name}: share noticed of outages on day {day}");
            findings.push(Finding::new(name, noticed(*process, day, seed)));
        }
    }
    findings
}

/// The share of outages in the late morning of a day that are noticed before they end, at half an alarm a week.
fn noticed(process: Process, day: usize, seed: u64) -> f64 {
    let start = (day * 24 + 10) * 12;
    let found = (0..OUTAGES)
        .filter(|draw| {
            let mut counts = process(&mut Chance(Draws::new(seed + draw)));
            counts.truncate(start + OUTAGE_BUCKETS);
            for count in &mut counts[start..] {
                *count += OUTAGE_ADDS;
            }
            let since = start as i64 * BUCKET_SECONDS;
            alarms(&counts, 0.5).iter().any(|at| *at > since)
        })
        .count();
    found as f64 / OUTAGES as f64
}

/// The ends of the buckets at which an alarm is raised, in seconds since the beginning.
fn alarms(counts: &[u32], stated: f64) -> Vec<i64> {
    let mut monitor = Monitor::new(Settings {
        false_alarms_per_week: stated,
        ..Settings::default()
    });
    let key = Key::at("topic", "place");
    let mut raised = Vec::new();
    for (bucket, count) in counts.iter().enumerate() {
        raised.extend(monitor.advance(bucket as i64 * BUCKET_SECONDS));
        monitor.observe(&key, *count);
    }
    raised.extend(monitor.advance(counts.len() as i64 * BUCKET_SECONDS));
    raised.into_iter().map(|alarm| alarm.at).collect()
}

fn buckets() -> usize {
    WEEKS * 7 * BUCKETS_A_DAY
}

/// Busy by day, calm by night and at weekends.
fn usual(bucket: usize) -> f64 {
    let day = bucket / BUCKETS_A_DAY;
    let hour = bucket % BUCKETS_A_DAY / 12;
    let by_day = if (8..18).contains(&hour) { 4.0 } else { 0.6 };
    if day % 7 >= 5 { by_day / 3.0 } else { by_day }
}

fn of_rate(chance: &mut Chance, factor: impl Fn(&mut Chance, usize) -> f64) -> Vec<u32> {
    (0..buckets())
        .map(|bucket| {
            let mean = usual(bucket) * factor(chance, bucket);
            chance.poisson(mean)
        })
        .collect()
}

/// The logarithm of the rate wanders around its mean and forgets within two hours.
fn wandering(chance: &mut Chance) -> Vec<u32> {
    const KEPT: f64 = 0.96;
    const SPREAD: f64 = 0.5;
    let mut state = 0.0;
    (0..buckets())
        .map(|bucket| {
            state = KEPT * state + (1.0 - KEPT * KEPT).sqrt() * SPREAD * chance.normal();
            let mean = usual(bucket) * (state - SPREAD * SPREAD / 2.0_f64).exp();
            chance.poisson(mean)
        })
        .collect()
}

/// Every report brings .6 others, on the average half an hour later.
fn self_exciting(chance: &mut Chance) -> Vec<u32> {
    const BROUGHT: f64 = 0.6;
    const KEPT: f64 = 5.0 / 6.0;
    let mut excited = 0.0;
    (0..buckets())
        .map(|bucket| {
            let count = chance.poisson(usual(bucket) * (1.0 - BROUGHT) + excited);
            excited = excited * KEPT + f64::from(count) * BROUGHT * (1.0 - KEPT);
            count
        })
        .collect()
}

/// Bursts that fade within an hour and whose sizes follow a Pareto distribution with exponent 1.5.
fn bursts(chance: &mut Chance, a_day: f64) -> Vec<u32> {
    const KEPT: f64 = 0.8;
    let mut burst = 0.0;
    (0..buckets())
        .map(|bucket| {
            burst *= KEPT;
            if chance.unit() < a_day / BUCKETS_A_DAY as f64 {
                burst += 3.0 * chance.unit().powf(-1.0 / 1.5);
            }
            chance.poisson(usual(bucket) + burst)
        })
        .collect()
}

struct Chance(Draws);

impl Chance {
    /// Above 0, at most 1.
    fn unit(&mut self) -> f64 {
        ((self.0.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Box and Muller 1958.
    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Knuth's method in pieces, so that the product does not vanish.
    fn poisson(&mut self, mean: f64) -> u32 {
        const PIECE: f64 = 30.0;
        let mut left = mean;
        let mut count = 0;
        while left > 0.0 {
            let limit = (-left.min(PIECE)).exp();
            left -= PIECE;
            let mut product = self.unit();
            while product > limit {
                product *= self.unit();
                count += 1;
            }
        }
        count
    }

    /// Of mean one.
    fn exponential(&mut self) -> f64 {
        -self.unit().ln()
    }
}
