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
