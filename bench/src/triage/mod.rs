//! The tasks of the triage crate, one module for each data set.
//!
//! A task is a function from the folder of its data, the part of it and the seed to findings. All tasks use the crate's default
//! configuration: nothing is tuned for one set.

mod alarm_causality;
mod banking77;
mod clinc150;
mod drain;
mod duplicate_reports;
mod faults;
mod figures;
mod linear_baseline;
mod log_templates;
mod outage_replay;
mod petshop;
mod rca_alerts;
mod simulated_counts;
mod storm_mix;
mod ticket_counts;

use std::path::Path;

use crate::{data, score::Finding, split::Part};

/// A task: the folder of its data and what to run on a part of it.
struct Task {
    folder: &'static str,
    run: fn(&Path, Part, u64) -> anyhow::Result<Vec<Finding>>,
}

/// Every task, in the order in which they run. To add one, write its module and list it here.
const TASKS: &[Task] = &[
    Task {
        folder: "log-templates",
        run: log_templates::run,
    },
    Task {
        folder: "banking77",
        run: banking77::run,
    },
    Task {
        folder: "clinc150",
        run: clinc150::run,
    },
    Task {
        folder: "duplicate-reports",
        run: duplicate_reports::run,
    },
    Task {
        folder: "ticket-counts",
        run: ticket_counts::run,
    },
    Task {
        folder: "storm-mix",
        run: storm_mix::run,
    },
    Task {
        folder: "rca-alerts",
        run: rca_alerts::run,
    },
    Task {
        folder: "petshop",
        run: petshop::run,
    },
    Task {
        folder: "alarm-causality",
        run: alarm_causality::run,
    },
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Tasks to run, by folder, `simulated-counts` (rates of false alarms), or `figures` (speed and memory); all when none
    tasks: Vec<String>,
    /// Which part of the data: variants are compared on `development`, figures reported from `held-out`.
    #[arg(long, value_enum, default_value_t = Part::HeldOut)]
    part: Part,
    /// Seed of draws and of the bootstrap.
    #[arg(long, default_value_t = 20_261_107)]
    seed: u64,
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it found")]
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    println!(
        "data {}  part {:?}  seed {}",
        data::root().display(),
        arguments.part,
        arguments.seed
    );
    let wanted = |task: &str| arguments.tasks.is_empty() || arguments.tasks.iter().any(|name| name == task);
    for task in TASKS {
        if !wanted(task.folder) {
            continue;
        }
        let Some(folder) = data::folder(task.folder) else {
            println!(
                "\n{}: SKIPPED, no data in {}",
                task.folder,
                data::root().join(task.folder).display()
            );
            continue;
        };
        print(task.folder, &(task.run)(&folder, arguments.part, arguments.seed)?);
    }
    if wanted("simulated-counts") {
        print("simulated-counts", &simulated_counts::run(arguments.seed));
    }
    if wanted("figures") {
        print("figures", &figures::run(arguments.seed)?);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it found")]
fn print(task: &str, findings: &[Finding]) {
    println!("\n{task}");
    println!(
        "  {:<84} {:>8} {:>17} {:>8} {:>8}",
        "measure", "ours", "95 % interval", "baseline", "target"
    );
    for finding in findings {
        let interval = finding
            .interval
            .map_or_else(String::new, |(low, high)| format!("{low:.3} to {high:.3}"));
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.3}"));
        println!(
            "  {:<84} {:>8.3} {:>17} {:>8} {:>8}",
            finding.measure,
            finding.ours,
            interval,
            number(finding.baseline),
            number(finding.target)
        );
    }
}
