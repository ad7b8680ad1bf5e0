//! What the open incidents hurt, as the picture of the services shows it: the same that each incident's room says.

use std::collections::BTreeSet;

use store::Tx;

use super::room::milder;
use super::room_side::likely_change;
use super::room_words::how_hurt;
use crate::console::prelude::State as Shape;
use crate::http::Problem;
use crate::impact::store as impacts;
use crate::incidents::model::Status;
use crate::incidents::{Incident, IncidentId, confirmed_origin, origin};
use crate::updates::headline::{self, Course};

/// Incidents whose whole impact is read; of the others only where they began is known.
const MOST: usize = 20;

/// An open incident, where it began, and what it hurts.
pub(super) struct OpenIncident {
    pub id: IncidentId,
    pub number: i64,
    pub service_id: String,
    pub shape: Shape,
    /// Technical services whose own alerts belong to it.
    joined: BTreeSet<String>,
    /// Everything technical that it reaches.
    reached: BTreeSet<String>,
    /// Touchpoints, how badly they are hurt, and the word for it.
    touchpoints: Vec<(String, Shape, &'static str)>,
}

impl OpenIncident {
    pub(super) fn touchpoint(&self, id: &str) -> Option<(Shape, &'static str)> {
        let found = self
            .touchpoints
            .iter()
            .find(|(touchpoint, _, _)| touchpoint == id);
        found.map(|(_, shape, word)| (*shape, *word))
    }

    /// Whether alerts of this service belong to the incident, though it began elsewhere.
    pub(super) fn has_joined(&self, id: &str) -> bool {
        self.joined.contains(id)
    }

    /// Every service and touchpoint on its way.
    pub(super) fn path(&self) -> impl Iterator<Item = &str> {
        let touchpoints = self.touchpoints.iter().map(|(id, _, _)| id.as_str());
        self.reached.iter().map(String::as_str).chain(touchpoints)
    }
}

/// Reads the open incidents, in the order given.
pub(super) fn read(tx: &mut Tx, open: &[Incident]) -> Result<Vec<OpenIncident>, Problem> {
    let headlines = headline::of(tx, open)?;
    let mut known = Vec::with_capacity(open.len());
    for (place, incident) in open.iter().enumerate() {
        let hurt = if place < MOST {
            impacts::find(tx, &incident.id)?.map(|stored| stored.document)
        } else {
            None
        };
        let mild = match &hurt {
            Some(hurt) => milder(tx, incident, Some(hurt))?,
            None => Vec::new(),
        };
        let course = headlines
            .get(&incident.id)
            .map(|one| one.course)
            .unwrap_or_default();
        let services = hurt.iter().flat_map(|hurt| &hurt.services);
        known.push(OpenIncident {
            id: incident.id.clone(),
            number: incident.number,
            service_id: incident.service_id.to_string(),
            shape: match (incident.status, course) {
                (Status::Triggered, _) => Shape::Triggered,
                (_, Course::Recovering) => Shape::Recovering,
                (_, Course::Ongoing) => Shape::Acknowledged,
            },
            joined: services
                .clone()
                .filter(|one| one.hops == 0 && one.id != incident.service_id.as_str())
                .map(|one| one.id.clone())
                .collect(),
            reached: services.map(|one| one.id.clone()).collect(),
            touchpoints: hurt
                .iter()
                .flat_map(|hurt| &hurt.touchpoints)
                .map(|one| {
                    let (shape, word) = how_hurt(incident, &mild, one);
                    (one.id.clone(), shape, word)
                })
                .collect(),
        });
    }
    Ok(known)
}

/// Where an incident began, when that is another service than the one it opened on.
pub(super) struct Origin {
    pub service_id: String,
    pub sure: Sure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sure {
    Confirmed,
    Likely,
}

pub(super) fn origin_of(tx: &mut Tx, incident: &Incident) -> Result<Option<Origin>, Problem> {
    if let Some(said) = confirmed_origin::find(tx, &incident.id)? {
        return Ok(Some(Origin {
            service_id: said.service_id,
            sure: Sure::Confirmed,
        }));
    }
    let ranked = origin::of(tx, incident)?;
    Ok(likely_change(&ranked).map(|change| Origin {
        service_id: change.service_id.clone(),
        sure: Sure::Likely,
    }))
}

/// The place of the incident whose path is lit: the one that was asked for, or the first.
pub(super) fn place_of_lit<'a>(
    wanted: &str,
    mut open: impl Iterator<Item = &'a str> + Clone,
) -> Option<usize> {
    if wanted == "everything" {
        return None;
    }
    let asked = open.clone().position(|id| id == wanted);
    asked.or_else(|| open.next().map(|_| 0))
}

pub(super) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
