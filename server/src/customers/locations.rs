//! The rows of locations.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Error, Tx, Value, params, query, sql};
use utoipa::ToSchema;

use super::model::{LocationId, Used, UsedKind};
use crate::access::token::random_token;
use crate::http::listing::anywhere;
use crate::http::{Page, Problem};
use crate::timeline::Change;

/// Letters of a location's code: long enough that guessing finds none.
pub const CODE_LENGTH: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LocationKind {
    Region,
    Site,
    Terminal,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Location {
    pub id: LocationId,
    pub parent_id: Option<LocationId>,
    pub kind: LocationKind,
    pub name: String,
    pub code: Option<String>,
    pub time_zone: Option<String>,
    pub country: Option<String>,
    pub address: Option<String>,
    pub telephone: Option<String>,
    /// In minor units of the currency.
    pub takings_per_hour: i64,
    pub currency: String,
    pub created_at: Timestamp,
}

/// What a location is made of.
#[derive(Debug, Clone)]
pub struct LocationText {
    pub parent_id: Option<LocationId>,
    pub kind: LocationKind,
    pub name: String,
    pub time_zone: Option<String>,
    pub country: Option<String>,
    pub address: Option<String>,
    pub telephone: Option<String>,
    pub takings_per_hour: i64,
    pub currency: String,
}

const COLUMNS: &str =
    "l.id, l.parent_id, l.kind, l.name, l.code, l.time_zone, l.country, l.address, l.telephone,
    l.takings_per_hour, l.currency, l.created_at";

pub fn find(tx: &mut Tx, id: &LocationId) -> Result<Option<Location>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM locations l WHERE l.id = $id AND l.deleted_at IS NULL"
    )
    .bind("id", id)
    .rows(tx)
    .map(|mut rows: Vec<Location>| rows.pop())
}

/// The time zone that most of the places are in; nothing while none has one.
pub fn usual_time_zone(tx: &mut Tx) -> Result<Option<String>, Error> {
    let found: Option<(String, i64)> = tx.row(
        sql!(
            "SELECT time_zone, COUNT(*) FROM locations WHERE time_zone IS NOT NULL AND deleted_at IS NULL
             GROUP BY time_zone ORDER BY COUNT(*) DESC, time_zone LIMIT 1"
        ),
        params![],
    )?;
    Ok(found.map(|(name, _)| name))
}

pub fn names(tx: &mut Tx, ids: &[String]) -> Result<HashMap<String, String>, Error> {
    let named: Vec<(String, String)> = tx.rows(
        sql!("SELECT id, name FROM locations WHERE id = ANY($1)"),
        params![store::Value::texts(ids)],
    )?;
    Ok(named.into_iter().collect())
}

/// The location behind a code.
pub fn find_by_code(tx: &mut Tx, code: &str) -> Result<Option<Location>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM locations l WHERE l.code = $code AND l.deleted_at IS NULL"
    )
    .bind("code", code)
    .rows(tx)
    .map(|mut rows: Vec<Location>| rows.pop())
}

/// What a list of locations is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    pub words: Option<String>,
    pub kind: Option<LocationKind>,
    pub parent_id: Option<String>,
}

const NARROWED: &str = " WHERE l.deleted_at IS NULL {AND l.name ILIKE $words ESCAPE '!'} {AND l.kind = $kind} {AND l.parent_id = $parent}";

fn narrowed(query: store::Query, sought: &Sought) -> store::Query {
    query
        .bind_optional("words", sought.words.as_deref().map(anywhere))
        .bind_optional("kind", sought.kind)
        .bind_optional("parent", sought.parent_id.as_deref())
}

pub fn list(tx: &mut Tx, sought: &Sought, page: Page) -> Result<Vec<Location>, Error> {
    let listed = query!(
        "SELECT ",
        COLUMNS,
        " FROM locations l ",
        NARROWED,
        " ORDER BY l.name, l.id LIMIT $limit OFFSET $offset"
    );
    narrowed(listed, sought)
        .bind("limit", page.rows_to_read())
        .bind("offset", page.offset)
        .rows(tx)
}

pub fn count(tx: &mut Tx, sought: &Sought) -> Result<i64, Error> {
    let (count,): (i64,) = narrowed(query!("SELECT COUNT(*) FROM locations l ", NARROWED), sought).one(tx)?;
    Ok(count)
}

/// Every location, parents before what is in them.
pub fn tree(tx: &mut Tx) -> Result<Vec<Location>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM locations l WHERE l.deleted_at IS NULL
          ORDER BY CASE l.kind WHEN 'region' THEN 0 WHEN 'site' THEN 1 ELSE 2 END, l.name, l.id"
    )
    .rows(tx)
}

/// Adds a location. A site gets its code at once.
pub fn add(change: &mut Change, text: &LocationText) -> Result<LocationId, Problem> {
    check_parent(change, None, text)?;
    let id: LocationId = change.identifier();
    let code = (text.kind == LocationKind::Site).then(|| random_token(CODE_LENGTH).to_lowercase());
    change.tx.execute(
        sql!(
            "INSERT INTO locations (id, parent_id, kind, name, code, time_zone, country, address, telephone,
                 takings_per_hour, currency, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
        params![
            &id,
            text.parent_id.as_ref(),
            text.kind,
            &text.name,
            code,
            text.time_zone.as_deref(),
            text.country.as_deref(),
            text.address.as_deref(),
            text.telephone.as_deref(),
            text.takings_per_hour,
            &text.currency,
            change.now
        ],
    )?;
    change.touch(crate::live::LOCATIONS);
    Ok(id)
}

pub fn set(change: &mut Change, id: &LocationId, text: &LocationText) -> Result<(), Problem> {
    check_parent(change, Some(id), text)?;
    check_kind(change, id, text)?;
    change.tx.execute_one(
        sql!(
            "UPDATE locations SET parent_id = $2, kind = $3, name = $4, time_zone = $5, country = $6, address = $7,
                 telephone = $8, takings_per_hour = $9, currency = $10 WHERE id = $1"
        ),
        params![
            id,
            text.parent_id.as_ref(),
            text.kind,
            &text.name,
            text.time_zone.as_deref(),
            text.country.as_deref(),
            text.address.as_deref(),
            text.telephone.as_deref(),
            text.takings_per_hour,
            &text.currency
        ],
    )?;
    change.touch(crate::live::LOCATIONS);
    Ok(())
}

/// A terminal stands in a site, a site in a region or by itself, a region by itself: so there are no circles.
fn check_parent(change: &mut Change, id: Option<&LocationId>, text: &LocationText) -> Result<(), Problem> {
    let Some(parent_id) = &text.parent_id else {
        return Ok(());
    };
    if id == Some(parent_id) {
        return Err(Problem::invalid([
            "location.parent: a location cannot be in itself.",
        ]));
    }
    let parent =
        find(change.tx, parent_id)?.ok_or_else(|| Problem::invalid(["location.parent was not found."]))?;
    match (parent.kind, text.kind) {
        (LocationKind::Region, LocationKind::Site) | (LocationKind::Site, LocationKind::Terminal) => Ok(()),
        _ => Err(Problem::invalid([
            "location.parent: a site stands in a region, and a terminal in a site.",
        ])),
    }
}

/// What holds others stays what it is: a region that became a terminal inside its own site would close a circle.
fn check_kind(change: &mut Change, id: &LocationId, text: &LocationText) -> Result<(), Problem> {
    let same = find(change.tx, id)?.is_none_or(|known| known.kind == text.kind);
    if !same && held_by(change, id)? > 0 {
        return Err(Problem::invalid([
            "location.kind cannot change while the location holds others; move them first.",
        ]));
    }
    Ok(())
}

fn held_by(change: &mut Change, id: &LocationId) -> Result<i64, Error> {
    let (inside,): (i64,) = change.tx.one(
        sql!("SELECT COUNT(*) FROM locations WHERE parent_id = $1 AND deleted_at IS NULL"),
        params![id],
    )?;
    Ok(inside)
}

/// Takes a location away; what already happened there stays told.
pub fn delete(change: &mut Change, id: &LocationId) -> Result<(), Problem> {
    let inside = held_by(change, id)?;
    if inside > 0 {
        return Err(Problem::invalid([format!(
            "The location still holds {inside} others; move or delete them first."
        )]));
    }
    change.tx.execute_one(
        sql!("UPDATE locations SET deleted_at = $2, code = NULL WHERE id = $1"),
        params![id, change.now],
    )?;
    change.touch(crate::live::LOCATIONS);
    Ok(())
}

/// A new code, when the old one has got into wrong hands.
pub fn renew_code(change: &mut Change, id: &LocationId) -> Result<String, Error> {
    let code = random_token(CODE_LENGTH).to_lowercase();
    change.tx.execute_one(
        sql!("UPDATE locations SET code = $2 WHERE id = $1"),
        params![id, &code],
    )?;
    change.touch(crate::live::LOCATIONS);
    Ok(code)
}

pub fn set_used(change: &mut Change, id: &LocationId, used: &[(UsedKind, String)]) -> Result<(), Error> {
    change.tx.execute(
        sql!("DELETE FROM location_services WHERE location_id = $1"),
        params![id],
    )?;
    for (kind, service_id) in used {
        change.tx.execute(
            sql!("INSERT INTO location_services (location_id, service_type, service_id) VALUES ($1, $2, $3)"),
            params![id, *kind, service_id],
        )?;
    }
    Ok(())
}

/// What locations use.
pub fn used(tx: &mut Tx, ids: &[LocationId]) -> Result<Vec<Used>, Error> {
    tx.rows(
        sql!(
            "SELECT u.location_id AS used_by, u.service_type, u.service_id, COALESCE(s.name, b.name, u.service_id) AS name
             FROM location_services u LEFT JOIN services s ON s.id = u.service_id LEFT JOIN business_services b ON b.id = u.service_id
             WHERE u.location_id = ANY($1) ORDER BY 4, 3"
        ),
        params![Value::texts(ids)],
    )
}
