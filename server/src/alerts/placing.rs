//! Which incident a new alert belongs to.
//!
//! The judgement is `triage`'s; this module brings it the open incidents that come into question, the dependency graph and
//! what people taught, and does what it decides: the alert joins, or an incident opens. When a second incident of the same kind is
//! recognised by the wave of its alerts, those that came before the recognition are moved into it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use store::{params, sql};
use triage::{Choice, Event, Features, Grouping, Knowledge, Profile, choose_group, flatten_details};

use super::model::{AlertId, Reason};
use super::store as rows;
use crate::http::Problem;
use crate::incidents::knowledge::Landscape;
use crate::incidents::model::{NewIncident, Origin};
use crate::incidents::{IncidentId, actions, causes, lessons, store as incident_rows, urgency};
use crate::orchestration::Ruling;
use crate::orchestration::outcome::{self, Entry};
use crate::services::{Service, ServiceId, is_raised_by, urgency_at};
use crate::signals::event::AlertEvent;
use crate::timeline::{Change, Kind, NewEntry};

/// Incidents that come into question for one alert at most, the latest first.
const CANDIDATES: i64 = 200;
/// Incidents of other services that people's lessons bring into question.
const TAUGHT: i64 = 20;
/// Alerts that one wave moves at most.
const WAVE: i64 = 256;

/// The open incidents and the knowledge of one run, so that a storm reads them once.
#[derive(Default)]
pub(super) struct Placing {
    incidents: BTreeMap<IncidentId, OpenIncident>,
    of_service: BTreeMap<ServiceId, Vec<IncidentId>>,
    /// Those that are known to stay open until the end of the transaction.
    held: BTreeSet<IncidentId>,
    /// Those that a grave alert was taken for: they are urgent now, or a person wants them otherwise.
    raised: BTreeSet<IncidentId>,
    knowledge: Option<Knowledge>,
    /// Kinds whose lessons and causes were read, with the incidents that these bring into question.
    taught: BTreeMap<triage::Kind, Vec<IncidentId>>,
}

struct OpenIncident {
    profile: Profile,
    changed: bool,
}

/// What was decided of one alert.
pub(super) struct Placed {
    pub(super) incident_id: IncidentId,
    pub(super) entry: Entry,
    pub(super) reasons: Vec<Reason>,
}

impl Placing {
    /// Finds the incident an alert joins, or opens one as the rules asked for. `at` is when the alert came.
    pub(super) fn place(
        &mut self,
        change: &mut Change,
        service: &Service,
        event: &AlertEvent,
        ruling: Option<&Ruling>,
        at: Timestamp,
    ) -> Result<Placed, Problem> {
        let grouping = &service.alert_grouping.grouping;
        let features = features(event, service);
        let (ids, choice) = self.choose(change, service, &features, at)?;
        let mut reasons: Vec<Reason> = choice.reasons.iter().map(Reason::of).collect();
        if let Some(id) = choice.joined.and_then(|index| ids.get(index))
            && let Some(joined) = self.incidents.get_mut(id)
        {
            joined.profile.add(features, at);
            joined.changed = true;
            let incident_id = id.clone();
            self.raise(change, service, event, &incident_id)?;
            return Ok(Placed {
                incident_id,
                entry: Entry::Joined,
                reasons,
            });
        }
        let profile = Profile::open(features, at);
        let keep = !matches!(grouping, Grouping::Off);
        let urgency = urgency_at(service, Some(severity_of(event)), change.now);
        let new = NewIncident {
            profile: keep.then(|| profile.clone()),
            handler: outcome::handler(change, ruling)?,
            priority_id: ruling.and_then(|ruling| ruling.priority_id.clone()),
            ..NewIncident::new(&event.summary, service.id.clone(), urgency, Origin::Event)
        };
        let incident = actions::open(change, &new)?;
        if keep {
            let opened = OpenIncident {
                profile,
                changed: false,
            };
            self.incidents.insert(incident.id.clone(), opened);
            self.held.insert(incident.id.clone());
            self.of_service
                .entry(service.id.clone())
                .or_default()
                .push(incident.id.clone());
            reasons.extend(self.take_along(change, service, &incident.id, &choice, &ids)?);
        }
        Ok(Placed {
            incident_id: incident.id,
            entry: Entry::Opened,
            reasons,
        })
    }

    /// What began as a warning may become grave by a further alert, or by more of one: then people are paged.
    pub(super) fn raise(
        &mut self,
        change: &mut Change,
        service: &Service,
        event: &AlertEvent,
        id: &IncidentId,
    ) -> Result<(), Problem> {
        if is_raised_by(service, severity_of(event), change.now) && self.raised.insert(id.clone()) {
            urgency::raise(change, id)?;
        }
        Ok(())
    }

    /// Chooses among the incidents that come into question; the one that is joined stays open until the transaction
    /// ends. One that somebody ended meanwhile is forgotten, and chosen is again.
    fn choose(
        &mut self,
        change: &mut Change,
        service: &Service,
        features: &Features,
        at: Timestamp,
    ) -> Result<(Vec<IncidentId>, Choice), Problem> {
        loop {
            let ids = self.candidates(change, service, features, at)?;
            let profiles: Vec<&Profile> = ids
                .iter()
                .filter_map(|id| Some(&self.incidents.get(id)?.profile))
                .collect();
            let nothing_known = Knowledge::default();
            let knowledge = self.knowledge.as_ref().unwrap_or(&nothing_known);
            let grouping = &service.alert_grouping.grouping;
            let choice = choose_group(grouping, features, &profiles, knowledge, at);
            let Some(joined) = choice.joined.and_then(|index| ids.get(index)).cloned() else {
                return Ok((ids, choice));
            };
            if self.hold(change, &joined)? {
                return Ok((ids, choice));
            }
            self.forget(&joined);
        }
    }

    /// Whether an incident is open; if so, it stays so until the transaction ends.
    fn hold(&mut self, change: &mut Change, id: &IncidentId) -> Result<bool, Problem> {
        if self.held.contains(id) {
            return Ok(true);
        }
        let open = incident_rows::hold_open(change.tx, id)?;
        if open {
            self.held.insert(id.clone());
        }
        Ok(open)
    }

    /// Writes what is remembered of the incidents that grew.
    pub(super) fn finish(&mut self, change: &mut Change) -> Result<(), Problem> {
        for (id, open) in self.incidents.iter_mut().filter(|(_, open)| open.changed) {
            let profile = serde_json::to_value(&open.profile).map_err(Problem::internal)?;
            incident_rows::note_joined(change.tx, id, change.now, &profile)?;
            open.changed = false;
        }
        Ok(())
    }

    /// An incident is over: nothing joins it any more.
    pub(super) fn forget(&mut self, id: &IncidentId) {
        self.incidents.remove(id);
        self.held.remove(id);
    }

    /// The incidents that come into question: open ones of the service, and those that people's lessons point to.
    fn candidates(
        &mut self,
        change: &mut Change,
        service: &Service,
        features: &Features,
        at: Timestamp,
    ) -> Result<Vec<IncidentId>, Problem> {
        let grouping = &service.alert_grouping.grouping;
        if matches!(grouping, Grouping::Off) {
            return Ok(Vec::new());
        }
        let since = grouping
            .window_seconds()
            .map(|seconds| at - Duration::from_secs(seconds.unsigned_abs()));
        if !self.of_service.contains_key(&service.id) {
            let found = incident_rows::joinable(change.tx, &service.id, since, CANDIDATES)?;
            let ids = self.keep(found);
            self.of_service.insert(service.id.clone(), ids);
        }
        let scored = matches!(
            grouping,
            Grouping::Intelligent { .. } | Grouping::ContentBasedIntelligent { .. }
        );
        if scored && !self.taught.contains_key(&features.kind()) {
            if self.knowledge.is_none() {
                let topology = Landscape::read(change.tx)?.topology;
                self.knowledge = Some(Knowledge {
                    topology,
                    ..Knowledge::default()
                });
            }
            let knowledge = self.knowledge.get_or_insert_default();
            causes::recall(change.tx, &mut knowledge.causes, features.kind())?;
            let partners = lessons::recall(change.tx, &mut knowledge.lessons, features.kind())?;
            let found = lessons::incidents_with(change.tx, &partners, since, TAUGHT)?;
            let ids = self.keep(found);
            self.taught.insert(features.kind(), ids);
        }
        let own = self.of_service.get(&service.id).into_iter().flatten();
        let taught = self.taught.get(&features.kind()).into_iter().flatten();
        let mut seen = BTreeSet::new();
        Ok(own
            .chain(taught)
            .filter(|id| self.incidents.contains_key(id) && seen.insert((*id).clone()))
            .cloned()
            .collect())
    }

    /// Remembers incidents as they were read, unless they are known already. Those that people opened have no
    /// profile, and alerts do not join them by themselves.
    fn keep(&mut self, found: Vec<(IncidentId, Value)>) -> Vec<IncidentId> {
        let mut ids = Vec::new();
        for (id, profile) in found {
            if let Ok(Some(profile)) = serde_json::from_value::<Option<Profile>>(profile) {
                self.incidents.entry(id.clone()).or_insert(OpenIncident {
                    profile,
                    changed: false,
                });
                ids.push(id);
            }
        }
        ids
    }

    /// Moves into the new incident what came with its wave. An incident is never left
    /// without an open alert, since none would be there to end it.
    fn take_along(
        &mut self,
        change: &mut Change,
        service: &Service,
        into: &IncidentId,
        choice: &Choice,
        ids: &[IncidentId],
    ) -> Result<Option<Reason>, Problem> {
        let mut moved = 0;
        for wave in &choice.waves {
            let Some(from) = ids.get(wave.from) else {
                continue;
            };
            if !self.hold(change, from)? {
                continue;
            }
            let leaving = rows::open_since(change.tx, from, wave.since, WAVE)?;
            let counts = incident_rows::alert_counts(change.tx, std::slice::from_ref(from))?;
            let open = counts.first().map_or(0, |(_, counts)| counts.triggered);
            if leaving.is_empty() || leaving.len() as i64 >= open {
                continue;
            }
            let taken: Vec<Features> = leaving
                .iter()
                .map(|alert| features(&event_of(alert), service))
                .collect();
            for alert in &leaving {
                change.tx.execute_one(
                    sql!("UPDATE alerts SET incident_id = $2 WHERE id = $1"),
                    params![&alert.id, into],
                )?;
            }
            if let Some(older) = self.incidents.get_mut(from) {
                older.profile.cede(&taken);
                older.changed = true;
            }
            if let Some(younger) = self.incidents.get_mut(into) {
                for (alert, features) in leaving.iter().zip(taken) {
                    younger.profile.add(features, alert.created_at);
                }
                younger.changed = true;
            }
            moved += leaving.len() as u32;
            tell_moved(
                change,
                from,
                into,
                &leaving.iter().map(|alert| &alert.id).collect::<Vec<_>>(),
            )?;
        }
        Ok((moved > 0).then(|| Reason::of(&triage::Reason::TakenAlong { alerts: moved })))
    }
}

fn tell_moved(
    change: &mut Change,
    from: &IncidentId,
    into: &IncidentId,
    alerts: &[&AlertId],
) -> Result<(), Problem> {
    let what = match alerts.len() {
        1 => "An alert".to_owned(),
        count => format!("{count} alerts"),
    };
    let numbers: Vec<i64> = [from, into]
        .into_iter()
        .filter_map(|id| incident_rows::find(change.tx, id).ok().flatten())
        .map(|incident| incident.number)
        .collect();
    let [from_number, into_number] = numbers[..] else {
        return Ok(());
    };
    let left = format!("{what} moved to #{into_number}: a second incident like this one had begun");
    let came = format!("{what} came over from #{from_number}: they were the beginning of this incident");
    for (incident, text) in [(from, left), (into, came)] {
        change.record(
            NewEntry::new(Kind::AlertMoved, incident, text).details(json!({ "alert_ids": alerts })),
        )?;
    }
    Ok(())
}

/// What grouping looks at in an event.
pub(crate) fn features(event: &AlertEvent, service: &Service) -> Features {
    let details = flatten_details(&Value::Object(event.custom_details.clone()));
    let seen = Event {
        service: service.id.as_str(),
        dedup_key: &event.dedup_key,
        summary: &event.summary,
        source: &event.source,
        severity: severity_of(event),
        component: event.component.as_deref(),
        group: event.group.as_deref(),
        class: event.class.as_deref(),
        details: &details,
        ..Event::default()
    };
    Features::of(&seen, &service.alert_grouping.grouping)
}

/// The event that an alert was made of, as far as decisions look at it.
pub(crate) fn event_of(alert: &super::model::Alert) -> AlertEvent {
    AlertEvent {
        action: crate::signals::event::EventAction::Trigger,
        dedup_key: alert.alert_key.clone(),
        summary: alert.summary.clone(),
        source: alert.source.clone(),
        severity: alert.severity.clone(),
        timestamp: alert.happened_at,
        ends_at: None,
        component: alert.component.clone(),
        group: alert.alert_group.clone(),
        class: alert.class.clone(),
        client: alert.client.clone(),
        client_url: alert.client_url.clone(),
        custom_details: alert.custom_details.as_object().cloned().unwrap_or_default(),
        contexts: Vec::new(),
        truncated: Vec::new(),
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
