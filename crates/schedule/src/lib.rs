#![doc = include_str!("../README.md")]
#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod absences;
mod assignments;
pub mod calendar;
mod covers;
mod difference;
mod follow_the_sun;
mod keys;
mod layered;
mod members;
mod pieces;
mod plan;
mod quality;
mod recurrence;
mod render;
mod rotation;
pub mod shifts;
mod span;
mod span_index;
mod validate;
mod versions;
mod wall_clock;
mod week;
mod work;
pub mod working_time;

pub use absences::{Absence, AbsenceKind, Clash, Concerned, clashes};
pub use assignments::{Assignment, DoubleBooking, Roster, Stretch, double_bookings, gaps, stretches};
pub use covers::{Agreement, Cover, Covered, Extent, Fit, Misfit, apply_agreements};
pub use difference::{ChangedStretch, Difference, PersonChange, ShiftChange, difference, preview};
pub use follow_the_sun::{SunTeam, follow_the_sun};
pub use keys::{AgreementId, CustomShiftId, EventId, LayerId, OverrideId, RotationId, UserKey};
pub use layered::{Advance, Layer, Override, Restriction, Schedule};
pub use members::MembersProblem;
pub use plan::{MAX_HANDOFFS, Plan, TooLong};
pub use quality::{Bearer, Fairness, Load, MAX_QUALITY_DAYS, Quality, QualityQuestion, quality};
pub use recurrence::{Frequency, Moment, Recurrence, RecurrenceProblem, Rule, RuleDay};
pub use render::{Entry, OnCall, Rendered, RenderedLayer, Shift, Source, SubSchedule, merge_by_user};
pub use span::{EmptySpan, Span};
pub use validate::{
    MAX_LAYERS, MAX_OVERRIDES, MAX_RESTRICTIONS_PER_LAYER, MAX_TURN_LENGTH_SECONDS, MAX_USERS_PER_LAYER,
    Problem, ProblemKind,
};
pub use versions::{History, HistoryProblem, Version, VersionedPlan, Written};
