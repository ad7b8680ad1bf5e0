//! Whom an incident hurts: touchpoints, locations, customers, and what it costs an hour.
//!
//! The answer follows from who stands on whom (`services::graph`), from what locations and customers use, and
//! from evidence: alerts that name a location, cases linked, staff who report. Every entry of the timeline
//! that may change it owes the incident a computation; the result is one document with a revision, and the
//! timeline hears of it only when what it says has changed. A reader gets a fresh computation, never an old
//! document; where the two differ, the document is computed again.
//!
//! Without evidence of place everything that uses a hurt touchpoint counts as hurt; with evidence only what
//! the evidence names ([`places`]). Money is an estimate with a range ([`loss`]).

pub mod api;
pub mod jobs;
pub mod loss;
pub mod model;
pub mod places;
pub mod rules;
pub mod store;

pub use model::Impact;

use std::time::Duration;

use crate::jobs::Kind as JobKind;
use crate::timeline::{Kind, Subscription};

/// What makes an impact worth computing afresh.
pub const SUBSCRIPTION: Subscription = Subscription {
    kinds: &[
        Kind::Triggered,
        Kind::ServiceChanged,
        Kind::Merged,
        Kind::CaseLinked,
        Kind::CaseUnlinked,
        Kind::Reopened,
        Kind::LocationReported,
    ],
    job: JobKind::ImpactDue,
    gathering: Duration::ZERO,
};

/// In a storm alerts come by the hundred, and each may name another place.
pub const ALERTS_SUBSCRIPTION: Subscription = Subscription {
    kinds: &[Kind::AlertAdded, Kind::AlertResolved, Kind::AlertMoved],
    job: JobKind::ImpactDue,
    gathering: Duration::from_millis(500),
};
