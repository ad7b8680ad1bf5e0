//! One binary for all tests of the crate's public face.

#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails as it should"
)]

mod bad_input;
mod budgets;
mod counts;
mod errors;
mod extractions;
mod extremes;
mod fuzzed;
mod hostile;
mod language;
mod logic;
mod programs;
mod round_trip;
mod schedules;
