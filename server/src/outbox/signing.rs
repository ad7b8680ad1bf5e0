//! The secret that webhooks are signed with: made when it is first needed, sealed in the database, read by the
//! sender and by admins who set up a receiver.
//!
//! An admin can have another made at any time. For a day the old one signs beside it, so that receivers can change one
//! after the other and lose nothing; then it is forgotten.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Tx, params, sql};

use crate::access::token;
use crate::timeline::Change;
use crate::vault::{NotSealed, Unreadable, Vault};

const PURPOSE: &str = "webhook_signing_secret";
const LENGTH: usize = 40;
/// How long the old secret signs beside the new one.
const OVERLAP: Duration = Duration::from_hours(24);

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

/// The secrets that are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    pub present: String,
    /// The one before, and until when it signs too.
    pub old: Option<(String, Timestamp)>,
}

impl Secrets {
    /// Those that are valid, the present one first.
    pub fn valid_at(&self, now: Timestamp) -> Vec<&str> {
        let old = self.old.as_ref().filter(|(_, until)| now < *until);
        std::iter::once(self.present.as_str())
            .chain(old.map(|(secret, _)| secret.as_str()))
            .collect()
    }
}

/// The old secret as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct StoredOld {
    secret: String,
    until: Timestamp,
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

/// The present secret and, for a day after a change, the one before it.
pub fn secrets(change: &mut Change, vault: &Vault) -> Result<Secrets, SigningError> {
    let present = secret(change, vault)?;
    let old = stored_old(change.tx)?.filter(|old| change.now < old.until);
    let old = match old {
        Some(old) => Some((vault.open(PURPOSE, &old.secret)?, old.until)),
        None => None,
    };
    Ok(Secrets { present, old })
}

/// Makes another secret. The present one signs beside it for a day; one that did so until now is forgotten.
pub fn rotate(change: &mut Change, vault: &Vault) -> Result<Secrets, SigningError> {
    let (old, until) = (secret(change, vault)?, change.now + OVERLAP);
    let present = token::random_token(LENGTH);
    let stored = StoredOld {
        secret: vault.seal(PURPOSE, &old)?,
        until,
    };
    keep(change, "webhook_signing_secret", &vault.seal(PURPOSE, &present)?)?;
    keep(change, "webhook_signing_secret_before", &stored)?;
    Ok(Secrets {
        present,
        old: Some((old, until)),
    })
}

fn keep(change: &mut Change, key: &str, value: &impl Serialize) -> Result<(), store::Error> {
    change.tx.execute_one(
        sql!(
            "INSERT INTO settings (key, value, changed_at) VALUES ($1, $2, $3)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at"
        ),
        params![key, store::Value::json(value)?, change.now],
    )
}

fn stored_old(tx: &mut Tx) -> Result<Option<StoredOld>, store::Error> {
    let row: Option<(serde_json::Value,)> = tx.row(
        sql!("SELECT value FROM settings WHERE key = 'webhook_signing_secret_before'"),
        params![],
    )?;
    Ok(row.and_then(|(stored,)| serde_json::from_value(stored).ok()))
}

/// Until when the secret before the present one signs, if it still does.
pub fn old_is_valid_until(tx: &mut Tx, now: Timestamp) -> Result<Option<Timestamp>, store::Error> {
    Ok(stored_old(tx)?.map(|old| old.until).filter(|until| now < *until))
}

/// Removes the secret that signs no more.
pub fn forget_old(tx: &mut Tx, now: Timestamp) -> Result<(), store::Error> {
    if stored_old(tx)?.is_some_and(|old| old.until <= now) {
        tx.execute(
            sql!("DELETE FROM settings WHERE key = 'webhook_signing_secret_before'"),
            params![],
        )?;
    }
    Ok(())
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
