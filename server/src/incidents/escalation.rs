//! The climb: who is asked, and who next when nobody answers.
//!
//! An incident keeps its own copy of the policy. A level with nobody on call is passed over at once; when
//! a whole round finds nobody, that is written on the timeline in plain words. After the last level the
//! policy begins again as often as it says, then the climb ends and the last people keep the incident.
//! Only urgent incidents climb, and only while they are triggered.

use serde_json::json;
use store::{Tx, params, sql};

use super::actions::{replace_assignments, seconds};
use super::model::{AssignedVia, FrozenPolicy, Incident, Status, Urgency};
use crate::http::Problem;
use crate::jobs;
use crate::jobs::Owed;
use crate::oncall::EscalationPolicyId;
use crate::oncall::Strategy;
use crate::people::UserId;
use crate::timeline::{Agent, Change, Kind, NewEntry};

/// The policy as it is now, to be kept on an incident.
pub fn freeze(tx: &mut Tx, policy_id: &EscalationPolicyId) -> Result<FrozenPolicy, Problem> {
    let policy = crate::oncall::load_policy(tx, policy_id)?
        .ok_or_else(|| Problem::refused(1014, "escalation_policy was not found."))?;
    Ok(FrozenPolicy {
        rules: policy.rules,
        num_loops: policy.num_loops,
    })
}

/// Begins the climb at the first level. Where the policy finds nobody at all, nobody has the incident: whoever had it under
/// another policy would count as asked, and nobody would be paged.
pub fn start(change: &mut Change, incident: &mut Incident) -> Result<(), Problem> {
    if let Some((level, people)) = first_with_people(change, incident, 1)? {
        ask(change, incident, level, &people)
    } else {
        replace_assignments(change, &incident.id, &[])?;
        come_to_the_end(change, incident)
    }
}

/// Goes on from the level it stands on, after an acknowledgement has lapsed or urgency has risen.
pub fn resume(change: &mut Change, incident: &mut Incident) -> Result<(), Problem> {
    match incident.assigned_via {
        AssignedVia::DirectAssignment => Ok(()),
        AssignedVia::EscalationPolicy => set_timer(change, incident),
    }
}

/// The timer has fired: nobody acknowledged in time.
pub fn go_on(change: &mut Change, incident: &mut Incident) -> Result<(), Problem> {
    let climbs = incident.status == Status::Triggered
        && incident.urgency == Urgency::High
        && incident.assigned_via == AssignedVia::EscalationPolicy;
    if !climbs {
        return Ok(());
    }
    change.act_as(Agent::muster());
    let next = incident.escalation_level + 1;
    if next <= incident.escalation_rules.rules.len() as i64 {
        return step_to(change, incident, next);
    }
    if incident.escalation_loop < incident.escalation_rules.num_loops {
        incident.escalation_loop += 1;
        let text = format!(
            "Nobody acknowledged; the policy begins again (round {})",
            incident.escalation_loop + 1
        );
        change.record(NewEntry::new(Kind::EscalationRepeated, &incident.id, text))?;
        return step_to(change, incident, 1);
    }
    let text = "Nobody acknowledged, and the escalation policy has come to its end";
    change.record(NewEntry::new(Kind::EscalationExhausted, &incident.id, text))?;
    Ok(())
}

/// Asks the people of a level, or of the next one that has anybody. Where there is none, who has it keeps it.
pub fn step_to(change: &mut Change, incident: &mut Incident, level: i64) -> Result<(), Problem> {
    match first_with_people(change, incident, level)? {
        Some((level, people)) => ask(change, incident, level, &people),
        None => come_to_the_end(change, incident),
    }
}

/// The first level from this one on that has anybody, with its people. The timeline tells of those that have nobody.
fn first_with_people(
    change: &mut Change,
    incident: &Incident,
    level: i64,
) -> Result<Option<(i64, Vec<UserId>)>, Problem> {
    for candidate in level..=incident.escalation_rules.rules.len() as i64 {
        let people = people_of(change, incident, candidate)?;
        if !people.is_empty() {
            return Ok(Some((candidate, people)));
        }
        let text = format!("Nobody is on call on level {candidate}");
        change.record(NewEntry::new(Kind::NobodyOnCall, &incident.id, text))?;
    }
    Ok(None)
}

fn come_to_the_end(change: &mut Change, incident: &mut Incident) -> Result<(), Problem> {
    let last = incident.escalation_rules.rules.len() as i64;
    store_position(change, incident, last)?;
    set_timer(change, incident)
}

fn ask(change: &mut Change, incident: &mut Incident, level: i64, people: &[UserId]) -> Result<(), Problem> {
    replace_assignments(change, &incident.id, people)?;
    store_position(change, incident, level)?;
    let mut names = Vec::new();
    for id in people {
        if let Some(user) = crate::people::store::find_user(change.tx, id)? {
            names.push(user.name);
        }
    }
    let (kind, text) = if level == 1 && incident.escalation_loop == 0 {
        (Kind::Assigned, format!("Assigned to {}", names.join(", ")))
    } else {
        (
            Kind::Escalated,
            format!("Escalated to {} (level {level})", names.join(", ")),
        )
    };
    change.record(
        NewEntry::new(kind, &incident.id, text).details(json!({ "assignees": people, "level": level })),
    )?;
    set_timer(change, incident)
}

/// The people of a level who are on call now. A round-robin level asks one of its targets in turn.
fn people_of(change: &mut Change, incident: &Incident, level: i64) -> Result<Vec<UserId>, Problem> {
    let Some(rule) = usize::try_from(level - 1)
        .ok()
        .and_then(|index| incident.escalation_rules.rules.get(index))
    else {
        return Ok(Vec::new());
    };
    let now = change.now;
    match rule.strategy {
        Strategy::AssignToEveryone => Ok(crate::oncall::people_on_call(change.tx, &rule.targets, now)?),
        Strategy::RoundRobin => {
            let length = rule.targets.len().max(1);
            let series = format!("turns:{}:{level}", incident.escalation_policy_id);
            let turn = crate::numbers::next(change.tx, &series)?.unsigned_abs() as usize - 1;
            for offset in 0..rule.targets.len() {
                let target = &rule.targets[(turn + offset) % length];
                let people = crate::oncall::people_on_call(change.tx, std::slice::from_ref(target), now)?;
                if !people.is_empty() {
                    return Ok(people);
                }
            }
            Ok(Vec::new())
        }
    }
}

fn store_position(change: &mut Change, incident: &mut Incident, level: i64) -> Result<(), Problem> {
    incident.escalation_level = level;
    change.tx.send(
        sql!(
            "UPDATE incidents SET escalation_level = $2, escalation_loop = $3, assigned_via = 'escalation_policy', updated_at = $4
             WHERE id = $1"
        ),
        params![&incident.id, level, incident.escalation_loop, change.now],
    )?;
    Ok(())
}

fn set_timer(change: &mut Change, incident: &Incident) -> Result<(), Problem> {
    if incident.urgency == Urgency::Low {
        return Ok(());
    }
    let index = usize::try_from(incident.escalation_level - 1).unwrap_or(0);
    let minutes = incident
        .escalation_rules
        .rules
        .get(index)
        .map_or(30, |rule| i64::from(rule.delay_in_minutes.max(1)));
    let due = change.now + seconds(minutes * 60);
    change.owe(&Owed::at(jobs::Kind::EscalationDue, incident.id.as_str(), due))?;
    Ok(())
}
