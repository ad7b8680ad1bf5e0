//! What paging reads about incidents and people.

use jiff::Timestamp;
use store::{Error, Tx, params, sql};

use super::rules::{Reachable, Reason, Wanted};
use crate::incidents::model::AssignedVia;
use crate::incidents::{IncidentId, Status, Urgency};
use crate::people::store as people;
use crate::people::{User, UserId};

/// What a page tells about an incident.
#[derive(Debug, Clone, store::FromRow)]
pub(super) struct Facts {
    pub(super) id: IncidentId,
    pub(super) number: i64,
    pub(super) title: String,
    pub(super) status: Status,
    pub(super) urgency: Urgency,
    pub(super) service_name: String,
    pub(super) policy_name: String,
    pub(super) assigned_via: AssignedVia,
    pub(super) created_at: Timestamp,
    pub(super) resolved_at: Option<Timestamp>,
    pub(super) last_status_change_at: Timestamp,
}

pub(super) fn facts(tx: &mut Tx, id: &IncidentId) -> Result<Option<Facts>, Error> {
    tx.row(
        sql!(
            "SELECT i.id, i.number, i.title, i.status, i.urgency, s.name AS service_name, p.name AS policy_name, i.assigned_via,
                 i.created_at, i.resolved_at, i.last_status_change_at
             FROM incidents i
             JOIN services s ON s.id = i.service_id
             JOIN escalation_policies p ON p.id = i.escalation_policy_id
             WHERE i.id = $1"
        ),
        params![id],
    )
}

/// Keeps others from changing the incident until the end of this transaction.
pub(super) fn hold(tx: &mut Tx, id: &IncidentId) -> Result<(), Error> {
    let _held: Option<(String,)> = tx.row(
        sql!("SELECT id FROM incidents WHERE id = $1 FOR UPDATE"),
        params![id],
    )?;
    Ok(())
}

/// Everybody who is to be paged for an incident as it stands: those who have it while it is triggered, and
/// those whose help was asked for while it is open.
pub(super) fn wanted(tx: &mut Tx, facts: &Facts) -> Result<Vec<Wanted>, Error> {
    let mut wanted = Vec::new();
    if facts.status == Status::Triggered {
        let since = facts.last_status_change_at.max(urgency_since(tx, facts)?);
        let assigned: Vec<(UserId, Timestamp)> = tx.rows(
            sql!("SELECT user_id, at FROM incident_assignments WHERE incident_id = $1 ORDER BY at, user_id"),
            params![&facts.id],
        )?;
        wanted.extend(assigned.into_iter().map(|(user_id, at)| Wanted {
            user_id,
            since: at.max(since),
            reason: Reason::Assigned,
        }));
    }
    if facts.status != Status::Resolved {
        let requested: Vec<(UserId, Timestamp, String)> = tx.rows(
            sql!(
                "SELECT user_id, requested_at, message FROM incident_responders
                 WHERE incident_id = $1 AND state = 'pending' ORDER BY requested_at, user_id"
            ),
            params![&facts.id],
        )?;
        for (user_id, since, message) in requested {
            if !wanted.iter().any(|one| one.user_id == user_id) {
                wanted.push(Wanted {
                    user_id,
                    since,
                    reason: Reason::Requested { message },
                });
            }
        }
    }
    Ok(wanted)
}

/// Those who own the account, for a triggered incident that nobody else could be paged for.
pub(super) fn last_resort(tx: &mut Tx, facts: &Facts, wanted: &[Wanted]) -> Result<Vec<Wanted>, Error> {
    let since = facts
        .last_status_change_at
        .max(urgency_since(tx, facts)?)
        .max(handed_over_at(tx, facts)?);
    let owners = people::owners(tx)?;
    Ok(owners
        .into_iter()
        .filter(|owner| !wanted.iter().any(|one| one.user_id == *owner))
        .map(|user_id| Wanted {
            user_id,
            since,
            reason: Reason::LastResort,
        })
        .collect())
}

/// Since when the incident has its urgency: a change of it begins the rules of the new one.
fn urgency_since(tx: &mut Tx, facts: &Facts) -> Result<Timestamp, Error> {
    let (changed,): (Option<Timestamp>,) = tx.one(
        sql!("SELECT MAX(at) FROM timeline_entries WHERE incident_id = $1 AND kind = 'urgency_changed'"),
        params![&facts.id],
    )?;
    Ok(changed.unwrap_or(facts.created_at))
}

/// When it came to the policy that it has: an owner who was paged under another one is paged again.
fn handed_over_at(tx: &mut Tx, facts: &Facts) -> Result<Timestamp, Error> {
    let (handed,): (Option<Timestamp>,) = tx.one(
        sql!("SELECT MAX(at) FROM timeline_entries WHERE incident_id = $1 AND kind = 'delegated'"),
        params![&facts.id],
    )?;
    Ok(handed.unwrap_or(facts.created_at))
}

/// How somebody can be reached for this urgency.
pub(super) fn reachable(tx: &mut Tx, user: &User, urgency: Urgency) -> Result<Reachable, Error> {
    let methods = people::contact_methods_of(tx, &[&user.id])?;
    let mut rules = people::notification_rules_of(tx, &[&user.id])?;
    rules.retain(|rule| rule.urgency == urgency);
    Ok(Reachable {
        email: user.email.clone(),
        methods,
        rules,
    })
}

/// Whether the timeline already says that this person cannot be reached for this assignment.
pub(super) fn said_unreachable(tx: &mut Tx, id: &IncidentId, key: &str) -> Result<bool, Error> {
    let (count,): (i64,) = tx.one(
        sql!(
            "SELECT COUNT(*) FROM timeline_entries
             WHERE incident_id = $1 AND kind = 'page_failed' AND details ->> 'key' = $2"
        ),
        params![id, key],
    )?;
    Ok(count > 0)
}

/// A triggered incident that somebody was to be paged for and was not.
#[derive(Debug, Clone, store::FromRow)]
pub(super) struct Neglected {
    pub(super) id: IncidentId,
    /// How many have it.
    pub(super) assigned: i64,
}

/// Incidents with somebody who has neither been paged nor is about to be, or that nobody has and nobody was paged for:
/// `limit` of them after `after`.
pub(super) fn neglected(
    tx: &mut Tx,
    after: &IncidentId,
    late_before: Timestamp,
    limit: i64,
) -> Result<Vec<Neglected>, Error> {
    tx.rows(
        sql!(
            "SELECT i.id, (SELECT COUNT(*) FROM incident_assignments a WHERE a.incident_id = i.id) AS assigned
             FROM incidents i
             WHERE i.status = 'triggered' AND i.id > $1
               AND (EXISTS (SELECT 1 FROM incident_assignments a
                            WHERE a.incident_id = i.id AND a.at <= $2 AND i.last_status_change_at <= $2
                              AND NOT EXISTS (SELECT 1 FROM sends s
                                              WHERE s.incident_id = i.id AND s.user_id = a.user_id
                                                AND s.purpose = 'page' AND s.state <> 'cancelled'
                                                AND s.created_at >= a.at
                                                AND s.created_at >= i.last_status_change_at))
                 OR (i.last_status_change_at <= $2
                     AND NOT EXISTS (SELECT 1 FROM incident_assignments a WHERE a.incident_id = i.id)
                     AND NOT EXISTS (SELECT 1 FROM sends s
                                     WHERE s.incident_id = i.id AND s.purpose = 'page' AND s.state <> 'cancelled'
                                       AND s.created_at >= i.last_status_change_at)))
               AND NOT EXISTS (SELECT 1 FROM jobs j
                               WHERE j.subject = i.id AND j.kind = 'pages_due' AND j.due_at > $2)
             ORDER BY i.id LIMIT $3"
        ),
        params![after, late_before, limit],
    )
}
