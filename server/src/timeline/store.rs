//! The rows of the timeline.

use jiff::Timestamp;
use store::{Error, Tx, Value, params, query, sql};

use super::model::{Agent, Entry, EntryId, Kind, NewEntry};
use crate::http::Page;
use crate::incidents::IncidentId;

pub(super) fn insert(
    tx: &mut Tx,
    id: &EntryId,
    at: Timestamp,
    agent: &Agent,
    entry: &NewEntry,
) -> Result<(), Error> {
    tx.execute(
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
    )?;
    Ok(())
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
}

const NARROWED: &str =
    " WHERE e.incident_id IS NOT NULL {AND e.incident_id = $incident} {AND e.agent_id = $user}
      {AND e.at >= $since} {AND e.at < $until} {AND e.kind = ANY($kinds)}";

fn narrowed(query: store::Query, sought: &Sought) -> store::Query {
    let kinds = (!sought.kinds.is_empty()).then(|| Value::texts(sought.kinds.iter().map(Kind::as_text)));
    query
        .bind_optional("incident", sought.incident.as_deref())
        .bind_optional("user", sought.user.as_deref())
        .bind_optional("since", sought.since)
        .bind_optional("until", sought.until)
        .bind_optional("kinds", kinds)
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
