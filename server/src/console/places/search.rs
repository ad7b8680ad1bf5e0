//! The palette's search: any object by its name or number, any action by its words.
//!
//! It answers what the caller may see and do, and nothing else: each kind of object is looked for only when its
//! list may be viewed, each action is offered only when it may be done. Whatever is typed, the answer is short:
//! a few of each kind, found by one bounded query each.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use store::Tx;

use super::escaped;
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::page::{PageProblem, Visitor};
use crate::customers::{accounts, locations};
use crate::http::listing::{Counted, anywhere};
use crate::http::{Page, Problem, Query};
use crate::incidents::store::{self as incidents, Order};
use crate::incidents::{Incident, Status};
use crate::people::store::{UserFilter, list_users};
use crate::services::store::services::{self, ServiceFilter};
use crate::services::store::touchpoints;
use crate::updates::headline;

/// Letters of a question that are read.
const LONGEST: usize = 100;
/// Fewest letters of a question, unless it is a number.
const SHORTEST: usize = 2;
/// Objects of one kind.
const EACH: i64 = 4;
/// Incidents whose titles are read. Whoever looks for an older one has the list, which may take longer than typing.
const LATEST: i64 = 10_000;
/// Everything together.
const MOST: usize = 20;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/search", get(search))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    query: String,
}

#[derive(Debug, Serialize)]
struct Answer {
    found: Vec<Found>,
}

/// One thing to go to, or to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Found {
    words: String,
    /// What kind of thing it is, and the like.
    #[serde(rename = "where")]
    kind: String,
    to: String,
    does: Does,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Does {
    Open,
    /// Done at once, as the form of a page would do it.
    Post,
}

impl Found {
    fn open(words: impl Into<String>, kind: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            kind: kind.into(),
            to: to.into(),
            does: Does::Open,
        }
    }
}

async fn search(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, PageProblem> {
    let question = plain(&asked.query);
    let caller = visitor.0;
    let found = app
        .read(move |tx| -> Result<_, Problem> { find(tx, &caller, &question) })
        .await?;
    Ok(Json(Answer { found }).into_response())
}

/// What was typed, without what nobody types, cut to what is read.
fn plain(typed: &str) -> String {
    let typed: String = typed
        .chars()
        .filter(|letter| !letter.is_control())
        .take(LONGEST)
        .collect();
    typed.trim().to_owned()
}

/// "#12" or "12".
fn number_in(question: &str) -> Option<i64> {
    question
        .strip_prefix('#')
        .unwrap_or(question)
        .parse::<i64>()
        .ok()
        .filter(|number| *number > 0)
}

fn find(tx: &mut Tx, caller: &Caller, question: &str) -> Result<Vec<Found>, Problem> {
    if question.chars().count() < SHORTEST && number_in(question).is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    if caller.may(Action::View, Resource::Incident) {
        found.extend(found_incidents(tx, caller, question)?);
    }
    if caller.may(Action::View, Resource::Service) {
        found.extend(technical(tx, question)?);
    }
    if caller.may(Action::View, Resource::BusinessService) {
        found.extend(touched(tx, question)?);
    }
    if caller.may(Action::View, Resource::Location) {
        found.extend(places(tx, question)?);
    }
    if caller.may(Action::View, Resource::Account) {
        found.extend(customers(tx, question)?);
    }
    if caller.may(Action::View, Resource::Case) {
        found.extend(cases(tx, question)?);
    }
    if caller.may(Action::View, Resource::User) {
        found.extend(people(tx, question)?);
    }
    found.extend(actions(caller, question));
    found.truncate(MOST);
    Ok(found)
}

fn few() -> Page {
    Page {
        limit: EACH,
        offset: 0,
        counted: Counted::No,
    }
}

/// Queries read one row more than asked for, to know whether there are more.
fn first<T>(rows: Vec<T>) -> impl Iterator<Item = T> {
    rows.into_iter().take(EACH as usize)
}

fn found_incidents(tx: &mut Tx, caller: &Caller, question: &str) -> Result<Vec<Found>, Problem> {
    let number = number_in(question);
    let sought = incidents::Sought {
        number,
        words: number.is_none().then(|| question.to_owned()),
        latest: number.is_none().then_some(LATEST),
        order: Order::NEWEST,
        ..incidents::Sought::default()
    };
    let incidents: Vec<Incident> = first(incidents::list(tx, &sought, few())?).collect();
    let headlines = headline::of(tx, &incidents)?;
    let mut found = Vec::new();
    for incident in &incidents {
        let felt = headlines
            .get(&incident.id)
            .and_then(|headline| headline.felt.first())
            .unwrap_or(&incident.title);
        let state = match incident.status {
            Status::Triggered => "triggered",
            Status::Acknowledged => "acknowledged",
            Status::Resolved => "resolved",
        };
        found.push(Found::open(
            format!("#{} {felt}", incident.number),
            format!("Incident, {state}"),
            format!("/console/incidents/{}", incident.id),
        ));
    }
    // What can be done stands below the one that was meant by its number, or that is alone.
    if let [incident] = incidents.as_slice() {
        found.extend(to_do(caller, incident));
    }
    Ok(found)
}

/// What a caller may do with an incident from anywhere.
fn to_do(caller: &Caller, incident: &Incident) -> Vec<Found> {
    let number = incident.number;
    let room = format!("/console/incidents/{}", incident.id);
    let mut actions = Vec::new();
    let responds = caller.may(Action::Respond, Resource::Incident);
    if responds && incident.status == Status::Triggered {
        actions.push(Found {
            words: format!("Acknowledge #{number}"),
            kind: "Do".to_owned(),
            to: format!("{room}/acknowledge"),
            does: Does::Post,
        });
    }
    if incident.status == Status::Resolved {
        actions.push(Found::open(
            format!("Read the report of #{number}"),
            "Do",
            format!("/console/learn/{}", incident.id),
        ));
        return actions;
    }
    if caller.may(Action::Create, Resource::Update) {
        actions.push(Found::open(
            format!("Tell customers about #{number}"),
            "Do",
            format!("/console/updates?incident={}", incident.id),
        ));
    }
    if responds {
        for (words, dialog) in [
            ("Escalate", "escalate"),
            ("Ask someone to join", "responders"),
            ("Resolve", "resolve"),
        ] {
            actions.push(Found::open(
                format!("{words}: #{number}"),
                "Do",
                format!("{room}#{dialog}"),
            ));
        }
    }
    actions
}

fn cases(tx: &mut Tx, question: &str) -> Result<Vec<Found>, Problem> {
    let number = crate::cases::store::number_in(question);
    let sought = crate::cases::store::Sought {
        number,
        words: number.is_none().then(|| question.to_owned()),
        ..crate::cases::store::Sought::default()
    };
    let (cases, _) = crate::cases::store::list(tx, &sought, few())?;
    Ok(first(cases)
        .map(|case| {
            Found::open(
                format!("{} {}: {}", case.label(), case.reporter(), case.subject),
                "Case",
                format!("/console/desk?case={}", case.id),
            )
        })
        .collect())
}

fn technical(tx: &mut Tx, question: &str) -> Result<Vec<Found>, Problem> {
    let filter = ServiceFilter {
        pattern: Some(anywhere(question)),
        ..ServiceFilter::default()
    };
    Ok(first(services::list(tx, &filter, few())?)
        .map(|service| {
            let to = format!("/console/services/{}", service.id);
            Found::open(service.name, "Service", to)
        })
        .collect())
}

fn touched(tx: &mut Tx, question: &str) -> Result<Vec<Found>, Problem> {
    let wanted = question.to_lowercase();
    Ok(touchpoints::all(tx)?
        .into_iter()
        .filter(|one| one.name.to_lowercase().contains(&wanted))
        .take(EACH as usize)
        .map(|one| {
            let to = format!("/console/services/{}", one.id);
            Found::open(one.name, "Touchpoint", to)
        })
        .collect())
}

/// Sites; a terminal is found by its site.
fn places(tx: &mut Tx, question: &str) -> Result<Vec<Found>, Problem> {
    let sought = locations::Sought {
        words: Some(question.to_owned()),
        kind: Some(locations::LocationKind::Site),
        ..locations::Sought::default()
    };
    Ok(first(locations::list(tx, &sought, few())?)
        .map(|one| {
            let to = match &one.code {
                Some(code) => format!("/at/{}", escaped(code)),
                None => "/console/services/shops".to_owned(),
            };
            Found::open(one.name, "Location", to)
        })
        .collect())
}

fn customers(tx: &mut Tx, question: &str) -> Result<Vec<Found>, Problem> {
    let sought = accounts::Sought {
        words: Some(question.to_owned()),
        ..accounts::Sought::default()
    };
    Ok(first(accounts::list(tx, &sought, few())?)
        .map(|one| {
            let to = format!("/console/customers/{}", one.id);
            Found::open(one.name, "Customer", to)
        })
        .collect())
}

fn people(tx: &mut Tx, question: &str) -> Result<Vec<Found>, Problem> {
    let filter = UserFilter {
        pattern: Some(anywhere(question)),
        ..UserFilter::default()
    };
    Ok(first(list_users(tx, &filter, few())?)
        .map(|user| {
            let title = user
                .job_title
                .map_or_else(|| "Person".to_owned(), |title| format!("Person, {title}"));
            Found::open(user.name, title, "/console/settings")
        })
        .collect())
}

/// What can be done anywhere: its words, where, and what it asks of the caller.
const ACTIONS: [(&str, &str, Action, Resource); 10] = [
    (
        "Raise an incident",
        "/console/incidents#raise",
        Action::Create,
        Resource::Incident,
    ),
    ("Ask: is it us?", "/console/desk", Action::View, Resource::Case),
    (
        "Write an update for customers",
        "/console/updates",
        Action::Create,
        Resource::Update,
    ),
    (
        "See who is on call",
        "/console/on-call",
        Action::View,
        Resource::Schedule,
    ),
    (
        "Plan maintenance",
        "/console/maintenance",
        Action::Create,
        Resource::MaintenanceWindow,
    ),
    (
        "Watch the shops",
        "/console/services/shops",
        Action::View,
        Resource::Location,
    ),
    (
        "Add a person",
        "/console/settings",
        Action::Create,
        Resource::User,
    ),
    (
        "Make an API key",
        "/console/settings/keys",
        Action::Change,
        Resource::OwnProfile,
    ),
    (
        "See what was sent",
        "/console/settings/outbox",
        Action::View,
        Resource::Outbox,
    ),
    (
        "How I am paged",
        "/console/settings/me",
        Action::Change,
        Resource::OwnProfile,
    ),
];

fn actions(caller: &Caller, question: &str) -> Vec<Found> {
    let wanted = question.to_lowercase();
    let words: Vec<&str> = wanted.split_whitespace().collect();
    ACTIONS
        .iter()
        .filter(|(said, ..)| {
            let said = said.to_lowercase();
            !words.is_empty() && words.iter().all(|word| said.contains(word))
        })
        .filter(|(_, _, action, resource)| caller.may(*action, *resource))
        .map(|(said, to, ..)| Found::open(*said, "Do", *to))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_cut_and_cleaned() {
        assert_eq!(plain("  card\0 pay\nments "), "card payments");
        assert_eq!(plain(&"x".repeat(10_000)).len(), LONGEST);
    }

    #[test]
    fn numbers_are_read_with_and_without_their_sign() {
        assert_eq!(number_in("#12"), Some(12));
        assert_eq!(number_in("12"), Some(12));
        assert_eq!(number_in("#"), None);
        assert_eq!(number_in("-4"), None);
        assert_eq!(number_in("12 shops"), None);
    }
}
