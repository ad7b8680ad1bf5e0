//! The rows of the timeline.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use store::{Error, Tx, Value, params, query, sql};

use super::model::{Agent, Entry, EntryId, IncidentId, Kind, NewEntry};
use crate::http::Page;
use crate::identifier::earliest_at;

pub(super) fn insert(
    tx: &mut Tx,
    id: &EntryId,
    at: Timestamp,
    agent: &Agent,
    entry: &NewEntry,
) -> Result<(), Error> {
    tx.send(
        sql!(
            "INSERT INTO timeline_entries (id, at, incident_id, kind, agent_type, agent_id, agent_name, service_id, text, details)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        ),
        params![
            id,
            at,
            entry.incident_id.as_ref(),
            entry.kind,
            agent.kind,
            agent.id.as_deref(),
            &agent.name,
            entry.service_id.as_deref(),
            &entry.text,
            entry.details.clone()
        ],
    )
}

/// The whole story of an incident, oldest first.
pub fn of_incident(tx: &mut Tx, incident_id: &IncidentId) -> Result<Vec<Entry>, Error> {
    tx.rows(
        sql!(
            "SELECT id, at, incident_id, kind, agent_type, agent_id, agent_name, service_id, text, details
             FROM timeline_entries WHERE incident_id = $1 ORDER BY id"
        ),
        params![incident_id],
    )
}

/// Whose part of the story is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tellers {
    #[default]
    All,
    People,
    Machines,
    /// What was said to people outside the incident: updates and answers.
    SaidOutside,
}

impl Tellers {
    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::People => "people",
            Self::Machines => "machines",
            Self::SaidOutside => "outside",
        }
    }
}

/// Part of the story of an incident, the newest first: what came before an entry, or the latest.
pub fn story(
    tx: &mut Tx,
    incident_id: &IncidentId,
    tellers: Tellers,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Entry>, Error> {
    query!(
        "SELECT e.id, e.at, e.incident_id, e.kind, e.agent_type, e.agent_id, e.agent_name, e.service_id, e.text, e.details
         FROM timeline_entries e WHERE e.incident_id = $incident {AND e.id < $before}
         {tellers=all: } {tellers=people: AND e.agent_type IN ('user', 'visitor')}
         {tellers=machines: AND e.agent_type NOT IN ('user', 'visitor')}
         {tellers=outside: AND e.kind IN ('update_published', 'answer_sent')}
         ORDER BY e.id DESC LIMIT $limit"
    )
    .bind("incident", incident_id)
    .bind_optional("before", before)
    .choose("tellers", tellers.name())
    .bind("limit", limit)
    .rows(tx)
}

/// What was written when incidents were resolved, the last of each; those without words are left out.
pub fn resolutions(tx: &mut Tx, ids: &[IncidentId]) -> Result<HashMap<IncidentId, String>, Error> {
    let entries: Vec<(IncidentId, serde_json::Value)> = tx.rows(
        sql!(
            "SELECT incident_id, details FROM timeline_entries WHERE incident_id = ANY($1) AND kind = $2 ORDER BY id"
        ),
        params![Value::texts(ids.iter().map(IncidentId::as_str)), Kind::Resolved],
    )?;
    Ok(entries
        .into_iter()
        .filter_map(|(id, details)| {
            let words = details.get("resolution")?.as_str()?.trim();
            (!words.is_empty()).then(|| (id, words.to_owned()))
        })
        .collect())
}

/// How each incident began: with the event of its first alert, or with what a person did.
pub fn beginnings(tx: &mut Tx, ids: &[IncidentId]) -> Result<HashMap<IncidentId, EntryId>, Error> {
    let first: Vec<(IncidentId, Option<EntryId>)> = tx.rows(
        sql!(
            "SELECT i.id, (SELECT e.id FROM timeline_entries e WHERE e.incident_id = i.id
                               AND e.kind = CASE WHEN i.origin = 'event' THEN $3 ELSE $2 END ORDER BY e.id LIMIT 1)
             FROM incidents i WHERE i.id = ANY($1)"
        ),
        params![Value::texts(ids), Kind::Triggered, Kind::AlertAdded],
    )?;
    Ok(first
        .into_iter()
        .filter_map(|(id, entry)| Some((id, entry?)))
        .collect())
}

/// The entries that tell of the first event of alerts which are in these incidents now, by the alert. An alert that
/// was moved has its entry where it was at first, soon after it came.
pub fn beginnings_of_alerts(
    tx: &mut Tx,
    incidents: &[String],
    alerts: &[(&str, Timestamp)],
) -> Result<HashMap<String, EntryId>, Error> {
    let told: Vec<(EntryId, serde_json::Value)> = tx.rows(
        sql!(
            "SELECT id, details FROM timeline_entries WHERE incident_id = ANY($1) AND kind = $2 ORDER BY id"
        ),
        params![Value::texts(incidents), Kind::AlertAdded],
    )?;
    let mut found = HashMap::new();
    remember_alerts(&mut found, told);
    for (alert, came_at) in alerts {
        if found.contains_key(*alert) {
            continue;
        }
        let told: Vec<(EntryId, serde_json::Value)> = tx.rows(
            sql!("SELECT id, details FROM timeline_entries WHERE id >= $1 AND id < $2 AND kind = $3 ORDER BY id"),
            params![earliest_at(*came_at), earliest_at(*came_at + SOON), Kind::AlertAdded],
        )?;
        remember_alerts(&mut found, told);
    }
    Ok(found)
}

/// The longest pause before an alert is told of, and some time to spare.
const SOON: Duration = Duration::from_secs(1_800);

fn remember_alerts(found: &mut HashMap<String, EntryId>, told: Vec<(EntryId, serde_json::Value)>) {
    for (id, details) in told {
        if let Some(alert) = details.get("alert_id").and_then(serde_json::Value::as_str) {
            found.entry(alert.to_owned()).or_insert(id);
        }
    }
}

pub fn find(tx: &mut Tx, id: &EntryId) -> Result<Option<Entry>, Error> {
    tx.row(
        sql!(
            "SELECT id, at, incident_id, kind, agent_type, agent_id, agent_name, service_id, text, details
             FROM timeline_entries WHERE id = $1"
        ),
        params![id],
    )
}

/// What a list of entries is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    pub incident: Option<String>,
    pub user: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// All kinds, when none are named.
    pub kinds: Vec<Kind>,
    /// The teams whose policies the incidents follow; all, when none are named.
    pub team_ids: Vec<String>,
}

const NARROWED: &str =
    " WHERE e.incident_id IS NOT NULL {AND e.incident_id = $incident} {AND e.agent_type = 'user' AND e.agent_id = $user}
      {AND e.at >= $since AND e.id >= $earliest} {AND e.at < $until} {AND e.kind = ANY($kinds)}
      {AND e.incident_id IN (SELECT i.id FROM incidents i JOIN escalation_policy_teams t ON t.escalation_policy_id = i.escalation_policy_id WHERE t.team_id = ANY($teams))}";

fn narrowed(query: store::Query, sought: &Sought) -> store::Query {
    let kinds = (!sought.kinds.is_empty()).then(|| Value::texts(sought.kinds.iter().map(Kind::as_text)));
    query
        .bind_optional("incident", sought.incident.as_deref())
        .bind_optional("user", sought.user.as_deref())
        .bind_optional("since", sought.since)
        .bind_optional("earliest", sought.since.map(earliest_at))
        .bind_optional("until", sought.until)
        .bind_optional("kinds", kinds)
        .bind_optional(
            "teams",
            (!sought.team_ids.is_empty()).then(|| Value::texts(&sought.team_ids)),
        )
}

/// A page of entries, the newest first.
pub fn list(tx: &mut Tx, sought: &Sought, page: Page) -> Result<Vec<Entry>, Error> {
    let listed = query!(
        "SELECT e.id, e.at, e.incident_id, e.kind, e.agent_type, e.agent_id, e.agent_name, e.service_id, e.text, e.details
         FROM timeline_entries e ",
        NARROWED,
        " ORDER BY e.id DESC LIMIT $limit OFFSET $offset"
    );
    narrowed(listed, sought)
        .bind("limit", page.rows_to_read())
        .bind("offset", page.offset)
        .rows(tx)
}

pub fn count(tx: &mut Tx, sought: &Sought) -> Result<i64, Error> {
    let (count,): (i64,) = narrowed(
        query!("SELECT COUNT(*) FROM timeline_entries e ", NARROWED),
        sought,
    )
    .one(tx)?;
    Ok(count)
}
