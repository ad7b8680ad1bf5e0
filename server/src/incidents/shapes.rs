//! The shapes of an incident and of what belongs to it, as answers show them and the API's document describes them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::model::{AlertCounts, AssignedVia, Origin, Status, Urgency};
use super::room::{ResponderState, RoleName, TaskStatus};
use crate::alerts::model::Context;
use crate::http::{Head, Reference};
use crate::timeline::Kind;

/// An incident.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentView {
    #[serde(flatten)]
    pub head: Head,
    /// What people call it by; both it and the id find the incident.
    pub incident_number: i64,
    pub title: String,
    /// The same as `title`.
    pub description: String,
    pub status: Status,
    pub urgency: Urgency,
    /// Given by whoever opened it, so that nobody opens it twice.
    pub incident_key: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub last_status_change_at: Timestamp,
    /// A person, an integration or the service itself.
    pub last_status_change_by: Reference,
    pub service: Reference,
    /// Who has it now.
    pub assignments: Vec<AssignmentView>,
    pub assigned_via: AssignedVia,
    /// Empty unless it is acknowledged.
    pub acknowledgements: Vec<AcknowledgementView>,
    pub escalation_policy: Reference,
    /// The teams of its escalation policy.
    pub teams: Vec<Reference>,
    pub priority: Option<IncidentPriority>,
    pub incident_type: IncidentTypeName,
    /// The entry of the timeline with which it began.
    pub first_trigger_log_entry: Option<Reference>,
    pub alert_counts: AlertCounts,
    /// Whether it may be merged into another one.
    pub is_mergeable: bool,
    /// What happens by itself unless somebody acts.
    pub pending_actions: Vec<PendingAction>,
    /// Null while it holds less than two alerts.
    pub alert_grouping: Option<GroupedAlerts>,
    /// Why it is resolved, where a merge resolved it.
    pub resolve_reason: Option<ResolveReason>,
    pub conference_bridge: Option<ConferenceBridge>,
    /// Everybody who was asked to join.
    pub incidents_responders: Vec<ResponderView>,
    pub responder_requests: Vec<ResponderRequestView>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub snoozed_until: Option<Timestamp>,
    /// Where it came from. Muster's own.
    pub origin: Origin,
    pub body: IncidentBody,
    /// Always empty, and there only if `include[]` asks for `custom_fields`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub custom_fields: Option<Vec<Value>>,
}

/// Somebody who has an incident.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignmentView {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub assignee: Reference,
}

/// Who acknowledged an incident.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcknowledgementView {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// A person; the service, where a machine did it.
    pub acknowledger: Reference,
}

/// How important an incident is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IncidentPriority {
    #[serde(flatten)]
    pub head: Head,
    pub name: String,
    pub description: Option<String>,
    /// As CSS writes colours in hexadecimal digits, without the `#`.
    pub color: String,
}

/// There is one type only, `incident_default`.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentTypeName {
    pub name: String,
}

/// What happens by itself at a time.
#[derive(Debug, Serialize, ToSchema)]
pub struct PendingAction {
    /// `escalate`, `unacknowledge`, `resolve` or `urgency_change`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Only with `urgency_change`: `high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Urgency>,
}

/// That an incident holds several alerts.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupedAlerts {
    /// `advanced`
    pub grouping_type: &'static str,
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Whether alerts may still join.
    pub alert_grouping_active: bool,
}

/// That an incident was merged away.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResolveReason {
    /// `merge_resolve_reason`
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The incident that it was merged into.
    pub incident: Reference,
}

/// Where people talk while an incident is open.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConferenceBridge {
    pub conference_number: Option<String>,
    pub conference_url: Option<String>,
}

/// What was said when an incident was opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct IncidentBody {
    /// `incident_body`
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub details: Option<String>,
}

/// Somebody who was asked to join.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResponderView {
    pub state: ResponderState,
    pub user: Reference,
    pub incident: Reference,
    /// Who asked.
    pub requester: Option<Reference>,
    #[schema(value_type = String, format = DateTime)]
    pub requested_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    pub message: String,
    /// Always empty: who is on call for a policy is asked by name.
    pub escalation_policy_requests: Vec<Reference>,
}

/// One request to join, to one or many.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResponderRequestView {
    pub id: String,
    pub incident: Reference,
    /// Who asked.
    pub requester: Option<Reference>,
    #[schema(value_type = String, format = DateTime)]
    pub requested_at: Timestamp,
    pub message: String,
    pub responder_request_targets: Vec<ResponderRequestTargetView>,
}

/// Who was asked, or on call for what.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResponderRequestTargetView {
    /// `user` or `escalation_policy`.
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    pub summary: String,
    /// Those who were asked because of it.
    pub incident_responders: Vec<ResponderView>,
}

/// Words that stay inside.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteView {
    pub id: String,
    /// Who wrote it; null for a program.
    pub user: Option<Reference>,
    pub channel: NoteChannel,
    pub content: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// How a note came in.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoteChannel {
    pub summary: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// Who has a role.
#[derive(Debug, Serialize, ToSchema)]
pub struct RoleHolderView {
    pub role: RoleName,
    /// What people call the role.
    pub name: &'static str,
    pub assignee: Reference,
    #[schema(value_type = String, format = DateTime)]
    pub assigned_at: Timestamp,
}

/// Something to be done during an incident.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskView {
    pub id: String,
    /// `incident_task`
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub name: String,
    pub description: Option<String>,
    pub status: TaskStatus,
    pub assignee: Option<Reference>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub completed_at: Option<Timestamp>,
}

/// One entry of the timeline, as the dialect tells it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogEntryView {
    /// `type` is one of the dialect's kinds, such as `trigger_log_entry`; what it has no kind for is `annotate_log_entry`.
    #[serde(flatten)]
    pub head: Head,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Who did it: a person, an integration or a service.
    pub agent: Option<Reference>,
    /// By what way it came about; its fields depend on its `type`.
    #[schema(value_type = Object)]
    pub channel: LogChannel,
    pub service: Option<Reference>,
    pub incident: Option<Reference>,
    pub teams: Vec<Reference>,
    /// Links and images of the event that the entry tells of.
    #[schema(value_type = Vec<Context>)]
    pub contexts: Value,
    /// The note, if the entry tells of one.
    pub note: Option<String>,
    pub event_details: EventDetails,
    /// What the entry tells, in Muster's own words, which are finer than the dialect's.
    pub muster_kind: Kind,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EventDetails {
    /// The same as `summary`.
    pub description: String,
}

/// By what way something came about.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum LogChannel {
    /// A person snoozed the incident.
    Snooze {
        /// `website`
        #[serde(rename = "type")]
        kind: &'static str,
        /// In seconds.
        duration: Value,
    },
    /// Somebody was told.
    Notification {
        /// `notification`
        #[serde(rename = "type")]
        kind: &'static str,
        /// Free-form: who was told, and how it went.
        notification: Value,
    },
    /// An event of an alert came in.
    Event {
        /// `api`
        #[serde(rename = "type")]
        kind: &'static str,
        summary: String,
        /// The alert's summary.
        description: String,
        /// Always null: keys are not shown here.
        service_key: Option<String>,
        /// The alert's key.
        incident_key: String,
        /// Free-form: the event's `custom_details`.
        details: Value,
        client: Option<String>,
        client_url: Option<String>,
    },
    /// An integration did something else.
    Integration {
        /// `api`
        #[serde(rename = "type")]
        kind: &'static str,
        description: String,
        /// Free-form: what the entry knows beside its text.
        details: Value,
    },
    /// Anything else: a person, or Muster itself.
    Website {
        /// `website`
        #[serde(rename = "type")]
        kind: &'static str,
        summary: String,
        /// Free-form: what the entry knows beside its text.
        details: Value,
    },
}
