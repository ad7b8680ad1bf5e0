//! What an incident hurts, as far as an update or a status page says it: touchpoints, how badly, and where.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use store::{Error, Tx, Value, params, sql};
use utoipa::ToSchema;

use crate::impact::model::{HurtTouchpoint, Standing, hurt_among};
use crate::impact::rules::Spread;
use crate::impact::{Impact, store as impact};
use crate::incidents::{Incident, IncidentId, Status, Urgency, store as incidents};
use crate::services::{BusinessServiceId, PriorityId, Rank};

/// Open incidents that are looked at together; beyond this the oldest are left out.
const MOST_INCIDENTS: i64 = 1_000;

/// How badly a touchpoint is hurt, the mildest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, store::TextEnum, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    Slow,
    PartlyDown,
    Down,
}

/// A touchpoint and what it says about itself to customers and staff.
#[derive(Debug, Clone, store::FromRow)]
pub struct Touchpoint {
    pub id: BusinessServiceId,
    pub name: String,
    pub fallback: Option<String>,
    pub words_to_say: Option<String>,
}

/// How much an incident counts towards what the public is told; `None` for what nobody outside notices.
///
/// A priority is a person's judgement and comes first. Without one an urgent incident hurts a part, and one of
/// low urgency is not shown.
pub fn harm_of(incident: &Incident) -> Option<Harm> {
    let rank = incident.priority_id.as_ref().and_then(PriorityId::rank);
    match (rank, incident.urgency) {
        (Some(Rank::P1), _) => Some(Harm::Down),
        (Some(Rank::P3), _) => Some(Harm::Slow),
        (Some(Rank::P4 | Rank::P5), _) | (None, Urgency::Low) => None,
        (Some(Rank::P2), _) | (None, Urgency::High) => Some(Harm::PartlyDown),
    }
}

/// The touchpoints that an incident hurts, the most harmful loss first: the same that the incident room shows.
pub fn touchpoints_of(tx: &mut Tx, incident: &Incident) -> Result<Vec<Touchpoint>, Error> {
    let document = document(tx, incident)?;
    touchpoints_in(tx, &document)
}

/// As [`touchpoints_of`] by their ids, for many incidents at once and in their order: what is the same for all of them is
/// read once.
pub fn touchpoints_of_each(
    tx: &mut Tx,
    incidents: &[Incident],
) -> Result<Vec<Vec<BusinessServiceId>>, Error> {
    if incidents.is_empty() {
        return Ok(Vec::new());
    }
    let there: Vec<(BusinessServiceId,)> = tx.rows(
        sql!("SELECT id FROM business_services WHERE deleted_at IS NULL"),
        params![],
    )?;
    let there: HashSet<BusinessServiceId> = there.into_iter().map(|(id,)| id).collect();
    let (over, open): (Vec<&Incident>, Vec<&Incident>) =
        incidents.iter().partition(|one| one.status == Status::Resolved);
    let ids: Vec<IncidentId> = over.iter().map(|one| one.id.clone()).collect();
    let mut hurt: HashMap<IncidentId, Vec<HurtTouchpoint>> = impact::briefs(tx, &ids)?
        .into_iter()
        .map(|(id, document)| (id, document.touchpoints))
        .collect();
    // What ended before anything was computed for it is computed as what is open.
    let unknown: Vec<Incident> = open
        .into_iter()
        .chain(over.into_iter().filter(|one| !hurt.contains_key(&one.id)))
        .cloned()
        .collect();
    let spreads = impact::spreads(tx, &unknown)?;
    let computed = unknown.into_iter().zip(spreads);
    hurt.extend(computed.map(|(incident, spread)| (incident.id, spread.touchpoints)));
    let of_one = |incident: &Incident| {
        let touchpoints = hurt.get(&incident.id).into_iter().flatten();
        touchpoints
            .map(|one| BusinessServiceId::from(one.id.as_str()))
            .filter(|id| there.contains(id))
            .collect()
    };
    Ok(incidents.iter().map(of_one).collect())
}

/// What an incident hurts and, by name, where; from one computation.
pub fn touchpoints_and_places_of(
    tx: &mut Tx,
    incident: &Incident,
) -> Result<(Vec<Touchpoint>, Vec<String>), Error> {
    let document = document(tx, incident)?;
    Ok((touchpoints_in(tx, &document)?, places_in(&document)))
}

fn touchpoints_in(tx: &mut Tx, document: &Impact) -> Result<Vec<Touchpoint>, Error> {
    let ids: Vec<&str> = document.touchpoints.iter().map(|one| one.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    tx.rows(
        sql!(
            "SELECT id, name, fallback, words_to_say FROM business_services
             WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY harm_weight DESC, id"
        ),
        params![Value::texts(ids)],
    )
}

fn document(tx: &mut Tx, incident: &Incident) -> Result<Impact, Error> {
    let stored = impact::find(tx, &incident.id)?;
    impact::current(tx, incident, stored.as_ref())
}

/// What hurts one touchpoint now.
#[derive(Debug, Clone)]
pub struct Hurt {
    pub harm: Harm,
    pub incident_ids: Vec<IncidentId>,
    /// Places where it is hurt, when they were named one by one.
    pub places: HashSet<String>,
}

/// An open incident that people outside notice, and where.
#[derive(Debug)]
pub struct Noticed {
    pub incident: Incident,
    pub harm: Harm,
    pub spread: Spread,
}

impl Noticed {
    /// How badly it hurts one of its touchpoints.
    pub fn harm_to(&self, touchpoint: &HurtTouchpoint) -> Harm {
        if self.spread.milder.contains(&touchpoint.id) {
            Harm::Slow
        } else {
            self.harm
        }
    }

    /// Whether some site was ever named, so that those that were not are known to work.
    pub fn is_placed(&self) -> bool {
        let sites = &self.spread.sites;
        sites.iter().any(|site| site.standing != Standing::MayBeHurt)
    }
}

/// Every open incident that people outside notice.
pub fn noticed(tx: &mut Tx) -> Result<Vec<Noticed>, Error> {
    let mut open = incidents::open(tx, MOST_INCIDENTS)?;
    open.retain(|incident| harm_of(incident).is_some());
    let spreads = impact::spreads(tx, &open)?;
    Ok(open
        .into_iter()
        .zip(spreads)
        .filter_map(|(incident, spread)| {
            Some(Noticed {
                harm: harm_of(&incident)?,
                incident,
                spread,
            })
        })
        .collect())
}

/// All touchpoints that open incidents hurt, by their ids.
pub fn hurt_touchpoints(tx: &mut Tx) -> Result<HashMap<String, Hurt>, Error> {
    let mut hurt: HashMap<String, Hurt> = HashMap::new();
    for noticed in noticed(tx)? {
        for touchpoint in &noticed.spread.touchpoints {
            let harm = noticed.harm_to(touchpoint);
            let entry = hurt.entry(touchpoint.id.clone()).or_insert_with(|| Hurt {
                harm,
                incident_ids: Vec::new(),
                places: HashSet::new(),
            });
            entry.harm = entry.harm.max(harm);
            entry.incident_ids.push(noticed.incident.id.clone());
            if noticed.is_placed() {
                let hurt =
                    hurt_among(&noticed.spread.sites).filter(|site| site.uses(&noticed.spread, touchpoint));
                entry.places.extend(hurt.map(|site| site.id.clone()));
            }
        }
    }
    Ok(hurt)
}

/// Places, by name: those that an alert, a case or their own staff named; where none was named, all that use what
/// is hurt. The same answer that the incident room shows.
fn places_in(document: &Impact) -> Vec<String> {
    let hurt: HashSet<&str> = document.hurt_site_ids().into_iter().collect();
    let mut names: Vec<String> = document
        .locations
        .sites
        .iter()
        .filter(|site| hurt.contains(site.id.as_str()))
        .map(|site| site.name.clone())
        .collect();
    names.sort_unstable();
    names
}
