//! Compares what was promised with what happened: whoever has had a triggered incident for a while has been
//! paged for it, or is about to be by a rule; where nobody has it, those who own the account were. Where neither holds,
//! something was lost; it is made good and said so on the timeline.

use std::sync::Arc;
use std::time::Duration;

use super::jobs::reconcile;
use super::store::Neglected;
use super::{links, store as rows};
use crate::app::App;
use crate::http::Problem;
use crate::incidents::IncidentId;
use crate::timeline::{Agent, Kind, NewEntry};

/// How long a page may be on its way from the assignment to the outbox before it counts as lost.
const PATIENCE: Duration = Duration::from_mins(1);
/// Incidents mended in one transaction.
const BATCH: i64 = 50;

/// Mends what was lost and returns in how many incidents that was.
pub async fn audit(app: &Arc<App>) -> anyhow::Result<usize> {
    let now = app.clock.now();
    app.store.write(move |tx| links::forget_expired(tx, now)).await?;
    let (mut after, mut mended) = (IncidentId::from(""), 0);
    loop {
        let (from, late_before) = (after.clone(), now - PATIENCE);
        let found = app
            .read(move |tx| rows::neglected(tx, &from, late_before, BATCH))
            .await?;
        let Some(last) = found.last().map(|one| one.id.clone()) else {
            return Ok(mended);
        };
        after = last;
        let site = app.site.clone();
        mended += app
            .change(Agent::muster(), move |change| -> Result<usize, Problem> {
                let mut mended = 0;
                for one in &found {
                    let done = reconcile(change, &site, &one.id)?;
                    if done.owed == 0 && done.next.is_none() {
                        continue;
                    }
                    mended += 1;
                    change.record(NewEntry::new(Kind::Repaired, &one.id, words(one)))?;
                }
                Ok(mended)
            })
            .await?;
        if mended > 0 {
            tracing::error!(incidents = mended, "pages that were lost have been owed again");
        }
    }
}

fn words(one: &Neglected) -> &'static str {
    if one.assigned == 0 {
        "Nobody has this incident and nobody had been paged; Muster noticed and pages the owners of the account now."
    } else {
        "Somebody who has this incident had not been paged; Muster noticed and pages them now."
    }
}
