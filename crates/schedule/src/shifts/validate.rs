//! From a shift-based schedule as written to a plan that can be trusted; every problem at once, with its field.

use std::collections::HashSet;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::plan::{PlanEvent, ShiftPlan};
use super::{AssignmentStrategy, OverrideTarget, PlaceTime, ShiftEvent, ShiftSchedule};
use crate::recurrence::days::local_micros;
use crate::recurrence::{MAX_BARREN_DAYS, MAX_EFFORT, TooManySteps};
use crate::span::{DAY, Micros, micros};
use crate::validate::{Findings, Problem, ProblemKind};
use crate::wall_clock::WallClock;

/// Most rotations in one schedule, past ones included.
pub const MAX_ROTATIONS: usize = 100;
/// Most events in one rotation, past ones included.
pub const MAX_EVENTS_PER_ROTATION: usize = 200;
/// Most members of one event.
pub const MAX_MEMBERS: usize = 1_000;
/// Most custom shifts handed in with one schedule.
pub const MAX_CUSTOM_SHIFTS: usize = 20_000;
/// Most overrides handed in with one shift-based schedule.
pub const MAX_SHIFT_OVERRIDES: usize = 20_000;
/// Longest shift, in days.
pub const MAX_SHIFT_DAYS: i64 = 366;

impl ShiftSchedule {
    /// Checks the schedule and makes it ready to answer questions, with the host's time zones or, where it has none,
    /// those built in.
    ///
    /// # Errors
    /// Every problem found, in the order of the fields; never an empty list.
    pub fn validate(&self) -> Result<ShiftPlan, Vec<Problem>> {
        self.validate_with(jiff::tz::db())
    }

    /// As [`validate`](Self::validate), with the time zones given.
    ///
    /// # Errors
    /// Every problem found, in the order of the fields; never an empty list.
    pub fn validate_with(&self, zones: &TimeZoneDatabase) -> Result<ShiftPlan, Vec<Problem>> {
        let mut found = Findings::default();
        let _shown_in: Option<TimeZone> = found.zone("time_zone", &self.time_zone, zones);
        found.limit("rotations", self.rotations.len(), MAX_ROTATIONS);
        found.limit("custom_shifts", self.custom_shifts.len(), MAX_CUSTOM_SHIFTS);
        found.limit("overrides", self.overrides.len(), MAX_SHIFT_OVERRIDES);
        let mut plan = ShiftPlan::default();
        // Days looked at for all recurrences together.
        let mut effort = 0;
        let mut ids = HashSet::new();
        for (index, rotation) in self.rotations.iter().enumerate().take(MAX_ROTATIONS) {
            let path = format!("rotations[{index}]");
            found.unique(&mut ids, &path, rotation.id.as_str());
            found.limit(
                &format!("{path}.events"),
                rotation.events.len(),
                MAX_EVENTS_PER_ROTATION,
            );
            let mut event_ids = HashSet::new();
            for (index, event) in rotation.events.iter().enumerate().take(MAX_EVENTS_PER_ROTATION) {
                let path = format!("{path}.events[{index}]");
                found.unique(&mut event_ids, &path, event.id.as_str());
                if let Some(event) = place(&mut found, &path, event, zones, &mut effort) {
                    plan.add_event(&rotation.id, event);
                }
            }
        }
        self.check_single_shifts(&mut found);
        if found.0.is_empty() {
            plan.add_single_shifts(self);
            Ok(plan)
        } else {
            Err(found.0)
        }
    }

    fn check_single_shifts(&self, found: &mut Findings) {
        let mut ids = HashSet::new();
        for (index, shift) in self.custom_shifts.iter().enumerate().take(MAX_CUSTOM_SHIFTS) {
            let path = format!("custom_shifts[{index}]");
            found.unique(&mut ids, &path, shift.id.as_str());
            if micros(shift.end_time) <= micros(shift.start_time) {
                found.add(format!("{path}.end_time"), ProblemKind::EndsBeforeStart);
            }
        }
        let rotations: HashSet<&str> = self
            .rotations
            .iter()
            .map(|rotation| rotation.id.as_str())
            .collect();
        let mut override_ids = HashSet::new();
        for (index, replacement) in self.overrides.iter().enumerate().take(MAX_SHIFT_OVERRIDES) {
            let path = format!("overrides[{index}]");
            found.unique(&mut override_ids, &path, replacement.id.as_str());
            let (field, id, known) = match &replacement.target {
                OverrideTarget::Rotation(id) => ("rotation_id", id.as_str(), &rotations),
                OverrideTarget::CustomShift(id) => ("custom_shift_id", id.as_str(), &ids),
            };
            if !known.contains(id) {
                found.add(format!("{path}.{field}"), ProblemKind::UnknownId(id.to_owned()));
            }
            if micros(replacement.end_time) <= micros(replacement.start_time) {
                found.add(format!("{path}.end_time"), ProblemKind::EndsBeforeStart);
            }
        }
    }
}

fn place(
    found: &mut Findings,
    path: &str,
    event: &ShiftEvent,
    zones: &TimeZoneDatabase,
    effort: &mut i64,
) -> Option<PlanEvent> {
    let start_zone = found.zone(
        &format!("{path}.start_time.time_zone"),
        &event.start_time.time_zone,
        zones,
    );
    let end_zone = found.zone(
        &format!("{path}.end_time.time_zone"),
        &event.end_time.time_zone,
        zones,
    );
    let members = event.assignment_strategy.members();
    if members.is_empty() {
        found.add(
            format!("{path}.assignment_strategy.members"),
            ProblemKind::NoUsers,
        );
    }
    found.limit(
        &format!("{path}.assignment_strategy.members"),
        members.len(),
        MAX_MEMBERS,
    );
    if matches!(
        event.assignment_strategy,
        AssignmentStrategy::Rotating {
            shifts_per_member: 0,
            ..
        }
    ) {
        found.add(
            format!("{path}.assignment_strategy.shifts_per_member"),
            ProblemKind::NoShiftsPerMember,
        );
    }
    if event
        .effective_until
        .is_some_and(|until| until < event.effective_since)
    {
        found.add(format!("{path}.effective_until"), ProblemKind::EndsBeforeStart);
    }
    let (start_zone, end_zone) = (start_zone?, end_zone?);
    let length = first_instant(&event.end_time, &end_zone) - first_instant(&event.start_time, &start_zone);
    let start = local_micros(event.start_time.date_time);
    let end = local_micros(event.end_time.date_time);
    // On one clock its face decides: a first shift inside an hour that does not exist takes no time, but the next ones do.
    let is_backwards = if start_zone == end_zone {
        end <= start
    } else {
        length <= 0
    };
    if is_backwards {
        found.add(format!("{path}.end_time"), ProblemKind::EndsBeforeStart);
        return None;
    }
    if length > MAX_SHIFT_DAYS * DAY || (end - start).abs() > MAX_SHIFT_DAYS * DAY {
        found.add(format!("{path}.end_time"), ProblemKind::ShiftTooLong);
        return None;
    }
    let placed = if *effort > MAX_EFFORT {
        Err(TooManySteps)
    } else {
        event.recurrence.place(start, &start_zone, zones)
    };
    *effort += placed.as_ref().map_or(MAX_BARREN_DAYS, |placed| placed.looked_at);
    let Ok(occurrences) = placed else {
        found.add(format!("{path}.recurrence"), ProblemKind::RecurrenceTooLong);
        return None;
    };
    Some(PlanEvent::new(event, occurrences, start_zone, end_zone))
}

fn first_instant(time: &PlaceTime, zone: &TimeZone) -> Micros {
    let local = local_micros(time.date_time);
    WallClock::over(zone, local - DAY, local + DAY).first_instant(local)
}
