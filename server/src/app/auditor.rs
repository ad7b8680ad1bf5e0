//! The auditor: once a minute every slice that promises something compares it with what happened.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use crate::jobs::{Kind, Owed};
use crate::timeline::Agent;

const PAUSE: Duration = Duration::from_mins(1);
const SUBJECT: &str = "all";

/// Sees to it that the auditor runs. Several nodes share one.
pub async fn begin(app: &App) -> Result<(), store::Error> {
    app.change(Agent::muster(), |change| {
        change.owe(&Owed::now(Kind::AuditorDue, SUBJECT, change.now))
    })
    .await
}

/// One round, and the promise of the next. A part that fails does not keep the others from their turn.
pub async fn run(app: &Arc<App>) -> anyhow::Result<()> {
    let now = app.clock.now();
    app.change(Agent::muster(), |change| {
        change.owe(&Owed::at(Kind::AuditorDue, SUBJECT, change.now + PAUSE))
    })
    .await?;
    let swept = app
        .store
        .write(move |tx| crate::outbox::store::sweep_withdrawn(tx, now))
        .await;
    let paged = crate::paging::auditor::audit(app).await;
    let raised = crate::incidents::urgency::owe_missing_rises(app).await;
    let owed = crate::desk::undelivered::owe_again(app).await;
    let taken = crate::signals::trying_again::try_again(app).await;
    swept?;
    paged?;
    raised?;
    owed?;
    taken?;
    Ok(())
}
