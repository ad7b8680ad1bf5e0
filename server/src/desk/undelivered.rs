//! Answers that could not be delivered.
//!
//! A reporter counts as told when an agent confirms their answer and mail takes it over. When no attempt brings it there, they
//! were not told: the answer is taken back, the agent reads why beside the case, and the reporter is owed an answer again, with a
//! new draft where the incident is over. The auditor sees to it once a minute; one that fails to is seen to in the next.

use store::{Error, Tx, params, sql};

use crate::app::App;
use crate::cases::model::Direction;
use crate::cases::{CaseId, Status, actions};
use crate::http::Problem;
use crate::incidents::IncidentId;
use crate::jobs::{Kind as JobKind, Owed};
use crate::timeline::{Agent, Change, Kind, NewEntry};

/// Answers that one round takes back.
const MOST: i64 = 100;

#[derive(Debug, Clone, store::FromRow)]
struct Undelivered {
    answer_id: String,
    case_id: CaseId,
    incident_id: Option<IncidentId>,
    reason: Option<String>,
}

fn undelivered(tx: &mut Tx) -> Result<Vec<Undelivered>, Error> {
    tx.rows(
        sql!(
            "SELECT w.id AS answer_id, w.case_id, w.incident_id, s.last_error AS reason
             FROM sends s JOIN case_answers w ON w.id = SUBSTR(s.idempotency_key, 8)
             WHERE s.state = 'failed' AND s.purpose = 'answer' AND w.state = 'sent' AND w.send_id = s.id
             ORDER BY s.id LIMIT $1"
        ),
        params![MOST],
    )
}

/// Owes their answer again to all who could not be reached.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn owe_again(app: &App) -> Result<(), Problem> {
    let found = app
        .read(|tx| -> Result<_, Problem> { Ok(undelivered(tx)?) })
        .await?;
    if found.is_empty() {
        return Ok(());
    }
    app.change(Agent::muster(), move |change| {
        found.iter().try_for_each(|one| take_back(change, one))
    })
    .await
}

fn take_back(change: &mut Change, one: &Undelivered) -> Result<(), Problem> {
    let case = actions::load(change, &one.case_id)?;
    let taken_back = change.tx.execute(
        sql!("UPDATE case_answers SET state = 'withdrawn' WHERE id = $1 AND state = 'sent'"),
        params![&one.answer_id],
    )?;
    if taken_back == 0 || case.status == Status::Closed {
        return Ok(());
    }
    let reason = one.reason.as_deref().unwrap_or("nobody said why");
    let words = format!("Our answer by mail could not be delivered, so it is owed again: {reason}");
    actions::add_message(change, &one.case_id, Direction::Inside, &words)?;
    actions::owe_answer(change, &case)?;
    if let Some(incident_id) = &one.incident_id {
        let text = format!("The answer to {} could not be delivered: {reason}", case.label());
        change.record(NewEntry::new(Kind::AnswerUndelivered, incident_id, text))?;
        change.owe(&Owed::now(JobKind::AnswersDue, incident_id.as_str(), change.now))?;
    }
    Ok(())
}
