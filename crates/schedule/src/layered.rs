//! A layered schedule as people write it down (PagerDuty's version 2).
//!
//! Layers lie on top of each other: wherever a later layer has somebody on call, it covers the earlier ones, and an
//! override covers every layer. So there is one person at a time, or nobody. The types here are plain data that may
//! hold anything; [`Schedule::validate`] turns them into a [`Plan`](crate::Plan), which answers questions.

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use crate::keys::{LayerId, OverrideId, UserKey};

/// Layers of rotations, and overrides over them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// IANA name, such as `Europe/Dublin`; the wall clock that hand-offs and restrictions follow.
    pub time_zone: String,
    /// From the lowest to the highest; a later layer covers the earlier ones.
    pub layers: Vec<Layer>,
    /// From the oldest to the newest; a newer override covers the older ones, and each covers all layers.
    #[serde(default)]
    pub overrides: Vec<Override>,
}

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Unique within the schedule.
    pub id: LayerId,
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// When the layer takes effect.
    pub start: Timestamp,
    /// When it ends; never, if absent. A layer that ends before it starts never has anybody on call: that is how a
    /// layer that has not begun is taken back.
    #[serde(default)]
    pub end: Option<Timestamp>,
    /// When the first user's first turn begins. May lie before or after `start`: turns extend both ways from here.
    pub rotation_virtual_start: Timestamp,
    /// Length of one turn, in seconds of the wall clock: a turn of 86,400 always hands over at the same local time.
    pub rotation_turn_length_seconds: u64,
    /// Whose turn follows whose. A person may appear more than once.
    pub users: Vec<UserKey>,
    /// The hours in which the layer has anybody on call; always, if empty. Several add up.
    #[serde(default)]
    pub restrictions: Vec<Restriction>,
    /// What uses up a turn.
    #[serde(default)]
    pub advance: Advance,
    /// The wall clock of this layer, if it is not the schedule's: for teams that follow the sun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// What makes a rotation move on to the next person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advance {
    /// Every turn of the calendar, even one that lies wholly outside the restrictions (as PagerDuty does it).
    #[default]
    CalendarTurns,
    /// Only turns in which the restrictions leave something to work. With daily turns on weekdays only, Friday's
    /// person is followed on Monday by the next one, not by the next but two. Turns must be whole minutes.
    WorkedTurns,
}

/// Hours in which a layer has somebody on call. Both ends are local times, resolved like hand-offs, and the window
/// is the whole time between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Restriction {
    /// The same hours every day.
    #[serde(rename = "daily_restriction")]
    Daily {
        /// Local time at which the window opens.
        start_time_of_day: Time,
        /// Length on the wall clock, in seconds: 1 to 604,799.
        duration_seconds: u32,
    },
    /// A window once a week.
    #[serde(rename = "weekly_restriction")]
    Weekly {
        /// Day on which the window opens: 1 (Monday) to 7 (Sunday).
        start_day_of_week: u8,
        /// Local time at which the window opens.
        start_time_of_day: Time,
        /// Length on the wall clock, in seconds: 1 to 604,799.
        duration_seconds: u32,
    },
}

/// Somebody takes over for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Unique within the schedule.
    pub id: OverrideId,
    /// When they take over.
    pub start: Timestamp,
    /// When they hand back.
    pub end: Timestamp,
    /// Who is on call instead.
    pub user: UserKey,
}
