//! The facts of a report, read from the timeline. Pure: the same entries give the same facts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::impact::Impact;
use crate::impact::model::LossPerHour;
use crate::incidents::Incident;
use crate::incidents::model::Origin;
use crate::timeline::{AgentKind, Entry, Kind};

/// Lines of the timeline that a report shows.
const MOST_LINES: usize = 500;
/// Width of one step of the customers' lane.
const STEP_SECONDS: i64 = 300;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReviewFacts)]
pub struct Facts {
    /// The first sign of it: an alert, a customer's report, or else when somebody opened the incident. Everything
    /// is counted from here.
    #[schema(value_type = String, format = DateTime)]
    pub began_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub acknowledged_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_update_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_answer_at: Option<Timestamp>,
    /// Who told us first: machines, customers or people inside.
    pub noticed_by: NoticedBy,
    pub seconds: Durations,
    pub people: Vec<Person>,
    pub updates: Vec<Said>,
    pub promises: Promises,
    pub cases: Cases,
    pub alerts: i64,
    /// "Card payments, Loyalty; 24 of 240 sites named".
    pub hurt: String,
    pub touchpoints: Vec<String>,
    pub sites: i64,
    pub accounts: i64,
    /// What it cost from beginning to end, in minor units.
    pub cost: Vec<LossPerHour>,
    pub lanes: Lanes,
    pub timeline: Vec<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticedBy {
    Machines,
    Customers,
    People,
}

impl NoticedBy {
    /// What the times of a report count from, which is also who noticed it first.
    pub fn beginning(self) -> &'static str {
        match self {
            Self::Machines => "the first alert",
            Self::Customers => "the first customer's report",
            Self::People => "when somebody here opened it",
        }
    }
}

/// From the beginning; absent while it has not happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReviewSeconds)]
pub struct Durations {
    pub to_acknowledge: Option<i64>,
    pub to_first_update: Option<i64>,
    pub to_resolve: Option<i64>,
    pub to_last_answer: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReviewPerson)]
pub struct Person {
    pub id: Option<String>,
    pub name: String,
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// What they did, as the timeline tells it; at most twenty.
    pub did: Vec<Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReviewMark)]
pub struct Mark {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub kind: Kind,
    pub entry_id: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReviewSaid)]
pub struct Said {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub entry_id: String,
    pub audience: Option<String>,
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReviewPromises)]
pub struct Promises {
    pub made: i64,
    pub kept: i64,
    pub missed: i64,
}

impl Promises {
    /// Those that readers still wait on.
    pub fn open(&self) -> i64 {
        (self.made - self.kept - self.missed).max(0)
    }

    /// "2 made, 1 kept, 0 missed, 1 still open".
    pub fn figures(&self) -> String {
        let ended = format!("{} made, {} kept, {} missed", self.made, self.kept, self.missed);
        match self.open() {
            0 => ended,
            open => format!("{ended}, {open} still open"),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, store::FromRow, utoipa::ToSchema)]
#[schema(as = ReviewCases)]
pub struct Cases {
    pub linked: i64,
    pub owed: i64,
    pub works: i64,
    pub still_broken: i64,
}

/// A change that was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReviewedChange)]
pub struct Changed {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub summary: String,
}

/// Something at a site that fell silent, and came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    pub site: String,
    pub from: Timestamp,
    pub until: Option<Timestamp>,
}

/// One clock, five lanes: what the picture of a report is drawn from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReviewLanes)]
pub struct Lanes {
    /// On what the incident's service stands on.
    pub changes: Vec<Changed>,
    pub machines: Vec<Mark>,
    pub people: Vec<Person>,
    /// Cases in each five minutes in which there were any.
    pub customers: Vec<Count>,
    /// Hurt sites, whenever their number changed: by what fell silent where machines watch sites, else by who named them.
    pub places: Vec<Count>,
    pub said: Vec<Mark>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReviewCount)]
pub struct Count {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub count: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReviewLine)]
pub struct Line {
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub entry_id: String,
    pub kind: Kind,
    pub who: String,
    pub text: String,
}

/// What a report is made of.
pub struct Sources<'a> {
    pub incident: &'a Incident,
    /// The whole timeline, oldest first.
    pub entries: &'a [Entry],
    pub impact: &'a Impact,
    pub cases: Cases,
    /// When each linked case was reported.
    pub reported: &'a [Timestamp],
    pub first_alert_at: Option<Timestamp>,
    pub silences: &'a [Silence],
    pub changes: &'a [Changed],
}

pub fn of(sources: &Sources) -> Facts {
    let Sources {
        incident,
        entries,
        impact,
        cases,
        reported,
        first_alert_at,
        silences,
        changes,
    } = sources;
    let (began_at, noticed_by) = beginning(incident, reported, *first_alert_at);
    let first = |kind: Kind| {
        entries
            .iter()
            .find(|entry| entry.kind == kind)
            .map(|entry| entry.at)
    };
    let resolved_at = incident.resolved_at;
    let acknowledged_at = first(Kind::Acknowledged);
    let answered = answers_that_arrived(entries);
    let first_update_at = first(Kind::UpdatePublished)
        .into_iter()
        .chain(answered.first().copied())
        .min();
    let last_answer_at = answered.last().copied();
    let since = |at: Option<Timestamp>| at.map(|at| at.duration_since(began_at).as_secs().max(0));
    let people = people(entries);
    Facts {
        began_at,
        acknowledged_at,
        resolved_at,
        first_update_at,
        last_answer_at,
        noticed_by,
        seconds: Durations {
            to_acknowledge: since(acknowledged_at),
            to_first_update: since(first_update_at),
            to_resolve: since(resolved_at),
            to_last_answer: since(last_answer_at),
        },
        updates: entries
            .iter()
            .filter(|entry| matches!(entry.kind, Kind::UpdatePublished | Kind::StatusUpdatePublished))
            .map(|entry| Said {
                at: entry.at,
                entry_id: entry.id.to_string(),
                audience: entry
                    .details
                    .get("audience_name")
                    .and_then(|name| name.as_str())
                    .map(str::to_owned),
                text: entry.text.clone(),
            })
            .collect(),
        promises: Promises {
            made: count(entries, Kind::PromiseMade),
            kept: count(entries, Kind::PromiseKept),
            missed: count(entries, Kind::PromiseMissed),
        },
        cases: cases.clone(),
        alerts: count(entries, Kind::AlertAdded),
        hurt: impact.sentence(),
        touchpoints: impact.touchpoints.iter().map(|one| one.name.clone()).collect(),
        sites: if impact.locations.sites_named() > 0 {
            impact.locations.sites_named()
        } else {
            impact.locations.sites_using
        },
        accounts: impact.accounts.count,
        cost: cost(impact, since(resolved_at)),
        lanes: Lanes {
            changes: changes.to_vec(),
            machines: marks(entries, |entry| {
                matches!(
                    entry.kind,
                    Kind::AlertAdded | Kind::AlertResolved | Kind::ChangeSeen | Kind::Triggered
                )
            }),
            people: people.clone(),
            customers: steps(reported),
            places: if silences.is_empty() {
                places(entries)
            } else {
                silent_places(silences)
            },
            said: marks(entries, |entry| {
                matches!(
                    entry.kind,
                    Kind::UpdatePublished
                        | Kind::AnswerSent
                        | Kind::AnswerUndelivered
                        | Kind::PromiseMissed
                        | Kind::PageIncidentPosted
                )
            }),
        },
        people,
        timeline: entries
            .iter()
            .filter(|entry| {
                !matches!(
                    entry.kind,
                    Kind::AlertRepeated | Kind::PageOwed | Kind::UpdateDrafted
                )
            })
            .take(MOST_LINES)
            .map(|entry| Line {
                at: entry.at,
                entry_id: entry.id.to_string(),
                kind: entry.kind,
                who: entry.agent_name.clone(),
                text: entry.text.clone(),
            })
            .collect(),
    }
}

/// The first sign of an incident, and whose it was. What began it counts before what came in the same moment.
fn beginning(
    incident: &Incident,
    reported: &[Timestamp],
    first_alert_at: Option<Timestamp>,
) -> (Timestamp, NoticedBy) {
    let opened_by = match incident.origin {
        Origin::Case => NoticedBy::Customers,
        Origin::Event => NoticedBy::Machines,
        Origin::Person => NoticedBy::People,
    };
    let mut first = (incident.created_at, opened_by);
    let signs = [
        (first_alert_at, NoticedBy::Machines),
        (reported.iter().copied().min(), NoticedBy::Customers),
    ];
    for (at, noticed_by) in signs {
        if let Some(at) = at.filter(|at| *at < first.0) {
            first = (at, noticed_by);
        }
    }
    first
}

/// When answers went out, without those that came back from all whom they were for.
fn answers_that_arrived(entries: &[Entry]) -> Vec<Timestamp> {
    let cases = |entry: &Entry| -> BTreeSet<String> {
        let named = entry.details.get("cases").and_then(serde_json::Value::as_array);
        named
            .into_iter()
            .flatten()
            .filter_map(|case| case.as_str().map(str::to_owned))
            .collect()
    };
    let mut sent: Vec<(Timestamp, BTreeSet<String>)> = Vec::new();
    for entry in entries {
        match entry.kind {
            Kind::AnswerSent => sent.push((entry.at, cases(entry))),
            Kind::AnswerUndelivered => {
                for case in cases(entry) {
                    let last = sent.iter().rposition(|(_, whom)| whom.contains(&case));
                    if let Some(last) = last {
                        sent[last].1.remove(&case);
                        if sent[last].1.is_empty() {
                            sent.remove(last);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    sent.into_iter().map(|(at, _)| at).collect()
}

fn count(entries: &[Entry], kind: Kind) -> i64 {
    entries.iter().filter(|entry| entry.kind == kind).count() as i64
}

fn mark(entry: &Entry) -> Mark {
    Mark {
        at: entry.at,
        kind: entry.kind,
        entry_id: entry.id.to_string(),
        text: entry.text.clone(),
    }
}

fn marks(entries: &[Entry], wanted: impl Fn(&Entry) -> bool) -> Vec<Mark> {
    entries
        .iter()
        .filter(|entry| wanted(entry))
        .take(MOST_LINES)
        .map(mark)
        .collect()
}

/// Everybody with a name who did something, in the order in which they came.
fn people(entries: &[Entry]) -> Vec<Person> {
    const MOST_MARKS: usize = 20;
    let mut people: Vec<Person> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.agent_type == AgentKind::User) {
        let known = people.iter_mut().find(|person| person.id == entry.agent_id);
        match known {
            Some(person) => {
                person.until = entry.at;
                if person.did.len() < MOST_MARKS {
                    person.did.push(mark(entry));
                }
            }
            None => people.push(Person {
                id: entry.agent_id.clone(),
                name: entry.agent_name.clone(),
                from: entry.at,
                until: entry.at,
                did: vec![mark(entry)],
            }),
        }
    }
    people
}

fn steps(reported: &[Timestamp]) -> Vec<Count> {
    let mut steps: BTreeMap<i64, i64> = BTreeMap::new();
    for at in reported {
        *steps
            .entry(at.as_second().div_euclid(STEP_SECONDS) * STEP_SECONDS)
            .or_default() += 1;
    }
    steps
        .into_iter()
        .filter_map(|(second, count)| {
            Some(Count {
                at: Timestamp::from_second(second).ok()?,
                count,
            })
        })
        .collect()
}

/// How many sites were hurt, each time the impact changed.
fn places(entries: &[Entry]) -> Vec<Count> {
    entries
        .iter()
        .filter(|entry| entry.kind == Kind::ImpactChanged)
        .map(|entry| {
            let number = |field: &str| {
                entry
                    .details
                    .get(field)
                    .and_then(serde_json::Value::as_i64)
                    .unwrap_or(0)
            };
            let confirmed = number("sites_confirmed");
            Count {
                at: entry.at,
                count: if confirmed > 0 || number("sites_recovering") + number("sites_back") > 0 {
                    confirmed
                } else {
                    number("sites_using")
                },
            }
        })
        .collect()
}

/// How many sites had something silent, each time that changed.
fn silent_places(silences: &[Silence]) -> Vec<Count> {
    let mut turns: Vec<(Timestamp, &str, i64)> = silences
        .iter()
        .flat_map(|one| {
            let site = one.site.as_str();
            [
                Some((one.from, site, 1)),
                one.until.map(|until| (until, site, -1)),
            ]
        })
        .flatten()
        .collect();
    turns.sort();
    let mut silent: BTreeMap<&str, i64> = BTreeMap::new();
    let mut counts: Vec<Count> = Vec::new();
    for (at, site, turn) in turns {
        *silent.entry(site).or_default() += turn;
        let count = silent.values().filter(|count| **count > 0).count() as i64;
        if counts.last().is_none_or(|last| last.count != count) {
            counts.push(Count { at, count });
        }
    }
    counts
}

/// The loss an hour over the time it lasted.
fn cost(impact: &Impact, seconds: Option<i64>) -> Vec<LossPerHour> {
    let Some(seconds) = seconds else {
        return Vec::new();
    };
    let over =
        |amount: i64| i64::try_from(i128::from(amount) * i128::from(seconds) / 3_600).unwrap_or(i64::MAX);
    impact
        .loss_per_hour
        .iter()
        .map(|loss| LossPerHour {
            currency: loss.currency.clone(),
            low: over(loss.low),
            likely: over(loss.likely),
            high: over(loss.high),
        })
        .collect()
}
