//! From rows to the schedule crate's plans.

use jiff::Timestamp;
use schedule::{History, Override, OverrideId, Plan, UserKey, Version, VersionedPlan};

use super::model::{Definition, ScheduleOverride};

/// One stored version: from when it counts, and what it says.
pub type StoredVersion = (Timestamp, Definition);

/// Puts a schedule's versions and its overrides (oldest first) together, ready to answer questions.
/// `None` when nothing usable is stored, which what checks on writing does not let happen.
pub fn versioned_plan(
    versions: Vec<StoredVersion>,
    overrides: &[ScheduleOverride],
) -> Option<VersionedPlan<Plan>> {
    let overrides: Vec<Override> = overrides.iter().map(override_of).collect();
    let versions: Vec<Version<schedule::Schedule>> = versions
        .into_iter()
        .map(|(effective_from, definition)| Version {
            effective_from,
            schedule: schedule::Schedule {
                overrides: overrides.clone(),
                ..definition.schedule
            },
        })
        .collect();
    History::try_from(versions).ok()?.validate().ok()
}

pub fn override_of(row: &ScheduleOverride) -> Override {
    Override {
        id: OverrideId::from(row.id.as_str()),
        start: row.start_at,
        end: row.end_at,
        user: UserKey::from(row.user_id.as_str()),
    }
}

/// Moves the origins of rotations whose members have changed, so that whoever has the turn at `at` keeps it and
/// the others follow in the new order. Layers whose rotation was changed on purpose begin where it was written.
pub fn keep_turns(before: &Definition, after: &mut Definition, at: Timestamp) {
    if before.schedule.time_zone != after.schedule.time_zone {
        return;
    }
    for index in 0..after.schedule.layers.len() {
        let layer = &after.schedule.layers[index];
        let Some(old) = before.schedule.layers.iter().find(|old| old.id == layer.id) else {
            continue;
        };
        let written_before = before
            .written_origins
            .get(&old.id)
            .copied()
            .unwrap_or(old.rotation_virtual_start);
        if written_before != layer.rotation_virtual_start
            || old.rotation_turn_length_seconds != layer.rotation_turn_length_seconds
        {
            continue;
        }
        let origin = if old.users == layer.users {
            Some(old.rotation_virtual_start)
        } else {
            let moved = before
                .schedule
                .with_members(&layer.id, layer.users.clone(), at)
                .ok();
            moved
                .as_ref()
                .and_then(|moved| moved.layers.iter().find(|one| one.id == layer.id))
                .map(|one| one.rotation_virtual_start)
        };
        if let Some(origin) = origin {
            after.schedule.layers[index].rotation_virtual_start = origin;
        }
    }
}
