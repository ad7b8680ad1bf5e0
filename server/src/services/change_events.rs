//! What was deployed or configured, kept to be laid beside incidents.

use jiff::Timestamp;
use serde_json::Value;
use store::{Error, Tx, query};

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
}

/// Changes on any of `services` (on all, when none are named) since a time, the newest first.
pub fn since(
    tx: &mut Tx,
    services: &[String],
    since: Timestamp,
    limit: i64,
) -> Result<Vec<KeptChange>, Error> {
    query!(
        "SELECT id, at, service_id, integration_id, summary, source, links, images, custom_details
         FROM change_events WHERE at >= $since {AND service_id = ANY($services)} ORDER BY at DESC, id DESC LIMIT $limit"
    )
    .bind("since", since)
    .bind_optional("services", (!services.is_empty()).then(|| store::Value::texts(services)))
    .bind("limit", limit)
    .rows(tx)
}
