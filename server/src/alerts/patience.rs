//! Whether a new alert should wait before it becomes an incident.
//!
//! Only services that switched auto-pause on wait at all. With a pause in seconds every alert waits as long. With "as
//! recommended" the past decides: an alert waits only if alerts of its kind surely clear by themselves, as long as they
//! take, and nothing is paused while nothing is known. An alert that flaps waits until it has been calm. What is
//! learned comes from the alerts themselves, so it is the same on every node and after a restart; what a person
//! resolved never speaks for waiting.

use jiff::{SignedDuration, Timestamp};
use store::{Error, Tx, params, sql};
use triage::{AutoPause, Ending, Flapping, FlappingLimits, TransientLimits, Transients};

use super::model::Reason;
use crate::services::{IntegrationId, Service, ServiceId};

/// Ended alerts of a kind that are looked at, the latest.
const PAST: i64 = 200;
/// How far back changes of state count for flapping; after two hours they have faded.
const FLAPPING_SECONDS: i64 = 7_200;
const CHANGES: i64 = 200;
/// Nobody waits longer for a flapping alert to calm down, in seconds.
const LONGEST_SECONDS: i64 = 3_600;

/// How long to wait, in seconds, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    pub seconds: u32,
    pub reason: Reason,
}

/// How an alert ended: when it came, when it was over, and who said so.
type Ended = (Timestamp, Option<Timestamp>, Option<String>);

/// The wait of a new alert; none: it becomes an incident at once.
pub fn wait(
    tx: &mut Tx,
    service: &Service,
    kind: triage::Kind,
    integration_id: &IntegrationId,
    alert_key: &str,
    now: Timestamp,
) -> Result<Option<Wait>, Error> {
    let setting = service.auto_pause.setting();
    if setting == AutoPause::Off {
        return Ok(None);
    }
    if let Some(wait) = until_calm(tx, integration_id, alert_key, now)? {
        return Ok(Some(wait));
    }
    if let AutoPause::Seconds(seconds) = setting {
        let sentence = format!(
            "Held back for {seconds} seconds, because the service waits whether alerts clear by themselves."
        );
        let figures = serde_json::json!({ "kind": "paused", "seconds": seconds });
        let reason = Reason { figures, sentence };
        return Ok(Some(Wait { seconds, reason }));
    }
    let learned = learned(tx, kind)?;
    let found = learned.pause(&TransientLimits::default(), setting, kind, now);
    Ok(found.map(|(until, reason)| Wait {
        seconds: u32::try_from(until.duration_since(now).as_secs()).unwrap_or(0),
        reason: Reason::of(&reason),
    }))
}

/// A kind of alert that usually clears by itself: what a pause "as recommended" would hold back.
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct Offer {
    /// One such alert.
    pub summary: String,
    /// How many ended within the last thirty days.
    pub alerts: i64,
    pub pause_seconds: u32,
    pub reason: Reason,
}

/// What the past of a service says about pauses, the most frequent kinds first, whether or not pauses are on. Of a noisy
/// service, only the latest alerts are looked at.
pub fn offers(tx: &mut Tx, service_id: &ServiceId, now: Timestamp) -> Result<Vec<Offer>, Error> {
    const KINDS: i64 = 50;
    const DAYS: i64 = 30;
    const LATEST: i64 = 5_000;
    let kinds: Vec<(i64, i64, String)> = tx.rows(
        sql!(
            "SELECT kind, COUNT(*), MAX(summary)
             FROM (SELECT kind, summary, resolved_at FROM alerts WHERE service_id = $1 AND created_at >= $2
                 ORDER BY created_at DESC LIMIT $4) AS latest
             WHERE kind IS NOT NULL AND resolved_at IS NOT NULL
             GROUP BY kind ORDER BY COUNT(*) DESC, kind LIMIT $3"
        ),
        params![
            service_id,
            now - SignedDuration::from_hours(24 * DAYS),
            KINDS,
            LATEST
        ],
    )?;
    let mut offers = Vec::new();
    for (number, alerts, summary) in kinds {
        let kind = triage::Kind::from_bits(number.cast_unsigned());
        let learned = learned(tx, kind)?;
        let found = learned.pause(&TransientLimits::default(), AutoPause::Recommended, kind, now);
        offers.extend(found.map(|(until, reason)| Offer {
            summary,
            alerts,
            pause_seconds: u32::try_from(until.duration_since(now).as_secs()).unwrap_or(0),
            reason: Reason::of(&reason),
        }));
    }
    Ok(offers)
}

/// How alerts of a kind ended lately.
pub fn learned(tx: &mut Tx, kind: triage::Kind) -> Result<Transients, Error> {
    let mut rows: Vec<Ended> = tx.rows(
        sql!(
            "SELECT created_at, resolved_at, ended_by FROM alerts WHERE kind = $1 AND resolved_at IS NOT NULL
             ORDER BY resolved_at DESC, id DESC LIMIT $2"
        ),
        params![crate::incidents::lessons::number(kind), PAST],
    )?;
    rows.reverse();
    let mut transients = Transients::default();
    for (created_at, resolved_at, ended_by) in rows {
        let ending = match ended_by.as_deref() {
            Some("sender") => Ending::ByItself,
            _ => Ending::ByPerson,
        };
        let age = resolved_at.unwrap_or(created_at).duration_since(created_at);
        transients.learn(&TransientLimits::default(), kind, ending, age);
    }
    Ok(transients)
}

/// The wait of an alert that opens and closes too often.
fn until_calm(
    tx: &mut Tx,
    integration_id: &IntegrationId,
    alert_key: &str,
    now: Timestamp,
) -> Result<Option<Wait>, Error> {
    let mut rows: Vec<Ended> = tx.rows(
        sql!(
            "SELECT created_at, resolved_at, ended_by FROM alerts
             WHERE alert_key = $1 AND integration_id = $2 AND created_at >= $3 ORDER BY created_at DESC, id DESC LIMIT $4"
        ),
        params![
            alert_key,
            integration_id,
            now - SignedDuration::from_secs(FLAPPING_SECONDS),
            CHANGES
        ],
    )?;
    rows.reverse();
    let limits = FlappingLimits::default();
    let mut flapping = Flapping::default();
    for (created_at, resolved_at, ended_by) in rows {
        flapping.change(&limits, integration_id.as_str(), alert_key, created_at);
        if let Some(resolved_at) = resolved_at.filter(|_| ended_by.as_deref() == Some("sender")) {
            flapping.change(&limits, integration_id.as_str(), alert_key, resolved_at);
        }
    }
    let (true, Some(reason)) = flapping.change(&limits, integration_id.as_str(), alert_key, now) else {
        return Ok(None);
    };
    let seconds = flapping
        .calm_in_seconds(&limits, integration_id.as_str(), alert_key, now)
        .clamp(60, LONGEST_SECONDS);
    let mut reason = Reason::of(&reason);
    reason.sentence = format!(
        "{} It waits {} minutes to see whether it stays.",
        reason.sentence,
        seconds.div_euclid(60).max(1)
    );
    Ok(Some(Wait {
        seconds: seconds as u32,
        reason,
    }))
}
