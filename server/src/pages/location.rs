//! What is known about one location, and what its staff say about it.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::json;
use store::{Error, Tx, Value, params, sql};

use crate::customers::LocationId;
use crate::customers::locations::{self, Location};
use crate::customers::model::UsedKind;
use crate::incidents::IncidentId;
use crate::services::graph::{self, ServiceKind, ServiceNode};
use crate::timeline::{Change, Kind, NewEntry};
use crate::updates::situation::{self, Harm};
use crate::updates::store::{PublicWord, public_words};
use crate::words::PublicText;

crate::identifier! {
    /// One word from a location.
    LocationReportId
}

/// Levels of the tree that are climbed at most.
const DEEPEST: usize = 8;

/// What the staff of a location can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, store::TextEnum)]
pub enum Said {
    Down,
    Back,
}

impl Said {
    pub fn words(self) -> &'static str {
        match self {
            Self::Down => "still down",
            Self::Back => "back up",
        }
    }
}

#[derive(Debug, Clone, store::FromRow)]
pub struct LocationReport {
    pub said: Said,
    pub said_by: Option<String>,
    pub at: Timestamp,
}

/// A touchpoint that is hurt here, in the words the house gave it for staff and customers.
#[derive(Debug, Clone, store::FromRow)]
pub struct HurtHere {
    pub id: String,
    pub name: PublicText,
    pub fallback: Option<PublicText>,
    pub words_to_say: Option<PublicText>,
}

#[derive(Debug, Clone)]
pub struct LocationSituation {
    pub location: Location,
    /// The worst first.
    pub hurt: Vec<(HurtHere, Harm)>,
    pub incident_ids: Vec<IncidentId>,
    pub since: Option<Timestamp>,
    /// What the public was told last about what hurts here.
    pub word: Option<PublicWord>,
    pub last_report: Option<LocationReport>,
}

/// Everything the page of a location shows.
pub fn read(tx: &mut Tx, location: Location) -> Result<LocationSituation, Error> {
    let touchpoints = used_touchpoints(tx, &location)?;
    let hurt = situation::hurt_touchpoints(tx)?;
    let mut harmed: Vec<(&String, Harm)> = hurt
        .iter()
        .filter(|(id, _)| touchpoints.contains(*id))
        .map(|(id, hurt)| (id, hurt.harm))
        .collect();
    harmed.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(right.0)));
    let mut incident_ids: Vec<IncidentId> = harmed
        .iter()
        .filter_map(|(id, _)| hurt.get(*id))
        .flat_map(|one| one.incident_ids.clone())
        .collect();
    incident_ids.sort();
    incident_ids.dedup();
    let ids: Vec<&String> = harmed.iter().map(|(id, _)| *id).collect();
    let rows: Vec<HurtHere> = tx.rows(
        sql!(
            "SELECT id, name, fallback, words_to_say FROM business_services
             WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY harm_weight DESC, id"
        ),
        params![Value::texts(ids)],
    )?;
    let mut here: Vec<(HurtHere, Harm)> = rows
        .into_iter()
        .filter_map(|row| {
            let harm = hurt.get(&row.id)?.harm;
            Some((row, harm))
        })
        .collect();
    here.sort_by(|(_, left), (_, right)| right.cmp(left));
    let (since,): (Option<Timestamp>,) = tx.one(
        sql!("SELECT MIN(created_at) FROM incidents WHERE id = ANY($1)"),
        params![Value::texts(incident_ids.iter().map(IncidentId::as_str))],
    )?;
    let word = public_words(tx, &incident_ids)?.into_iter().next();
    let last_report = tx.row(
        sql!(
            "SELECT said, said_by, at FROM location_reports WHERE location_id = $1 ORDER BY at DESC, id DESC LIMIT 1"
        ),
        params![&location.id],
    )?;
    Ok(LocationSituation {
        location,
        hurt: here,
        incident_ids,
        since,
        word,
        last_report,
    })
}

/// The touchpoints that a location uses: named by itself or by the region it stands in, or carried by a
/// technical service that it uses.
fn used_touchpoints(tx: &mut Tx, location: &Location) -> Result<HashSet<String>, Error> {
    let mut ids: Vec<LocationId> = vec![location.id.clone()];
    let mut parent = location.parent_id.clone();
    while let Some(id) = parent.take() {
        if ids.len() >= DEEPEST || ids.contains(&id) {
            break;
        }
        parent = locations::find(tx, &id)?.and_then(|one| one.parent_id);
        ids.push(id);
    }
    let used = locations::used(tx, &ids)?;
    let technical: Vec<ServiceNode> = used
        .iter()
        .filter(|(_, used)| used.service_type == UsedKind::Service)
        .map(|(_, used)| ServiceNode::technical(&used.service_id))
        .collect();
    let mut touchpoints: HashSet<String> = used
        .into_iter()
        .filter(|(_, used)| used.service_type == UsedKind::BusinessService)
        .map(|(_, used)| used.service_id)
        .collect();
    if !technical.is_empty() {
        let graph = graph::load(tx)?;
        touchpoints.extend(
            graph
                .dependents_of(&technical)
                .into_iter()
                .filter(|reached| reached.node.kind == ServiceKind::BusinessService)
                .map(|reached| reached.node.id),
        );
    }
    Ok(touchpoints)
}

/// Keeps a word from a location and puts it on the timeline of everything that hurts it.
pub fn record(
    change: &mut Change,
    here: &LocationSituation,
    said: Said,
    said_by: Option<&str>,
) -> Result<(), Error> {
    let id: LocationReportId = change.identifier();
    change.tx.execute(
        sql!("INSERT INTO location_reports (id, location_id, said, said_by, at) VALUES ($1, $2, $3, $4, $5)"),
        params![&id, &here.location.id, said, said_by, change.now],
    )?;
    let who = said_by.map_or_else(String::new, |name| format!(" ({name})"));
    let text = format!("{}{who} says: {}.", here.location.name, said.words());
    let details = json!({
        "location_id": here.location.id,
        "location_name": here.location.name,
        "state": said.as_text(),
        "said_by": said_by,
    });
    for incident_id in &here.incident_ids {
        let entry = NewEntry::new(Kind::LocationReported, incident_id, text.clone()).details(details.clone());
        change.record(entry)?;
    }
    if here.incident_ids.is_empty() {
        let entry = NewEntry {
            kind: Kind::LocationReported,
            incident_id: None,
            service_id: None,
            text,
            details,
        };
        change.record(entry)?;
    }
    change.touch("locations");
    Ok(())
}
