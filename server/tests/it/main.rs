//! The integration tests, one binary; its tree mirrors the API.

mod console;
mod foundation;
mod harness;
mod incidents;
mod signals;
mod statements;
