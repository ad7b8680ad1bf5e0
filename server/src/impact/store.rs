//! What an impact is computed from, and the documents themselves.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value as Json;
use store::{Error, Tx, Value, params, query, sql};
use triage::Severity;

use super::model::{HurtAccount, HurtAccounts, Impact, Relation, TierCount};
use super::rules::{self, Known, Naming, Said, Spread, Touchpoint};
use crate::incidents::{Incident, IncidentId, Status};
use crate::services::graph::{self, ServiceNode};
use crate::timeline::{Change, Kind};

/// Alerts of an incident that are looked at for the names of places.
const MOST_ALERTS: usize = 20_000;
/// Alerts that are read at once.
const ALERTS_AT_ONCE: i64 = 1_000;
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

/// Whether an incident is known to hurt a touchpoint. The document is computed by a job of its own; when that finds one,
/// it says so on the timeline, and whoever asked here looks again.
pub fn hurts_touchpoints(tx: &mut Tx, id: &IncidentId) -> Result<bool, Error> {
    Ok(find(tx, id)?.is_some_and(|stored| !stored.document.touchpoints.is_empty()))
}

/// Keeps a document that has changed, under the next revision.
pub fn keep(change: &mut Change, id: &IncidentId, document: &Impact) -> Result<i64, Error> {
    let (revision,): (i64,) = change.tx.one(
        sql!(
            "INSERT INTO incident_impacts (incident_id, revision, document, computed_at, changed_at, brief, sites_better)
             VALUES ($1, 1, $2, $3, $3, $4, $5)
             ON CONFLICT (incident_id) DO UPDATE SET revision = incident_impacts.revision + 1,
                 document = excluded.document, computed_at = excluded.computed_at, changed_at = excluded.changed_at,
                 brief = excluded.brief, sites_better = excluded.sites_better
             RETURNING revision"
        ),
        params![
            id,
            Value::json(document)?,
            change.now,
            Value::json(&document.brief())?,
            document.locations.sites_back + document.locations.sites_recovering
        ],
    )?;
    Ok(revision)
}

/// What lists say of the impacts of many incidents: the documents without their long lists.
pub fn briefs(tx: &mut Tx, ids: &[IncidentId]) -> Result<HashMap<IncidentId, Impact>, Error> {
    let rows: Vec<(IncidentId, Json)> = tx.rows(
        sql!(
            "SELECT incident_id, COALESCE(brief, document) FROM incident_impacts WHERE incident_id = ANY($1)"
        ),
        params![Value::texts(ids.iter().map(IncidentId::as_str))],
    )?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, document)| Some((id, serde_json::from_value(document).ok()?)))
        .collect())
}

/// Incidents that somebody has and of whose places some are back or on their way.
pub fn with_places_better(tx: &mut Tx, limit: i64) -> Result<Vec<IncidentId>, Error> {
    let rows: Vec<(IncidentId,)> = tx.rows(
        sql!(
            "SELECT m.incident_id FROM incident_impacts m JOIN incidents i ON i.id = m.incident_id
             WHERE m.sites_better > 0 AND i.status = 'acknowledged' ORDER BY m.incident_id DESC LIMIT $1"
        ),
        params![limit],
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
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
    let mut known = catalogue(tx)?;
    learn(tx, &mut known, incident)?;
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

/// What each of the incidents hurts and where, as everything stands now; in their order.
pub fn spreads(tx: &mut Tx, incidents: &[Incident]) -> Result<Vec<Spread>, Error> {
    if incidents.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = catalogue(tx)?;
    incidents
        .iter()
        .map(|incident| {
            learn(tx, &mut known, incident)?;
            Ok(rules::spread(&known))
        })
        .collect()
}

/// What is the same for every incident.
fn catalogue(tx: &mut Tx) -> Result<Known, Error> {
    let services: Vec<(String, String)> = tx.rows(
        sql!("SELECT id, name FROM services WHERE deleted_at IS NULL"),
        params![],
    )?;
    Ok(Known {
        graph: graph::load(tx)?,
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
        ..Known::default()
    })
}

/// Puts what is known of one incident in place of what was known of another.
fn learn(tx: &mut Tx, known: &mut Known, incident: &Incident) -> Result<(), Error> {
    known.broken = vec![ServiceNode::technical(incident.service_id.as_str())];
    let of_alerts: Vec<(String, String)> = tx.rows(
        sql!("SELECT DISTINCT service_id, severity FROM alerts WHERE incident_id = $1 ORDER BY service_id, severity"),
        params![&incident.id],
    )?;
    for (id, _) in &of_alerts {
        let node = ServiceNode::technical(id);
        if !known.broken.contains(&node) {
            known.broken.push(node);
        }
    }
    known.severities = of_alerts
        .into_iter()
        .filter_map(|(id, severity)| Some((id, severity_of(&severity)?)))
        .collect();
    known.named_by_alerts = named_by_alerts(tx, &incident.id)?;
    known.named_by_cases = tx.rows(
        sql!(
            "SELECT location_id, MAX(created_at) AS reported_at FROM cases
             WHERE incident_id = $1 AND location_id IS NOT NULL AND status <> 'closed'
             GROUP BY location_id ORDER BY location_id"
        ),
        params![&incident.id],
    )?;
    known.said_by_staff = said_by_staff(tx, &incident.id)?;
    known.said_by_hand = tx.rows(
        sql!(
            "SELECT business_service_id, relation FROM impact_relations WHERE incident_id = $1
             ORDER BY business_service_id"
        ),
        params![&incident.id],
    )?;
    Ok(())
}

fn severity_of(text: &str) -> Option<Severity> {
    [
        Severity::Info,
        Severity::Warning,
        Severity::Error,
        Severity::Critical,
    ]
    .into_iter()
    .find(|severity| severity.as_str() == text)
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

/// What the alerts of an incident name: each text once for those that are open and once for those that are over.
fn named_by_alerts(tx: &mut Tx, id: &IncidentId) -> Result<Vec<Naming>, Error> {
    let mut named: HashMap<(String, bool), Naming> = HashMap::new();
    let (mut after, mut looked_at) = (String::new(), 0);
    loop {
        let alerts: Vec<AlertWords> = tx.rows(
            sql!(
                "SELECT id, source, component, alert_group, custom_details, created_at, resolved_at FROM alerts
                 WHERE incident_id = $1 AND id > $2 AND suppressed = $3 ORDER BY id LIMIT $4"
            ),
            params![id, &after, false, ALERTS_AT_ONCE],
        )?;
        looked_at += alerts.len();
        let is_last = alerts.len() < ALERTS_AT_ONCE as usize || looked_at >= MOST_ALERTS;
        for alert in alerts {
            for text in alert.places() {
                let naming = named
                    .entry((text.clone(), alert.resolved_at.is_none()))
                    .or_insert_with(|| Naming {
                        text,
                        began_at: alert.created_at,
                        ended_at: alert.resolved_at,
                    });
                naming.began_at = naming.began_at.max(alert.created_at);
                naming.ended_at = naming.ended_at.max(alert.resolved_at);
            }
            after = alert.id;
        }
        if is_last {
            return Ok(named.into_values().collect());
        }
    }
}

#[derive(store::FromRow)]
struct AlertWords {
    id: String,
    source: String,
    component: Option<String>,
    alert_group: Option<String>,
    #[row(json)]
    custom_details: Json,
    created_at: Timestamp,
    resolved_at: Option<Timestamp>,
}

impl AlertWords {
    fn places(&self) -> impl Iterator<Item = String> {
        let fields = PLACE_FIELDS
            .iter()
            .filter_map(|field| self.custom_details.get(field).and_then(Json::as_str));
        let texts = [
            Some(self.source.as_str()),
            self.component.as_deref(),
            self.alert_group.as_deref(),
        ];
        texts.into_iter().flatten().chain(fields).map(str::to_owned)
    }
}

/// The last word of each location about this incident: `details` of the entry names the location and
/// whether it is `down` or `back`.
fn said_by_staff(tx: &mut Tx, id: &IncidentId) -> Result<Vec<(String, Said, Timestamp)>, Error> {
    let entries: Vec<(Json, Timestamp)> = tx.rows(
        sql!("SELECT details, at FROM timeline_entries WHERE incident_id = $1 AND kind = $2 ORDER BY id"),
        params![id, Kind::LocationReported],
    )?;
    let mut said: Vec<(String, Said, Timestamp)> = Vec::new();
    for (details, at) in entries {
        let Some(place) = details.get("location_id").and_then(Json::as_str) else {
            continue;
        };
        let word = match details.get("state").and_then(Json::as_str) {
            Some("back") => Said::Back,
            _ => Said::Down,
        };
        said.retain(|(earlier, _, _)| earlier != place);
        said.push((place.to_owned(), word, at));
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
    let mut documents: HashMap<String, Json> = documents.into_iter().collect();
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
