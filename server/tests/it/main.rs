//! The integration tests, one binary; its tree mirrors the API.

mod access;
mod console;
mod foundation;
mod harness;
mod incidents;
mod people;
mod signals;
mod statements;
