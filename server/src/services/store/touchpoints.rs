//! Writing and listing touchpoints, dependencies and maintenance windows.

use jiff::Timestamp;
use store::{Error, Tx, Value, params, query, sql};

use super::super::graph::ServiceKind;
use super::super::model::{
    BusinessService, BusinessServiceId, MaintenanceWindow, MaintenanceWindowId, ServiceDependencyId,
};
use crate::http::Page;
use crate::people::TeamId;

const COLUMNS: &str =
    "id, name, description, point_of_contact, team_id, harm_weight, loss_per_hour, currency, customer_words,
    fallback, words_to_say, created_at, deleted_at";

pub fn find(tx: &mut Tx, id: &BusinessServiceId) -> Result<Option<BusinessService>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM business_services WHERE id = $1 AND deleted_at IS NULL"
        ),
        params![id],
    )
}

/// All touchpoints, by name.
pub fn all(tx: &mut Tx) -> Result<Vec<BusinessService>, Error> {
    tx.rows(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM business_services WHERE deleted_at IS NULL ORDER BY name, id"
        ),
        params![],
    )
}

pub fn list(tx: &mut Tx, page: Page) -> Result<Vec<BusinessService>, Error> {
    tx.rows(
        sql!(
            "SELECT ",
            COLUMNS,
            " FROM business_services WHERE deleted_at IS NULL ORDER BY name, id LIMIT $1 OFFSET $2"
        ),
        params![page.rows_to_read(), page.offset],
    )
}

pub fn count(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM business_services WHERE deleted_at IS NULL"),
        params![],
    )?;
    Ok(count)
}

pub fn add(tx: &mut Tx, touchpoint: &BusinessService) -> Result<(), Error> {
    tx.execute(
        sql!(
            "INSERT INTO business_services (id, name, description, point_of_contact, team_id, harm_weight, loss_per_hour, currency,
                 customer_words, fallback, words_to_say, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
        params![
            &touchpoint.id,
            &touchpoint.name,
            touchpoint.description.as_deref(),
            touchpoint.point_of_contact.as_deref(),
            touchpoint.team_id.as_ref(),
            touchpoint.harm_weight,
            touchpoint.loss_per_hour,
            &touchpoint.currency,
            touchpoint.customer_words.as_deref(),
            touchpoint.fallback.as_deref(),
            touchpoint.words_to_say.as_deref(),
            touchpoint.created_at
        ],
    )?;
    Ok(())
}

pub fn set(tx: &mut Tx, touchpoint: &BusinessService) -> Result<(), Error> {
    tx.execute_one(
        sql!(
            "UPDATE business_services SET name = $2, description = $3, point_of_contact = $4, team_id = $5, harm_weight = $6,
                 loss_per_hour = $7, currency = $8, customer_words = $9, fallback = $10, words_to_say = $11 WHERE id = $1"
        ),
        params![
            &touchpoint.id,
            &touchpoint.name,
            touchpoint.description.as_deref(),
            touchpoint.point_of_contact.as_deref(),
            touchpoint.team_id.as_ref(),
            touchpoint.harm_weight,
            touchpoint.loss_per_hour,
            &touchpoint.currency,
            touchpoint.customer_words.as_deref(),
            touchpoint.fallback.as_deref(),
            touchpoint.words_to_say.as_deref()
        ],
    )
}

/// Whatever shows or uses a touchpoint, as a sentence each; some of it where there is much. Without the touchpoint it would
/// say for ever that everything works.
pub fn uses(tx: &mut Tx, id: &BusinessServiceId) -> Result<Vec<String>, Error> {
    let pages: Vec<(String, String)> = tx.rows(
        sql!(
            "SELECT p.name, c.name FROM status_page_components c JOIN status_pages p ON p.id = c.page_id
             WHERE c.business_service_id = $1 AND c.deleted_at IS NULL AND p.deleted_at IS NULL
             ORDER BY p.name, c.name LIMIT 5"
        ),
        params![id],
    )?;
    let locations: Vec<(String,)> = tx.rows(
        sql!(
            "SELECT l.name FROM location_services s JOIN locations l ON l.id = s.location_id
             WHERE s.service_id = $1 AND l.deleted_at IS NULL ORDER BY l.name LIMIT 5"
        ),
        params![id],
    )?;
    let accounts: Vec<(String,)> = tx.rows(
        sql!(
            "SELECT a.name FROM account_services s JOIN accounts a ON a.id = s.account_id
             WHERE s.service_id = $1 AND a.deleted_at IS NULL ORDER BY a.name LIMIT 5"
        ),
        params![id],
    )?;
    let pages = pages.into_iter().map(|(page, name)| {
        format!("The status page '{page}' shows it as '{name}'; take it off there first.")
    });
    let locations = locations
        .into_iter()
        .map(|(name,)| format!("The location '{name}' uses it; take it off there first."));
    let accounts = accounts
        .into_iter()
        .map(|(name,)| format!("The customer '{name}' uses it; take it off there first."));
    Ok(pages.chain(locations).chain(accounts).collect())
}

pub fn delete(tx: &mut Tx, id: &BusinessServiceId, now: Timestamp) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE business_services SET deleted_at = $2 WHERE id = $1"),
        params![id, now],
    )?;
    tx.execute(
        sql!("DELETE FROM service_dependencies WHERE supporting_id = $1 OR dependent_id = $1"),
        params![id],
    )?;
    Ok(())
}

/// One dependency as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct Dependency {
    pub id: ServiceDependencyId,
    pub supporting_type: ServiceKind,
    pub supporting_id: String,
    pub dependent_type: ServiceKind,
    pub dependent_id: String,
}

pub fn dependencies_of(tx: &mut Tx, id: &str) -> Result<Vec<Dependency>, Error> {
    tx.rows(
        sql!(
            "SELECT id, supporting_type, supporting_id, dependent_type, dependent_id FROM service_dependencies
             WHERE supporting_id = $1 OR dependent_id = $1 ORDER BY id"
        ),
        params![id],
    )
}

/// Every dependency; bounded.
pub fn all_dependencies(tx: &mut Tx) -> Result<Vec<Dependency>, Error> {
    tx.rows(
        sql!(
            "SELECT id, supporting_type, supporting_id, dependent_type, dependent_id FROM service_dependencies
             ORDER BY id LIMIT 5000"
        ),
        params![],
    )
}

pub fn find_dependency(tx: &mut Tx, supporting: &str, dependent: &str) -> Result<Option<Dependency>, Error> {
    tx.row(
        sql!(
            "SELECT id, supporting_type, supporting_id, dependent_type, dependent_id FROM service_dependencies
             WHERE supporting_id = $1 AND dependent_id = $2"
        ),
        params![supporting, dependent],
    )
}

pub fn add_dependency(tx: &mut Tx, dependency: &Dependency, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        sql!(
            "INSERT INTO service_dependencies (id, supporting_type, supporting_id, dependent_type, dependent_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)"
        ),
        params![
            &dependency.id,
            dependency.supporting_type,
            &dependency.supporting_id,
            dependency.dependent_type,
            &dependency.dependent_id,
            now
        ],
    )?;
    Ok(())
}

pub fn delete_dependency(tx: &mut Tx, id: &ServiceDependencyId) -> Result<(), Error> {
    tx.execute_one(
        sql!("DELETE FROM service_dependencies WHERE id = $1"),
        params![id],
    )
}

/// Whether a node of the graph exists, and its name.
pub fn node_name(tx: &mut Tx, kind: ServiceKind, id: &str) -> Result<Option<String>, Error> {
    let statement = match kind {
        ServiceKind::Service => sql!("SELECT name FROM services WHERE id = $1 AND deleted_at IS NULL"),
        ServiceKind::BusinessService => {
            sql!("SELECT name FROM business_services WHERE id = $1 AND deleted_at IS NULL")
        }
    };
    let row: Option<(String,)> = tx.row(statement, params![id])?;
    Ok(row.map(|(name,)| name))
}

/// Which windows a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, store::TextEnum)]
pub enum WindowSpan {
    Past,
    Future,
    Ongoing,
    Open,
    All,
}

const WINDOW_COLUMNS: &str = "w.id, w.sequence_number, w.description, w.public_words, w.start_at, w.end_at, w.created_by, w.created_at, w.deleted_at";

const WINDOWS: &str = " FROM maintenance_windows w WHERE w.deleted_at IS NULL {AND w.description ILIKE $pattern ESCAPE '!'}
    {AND w.id IN (SELECT s.maintenance_window_id FROM maintenance_window_services s WHERE s.service_id = ANY($services))}
    {AND w.id IN (SELECT s.maintenance_window_id FROM maintenance_window_services s JOIN services v ON v.id = s.service_id
        JOIN escalation_policy_teams t ON t.escalation_policy_id = v.escalation_policy_id WHERE t.team_id = ANY($teams))}
    {span=past: AND w.end_at <= $now} {span=future: AND w.start_at > $now}
    {span=ongoing: AND w.start_at <= $now AND w.end_at > $now} {span=open: AND w.end_at > $now} {span=all: AND w.end_at <> $now}";

/// What a list of windows is narrowed by.
#[derive(Debug, Clone)]
pub struct WindowFilter {
    pub pattern: Option<String>,
    pub service_ids: Vec<String>,
    /// The teams of the services.
    pub team_ids: Vec<String>,
    pub span: WindowSpan,
    pub now: Timestamp,
}

fn windows(query: store::Query, filter: &WindowFilter) -> store::Query {
    query
        .bind_optional("pattern", filter.pattern.as_deref())
        .bind_optional(
            "services",
            (!filter.service_ids.is_empty()).then(|| Value::texts(&filter.service_ids)),
        )
        .bind_optional(
            "teams",
            (!filter.team_ids.is_empty()).then(|| Value::texts(&filter.team_ids)),
        )
        .bind("now", filter.now)
        .choose("span", filter.span.as_text())
}

pub fn list_windows(tx: &mut Tx, filter: &WindowFilter, page: Page) -> Result<Vec<MaintenanceWindow>, Error> {
    let listed = query!(
        "SELECT ",
        WINDOW_COLUMNS,
        WINDOWS,
        " ORDER BY w.start_at, w.id LIMIT $limit OFFSET $offset"
    );
    windows(listed, filter)
        .bind("limit", page.rows_to_read())
        .bind("offset", page.offset)
        .rows(tx)
}

pub fn count_windows(tx: &mut Tx, filter: &WindowFilter) -> Result<i64, Error> {
    let (count,): (i64,) = windows(query!("SELECT COUNT(*) ", WINDOWS), filter).one(tx)?;
    Ok(count)
}

pub fn find_window(tx: &mut Tx, id: &MaintenanceWindowId) -> Result<Option<MaintenanceWindow>, Error> {
    tx.row(
        sql!(
            "SELECT ",
            WINDOW_COLUMNS,
            " FROM maintenance_windows w WHERE w.id = $1 AND w.deleted_at IS NULL"
        ),
        params![id],
    )
}

/// Writes a window, new or changed, with the services it covers.
pub fn put_window(tx: &mut Tx, window: &MaintenanceWindow, service_ids: &[String]) -> Result<(), Error> {
    tx.execute(
        sql!(
            "INSERT INTO maintenance_windows (id, sequence_number, description, start_at, end_at, created_by, created_at,
                 public_words)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE SET description = excluded.description, public_words = excluded.public_words, start_at = excluded.start_at, end_at = excluded.end_at"
        ),
        params![
            &window.id,
            window.sequence_number,
            window.description.as_deref(),
            window.start_at,
            window.end_at,
            window.created_by.as_ref(),
            window.created_at,
            window.public_words.as_deref()
        ],
    )?;
    tx.execute(
        sql!("DELETE FROM maintenance_window_services WHERE maintenance_window_id = $1"),
        params![&window.id],
    )?;
    for service_id in service_ids {
        tx.execute(
            sql!(
                "INSERT INTO maintenance_window_services (maintenance_window_id, service_id) VALUES ($1, $2)"
            ),
            params![&window.id, service_id],
        )?;
    }
    Ok(())
}

/// The services of windows, with their names.
pub fn window_services(tx: &mut Tx, ids: &[String]) -> Result<Vec<(String, String, String)>, Error> {
    tx.rows(
        sql!(
            "SELECT w.maintenance_window_id, s.id, s.name FROM maintenance_window_services w
             JOIN services s ON s.id = w.service_id WHERE w.maintenance_window_id = ANY($1) ORDER BY s.name, s.id"
        ),
        params![Value::texts(ids)],
    )
}

/// A team to which a service of a window belongs.
#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct WindowTeam {
    pub maintenance_window_id: MaintenanceWindowId,
    pub service_id: String,
    pub team_id: TeamId,
    pub team_name: String,
}

/// The teams of the services of windows: those of the policies they follow.
pub fn window_teams(tx: &mut Tx, ids: &[String]) -> Result<Vec<WindowTeam>, Error> {
    tx.rows(
        sql!(
            "SELECT w.maintenance_window_id, s.id AS service_id, t.id AS team_id, t.name AS team_name
             FROM maintenance_window_services w JOIN services s ON s.id = w.service_id
             JOIN escalation_policy_teams p ON p.escalation_policy_id = s.escalation_policy_id
             JOIN teams t ON t.id = p.team_id WHERE w.maintenance_window_id = ANY($1) ORDER BY t.name, t.id, s.id"
        ),
        params![Value::texts(ids)],
    )
}

pub fn delete_window(tx: &mut Tx, id: &MaintenanceWindowId, now: Timestamp) -> Result<(), Error> {
    tx.execute_one(
        sql!("UPDATE maintenance_windows SET deleted_at = $2 WHERE id = $1"),
        params![id, now],
    )
}
