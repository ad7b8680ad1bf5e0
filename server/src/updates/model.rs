//! Audiences, updates and promises.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::incidents::IncidentId;
use crate::people::UserId;
use crate::words::{InternalText, PublicText};

crate::identifier! {
    /// One group of readers.
    AudienceId
}
crate::identifier! {
    /// One update for one audience.
    UpdateId
}
crate::identifier! {
    /// One promise of a next update.
    PromiseId
}

/// How far the handling of an incident has come, as readers are told.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, store::TextEnum, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Investigating,
    Identified,
    Monitoring,
    Resolved,
}

/// Who may read an audience's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readers {
    Public,
    Internal,
}

/// Whether somebody has to agree before words go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalRule {
    Required,
    NotRequired,
}

/// Where published words go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AudienceChannel {
    /// Every status page that shows what is hurt, with its subscribers.
    StatusPage,
    /// The agents' desk, where it is read in place.
    Desk,
    /// Whoever subscribed to the incident or to a touchpoint it hurts.
    Subscribers,
    Email {
        address: String,
    },
    Webhook {
        url: String,
    },
}

/// An audience's own templates; what is missing is the built-in one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Templates {
    pub subject: Option<String>,
    pub investigating: Option<String>,
    pub identified: Option<String>,
    pub monitoring: Option<String>,
    pub resolved: Option<String>,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Audience {
    pub id: AudienceId,
    pub name: String,
    pub readers: Readers,
    /// As in `lang="en"`.
    pub language: String,
    pub time_zone: String,
    pub approval: ApprovalRule,
    pub cadence_minutes: i64,
    pub later_cadence_minutes: i64,
    #[row(json)]
    pub templates: Templates,
    #[row(json)]
    pub channels: Vec<AudienceChannel>,
    pub position: i64,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateState {
    Draft,
    Approved,
    Published,
    /// No longer wanted: its incident was merged into another.
    Dropped,
}

impl UpdateState {
    pub fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Approved)
    }
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Update {
    pub id: UpdateId,
    pub incident_id: IncidentId,
    pub audience_id: AudienceId,
    pub state: UpdateState,
    pub phase: Phase,
    pub subject: InternalText,
    pub words: InternalText,
    /// Set when published for the public, and only then.
    pub public_subject: Option<PublicText>,
    pub public_words: Option<PublicText>,
    /// Somebody has put the template's words into their own; they are never overwritten.
    pub edited: bool,
    pub facts_revision: i64,
    pub next_update_by: Option<Timestamp>,
    pub approved_by: Option<UserId>,
    pub approved_at: Option<Timestamp>,
    pub published_by_id: Option<String>,
    pub published_by_name: Option<String>,
    pub published_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromiseState {
    Open,
    /// The next word came in time.
    Kept,
    /// It did not; it may have come later (`ended_at`).
    Missed,
    /// The incident was merged away and the promise went with it.
    Moved,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Promise {
    pub id: PromiseId,
    pub incident_id: IncidentId,
    pub audience_id: AudienceId,
    pub update_id: UpdateId,
    pub state: PromiseState,
    pub made_at: Timestamp,
    /// The time that readers were promised a word by. Never another.
    pub due_at: Timestamp,
    pub nagged_at: Option<Timestamp>,
    pub missed_at: Option<Timestamp>,
    pub reminders: i64,
    pub ended_at: Option<Timestamp>,
    /// When readers were told that it would be fixed at the latest, if that is chased before the promise.
    pub estimate_latest: Option<Timestamp>,
    /// When that says nothing any more.
    pub estimate_ends_at: Option<Timestamp>,
    /// How often people were written to since then.
    pub estimate_reminders: i64,
}
