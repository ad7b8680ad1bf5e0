//! The audit log: who did what, from where, when; each record bound to the one before it.

use serde_json::Value;
use store::{Error, params, sql};

use super::caller::{Caller, Method};
use super::token;
use crate::timeline::{Agent, Change};

/// The kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, store::TextEnum)]
pub enum AuditAction {
    Create,
    Update,
    Delete,
    SignIn,
    SignOut,
    SignInRefused,
}

/// What was changed.
#[derive(Debug, Clone)]
pub struct Changed<'a> {
    /// The resource's type in the API, such as `service`.
    pub resource_type: &'a str,
    pub resource_id: &'a str,
    pub resource_name: &'a str,
    /// Never holds a secret.
    pub details: Value,
}

/// Writes that `caller` did it, in the transaction that does it.
pub fn record(
    change: &mut Change,
    caller: &Caller,
    action: AuditAction,
    changed: &Changed<'_>,
) -> Result<(), Error> {
    let (method, truncated_token) = match &caller.method {
        Method::Browser { .. } => ("browser", None),
        Method::ApiToken { last_four } => ("api_token", Some(last_four.clone())),
    };
    let origin = Origin {
        agent: caller.agent(),
        method,
        truncated_token,
        remote_address: caller.remote_address.clone(),
        request_id: Some(caller.request_id.clone()),
    };
    write(change, &origin, action, changed)
}

/// Writes that somebody without a caller did it: the command line, a sign-in.
pub fn record_as(
    change: &mut Change,
    agent: Agent,
    action: AuditAction,
    changed: &Changed<'_>,
) -> Result<(), Error> {
    let origin = Origin {
        agent,
        method: "other",
        truncated_token: None,
        remote_address: None,
        request_id: None,
    };
    write(change, &origin, action, changed)
}

struct Origin {
    agent: Agent,
    method: &'static str,
    truncated_token: Option<String>,
    remote_address: Option<String>,
    request_id: Option<String>,
}

fn write(
    change: &mut Change,
    origin: &Origin,
    action: AuditAction,
    changed: &Changed<'_>,
) -> Result<(), Error> {
    // One chain for all nodes: whoever appends holds this lock until the commit.
    change.tx.lock("audit")?;
    let last: Option<(i64, String)> = change.tx.row(
        sql!("SELECT sequence, hash FROM audit_records ORDER BY sequence DESC LIMIT 1"),
        params![],
    )?;
    let (sequence, previous_hash) = last.map_or((1, String::new()), |(sequence, hash)| (sequence + 1, hash));
    let id: String = change.identifier();
    let sealed = serde_json::json!([
        sequence,
        id,
        change.now.as_microsecond(),
        origin.agent.kind.as_text(),
        origin.agent.id,
        origin.agent.name,
        origin.method,
        action.as_text(),
        changed.resource_type,
        changed.resource_id,
        changed.resource_name,
        changed.details,
        previous_hash
    ]);
    let hash = token::hash(&sealed.to_string());
    change.tx.execute(
        sql!(
            "INSERT INTO audit_records (sequence, id, at, actor_type, actor_id, actor_name, method, truncated_token,
                 remote_address, request_id, action, resource_type, resource_id, resource_name, details, previous_hash, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        ),
        params![
            sequence,
            id,
            change.now,
            origin.agent.kind,
            origin.agent.id.as_deref(),
            &origin.agent.name,
            origin.method,
            origin.truncated_token.as_deref(),
            origin.remote_address.as_deref(),
            origin.request_id.as_deref(),
            action,
            changed.resource_type,
            changed.resource_id,
            changed.resource_name,
            changed.details.clone(),
            previous_hash,
            hash
        ],
    )?;
    Ok(())
}
