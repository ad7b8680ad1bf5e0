//! A case that fits no known incident becomes one, with everything the customer told going along.

use serde_json::json;
use store::{Tx, params, sql};

use super::actions;
use super::model::{Case, CaseId};
use crate::access::audit::AuditAction;
use crate::http::Problem;
use crate::incidents::model::{NewIncident, Origin};
use crate::incidents::{Incident, Status, Urgency};
use crate::services::graph::{self, ServiceKind, ServiceNode};
use crate::services::{ServiceId, urgency_at};
use crate::timeline::{Change, Kind, NewEntry};

/// What an agent may say while raising.
#[derive(Debug, Clone, Default)]
pub struct Raise {
    /// Where the incident opens; the touchpoint's nearest technical service unless told.
    pub service_id: Option<String>,
    pub title: Option<String>,
    pub urgency: Option<Urgency>,
    /// What was tried already.
    pub tried: Option<String>,
}

/// Opens an incident and links the case to it. A case of an incident that is open is that incident's already.
pub fn raise(change: &mut Change, id: &CaseId, raise: &Raise) -> Result<(Case, Incident), Problem> {
    let case = actions::load(change, id)?;
    refuse_if_raised(&case)?;
    let service_id = match &raise.service_id {
        Some(id) => ServiceId::from(id.as_str()),
        None => supporting_service(change.tx, &case)?,
    };
    let service = crate::services::store::find(change.tx, &service_id)?
        .ok_or_else(|| Problem::refused(5002, "service was not found."))?;
    let title = raise.title.clone().unwrap_or_else(|| case.subject.clone());
    let urgency = raise
        .urgency
        .unwrap_or_else(|| urgency_at(&service, None, change.now));
    let new = NewIncident {
        body: Some(context(&case, raise.tried.as_deref())),
        ..NewIncident::new(&title, service_id, urgency, Origin::Case)
    };
    let incident = crate::incidents::actions::open(change, &new)?;
    let text = format!("{} raised it from {}", change.agent.name, case.without_reporter());
    change.record(
        NewEntry::new(Kind::CaseRaised, &incident.id, text)
            .details(json!({ "case_id": case.id, "number": case.number })),
    )?;
    let case = actions::link(change, id, &incident.id)?;
    actions::note(
        change,
        AuditAction::Update,
        &case,
        json!({ "raised": incident.id }),
    );
    Ok((case, incident))
}

fn refuse_if_raised(case: &Case) -> Result<(), Problem> {
    match case.incident_status {
        None | Some(Status::Resolved) => Ok(()),
        Some(Status::Triggered | Status::Acknowledged) => Err(Problem::conflict(format!(
            "{} is linked to incident #{} already: {}. Work on that one, or take the link back first.",
            case.label(),
            case.incident_number.unwrap_or_default(),
            case.incident_title.as_deref().unwrap_or_default()
        ))),
    }
}

/// The technical service nearest below the case's touchpoint; by name where several are as near.
fn supporting_service(tx: &mut Tx, case: &Case) -> Result<ServiceId, Problem> {
    let Some(touchpoint_id) = &case.touchpoint_id else {
        return Err(Problem::invalid([
            "raise.service: the case names no touchpoint, so name the service on which the incident opens.",
        ]));
    };
    let graph = graph::load(tx)?;
    let below = graph.supporting_of(&[ServiceNode::business(touchpoint_id.as_str())]);
    let nearest = below
        .iter()
        .filter(|one| one.node.kind == ServiceKind::Service)
        .map(|one| one.hops)
        .min();
    let ids = below
        .iter()
        .filter(|one| one.node.kind == ServiceKind::Service && Some(one.hops) == nearest)
        .map(|one| one.node.id.as_str());
    let found: Option<(String,)> = tx.row(
        sql!("SELECT id FROM services WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY name, id LIMIT 1"),
        params![store::Value::texts(ids)],
    )?;
    found.map(|(id,)| ServiceId::from(id)).ok_or_else(|| {
        Problem::invalid([
            "raise.service: no technical service supports the case's touchpoint, so name the service on which the incident opens.",
        ])
    })
}

/// Everything the responder would otherwise have to ask for. For readers inside only; who the customer is, who reported it and
/// how they are reached stands with the case, for those who may see cases.
fn context(case: &Case, tried: Option<&str>) -> String {
    let mut lines = vec![format!("Raised from {}.", case.label())];
    if let Some(tier) = case.tier {
        lines.push(format!("Customer: {}", tier.as_text()));
    }
    for (what, text) in [
        ("Location", &case.location_name),
        ("Touchpoint", &case.touchpoint_name),
    ] {
        if let Some(text) = text {
            lines.push(format!("{what}: {text}"));
        }
    }
    if let Some(tried) = tried {
        lines.push(format!("Tried already: {tried}"));
    }
    lines.push(String::new());
    lines.push(case.text.clone());
    lines.join("\n")
}
