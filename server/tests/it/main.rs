//! The integration tests, one binary; its tree mirrors the API.

mod access;
mod cases;
mod console;
mod crash;
mod desk;
mod foundation;
mod front;
mod harness;
mod impact;
mod incidents;
mod oncall;
mod outbox;
mod pages;
mod paging;
mod people;
mod reviews;
mod services;
mod signals;
mod smtp;
mod statements;
mod updates;
mod words;
