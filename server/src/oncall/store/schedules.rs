//! The rows of schedules and their versions, and who is on call by them.

use jiff::Timestamp;
use schedule::{Plan, VersionedPlan};
use store::{Error, Query, Tx, Value, params, query, sql};

use super::overrides::overrides_between;
use crate::http::Page;
use crate::oncall::model::{Definition, EscalationPolicyId, ScheduleId, ScheduleRow, Target, TargetKind};
use crate::oncall::rules;
use crate::people::{TeamId, UserId};

/// The people whom `targets` mean at an instant, each once, in the order of the targets. Deleted people and
/// schedules and empty stretches are left out.
pub fn people_on_call(tx: &mut Tx, targets: &[Target], now: Timestamp) -> Result<Vec<UserId>, Error> {
    let mut named: Vec<UserId> = Vec::new();
    for target in targets {
        let person = match target.kind {
            TargetKind::User => Some(UserId::from(target.id.as_str())),
            TargetKind::Schedule => on_call_at(tx, &ScheduleId::from(target.id.as_str()), now)?,
        };
        if let Some(person) = person
            && !named.contains(&person)
        {
            named.push(person);
        }
    }
    if named.is_empty() {
        return Ok(named);
    }
    let present: Vec<(UserId,)> = tx.rows(
        sql!("SELECT id FROM users WHERE id = ANY($1) AND deleted_at IS NULL"),
        params![Value::texts(named.iter().map(UserId::as_str))],
    )?;
    named.retain(|person| present.iter().any(|(id,)| id == person));
    Ok(named)
}

/// Who a schedule has on call at an instant: an override before a layer, a newer override before an older one.
pub fn on_call_at(tx: &mut Tx, id: &ScheduleId, at: Timestamp) -> Result<Option<UserId>, Error> {
    let plan = plan_between(tx, id, at, at)?;
    Ok(plan
        .and_then(|plan| plan.on_call_at(at))
        .map(|on_call| UserId::from(on_call.user.as_str())))
}

/// The plan of a schedule with the versions and overrides that count between two instants, both included.
pub fn plan_between(
    tx: &mut Tx,
    id: &ScheduleId,
    start: Timestamp,
    end: Timestamp,
) -> Result<Option<VersionedPlan<Plan>>, Error> {
    let versions: Vec<VersionRow> = tx.rows(
        sql!(
            "SELECT v.effective_from, v.definition FROM schedule_versions v
             JOIN schedules s ON s.id = v.schedule_id AND s.deleted_at IS NULL
             WHERE v.schedule_id = $1 AND v.effective_from <= $3
               AND v.effective_from >= COALESCE(
                   (SELECT MAX(w.effective_from) FROM schedule_versions w
                    WHERE w.schedule_id = $1 AND w.effective_from <= $2), 0)
             ORDER BY v.effective_from"
        ),
        params![id, start, end],
    )?;
    let overrides = overrides_between(tx, id, start, end)?;
    let versions = versions
        .into_iter()
        .map(|row| (row.effective_from, row.definition))
        .collect();
    Ok(rules::versioned_plan(versions, &overrides))
}

#[derive(Debug, store::FromRow)]
struct VersionRow {
    effective_from: Timestamp,
    #[row(json)]
    definition: Definition,
}

/// A schedule that has not been deleted.
pub fn find_schedule(tx: &mut Tx, id: &ScheduleId) -> Result<Option<ScheduleRow>, Error> {
    tx.row(
        sql!(
            "SELECT id, name, description, time_zone, definition, calendar_key, created_at, deleted_at
             FROM schedules WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![id],
    )
}

/// The names of schedules, deleted ones too.
pub fn schedule_names(tx: &mut Tx, ids: &[&str]) -> Result<Vec<(ScheduleId, String)>, Error> {
    tx.rows(
        sql!("SELECT id, name FROM schedules WHERE id = ANY($1) ORDER BY id"),
        params![Value::texts(ids)],
    )
}

/// Which schedules a list is to show.
#[derive(Debug, Clone, Default)]
pub struct ScheduleFilter {
    pub pattern: Option<String>,
    pub team_ids: Option<Vec<String>>,
}

pub fn list_schedules(tx: &mut Tx, filter: &ScheduleFilter, page: Page) -> Result<Vec<ScheduleRow>, Error> {
    filtered(
        query!(
            "SELECT id, name, description, time_zone, definition, calendar_key, created_at, deleted_at
             FROM schedules WHERE deleted_at IS NULL
             {AND name ILIKE $pattern ESCAPE '!'}
             {AND id IN (SELECT schedule_id FROM schedule_teams WHERE team_id = ANY($team_ids))}
             ORDER BY name, id LIMIT $limit OFFSET $offset"
        ),
        filter,
    )
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

pub fn count_schedules(tx: &mut Tx, filter: &ScheduleFilter) -> Result<i64, Error> {
    let (count,): (i64,) = filtered(
        query!(
            "SELECT COUNT(*) FROM schedules WHERE deleted_at IS NULL
             {AND name ILIKE $pattern ESCAPE '!'}
             {AND id IN (SELECT schedule_id FROM schedule_teams WHERE team_id = ANY($team_ids))}"
        ),
        filter,
    )
    .one(tx)?;
    Ok(count)
}

fn filtered(query: Query, filter: &ScheduleFilter) -> Query {
    query
        .bind_optional("pattern", filter.pattern.as_deref())
        .bind_optional("team_ids", filter.team_ids.clone())
}

/// Adds a schedule. Its first version counts for all earlier times too: nothing else is known of them.
pub fn insert_schedule(tx: &mut Tx, row: &ScheduleRow, created_by: Option<&str>) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "INSERT INTO schedules (id, name, description, time_zone, definition, calendar_key, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        params![
            &row.id,
            &row.name,
            row.description.as_deref(),
            &row.time_zone,
            Value::json(&row.definition)?,
            &row.calendar_key,
            row.created_at
        ],
    )?;
    insert_version(tx, row, Timestamp::UNIX_EPOCH, row.created_at, created_by)
}

/// Writes what may be changed of a schedule: a new version from now on. The versions before stay as they are.
pub fn update_schedule(
    tx: &mut Tx,
    row: &ScheduleRow,
    now: Timestamp,
    changed_by: Option<&str>,
) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "UPDATE schedules SET name = $2, description = $3, time_zone = $4, definition = $5
             WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![
            &row.id,
            &row.name,
            row.description.as_deref(),
            &row.time_zone,
            Value::json(&row.definition)?
        ],
    )?;
    insert_version(tx, row, now, now, changed_by)
}

fn insert_version(
    tx: &mut Tx,
    row: &ScheduleRow,
    effective_from: Timestamp,
    now: Timestamp,
    created_by: Option<&str>,
) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "INSERT INTO schedule_versions (schedule_id, effective_from, definition, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (schedule_id, effective_from) DO UPDATE SET definition = excluded.definition"
        ),
        params![
            &row.id,
            effective_from,
            Value::json(&row.definition)?,
            now,
            created_by
        ],
    )
}

pub fn delete_schedule(tx: &mut Tx, id: &ScheduleId, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        sql!("DELETE FROM schedule_teams WHERE schedule_id = $1"),
        params![id],
    )?;
    tx.execute_one(
        sql!("UPDATE schedules SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL"),
        params![id, now],
    )
}

/// Schedule and team, for many schedules.
pub fn teams_of_schedules(tx: &mut Tx, ids: &[&ScheduleId]) -> Result<Vec<(ScheduleId, TeamId)>, Error> {
    tx.rows(
        sql!("SELECT schedule_id, team_id FROM schedule_teams WHERE schedule_id = ANY($1) ORDER BY team_id"),
        params![Value::texts(ids)],
    )
}

pub fn set_schedule_teams(tx: &mut Tx, id: &ScheduleId, teams: &[TeamId]) -> Result<(), Error> {
    tx.execute(
        sql!("DELETE FROM schedule_teams WHERE schedule_id = $1"),
        params![id],
    )?;
    for team in teams {
        tx.execute_one(
            sql!("INSERT INTO schedule_teams (schedule_id, team_id) VALUES ($1, $2)"),
            params![id, team],
        )?;
    }
    Ok(())
}

/// Schedule, policy and its name: the policies that page by these schedules.
pub fn policies_of_schedules(
    tx: &mut Tx,
    ids: &[&ScheduleId],
) -> Result<Vec<(ScheduleId, EscalationPolicyId, String)>, Error> {
    tx.rows(
        sql!(
            "SELECT DISTINCT t.target_id, p.id, p.name FROM escalation_targets t
             JOIN escalation_policies p ON p.id = t.escalation_policy_id AND p.deleted_at IS NULL
             WHERE t.target_type = 'schedule' AND t.target_id = ANY($1) ORDER BY p.name, p.id"
        ),
        params![Value::texts(ids)],
    )
}

/// The schedule whose calendar feed has this key.
pub fn find_schedule_by_calendar_key(tx: &mut Tx, key: &str) -> Result<Option<ScheduleRow>, Error> {
    tx.row(
        sql!(
            "SELECT id, name, description, time_zone, definition, calendar_key, created_at, deleted_at
             FROM schedules WHERE calendar_key = $1 AND deleted_at IS NULL"
        ),
        params![key],
    )
}

/// The person whose calendar feed has this key, and their name.
pub fn find_user_by_calendar_key(tx: &mut Tx, key: &str) -> Result<Option<(UserId, String)>, Error> {
    tx.row(
        sql!("SELECT id, name FROM users WHERE calendar_key = $1 AND deleted_at IS NULL"),
        params![key],
    )
}

/// The schedule that concerns a person most: of one of their teams, or else the first there is.
pub fn nearest_schedule(tx: &mut Tx, user_id: &str) -> Result<Option<(ScheduleId, String)>, Error> {
    tx.row(
        sql!(
            "SELECT s.id, s.name FROM schedules s
             LEFT JOIN schedule_teams t ON t.schedule_id = s.id
             LEFT JOIN team_members m ON m.team_id = t.team_id AND m.user_id = $1
             WHERE s.deleted_at IS NULL
             ORDER BY CASE WHEN m.user_id IS NULL THEN 1 ELSE 0 END, s.name, s.id LIMIT 1"
        ),
        params![user_id],
    )
}

/// Id and name of the schedules that have turns or overrides of somebody.
pub fn schedules_with(tx: &mut Tx, user_id: &UserId) -> Result<Vec<(ScheduleId, String)>, Error> {
    tx.rows(
        sql!(
            "SELECT id, name FROM schedules WHERE deleted_at IS NULL
             AND (CAST(definition AS TEXT) LIKE $2
                  OR id IN (SELECT schedule_id FROM schedule_overrides WHERE user_id = $1))
             ORDER BY name, id LIMIT 100"
        ),
        params![user_id, format!("%\"{user_id}\"%")],
    )
}
