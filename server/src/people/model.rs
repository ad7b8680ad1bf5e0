//! Users, their roles, teams, contact methods and notification rules.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

crate::identifier! {
    /// One person with a sign-in.
    UserId
}
crate::identifier! {
    /// One team.
    TeamId
}
crate::identifier! {
    /// One way to reach a person.
    ContactMethodId
}
crate::identifier! {
    /// When a person is reached by which contact method.
    NotificationRuleId
}

/// What somebody may do anywhere in Muster. What they may do in a team they belong to may be more:
/// [`TeamRole`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Admin,
    Manager,
    Responder,
    Agent,
    Stakeholder,
    Observer,
}

impl Role {
    /// The nearest role of the field's dialect, for `role` in the API.
    pub fn in_dialect(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Manager => "user",
            Self::Responder => "limited_user",
            Self::Agent => "restricted_access",
            Self::Stakeholder => "read_only_user",
            Self::Observer => "observer",
        }
    }

    /// Understands the dialect's names and Muster's own.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "owner" => Some(Self::Owner),
            "admin" => Some(Self::Admin),
            "user" | "manager" => Some(Self::Manager),
            "limited_user" | "responder" => Some(Self::Responder),
            "restricted_access" | "agent" => Some(Self::Agent),
            "read_only_user" | "read_only_limited_user" | "stakeholder" => Some(Self::Stakeholder),
            "observer" => Some(Self::Observer),
            _ => None,
        }
    }
}

/// What somebody may do with the things of one team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TeamRole {
    Observer,
    Responder,
    Manager,
}

/// How much something may disturb: each urgency has notification rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    High,
    Low,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct User {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub time_zone: String,
    pub color: String,
    pub job_title: Option<String>,
    pub description: Option<String>,
    pub calendar_key: String,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// One way to reach a person.
#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct ContactMethod {
    pub id: ContactMethodId,
    pub user_id: UserId,
    #[row(column = "type")]
    pub kind: ContactKind,
    pub label: String,
    pub address: String,
    /// For numbers: without the plus sign.
    pub country_code: Option<i64>,
    pub send_short_email: bool,
    /// For push notifications: `android` or `ios`.
    pub device_type: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    EmailContactMethod,
    PhoneContactMethod,
    SmsContactMethod,
    WhatsappContactMethod,
    PushNotificationContactMethod,
    /// Muster's own: a POST to an address.
    WebhookContactMethod,
}

impl ContactKind {
    /// Whether the address is a telephone number.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::PhoneContactMethod | Self::SmsContactMethod | Self::WhatsappContactMethod
        )
    }
}

/// When a person is reached by which contact method.
#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct NotificationRule {
    pub id: NotificationRuleId,
    pub user_id: UserId,
    pub contact_method_id: ContactMethodId,
    pub start_delay_in_minutes: i64,
    pub urgency: Urgency,
}

#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    pub description: Option<String>,
    /// `manager` for a public team, `none` for a private one.
    pub default_role: String,
    pub parent_id: Option<TeamId>,
    pub created_at: Timestamp,
}
