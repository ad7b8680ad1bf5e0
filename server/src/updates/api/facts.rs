//! `/incidents/{id}/facts`: the facts that updates are made from.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Faults, Path, Problem, Problems, Sent};
use crate::incidents::{IncidentId, store as incidents};
use crate::updates::approval::require_approver;
use crate::updates::drafts;
use crate::updates::facts::{
    self, Confidence, Estimate, FactChange, Places, Revision, Stated, TouchpointFact,
};
use crate::updates::model::Phase;
use crate::words::InternalText;

/// The facts of an incident.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(super) struct FactsAnswer {
    facts: FactsView,
}

/// What is known of an incident, in fields.
#[derive(Debug, serde::Serialize, ToSchema)]
struct FactsView {
    /// `incident_facts`
    #[serde(rename = "type")]
    kind: &'static str,
    incident_id: String,
    /// 0 while nobody has needed the facts.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    revised_at: Timestamp,
    /// A name.
    revised_by: String,
    /// What this revision changed.
    changes: Vec<FactChange>,
    phase: Phase,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// What customers feel, in a sentence.
    #[schema(value_type = Option<String>)]
    symptom: Option<InternalText>,
    touchpoints: Vec<TouchpointFact>,
    places: Places,
    /// What to do instead.
    #[schema(value_type = Option<String>)]
    workaround: Option<InternalText>,
    estimate: Option<Estimate>,
}

fn facts_view(incident_id: &IncidentId, revision: &Revision) -> FactsView {
    let facts = revision.facts.clone();
    FactsView {
        kind: "incident_facts",
        incident_id: incident_id.to_string(),
        revision: revision.revision,
        revised_at: revision.created_at,
        revised_by: revision.agent_name.clone(),
        changes: revision.changes.clone(),
        phase: facts.phase,
        since: facts.since,
        symptom: facts.symptom,
        touchpoints: facts.touchpoints,
        places: facts.places,
        workaround: facts.workaround,
        estimate: facts.estimate,
    }
}

/// Show the facts that updates are made from.
#[utoipa::path(
    get, path = "/incidents/{id}/facts", tag = "Updates",
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The facts", body = FactsAnswer), Problems)
)]
pub(super) async fn show_facts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<FactsAnswer>, Problem> {
    caller.require(Action::View, Resource::Update)?;
    let now = app.clock.now();
    let facts = app
        .read(move |tx| -> Result<_, Problem> {
            let id = IncidentId::from(id.as_str());
            let incident = incidents::find(tx, &id)?.ok_or_else(|| Problem::not_found("The incident"))?;
            // Facts that nobody has needed yet have no revision: they are shown as revision 0.
            let revision = match facts::latest(tx, &id)? {
                Some(revision) => revision,
                None => Revision {
                    revision: 0,
                    facts: facts::read(tx, &incident, now)?,
                    changes: Vec::new(),
                    created_at: incident.created_at,
                    agent_name: "Muster".to_owned(),
                },
            };
            Ok(facts_view(&id, &revision))
        })
        .await?;
    Ok(axum::Json(FactsAnswer { facts }))
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct FactsBody {
    facts: FactsInput,
}

/// What is left out stays; null takes back what was stated.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct FactsInput {
    #[serde(default)]
    #[schema(value_type = Option<Phase>)]
    phase: Sent<Phase>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    since: Sent<String>,
    /// What customers feel, in a sentence.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    symptom: Sent<String>,
    /// What to do instead, in a sentence.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    workaround: Sent<String>,
    #[serde(default)]
    #[schema(value_type = Option<EstimateInput>)]
    estimate: Sent<EstimateInput>,
}

/// All four parts, or no estimate; whoever states it approves it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(super) struct EstimateInput {
    #[serde(default)]
    earliest: Option<String>,
    #[serde(default)]
    latest: Option<String>,
    #[serde(default)]
    confidence: Option<Confidence>,
    #[serde(default)]
    expires_at: Option<String>,
}

impl EstimateInput {
    fn check(&self, faults: &mut Faults, caller: &Caller, now: Timestamp) -> Option<Estimate> {
        let earliest = faults.instant("facts.estimate.earliest", self.earliest.as_deref());
        let latest = faults.instant("facts.estimate.latest", self.latest.as_deref());
        let expires_at = faults.instant("facts.estimate.expires_at", self.expires_at.as_deref());
        if self.confidence.is_none() {
            faults.add("facts.estimate.confidence can't be blank: low, medium or high.");
        }
        let approved_by = caller.person_id().cloned();
        if approved_by.is_none() {
            faults.add("facts.estimate needs a person who approves it; a program cannot.");
        }
        let (earliest, latest, expires_at) = (earliest?, latest?, expires_at?);
        if earliest >= latest {
            faults.add(
                "facts.estimate.latest must come after facts.estimate.earliest: an estimate is a range.",
            );
        }
        if latest <= now {
            faults.add("facts.estimate.latest must lie in the future.");
        }
        if expires_at <= now {
            faults.add("facts.estimate.expires_at must lie in the future.");
        }
        Some(Estimate {
            earliest,
            latest,
            confidence: self.confidence?,
            approved_by: approved_by?,
            expires_at,
        })
    }
}

fn over_text(
    faults: &mut Faults,
    field: &str,
    sent: &Sent<String>,
    kept: Option<InternalText>,
) -> Option<InternalText> {
    match sent {
        Sent::Nothing => kept,
        Sent::Null => None,
        Sent::Value(text) => faults
            .optional_text(field, Some(text.trim()), 2_000)
            .map(InternalText::new),
    }
}

impl FactsInput {
    fn over(&self, stated: Stated, caller: &Caller, now: Timestamp) -> Result<Stated, Problem> {
        let mut faults = Faults::new();
        let since = match &self.since {
            Sent::Nothing => stated.since,
            Sent::Null => None,
            Sent::Value(text) => faults.instant("facts.since", Some(text)),
        };
        if since.is_some_and(|since| since > now) {
            faults.add("facts.since lies in the future.");
        }
        let estimate = match &self.estimate {
            Sent::Nothing => stated.estimate,
            Sent::Null => None,
            Sent::Value(estimate) => estimate.check(&mut faults, caller, now),
        };
        if self.phase.value() == Some(&Phase::Resolved) {
            faults.add("facts.phase becomes resolved when the incident is resolved.");
        }
        let stated = Stated {
            phase: self.phase.clone().over(stated.phase),
            since,
            symptom: over_text(&mut faults, "facts.symptom", &self.symptom, stated.symptom),
            workaround: over_text(
                &mut faults,
                "facts.workaround",
                &self.workaround,
                stated.workaround,
            ),
            estimate,
        };
        faults.done()?;
        Ok(stated)
    }
}

/// State facts. A change is a new revision, and takes approvals given on an older one back.
#[utoipa::path(
    put, path = "/incidents/{id}/facts", tag = "Updates", request_body = FactsBody,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The facts", body = FactsAnswer), Problems)
)]
pub(super) async fn state_facts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<FactsBody>,
) -> Result<axum::Json<FactsAnswer>, Problem> {
    caller.require(Action::Change, Resource::Update)?;
    let facts = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = IncidentId::from(id.as_str());
            if body.facts.estimate.value().is_some() {
                require_approver(change.tx, &caller, &id)?;
            }
            let stated = facts::stated(change.tx, &id)?;
            let stated = body.facts.over(stated, &caller, change.now)?;
            facts::state(change, &id, &stated)?;
            let present = drafts::bring_up_to_date(change, &id)?;
            Ok(facts_view(&id, &present.revision))
        })
        .await?;
    Ok(axum::Json(FactsAnswer { facts }))
}
