//! Where an incident probably began, and which change may be behind it: ranked, with reasons.
//!
//! A cascade is wider than one incident: what alerts within half an hour on services up to three steps away belongs to
//! it. The judgement is `triage`'s; this module brings it the alerts, the dependency graph, the last incidents as the past,
//! the changes of the day before, and which kinds of changes were blamed earlier. It only reads, so asking costs nothing but time, and every node says the same.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use store::{Error, Tx, query};
use triage::{Change, Changes, Origins};
use utoipa::ToSchema;

use super::confirmed_origin;
use super::knowledge::{Landscape, Sign, signs};
use super::model::{Incident, IncidentId};
use crate::alerts::model::Reason;
use crate::services::change_events::{self, KeptChange};
use crate::services::graph::ServiceKind;

/// How far around the beginning of an incident others belong to the same cascade.
const AROUND: Duration = Duration::from_secs(30 * 60);
const HOPS: u8 = 3;
/// Bounds of what is read; of more, the first or the latest count.
const INCIDENTS: i64 = 200;
const ALERTS: i64 = 3_000;
const PAST_INCIDENTS: i64 = 300;
const PAST_ALERTS: i64 = 6_000;
const CHANGES: i64 = 500;
const CHANGES_BEFORE: Duration = Duration::from_secs(24 * 3600);
/// Whose risk is learned from.
const CHANGES_REMEMBERED: Duration = Duration::from_secs(180 * 24 * 3600);
const PAST_CHANGES: i64 = 5_000;
/// How many of each are told.
const TOLD: usize = 10;
/// A change that scores less is not worth a person's look.
const LEAST_SCORE: f64 = 0.01;

/// What may be behind an incident.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ProbableOrigin)]
pub struct Origin {
    /// Services where it may have begun, the most probable first.
    pub suspects: Vec<Suspect>,
    /// Changes of the day before that may have brought it about, the most probable first.
    pub changes: Vec<SuspectedChange>,
    /// The incidents that were judged together as one cascade, this one included.
    #[schema(value_type = Vec<String>)]
    pub incidents: Vec<IncidentId>,
}

/// A place where the cascade may have begun.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Suspect {
    /// A technical service, or a touchpoint.
    pub kind: ServiceKind,
    pub id: String,
    pub name: String,
    /// For comparing the suspects of one incident only: the sum of the weights of the reasons, in natural-log units.
    pub score: f64,
    /// Its part of the belief among all suspects, 0 to 1; no measured probability.
    pub share: f64,
    /// Heaviest first.
    pub reasons: Vec<Reason>,
}

/// A change that may be behind it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SuspectedChange {
    /// Of the change event.
    pub id: String,
    pub summary: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub service_id: String,
    pub service_name: String,
    /// Between 0 and 1, for comparing the changes of one incident; no probability.
    pub score: f64,
    /// Heaviest first.
    pub reasons: Vec<Reason>,
}

/// Ranks where an incident may have begun and what may have brought it about.
pub fn of(tx: &mut Tx, incident: &Incident) -> Result<Origin, Error> {
    let landscape = Landscape::read(tx)?;
    let near = landscape.services_near(incident.service_id.as_str(), HOPS);
    let incidents = cascade(tx, incident, &near)?;
    let signs_now = signs(tx, &incidents, ALERTS)?;
    let mut origins = Origins::default();
    remember_past(tx, &mut origins, &landscape, incident.created_at - AROUND)?;

    let onset = signs_now
        .iter()
        .map(|sign| sign.created_at)
        .min()
        .map_or(incident.created_at, |first| first.min(incident.created_at));
    let kept = changes_before(tx, &near, onset)?;
    let kinds: Vec<String> = kept.iter().map(|change| triage::mask(&change.summary)).collect();
    let changes: Vec<Change<'_>> = kept
        .iter()
        .zip(&kinds)
        .map(|(change, kind)| Change {
            place: landscape.name_of(&change.service_id),
            kind,
            summary: &change.summary,
            at: change.at,
        })
        .collect();

    let symptoms: Vec<_> = signs_now.iter().map(|sign| sign.symptom(&landscape)).collect();
    let ranked = origins.rank(&symptoms, &landscape.topology, &changes);
    let mut places: Vec<&str> = symptoms.iter().map(|symptom| symptom.place).collect();
    places.push(landscape.name_of(incident.service_id.as_str()));
    places.sort_unstable();
    places.dedup();
    let learned = changes_of_the_past(tx, &landscape, incident, onset)?;
    let correlated = learned.correlate(&places, onset, &changes, &landscape.topology);
    Ok(Origin {
        suspects: suspects(&landscape, &ranked),
        changes: correlated
            .iter()
            .filter(|found| found.score >= LEAST_SCORE)
            .take(TOLD)
            .filter_map(|found| Some(suspected(&landscape, kept.get(found.change)?, found)))
            .collect(),
        incidents,
    })
}

/// The incidents that belong together: close in time and in the graph.
fn cascade(tx: &mut Tx, incident: &Incident, near: &[String]) -> Result<Vec<IncidentId>, Error> {
    let rows: Vec<(IncidentId,)> = query!(
        "SELECT id FROM incidents WHERE created_at >= $from AND created_at <= $to AND service_id = ANY($services)
         ORDER BY created_at, id LIMIT $limit"
    )
    .bind("from", incident.created_at - AROUND)
    .bind("to", incident.created_at + AROUND)
    .bind("services", store::Value::texts(near))
    .bind("limit", INCIDENTS)
    .rows(tx)?;
    let mut ids: Vec<IncidentId> = rows.into_iter().map(|(id,)| id).collect();
    if !ids.contains(&incident.id) {
        ids.push(incident.id.clone());
    }
    Ok(ids)
}

/// Shows the ranking what incidents before this one looked like, the oldest first.
fn remember_past(
    tx: &mut Tx,
    origins: &mut Origins,
    landscape: &Landscape,
    before: Timestamp,
) -> Result<(), Error> {
    let rows: Vec<(IncidentId,)> = query!(
        "SELECT id FROM incidents WHERE created_at < $before ORDER BY created_at DESC, id DESC LIMIT $limit"
    )
    .bind("before", before)
    .bind("limit", PAST_INCIDENTS)
    .rows(tx)?;
    let ids: Vec<IncidentId> = rows.into_iter().rev().map(|(id,)| id).collect();
    let confirmed = confirmed_origin::services_of(tx, &ids)?;
    let mut by_incident: BTreeMap<IncidentId, Vec<Sign>> = BTreeMap::new();
    for sign in signs(tx, &ids, PAST_ALERTS)? {
        by_incident
            .entry(sign.incident_id.clone())
            .or_default()
            .push(sign);
    }
    for id in &ids {
        let signs = by_incident.get(id).map(Vec::as_slice).unwrap_or_default();
        if !signs.is_empty() {
            let symptoms: Vec<_> = signs.iter().map(|sign| sign.symptom(landscape)).collect();
            origins.remember(&symptoms);
            if let Some((_, service_id)) = confirmed.iter().find(|(of, _)| of == id) {
                // Read anew each time, so nothing has to be taken back from this memory.
                drop(origins.confirm(&symptoms, landscape.name_of(service_id)));
            }
        }
    }
    Ok(())
}

fn changes_before(tx: &mut Tx, services: &[String], onset: Timestamp) -> Result<Vec<KeptChange>, Error> {
    let mut kept = change_events::since(tx, services, onset - CHANGES_BEFORE, CHANGES)?;
    kept.retain(|change| change.at <= onset);
    Ok(kept)
}

/// How often such changes were made, and how often people said that one was the origin of another incident. Read anew each
/// time, so that taking a confirmation back takes back what it taught; what an account key says teaches nothing.
fn changes_of_the_past(
    tx: &mut Tx,
    landscape: &Landscape,
    incident: &Incident,
    onset: Timestamp,
) -> Result<Changes, Error> {
    let rows: Vec<(String, Timestamp, String, String)> = query!(
        "SELECT id, at, service_id, summary FROM change_events
         WHERE at >= $from AND at < $to ORDER BY at DESC, id DESC LIMIT $limit"
    )
    .bind("from", onset - CHANGES_REMEMBERED)
    .bind("to", onset)
    .bind("limit", PAST_CHANGES)
    .rows(tx)?;
    let blamed = confirmed_origin::changes_blamed(tx, &incident.id)?;
    let mut learned = Changes::default();
    for (id, at, service_id, summary) in rows {
        let change = Change {
            place: landscape.name_of(&service_id),
            kind: &triage::mask(&summary),
            summary: &summary,
            at,
        };
        learned.remember(&change);
        if blamed.contains(&id) {
            learned.blame(&change);
        }
    }
    Ok(learned)
}

fn suspects(landscape: &Landscape, ranked: &[triage::Suspect]) -> Vec<Suspect> {
    let best = ranked.first().map_or(0.0, |suspect| suspect.score);
    let all: f64 = ranked.iter().map(|suspect| (suspect.score - best).exp()).sum();
    ranked
        .iter()
        .filter_map(|suspect| {
            let node = landscape.node(&suspect.place)?;
            Some(Suspect {
                kind: node.kind,
                id: node.id.clone(),
                name: suspect.place.clone(),
                score: suspect.score,
                share: (suspect.score - best).exp() / all,
                reasons: suspect.reasons.iter().map(Reason::of).collect(),
            })
        })
        .take(TOLD)
        .collect()
}

fn suspected(landscape: &Landscape, kept: &KeptChange, found: &triage::Correlation) -> SuspectedChange {
    SuspectedChange {
        id: kept.id.as_str().to_owned(),
        summary: kept.summary.clone(),
        at: kept.at,
        service_id: kept.service_id.clone(),
        service_name: landscape.name_of(&kept.service_id).to_owned(),
        score: found.score,
        reasons: found.reasons.iter().map(Reason::of).collect(),
    }
}
