//! Publishing: the one moment in which words become public, a promise ends and the next one begins.

use jiff::tz::TimeZone;
use serde_json::json;

use super::checker::{Finding, Weight, refuses};
use super::drafts::{self, Present};
use super::facts::Estimate;
use super::model::{ApprovalRule, Audience, Phase, Readers, Update, UpdateId, UpdateState};
use super::{estimates_given, fan_out, promises, store as rows};
use crate::access::audit::AuditAction;
use crate::http::Problem;
use crate::people::UserId;
use crate::timeline::{Change, Kind, NewEntry};
use crate::words::{Approval, PublicText};

/// Refuses with every place that keeps the words from going out.
pub fn refuse_if_wrong(findings: &[Finding]) -> Result<(), Problem> {
    if !refuses(findings) {
        return Ok(());
    }
    let errors = findings
        .iter()
        .filter(|one| one.weight == Weight::Refuse)
        .map(|one| {
            let field = match one.field {
                super::checker::Field::Subject => "subject",
                super::checker::Field::Words => "words",
            };
            let remedy = one.remedy.as_deref().unwrap_or_default();
            let excerpt = one.excerpt.trim();
            let place = if excerpt.is_empty() {
                field.to_owned()
            } else {
                format!("{field} at {} (“{excerpt}”)", one.start)
            };
            format!("{place}: {} {remedy}", one.objection)
                .trim_end()
                .to_owned()
        });
    Err(Problem::invalid(errors))
}

/// Sends a draft out: to the timeline, to whoever the audience reaches, with the promise of the next word.
pub fn publish(change: &mut Change, id: &UpdateId, publisher: Option<&UserId>) -> Result<Update, Problem> {
    let (mut update, audience, present) = drafts::at_work(change, id)?;
    let approval = approval(change, &update, &audience, &present, publisher)?;
    let stale = update.next_update_by.is_none_or(|due| due <= change.now);
    if stale && !update.edited && update.state == UpdateState::Draft {
        drafts::recompose(change, &audience, &present, &mut update);
        rows::save_draft(change, &update)?;
    }
    let found = drafts::findings(
        change.tx,
        &update,
        &audience,
        &present.incident,
        present.facts(),
        change.now,
    )?;
    refuse_if_wrong(&found)?;
    let public = match audience.readers {
        Readers::Public => Some((
            PublicText::approve(&update.subject, &approval),
            PublicText::approve(&update.words, &approval),
        )),
        Readers::Internal => None,
    };
    let sent = public.as_ref().map(|(subject, words)| (subject, words));
    rows::save_published(change, &update, sent).map_err(drafts::gone_out)?;
    let update = drafts::reload(change, id)?;
    record_publication(change, &update, &audience)?;
    promises::keep(change, &update, &audience)?;
    if let Some(due) = update.next_update_by.filter(|_| update.phase != Phase::Resolved) {
        promises::make(change, &update, &audience, due)?;
        if let Some(estimate) = given(&update, &audience, &present).filter(|one| one.ends_at() < due) {
            estimates_given::follow(change, &update, estimate)?;
        }
    }
    fan_out::send(change, &update, &audience)?;
    let details = json!({ "told": audience.name, "phase": update.phase });
    drafts::note(change, AuditAction::Update, &update, details);
    Ok(update)
}

/// The estimate that readers find in the words.
fn given<'a>(update: &Update, audience: &Audience, present: &'a Present) -> Option<&'a Estimate> {
    let zone = TimeZone::get(&audience.time_zone).unwrap_or(TimeZone::UTC);
    let said_at = update.published_at.unwrap_or(update.updated_at);
    let estimate = present.facts().estimate.as_ref()?;
    estimate
        .is_said_in(update.words.for_insiders(), said_at, &zone)
        .then_some(estimate)
}

/// Who answers for the words.
fn approval(
    change: &Change,
    update: &Update,
    audience: &Audience,
    present: &Present,
    publisher: Option<&UserId>,
) -> Result<Approval, Problem> {
    if update.facts_revision != present.revision.revision {
        return Err(Problem::conflict(format!(
            "The facts have moved on to revision {} since these words were written. Read them again and save them.",
            present.revision.revision
        )));
    }
    match (&update.approved_by, update.approved_at) {
        (Some(approver), Some(at)) if update.state == UpdateState::Approved => {
            return Ok(Approval::by_person(approver, at));
        }
        _ => {}
    }
    match (audience.approval, publisher) {
        (ApprovalRule::Required, _) => Err(Problem::conflict(format!(
            "Words for {} need an approval before they go out. If there was one, the facts or the words have changed since.",
            audience.name
        ))),
        (ApprovalRule::NotRequired, Some(user_id)) => Ok(Approval::by_person(user_id, change.now)),
        (ApprovalRule::NotRequired, None) => Ok(Approval::by_rule("audience needs no approval", change.now)),
    }
}

fn record_publication(change: &mut Change, update: &Update, audience: &Audience) -> Result<(), Problem> {
    let text = format!(
        "{} told {}: {}",
        change.agent.name,
        audience.name,
        update.subject.for_insiders()
    );
    let details = json!({
        "update_id": update.id,
        "audience_id": audience.id,
        "audience_name": audience.name,
        "visibility": audience.readers,
        "phase": update.phase,
        "facts_revision": update.facts_revision,
        "subject": update.subject,
        "words": update.words,
        "next_update_by": update.next_update_by,
        "approved_by": update.approved_by,
    });
    change.record(NewEntry::new(Kind::UpdatePublished, &update.incident_id, text).details(details))?;
    Ok(())
}
