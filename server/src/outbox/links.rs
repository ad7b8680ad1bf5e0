//! The secret links of messages: sealed while they lie in the database, bound to their message.

use store::{Error, params, sql};

use super::model::SendId;
use crate::timeline::Change;
use crate::vault::{NotSealed, Unreadable, Vault};

fn purpose(id: &SendId) -> String {
    format!("secret_link:{id}")
}

/// A link as it is stored.
pub fn sealed(vault: &Vault, id: &SendId, link: Option<&str>) -> Result<Option<String>, NotSealed> {
    link.map(|link| vault.seal(&purpose(id), link)).transpose()
}

/// A link as its recipient has it.
pub fn opened(vault: &Vault, id: &SendId, stored: Option<&str>) -> Result<Option<String>, Unreadable> {
    stored.map(|stored| vault.open(&purpose(id), stored)).transpose()
}

/// Seals the links of the next messages that still lie open, and gives the last id that was looked at.
pub fn seal_after(change: &mut Change, after: &str, limit: i64) -> Result<Option<String>, Error> {
    let rows: Vec<(SendId, String)> = change.tx.rows(
        sql!(
            "SELECT id, secret_link FROM sends WHERE secret_link IS NOT NULL AND id > $1 ORDER BY id LIMIT $2"
        ),
        params![after, limit],
    )?;
    for (id, stored) in &rows {
        if !change.vault.wants_sealing(stored) {
            continue;
        }
        let sealed = sealed(change.vault, id, Some(stored))?;
        change.tx.execute(
            sql!("UPDATE sends SET secret_link = $3 WHERE id = $1 AND secret_link = $2"),
            params![id, stored, sealed],
        )?;
    }
    Ok(rows.last().map(|(id, _)| id.to_string()))
}
