//! What the crate promises, by example and by property.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should say so at once"
)]

mod arbitrary;
mod bad_input;
mod build;
mod calendars;
mod changes;
mod clocks;
mod extremes;
mod fuzzed;
mod hostile;
mod layered;
mod oracle;
mod people;
mod properties;
mod second_opinion_on_shifts;
mod shifts;
mod worked_examples;
mod working_time;
