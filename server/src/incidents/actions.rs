//! What can be done to an incident. Each action checks what the state allows, writes the new state, the
//! entry and the timers, and leaves paging and the rest to those who subscribe.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use store::{params, sql};

use super::model::{AssignedVia, Handler, Incident, IncidentId, NewIncident, Origin, Status, Urgency};
use super::{escalation, store as rows, urgency};
use crate::http::Problem;
use crate::jobs;
use crate::jobs::Owed;
use crate::oncall::EscalationPolicyId;
use crate::people::UserId;
use crate::services::{PriorityId, Service, ServiceId};
use crate::timeline::{AgentKind, Change, Kind, NewEntry};

/// The longest snooze: a week.
pub const LONGEST_SNOOZE_SECONDS: i64 = 604_800;

/// What is owed to an open incident at a time, in the order in which it is shown.
const TIMERS: [jobs::Kind; 5] = [
    jobs::Kind::EscalationDue,
    jobs::Kind::AcknowledgementExpires,
    jobs::Kind::SnoozeEnds,
    jobs::Kind::AutoResolveDue,
    jobs::Kind::UrgencyChangeDue,
];

/// Reads an incident, or says that there is none. What somebody else does to it meanwhile waits.
pub fn load(change: &mut Change, id: &IncidentId) -> Result<Incident, Problem> {
    rows::hold(change.tx, id)?.ok_or_else(|| Problem::not_found("The incident"))
}

/// Opens an incident and starts its escalation.
pub fn open(change: &mut Change, new: &NewIncident) -> Result<Incident, Problem> {
    let service = crate::services::store::find(change.tx, &new.service_id)?
        .ok_or_else(|| Problem::refused(5002, "service was not found."))?;
    if service.disabled && new.origin != Origin::Event {
        return Err(Problem::invalid([
            "incident.service is switched off; switch it on first, or name another.",
        ]));
    }
    let policy_id = match &new.handler {
        Handler::Policy(id) => id.clone(),
        Handler::ServicePolicy | Handler::People(_) => service.escalation_policy_id.clone(),
    };
    let frozen = escalation::freeze(change.tx, &policy_id)?;
    let assigned_via = match &new.handler {
        Handler::People(_) => AssignedVia::DirectAssignment,
        Handler::Policy(_) | Handler::ServicePolicy => AssignedVia::EscalationPolicy,
    };
    let id: IncidentId = change.identifier();
    let number = crate::numbers::next(change.tx, "incidents")?;
    let profile = serde_json::to_value(&new.profile).map_err(Problem::internal)?;
    let inserted = change.tx.execute(
        sql!(
            "INSERT INTO incidents (id, number, title, status, urgency, origin, incident_key, incident_type, body, service_id,
                 escalation_policy_id, priority_id, assigned_via, escalation_rules, escalation_level, escalation_loop,
                 created_at, updated_at, last_status_change_at, last_status_change_by_type, last_status_change_by_id,
                 last_alert_at, conference_number, conference_url, grouping)
             VALUES ($1, $2, $3, 'triggered', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0,
                 $14, $14, $14, $15, $16, $14, $17, $18, $19)"
        ),
        params![
            &id,
            number,
            &new.title,
            new.urgency,
            new.origin,
            new.incident_key.as_deref(),
            &new.incident_type,
            new.body.as_deref(),
            &new.service_id,
            &policy_id,
            new.priority_id.as_ref(),
            assigned_via,
            serde_json::to_value(&frozen).map_err(Problem::internal)?,
            change.now,
            change.agent.kind,
            change.agent.id.as_deref(),
            new.conference_number.as_deref(),
            new.conference_url.as_deref(),
            profile
        ],
    );
    inserted.map_err(key_taken)?;
    let mut incident = load(change, &id)?;
    let opened = NewEntry::new(
        Kind::Triggered,
        &id,
        format!("Opened on {}: {}", service.name, new.title),
    )
    .service(service.id.as_str())
    .details(json!({ "urgency": new.urgency, "origin": new.origin }));
    change.record(opened)?;
    owe_auto_resolve(change, &id, &service)?;
    if new.urgency == Urgency::Low {
        urgency::owe_rise(change, &id, &service)?;
    }
    match &new.handler {
        Handler::People(people) => assign(change, &mut incident, people)?,
        Handler::Policy(_) | Handler::ServicePolicy => escalation::start(change, &mut incident)?,
    }
    Ok(incident)
}

/// Incidents of some services do not stay open for ever.
fn owe_auto_resolve(change: &mut Change, id: &IncidentId, service: &Service) -> Result<(), Problem> {
    if let Some(timeout) = service.auto_resolve_timeout.filter(|seconds| *seconds > 0) {
        let due = change.now + seconds(timeout);
        change.owe(&Owed::at(jobs::Kind::AutoResolveDue, id.as_str(), due))?;
    }
    Ok(())
}

/// Two open incidents of a service never have one key.
fn key_taken(error: store::Error) -> Problem {
    Problem::if_taken(
        error,
        "incidents",
        &["service_id", "incident_key"],
        "incident.incident_key: an open incident on this service has it already.",
    )
}

/// Somebody has seen it and takes it. The escalation stops, and those who acknowledged have it now.
pub fn acknowledge(change: &mut Change, id: &IncidentId) -> Result<Incident, Problem> {
    let incident = load(change, id)?;
    if incident.status == Status::Resolved {
        return Err(Problem::refused(1001, "Incident Already Resolved"));
    }
    let agent = change.agent.clone();
    let known = rows::acknowledgements(change.tx, std::slice::from_ref(id))?;
    if known
        .iter()
        .any(|one| Some(one.acknowledger_id.as_str()) == agent.id.as_deref())
    {
        return Ok(incident);
    }
    if let Some(acknowledger) = &agent.id {
        change.tx.execute(
            sql!(
                "INSERT INTO incident_acknowledgements (incident_id, acknowledger_type, acknowledger_id, at)
                 VALUES ($1, $2, $3, $4)"
            ),
            params![id, agent.kind, acknowledger, change.now],
        )?;
    }
    if let Some(user_id) = agent.user_id() {
        // Those who were asked beside the acknowledger are released.
        change.tx.execute(
            sql!(
                "DELETE FROM incident_assignments WHERE incident_id = $1 AND user_id NOT IN
                     (SELECT acknowledger_id FROM incident_acknowledgements WHERE incident_id = $1)"
            ),
            params![id],
        )?;
        insert_assignment(change, id, &UserId::from(user_id))?;
    }
    if incident.status == Status::Triggered {
        set_status(change, id, Status::Acknowledged)?;
        change.cancel(jobs::Kind::EscalationDue, id.as_str())?;
        let service = crate::services::store::find(change.tx, &incident.service_id)?;
        let timeout = service
            .and_then(|service| service.acknowledgement_timeout)
            .filter(|seconds| *seconds > 0);
        if let Some(timeout) = timeout {
            let due = change.now + seconds(timeout);
            change.owe(&Owed::at(jobs::Kind::AcknowledgementExpires, id.as_str(), due))?;
        }
    }
    change.record(NewEntry::new(
        Kind::Acknowledged,
        id,
        format!("{} acknowledged", agent.name),
    ))?;
    load(change, id)
}

/// Back from acknowledged to triggered: the acknowledgement has become too old, or a snooze is over.
pub fn unacknowledge(change: &mut Change, id: &IncidentId, kind: Kind, why: &str) -> Result<(), Problem> {
    let mut incident = load(change, id)?;
    if incident.status != Status::Acknowledged {
        return Ok(());
    }
    give_back(change, id)?;
    incident.status = Status::Triggered;
    change.record(NewEntry::new(kind, id, why))?;
    escalation::resume(change, &mut incident)
}

/// It is over. `resolution` is a word of those who resolved it, for the inside.
pub fn resolve(change: &mut Change, id: &IncidentId, resolution: Option<&str>) -> Result<Incident, Problem> {
    let incident = load(change, id)?;
    if incident.status == Status::Resolved {
        return Ok(incident);
    }
    close(change, id)?;
    let text = match resolution {
        Some(words) => format!("{} resolved it: {words}", change.agent.name),
        None => format!("{} resolved it", change.agent.name),
    };
    let open_seconds = change.now.duration_since(incident.created_at).as_secs();
    change.record(
        NewEntry::new(Kind::Resolved, id, text)
            .details(json!({ "resolution": resolution, "open_seconds": open_seconds })),
    )?;
    load(change, id)
}

/// Ends the state, the people and the timers of an incident; what is told about it is the caller's.
pub(super) fn close(change: &mut Change, id: &IncidentId) -> Result<(), Problem> {
    set_status(change, id, Status::Resolved)?;
    crate::alerts::store::resolve_of_incident(change.tx, id, change.now)?;
    change.tx.execute(
        sql!("DELETE FROM incident_assignments WHERE incident_id = $1"),
        params![id],
    )?;
    clear_acknowledgements(change, id)?;
    cancel_timers(change, id)
}

/// A resolved incident is back.
pub fn reopen(change: &mut Change, id: &IncidentId) -> Result<Incident, Problem> {
    let mut incident = load(change, id)?;
    if incident.status != Status::Resolved {
        return Ok(incident);
    }
    if incident.merged_into_id.is_some() {
        return Err(Problem::refused(
            1019,
            "Incident was merged into another; reopen that one.",
        ));
    }
    let service = crate::services::store::find(change.tx, &incident.service_id)?.ok_or_else(|| {
        Problem::refused(
            5002,
            "The incident's service was removed, so nobody would be told. Open a new incident on another service.",
        )
    })?;
    let holder = match &incident.incident_key {
        Some(key) => rows::find_open_by_key(change.tx, &incident.service_id, key)?,
        None => None,
    };
    if holder.is_some() {
        return Err(Problem::refused(
            1019,
            "An open incident on the service has this one's incident_key; work on that one.",
        ));
    }
    set_status(change, id, Status::Triggered)?;
    change.tx.execute_one(
        sql!(
            "UPDATE incidents SET resolved_at = NULL, snoozed_until = NULL, escalation_level = 0, escalation_loop = 0
             WHERE id = $1"
        ),
        params![id],
    )?;
    (
        incident.status,
        incident.escalation_level,
        incident.escalation_loop,
    ) = (Status::Triggered, 0, 0);
    change.record(NewEntry::new(
        Kind::Reopened,
        id,
        format!("{} reopened it", change.agent.name),
    ))?;
    incident.assigned_via = AssignedVia::EscalationPolicy;
    owe_auto_resolve(change, id, &service)?;
    if incident.urgency == Urgency::Low {
        urgency::owe_rise(change, id, &service)?;
    }
    escalation::start(change, &mut incident)?;
    load(change, id)
}

/// Rests an incident until a time; then it comes back as triggered.
pub fn snooze(change: &mut Change, id: &IncidentId, duration_seconds: i64) -> Result<Incident, Problem> {
    if !(1..=LONGEST_SNOOZE_SECONDS).contains(&duration_seconds) {
        return Err(Problem::refused(
            1013,
            "duration must be between 1 and 604800 seconds.",
        ));
    }
    let incident = load(change, id)?;
    match incident.status {
        Status::Resolved => return Err(Problem::refused(1001, "Incident Already Resolved")),
        Status::Triggered => {
            acknowledge(change, id)?;
        }
        Status::Acknowledged => {}
    }
    let until = change.now + seconds(duration_seconds);
    change.tx.execute_one(
        sql!("UPDATE incidents SET snoozed_until = $2, updated_at = $3 WHERE id = $1"),
        params![id, until, change.now],
    )?;
    change.cancel(jobs::Kind::AcknowledgementExpires, id.as_str())?;
    change.owe(&Owed::at(jobs::Kind::SnoozeEnds, id.as_str(), until))?;
    let text = format!(
        "{} snoozed it for {}",
        change.agent.name,
        spoken(duration_seconds)
    );
    change.record(NewEntry::new(Kind::Snoozed, id, text).details(json!({ "duration": duration_seconds })))?;
    load(change, id)
}

/// Hands an incident to named people. It no longer escalates.
pub fn reassign(change: &mut Change, id: &IncidentId, people: &[UserId]) -> Result<Incident, Problem> {
    let mut incident = load_open(change, id)?;
    assign(change, &mut incident, people)?;
    load(change, id)
}

/// Hands an incident to another escalation policy, from its first level.
pub fn delegate(
    change: &mut Change,
    id: &IncidentId,
    policy_id: &EscalationPolicyId,
) -> Result<Incident, Problem> {
    let mut incident = load_open(change, id)?;
    let frozen = escalation::freeze(change.tx, policy_id)?;
    change.tx.execute_one(
        sql!(
            "UPDATE incidents SET escalation_policy_id = $2, escalation_rules = $3, escalation_level = 0, escalation_loop = 0,
                 assigned_via = 'escalation_policy', updated_at = $4 WHERE id = $1"
        ),
        params![id, policy_id, serde_json::to_value(&frozen).map_err(Problem::internal)?, change.now],
    )?;
    if incident.status == Status::Acknowledged {
        give_back(change, id)?;
    }
    change.record(NewEntry::new(
        Kind::Delegated,
        id,
        format!("{} handed it to another escalation policy", change.agent.name),
    ))?;
    incident = load(change, id)?;
    escalation::start(change, &mut incident)?;
    load(change, id)
}

/// Goes to a level of the escalation policy at once.
pub fn escalate_to(change: &mut Change, id: &IncidentId, level: i64) -> Result<Incident, Problem> {
    let mut incident = load_open(change, id)?;
    if level < 1 || level > incident.escalation_rules.rules.len() as i64 {
        return Err(Problem::refused(
            1006,
            format!(
                "escalation_level must be between 1 and {}.",
                incident.escalation_rules.rules.len()
            ),
        ));
    }
    if incident.status == Status::Acknowledged {
        give_back(change, id)?;
        incident.status = Status::Triggered;
    }
    incident.assigned_via = AssignedVia::EscalationPolicy;
    escalation::step_to(change, &mut incident, level)?;
    load(change, id)
}

pub fn set_title(change: &mut Change, id: &IncidentId, title: &str) -> Result<(), Problem> {
    change.tx.execute_one(
        sql!("UPDATE incidents SET title = $2, updated_at = $3 WHERE id = $1"),
        params![id, title, change.now],
    )?;
    let text = format!("{} changed the title to \"{title}\"", change.agent.name);
    change.record(NewEntry::new(Kind::TitleChanged, id, text))?;
    Ok(())
}

pub fn set_priority(
    change: &mut Change,
    id: &IncidentId,
    priority: Option<(&PriorityId, &str)>,
) -> Result<(), Problem> {
    change.tx.execute_one(
        sql!("UPDATE incidents SET priority_id = $2, updated_at = $3 WHERE id = $1"),
        params![id, priority.map(|(id, _)| id), change.now],
    )?;
    let name = priority.map(|(_, name)| name);
    let text = match name {
        Some(name) => format!("{} set the priority to {name}", change.agent.name),
        None => format!("{} took the priority away", change.agent.name),
    };
    change.record(NewEntry::new(Kind::PriorityChanged, id, text).details(json!({ "priority": name })))?;
    Ok(())
}

pub fn move_to_service(change: &mut Change, id: &IncidentId, service_id: &ServiceId) -> Result<(), Problem> {
    if load(change, id)?.service_id == *service_id {
        return Ok(());
    }
    let service = crate::services::store::find(change.tx, service_id)?
        .ok_or_else(|| Problem::refused(5002, "service was not found."))?;
    let moved = change.tx.execute_one(
        sql!("UPDATE incidents SET service_id = $2, updated_at = $3 WHERE id = $1"),
        params![id, service_id, change.now],
    );
    moved.map_err(key_taken)?;
    let text = format!("{} moved it to {}", change.agent.name, service.name);
    change.record(NewEntry::new(Kind::ServiceChanged, id, text).service(service_id.as_str()))?;
    change.cancel(jobs::Kind::AutoResolveDue, id.as_str())?;
    let incident = load(change, id)?;
    if incident.status != Status::Resolved {
        owe_auto_resolve(change, id, &service)?;
    }
    urgency::plan_rise(change, &incident)
}

pub fn set_conference_bridge(
    change: &mut Change,
    id: &IncidentId,
    number: Option<&str>,
    url: Option<&str>,
) -> Result<(), Problem> {
    change.tx.execute_one(
        sql!(
            "UPDATE incidents SET conference_number = $2, conference_url = $3, updated_at = $4 WHERE id = $1"
        ),
        params![id, number, url, change.now],
    )?;
    let text = format!("{} set the conference bridge", change.agent.name);
    change.record(NewEntry::new(Kind::ConferenceBridgeChanged, id, text))?;
    Ok(())
}

fn load_open(change: &mut Change, id: &IncidentId) -> Result<Incident, Problem> {
    let incident = load(change, id)?;
    if incident.status == Status::Resolved {
        return Err(Problem::refused(1001, "Incident Already Resolved"));
    }
    Ok(incident)
}

/// Names the people who have it. Somebody who names only themself has acknowledged.
fn assign(change: &mut Change, incident: &mut Incident, people: &[UserId]) -> Result<(), Problem> {
    if people.is_empty() {
        return Err(Problem::refused(
            1007,
            "assignments must name at least one person.",
        ));
    }
    let mut names = Vec::new();
    for user_id in people {
        let user = crate::people::store::find_user(change.tx, user_id)?
            .filter(|user| user.deleted_at.is_none())
            .ok_or_else(|| Problem::refused(1007, format!("assignments: {user_id} was not found.")))?;
        names.push(user.name);
    }
    change.tx.execute_one(
        sql!("UPDATE incidents SET assigned_via = 'direct_assignment', updated_at = $2 WHERE id = $1"),
        params![&incident.id, change.now],
    )?;
    change.cancel(jobs::Kind::EscalationDue, incident.id.as_str())?;
    if incident.status == Status::Acknowledged {
        give_back(change, &incident.id)?;
    }
    replace_assignments(change, &incident.id, people)?;
    let text = format!("{} assigned it to {}", change.agent.name, names.join(", "));
    change
        .record(NewEntry::new(Kind::Assigned, &incident.id, text).details(json!({ "assignees": people })))?;
    let own = change.agent.user_id().map(UserId::from);
    if people.len() == 1 && own.as_ref() == people.first() {
        acknowledge(change, &incident.id)?;
    }
    Ok(())
}

pub(super) fn replace_assignments(
    change: &mut Change,
    id: &IncidentId,
    people: &[UserId],
) -> Result<(), Problem> {
    change.tx.send(
        sql!("DELETE FROM incident_assignments WHERE incident_id = $1"),
        params![id],
    )?;
    for user_id in people {
        insert_assignment(change, id, user_id)?;
    }
    Ok(())
}

fn insert_assignment(change: &mut Change, id: &IncidentId, user_id: &UserId) -> Result<(), Problem> {
    change.tx.send(
        sql!(
            "INSERT INTO incident_assignments (incident_id, user_id, at) VALUES ($1, $2, $3)
             ON CONFLICT (incident_id, user_id) DO NOTHING"
        ),
        params![id, user_id, change.now],
    )?;
    Ok(())
}

/// An acknowledged incident is triggered again; what its acknowledgement or its snooze had set ends with them.
fn give_back(change: &mut Change, id: &IncidentId) -> Result<(), Problem> {
    clear_acknowledgements(change, id)?;
    set_status(change, id, Status::Triggered)?;
    change.cancel(jobs::Kind::AcknowledgementExpires, id.as_str())?;
    change.cancel(jobs::Kind::SnoozeEnds, id.as_str())?;
    change.tx.execute_one(
        sql!("UPDATE incidents SET snoozed_until = NULL WHERE id = $1"),
        params![id],
    )?;
    Ok(())
}

fn clear_acknowledgements(change: &mut Change, id: &IncidentId) -> Result<(), Problem> {
    change.tx.execute(
        sql!("DELETE FROM incident_acknowledgements WHERE incident_id = $1"),
        params![id],
    )?;
    Ok(())
}

fn cancel_timers(change: &mut Change, id: &IncidentId) -> Result<(), Problem> {
    for kind in TIMERS {
        change.cancel(kind, id.as_str())?;
    }
    Ok(())
}

fn set_status(change: &mut Change, id: &IncidentId, status: Status) -> Result<(), Problem> {
    let agent_kind: AgentKind = change.agent.kind;
    change.tx.execute_one(
        sql!(
            "UPDATE incidents SET status = $2, updated_at = $3, last_status_change_at = $3,
                 last_status_change_by_type = $4, last_status_change_by_id = $5,
                 acknowledged_at = CASE WHEN $2 = 'acknowledged' THEN COALESCE(acknowledged_at, $3) ELSE acknowledged_at END,
                 resolved_at = CASE WHEN $2 = 'resolved' THEN $3 ELSE resolved_at END
             WHERE id = $1"
        ),
        params![id, status, change.now, agent_kind, change.agent.id.as_deref()],
    )?;
    Ok(())
}

pub(super) fn seconds(count: i64) -> Duration {
    Duration::from_secs(count.unsigned_abs())
}

/// "2 hours", "45 minutes", "30 seconds".
fn spoken(seconds: i64) -> String {
    let (count, unit) = match seconds {
        86_400.. => (seconds / 86_400, "day"),
        3_600.. => (seconds / 3_600, "hour"),
        60.. => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    if count == 1 {
        format!("1 {unit}")
    } else {
        format!("{count} {unit}s")
    }
}

/// When a timestamp lies, for pending actions.
pub fn pending(
    tx: &mut store::Tx,
    ids: &[IncidentId],
) -> Result<HashMap<IncidentId, Vec<(jobs::Kind, Timestamp)>>, store::Error> {
    let subjects: Vec<&str> = ids.iter().map(IncidentId::as_str).collect();
    let mut pending: HashMap<IncidentId, Vec<(jobs::Kind, Timestamp)>> = HashMap::new();
    for (kind, subject, at) in jobs::store::due_times(tx, &TIMERS, &subjects)? {
        pending
            .entry(IncidentId::from(subject))
            .or_default()
            .push((kind, at));
    }
    for timers in pending.values_mut() {
        timers.sort_by_key(|(kind, _)| TIMERS.iter().position(|one| one == kind));
    }
    Ok(pending)
}
