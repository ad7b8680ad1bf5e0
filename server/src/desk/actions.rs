//! Giving answers, wherever it is done: over the API or in the console. Who is answered, the incident's timeline and
//! the audit log say the same afterwards.

use std::sync::Arc;

use serde_json::json;

use super::answers::{self, Answer, Answering, Confirmed, Given, Kind, State};
use crate::access::Caller;
use crate::access::audit::AuditAction;
use crate::app::App;
use crate::cases::{Case, CaseId, actions};
use crate::http::Problem;
use crate::incidents::{IncidentId, store as incident_rows};
use crate::outbox::Mail;
use crate::timeline::Change;

/// Answers that one transaction sends.
const AT_ONCE: usize = 100;
/// Answers that one request sends.
pub const MOST: usize = 5_000;

/// Words go out in a person's name: a program must say for whom it acts.
pub fn answering(app: &App, caller: &Caller) -> Result<Answering, Problem> {
    let user_id = caller
        .user_id()
        .cloned()
        .ok_or_else(|| Problem::refused(1008, "From must name the person who answers for these words."))?;
    Ok(Answering {
        user_id,
        site: app.site.clone(),
        mail: Mail::to_customers(&app.settings),
    })
}

/// Answers one reporter.
pub fn confirm(
    change: &mut Change,
    id: &CaseId,
    confirmed: &Confirmed,
    answering: &Answering,
) -> Result<(Case, Answer), Problem> {
    let case = actions::load(change, id)?;
    let (given, answer) = answers::confirm(change, &case, confirmed, answering)?;
    if given == Given::Now {
        if let (State::Sent, Some(incident_id)) = (answer.state, &case.incident_id) {
            answers::record_sent(change, incident_id, answer.kind, &[case.label()])?;
        }
        note(change, &case, &answer);
    }
    Ok((case, answer))
}

fn note(change: &mut Change, case: &Case, answer: &Answer) {
    actions::note(
        change,
        AuditAction::Update,
        case,
        json!({ "answered": answer.kind }),
    );
}

/// How many reporters were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answered {
    /// Sent by e-mail or shown on the reporter's own page.
    pub sent: usize,
    /// Confirmed; these reporters can only be called.
    pub to_call: usize,
}

/// Confirms the drafted answers to the reporters of an incident that is over, or of `only` these cases, in groups. What
/// is drafted no longer when its turn comes is passed over.
pub async fn confirm_drafted(
    app: &Arc<App>,
    caller: &Caller,
    incident_id: &IncidentId,
    only: Option<&[String]>,
) -> Result<Answered, Problem> {
    let answering = answering(app, caller)?;
    super::jobs::draft_now(app, incident_id).await?;
    let asked = incident_id.clone();
    let mut waiting: Vec<CaseId> = app
        .read(move |tx| -> Result<_, Problem> {
            incident_rows::find(tx, &asked)?.ok_or_else(|| Problem::not_found("The incident"))?;
            Ok(answers::drafted_cases(tx, &asked, MOST as i64)?)
        })
        .await?;
    if let Some(wanted) = only {
        waiting.retain(|case| wanted.iter().any(|one| one == case.as_str()));
    }
    let mut total = Answered::default();
    for group in waiting.chunks(AT_ONCE) {
        let (group, incident_id) = (group.to_vec(), incident_id.clone());
        let answering = answering.clone();
        let answered = app
            .change(caller.agent(), move |change| {
                confirm_group(change, &incident_id, &group, &answering)
            })
            .await?;
        total.sent += answered.sent;
        total.to_call += answered.to_call;
    }
    Ok(total)
}

fn confirm_group(
    change: &mut Change,
    incident_id: &IncidentId,
    group: &[CaseId],
    answering: &Answering,
) -> Result<Answered, Problem> {
    let (mut sent, mut to_call) = (Vec::new(), 0);
    for case_id in group {
        let case = actions::load(change, case_id)?;
        if !is_still_drafted(change, &case, incident_id)? {
            continue;
        }
        let (Given::Now, answer) = answers::confirm(change, &case, &Confirmed::default(), answering)? else {
            continue;
        };
        match answer.state {
            State::Sent => sent.push(case.label()),
            State::Drafted | State::ToCall | State::Withdrawn => to_call += 1,
        }
        note(change, &case, &answer);
    }
    answers::record_sent(change, incident_id, Kind::Resolution, &sent)?;
    Ok(Answered {
        sent: sent.len(),
        to_call,
    })
}

/// Not confirmed, reopened or moved by somebody else meanwhile.
fn is_still_drafted(change: &mut Change, case: &Case, incident_id: &IncidentId) -> Result<bool, Problem> {
    let open = answers::open_answer(change.tx, &case.id)?;
    let is_drafted =
        open.is_some_and(|answer| answer.state == State::Drafted && answer.kind == Kind::Resolution);
    Ok(is_drafted
        && case.incident_id.as_ref() == Some(incident_id)
        && answers::fitting_kind(case) == Kind::Resolution)
}
