//! What belongs together, and why.
//!
//! A pure crate: no input or output, no clock, no chance. The same events in the same order give the same
//! decisions, on every machine, before and after a restart. Every decision carries its [`Reason`]s: a kind and
//! figures as data, and one plain sentence each by `Display`.
//!
//! # Two ways to use it
//!
//! **With tables of your own** (what the server does, inside a transaction): keep the [`Profile`] of each open
//! group (incident) beside it, load those that an alert could join, and ask [`choose_group`]. After the answer call
//! [`Profile::add`] or [`Profile::open`] and store the profile. [`Transients`] and [`Lessons`] are values to be
//! stored likewise.
//!
//! ```
//! use triage::{choose_group, Aggregate, Event, Features, Grouping, Knowledge, Profile};
//!
//! let grouping =
//!     Grouping::ContentBased { aggregate: Aggregate::All, fields: vec!["class".into()], window_seconds: 600 };
//! let event = Event { service: "shop", summary: "disk full", class: Some("disk"), ..Event::default() };
//! let now = jiff::Timestamp::UNIX_EPOCH;
//!
//! let features = Features::of(&event, &grouping);
//! let open: Vec<Profile> = vec![Profile::open(features.clone(), now)];
//! let candidates: Vec<&Profile> = open.iter().collect();
//! let choice = choose_group(&grouping, &features, &candidates, &Knowledge::default(), now);
//!
//! assert_eq!(choice.joined, Some(0));
//! assert_eq!(choice.reasons[0].to_string(), "The same class.");
//! ```
//!
//! **With the state machine**: [`Triage`] holds everything that is open, in bounded memory, and is serialisable.
//! [`Triage::observe`] takes an event, the [`Setting`] of its service and the time, and gives a [`Decision`].
//! Tell it what people do: [`Triage::resolve_alert`], [`Triage::close_group`], [`Triage::merge`],
//! [`Triage::split`], and [`Triage::undo`].
//!
//! # Units and sources
//!
//! Evidence is in natural-log odds (nats) and adds up; a person is shown the terms of the sum. Seconds are `i64` or
//! `u32`, instants [`jiff::Timestamp`]s, shares lie between 0 and 1. What an algorithm is taken from stands with the item
//! that holds it: [`Causes`], [`Templates`], [`lower_bound`], [`words::Classifier`], [`counts`]. The kinds of grouping,
//! auto-pause and the reasons for related changes are those of PagerDuty's public API.
//!
//! # Hostile input
//!
//! Texts are read only as far as a fixed number of bytes, collections are bounded, graphs may have cycles, time
//! may run backwards: none of it is an error, none of it panics.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

pub mod counts;
pub mod similar;
pub mod words;

mod causes;
mod change;
mod decision;
mod event;
mod flapping;
mod grouping;
mod hash;
mod lessons;
mod machine;
mod origin;
mod profile;
mod reason;
mod score;
mod template;
mod topology;
mod transient;
mod work;

pub use causes::{Cause, Causes, CausesSetting, Happening};
pub use change::{Change, Changes, Correlation, Risk};
pub use decision::{AlertId, Configuration, Decision, GroupId, Notification, Outcome, Setting, Unknown};
pub use event::{Action, Event, Severity, flatten_details};
pub use flapping::{Flapping, FlappingLimits};
pub use grouping::{Aggregate, Choice, Grouping, Wave, choose_group};
pub use lessons::{Lesson, Lessons, Verdict};
pub use machine::Triage;
pub use origin::{Confirmation, OriginWeights, Origins, Signal, Suspect, Symptom};
pub use profile::{Features, Kind, Profile};
pub use reason::Reason;
pub use score::{Knowledge, Weights};
pub use template::{TemplateId, Templates, mask, mask_into};
pub use topology::{Node, Topology};
pub use transient::{AutoPause, Ending, PAUSES, TransientLimits, Transients, lower_bound};

/// The examples of the README are run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
