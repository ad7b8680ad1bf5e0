//! Noticing unusual counts: ten real series of five-minute counts with labelled windows.
//!
//! Each series runs by itself through a monitor with the default settings, past only, from its first bucket. A window
//! counts as found if an alarm lies in it; an alarm outside all windows is false. The interval resamples series. The
//! baseline is rerun here: a robust z over the trailing week (median and median absolute deviation), an alarm
//! above 18, quiet for a day after each alarm like ours.
//!
//! By name of the series: the first five are for development, the other five held out.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use triage::counts::{Key, Monitor, Settings};

use crate::score::{Finding, bootstrap};
use crate::split::Part;

const WEEK: f64 = 7.0 * 86_400.0;

/// The baseline's threshold.
const ROBUST_Z: f64 = 18.0;

/// Rates that are stated in turn, to see whether they are kept; the figures above these use the default.
const STATED: [f64; 4] = [0.25, 0.5, 1.0, 2.0];

/// A series and what was found in it.
struct Series {
    counts: Vec<(i64, u32)>,
    windows: Vec<(i64, i64)>,
}

/// Windows found, windows, false alarms, weeks.
type Tally = [f64; 4];

pub(crate) fn run(folder: &Path, part: Part, seed: u64) -> anyhow::Result<Vec<Finding>> {
    let series: Vec<(String, Series)> = read(folder)?.into_iter().collect();
    let series = part.half(&series);
    let ours: Vec<Tally> = series
        .iter()
        .map(|(_, series)| tally(series, &alarms(series, Settings::default())))
        .collect();
    let baseline: Vec<Tally> = series
        .iter()
        .map(|(_, series)| tally(series, &robust_z(&series.counts)))
        .collect();
    let all = |tallies: &[Tally]| -> Vec<Tally> { tallies.to_vec() };
    let found = |sample: &[&Tally]| sum(sample, 0) / sum(sample, 1);
    let false_alarms = |sample: &[&Tally]| sum(sample, 2) / sum(sample, 3);
    let of =
        |tallies: &[Tally], figure: &dyn Fn(&[&Tally]) -> f64| figure(&tallies.iter().collect::<Vec<_>>());
    let mut findings = vec![
        Finding::new(
            format!("windows found (of {:.0})", of(&ours, &|sample| sum(sample, 1))),
            of(&ours, &|sample| sum(sample, 0)),
        )
        .baseline(of(&baseline, &|sample| sum(sample, 0)))
        .target(0.9 * of(&ours, &|sample| sum(sample, 1))),
        Finding::new("share of windows found", of(&ours, &found))
            .interval(bootstrap(&all(&ours), seed, found))
            .baseline(of(&baseline, &found)),
        Finding::new(
            "false alarms a series-week (lower is better)",
            of(&ours, &false_alarms),
        )
        .interval(bootstrap(&all(&ours), seed, false_alarms))
        .baseline(of(&baseline, &false_alarms))
        .target(0.5),
    ];
    for false_alarms_per_week in STATED {
        let settings = Settings {
            false_alarms_per_week,
            ..Settings::default()
        };
        let tallies: Vec<Tally> = series
            .iter()
            .map(|(_, series)| tally(series, &alarms(series, settings.clone())))
            .collect();
        let all: Vec<&Tally> = tallies.iter().collect();
        let name = format!(
            "false alarms a series-week, where {false_alarms_per_week} are stated ({} windows found)",
            sum(&all, 0)
        );
        findings.push(Finding::new(name, false_alarms(&all)).target(false_alarms_per_week));
    }
    for (name, tally) in series.iter().map(|(name, _)| name).zip(&ours) {
        findings.push(Finding::new(
            format!("{name}: of {} windows found, {} false alarms", tally[1], tally[2]),
            tally[0],
        ));
    }
    Ok(findings)
}

fn sum(sample: &[&Tally], field: usize) -> f64 {
    sample.iter().map(|tally| tally[field]).sum()
}

fn tally(series: &Series, alarms: &[i64]) -> Tally {
    let inside = |alarm: i64, (start, end): (i64, i64)| (start..=end).contains(&alarm);
    let found = series
        .windows
        .iter()
        .filter(|window| alarms.iter().any(|alarm| inside(*alarm, **window)))
        .count();
    let wrong = alarms
        .iter()
        .filter(|alarm| !series.windows.iter().any(|window| inside(**alarm, *window)))
        .count();
    let span =
        series.counts.last().map_or(0, |last| last.0) - series.counts.first().map_or(0, |first| first.0);
    [
        found as f64,
        series.windows.len() as f64,
        wrong as f64,
        span as f64 / WEEK,
    ]
}

/// The instants at whose end our monitor raises an alarm, as starts of the deciding buckets like the labels.
fn alarms(series: &Series, settings: Settings) -> Vec<i64> {
    let bucket = i64::from(settings.bucket_seconds);
    let key = Key {
        topic: None,
        place: None,
    };
    let mut monitor = Monitor::new(settings);
    let mut raised = Vec::new();
    for (at, count) in &series.counts {
        raised.extend(monitor.advance(*at));
        monitor.observe(&key, *count);
    }
    let end = series.counts.last().map_or(0, |last| last.0 + bucket);
    raised.extend(monitor.advance(end));
    raised.into_iter().map(|alarm| alarm.at - bucket).collect()
}

fn robust_z(counts: &[(i64, u32)]) -> Vec<i64> {
    const WINDOW: usize = 2_016;
    const LEAST: usize = 576;
    let median = |sorted: &mut Vec<f64>| {
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    let mut raised: Vec<i64> = Vec::new();
    let (mut middle, mut spread) = (0.0, 1.0);
    for (index, (at, count)) in counts.iter().enumerate().skip(LEAST) {
        if (index - LEAST).is_multiple_of(12) {
            let past = counts[index.saturating_sub(WINDOW)..index]
                .iter()
                .map(|(_, count)| f64::from(*count));
            middle = median(&mut past.clone().collect());
            spread = median(&mut past.map(|count| (count - middle).abs()).collect()).max(1.0) * 1.4826;
        }
        let quiet = raised.last().is_some_and(|last| at - last < 86_400);
        if !quiet && (f64::from(*count) - middle) / spread > ROBUST_Z {
            raised.push(*at);
        }
    }
    raised
}

fn read(folder: &Path) -> anyhow::Result<BTreeMap<String, Series>> {
    let labels = folder.join("windows.json");
    let labels = std::fs::read_to_string(&labels).with_context(|| labels.display().to_string())?;
    let labels: BTreeMap<String, Vec<(String, String)>> = serde_json::from_str(&labels)?;
    let mut series = BTreeMap::new();
    for (file, windows) in &labels {
        let path = folder.join(file);
        if !path.is_file() {
            continue;
        }
        let mut reader = csv::Reader::from_path(&path).with_context(|| path.display().to_string())?;
        let mut counts = Vec::new();
        for row in reader.deserialize() {
            let (at, count): (String, f64) = row?;
            counts.push((seconds(&at)?, count as u32));
        }
        let windows = windows
            .iter()
            .map(|(start, end)| Ok((seconds(start)?, seconds(end)?)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let name = file.trim_end_matches(".csv").rsplit('_').next().unwrap_or(file);
        series.insert(name.to_owned(), Series { counts, windows });
    }
    Ok(series)
}

/// `2015-02-26 21:42:53` (UTC) as seconds since 1970.
fn seconds(text: &str) -> anyhow::Result<i64> {
    let civil: jiff::civil::DateTime = text.parse().with_context(|| format!("not a time: {text}"))?;
    Ok(civil.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp().as_second())
}
