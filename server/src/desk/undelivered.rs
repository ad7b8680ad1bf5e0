//! Answers that could not be delivered.
//!
//! A reporter counts as told when an agent confirms their answer and mail takes it over. When no attempt brings it there, they
//! were not told: the answer is taken back, its mail is given up so that nobody can send it later, the agent reads why beside
//! the case, and the reporter is owed an answer again, with a new draft where the incident is over. The auditor sees to it once a minute; one that fails to is seen to in the next.

use std::collections::HashMap;

use serde_json::json;
use store::{Error, Tx, Value, params, sql};

use crate::app::App;
use crate::cases::model::Direction;
use crate::cases::{CaseId, Status, actions};
use crate::http::Problem;
use crate::incidents::IncidentId;
use crate::jobs::{Kind as JobKind, Owed};
use crate::outbox::{self, SendId};
use crate::timeline::{Agent, Change, Kind, NewEntry};

/// Answers that one round takes back.
const MOST: i64 = 100;

#[derive(Debug, Clone, store::FromRow)]
struct Undelivered {
    answer_id: String,
    send_id: SendId,
    case_id: CaseId,
    incident_id: Option<IncidentId>,
    address: String,
    reason: Option<String>,
}

/// The answer that came back last, for whoever writes the next one.
#[derive(Debug, Clone, store::FromRow)]
pub struct CameBack {
    pub case_id: CaseId,
    /// Where it was sent.
    pub address: String,
    pub reason: Option<String>,
}

impl CameBack {
    /// "Our answer to ana@example.org could not be delivered: 550 No such person here."
    pub fn words(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or("nobody said why");
        format!(
            "Our answer to {} could not be delivered: {}.",
            self.address,
            reason.trim_end_matches('.')
        )
    }
}

/// Which of these cases still wait for an answer because the last one came back.
pub fn came_back(tx: &mut Tx, cases: &[CaseId]) -> Result<HashMap<CaseId, CameBack>, Error> {
    let rows: Vec<CameBack> = tx.rows(
        sql!(
            "SELECT w.case_id, s.address, s.last_error AS reason
             FROM case_answers w JOIN sends s ON s.id = w.send_id JOIN cases c ON c.id = w.case_id
             WHERE w.case_id = ANY($1) AND w.state = 'withdrawn' AND s.state = 'cancelled'
               AND s.last_error IS NOT NULL AND c.owed_since IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM case_answers later WHERE later.case_id = w.case_id AND later.state = 'sent'
                               AND later.id > w.id)
             ORDER BY w.id"
        ),
        params![Value::texts(cases.iter().map(CaseId::as_str))],
    )?;
    Ok(rows.into_iter().map(|one| (one.case_id.clone(), one)).collect())
}

fn undelivered(tx: &mut Tx) -> Result<Vec<Undelivered>, Error> {
    tx.rows(
        sql!(
            "SELECT w.id AS answer_id, s.id AS send_id, w.case_id, w.incident_id, s.address, s.last_error AS reason
             FROM sends s JOIN case_answers w ON w.send_id = s.id
             WHERE s.state = 'failed' AND s.purpose = 'answer' AND w.state = 'sent'
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
    // Somebody may have had the mail tried again meanwhile: then it is on its way, and the answer stands.
    if !outbox::give_up(change, &one.send_id)? {
        return Ok(());
    }
    let taken_back = change.tx.execute(
        sql!("UPDATE case_answers SET state = 'withdrawn' WHERE id = $1 AND state = 'sent'"),
        params![&one.answer_id],
    )?;
    if taken_back == 0 || case.status == Status::Closed {
        return Ok(());
    }
    let reason = one.reason.as_deref().unwrap_or("nobody said why");
    let words = format!(
        "Our answer to {} could not be delivered, so it is owed again: {reason}",
        one.address
    );
    actions::add_message(change, &one.case_id, Direction::Inside, &words)?;
    actions::owe_answer(change, &case)?;
    if let Some(incident_id) = &one.incident_id {
        // Mail servers repeat the address; the timeline is read by people who may not know it.
        let reason = reason.replace(&one.address, "their address");
        let text = format!("The answer to {} could not be delivered: {reason}", case.label());
        let details = json!({ "cases": [case.label()] });
        change.record(NewEntry::new(Kind::AnswerUndelivered, incident_id, text).details(details))?;
        change.owe(&Owed::now(JobKind::AnswersDue, incident_id.as_str(), change.now))?;
    }
    Ok(())
}
