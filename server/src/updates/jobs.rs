//! What updates owe: drafts that follow the facts, promises that are chased.

use std::sync::Arc;

use super::{drafts, estimates_given, facts, promises, store as rows};
use crate::app::App;
use crate::http::Problem;
use crate::impact::store as impact;
use crate::incidents::{IncidentId, store as incidents};
use crate::jobs::Job;
use crate::timeline::{Agent, Change};

/// Brings the drafts of an incident up to its facts.
pub async fn updates_due(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let incident_id = IncidentId::from(job.subject.as_str());
    app.change(Agent::muster(), move |change| follow(change, &incident_id))
        .await?;
    Ok(())
}

fn follow(change: &mut Change, incident_id: &IncidentId) -> Result<(), Problem> {
    let Some(incident) = incidents::find(change.tx, incident_id)? else {
        return Ok(());
    };
    if let Some(target) = &incident.merged_into_id {
        return Ok(drafts::follow_merge(change, &incident, target)?);
    }
    let noticed = rows::any(change.tx, incident_id)?
        || impact::hurts_touchpoints(change.tx, incident_id)?
        || facts::latest(change.tx, incident_id)?.is_some();
    if !noticed {
        return Ok(());
    }
    drafts::bring_up_to_date(change, incident_id)?;
    Ok(())
}

/// Reminds of a promise, or says that it was missed.
pub async fn promise_due(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let (site, job) = (app.site.clone(), job.clone());
    app.change(Agent::muster(), move |change| {
        promises::chase(change, &site, &job)
    })
    .await?;
    Ok(())
}

/// Asks for a word about an estimate that ends, or has ended.
pub async fn estimate_due(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let (site, job) = (app.site.clone(), job.clone());
    app.change(Agent::muster(), move |change| {
        estimates_given::chase(change, &site, &job)
    })
    .await?;
    Ok(())
}
