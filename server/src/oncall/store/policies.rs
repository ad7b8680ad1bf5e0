//! The rows of escalation policies.

use std::collections::HashMap;

use jiff::Timestamp;
use store::{Error, Query, Tx, Value, params, query, sql};

use crate::http::Page;
use crate::oncall::model::{EscalationPolicy, EscalationPolicyId};
use crate::people::TeamId;

/// A policy that has not been deleted.
pub fn load_policy(tx: &mut Tx, id: &EscalationPolicyId) -> Result<Option<EscalationPolicy>, Error> {
    tx.row(
        sql!(
            "SELECT id, name, description, num_loops, on_call_handoff_notifications, rules, created_at, deleted_at
             FROM escalation_policies WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![id],
    )
}

/// Policies by id, deleted ones too.
pub fn load_policies(tx: &mut Tx, ids: &[&EscalationPolicyId]) -> Result<Vec<EscalationPolicy>, Error> {
    tx.rows(
        sql!(
            "SELECT id, name, description, num_loops, on_call_handoff_notifications, rules, created_at, deleted_at
             FROM escalation_policies WHERE id = ANY($1) ORDER BY name, id"
        ),
        params![Value::texts(ids)],
    )
}

/// Which policies a list is to show.
#[derive(Debug, Clone, Default)]
pub struct PolicyFilter {
    pub pattern: Option<String>,
    /// Those that name one of these people as a target.
    pub user_ids: Option<Vec<String>>,
    pub team_ids: Option<Vec<String>>,
    pub sort: PolicySort,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PolicySort {
    #[default]
    Name,
    NameDescending,
}

pub fn list_policies(tx: &mut Tx, filter: &PolicyFilter, page: Page) -> Result<Vec<EscalationPolicy>, Error> {
    let sort = match filter.sort {
        PolicySort::Name => "name",
        PolicySort::NameDescending => "name_descending",
    };
    filtered(
        query!(
            "SELECT id, name, description, num_loops, on_call_handoff_notifications, rules, created_at, deleted_at
             FROM escalation_policies WHERE deleted_at IS NULL
             {AND name ILIKE $pattern ESCAPE '!'}
             {AND id IN (SELECT escalation_policy_id FROM escalation_targets
                         WHERE target_type = 'user' AND target_id = ANY($user_ids))}
             {AND id IN (SELECT escalation_policy_id FROM escalation_policy_teams WHERE team_id = ANY($team_ids))}
             ORDER BY {sort=name: name} {sort=name_descending: name DESC}, id LIMIT $limit OFFSET $offset"
        ),
        filter,
    )
    .choose("sort", sort)
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

/// Id and name of policies to choose from, by name.
pub fn policy_names(tx: &mut Tx, limit: i64) -> Result<Vec<(String, String)>, Error> {
    tx.rows(
        sql!("SELECT id, name FROM escalation_policies WHERE deleted_at IS NULL ORDER BY name, id LIMIT $1"),
        params![limit],
    )
}

pub fn count_policies(tx: &mut Tx, filter: &PolicyFilter) -> Result<i64, Error> {
    let (count,): (i64,) = filtered(
        query!(
            "SELECT COUNT(*) FROM escalation_policies WHERE deleted_at IS NULL
             {AND name ILIKE $pattern ESCAPE '!'}
             {AND id IN (SELECT escalation_policy_id FROM escalation_targets
                         WHERE target_type = 'user' AND target_id = ANY($user_ids))}
             {AND id IN (SELECT escalation_policy_id FROM escalation_policy_teams WHERE team_id = ANY($team_ids))}"
        ),
        filter,
    )
    .one(tx)?;
    Ok(count)
}

fn filtered(query: Query, filter: &PolicyFilter) -> Query {
    query
        .bind_optional("pattern", filter.pattern.as_deref())
        .bind_optional("user_ids", filter.user_ids.clone())
        .bind_optional("team_ids", filter.team_ids.clone())
}

pub fn insert_policy(tx: &mut Tx, policy: &EscalationPolicy) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "INSERT INTO escalation_policies (id, name, description, num_loops, on_call_handoff_notifications, rules, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        params![
            &policy.id,
            &policy.name,
            policy.description.as_deref(),
            policy.num_loops,
            policy.on_call_handoff_notifications,
            Value::json(&policy.rules)?,
            policy.created_at
        ],
    )?;
    write_targets(tx, policy)
}

/// Writes what may be changed of a policy.
pub fn update_policy(tx: &mut Tx, policy: &EscalationPolicy) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "UPDATE escalation_policies SET name = $2, description = $3, num_loops = $4,
                 on_call_handoff_notifications = $5, rules = $6
             WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![
            &policy.id,
            &policy.name,
            policy.description.as_deref(),
            policy.num_loops,
            policy.on_call_handoff_notifications,
            Value::json(&policy.rules)?
        ],
    )?;
    write_targets(tx, policy)
}

fn write_targets(tx: &mut Tx, policy: &EscalationPolicy) -> Result<(), Error> {
    tx.execute(
        sql!("DELETE FROM escalation_targets WHERE escalation_policy_id = $1"),
        params![&policy.id],
    )?;
    for (rule_position, rule) in policy.rules.iter().enumerate() {
        for (target_position, target) in rule.targets.iter().enumerate() {
            tx.execute_one(
                sql!(
                    "INSERT INTO escalation_targets (escalation_policy_id, rule_position, target_position, target_type, target_id)
                     VALUES ($1, $2, $3, $4, $5)"
                ),
                params![&policy.id, rule_position, target_position, target.kind, &target.id],
            )?;
        }
    }
    Ok(())
}

pub fn delete_policy(tx: &mut Tx, id: &EscalationPolicyId, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        sql!("DELETE FROM escalation_targets WHERE escalation_policy_id = $1"),
        params![id],
    )?;
    tx.execute(
        sql!("DELETE FROM escalation_policy_teams WHERE escalation_policy_id = $1"),
        params![id],
    )?;
    tx.execute_one(
        sql!("UPDATE escalation_policies SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL"),
        params![id, now],
    )
}

/// Policy and team, for many policies.
pub fn teams_of_policies(
    tx: &mut Tx,
    ids: &[&EscalationPolicyId],
) -> Result<Vec<(EscalationPolicyId, TeamId)>, Error> {
    tx.rows(
        sql!(
            "SELECT escalation_policy_id, team_id FROM escalation_policy_teams
             WHERE escalation_policy_id = ANY($1) ORDER BY team_id"
        ),
        params![Value::texts(ids)],
    )
}

pub fn teams_of_policy(tx: &mut Tx, id: &EscalationPolicyId) -> Result<Vec<TeamId>, Error> {
    Ok(teams_of_policies(tx, &[id])?
        .into_iter()
        .map(|(_, team)| team)
        .collect())
}

pub fn set_policy_teams(tx: &mut Tx, id: &EscalationPolicyId, teams: &[TeamId]) -> Result<(), Error> {
    tx.execute(
        sql!("DELETE FROM escalation_policy_teams WHERE escalation_policy_id = $1"),
        params![id],
    )?;
    for team in teams {
        put_policy_team(tx, id, team)?;
    }
    Ok(())
}

pub fn put_policy_team(tx: &mut Tx, id: &EscalationPolicyId, team: &TeamId) -> Result<(), Error> {
    tx.execute(
        sql!(
            "INSERT INTO escalation_policy_teams (escalation_policy_id, team_id) VALUES ($1, $2)
             ON CONFLICT (escalation_policy_id, team_id) DO NOTHING"
        ),
        params![id, team],
    )?;
    Ok(())
}

/// Whether the policy was the team's.
pub fn remove_policy_team(tx: &mut Tx, id: &EscalationPolicyId, team: &TeamId) -> Result<bool, Error> {
    let removed = tx.execute(
        sql!("DELETE FROM escalation_policy_teams WHERE escalation_policy_id = $1 AND team_id = $2"),
        params![id, team],
    )?;
    Ok(removed > 0)
}

/// Policy, service and its name: the services that escalate by these policies.
pub fn services_of_policies(
    tx: &mut Tx,
    ids: &[&EscalationPolicyId],
) -> Result<Vec<(EscalationPolicyId, String, String)>, Error> {
    tx.rows(
        sql!(
            "SELECT escalation_policy_id, id, name FROM services
             WHERE escalation_policy_id = ANY($1) AND deleted_at IS NULL ORDER BY name, id"
        ),
        params![Value::texts(ids)],
    )
}

/// The names of the services whose rules on events name this policy.
pub fn services_whose_rules_name(tx: &mut Tx, id: &EscalationPolicyId) -> Result<Vec<String>, Error> {
    let rows: Vec<(String,)> = tx.rows(
        sql!(
            "SELECT s.name FROM service_orchestrations o JOIN services s ON s.id = o.service_id
             WHERE CAST(o.rules AS TEXT) LIKE $1 AND s.deleted_at IS NULL ORDER BY s.name, s.id"
        ),
        params![format!("%\"{id}\"%")],
    )?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Id and name of these policies, also of deleted ones.
pub fn names_of_policies(tx: &mut Tx, ids: &[String]) -> Result<Vec<(String, String)>, Error> {
    tx.rows(
        sql!("SELECT id, name FROM escalation_policies WHERE id = ANY($1)"),
        params![Value::texts(ids)],
    )
}

/// Id and name of the teams of each policy.
pub fn named_teams_of_policies(
    tx: &mut Tx,
    ids: &[String],
) -> Result<HashMap<String, Vec<(String, String)>>, Error> {
    let rows: Vec<(String, String, String)> = tx.rows(
        sql!(
            "SELECT p.escalation_policy_id, t.id, t.name FROM escalation_policy_teams p JOIN teams t ON t.id = p.team_id
             WHERE p.escalation_policy_id = ANY($1) ORDER BY t.id"
        ),
        params![Value::texts(ids)],
    )?;
    let mut teams: HashMap<String, Vec<(String, String)>> = HashMap::new();
    for (policy, id, name) in rows {
        teams.entry(policy).or_default().push((id, name));
    }
    Ok(teams)
}
