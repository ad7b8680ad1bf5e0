//! A case as the API shows it.

use serde_json::{Value, json};

use super::model::{Case, Message};
use crate::http::{Reference, Site};

/// The resource `case`; every field always present.
pub fn view(case: &Case, site: &Site) -> Value {
    let head = site.resource(
        "case",
        "cases",
        case.id.as_str(),
        format!("{}: {}", case.label(), case.subject),
    );
    json!({
        "id": head.id,
        "type": head.kind,
        "summary": head.summary,
        "self": head.api_url,
        "html_url": head.html_url,
        "number": case.number,
        "channel": case.channel,
        "external_reference": case.senders_number(),
        "subject": case.subject,
        "text": case.text,
        "language": case.language,
        "status": case.status,
        "recovery": case.recovery,
        "reporter": {
            "name": case.reporter_name,
            "email": case.reporter_email,
            "telephone": case.reporter_telephone,
        },
        "account": reference(site, "account", "accounts", case.account_id.as_ref().map(AsRef::as_ref), case.account_name.as_deref()),
        "standing": case.tier.map(|tier| json!({
            "tier": tier, "value_per_year": case.value_per_year, "currency": case.currency,
        })),
        "location": reference(site, "location", "locations", case.location_id.as_ref().map(AsRef::as_ref), case.location_name.as_deref()),
        "touchpoint": reference(site, "business_service", "business_services",
            case.touchpoint_id.as_ref().map(AsRef::as_ref), case.touchpoint_name.as_deref()),
        "owner": reference(site, "user", "users", case.owner_id.as_ref().map(AsRef::as_ref), case.owner_name.as_deref()),
        "incident": incident(case, site),
        "linked_at": case.linked_at,
        "owed_since": case.owed_since,
        "first_answer_due_at": case.first_answer_due_at,
        "first_answered_at": case.first_answered_at,
        "last_told_at": case.last_told_at,
        "created_at": case.created_at,
        "updated_at": case.updated_at,
        "closed_at": case.closed_at,
    })
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

fn reference(
    site: &Site,
    kind: &str,
    collection: &str,
    id: Option<&str>,
    name: Option<&str>,
) -> Option<Reference> {
    let id = id?;
    Some(site.reference(kind, collection, id, name.unwrap_or(id)))
}

pub fn message_view(message: &Message) -> Value {
    json!({
        "id": message.id,
        "type": "case_message",
        "direction": message.direction,
        "author": message.author_name,
        "text": message.text,
        "created_at": message.created_at,
    })
}

/// The address of the reporter's own page.
pub fn private_url(case: &Case, site: &Site) -> String {
    site.url(&format!("/case/{}", case.token))
}
