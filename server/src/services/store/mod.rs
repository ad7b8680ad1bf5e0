//! The rows of services and what belongs to them.

pub mod keys;
pub mod services;
pub mod touchpoints;

use jiff::Timestamp;
use store::{Error, Tx, params, sql};

use crate::services::model::{Priority, Service, ServiceId};
use crate::services::rules::Silence;

pub(super) const SERVICE_COLUMNS: &str = "id, name, description, escalation_policy_id, disabled, auto_resolve_timeout, \
     acknowledgement_timeout, incident_urgency_rule, support_hours, scheduled_actions, alert_grouping, auto_pause, \
     created_at, deleted_at";

pub(super) const INTEGRATION_COLUMNS: &str =
    "id, service_id, type, name, integration_key, vendor_id, created_at";

/// Keeps others from taking what a service's alerts say, and from acting on it, until the end of the transaction. Whoever
/// needs an incident, an alert or a job of the service as well takes this one first.
pub fn lock(tx: &mut Tx, id: &ServiceId) -> Result<(), Error> {
    tx.lock(&format!("service:{id}"))
}

/// A service that has not been deleted.
pub fn find(tx: &mut Tx, id: &ServiceId) -> Result<Option<Service>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            SERVICE_COLUMNS,
            " FROM services WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![id],
    )
}

/// Why a service opens no incidents just now, if it does not.
pub fn silence_of(tx: &mut Tx, service: &Service, now: Timestamp) -> Result<Option<Silence>, Error> {
    if service.disabled {
        return Ok(Some(Silence::SwitchedOff));
    }
    let (until,): (Option<Timestamp>,) = tx.one(
        sql!(
            "SELECT MAX(w.end_at) FROM maintenance_window_services s
             JOIN maintenance_windows w ON w.id = s.maintenance_window_id
             WHERE s.service_id = $1 AND w.start_at <= $2 AND w.end_at > $2 AND w.deleted_at IS NULL"
        ),
        params![&service.id, now],
    )?;
    Ok(until.map(|until| Silence::Maintenance { until }))
}

/// All priorities, the most important first.
pub fn priorities(tx: &mut Tx) -> Result<Vec<Priority>, Error> {
    tx.rows(
        sql!("SELECT id, name, description, position, color FROM priorities ORDER BY position"),
        params![],
    )
}
