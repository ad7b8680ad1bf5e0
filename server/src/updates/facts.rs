//! The facts of an incident: one typed set, from which every audience is told; each change is a revision.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Error, Tx, params, sql};
use utoipa::ToSchema;

use super::compose::clock_time;
use super::model::Phase;
use super::situation::{self, Harm};
use crate::access::audit::{self, AuditAction, Changed};
use crate::http::Problem;
use crate::incidents::{Incident, IncidentId, Status, store as incidents};
use crate::people::UserId;
use crate::timeline::Change;
use crate::words::InternalText;

/// Places that are named one by one; of more only the number is kept.
const MOST_PLACES: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub phase: Phase,
    pub since: Timestamp,
    /// What customers feel, in a sentence.
    pub symptom: Option<InternalText>,
    pub touchpoints: Vec<TouchpointFact>,
    pub places: Places,
    /// What to do instead.
    pub workaround: Option<InternalText>,
    pub estimate: Option<Estimate>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TouchpointFact {
    pub id: String,
    pub name: String,
    pub state: Harm,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FactPlaces)]
pub struct Places {
    pub count: i64,
    pub names: Vec<String>,
}

/// When it may be over: only with a range, a confidence, somebody who answers for it, and an end of validity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Estimate {
    #[schema(value_type = String, format = DateTime)]
    pub earliest: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub latest: Timestamp,
    pub confidence: Confidence,
    #[schema(value_type = String)]
    pub approved_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

impl Estimate {
    /// When it says nothing any more: it has run out, or the time it named has passed.
    pub fn ends_at(&self) -> Timestamp {
        self.expires_at.min(self.latest)
    }

    /// Whether words give it, both ends of it, on the clock of their readers.
    pub fn is_said_in(&self, words: &str, now: Timestamp, zone: &TimeZone) -> bool {
        let said = |at| words.contains(&clock_time(at, now, zone));
        said(self.earliest) && said(self.latest)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

impl Confidence {
    /// As it is said to readers.
    pub fn words(self) -> &'static str {
        match self {
            Self::Low => "this may well change",
            Self::Medium => "we are fairly sure",
            Self::High => "we are sure",
        }
    }
}

/// What people have stated; what is missing is read from the incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stated {
    pub phase: Option<Phase>,
    pub since: Option<Timestamp>,
    pub symptom: Option<InternalText>,
    pub workaround: Option<InternalText>,
    pub estimate: Option<Estimate>,
}

/// One fact that is no longer what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactChange {
    /// The fact's name, such as `workaround`.
    pub fact: String,
    pub before: String,
    pub after: String,
}

/// Facts as they stood at one revision.
#[derive(Debug, Clone, store::FromRow)]
pub struct Revision {
    pub revision: i64,
    #[row(json)]
    pub facts: Facts,
    #[row(json)]
    pub changes: Vec<FactChange>,
    pub created_at: Timestamp,
    pub agent_name: String,
}

/// The facts as they are now.
pub fn read(tx: &mut Tx, incident: &Incident, now: Timestamp) -> Result<Facts, Error> {
    let stated = stated(tx, &incident.id)?;
    let (touchpoints, mut names) = situation::touchpoints_and_places_of(tx, incident)?;
    let count = names.len() as i64;
    names.truncate(MOST_PLACES);
    let harm = situation::harm_of(incident).unwrap_or(Harm::Slow);
    let phase = match (incident.status, stated.phase) {
        (Status::Resolved, _) => Phase::Resolved,
        (_, None | Some(Phase::Resolved)) => Phase::Investigating,
        (_, Some(phase)) => phase,
    };
    let fallback = touchpoints
        .iter()
        .find_map(|one| one.fallback.clone())
        .map(InternalText::new);
    Ok(Facts {
        phase,
        since: stated.since.unwrap_or(incident.created_at),
        symptom: stated.symptom,
        touchpoints: touchpoints
            .into_iter()
            .map(|one| TouchpointFact {
                id: one.id.to_string(),
                name: one.name,
                state: harm,
            })
            .collect(),
        places: Places { count, names },
        workaround: stated.workaround.or(fallback),
        estimate: stated
            .estimate
            .filter(|estimate| estimate.ends_at() > now && phase != Phase::Resolved),
    })
}

pub fn stated(tx: &mut Tx, incident_id: &IncidentId) -> Result<Stated, Error> {
    #[derive(store::FromRow)]
    struct Row {
        #[row(json)]
        stated: Stated,
    }
    let row: Option<Row> = tx.row(
        sql!("SELECT stated FROM incident_statements WHERE incident_id = $1"),
        params![incident_id],
    )?;
    Ok(row.map(|row| row.stated).unwrap_or_default())
}

/// What people have stated about several incidents; those about which nobody has are left out.
pub fn stated_of(tx: &mut Tx, ids: &[IncidentId]) -> Result<HashMap<IncidentId, Stated>, Error> {
    let rows: Vec<(IncidentId, serde_json::Value)> = tx.rows(
        sql!("SELECT incident_id, stated FROM incident_statements WHERE incident_id = ANY($1)"),
        params![store::Value::texts(ids.iter().map(IncidentId::as_str))],
    )?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, stated)| Some((id, serde_json::from_value(stated).ok()?)))
        .collect())
}

/// Incidents that somebody has and of which people say that things are getting back to normal.
pub fn stated_to_recover(tx: &mut Tx, limit: i64) -> Result<Vec<IncidentId>, Error> {
    let rows: Vec<(IncidentId, serde_json::Value)> = tx.rows(
        sql!(
            "SELECT s.incident_id, s.stated FROM incident_statements s JOIN incidents i ON i.id = s.incident_id
             WHERE i.status = 'acknowledged' ORDER BY s.incident_id DESC LIMIT $1"
        ),
        params![limit],
    )?;
    let recovers = |stated: &serde_json::Value| {
        stated.get("phase").and_then(serde_json::Value::as_str) == Some(Phase::Monitoring.as_text())
    };
    Ok(rows
        .into_iter()
        .filter(|(_, stated)| recovers(stated))
        .map(|(id, _)| id)
        .collect())
}

/// Keeps what somebody states about an incident, instead of what was stated before.
pub fn state(change: &mut Change, incident_id: &IncidentId, stated: &Stated) -> Result<(), Problem> {
    let incident =
        incidents::find(change.tx, incident_id)?.ok_or_else(|| Problem::not_found("The incident"))?;
    let changed = Changed {
        resource_type: "incident_facts",
        resource_id: incident_id.as_str(),
        resource_name: &format!("[#{}] {}", incident.number, incident.title),
        details: json!({ "stated": stated }),
    };
    audit::note(change, AuditAction::Update, &changed);
    change.tx.execute(
        sql!(
            "INSERT INTO incident_statements (incident_id, stated, changed_at) VALUES ($1, $2, $3)
             ON CONFLICT (incident_id) DO UPDATE SET stated = excluded.stated, changed_at = excluded.changed_at"
        ),
        params![incident_id, store::Value::json(stated)?, change.now],
    )?;
    Ok(())
}

const COLUMNS: &str = "revision, facts, changes, created_at, agent_name";

pub fn latest(tx: &mut Tx, incident_id: &IncidentId) -> Result<Option<Revision>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM incident_facts WHERE incident_id = $1 ORDER BY revision DESC LIMIT 1"
        ),
        params![incident_id],
    )
}

/// What changed after a revision, oldest first.
pub fn changes_after(tx: &mut Tx, incident_id: &IncidentId, revision: i64) -> Result<Vec<FactChange>, Error> {
    let rows: Vec<Revision> = tx.rows(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM incident_facts WHERE incident_id = $1 AND revision > $2 ORDER BY revision"
        ),
        params![incident_id, revision],
    )?;
    Ok(rows.into_iter().flat_map(|row| row.changes).collect())
}

/// Brings the stored facts up to the present ones and gives the latest revision. A new one is written only
/// when something differs.
pub fn revise(change: &mut Change, incident: &Incident) -> Result<Revision, Error> {
    change.tx.lock(&format!("facts:{}", incident.id))?;
    let facts = read(change.tx, incident, change.now)?;
    let before = latest(change.tx, &incident.id)?;
    if let Some(before) = &before
        && before.facts == facts
    {
        return Ok(before.clone());
    }
    let changes = before
        .as_ref()
        .map(|before| differences(&before.facts, &facts))
        .unwrap_or_default();
    let revision = Revision {
        revision: before.map_or(1, |before| before.revision + 1),
        facts,
        changes,
        created_at: change.now,
        agent_name: change.agent.name.clone(),
    };
    change.tx.execute(
        sql!(
            "INSERT INTO incident_facts (incident_id, revision, facts, changes, created_at, agent_name)
             VALUES ($1, $2, $3, $4, $5, $6)"
        ),
        params![
            &incident.id,
            revision.revision,
            store::Value::json(&revision.facts)?,
            store::Value::json(&revision.changes)?,
            change.now,
            &revision.agent_name
        ],
    )?;
    Ok(revision)
}

/// Names what differs, for the person whose approval is withdrawn.
pub fn differences(before: &Facts, after: &Facts) -> Vec<FactChange> {
    let pairs = [
        ("phase", phase_words(before), phase_words(after)),
        ("since", before.since.to_string(), after.since.to_string()),
        (
            "symptom",
            said(before.symptom.as_ref()),
            said(after.symptom.as_ref()),
        ),
        ("touchpoints", touchpoint_words(before), touchpoint_words(after)),
        ("places", place_words(before), place_words(after)),
        (
            "workaround",
            said(before.workaround.as_ref()),
            said(after.workaround.as_ref()),
        ),
        ("estimate", estimate_words(before), estimate_words(after)),
    ];
    pairs
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(fact, before, after)| FactChange {
            fact: fact.to_owned(),
            before,
            after,
        })
        .collect()
}

fn phase_words(facts: &Facts) -> String {
    facts.phase.as_text().to_owned()
}

fn said(text: Option<&InternalText>) -> String {
    text.map_or_else(|| "nothing".to_owned(), |text| text.for_insiders().to_owned())
}

fn touchpoint_words(facts: &Facts) -> String {
    let words: Vec<String> = facts
        .touchpoints
        .iter()
        .map(|one| format!("{} ({})", one.name, one.state.as_text().replace('_', " ")))
        .collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}

fn place_words(facts: &Facts) -> String {
    match facts.places.count {
        0 => "none".to_owned(),
        count => format!("{count}: {}", facts.places.names.join(", ")),
    }
}

fn estimate_words(facts: &Facts) -> String {
    facts.estimate.as_ref().map_or_else(
        || "none".to_owned(),
        |estimate| format!("{} to {}", estimate.earliest, estimate.latest),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            phase: Phase::Investigating,
            since: "2026-11-17T05:41:00Z".parse().unwrap(),
            symptom: None,
            touchpoints: Vec::new(),
            places: Places::default(),
            workaround: None,
            estimate: None,
        }
    }

    #[test]
    fn what_changed_is_named_with_both_values() {
        let mut after = facts();
        after.phase = Phase::Identified;
        after.workaround = Some(InternalText::new("Take cash."));
        let changes = differences(&facts(), &after);
        let told: Vec<(&str, &str, &str)> = changes
            .iter()
            .map(|one| (one.fact.as_str(), one.before.as_str(), one.after.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("phase", "investigating", "identified"),
                ("workaround", "nothing", "Take cash.")
            ]
        );
        assert!(differences(&after, &after).is_empty());
    }
}
