//! Keeping the document current.

use std::sync::Arc;

use serde_json::json;

use store::{Error, Tx};

use super::Impact;
use super::store as rows;
use crate::app::App;
use crate::http::Problem;
use crate::incidents::{IncidentId, Status};
use crate::jobs::{EVERY_PAGE, Job, Kind as JobKind, Owed, store as job_rows};
use crate::timeline::{Agent, Change, Kind, NewEntry};

/// Something happened that may have changed whom an incident hurts.
pub async fn impact_due(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let id = IncidentId::from(job.subject.as_str());
    let job = job.clone();
    // Most of what happens changes nothing in this, and whoever writes waits for no reader.
    let looked_at = id.clone();
    let stands = app
        .read(move |tx| -> Result<_, Problem> { Ok(changed(tx, &looked_at)?.is_none()) })
        .await?;
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        job_rows::complete(change.tx, &job)?;
        if stands {
            return Ok(());
        }
        renew(change, &id)
    })
    .await?;
    Ok(())
}

/// What changed about whom an incident hurts.
struct Changed {
    stored: Option<rows::Stored>,
    fresh: Impact,
}

/// Computes the document afresh; none when it says what the stored one says.
fn changed(tx: &mut Tx, id: &IncidentId) -> Result<Option<Changed>, Error> {
    let Some(incident) = crate::incidents::store::find(tx, id)? else {
        return Ok(None);
    };
    let stored = rows::find(tx, id)?;
    if incident.status == Status::Resolved && stored.is_some() {
        // What it was when it ended is what is told of it.
        return Ok(None);
    }
    let fresh = rows::compute(tx, &incident)?;
    if stored.as_ref().is_some_and(|stored| stored.document == fresh) {
        return Ok(None);
    }
    Ok(Some(Changed { stored, fresh }))
}

/// Computes the document afresh and keeps it if it has changed.
pub fn renew(change: &mut Change, id: &IncidentId) -> Result<(), Problem> {
    let Some(Changed { stored, fresh }) = changed(change.tx, id)? else {
        return Ok(());
    };
    let revision = rows::keep(change, id, &fresh)?;
    let hurt_before = stored
        .as_ref()
        .is_some_and(|stored| !stored.document.touchpoints.is_empty());
    if hurt_before && fresh.touchpoints.is_empty() {
        // Pages look at incidents that hurt something; this one has just ceased to.
        change.owe(&Owed::now(JobKind::PagesRender, EVERY_PAGE, change.now))?;
    }
    let told = match &stored {
        Some(stored) => !stored.document.says_the_same(&fresh),
        None => !fresh.touchpoints.is_empty() || fresh.locations.sites_using > 0,
    };
    if told {
        let details = json!({
            "revision": revision,
            "touchpoints": fresh.touchpoints.iter().map(|one| &one.name).collect::<Vec<_>>(),
            "sites_using": fresh.locations.sites_using,
            "sites_confirmed": fresh.locations.sites_confirmed,
            "sites_recovering": fresh.locations.sites_recovering,
            "sites_back": fresh.locations.sites_back,
            "accounts": fresh.accounts.count,
            "cases": fresh.cases,
            "loss_per_hour": fresh.loss_per_hour,
        });
        let text = format!("Hurt: {}", fresh.sentence());
        change.record(NewEntry::new(Kind::ImpactChanged, id, text).details(details))?;
    } else {
        change.touch(id.as_str());
        // Two sites may have changed places in the same numbers.
        change.touch(crate::live::LOCATIONS);
        change.owe(&Owed::now(JobKind::PagesRender, id.as_str(), change.now))?;
    }
    Ok(())
}
