//! Who has the incident, and what happens by itself if nobody does anything: who is paged next, when a snooze ends.
//!
//! Everything here is a timer that is kept; what the room says is what will be done.

use jiff::Timestamp;
use store::Tx;

use super::needs::next_person;
use crate::console::kit::{Person, Reading};
use crate::console::screens::room::{Ahead, Holders};
use crate::http::Problem;
use crate::incidents::model::{Assignment, Incident, Status, Urgency};
use crate::jobs::{self, Kind};

/// What an incident does by itself.
const TIMERS: [Kind; 5] = [
    Kind::EscalationDue,
    Kind::AcknowledgementExpires,
    Kind::SnoozeEnds,
    Kind::UrgencyChangeDue,
    Kind::AutoResolveDue,
];

/// What is owed at which moment, the first first, and who would be paged then.
pub(super) struct Owed {
    timers: Vec<(Kind, Timestamp)>,
    next: Option<String>,
}

pub(super) fn owed(tx: &mut Tx, incident: &Incident, now: Timestamp) -> Result<Owed, Problem> {
    let mut timers: Vec<(Kind, Timestamp)> = jobs::store::due_times(tx, &TIMERS, &[incident.id.as_str()])?
        .into_iter()
        .map(|(kind, _, at)| (kind, at))
        .collect();
    timers.sort_by_key(|(_, at)| *at);
    let climbs = timers.iter().any(|(kind, _)| *kind == Kind::EscalationDue);
    let next = if climbs {
        next_person(tx, incident, now)?
    } else {
        None
    };
    Ok(Owed { timers, next })
}

pub(super) fn holders(
    incident: &Incident,
    assignments: &[Assignment],
    owed: &Owed,
    reading: &Reading,
) -> Option<Holders> {
    if incident.status == Status::Resolved {
        return None;
    }
    let people = match assignments {
        [] => vec![Person::Nobody("Nobody")],
        some => some
            .iter()
            .map(|one| Person::named(one.user_name.clone()))
            .collect(),
    };
    let ahead: Vec<Ahead> = owed
        .timers
        .iter()
        .filter_map(|(kind, at)| {
            Some(Ahead {
                what: words(*kind, owed.next.as_deref())?,
                when: reading.clock_words(*at),
            })
        })
        .collect();
    let nobody_else = incident.status == Status::Triggered
        && !owed.timers.iter().any(|(kind, _)| *kind == Kind::EscalationDue);
    let standing_still = nobody_else.then_some(match incident.urgency {
        Urgency::High => "Nobody else is paged by itself. Escalate it to page somebody.",
        Urgency::Low => "Low urgency: it does not escalate by itself.",
    });
    Some(Holders {
        people,
        ahead,
        standing_still,
    })
}

fn words(kind: Kind, next: Option<&str>) -> Option<String> {
    let words = match (kind, next) {
        (Kind::EscalationDue, Some(name)) => format!("Pages {name} if nobody acknowledges"),
        (Kind::EscalationDue, None) => "The escalation policy ends if nobody acknowledges".to_owned(),
        (Kind::AcknowledgementExpires, _) => {
            "The acknowledgement ends, and people are paged again".to_owned()
        }
        (Kind::SnoozeEnds, _) => "The snooze ends, and people are paged again".to_owned(),
        (Kind::UrgencyChangeDue, _) => "Becomes urgent".to_owned(),
        (Kind::AutoResolveDue, _) => "Resolves by itself".to_owned(),
        _ => return None,
    };
    Some(words)
}
