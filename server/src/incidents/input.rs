//! What callers send to open and change incidents, checked before anything is done.

use serde::Deserialize;
use utoipa::ToSchema;

use super::model::{Handler, INCIDENT_TYPE, Incident, IncidentId, NewIncident, Origin, Status, Urgency};
use super::{actions, urgency};
use crate::http::Problem;
use crate::http::faults::one_line;
use crate::http::reference::ReferenceInput;
use crate::oncall::EscalationPolicyId;
use crate::people::UserId;
use crate::services::{PriorityId, ServiceId};
use crate::timeline::{Change, Kind};

const TITLE_LENGTH: usize = 1024;
const BODY_LENGTH: usize = 65_536;
const KEY_LENGTH: usize = 255;
const BRIDGE_LENGTH: usize = 1024;

#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateIncident {
    pub incident: IncidentInput,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct OneIncident {
    pub incident: IncidentChange,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct ManyIncidents {
    pub incidents: Vec<IncidentChange>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct Merge {
    pub source_incidents: Vec<ReferenceInput>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct Snooze {
    /// Seconds, 1 to 604800.
    pub duration: i64,
}

/// An incident to be opened.
#[derive(Debug, Deserialize, ToSchema)]
pub struct IncidentInput {
    pub title: String,
    pub service: ReferenceInput,
    #[serde(default)]
    pub priority: Option<PriorityInput>,
    #[serde(default)]
    pub urgency: Option<Urgency>,
    #[serde(default)]
    pub body: Option<BodyInput>,
    #[serde(default)]
    pub incident_key: Option<String>,
    #[serde(default)]
    pub assignments: Option<Vec<AssignmentInput>>,
    #[serde(default)]
    pub escalation_policy: Option<ReferenceInput>,
    #[serde(default)]
    pub incident_type: Option<TypeInput>,
    #[serde(default)]
    pub conference_bridge: Option<BridgeInput>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct BodyInput {
    #[serde(default)]
    pub details: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct AssignmentInput {
    pub assignee: ReferenceInput,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct TypeInput {
    pub name: String,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct BridgeInput {
    #[serde(default)]
    pub conference_number: Option<String>,
    #[serde(default)]
    pub conference_url: Option<String>,
}

/// A priority is named by its name, or by an object with its id or its name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum PriorityInput {
    Name(String),
    Object(PriorityObject),
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct PriorityObject {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
}

impl PriorityInput {
    /// The id or the name, whichever was sent.
    fn word(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Object(object) => object.id.as_deref().or(object.name.as_deref()),
        }
    }
}

/// What is to change; what is not named stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct IncidentChange {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub status: Option<Status>,
    #[serde(default)]
    pub title: Option<String>,
    #[serde(default)]
    pub urgency: Option<Urgency>,
    /// `null` takes the priority away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<PriorityInput>)]
    pub priority: Option<Option<PriorityInput>>,
    #[serde(default)]
    pub resolution: Option<String>,
    #[serde(default)]
    pub escalation_level: Option<i64>,
    #[serde(default)]
    pub assignments: Option<Vec<AssignmentInput>>,
    #[serde(default)]
    pub escalation_policy: Option<ReferenceInput>,
    #[serde(default)]
    pub service: Option<ReferenceInput>,
    #[serde(default)]
    pub incident_type: Option<TypeInput>,
    #[serde(default)]
    pub conference_bridge: Option<BridgeInput>,
}

/// Tells an explicit `null` from a field that is not there.
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

impl IncidentInput {
    pub fn check(&self) -> Result<(), Problem> {
        let mut errors = Vec::new();
        check_text("incident.title", Some(&self.title), TITLE_LENGTH, &mut errors);
        if self.title.trim().is_empty() {
            errors.push("incident.title is missing or blank.".to_owned());
        }
        check_text(
            "incident.incident_key",
            self.incident_key.as_deref(),
            KEY_LENGTH,
            &mut errors,
        );
        let details = self.body.as_ref().and_then(|body| body.details.as_deref());
        check_text("incident.body.details", details, BODY_LENGTH, &mut errors);
        check_bridge("incident", self.conference_bridge.as_ref(), &mut errors);
        check_type("incident", self.incident_type.as_ref(), &mut errors);
        if self.assignments.is_some() && self.escalation_policy.is_some() {
            errors.push("incident.assignments and incident.escalation_policy exclude each other.".to_owned());
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(errors))
        }
    }
}

impl IncidentChange {
    pub fn check(&self, prefix: &str) -> Result<(), Problem> {
        let mut errors = Vec::new();
        check_text(
            &format!("{prefix}.title"),
            self.title.as_deref(),
            TITLE_LENGTH,
            &mut errors,
        );
        if self.title.as_deref().is_some_and(|title| title.trim().is_empty()) {
            errors.push(format!("{prefix}.title is blank."));
        }
        check_text(
            &format!("{prefix}.resolution"),
            self.resolution.as_deref(),
            BODY_LENGTH,
            &mut errors,
        );
        check_bridge(prefix, self.conference_bridge.as_ref(), &mut errors);
        check_type(prefix, self.incident_type.as_ref(), &mut errors);
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(errors))
        }
    }
}

fn check_type(prefix: &str, kind: Option<&TypeInput>, errors: &mut Vec<String>) {
    if kind.is_some_and(|kind| kind.name != INCIDENT_TYPE) {
        errors.push(format!("{prefix}.incident_type.name must be {INCIDENT_TYPE}."));
    }
}

fn check_bridge(prefix: &str, bridge: Option<&BridgeInput>, errors: &mut Vec<String>) {
    let Some(bridge) = bridge else { return };
    let name = format!("{prefix}.conference_bridge.conference_number");
    check_text(&name, bridge.conference_number.as_deref(), BRIDGE_LENGTH, errors);
    let name = format!("{prefix}.conference_bridge.conference_url");
    check_text(&name, bridge.conference_url.as_deref(), BRIDGE_LENGTH, errors);
    let url = bridge.conference_url.as_deref().unwrap_or("https://");
    if !(url.starts_with("https://") || url.starts_with("http://") || url.is_empty()) {
        errors.push(format!("{name} must begin with https://."));
    }
}

fn check_text(name: &str, text: Option<&str>, length: usize, errors: &mut Vec<String>) {
    let Some(text) = text else { return };
    if text.chars().count() > length {
        errors.push(format!("{name} is too long (maximum is {length} characters)."));
    }
    if text.contains('\0') {
        errors.push(format!("{name} contains a NUL character."));
    }
}

/// What a caller sent, short enough to be said back.
/// Opens an incident as it was described.
pub fn open(change: &mut Change, new: &IncidentInput) -> Result<Incident, Problem> {
    let service_id = ServiceId::from(new.service.id.as_str());
    let service = crate::services::store::find(change.tx, &service_id)?
        .ok_or_else(|| Problem::refused(5002, "incident.service was not found."))?;
    let handler = match (&new.assignments, &new.escalation_policy) {
        (Some(assignments), _) if !assignments.is_empty() => Handler::People(people_of(assignments)),
        (_, Some(policy)) => Handler::Policy(EscalationPolicyId::from(policy.id.as_str())),
        _ => Handler::ServicePolicy,
    };
    let priority_id = match &new.priority {
        Some(priority) => Some(known_priority(change, priority)?.0),
        None => None,
    };
    let urgency = new
        .urgency
        .unwrap_or_else(|| crate::services::urgency_at(&service, None, change.now));
    let bridge = new.conference_bridge.as_ref();
    actions::open(
        change,
        &NewIncident {
            incident_key: new.incident_key.clone(),
            body: new.body.as_ref().and_then(|body| body.details.clone()),
            priority_id,
            conference_number: bridge.and_then(|bridge| bridge.conference_number.clone()),
            conference_url: bridge.and_then(|bridge| bridge.conference_url.clone()),
            handler,
            ..NewIncident::new(&new.title, service_id, urgency, Origin::Person)
        },
    )
}

fn people_of(assignments: &[AssignmentInput]) -> Vec<UserId> {
    assignments
        .iter()
        .map(|one| UserId::from(one.assignee.id.as_str()))
        .collect()
}

/// Does what a change asks for, the state last, so that a resolution has the last word.
pub fn apply(change: &mut Change, id: &IncidentId, wanted: &IncidentChange) -> Result<(), Problem> {
    if let Some(title) = &wanted.title {
        actions::set_title(change, id, &one_line(title.trim()))?;
    }
    if let Some(priority) = &wanted.priority {
        set_priority(change, id, priority.as_ref())?;
    }
    if let Some(service) = &wanted.service {
        actions::move_to_service(change, id, &ServiceId::from(service.id.as_str()))?;
    }
    if let Some(bridge) = &wanted.conference_bridge {
        let (number, url) = (
            bridge.conference_number.as_deref(),
            bridge.conference_url.as_deref(),
        );
        actions::set_conference_bridge(change, id, number, url)?;
    }
    if let Some(urgency) = wanted.urgency {
        urgency::set(change, id, urgency)?;
    }
    if let Some(policy) = &wanted.escalation_policy {
        actions::delegate(change, id, &EscalationPolicyId::from(policy.id.as_str()))?;
    }
    if let Some(level) = wanted.escalation_level {
        actions::escalate_to(change, id, level)?;
    }
    if let Some(assignments) = wanted.assignments.as_ref().filter(|list| !list.is_empty()) {
        actions::reassign(change, id, &people_of(assignments))?;
    }
    match wanted.status {
        Some(Status::Resolved) => actions::resolve(change, id, wanted.resolution.as_deref()).map(drop),
        Some(Status::Acknowledged) => {
            actions::reopen(change, id)?;
            actions::acknowledge(change, id).map(drop)
        }
        Some(Status::Triggered) => {
            actions::reopen(change, id)?;
            let why = format!("{} gave the acknowledgement back", change.agent.name);
            actions::unacknowledge(change, id, Kind::Unacknowledged, &why)
        }
        None => Ok(()),
    }
}

fn set_priority(change: &mut Change, id: &IncidentId, wanted: Option<&PriorityInput>) -> Result<(), Problem> {
    let Some(wanted) = wanted else {
        return actions::set_priority(change, id, None);
    };
    let (priority_id, name) = known_priority(change, wanted)?;
    actions::set_priority(change, id, Some((&priority_id, &name)))
}

/// The priority that was named. Of several with one name, the most important.
fn known_priority(change: &mut Change, wanted: &PriorityInput) -> Result<(PriorityId, String), Problem> {
    let word = wanted.word();
    super::store::priorities(change.tx)?
        .into_iter()
        .find(|priority| word == Some(priority.id.as_str()) || word == Some(priority.name.as_str()))
        .map(|priority| (PriorityId::from(priority.id.as_str()), priority.name))
        .ok_or_else(|| Problem::refused(1020, "incident.priority was not found."))
}
