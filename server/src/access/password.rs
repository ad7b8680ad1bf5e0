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

/// Whether somebody may have this password, or why not, in words for whoever chose it.
pub fn check(password: &str, again: &str, email: &str) -> Result<(), String> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(format!("Choose {SHORTEST} letters or more."));
    }
    if length > LONGEST {
        return Err(format!("Choose at most {LONGEST} letters."));
    }
    let mut letters = password.chars();
    let first = letters.next();
    if letters.all(|letter| Some(letter) == first) || password.eq_ignore_ascii_case(email) {
        return Err("Everybody would guess this one. Choose another.".to_owned());
    }
    if password != again {
        return Err("The two are not the same. Type both again.".to_owned());
    }
    Ok(())
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_long_enough_and_not_what_everybody_guesses() {
        let check = |password: &str| check(password, password, "maya.okafor@example.org");
        assert!(check("correct horse battery").is_ok());
        assert!(check("пароль из слов").is_ok(), "letters are counted, not bytes");
        for (password, said) in [
            ("short", "12 letters or more"),
            ("", "12 letters or more"),
            ("aaaaaaaaaaaaaaaa", "guess"),
            ("Maya.Okafor@example.org", "guess"),
            (&"ab".repeat(200), "at most 256"),
        ] {
            let refused = check(password).unwrap_err();
            assert!(refused.contains(said), "{password}: {refused}");
        }
    }

    #[test]
    fn both_must_be_the_same() {
        let refused = check("correct horse battery", "correct horse batterz", "m@example.org");
        assert!(refused.unwrap_err().contains("not the same"));
    }
}
