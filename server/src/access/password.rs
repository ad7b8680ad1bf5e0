//! Passwords: Argon2id, computed away from the async threads and only a few at a time, so that a burst
//! of sign-ins cannot starve a page.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// The shortest password that is accepted.
pub const SHORTEST: usize = 12;
/// Longer ones are refused: hashing them would be a way to tie Muster up.
pub const LONGEST: usize = 256;

/// The hash in PHC form.
pub async fn hash(password: String) -> anyhow::Result<String> {
    let _permit = AT_ONCE.acquire().await?;
    tokio::task::spawn_blocking(move || {
        let hash = Argon2::default()
            .hash_password(password.as_bytes())
            .map_err(|error| anyhow::anyhow!("the password could not be hashed: {error}"))?;
        Ok(hash.to_string())
    })
    .await?
}

/// Whether `password` is the one that was hashed. With no hash at all the same work is done, so that an
/// unknown address takes as long as a wrong password.
pub async fn verify(password: String, hash: Option<String>) -> anyhow::Result<bool> {
    let _permit = AT_ONCE.acquire().await?;
    tokio::task::spawn_blocking(move || {
        let Some(hash) = hash else {
            Argon2::default().hash_password(password.as_bytes()).ok();
            return Ok(false);
        };
        let parsed = PasswordHash::new(&hash)
            .map_err(|error| anyhow::anyhow!("a stored password hash cannot be read: {error}"))?;
        Ok(Argon2::default()
            .verify_password(password.as_bytes(), &parsed)
            .is_ok())
    })
    .await?
}
