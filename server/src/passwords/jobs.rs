//! Answers those who say that they have forgotten their password.

use std::sync::Arc;

use super::links;
use crate::app::App;
use crate::http::Problem;
use crate::jobs::{Job, store as job_rows};
use crate::people::store::find_user_by_email;
use crate::timeline::Agent;

/// The job's subject is what somebody typed as their address.
pub async fn password_forgotten(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let (job, site) = (job.clone(), app.site.clone());
    let mail_is_configured = app.settings.mail.is_some();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        job_rows::complete(change.tx, &job)?;
        match find_user_by_email(change.tx, &job.subject)? {
            Some(user) if mail_is_configured => links::answer_forgotten(change, &site, &user),
            _ => Ok(()),
        }
    })
    .await?;
    Ok(())
}
