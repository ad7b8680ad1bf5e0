//! The secret that webhooks are signed with: made when it is first needed, sealed in the database, read by the
//! sender and by admins who set up a receiver.

use store::{Tx, params, sql};

use crate::access::token;
use crate::timeline::Change;
use crate::vault::{NotSealed, Unreadable, Vault};

const PURPOSE: &str = "webhook_signing_secret";
const LENGTH: usize = 40;

/// Why there is no secret to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    NotSealed(#[from] NotSealed),
}

/// The present secret. One that was stored before there was a key is sealed on the way.
pub fn secret(change: &mut Change, vault: &Vault) -> Result<String, SigningError> {
    let fresh = vault.seal(PURPOSE, &token::random_token(LENGTH))?;
    change.tx.execute(
        sql!(
            "INSERT INTO settings (key, value, changed_at) VALUES ('webhook_signing_secret', $1, $2)
             ON CONFLICT (key) DO NOTHING"
        ),
        params![serde_json::Value::String(fresh), change.now],
    )?;
    let stored = stored(change.tx)?.unwrap_or_default();
    let secret = vault.open(PURPOSE, &stored)?;
    if vault.wants_sealing(&stored) {
        change.tx.execute_one(
            sql!("UPDATE settings SET value = $1 WHERE key = 'webhook_signing_secret'"),
            params![serde_json::Value::String(vault.seal(PURPOSE, &secret)?)],
        )?;
    }
    Ok(secret)
}

/// The secret as it stands in the database, sealed or not, if there is one yet.
pub fn stored(tx: &mut Tx) -> Result<Option<String>, store::Error> {
    let row: Option<(serde_json::Value,)> = tx.row(
        sql!("SELECT value FROM settings WHERE key = 'webhook_signing_secret'"),
        params![],
    )?;
    Ok(row.and_then(|(stored,)| stored.as_str().map(str::to_owned)))
}

/// Whether a stored secret can be read with the keys that are there.
pub fn try_to_open(vault: &Vault, stored: &str) -> Result<(), Unreadable> {
    vault.open(PURPOSE, stored).map(drop)
}
