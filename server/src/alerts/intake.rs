//! One event at a time, in the order of the journal: a new alert or more of a known one, in which
//! incident, and what follows.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use triage::{Event, Features, Grouping, Knowledge, Profile, choose_group, flatten_details};

use super::model::{AlertId, Reason};
use super::store::{self as rows, NewAlert};
use crate::http::Problem;
use crate::incidents::model::{Handler, NewIncident, Origin};
use crate::incidents::{IncidentId, actions, store as incident_rows};
use crate::jobs;
use crate::jobs::Owed;
use crate::services::{Service, ServiceId};
use crate::signals::event::{AlertEvent, EventAction};
use crate::signals::intake::Waiting;
use crate::timeline::{Agent, Change, Kind, NewEntry};

/// Incidents that come into question for one alert at most, the latest first.
const CANDIDATES: i64 = 200;
/// Repetitions of one alert that get an entry on the timeline; the rest is only counted.
const REPEATS_TOLD: i64 = 20;

/// What one run over the journal remembers between events, so that a storm on one service reads its
/// setting and its open incidents once.
#[derive(Default)]
pub struct Batch {
    services: BTreeMap<ServiceId, Option<KnownService>>,
    integrations: BTreeMap<String, Agent>,
}

struct KnownService {
    service: Service,
    in_maintenance: bool,
    /// Open incidents that could be joined, read when first needed.
    open: Option<Vec<OpenIncident>>,
}

struct OpenIncident {
    id: IncidentId,
    profile: Profile,
    changed: bool,
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
        for known in self.services.values_mut().flatten() {
            for open in known.open.iter_mut().flatten().filter(|open| open.changed) {
                let profile = serde_json::to_value(&open.profile).map_err(Problem::internal)?;
                incident_rows::note_joined(change.tx, &open.id, change.now, &profile)?;
                open.changed = false;
            }
        }
        Ok(())
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

    fn known(&mut self, change: &mut Change, id: &ServiceId) -> Result<Option<&mut KnownService>, Problem> {
        if !self.services.contains_key(id) {
            let found = match crate::services::store::find(change.tx, id)? {
                Some(service) => {
                    let now = change.now;
                    let in_maintenance = crate::services::store::in_maintenance(change.tx, id, now)?;
                    Some(KnownService {
                        service,
                        in_maintenance,
                        open: None,
                    })
                }
                None => None,
            };
            self.services.insert(id.clone(), found);
        }
        Ok(self.services.get_mut(id).and_then(Option::as_mut))
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
        let mut new = NewAlert {
            id: &id,
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
        if let Some(pause) = pause_seconds(&known.service) {
            let sentence = format!(
                "Held back for {pause} seconds, because the service waits whether alerts clear by themselves."
            );
            let reasons = [Reason {
                figures: json!({ "kind": "paused", "seconds": pause }),
                sentence,
            }];
            new.reasons = &reasons;
            rows::insert(change.tx, &new, event)?;
            let due = change.now + std::time::Duration::from_secs(u64::from(pause));
            return Ok(change.owe(&Owed::at(jobs::Kind::PauseEnds, id.as_str(), due))?);
        }
        let (incident_id, reasons) = place(change, known, event)?;
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
        rows::resolve(change.tx, &open.id, signal.received_at)?;
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
        self.forget(incident_id);
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

    fn forget(&mut self, id: &IncidentId) {
        for known in self.services.values_mut().flatten() {
            if let Some(open) = &mut known.open {
                open.retain(|one| one.id != *id);
            }
        }
    }
}

/// Finds the incident an alert joins, or opens one.
fn place(
    change: &mut Change,
    known: &mut KnownService,
    event: &AlertEvent,
) -> Result<(IncidentId, Vec<Reason>), Problem> {
    let details = flatten_details(&Value::Object(event.custom_details.clone()));
    let service_id = known.service.id.clone();
    let seen = triage_event(event, service_id.as_str(), &details);
    let grouping = known.service.alert_grouping.grouping.clone();
    let features = Features::of(&seen, &grouping);
    if known.open.is_none() && !matches!(grouping, Grouping::Off) {
        known.open = Some(read_open(change, &service_id, &grouping)?);
    }
    let open = known.open.get_or_insert_default();
    let candidates: Vec<&Profile> = open.iter().map(|one| &one.profile).collect();
    let choice = choose_group(
        &grouping,
        &features,
        &candidates,
        &Knowledge::default(),
        change.now,
    );
    let reasons = choice.reasons.iter().map(Reason::of).collect();
    if let Some(joined) = choice.joined.and_then(|index| open.get_mut(index)) {
        joined.profile.add(features, change.now);
        joined.changed = true;
        return Ok((joined.id.clone(), reasons));
    }
    let urgency = crate::services::urgency_at(&known.service, Some(severity_of(event)), change.now);
    let profile = Profile::open(features, change.now);
    let keep = !matches!(grouping, Grouping::Off);
    let incident = actions::open(
        change,
        &NewIncident {
            title: event.summary.clone(),
            service_id,
            urgency,
            origin: Origin::Event,
            incident_key: None,
            incident_type: "incident_default".to_owned(),
            body: None,
            priority_id: None,
            conference_number: None,
            conference_url: None,
            handler: Handler::ServicePolicy,
            profile: keep.then(|| profile.clone()),
        },
    )?;
    if keep {
        open.push(OpenIncident {
            id: incident.id.clone(),
            profile,
            changed: false,
        });
    }
    Ok((incident.id, reasons))
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
    let event = AlertEvent {
        action: EventAction::Trigger,
        dedup_key: alert.alert_key.clone(),
        summary: alert.summary.clone(),
        source: alert.source.clone(),
        severity: alert.severity.clone(),
        timestamp: None,
        component: alert.component.clone(),
        group: alert.alert_group.clone(),
        class: alert.class.clone(),
        client: alert.client.clone(),
        client_url: alert.client_url.clone(),
        custom_details: alert.custom_details.as_object().cloned().unwrap_or_default(),
        contexts: Vec::new(),
        truncated: Vec::new(),
    };
    let mut known = KnownService {
        service,
        in_maintenance: false,
        open: None,
    };
    let (incident_id, reasons) = place(change, &mut known, &event)?;
    rows::set_incident(change.tx, id, &incident_id, &reasons)?;
    for open in known.open.iter().flatten().filter(|open| open.changed) {
        let profile = serde_json::to_value(&open.profile).map_err(Problem::internal)?;
        incident_rows::note_joined(change.tx, &open.id, change.now, &profile)?;
    }
    tell_added(change, &incident_id, id, &event, &reasons)
}

fn read_open(
    change: &mut Change,
    service_id: &ServiceId,
    grouping: &Grouping,
) -> Result<Vec<OpenIncident>, Problem> {
    let since = grouping
        .window_seconds()
        .map(|seconds| change.now - std::time::Duration::from_secs(seconds.unsigned_abs()));
    let rows = incident_rows::joinable(change.tx, service_id, since, CANDIDATES)?;
    // Incidents opened by a person have no profile; alerts do not join them by themselves.
    Ok(rows
        .into_iter()
        .filter_map(|(id, profile)| {
            let profile = serde_json::from_value::<Option<Profile>>(profile)
                .ok()
                .flatten()?;
            Some(OpenIncident {
                id,
                profile,
                changed: false,
            })
        })
        .collect())
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

fn triage_event<'a>(event: &'a AlertEvent, service: &'a str, details: &'a [(String, String)]) -> Event<'a> {
    Event {
        service,
        dedup_key: &event.dedup_key,
        summary: &event.summary,
        source: &event.source,
        severity: severity_of(event),
        component: event.component.as_deref(),
        group: event.group.as_deref(),
        class: event.class.as_deref(),
        details,
        ..Event::default()
    }
}

/// How long an alert of this service waits before it becomes an incident. Without anything learned yet, the
/// recommended pause is the middle one.
fn pause_seconds(service: &Service) -> Option<u32> {
    match service.auto_pause.setting() {
        triage::AutoPause::Off => None,
        triage::AutoPause::Recommended => Some(300),
        triage::AutoPause::Seconds(seconds) => Some(seconds),
    }
}

fn severity_of(event: &AlertEvent) -> triage::Severity {
    match event.severity.as_str() {
        "critical" => triage::Severity::Critical,
        "warning" => triage::Severity::Warning,
        "info" => triage::Severity::Info,
        _ => triage::Severity::Error,
    }
}
