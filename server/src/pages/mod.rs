//! What people outside see: status pages, their JSON and feed, and the page of one location.
//!
//! They answer "is it broken?" in one sentence, need no script, no cookie and no second request. A status page
//! is made of public words only: incidents appear on it through updates published for the public, components
//! carry the names the house gave them for readers. A job ([`jobs`]) follows the timeline, records how
//! components stand, posts what was published, tells the readers who asked, and draws every document of the
//! page once; [`cache`] keeps them ready, so that serving touches no database. Each node draws again what
//! another has changed within two seconds. A page that is private, or in doubt, is not found. The pages of
//! locations are drawn from a [`board`] in memory in the same manner.

pub mod api;
pub mod board;
pub mod cache;
pub mod components;
pub mod documents;
pub mod feed;
pub mod jobs;
pub mod json;
pub mod location;
pub mod location_page;
pub mod location_words;
pub mod model;
pub mod plain;
pub mod posts;
pub mod public;
pub mod rate;
pub mod snapshot;
pub mod store;
pub mod subscribers;
pub mod uptime;
pub mod us_too;
pub mod view;

use std::time::Duration;

use crate::jobs::Kind as JobKind;
use crate::timeline::{Kind, Subscription};

pub use api::routes;

/// What may change how a page looks. An incident that was opened does once its impact is known.
pub const SUBSCRIPTION: Subscription = Subscription {
    kinds: &[
        Kind::Resolved,
        Kind::Reopened,
        Kind::PriorityChanged,
        Kind::UrgencyChanged,
        Kind::ServiceChanged,
        Kind::ImpactChanged,
        Kind::Merged,
        Kind::MergedAway,
        Kind::UpdatePublished,
        Kind::LocationReported,
    ],
    job: JobKind::PagesRender,
    gathering: Duration::ZERO,
};
