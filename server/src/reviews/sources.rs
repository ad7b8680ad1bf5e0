//! Reading what a report is made of.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use store::{Tx, params, sql};

use super::facts::{self, Cases, Changed, Facts, Silence, Sources};
use crate::http::Problem;
use crate::impact::model::Evidence;
use crate::impact::{Impact, store as impact_rows};
use crate::incidents::Incident;
use crate::services::change_events;
use crate::services::graph::{self, ServiceNode};
use crate::timeline::store as timeline_rows;

/// How long before an incident a change may have caused it.
const CHANGES_BEFORE: SignedDuration = SignedDuration::from_hours(2);
/// Changes that a report names.
const MOST_CHANGES: usize = 4;

/// The facts as the timeline tells them now.
pub(super) fn fresh(tx: &mut Tx, incident: &Incident) -> Result<Facts, Problem> {
    let entries = timeline_rows::of_incident(tx, &incident.id)?;
    let stored = impact_rows::find(tx, &incident.id)?;
    let impact = impact_rows::current(tx, incident, stored.as_ref())?;
    let cases: Cases = tx.one(
        sql!(
            "SELECT COUNT(*) AS linked,
                 CAST(COALESCE(SUM(CASE WHEN owed_since IS NOT NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS owed,
                 CAST(COALESCE(SUM(CASE WHEN recovery = 'works' THEN 1 ELSE 0 END), 0) AS BIGINT) AS works,
                 CAST(COALESCE(SUM(CASE WHEN recovery = 'still_broken' THEN 1 ELSE 0 END), 0) AS BIGINT) AS still_broken
             FROM cases WHERE incident_id = $1"
        ),
        params![&incident.id],
    )?;
    let reported: Vec<(Timestamp,)> = tx.rows(
        sql!("SELECT created_at FROM cases WHERE incident_id = $1 ORDER BY created_at"),
        params![&incident.id],
    )?;
    let reported: Vec<Timestamp> = reported.into_iter().map(|(at,)| at).collect();
    let (first_alert_at,): (Option<Timestamp>,) = tx.one(
        sql!("SELECT MIN(created_at) FROM alerts WHERE incident_id = $1 AND suppressed = $2"),
        params![&incident.id, false],
    )?;
    let silences = silences(tx, incident, &impact)?;
    let changes = changes(tx, incident)?;
    Ok(facts::of(&Sources {
        incident,
        entries: &entries,
        impact: &impact,
        cases,
        reported: &reported,
        first_alert_at,
        silences: &silences,
        changes: &changes,
    }))
}

/// When alerts fell silent that name a site which the impact counts as hurt.
fn silences(tx: &mut Tx, incident: &Incident, impact: &Impact) -> Result<Vec<Silence>, Problem> {
    let sites: HashMap<String, &str> = impact
        .locations
        .sites
        .iter()
        .filter(|site| site.evidence.contains(&Evidence::Alert))
        .map(|site| (site.name.to_lowercase(), site.id.as_str()))
        .collect();
    if sites.is_empty() {
        return Ok(Vec::new());
    }
    let alerts: Vec<(
        String,
        Option<String>,
        Option<String>,
        Timestamp,
        Option<Timestamp>,
    )> = tx.rows(
        sql!(
            "SELECT source, component, alert_group, created_at, resolved_at FROM alerts
             WHERE incident_id = $1 AND suppressed = $2 ORDER BY created_at, id LIMIT 5000"
        ),
        params![&incident.id, false],
    )?;
    Ok(alerts
        .into_iter()
        .filter_map(|(source, component, group, from, until)| {
            let site = [Some(source), component, group]
                .into_iter()
                .flatten()
                .find_map(|name| sites.get(&name.to_lowercase()).copied())?;
            Some(Silence {
                site: site.to_owned(),
                from,
                until,
            })
        })
        .collect())
}

/// Changes on what the incident's service stands on, from a little before until it was over; the last ones.
fn changes(tx: &mut Tx, incident: &Incident) -> Result<Vec<Changed>, Problem> {
    let start = ServiceNode::technical(incident.service_id.as_str());
    let services: Vec<String> = graph::load(tx)?
        .supporting_of(&[start])
        .into_iter()
        .map(|reached| reached.node.id)
        .collect();
    let since = incident
        .created_at
        .checked_sub(CHANGES_BEFORE)
        .unwrap_or(incident.created_at);
    let over = incident.resolved_at.unwrap_or(Timestamp::MAX);
    let mut found: Vec<Changed> = change_events::since(tx, &services, since, 200)?
        .into_iter()
        .filter(|one| one.at <= over)
        .take(MOST_CHANGES)
        .map(|one| Changed {
            at: one.at,
            summary: one.summary,
        })
        .collect();
    found.reverse();
    Ok(found)
}
