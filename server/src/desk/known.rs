//! An incident as agents and customers know it: what may be said now, and when more is promised.
//!
//! Whoever publishes words for customers puts them here, in the same transaction; the desk only reads.

use jiff::Timestamp;
use store::{Error, Tx, Value, params, sql};

use crate::incidents::IncidentId;
use crate::timeline::Change;
use crate::words::PublicText;

/// The present approved words about an incident.
#[derive(Debug, Clone, store::FromRow)]
pub struct KnownIssue {
    pub incident_id: IncidentId,
    pub words_to_say: PublicText,
    pub approved_by_name: String,
    pub approved_at: Timestamp,
    pub facts_revision: i64,
    pub next_update_by: Option<Timestamp>,
}

/// Replaces what may be said about an incident.
pub fn tell(change: &mut Change, issue: &KnownIssue) -> Result<(), Error> {
    change.tx.execute(
        sql!(
            "INSERT INTO known_issues (incident_id, words_to_say, approved_by_name, approved_at, facts_revision, next_update_by)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (incident_id) DO UPDATE SET words_to_say = excluded.words_to_say,
                 approved_by_name = excluded.approved_by_name, approved_at = excluded.approved_at,
                 facts_revision = excluded.facts_revision, next_update_by = excluded.next_update_by"
        ),
        params![
            &issue.incident_id,
            &issue.words_to_say,
            &issue.approved_by_name,
            issue.approved_at,
            issue.facts_revision,
            issue.next_update_by
        ],
    )?;
    change.touch(crate::live::CASES);
    Ok(())
}

/// Brings what may be said in line with what customers were told last.
pub fn renew(change: &mut Change, id: &IncidentId) -> Result<(), Error> {
    let told: Option<KnownIssue> = change.tx.row(
        sql!(
            "SELECT incident_id, public_words AS words_to_say, COALESCE(published_by_name, 'Muster') AS approved_by_name,
                 published_at AS approved_at, facts_revision, next_update_by
             FROM updates WHERE incident_id = $1 AND state = 'published' AND public_words IS NOT NULL
             ORDER BY published_at DESC, id DESC LIMIT 1"
        ),
        params![id],
    )?;
    match told {
        Some(issue) => tell(change, &issue),
        None => Ok(()),
    }
}

pub fn of(tx: &mut Tx, ids: &[IncidentId]) -> Result<Vec<KnownIssue>, Error> {
    tx.rows(
        sql!(
            "SELECT incident_id, words_to_say, approved_by_name, approved_at, facts_revision, next_update_by
             FROM known_issues WHERE incident_id = ANY($1)"
        ),
        params![Value::texts(ids.iter().map(IncidentId::as_str))],
    )
}

/// What the catalogue lets everybody know about a touchpoint. These columns hold words for the public only.
#[derive(Debug, Clone, store::FromRow)]
pub struct PublicTouchpoint {
    pub id: String,
    pub name: PublicText,
    pub customer_words: Option<PublicText>,
    pub fallback: Option<PublicText>,
    pub words_to_say: Option<PublicText>,
}

pub fn touchpoints(tx: &mut Tx) -> Result<Vec<PublicTouchpoint>, Error> {
    tx.rows(
        sql!(
            "SELECT id, name, customer_words, fallback, words_to_say FROM business_services
             WHERE deleted_at IS NULL ORDER BY name, id"
        ),
        params![],
    )
}
