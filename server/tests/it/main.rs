//! The integration tests, one binary; its tree mirrors the API.

mod access;
mod cases;
mod console;
mod foundation;
mod harness;
mod impact;
mod incidents;
mod oncall;
mod outbox;
mod people;
mod services;
mod signals;
mod smtp;
mod statements;
