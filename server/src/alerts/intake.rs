//! One event at a time, in the order of the journal: a new alert or more of a known one, in which
//! incident, and what follows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use triage::Ending;

use super::model::{AlertId, Reason};
use super::patience;
use super::placing::{Placed, Placing, event_of, features};
use super::store::{self as rows, NewAlert};
use crate::http::Problem;
use crate::incidents::{IncidentId, actions};
use crate::jobs;
use crate::jobs::Owed;
use crate::services::{Service, ServiceId};
use crate::signals::event::{AlertEvent, EventAction};
use crate::signals::intake::Waiting;
use crate::timeline::{Agent, Change, Kind, NewEntry};

/// Repetitions of one alert that get an entry on the timeline; the rest is only counted.
const REPEATS_TOLD: i64 = 20;

/// What one run over the journal remembers between events, so that a storm on one service reads its
/// setting and its open incidents once.
#[derive(Default)]
pub struct Batch {
    services: BTreeMap<ServiceId, Option<KnownService>>,
    integrations: BTreeMap<String, Agent>,
    placing: Placing,
}

#[derive(Clone)]
struct KnownService {
    service: Arc<Service>,
    in_maintenance: bool,
}

impl Batch {
    /// Takes one event.
    pub fn take(&mut self, change: &mut Change, signal: &Waiting, event: AlertEvent) -> Result<(), Problem> {
        let agent = self.agent(change, signal)?;
        change.act_as(agent);
        let open = rows::find_open(change.tx, &signal.integration_id, &event.dedup_key)?;
        match (event.action, open) {
            (EventAction::Trigger, Some(open)) => repeat(change, &open, &event, signal),
            (EventAction::Trigger, None) => self.add(change, signal, &event),
            (EventAction::Acknowledge, Some(open)) => match open.incident_id {
                Some(id) => self.settle_first(change, &id, |change, id| {
                    actions::acknowledge(change, id).map(drop)
                }),
                None => Ok(()),
            },
            (EventAction::Resolve, Some(open)) => self.resolve(change, signal, &open),
            // Nothing is open under this key: nothing to do, and nothing is created.
            (EventAction::Acknowledge | EventAction::Resolve, None) => Ok(()),
        }
    }

    /// Writes what was remembered of the incidents that grew.
    pub fn finish(&mut self, change: &mut Change) -> Result<(), Problem> {
        self.placing.finish(change)
    }

    fn agent(&mut self, change: &mut Change, signal: &Waiting) -> Result<Agent, Problem> {
        let id = signal.integration_id.as_str();
        if let Some(agent) = self.integrations.get(id) {
            return Ok(agent.clone());
        }
        let name = rows::integration_name(change.tx, &signal.integration_id)?;
        let agent = Agent::integration(id, name.unwrap_or_else(|| "An integration".to_owned()));
        self.integrations.insert(id.to_owned(), agent.clone());
        Ok(agent)
    }

    fn known(&mut self, change: &mut Change, id: &ServiceId) -> Result<Option<KnownService>, Problem> {
        if !self.services.contains_key(id) {
            let found = match crate::services::store::find(change.tx, id)? {
                Some(service) => {
                    let now = change.now;
                    let in_maintenance = crate::services::store::in_maintenance(change.tx, id, now)?;
                    Some(KnownService {
                        service: Arc::new(service),
                        in_maintenance,
                    })
                }
                None => None,
            };
            self.services.insert(id.clone(), found);
        }
        Ok(self.services.get(id).cloned().flatten())
    }

    fn add(&mut self, change: &mut Change, signal: &Waiting, event: &AlertEvent) -> Result<(), Problem> {
        let id: AlertId = change.identifier();
        let Some(known) = self.known(change, &signal.service_id)? else {
            tracing::warn!(
                service = signal.service_id.as_str(),
                "an event came for a service that is gone"
            );
            return Ok(());
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
            received_at: signal.received_at,
        };
        if known.in_maintenance || known.service.disabled {
            new.suppressed = true;
            let sentence = if known.service.disabled {
                "The service is switched off, so no incident was opened."
            } else {
                "The service is in maintenance, so no incident was opened."
            };
            let reasons = [Reason {
                figures: json!({ "kind": "suppressed" }),
                sentence: sentence.to_owned(),
            }];
            new.reasons = &reasons;
            return Ok(rows::insert(change.tx, &new, event)?);
        }
        let service = &known.service;
        let (integration_id, key) = (&signal.integration_id, &event.dedup_key);
        let at = signal.received_at;
        if let Some(wait) = patience::wait(change.tx, service, kind, integration_id, key, at)? {
            let reasons = [wait.reason];
            new.reasons = &reasons;
            rows::insert(change.tx, &new, event)?;
            let due = change.now + std::time::Duration::from_secs(u64::from(wait.seconds));
            return Ok(change.owe(&Owed::at(jobs::Kind::PauseEnds, id.as_str(), due))?);
        }
        let Placed { incident_id, reasons } = self.placing.place(change, service, event, at)?;
        new.incident_id = Some(&incident_id);
        new.reasons = &reasons;
        rows::insert(change.tx, &new, event)?;
        tell_added(change, &incident_id, &id, event, &reasons)
    }

    fn resolve(
        &mut self,
        change: &mut Change,
        signal: &Waiting,
        open: &rows::OpenAlert,
    ) -> Result<(), Problem> {
        rows::resolve(change.tx, &open.id, signal.received_at, Ending::ByItself)?;
        let Some(incident_id) = &open.incident_id else {
            change.cancel(jobs::Kind::PauseEnds, open.id.as_str())?;
            return Ok(());
        };
        let text = format!("{} says that an alert is over", change.agent.name);
        change.record(
            NewEntry::new(Kind::AlertResolved, incident_id, text).details(json!({ "alert_id": open.id })),
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

/// An alert whose pause is over and which is still open finds its incident now.
pub fn place_paused(change: &mut Change, id: &AlertId) -> Result<(), Problem> {
    let Some(alert) = rows::find(change.tx, id)? else {
        return Ok(());
    };
    if alert.incident_id.is_some() || alert.status != super::model::AlertStatus::Triggered {
        return Ok(());
    }
    let Some(service) = crate::services::store::find(change.tx, &alert.service_id)? else {
        return Ok(());
    };
    let event = event_of(&alert);
    let mut placing = Placing::default();
    let now = change.now;
    let Placed { incident_id, reasons } = placing.place(change, &service, &event, now)?;
    rows::set_incident(change.tx, id, &incident_id, &reasons)?;
    placing.finish(change)?;
    tell_added(change, &incident_id, id, &event, &reasons)
}

fn repeat(
    change: &mut Change,
    open: &rows::OpenAlert,
    event: &AlertEvent,
    signal: &Waiting,
) -> Result<(), Problem> {
    rows::repeat(change.tx, &open.id, event, signal.received_at)?;
    let Some(incident_id) = &open.incident_id else {
        return Ok(());
    };
    let entry = match open.event_count {
        count if count < REPEATS_TOLD => NewEntry::new(
            Kind::AlertRepeated,
            incident_id,
            format!("{} said it again: {}", change.agent.name, event.summary),
        ),
        REPEATS_TOLD => NewEntry::new(
            Kind::AlertLimitReached,
            incident_id,
            format!("An alert was repeated {REPEATS_TOLD} times; further repetitions are only counted"),
        ),
        _ => return Ok(()),
    };
    change.record(entry.details(json!({ "alert_id": open.id })))?;
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
