//! What the crate promises, by example and by property.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up should say so at once"
)]

mod build;
mod layered;
