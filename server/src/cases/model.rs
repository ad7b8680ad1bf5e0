//! What a case is made of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::customers::accounts::Tier;
use crate::customers::{AccountId, LocationId};
use crate::incidents::IncidentId;
use crate::people::UserId;
use crate::services::BusinessServiceId;

crate::identifier! {
    /// One case.
    CaseId
}
crate::identifier! {
    /// One message of a case.
    MessageId
}

/// How the reference of a report begins that a form made up to count once.
pub const OF_A_FORM: &str = "form:";

/// Where a case was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CaseChannel)]
pub enum Channel {
    Api,
    /// The public form.
    Form,
    /// The form of a location's own page.
    LocationForm,
    /// An agent typed it in.
    Agent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CaseStatus)]
pub enum Status {
    Open,
    /// Answered; the reporter may still say that it does not work.
    Waiting,
    Closed,
}

/// Whether it works again, as the reporter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    NotAsked,
    Asked,
    Works,
    StillBroken,
}

/// A case with the names of what it points at.
#[derive(Debug, Clone, store::FromRow)]
pub struct Case {
    pub id: CaseId,
    pub number: i64,
    pub channel: Channel,
    pub external_reference: Option<String>,
    /// Opens the reporter's own page.
    pub token: String,
    pub account_id: Option<AccountId>,
    pub reporter_name: Option<String>,
    pub reporter_email: Option<String>,
    pub reporter_telephone: Option<String>,
    pub location_id: Option<LocationId>,
    pub touchpoint_id: Option<BusinessServiceId>,
    pub subject: String,
    pub text: String,
    pub language: String,
    pub status: Status,
    pub owner_id: Option<UserId>,
    pub incident_id: Option<IncidentId>,
    pub linked_at: Option<Timestamp>,
    pub owed_since: Option<Timestamp>,
    pub recovery: Recovery,
    pub first_answer_due_at: Timestamp,
    pub first_answered_at: Option<Timestamp>,
    pub last_told_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub account_name: Option<String>,
    pub tier: Option<Tier>,
    pub value_per_year: Option<i64>,
    pub currency: Option<String>,
    pub location_name: Option<String>,
    pub touchpoint_name: Option<String>,
    pub owner_name: Option<String>,
    pub incident_number: Option<i64>,
    pub incident_title: Option<String>,
    pub incident_status: Option<crate::incidents::Status>,
}

impl Case {
    /// The sender's own number for it. What makes a form that was sent twice count once is not theirs.
    pub fn senders_number(&self) -> Option<&str> {
        self.external_reference
            .as_deref()
            .filter(|reference| !reference.starts_with(OF_A_FORM))
    }

    /// As it is read aloud.
    pub fn label(&self) -> String {
        format!("C-{}", self.number)
    }

    /// Which case, about what and where, without a word on who reported it: for the timeline, which is read by more people
    /// than cases are and is never erased.
    pub fn without_reporter(&self) -> String {
        let about: Vec<&str> = [&self.touchpoint_name, &self.location_name]
            .into_iter()
            .filter_map(|name| name.as_deref())
            .collect();
        match about.as_slice() {
            [] => self.label(),
            about => format!("{} ({})", self.label(), about.join(", ")),
        }
    }

    /// Who said something, for the timeline.
    pub fn unnamed_reporter(&self) -> String {
        format!("The reporter of {}", self.label())
    }

    /// Who reported it, in the words there are.
    pub fn reporter(&self) -> &str {
        self.reporter_name
            .as_deref()
            .or(self.account_name.as_deref())
            .or(self.reporter_email.as_deref())
            .unwrap_or("Somebody")
    }
}

/// A case as it is about to be reported. References are known to exist.
#[derive(Debug, Clone)]
pub struct NewCase {
    pub channel: Channel,
    pub external_reference: Option<String>,
    pub account_id: Option<AccountId>,
    pub reporter_name: Option<String>,
    pub reporter_email: Option<String>,
    pub reporter_telephone: Option<String>,
    pub location_id: Option<LocationId>,
    pub touchpoint_id: Option<BusinessServiceId>,
    pub subject: String,
    pub text: String,
    pub language: String,
    pub owner_id: Option<UserId>,
}

/// Who speaks to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the reporter.
    In,
    /// To the reporter.
    Out,
    /// A note that stays inside.
    Inside,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Message {
    pub id: MessageId,
    pub case_id: CaseId,
    pub direction: Direction,
    pub author_name: String,
    pub text: String,
    pub created_at: Timestamp,
}

/// What a reporter may say on their own page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Works,
    StillBroken,
    /// Only words.
    Reply,
}
