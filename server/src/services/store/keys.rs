//! The keys that senders carry: found by their hash, kept sealed for being shown again.
//!
//! A key is 32 random letters, so its plain hash gives nothing away, and events are accepted even while the file with
//! the sealing key is missing; then a key can only not be shown.

use store::{Error, Tx, params, sql};

use super::INTEGRATION_COLUMNS;
use crate::access::token;
use crate::services::model::{Integration, IntegrationId};
use crate::timeline::Change;
use crate::vault::{NotSealed, Vault};

/// Bound to its row, so that no key can be put in the place of another.
fn purpose(id: &IntegrationId) -> String {
    format!("integration_key:{id}")
}

/// A new key as it is stored.
pub fn sealed(vault: &Vault, id: &IntegrationId, key: &str) -> Result<String, NotSealed> {
    vault.seal(&purpose(id), key)
}

/// The key as its sender carries it; none when the key that it was sealed with is not there.
pub fn shown(vault: &Vault, integration: &Integration) -> Option<String> {
    vault
        .open(&purpose(&integration.id), &integration.stored_key)
        .inspect_err(|error| {
            tracing::warn!(
                "the key of the integration {} cannot be read: {error}",
                integration.id
            );
        })
        .ok()
}

/// The end of the key, by which people tell keys apart.
pub fn last_letters(vault: &Vault, integration: &Integration) -> String {
    let key = shown(vault, integration).unwrap_or_default();
    let skipped = key.chars().count().saturating_sub(4);
    key.chars().skip(skipped).collect()
}

/// The integration that a sender's key means. Those of deleted services and deleted integrations are gone.
pub fn find_integration_by_key(tx: &mut Tx, key: &str) -> Result<Option<Integration>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            INTEGRATION_COLUMNS,
            " FROM integrations WHERE key_hash = $1 AND deleted_at IS NULL"
        ),
        params![token::hash(key)],
    )
}

/// Some integration, for an example of how to send.
pub fn first_integration(tx: &mut Tx) -> Result<Option<Integration>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            INTEGRATION_COLUMNS,
            " FROM integrations WHERE deleted_at IS NULL ORDER BY id LIMIT 1"
        ),
        params![],
    )
}

/// Some key that is sealed, by which one sees what they are sealed with.
pub fn some_sealed(tx: &mut Tx) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = tx.row(
        sql!("SELECT integration_key FROM integrations WHERE integration_key LIKE 'sealed:%' ORDER BY id DESC LIMIT 1"),
        params![],
    )?;
    Ok(row.map(|(stored,)| stored))
}

/// Hashes and seals the keys of the next rows that still lie open, and gives the last id that was looked at.
pub fn seal_after(change: &mut Change, after: &str, limit: i64) -> Result<Option<String>, Error> {
    let rows: Vec<(IntegrationId, String, Option<String>)> = change.tx.rows(
        sql!("SELECT id, integration_key, key_hash FROM integrations WHERE id > $1 ORDER BY id LIMIT $2"),
        params![after, limit],
    )?;
    for (id, stored, hash) in &rows {
        if hash.is_some() && !change.vault.wants_sealing(stored) {
            continue;
        }
        let hash = hash.clone().unwrap_or_else(|| token::hash(stored));
        let sealed = sealed(change.vault, id, stored)?;
        change.tx.execute(
            sql!(
                "UPDATE integrations SET integration_key = $3, key_hash = $4
                 WHERE id = $1 AND integration_key = $2"
            ),
            params![id, stored, sealed, hash],
        )?;
    }
    Ok(rows.last().map(|(id, _, _)| id.to_string()))
}
