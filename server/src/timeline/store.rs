//! The rows of the timeline.

use jiff::Timestamp;
use store::{Error, Tx, params, sql};

use super::model::{Agent, Entry, EntryId, NewEntry};
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
