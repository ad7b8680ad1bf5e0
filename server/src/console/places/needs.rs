//! What needs the reader, in order of harm: an incident that nobody has or nobody answers, a page, a request to join, a promise, an approval, a task, an answer.
//!
//! Only what this reader can do stands here. A promise concerns whoever holds a role in its incident or has it, and
//! everybody who may say the word once people outside wait in vain: the time has passed, or the incident is over. An
//! approval concerns whoever may give one. Lists are bounded; what is beyond is counted in one line.

use std::collections::HashMap;

use jiff::Timestamp;
use store::Tx;

use crate::access::{Action, Caller, Resource};
use crate::cases::model::Case;
use crate::console::kit::{NodeMark, Reading, State as Shape, counted};
use crate::console::screens::now::{Due, Need, NeedAction};
use crate::http::Problem;
use crate::incidents::model::{AssignedVia, Incident, Status, Urgency};
use crate::incidents::room::{self, Responder, Task};
use crate::incidents::{IncidentId, store as rows};
use crate::jobs::Kind as JobKind;
use crate::updates::approval::require_approver;
use crate::updates::headline::{self, Headline};
use crate::updates::promises::{self, Waited};
use crate::updates::store::{self as updates, Unapproved};
use crate::updates::{AudienceId, facts};

/// Things of one sort that are listed.
const MOST: i64 = 20;
/// Triggered incidents that are looked through for those that nobody has.
const TRIGGERED: i64 = 500;
/// Promises of others that are looked through for one's own.
const PROMISES: i64 = 200;
/// Drafts that are looked through for those the reader may agree to.
const APPROVALS: i64 = 100;
/// Customers who are listed one by one.
const CUSTOMERS: i64 = 3;

/// Everything that may need the reader.
#[derive(Default)]
pub(super) struct Needing {
    /// Triggered, and no escalation policy found anybody.
    of_nobody: Vec<Incident>,
    /// Triggered, and the escalation policy has come to its end; not the reader's own.
    unanswered: Vec<Incident>,
    paged: Vec<Incident>,
    paged_in_all: i64,
    escalations: HashMap<String, Timestamp>,
    /// Who is paged when the first page is not acknowledged.
    pub escalates_to: Option<String>,
    asked: Vec<Responder>,
    promises: Vec<Waited>,
    /// The public word that is waited for in vain, for whoever cannot say it.
    pub unsaid: Option<Waited>,
    /// The revision of the facts that drafts are made from.
    revisions: HashMap<IncidentId, i64>,
    approvals: Vec<Unapproved>,
    tasks: Vec<Task>,
    owed: Vec<Case>,
    owed_in_all: i64,
    incidents: HashMap<IncidentId, (i64, Headline)>,
}

pub(super) fn know(tx: &mut Tx, caller: &Caller, now: Timestamp) -> Result<Needing, Problem> {
    let Some(user_id) = caller.user_id() else {
        return Ok(Needing::default());
    };
    let (mut of_nobody, mut unanswered) = (Vec::new(), Vec::new());
    let mut paged = Vec::new();
    let mut paged_in_all = 0;
    let mut escalations = HashMap::new();
    if caller.may(Action::Respond, Resource::Incident) {
        of_nobody = rows::of_nobody(tx, TRIGGERED, MOST)?;
        paged = rows::unacknowledged_of(tx, user_id, MOST)?;
        unanswered = rows::unanswered(tx, TRIGGERED, MOST)?;
        unanswered.retain(|one| !paged.iter().any(|own| own.id == one.id));
        paged_in_all = rows::count_unacknowledged_of(tx, user_id)?;
        let subjects: Vec<&str> = paged.iter().map(|one| one.id.as_str()).collect();
        escalations = crate::jobs::store::due_times(tx, &[JobKind::EscalationDue], &subjects)?
            .into_iter()
            .map(|(_, id, at)| (id, at))
            .collect();
    }
    // The one that goes to somebody else first does most harm.
    paged.sort_by_key(|one| {
        let urgent = one.urgency == Urgency::High;
        let at = escalations.get(one.id.as_str()).copied();
        (!urgent, at.is_none(), at, one.id.clone())
    });
    let escalates_to = match paged.first() {
        Some(first) if escalations.contains_key(first.id.as_str()) => next_person(tx, first, now)?,
        _ => None,
    };
    let mut needing = Needing {
        of_nobody,
        unanswered,
        paged,
        paged_in_all,
        escalations,
        escalates_to,
        asked: room::asked_to_join(tx, user_id, MOST)?,
        tasks: room::tasks_of(tx, user_id)?,
        ..Needing::default()
    };
    needing.tasks.truncate(MOST as usize);
    words(tx, caller, &mut needing, now)?;
    if caller.may(Action::Respond, Resource::Case) {
        (needing.owed, needing.owed_in_all) = crate::cases::store::owed_by(tx, user_id, CUSTOMERS)?;
    }
    name_incidents(tx, &mut needing)?;
    Ok(needing)
}

/// Who is asked on the level after the present one, or on the first when the policy begins again.
pub(super) fn next_person(
    tx: &mut Tx,
    incident: &Incident,
    now: Timestamp,
) -> Result<Option<String>, Problem> {
    if incident.assigned_via != AssignedVia::EscalationPolicy {
        return Ok(None);
    }
    let policy = &incident.escalation_rules;
    let level = usize::try_from(incident.escalation_level).unwrap_or(0);
    let again = || {
        policy
            .rules
            .first()
            .filter(|_| incident.escalation_loop < policy.num_loops)
    };
    let Some(rule) = policy.rules.get(level).or_else(again) else {
        return Ok(None);
    };
    let people = crate::oncall::people_on_call(tx, &rule.targets, now)?;
    let Some(first) = people.first() else {
        return Ok(None);
    };
    Ok(crate::people::store::find_user(tx, first)?.map(|user| user.name))
}

/// Promises that concern the reader, and approvals they can give.
fn words(tx: &mut Tx, caller: &Caller, needing: &mut Needing, now: Timestamp) -> Result<(), Problem> {
    let Some(user_id) = caller.user_id() else {
        return Ok(());
    };
    let waited = promises::waited_for(tx, PROMISES)?;
    if caller.may(Action::Publish, Resource::Update) {
        let promised: Vec<IncidentId> = waited.iter().map(|one| one.incident_id.clone()).collect();
        let mine = room::concerning(tx, user_id, &promised)?;
        needing.promises = waited
            .into_iter()
            .filter(|one| mine.contains(&one.incident_id) || one.public_is_left_waiting(now))
            .take(MOST as usize)
            .collect();
        for promise in &needing.promises {
            if let Some(latest) = facts::latest(tx, &promise.incident_id)? {
                needing
                    .revisions
                    .insert(promise.incident_id.clone(), latest.revision);
            }
        }
    } else {
        needing.unsaid = waited.into_iter().find(|one| one.public_is_left_waiting(now));
    }
    if caller.may(Action::Approve, Resource::Update) {
        let promised: Vec<(IncidentId, AudienceId)> = needing
            .promises
            .iter()
            .map(|one| (one.incident_id.clone(), one.audience_id.clone()))
            .collect();
        // A draft whose promise is due stands with the promise.
        for one in updates::unapproved(tx, APPROVALS)? {
            let stands_there = promised.contains(&(one.incident_id.clone(), one.audience_id.clone()));
            if !stands_there && require_approver(tx, caller, &one.incident_id).is_ok() {
                needing.approvals.push(one);
            }
            if needing.approvals.len() == MOST as usize {
                break;
            }
        }
    }
    Ok(())
}

fn name_incidents(tx: &mut Tx, needing: &mut Needing) -> Result<(), Problem> {
    let mut ids: Vec<IncidentId> = needing
        .of_nobody
        .iter()
        .chain(&needing.unanswered)
        .chain(&needing.paged)
        .map(|one| &one.id)
        .chain(needing.asked.iter().map(|one| &one.incident_id))
        .chain(needing.promises.iter().map(|one| &one.incident_id))
        .chain(needing.approvals.iter().map(|one| &one.incident_id))
        .chain(needing.tasks.iter().map(|one| &one.incident_id))
        .cloned()
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let incidents = rows::find_all(tx, &ids)?;
    let mut headlines = headline::of(tx, &incidents)?;
    needing.incidents = incidents
        .into_iter()
        .filter_map(|one| Some((one.id.clone(), (one.number, headlines.remove(&one.id)?))))
        .collect();
    Ok(())
}

impl Needing {
    fn further_pages(&self) -> u64 {
        u64::try_from(self.paged_in_all)
            .unwrap_or(0)
            .saturating_sub(self.paged.len() as u64)
    }

    /// Things beyond the one line that stands for them.
    pub(super) fn folded(&self) -> u64 {
        let answers = u64::try_from(self.owed_in_all)
            .unwrap_or(0)
            .saturating_sub(self.owed.len() as u64);
        self.further_pages().saturating_sub(1) + answers.saturating_sub(1)
    }

    fn number(&self, id: &IncidentId) -> i64 {
        self.incidents.get(id).map_or(0, |(number, _)| *number)
    }

    /// What customers feel, in one line.
    fn felt(&self, id: &IncidentId) -> String {
        self.incidents
            .get(id)
            .and_then(|(_, headline)| headline.felt.first())
            .cloned()
            .unwrap_or_default()
    }

    fn hurts(&self, id: &IncidentId) -> &str {
        self.incidents
            .get(id)
            .map_or("", |(_, headline)| headline.hurts.as_str())
    }
}

/// The most harmful first.
pub(super) fn draw(needing: &Needing, reading: &Reading) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    needs.extend(needing.of_nobody.iter().map(|one| nobodys(one, needing, reading)));
    needs.extend(
        needing
            .unanswered
            .iter()
            .map(|one| waiting(one, needing, reading)),
    );
    needs.extend(needing.paged.iter().map(|one| page(one, needing, reading)));
    needs.extend(further_pages(needing));
    needs.extend(needing.asked.iter().map(|one| joining(one, needing, reading)));
    needs.extend(needing.promises.iter().map(|one| promise(one, needing, reading)));
    needs.extend(
        needing
            .approvals
            .iter()
            .map(|one| approval(one, needing, reading)),
    );
    needs.extend(needing.tasks.iter().map(|one| task(one, needing, reading)));
    needs.extend(needing.owed.iter().map(|one| answer(one, reading)));
    let further = needing.owed_in_all - needing.owed.len() as i64;
    if further > 0 {
        needs.push(Need {
            id: "need-others".to_owned(),
            mark: NodeMark::Icon("desk"),
            title: format!(
                "{} wait for an answer from you",
                counted(further.unsigned_abs(), "further customer", "further customers")
            ),
            detail: "The most valuable and those who wait longest come first.".to_owned(),
            due: Due::Open,
            action: NeedAction::Open {
                words: "Open the desk",
                to: "/console/desk".to_owned(),
            },
        });
    }
    needs
}

/// Parts of a line; a sentence among them gives its full stop away.
fn joined(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .map(|part| part.trim_end_matches('.'))
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" · ")
}

/// An incident that no escalation policy found anybody for: whoever can, takes it.
fn nobodys(incident: &Incident, needing: &Needing, reading: &Reading) -> Need {
    let number = format!("#{}", incident.number);
    Need {
        id: format!("need-nobodys-{}", incident.id),
        mark: NodeMark::State(Shape::Triggered),
        title: format!("Nobody has it: {}", needing.felt(&incident.id)),
        detail: joined(&[&number, "nobody is on call for it", needing.hurts(&incident.id)]),
        due: Due::Since("open", reading.age(incident.created_at)),
        action: NeedAction::Post {
            words: "Acknowledge",
            to: format!("/console/incidents/{}/acknowledge", incident.id),
        },
    }
}

/// An urgent incident that nobody acknowledged to the end of its escalation policy: nobody else will be paged.
fn waiting(incident: &Incident, needing: &Needing, reading: &Reading) -> Need {
    let number = format!("#{}", incident.number);
    Need {
        id: format!("need-unanswered-{}", incident.id),
        mark: NodeMark::State(Shape::Triggered),
        title: format!("Nobody answers: {}", needing.felt(&incident.id)),
        detail: joined(&[
            &number,
            "everybody on its escalation policy was paged",
            needing.hurts(&incident.id),
        ]),
        due: Due::Since("open", reading.age(incident.created_at)),
        action: NeedAction::Post {
            words: "Acknowledge",
            to: format!("/console/incidents/{}/acknowledge", incident.id),
        },
    }
}

fn page(incident: &Incident, needing: &Needing, reading: &Reading) -> Need {
    let escalates = needing.escalations.get(incident.id.as_str());
    let number = format!("#{}", incident.number);
    let paged = format!(
        "paged to you {}",
        reading.clock_words(incident.last_status_change_at)
    );
    Need {
        id: format!("need-{}", incident.id),
        mark: NodeMark::State(Shape::Triggered),
        title: format!("Acknowledge: {}", needing.felt(&incident.id)),
        detail: joined(&[&number, &paged, needing.hurts(&incident.id)]),
        due: match escalates {
            Some(at) => Due::In(reading.left(incident.last_status_change_at, *at)),
            None => Due::Since("open", reading.age(incident.created_at)),
        },
        action: NeedAction::Post {
            words: "Acknowledge",
            to: format!("/console/incidents/{}/acknowledge", incident.id),
        },
    }
}

/// Pages beyond those that are listed, in one line.
fn further_pages(needing: &Needing) -> Option<Need> {
    let further = needing.further_pages();
    (further > 0).then(|| Need {
        id: "need-other-pages".to_owned(),
        mark: NodeMark::State(Shape::Triggered),
        title: format!(
            "{} to acknowledge",
            counted(further, "further incident", "further incidents")
        ),
        detail: "Choose many at once in the list of yours.".to_owned(),
        due: Due::Open,
        action: NeedAction::Open {
            words: "Open the list",
            to: "/console/incidents?view=mine".to_owned(),
        },
    })
}

fn joining(asked: &Responder, needing: &Needing, reading: &Reading) -> Need {
    Need {
        id: format!("need-join-{}", asked.incident_id),
        mark: NodeMark::Icon("customers"),
        title: format!("Join #{}: {}", needing.number(&asked.incident_id), asked.message),
        detail: joined(&[
            &format!("{} asks", asked.user_name),
            &needing.felt(&asked.incident_id),
        ]),
        due: Due::Since("asked", reading.ago(asked.requested_at)),
        action: NeedAction::Post {
            words: "I am coming",
            to: format!("/console/incidents/{}/join", asked.incident_id),
        },
    }
}

fn promise(waited: &Waited, needing: &Needing, reading: &Reading) -> Need {
    let over = waited.incident_status == Status::Resolved;
    let draft = needing
        .revisions
        .get(&waited.incident_id)
        .map(|revision| format!("A draft is ready from facts r{revision}"))
        .unwrap_or_default();
    Need {
        id: format!("need-promise-{}-{}", waited.incident_id, waited.audience_id),
        mark: NodeMark::Icon("updates"),
        title: if over {
            format!(
                "Say the last word: {} were not told that it is over",
                waited.audience_name.to_lowercase()
            )
        } else {
            format!(
                "Keep a promise: {} expect the next word",
                waited.audience_name.to_lowercase()
            )
        },
        detail: joined(&[
            &format!("#{}", needing.number(&waited.incident_id)),
            &needing.felt(&waited.incident_id),
            &draft,
        ]),
        due: Due::In(reading.due_by(waited.made_at, waited.due_at)),
        action: NeedAction::Open {
            words: "Review and send",
            to: format!("/console/updates?incident={}", waited.incident_id),
        },
    }
}

fn approval(unapproved: &Unapproved, needing: &Needing, reading: &Reading) -> Need {
    Need {
        id: format!(
            "need-approval-{}-{}",
            unapproved.incident_id, unapproved.audience_id
        ),
        mark: NodeMark::Icon("play"),
        title: format!(
            "Approve the words for {}",
            unapproved.audience_name.to_lowercase()
        ),
        detail: joined(&[
            &format!("#{}", needing.number(&unapproved.incident_id)),
            &needing.felt(&unapproved.incident_id),
        ]),
        due: Due::Since("written", reading.ago(unapproved.updated_at)),
        action: NeedAction::Open {
            words: "Look and approve",
            to: format!("/console/updates?incident={}", unapproved.incident_id),
        },
    }
}

fn task(task: &Task, needing: &Needing, reading: &Reading) -> Need {
    Need {
        id: format!("need-{}", task.id),
        mark: NodeMark::Icon("tick"),
        title: task.name.clone(),
        detail: joined(&[
            &format!("Your task in #{}", needing.number(&task.incident_id)),
            &needing.felt(&task.incident_id),
        ]),
        due: match task.due_at {
            Some(due) => Due::In(reading.due_by(task.created_at, due)),
            None => Due::Since("since", reading.clock(task.created_at)),
        },
        action: NeedAction::Post {
            words: "Mark as done",
            to: format!("/console/incidents/{}/tasks/{}/done", task.incident_id, task.id),
        },
    }
}

fn answer(case: &Case, reading: &Reading) -> Need {
    let reachable = case.reporter_email.is_some();
    Need {
        id: format!("need-{}", case.id),
        mark: NodeMark::Icon(if reachable { "mail" } else { "phone" }),
        title: if reachable {
            format!("Answer {}", case.reporter())
        } else {
            format!("Call back {}", case.reporter())
        },
        detail: joined(&[
            &case.label(),
            case.location_name.as_deref().unwrap_or(""),
            &case.subject,
        ]),
        due: Due::Since("waits", reading.age(case.owed_since.unwrap_or(case.created_at))),
        action: NeedAction::Open {
            words: if reachable { "Answer" } else { "Call back" },
            to: format!("/console/desk?case={}", case.id),
        },
    }
}
