//! The agents' desk: is it us, what to say, and who is still owed an answer.
//!
//! An agent asks with the customer's words; open incidents are ranked by likeness, place, touchpoint and time,
//! each with its reasons ([`matching`]). What may be said about an incident now is kept here ([`known`]) by
//! whoever publishes it. When an incident is resolved every linked case gets a drafted answer ([`answers`]);
//! an agent confirms one or all, and only then do words leave the house, as [`crate::words::PublicText`].
//! A draft is never sent by itself, and no case is closed by a resolution: the reporter is asked whether it
//! works. A case whose reporter can only be called stays owed until somebody says that they called.
//!
//! Customers report without an account by a form, and read their answer behind a link of their own
//! ([`form`]); those pages need no cookies and no script. What is published for agents stands on their desk at once
//! ([`notices`]). What may become an incident is shown as an early warning with its evidence ([`warnings`]); how many
//! reports are usual is counted for it ([`usual`]).

pub mod actions;
pub mod answers;
pub mod answers_api;
pub mod api;
pub mod compose;
pub mod form;
pub mod jobs;
pub mod known;
pub mod matching;
pub mod notices;
pub mod question;
pub mod undelivered;
pub mod usual;
pub mod voices;
pub mod warnings;
pub mod warnings_api;
mod zone;

use std::sync::Arc;
use std::time::Duration;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::jobs::Kind as JobKind;
use crate::timeline::{Kind, Subscription};

/// What changes who is to be answered how.
pub const SUBSCRIPTION: Subscription = Subscription {
    kinds: &[
        Kind::Resolved,
        Kind::Reopened,
        Kind::MergedAway,
        Kind::CaseLinked,
        Kind::CaseUnlinked,
        Kind::UpdatePublished,
    ],
    job: JobKind::AnswersDue,
    gathering: Duration::ZERO,
};

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(api::routes())
        .merge(answers_api::routes())
        .merge(warnings_api::routes())
}
