//! What an incident is made of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::faults::one_line;
use crate::oncall::EscalationPolicyId;
use crate::oncall::EscalationRule;
use crate::people::UserId;
use crate::services::{PriorityId, ServiceId};

pub use crate::timeline::IncidentId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Triggered,
    Acknowledged,
    Resolved,
}

pub use crate::people::Urgency;

/// Where an incident came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An event from a machine.
    Event,
    /// A person, over the console or the API.
    Person,
    /// A case: customers told us first.
    Case,
}

/// How the people who have it came to have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssignedVia {
    EscalationPolicy,
    /// Somebody named them: never escalates.
    DirectAssignment,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Incident {
    pub id: IncidentId,
    pub number: i64,
    pub title: String,
    pub status: Status,
    pub urgency: Urgency,
    pub origin: Origin,
    pub incident_key: Option<String>,
    pub incident_type: String,
    pub body: Option<String>,
    pub service_id: ServiceId,
    pub escalation_policy_id: EscalationPolicyId,
    pub priority_id: Option<PriorityId>,
    pub assigned_via: AssignedVia,
    #[row(json)]
    pub escalation_rules: FrozenPolicy,
    /// 1 for the first rule; 0 before the escalation has begun.
    pub escalation_level: i64,
    /// How often the policy has been gone through to its end.
    pub escalation_loop: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub acknowledged_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    pub snoozed_until: Option<Timestamp>,
    pub last_status_change_at: Timestamp,
    pub last_status_change_by_type: crate::timeline::AgentKind,
    pub last_status_change_by_id: Option<String>,
    pub last_alert_at: Timestamp,
    pub merged_into_id: Option<IncidentId>,
    pub conference_number: Option<String>,
    pub conference_url: Option<String>,
}

/// The escalation policy as it was when the incident opened or was delegated.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FrozenPolicy {
    pub rules: Vec<EscalationRule>,
    pub num_loops: i64,
}

/// Somebody who has the incident.
#[derive(Debug, Clone, store::FromRow)]
pub struct Assignment {
    pub incident_id: IncidentId,
    pub user_id: UserId,
    pub user_name: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Acknowledgement {
    pub incident_id: IncidentId,
    pub acknowledger_type: String,
    pub acknowledger_id: String,
    pub acknowledger_name: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema, store::FromRow)]
pub struct AlertCounts {
    pub all: i64,
    pub triggered: i64,
    pub resolved: i64,
}

/// The only type there is.
pub const INCIDENT_TYPE: &str = "incident_default";

/// What is needed to open an incident.
#[derive(Debug, Clone)]
pub struct NewIncident {
    pub title: String,
    pub service_id: ServiceId,
    pub urgency: Urgency,
    pub origin: Origin,
    pub incident_key: Option<String>,
    pub incident_type: String,
    pub body: Option<String>,
    pub priority_id: Option<PriorityId>,
    pub conference_number: Option<String>,
    pub conference_url: Option<String>,
    pub handler: Handler,
    /// What grouping remembers of the alerts in it.
    pub profile: Option<triage::Profile>,
}

impl NewIncident {
    /// One of the usual type, for the service's policy, about which nothing more is known.
    pub fn new(title: &str, service_id: ServiceId, urgency: Urgency, origin: Origin) -> Self {
        Self {
            title: one_line(title.trim()),
            service_id,
            urgency,
            origin,
            incident_key: None,
            incident_type: INCIDENT_TYPE.to_owned(),
            body: None,
            priority_id: None,
            conference_number: None,
            conference_url: None,
            handler: Handler::ServicePolicy,
            profile: None,
        }
    }
}

/// Who is to see to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handler {
    /// The service's policy.
    ServicePolicy,
    Policy(EscalationPolicyId),
    People(Vec<UserId>),
}
