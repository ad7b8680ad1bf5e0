//! What alerts owe: the end of a pause or of a silence, and their own end when nobody says them again.

use std::sync::Arc;

use super::AlertId;
use crate::app::App;
use crate::http::Problem;
use crate::jobs::{Job, store as job_rows};
use crate::services::ServiceId;
use crate::timeline::Agent;

/// An alert that was held back has not cleared by itself.
pub async fn pause_ends(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        if !job_rows::complete(change.tx, &job)? {
            return Ok(());
        }
        super::intake::place_paused(change, &AlertId::from(job.subject.as_str()))
    })
    .await?;
    Ok(())
}

/// A service may open incidents again.
pub async fn silence_ends(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        if !job_rows::complete(change.tx, &job)? {
            return Ok(());
        }
        super::silence::end(change, &ServiceId::from(job.subject.as_str()))
    })
    .await?;
    Ok(())
}

/// An alert was to be said again by now.
pub async fn alert_ends(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        if !job_rows::complete(change.tx, &job)? {
            return Ok(());
        }
        super::intake::end_unrenewed(change, &AlertId::from(job.subject.as_str()))
    })
    .await?;
    Ok(())
}
