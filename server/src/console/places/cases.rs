//! The list of cases, of everybody or of one incident, with its filter in the address.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use store::Tx;

use super::desk::tier_words;
use super::{escaped, situation};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::cases::model::{Case, Recovery, Status};
use crate::cases::store::{self as rows, Owed, Sought};
use crate::console::frame::{Place, Situation};
use crate::console::kit::{
    Choices, ChoicesLook, Empty, Link, Pagination, Reading, Rich, State as Shape, StateMark, counted,
    thousands,
};
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::screens::cases::{CaseLine, CaseList};
use crate::http::listing::Counted;
use crate::http::{Page, Problem, Query};
use crate::incidents::{Incident, IncidentId, store as incident_rows};
use crate::updates::headline;

/// Cases of a page of the list.
const ROWS: i64 = 100;
/// Beyond this, the exact number says nothing to anybody and takes long.
const MOST_COUNTED: i64 = 10_000;
/// Letters of a question that are looked for.
const LONGEST_WORDS: usize = 200;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/cases", get(list))
        .route("/console/cases/rows", get(list))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Filter {
    incident: String,
    /// `owed`, `answered`, `open`, or all.
    state: String,
    words: String,
    from: String,
}

impl Filter {
    fn page(&self) -> Page {
        Page {
            limit: ROWS,
            offset: self.from.parse().unwrap_or(0).clamp(0, 1_000_000),
            counted: Counted::UpTo(MOST_COUNTED),
        }
    }

    fn sought(&self, incident: Option<&Incident>) -> Sought {
        let words: String = self.words.trim().chars().take(LONGEST_WORDS).collect();
        let mut sought = Sought {
            words: Some(words).filter(|words| !words.is_empty()),
            incident_id: incident.map(|incident| incident.id.to_string()),
            ..Sought::default()
        };
        match self.state.as_str() {
            "owed" => sought.owed = Some(Owed::Yes),
            "answered" => sought.owed = Some(Owed::No),
            "open" => sought.statuses = vec![Status::Open],
            _ => {}
        }
        sought
    }

    /// The same list in another state, from its beginning.
    fn address(&self, state: &str) -> String {
        format!(
            "/console/cases?incident={}&state={state}&words={}",
            escaped(&self.incident),
            escaped(&self.words)
        )
    }
}

struct Known {
    situation: Situation,
    incident: Option<Incident>,
    /// What customers feel of it.
    felt: String,
    found: Vec<Case>,
    /// One more than [`MOST_COUNTED`] when there are more.
    total: i64,
    more: bool,
    owed: i64,
}

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(filter): Query<Filter>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Case)?;
    let (caller, now, wanted) = (visitor.0.clone(), app.clock.now(), filter.clone());
    let known = app
        .read(move |tx| -> Result<_, Problem> {
            let situation = situation::read(tx, &caller, now)?;
            know(tx, &wanted, situation)
        })
        .await?;
    let reading = visitor.reading(&app);
    let incident = known.incident.as_ref();
    let title = incident.map_or_else(|| "Cases".to_owned(), |one| format!("Cases of #{}", one.number));
    Ok(show(&CaseList {
        frame: visitor.frame(&app, Place::Desk, title, known.situation.clone()),
        headline: headline_of(&known, &filter),
        below: incident.map_or_else(Rich::default, |incident| {
            Rich::default()
                .link(
                    format!("#{}", incident.number),
                    format!("/console/incidents/{}", incident.id),
                )
                .then(format!(" {}", known.felt))
        }),
        views: views(&filter),
        pagination: pagination(&filter, &known),
        empty: empty(&filter),
        words: filter.words.clone(),
        state: filter.state.clone(),
        incident: filter.incident.clone(),
        rows: known.found.iter().map(|case| line(case, &reading)).collect(),
    }))
}

fn know(tx: &mut Tx, filter: &Filter, situation: Situation) -> Result<Known, Problem> {
    let incident = match filter.incident.as_str() {
        "" => None,
        id => Some(
            incident_rows::find(tx, &IncidentId::from(id))?
                .ok_or_else(|| Problem::not_found("The incident"))?,
        ),
    };
    let felt = match &incident {
        Some(incident) => headline::of(tx, std::slice::from_ref(incident))?
            .remove(&incident.id)
            .and_then(|headline| headline.felt.into_iter().next())
            .unwrap_or_default(),
        None => String::new(),
    };
    let (found, paging) = rows::list(tx, &filter.sought(incident.as_ref()), filter.page())?;
    let (owed, _) = rows::count_owed(tx, incident.as_ref().map(|incident| incident.id.as_str()))?;
    Ok(Known {
        situation,
        incident,
        felt,
        total: paging.total.unwrap_or(found.len() as i64),
        more: paging.more,
        found,
        owed,
    })
}

fn headline_of(known: &Known, filter: &Filter) -> String {
    let many = |count: i64| match count {
        ..=MOST_COUNTED => counted(count.unsigned_abs(), "case", "cases"),
        _ => format!("More than {} cases", thousands(MOST_COUNTED.unsigned_abs())),
    };
    if !filter.words.trim().is_empty() {
        return format!("{} with these words", many(known.total));
    }
    match filter.state.as_str() {
        "owed" if known.owed == 0 => "Nobody waits for an answer".to_owned(),
        "owed" if known.owed == 1 => "1 customer is owed an answer".to_owned(),
        "owed" => format!(
            "{} customers are owed an answer",
            thousands(known.owed.unsigned_abs())
        ),
        "answered" => format!("{} answered", many(known.total)),
        "open" => format!("{} open", many(known.total)),
        _ if known.owed > 0 => format!(
            "{}, {} owed an answer",
            many(known.total),
            thousands(known.owed.unsigned_abs())
        ),
        _ if known.total == 0 => "No cases yet".to_owned(),
        _ => many(known.total),
    }
}

fn views(filter: &Filter) -> Choices {
    const STATES: [(&str, &str); 4] = [
        ("", "All"),
        ("owed", "Owed an answer"),
        ("answered", "Answered"),
        ("open", "Open"),
    ];
    let current = STATES
        .iter()
        .position(|(state, _)| *state == filter.state)
        .unwrap_or(0);
    let addresses = STATES.map(|(state, _)| filter.address(state));
    let choices: Vec<(&str, &str)> = STATES
        .iter()
        .zip(&addresses)
        .map(|((_, words), to)| (*words, to.as_str()))
        .collect();
    Choices::new(ChoicesLook::Tabs, "Show", current, &choices)
}

fn pagination(filter: &Filter, known: &Known) -> Pagination {
    let (offset, shown) = (filter.page().offset, known.found.len() as i64);
    let all = match known.total {
        total @ ..=MOST_COUNTED => thousands(total.unsigned_abs()),
        _ => format!("more than {}", thousands(MOST_COUNTED.unsigned_abs())),
    };
    let turn = |to: i64| format!("{}&from={to}", filter.address(&filter.state));
    Pagination {
        words: format!(
            "{} to {} of {all}",
            thousands((offset + 1).unsigned_abs()),
            thousands((offset + shown).unsigned_abs()),
        ),
        earlier: (offset > 0).then(|| turn((offset - ROWS).max(0))),
        later: known.more.then(|| turn(offset + ROWS)),
    }
}

fn empty(filter: &Filter) -> Empty {
    if !filter.words.trim().is_empty() {
        return Empty {
            title: "No case has these words",
            words: "Try fewer words, or the number of a case.".into(),
            action: Some(Link::new("Show all of them", filter_without_words(filter))),
        };
    }
    Empty {
        title: "No case here",
        words: "What customers report appears here: typed in at the desk, sent by a form, or by the API."
            .into(),
        action: Some(Link::new("Open the desk", "/console/desk")),
    }
}

fn filter_without_words(filter: &Filter) -> String {
    Filter {
        words: String::new(),
        ..filter.clone()
    }
    .address(&filter.state)
}

/// Where a case stands: what is owed first, then what was said last.
fn standing(case: &Case) -> StateMark {
    match (case.owed_since, case.recovery, case.last_told_at) {
        (_, Recovery::StillBroken, _) => Shape::Triggered.says("Still broken"),
        (Some(_), _, Some(_)) => Shape::Recovering.says("Told, owed an answer"),
        (Some(_), _, None) => Shape::Acknowledged.says("Owed an answer"),
        (None, Recovery::Works, _) => Shape::Resolved.says("Works again"),
        (None, ..) => Shape::Resolved.says("Answered"),
    }
}

fn line(case: &Case, reading: &Reading) -> CaseLine {
    let about: Vec<&str> = [&case.location_name, &case.touchpoint_name]
        .into_iter()
        .filter_map(|name| name.as_deref())
        .collect();
    CaseLine {
        id: format!("case-{}", case.id),
        to: format!("/console/desk?case={}", case.id),
        number: case.label(),
        title: case.subject.clone(),
        customer: case.reporter().to_owned(),
        standing: tier_words(case),
        about: about.join(" · "),
        state: standing(case),
        since: match case.owed_since {
            Some(since) => reading.age(since),
            None => reading.ago(case.updated_at),
        },
    }
}
