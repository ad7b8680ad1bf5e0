//! The timers of an incident. Each reads the state afresh and does what is now right.

use std::sync::Arc;

use super::model::{IncidentId, Status};
use super::{actions, escalation, store as rows, urgency};
use crate::app::App;
use crate::http::Problem;
use crate::jobs::{Job, store as job_rows};
use crate::services::ServiceId;
use crate::timeline::{Agent, Change, Kind};

/// Nobody acknowledged in time.
pub async fn escalation_due(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    timer(app, job, |change, id| {
        if let Some(mut incident) = rows::hold(change.tx, id)? {
            escalation::go_on(change, &mut incident)?;
        }
        Ok(())
    })
    .await
}

/// An acknowledgement is too old to be believed.
pub async fn acknowledgement_expires(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    timer(app, job, |change, id| {
        let why = "The acknowledgement has lapsed without a resolution";
        actions::unacknowledge(change, id, Kind::Unacknowledged, why)
    })
    .await
}

/// A snooze is over.
pub async fn snooze_ends(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    timer(app, job, |change, id| {
        actions::unacknowledge(change, id, Kind::SnoozeEnded, "The snooze is over")
    })
    .await
}

/// The service says that incidents do not stay open this long.
pub async fn auto_resolve_due(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    timer(app, job, |change, id| {
        if rows::find(change.tx, id)?.is_some_and(|incident| incident.status != Status::Resolved) {
            actions::resolve(change, id, Some("open longer than the service allows"))?;
        }
        Ok(())
    })
    .await
}

/// The support hours of the incident's service have begun or ended.
pub async fn urgency_change_due(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let owed_at = job.owed_at;
    timer(app, job, move |change, id| urgency::rise(change, id, owed_at)).await
}

/// The quiet incidents of a service are to become urgent at another time, or not at all.
pub async fn support_hours_changed(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        let id = ServiceId::from(job.subject.as_str());
        crate::services::store::lock(change.tx, &id)?;
        let quiet = rows::hold_quiet_of(change.tx, &id)?;
        if !job_rows::complete(change.tx, &job)? {
            return Ok(());
        }
        for incident in &quiet {
            urgency::plan_rise_again(change, incident)?;
        }
        Ok(())
    })
    .await?;
    Ok(())
}

/// Runs one timer; its effect and its end commit together. One that was set anew or cancelled since it was claimed does
/// nothing.
async fn timer(
    app: &Arc<App>,
    job: &Job,
    work: impl Fn(&mut Change, &IncidentId) -> Result<(), Problem> + Send + 'static,
) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        let id = IncidentId::from(job.subject.as_str());
        // The incident first, then its timers: in this order everybody takes them.
        rows::hold(change.tx, &id)?;
        if !job_rows::complete(change.tx, &job)? {
            return Ok(());
        }
        match work(change, &id) {
            // The incident is gone: nothing is owed any more.
            Err(problem) if problem.status() == axum::http::StatusCode::NOT_FOUND => Ok(()),
            other => other,
        }
    })
    .await?;
    Ok(())
}
