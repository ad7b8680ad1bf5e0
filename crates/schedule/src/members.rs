//! Changing who takes turns without moving anybody else's.
//!
//! A rotation is anchored to its virtual start, so adding or removing one person would re-deal every turn, past and
//! future: the commonest complaint about on-call schedules. Instead, the virtual start is moved by whole turns so
//! that the present turn stays with whoever has it. Hand-off times never change.

use jiff::Timestamp;

use crate::keys::{LayerId, UserKey};
use crate::layered::Schedule;
use crate::plan::PlanLayer;
use crate::span::{Micros, instant, micros};
use crate::validate::Problem;
use crate::wall_clock::WallClock;

/// Why the members of a layer could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MembersProblem {
    /// The schedule has no such layer.
    #[error("there is no layer `{0}` in this schedule")]
    NoSuchLayer(LayerId),
    /// The schedule, before or after the change, is not valid.
    #[error("the schedule has {} problem(s), the first is {}", .0.len(), first(.0))]
    Invalid(Vec<Problem>),
}

fn first(problems: &[Problem]) -> String {
    problems.first().map(ToString::to_string).unwrap_or_default()
}

impl Schedule {
    /// The schedule with other members in a layer, for a version that takes effect at `at`.
    ///
    /// Whoever has the turn at `at` keeps it, and the others follow in the new order. If that person leaves, the next
    /// of the old order who stays keeps the turn that was planned for them; what lies before it goes to whoever comes
    /// before them in the new order. So where people are replaced one for one, nobody else's turn moves. A rotation of
    /// entirely new people starts with the first.
    ///
    /// # Errors
    /// [`MembersProblem`] when there is no such layer, or the schedule is not valid before or after.
    pub fn with_members(
        &self,
        layer: &LayerId,
        members: Vec<UserKey>,
        at: Timestamp,
    ) -> Result<Self, MembersProblem> {
        let index = self.layers.iter().position(|known| known.id == *layer);
        let index = index.ok_or_else(|| MembersProblem::NoSuchLayer(layer.clone()))?;
        let plan = self.validate().map_err(MembersProblem::Invalid)?;
        let mut changed = self.clone();
        changed.layers[index].users.clone_from(&members);
        changed.validate().map_err(MembersProblem::Invalid)?;
        let old = &self.layers[index].users;
        let placed = &plan.layers[index];
        let zone = plan.zone_of(placed);
        let at = micros(at);
        let turn = placed.rotation.turn_at(WallClock::over(zone, at, at).reading(at));
        let wanted = wanted_position(old, placed.rotation.person(turn, old.len()), &members);
        changed.layers[index].rotation_virtual_start =
            virtual_start(placed, turn, wanted, members.len(), zone);
        Ok(changed)
    }
}

/// The position in `new` that the present turn must have, given that it has `current` in `old`.
fn wanted_position(old: &[UserKey], current: usize, new: &[UserKey]) -> i64 {
    if let Some(position) = same_place(old, current, new) {
        return position as i64;
    }
    let mut successors = (1..old.len()).map(|step| (step, (current + step) % old.len()));
    successors
        .find_map(|(step, next)| Some(same_place(old, next, new)? as i64 - step as i64))
        .unwrap_or(0)
}

/// Where the member at `position` stands in the new order; of one who appears several times, the same appearance.
fn same_place(old: &[UserKey], position: usize, new: &[UserKey]) -> Option<usize> {
    let user = &old[position];
    let appearance = old[..position].iter().filter(|other| *other == user).count();
    let mut places = new
        .iter()
        .enumerate()
        .filter(|(_, other)| *other == user)
        .map(|(place, _)| place);
    let first = places.clone().next()?;
    Some(places.nth(appearance).unwrap_or(first))
}

/// A virtual start on the grid of turns from which the turn is the `wanted`-th of `people`.
fn virtual_start(
    layer: &PlanLayer,
    turn: i64,
    wanted: i64,
    people: usize,
    zone: &jiff::tz::TimeZone,
) -> Timestamp {
    let rotation = &layer.rotation;
    let people = people.max(1) as i64;
    let mut origin = turn;
    let mut left = wanted.rem_euclid(people);
    let mut fallback = None;
    // A turn that begins in an hour that does not exist cannot anchor the rotation, because its local time is lost;
    // a whole round earlier is as good. The days of a year never all lie in such hours.
    for _ in 0..400 {
        let goal = rotation.advanced_by(turn) - left;
        while rotation.advanced_by(origin) > goal {
            origin -= 1;
        }
        let local: Micros = rotation.start_of(origin);
        let at = WallClock::over(zone, local, local).first_instant(local);
        fallback.get_or_insert(at);
        if WallClock::over(zone, at, at).reading(at) == local {
            return instant(at);
        }
        left += people;
    }
    instant(fallback.unwrap_or_default())
}
