//! Entries, their kinds, and who stands behind them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

crate::identifier! {
    /// One entry of the timeline.
    EntryId
}

crate::identifier! {
    /// One incident: what a story is told about.
    IncidentId
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub kind: AgentKind,
    pub id: Option<String>,
    pub name: String,
    /// The request by which they do it; none for a timer, an event, or a customer.
    #[serde(skip)]
    pub request: Option<Arc<Request>>,
}

/// What the audit log says beside a name: how somebody proved who they are, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `browser` or `api_token`.
    pub method: &'static str,
    /// The last four letters of the key that was shown.
    pub truncated_token: Option<String>,
    /// The account-level key that acts, also where it acts for a person.
    pub key_name: Option<String>,
    pub remote_address: Option<String>,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentKind {
    User,
    Service,
    Integration,
    /// An account-level API key: a program, not a person.
    Key,
    /// A customer or a member of a location's staff, without an account here.
    Visitor,
    /// Muster itself: a timer, a rule.
    Muster,
}

impl Agent {
    pub fn muster() -> Self {
        Self {
            kind: AgentKind::Muster,
            id: None,
            name: "Muster".to_owned(),
            request: None,
        }
    }

    pub fn user(id: impl AsRef<str>, name: impl Into<String>) -> Self {
        Self {
            kind: AgentKind::User,
            id: Some(id.as_ref().to_owned()),
            name: name.into(),
            request: None,
        }
    }

    pub fn integration(id: impl AsRef<str>, name: impl Into<String>) -> Self {
        Self {
            kind: AgentKind::Integration,
            id: Some(id.as_ref().to_owned()),
            name: name.into(),
            request: None,
        }
    }

    pub fn visitor(name: impl Into<String>) -> Self {
        Self {
            kind: AgentKind::Visitor,
            id: None,
            name: name.into(),
            request: None,
        }
    }

    /// The same one, by a request.
    #[must_use]
    pub fn by(mut self, request: Request) -> Self {
        self.request = Some(Arc::new(request));
        self
    }

    pub fn user_id(&self) -> Option<&str> {
        match self.kind {
            AgentKind::User => self.id.as_deref(),
            _ => None,
        }
    }
}

/// What an entry tells. The names are stored; a kind is never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Triggered,
    AlertAdded,
    AlertRepeated,
    AlertLimitReached,
    AlertResolved,
    AlertMoved,
    Acknowledged,
    Unacknowledged,
    Resolved,
    Reopened,
    Assigned,
    Delegated,
    Escalated,
    EscalationRepeated,
    EscalationExhausted,
    NobodyOnCall,
    PageOwed,
    PageSent,
    PageFailed,
    Noted,
    Snoozed,
    SnoozeEnded,
    TitleChanged,
    PriorityChanged,
    UrgencyChanged,
    ServiceChanged,
    TypeChanged,
    ConferenceBridgeChanged,
    Merged,
    MergedAway,
    RoleAssigned,
    RoleCleared,
    TaskAdded,
    TaskChanged,
    TaskCompleted,
    ResponderRequested,
    ResponderReplied,
    StatusUpdatePublished,
    SubscriberAdded,
    ImpactChanged,
    CaseReported,
    CaseLinked,
    CaseUnlinked,
    CaseRaised,
    AnswersDrafted,
    AnswerSent,
    /// No attempt brought an answer to its reporter.
    AnswerUndelivered,
    AnswerReplied,
    UpdateDrafted,
    UpdateApproved,
    ApprovalWithdrawn,
    UpdatePublished,
    PromiseMade,
    PromiseKept,
    PromiseDueSoon,
    PromiseMissed,
    EstimatePassed,
    LocationReported,
    PageIncidentPosted,
    ReviewWritten,
    ReviewEdited,
    ReviewPublished,
    ChangeSeen,
    Repaired,
}

/// An entry as it is about to be written.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub kind: Kind,
    pub incident_id: Option<IncidentId>,
    pub service_id: Option<String>,
    /// One plain sentence for the people inside.
    pub text: String,
    pub details: Value,
}

impl NewEntry {
    pub fn new(kind: Kind, incident_id: &IncidentId, text: impl Into<String>) -> Self {
        Self {
            kind,
            incident_id: Some(incident_id.clone()),
            service_id: None,
            text: text.into(),
            details: Value::Object(serde_json::Map::new()),
        }
    }

    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    #[must_use]
    pub fn service(mut self, service_id: impl AsRef<str>) -> Self {
        self.service_id = Some(service_id.as_ref().to_owned());
        self
    }
}

/// An entry as it was written.
#[derive(Debug, Clone, store::FromRow)]
pub struct Entry {
    pub id: EntryId,
    pub at: Timestamp,
    pub incident_id: Option<IncidentId>,
    pub kind: Kind,
    pub agent_type: AgentKind,
    pub agent_id: Option<String>,
    pub agent_name: String,
    pub service_id: Option<String>,
    pub text: String,
    #[row(json)]
    pub details: Value,
}
