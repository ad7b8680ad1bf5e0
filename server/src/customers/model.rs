//! What locations and accounts share.

use serde::{Deserialize, Serialize};
use store::{Error, Tx};
use utoipa::ToSchema;

use crate::http::{Problem, Reference, ReferenceInput, Site};
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
    /// The location or the customer that uses it.
    pub used_by: String,
    pub service_type: UsedKind,
    pub service_id: String,
    pub name: String,
}

/// References to what one location or customer uses.
pub(super) fn used_references(used: &[Used], by: &str, site: &Site) -> Vec<Reference> {
    used.iter()
        .filter(|one| one.used_by == by)
        .map(|one| {
            let collection = match one.service_type {
                UsedKind::Service => "services",
                UsedKind::BusinessService => "business_services",
            };
            let kind = one.service_type.as_text();
            site.reference(kind, collection, &one.service_id, one.name.clone())
        })
        .collect()
}

/// The ids of what one location or customer uses, whatever they are called.
pub(super) fn used_ids(used: &[Used]) -> Vec<&str> {
    let mut ids: Vec<&str> = used.iter().map(|one| one.service_id.as_str()).collect();
    ids.sort_unstable();
    ids
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
