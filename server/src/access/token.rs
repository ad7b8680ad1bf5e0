//! Secrets that Muster makes: API keys, session tokens, the codes in links. Made from the operating
//! system's randomness, shown once, kept as a hash.

use std::fmt::Write as _;

use rand::Rng as _;
use rand::distr::Alphanumeric;
use sha2::{Digest as _, Sha256};

/// The length clients take for an API key (`Token token=…`).
pub const API_KEY_LENGTH: usize = 20;
/// The length of a key that senders of events carry.
pub const INTEGRATION_KEY_LENGTH: usize = 32;

/// Random letters and digits; 20 of them carry 119 bits.
pub fn random_token(length: usize) -> String {
    rand::rng()
        .sample_iter(Alphanumeric)
        .take(length)
        .map(char::from)
        .collect()
}

/// A key for senders. It never begins with `R`, which senders take for another kind of key.
pub fn integration_key() -> String {
    loop {
        let key = random_token(INTEGRATION_KEY_LENGTH).to_lowercase();
        if !key.starts_with('r') {
            return key;
        }
    }
}

/// SHA-256 in lower-case hexadecimal. Enough for secrets that are long and random; passwords go through
/// Argon2id instead.
pub fn hash(secret: &str) -> String {
    let digest = Sha256::digest(secret.as_bytes());
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").ok();
        text
    })
}
