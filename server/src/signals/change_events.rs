//! Change events: what was deployed or configured, kept to be laid beside incidents.

use jiff::Timestamp;
use serde_json::Value;
use store::{Error, Tx, params, query, sql};

use super::event::ChangeEvent;
use super::intake::Waiting;
use crate::timeline::Change;

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

pub(super) fn keep(change: &mut Change, waiting: &Waiting, event: &ChangeEvent) -> Result<(), Error> {
    let id: ChangeEventId = change.identifier();
    change.tx.execute(
        sql!(
            "INSERT INTO change_events (id, at, service_id, integration_id, summary, source, links, images, custom_details, received_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        ),
        params![
            id,
            event.timestamp.unwrap_or(waiting.received_at),
            &waiting.service_id,
            &waiting.integration_id,
            &event.summary,
            event.source.as_deref(),
            Value::from(event.links.clone()),
            Value::from(event.images.clone()),
            Value::Object(event.custom_details.clone()),
            waiting.received_at
        ],
    )?;
    change.touch("changes");
    Ok(())
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
