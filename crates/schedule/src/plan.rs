//! A checked schedule, ready to say who is on call.
//!
//! A plan never fails on one instant. Over a span it fails only when the answer would be too long to be of use (see
//! [`TooLong`]), and it knows that before it begins. Plans are made by [`Schedule::validate`] and hold no clock:
//! the same question always has the same answer.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::keys::{LayerId, OverrideId, UserKey};
use crate::layered::{Layer, Schedule};
use crate::pieces::{Piece, PieceSource, cover, flatten_newest_first, push_joined};
use crate::render::{OnCall, Source};
use crate::rotation::Rotation;
use crate::span::{Micros, SECOND, Span, WEEK, micros};
use crate::wall_clock::WallClock;
use crate::week::WorkingHours;
use crate::work;

/// Most hand-offs and windows that one question may touch, over all layers.
pub const MAX_HANDOFFS: u64 = 500_000;

/// The span holds too many hand-offs and windows to be worth an answer; ask for a shorter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this stretch holds about {estimated} hand-offs; ask for a shorter one (at most {MAX_HANDOFFS})")]
pub struct TooLong {
    /// About how many there are.
    pub estimated: u64,
}

/// A schedule that has passed [`Schedule::validate`].
///
/// ```
/// use jiff::SignedDuration;
/// use schedule::{Schedule, Span};
///
/// let schedule: Schedule = serde_json::from_value(serde_json::json!({
///     "time_zone": "Australia/Lord_Howe",
///     "layers": [{
///         "id": "L", "start": "2026-01-04T22:00:00Z", "rotation_virtual_start": "2026-01-04T22:00:00Z",
///         "rotation_turn_length_seconds": 86_400, "users": ["ann", "bob"]
///     }]
/// }))?;
/// let plan = schedule.validate().map_err(|problems| problems[0].to_string())?;
///
/// // On 5 April the clocks of Lord Howe go back by half an hour: one shift lasts as much longer.
/// let shift = plan.shift_at("2026-04-04T20:00:00Z".parse()?, SignedDuration::from_hours(100))?.ok_or("nobody")?;
/// let length = shift.end.zip(shift.start).map(|(end, start)| end.duration_since(start));
/// assert_eq!(length, Some(SignedDuration::from_mins(24 * 60 + 30)));
///
/// let week = Span::new("2026-04-01T00:00:00Z".parse()?, "2026-04-08T00:00:00Z".parse()?)?;
/// assert_eq!(plan.render(week)?.final_schedule.entries.len(), 8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    people: Vec<UserKey>,
    zones: Vec<TimeZone>,
    /// Lowest first.
    pub(crate) layers: Vec<PlanLayer>,
    pub(crate) override_ids: Vec<OverrideId>,
    /// Oldest first.
    overrides: Vec<Piece>,
}

#[derive(Debug, Clone)]
pub(crate) struct PlanLayer {
    pub(crate) id: LayerId,
    index: u32,
    start: Micros,
    end: Micros,
    zone: usize,
    pub(crate) rotation: Rotation,
    hours: WorkingHours,
    /// Indices into the people of the plan.
    users: Vec<u32>,
    /// Whether turns make a difference.
    rotates: bool,
}

impl Plan {
    pub(crate) fn new(schedule: &Schedule, zone: TimeZone, layer_zones: Vec<TimeZone>) -> Self {
        let mut plan = Self {
            people: Vec::new(),
            zones: vec![zone],
            layers: Vec::with_capacity(schedule.layers.len()),
            override_ids: Vec::with_capacity(schedule.overrides.len()),
            overrides: Vec::with_capacity(schedule.overrides.len()),
        };
        let mut known = std::collections::HashMap::new();
        let mut person = |people: &mut Vec<UserKey>, user: &UserKey| {
            *known.entry(user.clone()).or_insert_with(|| {
                people.push(user.clone());
                people.len() as u32 - 1
            })
        };
        for (index, (layer, zone)) in schedule.layers.iter().zip(layer_zones).enumerate() {
            let zone = plan
                .zones
                .iter()
                .position(|known| *known == zone)
                .unwrap_or_else(|| {
                    plan.zones.push(zone);
                    plan.zones.len() - 1
                });
            let users = layer
                .users
                .iter()
                .map(|user| person(&mut plan.people, user))
                .collect();
            let layer = PlanLayer::new(index as u32, layer, zone, &plan.zones[zone], users);
            plan.layers.push(layer);
        }
        for (index, replacement) in schedule.overrides.iter().enumerate() {
            plan.override_ids.push(replacement.id.clone());
            plan.overrides.push(Piece {
                start: micros(replacement.start),
                end: micros(replacement.end),
                user: person(&mut plan.people, &replacement.user),
                source: PieceSource::Override(index as u32),
            });
        }
        plan
    }

    /// Who is on call at an instant, and by which layer or override; `None` in a gap.
    pub fn on_call_at(&self, instant: Timestamp) -> Option<OnCall> {
        let at = micros(instant);
        let replacement = self
            .overrides
            .iter()
            .rev()
            .inspect(|_| work::count(1))
            .find(|piece| piece.start <= at && at < piece.end);
        if let Some(piece) = replacement {
            return Some(OnCall {
                user: self.user(piece.user),
                source: self.source(piece.source),
            });
        }
        let mut clocks = Clocks::new(&self.zones, at, at);
        self.layers.iter().rev().find_map(|layer| {
            work::count(1);
            let user = layer.user_at(at, &mut clocks)?;
            Some(OnCall {
                user: self.user(user),
                source: Source::Layer(layer.id.clone()),
            })
        })
    }

    /// Everybody whom the schedule names, in the order in which they first appear.
    pub fn people(&self) -> &[UserKey] {
        &self.people
    }

    pub(crate) fn zone_of(&self, layer: &PlanLayer) -> &TimeZone {
        &self.zones[layer.zone]
    }

    pub(crate) fn user(&self, index: u32) -> UserKey {
        self.people[index as usize].clone()
    }

    pub(crate) fn source(&self, source: PieceSource) -> Source {
        match source {
            PieceSource::Layer(index) => Source::Layer(self.layers[index as usize].id.clone()),
            PieceSource::Override(index) => Source::Override(self.override_ids[index as usize].clone()),
        }
    }

    /// What each layer (lowest first) and the overrides say from `start` to `end`.
    pub(crate) fn pieces(
        &self,
        start: Micros,
        end: Micros,
    ) -> Result<(Vec<Vec<Piece>>, Vec<Piece>), TooLong> {
        let estimated = self.layers.iter().map(|layer| layer.handoffs_between(start, end));
        let estimated = estimated.fold(0, u64::saturating_add);
        if estimated > MAX_HANDOFFS {
            return Err(TooLong { estimated });
        }
        let mut clocks = Clocks::new(&self.zones, start, end);
        let layers = self
            .layers
            .iter()
            .map(|layer| layer.pieces(start, end, &mut clocks))
            .collect();
        Ok((layers, flatten_newest_first(&self.overrides, start, end)))
    }

    /// The final schedule from `start` to `end`.
    pub(crate) fn final_pieces(&self, start: Micros, end: Micros) -> Result<Vec<Piece>, TooLong> {
        let (layers, overrides) = self.pieces(start, end)?;
        Ok(stack(&layers, overrides))
    }

    /// The span widened to whole turns of every layer and whole overrides at both its ends.
    pub(crate) fn widened(&self, span: Span) -> (Micros, Micros) {
        let (start, end) = (span.start_micros(), span.end_micros());
        let (mut from, mut to) = (start, end);
        for layer in &self.layers {
            let (first, last) = layer.whole_turns_around(start, end, &self.zones[layer.zone]);
            from = from.min(first);
            to = to.max(last);
        }
        for replacement in self
            .overrides
            .iter()
            .filter(|piece| piece.start < end && start < piece.end)
        {
            from = from.min(replacement.start);
            to = to.max(replacement.end);
        }
        (from, to)
    }
}

/// Lays the layers over each other, and the overrides over them.
pub(crate) fn stack(layers: &[Vec<Piece>], overrides: Vec<Piece>) -> Vec<Piece> {
    cover(overrides, &laid_over(layers))
}

/// Halves first, so that a piece is looked at as often as layers can be halved, not once for every layer below it.
fn laid_over(layers: &[Vec<Piece>]) -> Vec<Piece> {
    match layers {
        [] => Vec::new(),
        [only] => only.clone(),
        _ => {
            let (lower, upper) = layers.split_at(layers.len() / 2);
            cover(laid_over(upper), &laid_over(lower))
        }
    }
}

/// The wall clocks of a plan's zones, each made when first needed.
struct Clocks<'plan> {
    zones: &'plan [TimeZone],
    start: Micros,
    end: Micros,
    made: Vec<Option<WallClock>>,
}

impl<'plan> Clocks<'plan> {
    fn new(zones: &'plan [TimeZone], start: Micros, end: Micros) -> Self {
        Self {
            zones,
            start,
            end,
            made: vec![None; zones.len()],
        }
    }

    fn of(&mut self, zone: usize) -> &WallClock {
        self.made[zone].get_or_insert_with(|| WallClock::over(&self.zones[zone], self.start, self.end))
    }
}

impl PlanLayer {
    fn new(index: u32, layer: &Layer, zone: usize, time_zone: &TimeZone, users: Vec<u32>) -> Self {
        let hours = WorkingHours::new(&layer.restrictions);
        let offset = time_zone.to_offset(layer.rotation_virtual_start).seconds();
        let origin = micros(layer.rotation_virtual_start) + Micros::from(offset) * SECOND;
        Self {
            id: layer.id.clone(),
            index,
            start: micros(layer.start),
            end: layer.end.map_or(Micros::MAX, micros),
            zone,
            rotation: Rotation::new(origin, layer.rotation_turn_length_seconds, layer.advance, &hours),
            rotates: users.iter().any(|user| *user != users[0]),
            hours,
            users,
        }
    }

    fn user_at(&self, at: Micros, clocks: &mut Clocks<'_>) -> Option<u32> {
        if at < self.start || self.end <= at {
            return None;
        }
        let local = clocks.of(self.zone).reading(at);
        self.hours
            .contains(local)
            .then(|| self.user_of(self.rotation.turn_at(local)))
    }

    fn user_of(&self, turn: i64) -> u32 {
        self.users[self.rotation.person(turn, self.users.len())]
    }

    /// About how many hand-offs and windows lie between; never far too few.
    fn handoffs_between(&self, start: Micros, end: Micros) -> u64 {
        let active = end.min(self.end).saturating_sub(start.max(self.start));
        if active <= 0 {
            return 0;
        }
        let turns = if self.rotates {
            active / self.rotation.length() + 1
        } else {
            1
        };
        let windows = (active / WEEK + 1).saturating_mul(self.hours.windows_per_week() as i64);
        turns.saturating_add(windows) as u64
    }

    fn pieces(&self, start: Micros, end: Micros, clocks: &mut Clocks<'_>) -> Vec<Piece> {
        let (start, end) = (start.max(self.start), end.min(self.end));
        let mut pieces = Vec::new();
        if start >= end {
            return pieces;
        }
        let clock = clocks.of(self.zone);
        let (first, last) = (clock.reading(start), clock.reading(end));
        for (opens, closes) in self.hours.windows(first, last.saturating_add(1)) {
            let from = clock.first_instant(opens).max(start);
            let to = clock.first_instant(closes).min(end);
            let (from, to) = if self.hours == WorkingHours::Always {
                (start, end)
            } else {
                (from, to)
            };
            if from < to {
                self.push_turns(&mut pieces, from, to, clock);
            }
        }
        pieces
    }

    /// Adds the turns from one instant to another, in which the layer works throughout.
    fn push_turns(&self, pieces: &mut Vec<Piece>, from: Micros, to: Micros, clock: &WallClock) {
        let source = PieceSource::Layer(self.index);
        if !self.rotates {
            push_joined(
                pieces,
                Piece {
                    start: from,
                    end: to,
                    user: self.users[0],
                    source,
                },
            );
            return;
        }
        let mut turn = self.rotation.turn_at(clock.reading(from));
        let mut start = from;
        while start < to {
            work::count(1);
            let end = clock.first_instant(self.rotation.start_of(turn + 1)).min(to);
            if start < end {
                push_joined(
                    pieces,
                    Piece {
                        start,
                        end,
                        user: self.user_of(turn),
                        source,
                    },
                );
                start = end;
            }
            turn += 1;
        }
    }

    /// From the start of the turn that holds the first instant to the end of the one that holds the last.
    fn whole_turns_around(&self, start: Micros, end: Micros, zone: &TimeZone) -> (Micros, Micros) {
        if end <= self.start || self.end <= start {
            return (start, end);
        }
        let (first, last) = (start.max(self.start), end.min(self.end) - 1);
        let length = self.rotation.length();
        let clock = WallClock::over(zone, first.saturating_sub(length), last.saturating_add(length));
        let turn_start = clock.first_instant(
            self.rotation
                .start_of(self.rotation.turn_at(clock.reading(first))),
        );
        let turn_end = clock.first_instant(
            self.rotation
                .start_of(self.rotation.turn_at(clock.reading(last)) + 1),
        );
        (turn_start.max(self.start), turn_end.min(self.end))
    }
}
