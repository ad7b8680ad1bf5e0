//! One event at a time, in the order of the journal: a new alert or more of a known one, in which
//! incident, and what follows.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use triage::Ending;

use super::model::{Alert, AlertId, Reason};
use super::patience;
use super::placing::{Placing, event_of, features};
use super::silence;
use super::store::{self as rows, HoldingBack, NewAlert};
use crate::http::Problem;
use crate::incidents::{IncidentId, actions};
use crate::jobs;
use crate::jobs::Owed;
use crate::orchestration::{Held, Ruling, Rulings, outcome};
use crate::services::{IntegrationId, Service, ServiceId, Silence, silence_of};
use crate::signals::event::{AlertEvent, EventAction};
use crate::signals::journal::Signal;
use crate::signals::trying_again;
use crate::timeline::{Agent, Change, Kind, NewEntry};

/// Events of one alert at which the timeline tells that it was said again.
const TOLD_AT: [i64; 3] = [2, 10, 100];
/// From here on they are only counted.
const COUNTED_ONLY: i64 = 1_000;

/// What one run over the journal remembers between events, so that a storm on one service reads its
/// setting and its open incidents once.
#[derive(Default)]
pub struct Batch {
    services: BTreeMap<ServiceId, Option<KnownService>>,
    integrations: BTreeMap<IntegrationId, Heard>,
    /// Alerts that were said again, by their key, as they stand now.
    again: HashMap<(IntegrationId, String), Again>,
    placing: Placing,
    rulings: Rulings,
    /// Whether events were kept apart lately that an end may be about; nothing before it was asked.
    any_kept_apart: Option<bool>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Taken {
    Done,
    /// Its service was taken away after it was accepted, so nobody is there to be told.
    NobodyToTell,
}

/// An integration that reported something.
struct Heard {
    agent: Agent,
    at: Timestamp,
}

/// An alert that was said again, and whether its row knows all of it.
struct Again {
    alert: rows::OpenAlert,
    last_event_at: Timestamp,
    ends_at: Option<Timestamp>,
    written: bool,
}

#[derive(Clone)]
struct KnownService {
    service: Arc<Service>,
    silence: Option<Silence>,
}

/// An event as the rules of its service left it.
struct Report<'a> {
    signal: &'a Signal,
    event: &'a AlertEvent,
    ruling: Option<&'a Ruling>,
}

impl Report<'_> {
    /// The reasons that rules gave, with others behind them.
    fn reasons(&self, others: impl IntoIterator<Item = Reason>) -> Vec<Reason> {
        with_ruling(self.ruling, others)
    }

    /// By what a rule keeps the alert from an incident.
    fn held(&self) -> Option<Held> {
        self.ruling.and_then(Ruling::held)
    }
}

fn with_ruling(ruling: Option<&Ruling>, others: impl IntoIterator<Item = Reason>) -> Vec<Reason> {
    let own = ruling.map(|ruling| ruling.reasons.clone()).unwrap_or_default();
    own.into_iter().chain(others).collect()
}

impl Batch {
    /// A batch whose events are judged by these rules.
    pub fn ruled_by(rulings: Rulings) -> Self {
        Self {
            rulings,
            ..Self::default()
        }
    }

    /// Takes one event.
    pub fn take(
        &mut self,
        change: &mut Change,
        signal: &Signal,
        event: &AlertEvent,
    ) -> Result<Taken, Problem> {
        let judged = self.rulings.judge(&signal.service_id, event, signal.received_at);
        let agent = self.agent(change, signal)?;
        change.act_as(agent);
        let report = Report {
            signal,
            event: judged.as_ref().map_or(event, |judged| &judged.event),
            ruling: judged
                .as_ref()
                .map(|judged| &judged.ruling)
                .filter(|ruling| !ruling.reasons.is_empty()),
        };
        if report.event.action == EventAction::Trigger {
            return if self.count(change, &report)? {
                Ok(Taken::Done)
            } else {
                self.add(change, &report)
            };
        }
        self.write_again(change)?;
        // Nothing is open under this key: nothing is created.
        let Some(id) = find_meant(change, &report, event)? else {
            self.note_end(change, &report, event)?;
            return Ok(Taken::Done);
        };
        if report.event.action == EventAction::Resolve {
            let name = &change.agent.name;
            let text = if event.action == EventAction::Resolve {
                format!("{name} says that an alert is over")
            } else {
                format!("By the service's rules, what {name} says means that an alert is over")
            };
            self.resolve(change, signal.received_at, &id, text)?;
        } else if let Some(incident_id) = rows::incident_of(change.tx, &id)? {
            self.settle_first(change, &incident_id, |change, id| {
                actions::acknowledge(change, id).map(drop)
            })?;
        }
        Ok(Taken::Done)
    }

    /// Writes what was remembered: of the alerts that were said again, and of the incidents that grew.
    pub fn finish(&mut self, change: &mut Change) -> Result<(), Problem> {
        self.write_again(change)?;
        for (id, heard) in &self.integrations {
            rows::note_heard(change.tx, id, heard.at)?;
        }
        self.placing.finish(change)
    }

    /// What an end is about may have been kept apart, and is not to be taken after it.
    fn note_end(&mut self, change: &mut Change, report: &Report, sent: &AlertEvent) -> Result<(), Problem> {
        if report.event.action != EventAction::Resolve {
            return Ok(());
        }
        let any = match self.any_kept_apart {
            Some(any) => any,
            None => *self
                .any_kept_apart
                .insert(trying_again::any_kept_apart(change.tx, change.now)?),
        };
        if any {
            let keys = BTreeSet::from([report.event.dedup_key.as_str(), sent.dedup_key.as_str()]);
            let (integration_id, at) = (&report.signal.integration_id, report.signal.received_at);
            trying_again::note_end(change.tx, integration_id, &keys, at)?;
        }
        Ok(())
    }

    fn write_again(&mut self, change: &mut Change) -> Result<(), Problem> {
        // In a fixed order, as all nodes take rows.
        let unwritten: BTreeMap<_, _> = self.again.drain().filter(|(_, one)| !one.written).collect();
        for one in unwritten.into_values() {
            let (alert, at) = (&one.alert, one.last_event_at);
            rows::set_count(change.tx, &alert.alert_id, alert.event_count, at, one.ends_at)?;
        }
        Ok(())
    }

    fn agent(&mut self, change: &mut Change, signal: &Signal) -> Result<Agent, Problem> {
        if let Some(heard) = self.integrations.get_mut(&signal.integration_id) {
            heard.at = heard.at.max(signal.received_at);
            return Ok(heard.agent.clone());
        }
        let id = &signal.integration_id;
        let name = rows::integration_name(change.tx, id)?;
        let agent = Agent::integration(id, name.unwrap_or_else(|| "An integration".to_owned()));
        let heard = Heard {
            agent: agent.clone(),
            at: signal.received_at,
        };
        self.integrations.insert(id.clone(), heard);
        Ok(agent)
    }

    /// Counts an event of an alert that is open already; false when none is.
    fn count(&mut self, change: &mut Change, report: &Report) -> Result<bool, Problem> {
        let (signal, event) = (report.signal, report.event);
        let (at, words) = (signal.received_at, rows::words_of(event));
        let key = (signal.integration_id.clone(), event.dedup_key.clone());
        let again = match self.again.entry(key) {
            Entry::Occupied(known) => {
                let again = known.into_mut();
                again.alert.event_count += 1;
                again.last_event_at = at;
                again.ends_at = event.ends_at;
                again.written = false;
                again
            }
            Entry::Vacant(unknown) => {
                let (integration_id, key) = unknown.key();
                let Some(alert) = rows::count_event(change.tx, integration_id, key, at, event.ends_at)?
                else {
                    return Ok(false);
                };
                unknown.insert(Again {
                    alert,
                    last_event_at: at,
                    ends_at: event.ends_at,
                    written: true,
                })
            }
        };
        let alert = &mut again.alert;
        let mut rephrased = None;
        if alert.words != words {
            rows::rephrase(change.tx, &alert.alert_id, event, words)?;
            alert.words = words;
            rephrased = Some(alert.alert_id.clone());
        }
        tell_again(change, alert, event)?;
        if alert.held.is_some() && alert.held != report.held() {
            alert.held = report.held();
            let id = alert.alert_id.clone();
            self.judge_again(change, report, &id)?;
        } else if let Some(id) = rephrased
            && let Some(incident_id) = rows::incident_of(change.tx, &id)?
            && let Some(known) = self.known(change, &signal.service_id)?
        {
            self.placing.raise(change, &known.service, event, &incident_id)?;
        }
        Ok(true)
    }

    /// The rules held an alert back, and say otherwise of its newest event.
    fn judge_again(&mut self, change: &mut Change, report: &Report, id: &AlertId) -> Result<(), Problem> {
        let Some(known) = self.known(change, &report.signal.service_id)? else {
            return Ok(());
        };
        rows::set_held(change.tx, id, report.held())?;
        rows::set_ruling(change.tx, id, report.ruling)?;
        change.cancel(jobs::Kind::PauseEnds, id.as_str())?;
        match report.held() {
            Some(Held::Suppressed) => {
                rows::hold_back(change.tx, id, HoldingBack::Suppressed, &report.reasons([]))?;
                Ok(())
            }
            Some(Held::Suspended) => {
                rows::hold_back(change.tx, id, HoldingBack::Waiting, &report.reasons([]))?;
                owe_pause(change, id, report.ruling)
            }
            None => {
                let reported = &report.signal.received_at;
                let Some(alert) = rows::find(change.tx, id)? else {
                    return Ok(());
                };
                let placing = &mut self.placing;
                let silence = known.silence;
                release(
                    change,
                    placing,
                    (&known.service, silence),
                    (&alert, report.ruling),
                    *reported,
                )
            }
        }
    }

    fn known(&mut self, change: &mut Change, id: &ServiceId) -> Result<Option<KnownService>, Problem> {
        if !self.services.contains_key(id) {
            let found = match crate::services::store::find(change.tx, id)? {
                Some(service) => {
                    let now = change.now;
                    let silence = silence_of(change.tx, &service, now)?;
                    Some(KnownService {
                        service: Arc::new(service),
                        silence,
                    })
                }
                None => None,
            };
            self.services.insert(id.clone(), found);
        }
        Ok(self.services.get(id).cloned().flatten())
    }

    fn add(&mut self, change: &mut Change, report: &Report) -> Result<Taken, Problem> {
        let (signal, event) = (report.signal, report.event);
        let id: AlertId = change.identifier();
        let Some(known) = self.known(change, &signal.service_id)? else {
            return Ok(Taken::NobodyToTell);
        };
        let kind = features(event, &known.service).kind();
        let mut new = NewAlert {
            id: &id,
            kind,
            integration_id: &signal.integration_id,
            service_id: &signal.service_id,
            incident_id: None,
            suppressed: false,
            reasons: &[],
            ruling: report.ruling,
            held: None,
            received_at: signal.received_at,
        };
        // What a rule suppresses stays so, whatever else keeps the service silent meanwhile.
        if report.held() == Some(Held::Suppressed) {
            (new.suppressed, new.held) = (true, Some(Held::Suppressed));
            let reasons = report.reasons([]);
            new.reasons = &reasons;
            insert(change, &new, event)?;
            return Ok(Taken::Done);
        }
        if let Some(silence) = known.silence {
            new.suppressed = true;
            let reasons = report.reasons([silence::reason(silence)]);
            new.reasons = &reasons;
            insert(change, &new, event)?;
            silence::owe_end(change, &signal.service_id, silence)?;
            return Ok(Taken::Done);
        }
        if report.held() == Some(Held::Suspended) {
            new.held = Some(Held::Suspended);
            let reasons = report.reasons([]);
            new.reasons = &reasons;
            insert(change, &new, event)?;
            owe_pause(change, &id, report.ruling)?;
            return Ok(Taken::Done);
        }
        let service = &known.service;
        let (integration_id, key) = (&signal.integration_id, &event.dedup_key);
        let at = signal.received_at;
        if let Some(wait) = patience::wait(change.tx, service, kind, integration_id, key, at)? {
            let reasons = report.reasons([wait.reason]);
            new.reasons = &reasons;
            insert(change, &new, event)?;
            let due = change.now + std::time::Duration::from_secs(u64::from(wait.seconds));
            change.owe(&Owed::at(jobs::Kind::PauseEnds, id.as_str(), due))?;
            return Ok(Taken::Done);
        }
        let (incident_id, reasons) =
            give_incident(change, &mut self.placing, service, (event, report.ruling), at)?;
        new.incident_id = Some(&incident_id);
        new.reasons = &reasons;
        insert(change, &new, event)?;
        tell_added(change, &incident_id, &id, event, &reasons)?;
        Ok(Taken::Done)
    }

    fn resolve(
        &mut self,
        change: &mut Change,
        at: Timestamp,
        id: &AlertId,
        text: String,
    ) -> Result<(), Problem> {
        if let Some(incident_id) = rows::incident_of(change.tx, id)? {
            // Held first, so that an alert that is just joining is seen, or finds it closed.
            crate::incidents::store::hold_open(change.tx, &incident_id)?;
        }
        let incident_id = rows::resolve(change.tx, id, at, Ending::ByItself)?;
        let Some(incident_id) = &incident_id else {
            change.cancel(jobs::Kind::PauseEnds, id.as_str())?;
            return Ok(());
        };
        change.record(
            NewEntry::new(Kind::AlertResolved, incident_id, text).details(json!({ "alert_id": id })),
        )?;
        if rows::any_open(change.tx, incident_id)? {
            return Ok(());
        }
        self.settle_first(change, incident_id, |change, id| {
            actions::resolve(change, id, Some("all its alerts are over")).map(drop)
        })?;
        self.placing.forget(incident_id);
        Ok(())
    }

    /// Writes what is remembered before an action reads the incident's row.
    fn settle_first(
        &mut self,
        change: &mut Change,
        id: &IncidentId,
        act: fn(&mut Change, &IncidentId) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        self.finish(change)?;
        match act(change, id) {
            // A person resolved it meanwhile: the sender's word comes late and changes nothing.
            Err(problem) if problem.status() == axum::http::StatusCode::BAD_REQUEST => Ok(()),
            other => other,
        }
    }
}

/// An alert that was to be said again by now is over, unless it was: its sender may be gone, or its rule.
pub fn end_unrenewed(change: &mut Change, id: &AlertId) -> Result<(), Problem> {
    let Some(alert) = rows::find(change.tx, id)? else {
        return Ok(());
    };
    // As every run over the journal does, so that nothing is said of it meanwhile.
    crate::services::store::lock(change.tx, &alert.service_id)?;
    let Some(Some(ends_at)) = rows::ends_at(change.tx, id)? else {
        return Ok(());
    };
    if ends_at > change.now {
        change.owe(&Owed::at(jobs::Kind::AlertEnds, id.as_str(), ends_at))?;
        return Ok(());
    }
    let name = rows::integration_name(change.tx, &alert.integration_id)?;
    let name = name.unwrap_or_else(|| "An integration".to_owned());
    change.act_as(Agent::integration(&alert.integration_id, name.clone()));
    let text = format!("{name} has not said an alert again in time, so it counts as over");
    let mut batch = Batch::default();
    batch.resolve(change, change.now, id, text)?;
    batch.finish(change)
}

/// An alert whose pause or silence is over and which is still open finds its incident now.
pub fn place_paused(change: &mut Change, id: &AlertId) -> Result<(), Problem> {
    let Some(alert) = rows::find(change.tx, id)? else {
        return Ok(());
    };
    // As every run over the journal does: those whose pauses end together see each other's incident.
    crate::services::store::lock(change.tx, &alert.service_id)?;
    let Some(alert) = rows::hold(change.tx, id)? else {
        return Ok(());
    };
    let waits = alert.incident_id.is_none() && alert.status == super::model::AlertStatus::Triggered;
    if !waits || alert.held == Some(Held::Suppressed) {
        return Ok(());
    }
    let Some(service) = crate::services::store::find(change.tx, &alert.service_id)? else {
        return Ok(());
    };
    if alert.held.is_some() {
        rows::set_held(change.tx, id, None)?;
    }
    let now = change.now;
    let silence = silence_of(change.tx, &service, now)?;
    let mut placing = Placing::default();
    let ruling = alert.ruling.as_ref();
    release(change, &mut placing, (&service, silence), (&alert, ruling), now)?;
    placing.finish(change)
}

/// An alert that was held back finds its incident, unless its service is silent.
fn release(
    change: &mut Change,
    placing: &mut Placing,
    (service, silence): (&Service, Option<Silence>),
    (alert, ruling): (&Alert, Option<&Ruling>),
    at: Timestamp,
) -> Result<(), Problem> {
    let id = &alert.id;
    if let Some(silence) = silence {
        let reasons = with_ruling(ruling, [silence::reason(silence)]);
        rows::hold_back(change.tx, id, HoldingBack::Suppressed, &reasons)?;
        return silence::owe_end(change, &service.id, silence);
    }
    let event = event_of(alert);
    let (incident_id, reasons) = give_incident(change, placing, service, (&event, ruling), at)?;
    rows::set_incident(change.tx, id, &incident_id, &reasons)?;
    tell_added(change, &incident_id, id, &event, &reasons)
}

/// Finds an incident for an event and does to it what rules asked for; with all that is to be said of it.
fn give_incident(
    change: &mut Change,
    placing: &mut Placing,
    service: &Service,
    (event, ruling): (&AlertEvent, Option<&Ruling>),
    at: Timestamp,
) -> Result<(IncidentId, Vec<Reason>), Problem> {
    let placed = placing.place(change, service, event, ruling, at)?;
    let mut reasons = with_ruling(ruling, placed.reasons);
    if let Some(ruling) = ruling {
        let others = outcome::carry_out(change, &placed.incident_id, ruling, placed.entry)?;
        reasons.extend(others);
    }
    Ok((placed.incident_id, reasons))
}

/// The open alert that a sender means. Rules may have been changed since it came, so that its key was another then.
fn find_meant(
    change: &mut Change,
    report: &Report,
    sent: &AlertEvent,
) -> Result<Option<AlertId>, store::Error> {
    let integration_id = &report.signal.integration_id;
    let found = rows::find_open(change.tx, integration_id, &report.event.dedup_key)?;
    if found.is_some() || report.event.dedup_key == sent.dedup_key {
        return Ok(found);
    }
    rows::find_open(change.tx, integration_id, &sent.dedup_key)
}

/// Has an alert that a rule suspended looked at again.
fn owe_pause(change: &mut Change, id: &AlertId, ruling: Option<&Ruling>) -> Result<(), Problem> {
    let seconds = ruling.and_then(|ruling| ruling.suspend_seconds).unwrap_or(0);
    let due = change.now + std::time::Duration::from_secs(u64::from(seconds));
    change.owe(&Owed::at(jobs::Kind::PauseEnds, id.as_str(), due))?;
    Ok(())
}

fn insert(change: &mut Change, new: &NewAlert, event: &AlertEvent) -> Result<(), Problem> {
    rows::insert(change.tx, new, event)?;
    if let Some(ends_at) = event.ends_at {
        change.owe(&Owed::at(jobs::Kind::AlertEnds, new.id.as_str(), ends_at))?;
    }
    Ok(())
}

/// Tells that an alert was said again: at first, then ever more rarely, then no more.
fn tell_again(change: &mut Change, alert: &rows::OpenAlert, event: &AlertEvent) -> Result<(), Problem> {
    let count = alert.event_count;
    let (kind, text) = if count == COUNTED_ONLY {
        let text = format!(
            "{} said it {COUNTED_ONLY} times; from here on it is only counted",
            change.agent.name
        );
        (Kind::AlertLimitReached, text)
    } else if TOLD_AT.contains(&count) {
        let times = if count == 2 {
            String::new()
        } else {
            format!(", {count} times now")
        };
        let text = format!("{} said it again{times}: {}", change.agent.name, event.summary);
        (Kind::AlertRepeated, text)
    } else {
        return Ok(());
    };
    // An alert that is held back has no incident to tell it to.
    if let Some(incident_id) = rows::incident_of(change.tx, &alert.alert_id)? {
        let details = json!({ "alert_id": alert.alert_id, "event_count": count });
        change.record(NewEntry::new(kind, &incident_id, text).details(details))?;
    }
    Ok(())
}

fn tell_added(
    change: &mut Change,
    incident_id: &IncidentId,
    id: &AlertId,
    event: &AlertEvent,
    reasons: &[Reason],
) -> Result<(), Problem> {
    let text = format!("{} reported: {}", change.agent.name, event.summary);
    change.record(NewEntry::new(Kind::AlertAdded, incident_id, text).details(
        json!({ "alert_id": id, "severity": event.severity, "source": event.source, "reasons": reasons }),
    ))?;
    Ok(())
}
