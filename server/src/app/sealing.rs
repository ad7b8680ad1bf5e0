//! What was stored before there was a key to seal it with, or before it was sealed at all, is sealed when Muster
//! starts, before the first event is taken. Several nodes may do it at once: each row is written only as it was read.

use super::App;
use crate::timeline::Agent;
use crate::{outbox, services};

/// Rows that are looked at in one transaction.
const AT_ONCE: i64 = 500;

/// Seals all that lies open. Without a key nothing can be sealed, but keys are hashed all the same.
pub async fn seal_what_lies_open(app: &App) -> Result<(), store::Error> {
    let mut after = String::new();
    loop {
        let from = after.clone();
        let last = app
            .change(Agent::muster(), move |change| {
                services::store::keys::seal_after(change, &from, AT_ONCE)
            })
            .await?;
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    let mut after = String::new();
    loop {
        let from = after.clone();
        let last = app
            .change(Agent::muster(), move |change| {
                outbox::links::seal_after(change, &from, AT_ONCE)
            })
            .await?;
        match last {
            Some(last) => after = last,
            None => return Ok(()),
        }
    }
}
