//! Incidents as whole resources, and what `include[]` may ask for around them.

use jiff::Timestamp;
use serde_json::Value;
use store::Tx;

use super::dialect::{Surroundings, view};
use super::model::IncidentId;
use super::store as rows;
use crate::http::expansion::{self, Relation, Wholes};
use crate::http::{Include, Problem, Site};
use crate::services;
use crate::timeline::model::EntryId;
use crate::timeline::store as entries;

const fn relation(name: &'static str, kind: &'static str, under: &'static [&'static str]) -> Relation {
    Relation { name, kind, under }
}

const PEOPLE: &[&str] = &["assignments", "acknowledgements", "last_status_change_by"];

/// What an incident refers to. Priorities, the body and the conference bridge are always whole.
pub const OF_INCIDENTS: [Relation; 9] = [
    relation(
        "first_trigger_log_entries",
        "trigger_log_entry_reference",
        &["first_trigger_log_entry"],
    ),
    relation("services", "service_reference", &["service"]),
    relation(
        "escalation_policies",
        "escalation_policy_reference",
        &["escalation_policy"],
    ),
    relation("teams", "team_reference", &["teams"]),
    relation("assignees", "user_reference", &["assignments"]),
    relation("acknowledgers", "user_reference", &["acknowledgements"]),
    relation("agents", "user_reference", &["last_status_change_by"]),
    relation("agents", "service_reference", &["last_status_change_by"]),
    relation("users", "user_reference", PEOPLE),
];

/// What an alert or a log entry refers to. Channels are always whole.
pub const OF_ENTRIES: [Relation; 4] = [
    relation(
        "first_trigger_log_entries",
        "trigger_log_entry_reference",
        &["first_trigger_log_entry"],
    ),
    relation("services", "service_reference", &["service"]),
    relation("incidents", "incident_reference", &["incident"]),
    relation("teams", "team_reference", &["teams"]),
];

/// Expands what was asked for in resources of this slice.
pub fn expand(
    tx: &mut Tx,
    site: &Site,
    now: Timestamp,
    include: &Include,
    relations: &[Relation],
    resources: &mut [Value],
) -> Result<(), Problem> {
    expansion::expand(include, relations, resources, |kind, ids| match kind {
        "incident_reference" => whole_incidents(tx, site, ids),
        "trigger_log_entry_reference" => beginnings(tx, site, ids),
        _ => services::api::wholes::load(tx, site, now, kind, ids),
    })
}

fn whole_incidents(tx: &mut Tx, site: &Site, ids: &[String]) -> Result<Wholes, Problem> {
    let ids: Vec<IncidentId> = ids.iter().map(|id| IncidentId::from(id.as_str())).collect();
    let incidents = rows::find_all(tx, &ids)?;
    let around = Surroundings::read(tx, &incidents)?;
    Ok(incidents
        .iter()
        .map(|incident| (incident.id.to_string(), view(incident, &around, site)))
        .collect())
}

fn beginnings(tx: &mut Tx, site: &Site, ids: &[String]) -> Result<Wholes, Problem> {
    let mut found = Vec::new();
    for id in ids {
        found.extend(entries::find(tx, &EntryId::from(id.as_str()))?);
    }
    let views = super::log_view::views(tx, &found, site)?;
    let ids = found.iter().map(|entry| entry.id.to_string());
    Ok(ids.zip(views).collect())
}
