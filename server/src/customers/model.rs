//! What locations and accounts share.

use serde::{Deserialize, Serialize};
use store::{Error, Tx};
use utoipa::ToSchema;

use crate::http::{Problem, ReferenceInput};
use crate::timeline::Change;

crate::identifier! {
    /// One region, site or terminal.
    LocationId
}
crate::identifier! {
    /// One customer.
    AccountId
}

/// Whether something used is run by engineers or known to customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsedKind {
    Service,
    BusinessService,
}

/// A service or touchpoint that somebody uses.
#[derive(Debug, Clone, PartialEq, Eq, store::FromRow)]
pub struct Used {
    pub service_type: UsedKind,
    pub service_id: String,
    pub name: String,
}

/// Things one location or customer may use.
const MOST_USED: usize = 200;

/// Checks that everything named exists, and says which kind it is.
pub(super) fn check_used(
    change: &mut Change,
    field: &str,
    wanted: &[ReferenceInput],
) -> Result<Vec<(UsedKind, String)>, Problem> {
    if wanted.len() > MOST_USED {
        return Err(Problem::invalid([format!(
            "{field} may name at most {MOST_USED} services."
        )]));
    }
    let mut used: Vec<(UsedKind, String)> = Vec::new();
    for (index, reference) in wanted.iter().enumerate() {
        let kind = kind_of(change.tx, &reference.id)?
            .ok_or_else(|| Problem::refused(5002, format!("{field}[{index}] was not found.")))?;
        if !used.iter().any(|(_, id)| *id == reference.id) {
            used.push((kind, reference.id.clone()));
        }
    }
    Ok(used)
}

fn kind_of(tx: &mut Tx, id: &str) -> Result<Option<UsedKind>, Error> {
    let rows: Vec<(UsedKind,)> = tx.rows(
        store::sql!(
            "SELECT 'service' FROM services WHERE id = $1 AND deleted_at IS NULL
             UNION ALL SELECT 'business_service' FROM business_services WHERE id = $1 AND deleted_at IS NULL"
        ),
        store::params![id],
    )?;
    Ok(rows.first().map(|(kind,)| *kind))
}

/// A text of at least one and at most `length` characters.
pub(super) fn check_name(errors: &mut Vec<String>, field: &str, text: &str, length: usize) {
    if text.trim().is_empty() {
        errors.push(format!("{field} is missing or blank."));
    }
    check_text(errors, field, Some(text), length);
}

pub(super) fn check_text(errors: &mut Vec<String>, field: &str, text: Option<&str>, length: usize) {
    let Some(text) = text else { return };
    if text.chars().count() > length {
        errors.push(format!("{field} is too long (maximum is {length} characters)."));
    }
    if text.contains('\0') {
        errors.push(format!("{field} contains a NUL character."));
    }
}

/// Money in minor units: zero or more, and small enough to be added up.
pub(super) fn check_money(errors: &mut Vec<String>, field: &str, amount: Option<i64>) {
    if amount.is_some_and(|amount| !(0..=1_000_000_000_000).contains(&amount)) {
        errors.push(format!(
            "{field} must be between 0 and 1000000000000 (in the currency's smallest unit)."
        ));
    }
}

/// Three capital letters, as ISO 4217 writes currencies.
pub(super) fn check_currency(errors: &mut Vec<String>, field: &str, currency: Option<&str>) {
    let Some(currency) = currency else { return };
    if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
        errors.push(format!("{field} must be three capital letters, such as EUR."));
    }
}

/// A name of the time-zone database.
pub(super) fn check_time_zone(errors: &mut Vec<String>, field: &str, zone: Option<&str>) {
    if let Some(zone) = zone
        && jiff::tz::TimeZone::get(zone).is_err()
    {
        errors.push(format!("{field} is not a known time zone."));
    }
}
