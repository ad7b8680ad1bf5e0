//! The rows of teams and their members.

use jiff::Timestamp;
use store::{Error, Tx, Value, params, query, sql};

use crate::http::Page;
use crate::people::model::{Team, TeamId, TeamRole, UserId};
use crate::timeline::Change;

#[derive(Debug, Clone)]
pub struct NewTeam {
    pub name: String,
    pub description: Option<String>,
    pub default_role: String,
    pub parent_id: Option<TeamId>,
}

pub fn add_team(change: &mut Change, new: &NewTeam) -> Result<Team, Error> {
    let team = Team {
        id: change.identifier(),
        name: new.name.clone(),
        description: new.description.clone(),
        default_role: new.default_role.clone(),
        parent_id: new.parent_id.clone(),
        created_at: change.now,
    };
    change.tx.execute_one(
        sql!(
            "INSERT INTO teams (id, name, description, default_role, parent_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)"
        ),
        params![
            &team.id,
            &team.name,
            team.description.as_deref(),
            &team.default_role,
            team.parent_id.as_ref(),
            team.created_at
        ],
    )?;
    Ok(team)
}

pub fn find_team(tx: &mut Tx, id: &TeamId) -> Result<Option<Team>, Error> {
    tx.row(
        sql!(
            "SELECT id, name, description, default_role, parent_id, created_at FROM teams
             WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![id],
    )
}

pub fn find_teams(tx: &mut Tx, ids: &[&TeamId]) -> Result<Vec<Team>, Error> {
    tx.rows(
        sql!(
            "SELECT id, name, description, default_role, parent_id, created_at FROM teams
             WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY name, id"
        ),
        params![Value::texts(ids)],
    )
}

/// Which teams a list is to show.
#[derive(Debug, Clone, Default)]
pub struct TeamFilter {
    pub pattern: Option<String>,
}

pub fn list_teams(tx: &mut Tx, filter: &TeamFilter, page: Page) -> Result<Vec<Team>, Error> {
    query!(
        "SELECT id, name, description, default_role, parent_id, created_at FROM teams
         WHERE deleted_at IS NULL {AND name ILIKE $pattern ESCAPE '!'}
         ORDER BY name, id LIMIT $limit OFFSET $offset"
    )
    .bind_optional("pattern", filter.pattern.as_deref())
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

pub fn count_teams(tx: &mut Tx, filter: &TeamFilter) -> Result<i64, Error> {
    let (count,): (i64,) =
        query!("SELECT COUNT(*) FROM teams WHERE deleted_at IS NULL {AND name ILIKE $pattern ESCAPE '!'}")
            .bind_optional("pattern", filter.pattern.as_deref())
            .one(tx)?;
    Ok(count)
}

pub fn update_team(tx: &mut Tx, team: &Team) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "UPDATE teams SET name = $2, description = $3, default_role = $4, parent_id = $5
             WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![
            &team.id,
            &team.name,
            team.description.as_deref(),
            &team.default_role,
            team.parent_id.as_ref()
        ],
    )
}

/// What still belongs to a team, in words; empty when it may go.
pub fn associations_of(tx: &mut Tx, id: &TeamId) -> Result<Vec<String>, Error> {
    let found: Vec<(String, i64)> = tx.rows(
        sql!(
            "SELECT 'escalation policies' AS what, COUNT(*) AS number FROM escalation_policy_teams WHERE team_id = $1
             UNION ALL SELECT 'schedules', COUNT(*) FROM schedule_teams WHERE team_id = $1
             UNION ALL SELECT 'touchpoints', COUNT(*) FROM business_services WHERE team_id = $1 AND deleted_at IS NULL
             UNION ALL SELECT 'teams below it', COUNT(*) FROM teams WHERE parent_id = $1 AND deleted_at IS NULL"
        ),
        params![id],
    )?;
    Ok(found
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("The team still has {count} {what}; move them first."))
        .collect())
}

pub fn delete_team(tx: &mut Tx, id: &TeamId, now: Timestamp) -> Result<(), Error> {
    tx.execute(sql!("DELETE FROM team_members WHERE team_id = $1"), params![id])?;
    tx.execute_one(
        sql!("UPDATE teams SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL"),
        params![id, now],
    )
}

/// One page of the members, in the order of their joining.
pub fn list_members(tx: &mut Tx, id: &TeamId, page: Page) -> Result<Vec<(UserId, TeamRole)>, Error> {
    tx.rows(
        sql!(
            "SELECT user_id, role FROM team_members WHERE team_id = $1 ORDER BY added_at, user_id LIMIT $2 OFFSET $3"
        ),
        params![id, page.rows_to_read(), page.offset],
    )
}

pub fn count_members(tx: &mut Tx, id: &TeamId) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM team_members WHERE team_id = $1"),
        params![id],
    )?;
    Ok(count)
}

/// Makes somebody a member, or gives a member another role.
pub fn put_member(
    tx: &mut Tx,
    team: &TeamId,
    user: &UserId,
    role: TeamRole,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "INSERT INTO team_members (team_id, user_id, role, added_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (team_id, user_id) DO UPDATE SET role = excluded.role"
        ),
        params![team, user, role, now],
    )
}

/// Whether there was such a member.
pub fn remove_member(tx: &mut Tx, team: &TeamId, user: &UserId) -> Result<bool, Error> {
    let removed = tx.execute(
        sql!("DELETE FROM team_members WHERE team_id = $1 AND user_id = $2"),
        params![team, user],
    )?;
    Ok(removed > 0)
}

/// The teams of many users: user and team, by the name of the team.
pub fn teams_of_users(tx: &mut Tx, users: &[&UserId]) -> Result<Vec<(UserId, TeamId)>, Error> {
    tx.rows(
        sql!(
            "SELECT m.user_id, m.team_id FROM team_members m
             JOIN teams t ON t.id = m.team_id AND t.deleted_at IS NULL
             WHERE m.user_id = ANY($1) ORDER BY t.name, t.id"
        ),
        params![Value::texts(users)],
    )
}
