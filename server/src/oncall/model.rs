//! Escalation policies, schedules, overrides.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schedule::LayerId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::people::UserId;

crate::identifier! {
    /// One ladder of escalation.
    EscalationPolicyId
}
crate::identifier! {
    /// One rung of a ladder.
    EscalationRuleId
}
crate::identifier! {
    /// One schedule.
    ScheduleId
}
crate::identifier! {
    /// Somebody's taking over for a while.
    ScheduleOverrideId
}

/// A policy as it stands.
#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct EscalationPolicy {
    pub id: EscalationPolicyId,
    pub name: String,
    pub description: Option<String>,
    /// How often the ladder is climbed again after its end.
    pub num_loops: i64,
    pub on_call_handoff_notifications: HandoffNotifications,
    #[row(json)]
    pub rules: Vec<EscalationRule>,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// One rung: whom to page, and how long they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationRule {
    pub id: EscalationRuleId,
    pub delay_in_minutes: u32,
    #[serde(default)]
    pub strategy: Strategy,
    pub targets: Vec<Target>,
}

/// Whom a rung pages of those it names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    #[default]
    AssignToEveryone,
    /// One after the other, a new one for each incident.
    RoundRobin,
}

/// A person, or whoever a schedule has on call.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    pub kind: TargetKind,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, store::TextEnum)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    User,
    Schedule,
}

/// When people are told that their turn begins or ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandoffNotifications {
    #[default]
    IfHasServices,
    Always,
}

/// What a schedule says, as one version of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Layers from the lowest to the highest; without overrides, which are rows of their own.
    pub schedule: schedule::Schedule,
    /// The origins of rotations as people wrote them. They differ from those in `schedule` after members
    /// have changed: the origin is then moved so that everybody else keeps their turn.
    #[serde(default)]
    pub written_origins: BTreeMap<LayerId, Timestamp>,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct ScheduleRow {
    pub id: ScheduleId,
    pub name: String,
    pub description: Option<String>,
    pub time_zone: String,
    #[row(json)]
    pub definition: Definition,
    pub calendar_key: String,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct ScheduleOverride {
    pub id: ScheduleOverrideId,
    pub schedule_id: ScheduleId,
    pub user_id: UserId,
    pub start_at: Timestamp,
    pub end_at: Timestamp,
}
