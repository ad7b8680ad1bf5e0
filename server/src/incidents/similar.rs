//! Past incidents that were like this one: what was seen then may be what helps now.
//!
//! Compared are titles, the words of the first alerts, message templates and services, over the last incidents. It only
//! reads, and every node says the same.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use store::{Error, Tx, query};
use triage::similar::{Index, Match, Report, Settings};
use utoipa::ToSchema;

use super::knowledge::{Landscape, Sign, signs};
use super::model::{Incident, IncidentId, Status};

const PAST: i64 = 500;
const ALERTS: i64 = 5_000;
/// Texts of alerts that are read of one incident; the first say how it began.
const TEXTS: usize = 6;
/// Below this two incidents only happen to share a word.
const LEAST_SCORE: f64 = 0.15;

/// An incident of the past that was like the one asked about.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SimilarIncident {
    #[schema(value_type = String)]
    pub id: IncidentId,
    pub number: i64,
    pub title: String,
    pub status: Status,
    pub service_name: String,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
    /// The sum of the points of the reasons; two incidents with the same words and nothing else get 1.
    pub score: f64,
    /// Why, the weightiest first, one sentence each.
    pub reasons: Vec<String>,
}

#[derive(store::FromRow)]
struct Past {
    id: IncidentId,
    number: i64,
    title: String,
    status: Status,
    service_id: String,
    created_at: Timestamp,
    resolved_at: Option<Timestamp>,
}

/// The `limit` past incidents most like `incident`, the most alike first.
pub fn of(tx: &mut Tx, incident: &Incident, limit: usize) -> Result<Vec<SimilarIncident>, Error> {
    let landscape = Landscape::read(tx)?;
    let past: Vec<Past> = query!(
        "SELECT id, number, title, status, service_id, created_at, resolved_at FROM incidents
         WHERE created_at <= $before AND id <> $id AND merged_into_id IS NULL
         ORDER BY created_at DESC, id DESC LIMIT $limit"
    )
    .bind("before", incident.created_at)
    .bind("id", &incident.id)
    .bind("limit", PAST)
    .rows(tx)?;
    let mut ids: Vec<IncidentId> = past.iter().map(|one| one.id.clone()).collect();
    ids.push(incident.id.clone());
    let mut alerts: BTreeMap<IncidentId, Vec<Sign>> = BTreeMap::new();
    for sign in signs(tx, &ids, ALERTS)? {
        alerts.entry(sign.incident_id.clone()).or_default().push(sign);
    }
    let report = |id: &IncidentId, title: &str, service_id: &str| {
        let signs = alerts.get(id).map(Vec::as_slice).unwrap_or_default();
        let texts: Vec<&str> = signs
            .iter()
            .take(TEXTS)
            .map(|sign| sign.summary.as_str())
            .collect();
        let mut services: Vec<String> = signs
            .iter()
            .map(|sign| sign.place(&landscape).to_owned())
            .chain([landscape.name_of(service_id).to_owned()])
            .collect();
        services.sort_unstable();
        services.dedup();
        Report {
            title: title.to_owned(),
            body: texts.join("\n"),
            template: Some(triage::mask(title)),
            services,
            ..Report::default()
        }
    };
    let mut index = Index::new(Settings::default());
    for one in past.iter().rev() {
        index.insert(one.id.as_str(), report(&one.id, &one.title, &one.service_id));
    }
    let question = report(&incident.id, &incident.title, incident.service_id.as_str());
    Ok(index
        .rank(&question, limit)
        .into_iter()
        .filter(|found| found.score >= LEAST_SCORE)
        .filter_map(|found| {
            let one = past.iter().find(|one| one.id.as_str() == found.id)?;
            Some(SimilarIncident {
                id: one.id.clone(),
                number: one.number,
                title: one.title.clone(),
                status: one.status,
                service_name: landscape.name_of(&one.service_id).to_owned(),
                created_at: one.created_at,
                resolved_at: one.resolved_at,
                score: found.score,
                reasons: sentences(&found),
            })
        })
        .collect())
}

fn sentences(found: &Match) -> Vec<String> {
    use triage::similar::Reason;
    found
        .reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::Words { words, .. } => {
                let mut named: Vec<String> = words
                    .iter()
                    .take(4)
                    .map(|word| format!("“{}”", word.text))
                    .collect();
                named.dedup();
                (!named.is_empty()).then(|| format!("The same words: {}.", named.join(", ")))
            }
            Reason::Template { .. } => Some("The same message, apart from its values.".to_owned()),
            Reason::Services { shared, .. } => Some(format!("On the same service: {}.", shared.join(", "))),
            Reason::Touchpoints { shared, .. } => {
                Some(format!("The same touchpoint: {}.", shared.join(", ")))
            }
            Reason::Locations { shared, .. } => Some(format!("At the same place: {}.", shared.join(", "))),
            Reason::OtherLocation { .. } | Reason::Time { .. } => None,
        })
        .collect()
}
