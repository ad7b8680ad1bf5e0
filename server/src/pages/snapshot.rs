//! Everything a page shows, read at once and without the time of reading, so that equal snapshots are equal
//! pages.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use store::{Error, Tx};

use super::components::{in_order, maintenances};
use super::model::{
    Component, ComponentId, ComponentStatus, Impact, Maintenance, MaintenanceStatus, OWN_LANGUAGE,
    PageIncident, PageIncidentId, PageUpdate, StatusPage,
};
use super::store as rows;
use super::uptime::{Uptime, uptime};
use crate::access::token;
use crate::updates::Phase;
use crate::updates::compose::listing;
use crate::updates::promised_words::{is_same_language, language_of_promise};
use crate::updates::situation::{self, Hurt};

/// Incidents that a page keeps ready; the field's public JSON lists as many.
pub const MOST_INCIDENTS: i64 = 50;

#[derive(Debug, Clone)]
pub struct Snapshot {
    pub page: StatusPage,
    pub components: Vec<Component>,
    pub uptimes: HashMap<ComponentId, Uptime>,
    /// The newest first.
    pub incidents: Vec<PageIncident>,
    /// By incident, the newest first.
    pub updates: HashMap<PageIncidentId, Vec<PageUpdate>>,
    pub maintenances: Vec<Maintenance>,
    /// In how many places a component is hurt, where they were named one by one.
    pub places: HashMap<ComponentId, usize>,
    /// Open incidents whose next word was promised for a time that has passed.
    pub lapsed: Vec<PageIncidentId>,
}

/// The snapshot with what hurts as it stands now.
pub fn read(tx: &mut Tx, page: StatusPage, now: Timestamp) -> Result<Snapshot, Error> {
    let hurt = situation::hurt_touchpoints(tx)?;
    of(tx, page, now, &hurt)
}

/// The snapshot with what hurts as it is known already.
pub fn of(
    tx: &mut Tx,
    page: StatusPage,
    now: Timestamp,
    hurt: &HashMap<String, Hurt>,
) -> Result<Snapshot, Error> {
    let components = rows::components(tx, &page.id)?;
    let ids: Vec<ComponentId> = components.iter().map(|one| one.id.clone()).collect();
    let mut changes: HashMap<ComponentId, Vec<(Timestamp, ComponentStatus)>> = HashMap::new();
    for (id, at, status) in rows::changes(tx, &ids)? {
        changes.entry(id).or_default().push((at, status));
    }
    let zone = TimeZone::get(&page.time_zone).unwrap_or(TimeZone::UTC);
    let uptimes = ids
        .into_iter()
        .map(|id| {
            let uptime = uptime(changes.get(&id).map_or(&[], Vec::as_slice), now, &zone);
            (id, uptime)
        })
        .collect();
    let incidents = rows::incidents(tx, &page.id, MOST_INCIDENTS)?;
    let incident_ids: Vec<PageIncidentId> = incidents.iter().map(|one| one.id.clone()).collect();
    let mut updates: HashMap<PageIncidentId, Vec<PageUpdate>> = HashMap::new();
    for update in rows::updates(tx, &incident_ids)? {
        updates
            .entry(update.page_incident_id.clone())
            .or_default()
            .push(update);
    }
    let maintenances = maintenances(tx, &components, now)?;
    let places = places(&components, hurt);
    let lapsed = incidents
        .iter()
        .filter(|one| one.status != Phase::Resolved)
        .filter(|one| promise(&updates, one).is_some_and(|due| due <= now))
        .map(|one| one.id.clone())
        .collect();
    Ok(Snapshot {
        page,
        components,
        uptimes,
        incidents,
        updates,
        maintenances,
        places,
        lapsed,
    })
}

/// When the next word about an incident is promised for.
fn promise(updates: &HashMap<PageIncidentId, Vec<PageUpdate>>, incident: &PageIncident) -> Option<Timestamp> {
    updates.get(&incident.id)?.first()?.next_update_by
}

/// Only where something is wrong and nobody says otherwise; what works is in no place.
fn places(components: &[Component], hurt: &HashMap<String, Hurt>) -> HashMap<ComponentId, usize> {
    let is_hurt = |one: &&Component| {
        let is_bad = one.status.impact() > Impact::Maintenance;
        is_bad && one.override_status.is_none() && one.business_service_id.is_some()
    };
    components
        .iter()
        .filter(is_hurt)
        .filter_map(|one| {
            let places = &hurt.get(one.business_service_id.as_ref()?.as_str())?.places;
            (!places.is_empty()).then(|| (one.id.clone(), places.len()))
        })
        .collect()
}

impl Snapshot {
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.page.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// The name of the group that a component stands in.
    pub fn group_of(&self, component: &Component) -> Option<&Component> {
        let id = component.group_id.as_ref()?;
        self.components.iter().find(|one| one.is_group && one.id == *id)
    }

    /// Those that readers see, in their order: no groups, and the shy ones only when something is wrong.
    pub fn shown(&self) -> impl Iterator<Item = &Component> {
        in_order(&self.components).into_iter().filter(|one| {
            !(one.is_group || one.only_show_if_degraded && one.status == ComponentStatus::Operational)
        })
    }

    pub fn open_incidents(&self) -> impl Iterator<Item = &PageIncident> {
        self.incidents.iter().filter(|one| one.status != Phase::Resolved)
    }

    pub fn updates_of(&self, incident: &PageIncident) -> &[PageUpdate] {
        self.updates.get(&incident.id).map_or(&[], Vec::as_slice)
    }

    /// The language in which readers are told of an incident: that of the page, unless the words themselves show
    /// another, as those do that Muster drafted and nobody wrote anew.
    pub fn language_of(&self, incident: &PageIncident) -> &str {
        let shown = self
            .updates_of(incident)
            .iter()
            .find_map(|update| language_of_promise(update.body.as_str()));
        shown
            .filter(|shown| !is_same_language(shown, &self.page.language))
            .unwrap_or(&self.page.language)
    }

    /// The same where it is another than that of the words around them, so that whoever hears the page read hears
    /// each by its own rules.
    pub fn foreign_to(&self, incident: &PageIncident) -> Option<String> {
        let language = self.language_of(incident);
        (!is_same_language(language, OWN_LANGUAGE)).then(|| language.to_owned())
    }

    /// How the whole page stands: the worst of its components.
    pub fn indicator(&self) -> Impact {
        let worst = self
            .components
            .iter()
            .filter(|one| !one.is_group)
            .map(|one| one.status.impact())
            .max();
        let told = self.open_incidents().map(|one| one.impact).max();
        worst.max(told).unwrap_or(Impact::None)
    }

    pub fn in_state(&self, state: MaintenanceStatus) -> impl Iterator<Item = &Maintenance> {
        self.maintenances.iter().filter(move |one| one.status == state)
    }

    /// What readers are told about planned work.
    pub fn words_of(&self, maintenance: &Maintenance) -> String {
        if let Some(words) = &maintenance.public_words {
            words.to_string()
        } else {
            let names = self.names(&maintenance.component_ids);
            format!(
                "Planned work. {} may not work as usual meanwhile.",
                listing(&names)
            )
        }
    }

    /// Planned work in any of these states, what begins last first; the field's public JSON lists fifty.
    pub fn planned(&self, states: &[MaintenanceStatus]) -> Vec<&Maintenance> {
        let mut planned: Vec<&Maintenance> = self
            .maintenances
            .iter()
            .filter(|one| states.contains(&one.status))
            .collect();
        planned.sort_by(|left, right| (right.start_at, &right.id).cmp(&(left.start_at, &left.id)));
        planned.truncate(MOST_INCIDENTS as usize);
        planned
    }

    /// What readers are told at one step of planned work.
    pub fn step_words(&self, maintenance: &Maintenance, step: MaintenanceStatus) -> String {
        match step {
            MaintenanceStatus::Scheduled => self.words_of(maintenance),
            MaintenanceStatus::InProgress => "The planned work has begun.".to_owned(),
            MaintenanceStatus::Completed => "The planned work is done.".to_owned(),
        }
    }

    /// "Planned work: Card payments and Loyalty"
    pub fn title_of(&self, maintenance: &Maintenance) -> String {
        format!(
            "Planned work: {}",
            listing(&self.names(&maintenance.component_ids))
        )
    }

    /// The names of components, for sentences.
    pub fn names(&self, ids: &[ComponentId]) -> Vec<&str> {
        self.components
            .iter()
            .filter(|one| ids.contains(&one.id))
            .map(|one| one.name.as_str())
            .collect()
    }

    /// The same for the same content.
    pub fn digest(&self) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Content<'a> {
            components: Vec<(
                &'a str,
                &'a str,
                Option<&'a str>,
                ComponentStatus,
                i64,
                Option<&'a Uptime>,
            )>,
            incidents: &'a [PageIncident],
            updates: Vec<&'a PageUpdate>,
            maintenances: &'a [Maintenance],
            places: Vec<(&'a ComponentId, usize)>,
            lapsed: &'a [PageIncidentId],
        }
        let mut places: Vec<(&ComponentId, usize)> =
            self.places.iter().map(|(id, count)| (id, *count)).collect();
        places.sort();
        let content = Content {
            components: self
                .components
                .iter()
                .map(|one| {
                    (
                        one.id.as_str(),
                        one.name.as_str(),
                        one.description.as_ref().map(crate::words::PublicText::as_str),
                        one.status,
                        one.position,
                        self.uptimes.get(&one.id),
                    )
                })
                .collect(),
            incidents: &self.incidents,
            updates: self
                .incidents
                .iter()
                .flat_map(|one| self.updates_of(one))
                .collect(),
            maintenances: &self.maintenances,
            places,
            lapsed: &self.lapsed,
        };
        Ok(token::hash(&serde_json::to_string(&content)?))
    }

    /// When something changes by the clock alone: a day ends, planned work begins or ends, a promise lapses. Five
    /// minutes at most.
    pub fn next_change(&self, now: Timestamp) -> Timestamp {
        let soon = now + std::time::Duration::from_secs(300);
        let edges = self
            .maintenances
            .iter()
            .flat_map(|one| [one.start_at, one.end_at]);
        let midnight = now
            .to_zoned(self.zone())
            .tomorrow()
            .and_then(|day| day.start_of_day())
            .map(|day| day.timestamp());
        let promises = self
            .open_incidents()
            .filter_map(|one| promise(&self.updates, one));
        edges
            .chain(promises)
            .chain(midnight)
            .filter(|at| *at > now)
            .fold(soon, std::cmp::Ord::min)
    }
}
