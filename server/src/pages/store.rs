//! The rows of status pages.

use jiff::Timestamp;
use store::{Error, Tx, Value, params, query, sql};

use super::model::{
    Component, ComponentId, ComponentStatus, PageIncident, PageIncidentId, PageUpdate, PageUpdateId,
    StatusPage, StatusPageId,
};
use crate::http::{Page, Problem};
use crate::timeline::Change;
use crate::updates::promised_words::goes_on_in;
use crate::updates::{Phase, UpdateId};
use crate::words::{Approval, InternalText, PublicText};

const PAGE: &str = "id, name, slug, visibility, language, time_zone, version, digest, created_at, updated_at";

pub fn find(tx: &mut Tx, id: &StatusPageId) -> Result<Option<StatusPage>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            PAGE,
            " FROM status_pages WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![id],
    )
}

pub fn find_by_slug(tx: &mut Tx, slug: &str) -> Result<Option<StatusPage>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            PAGE,
            " FROM status_pages WHERE slug = $1 AND deleted_at IS NULL"
        ),
        params![slug],
    )
}

/// The page that has an address now, or else the one that had it last.
pub fn find_by_any_slug(tx: &mut Tx, slug: &str) -> Result<Option<StatusPage>, Error> {
    if let Some(page) = find_by_slug(tx, slug)? {
        return Ok(Some(page));
    }
    let former: Option<(StatusPageId,)> = tx.row(
        sql!("SELECT page_id FROM status_page_former_slugs WHERE slug = $1"),
        params![slug],
    )?;
    match former {
        Some((id,)) => find(tx, &id),
        None => Ok(None),
    }
}

/// Remembers the address that a page leaves, for the links that were mailed with it.
pub fn leave_slug(change: &mut Change, id: &StatusPageId, slug: &str) -> Result<(), Error> {
    change.tx.execute(
        sql!(
            "INSERT INTO status_page_former_slugs (slug, page_id, left_at) VALUES ($1, $2, $3)
             ON CONFLICT (slug) DO UPDATE SET page_id = excluded.page_id, left_at = excluded.left_at"
        ),
        params![slug, id, change.now],
    )?;
    Ok(())
}

/// All pages; there are few.
pub fn all(tx: &mut Tx) -> Result<Vec<StatusPage>, Error> {
    tx.rows(
        sql!(
            "SELECT ",
            PAGE,
            " FROM status_pages WHERE deleted_at IS NULL ORDER BY id LIMIT 1000"
        ),
        params![],
    )
}

pub fn list(tx: &mut Tx, page: Page) -> Result<Vec<StatusPage>, Error> {
    query!(
        "SELECT ",
        PAGE,
        " FROM status_pages WHERE deleted_at IS NULL ORDER BY name, id LIMIT $limit OFFSET $offset"
    )
    .bind("limit", page.rows_to_read())
    .bind("offset", page.offset)
    .rows(tx)
}

pub fn count(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM status_pages WHERE deleted_at IS NULL"),
        params![],
    )?;
    Ok(count)
}

fn taken(error: Error) -> Problem {
    Problem::if_taken(
        error,
        "status_pages",
        &["slug"],
        "status_page.slug is taken by another page.",
    )
}

pub fn insert(change: &mut Change, page: &StatusPage) -> Result<(), Problem> {
    change
        .tx
        .execute(
            sql!(
                "INSERT INTO status_pages (id, name, slug, visibility, language, time_zone, version, digest, created_at, updated_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)"
            ),
            params![
                &page.id,
                &page.name,
                &page.slug,
                page.visibility,
                &page.language,
                &page.time_zone,
                page.version,
                &page.digest,
                change.now
            ],
        )
        .map(drop)
        .map_err(taken)
}

pub fn save(change: &mut Change, page: &StatusPage) -> Result<(), Problem> {
    change
        .tx
        .execute_one(
            sql!(
                "UPDATE status_pages SET name = $2, slug = $3, visibility = $4, language = $5, time_zone = $6,
                     version = version + 1, updated_at = $7
                 WHERE id = $1"
            ),
            params![
                &page.id,
                &page.name,
                &page.slug,
                page.visibility,
                &page.language,
                &page.time_zone,
                change.now
            ],
        )
        .map_err(taken)
}

pub fn delete(change: &mut Change, id: &StatusPageId) -> Result<(), Error> {
    change.tx.execute_one(
        sql!("UPDATE status_pages SET deleted_at = $2, version = version + 1 WHERE id = $1"),
        params![id, change.now],
    )
}

/// Remembers what was drawn. Only new content counts as a new version.
pub fn set_digest(change: &mut Change, id: &StatusPageId, digest: &str) -> Result<(), Error> {
    change.tx.execute(
        sql!(
            "UPDATE status_pages SET digest = $2, version = version + 1, updated_at = $3 WHERE id = $1 AND digest <> $2"
        ),
        params![id, digest, change.now],
    )?;
    Ok(())
}

/// Up to when published words have been looked at for a page; nothing before the first time.
pub fn words_read_to(tx: &mut Tx, id: &StatusPageId) -> Result<Option<Timestamp>, Error> {
    let row: Option<(Option<Timestamp>,)> = tx.row(
        sql!("SELECT words_read_to FROM status_pages WHERE id = $1"),
        params![id],
    )?;
    Ok(row.and_then(|(read_to,)| read_to))
}

pub fn set_words_read_to(change: &mut Change, id: &StatusPageId, to: Timestamp) -> Result<(), Error> {
    change.tx.execute(
        sql!("UPDATE status_pages SET words_read_to = $2 WHERE id = $1"),
        params![id, to],
    )?;
    Ok(())
}

const COMPONENT: &str =
    "id, page_id, business_service_id, name, description, is_group, group_id, position, showcase,
    only_show_if_degraded, override_status, status, created_at, updated_at";

pub fn components(tx: &mut Tx, page_id: &StatusPageId) -> Result<Vec<Component>, Error> {
    tx.rows(
        sql!(
            "SELECT ",
            COMPONENT,
            " FROM status_page_components WHERE page_id = $1 AND deleted_at IS NULL ORDER BY position, id"
        ),
        params![page_id],
    )
}

pub fn find_component(
    tx: &mut Tx,
    page_id: &StatusPageId,
    id: &ComponentId,
) -> Result<Option<Component>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            COMPONENT,
            " FROM status_page_components WHERE id = $1 AND page_id = $2 AND deleted_at IS NULL"
        ),
        params![id, page_id],
    )
}

pub fn insert_component(change: &mut Change, component: &Component) -> Result<(), Error> {
    change.tx.execute(
        sql!(
            "INSERT INTO status_page_components (id, page_id, business_service_id, name, description, is_group, group_id,
                 position, showcase, only_show_if_degraded, override_status, status, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)"
        ),
        params![
            &component.id,
            &component.page_id,
            component.business_service_id.as_ref(),
            &component.name,
            component.description.as_ref(),
            component.is_group,
            component.group_id.as_ref(),
            component.position,
            component.showcase,
            component.only_show_if_degraded,
            component.override_status,
            component.status,
            change.now
        ],
    )?;
    record_status(change, &component.id, component.status)
}

pub fn save_component(change: &mut Change, component: &Component) -> Result<(), Error> {
    change.tx.execute_one(
        sql!(
            "UPDATE status_page_components SET business_service_id = $2, name = $3, description = $4, group_id = $5,
                 position = $6, showcase = $7, only_show_if_degraded = $8, override_status = $9, updated_at = $10
             WHERE id = $1"
        ),
        params![
            &component.id,
            component.business_service_id.as_ref(),
            &component.name,
            component.description.as_ref(),
            component.group_id.as_ref(),
            component.position,
            component.showcase,
            component.only_show_if_degraded,
            component.override_status,
            change.now
        ],
    )
}

pub fn delete_component(change: &mut Change, id: &ComponentId) -> Result<(), Error> {
    change.tx.execute(
        sql!("UPDATE status_page_components SET group_id = NULL WHERE group_id = $1"),
        params![id],
    )?;
    change.tx.execute_one(
        sql!("UPDATE status_page_components SET deleted_at = $2 WHERE id = $1"),
        params![id, change.now],
    )
}

/// A component has come to stand differently.
pub fn set_status(change: &mut Change, id: &ComponentId, status: ComponentStatus) -> Result<(), Error> {
    change.tx.execute_one(
        sql!("UPDATE status_page_components SET status = $2, updated_at = $3 WHERE id = $1"),
        params![id, status, change.now],
    )?;
    record_status(change, id, status)
}

fn record_status(change: &mut Change, id: &ComponentId, status: ComponentStatus) -> Result<(), Error> {
    change.tx.execute(
        sql!(
            "INSERT INTO status_page_changes (component_id, at, status) VALUES ($1, $2, $3)
             ON CONFLICT (component_id, at) DO UPDATE SET status = excluded.status"
        ),
        params![id, change.now, status],
    )?;
    Ok(())
}

/// How a component stood just before an instant; before it was watched it counts as working.
pub fn status_before(tx: &mut Tx, id: &ComponentId, at: Timestamp) -> Result<ComponentStatus, Error> {
    let row: Option<(ComponentStatus,)> = tx.row(
        sql!(
            "SELECT status FROM status_page_changes WHERE component_id = $1 AND at < $2 ORDER BY at DESC LIMIT 1"
        ),
        params![id, at],
    )?;
    Ok(row.map_or(ComponentStatus::Operational, |(status,)| status))
}

/// Every recorded change of these components, oldest first.
pub fn changes(
    tx: &mut Tx,
    ids: &[ComponentId],
) -> Result<Vec<(ComponentId, Timestamp, ComponentStatus)>, Error> {
    tx.rows(
        sql!(
            "SELECT component_id, at, status FROM status_page_changes WHERE component_id = ANY($1) ORDER BY at"
        ),
        params![Value::texts(ids.iter().map(ComponentId::as_str))],
    )
}

const INCIDENT: &str =
    "id, incident_id, name, status, impact, created_at, updated_at, started_at, monitoring_at, resolved_at";

/// The incidents of a page, the newest first.
pub fn incidents(tx: &mut Tx, page_id: &StatusPageId, limit: i64) -> Result<Vec<PageIncident>, Error> {
    tx.rows(
        sql!(
            "SELECT ",
            INCIDENT,
            " FROM status_page_incidents WHERE page_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2"
        ),
        params![page_id, limit],
    )
}

/// What was said about these incidents, the newest first. One that goes on under another ends by saying so.
pub fn updates(tx: &mut Tx, ids: &[PageIncidentId]) -> Result<Vec<PageUpdate>, Error> {
    let mut updates = leading_on(tx, ids)?;
    let said: Vec<PageUpdate> = tx.rows(
        sql!(
            "SELECT page_incident_id, update_id AS id, status, body, next_update_by, at, affected, time_zone
             FROM status_page_updates
             WHERE page_incident_id = ANY($1) ORDER BY at DESC, update_id DESC"
        ),
        params![Value::texts(ids.iter().map(PageIncidentId::as_str))],
    )?;
    updates.extend(said);
    Ok(updates)
}

/// The last words about incidents that were merged, in the language of their page.
fn leading_on(tx: &mut Tx, ids: &[PageIncidentId]) -> Result<Vec<PageUpdate>, Error> {
    let rows: Vec<(PageIncidentId, Timestamp, PublicText, String)> = tx.rows(
        sql!(
            "SELECT p.id, p.updated_at, o.name, s.language FROM status_page_incidents p
             JOIN status_page_incidents o ON o.id = p.goes_on_in JOIN status_pages s ON s.id = p.page_id
             WHERE p.id = ANY($1) ORDER BY p.updated_at DESC, p.id DESC"
        ),
        params![Value::texts(ids.iter().map(PageIncidentId::as_str))],
    )?;
    let leading = rows.into_iter().map(|(id, at, name, language)| {
        let words = InternalText::new(goes_on_in(&language, name.as_str()));
        PageUpdate {
            time_zone: None,
            id: PageUpdateId::from(format!("{id}-goes-on")),
            status: Phase::Resolved,
            body: PublicText::approve(
                &words,
                &Approval::by_rule("a merged incident goes on under another", at),
            ),
            next_update_by: None,
            at,
            affected: Vec::new(),
            page_incident_id: id,
        }
    });
    Ok(leading.collect())
}

/// The incident under which a page shows an update.
pub fn posted(
    tx: &mut Tx,
    page_id: &StatusPageId,
    update_id: &UpdateId,
) -> Result<Option<PageIncidentId>, Error> {
    let row: Option<(PageIncidentId,)> = tx.row(
        sql!(
            "SELECT i.id FROM status_page_updates p JOIN status_page_incidents i ON i.id = p.page_incident_id
             WHERE p.update_id = $1 AND i.page_id = $2"
        ),
        params![update_id, page_id],
    )?;
    Ok(row.map(|(id,)| id))
}

/// Planned work on one service, as far as readers may know of it.
#[derive(Debug, Clone, store::FromRow)]
pub struct Window {
    pub id: String,
    pub start_at: Timestamp,
    pub end_at: Timestamp,
    pub created_at: Timestamp,
    pub public_words: Option<PublicText>,
    pub service_id: String,
}

/// Planned work that ends after `since`, once for each service it is done on.
pub fn windows(tx: &mut Tx, since: Timestamp) -> Result<Vec<Window>, Error> {
    tx.rows(
        sql!(
            "SELECT w.id, w.start_at, w.end_at, w.created_at, w.public_words, s.service_id FROM maintenance_windows w
             JOIN maintenance_window_services s ON s.maintenance_window_id = w.id
             WHERE w.end_at > $1 AND w.deleted_at IS NULL ORDER BY w.start_at, w.id, s.service_id LIMIT 5000"
        ),
        params![since],
    )
}
