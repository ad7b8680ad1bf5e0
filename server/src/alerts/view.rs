//! An alert as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::model::{Alert, AlertStatus, Context, Reason};
use crate::http::{Head, Reference, Site};
use crate::incidents::mentions::Mentions;
use crate::orchestration::Held;
use crate::timeline::model::EntryId;

/// An alert. Its `self` and `html_url` are null while it is in no incident.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertView {
    #[serde(flatten)]
    head: Head,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    status: AlertStatus,
    /// The `dedup_key` of its events.
    alert_key: String,
    /// `critical`, `error`, `warning` or `info`.
    severity: String,
    suppressed: bool,
    service: Reference,
    incident: Option<Reference>,
    /// The integration that its events came through.
    integration: Option<Reference>,
    /// The entry of the timeline with which it began.
    first_trigger_log_entry: Option<Reference>,
    body: AlertBody,
    /// How many events were about it. Muster's own, as are the fields below.
    event_count: i64,
    #[schema(value_type = String, format = DateTime)]
    last_event_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Timestamp>,
    /// Fields of its event that were longer than they may be, or could not be understood and were left out.
    truncated: Vec<String>,
    /// Why it is in its incident, and what rules did to it.
    grouping_reasons: Vec<Reason>,
    /// By what a rule keeps it from an incident.
    held_by_rule: Option<Held>,
}

/// What the event of an alert said.
#[derive(Debug, Serialize, ToSchema)]
struct AlertBody {
    /// `alert_body`
    #[serde(rename = "type")]
    kind: &'static str,
    #[schema(value_type = Vec<Context>)]
    contexts: Value,
    /// Free-form: the event's `custom_details`.
    #[schema(value_type = Object)]
    details: Value,
    cef_details: CommonEvent,
}

/// The event in the dialect's common event format.
#[derive(Debug, Serialize, ToSchema)]
struct CommonEvent {
    /// The event's `source`.
    source_origin: String,
    /// The event's `component`.
    source_component: Option<String>,
    /// The event's `class`.
    event_class: Option<String>,
    /// The event's `group`.
    service_group: Option<String>,
    severity: String,
    summary: String,
    client: Option<String>,
    client_url: Option<String>,
    dedup_key: String,
    /// Free-form: the event's `custom_details`.
    #[schema(value_type = Object)]
    details: Value,
    /// The event's `timestamp`: when it happened, as its sender says.
    #[schema(value_type = Option<String>, format = DateTime)]
    creation_time: Option<Timestamp>,
}

/// The resource `alert`, an [`AlertView`] in which whole resources may be put in the place of references.
pub(super) fn view(alert: &Alert, beginning: Option<&EntryId>, mentions: &Mentions, site: &Site) -> Value {
    let id = alert.id.as_str();
    let incident = alert.incident_id.as_ref();
    let page = incident.map(|incident| site.html_url("incidents", incident.as_str()));
    let shown = AlertView {
        head: Head {
            id: id.to_owned(),
            kind: "alert".to_owned(),
            summary: Some(alert.summary.clone()),
            api_url: incident.map(|incident| site.api_url("incidents", &format!("{incident}/alerts/{id}"))),
            html_url: page.clone(),
        },
        created_at: alert.created_at,
        status: alert.status,
        alert_key: alert.alert_key.clone(),
        severity: alert.severity.clone(),
        suppressed: alert.suppressed,
        service: mentions.service(site, alert.service_id.as_str()),
        incident: incident.map(|incident| mentions.incident(site, incident.as_str())),
        integration: mentions.integration(site, alert.integration_id.as_str()),
        first_trigger_log_entry: beginning.map(|entry| Reference {
            html_url: page,
            ..site.reference(
                "trigger_log_entry",
                "log_entries",
                entry.as_str(),
                alert.summary.clone(),
            )
        }),
        body: AlertBody {
            kind: "alert_body",
            contexts: alert.contexts.clone(),
            details: alert.custom_details.clone(),
            cef_details: common_event(alert),
        },
        event_count: alert.event_count,
        last_event_at: alert.last_event_at,
        resolved_at: alert.resolved_at,
        truncated: alert.truncated.clone(),
        grouping_reasons: alert.reasons.clone(),
        held_by_rule: alert.held,
    };
    json!(shown)
}

fn common_event(alert: &Alert) -> CommonEvent {
    CommonEvent {
        source_origin: alert.source.clone(),
        source_component: alert.component.clone(),
        event_class: alert.class.clone(),
        service_group: alert.alert_group.clone(),
        severity: alert.severity.clone(),
        summary: alert.summary.clone(),
        client: alert.client.clone(),
        client_url: alert.client_url.clone(),
        dedup_key: alert.alert_key.clone(),
        details: alert.custom_details.clone(),
        creation_time: alert.happened_at,
    }
}
