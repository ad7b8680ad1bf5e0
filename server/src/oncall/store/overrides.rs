//! The rows of overrides.

use jiff::Timestamp;
use store::{Error, Tx, params, sql};

use crate::oncall::model::{ScheduleId, ScheduleOverride, ScheduleOverrideId};

/// The overrides that touch a stretch, oldest first.
pub fn overrides_between(
    tx: &mut Tx,
    id: &ScheduleId,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<ScheduleOverride>, Error> {
    tx.rows(
        sql!(
            "SELECT id, schedule_id, user_id, start_at, end_at FROM schedule_overrides
             WHERE schedule_id = $1 AND end_at > $2 AND start_at <= $3 ORDER BY created_at, id"
        ),
        params![id, start, end],
    )
}

pub fn find_override(
    tx: &mut Tx,
    schedule_id: &ScheduleId,
    id: &ScheduleOverrideId,
) -> Result<Option<ScheduleOverride>, Error> {
    tx.row(
        sql!(
            "SELECT id, schedule_id, user_id, start_at, end_at FROM schedule_overrides
             WHERE id = $1 AND schedule_id = $2"
        ),
        params![id, schedule_id],
    )
}

/// How many overrides are not over yet.
pub fn count_open_overrides(tx: &mut Tx, id: &ScheduleId, now: Timestamp) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM schedule_overrides WHERE schedule_id = $1 AND end_at > $2"),
        params![id, now],
    )?;
    Ok(count)
}

pub fn insert_override(
    tx: &mut Tx,
    one: &ScheduleOverride,
    now: Timestamp,
    created_by: Option<&str>,
) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "INSERT INTO schedule_overrides (id, schedule_id, user_id, start_at, end_at, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        params![
            &one.id,
            &one.schedule_id,
            &one.user_id,
            one.start_at,
            one.end_at,
            now,
            created_by
        ],
    )
}

/// Ends an override that is under way.
pub fn end_override(tx: &mut Tx, id: &ScheduleOverrideId, at: Timestamp) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE schedule_overrides SET end_at = $2 WHERE id = $1"),
        params![id, at],
    )
}

/// Takes back an override that has not begun.
pub fn delete_override(tx: &mut Tx, id: &ScheduleOverrideId) -> Result<(), Error> {
    tx.execute_one(sql!("DELETE FROM schedule_overrides WHERE id = $1"), params![id])
}
