//! Entries of the timeline as the dialect's log entries.
//!
//! The timeline tells more than the dialect has kinds for. Clients count: each event that triggers has exactly one
//! `trigger_log_entry`, that of its alert, and an incident that is over exactly one `resolve_log_entry`; what the timeline tells
//! beside them is an annotation.

use std::collections::HashMap;

use serde_json::{Value, json};
use store::{Error, Tx};

use super::mentions::{Mentions, Pointed};
use super::shapes::{EventDetails, LogChannel, LogEntryView};
use crate::alerts::model::{Alert, AlertId};
use crate::http::{Head, Reference, Site};
use crate::timeline::{AgentKind, Entry, IncidentId, Kind};

/// The resources `<kind>_log_entry`, in the order of `entries`.
pub(super) fn views(tx: &mut Tx, entries: &[Entry], site: &Site) -> Result<Vec<Value>, Error> {
    let mut pointed = Pointed::default();
    let mut alerts = Vec::new();
    for entry in entries {
        let incident = entry.incident_id.as_ref().map(ToString::to_string);
        pointed.incidents.extend(incident);
        pointed.services.extend(entry.service_id.clone());
        if entry.agent_type == AgentKind::Integration {
            pointed.integrations.extend(entry.agent_id.clone());
        }
        alerts.extend(alert_id_of(entry).map(AlertId::from));
    }
    let mentions = Mentions::read(tx, pointed)?;
    let alerts: HashMap<String, Alert> = crate::alerts::store::find_all(tx, &alerts)?
        .into_iter()
        .map(|alert| (alert.id.to_string(), alert))
        .collect();
    Ok(entries
        .iter()
        .map(|entry| {
            let alert = alert_id_of(entry).and_then(|id| alerts.get(id));
            view(entry, alert, &mentions, site)
        })
        .collect())
}

/// The alert whose event an entry tells of.
fn alert_id_of(entry: &Entry) -> Option<&str> {
    match entry.kind {
        Kind::AlertAdded | Kind::AlertRepeated | Kind::AlertLimitReached | Kind::AlertResolved => {
            entry.details.get("alert_id")?.as_str()
        }
        _ => None,
    }
}

/// What the dialect has no kind for is an annotation.
fn dialect_kind(entry: &Entry) -> &'static str {
    match entry.kind {
        // The event has an entry of its own, that of its alert.
        Kind::Triggered if entry.details["origin"] == "event" => "annotate",
        Kind::Triggered | Kind::AlertAdded | Kind::AlertRepeated | Kind::Reopened => "trigger",
        Kind::Acknowledged => "acknowledge",
        Kind::Unacknowledged | Kind::SnoozeEnded => "unacknowledge",
        Kind::Resolved | Kind::MergedAway => "resolve",
        Kind::Assigned => "assign",
        Kind::Delegated => "delegate",
        Kind::Escalated => "escalate",
        Kind::EscalationRepeated => "repeat_escalation_path",
        Kind::EscalationExhausted | Kind::NobodyOnCall => "exhaust_escalation_path",
        Kind::PageOwed | Kind::PageSent | Kind::PageFailed => "notify",
        Kind::AlertLimitReached => "reach_trigger_limit",
        Kind::Snoozed => "snooze",
        Kind::UrgencyChanged => "urgency_change",
        Kind::PriorityChanged | Kind::TitleChanged | Kind::ServiceChanged | Kind::TypeChanged => {
            "field_value_change"
        }
        _ => "annotate",
    }
}

fn view(entry: &Entry, alert: Option<&Alert>, mentions: &Mentions, site: &Site) -> Value {
    let kind = dialect_kind(entry);
    let incident_id = entry.incident_id.as_ref().map(IncidentId::as_str);
    let service = entry
        .service_id
        .as_ref()
        .map(|id| mentions.service(site, id))
        .or_else(|| mentions.service_of(site, incident_id?));
    let shown = LogEntryView {
        head: Head {
            id: entry.id.to_string(),
            kind: format!("{kind}_log_entry"),
            summary: Some(entry.text.clone()),
            api_url: Some(site.api_url("log_entries", entry.id.as_str())),
            html_url: incident_id.map(|id| site.html_url("incidents", id)),
        },
        created_at: entry.at,
        agent: agent(entry, mentions, site).or_else(|| service.clone()),
        channel: channel(entry, alert),
        service,
        incident: incident_id.map(|id| mentions.incident(site, id)),
        teams: incident_id
            .map(|id| mentions.teams_of(site, id))
            .unwrap_or_default(),
        contexts: alert.map_or_else(|| json!([]), |alert| alert.contexts.clone()),
        note: (entry.kind == Kind::Noted).then(|| entry.text.clone()),
        event_details: EventDetails {
            description: entry.text.clone(),
        },
        muster_kind: entry.kind,
    };
    json!(shown)
}

/// A person, a service or an integration. What Muster does by itself, or a program with a key, the dialect says of
/// the service.
fn agent(entry: &Entry, mentions: &Mentions, site: &Site) -> Option<Reference> {
    let id = entry.agent_id.as_deref()?;
    match entry.agent_type {
        AgentKind::User => Some(site.reference("user", "users", id, entry.agent_name.clone())),
        AgentKind::Integration => mentions.integration(site, id),
        AgentKind::Service => Some(mentions.service(site, id)),
        _ => None,
    }
}

fn channel(entry: &Entry, alert: Option<&Alert>) -> LogChannel {
    match (entry.kind, alert) {
        (Kind::Snoozed, _) => LogChannel::Snooze {
            kind: "website",
            duration: entry.details["duration"].clone(),
        },
        (Kind::PageOwed | Kind::PageSent | Kind::PageFailed, _) => LogChannel::Notification {
            kind: "notification",
            notification: entry.details.clone(),
        },
        (_, Some(alert)) => LogChannel::Event {
            kind: "api",
            summary: entry.text.clone(),
            description: alert.summary.clone(),
            service_key: None,
            incident_key: alert.alert_key.clone(),
            details: alert.custom_details.clone(),
            client: alert.client.clone(),
            client_url: alert.client_url.clone(),
        },
        _ if entry.agent_type == AgentKind::Integration => LogChannel::Integration {
            kind: "api",
            description: entry.text.clone(),
            details: entry.details.clone(),
        },
        _ => LogChannel::Website {
            kind: "website",
            summary: entry.text.clone(),
            details: entry.details.clone(),
        },
    }
}
