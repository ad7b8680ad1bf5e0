//! What is known about one location, and what its staff say about it.
//!
//! Everything comes from the impact of open incidents: what an alert, a case or the staff themselves named here,
//! and, only where nobody was named anywhere, what the location uses. A shop that works is never told that it
//! may not because another one does not.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use store::{Error, params, sql};

use crate::customers::locations::Location;
use crate::impact::model::Standing;
use crate::incidents::IncidentId;
use crate::timeline::{Change, Kind, NewEntry};
use crate::updates::situation::Harm;
use crate::updates::store::PublicWord;
use crate::words::PublicText;

crate::identifier! {
    /// One word from a location.
    LocationReportId
}

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

/// A touchpoint in the words the house gave it for staff and customers.
#[derive(Debug, Clone, store::FromRow)]
pub struct Touchpoint {
    pub id: String,
    pub name: PublicText,
    pub harm_weight: i64,
    pub fallback: Option<PublicText>,
    pub words_to_say: Option<PublicText>,
}

/// One touchpoint that one incident hurts.
#[derive(Debug, Clone)]
pub struct Trouble {
    pub touchpoint: Arc<Touchpoint>,
    pub harm: Harm,
    pub incident_id: IncidentId,
    pub since: Timestamp,
    /// How this location stands in it.
    pub standing: Standing,
    pub counts: Counts,
}

/// How many sites stand how in one incident.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub down: usize,
    pub recovering: usize,
    pub back: usize,
}

impl Trouble {
    /// The gravest is the greatest: sure before possible before nearly over, then how badly, then how much
    /// the loss hurts.
    fn gravity(&self) -> (u8, Harm, i64) {
        let sure = match self.standing {
            Standing::Confirmed => 3,
            Standing::MayBeHurt => 2,
            Standing::Recovering => 1,
            Standing::Back => 0,
        };
        (sure, self.harm, self.touchpoint.harm_weight)
    }
}

#[derive(Debug, Clone)]
pub struct LocationSituation {
    pub location: Location,
    /// What is hurt here, or may be; the gravest first, each touchpoint once.
    pub here: Vec<Trouble>,
    /// What this location uses and what is hurt in other places only.
    pub elsewhere: Vec<Trouble>,
    /// What the public was told last about what hurts here, or else about what hurts elsewhere.
    pub word: Option<PublicWord>,
    pub last_report: Option<LocationReport>,
}

impl LocationSituation {
    pub fn of(location: Location) -> Self {
        Self {
            location,
            here: Vec::new(),
            elsewhere: Vec::new(),
            word: None,
            last_report: None,
        }
    }

    /// The gravest first, and each touchpoint once.
    pub fn put_in_order(&mut self) {
        for troubles in [&mut self.here, &mut self.elsewhere] {
            troubles.sort_by(|one, other| {
                other
                    .gravity()
                    .cmp(&one.gravity())
                    .then_with(|| one.touchpoint.id.cmp(&other.touchpoint.id))
            });
            let mut seen: Vec<String> = Vec::new();
            troubles.retain(|one| {
                let is_new = !seen.contains(&one.touchpoint.id);
                if is_new {
                    seen.push(one.touchpoint.id.clone());
                }
                is_new
            });
        }
        let here: Vec<String> = self.here.iter().map(|one| one.touchpoint.id.clone()).collect();
        self.elsewhere.retain(|one| !here.contains(&one.touchpoint.id));
    }

    /// The incidents that hurt this location.
    pub fn incident_ids(&self) -> Vec<IncidentId> {
        let mut ids: Vec<IncidentId> = self.here.iter().map(|one| one.incident_id.clone()).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// What hurts a touchpoint, here or elsewhere.
    pub fn trouble_with(&self, touchpoint_id: &str) -> Option<&Trouble> {
        let mut all = self.here.iter().chain(&self.elsewhere);
        all.find(|one| one.touchpoint.id == touchpoint_id)
    }
}

/// Keeps a word from a location and puts it on the timeline of the incidents that it is about.
pub fn record(
    change: &mut Change,
    location: &Location,
    incident_ids: &[IncidentId],
    said: Said,
    said_by: Option<&str>,
) -> Result<(), Error> {
    let id: LocationReportId = change.identifier();
    change.tx.execute(
        sql!("INSERT INTO location_reports (id, location_id, said, said_by, at) VALUES ($1, $2, $3, $4, $5)"),
        params![&id, &location.id, said, said_by, change.now],
    )?;
    super::board::note(change)?;
    let who = said_by.map_or_else(String::new, |name| format!(" ({name})"));
    let text = format!("{}{who} says: {}.", location.name, said.words());
    let details = json!({
        "location_id": location.id,
        "location_name": location.name,
        "state": said.as_text(),
        "said_by": said_by,
    });
    for incident_id in incident_ids {
        let entry = NewEntry::new(Kind::LocationReported, incident_id, text.clone()).details(details.clone());
        change.record(entry)?;
    }
    if incident_ids.is_empty() {
        let entry = NewEntry {
            kind: Kind::LocationReported,
            incident_id: None,
            service_id: None,
            text,
            details,
        };
        change.record(entry)?;
    }
    Ok(())
}
