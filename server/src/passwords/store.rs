//! The rows of links.

use jiff::Timestamp;
use store::{Error, Tx, params, sql};

use super::links::Reason;
use crate::access::token;
use crate::people::{User, UserId};

/// A link that still works, and whose it is.
#[derive(Debug, Clone, store::FromRow)]
pub struct Link {
    pub user_id: UserId,
    pub user_name: String,
    pub email: String,
    pub reason: Reason,
}

pub fn insert(tx: &mut Tx, secret: &str, user: &User, reason: Reason, now: Timestamp) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "INSERT INTO password_links (token_hash, user_id, reason, email, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)"
        ),
        params![
            token::hash(secret),
            &user.id,
            reason,
            &user.email,
            now,
            now + reason.lifetime()
        ],
    )
}

/// The link with this secret, if it still works: it is not used, not too old, and its person still has the address.
pub fn find(tx: &mut Tx, secret: &str, now: Timestamp) -> Result<Option<Link>, Error> {
    tx.row(
        sql!(
            "SELECT l.user_id, u.name AS user_name, l.email, l.reason FROM password_links l
             JOIN users u ON u.id = l.user_id AND u.email = l.email AND u.deleted_at IS NULL
             WHERE l.token_hash = $1 AND l.expires_at > $2"
        ),
        params![token::hash(secret), now],
    )
}

/// Uses a link up. False for whoever comes second with it.
pub fn take(tx: &mut Tx, secret: &str) -> Result<bool, Error> {
    let taken: Vec<(String,)> = tx.rows(
        sql!("DELETE FROM password_links WHERE token_hash = $1 RETURNING user_id"),
        params![token::hash(secret)],
    )?;
    Ok(!taken.is_empty())
}

/// When somebody was last given a link for this reason.
pub fn last_given(tx: &mut Tx, user_id: &UserId, reason: Reason) -> Result<Option<Timestamp>, Error> {
    let row: Option<(Option<Timestamp>,)> = tx.row(
        sql!("SELECT MAX(created_at) FROM password_links WHERE user_id = $1 AND reason = $2"),
        params![user_id, reason],
    )?;
    Ok(row.and_then(|(at,)| at))
}

/// Uses up the links of one reason, or all.
pub fn use_up(tx: &mut Tx, user_id: &UserId, reason: Option<Reason>) -> Result<(), Error> {
    tx.execute(
        sql!("DELETE FROM password_links WHERE user_id = $1 AND reason = COALESCE($2, reason)"),
        params![user_id, reason.as_ref().map(Reason::as_text)],
    )?;
    Ok(())
}

/// Removes the links that are too old.
pub fn forget_old(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    tx.execute(
        sql!("DELETE FROM password_links WHERE expires_at <= $1"),
        params![now],
    )
}
