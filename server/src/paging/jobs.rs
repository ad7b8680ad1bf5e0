//! Brings the pages of an incident in line with what is true now.

use std::time::Duration;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::links;
use super::message::{self, Beside};
use super::rules::{self, Planned, Reason, Wanted};
use super::store::{self as rows, Facts};
use crate::app::App;
use crate::http::{Problem, Site};
use crate::incidents::{IncidentId, Status};
use crate::jobs::{self, Job, Owed};
use crate::outbox::pages::Page;
use crate::outbox::{self, HeaderName, NewSend, Purpose, Recipient, SendId, State};
use crate::people::User;
use crate::timeline::{Agent, Change, Kind, NewEntry, Subscription};

/// What an incident's pages depend on.
pub const SUBSCRIPTION: Subscription = Subscription {
    kinds: &[
        Kind::Triggered,
        Kind::Assigned,
        Kind::Delegated,
        Kind::Escalated,
        Kind::EscalationRepeated,
        Kind::Acknowledged,
        Kind::Unacknowledged,
        Kind::Snoozed,
        Kind::SnoozeEnded,
        Kind::Resolved,
        Kind::Reopened,
        Kind::MergedAway,
        Kind::UrgencyChanged,
        Kind::ResponderRequested,
        Kind::ResponderReplied,
        Kind::PageFailed,
    ],
    job: jobs::Kind::PagesDue,
    gathering: Duration::ZERO,
};

/// The wake-up for the next rule is a job of its own, so that it can never put off a reconciliation that
/// something else has asked for meanwhile.
const NEXT: &str = "next";
/// Links of senders that a page carries.
const MOST_LINKS: usize = 3;

/// What a reconciliation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciled {
    pub owed: usize,
    pub withdrawn: u64,
    /// When the next rule comes due.
    pub next: Option<Timestamp>,
}

pub async fn pages_due(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let (id, site) = (IncidentId::from(job.subject.as_str()), app.site.clone());
    app.change(Agent::muster(), move |change| reconcile(change, &site, &id))
        .await?;
    Ok(())
}

/// Owes the pages whose time has come, withdraws those that are no longer right, and sets the wake-up for
/// the next. Running it again changes nothing.
pub fn reconcile(change: &mut Change, site: &Site, id: &IncidentId) -> Result<Reconciled, Problem> {
    rows::hold(change.tx, id)?;
    let Some(facts) = rows::facts(change.tx, id)? else {
        return Ok(Reconciled::default());
    };
    let known = outbox::pages::pages_of(change.tx, id)?;
    let became: HashMap<&str, &Page> = known
        .iter()
        .map(|page| (page.idempotency_key.as_str(), page))
        .collect();
    let wanted = rows::wanted(change.tx, &facts)?;
    let mut planned = plan_all(change, &facts, wanted, &became)?;
    let reached = planned
        .iter()
        .filter(|one| one.wanted.reason == Reason::Assigned)
        .any(|one| rules::may_reach(&one.pages, change.now, |key| became.get(key).copied()));
    if facts.status == Status::Triggered && !reached {
        let wanted: Vec<Wanted> = planned.iter().map(|one| one.wanted.clone()).collect();
        let last = rows::last_resort(change.tx, &facts, &wanted)?;
        planned.extend(plan_all(change, &facts, last, &became)?);
    }
    let pages: Vec<(&Wanted, &User, &Planned)> = planned
        .iter()
        .flat_map(|one| one.pages.iter().map(|page| (&one.wanted, &one.user, page)))
        .collect();
    let mut done = Reconciled {
        withdrawn: withdraw(change, &known, &pages)?,
        ..Reconciled::default()
    };
    let mut links = None;
    for (one, user, page) in &pages {
        if page.at > change.now {
            done.next = Some(done.next.map_or(page.at, |next| next.min(page.at)));
            continue;
        }
        let before = became.get(page.key.as_str()).copied();
        if before.is_none_or(Page::is_taken_back) {
            let mut others: Vec<String> = planned
                .iter()
                .filter(|other| other.user.id != user.id)
                .map(|other| other.user.name.clone())
                .collect();
            others.sort_unstable();
            let links = match &links {
                Some(known) => known,
                None => links.insert(crate::alerts::links::of(change.tx, id, MOST_LINKS)?),
            };
            let beside = Beside {
                others,
                links: links.clone(),
            };
            let send = page_for(change, site, &facts, one, user, page, &beside)?;
            match before {
                None => {
                    outbox::owe(change, &send)?;
                    done.owed += 1;
                }
                Some(before) => done.owed += usize::from(outbox::owe_after_all(change, &before.id, &send)?),
            }
        }
    }
    if let Some(next) = done.next {
        change.owe(&Owed::at(jobs::Kind::PagesDue, id.as_str(), next).part(NEXT))?;
    }
    Ok(done)
}

/// Somebody who is to be paged, with every page, past and to come.
struct PlannedFor {
    wanted: Wanted,
    user: User,
    pages: Vec<Planned>,
}

/// Plans the pages of these people, by what became of those that are known. Who cannot be reached is named on the timeline.
fn plan_all(
    change: &mut Change,
    facts: &Facts,
    wanted: Vec<Wanted>,
    became: &HashMap<&str, &Page>,
) -> Result<Vec<PlannedFor>, Problem> {
    let ids: Vec<_> = wanted.iter().map(|one| &one.user_id).collect();
    let mut people: HashMap<_, User> = crate::people::store::find_users(change.tx, &ids)?
        .into_iter()
        .filter(|user| user.deleted_at.is_none())
        .map(|user| (user.id.clone(), user))
        .collect();
    let mut planned = Vec::new();
    for wanted in wanted {
        let Some(user) = people.remove(&wanted.user_id) else {
            say_unreachable(change, &facts.id, &wanted, "Somebody who was removed")?;
            continue;
        };
        let reachable = rows::reachable(change.tx, &user, facts.urgency)?;
        let mut pages = rules::plan(&facts.id, &wanted, &reachable);
        if !rules::may_reach(&pages, change.now, |key| became.get(key).copied()) {
            let last = rules::last_way(&facts.id, &wanted, &reachable, &pages);
            pages.extend(last);
        }
        if pages.is_empty() {
            say_unreachable(change, &facts.id, &wanted, &user.name)?;
        }
        planned.push(PlannedFor { wanted, user, pages });
    }
    Ok(planned)
}

/// Takes back every page that has not gone out and is not planned any more.
fn withdraw(
    change: &mut Change,
    known: &[Page],
    pages: &[(&Wanted, &User, &Planned)],
) -> Result<u64, Problem> {
    let needless: Vec<SendId> = known
        .iter()
        .filter(|one| matches!(one.state, State::Owed | State::Sending))
        .filter(|one| !pages.iter().any(|(_, _, page)| page.key == one.idempotency_key))
        .map(|one| one.id.clone())
        .collect();
    Ok(outbox::cancel(change, &needless)?)
}

fn page_for(
    change: &mut Change,
    site: &Site,
    facts: &Facts,
    wanted: &Wanted,
    user: &User,
    page: &Planned,
    beside: &Beside,
) -> Result<NewSend, Problem> {
    let words = message::compose(site, facts, user, &wanted.reason, beside, page.target.length)
        .map_err(Problem::internal)?;
    let token = links::make(change, &facts.id, &user.id)?;
    let recipient = Recipient {
        name: user.name.clone(),
        address: page.target.address.clone(),
        user_id: Some(user.id.clone()),
    };
    let thread = format!("<incident-{}@muster>", facts.id);
    let mut send = NewSend::new(
        Purpose::Page,
        page.target.channel,
        recipient,
        page.key.clone(),
        page.at,
    )
    .about(&facts.id)
    .words(words.subject, words.body)
    .header(HeaderName::References, thread)
    .secret_link(site.url(&format!("/ack/{token}")));
    send.html = words.html;
    Ok(send)
}

/// Says once on the timeline that somebody cannot be reached. The escalation goes on by its timer.
fn say_unreachable(change: &mut Change, id: &IncidentId, wanted: &Wanted, name: &str) -> Result<(), Problem> {
    let key = rules::key_prefix(id, wanted);
    if rows::said_unreachable(change.tx, id, &key)? {
        return Ok(());
    }
    let text = format!("{name} cannot be paged: there is no way to reach them. The escalation goes on.");
    let details = json!({"key": key, "user_id": wanted.user_id});
    change.record(NewEntry::new(Kind::PageFailed, id, text).details(details))?;
    Ok(())
}
