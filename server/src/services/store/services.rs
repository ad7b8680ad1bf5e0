//! Writing and listing services and their integrations.

use std::collections::HashMap;

use jiff::Timestamp;
use store::{Error, Tx, Value, params, query, sql};

use super::super::model::{Integration, IntegrationId, Service, ServiceId};
use super::{INTEGRATION_COLUMNS, SERVICE_COLUMNS};
use crate::access::token;
use crate::http::Page;

/// What a list of services is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct ServiceFilter {
    /// A part of the name, as a pattern.
    pub pattern: Option<String>,
    /// The whole name.
    pub name: Option<String>,
    pub team_ids: Vec<String>,
    pub order: ServiceOrder,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServiceOrder {
    #[default]
    Name,
    NameDescending,
}

const NARROWED: &str = " WHERE deleted_at IS NULL {AND name ILIKE $pattern ESCAPE '!'} {AND name = $name}
    {AND escalation_policy_id IN (SELECT t.escalation_policy_id FROM escalation_policy_teams t WHERE t.team_id = ANY($teams))}";

fn narrowed(query: store::Query, filter: &ServiceFilter) -> store::Query {
    query
        .bind_optional("pattern", filter.pattern.as_deref())
        .bind_optional("name", filter.name.as_deref())
        .bind_optional(
            "teams",
            (!filter.team_ids.is_empty()).then(|| Value::texts(&filter.team_ids)),
        )
}

/// Services by id that have not been deleted.
pub fn find_all(tx: &mut Tx, ids: &[String]) -> Result<Vec<Service>, Error> {
    tx.rows(
        sql!(
            "SELECT ",
            SERVICE_COLUMNS,
            " FROM services WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY id"
        ),
        params![Value::texts(ids)],
    )
}

pub fn list(tx: &mut Tx, filter: &ServiceFilter, page: Page) -> Result<Vec<Service>, Error> {
    let listed = query!(
        "SELECT ",
        SERVICE_COLUMNS,
        " FROM services ",
        NARROWED,
        " ORDER BY {order=name: name, id} {order=name_descending: name DESC, id} LIMIT $limit OFFSET $offset"
    );
    let order = match filter.order {
        ServiceOrder::Name => "name",
        ServiceOrder::NameDescending => "name_descending",
    };
    narrowed(listed, filter)
        .choose("order", order)
        .bind("limit", page.rows_to_read())
        .bind("offset", page.offset)
        .rows(tx)
}

/// Id and name of services to choose from, by name.
pub fn names(tx: &mut Tx, limit: i64) -> Result<Vec<(String, String)>, Error> {
    tx.rows(
        sql!("SELECT id, name FROM services WHERE deleted_at IS NULL ORDER BY name, id LIMIT $1"),
        params![limit],
    )
}

pub fn count(tx: &mut Tx, filter: &ServiceFilter) -> Result<i64, Error> {
    let (count,): (i64,) = narrowed(query!("SELECT COUNT(*) FROM services ", NARROWED), filter).one(tx)?;
    Ok(count)
}

/// Writes a new service.
pub fn add(tx: &mut Tx, service: &Service) -> Result<(), Error> {
    tx.execute(
        sql!(
            "INSERT INTO services (id, name, description, escalation_policy_id, disabled, auto_resolve_timeout,
                 acknowledgement_timeout, incident_urgency_rule, support_hours, scheduled_actions, alert_grouping, auto_pause,
                 created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        ),
        params![
            &service.id,
            &service.name,
            service.description.as_deref(),
            &service.escalation_policy_id,
            service.disabled,
            service.auto_resolve_timeout,
            service.acknowledgement_timeout,
            Value::json(&service.incident_urgency_rule)?,
            Value::json(&service.support_hours)?,
            Value::json(&service.scheduled_actions)?,
            Value::json(&service.alert_grouping)?,
            Value::json(&service.auto_pause)?,
            service.created_at
        ],
    )?;
    Ok(())
}

/// Writes what may change of a service.
pub fn set(tx: &mut Tx, service: &Service) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "UPDATE services SET name = $2, description = $3, escalation_policy_id = $4, disabled = $5, auto_resolve_timeout = $6,
                 acknowledgement_timeout = $7, incident_urgency_rule = $8, support_hours = $9, scheduled_actions = $10,
                 alert_grouping = $11, auto_pause = $12 WHERE id = $1"
        ),
        params![
            &service.id,
            &service.name,
            service.description.as_deref(),
            &service.escalation_policy_id,
            service.disabled,
            service.auto_resolve_timeout,
            service.acknowledgement_timeout,
            Value::json(&service.incident_urgency_rule)?,
            Value::json(&service.support_hours)?,
            Value::json(&service.scheduled_actions)?,
            Value::json(&service.alert_grouping)?,
            Value::json(&service.auto_pause)?
        ],
    )
}

/// Takes a service away, with its integrations and dependencies. Its incidents stay.
pub fn delete(tx: &mut Tx, id: &ServiceId, now: Timestamp) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE services SET deleted_at = $2 WHERE id = $1"),
        params![id, now],
    )?;
    tx.execute(
        sql!("UPDATE integrations SET deleted_at = $2 WHERE service_id = $1 AND deleted_at IS NULL"),
        params![id, now],
    )?;
    tx.execute(
        sql!("DELETE FROM service_dependencies WHERE supporting_id = $1 OR dependent_id = $1"),
        params![id],
    )?;
    Ok(())
}

/// What the services of a list show beside their own rows.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Triggered and acknowledged incidents.
    pub open: HashMap<String, (i64, i64)>,
    pub in_maintenance: Vec<String>,
    pub last_incident: HashMap<String, Timestamp>,
}

pub fn standing(tx: &mut Tx, ids: &[String], now: Timestamp) -> Result<Standing, Error> {
    let open: Vec<(String, String, i64)> = tx.rows(
        sql!(
            "SELECT service_id, status, COUNT(*) FROM incidents
             WHERE service_id = ANY($1) AND status IN ('triggered', 'acknowledged') GROUP BY service_id, status"
        ),
        params![Value::texts(ids)],
    )?;
    let last: Vec<(String, Timestamp)> = tx.rows(
        sql!(
            // The newest of each state, which the index holds at its end: ids follow the time.
            "SELECT n.service_id, MAX(n.created_at) FROM incidents n WHERE n.id IN (
                 SELECT (SELECT i.id FROM incidents i WHERE i.service_id = s.id AND i.status = t.status
                         ORDER BY i.id DESC LIMIT 1)
                 FROM services s
                 CROSS JOIN (SELECT 'triggered' AS status UNION ALL SELECT 'acknowledged' UNION ALL SELECT 'resolved') t
                 WHERE s.id = ANY($1))
             GROUP BY n.service_id"
        ),
        params![Value::texts(ids)],
    )?;
    let maintained: Vec<(String,)> = tx.rows(
        sql!(
            "SELECT DISTINCT s.service_id FROM maintenance_window_services s
             JOIN maintenance_windows w ON w.id = s.maintenance_window_id
             WHERE s.service_id = ANY($1) AND w.start_at <= $2 AND w.end_at > $2 AND w.deleted_at IS NULL"
        ),
        params![Value::texts(ids), now],
    )?;
    let mut standing = Standing {
        in_maintenance: maintained.into_iter().map(|(id,)| id).collect(),
        last_incident: last.into_iter().collect(),
        ..Standing::default()
    };
    for (id, status, count) in open {
        let counts = standing.open.entry(id).or_default();
        if status == "triggered" {
            counts.0 = count;
        } else {
            counts.1 = count;
        }
    }
    Ok(standing)
}

pub fn integrations_of(tx: &mut Tx, ids: &[String]) -> Result<Vec<Integration>, Error> {
    tx.rows(
        sql!(
            "SELECT ",
            INTEGRATION_COLUMNS,
            " FROM integrations WHERE service_id = ANY($1) AND deleted_at IS NULL ORDER BY id"
        ),
        params![Value::texts(ids)],
    )
}

/// Also those that were taken away.
pub fn find_integrations(tx: &mut Tx, ids: &[String]) -> Result<Vec<Integration>, Error> {
    tx.rows(
        sql!(
            "SELECT ",
            INTEGRATION_COLUMNS,
            " FROM integrations WHERE id = ANY($1)"
        ),
        params![Value::texts(ids)],
    )
}

/// Names of services, also of those that were deleted.
pub fn names_of(tx: &mut Tx, ids: &[String]) -> Result<Vec<(String, String)>, Error> {
    tx.rows(
        sql!("SELECT id, name FROM services WHERE id = ANY($1)"),
        params![Value::texts(ids)],
    )
}

pub fn find_integration(
    tx: &mut Tx,
    service_id: &ServiceId,
    id: &IntegrationId,
) -> Result<Option<Integration>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            INTEGRATION_COLUMNS,
            " FROM integrations WHERE id = $1 AND service_id = $2 AND deleted_at IS NULL"
        ),
        params![id, service_id],
    )
}

/// `key` is what the sender carries.
pub fn add_integration(tx: &mut Tx, integration: &Integration, key: &str) -> Result<(), Error> {
    tx.execute(
        sql!(
            "INSERT INTO integrations (id, service_id, type, name, integration_key, vendor_id, created_at, key_hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        ),
        params![
            &integration.id,
            &integration.service_id,
            &integration.kind,
            &integration.name,
            &integration.stored_key,
            integration.vendor_id.as_deref(),
            integration.created_at,
            token::hash(key)
        ],
    )?;
    Ok(())
}

pub fn set_integration(tx: &mut Tx, integration: &Integration) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE integrations SET name = $2, vendor_id = $3 WHERE id = $1"),
        params![
            &integration.id,
            &integration.name,
            integration.vendor_id.as_deref()
        ],
    )
}

pub fn delete_integration(tx: &mut Tx, id: &IntegrationId, now: Timestamp) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE integrations SET deleted_at = $2 WHERE id = $1"),
        params![id, now],
    )
}

/// A page of all integrations with the names of their services.
pub fn list_integrations(tx: &mut Tx, page: Page) -> Result<Vec<(Integration, String)>, Error> {
    let integrations: Vec<Integration> = tx.rows(
        sql!(
            "SELECT i.id, i.service_id, i.type, i.name, i.integration_key, i.vendor_id, i.created_at FROM integrations i
             JOIN services s ON s.id = i.service_id AND s.deleted_at IS NULL
             WHERE i.deleted_at IS NULL ORDER BY s.name, i.name, i.id LIMIT $1 OFFSET $2"
        ),
        params![page.rows_to_read(), page.offset],
    )?;
    let names: HashMap<String, String> = tx
        .rows::<(String, String)>(
            sql!("SELECT id, name FROM services WHERE id = ANY($1)"),
            params![Value::texts(
                integrations.iter().map(|one| one.service_id.as_str())
            )],
        )?
        .into_iter()
        .collect();
    Ok(integrations
        .into_iter()
        .map(|one| {
            let name = names.get(one.service_id.as_str()).cloned().unwrap_or_default();
            (one, name)
        })
        .collect())
}
