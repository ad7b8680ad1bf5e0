//! One time for all nodes, that only moves forward. On PostgreSQL every node takes the time from the database's machine, at its
//! start and then twice a minute: a node whose own clock is wrong pages nobody early, and its leases mean the same to the others. When
//! the database cannot be asked, a node goes on from what it last heard. At the start it is also seen whether what is
//! owed was owed by a clock that stood ahead of this one and was then set right: such timers would wait for a time that
//! is far off, so they are moved back with the clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::{Error, Store, Tx};

use super::App;
use crate::timeline::Agent;
use crate::{clock, jobs, outbox};

const BETWEEN_QUESTIONS: Duration = Duration::from_secs(30);

/// Machines that are kept on time differ by less.
const WORTH_SAYING: SignedDuration = SignedDuration::from_secs(5);

/// Takes the time from the database's machine, where it has one.
pub async fn agree(store: &Store) -> Result<(), Error> {
    let correction = clock::agree_with(store.time()).await?;
    if correction.abs() > WORTH_SAYING {
        tracing::warn!(
            seconds = correction.as_secs(),
            "the clock of this machine is not that of the database's; Muster goes by the database's, set both right"
        );
    }
    Ok(())
}

/// Does so again and again, until the node stops.
pub(super) async fn keep_agreeing(store: Store, stopping: tokio_util::sync::CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(BETWEEN_QUESTIONS) => {}
            () = stopping.cancelled() => return,
        }
        if let Err(error) = agree(&store).await {
            tracing::warn!("the database could not be asked for the time: {error}");
        }
    }
}

/// Moves back what a clock owed that stood ahead of this one.
///
/// # Errors
/// Those of a write.
pub async fn set_back_what_was_owed_ahead(app: &App) -> Result<(), Error> {
    let moved = app
        .change(Agent::muster(), |change| set_back(change.tx, change.now))
        .await?;
    if let Some((ahead, moved)) = moved {
        tracing::warn!(
            seconds = ahead.as_secs(),
            moved,
            "the clock was ahead when Muster last ran and was set back since; what was planned then was moved with it"
        );
    }
    Ok(())
}

fn set_back(tx: &mut Tx, now: Timestamp) -> Result<Option<(Duration, u64)>, Error> {
    let ahead = jobs::store::last_owed(tx)?.map(|last| last.duration_since(now));
    let Some(ahead) = ahead.filter(|ahead| *ahead > WORTH_SAYING) else {
        return Ok(None);
    };
    let ahead = ahead.unsigned_abs();
    let moved = jobs::store::set_back(tx, now, ahead)?;
    outbox::store::set_back(tx, now, ahead)?;
    Ok(Some((ahead, moved)))
}
