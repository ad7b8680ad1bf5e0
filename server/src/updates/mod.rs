//! Updates: one incident, many audiences, and for each its own words from one set of facts.
//!
//! Facts ([`facts`]) are read from the incident, from what it hurts and from what people state; each change is
//! a new revision. From them [`drafts`] composes a draft for every audience with that audience's templates.
//! A draft is checked ([`checker`]), approved where the audience asks for it, and published. An approval is
//! bound to the revision of the facts it was given on: when a fact changes the approval is withdrawn, and the
//! timeline says what changed. Whatever is published promises when the next word comes ([`promises`]); a
//! promise nags before it is due, escalates when it is missed, and is only ended by the next update.
//!
//! Words for the public leave as [`crate::words::PublicText`], made here at publication and nowhere else, and
//! kept in columns of their own. When a step fails nothing of it is kept: no half-published update exists.

pub mod api;
pub mod approval;
pub mod audiences;
pub mod audiences_api;
pub mod checker;
pub mod compose;
pub mod drafts;
pub mod estimates_given;
pub mod facts;
pub mod fan_out;
pub mod headline;
pub mod jobs;
pub mod model;
pub mod promised_words;
pub mod promises;
pub mod publication;
pub mod readability;
pub mod situation;
pub mod store;
pub mod subscribers;
pub mod subscribers_api;

use std::sync::Arc;
use std::time::Duration;

use utoipa_axum::router::OpenApiRouter;

pub use model::{AudienceId, Phase, UpdateId};

use crate::app::App;
use crate::jobs::Kind as JobKind;
use crate::timeline::{Kind, Subscription};

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(audiences_api::routes())
        .merge(api::routes())
        .merge(subscribers_api::routes())
}

/// What changes the facts of an incident. That it was opened is no such thing: whether anybody outside notices is
/// computed first, and said by `ImpactChanged`.
pub const SUBSCRIPTION: Subscription = Subscription {
    kinds: &[
        Kind::Acknowledged,
        Kind::Unacknowledged,
        Kind::Resolved,
        Kind::Reopened,
        Kind::PriorityChanged,
        Kind::UrgencyChanged,
        Kind::ServiceChanged,
        Kind::ImpactChanged,
        Kind::MergedAway,
    ],
    job: JobKind::UpdatesDue,
    gathering: Duration::ZERO,
};
