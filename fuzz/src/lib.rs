//! What is fuzzed: one body for each crate, from bytes to assertions.
//!
//! The same files are included in the tests of the crates, which run them on random and on slightly spoiled input each time; here
//! libFuzzer drives them by coverage. A body returns, or panics because an assertion or the crate under it failed.

pub mod condition;
pub mod schedule;
pub mod triage;
