//! Gathers what "is it us?" needs to know, and answers it.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use store::{Error, Tx, params, sql};

use super::known::{self, KnownIssue, PublicTouchpoint};
use super::matching::{self, Alike, Candidate, Match, Other, PlacesKnown, Question};
use crate::cases::{Case, CaseId, store as case_rows};
use crate::http::Problem;
use crate::impact::{Impact, store as impact_rows};
use crate::incidents::Incident;

/// Open incidents that are looked at.
const MOST_INCIDENTS: i64 = 500;
/// Linked cases of an incident whose words count as its own.
const WORDS_OF_CASES: i64 = 20;
/// Others of late that are looked at.
const MOST_OTHERS: i64 = 500;
const LATELY: Duration = Duration::from_secs(3_600);

/// What was understood of the question, and the answer.
pub struct Answered {
    pub question: Question,
    pub case: Option<Case>,
    /// Best first, each with its incident.
    pub matches: Vec<(Match, Incident, Impact)>,
    pub alike: Alike,
    pub issues: HashMap<String, KnownIssue>,
    pub touchpoints: Vec<PublicTouchpoint>,
    pub place_names: HashMap<String, String>,
}

/// Answers "is it us?" for typed words, an open case, or both.
pub fn ask(
    tx: &mut Tx,
    words: Option<&str>,
    case_id: Option<&CaseId>,
    now: Timestamp,
    limit: usize,
) -> Result<Answered, Problem> {
    let case = match case_id {
        Some(id) => Some(
            case_rows::find(tx, id)?.ok_or_else(|| Problem::invalid(["case_id: the case was not found."]))?,
        ),
        None => None,
    };
    let touchpoints = known::touchpoints(tx)?;
    let places: Vec<(String, String)> = tx.rows(
        sql!("SELECT id, name FROM locations WHERE deleted_at IS NULL AND kind <> 'region' ORDER BY id"),
        params![],
    )?;
    let question = understand(words, case.as_ref(), &touchpoints, &places, now)?;
    let others = others(tx, case.as_ref(), now)?;
    let alike = matching::alike(&question, &others);
    let open = impact_rows::of_open(tx, MOST_INCIDENTS)?;
    let mut candidates = Vec::with_capacity(open.len());
    for (incident, impact) in &open {
        candidates.push(candidate(tx, incident, impact, &touchpoints)?);
    }
    let mut ranked = matching::rank(&question, &candidates, &others, &alike);
    ranked.truncate(limit);
    let ids: Vec<_> = open.iter().map(|(incident, _)| incident.id.clone()).collect();
    let issues = known::of(tx, &ids)?
        .into_iter()
        .map(|issue| (issue.incident_id.to_string(), issue))
        .collect();
    let mut open: HashMap<String, (Incident, Impact)> = open
        .into_iter()
        .map(|(incident, impact)| (incident.id.to_string(), (incident, impact)))
        .collect();
    let matches = ranked
        .into_iter()
        .filter_map(|found| {
            let (incident, impact) = open.remove(&found.id)?;
            Some((found, incident, impact))
        })
        .collect();
    Ok(Answered {
        question,
        case,
        matches,
        alike,
        issues,
        touchpoints,
        place_names: places.into_iter().collect(),
    })
}

fn understand(
    words: Option<&str>,
    case: Option<&Case>,
    touchpoints: &[PublicTouchpoint],
    places: &[(String, String)],
    now: Timestamp,
) -> Result<Question, Problem> {
    let text = match (words.map(str::trim).filter(|words| !words.is_empty()), case) {
        (Some(words), _) => words.to_owned(),
        (None, Some(case)) => format!("{}\n{}", case.subject, case.text),
        (None, None) => {
            return Err(Problem::invalid([
                "query: say what the customer says, or name a case_id.",
            ]));
        }
    };
    let names: Vec<(String, String)> = touchpoints
        .iter()
        .map(|one| (one.id.clone(), one.name.as_str().to_owned()))
        .collect();
    let mut in_question = matching::named_in(&text, &names);
    let mut there = matching::named_in(&text, places);
    let names = places
        .iter()
        .filter(|(id, _)| there.contains(id))
        .map(|(_, name)| name.clone())
        .collect();
    if let Some(case) = case {
        in_question.extend(case.touchpoint_id.iter().map(ToString::to_string));
        there.extend(case.location_id.iter().map(ToString::to_string));
    }
    Ok(Question {
        text,
        touchpoints: in_question,
        places: there,
        names,
        at: case.map_or(now, |case| case.created_at),
    })
}

fn others(tx: &mut Tx, case: Option<&Case>, now: Timestamp) -> Result<Vec<Other>, Error> {
    let others = case_rows::reported_since(tx, now - LATELY, MOST_OTHERS)?;
    Ok(others
        .into_iter()
        .filter(|other| case.is_none_or(|case| case.id != other.id))
        .map(|other| Other {
            id: other.id.to_string(),
            text: format!("{}\n{}", other.subject, other.text),
            incident_id: other.incident_id.map(|id| id.to_string()),
        })
        .collect())
}

fn candidate(
    tx: &mut Tx,
    incident: &Incident,
    impact: &Impact,
    touchpoints: &[PublicTouchpoint],
) -> Result<Candidate, Error> {
    let mut words: Vec<String> = touchpoints
        .iter()
        .filter(|one| impact.touchpoints.iter().any(|hurt| hurt.id == one.id))
        .flat_map(|one| {
            let said = one.customer_words.as_ref().map(|words| words.as_str().to_owned());
            std::iter::once(one.name.as_str().to_owned()).chain(said)
        })
        .collect();
    if impact.cases > 0 {
        let linked = case_rows::of_incident(tx, &incident.id, WORDS_OF_CASES)?;
        words.extend(
            linked
                .into_iter()
                .map(|case| format!("{} {}", case.subject, case.text)),
        );
    }
    let hurt = impact.hurt_site_ids();
    let places = impact
        .locations
        .sites
        .iter()
        .filter(|site| hurt.contains(&site.id.as_str()))
        .map(|site| (site.id.clone(), site.name.clone()))
        .collect();
    Ok(Candidate {
        id: incident.id.to_string(),
        title: incident.title.clone(),
        words,
        touchpoints: impact
            .touchpoints
            .iter()
            .map(|one| (one.id.clone(), one.name.clone()))
            .collect(),
        places,
        places_known: if impact.locations.sites_named() > 0 {
            PlacesKnown::Named
        } else {
            PlacesKnown::UsedThere
        },
        began_at: incident.created_at,
    })
}
