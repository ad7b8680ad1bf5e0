//! Once a day goes what nobody can use any more: sessions that ran out, links to passwords that are too old, and the addresses of readers who never said that
//! they want mail. The engine first looks at its tables, so that its plans fit what they hold by now.
//!
//! Nothing that tells what happened is removed here. A day that fails is tried again, as every job is.

use std::sync::Arc;

use jiff::SignedDuration;
use store::Error;

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
    app.store.optimize().await?;
    app.change(Agent::muster(), |change| -> Result<(), Error> {
        change.owe(&Owed::at(Kind::CleanUpDue, SUBJECT, change.now + PAUSE))?;
        let now = change.now;
        crate::access::store::forget_ended_sessions(change.tx, now)?;
        crate::passwords::store::forget_old(change.tx, now)?;
        crate::outbox::signing::forget_old(change.tx, now)?;
        crate::pages::subscribers::forget_unanswered(change.tx, now - UNANSWERED)
    })
    .await?;
    Ok(())
}
