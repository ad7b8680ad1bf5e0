//! What alerts owe: the end of a pause or of a silence, and their own end when nobody says them again.
//!
//! The service is locked before the job is ended, as a run over the journal locks it before it sets or cancels such jobs: so
//! neither waits for the other, and what a run has taken and not yet committed is seen.

use std::sync::Arc;

use super::AlertId;
use crate::app::App;
use crate::http::Problem;
use crate::jobs::{Job, store as job_rows};
use crate::services::ServiceId;
use crate::timeline::{Agent, Change};

/// An alert that was held back has not cleared by itself.
pub async fn pause_ends(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        let id = AlertId::from(job.subject.as_str());
        lock_service_of(change, &id)?;
        if !job_rows::complete(change.tx, &job)? {
            return Ok(());
        }
        super::intake::place_paused(change, &id)
    })
    .await?;
    Ok(())
}

/// A service may open incidents again.
pub async fn silence_ends(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        let id = ServiceId::from(job.subject.as_str());
        crate::services::store::lock(change.tx, &id)?;
        if !job_rows::complete(change.tx, &job)? {
            return Ok(());
        }
        super::silence::end(change, &id)
    })
    .await?;
    Ok(())
}

/// An alert was to be said again by now.
pub async fn alert_ends(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        let id = AlertId::from(job.subject.as_str());
        lock_service_of(change, &id)?;
        if !job_rows::complete(change.tx, &job)? {
            return Ok(());
        }
        super::intake::end_unrenewed(change, &id)
    })
    .await?;
    Ok(())
}

fn lock_service_of(change: &mut Change, id: &AlertId) -> Result<(), Problem> {
    if let Some(alert) = super::store::find(change.tx, id)? {
        crate::services::store::lock(change.tx, &alert.service_id)?;
    }
    Ok(())
}
