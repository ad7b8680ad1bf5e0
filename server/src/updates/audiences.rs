//! The rows of audiences.

use store::{Error, Tx, params, query, sql};

use super::model::{Audience, AudienceChannel, AudienceId};
use crate::http::{Page, Problem};
use crate::timeline::Change;

const COLUMNS: &str =
    "id, name, readers, language, time_zone, approval, cadence_minutes, later_cadence_minutes, templates,
    channels, position, created_at";

pub fn find(tx: &mut Tx, id: &AudienceId) -> Result<Option<Audience>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM audiences WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![id],
    )
}

/// Also one that has been deleted, for what was said to it.
pub fn find_even_deleted(tx: &mut Tx, id: &AudienceId) -> Result<Option<Audience>, Error> {
    tx.row(
        sql!("SELECT ", COLUMNS, " FROM audiences WHERE id = $1"),
        params![id],
    )
}

/// Those whose words stand on status pages; also deleted ones, for what was said to them.
pub fn on_status_pages(tx: &mut Tx) -> Result<Vec<AudienceId>, Error> {
    let every: Vec<Audience> = tx.rows(sql!("SELECT ", COLUMNS, " FROM audiences ORDER BY id"), params![])?;
    let speaking = every
        .into_iter()
        .filter(|one| one.channels.contains(&AudienceChannel::StatusPage));
    Ok(speaking.map(|one| one.id).collect())
}

/// All of them, in the order of the house.
pub fn all(tx: &mut Tx) -> Result<Vec<Audience>, Error> {
    tx.rows(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM audiences WHERE deleted_at IS NULL ORDER BY position, id"
        ),
        params![],
    )
}

pub fn list(tx: &mut Tx, page: Page) -> Result<Vec<Audience>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM audiences WHERE deleted_at IS NULL ORDER BY position, id LIMIT $limit OFFSET $offset"
    )
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

pub fn count(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM audiences WHERE deleted_at IS NULL"),
        params![],
    )?;
    Ok(count)
}

fn taken(error: Error) -> Problem {
    Problem::if_taken(
        error,
        "audiences",
        &["name"],
        "audience.name is taken by another audience.",
    )
}

pub fn insert(change: &mut Change, audience: &Audience) -> Result<(), Problem> {
    change
        .tx
        .execute(
            sql!(
                "INSERT INTO audiences (id, name, readers, language, time_zone, approval, cadence_minutes,
                     later_cadence_minutes, templates, channels, position, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
            ),
            params![
                &audience.id,
                &audience.name,
                audience.readers,
                &audience.language,
                &audience.time_zone,
                audience.approval,
                audience.cadence_minutes,
                audience.later_cadence_minutes,
                store::Value::json(&audience.templates)?,
                store::Value::json(&audience.channels)?,
                audience.position,
                audience.created_at
            ],
        )
        .map(drop)
        .map_err(taken)
}

pub fn save(change: &mut Change, audience: &Audience) -> Result<(), Problem> {
    change
        .tx
        .execute_one(
            sql!(
                "UPDATE audiences SET name = $2, language = $3, time_zone = $4, approval = $5, cadence_minutes = $6,
                     later_cadence_minutes = $7, templates = $8, channels = $9, position = $10
                 WHERE id = $1"
            ),
            params![
                &audience.id,
                &audience.name,
                &audience.language,
                &audience.time_zone,
                audience.approval,
                audience.cadence_minutes,
                audience.later_cadence_minutes,
                store::Value::json(&audience.templates)?,
                store::Value::json(&audience.channels)?,
                audience.position
            ],
        )
        .map_err(taken)
}

/// Audiences that tell the time as a status page did tell it as the page now does, so that its words and its clock
/// agree. One that was given another zone keeps it.
pub fn follow_zone(change: &mut Change, before: &str, now: &str) -> Result<(), Error> {
    change
        .tx
        .execute(
            sql!("UPDATE audiences SET time_zone = $2 WHERE time_zone = $1 AND deleted_at IS NULL"),
            params![before, now],
        )
        .map(drop)
}

/// The numbers of the incidents about which it was promised a next word that has not come.
pub fn promised_incidents(tx: &mut Tx, id: &AudienceId) -> Result<Vec<i64>, Error> {
    let rows: Vec<(i64,)> = tx.rows(
        sql!(
            "SELECT i.number FROM promises p JOIN incidents i ON i.id = p.incident_id
             WHERE p.audience_id = $1 AND p.ended_at IS NULL ORDER BY i.number LIMIT 20"
        ),
        params![id],
    )?;
    Ok(rows.into_iter().map(|(number,)| number).collect())
}

/// Nothing is written for it any more; what it was told stays, and so do the promises already made.
pub fn delete(change: &mut Change, id: &AudienceId) -> Result<(), Error> {
    change.tx.execute(
        sql!("UPDATE updates SET state = 'dropped', updated_at = $2 WHERE audience_id = $1 AND state IN ('draft', 'approved')"),
        params![id, change.now],
    )?;
    change.tx.execute_one(
        sql!("UPDATE audiences SET deleted_at = $2 WHERE id = $1"),
        params![id, change.now],
    )
}
