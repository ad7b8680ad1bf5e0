//! A case as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Case, Channel, Direction, Message, Recovery, Status};
use crate::customers::accounts::Tier;
use crate::http::{Head, Reference, Site};

/// A case: what somebody reported.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseView {
    #[serde(flatten)]
    head: Head,
    number: i64,
    channel: Channel,
    /// The sender's own number for it.
    external_reference: Option<String>,
    subject: String,
    text: String,
    /// As in `lang="en"`.
    language: String,
    status: Status,
    recovery: Recovery,
    reporter: ReporterView,
    account: Option<Reference>,
    /// How the house stands with the customer; null when nobody knows who it is.
    standing: Option<CustomerStanding>,
    location: Option<Reference>,
    touchpoint: Option<Reference>,
    /// Whoever looks after it.
    owner: Option<Reference>,
    incident: Option<Reference>,
    #[schema(value_type = Option<String>, format = DateTime)]
    linked_at: Option<Timestamp>,
    /// Since when the reporter is owed an answer.
    #[schema(value_type = Option<String>, format = DateTime)]
    owed_since: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    first_answer_due_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    first_answered_at: Option<Timestamp>,
    /// When the reporter was last told anything.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_told_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    /// The reporter's own page; there only in the answer to the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) private_url: Option<String>,
}

/// Who reported it, as far as they said.
#[derive(Debug, Serialize, ToSchema)]
struct ReporterView {
    name: Option<String>,
    email: Option<String>,
    telephone: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct CustomerStanding {
    tier: Tier,
    /// In the smallest unit of the currency.
    value_per_year: Option<i64>,
    currency: Option<String>,
}

/// Something that was said about a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseMessageView {
    id: String,
    /// `case_message`
    #[serde(rename = "type")]
    kind: &'static str,
    direction: Direction,
    /// A name.
    author: String,
    text: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// The resource `case`; every field always present.
pub fn view(case: &Case, site: &Site) -> CaseView {
    let summary = format!("{}: {}", case.label(), case.subject);
    let reference = |kind: &str, collection: &str, id: Option<&str>, name: Option<&str>| {
        let id = id?;
        Some(site.reference(kind, collection, id, name.unwrap_or(id)))
    };
    CaseView {
        head: site.resource("case", "cases", case.id.as_str(), summary).into(),
        number: case.number,
        channel: case.channel,
        external_reference: case.senders_number().map(str::to_owned),
        subject: case.subject.clone(),
        text: case.text.clone(),
        language: case.language.clone(),
        status: case.status,
        recovery: case.recovery,
        reporter: ReporterView {
            name: case.reporter_name.clone(),
            email: case.reporter_email.clone(),
            telephone: case.reporter_telephone.clone(),
        },
        account: reference(
            "account",
            "accounts",
            case.account_id.as_ref().map(AsRef::as_ref),
            case.account_name.as_deref(),
        ),
        standing: case.tier.map(|tier| CustomerStanding {
            tier,
            value_per_year: case.value_per_year,
            currency: case.currency.clone(),
        }),
        location: reference(
            "location",
            "locations",
            case.location_id.as_ref().map(AsRef::as_ref),
            case.location_name.as_deref(),
        ),
        touchpoint: reference(
            "business_service",
            "business_services",
            case.touchpoint_id.as_ref().map(AsRef::as_ref),
            case.touchpoint_name.as_deref(),
        ),
        owner: reference(
            "user",
            "users",
            case.owner_id.as_ref().map(AsRef::as_ref),
            case.owner_name.as_deref(),
        ),
        incident: incident(case, site),
        linked_at: case.linked_at,
        owed_since: case.owed_since,
        first_answer_due_at: case.first_answer_due_at,
        first_answered_at: case.first_answered_at,
        last_told_at: case.last_told_at,
        created_at: case.created_at,
        updated_at: case.updated_at,
        closed_at: case.closed_at,
        private_url: None,
    }
}

fn incident(case: &Case, site: &Site) -> Option<Reference> {
    let id = case.incident_id.as_ref()?;
    let summary = format!(
        "[#{}] {}",
        case.incident_number.unwrap_or_default(),
        case.incident_title.as_deref().unwrap_or_default()
    );
    Some(site.reference("incident", "incidents", id.as_str(), summary))
}

pub fn message_view(message: &Message) -> CaseMessageView {
    CaseMessageView {
        id: message.id.to_string(),
        kind: "case_message",
        direction: message.direction,
        author: message.author_name.clone(),
        text: message.text.clone(),
        created_at: message.created_at,
    }
}

/// The address of the reporter's own page.
pub fn private_url(case: &Case, site: &Site) -> String {
    site.url(&format!("/case/{}", case.token))
}
