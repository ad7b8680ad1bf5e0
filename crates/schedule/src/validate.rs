//! From a schedule as written to a plan that can be trusted.
//!
//! Everything that could make a later question fail, or cost without bound, is found here, all at once and with
//! the field named, so that a form or an API can show every problem beside its field.

use std::collections::HashSet;
use std::fmt;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::layered::{Advance, Layer, Restriction, Schedule};
use crate::plan::Plan;
use crate::span::micros;

/// Most layers in one schedule.
pub const MAX_LAYERS: usize = 200;
/// Most people in one layer.
pub const MAX_USERS_PER_LAYER: usize = 1_000;
/// Most restrictions on one layer.
pub const MAX_RESTRICTIONS_PER_LAYER: usize = 100;
/// Most overrides handed in with one schedule.
pub const MAX_OVERRIDES: usize = 20_000;
/// Longest turn, in seconds: a hundred years.
pub const MAX_TURN_LENGTH_SECONDS: u64 = 100 * 366 * 86_400;

/// One thing that is wrong with a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `layers[2].restrictions[0].duration_seconds`.
    pub field: String,
    /// What.
    pub kind: ProblemKind,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.kind)
    }
}

/// What is wrong with a field, in words for the person who filled it in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The zone database does not know the name.
    #[error("there is no time zone called `{0}`; use an IANA name such as Europe/Dublin")]
    UnknownTimeZone(String),
    /// The turn length is zero or longer than [`MAX_TURN_LENGTH_SECONDS`].
    #[error("a turn must last from 1 to {MAX_TURN_LENGTH_SECONDS} seconds, not {0}")]
    TurnLength(u64),
    /// Turns that count as worked must be whole minutes.
    #[error("a rotation that advances by worked turns needs turns of whole minutes, not {0} seconds")]
    TurnNotWholeMinutes(u64),
    /// A rotation without anybody.
    #[error("name at least one person")]
    NoUsers,
    /// A restriction that is never open, or is open for a week or more.
    #[error("a restriction must last from 1 to 604799 seconds, not {0}")]
    RestrictionDuration(u32),
    /// A day that is not in the week.
    #[error("days run from 1 (Monday) to 7 (Sunday); there is no day {0}")]
    DayOfWeek(u8),
    /// The end does not come after the start.
    #[error("the end must come after the start")]
    EndsBeforeStart,
    /// Two things share an id.
    #[error("the id `{0}` is used more than once")]
    DuplicateId(String),
    /// Something is meant that is not there.
    #[error("there is nothing with the id `{0}` in this schedule")]
    UnknownId(String),
    /// A rotation in which nobody ever has a shift.
    #[error("a member must have at least one shift in a row")]
    NoShiftsPerMember,
    /// The shift is longer than a year.
    #[error("a shift may last at most {} days", crate::shifts::MAX_SHIFT_DAYS)]
    ShiftTooLong,
    /// Counting the occurrences would take too long.
    #[error("this recurrence has too many occurrences to count; begin it later or make it simpler")]
    RecurrenceTooLong,
    /// The stretch of time is longer than can be judged at once.
    #[error("this can be judged over at most {0} days at once")]
    SpanTooLong(i64),
    /// Too little is known of what people do around a shift to say who may take it.
    #[error("what people do must be known from 24 hours before the shift to 24 hours after it")]
    ShiftNotKnown,
    /// A share of the load that is zero, negative, no number, or out of all proportion.
    #[error("a share must lie between 0.001 and 1,000")]
    Share,
    /// More than this crate takes on.
    #[error("at most {limit} are possible, not {given}")]
    TooMany {
        /// How many there are.
        given: usize,
        /// How many there may be.
        limit: usize,
    },
}

impl Schedule {
    /// Checks the schedule and makes it ready to answer questions, with the host's time zones or, where it has
    /// none, those built in.
    ///
    /// # Errors
    /// Every problem found, in the order of the fields; never an empty list.
    pub fn validate(&self) -> Result<Plan, Vec<Problem>> {
        self.validate_with(jiff::tz::db())
    }

    /// As [`validate`](Self::validate), with the time zones given.
    ///
    /// # Errors
    /// Every problem found, in the order of the fields; never an empty list.
    pub fn validate_with(&self, zones: &TimeZoneDatabase) -> Result<Plan, Vec<Problem>> {
        let mut found = Findings::default();
        let zone = found.zone("time_zone", &self.time_zone, zones);
        found.limit("layers", self.layers.len(), MAX_LAYERS);
        found.limit("overrides", self.overrides.len(), MAX_OVERRIDES);

        let mut layer_zones = Vec::new();
        let mut ids = HashSet::new();
        for (index, layer) in self.layers.iter().enumerate().take(MAX_LAYERS) {
            let path = format!("layers[{index}]");
            if !ids.insert(layer.id.as_str()) {
                found.add(
                    format!("{path}.id"),
                    ProblemKind::DuplicateId(layer.id.to_string()),
                );
            }
            layer_zones.push(match &layer.time_zone {
                Some(own) => found.zone(&format!("{path}.time_zone"), own, zones),
                None => zone.clone(),
            });
            found.layer(&path, layer);
        }
        let mut ids = HashSet::new();
        for (index, replacement) in self.overrides.iter().enumerate().take(MAX_OVERRIDES) {
            let path = format!("overrides[{index}]");
            found.unique(&mut ids, &path, replacement.id.as_str());
            if micros(replacement.end) <= micros(replacement.start) {
                found.add(format!("{path}.end"), ProblemKind::EndsBeforeStart);
            }
        }
        match (zone, layer_zones.into_iter().collect::<Option<Vec<TimeZone>>>()) {
            (Some(zone), Some(layer_zones)) if found.0.is_empty() => Ok(Plan::new(self, zone, layer_zones)),
            _ => Err(found.0),
        }
    }
}

/// The problems found so far.
#[derive(Default)]
pub(crate) struct Findings(pub(crate) Vec<Problem>);

impl Findings {
    pub(crate) fn add(&mut self, field: impl Into<String>, kind: ProblemKind) {
        self.0.push(Problem {
            field: field.into(),
            kind,
        });
    }

    pub(crate) fn limit(&mut self, field: &str, given: usize, limit: usize) {
        if given > limit {
            self.add(field, ProblemKind::TooMany { given, limit });
        }
    }

    pub(crate) fn zone(&mut self, field: &str, name: &str, zones: &TimeZoneDatabase) -> Option<TimeZone> {
        let zone = zones.get(name).ok();
        if zone.is_none() {
            let shown = name.chars().take(100).collect();
            self.add(field, ProblemKind::UnknownTimeZone(shown));
        }
        zone
    }

    /// Notes an id that has been seen before.
    pub(crate) fn unique<'id>(&mut self, seen: &mut HashSet<&'id str>, path: &str, id: &'id str) {
        if !seen.insert(id) {
            self.add(format!("{path}.id"), ProblemKind::DuplicateId(id.to_owned()));
        }
    }

    fn layer(&mut self, path: &str, layer: &Layer) {
        let turn = layer.rotation_turn_length_seconds;
        let turn_field = || format!("{path}.rotation_turn_length_seconds");
        if !(1..=MAX_TURN_LENGTH_SECONDS).contains(&turn) {
            self.add(turn_field(), ProblemKind::TurnLength(turn));
        } else if layer.advance == Advance::WorkedTurns && !turn.is_multiple_of(60) {
            self.add(turn_field(), ProblemKind::TurnNotWholeMinutes(turn));
        }
        if layer.users.is_empty() {
            self.add(format!("{path}.users"), ProblemKind::NoUsers);
        }
        self.limit(&format!("{path}.users"), layer.users.len(), MAX_USERS_PER_LAYER);
        let restrictions = format!("{path}.restrictions");
        self.limit(
            &restrictions,
            layer.restrictions.len(),
            MAX_RESTRICTIONS_PER_LAYER,
        );
        for (index, restriction) in layer
            .restrictions
            .iter()
            .enumerate()
            .take(MAX_RESTRICTIONS_PER_LAYER)
        {
            self.restriction(&format!("{restrictions}[{index}]"), restriction);
        }
    }

    fn restriction(&mut self, path: &str, restriction: &Restriction) {
        let duration = match *restriction {
            Restriction::Daily { duration_seconds, .. } => duration_seconds,
            Restriction::Weekly {
                start_day_of_week,
                duration_seconds,
                ..
            } => {
                if !(1..=7).contains(&start_day_of_week) {
                    self.add(
                        format!("{path}.start_day_of_week"),
                        ProblemKind::DayOfWeek(start_day_of_week),
                    );
                }
                duration_seconds
            }
        };
        if !(1..604_800).contains(&duration) {
            self.add(
                format!("{path}.duration_seconds"),
                ProblemKind::RestrictionDuration(duration),
            );
        }
    }
}
