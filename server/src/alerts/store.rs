//! The rows of alerts.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use store::{Error, Tx, params, query, sql};

use super::model::{Alert, AlertId, AlertStatus, Reason};
use crate::http::Page;
use crate::http::listing::Direction;
use crate::identifier::earliest_at;
use crate::incidents::IncidentId;
use crate::orchestration::{Held, Ruling};
use crate::services::{IntegrationId, ServiceId};
use crate::signals::event::AlertEvent;

const COLUMNS: &str = "a.id, a.integration_id, a.service_id, a.incident_id, a.alert_key, a.status, a.suppressed, a.severity,
    a.summary, a.source, a.component, a.alert_group, a.class, a.client, a.client_url, a.custom_details, a.contexts,
    a.truncated, a.reasons, a.ruling, o.held, a.happened_at, a.created_at, COALESCE(o.last_event_at, a.last_event_at) AS last_event_at, a.resolved_at,
    COALESCE(o.event_count, a.event_count) AS event_count";

/// While an alert is open, its count stands apart from it.
const ALERTS: &str = " FROM alerts a LEFT JOIN open_alerts o ON o.alert_id = a.id ";

/// What is known of an open alert without looking at its words.
#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct OpenAlert {
    pub alert_id: AlertId,
    pub event_count: i64,
    /// What [`words_of`] made of its newest event.
    pub words: i64,
    /// By what a rule keeps it from an incident.
    pub held: Option<Held>,
}

/// A number that changes with the words of an event that an alert keeps. Kept in the database; if another version
/// of the program counts otherwise, the next event of each alert writes its words again, and no more.
pub fn words_of(event: &AlertEvent) -> i64 {
    let mut hasher = DefaultHasher::new();
    (&event.summary, &event.severity, &event.custom_details).hash(&mut hasher);
    (&event.client, &event.client_url, &event.contexts).hash(&mut hasher);
    hasher.finish().cast_signed()
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

/// Counts one more event of an open alert and says what is then known of it.
pub fn count_event(
    tx: &mut Tx,
    integration_id: &IntegrationId,
    key: &str,
    at: Timestamp,
    ends_at: Option<Timestamp>,
) -> Result<Option<OpenAlert>, Error> {
    tx.row(
        sql!(
            "UPDATE open_alerts SET event_count = event_count + 1, last_event_at = $3, ends_at = $4
             WHERE integration_id = $1 AND alert_key = $2 RETURNING alert_id, event_count, words, held"
        ),
        params![integration_id, key, at, ends_at],
    )
}

/// How many alerts are open.
pub fn count_open(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(sql!("SELECT COUNT(*) FROM open_alerts"), params![])?;
    Ok(count)
}

/// Notes how many events an open alert has had by now, and until when it counts unless it is said again.
pub fn set_count(
    tx: &mut Tx,
    id: &AlertId,
    event_count: i64,
    at: Timestamp,
    ends_at: Option<Timestamp>,
) -> Result<(), Error> {
    tx.send(
        sql!("UPDATE open_alerts SET event_count = $2, last_event_at = $3, ends_at = $4 WHERE alert_id = $1"),
        params![id, event_count, at, ends_at],
    )
}

/// Until when an open alert counts unless it is said again; nothing when it is not open.
pub fn ends_at(tx: &mut Tx, id: &AlertId) -> Result<Option<Option<Timestamp>>, Error> {
    let row: Option<(Option<Timestamp>,)> = tx.row(
        sql!("SELECT ends_at FROM open_alerts WHERE alert_id = $1"),
        params![id],
    )?;
    Ok(row.map(|(ends_at,)| ends_at))
}

/// The sender has new words for an open alert: the newest are kept.
pub fn rephrase(tx: &mut Tx, id: &AlertId, event: &AlertEvent, words: i64) -> Result<(), Error> {
    tx.send(
        sql!("UPDATE open_alerts SET words = $2 WHERE alert_id = $1"),
        params![id, words],
    )?;
    tx.send(
        sql!(
            "UPDATE alerts SET summary = $2, severity = $3, custom_details = $4, client = COALESCE($5, client),
                 client_url = COALESCE($6, client_url), contexts = COALESCE($7, contexts)
             WHERE id = $1"
        ),
        params![
            id,
            &event.summary,
            &event.severity,
            Value::Object(event.custom_details.clone()),
            event.client.as_deref(),
            event.client_url.as_deref(),
            // Saying it again without links takes none away.
            (!event.contexts.is_empty()).then(|| Value::from(event.contexts.clone()))
        ],
    )
}

/// The open alert of a key.
pub fn find_open(tx: &mut Tx, integration_id: &IntegrationId, key: &str) -> Result<Option<AlertId>, Error> {
    let row: Option<(AlertId,)> = tx.row(
        sql!("SELECT alert_id FROM open_alerts WHERE integration_id = $1 AND alert_key = $2"),
        params![integration_id, key],
    )?;
    Ok(row.map(|(id,)| id))
}

/// The incident that an alert is in.
pub fn incident_of(tx: &mut Tx, id: &AlertId) -> Result<Option<IncidentId>, Error> {
    let row: Option<(Option<IncidentId>,)> =
        tx.row(sql!("SELECT incident_id FROM alerts WHERE id = $1"), params![id])?;
    Ok(row.and_then(|(incident_id,)| incident_id))
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
    pub ruling: Option<&'a Ruling>,
    pub held: Option<Held>,
    /// By which it is learned from.
    pub kind: triage::Kind,
    pub received_at: Timestamp,
}

pub fn insert(tx: &mut Tx, new: &NewAlert, event: &AlertEvent) -> Result<(), Error> {
    tx.send(
        sql!(
            "INSERT INTO alerts (id, integration_id, service_id, incident_id, alert_key, status, suppressed, severity, summary,
                 source, component, alert_group, class, client, client_url, custom_details, contexts, truncated, reasons,
                 created_at, last_event_at, event_count, kind, happened_at, ruling)
             VALUES ($1, $2, $3, $4, $5, 'triggered', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19, 1, $20,
                 $21, $22)"
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
            crate::incidents::lessons::number(new.kind),
            event.timestamp,
            said(new.ruling)?
        ],
    )?;
    tx.send(
        sql!(
            "INSERT INTO open_alerts (integration_id, alert_key, alert_id, event_count, last_event_at, words, ends_at, held)
             VALUES ($1, $2, $3, 1, $4, $5, $6, $7)"
        ),
        params![
            new.integration_id,
            &event.dedup_key,
            new.id,
            new.received_at,
            words_of(event),
            event.ends_at,
            new.held
        ],
    )
}

/// Most alerts have no ruling, and nothing is written of it then.
fn said(ruling: Option<&Ruling>) -> Result<store::Value, Error> {
    ruling.map_or(Ok(store::Value::Null(store::Kind::Json)), store::Value::json)
}

/// What becomes of the rows of alerts that are over: the count goes back to the alert, and the key is free.
const OVER: &str = "status = 'resolved', resolved_at = $2, ended_by = $3,
    event_count = COALESCE((SELECT o.event_count FROM open_alerts o WHERE o.alert_id = alerts.id), event_count)";

/// An alert is over, as its sender or a person said; gives the incident that it is in.
pub fn resolve(
    tx: &mut Tx,
    id: &AlertId,
    at: Timestamp,
    ending: triage::Ending,
) -> Result<Option<IncidentId>, Error> {
    let ended_by = match ending {
        triage::Ending::ByItself => "sender",
        triage::Ending::ByPerson => "person",
    };
    let (incident_id,): (Option<IncidentId>,) = tx.one(
        sql!(
            "UPDATE alerts SET ",
            OVER,
            ", last_event_at = $2 WHERE id = $1 RETURNING incident_id"
        ),
        params![id, at, ended_by],
    )?;
    tx.execute(sql!("DELETE FROM open_alerts WHERE alert_id = $1"), params![id])?;
    Ok(incident_id)
}

/// A person ended an incident, and with it the alerts in it that are not over.
pub fn resolve_of_incident(tx: &mut Tx, incident_id: &IncidentId, at: Timestamp) -> Result<(), Error> {
    tx.execute(
        sql!(
            "UPDATE alerts SET ",
            OVER,
            ", last_event_at = COALESCE((SELECT o.last_event_at FROM open_alerts o WHERE o.alert_id = alerts.id), last_event_at)
             WHERE incident_id = $1 AND status = 'triggered'"
        ),
        params![incident_id, at, "person"],
    )?;
    tx.execute(
        sql!(
            "DELETE FROM open_alerts
             WHERE alert_id IN (SELECT id FROM alerts WHERE incident_id = $1 AND status = 'resolved')"
        ),
        params![incident_id],
    )?;
    Ok(())
}

/// Notes that an integration has reported something.
pub fn note_heard(tx: &mut Tx, id: &IntegrationId, at: Timestamp) -> Result<(), Error> {
    tx.send(
        sql!("UPDATE integrations SET heard_at = $2 WHERE id = $1"),
        params![id, at],
    )
}

/// The latest open alerts of an incident that came at `since` or later, the oldest of them first.
pub fn open_since(tx: &mut Tx, id: &IncidentId, since: Timestamp, limit: i64) -> Result<Vec<Alert>, Error> {
    let mut found: Vec<Alert> = query!(
        "SELECT ",
        COLUMNS,
        ALERTS,
        "WHERE a.incident_id = $incident AND a.status = 'triggered' AND a.created_at >= $since
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

/// How an alert stays without an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldingBack {
    /// Nobody hears of it.
    Suppressed,
    /// It gets its incident later, unless it ends before.
    Waiting,
}

/// A silence has begun before the alert found its incident, or a rule says otherwise of it now.
pub fn hold_back(tx: &mut Tx, id: &AlertId, how: HoldingBack, reasons: &[Reason]) -> Result<(), Error> {
    let suppressed = how == HoldingBack::Suppressed;
    tx.execute_one(
        sql!("UPDATE alerts SET reasons = $2, suppressed = $3 WHERE id = $1"),
        params![id, store::Value::json(reasons)?, suppressed],
    )
}

/// Notes by what a rule keeps an open alert from an incident, if one does.
pub fn set_held(tx: &mut Tx, id: &AlertId, held: Option<Held>) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE open_alerts SET held = $2 WHERE alert_id = $1"),
        params![id, held],
    )
}

/// Keeps what the rules said of the newest event of an alert that they had held back.
pub fn set_ruling(tx: &mut Tx, id: &AlertId, ruling: Option<&Ruling>) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE alerts SET ruling = $2 WHERE id = $1"),
        params![id, said(ruling)?],
    )
}

/// Open alerts of a service that rules keep from an incident, the latest first.
pub fn held_by_rules(tx: &mut Tx, id: &ServiceId, limit: i64) -> Result<Vec<Alert>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM open_alerts o JOIN alerts a ON a.id = o.alert_id
         WHERE o.held IS NOT NULL AND a.service_id = $service ORDER BY a.id DESC LIMIT $limit"
    )
    .bind("service", id)
    .bind("limit", limit)
    .rows(tx)
}

/// The latest alerts of a service, the newest first.
pub fn latest_of_service(tx: &mut Tx, id: &ServiceId, limit: i64) -> Result<Vec<Alert>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        ALERTS,
        "WHERE a.service_id = $service ORDER BY a.created_at DESC LIMIT $limit"
    )
    .bind("service", id)
    .bind("limit", limit)
    .rows(tx)
}

/// Alerts of a service that a silence held back and that are still open, the oldest first. Those that a rule suppressed
/// are not among them.
pub fn open_silenced(tx: &mut Tx, id: &ServiceId, limit: i64) -> Result<Vec<AlertId>, Error> {
    let rows: Vec<(AlertId,)> = tx.rows(
        sql!(
            "SELECT a.id FROM open_alerts o JOIN alerts a ON a.id = o.alert_id
             WHERE a.service_id = $1 AND a.suppressed = $2 AND a.incident_id IS NULL AND o.held IS NULL ORDER BY a.id LIMIT $3"
        ),
        params![id, true, limit],
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
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
    query!("SELECT ", COLUMNS, ALERTS, "WHERE a.id = $id")
        .bind("id", id)
        .rows(tx)
        .map(|mut rows: Vec<Alert>| rows.pop())
}

pub fn find_all(tx: &mut Tx, ids: &[AlertId]) -> Result<Vec<Alert>, Error> {
    query!("SELECT ", COLUMNS, ALERTS, "WHERE a.id = ANY($ids)")
        .bind("ids", store::Value::texts(ids))
        .rows(tx)
}

/// An alert that was over is open again, as a person said. None other of its key may be open.
pub fn reopen(tx: &mut Tx, alert: &Alert) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE alerts SET status = 'triggered', resolved_at = NULL, ended_by = NULL WHERE id = $1"),
        params![&alert.id],
    )?;
    // Whatever its sender says next is new.
    tx.execute_one(
        sql!(
            "INSERT INTO open_alerts (integration_id, alert_key, alert_id, event_count, last_event_at, words)
             VALUES ($1, $2, $3, $4, $5, 0)"
        ),
        params![
            &alert.integration_id,
            &alert.alert_key,
            &alert.id,
            alert.event_count,
            alert.last_event_at
        ],
    )
}

/// The same, for a transaction that goes by its state: it stays so until that ends.
pub fn hold(tx: &mut Tx, id: &AlertId) -> Result<Option<Alert>, Error> {
    tx.rows::<(String,)>(
        sql!("SELECT id FROM alerts WHERE id = $1 FOR NO KEY UPDATE"),
        params![id],
    )?;
    find(tx, id)
}

/// What a list of alerts is narrowed by, and how it is sorted.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    pub alert_key: Option<String>,
    pub statuses: Vec<AlertStatus>,
    /// Open ones stand at the end.
    pub resolved: Option<Direction>,
    pub age: Direction,
}

const OF_INCIDENT: &str =
    "WHERE a.incident_id = $incident {AND a.alert_key = $key} {AND a.status = ANY($statuses)}";

fn of_incident_narrowed(query: store::Query, id: &IncidentId, sought: &Sought) -> store::Query {
    let statuses = sought.statuses.iter().map(AlertStatus::as_text);
    query
        .bind("incident", id)
        .bind_optional("key", sought.alert_key.as_deref())
        .bind_optional(
            "statuses",
            (!sought.statuses.is_empty()).then(|| store::Value::texts(statuses)),
        )
}

pub fn of_incident(tx: &mut Tx, id: &IncidentId, sought: &Sought, page: Page) -> Result<Vec<Alert>, Error> {
    let listed = query!(
        "SELECT ",
        COLUMNS,
        ALERTS,
        OF_INCIDENT,
        " ORDER BY {resolved=any: } {resolved=first: a.resolved_at NULLS LAST,}
            {resolved=last: a.resolved_at DESC NULLS LAST,} {age=oldest: a.id} {age=newest: a.id DESC}
          LIMIT $limit OFFSET $offset"
    );
    of_incident_narrowed(listed, id, sought)
        .choose(
            "resolved",
            match sought.resolved {
                None => "any",
                Some(Direction::Ascending) => "first",
                Some(Direction::Descending) => "last",
            },
        )
        .choose(
            "age",
            match sought.age {
                Direction::Ascending => "oldest",
                Direction::Descending => "newest",
            },
        )
        .bind("limit", page.rows_to_read())
        .bind("offset", page.offset)
        .rows(tx)
}

pub fn count_of_incident(tx: &mut Tx, id: &IncidentId, sought: &Sought) -> Result<i64, Error> {
    let counted = query!("SELECT COUNT(*) FROM alerts a ", OF_INCIDENT);
    let (count,): (i64,) = of_incident_narrowed(counted, id, sought).one(tx)?;
    Ok(count)
}

/// The links and pictures of an incident's latest alerts, the newest first.
pub fn contexts_of(tx: &mut Tx, id: &IncidentId, latest: i64) -> Result<Vec<Value>, Error> {
    let rows: Vec<(Value,)> = tx.rows(
        sql!("SELECT contexts FROM alerts WHERE incident_id = $1 ORDER BY id DESC LIMIT $2"),
        params![id, latest],
    )?;
    Ok(rows.into_iter().map(|(contexts,)| contexts).collect())
}

/// The first alert of an incident, whose words are its title.
pub fn first_of(tx: &mut Tx, id: &IncidentId) -> Result<Option<Alert>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        ALERTS,
        "WHERE a.incident_id = $id ORDER BY a.id LIMIT 1"
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
        sql!("SELECT id, heard_at FROM integrations WHERE id = ANY($1) AND heard_at IS NOT NULL"),
        params![store::Value::texts(ids)],
    )
}

/// Whether anything was said under a key after this.
pub fn heard_since(
    tx: &mut Tx,
    integration_id: &IntegrationId,
    key: &str,
    since: Timestamp,
) -> Result<bool, Error> {
    let (count,): (i64,) = tx.one(
        sql!(
            "SELECT COUNT(*) FROM alerts a LEFT JOIN open_alerts o ON o.alert_id = a.id
             WHERE a.alert_key = $1 AND a.integration_id = $2
               AND (COALESCE(o.last_event_at, a.last_event_at) > $3 OR a.resolved_at > $3)"
        ),
        params![key, integration_id, since],
    )?;
    Ok(count > 0)
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
