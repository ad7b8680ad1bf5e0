//! The list of incidents, with its filters in the address, and what can be done to several at once.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use store::Tx;

use super::{go_to, situation};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::frame::Place;
use crate::console::kit::{
    Choices, ChoicesLook, Empty, Link, Pagination, Person, Pick, Reading, Rich, State as Shape, StateMark,
    counted,
};
use crate::console::page::{PageProblem, Posted, Visitor, show};
use crate::console::screens::incidents::{IncidentFilter, IncidentList, IncidentRights, IncidentRow};
use crate::http::listing::Counted;
use crate::http::{Page, Problem, Query};
use crate::incidents::api::MOST_AT_ONCE;
use crate::incidents::model::{Incident, NewIncident, Origin, Status, Urgency};
use crate::incidents::store::{self as rows, Order, Sought};
use crate::incidents::{IncidentId, actions, merge};
use crate::services::ServiceId;
use crate::updates::headline::{self, Course, Headline};

const ROWS: i64 = 50;
/// Services to choose from.
const SERVICES: i64 = 500;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/incidents", get(list).post(raise))
        .route("/console/incidents/rows", get(list))
        .route("/console/incidents/together", post(together))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Filter {
    view: String,
    words: String,
    service: String,
    urgency: String,
    from: String,
}

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(filter): Query<Filter>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Incident)?;
    let reading = visitor.reading(&app);
    let caller = visitor.0.clone();
    let now = app.clock.now();
    let read = app
        .read(move |tx| -> Result<_, Problem> {
            let bar = situation::read(tx, &caller, now)?;
            let found = find(tx, &filter, caller.user_id().map(crate::people::UserId::as_str))?;
            let services = service_picks(tx, &filter.service)?;
            let (open, ()) =
                rows::count_open(tx).map(|(triggered, acknowledged)| (triggered + acknowledged, ()))?;
            Ok((bar, found, services, open, filter.clone()))
        })
        .await?;
    let (bar, (found, page, total), services, open, filter) = read;
    let rows = found.iter().map(|one| row(one, &reading)).collect();
    Ok(show(&IncidentList {
        frame: visitor.frame(&app, Place::Incidents, "Incidents", bar),
        headline: match open {
            0 => "No incident is open".to_owned(),
            1 => "1 incident is open".to_owned(),
            count => format!("{count} incidents are open"),
        },
        views: views(&filter.view),
        filter: IncidentFilter {
            words: filter.words.clone(),
            services: services.clone(),
            urgencies: urgency_picks(&filter.urgency),
            view: filter.view.clone(),
        },
        rows,
        pagination: pagination(&filter, page, total),
        empty: Empty {
            title: "Nothing here",
            words: Rich::plain(
                "Incidents appear here when an event arrives, a customer reports, or somebody raises one.",
            ),
            action: Some(Link::new("Show all incidents", "/console/incidents?view=all")),
        },
        raise_on: visitor
            .0
            .may(Action::Create, Resource::Incident)
            .then_some(services),
        rights: if visitor.0.may(Action::Respond, Resource::Incident) {
            IncidentRights::Act
        } else {
            IncidentRights::Look
        },
    }))
}

/// An incident with what a row shows of it.
struct Found {
    incident: Incident,
    service: String,
    priority: Option<String>,
    assignee: Option<String>,
    headline: Headline,
    alerts: i64,
    cases: i64,
}

fn find(tx: &mut Tx, filter: &Filter, user_id: Option<&str>) -> Result<(Vec<Found>, Page, i64), Problem> {
    let offset = filter.from.parse::<i64>().unwrap_or(0).clamp(0, 1_000_000);
    let page = Page {
        limit: ROWS,
        offset,
        counted: Counted::Yes,
    };
    let mut sought = Sought {
        order: Order::Newest,
        ..Sought::default()
    };
    match filter.view.as_str() {
        "mine" => sought.user_ids = vec![user_id.unwrap_or("nobody").to_owned()],
        "resolved" => sought.statuses = vec![Status::Resolved],
        "all" => {}
        _ => sought.statuses = vec![Status::Triggered, Status::Acknowledged],
    }
    if !filter.service.is_empty() {
        sought.service_ids = vec![filter.service.clone()];
    }
    sought.urgencies = Urgency::from_text(&filter.urgency).into_iter().collect();
    let words = filter.words.trim();
    sought.number = words.trim_start_matches('#').parse::<i64>().ok();
    if sought.number.is_none() && !words.is_empty() {
        sought.words = Some(words.to_owned());
    }
    let incidents = rows::list(tx, &sought, page)?;
    let total = rows::count(tx, &sought)?;
    let (incidents, _) = page.finish(incidents, || Ok::<_, Problem>(total))?;
    Ok((surround(tx, incidents)?, page, total))
}

fn surround(tx: &mut Tx, incidents: Vec<Incident>) -> Result<Vec<Found>, Problem> {
    let ids: Vec<IncidentId> = incidents.iter().map(|one| one.id.clone()).collect();
    let service_ids: Vec<String> = incidents
        .iter()
        .map(|one| one.service_id.as_str().to_owned())
        .collect();
    let services: HashMap<String, String> = rows::service_names(tx, &service_ids)?.into_iter().collect();
    let priorities: HashMap<String, String> = rows::priorities(tx)?
        .into_iter()
        .map(|one| (one.id, one.name))
        .collect();
    let assignments = rows::assignments(tx, &ids)?;
    let counts: HashMap<IncidentId, i64> = rows::alert_counts(tx, &ids)?
        .into_iter()
        .map(|(id, counts)| (id, counts.all))
        .collect();
    let cases: HashMap<IncidentId, i64> = crate::cases::store::counts_of(tx, &ids)?.into_iter().collect();
    let mut headlines = headline::of(tx, &incidents)?;
    Ok(incidents
        .into_iter()
        .filter_map(|incident| Some((headlines.remove(&incident.id)?, incident)))
        .map(|(headline, incident)| Found {
            headline,
            cases: cases.get(&incident.id).copied().unwrap_or(0),
            service: services
                .get(incident.service_id.as_str())
                .cloned()
                .unwrap_or_default(),
            priority: incident
                .priority_id
                .as_ref()
                .and_then(|id| priorities.get(id.as_str()).cloned()),
            assignee: assignments
                .iter()
                .find(|one| one.incident_id == incident.id)
                .map(|one| one.user_name.clone()),
            alerts: counts.get(&incident.id).copied().unwrap_or(0),
            incident,
        })
        .collect())
}

fn row(found: &Found, reading: &Reading) -> IncidentRow {
    let incident = &found.incident;
    let about = match &found.priority {
        Some(priority) => format!("{} · {priority}", found.service),
        None => found.service.clone(),
    };
    IncidentRow {
        id: incident.id.to_string(),
        number: format!("#{}", incident.number),
        state: mark(incident, found.headline.course),
        title: found.headline.felt.first().unwrap_or(&incident.title).clone(),
        to: format!("/console/incidents/{}", incident.id),
        about,
        hurts: hurts(&found.headline.hurts, found.alerts, found.cases),
        who: found
            .assignee
            .clone()
            .map_or(Person::Nobody("Nobody"), Person::named),
        age: match incident.resolved_at {
            Some(at) => reading.ago(at),
            None => reading.age(incident.created_at),
        },
    }
}

/// Whom an incident hurts in one line; where nothing is known of that, how many alerts it has.
pub(super) fn hurts(known: &str, alerts: i64, cases: i64) -> String {
    let mut parts = Vec::new();
    if !known.is_empty() {
        parts.push(known.to_owned());
    }
    if cases > 0 {
        parts.push(counted(cases.unsigned_abs(), "case", "cases"));
    }
    if parts.is_empty() {
        parts.push(match alerts {
            0 => "nobody has complained yet".to_owned(),
            count => counted(count.unsigned_abs(), "alert", "alerts"),
        });
    }
    parts.join(" · ")
}

/// The state of an incident as shape, colour and word.
pub(super) fn mark(incident: &Incident, course: Course) -> StateMark {
    match (incident.status, incident.snoozed_until, course) {
        (Status::Triggered, ..) => Shape::Triggered.mark(),
        (Status::Acknowledged, Some(_), _) => Shape::Acknowledged.says("Snoozed"),
        (Status::Acknowledged, None, Course::Recovering) => Shape::Recovering.mark(),
        (Status::Acknowledged, None, Course::Ongoing) => Shape::Acknowledged.mark(),
        (Status::Resolved, ..) => Shape::Resolved.mark(),
    }
}

fn views(view: &str) -> Choices {
    let current = match view {
        "mine" => 1,
        "resolved" => 2,
        "all" => 3,
        _ => 0,
    };
    Choices::new(
        ChoicesLook::Tabs,
        "Show",
        current,
        &[
            ("Open", "/console/incidents"),
            ("Mine", "/console/incidents?view=mine"),
            ("Resolved", "/console/incidents?view=resolved"),
            ("All", "/console/incidents?view=all"),
        ],
    )
}

fn service_picks(tx: &mut Tx, current: &str) -> Result<Vec<Pick>, Problem> {
    let services = crate::services::store::services::names(tx, SERVICES)?;
    Ok(services
        .into_iter()
        .map(|(id, name)| {
            let pick = Pick::new(id.clone(), name);
            if id == current { pick.current() } else { pick }
        })
        .collect())
}

fn urgency_picks(current: &str) -> Vec<Pick> {
    [("high", "Page now"), ("low", "Can wait")]
        .into_iter()
        .map(|(value, words)| {
            let pick = Pick::new(value, words);
            if value == current { pick.current() } else { pick }
        })
        .collect()
}

fn pagination(filter: &Filter, page: Page, total: i64) -> Pagination {
    let to = |offset: i64| {
        format!(
            "/console/incidents?view={}&service={}&urgency={}&words={}&from={offset}",
            super::escaped(&filter.view),
            super::escaped(&filter.service),
            super::escaped(&filter.urgency),
            super::escaped(&filter.words)
        )
    };
    let last = (page.offset + page.limit).min(total);
    Pagination {
        words: format!("{} to {last} of {total}", (page.offset + 1).min(total)),
        earlier: (page.offset > 0).then(|| to((page.offset - page.limit).max(0))),
        later: (last < total).then(|| to(page.offset + page.limit)),
    }
}

#[derive(Debug, Clone, Deserialize)]
struct Raised {
    title: String,
    service: String,
    #[serde(default)]
    urgency: String,
    #[serde(default)]
    details: String,
}

async fn raise(State(app): State<Arc<App>>, posted: Posted<Raised>) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Create, Resource::Incident)?;
    let wanted = posted.fields;
    let title = wanted.title.trim().to_owned();
    if title.is_empty() || title.chars().count() > 1024 {
        return Err(
            Problem::invalid(["Say in one sentence what customers feel; at most 1024 letters."]).into(),
        );
    }
    let incident = app
        .change(caller.agent(), move |change| {
            let service = ServiceId::from(wanted.service.as_str());
            let urgency = Urgency::from_text(&wanted.urgency).unwrap_or(Urgency::High);
            let new = NewIncident {
                body: Some(wanted.details.clone()).filter(|details| !details.trim().is_empty()),
                ..NewIncident::new(&title, service, urgency, Origin::Person)
            };
            actions::open(change, &new)
        })
        .await?;
    Ok(go_to(&format!("/console/incidents/{}", incident.id)))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Together {
    incident: Vec<String>,
    #[serde(rename = "do")]
    what: String,
}

/// What may be done to several incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Acknowledge,
    Resolve,
    Merge,
}

impl Together {
    fn deed(&self) -> Result<Deed, Problem> {
        let deed = match self.what.as_str() {
            "acknowledge" => Deed::Acknowledge,
            "resolve" => Deed::Resolve,
            "merge" => Deed::Merge,
            _ => {
                return Err(Problem::invalid([
                    "Choose what to do with them: acknowledge, resolve or merge.",
                ]));
            }
        };
        match (deed, self.incident.len()) {
            (_, 0) => Err(Problem::invalid(["Choose at least one incident."])),
            (Deed::Merge, 1) => Err(Problem::invalid([
                "Choose at least two incidents to merge: the oldest of them stays.",
            ])),
            (_, count) if count > MOST_AT_ONCE => Err(Problem::invalid([format!(
                "You chose {count} incidents. Choose at most {MOST_AT_ONCE} at once; nothing was changed."
            )])),
            _ => Ok(deed),
        }
    }
}

async fn together(State(app): State<Arc<App>>, posted: Posted<Together>) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Respond, Resource::Incident)?;
    let mut together = posted.fields;
    // Identifiers sort by age: the oldest comes first.
    together.incident.sort();
    together.incident.dedup();
    let deed = together.deed()?;
    let ids: Vec<IncidentId> = together.incident.into_iter().map(IncidentId::from).collect();
    app.change(caller.agent(), move |change| -> Result<(), Problem> {
        if let (Deed::Merge, Some((oldest, others))) = (deed, ids.split_first()) {
            merge::merge(change, oldest, others)?;
            return Ok(());
        }
        for id in &ids {
            if deed == Deed::Acknowledge {
                actions::acknowledge(change, id)?;
            } else {
                actions::resolve(change, id, None)?;
            }
        }
        Ok(())
    })
    .await?;
    Ok(go_to("/console/incidents"))
}
