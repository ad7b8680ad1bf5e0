//! How urgent an incident is, after it was opened. Urgent ones escalate and others do not, so the timer follows. A person may say
//! it at any time; a grave alert makes a mild incident urgent, and a mild one never takes that back. Where a service wants it,
//! what is open and not urgent becomes so when its support hours begin or end: the next such moment is owed as long as the
//! incident is open and quiet.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use store::{params, sql};

use super::actions::load;
use super::model::{Incident, IncidentId, Status, Urgency};
use super::{escalation, store as rows};
use crate::app::App;
use crate::http::Problem;
use crate::jobs::{self, Owed};
use crate::services::{self, NamedTime, Service};
use crate::timeline::{Agent, Change, Kind, NewEntry};

/// Incidents that the auditor looks at in one transaction.
const BATCH: i64 = 100;

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
    let incident = load(change, id)?;
    let text = format!("{} set the urgency to {}", change.agent.name, urgency.as_text());
    put(change, incident, urgency, &text)
}

fn put(change: &mut Change, mut incident: Incident, urgency: Urgency, text: &str) -> Result<(), Problem> {
    if incident.urgency == urgency {
        return Ok(());
    }
    change.tx.execute_one(
        sql!("UPDATE incidents SET urgency = $2, updated_at = $3 WHERE id = $1"),
        params![&incident.id, urgency, change.now],
    )?;
    incident.urgency = urgency;
    change.record(
        NewEntry::new(Kind::UrgencyChanged, &incident.id, text).details(json!({ "urgency": urgency })),
    )?;
    plan_rise(change, &incident)?;
    match (urgency, incident.status) {
        (Urgency::High, Status::Triggered) => escalation::resume(change, &mut incident),
        // It climbs when the acknowledgement ends.
        (Urgency::High, Status::Acknowledged | Status::Resolved) => Ok(()),
        (Urgency::Low, _) => Ok(change.cancel(jobs::Kind::EscalationDue, incident.id.as_str())?),
    }
}

/// Owes the next moment at which the service makes its quiet incidents urgent, if it ever does.
pub(super) fn owe_rise(change: &mut Change, id: &IncidentId, service: &Service) -> Result<(), Problem> {
    if let Some((at, _)) = services::next_rise(service, change.now) {
        change.owe(&Owed::at(jobs::Kind::UrgencyChangeDue, id.as_str(), at))?;
    }
    Ok(())
}

/// Brings the timer in line with the incident and its service as they are now.
pub(super) fn plan_rise(change: &mut Change, incident: &Incident) -> Result<(), Problem> {
    change.cancel(jobs::Kind::UrgencyChangeDue, incident.id.as_str())?;
    if incident.status == Status::Resolved || incident.urgency == Urgency::High {
        return Ok(());
    }
    match services::store::find(change.tx, &incident.service_id)? {
        Some(service) => owe_rise(change, &incident.id, &service),
        None => Ok(()),
    }
}

/// The same after the service has changed. A timer that is due already stays: it judges by the service as it is now.
pub(super) fn plan_rise_again(change: &mut Change, incident: &Incident) -> Result<(), Problem> {
    let due = jobs::store::due_at(change.tx, jobs::Kind::UrgencyChangeDue, incident.id.as_str())?;
    if due.is_some_and(|due| due <= change.now) {
        return Ok(());
    }
    plan_rise(change, incident)
}

/// The moment has come, unless it has moved since `owed_at`: then it is owed anew.
pub(super) fn rise(change: &mut Change, id: &IncidentId, owed_at: Timestamp) -> Result<(), Problem> {
    let incident = load(change, id)?;
    if incident.status == Status::Resolved || incident.urgency == Urgency::High {
        return Ok(());
    }
    let Some(service) = services::store::find(change.tx, &incident.service_id)? else {
        return Ok(());
    };
    match services::next_rise(&service, owed_at) {
        Some((at, edge)) if at <= change.now => {
            let what = match edge {
                NamedTime::SupportHoursStart => "began",
                NamedTime::SupportHoursEnd => "ended",
            };
            let text = format!(
                "{} set the urgency to high, because the support hours of {} {what}",
                change.agent.name, service.name
            );
            put(change, incident, Urgency::High, &text)
        }
        _ => owe_rise(change, id, &service),
    }
}

/// Owes what is missing: an incident may open while its service changes, and neither sees the other. Gives how many there were.
pub async fn owe_missing_rises(app: &Arc<App>) -> anyhow::Result<usize> {
    let (mut after, mut owed) = (IncidentId::from(""), 0);
    loop {
        let from = after.clone();
        let found = app
            .read(move |tx| rows::without_rise(tx, &from, BATCH))
            .await
            .map_err(|error: store::Error| error)?;
        let Some(last) = found.last().cloned() else {
            return Ok(owed);
        };
        after = last;
        owed += app
            .change(Agent::muster(), move |change| -> Result<usize, Problem> {
                let mut owed = 0;
                for id in &found {
                    let incident = load(change, id)?;
                    plan_rise_again(change, &incident)?;
                    let due = jobs::store::due_at(change.tx, jobs::Kind::UrgencyChangeDue, id.as_str())?;
                    owed += usize::from(due.is_some());
                }
                Ok(owed)
            })
            .await?;
    }
}
