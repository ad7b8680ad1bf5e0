//! What was deployed or configured, kept to be laid beside incidents.

use jiff::Timestamp;
use serde_json::Value;
use store::{Error, Tx, params, query, sql};

use super::model::ServiceId;
use crate::http::Page;

crate::identifier! {
    /// One change event.
    ChangeEventId
}

/// A change as it was kept.
#[derive(Debug, Clone, store::FromRow)]
pub struct KeptChange {
    pub id: ChangeEventId,
    pub at: Timestamp,
    pub service_id: String,
    pub integration_id: String,
    pub summary: String,
    pub source: Option<String>,
    #[row(json)]
    pub links: Value,
    #[row(json)]
    pub images: Value,
    #[row(json)]
    pub custom_details: Value,
    /// Names of fields that were shortened or left out.
    #[row(json)]
    pub truncated: Vec<String>,
}

/// Changes on any of `services` (on all, when none are named) since a time, the newest first.
pub fn since(
    tx: &mut Tx,
    services: &[String],
    since: Timestamp,
    limit: i64,
) -> Result<Vec<KeptChange>, Error> {
    query!(
        "SELECT id, at, service_id, integration_id, summary, source, links, images, custom_details, truncated
         FROM change_events WHERE at >= $since {AND service_id = ANY($services)} ORDER BY at DESC, id DESC LIMIT $limit"
    )
    .bind("since", since)
    .bind_optional("services", (!services.is_empty()).then(|| store::Value::texts(services)))
    .bind("limit", limit)
    .rows(tx)
}

/// What a list of changes is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    pub service_id: Option<ServiceId>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// The teams whose policies the services follow; all, when none are named.
    pub team_ids: Vec<String>,
    pub integration_ids: Vec<String>,
}

const NARROWED: &str = " FROM change_events c WHERE c.at >= $since {AND c.service_id = $service} {AND c.at < $until}
    {AND c.integration_id = ANY($integrations)}
    {AND c.service_id IN (SELECT s.id FROM services s JOIN escalation_policy_teams t ON t.escalation_policy_id = s.escalation_policy_id WHERE t.team_id = ANY($teams))}";

fn narrowed(query: store::Query, sought: &Sought) -> store::Query {
    let some = |ids: &[String]| (!ids.is_empty()).then(|| store::Value::texts(ids));
    query
        .bind("since", sought.since.unwrap_or(Timestamp::UNIX_EPOCH))
        .bind_optional("service", sought.service_id.as_ref())
        .bind_optional("until", sought.until)
        .bind_optional("integrations", some(&sought.integration_ids))
        .bind_optional("teams", some(&sought.team_ids))
}

/// A page of changes, the newest first.
pub fn list(tx: &mut Tx, sought: &Sought, page: Page) -> Result<Vec<KeptChange>, Error> {
    let listed = query!(
        "SELECT c.id, c.at, c.service_id, c.integration_id, c.summary, c.source, c.links, c.images, c.custom_details, c.truncated",
        NARROWED,
        " ORDER BY c.at DESC, c.id DESC LIMIT $limit OFFSET $offset"
    );
    narrowed(listed, sought)
        .bind("limit", page.rows_to_read())
        .bind("offset", page.offset)
        .rows(tx)
}

pub fn count(tx: &mut Tx, sought: &Sought) -> Result<i64, Error> {
    let (count,): (i64,) = narrowed(query!("SELECT COUNT(*)", NARROWED), sought).one(tx)?;
    Ok(count)
}

pub fn find(tx: &mut Tx, id: &ChangeEventId) -> Result<Option<KeptChange>, Error> {
    tx.row(
        sql!(
            "SELECT id, at, service_id, integration_id, summary, source, links, images, custom_details, truncated
             FROM change_events WHERE id = $1"
        ),
        params![id],
    )
}
