//! Once a day goes what nobody can use any more: sessions that ran out, links to passwords that are too old, the
//! addresses of readers who never said that they want mail, the ways out of mails of long ago, and the words of mails to
//! readers that went out long ago (what was said stands on the page). docs/operations.md says what is kept. The engine
//! first looks at its tables, so that its plans fit what they hold by now.
//!
//! Mails are many: one round takes some and rests, so that whoever writes meanwhile comes first.
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
/// A mail says how to get no more of them; for so long that works.
const WAYS_OUT: SignedDuration = SignedDuration::from_hours(400 * 24);
/// For so long the words of a mail to a reader of a status page are kept with it.
const WORDS: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Between two rounds of a day whose mails were too many for one.
const REST: SignedDuration = SignedDuration::from_secs(5);
/// Mails whose words go in one round.
const AT_ONCE: i64 = 1_000;
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
        crate::pages::subscribers::forget_unanswered(change.tx, now - UNANSWERED)?;
        crate::pages::subscribers::forget_old_ways_out(change.tx, now - WAYS_OUT)
    })
    .await?;
    app.change(Agent::muster(), |change| -> Result<(), Error> {
        let forgotten = crate::outbox::store::forget_words(change, change.now - WORDS, AT_ONCE)?;
        if forgotten == AT_ONCE {
            change.owe(&Owed::at(Kind::CleanUpDue, SUBJECT, change.now + REST))?;
        }
        Ok(())
    })
    .await?;
    Ok(())
}
