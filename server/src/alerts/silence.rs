//! Services that open no incidents: work on them is under way, or they are switched off.
//!
//! What is reported meanwhile is kept as an alert without an incident. When the silence ends, because the work is over or
//! was called off, or somebody switched the service on, whatever is still open gets its incident: a fault that began during
//! the work and outlived it is a fault. The job that does this reads everything afresh, and sets itself again while
//! another silence lasts.

use serde_json::json;

use super::intake::place_paused;
use super::model::Reason;
use super::store as rows;
use crate::http::Problem;
use crate::jobs;
use crate::jobs::Owed;
use crate::services::{ServiceId, Silence, silence_of};
use crate::timeline::Change;

/// Alerts that one transaction finds incidents for.
const MOST: i64 = 100;

/// Why an alert has no incident.
pub(super) fn reason(silence: Silence) -> Reason {
    let sentence = match silence {
        Silence::SwitchedOff => "The service is switched off, so no incident was opened.",
        Silence::Maintenance { .. } => "The service is in maintenance, so no incident was opened.",
    };
    Reason {
        figures: json!({ "kind": "suppressed" }),
        sentence: sentence.to_owned(),
    }
}

/// Has the alerts of a service looked at again when its silence is over. Whoever switches it on does that at once.
pub(super) fn owe_end(change: &mut Change, id: &ServiceId, silence: Silence) -> Result<(), Problem> {
    if let Silence::Maintenance { until } = silence {
        change.owe(&Owed::at(jobs::Kind::SilenceEnds, id.as_str(), until))?;
    }
    Ok(())
}

/// Finds incidents for the alerts that a silence held back, unless there is another.
pub fn end(change: &mut Change, id: &ServiceId) -> Result<(), Problem> {
    let Some(service) = crate::services::store::find(change.tx, id)? else {
        return Ok(());
    };
    let now = change.now;
    if let Some(silence) = silence_of(change.tx, &service, now)? {
        return owe_end(change, id, silence);
    }
    let waiting = rows::open_silenced(change.tx, id, MOST)?;
    for alert in &waiting {
        place_paused(change, alert)?;
    }
    if waiting.len() as i64 == MOST {
        change.owe(&Owed::now(jobs::Kind::SilenceEnds, id.as_str(), now))?;
    }
    Ok(())
}
