//! What people and programs did to incidents, for the audit log: read off the timeline, which tells it once, whoever
//! did it and wherever. Everything that was noted besides is written with it, at the end of the change that did it.

use serde_json::{Map, Value};
use store::Error;

use crate::access::audit;
use crate::incidents::{IncidentId, store as incidents};
use crate::timeline::{Act, AuditAction, Change, Deed, Kind};

/// Writes the audit log's records of a change that is whole.
pub(super) fn settle(change: &mut Change) -> Result<(), Error> {
    let acts = change.take_acts();
    let mut told: Vec<IncidentId> = Vec::new();
    for act in acts.iter().filter(|act| is_deed(act.kind)) {
        if told.contains(&act.incident_id) {
            continue;
        }
        told.push(act.incident_id.clone());
        let of_it: Vec<&Act> = acts
            .iter()
            .filter(|one| one.incident_id == act.incident_id && is_deed(one.kind))
            .collect();
        let deed = deed(change, act, &of_it)?;
        change.account_for(deed);
    }
    audit::write_noted(change)
}

fn deed(change: &mut Change, first: &Act, of_it: &[&Act]) -> Result<Deed, Error> {
    let name = incidents::find(change.tx, &first.incident_id)?
        .map(|incident| format!("[#{}] {}", incident.number, incident.title))
        .unwrap_or_default();
    let mut details = Map::new();
    for act in of_it {
        if let Value::Object(more) = &act.details {
            details.extend(more.clone());
        }
    }
    let did = of_it.iter().map(|act| Value::from(act.kind.as_text())).collect();
    details.insert("did".to_owned(), Value::Array(did));
    let opened = of_it.iter().any(|act| act.kind == Kind::Triggered);
    Ok(Deed {
        agent: first.agent.clone(),
        action: if opened {
            AuditAction::Create
        } else {
            AuditAction::Update
        },
        resource_type: "incident".to_owned(),
        resource_id: first.incident_id.to_string(),
        resource_name: name,
        details: Value::Object(details),
    })
}

/// Whether an entry tells what somebody did to an incident. The others follow from something, or are told of by the
/// slice that did it.
fn is_deed(kind: Kind) -> bool {
    match kind {
        Kind::Triggered
        | Kind::Acknowledged
        | Kind::Unacknowledged
        | Kind::Resolved
        | Kind::Reopened
        | Kind::Assigned
        | Kind::Delegated
        | Kind::Escalated
        | Kind::Noted
        | Kind::Snoozed
        | Kind::TitleChanged
        | Kind::PriorityChanged
        | Kind::UrgencyChanged
        | Kind::ServiceChanged
        | Kind::TypeChanged
        | Kind::ConferenceBridgeChanged
        | Kind::Merged
        | Kind::MergedAway
        | Kind::RoleAssigned
        | Kind::RoleCleared
        | Kind::TaskAdded
        | Kind::TaskChanged
        | Kind::TaskCompleted
        | Kind::ResponderRequested
        | Kind::ResponderReplied
        | Kind::StatusUpdatePublished => true,
        Kind::AlertAdded
        | Kind::AlertRepeated
        | Kind::AlertLimitReached
        | Kind::AlertResolved
        | Kind::AlertMoved
        | Kind::EscalationRepeated
        | Kind::EscalationExhausted
        | Kind::NobodyOnCall
        | Kind::PageOwed
        | Kind::PageSent
        | Kind::PageFailed
        | Kind::SnoozeEnded
        | Kind::SubscriberAdded
        | Kind::ImpactChanged
        | Kind::CaseReported
        | Kind::CaseLinked
        | Kind::CaseUnlinked
        | Kind::CaseRaised
        | Kind::AnswersDrafted
        | Kind::AnswerSent
        | Kind::AnswerReplied
        | Kind::AnswerUndelivered
        | Kind::UpdateDrafted
        | Kind::UpdateApproved
        | Kind::ApprovalWithdrawn
        | Kind::UpdatePublished
        | Kind::PromiseMade
        | Kind::PromiseKept
        | Kind::PromiseDueSoon
        | Kind::PromiseMissed
        | Kind::EstimatePassed
        | Kind::LocationReported
        | Kind::PageIncidentPosted
        | Kind::ReviewWritten
        | Kind::ReviewEdited
        | Kind::ReviewPublished
        | Kind::ChangeSeen
        | Kind::Repaired => false,
    }
}
