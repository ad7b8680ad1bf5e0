//! The rows of people.

use store::{Error, Tx, params, sql};

use super::model::{ContactMethodId, NotificationRuleId, Role, TeamId, TeamRole, User, UserId};
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
