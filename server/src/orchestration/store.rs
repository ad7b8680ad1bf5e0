//! The rows of rules.

use serde_json::Value as Json;
use store::{Error, Tx, Value, params, sql};

use super::model::{Orchestration, Rules};
use crate::services::ServiceId;
use crate::timeline::Change;

pub fn find(tx: &mut Tx, id: &ServiceId) -> Result<Option<Orchestration>, Error> {
    tx.row(
        sql!(
            "SELECT service_id, active, version, rules, created_at, created_by, updated_at, updated_by
             FROM service_orchestrations WHERE service_id = $1"
        ),
        params![id],
    )
}

/// The versions of the rules that judge just now.
pub fn active_versions(tx: &mut Tx, ids: &[&ServiceId]) -> Result<Vec<(ServiceId, i64)>, Error> {
    tx.rows(
        sql!(
            "SELECT service_id, version FROM service_orchestrations WHERE service_id = ANY($1) AND active = $2"
        ),
        params![Value::texts(ids), true],
    )
}

/// Rules with their version, as they were written down.
pub fn written(tx: &mut Tx, id: &ServiceId) -> Result<Option<(i64, Json)>, Error> {
    tx.row(
        sql!("SELECT version, rules FROM service_orchestrations WHERE service_id = $1"),
        params![id],
    )
}

/// Writes the rules of a service; nobody else changes them until the transaction ends.
pub fn set_rules(change: &mut Change, id: &ServiceId, rules: &Rules) -> Result<(), Error> {
    let author = change.agent.user_id().map(str::to_owned);
    change.tx.execute_one(
        sql!(
            "INSERT INTO service_orchestrations (service_id, active, version, rules, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, 1, $3, $4, $5, $4, $5)
             ON CONFLICT (service_id) DO UPDATE SET version = service_orchestrations.version + 1, rules = excluded.rules,
                 updated_at = excluded.updated_at, updated_by = excluded.updated_by"
        ),
        params![id, true, Value::json(rules)?, change.now, author],
    )
}

/// Whether the rules of a service judge its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judging {
    Now,
    NotNow,
}

/// Has events judged, or not.
pub fn set_judging(change: &mut Change, id: &ServiceId, judging: Judging) -> Result<(), Error> {
    let active = judging == Judging::Now;
    let author = change.agent.user_id().map(str::to_owned);
    change.tx.execute_one(
        sql!(
            "INSERT INTO service_orchestrations (service_id, active, version, rules, created_at, created_by, updated_at, updated_by)
             VALUES ($1, $2, 1, $3, $4, $5, $4, $5)
             ON CONFLICT (service_id) DO UPDATE SET active = excluded.active,
                 updated_at = excluded.updated_at, updated_by = excluded.updated_by"
        ),
        params![id, active, Value::json(&Rules::default())?, change.now, author],
    )
}

/// Keeps others from changing the rules of a service until the transaction ends.
pub fn hold(tx: &mut Tx, id: &ServiceId) -> Result<(), Error> {
    tx.lock(&format!("service_rules:{id}"))
}
