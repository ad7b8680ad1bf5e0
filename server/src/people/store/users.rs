//! The rows of users.

use jiff::Timestamp;
use store::{Error, Query, Tx, Value, params, query, sql};

use crate::http::Page;
use crate::people::model::{ContactMethodId, NotificationRuleId, Role, TeamId, TeamRole, User, UserId};
use crate::timeline::Change;

/// What is needed to add somebody.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub name: String,
    pub email: String,
    pub role: Role,
    pub time_zone: String,
    pub color: String,
    pub job_title: Option<String>,
    pub description: Option<String>,
    /// Argon2id in PHC form; without one the person cannot sign in with a password.
    pub password_hash: Option<String>,
}

/// Adds somebody, with the e-mail address as first contact method and a rule for each urgency.
pub fn add_user(change: &mut Change, user: &NewUser) -> Result<UserId, Error> {
    let id: UserId = change.identifier();
    let calendar_key = crate::access::token::random_token(32);
    change.tx.execute(
        sql!(
            "INSERT INTO users (id, name, email, role, time_zone, color, job_title, description, password_hash, calendar_key, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ),
        params![
            &id,
            &user.name,
            user.email.to_lowercase(),
            user.role,
            &user.time_zone,
            &user.color,
            user.job_title.as_deref(),
            user.description.as_deref(),
            user.password_hash.as_deref(),
            calendar_key,
            change.now
        ],
    )?;
    let contact_method_id: ContactMethodId = change.identifier();
    change.tx.execute(
        sql!(
            "INSERT INTO contact_methods (id, user_id, type, label, address, send_short_email, created_at)
             VALUES ($1, $2, 'email_contact_method', 'Default', $3, $4, $5)"
        ),
        params![
            &contact_method_id,
            &id,
            user.email.to_lowercase(),
            false,
            change.now
        ],
    )?;
    for urgency in ["high", "low"] {
        let rule_id: NotificationRuleId = change.identifier();
        change.tx.execute(
            sql!(
                "INSERT INTO notification_rules (id, user_id, contact_method_id, start_delay_in_minutes, urgency, created_at)
                 VALUES ($1, $2, $3, 0, $4, $5)"
            ),
            params![rule_id, &id, &contact_method_id, urgency, change.now],
        )?;
    }
    Ok(id)
}

pub fn find_user(tx: &mut Tx, id: &UserId) -> Result<Option<User>, Error> {
    tx.row(
        sql!(
            "SELECT id, name, email, role, time_zone, color, job_title, description, calendar_key, created_at, deleted_at
             FROM users WHERE id = $1"
        ),
        params![id],
    )
}

/// Somebody who has not been deleted, by address; upper and lower case are the same.
pub fn find_user_by_email(tx: &mut Tx, email: &str) -> Result<Option<User>, Error> {
    tx.row(
        sql!(
            "SELECT id, name, email, role, time_zone, color, job_title, description, calendar_key, created_at, deleted_at
             FROM users WHERE email = $1 AND deleted_at IS NULL"
        ),
        params![email.to_lowercase()],
    )
}

/// The time zone that most people live by.
pub fn usual_time_zone(tx: &mut Tx) -> Result<Option<String>, Error> {
    let found: Option<(String, i64)> = tx.row(
        sql!(
            "SELECT time_zone, COUNT(*) FROM users WHERE deleted_at IS NULL
             GROUP BY time_zone ORDER BY COUNT(*) DESC, time_zone LIMIT 1"
        ),
        params![],
    )?;
    Ok(found.map(|(name, _)| name))
}

pub fn count_users(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM users WHERE deleted_at IS NULL"),
        params![],
    )?;
    Ok(count)
}

/// The teams somebody belongs to, with the role in each.
pub fn teams_of(tx: &mut Tx, id: &UserId) -> Result<Vec<(TeamId, TeamRole)>, Error> {
    tx.rows(
        sql!("SELECT team_id, role FROM team_members WHERE user_id = $1 ORDER BY team_id"),
        params![id],
    )
}

/// Which users a list is to show.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// A pattern for the name or the address.
    pub pattern: Option<String>,
    pub team_ids: Option<Vec<String>>,
}

/// One page of the users who have not been deleted, by name; one more than asked for, if there is more.
pub fn list_users(tx: &mut Tx, filter: &UserFilter, page: Page) -> Result<Vec<User>, Error> {
    filtered(
        query!(
            "SELECT id, name, email, role, time_zone, color, job_title, description, calendar_key, created_at, deleted_at
             FROM users WHERE deleted_at IS NULL
             {AND (name ILIKE $pattern ESCAPE '!' OR email ILIKE $pattern ESCAPE '!')}
             {AND id IN (SELECT user_id FROM team_members WHERE team_id = ANY($team_ids))}
             ORDER BY name, id LIMIT $limit OFFSET $offset"
        ),
        filter,
    )
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

pub fn count_listed_users(tx: &mut Tx, filter: &UserFilter) -> Result<i64, Error> {
    let (count,): (i64,) = filtered(
        query!(
            "SELECT COUNT(*) FROM users WHERE deleted_at IS NULL
             {AND (name ILIKE $pattern ESCAPE '!' OR email ILIKE $pattern ESCAPE '!')}
             {AND id IN (SELECT user_id FROM team_members WHERE team_id = ANY($team_ids))}"
        ),
        filter,
    )
    .one(tx)?;
    Ok(count)
}

fn filtered(query: Query, filter: &UserFilter) -> Query {
    query
        .bind_optional("pattern", filter.pattern.as_deref())
        .bind_optional("team_ids", filter.team_ids.clone())
}

/// Id and name of people to choose from, by name.
pub fn names(tx: &mut Tx, limit: i64) -> Result<Vec<(String, String)>, Error> {
    tx.rows(
        sql!("SELECT id, name FROM users WHERE deleted_at IS NULL ORDER BY name, id LIMIT $1"),
        params![limit],
    )
}

/// Users by id, deleted ones too: what happened keeps its names.
pub fn find_users(tx: &mut Tx, ids: &[&UserId]) -> Result<Vec<User>, Error> {
    tx.rows(
        sql!(
            "SELECT id, name, email, role, time_zone, color, job_title, description, calendar_key, created_at, deleted_at
             FROM users WHERE id = ANY($1) ORDER BY id"
        ),
        params![Value::texts(ids)],
    )
}

/// Everybody by id, deleted ones too; bounded.
pub fn everybody(tx: &mut Tx) -> Result<Vec<User>, Error> {
    tx.rows(
        sql!(
            "SELECT id, name, email, role, time_zone, color, job_title, description, calendar_key, created_at, deleted_at
             FROM users ORDER BY id LIMIT 5000"
        ),
        params![],
    )
}

/// Writes what may be changed of a user.
pub fn update_user(tx: &mut Tx, user: &User) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "UPDATE users SET name = $2, email = $3, role = $4, time_zone = $5, color = $6, job_title = $7, description = $8
             WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![
            &user.id,
            &user.name,
            &user.email,
            user.role,
            &user.time_zone,
            &user.color,
            user.job_title.as_deref(),
            user.description.as_deref()
        ],
    )
}

/// Takes away sign-in, keys, teams and pages; the name stays for what happened.
pub fn delete_user(tx: &mut Tx, id: &UserId, now: Timestamp) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE users SET deleted_at = $2, password_hash = NULL WHERE id = $1 AND deleted_at IS NULL"),
        params![id, now],
    )?;
    tx.execute(
        sql!("UPDATE api_keys SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL"),
        params![id, now],
    )?;
    tx.execute(sql!("DELETE FROM sessions WHERE user_id = $1"), params![id])?;
    tx.execute(sql!("DELETE FROM team_members WHERE user_id = $1"), params![id])?;
    tx.execute(
        sql!("DELETE FROM notification_rules WHERE user_id = $1"),
        params![id],
    )?;
    tx.execute(
        sql!("DELETE FROM contact_methods WHERE user_id = $1"),
        params![id],
    )?;
    Ok(())
}

/// Whether nobody else is an owner.
pub fn is_last_owner(tx: &mut Tx, id: &UserId) -> Result<bool, Error> {
    let owners: Vec<(UserId,)> = tx.rows(
        sql!("SELECT id FROM users WHERE role = 'owner' AND deleted_at IS NULL LIMIT 2 FOR UPDATE"),
        params![],
    )?;
    Ok(owners.len() == 1 && owners[0].0 == *id)
}

/// Those who own the account.
pub fn owners(tx: &mut Tx) -> Result<Vec<UserId>, Error> {
    let owners: Vec<(UserId,)> = tx.rows(
        sql!("SELECT id FROM users WHERE role = 'owner' AND deleted_at IS NULL ORDER BY id"),
        params![],
    )?;
    Ok(owners.into_iter().map(|(id,)| id).collect())
}

/// What still counts on somebody, in words; empty when they may go.
pub fn duties_of(tx: &mut Tx, id: &UserId, now: Timestamp) -> Result<Vec<String>, Error> {
    let mut duties = Vec::new();
    let (incidents,): (i64,) = tx.one(
        sql!(
            "SELECT COUNT(*) FROM incident_assignments a JOIN incidents i ON i.id = a.incident_id
             WHERE a.user_id = $1 AND i.status <> 'resolved'"
        ),
        params![id],
    )?;
    if incidents > 0 {
        duties.push(format!(
            "{incidents} open incident(s) are assigned to this user; reassign them first."
        ));
    }
    let policies: Vec<(String,)> = tx.rows(
        sql!(
            "SELECT DISTINCT p.name FROM escalation_targets t
             JOIN escalation_policies p ON p.id = t.escalation_policy_id AND p.deleted_at IS NULL
             WHERE t.target_type = 'user' AND t.target_id = $1 ORDER BY p.name LIMIT 10"
        ),
        params![id],
    )?;
    for (name,) in policies {
        duties.push(format!(
            "The escalation policy '{name}' pages this user; change it first."
        ));
    }
    let schedules: Vec<(String,)> = tx.rows(
        sql!(
            "SELECT name FROM schedules WHERE deleted_at IS NULL AND CAST(definition AS TEXT) LIKE $1
             ORDER BY name LIMIT 10"
        ),
        params![format!("%\"{id}\"%")],
    )?;
    for (name,) in schedules {
        duties.push(format!(
            "The schedule '{name}' has turns of this user; change it first."
        ));
    }
    let stands_in: Vec<(String,)> = tx.rows(
        sql!(
            "SELECT DISTINCT s.name FROM schedule_overrides o
             JOIN schedules s ON s.id = o.schedule_id AND s.deleted_at IS NULL
             WHERE o.user_id = $1 AND o.end_at > $2 ORDER BY s.name LIMIT 10"
        ),
        params![id, now],
    )?;
    for (name,) in stands_in {
        duties.push(format!(
            "This user stands in on the schedule '{name}', now or later; remove the override first."
        ));
    }
    Ok(duties)
}
