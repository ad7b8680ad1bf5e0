//! Pages, components, and incidents as the public knows them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::incidents::IncidentId;
use crate::services::BusinessServiceId;
use crate::updates::Phase;
use crate::updates::situation::Harm;
use crate::words::PublicText;

crate::identifier! {
    /// One status page.
    StatusPageId
}
crate::identifier! {
    /// One component, or group of components, of a page.
    ComponentId
}
crate::identifier! {
    /// One incident on one page.
    PageIncidentId
}
crate::identifier! {
    /// What readers are told in one place: the id of the update, or one of its own for the word with which the story of a
    /// merged incident ends, which nobody published.
    PageUpdateId
}
crate::identifier! {
    /// One reader's subscription to one page.
    PageSubscriberId
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    Public,
    /// Only for people who are signed in and may see status pages.
    Private,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct StatusPage {
    pub id: StatusPageId,
    pub name: String,
    pub slug: String,
    pub visibility: Visibility,
    pub language: String,
    pub time_zone: String,
    pub version: i64,
    pub digest: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The language of what Muster says by itself around the words of people.
pub const OWN_LANGUAGE: &str = "en";

impl StatusPage {
    /// "Larkfield status"; a name that says so already stays as it is.
    pub fn title(&self) -> String {
        if self.name.to_lowercase().ends_with("status") {
            self.name.clone()
        } else {
            format!("{} status", self.name)
        }
    }
}

/// How a component stands, in the field's words, best first.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    store::TextEnum,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ComponentStatus {
    Operational,
    UnderMaintenance,
    DegradedPerformance,
    PartialOutage,
    MajorOutage,
}

impl From<Harm> for ComponentStatus {
    fn from(harm: Harm) -> Self {
        match harm {
            Harm::Slow => Self::DegradedPerformance,
            Harm::PartlyDown => Self::PartialOutage,
            Harm::Down => Self::MajorOutage,
        }
    }
}

impl ComponentStatus {
    /// As readers are told.
    pub fn words(self) -> &'static str {
        match self {
            Self::Operational => "Working",
            Self::UnderMaintenance => "Planned work",
            Self::DegradedPerformance => "Slow",
            Self::PartialOutage => "Not working for some",
            Self::MajorOutage => "Not working",
        }
    }

    pub fn impact(self) -> Impact {
        match self {
            Self::Operational => Impact::None,
            Self::UnderMaintenance => Impact::Maintenance,
            Self::DegradedPerformance => Impact::Minor,
            Self::PartialOutage => Impact::Major,
            Self::MajorOutage => Impact::Critical,
        }
    }
}

/// How bad an incident, or a whole page, is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, store::TextEnum, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    None,
    Maintenance,
    Minor,
    Major,
    Critical,
}

impl Impact {
    /// `status.description` of the public JSON.
    pub fn description(self) -> &'static str {
        match self {
            Self::None => "All Systems Operational",
            Self::Maintenance => "Service Under Maintenance",
            Self::Minor => "Minor Service Outage",
            Self::Major => "Partial System Outage",
            Self::Critical => "Major Service Outage",
        }
    }
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Component {
    pub id: ComponentId,
    pub page_id: StatusPageId,
    pub business_service_id: Option<BusinessServiceId>,
    /// Given for readers.
    pub name: PublicText,
    pub description: Option<PublicText>,
    pub is_group: bool,
    pub group_id: Option<ComponentId>,
    pub position: i64,
    pub showcase: bool,
    pub only_show_if_degraded: bool,
    pub override_status: Option<ComponentStatus>,
    pub status: ComponentStatus,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, store::FromRow)]
pub struct PageIncident {
    pub id: PageIncidentId,
    pub incident_id: IncidentId,
    pub name: PublicText,
    pub status: Phase,
    pub impact: Impact,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub started_at: Timestamp,
    pub monitoring_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, store::FromRow)]
pub struct PageUpdate {
    pub page_incident_id: PageIncidentId,
    pub id: PageUpdateId,
    pub status: Phase,
    pub body: PublicText,
    pub next_update_by: Option<Timestamp>,
    pub at: Timestamp,
    #[row(json)]
    pub affected: Vec<Affected>,
    /// The zone of the times that the words name.
    pub time_zone: Option<String>,
}

impl PageUpdate {
    /// The zone in which everything about these words is told, so that one story has one clock; else the page's.
    pub fn zone(&self, of_page: &TimeZone) -> TimeZone {
        self.time_zone
            .as_deref()
            .and_then(|name| TimeZone::get(name).ok())
            .unwrap_or_else(|| of_page.clone())
    }
}

/// A component at the moment an update was posted. The name is the component's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    pub code: ComponentId,
    pub name: String,
    pub old_status: ComponentStatus,
    pub new_status: ComponentStatus,
}

/// Planned work as the public is told: which components and when. What the engineers wrote about it stays in.
#[derive(Debug, Clone, Serialize)]
pub struct Maintenance {
    pub id: String,
    pub start_at: Timestamp,
    pub end_at: Timestamp,
    pub created_at: Timestamp,
    pub component_ids: Vec<ComponentId>,
    /// What the house says about it to readers.
    pub public_words: Option<PublicText>,
    pub status: MaintenanceStatus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MaintenanceStatus {
    Scheduled,
    InProgress,
    Completed,
}

impl MaintenanceStatus {
    /// As it is stored and written in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
        }
    }
}

impl Maintenance {
    /// What has happened to it so far, the latest first.
    pub fn steps(&self) -> Vec<(MaintenanceStatus, Timestamp)> {
        use MaintenanceStatus::{Completed, InProgress, Scheduled};
        let steps = [
            (Completed, self.end_at),
            (InProgress, self.start_at),
            (Scheduled, self.created_at),
        ];
        let first = steps
            .iter()
            .position(|(status, _)| *status == self.status)
            .unwrap_or_default();
        steps[first..].to_vec()
    }

    /// When something last happened to it.
    pub fn updated_at(&self) -> Timestamp {
        self.steps().first().map_or(self.created_at, |(_, at)| *at)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, store::TextEnum)]
pub enum SubscriberState {
    Pending,
    Confirmed,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct PageSubscriber {
    pub id: PageSubscriberId,
    pub page_id: StatusPageId,
    pub email: String,
    pub state: SubscriberState,
    pub asked_at: Timestamp,
}
