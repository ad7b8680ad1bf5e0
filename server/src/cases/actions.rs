//! What happens to a case: reported, linked, told, answered by its reporter. Whoever does it, over the API or in the
//! console, is audited here.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use store::{params, sql};

use super::input::check_references;
use super::model::{Case, CaseId, Direction, MessageId, NewCase, Recovery, Status, Word};
use super::{rules, store as rows};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::token::random_token;
use crate::customers::accounts;
use crate::http::Problem;
use crate::incidents::{Incident, IncidentId};
use crate::jobs::{Kind as JobKind, Owed};
use crate::live::CASES;
use crate::timeline::{Change, Kind, NewEntry};

/// Letters of a reporter's link: 190 bits.
const TOKEN_LENGTH: usize = 32;
/// Messages a reporter may write.
const MOST_REPLIES: i64 = 100;

/// For so long the same words said again are the same words: a form sent twice, a button pressed twice.
pub const SAID_AGAIN: Duration = Duration::from_secs(600);

/// Reads a case, or says that there is none. What somebody else does to it meanwhile waits.
pub fn load(change: &mut Change, id: &CaseId) -> Result<Case, Problem> {
    rows::hold(change.tx, id)?.ok_or_else(|| Problem::not_found("The case"))
}

/// For the audit log: what somebody did to a case.
pub fn note(change: &mut Change, action: AuditAction, case: &Case, details: Value) {
    let changed = Changed {
        resource_type: "case",
        resource_id: case.id.as_str(),
        resource_name: &case.label(),
        details,
    };
    audit::note(change, action, &changed);
}

/// Whether a report was kept just now, or is known by its sender's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    New,
    Known,
}

/// Keeps a report, or gives the one that its sender gave the same number. What it points at must be there.
pub fn report(change: &mut Change, new: &NewCase) -> Result<(Kept, Case), Problem> {
    if let Some(reference) = &new.external_reference {
        change.tx.lock(&format!("case {reference}"))?;
        if let Some(known) = rows::find_by_reference(change.tx, reference)? {
            return Ok((Kept::Known, known));
        }
    }
    check_references(
        change.tx,
        new.account_id.as_ref().map(AsRef::as_ref),
        new.location_id.as_ref().map(AsRef::as_ref),
        new.touchpoint_id.as_ref().map(AsRef::as_ref),
        new.owner_id.as_ref().map(AsRef::as_ref),
    )?;
    let case = keep(change, new)?;
    note(
        change,
        AuditAction::Create,
        &case,
        json!({ "channel": case.channel }),
    );
    Ok((Kept::New, case))
}

/// From now on an answer is owed.
fn keep(change: &mut Change, new: &NewCase) -> Result<Case, Problem> {
    let account = match (&new.account_id, &new.reporter_email) {
        (Some(id), _) => accounts::find(change.tx, id)?,
        (None, Some(email)) => accounts::find_by_email(change.tx, email)?,
        (None, None) => None,
    };
    let now = change.now;
    let id: CaseId = change.identifier();
    let number = crate::numbers::next(change.tx, "cases")?;
    let tier = account.as_ref().map(|account| account.tier);
    let value = account.as_ref().map_or(0, |account| account.value_per_year);
    change.tx.execute(
        sql!(
            "INSERT INTO cases (id, number, channel, external_reference, token, account_id, reporter_name, reporter_email,
                 reporter_telephone, location_id, touchpoint_id, subject, text, language, status, owner_id, owed_since,
                 owed_order, recovery, first_answer_due_at, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'open', $15, $16, $17, 'not_asked',
                 $18, $16, $16)"
        ),
        params![
            &id,
            number,
            new.channel,
            new.external_reference.as_deref(),
            random_token(TOKEN_LENGTH),
            account.as_ref().map(|account| &account.id),
            new.reporter_name.as_deref(),
            new.reporter_email
                .as_deref()
                .or(account.as_ref().and_then(|account| account.email.as_deref())),
            new.reporter_telephone
                .as_deref()
                .or(account.as_ref().and_then(|account| account.telephone.as_deref())),
            new.location_id.as_ref(),
            new.touchpoint_id.as_ref(),
            &new.subject,
            &new.text,
            &new.language,
            new.owner_id.as_ref(),
            now,
            rules::owed_order(now, value),
            rules::first_answer_due(tier, now)
        ],
    )?;
    let case = load(change, &id)?;
    rows::index_words(change.tx, &case)?;
    change.record(NewEntry {
        kind: Kind::CaseReported,
        incident_id: None,
        service_id: None,
        text: format!("{} was reported", case.without_reporter()),
        details: json!({ "case_id": case.id, "number": case.number, "channel": case.channel }),
    })?;
    change.touch(CASES);
    Ok(case)
}

/// What an agent may correct about a case.
#[derive(Debug, Clone)]
pub struct Corrected {
    pub status: Status,
    pub owner_id: Option<String>,
    pub account_id: Option<String>,
    pub location_id: Option<String>,
    pub touchpoint_id: Option<String>,
    pub subject: String,
}

pub fn correct(change: &mut Change, case: &Case, corrected: &Corrected) -> Result<Case, Problem> {
    let now = change.now;
    let closed_at = (corrected.status == Status::Closed).then(|| case.closed_at.unwrap_or(now));
    change.tx.execute_one(
        sql!(
            "UPDATE cases SET status = $2, owner_id = $3, account_id = $4, location_id = $5, touchpoint_id = $6,
                 subject = $7, closed_at = $8, updated_at = $9 WHERE id = $1"
        ),
        params![
            &case.id,
            corrected.status,
            corrected.owner_id.as_deref(),
            corrected.account_id.as_deref(),
            corrected.location_id.as_deref(),
            corrected.touchpoint_id.as_deref(),
            &corrected.subject,
            closed_at,
            now
        ],
    )?;
    match (case.status, corrected.status) {
        (Status::Closed, Status::Open) => owe_answer(change, case)?,
        (_, Status::Closed) => end_answer(change, &case.id)?,
        _ => {}
    }
    let corrected = load(change, &case.id)?;
    note(
        change,
        AuditAction::Update,
        &corrected,
        json!({ "status": corrected.status }),
    );
    rows::index_words(change.tx, &corrected)?;
    if let Some(incident_id) = &case.incident_id {
        change.owe(&Owed::now(JobKind::ImpactDue, incident_id.as_str(), now))?;
    }
    change.touch(CASES);
    Ok(corrected)
}

/// From now on the reporter is owed an answer, if they were not before.
pub fn owe_answer(change: &mut Change, case: &Case) -> Result<(), Problem> {
    let since = case.owed_since.unwrap_or(change.now);
    change.tx.execute_one(
        sql!("UPDATE cases SET owed_since = $2, owed_order = $3, updated_at = $4 WHERE id = $1"),
        params![
            &case.id,
            since,
            rules::owed_order(since, case.value_per_year.unwrap_or(0)),
            change.now
        ],
    )?;
    change.touch(CASES);
    Ok(())
}

/// Nothing is owed any more.
pub fn settle_answer(change: &mut Change, id: &CaseId) -> Result<(), Problem> {
    change.tx.execute_one(
        sql!("UPDATE cases SET owed_since = NULL, owed_order = NULL, updated_at = $2 WHERE id = $1"),
        params![id, change.now],
    )?;
    change.touch(CASES);
    Ok(())
}

/// Nothing is owed any more, and nothing that was begun goes out: whoever has closed a case is not written to by a press of
/// the button that answers everybody.
fn end_answer(change: &mut Change, id: &CaseId) -> Result<(), Problem> {
    change.tx.execute(
        sql!("UPDATE case_answers SET state = 'withdrawn' WHERE case_id = $1 AND state IN ('drafted', 'to_call')"),
        params![id],
    )?;
    settle_answer(change, id)
}

/// Those who were told that an incident is over, and have not said that it works for them, are owed an answer again: it is
/// not over. Gives how many, of at most `most`.
pub fn owe_again(change: &mut Change, incident_id: &IncidentId, most: i64) -> Result<usize, Problem> {
    let told = rows::told_that_it_is_over(change.tx, incident_id, most)?;
    for case in &told {
        change.tx.execute_one(
            sql!("UPDATE cases SET status = 'open', recovery = 'not_asked' WHERE id = $1"),
            params![&case.id],
        )?;
        let words = "It is not over after all, so an answer is owed again.";
        add_message(change, &case.id, Direction::Inside, words)?;
        owe_answer(change, case)?;
    }
    Ok(told.len())
}

/// The incident that a link means: one that was merged stands for the one it went into.
fn target(change: &mut Change, id: &IncidentId) -> Result<Incident, Problem> {
    crate::incidents::store::standing_for(change.tx, id)?
        .ok_or_else(|| Problem::invalid(["incident.id: the incident was not found."]))
}

/// Says that a case is about an incident. Doing so again changes nothing.
pub fn link(change: &mut Change, id: &CaseId, incident_id: &IncidentId) -> Result<Case, Problem> {
    let case = load(change, id)?;
    let incident = target(change, incident_id)?;
    if case.incident_id.as_ref() == Some(&incident.id) {
        return Ok(case);
    }
    if case.incident_id.is_some() {
        unlink(change, id)?;
    }
    change.tx.execute_one(
        sql!("UPDATE cases SET incident_id = $2, linked_at = $3, updated_at = $3, status = 'open', closed_at = NULL,
                 recovery = CASE recovery WHEN 'asked' THEN 'not_asked' ELSE recovery END WHERE id = $1"),
        params![id, &incident.id, change.now],
    )?;
    let case = load(change, id)?;
    owe_answer(change, &case)?;
    let text = format!("{} linked {}", change.agent.name, case.without_reporter());
    change.record(
        NewEntry::new(Kind::CaseLinked, &incident.id, text)
            .details(json!({ "case_id": case.id, "number": case.number, "count": 1 })),
    )?;
    note(
        change,
        AuditAction::Update,
        &case,
        json!({ "linked_to": incident.id }),
    );
    load(change, id)
}

/// Takes a link back. An answer that waits to be given speaks of the incident, so it is no longer right.
pub fn unlink(change: &mut Change, id: &CaseId) -> Result<Case, Problem> {
    let case = load(change, id)?;
    let Some(incident_id) = &case.incident_id else {
        return Ok(case);
    };
    change.tx.execute_one(
        sql!("UPDATE cases SET incident_id = NULL, linked_at = NULL, updated_at = $2 WHERE id = $1"),
        params![id, change.now],
    )?;
    change.tx.execute(
        sql!(
            "UPDATE case_answers SET state = 'withdrawn' WHERE case_id = $1 AND incident_id = $2
             AND state IN ('drafted', 'to_call')"
        ),
        params![id, incident_id],
    )?;
    let text = format!("{} unlinked {}", change.agent.name, case.label());
    change.record(
        NewEntry::new(Kind::CaseUnlinked, incident_id, text)
            .details(json!({ "case_id": case.id, "number": case.number, "count": 1 })),
    )?;
    note(change, AuditAction::Update, &case, json!({ "linked_to": null }));
    change.touch(CASES);
    load(change, id)
}

/// The cases of an incident that was merged go where its alerts went.
pub fn move_all(change: &mut Change, from: &IncidentId, into: &IncidentId) -> Result<u64, Problem> {
    let into = target(change, into)?;
    let moved = change.tx.execute(
        sql!("UPDATE cases SET incident_id = $2, updated_at = $3 WHERE incident_id = $1"),
        params![from, &into.id, change.now],
    )?;
    if moved > 0 {
        let text = match moved {
            1 => "1 linked case came along".to_owned(),
            count => format!("{count} linked cases came along"),
        };
        change.record(
            NewEntry::new(Kind::CaseLinked, &into.id, text).details(json!({ "count": moved, "from": from })),
        )?;
        change.touch(CASES);
    }
    Ok(moved)
}

pub fn add_message(
    change: &mut Change,
    id: &CaseId,
    direction: Direction,
    text: &str,
) -> Result<MessageId, Problem> {
    let message_id: MessageId = change.identifier();
    let agent = change.agent.clone();
    change.tx.execute(
        sql!(
            "INSERT INTO case_messages (id, case_id, direction, author_type, author_id, author_name, text, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        ),
        params![
            &message_id,
            id,
            direction,
            agent.kind,
            agent.id.as_deref(),
            &agent.name,
            text,
            change.now
        ],
    )?;
    change.touch(CASES);
    Ok(message_id)
}

/// A note that stays inside.
pub fn add_note(change: &mut Change, case: &Case, text: &str) -> Result<MessageId, Problem> {
    let added = add_message(change, &case.id, Direction::Inside, text)?;
    note(change, AuditAction::Update, case, json!({ "note": added }));
    Ok(added)
}

/// The reporter speaks, on their own page. Whatever they say about recovery counts, and nothing else does. The same
/// words once more, before anything else was said, are a form that was sent twice; about a case that was closed meanwhile
/// they are news, unless they are what closed it.
pub fn hear(change: &mut Change, case: &Case, word: Word, text: Option<&str>) -> Result<(), Problem> {
    let spoken = spoken(word, text);
    let last = rows::last_said(change.tx, &case.id)?;
    let opens_again = case.status == Status::Closed && word != Word::Works;
    if last.filter(|_| !opens_again).is_some_and(|last| {
        last.direction == Direction::In && last.text == spoken && last.created_at + SAID_AGAIN > change.now
    }) {
        return Ok(());
    }
    if rows::count_messages(change.tx, &case.id, Direction::In)? >= MOST_REPLIES {
        return Err(Problem::invalid([
            "This report has too many replies. Please make a new one.",
        ]));
    }
    add_message(change, &case.id, Direction::In, &spoken)?;
    match word {
        Word::Works => {
            set_recovery(change, &case.id, Recovery::Works)?;
            change.tx.execute_one(
                sql!("UPDATE cases SET status = 'closed', closed_at = $2 WHERE id = $1"),
                params![&case.id, change.now],
            )?;
            end_answer(change, &case.id)?;
        }
        Word::StillBroken => {
            set_recovery(change, &case.id, Recovery::StillBroken)?;
            reopen(change, case)?;
        }
        Word::Reply => reopen(change, case)?,
    }
    if let Some(incident_id) = &case.incident_id {
        let (word, said) = match word {
            Word::Works => ("works", "says that it works"),
            Word::StillBroken => ("still_broken", "says that it is still broken"),
            Word::Reply => ("reply", "wrote back"),
        };
        let text = format!("{} {said}", case.unnamed_reporter());
        change.record(
            NewEntry::new(Kind::AnswerReplied, incident_id, text)
                .details(json!({ "case_id": case.id, "number": case.number, "word": word })),
        )?;
    }
    Ok(())
}

/// As it stands on the reporter's page.
fn spoken(word: Word, text: Option<&str>) -> String {
    match (word, text) {
        (Word::Works, None) => "It works.".to_owned(),
        (Word::Works, Some(text)) => format!("It works. {text}"),
        (Word::StillBroken, None) => "It is still broken.".to_owned(),
        (Word::StillBroken, Some(text)) => format!("It is still broken. {text}"),
        (Word::Reply, text) => text.unwrap_or_default().to_owned(),
    }
}

fn reopen(change: &mut Change, case: &Case) -> Result<(), Problem> {
    change.tx.execute_one(
        sql!("UPDATE cases SET status = 'open', closed_at = NULL WHERE id = $1"),
        params![&case.id],
    )?;
    owe_answer(change, case)
}

fn set_recovery(change: &mut Change, id: &CaseId, recovery: Recovery) -> Result<(), Problem> {
    change.tx.execute_one(
        sql!("UPDATE cases SET recovery = $2, updated_at = $3 WHERE id = $1"),
        params![id, recovery, change.now],
    )?;
    Ok(())
}

/// What telling a reporter something does to the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// They know that we know; the answer is still owed.
    Progress,
    /// They have been answered.
    Answered,
    /// They have been told that it should work again, and asked whether it does.
    AskedAboutRecovery,
}

/// Records that the reporter was told something at `at`.
pub fn note_told(change: &mut Change, id: &CaseId, told: Told, at: Timestamp) -> Result<(), Problem> {
    change.tx.execute_one(
        sql!(
            "UPDATE cases SET first_answered_at = COALESCE(first_answered_at, $2), last_told_at = $2, updated_at = $2
             WHERE id = $1"
        ),
        params![id, at],
    )?;
    match told {
        Told::Progress => {}
        Told::Answered | Told::AskedAboutRecovery => {
            change.tx.execute_one(
                sql!("UPDATE cases SET status = 'waiting', closed_at = NULL WHERE id = $1"),
                params![id],
            )?;
            settle_answer(change, id)?;
        }
    }
    if told == Told::AskedAboutRecovery {
        set_recovery(change, id, Recovery::Asked)?;
    }
    change.touch(CASES);
    Ok(())
}
