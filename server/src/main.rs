//! The `muster` program.

use std::process::ExitCode;

/// What went wrong is said in one line for people. Where in the program it happened is for the log.
fn main() -> ExitCode {
    match muster::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            writeln!(std::io::stderr(), "muster: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}
