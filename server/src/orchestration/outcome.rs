//! What rules asked for an incident, done to it when the alert has found it.

use std::sync::Arc;

use store::{params, sql};

use super::model::{Noted, Ruling};
use super::words::plain;
use crate::alerts::model::Reason;
use crate::http::Problem;
use crate::incidents::model::Handler;
use crate::incidents::{IncidentId, actions, room};
use crate::services::PriorityId;
use crate::timeline::{Agent, AgentKind, Change};

/// Notes that rules leave on one incident at most.
const NOTES: i64 = 20;
/// By which their notes are known.
const CHANNEL: &str = "rule";

/// How an alert came to its incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    Opened,
    Joined,
}

/// Who is asked when an incident opens. A policy that is gone by then is not: the service's own is.
pub fn handler(change: &mut Change, ruling: Option<&Ruling>) -> Result<Handler, Problem> {
    let Some(id) = ruling.and_then(|ruling| ruling.escalation_policy_id.as_ref()) else {
        return Ok(Handler::ServicePolicy);
    };
    let known = crate::oncall::load_policy(change.tx, id)?;
    Ok(known.map_or(Handler::ServicePolicy, |_| Handler::Policy(id.clone())))
}

/// Leaves the notes, and gives an incident that was there before a priority if it has none. Says what was not done.
pub fn carry_out(
    change: &mut Change,
    id: &IncidentId,
    ruling: &Ruling,
    entry: Entry,
) -> Result<Vec<Reason>, Problem> {
    let mut reasons = Vec::new();
    if ruling.notes.is_empty() && ruling.priority_id.is_none() && ruling.escalation_policy_id.is_none() {
        return Ok(reasons);
    }
    let reporter = change.agent.clone();
    change.act_as(rule("A rule"));
    let incident = actions::load(change, id)?;
    if let Some(wanted) = &ruling.escalation_policy_id
        && incident.escalation_policy_id != *wanted
    {
        reasons.push(plain(match entry {
            Entry::Opened => {
                "The escalation policy that a rule asked for is not there any more, so the service's own was asked."
            }
            Entry::Joined => {
                "The incident was open already and stays with its escalation policy, though a rule asked for another."
            }
        }));
    }
    if let Some(wanted) = &ruling.priority_id
        && entry == Entry::Joined
    {
        match &incident.priority_id {
            Some(present) if present != wanted => reasons.push(plain(
                "The incident was open already and keeps its priority, though a rule asked for another.",
            )),
            Some(_) => {}
            None => set_priority(change, id, wanted)?,
        }
    }
    for note in &ruling.notes {
        if !leave(change, id, note)? {
            reasons.push(plain(format!(
                "Rules have left {NOTES} notes on the incident already, so this one was not added."
            )));
        }
    }
    change.act_as(reporter);
    Ok(reasons)
}

fn set_priority(change: &mut Change, id: &IncidentId, wanted: &PriorityId) -> Result<(), Problem> {
    let known = crate::services::store::priorities(change.tx)?;
    match known.iter().find(|one| one.id == *wanted) {
        Some(priority) => actions::set_priority(change, id, Some((wanted, &priority.name))),
        None => Ok(()),
    }
}

/// Leaves a note, unless the incident has it already; false where it has too many.
fn leave(change: &mut Change, id: &IncidentId, note: &Noted) -> Result<bool, Problem> {
    let (all, same): (i64, i64) = change.tx.one(
        sql!(
            "SELECT COUNT(*), COALESCE(SUM(CASE WHEN content = $3 THEN 1 ELSE 0 END), 0) FROM incident_notes
             WHERE incident_id = $1 AND channel = $2"
        ),
        params![id, CHANNEL, &note.text],
    )?;
    if same > 0 {
        return Ok(true);
    }
    if all >= NOTES {
        return Ok(false);
    }
    change.act_as(rule(&note.by));
    room::add_note(change, id, &note.text, CHANNEL)?;
    Ok(true)
}

/// A rule as the one who acts.
fn rule(name: &str) -> Agent {
    Agent {
        kind: AgentKind::Muster,
        id: None,
        name: name.to_owned(),
        request: None::<Arc<_>>,
    }
}
