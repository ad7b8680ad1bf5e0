//! Muster, the server: events in, incidents, pages and answers out.
//!
//! The crate is cut into slices, each a room with the same furniture: `model` (types), `rules` (pure
//! decisions), `store` (queries), `api` (JSON), `page` (HTML), `jobs` (what it owes). Slices import
//! downwards only, in the order of the list below read from the bottom; what must react to something
//! above it subscribes to the timeline.

pub mod cli;
pub mod demo;

pub mod app;

pub mod console;
pub mod pages;

pub mod reviews;

pub mod desk;
pub mod updates;

pub mod paging;

pub mod passwords;

pub mod outbox;

pub mod access;
pub mod alerts;
pub mod cases;
pub mod customers;
pub mod impact;
pub mod incidents;
pub mod oncall;
pub mod orchestration;
pub mod people;
pub mod services;
pub mod signals;
pub mod timeline;

pub mod jobs;
pub mod live;

pub mod clock;
pub mod config;
pub mod drawing;
pub mod http;
pub mod identifier;
pub mod metrics;
pub mod numbers;
pub mod outbound;
pub mod vault;
pub mod words;
