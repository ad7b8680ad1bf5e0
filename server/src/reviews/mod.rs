//! The report on an incident, written from its timeline.
//!
//! When an incident is resolved the facts of its report are read from the timeline: times, people, updates,
//! cases, impact, promises; beside them stands a first version of the words. Facts are generated again
//! whenever something that belongs to them happens, under a new revision. Words that a person has edited are
//! never written over: every version is kept, with its author. What is exported joins the two.
//!
//! Words are Markdown and are treated as hostile: they are rendered to HTML and then cut down to what can do
//! no harm.

pub mod actions;
pub mod api;
pub mod chapters;
pub mod facts;
pub mod jobs;
pub mod render;
mod sources;
pub mod store;
pub mod words;

use std::time::Duration;

use crate::jobs::Kind as JobKind;
use crate::timeline::{Kind, Subscription};

/// What changes the facts of a report.
pub const SUBSCRIPTION: Subscription = Subscription {
    kinds: &[
        Kind::Resolved,
        Kind::AnswerSent,
        Kind::AnswerUndelivered,
        Kind::AnswerReplied,
        Kind::PromiseKept,
        Kind::PromiseMissed,
        Kind::UpdatePublished,
    ],
    job: JobKind::ReviewDue,
    gathering: Duration::ZERO,
};
