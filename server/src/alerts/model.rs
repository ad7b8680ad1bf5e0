//! What an alert is made of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::incidents::IncidentId;
use crate::orchestration::{Held, Ruling};
use crate::services::{IntegrationId, ServiceId};

crate::identifier! {
    /// One alert.
    AlertId
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    Triggered,
    Resolved,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Alert {
    pub id: AlertId,
    pub integration_id: IntegrationId,
    pub service_id: ServiceId,
    pub incident_id: Option<IncidentId>,
    pub alert_key: String,
    pub status: AlertStatus,
    pub suppressed: bool,
    pub severity: String,
    pub summary: String,
    pub source: String,
    pub component: Option<String>,
    pub alert_group: Option<String>,
    pub class: Option<String>,
    pub client: Option<String>,
    pub client_url: Option<String>,
    #[row(json)]
    pub custom_details: Value,
    #[row(json)]
    pub contexts: Value,
    #[row(json)]
    pub truncated: Vec<String>,
    /// Sentences of the grouping decision, with their figures.
    #[row(json)]
    pub reasons: Vec<Reason>,
    /// What the rules of its service asked for when it came.
    #[row(json)]
    pub ruling: Option<Ruling>,
    /// By what a rule keeps it from an incident, while it is open.
    pub held: Option<Held>,
    /// When it happened, as its sender says.
    pub happened_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub last_event_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
    pub event_count: i64,
}

/// A link or an image that came with an event.
#[derive(Debug, ToSchema)]
pub struct Context {
    /// `link` or `image`.
    #[schema(rename = "type")]
    pub kind: String,
    /// Where a link, or an image that is clicked on, leads.
    pub href: Option<String>,
    /// Where an image is.
    pub src: Option<String>,
    /// The words of a link.
    pub text: Option<String>,
    /// What an image shows, in words.
    pub alt: Option<String>,
}

/// One reason why an alert is in its incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// Free-form: the kind and the figures that were counted with.
    #[schema(value_type = Object)]
    pub figures: Value,
    /// One plain sentence.
    pub sentence: String,
}

impl Reason {
    /// A reason of the `triage` crate.
    pub fn of(reason: &triage::Reason) -> Self {
        Self {
            figures: serde_json::to_value(reason).unwrap_or_default(),
            sentence: reason.to_string(),
        }
    }
}
