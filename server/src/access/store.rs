//! The rows of keys and sessions.

use axum::http::{HeaderMap, header};
use jiff::{Timestamp, ToSpan as _};
use store::{Error, Tx, params, query, sql};

use super::model::{ApiKeyId, KeyKind, KeyScope};
use super::token;
use crate::http::Page;
use crate::people::UserId;
use crate::timeline::Change;

/// The cookie of a session. Its prefix makes browsers refuse it from anywhere but this host over TLS.
pub const SESSION_COOKIE: &str = "__Host-muster";
/// The same without TLS, for a Muster on one's own machine.
pub const SESSION_COOKIE_PLAIN: &str = "muster";

const SESSION_TOKEN_LENGTH: usize = 40;

#[derive(Debug, Clone, store::FromRow)]
pub struct Key {
    pub id: ApiKeyId,
    pub kind: KeyKind,
    pub user_id: Option<UserId>,
    pub name: String,
    pub last_four: String,
    pub scope: KeyScope,
    pub last_used_at: Option<Timestamp>,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Session {
    pub user_id: UserId,
    pub csrf_token: String,
    /// To an hour.
    pub seen_at: Timestamp,
}

/// Finds a key that has not been revoked.
pub fn find_key(tx: &mut Tx, key: &str) -> Result<Option<Key>, Error> {
    tx.row(
        sql!(
            "SELECT id, kind, user_id, name, last_four, scope, last_used_at FROM api_keys
             WHERE key_hash = $1 AND revoked_at IS NULL"
        ),
        params![token::hash(key)],
    )
}

/// What is needed to make a key.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub kind: KeyKind,
    pub user_id: Option<UserId>,
    pub name: String,
    pub scope: KeyScope,
}

/// Makes a key and returns it; it can never be read again.
pub fn add_key(change: &mut Change, new: &NewKey) -> Result<(ApiKeyId, String), Error> {
    let id: ApiKeyId = change.identifier();
    let key = token::random_token(token::API_KEY_LENGTH);
    let last_four = key[key.len() - 4..].to_owned();
    change.tx.execute(
        sql!(
            "INSERT INTO api_keys (id, kind, user_id, name, key_hash, last_four, scope, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ),
        params![
            &id,
            new.kind,
            new.user_id.as_ref(),
            &new.name,
            token::hash(&key),
            last_four,
            new.scope,
            change.now,
            change.agent.id.as_deref()
        ],
    )?;
    Ok((id, key))
}

/// A key as it is listed.
#[derive(Debug, Clone, store::FromRow)]
pub struct KeyRow {
    pub id: ApiKeyId,
    pub kind: KeyKind,
    pub user_id: Option<UserId>,
    pub user_name: Option<String>,
    pub name: String,
    pub last_four: String,
    pub scope: KeyScope,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

pub fn find_key_row(tx: &mut Tx, id: &ApiKeyId) -> Result<Option<KeyRow>, Error> {
    tx.row(
        sql!(
            "SELECT k.id, k.kind, k.user_id, u.name AS user_name, k.name, k.last_four, k.scope, k.created_at,
                    k.last_used_at, k.revoked_at
             FROM api_keys k LEFT JOIN users u ON u.id = k.user_id WHERE k.id = $1"
        ),
        params![id],
    )
}

/// The keys that work, newest first: those of one person, or all.
pub fn list_keys(tx: &mut Tx, owner: Option<&UserId>, page: Page) -> Result<Vec<KeyRow>, Error> {
    query!(
        "SELECT k.id, k.kind, k.user_id, u.name AS user_name, k.name, k.last_four, k.scope, k.created_at,
                k.last_used_at, k.revoked_at
         FROM api_keys k LEFT JOIN users u ON u.id = k.user_id
         WHERE k.revoked_at IS NULL {AND k.user_id = $owner}
         ORDER BY k.id DESC LIMIT $limit OFFSET $offset"
    )
    .bind_optional("owner", owner)
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

pub fn count_keys(tx: &mut Tx, owner: Option<&UserId>) -> Result<i64, Error> {
    let (count,): (i64,) =
        query!("SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NULL {AND user_id = $owner}")
            .bind_optional("owner", owner)
            .one(tx)?;
    Ok(count)
}

pub fn revoke_key(tx: &mut Tx, id: &ApiKeyId, now: Timestamp) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL"),
        params![id, now],
    )
}

/// Remembers that a key was used; called at most once an hour for each.
pub fn touch_key(tx: &mut Tx, id: &ApiKeyId, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        sql!("UPDATE api_keys SET last_used_at = $2 WHERE id = $1"),
        params![id, now],
    )?;
    Ok(())
}

pub fn session_token_of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == SESSION_COOKIE || *name == SESSION_COOKIE_PLAIN)
        .map(|(_, value)| value.to_owned())
}

pub fn find_session(tx: &mut Tx, token: &str, now: Timestamp) -> Result<Option<Session>, Error> {
    tx.row(
        sql!("SELECT user_id, csrf_token, seen_at FROM sessions WHERE token_hash = $1 AND expires_at > $2"),
        params![token::hash(token), now],
    )
}

/// Notes that somebody uses their session.
pub fn note_seen(tx: &mut Tx, token: &str, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        sql!("UPDATE sessions SET seen_at = $2 WHERE token_hash = $1"),
        params![token::hash(token), now],
    )
    .map(drop)
}

/// How long a session lasts after a sign-in.
pub const SESSION_HOURS: i64 = 24 * 7;

/// Opens a session and returns its token; only the hash is kept.
pub fn add_session(
    change: &mut Change,
    user_id: &UserId,
    remote_address: Option<&str>,
    user_agent: Option<&str>,
) -> Result<String, Error> {
    let session_token = token::random_token(SESSION_TOKEN_LENGTH);
    let expires_at = change
        .now
        .saturating_add(SESSION_HOURS.hours())
        .unwrap_or(change.now);
    change.tx.execute(
        sql!(
            "INSERT INTO sessions (token_hash, user_id, csrf_token, created_at, seen_at, expires_at, remote_address, user_agent)
             VALUES ($1, $2, $3, $4, $4, $5, $6, $7)"
        ),
        params![
            token::hash(&session_token),
            user_id,
            token::random_token(SESSION_TOKEN_LENGTH),
            change.now,
            expires_at,
            remote_address,
            user_agent
        ],
    )?;
    Ok(session_token)
}

/// Ends a session; ending it twice is no mistake.
pub fn end_session(change: &mut Change, session_token: &str) -> Result<(), Error> {
    change.tx.execute(
        sql!("DELETE FROM sessions WHERE token_hash = $1"),
        params![token::hash(session_token)],
    )?;
    Ok(())
}

/// The stored hash of the password that belongs to an address.
pub fn password_hash_of(tx: &mut Tx, user_id: &UserId) -> Result<Option<String>, Error> {
    let found: Option<(Option<String>,)> = tx.row(
        sql!("SELECT password_hash FROM users WHERE id = $1 AND deleted_at IS NULL"),
        params![user_id],
    )?;
    Ok(found.and_then(|(hash,)| hash))
}

/// Removes the sessions that ran out.
pub fn forget_ended_sessions(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    tx.execute(sql!("DELETE FROM sessions WHERE expires_at <= $1"), params![now])
}

/// Gives somebody another password and ends the sessions that were opened with the old one.
pub fn set_password(tx: &mut Tx, user_id: &UserId, hash: &str) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE users SET password_hash = $2 WHERE id = $1 AND deleted_at IS NULL"),
        params![user_id, hash],
    )?;
    tx.execute(sql!("DELETE FROM sessions WHERE user_id = $1"), params![user_id])?;
    Ok(())
}

/// Ends somebody's password and sessions; they cannot sign in until they are given another.
pub fn remove_password(tx: &mut Tx, user_id: &UserId) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE users SET password_hash = NULL WHERE id = $1 AND deleted_at IS NULL"),
        params![user_id],
    )?;
    tx.execute(sql!("DELETE FROM sessions WHERE user_id = $1"), params![user_id])?;
    Ok(())
}

/// When each of these was last seen signed in, as far as a session still tells.
pub fn last_seen(tx: &mut Tx, ids: &[&UserId]) -> Result<Vec<(UserId, Timestamp)>, Error> {
    tx.rows(
        sql!("SELECT user_id, MAX(seen_at) FROM sessions WHERE user_id = ANY($1) GROUP BY user_id"),
        params![store::Value::texts(ids.iter().map(|id| id.as_str()))],
    )
}

/// Whether somebody has signed in from this address lately, as far as sessions are kept.
pub fn has_signed_in_from(tx: &mut Tx, user_id: &UserId, address: &str) -> Result<bool, Error> {
    let rows: Vec<(i64,)> = tx.rows(
        sql!("SELECT 1 FROM sessions WHERE user_id = $1 AND remote_address = $2 LIMIT 1"),
        params![user_id, address],
    )?;
    Ok(!rows.is_empty())
}
