//! Actions, resources and keys.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

crate::identifier! {
    /// One API key; not the key itself.
    ApiKeyId
}

/// What can be done to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    View,
    Create,
    Change,
    Delete,
    /// Acknowledge, resolve, reassign, snooze, note, take a task.
    Respond,
    /// Agree to words or a step before it happens.
    Approve,
    /// Send words outside.
    Publish,
}

impl Action {
    pub const ALL: [Self; 7] = [
        Self::View,
        Self::Create,
        Self::Change,
        Self::Delete,
        Self::Respond,
        Self::Approve,
        Self::Publish,
    ];
}

/// What things can be acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    Incident,
    Service,
    BusinessService,
    EscalationPolicy,
    Schedule,
    /// An override or swap of a schedule.
    Override,
    MaintenanceWindow,
    User,
    /// One's own record, contact methods and rules.
    OwnProfile,
    Team,
    Location,
    Account,
    Case,
    Update,
    Audience,
    StatusPage,
    Review,
    ApiKey,
    Audit,
    Outbox,
    Settings,
}

impl Resource {
    pub const ALL: [Self; 21] = [
        Self::Incident,
        Self::Service,
        Self::BusinessService,
        Self::EscalationPolicy,
        Self::Schedule,
        Self::Override,
        Self::MaintenanceWindow,
        Self::User,
        Self::OwnProfile,
        Self::Team,
        Self::Location,
        Self::Account,
        Self::Case,
        Self::Update,
        Self::Audience,
        Self::StatusPage,
        Self::Review,
        Self::ApiKey,
        Self::Audit,
        Self::Outbox,
        Self::Settings,
    ];

    /// As it is called in sentences.
    pub fn words(self) -> &'static str {
        match self {
            Self::Incident => "incidents",
            Self::Service => "services",
            Self::BusinessService => "touchpoints",
            Self::EscalationPolicy => "escalation policies",
            Self::Schedule => "schedules",
            Self::Override => "overrides",
            Self::MaintenanceWindow => "maintenance windows",
            Self::User => "people",
            Self::OwnProfile => "their own profile",
            Self::Team => "teams",
            Self::Location => "locations",
            Self::Account => "customers",
            Self::Case => "cases",
            Self::Update => "updates",
            Self::Audience => "audiences",
            Self::StatusPage => "status pages",
            Self::Review => "reports",
            Self::ApiKey => "API keys",
            Self::Audit => "the audit log",
            Self::Outbox => "the outbox",
            Self::Settings => "settings",
        }
    }
}

/// How much a key may do, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    Full,
    ReadOnly,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Belongs to the organisation, tied to nobody.
    Account,
    /// Acts as one person.
    User,
}
