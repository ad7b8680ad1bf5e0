//! Against guessing somebody's password from many addresses.
//!
//! Every address may try only so often (`app::front`); this is about one account that is tried from anywhere. After
//! [`WRONG`] wrong passwords an account takes one more every few minutes. Somebody else could keep it so, which must not
//! shut a responder out on a bad night: who signed in to the account from an address lately is not held up there.

use std::time::Duration;

use jiff::Timestamp;

use crate::http::limits::{Limiter, Verdict};

/// Wrong passwords of one account within [`SPAN`].
const WRONG: u32 = 20;
const SPAN: Duration = Duration::from_hours(1);

/// The wrong passwords of this node's last hour, by account.
#[derive(Debug)]
pub struct Guesses {
    limiter: Limiter,
}

impl Default for Guesses {
    fn default() -> Self {
        Self {
            limiter: Limiter::new(WRONG, SPAN),
        }
    }
}

impl Guesses {
    /// Whether no more passwords are to be tried for this account now. It makes no difference whether there is one.
    pub fn are_too_many(&self, email: &str, now: Timestamp) -> bool {
        self.limiter.look(&email.to_lowercase(), now).verdict == Verdict::Refused
    }

    /// A password was wrong.
    pub fn note(&self, email: &str, now: Timestamp) {
        self.limiter.take(&email.to_lowercase(), now);
    }
}
