//! What people say was the origin of an incident: "this was it".
//!
//! One confirmation an incident; the last word counts, and it can be taken back. Nothing is learned by it but what is
//! read from these rows when the next incident is judged ([`super::origin`]), so taking it back takes the lesson back.
//! Both stand on the timeline, in the name of whoever said it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use store::{Error, Tx, Value, params, query, sql};

use super::actions;
use super::model::IncidentId;
use crate::http::Problem;
use crate::timeline::{Change, Kind, NewEntry};

/// What somebody names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blamed {
    /// A change event, by its id.
    Change(String),
    /// A technical service or a touchpoint, by its id.
    Service(String),
}

/// A confirmation that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema, store::FromRow)]
pub struct ConfirmedOrigin {
    #[schema(value_type = String)]
    pub incident_id: IncidentId,
    /// The service, technical or a touchpoint, or the one that the change was made to.
    pub service_id: String,
    pub change_event_id: Option<String>,
    pub summary: String,
    /// The id of whoever said it.
    pub said_by: Option<String>,
    pub said_by_name: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

/// What was confirmed of an incident.
pub fn find(tx: &mut Tx, id: &IncidentId) -> Result<Option<ConfirmedOrigin>, Error> {
    tx.row(
        sql!(
            "SELECT incident_id, service_id, change_event_id, summary, said_by, said_by_name, at
             FROM confirmed_origins WHERE incident_id = $1"
        ),
        params![id],
    )
}

/// The services that people confirmed as the origin of incidents; what an account key says teaches nothing.
pub fn services_of(tx: &mut Tx, ids: &[IncidentId]) -> Result<Vec<(IncidentId, String)>, Error> {
    query!(
        "SELECT incident_id, service_id FROM confirmed_origins
         WHERE incident_id = ANY($incidents) AND said_by IS NOT NULL"
    )
    .bind("incidents", Value::texts(ids))
    .rows(tx)
}

/// The changes that people confirmed as the origin of any incident but `but`; what an account key says teaches nothing.
pub fn changes_blamed(tx: &mut Tx, but: &IncidentId) -> Result<BTreeSet<String>, Error> {
    let rows: Vec<(String,)> = tx.rows(
        sql!(
            "SELECT DISTINCT change_event_id FROM confirmed_origins
             WHERE change_event_id IS NOT NULL AND said_by IS NOT NULL AND incident_id <> $1"
        ),
        params![but],
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Keeps what somebody says it was, in place of what was said before.
pub fn confirm(change: &mut Change, id: &IncidentId, blamed: &Blamed) -> Result<ConfirmedOrigin, Problem> {
    let incident = actions::load(change, id)?;
    let (service_id, change_event_id, summary) = known(change.tx, blamed)?;
    let confirmed = ConfirmedOrigin {
        incident_id: incident.id.clone(),
        service_id,
        change_event_id,
        summary,
        said_by: change.agent.user_id().map(str::to_owned),
        said_by_name: change.agent.name.clone(),
        at: change.now,
    };
    change.tx.execute(
        sql!(
            "INSERT INTO confirmed_origins (incident_id, service_id, change_event_id, summary, said_by, said_by_name, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (incident_id) DO UPDATE SET service_id = EXCLUDED.service_id,
                 change_event_id = EXCLUDED.change_event_id, summary = EXCLUDED.summary, said_by = EXCLUDED.said_by,
                 said_by_name = EXCLUDED.said_by_name, at = EXCLUDED.at"
        ),
        params![
            &confirmed.incident_id,
            &confirmed.service_id,
            confirmed.change_event_id.as_deref(),
            &confirmed.summary,
            confirmed.said_by.as_deref(),
            &confirmed.said_by_name,
            confirmed.at
        ],
    )?;
    let text = format!("This was the origin: {}", confirmed.summary);
    let details = json!({ "origin": {
        "service_id": confirmed.service_id, "change_event_id": confirmed.change_event_id,
    } });
    change.record(NewEntry::new(Kind::Noted, id, text).details(details))?;
    Ok(confirmed)
}

/// Takes back what was said.
pub fn take_back(change: &mut Change, id: &IncidentId) -> Result<(), Problem> {
    let confirmed = find(change.tx, id)?.ok_or_else(|| Problem::not_found("The confirmed origin"))?;
    change.tx.execute(
        sql!("DELETE FROM confirmed_origins WHERE incident_id = $1"),
        params![id],
    )?;
    let text = format!("This was not the origin after all: {}", confirmed.summary);
    let details = json!({ "origin": null });
    change.record(NewEntry::new(Kind::Noted, id, text).details(details))?;
    Ok(())
}

/// The service, the change and the words of what is named, if it exists.
fn known(tx: &mut Tx, blamed: &Blamed) -> Result<(String, Option<String>, String), Problem> {
    let name_of = |tx: &mut Tx, id: &str| -> Result<Option<String>, Error> {
        let found: Option<(String,)> = tx.row(
            sql!(
                "SELECT name FROM services WHERE id = $1 AND deleted_at IS NULL
                 UNION ALL SELECT name FROM business_services WHERE id = $1 AND deleted_at IS NULL"
            ),
            params![id],
        )?;
        Ok(found.map(|(name,)| name))
    };
    match blamed {
        Blamed::Service(id) => {
            let name = name_of(tx, id)?.ok_or_else(|| Problem::not_found("The service"))?;
            Ok((id.clone(), None, name))
        }
        Blamed::Change(id) => {
            let found: Option<(String, String)> = tx.row(
                sql!("SELECT service_id, summary FROM change_events WHERE id = $1"),
                params![id],
            )?;
            let (service_id, summary) = found.ok_or_else(|| Problem::not_found("The change event"))?;
            let summary = match name_of(tx, &service_id)? {
                Some(name) if !summary.starts_with(&name) => format!("{name}: {summary}"),
                _ => summary,
            };
            Ok((service_id, Some(id.clone()), summary))
        }
    }
}
