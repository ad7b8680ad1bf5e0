//! What answers of this slice point at, with its names: a reference without a name helps nobody.

use std::collections::{BTreeSet, HashMap};

use store::{Error, Tx, Value, params, sql};

use super::model::IncidentId;
use super::store as rows;
use crate::http::{Reference, Site};

/// The names of what is pointed at, read in a handful of queries whatever the number of those that point.
#[derive(Debug, Default)]
pub struct Mentions {
    incidents: HashMap<String, Mentioned>,
    services: HashMap<String, String>,
    /// With the service that each belongs to.
    integrations: HashMap<String, (String, String)>,
    teams: HashMap<String, Vec<(String, String)>>,
}

#[derive(Debug, store::FromRow)]
struct Mentioned {
    id: IncidentId,
    number: i64,
    title: String,
    service_id: String,
    escalation_policy_id: String,
}

/// What is pointed at.
#[derive(Debug, Default)]
pub struct Pointed {
    pub incidents: BTreeSet<String>,
    pub services: BTreeSet<String>,
    pub integrations: BTreeSet<String>,
}

impl Mentions {
    pub fn read(tx: &mut Tx, pointed: Pointed) -> Result<Self, Error> {
        let Pointed {
            incidents,
            mut services,
            integrations,
        } = pointed;
        let incidents: Vec<Mentioned> = tx.rows(
            sql!(
                "SELECT id, number, title, service_id, escalation_policy_id FROM incidents WHERE id = ANY($1)"
            ),
            params![Value::texts(&incidents)],
        )?;
        services.extend(incidents.iter().map(|one| one.service_id.clone()));
        let policies: BTreeSet<String> = incidents
            .iter()
            .map(|one| one.escalation_policy_id.clone())
            .collect();
        let policies: Vec<String> = policies.into_iter().collect();
        let services: Vec<String> = services.into_iter().collect();
        let integrations: Vec<(String, String, String)> = tx.rows(
            sql!("SELECT id, name, service_id FROM integrations WHERE id = ANY($1)"),
            params![Value::texts(&integrations)],
        )?;
        Ok(Self {
            teams: crate::oncall::store::named_teams_of_policies(tx, &policies)?,
            services: rows::service_names(tx, &services)?.into_iter().collect(),
            incidents: incidents
                .into_iter()
                .map(|one| (one.id.to_string(), one))
                .collect(),
            integrations: integrations
                .into_iter()
                .map(|(id, name, service_id)| (id, (name, service_id)))
                .collect(),
        })
    }

    pub fn incident(&self, site: &Site, id: &str) -> Reference {
        let summary = match self.incidents.get(id) {
            Some(one) => format!("[#{}] {}", one.number, one.title),
            None => id.to_owned(),
        };
        site.reference("incident", "incidents", id, summary)
    }

    pub fn service(&self, site: &Site, id: &str) -> Reference {
        let name = self.services.get(id).map_or(id, String::as_str);
        site.reference("service", "services", id, name)
    }

    /// The service that an incident is on.
    pub fn service_of(&self, site: &Site, incident_id: &str) -> Option<Reference> {
        let incident = self.incidents.get(incident_id)?;
        Some(self.service(site, &incident.service_id))
    }

    /// None when it is not known any more.
    pub fn integration(&self, site: &Site, id: &str) -> Option<Reference> {
        let (name, service_id) = self.integrations.get(id)?;
        Some(site.integration(id, service_id, name.clone()))
    }

    /// The teams whose policy an incident follows.
    pub fn teams_of(&self, site: &Site, incident_id: &str) -> Vec<Reference> {
        self.incidents
            .get(incident_id)
            .and_then(|incident| self.teams.get(&incident.escalation_policy_id))
            .into_iter()
            .flatten()
            .map(|(id, name)| site.reference("team", "teams", id, name.clone()))
            .collect()
    }
}
