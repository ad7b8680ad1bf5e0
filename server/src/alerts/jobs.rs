//! What alerts owe: the end of a pause, and their own end when nobody says them again.

use std::sync::Arc;

use super::AlertId;
use crate::app::App;
use crate::http::Problem;
use crate::jobs::{Job, store as job_rows};
use crate::timeline::Agent;

/// An alert that was held back has not cleared by itself.
pub async fn pause_ends(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        job_rows::complete(change.tx, &job)?;
        super::intake::place_paused(change, &AlertId::from(job.subject.as_str()))
    })
    .await?;
    Ok(())
}

/// An alert was to be said again by now.
pub async fn alert_ends(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        job_rows::complete(change.tx, &job)?;
        super::intake::end_unrenewed(change, &AlertId::from(job.subject.as_str()))
    })
    .await?;
    Ok(())
}
