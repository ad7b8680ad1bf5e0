//! The rows of customers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Error, Tx, Value, params, query, sql};
use utoipa::ToSchema;

use super::model::{AccountId, LocationId, Used, UsedKind};
use crate::http::Page;
use crate::http::listing::anywhere;
use crate::timeline::Change;

/// How much a customer matters when not everybody can be answered at once.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    store::TextEnum,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Standard,
    Gold,
    Business,
}

#[derive(Debug, Clone, store::FromRow)]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    pub email: Option<String>,
    pub telephone: Option<String>,
    pub tier: Tier,
    /// In minor units of the currency.
    pub value_per_year: i64,
    pub currency: String,
    pub language: String,
    pub external_id: Option<String>,
    pub location_id: Option<LocationId>,
    pub customer_since: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// What a customer's record is made of.
#[derive(Debug, Clone)]
pub struct AccountText {
    pub name: String,
    pub email: Option<String>,
    pub telephone: Option<String>,
    pub tier: Tier,
    pub value_per_year: i64,
    pub currency: String,
    pub language: String,
    pub external_id: Option<String>,
    pub location_id: Option<LocationId>,
    pub customer_since: Option<Timestamp>,
}

const COLUMNS: &str =
    "a.id, a.name, a.email, a.telephone, a.tier, a.value_per_year, a.currency, a.language, a.external_id,
    a.location_id, a.customer_since, a.created_at";

pub fn find(tx: &mut Tx, id: &AccountId) -> Result<Option<Account>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM accounts a WHERE a.id = $id AND a.deleted_at IS NULL"
    )
    .bind("id", id)
    .rows(tx)
    .map(|mut rows: Vec<Account>| rows.pop())
}

/// The customer with this address, the oldest first where several share it.
pub fn find_by_email(tx: &mut Tx, email: &str) -> Result<Option<Account>, Error> {
    query!(
        "SELECT ",
        COLUMNS,
        " FROM accounts a WHERE a.email = $email AND a.deleted_at IS NULL ORDER BY a.id LIMIT 1"
    )
    .bind("email", email.to_lowercase())
    .rows(tx)
    .map(|mut rows: Vec<Account>| rows.pop())
}

/// What a list of customers is narrowed by.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    pub words: Option<String>,
    pub tier: Option<Tier>,
    pub location_id: Option<String>,
}

const NARROWED: &str = " WHERE a.deleted_at IS NULL {AND (a.name ILIKE $words ESCAPE '!' OR a.email ILIKE $words ESCAPE '!' OR a.external_id ILIKE $words ESCAPE '!')}
      {AND a.tier = $tier} {AND a.location_id = $location}";

fn narrowed(query: store::Query, sought: &Sought) -> store::Query {
    query
        .bind_optional("words", sought.words.as_deref().map(anywhere))
        .bind_optional("tier", sought.tier)
        .bind_optional("location", sought.location_id.as_deref())
}

pub fn list(tx: &mut Tx, sought: &Sought, page: Page) -> Result<Vec<Account>, Error> {
    let listed = query!(
        "SELECT ",
        COLUMNS,
        " FROM accounts a ",
        NARROWED,
        " ORDER BY a.name, a.id LIMIT $limit OFFSET $offset"
    );
    narrowed(listed, sought)
        .bind("limit", page.rows_to_read())
        .bind("offset", page.offset)
        .rows(tx)
}

pub fn count(tx: &mut Tx, sought: &Sought) -> Result<i64, Error> {
    let (count,): (i64,) = narrowed(query!("SELECT COUNT(*) FROM accounts a ", NARROWED), sought).one(tx)?;
    Ok(count)
}

pub fn add(change: &mut Change, text: &AccountText) -> Result<AccountId, Error> {
    let id: AccountId = change.identifier();
    change.tx.execute(
        sql!(
            "INSERT INTO accounts (id, name, email, telephone, tier, value_per_year, currency, language, external_id, location_id,
                 customer_since, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
        params![
            &id,
            &text.name,
            text.email.as_deref().map(str::to_lowercase),
            text.telephone.as_deref(),
            text.tier,
            text.value_per_year,
            &text.currency,
            &text.language,
            text.external_id.as_deref(),
            text.location_id.as_ref(),
            text.customer_since,
            change.now
        ],
    )?;
    Ok(id)
}

pub fn set(change: &mut Change, id: &AccountId, text: &AccountText) -> Result<(), Error> {
    change.tx.execute_one(
        sql!(
            "UPDATE accounts SET name = $2, email = $3, telephone = $4, tier = $5, value_per_year = $6, currency = $7,
                 language = $8, external_id = $9, location_id = $10, customer_since = $11 WHERE id = $1"
        ),
        params![
            id,
            &text.name,
            text.email.as_deref().map(str::to_lowercase),
            text.telephone.as_deref(),
            text.tier,
            text.value_per_year,
            &text.currency,
            &text.language,
            text.external_id.as_deref(),
            text.location_id.as_ref(),
            text.customer_since
        ],
    )
}

pub fn delete(change: &mut Change, id: &AccountId) -> Result<(), Error> {
    change.tx.execute_one(
        sql!("UPDATE accounts SET deleted_at = $2 WHERE id = $1"),
        params![id, change.now],
    )
}

pub fn set_used(change: &mut Change, id: &AccountId, used: &[(UsedKind, String)]) -> Result<(), Error> {
    change.tx.execute(
        sql!("DELETE FROM account_services WHERE account_id = $1"),
        params![id],
    )?;
    for (kind, service_id) in used {
        change.tx.execute(
            sql!("INSERT INTO account_services (account_id, service_type, service_id) VALUES ($1, $2, $3)"),
            params![id, *kind, service_id],
        )?;
    }
    Ok(())
}

/// What customers use.
pub fn used(tx: &mut Tx, ids: &[AccountId]) -> Result<Vec<Used>, Error> {
    tx.rows(
        sql!(
            "SELECT u.account_id AS used_by, u.service_type, u.service_id, COALESCE(s.name, b.name, u.service_id) AS name
             FROM account_services u LEFT JOIN services s ON s.id = u.service_id LEFT JOIN business_services b ON b.id = u.service_id
             WHERE u.account_id = ANY($1) ORDER BY 4, 3"
        ),
        params![Value::texts(ids)],
    )
}
