//! The audit log: who did what, from where, when; each record bound to the one before it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::{Error, Tx, params, query, sql};
use utoipa::ToSchema;

use super::caller::Caller;
use super::compared::compared;
use super::token;
pub use crate::timeline::AuditAction;
use crate::timeline::{Agent, AgentKind, Change, Deed};

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

impl<'a> Changed<'a> {
    /// What is known by its type, its id and its name, with nothing more to say.
    pub fn named(resource_type: &'a str, resource_id: &'a str, resource_name: &'a str) -> Self {
        Self {
            resource_type,
            resource_id,
            resource_name,
            details: Value::Null,
        }
    }

    /// The same, with what became otherwise. Null is what was before something was there.
    #[must_use]
    pub fn telling(self, before: &Value, after: &Value) -> Self {
        Self {
            details: compared(before, after),
            ..self
        }
    }
}

/// Says that `caller` did it. It is written when the change is whole, in the transaction that makes it.
pub fn record(change: &mut Change, caller: &Caller, action: AuditAction, changed: &Changed<'_>) {
    record_as(change, caller.agent(), action, changed);
}

/// The same of somebody without a caller: the command line, a sign-in.
pub fn record_as(change: &mut Change, agent: Agent, action: AuditAction, changed: &Changed<'_>) {
    change.account_for(deed(agent, action, changed));
}

/// Says of whoever asked for this change that they did it; for actions that the API and the console share. It is
/// written when the change is whole, one record for a thing, however many actions had a part in it. What a timer or
/// a customer does is no deed.
pub fn note(change: &mut Change, action: AuditAction, changed: &Changed<'_>) {
    if change.agent.request.is_some() {
        let deed = deed(change.agent.clone(), action, changed);
        change.account_for(deed);
    }
}

/// Writes what was noted. The lock of the chain is taken last of all, so that it is held shortly.
pub fn write_noted(change: &mut Change) -> Result<(), Error> {
    for deed in change.take_deeds() {
        write(change, &deed)?;
    }
    Ok(())
}

fn deed(agent: Agent, action: AuditAction, changed: &Changed<'_>) -> Deed {
    Deed {
        agent,
        action,
        resource_type: changed.resource_type.to_owned(),
        resource_id: changed.resource_id.to_owned(),
        resource_name: changed.resource_name.to_owned(),
        details: changed.details.clone(),
    }
}

/// What changed, and the key that acted where the actor's name is that of the person it acted for.
fn details_of(deed: &Deed) -> Value {
    let key_name = deed
        .agent
        .request
        .as_ref()
        .and_then(|request| request.key_name.clone())
        .filter(|_| deed.agent.kind != AgentKind::Key);
    match (key_name, &deed.details) {
        (Some(key), Value::Object(details)) => {
            let mut details = details.clone();
            details.insert("key".to_owned(), Value::String(key));
            Value::Object(details)
        }
        (Some(key), _) => serde_json::json!({ "key": key }),
        (None, details) => details.clone(),
    }
}

fn write(change: &mut Change, deed: &Deed) -> Result<(), Error> {
    // One chain for all nodes: whoever appends holds this lock until the commit.
    change.tx.lock("audit")?;
    let last: Option<(i64, String)> = change.tx.row(
        sql!("SELECT sequence, hash FROM audit_records ORDER BY sequence DESC LIMIT 1"),
        params![],
    )?;
    let (sequence, previous_hash) = last.map_or((1, String::new()), |(sequence, hash)| (sequence + 1, hash));
    let request = deed.agent.request.as_deref();
    let mut row = AuditRecord {
        sequence,
        id: change.identifier(),
        at: change.now,
        actor_type: deed.agent.kind,
        actor_id: deed.agent.id.clone(),
        actor_name: deed.agent.name.clone(),
        method: request.map_or("other", |request| request.method).to_owned(),
        truncated_token: request.and_then(|request| request.truncated_token.clone()),
        remote_address: request.and_then(|request| request.remote_address.clone()),
        request_id: request.map(|request| request.id.clone()),
        action: deed.action,
        resource_type: deed.resource_type.clone(),
        resource_id: deed.resource_id.clone(),
        resource_name: deed.resource_name.clone(),
        details: details_of(deed),
        previous_hash,
        hash: String::new(),
    };
    row.hash = seal(&row);
    change.tx.execute(
        sql!(
            "INSERT INTO audit_records (sequence, id, at, actor_type, actor_id, actor_name, method, truncated_token,
                 remote_address, request_id, action, resource_type, resource_id, resource_name, details, previous_hash, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        ),
        params![
            row.sequence,
            &row.id,
            row.at,
            row.actor_type,
            row.actor_id.as_deref(),
            &row.actor_name,
            &row.method,
            row.truncated_token.as_deref(),
            row.remote_address.as_deref(),
            row.request_id.as_deref(),
            row.action,
            &row.resource_type,
            &row.resource_id,
            &row.resource_name,
            row.details.clone(),
            &row.previous_hash,
            &row.hash
        ],
    )?;
    Ok(())
}

/// A record as it is kept.
#[derive(Debug, Clone, store::FromRow)]
pub struct AuditRecord {
    pub sequence: i64,
    pub id: String,
    pub at: Timestamp,
    pub actor_type: AgentKind,
    pub actor_id: Option<String>,
    pub actor_name: String,
    pub method: String,
    pub truncated_token: Option<String>,
    pub remote_address: Option<String>,
    pub request_id: Option<String>,
    pub action: AuditAction,
    pub resource_type: String,
    pub resource_id: String,
    pub resource_name: String,
    #[row(json)]
    pub details: Value,
    pub previous_hash: String,
    pub hash: String,
}

/// The hash that binds everything a record says to the record before it.
fn seal(row: &AuditRecord) -> String {
    let sealed = serde_json::json!([
        row.sequence,
        row.id,
        row.at.as_microsecond(),
        row.actor_type.as_text(),
        row.actor_id,
        row.actor_name,
        row.method,
        row.truncated_token,
        row.remote_address,
        row.request_id,
        row.action.as_text(),
        row.resource_type,
        row.resource_id,
        row.resource_name,
        row.details,
        row.previous_hash
    ]);
    token::hash(&sealed.to_string())
}

/// Which records a list is to show.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only those before this one of the chain.
    pub before: Option<i64>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub resource_types: Option<Vec<String>>,
    pub resource_id: Option<String>,
    pub actor_type: Option<AgentKind>,
    pub actor_id: Option<String>,
    pub method: Option<String>,
    pub truncated_token: Option<String>,
    pub actions: Option<Vec<String>>,
}

/// Records that fit, newest first.
pub fn list(tx: &mut Tx, filter: &AuditFilter, limit: i64) -> Result<Vec<AuditRecord>, Error> {
    query!(
        "SELECT sequence, id, at, actor_type, actor_id, actor_name, method, truncated_token, remote_address,
                request_id, action, resource_type, resource_id, resource_name, details, previous_hash, hash
         FROM audit_records WHERE sequence > 0
         {AND sequence < $before}
         {AND at >= $since}
         {AND at < $until}
         {AND resource_type = ANY($resource_types)}
         {AND resource_id = $resource_id}
         {AND actor_type = $actor_type}
         {AND actor_id = $actor_id}
         {AND method = $method}
         {AND truncated_token = $truncated_token}
         {AND action = ANY($actions)}
         ORDER BY sequence DESC LIMIT $limit"
    )
    .bind_optional("before", filter.before)
    .bind_optional("since", filter.since)
    .bind_optional("until", filter.until)
    .bind_optional("resource_types", filter.resource_types.clone())
    .bind_optional("resource_id", filter.resource_id.as_deref())
    .bind_optional("actor_type", filter.actor_type)
    .bind_optional("actor_id", filter.actor_id.as_deref())
    .bind_optional("method", filter.method.as_deref())
    .bind_optional("truncated_token", filter.truncated_token.as_deref())
    .bind_optional("actions", filter.actions.clone())
    .bind("limit", limit)
    .rows(tx)
}

/// Whether the chain of records is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verification {
    /// How many records were looked at.
    pub records: i64,
    /// The hash of the last one. Kept somewhere else, it shows later whether records were cut off the end.
    pub last_hash: Option<String>,
    pub broken: Option<BrokenLink>,
}

/// The first place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BrokenLink {
    pub sequence: i64,
    pub reason: BreakReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakReason {
    /// A record is missing before this one.
    Missing,
    /// The record does not say what it said when it was written.
    Altered,
}

/// Goes over the whole chain from its beginning.
pub fn verify(tx: &mut Tx) -> Result<Verification, Error> {
    let (mut records, mut last_hash) = (0_i64, String::new());
    loop {
        let rows: Vec<AuditRecord> = tx.rows(
            sql!(
                "SELECT sequence, id, at, actor_type, actor_id, actor_name, method, truncated_token, remote_address,
                        request_id, action, resource_type, resource_id, resource_name, details, previous_hash, hash
                 FROM audit_records WHERE sequence > $1 ORDER BY sequence LIMIT 1000"
            ),
            params![records],
        )?;
        if rows.is_empty() {
            return Ok(Verification {
                records,
                last_hash: Some(last_hash).filter(|hash| !hash.is_empty()),
                broken: None,
            });
        }
        for row in rows {
            let reason = if row.sequence != records + 1 {
                Some(BreakReason::Missing)
            } else if row.previous_hash != last_hash || row.hash != seal(&row) {
                Some(BreakReason::Altered)
            } else {
                None
            };
            if let Some(reason) = reason {
                return Ok(Verification {
                    records,
                    last_hash: Some(last_hash).filter(|hash| !hash.is_empty()),
                    broken: Some(BrokenLink {
                        sequence: row.sequence,
                        reason,
                    }),
                });
            }
            records = row.sequence;
            last_hash = row.hash;
        }
    }
}
