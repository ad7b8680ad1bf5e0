//! Speed and memory of the state machine with 100,000 alerts open. One thread; depends on the machine.

use std::time::Instant;

use triage::{Action, Configuration, Event, Grouping, Outcome, Setting, Severity, Triage};

use crate::score::{Draws, Finding};

const OPEN: usize = 100_000;
const EVENTS: usize = 500_000;
const SERVICES: usize = 1000;

/// An event with texts of its own, made before the clock runs.
struct Prepared {
    service: String,
    dedup_key: String,
    summary: String,
    source: String,
    action: Action,
    details: Vec<(String, String)>,
}

impl Prepared {
    fn trigger(number: usize, draws: &mut Draws) -> Self {
        const TROUBLES: [&str; 8] = [
            "latency above objective, p99 {}ms",
            "error rate {}% over five minutes",
            "disk /var/lib/data {}% full",
            "replication lag {}s behind primary",
            "pod restarted {} times",
            "certificate expires in {} days",
            "queue length {} and growing",
            "health check failed with status {}",
        ];
        let service = draws.below(SERVICES);
        let trouble = draws.below(TROUBLES.len());
        Self {
            service: format!("service-{service}"),
            dedup_key: format!("{number:032x}/{service}/{trouble}"),
            summary: TROUBLES[trouble].replace("{}", &draws.below(1000).to_string()),
            source: format!("host-{}.example.net", service * 8 + draws.below(8)),
            action: Action::Trigger,
            details: vec![
                ("region".to_owned(), format!("region {}", service % 5)),
                ("team".to_owned(), format!("team {}", service % 40)),
            ],
        }
    }

    fn event(&self) -> Event<'_> {
        Event {
            integration: &self.service,
            service: &self.service,
            dedup_key: &self.dedup_key,
            action: self.action,
            summary: &self.summary,
            source: &self.source,
            severity: Severity::Error,
            details: &self.details,
            ..Event::default()
        }
    }
}

pub(super) fn run(seed: u64) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let window_seconds = 3600;
    for (name, grouping) in [
        (
            "intelligent",
            Grouping::Intelligent {
                fields: vec![],
                window_seconds,
            },
        ),
        (
            "content-based",
            Grouping::ContentBased {
                aggregate: triage::Aggregate::All,
                fields: vec!["source".into(), "custom_details.team".into()],
                window_seconds,
            },
        ),
    ] {
        findings.extend(measure(
            name,
            &Setting {
                grouping,
                ..Setting::default()
            },
            seed,
        )?);
    }
    Ok(findings)
}

fn measure(name: &str, setting: &Setting, seed: u64) -> anyhow::Result<Vec<Finding>> {
    let mut draws = Draws::new(seed);
    let mut triage = Triage::new(Configuration::default());
    for service in 1..SERVICES {
        let topology = &mut triage.knowledge_mut().topology;
        topology.add_dependency(&format!("service-{service}"), &format!("service-{}", service / 3));
    }
    let open: Vec<Prepared> = (0..OPEN)
        .map(|number| Prepared::trigger(number, &mut draws))
        .collect();
    let before = resident_bytes();
    let mut now = jiff::Timestamp::from_second(1_800_000_000)?;
    let step = jiff::SignedDuration::from_millis(5);
    for prepared in &open {
        now += step;
        triage.observe(&prepared.event(), setting, now);
    }
    let bytes = resident_bytes().saturating_sub(before) as f64 / OPEN as f64;

    let mut mixed: Vec<Prepared> = Vec::with_capacity(EVENTS);
    for number in 0..EVENTS {
        let known = &open[draws.below(OPEN)];
        let copy = |action| Prepared {
            service: known.service.clone(),
            dedup_key: known.dedup_key.clone(),
            summary: known.summary.clone(),
            source: known.source.clone(),
            action,
            details: known.details.clone(),
        };
        mixed.push(match draws.below(10) {
            0 => Prepared::trigger(OPEN + number, &mut draws),
            1 => copy(Action::Resolve),
            _ => copy(Action::Trigger),
        });
    }
    let fresh: Vec<Prepared> = (0..EVENTS / 5)
        .map(|number| Prepared::trigger(10_000_000 + number, &mut draws))
        .collect();
    let since = Instant::now();
    let mut joined = 0_usize;
    let mut rate = |events: &[Prepared]| {
        let start = busy_seconds(since);
        for prepared in events {
            now += step;
            let decision = triage.observe(&prepared.event(), setting, now);
            joined += usize::from(matches!(decision.outcome, Outcome::JoinedGroup { .. }));
        }
        events.len() as f64 / (busy_seconds(since) - start) / 1000.0
    };
    let (mixed_rate, fresh_rate) = (rate(&mixed), rate(&fresh));
    let snapshot = serde_json::to_vec(&triage)?;
    let mut findings = vec![
        Finding::new(
            format!("{name}: thousand events/s, 80 % repeated, 10 % resolved, 10 % new"),
            mixed_rate,
        )
        .target(200.0),
        Finding::new(format!("{name}: thousand new alerts/s"), fresh_rate),
        Finding::new(
            format!("{name}: snapshot bytes for an open alert"),
            snapshot.len() as f64 / triage.open_alerts() as f64,
        ),
        Finding::new(
            format!("{name}: groups open, thousands"),
            triage.open_groups() as f64 / 1000.0,
        ),
        Finding::new(
            format!("{name}: new alerts joined to a group, thousands"),
            joined as f64 / 1000.0,
        ),
    ];
    // A second round lives in memory that the first gave back, so its size can not be seen.
    if bytes > 0.0 {
        findings
            .push(Finding::new(format!("{name}: bytes for an open alert (resident)"), bytes).target(2000.0));
    }
    Ok(findings)
}

/// Processor time of this thread, from the system, so that a busy machine does not count; the clock where it does not
/// say.
fn busy_seconds(since: Instant) -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or_else(|| since.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// Memory of this process, from the system; 0 where it does not say.
fn resident_bytes() -> usize {
    const PAGE: usize = 4096;
    std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| {
            text.split(' ')
                .nth(1)
                .and_then(|pages| pages.parse::<usize>().ok())
        })
        .map_or(0, |pages| pages * PAGE)
}
