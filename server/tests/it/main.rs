//! The integration tests, one binary; its tree mirrors the API.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod access;
mod cases;
mod commands;
mod console;
mod crash;
mod customers;
mod desk;
mod dialect;
mod foundation;
mod front;
mod harness;
mod impact;
mod incidents;
mod oncall;
mod orchestration;
mod order;
mod outbox;
mod pages;
mod paging;
mod people;
mod reviews;
mod screens;
mod services;
mod signals;
mod smtp;
mod statements;
mod thinking;
mod updates;
mod words;
