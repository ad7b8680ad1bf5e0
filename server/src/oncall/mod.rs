//! Who is on call: escalation policies over schedules and people.
//!
//! A policy is a ladder of rules, each with its targets and the time they have. An incident copies the
//! ladder when its escalation starts, so editing a policy never changes an escalation that runs. A
//! schedule is kept as versions: what an earlier version said about earlier times stays said, so "who was
//! on call then" has one answer for ever. Overrides lie over every version. The arithmetic of turns is
//! that of the `schedule` crate; here it only gets its rows.
//!
//! When nobody can be found (a gap, a deleted person), the answer is an empty list, never an error: the
//! caller decides what nobody means.

pub mod api;
pub mod model;
pub mod rules;
pub mod store;

pub use model::{
    EscalationPolicy, EscalationPolicyId, EscalationRule, EscalationRuleId, ScheduleId, ScheduleOverrideId,
    Strategy, Target, TargetKind,
};
pub use store::{load_policy, people_on_call};
