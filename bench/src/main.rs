//! Benchmarks of Muster: quality on public data and figures on this machine.
//!
//! Each subcommand measures one part of the system. `bench triage` runs the tasks over the public data sets;
//! the data is read from `../shared/data` beside the project, or from the directory named by
//! `MUSTER_BENCH_DATA`. A task whose data is absent says so and is left out; it is never counted as passed.
//! Numbers depend only on the data and the seed, except the figures of speed and memory.

use clap::{Parser, Subcommand};

mod data;
mod score;
mod server;
mod split;
mod triage;

/// Measure Muster.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    /// Quality and speed of the triage crate.
    Triage(triage::Arguments),
    /// Figures of the whole program, against Alertmanager and nginx.
    Server(server::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().subject {
        Subject::Triage(arguments) => triage::run(&arguments),
        Subject::Server(arguments) => server::run(&arguments),
    }
}
