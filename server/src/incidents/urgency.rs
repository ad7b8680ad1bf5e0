//! How urgent an incident is, after it was opened. Urgent ones escalate and others do not, so the timer follows. A person may say
//! it at any time; a grave alert makes a mild incident urgent, and a mild one never takes that back.

use serde_json::json;
use store::{params, sql};

use super::actions::load;
use super::model::{IncidentId, Status, Urgency};
use super::{escalation, store as rows};
use crate::http::Problem;
use crate::jobs;
use crate::timeline::{Change, Kind, NewEntry};

/// An alert asks for somebody at once. Where a person has said how urgent the incident is, that stands.
pub fn raise(change: &mut Change, id: &IncidentId) -> Result<(), Problem> {
    let incident = load(change, id)?;
    let stands = incident.urgency == Urgency::High
        || incident.status == Status::Resolved
        || rows::has_urgency_by_hand(change.tx, id)?;
    if stands {
        Ok(())
    } else {
        set(change, id, Urgency::High)
    }
}

/// Says how urgent it is.
pub fn set(change: &mut Change, id: &IncidentId, urgency: Urgency) -> Result<(), Problem> {
    let mut incident = load(change, id)?;
    if incident.urgency == urgency {
        return Ok(());
    }
    change.tx.execute_one(
        sql!("UPDATE incidents SET urgency = $2, updated_at = $3 WHERE id = $1"),
        params![id, urgency, change.now],
    )?;
    incident.urgency = urgency;
    let text = format!("{} set the urgency to {}", change.agent.name, urgency.as_text());
    change.record(NewEntry::new(Kind::UrgencyChanged, id, text).details(json!({ "urgency": urgency })))?;
    match urgency {
        Urgency::High => escalation::resume(change, &mut incident),
        Urgency::Low => Ok(change.cancel(jobs::Kind::EscalationDue, id.as_str())?),
    }
}
