//! A checked shift-based schedule, ready to say who has which shift.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::{AssignmentStrategy, Member, OverrideTarget, ShiftEvent, ShiftSchedule};
use crate::keys::{CustomShiftId, EventId, OverrideId, RotationId};
use crate::layered::Advance;
use crate::plan::{MAX_HANDOFFS, TooLong};
use crate::recurrence::days::local_micros;
use crate::recurrence::{MAX_EFFORT, Occurrence, Occurrences};
use crate::span::{DAY, Micros, micros};
use crate::span_index::SpanIndex;
use crate::wall_clock::WallClock;
use crate::work;

/// A shift-based schedule that has passed [`ShiftSchedule::validate`].
#[derive(Debug, Clone, Default)]
pub struct ShiftPlan {
    rotations: Vec<(RotationId, Vec<PlanEvent>)>,
    custom: Vec<(CustomShiftId, Micros, Micros, Member)>,
    replacements: HashMap<OverrideTarget, SpanIndex<Replacement>>,
}

#[derive(Debug, Clone)]
pub(super) struct PlanEvent {
    id: EventId,
    since: Micros,
    until: Micros,
    occurrences: Occurrences,
    start_zone: TimeZone,
    end_zone: TimeZone,
    /// Local end minus local start, each on its own place's clock.
    length: Micros,
    strategy: AssignmentStrategy,
    advance: Advance,
}

/// A stretch of a shift with whoever has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ShiftPiece {
    pub(super) start: Micros,
    pub(super) end: Micros,
    pub(super) member: Member,
    pub(super) origin: Origin,
    pub(super) replaced_by: Option<OverrideId>,
}

/// Where a shift comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Origin {
    Rotation(RotationId, EventId),
    Custom(CustomShiftId),
}

#[derive(Debug, Clone)]
struct Replacement {
    start: Micros,
    end: Micros,
    /// Position in the schedule: higher is newer.
    age: usize,
    id: OverrideId,
    from: Member,
    to: Member,
}

impl PlanEvent {
    pub(super) fn new(
        event: &ShiftEvent,
        occurrences: Occurrences,
        start_zone: TimeZone,
        end_zone: TimeZone,
    ) -> Self {
        Self {
            id: event.id.clone(),
            since: micros(event.effective_since),
            until: event.effective_until.map_or(Micros::MAX, micros),
            length: local_micros(event.end_time.date_time) - local_micros(event.start_time.date_time),
            occurrences,
            start_zone,
            end_zone,
            strategy: event.assignment_strategy.clone(),
            advance: event.advance,
        }
    }

    /// The shifts that have time in common with `start..end`, uncut but for the event's own limits. Adds the days that were
    /// looked at to `effort`.
    fn shifts(
        &self,
        rotation: &RotationId,
        start: Micros,
        end: Micros,
        effort: &mut i64,
    ) -> Result<Vec<ShiftPiece>, TooLong> {
        let (start, end) = (start.max(self.since), end.min(self.until));
        if start >= end {
            return Ok(Vec::new());
        }
        // Two places' clocks may lie more than a day apart, and either may jump by a day.
        let reach = self.length.abs() + 3 * DAY;
        let start_clock = WallClock::over(&self.start_zone, start - reach, end + reach);
        let end_clock = WallClock::over(&self.end_zone, start - reach, end + reach);
        let (first, last) = (start_clock.reading(start), start_clock.reading(end));
        *effort += self.occurrences.effort(first - reach, last + DAY);
        if *effort > MAX_EFFORT {
            return Err(TOO_MANY_STEPS);
        }
        let found = self
            .occurrences
            .between(first - reach, last + DAY)
            .map_err(|_| TOO_MANY_STEPS)?;
        let mut shifts = Vec::with_capacity(found.len());
        for occurrence in found {
            work::count(1);
            let from = start_clock.first_instant(occurrence.local).max(self.since);
            let to = end_clock
                .first_instant(occurrence.local + self.length)
                .min(self.until);
            if from < to && from < end && start < to {
                let origin = || Origin::Rotation(rotation.clone(), self.id.clone());
                let piece = |member: &Member| ShiftPiece {
                    start: from,
                    end: to,
                    member: member.clone(),
                    origin: origin(),
                    replaced_by: None,
                };
                match &self.strategy {
                    AssignmentStrategy::Everyone { members } => shifts.extend(members.iter().map(piece)),
                    AssignmentStrategy::Rotating {
                        shifts_per_member,
                        members,
                    } => {
                        let turn = self.turns_before(&occurrence) / i64::from(*shifts_per_member).max(1);
                        shifts.push(piece(&members[turn.rem_euclid(members.len() as i64) as usize]));
                    }
                }
                within_limit(shifts.len())?;
            }
        }
        Ok(shifts)
    }

    fn turns_before(&self, occurrence: &Occurrence) -> i64 {
        match self.advance {
            Advance::CalendarTurns => occurrence.planned_before,
            Advance::WorkedTurns => occurrence.held_before,
        }
    }
}

const TOO_MANY_STEPS: TooLong = TooLong {
    estimated: MAX_HANDOFFS + 1,
};

fn within_limit(pieces: usize) -> Result<(), TooLong> {
    let estimated = pieces as u64;
    if estimated > MAX_HANDOFFS {
        Err(TooLong { estimated })
    } else {
        Ok(())
    }
}

/// Many overrides over many shifts cost their product.
fn within_effort(comparisons: usize) -> Result<(), TooLong> {
    if comparisons > 50_000_000 {
        Err(TooLong {
            estimated: comparisons as u64,
        })
    } else {
        Ok(())
    }
}

impl ShiftPlan {
    pub(super) fn add_event(&mut self, rotation: &RotationId, event: PlanEvent) {
        match self.rotations.last_mut() {
            Some((last, events)) if last == rotation => events.push(event),
            _ => self.rotations.push((rotation.clone(), vec![event])),
        }
    }

    pub(super) fn add_single_shifts(&mut self, schedule: &ShiftSchedule) {
        for shift in &schedule.custom_shifts {
            let (start, end) = (micros(shift.start_time), micros(shift.end_time));
            self.custom
                .push((shift.id.clone(), start, end, shift.member.clone()));
        }
        let mut by_target: HashMap<OverrideTarget, Vec<(Micros, Micros, Replacement)>> = HashMap::new();
        for (age, replacement) in schedule.overrides.iter().enumerate() {
            let (start, end) = (micros(replacement.start_time), micros(replacement.end_time));
            let stretch = Replacement {
                start,
                end,
                age,
                id: replacement.id.clone(),
                from: replacement.overridden_member.clone(),
                to: replacement.overriding_member.clone(),
            };
            by_target
                .entry(replacement.target.clone())
                .or_default()
                .push((start, end, stretch));
        }
        let indexed = by_target
            .into_iter()
            .map(|(target, stretches)| (target, SpanIndex::new(stretches)));
        self.replacements = indexed.collect();
    }

    /// Every shift that has time in common with `start..end`, after overrides, by start; uncut.
    pub(super) fn pieces(&self, start: Micros, end: Micros) -> Result<Vec<ShiftPiece>, TooLong> {
        let mut pieces = Vec::new();
        let mut effort = 0;
        let mut days = 0;
        for (rotation, events) in &self.rotations {
            let replacements = self.replacements.get(&OverrideTarget::Rotation(rotation.clone()));
            for event in events {
                for shift in event.shifts(rotation, start, end, &mut days)? {
                    effort += replace(shift, replacements, start, end, &mut pieces);
                    within_limit(pieces.len())?;
                    within_effort(effort)?;
                }
            }
        }
        work::count(self.custom.len());
        for (id, from, to, member) in &self.custom {
            if *from < end && start < *to {
                let replacements = self.replacements.get(&OverrideTarget::CustomShift(id.clone()));
                let origin = Origin::Custom(id.clone());
                let shift = ShiftPiece {
                    start: *from,
                    end: *to,
                    member: member.clone(),
                    origin,
                    replaced_by: None,
                };
                effort += replace(shift, replacements, start, end, &mut pieces);
                within_limit(pieces.len())?;
                within_effort(effort)?;
            }
        }
        pieces.sort_by_key(|piece| (piece.start, piece.end));
        Ok(pieces)
    }
}

/// Cuts a shift where overrides begin and end, and gives each part to whoever has it then. Says how many comparisons
/// that took.
fn replace(
    shift: ShiftPiece,
    replacements: Option<&SpanIndex<Replacement>>,
    start: Micros,
    end: Micros,
    into: &mut Vec<ShiftPiece>,
) -> usize {
    let during = replacements.map(|index| index.during(shift.start, shift.end));
    let mut relevant: Vec<&Replacement> = during.into_iter().flatten().map(|(_, _, found)| found).collect();
    if relevant.is_empty() {
        into.push(shift);
        return 1;
    }
    relevant.sort_by_key(|replacement| replacement.age);
    let edges = relevant
        .iter()
        .flat_map(|replacement| [replacement.start, replacement.end]);
    let mut edges: Vec<Micros> = edges
        .filter(|edge| shift.start < *edge && *edge < shift.end)
        .collect();
    edges.extend([shift.start, shift.end]);
    edges.sort_unstable();
    edges.dedup();
    let first = into.len();
    work::count(edges.len() * relevant.len());
    for (from, to) in edges.iter().zip(edges.iter().skip(1)) {
        let mut part = ShiftPiece {
            start: *from,
            end: *to,
            ..shift.clone()
        };
        for replacement in relevant
            .iter()
            .filter(|replacement| replacement.start <= *from && *to <= replacement.end)
        {
            if replacement.from == part.member || replacement.from == shift.member {
                part.member = replacement.to.clone();
                part.replaced_by = Some(replacement.id.clone());
            }
        }
        match into[first..].last_mut() {
            Some(last) if last.member == part.member && last.replaced_by == part.replaced_by => {
                last.end = part.end;
            }
            _ => into.push(part),
        }
    }
    let inside = |piece: &ShiftPiece| piece.start < end && start < piece.end;
    let kept: Vec<ShiftPiece> = into.drain(first..).filter(inside).collect();
    into.extend(kept);
    edges.len() * relevant.len()
}
