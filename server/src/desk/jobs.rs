//! Brings answers in line with what became of an incident.

use std::sync::Arc;

use serde_json::json;

use super::answers::{self, About, Kind};
use super::known;
use crate::app::App;
use crate::cases::{actions, store as case_rows};
use crate::http::Problem;
use crate::incidents::{IncidentId, Status, store as incident_rows};
use crate::jobs::{Job, Kind as JobKind, Owed, store as job_rows};
use crate::timeline::{Agent, Change, Kind as EntryKind, NewEntry};

/// Cases that one run drafts answers for, so that no transaction is long.
const AT_ONCE: i64 = 200;
/// Groups that are drafted while somebody waits for them.
const MOST_GROUPS: usize = 50;

/// An incident was resolved, opened again or merged, or its cases changed.
pub async fn answers_due(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let job = job.clone();
    app.change(Agent::muster(), move |change| -> Result<(), Problem> {
        job_rows::complete(change.tx, &job)?;
        reconcile(change, &IncidentId::from(job.subject.as_str()))
    })
    .await?;
    Ok(())
}

/// Drafts what is owed of a resolved incident now, for whoever asks before the job has come to it.
pub(super) async fn draft_now(app: &Arc<App>, id: &IncidentId) -> Result<(), Problem> {
    for _ in 0..MOST_GROUPS {
        let wanted = id.clone();
        let is_behind = app
            .read(move |tx| -> Result<_, Problem> {
                let incident = incident_rows::find(tx, &wanted)?;
                let is_over = incident.is_some_and(|one| one.status == Status::Resolved);
                Ok(is_over && !case_rows::without_draft(tx, &wanted, 1)?.is_empty())
            })
            .await?;
        if !is_behind {
            return Ok(());
        }
        let id = id.clone();
        app.change(Agent::muster(), move |change| reconcile(change, &id))
            .await?;
    }
    Ok(())
}

fn reconcile(change: &mut Change, id: &IncidentId) -> Result<(), Problem> {
    let Some(incident) = incident_rows::find(change.tx, id)? else {
        return Ok(());
    };
    if let Some(into) = &incident.merged_into_id {
        answers::withdraw_drafts(change, id)?;
        actions::move_all(change, id, into)?;
        return Ok(());
    }
    known::renew(change, id)?;
    match incident.status {
        Status::Triggered | Status::Acknowledged => {
            answers::withdraw_drafts(change, id)?;
            if actions::owe_again(change, id, AT_ONCE)? as i64 == AT_ONCE {
                let now = change.now;
                change.owe(&Owed::now(JobKind::AnswersDue, id.as_str(), now))?;
            }
            Ok(())
        }
        Status::Resolved => draft_all(change, id),
    }
}

/// Drafts an answer for every linked case that is owed one.
fn draft_all(change: &mut Change, id: &IncidentId) -> Result<(), Problem> {
    let missing = case_rows::without_draft(change.tx, id, AT_ONCE)?;
    if missing.is_empty() {
        return Ok(());
    }
    let about = About::read(change.tx, Some(id))?;
    for case in &missing {
        answers::draft_about(change, case, Kind::Resolution, &about)?;
    }
    let text = match missing.len() {
        1 => "Drafted an answer for 1 reporter".to_owned(),
        count => format!("Drafted answers for {count} reporters"),
    };
    change.record(
        NewEntry::new(EntryKind::AnswersDrafted, id, text).details(json!({ "count": missing.len() })),
    )?;
    change.touch(crate::live::CASES);
    if missing.len() as i64 == AT_ONCE {
        let now = change.now;
        change.owe(&Owed::now(JobKind::AnswersDue, id.as_str(), now))?;
    }
    Ok(())
}
