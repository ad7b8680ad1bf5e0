//! Links that acknowledge in one step. Only their hash is kept; whoever holds one acts as the person it was
//! sent to, for one incident, until it expires.

use std::time::Duration;

use jiff::Timestamp;
use store::{Error, Tx, params, sql};

use crate::access::token;
use crate::incidents::IncidentId;
use crate::people::UserId;
use crate::timeline::Change;

/// How long a link is worth anything. An incident that is resolved before no longer needs it.
const LIFETIME: Duration = Duration::from_hours(7 * 24);
const TOKEN_LENGTH: usize = 32;

/// Makes a link for one person and one incident, and returns its token; it can never be read again.
pub(super) fn make(change: &mut Change, incident_id: &IncidentId, user_id: &UserId) -> Result<String, Error> {
    let secret = token::random_token(TOKEN_LENGTH);
    change.tx.execute(
        sql!(
            "INSERT INTO acknowledge_links (token_hash, incident_id, user_id, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5)"
        ),
        params![
            token::hash(&secret),
            incident_id,
            user_id,
            change.now,
            change.now + LIFETIME
        ],
    )?;
    Ok(secret)
}

/// Whom and what a token is for. None when it was never made or has expired.
pub(super) fn find(tx: &mut Tx, secret: &str, now: Timestamp) -> Result<Option<(IncidentId, UserId)>, Error> {
    if secret.len() != TOKEN_LENGTH {
        return Ok(None);
    }
    tx.row(
        sql!("SELECT incident_id, user_id FROM acknowledge_links WHERE token_hash = $1 AND expires_at > $2"),
        params![token::hash(secret), now],
    )
}

pub(super) fn forget_expired(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    tx.execute(
        sql!("DELETE FROM acknowledge_links WHERE expires_at <= $1"),
        params![now],
    )
}
