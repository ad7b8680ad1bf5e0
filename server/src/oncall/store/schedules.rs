//! The rows of schedules and overrides, and who is on call by them.

use jiff::Timestamp;
use schedule::{Plan, VersionedPlan};
use store::{Error, Tx, Value, params, sql};

use crate::oncall::model::{Definition, ScheduleId, ScheduleOverride, ScheduleRow, Target, TargetKind};
use crate::oncall::rules;
use crate::people::UserId;

/// The people whom `targets` mean at an instant, each once, in the order of the targets. Deleted people and
/// schedules and empty stretches are left out.
pub fn people_on_call(tx: &mut Tx, targets: &[Target], now: Timestamp) -> Result<Vec<UserId>, Error> {
    let mut named: Vec<UserId> = Vec::new();
    for target in targets {
        let person = match target.kind {
            TargetKind::User => Some(UserId::from(target.id.as_str())),
            TargetKind::Schedule => on_call_at(tx, &ScheduleId::from(target.id.as_str()), now)?,
        };
        if let Some(person) = person
            && !named.contains(&person)
        {
            named.push(person);
        }
    }
    if named.is_empty() {
        return Ok(named);
    }
    let present: Vec<(UserId,)> = tx.rows(
        sql!("SELECT id FROM users WHERE id = ANY($1) AND deleted_at IS NULL"),
        params![Value::texts(named.iter().map(UserId::as_str))],
    )?;
    named.retain(|person| present.iter().any(|(id,)| id == person));
    Ok(named)
}

/// Who a schedule has on call at an instant: an override before a layer, a newer override before an older one.
pub fn on_call_at(tx: &mut Tx, id: &ScheduleId, at: Timestamp) -> Result<Option<UserId>, Error> {
    let plan = plan_between(tx, id, at, at)?;
    Ok(plan
        .and_then(|plan| plan.on_call_at(at))
        .map(|on_call| UserId::from(on_call.user.as_str())))
}

/// The plan of a schedule with the versions and overrides that count between two instants, both included.
pub fn plan_between(
    tx: &mut Tx,
    id: &ScheduleId,
    start: Timestamp,
    end: Timestamp,
) -> Result<Option<VersionedPlan<Plan>>, Error> {
    let versions: Vec<VersionRow> = tx.rows(
        sql!(
            "SELECT v.effective_from, v.definition FROM schedule_versions v
             JOIN schedules s ON s.id = v.schedule_id AND s.deleted_at IS NULL
             WHERE v.schedule_id = $1 AND v.effective_from <= $3
               AND v.effective_from >= COALESCE(
                   (SELECT MAX(w.effective_from) FROM schedule_versions w
                    WHERE w.schedule_id = $1 AND w.effective_from <= $2), 0)
             ORDER BY v.effective_from"
        ),
        params![id, start, end],
    )?;
    let overrides = overrides_between(tx, id, start, end)?;
    let versions = versions
        .into_iter()
        .map(|row| (row.effective_from, row.definition))
        .collect();
    Ok(rules::versioned_plan(versions, &overrides))
}

#[derive(Debug, store::FromRow)]
struct VersionRow {
    effective_from: Timestamp,
    #[row(json)]
    definition: Definition,
}

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

/// A schedule that has not been deleted.
pub fn find_schedule(tx: &mut Tx, id: &ScheduleId) -> Result<Option<ScheduleRow>, Error> {
    tx.row(
        sql!(
            "SELECT id, name, description, time_zone, definition, calendar_key, created_at, deleted_at
             FROM schedules WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![id],
    )
}

/// The names of schedules, deleted ones too.
pub fn schedule_names(tx: &mut Tx, ids: &[&str]) -> Result<Vec<(ScheduleId, String)>, Error> {
    tx.rows(
        sql!("SELECT id, name FROM schedules WHERE id = ANY($1) ORDER BY id"),
        params![Value::texts(ids)],
    )
}
