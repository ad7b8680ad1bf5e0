//! The rows of alerts.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use store::{Error, Tx, params, query, sql};

use super::model::{Alert, AlertId, Reason};
use crate::http::Page;
use crate::identifier::earliest_at;
use crate::incidents::IncidentId;
use crate::services::{IntegrationId, ServiceId};
use crate::signals::event::AlertEvent;

const COLUMNS: &str = "a.id, a.integration_id, a.service_id, a.incident_id, a.alert_key, a.status, a.suppressed, a.severity,
    a.summary, a.source, a.component, a.alert_group, a.class, a.client, a.client_url, a.custom_details, a.contexts,
    a.truncated, a.reasons, a.created_at, a.last_event_at, a.resolved_at, a.event_count";

/// What the door needs of an alert that is open.
#[derive(Debug, Clone, store::FromRow)]
pub struct OpenAlert {
    pub id: AlertId,
    pub incident_id: Option<IncidentId>,
    pub event_count: i64,
}

/// Alerts in steps of time since `from`: the number of the step, and how many.
pub fn by_step(tx: &mut Tx, from: Timestamp, step: Duration) -> Result<Vec<(i64, i64)>, Error> {
    tx.rows(
        sql!(
            "SELECT (created_at - $1) / $2, COUNT(*) FROM alerts WHERE id >= $3 AND created_at >= $1 GROUP BY 1"
        ),
        params![from, step.as_micros() as i64, earliest_at(from)],
    )
}

pub fn find_open(tx: &mut Tx, integration_id: &IntegrationId, key: &str) -> Result<Option<OpenAlert>, Error> {
    tx.row(
        sql!(
            "SELECT id, incident_id, event_count FROM alerts
             WHERE integration_id = $1 AND alert_key = $2 AND status = 'triggered'"
        ),
        params![integration_id, key],
    )
}

/// What is known of a new alert beside its event.
#[derive(Debug, Clone)]
pub struct NewAlert<'a> {
    pub id: &'a AlertId,
    pub integration_id: &'a IntegrationId,
    pub service_id: &'a ServiceId,
    pub incident_id: Option<&'a IncidentId>,
    pub suppressed: bool,
    pub reasons: &'a [Reason],
    /// By which it is learned from.
    pub kind: triage::Kind,
    pub received_at: Timestamp,
}

pub fn insert(tx: &mut Tx, new: &NewAlert, event: &AlertEvent) -> Result<(), Error> {
    tx.execute(
        sql!(
            "INSERT INTO alerts (id, integration_id, service_id, incident_id, alert_key, status, suppressed, severity, summary,
                 source, component, alert_group, class, client, client_url, custom_details, contexts, truncated, reasons,
                 created_at, last_event_at, event_count, kind)
             VALUES ($1, $2, $3, $4, $5, 'triggered', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19, 1, $20)"
        ),
        params![
            new.id,
            new.integration_id,
            new.service_id,
            new.incident_id,
            &event.dedup_key,
            new.suppressed,
            &event.severity,
            &event.summary,
            &event.source,
            event.component.as_deref(),
            event.group.as_deref(),
            event.class.as_deref(),
            event.client.as_deref(),
            event.client_url.as_deref(),
            Value::Object(event.custom_details.clone()),
            Value::from(event.contexts.clone()),
            store::Value::json(&event.truncated)?,
            store::Value::json(new.reasons)?,
            new.received_at,
            crate::incidents::lessons::number(new.kind)
        ],
    )?;
    Ok(())
}

/// The sender said it again: counted, and its newest words kept.
pub fn repeat(tx: &mut Tx, id: &AlertId, event: &AlertEvent, at: Timestamp) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "UPDATE alerts SET event_count = event_count + 1, last_event_at = $2, summary = $3, severity = $4, custom_details = $5
             WHERE id = $1"
        ),
        params![id, at, &event.summary, &event.severity, Value::Object(event.custom_details.clone())],
    )
}

/// An alert is over, as its sender or a person said.
pub fn resolve(tx: &mut Tx, id: &AlertId, at: Timestamp, ending: triage::Ending) -> Result<(), Error> {
    let ended_by = match ending {
        triage::Ending::ByItself => "sender",
        triage::Ending::ByPerson => "person",
    };
    tx.execute_one(
        sql!("UPDATE alerts SET status = 'resolved', resolved_at = $2, last_event_at = $2, ended_by = $3 WHERE id = $1"),
        params![id, at, ended_by],
    )
}

/// The latest open alerts of an incident that came at `since` or later, the oldest of them first.
pub fn open_since(tx: &mut Tx, id: &IncidentId, since: Timestamp, limit: i64) -> Result<Vec<Alert>, Error> {
    let mut found: Vec<Alert> = query!(
        "SELECT ",
        COLUMNS,
        " FROM alerts a WHERE a.incident_id = $incident AND a.status = 'triggered' AND a.created_at >= $since
          ORDER BY a.id DESC LIMIT $limit"
    )
    .bind("incident", id)
    .bind("since", since)
    .bind("limit", limit)
    .rows(tx)?;
    found.reverse();
    Ok(found)
}

pub fn set_incident(
    tx: &mut Tx,
    id: &AlertId,
    incident_id: &IncidentId,
    reasons: &[Reason],
) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE alerts SET incident_id = $2, reasons = $3, suppressed = $4 WHERE id = $1"),
        params![id, incident_id, store::Value::json(reasons)?, false],
    )
}

/// Whether an incident still has an alert that is not over.
pub fn any_open(tx: &mut Tx, incident_id: &IncidentId) -> Result<bool, Error> {
    let rows: Vec<(i64,)> = tx.rows(
        sql!("SELECT 1 FROM alerts WHERE incident_id = $1 AND status = 'triggered' LIMIT 1"),
        params![incident_id],
    )?;
    Ok(!rows.is_empty())
}

pub fn find(tx: &mut Tx, id: &AlertId) -> Result<Option<Alert>, Error> {
    query!("SELECT ", COLUMNS, " FROM alerts a WHERE a.id = $id")
        .bind("id", id)
        .rows(tx)
        .map(|mut rows: Vec<Alert>| rows.pop())
}

/// What a list of alerts is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    pub alert_key: Option<String>,
    pub status: Option<String>,
}

pub fn of_incident(tx: &mut Tx, id: &IncidentId, sought: &Sought, page: Page) -> Result<Vec<Alert>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM alerts a WHERE a.incident_id = $incident {AND a.alert_key = $key} {AND a.status = $status}
          ORDER BY a.id LIMIT $limit OFFSET $offset"
    )
    .bind("incident", id)
    .bind_optional("key", sought.alert_key.as_deref())
    .bind_optional("status", sought.status.as_deref())
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

pub fn count_of_incident(tx: &mut Tx, id: &IncidentId, sought: &Sought) -> Result<i64, Error> {
    let (count,): (i64,) = query!(
        "SELECT COUNT(*) FROM alerts a WHERE a.incident_id = $incident {AND a.alert_key = $key} {AND a.status = $status}"
    )
    .bind("incident", id)
    .bind_optional("key", sought.alert_key.as_deref())
    .bind_optional("status", sought.status.as_deref())
    .one(tx)?;
    Ok(count)
}

/// The first alert of an incident, whose words are its title.
pub fn first_of(tx: &mut Tx, id: &IncidentId) -> Result<Option<Alert>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM alerts a WHERE a.incident_id = $id ORDER BY a.id LIMIT 1"
    )
    .bind("id", id)
    .rows(tx)
    .map(|mut rows: Vec<Alert>| rows.pop())
}

pub fn integration_name(tx: &mut Tx, id: &IntegrationId) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = tx.row(sql!("SELECT name FROM integrations WHERE id = $1"), params![id])?;
    Ok(row.map(|(name,)| name))
}

/// When each integration last reported something.
pub fn last_heard(tx: &mut Tx, ids: &[String]) -> Result<Vec<(String, Timestamp)>, Error> {
    tx.rows(
        sql!(
            "SELECT integration_id, MAX(last_event_at) FROM alerts WHERE integration_id = ANY($1) GROUP BY integration_id"
        ),
        params![store::Value::texts(ids)],
    )
}

/// What named a place in its group since a time: when it began, and when it was over; the oldest first, bounded.
pub fn groups_since(
    tx: &mut Tx,
    since: Timestamp,
) -> Result<Vec<(String, Timestamp, Option<Timestamp>)>, Error> {
    tx.rows(
        sql!(
            "SELECT alert_group, created_at, resolved_at FROM alerts
             WHERE created_at > $1 AND alert_group IS NOT NULL ORDER BY created_at LIMIT 20000"
        ),
        params![since],
    )
}

/// How many alerts each service has had since a time.
pub fn count_by_service(tx: &mut Tx, since: Timestamp) -> Result<Vec<(String, i64)>, Error> {
    tx.rows(
        sql!("SELECT service_id, COUNT(*) FROM alerts WHERE created_at > $1 GROUP BY service_id"),
        params![since],
    )
}
