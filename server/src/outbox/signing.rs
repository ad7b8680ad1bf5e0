//! The secret that webhooks are signed with: made when it is first needed, sealed in the database, read by the
//! sender and by admins who set up a receiver.

use store::{params, sql};

use crate::access::token;
use crate::timeline::Change;
use crate::vault::{Unreadable, Vault};

const PURPOSE: &str = "webhook_signing_secret";
const LENGTH: usize = 40;

/// Why there is no secret to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// The present secret. One that was stored before there was a key is sealed on the way.
pub fn secret(change: &mut Change, vault: &Vault) -> Result<String, SigningError> {
    let fresh = vault.seal(PURPOSE, &token::random_token(LENGTH));
    change.tx.execute(
        sql!(
            "INSERT INTO settings (key, value, changed_at) VALUES ('webhook_signing_secret', $1, $2)
             ON CONFLICT (key) DO NOTHING"
        ),
        params![serde_json::Value::String(fresh), change.now],
    )?;
    let (stored,): (serde_json::Value,) = change.tx.one(
        sql!("SELECT value FROM settings WHERE key = 'webhook_signing_secret'"),
        params![],
    )?;
    let stored = stored.as_str().unwrap_or_default();
    let secret = vault.open(PURPOSE, stored)?;
    if vault.wants_sealing(stored) {
        change.tx.execute_one(
            sql!("UPDATE settings SET value = $1 WHERE key = 'webhook_signing_secret'"),
            params![serde_json::Value::String(vault.seal(PURPOSE, &secret))],
        )?;
    }
    Ok(secret)
}
