//! The figures of the whole program, each with its bound and, where there is one, a peer measured in the same run.
//!
//! Muster runs as its own process, as it would be installed, with an embedded database in a new folder or a new
//! database on a PostgreSQL server; the load generator shares the machine with it. What is not installed here is named and left out.

mod console;
mod history;
mod ingest;
mod pages;
mod peers;
mod program;
mod sinks;
mod start;
mod status;
mod web;

use std::path::PathBuf;

use clap::ValueEnum;

use program::Program;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure; everything when nothing is named.
    subjects: Vec<Subject>,
    /// The program to measure.
    #[arg(long, default_value = "target/release/muster", value_name = "FILE")]
    muster: PathBuf,
    /// Measures on PostgreSQL: a server, as postgres://user@host/name, whose user may create databases there.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// How long each load lasts.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// Start and memory.
    Start,
    /// Events a second, against Alertmanager.
    Ingest,
    /// Pages: delay and number.
    Pages,
    /// The status page, against nginx.
    Status,
    /// The console with a long history.
    Console,
}

/// One line of the table.
pub(crate) struct Row {
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Figure {
        value: f64,
        unit: &'static str,
        bound: Option<Bound>,
    },
    Missing(&'static str),
}

enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Row {
    fn figure(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            outcome: Outcome::Figure {
                value,
                unit,
                bound: None,
            },
        }
    }

    fn missing(name: impl Into<String>, why: &'static str) -> Self {
        Self {
            name: name.into(),
            outcome: Outcome::Missing(why),
        }
    }

    fn bounded(mut self, wanted: Bound) -> Self {
        if let Outcome::Figure { bound, .. } = &mut self.outcome {
            *bound = Some(wanted);
        }
        self
    }

    fn at_most(self, bound: f64) -> Self {
        self.bounded(Bound::AtMost(bound))
    }

    fn at_least(self, bound: f64) -> Self {
        self.bounded(Bound::AtLeast(bound))
    }

    fn line(&self) -> String {
        match &self.outcome {
            Outcome::Missing(why) => format!("| {} | left out | {why} | |", self.name),
            Outcome::Figure { value, unit, bound } => {
                let (wanted, verdict) = match bound {
                    None => (String::new(), ""),
                    Some(Bound::AtMost(most)) => (format!("≤ {most}"), verdict(value <= most)),
                    Some(Bound::AtLeast(least)) => (format!("≥ {least}"), verdict(value >= least)),
                };
                format!(
                    "| {} | {} {unit} | {wanted} | {verdict} |",
                    self.name,
                    shortened(*value)
                )
            }
        }
    }
}

fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "MISSED" }
}

/// Three significant figures, or whole numbers when they are large.
fn shortened(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it found")]
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    std::fs::create_dir_all("target")?;
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!(
        "{cores} cores, the load generator on the same machine; {}",
        arguments.muster.display()
    );
    let program = Program {
        file: arguments.muster.clone(),
        server: arguments.database.clone(),
    };
    println!("| what | figure | bound | |\n| --- | ---: | ---: | --- |");
    let runtime = tokio::runtime::Runtime::new()?;
    for subject in Subject::value_variants() {
        if !arguments.subjects.is_empty() && !arguments.subjects.contains(subject) {
            continue;
        }
        let (program, seconds) = (&program, arguments.seconds);
        let rows = runtime.block_on(async {
            match subject {
                Subject::Start => start::run(program).await,
                Subject::Ingest => ingest::run(program, seconds).await,
                Subject::Pages => pages::run(program, seconds).await,
                Subject::Status => status::run(program, seconds).await,
                Subject::Console => console::run(program).await,
            }
        })?;
        for row in rows {
            println!("{}", row.line());
        }
    }
    Ok(())
}
