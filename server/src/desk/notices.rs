//! What agents have been told: the last words for their audiences, kept for the desk.
//!
//! Whoever publishes to an audience that reads at the desk puts a notice here, in the same transaction; whoever
//! looks at the desk is told at once that there is something new.

use jiff::Timestamp;
use store::{Error, Tx, params, query, sql};

use crate::http::Page;
use crate::incidents::IncidentId;
use crate::timeline::Change;
use crate::words::InternalText;

crate::identifier! {
    /// One notice.
    NoticeId
}

/// Words for agents. They may hold what customers must not read.
#[derive(Debug, Clone, store::FromRow)]
pub struct Notice {
    pub id: NoticeId,
    pub at: Timestamp,
    pub incident_id: IncidentId,
    pub audience_name: String,
    pub subject: InternalText,
    pub words: InternalText,
    pub next_update_by: Option<Timestamp>,
}

/// A notice with the incident it is about.
#[derive(Debug, Clone, store::FromRow)]
pub struct Posted {
    pub id: NoticeId,
    pub at: Timestamp,
    pub incident_id: IncidentId,
    pub incident_title: String,
    pub audience_name: String,
    pub subject: InternalText,
    pub words: InternalText,
    pub next_update_by: Option<Timestamp>,
}

pub fn post(change: &mut Change, notice: &Notice) -> Result<(), Error> {
    change.tx.execute(
        sql!(
            "INSERT INTO desk_notices (id, at, incident_id, audience_name, subject, words, next_update_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7)"
        ),
        params![
            &notice.id,
            notice.at,
            &notice.incident_id,
            &notice.audience_name,
            &notice.subject,
            &notice.words,
            notice.next_update_by
        ],
    )?;
    change.touch(crate::live::NOTICES);
    Ok(())
}

const NARROWED: &str = " FROM desk_notices n JOIN incidents i ON i.id = n.incident_id WHERE i.number > $zero
    {AND n.incident_id = $incident} {AND n.at >= $since}";

fn narrowed(query: store::Query, incident_id: Option<&str>, since: Option<Timestamp>) -> store::Query {
    query
        .bind("zero", 0_i64)
        .bind_optional("incident", incident_id)
        .bind_optional("since", since)
}

/// Notices, the newest first.
pub fn list(
    tx: &mut Tx,
    incident_id: Option<&str>,
    since: Option<Timestamp>,
    page: Page,
) -> Result<Vec<Posted>, Error> {
    let listed = query!(
        "SELECT n.id, n.at, n.incident_id, i.title AS incident_title, n.audience_name, n.subject, n.words, n.next_update_by",
        NARROWED,
        " ORDER BY n.id DESC LIMIT $limit OFFSET $offset"
    );
    narrowed(listed, incident_id, since)
        .bind("limit", page.rows_to_read())
        .bind("offset", page.offset)
        .rows(tx)
}

pub fn count(tx: &mut Tx, incident_id: Option<&str>, since: Option<Timestamp>) -> Result<i64, Error> {
    let (count,): (i64,) = narrowed(query!("SELECT COUNT(*)", NARROWED), incident_id, since).one(tx)?;
    Ok(count)
}
