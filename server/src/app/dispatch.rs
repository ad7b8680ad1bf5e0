//! Which slice does which kind of job.

use std::sync::Arc;

use super::App;
use crate::jobs::{Job, Kind};
use crate::{alerts, desk, impact, incidents, pages, paging, passwords, reviews, updates};

/// Does one job. An error brings it back later.
pub async fn run(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    match job.kind {
        Kind::EscalationDue => incidents::jobs::escalation_due(app, job).await,
        Kind::AcknowledgementExpires => incidents::jobs::acknowledgement_expires(app, job).await,
        Kind::SnoozeEnds => incidents::jobs::snooze_ends(app, job).await,
        Kind::AutoResolveDue => incidents::jobs::auto_resolve_due(app, job).await,
        Kind::UrgencyChangeDue => incidents::jobs::urgency_change_due(app, job).await,
        Kind::SupportHoursChanged => incidents::jobs::support_hours_changed(app, job).await,
        Kind::PauseEnds => alerts::jobs::pause_ends(app, job).await,
        Kind::SilenceEnds => alerts::jobs::silence_ends(app, job).await,
        Kind::AlertEnds => alerts::jobs::alert_ends(app, job).await,
        Kind::ImpactDue => impact::jobs::impact_due(app, job).await,
        Kind::PagesDue => paging::jobs::pages_due(app, job).await,
        Kind::AnswersDue => desk::jobs::answers_due(app, job).await,
        Kind::ReportsCounted => desk::usual::reports_counted(app).await,
        Kind::CausesDue => incidents::causes::causes_due(app).await,
        Kind::ReviewDue => reviews::jobs::review_due(app, job).await,
        Kind::UpdatesDue => updates::jobs::updates_due(app, job).await,
        Kind::PagesRender => pages::jobs::pages_render(app, job).await,
        Kind::ReadersDue => pages::jobs::readers_due(app, job).await,
        Kind::PromiseDue => updates::jobs::promise_due(app, job).await,
        Kind::EstimateDue => updates::jobs::estimate_due(app, job).await,
        Kind::PasswordForgotten => passwords::jobs::password_forgotten(app, job).await,
        Kind::AuditorDue => super::auditor::run(app).await,
        Kind::CleanUpDue => super::cleaning::run(app).await,
    }
}
