//! An incident as the API shows it: every field of the dialect, always present.

use std::collections::HashMap;

use serde_json::{Value, json};
use store::{Error, Tx};

use super::mentions::{Mentions, Pointed};
use super::model::{AlertCounts, Incident, IncidentId, Origin, Status, Urgency};
use super::shapes::{
    AcknowledgementView, AssignmentView, ConferenceBridge, GroupedAlerts, IncidentBody, IncidentPriority,
    IncidentTypeName, IncidentView, NoteChannel, NoteView, PendingAction, ResolveReason,
    ResponderRequestTargetView, ResponderRequestView, ResponderView,
};
use super::{actions, room, store as rows};
use crate::http::{Head, Reference, Site};
use crate::jobs;
use crate::people::UserId;
use crate::timeline::AgentKind;

/// Everything a list of incidents points at, read with a handful of queries whatever its length.
pub struct Surroundings {
    assignments: Vec<super::model::Assignment>,
    acknowledgements: Vec<super::model::Acknowledgement>,
    counts: HashMap<IncidentId, AlertCounts>,
    responders: Vec<room::Responder>,
    requests: Vec<room::ResponderRequest>,
    services: HashMap<String, String>,
    policies: HashMap<String, String>,
    teams: HashMap<String, Vec<(String, String)>>,
    priorities: HashMap<String, IncidentPriority>,
    pending: HashMap<IncidentId, Vec<(jobs::Kind, jiff::Timestamp)>>,
    names: HashMap<String, String>,
    beginnings: HashMap<IncidentId, crate::timeline::model::EntryId>,
    mentions: Mentions,
}

impl Surroundings {
    pub fn read(tx: &mut Tx, incidents: &[Incident]) -> Result<Self, Error> {
        let ids: Vec<IncidentId> = incidents.iter().map(|incident| incident.id.clone()).collect();
        let services = distinct(incidents.iter().map(|incident| incident.service_id.as_str()));
        let policies = distinct(
            incidents
                .iter()
                .map(|incident| incident.escalation_policy_id.as_str()),
        );
        let open: Vec<IncidentId> = incidents
            .iter()
            .filter(|incident| incident.status != Status::Resolved)
            .map(|incident| incident.id.clone())
            .collect();
        let pending = actions::pending(tx, &open)?;
        let responders = room::responders(tx, &ids)?;
        let requests = room::responder_requests(tx, &ids)?;
        let requesters = responders.iter().filter_map(|one| one.requester_id.as_ref());
        let requesters = requesters.chain(requests.iter().filter_map(|one| one.requester_id.as_ref()));
        let people: Vec<String> = distinct(
            incidents
                .iter()
                .filter_map(|one| one.last_status_change_by_id.as_deref())
                .chain(requesters.map(UserId::as_str)),
        );
        let pointed = Pointed {
            incidents: incidents
                .iter()
                .filter_map(|one| one.merged_into_id.as_ref())
                .map(ToString::to_string)
                .collect(),
            integrations: incidents
                .iter()
                .filter(|one| one.last_status_change_by_type == AgentKind::Integration)
                .filter_map(|one| one.last_status_change_by_id.clone())
                .collect(),
            ..Pointed::default()
        };
        Ok(Self {
            assignments: rows::assignments(tx, &ids)?,
            acknowledgements: rows::acknowledgements(tx, &ids)?,
            counts: rows::alert_counts(tx, &ids)?.into_iter().collect(),
            responders,
            requests,
            services: rows::service_names(tx, &services)?.into_iter().collect(),
            policies: crate::oncall::store::names_of_policies(tx, &policies)?
                .into_iter()
                .collect(),
            teams: crate::oncall::store::named_teams_of_policies(tx, &policies)?,
            priorities: rows::priorities(tx)?
                .into_iter()
                .map(|priority| {
                    let id = priority.id.clone();
                    (id, priority_view(&priority))
                })
                .collect(),
            pending,
            beginnings: crate::timeline::store::beginnings(tx, &ids)?,
            names: rows::agent_names(tx, &people)?.into_iter().collect(),
            mentions: Mentions::read(tx, pointed)?,
        })
    }
}

fn distinct<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut list: Vec<String> = texts.map(str::to_owned).collect();
    list.sort_unstable();
    list.dedup();
    list
}

fn priority_view(priority: &rows::PriorityRow) -> IncidentPriority {
    IncidentPriority {
        head: Head {
            id: priority.id.clone(),
            kind: "priority".to_owned(),
            summary: Some(priority.name.clone()),
            api_url: None,
            html_url: None,
        },
        name: priority.name.clone(),
        description: priority.description.clone(),
        color: priority.color.clone(),
    }
}

/// The resource `incident`, an [`IncidentView`] in which whole resources may be put in the place of references.
pub fn view(incident: &Incident, around: &Surroundings, site: &Site) -> Value {
    let id = incident.id.as_str();
    let service = reference(
        site,
        "service",
        "services",
        incident.service_id.as_str(),
        &around.services,
    );
    let policy = reference(
        site,
        "escalation_policy",
        "escalation_policies",
        incident.escalation_policy_id.as_str(),
        &around.policies,
    );
    let counts = around.counts.get(&incident.id).copied().unwrap_or_default();
    let teams: Vec<Reference> = around
        .teams
        .get(incident.escalation_policy_id.as_str())
        .into_iter()
        .flatten()
        .map(|(id, name)| site.reference("team", "teams", id, name.clone()))
        .collect();
    let assignments: Vec<AssignmentView> = around
        .assignments
        .iter()
        .filter(|one| one.incident_id == incident.id)
        .map(|one| AssignmentView {
            at: one.at,
            assignee: user_reference(site, one.user_id.as_str(), &one.user_name),
        })
        .collect();
    let acknowledgements: Vec<AcknowledgementView> = around
        .acknowledgements
        .iter()
        .filter(|one| one.incident_id == incident.id && incident.status == Status::Acknowledged)
        .map(|one| {
            // The dialect knows people and services only: what a machine acknowledged, its service did.
            let acknowledger = match one.acknowledger_type.as_str() {
                "user" => user_reference(site, &one.acknowledger_id, &one.acknowledger_name),
                _ => service.clone(),
            };
            AcknowledgementView {
                at: one.at,
                acknowledger,
            }
        })
        .collect();
    let summary = format!("[#{}] {}", incident.number, incident.title);
    let page = Some(site.html_url("incidents", id));
    let shown = IncidentView {
        head: site.resource("incident", "incidents", id, summary).into(),
        incident_number: incident.number,
        title: incident.title.clone(),
        description: incident.title.clone(),
        status: incident.status,
        urgency: incident.urgency,
        incident_key: incident.incident_key.clone(),
        created_at: incident.created_at,
        updated_at: incident.updated_at,
        resolved_at: incident.resolved_at,
        last_status_change_at: incident.last_status_change_at,
        last_status_change_by: changer(incident, &service, around, site),
        service,
        assignments,
        assigned_via: incident.assigned_via,
        acknowledgements,
        escalation_policy: policy,
        teams,
        priority: incident
            .priority_id
            .as_ref()
            .and_then(|id| around.priorities.get(id.as_str()))
            .cloned(),
        incident_type: IncidentTypeName {
            name: incident.incident_type.clone(),
        },
        first_trigger_log_entry: around.beginnings.get(&incident.id).map(|entry| Reference {
            html_url: page,
            ..site.reference("trigger_log_entry", "log_entries", entry.as_str(), "Triggered")
        }),
        alert_counts: counts,
        is_mergeable: counts.all > 0 || incident.origin != Origin::Event,
        pending_actions: pending_actions(incident, around),
        alert_grouping: (counts.all > 1).then(|| GroupedAlerts {
            grouping_type: "advanced",
            started_at: incident.created_at,
            ended_at: incident.resolved_at,
            alert_grouping_active: incident.status != Status::Resolved,
        }),
        resolve_reason: incident.merged_into_id.as_ref().map(|target| ResolveReason {
            kind: "merge_resolve_reason",
            incident: around.mentions.incident(site, target.as_str()),
        }),
        conference_bridge: conference_bridge(incident),
        incidents_responders: responders(incident, around, site),
        responder_requests: requests(incident, around, site),
        snoozed_until: incident.snoozed_until,
        origin: incident.origin,
        body: IncidentBody {
            kind: "incident_body",
            details: incident.body.clone(),
        },
        custom_fields: None,
    };
    json!(shown)
}

fn reference(
    site: &Site,
    kind: &str,
    collection: &str,
    id: &str,
    names: &HashMap<String, String>,
) -> Reference {
    site.reference(
        kind,
        collection,
        id,
        names.get(id).cloned().unwrap_or_else(|| id.to_owned()),
    )
}

fn user_reference(site: &Site, id: &str, name: &str) -> Reference {
    site.reference("user", "users", id, name)
}

fn changer(incident: &Incident, service: &Reference, around: &Surroundings, site: &Site) -> Reference {
    match (
        incident.last_status_change_by_type,
        &incident.last_status_change_by_id,
    ) {
        (AgentKind::User, Some(id)) => reference(site, "user", "users", id, &around.names),
        (AgentKind::Integration, Some(id)) => around
            .mentions
            .integration(site, id)
            .unwrap_or_else(|| service.clone()),
        _ => service.clone(),
    }
}

fn conference_bridge(incident: &Incident) -> Option<ConferenceBridge> {
    let known = incident.conference_number.is_some() || incident.conference_url.is_some();
    known.then(|| ConferenceBridge {
        conference_number: incident.conference_number.clone(),
        conference_url: incident.conference_url.clone(),
    })
}

fn pending_actions(incident: &Incident, around: &Surroundings) -> Vec<PendingAction> {
    let pending = around
        .pending
        .get(&incident.id)
        .map(Vec::as_slice)
        .unwrap_or_default();
    pending
        .iter()
        .filter_map(|(kind, at)| {
            let name = match kind {
                jobs::Kind::EscalationDue => "escalate",
                jobs::Kind::AcknowledgementExpires | jobs::Kind::SnoozeEnds => "unacknowledge",
                jobs::Kind::AutoResolveDue => "resolve",
                jobs::Kind::UrgencyChangeDue => "urgency_change",
                _ => return None,
            };
            let to = (*kind == jobs::Kind::UrgencyChangeDue).then_some(Urgency::High);
            Some(PendingAction {
                kind: name,
                at: *at,
                to,
            })
        })
        .collect()
}

fn responders(incident: &Incident, around: &Surroundings, site: &Site) -> Vec<ResponderView> {
    around
        .responders
        .iter()
        .filter(|one| one.incident_id == incident.id)
        .map(|one| responder_view(one, incident, around, site))
        .collect()
}

fn incident_reference(incident: &Incident, site: &Site) -> Reference {
    let summary = format!("[#{}] {}", incident.number, incident.title);
    site.reference("incident", "incidents", incident.id.as_str(), summary)
}

fn requester(id: Option<&UserId>, around: &Surroundings, site: &Site) -> Option<Reference> {
    id.map(|id| reference(site, "user", "users", id.as_str(), &around.names))
}

fn responder_view(
    one: &room::Responder,
    incident: &Incident,
    around: &Surroundings,
    site: &Site,
) -> ResponderView {
    ResponderView {
        state: one.state,
        user: user_reference(site, one.user_id.as_str(), &one.user_name),
        incident: incident_reference(incident, site),
        requester: requester(one.requester_id.as_ref(), around, site),
        requested_at: one.requested_at,
        updated_at: one.updated_at,
        message: one.message.clone(),
        escalation_policy_requests: Vec::new(),
    }
}

fn requests(incident: &Incident, around: &Surroundings, site: &Site) -> Vec<ResponderRequestView> {
    around
        .requests
        .iter()
        .filter(|one| one.incident_id == incident.id)
        .map(|one| request_view(one, incident, around, site))
        .collect()
}

/// The resource `responder_request`. Each target lists those who were asked because of it.
pub fn request_view(
    request: &room::ResponderRequest,
    incident: &Incident,
    around: &Surroundings,
    site: &Site,
) -> ResponderRequestView {
    let targets = request
        .targets
        .iter()
        .map(|target| {
            let asked = around
                .responders
                .iter()
                .filter(|one| one.incident_id == request.incident_id && target.asked(&one.user_id))
                .map(|one| responder_view(one, incident, around, site))
                .collect();
            ResponderRequestTargetView {
                kind: target.kind.clone(),
                id: target.id.clone(),
                summary: target.summary.clone(),
                incident_responders: asked,
            }
        })
        .collect();
    ResponderRequestView {
        id: request.id.to_string(),
        incident: incident_reference(incident, site),
        requester: requester(request.requester_id.as_ref(), around, site),
        requested_at: request.requested_at,
        message: request.message.clone(),
        responder_request_targets: targets,
    }
}

/// The resource `note`, which has neither `type` nor `self`.
pub fn note_view(note: &room::Note, site: &Site) -> NoteView {
    let author = note.user_id.as_ref();
    NoteView {
        id: note.id.to_string(),
        user: author.map(|id| user_reference(site, id.as_str(), &note.author_name)),
        channel: NoteChannel {
            summary: note.channel.clone(),
            kind: note.channel.clone(),
        },
        content: note.content.clone(),
        created_at: note.created_at,
        updated_at: note.created_at,
    }
}
