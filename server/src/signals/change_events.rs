//! Change events as they come in.

use serde_json::Value;
use store::{Error, params, sql};

use super::event::ChangeEvent;
use super::journal::Signal;
use crate::services::change_events::ChangeEventId;
use crate::timeline::Change;

pub(super) fn keep(change: &mut Change, signal: &Signal, event: &ChangeEvent) -> Result<(), Error> {
    let id: ChangeEventId = change.identifier();
    change.tx.execute(
        sql!(
            "INSERT INTO change_events (id, at, service_id, integration_id, summary, source, links, images, custom_details, truncated, received_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        ),
        params![
            id,
            event.timestamp.unwrap_or(signal.received_at),
            &signal.service_id,
            &signal.integration_id,
            &event.summary,
            event.source.as_deref(),
            Value::from(event.links.clone()),
            Value::from(event.images.clone()),
            Value::Object(event.custom_details.clone()),
            store::Value::json(&event.truncated)?,
            signal.received_at
        ],
    )?;
    change.touch("changes");
    Ok(())
}
