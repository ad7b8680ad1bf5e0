//! One unit of work: what is written through it commits together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use store::Tx;

use super::model::{Agent, EntryId, IncidentId, Kind, NewEntry};
use crate::identifier::Identifiers;
use crate::jobs::{self, Owed};
use crate::vault::Vault;

/// A slice's wish to be owed a job whenever an entry of one of `kinds` is written for an incident.
/// Many entries in a row wake the job once.
#[derive(Debug, Clone, Copy)]
pub struct Subscription {
    pub kinds: &'static [Kind],
    pub job: jobs::Kind,
    /// How long others may gather before the job is due.
    pub gathering: Duration,
}

/// The kind of a change, for the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, store::TextEnum)]
pub enum AuditAction {
    Create,
    Update,
    Delete,
    SignIn,
    SignOut,
    SignInRefused,
    /// Somebody was shown a secret.
    Show,
}

/// What the audit log is to say of a change once it is whole (`access::audit`).
#[derive(Debug, Clone)]
pub struct Deed {
    pub agent: Agent,
    pub action: AuditAction,
    pub resource_type: String,
    pub resource_id: String,
    pub resource_name: String,
    /// An object.
    pub details: Value,
}

/// What whoever asked for a change did to one incident, as the timeline tells it.
#[derive(Debug, Clone)]
pub struct Act {
    pub agent: Agent,
    pub incident_id: IncidentId,
    pub kind: Kind,
    pub details: Value,
}

/// A transaction with everything a decision needs: the time, an agent, a way to make identifiers.
pub struct Change<'a, 'b> {
    pub tx: &'a mut Tx<'b>,
    pub now: Timestamp,
    pub agent: Agent,
    /// Seals what is stored and must be readable again.
    pub vault: &'a Vault,
    identifiers: &'a Identifiers,
    subscriptions: &'a [Subscription],
    /// Topics that somebody may be watching live; told after the commit.
    touched: BTreeSet<String>,
    /// Jobs that entries have owed to their subscribers, and the incidents they are about. A storm on one
    /// incident owes each of them once in a transaction.
    woken: BTreeMap<(jobs::Kind, String), Duration>,
    owes: bool,
    /// Only of those who came with a request: what they did is audited when the change is whole.
    acts: Vec<Act>,
    deeds: Vec<Deed>,
}

/// What is told after the commit.
#[derive(Debug, Default)]
pub struct Told {
    /// Topics that somebody may be watching live.
    pub touched: Vec<String>,
    /// The kinds of jobs that what happened has woken.
    pub woken: Vec<jobs::Kind>,
    /// Whether any job became owed, woken or not.
    pub owes: bool,
}

impl<'a, 'b> Change<'a, 'b> {
    pub fn new(
        tx: &'a mut Tx<'b>,
        now: Timestamp,
        agent: Agent,
        vault: &'a Vault,
        identifiers: &'a Identifiers,
        subscriptions: &'a [Subscription],
    ) -> Self {
        Self {
            tx,
            now,
            agent,
            vault,
            identifiers,
            subscriptions,
            touched: BTreeSet::new(),
            woken: BTreeMap::new(),
            owes: false,
            acts: Vec::new(),
            deeds: Vec::new(),
        }
    }

    pub fn identifier<I: From<String>>(&self) -> I {
        self.identifiers.next(self.now)
    }

    /// Lets somebody else be the agent from here on: an event's integration inside a batch, say.
    pub fn act_as(&mut self, agent: Agent) {
        self.agent = agent;
    }

    /// Owes a job.
    pub fn owe(&mut self, owed: &Owed) -> Result<(), store::Error> {
        self.owes = true;
        jobs::store::owe(self.tx, self.identifiers, self.now, owed)
    }

    /// Takes a job away.
    pub fn cancel(&mut self, kind: jobs::Kind, subject: impl AsRef<str>) -> Result<(), store::Error> {
        self.woken.remove(&(kind, subject.as_ref().to_owned()));
        jobs::store::cancel(self.tx, kind, subject.as_ref(), None)
    }

    /// Writes an entry and owes every subscriber its job.
    pub fn record(&mut self, entry: NewEntry) -> Result<EntryId, store::Error> {
        let id: EntryId = self.identifier();
        super::store::insert(self.tx, &id, self.now, &self.agent, &entry)?;
        if let Some(incident_id) = &entry.incident_id {
            let woken = self
                .subscriptions
                .iter()
                .filter(|one| one.kinds.contains(&entry.kind));
            for subscription in woken {
                let woken = (subscription.job, incident_id.as_str().to_owned());
                let gathering = subscription.gathering;
                if self.woken.get(&woken).is_none_or(|earlier| gathering < *earlier) {
                    self.woken.insert(woken, gathering);
                    let due = self.now + gathering;
                    self.owe(&Owed::by(subscription.job, incident_id.as_str(), due))?;
                }
            }
            self.touched.insert(incident_id.as_str().to_owned());
            if self.agent.request.is_some() {
                self.acts.push(Act {
                    agent: self.agent.clone(),
                    incident_id: incident_id.clone(),
                    kind: entry.kind,
                    details: entry.details,
                });
            }
        }
        Ok(id)
    }

    /// Remembers what the audit log is to say. Several deeds on one thing are one: what is known of them is put
    /// together, and what was created is said to have been created.
    pub fn account_for(&mut self, deed: Deed) {
        let known = self
            .deeds
            .iter_mut()
            .find(|one| one.resource_type == deed.resource_type && one.resource_id == deed.resource_id);
        match known {
            Some(known) => {
                if let (Value::Object(known), Value::Object(more)) = (&mut known.details, deed.details) {
                    known.extend(more);
                }
            }
            None => self.deeds.push(deed),
        }
    }

    /// What was done to incidents so far, in order; asked for once, at the end.
    pub fn take_acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }

    /// What the audit log is still to say.
    pub fn take_deeds(&mut self) -> Vec<Deed> {
        std::mem::take(&mut self.deeds)
    }

    /// Tells those who watch `topic` live, once this has been committed.
    pub fn touch(&mut self, topic: impl Into<String>) {
        self.touched.insert(topic.into());
    }

    pub fn into_told(self) -> Told {
        Told {
            touched: self.touched.into_iter().collect(),
            woken: self.woken.into_keys().map(|(kind, _)| kind).collect(),
            owes: self.owes,
        }
    }
}
