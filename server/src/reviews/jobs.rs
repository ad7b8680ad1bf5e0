//! Writing a report when an incident is over, and keeping its facts current.

use std::sync::Arc;

use super::store as rows;
use crate::app::App;
use crate::http::Problem;
use crate::incidents::{IncidentId, Status, store as incident_rows};
use crate::jobs::{Job, store as job_rows};
use crate::timeline::Agent;

/// Something happened that belongs into a report. Before an incident is over there is none, unless somebody
/// asked for it.
pub async fn review_due(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        job_rows::complete(change.tx, &job)?;
        let id = IncidentId::from(job.subject.as_str());
        let Some(incident) = incident_rows::find(change.tx, &id)? else {
            return Ok(());
        };
        let over = incident.status == Status::Resolved && incident.merged_into_id.is_none();
        if over || rows::find(change.tx, &id)?.is_some() {
            rows::generate(change, &incident)?;
        }
        Ok(())
    })
    .await?;
    Ok(())
}
