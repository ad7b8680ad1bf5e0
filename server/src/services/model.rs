//! Services, their settings, integrations, priorities, touchpoints, maintenance windows.

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::oncall::EscalationPolicyId;
pub use crate::people::Urgency;

crate::identifier! {
    /// One technical service.
    ServiceId
}
crate::identifier! {
    /// One way in for events.
    IntegrationId
}
crate::identifier! {
    /// One touchpoint that customers know.
    BusinessServiceId
}
crate::identifier! {
    /// One dependency between two services.
    ServiceDependencyId
}
crate::identifier! {
    /// One priority, such as P1.
    PriorityId
}
crate::identifier! {
    /// One stretch of planned work.
    MaintenanceWindowId
}

/// A technical service and its settings.
#[derive(Debug, Clone, PartialEq, store::FromRow)]
pub struct Service {
    pub id: ServiceId,
    pub name: String,
    pub description: Option<String>,
    pub escalation_policy_id: EscalationPolicyId,
    /// Accepts no events.
    pub disabled: bool,
    /// Seconds after which an open incident resolves by itself; never, if absent.
    pub auto_resolve_timeout: Option<i64>,
    /// Seconds after which an acknowledgement is too old; never, if absent.
    pub acknowledgement_timeout: Option<i64>,
    #[row(json)]
    pub incident_urgency_rule: UrgencyRule,
    #[row(json)]
    pub support_hours: Option<SupportHours>,
    #[row(json)]
    pub scheduled_actions: Vec<ScheduledAction>,
    #[row(json)]
    pub alert_grouping: AlertGrouping,
    #[row(json)]
    pub auto_pause: AutoPause,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// How urgent a new incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum UrgencyRule {
    Constant {
        urgency: UrgencyChoice,
    },
    UseSupportHours {
        during_support_hours: ConstantUrgency,
        outside_support_hours: ConstantUrgency,
    },
}

impl Default for UrgencyRule {
    fn default() -> Self {
        Self::Constant {
            urgency: UrgencyChoice::High,
        }
    }
}

/// The same for a part of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConstantUrgency {
    #[serde(rename = "type", default)]
    pub kind: ConstantKind,
    pub urgency: UrgencyChoice,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConstantKind {
    #[default]
    Constant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UrgencyChoice {
    High,
    Low,
    /// Critical and error are high, warning and info are low.
    SeverityBased,
}

/// The hours in which somebody looks after a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupportHours {
    #[serde(rename = "type", default)]
    pub kind: SupportHoursKind,
    /// IANA name.
    pub time_zone: String,
    /// 1 (Monday) to 7 (Sunday).
    pub days_of_week: Vec<u8>,
    #[schema(value_type = String)]
    pub start_time: Time,
    /// At or before the start: on the next day.
    #[schema(value_type = String)]
    pub end_time: Time,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupportHoursKind {
    #[default]
    FixedTimePerDay,
}

/// Open incidents of low urgency become urgent when the support hours begin or end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduledAction {
    #[serde(rename = "type")]
    pub kind: ScheduledActionKind,
    pub at: ScheduledAt,
    pub to_urgency: ToUrgency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduledActionKind {
    UrgencyChange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScheduledAt {
    #[serde(rename = "type")]
    pub kind: NamedTimeKind,
    pub name: NamedTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedTimeKind {
    NamedTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedTime {
    SupportHoursStart,
    SupportHoursEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToUrgency {
    High,
}

/// How alerts join: `alert_grouping_parameters` as it was checked and is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertGrouping {
    /// What the `triage` crate decides by.
    pub grouping: triage::Grouping,
    /// `config` as it was sent, so that it is shown as it was sent.
    #[serde(default)]
    pub config: Option<Value>,
}

/// `auto_pause_notifications_parameters`: alerts that usually clear by themselves wait before they page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AutoPause {
    #[serde(default)]
    pub enabled: bool,
    /// Seconds: 0 (as recommended), 120, 180, 300, 600 or 900.
    #[serde(default)]
    pub timeout: u32,
}

impl AutoPause {
    pub fn setting(self) -> triage::AutoPause {
        match (self.enabled, self.timeout) {
            (false, _) => triage::AutoPause::Off,
            (true, 0) => triage::AutoPause::Recommended,
            (true, seconds) => triage::AutoPause::Seconds(seconds),
        }
    }
}

/// One way in for events: a key that belongs to a service.
#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct Integration {
    pub id: IntegrationId,
    pub service_id: ServiceId,
    #[row(column = "type")]
    pub kind: String,
    pub name: String,
    /// Sealed; [`keys::shown`](super::store::keys::shown) opens it.
    #[row(column = "integration_key")]
    pub stored_key: String,
    pub vendor_id: Option<String>,
    pub created_at: Timestamp,
}

/// P1 to P5, most important first.
#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct Priority {
    pub id: PriorityId,
    pub name: String,
    pub description: Option<String>,
    pub position: i64,
    pub color: String,
}

/// The rungs of the ladder, the most important first. The ladder is the same in every Muster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    P1,
    P2,
    P3,
    P4,
    P5,
}

impl Rank {
    /// Every rung with the priority that stands on it (see the migration of services).
    const LADDER: [(Self, &'static str); 5] = [
        (Self::P1, "QP1000000000P1"),
        (Self::P2, "QP2000000000P2"),
        (Self::P3, "QP3000000000P3"),
        (Self::P4, "QP4000000000P4"),
        (Self::P5, "QP5000000000P5"),
    ];
}

impl PriorityId {
    pub fn rank(&self) -> Option<Rank> {
        let own = |(_, id): &&(Rank, &str)| *id == self.as_str();
        Rank::LADDER.iter().find(own).map(|(rank, _)| *rank)
    }
}

/// A touchpoint that customers know, and what its loss means.
#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct BusinessService {
    pub id: BusinessServiceId,
    pub name: String,
    pub description: Option<String>,
    pub point_of_contact: Option<String>,
    pub team_id: Option<crate::people::TeamId>,
    /// 0 to 100.
    pub harm_weight: i64,
    /// In minor units of the currency.
    pub loss_per_hour: i64,
    pub currency: String,
    pub customer_words: Option<String>,
    pub fallback: Option<String>,
    pub words_to_say: Option<String>,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct MaintenanceWindow {
    pub id: MaintenanceWindowId,
    pub sequence_number: i64,
    /// For the people of the house.
    pub description: Option<String>,
    /// For readers of status pages.
    pub public_words: Option<String>,
    pub start_at: Timestamp,
    pub end_at: Timestamp,
    pub created_by: Option<crate::people::UserId>,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_is_the_one_that_every_muster_begins_with() {
        let seeded = include_str!("../../migrations/0004_services.sql");
        for (index, (rank, id)) in Rank::LADDER.into_iter().enumerate() {
            let name = format!("P{}", index + 1);
            assert!(seeded.contains(&format!("('{id}', '{name}', ")), "{id}");
            assert_eq!(PriorityId::from(id).rank(), Some(rank));
        }
        assert!(Rank::P1 < Rank::P5);
    }
}
