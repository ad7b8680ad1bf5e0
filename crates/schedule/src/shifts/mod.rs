//! A shift-based schedule as people write it down (PagerDuty's version 3).
//!
//! Rotations hold events that repeat; each occurrence of an event is a shift and is given to members by a strategy.
//! Custom shifts add people for once, and an override puts one member in another's place. Unlike layers, nothing here
//! covers anything: whoever has a shift is on call, several at once if so planned. The types are plain data;
//! [`ShiftSchedule::validate`] turns them into a [`ShiftPlan`].
//!
//! ```
//! use schedule::Span;
//! use schedule::shifts::ShiftSchedule;
//!
//! let schedule: ShiftSchedule = serde_json::from_str(r#"{
//!     "time_zone": "Europe/Dublin",
//!     "rotations": [{"id": "EARLY", "events": [{
//!         "id": "E1", "effective_since": "2026-03-02T00:00:00Z",
//!         "start_time": {"date_time": "2026-03-02T08:00:00", "time_zone": "Europe/Dublin"},
//!         "end_time": {"date_time": "2026-03-02T16:00:00", "time_zone": "Europe/Dublin"},
//!         "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"],
//!         "assignment_strategy": {"type": "rotating_member_assignment_strategy", "shifts_per_member": 5, "members": [
//!             {"type": "user_member", "user_id": "ann"}, {"type": "user_member", "user_id": "bob"}
//!         ]}
//!     }]}]
//! }"#)?;
//! let plan = schedule.validate().map_err(|problems| problems[0].to_string())?;
//! let weeks = Span::new("2026-03-02T00:00:00Z".parse()?, "2026-03-16T00:00:00Z".parse()?)?;
//! let shifts = plan.render(weeks)?.entries;
//! assert_eq!(shifts.len(), 10);
//! assert_eq!(shifts[5].member.as_user().map(|user| user.as_str()), Some("bob"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod plan;
mod render;
mod validate;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

pub use plan::ShiftPlan;
pub use render::{RenderedShifts, ShiftEntry, ShiftSource};
pub use validate::{
    MAX_CUSTOM_SHIFTS, MAX_EVENTS_PER_ROTATION, MAX_MEMBERS, MAX_ROTATIONS, MAX_SHIFT_DAYS,
    MAX_SHIFT_OVERRIDES,
};

use crate::keys::{CustomShiftId, EventId, OverrideId, RotationId, UserKey};
use crate::layered::Advance;
use crate::recurrence::Recurrence;

/// Rotations of recurring shifts, custom shifts and overrides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftSchedule {
    /// IANA name; the zone in which the schedule is shown. Every event has its own.
    pub time_zone: String,
    /// In any order: no rotation covers another.
    #[serde(default)]
    pub rotations: Vec<ShiftRotation>,
    /// Shifts that take place once, besides those of the rotations.
    #[serde(default)]
    pub custom_shifts: Vec<CustomShift>,
    /// From the oldest to the newest; where two concern the same member, the newer counts.
    #[serde(default)]
    pub overrides: Vec<ShiftOverride>,
}

/// Events that belong together: usually one, followed by others as the rota changes over the years.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftRotation {
    /// Unique within the schedule.
    pub id: RotationId,
    /// What repeats.
    pub events: Vec<ShiftEvent>,
}

/// A recurring shift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftEvent {
    /// Unique within the rotation.
    pub id: EventId,
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// When the first shift begins.
    pub start_time: PlaceTime,
    /// When the first shift ends; the others last as long on the clocks of the same places.
    pub end_time: PlaceTime,
    /// From when the event counts; a shift under way then begins then.
    pub effective_since: Timestamp,
    /// Until when it counts, open if absent; a shift under way then ends then.
    #[serde(default)]
    pub effective_until: Option<Timestamp>,
    /// How the shift repeats.
    #[serde(default)]
    pub recurrence: Recurrence,
    /// Who has it.
    pub assignment_strategy: AssignmentStrategy,
    /// Whether a shift that is taken out (`EXDATE`) uses up its member's turn. By default it does not: the next shift
    /// that takes place is theirs.
    #[serde(default = "by_worked_turns")]
    pub advance: Advance,
}

fn by_worked_turns() -> Advance {
    Advance::WorkedTurns
}

/// A local time at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceTime {
    /// On the wall clock there.
    pub date_time: DateTime,
    /// IANA name.
    pub time_zone: String,
}

/// How the shifts of an event are given to members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum AssignmentStrategy {
    /// One after the other.
    #[serde(rename = "rotating_member_assignment_strategy")]
    Rotating {
        /// How many shifts in a row a member has: 1 or more.
        shifts_per_member: u32,
        /// In order.
        members: Vec<Member>,
    },
    /// All of them, every time.
    #[serde(rename = "every_member_assignment_strategy")]
    Everyone {
        /// In any order.
        members: Vec<Member>,
    },
}

impl AssignmentStrategy {
    /// The members, in order.
    pub fn members(&self) -> &[Member] {
        match self {
            Self::Rotating { members, .. } | Self::Everyone { members } => members,
        }
    }
}

/// Whoever has a shift.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Member {
    /// A person.
    #[serde(rename = "user_member")]
    User {
        /// Who.
        user_id: UserKey,
    },
    /// Nobody: a shift that is deliberately left open.
    #[serde(rename = "empty_member")]
    Empty,
}

impl Member {
    /// A person as a member.
    pub fn user(user: impl Into<UserKey>) -> Self {
        Self::User { user_id: user.into() }
    }

    /// The person, if it is one.
    pub fn as_user(&self) -> Option<&UserKey> {
        match self {
            Self::User { user_id } => Some(user_id),
            Self::Empty => None,
        }
    }
}

/// A shift that takes place once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomShift {
    /// Unique within the schedule.
    pub id: CustomShiftId,
    /// When it begins.
    pub start_time: Timestamp,
    /// When it ends.
    pub end_time: Timestamp,
    /// Who has it.
    pub member: Member,
}

/// One member takes another's place for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftOverride {
    /// Unique within the schedule.
    pub id: OverrideId,
    /// Where.
    #[serde(flatten)]
    pub target: OverrideTarget,
    /// From when.
    pub start_time: Timestamp,
    /// Until when.
    pub end_time: Timestamp,
    /// Who hands over; either as planned or as an earlier override has it.
    pub overridden_member: Member,
    /// Who takes over.
    pub overriding_member: Member,
}

/// What an override applies to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideTarget {
    /// Shifts of a rotation.
    #[serde(rename = "rotation_id")]
    Rotation(RotationId),
    /// A custom shift.
    #[serde(rename = "custom_shift_id")]
    CustomShift(CustomShiftId),
}
