//! What an impact is computed from, and the documents themselves.

use jiff::Timestamp;
use serde_json::Value as Json;
use store::{Error, Tx, Value, params, query, sql};

use super::model::{HurtAccount, HurtAccounts, Impact, Relation, TierCount};
use super::rules::{self, Known, Said, Touchpoint};
use crate::incidents::{Incident, IncidentId, Status};
use crate::services::graph::{self, ServiceNode};
use crate::timeline::{Change, Kind};

/// Alerts of an incident that are looked at for the names of places.
const MOST_ALERTS: i64 = 1_000;
/// Fields of an alert's details that senders put a place into.
const PLACE_FIELDS: [&str; 8] = [
    "location",
    "location_id",
    "location_name",
    "shop",
    "store",
    "site",
    "branch",
    "terminal",
];
const TOP_ACCOUNTS: i64 = 10;

/// A document as it was stored.
#[derive(Debug, Clone, store::FromRow)]
pub struct Stored {
    pub revision: i64,
    #[row(json)]
    pub document: Impact,
    pub changed_at: Timestamp,
}

pub fn find(tx: &mut Tx, id: &IncidentId) -> Result<Option<Stored>, Error> {
    tx.row(
        sql!("SELECT revision, document, changed_at FROM incident_impacts WHERE incident_id = $1"),
        params![id],
    )
}

/// Keeps a document that has changed, under the next revision.
pub fn keep(change: &mut Change, id: &IncidentId, document: &Impact) -> Result<i64, Error> {
    let (revision,): (i64,) = change.tx.one(
        sql!(
            "INSERT INTO incident_impacts (incident_id, revision, document, computed_at, changed_at)
             VALUES ($1, 1, $2, $3, $3)
             ON CONFLICT (incident_id) DO UPDATE SET revision = incident_impacts.revision + 1,
                 document = excluded.document, computed_at = excluded.computed_at, changed_at = excluded.changed_at
             RETURNING revision"
        ),
        params![id, Value::json(document)?, change.now],
    )?;
    Ok(revision)
}

/// The impact of an open incident as everything stands now; of one that is over, as it was when it ended.
pub fn current(tx: &mut Tx, incident: &Incident, stored: Option<&Stored>) -> Result<Impact, Error> {
    match stored {
        Some(stored) if incident.status == Status::Resolved => Ok(stored.document.clone()),
        _ => compute(tx, incident),
    }
}

/// The impact of an incident as everything stands now.
pub fn compute(tx: &mut Tx, incident: &Incident) -> Result<Impact, Error> {
    let known = known(tx, incident)?;
    let reach = rules::reach(&known);
    let accounts = accounts(tx, incident, &reach.hurt_ids, &reach.hurt_sites)?;
    let (cases,): (i64,) = tx.one(
        sql!("SELECT COUNT(*) FROM cases WHERE incident_id = $1"),
        params![&incident.id],
    )?;
    Ok(Impact {
        services: reach.services,
        touchpoints: reach.touchpoints,
        locations: reach.locations,
        accounts,
        cases,
        loss_per_hour: reach.loss_per_hour,
    })
}

fn known(tx: &mut Tx, incident: &Incident) -> Result<Known, Error> {
    let mut broken = vec![ServiceNode::technical(incident.service_id.as_str())];
    let of_alerts: Vec<(String,)> = tx.rows(
        sql!("SELECT DISTINCT service_id FROM alerts WHERE incident_id = $1 ORDER BY service_id"),
        params![&incident.id],
    )?;
    for (id,) in of_alerts {
        let node = ServiceNode::technical(&id);
        if !broken.contains(&node) {
            broken.push(node);
        }
    }
    let services: Vec<(String, String)> = tx.rows(
        sql!("SELECT id, name FROM services WHERE deleted_at IS NULL"),
        params![],
    )?;
    let cases: Vec<(String,)> = tx.rows(
        sql!(
            "SELECT DISTINCT location_id FROM cases
             WHERE incident_id = $1 AND location_id IS NOT NULL AND status <> 'closed'"
        ),
        params![&incident.id],
    )?;
    Ok(Known {
        graph: graph::load(tx)?,
        broken,
        service_names: services.into_iter().collect(),
        touchpoints: touchpoints(tx)?,
        places: tx.rows(
            sql!(
                "SELECT id, parent_id, kind, name, code, takings_per_hour, currency FROM locations
                 WHERE deleted_at IS NULL ORDER BY id"
            ),
            params![],
        )?,
        uses: tx.rows(
            sql!("SELECT location_id, service_id FROM location_services ORDER BY location_id, service_id"),
            params![],
        )?,
        named_by_alerts: named_by_alerts(tx, &incident.id)?,
        named_by_cases: cases.into_iter().map(|(id,)| id).collect(),
        said_by_staff: said_by_staff(tx, &incident.id)?,
        said_by_hand: tx.rows(
            sql!(
                "SELECT business_service_id, relation FROM impact_relations WHERE incident_id = $1
                 ORDER BY business_service_id"
            ),
            params![&incident.id],
        )?,
    })
}

fn touchpoints(tx: &mut Tx) -> Result<Vec<Touchpoint>, Error> {
    tx.rows(
        sql!(
            "SELECT id, name, harm_weight, loss_per_hour, currency FROM business_services
             WHERE deleted_at IS NULL ORDER BY id"
        ),
        params![],
    )
}

fn named_by_alerts(tx: &mut Tx, id: &IncidentId) -> Result<Vec<String>, Error> {
    let alerts: Vec<(String, Option<String>, Option<String>, Json)> = tx.rows(
        sql!(
            "SELECT source, component, alert_group, custom_details FROM alerts
             WHERE incident_id = $1 AND suppressed = $2 ORDER BY id LIMIT $3"
        ),
        params![id, false, MOST_ALERTS],
    )?;
    let mut named = Vec::new();
    for (source, component, group, details) in alerts {
        named.push(source);
        named.extend(component);
        named.extend(group);
        for field in PLACE_FIELDS {
            if let Some(text) = details.get(field).and_then(Json::as_str) {
                named.push(text.to_owned());
            }
        }
    }
    named.sort_unstable();
    named.dedup();
    Ok(named)
}

/// The last word of each location about this incident: `details` of the entry names the location and
/// whether it is `down` or `back`.
fn said_by_staff(tx: &mut Tx, id: &IncidentId) -> Result<Vec<(String, Said)>, Error> {
    let entries: Vec<(Json,)> = tx.rows(
        sql!("SELECT details FROM timeline_entries WHERE incident_id = $1 AND kind = $2 ORDER BY id"),
        params![id, Kind::LocationReported],
    )?;
    let mut said: Vec<(String, Said)> = Vec::new();
    for (details,) in entries {
        let Some(place) = details.get("location_id").and_then(Json::as_str) else {
            continue;
        };
        let word = match details.get("state").and_then(Json::as_str) {
            Some("back") => Said::Back,
            _ => Said::Down,
        };
        said.retain(|(earlier, _)| earlier != place);
        said.push((place.to_owned(), word));
    }
    Ok(said)
}

/// Customers who use what is hurt, whose location is hurt, or who told us.
fn accounts(
    tx: &mut Tx,
    incident: &Incident,
    hurt_ids: &[String],
    hurt_sites: &[String],
) -> Result<HurtAccounts, Error> {
    const HURT: &str = " FROM accounts a WHERE a.deleted_at IS NULL AND (
          a.id IN (SELECT s.account_id FROM account_services s WHERE s.service_id = ANY($services))
          OR a.location_id = ANY($sites)
          OR a.id IN (SELECT c.account_id FROM cases c WHERE c.incident_id = $incident))";
    let bound = |query: store::Query| {
        query
            .bind("services", Value::texts(hurt_ids))
            .bind("sites", Value::texts(hurt_sites))
            .bind("incident", &incident.id)
    };
    let tiers: Vec<TierCount> = bound(query!(
        "SELECT a.tier, a.currency, COUNT(*) AS count, CAST(SUM(a.value_per_year) AS BIGINT) AS value_per_year",
        HURT,
        " GROUP BY a.tier, a.currency ORDER BY a.tier, a.currency"
    ))
    .rows(tx)?;
    let top: Vec<HurtAccount> = bound(query!(
        "SELECT a.id, a.name, a.tier, a.value_per_year, a.currency",
        HURT,
        " ORDER BY a.value_per_year DESC, a.id LIMIT $top"
    ))
    .bind("top", TOP_ACCOUNTS)
    .rows(tx)?;
    let (told_us,): (i64,) = tx.one(
        sql!("SELECT COUNT(DISTINCT account_id) FROM cases WHERE incident_id = $1"),
        params![&incident.id],
    )?;
    Ok(HurtAccounts {
        count: tiers.iter().map(|tier| tier.count).sum(),
        told_us,
        tiers,
        top,
    })
}

/// Remembers what a person said about a touchpoint.
pub fn say_by_hand(
    change: &mut Change,
    id: &IncidentId,
    business_service_id: &str,
    relation: Relation,
) -> Result<(), Error> {
    let by = change.agent.id.clone();
    change.tx.execute(
        sql!(
            "INSERT INTO impact_relations (incident_id, business_service_id, relation, said_by, said_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (incident_id, business_service_id)
             DO UPDATE SET relation = excluded.relation, said_by = excluded.said_by, said_at = excluded.said_at"
        ),
        params![id, business_service_id, relation, by, change.now],
    )?;
    Ok(())
}

/// A touchpoint's name, if it is there.
pub fn touchpoint_name(tx: &mut Tx, id: &str) -> Result<Option<String>, Error> {
    let row: Option<(String,)> = tx.row(
        sql!("SELECT name FROM business_services WHERE id = $1 AND deleted_at IS NULL"),
        params![id],
    )?;
    Ok(row.map(|(name,)| name))
}

/// All touchpoints, for the list of which are hurt.
pub fn touchpoint_names(tx: &mut Tx) -> Result<Vec<(String, String)>, Error> {
    tx.rows(
        sql!("SELECT id, name FROM business_services WHERE deleted_at IS NULL ORDER BY name, id"),
        params![],
    )
}

/// The document of every open incident, the newest incident first.
pub fn of_open(tx: &mut Tx, limit: i64) -> Result<Vec<(Incident, Impact)>, Error> {
    let open = crate::incidents::store::open(tx, limit)?;
    let ids = Value::texts(open.iter().map(|incident| incident.id.as_str()));
    let documents: Vec<(String, Json)> = tx.rows(
        sql!("SELECT incident_id, document FROM incident_impacts WHERE incident_id = ANY($1)"),
        params![ids],
    )?;
    let mut documents: std::collections::HashMap<String, Json> = documents.into_iter().collect();
    open.into_iter()
        .map(|incident| {
            let impact = match documents.remove(incident.id.as_str()) {
                Some(document) => serde_json::from_value(document).unwrap_or_default(),
                None => compute(tx, &incident)?,
            };
            Ok((incident, impact))
        })
        .collect()
}
