//! From a sender's key to its integration, remembered for a few seconds so that a storm does not ask the
//! database about every event.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::app::App;
use crate::http::Problem;
use crate::services::{IntegrationId, ServiceId};

const REMEMBERED: Duration = Duration::from_secs(5);
const KEYS: usize = 10_000;

/// Where an event of a key goes.
#[derive(Debug, Clone)]
pub struct Destination {
    pub integration_id: IntegrationId,
    pub service_id: ServiceId,
}

/// The keys that were seen lately.
#[derive(Default)]
pub struct Keys {
    known: Mutex<HashMap<String, (Destination, Timestamp)>>,
}

impl Keys {
    /// The destination of a key, or none when the key is not (or no longer) known.
    pub async fn find(&self, app: &App, key: &str) -> Result<Option<Destination>, Problem> {
        let now = app.clock.now();
        if let Some((destination, until)) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key)
            && *until > now
        {
            return Ok(Some(destination.clone()));
        }
        let wanted = key.to_owned();
        let found = app
            .read(move |tx| -> Result<_, Problem> {
                Ok(crate::services::store::keys::find_integration_by_key(
                    tx, &wanted,
                )?)
            })
            .await?;
        let Some(integration) = found else { return Ok(None) };
        let destination = Destination {
            integration_id: integration.id,
            service_id: integration.service_id,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEYS {
            known.clear();
        }
        known.insert(key.to_owned(), (destination.clone(), now + REMEMBERED));
        Ok(Some(destination))
    }
}
