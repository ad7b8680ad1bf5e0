//! What may become an incident: alerts that wait to see whether they clear by themselves, and customers who write
//! alike while nothing is open for it. Nothing is stored; when the cause is gone, so is the warning.

use std::time::Duration;

use jiff::Timestamp;
use store::{Error, Tx, params, sql};

use super::voices;
use crate::alerts::model::Reason;
use crate::cases::{CaseId, store as cases};
use crate::http::Page;
use crate::http::listing::Counted;
use crate::jobs;

/// How long ago the first of those who write alike may have written.
const LATELY: Duration = Duration::from_secs(3_600);
/// So many write alike before it is worth a look.
const FEWEST: u64 = 3;
/// Cases that are read, the latest.
const MOST_CASES: i64 = 200;
/// Warnings of each kind.
const MOST: usize = 5;

/// One early warning, with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub enum Warning {
    /// An alert that opens an incident only if it stays.
    HeldBack {
        alert_id: String,
        summary: String,
        service_id: String,
        service: String,
        /// Why it waits.
        reason: String,
        until: Timestamp,
    },
    /// Customers who say alike, none of them linked to an incident.
    SaidByMany {
        /// What one of them wrote.
        words: String,
        count: u64,
        /// The last of their cases.
        last: CaseId,
    },
}

/// The warnings of this moment: those of customers first.
pub fn of(tx: &mut Tx, now: Timestamp) -> Result<Vec<Warning>, Error> {
    let mut warnings = said_by_many(tx, now)?;
    warnings.extend(held_back(tx)?);
    Ok(warnings)
}

fn said_by_many(tx: &mut Tx, now: Timestamp) -> Result<Vec<Warning>, Error> {
    let sought = cases::Sought {
        linked: Some(cases::Linked::No),
        since: Some(now - LATELY),
        ..cases::Sought::default()
    };
    let page = Page {
        limit: MOST_CASES,
        offset: 0,
        counted: Counted::No,
    };
    let (mut unlinked, _) = cases::list(tx, &sought, page)?;
    unlinked.reverse();
    let texts = unlinked
        .iter()
        .map(|case| (case.text.as_str(), case.location_name.as_deref()));
    Ok(voices::gather(texts)
        .into_iter()
        .filter(|voice| voice.count >= FEWEST)
        .take(MOST)
        .filter_map(|voice| {
            Some(Warning::SaidByMany {
                words: voice.example,
                count: voice.count,
                last: unlinked.get(voice.last)?.id.clone(),
            })
        })
        .collect())
}

/// Alerts whose pause runs: each has a job that ends it.
fn held_back(tx: &mut Tx) -> Result<Vec<Warning>, Error> {
    type Row = (String, String, String, String, serde_json::Value, Timestamp);
    let rows: Vec<Row> = tx.rows(
        sql!(
            "SELECT a.id, a.summary, a.service_id, s.name, a.reasons, j.due_at
             FROM jobs j JOIN alerts a ON a.id = j.subject JOIN services s ON s.id = a.service_id
             WHERE j.kind = $1 AND a.incident_id IS NULL AND a.status = 'triggered'
             ORDER BY j.due_at, a.id LIMIT $2"
        ),
        params![jobs::Kind::PauseEnds, MOST as i64],
    )?;
    Ok(rows
        .into_iter()
        .map(|(alert_id, summary, service_id, service, reasons, until)| {
            let reasons: Vec<Reason> = serde_json::from_value(reasons).unwrap_or_default();
            Warning::HeldBack {
                alert_id,
                summary,
                service_id,
                service,
                reason: reasons
                    .into_iter()
                    .next()
                    .map(|reason| reason.sentence)
                    .unwrap_or_default(),
                until,
            }
        })
        .collect())
}
