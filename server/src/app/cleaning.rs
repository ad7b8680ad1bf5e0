//! Once a day goes what nobody can use any more: sessions and links that ran out, and the addresses of readers who never
//! said that they want mail. The engine then looks at its tables, so that its plans fit what they hold by now.
//!
//! Nothing that tells what happened is removed here. A day that fails is tried again, as every job is.

use std::sync::Arc;

use jiff::SignedDuration;
use store::{Error, Tx, params, sql};

use super::App;
use crate::jobs::{Kind, Owed};
use crate::timeline::Agent;

const PAUSE: SignedDuration = SignedDuration::from_hours(24);
/// A reader who has not answered the question for so long does not want mail.
const UNANSWERED: SignedDuration = SignedDuration::from_hours(7 * 24);
const SUBJECT: &str = "all";

/// Sees to it that it runs. Several nodes share one.
pub async fn begin(app: &App) -> Result<(), Error> {
    app.change(Agent::muster(), |change| {
        change.owe(&Owed::by(Kind::CleanUpDue, SUBJECT, change.now + PAUSE))
    })
    .await
}

/// One round, and the promise of the next.
pub async fn run(app: &Arc<App>) -> anyhow::Result<()> {
    app.change(Agent::muster(), |change| -> Result<(), Error> {
        change.owe(&Owed::at(Kind::CleanUpDue, SUBJECT, change.now + PAUSE))?;
        let now = change.now;
        clean(change.tx, now)
    })
    .await?;
    app.store.optimize().await?;
    Ok(())
}

fn clean(tx: &mut Tx, now: jiff::Timestamp) -> Result<(), Error> {
    tx.execute(sql!("DELETE FROM sessions WHERE expires_at <= $1"), params![now])?;
    tx.execute(
        sql!("DELETE FROM acknowledge_links WHERE expires_at <= $1"),
        params![now],
    )?;
    let asked = now - UNANSWERED;
    tx.execute(
        sql!(
            "DELETE FROM status_page_ways_out WHERE subscriber_id IN
                 (SELECT id FROM status_page_subscribers WHERE confirmed_at IS NULL AND asked_at <= $1)"
        ),
        params![asked],
    )?;
    tx.execute(
        sql!("DELETE FROM status_page_subscribers WHERE confirmed_at IS NULL AND asked_at <= $1"),
        params![asked],
    )?;
    Ok(())
}
