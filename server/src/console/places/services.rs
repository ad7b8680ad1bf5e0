//! *Services*: the dependency picture with the path of an open incident lit, and every service with its state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use store::Tx;

use super::services_hurt::{self, OpenIncident, Origin, Sure, capital, place_of_lit};
use super::{service_change, situation};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::frame::Situation;
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::prelude::{
    Choices, ChoicesLook, Edge, GraphInput, Node, NodeMark, NodeTone, Person, Place, Reading, Rich,
    State as Shape, StateMark, counted, graph,
};
use crate::console::screens::services::{NewKinds, NewServices, PathStep, ServiceRow, Services};
use crate::http::listing::Counted;
use crate::http::{Page, Problem, Query};
use crate::oncall::{EscalationPolicyId, load_policy, people_on_call};
use crate::services::store::services::{self as rows, ServiceFilter};
use crate::services::store::touchpoints;

/// Boxes that a picture still bears; beyond it only those on a path are drawn.
const BEARABLE: usize = 60;
/// What is said of a service that has no incident of its own.
const BELOW: &str = "something below it is hurt";
/// Columns of technical services at most; deeper ones share the first.
const DEEPEST: usize = 3;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/services", get(page))
}

pub(super) fn tabs(current: usize) -> Choices {
    Choices::new(
        ChoicesLook::Tabs,
        "Services",
        current,
        &[
            ("Picture", "/console/services"),
            ("Shops", "/console/services/shops"),
        ],
    )
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Lit {
    /// An incident's id, or `everything`.
    lit: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Technical,
    Business,
}

/// One service of either kind.
struct Known {
    id: String,
    name: String,
    kind: Kind,
    policy: Option<EscalationPolicyId>,
}

struct Everything {
    situation: Situation,
    services: Vec<Known>,
    /// From what supports to what depends on it.
    edges: Vec<(String, String)>,
    open: Vec<OpenIncident>,
    /// Where the lit incident began, as far as that is known.
    origin: Option<Origin>,
    alerts: BTreeMap<String, i64>,
    changes: BTreeMap<String, (Timestamp, String)>,
    on_call: BTreeMap<String, String>,
    maintained: BTreeSet<String>,
    adds: Option<NewServices>,
}

async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(lit): Query<Lit>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Service)?;
    let reading = visitor.reading(&app);
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let wanted = lit.lit.clone();
    let known = app
        .read(move |tx| -> Result<Everything, Problem> {
            Ok(Everything {
                situation: situation::read(tx, &caller, now)?,
                adds: what_may_be_added(tx, &caller)?,
                ..know(tx, &wanted, now)?
            })
        })
        .await?;
    Ok(show(&draw(&app, &visitor, &reading, &lit.lit, known)))
}

/// What this caller may add: one whose rights end at their own team gives a service to one of its policies.
fn what_may_be_added(tx: &mut Tx, caller: &Caller) -> Result<Option<NewServices>, Problem> {
    if !caller.may(Action::Create, Resource::Service) {
        return Ok(None);
    }
    let kinds = match caller.require(Action::Create, Resource::BusinessService) {
        Ok(()) => NewKinds::Both,
        Err(_) => NewKinds::Technical,
    };
    let policies = service_change::policies(tx, caller)?;
    Ok((kinds == NewKinds::Both || !policies.is_empty()).then_some(NewServices { kinds, policies }))
}

fn know(tx: &mut Tx, lit: &str, now: Timestamp) -> Result<Everything, Problem> {
    let many = |limit| Page {
        limit,
        offset: 0,
        counted: Counted::No,
    };
    let technical: Vec<(String, String, EscalationPolicyId)> =
        rows::list(tx, &ServiceFilter::default(), many(500))?
            .into_iter()
            .map(|service| (service.id.to_string(), service.name, service.escalation_policy_id))
            .collect();
    let mut business = touchpoints::all(tx)?;
    business.sort_by_key(|touchpoint| std::cmp::Reverse(touchpoint.harm_weight));
    let edges = touchpoints::all_dependencies(tx)?
        .into_iter()
        .map(|one| (one.supporting_id, one.dependent_id))
        .collect();
    let mut open = crate::incidents::store::open(tx, 200)?;
    open.sort_by_key(|incident| (incident.urgency.as_text(), incident.number));
    let day_ago = now - std::time::Duration::from_hours(24);
    let alerts = crate::alerts::store::count_by_service(tx, day_ago)?;
    let month_ago = now - std::time::Duration::from_hours(30 * 24);
    let mut changes = crate::services::change_events::since(tx, &[], month_ago, 2_000)?;
    changes.retain(|change| change.at <= now);
    changes.reverse();
    let ids: Vec<String> = technical.iter().map(|(id, _, _)| id.clone()).collect();
    let maintained = rows::standing(tx, &ids, now)?.in_maintenance;
    let on_call = first_on_call(tx, technical.iter().map(|(_, _, policy)| policy), now)?;
    let services = technical
        .into_iter()
        .map(|(id, name, policy)| Known {
            id,
            name,
            kind: Kind::Technical,
            policy: Some(policy),
        })
        .chain(business.into_iter().map(|touchpoint| Known {
            id: touchpoint.id.to_string(),
            name: touchpoint.name,
            kind: Kind::Business,
            policy: None,
        }))
        .collect();
    Ok(Everything {
        situation: Situation::calm(),
        services,
        edges,
        open: services_hurt::read(tx, &open)?,
        origin: match place_of_lit(lit, open.iter().map(|one| one.id.as_str())) {
            Some(place) => services_hurt::origin_of(tx, &open[place])?,
            None => None,
        },
        alerts: alerts.into_iter().collect(),
        changes: changes
            .into_iter()
            .map(|change| (change.service_id, (change.at, change.summary)))
            .collect(),
        on_call,
        maintained: maintained.into_iter().collect(),
        adds: None,
    })
}

/// The name of the first person on call, for each policy that is used.
fn first_on_call<'a>(
    tx: &mut Tx,
    policies: impl Iterator<Item = &'a EscalationPolicyId>,
    now: Timestamp,
) -> Result<BTreeMap<String, String>, Problem> {
    let mut names = BTreeMap::new();
    for id in policies {
        if names.contains_key(id.as_str()) {
            continue;
        }
        let targets = load_policy(tx, id)?
            .and_then(|policy| policy.rules.into_iter().next())
            .map(|rule| rule.targets);
        let Some(first) = people_on_call(tx, &targets.unwrap_or_default(), now)?
            .into_iter()
            .next()
        else {
            continue;
        };
        if let Some(user) = crate::people::store::find_user(tx, &first)? {
            names.insert(id.as_str().to_owned(), user.name);
        }
    }
    Ok(names)
}

impl Everything {
    fn state(&self, id: &str) -> Shape {
        let own = |shape| {
            self.open
                .iter()
                .any(|one| one.service_id == id && one.shape == shape)
        };
        let of_customers = |shape| {
            self.open
                .iter()
                .any(|one| one.touchpoint(id).is_some_and(|(hurt, _)| hurt == shape))
        };
        let stands_on_broken = || {
            self.supporters(id)
                .iter()
                .any(|below| self.open.iter().any(|one| one.service_id == *below))
        };
        let has_joined = self.open.iter().any(|one| one.has_joined(id));
        if let Some(shape) = [Shape::Triggered, Shape::Acknowledged, Shape::Recovering]
            .into_iter()
            .find(|shape| own(*shape))
        {
            shape
        } else if self.maintained.contains(id) {
            Shape::Maintenance
        } else if of_customers(Shape::Triggered) {
            Shape::Triggered
        } else if has_joined || of_customers(Shape::Slow) || stands_on_broken() {
            Shape::Slow
        } else {
            Shape::Working
        }
    }

    /// The same in the picture: where an incident likely began is not well there, though it has raised no alarm.
    fn state_of(&self, service: &Known, lit: Option<&OpenIncident>) -> Shape {
        match self.state(&service.id) {
            Shape::Working if lit.is_some_and(|one| self.began(one) == service.id) => Shape::Unknown,
            state => state,
        }
    }

    /// The service in which the lit incident began, as far as that is known; otherwise the one it opened on.
    fn began<'a>(&'a self, lit: &'a OpenIncident) -> &'a str {
        let origin = self.origin.as_ref().map(|origin| origin.service_id.as_str());
        origin
            .filter(|id| self.services.iter().any(|service| service.id == *id))
            .unwrap_or(&lit.service_id)
    }

    fn began_words(&self) -> &'static str {
        match &self.origin {
            Some(Origin {
                sure: Sure::Likely, ..
            }) => "where it likely began",
            Some(_) | None => "where it began",
        }
    }

    /// Everything below a service, however deep.
    fn supporters(&self, id: &str) -> BTreeSet<&str> {
        self.reach(id, |(supporting, dependent), at| {
            (dependent == at).then_some(supporting.as_str())
        })
    }

    /// Everything above a service, however high.
    fn dependents(&self, id: &str) -> BTreeSet<&str> {
        self.reach(id, |(supporting, dependent), at| {
            (supporting == at).then_some(dependent.as_str())
        })
    }

    fn reach<'a>(
        &'a self,
        from: &str,
        step: impl Fn(&'a (String, String), &str) -> Option<&'a str>,
    ) -> BTreeSet<&'a str> {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut waiting: Vec<&str> = self.edges.iter().filter_map(|edge| step(edge, from)).collect();
        while let Some(at) = waiting.pop() {
            if reached.insert(at) {
                waiting.extend(self.edges.iter().filter_map(|edge| step(edge, at)));
            }
        }
        reached
    }

    /// How many technical services lie below, along the longest way; a circle counts as the deepest.
    fn depths(&self) -> BTreeMap<&str, usize> {
        let mut depths: BTreeMap<&str, usize> = self
            .services
            .iter()
            .map(|service| (service.id.as_str(), 0))
            .collect();
        for _ in 0..DEEPEST {
            for (supporting, dependent) in &self.edges {
                let below = depths.get(supporting.as_str()).copied().unwrap_or(0);
                if let Some(depth) = depths.get_mut(dependent.as_str()) {
                    *depth = (*depth).max((below + 1).min(DEEPEST - 1));
                }
            }
        }
        depths
    }
}

fn draw(app: &App, visitor: &Visitor, reading: &Reading, wanted: &str, known: Everything) -> Services {
    let lit = place_of_lit(wanted, known.open.iter().map(|one| one.id.as_str()))
        .and_then(|place| known.open.get(place));
    let began = lit.map(|one| known.began(one));
    let path: BTreeSet<&str> = lit
        .map(|one| {
            known
                .dependents(&one.service_id)
                .into_iter()
                .chain([one.service_id.as_str(), known.began(one)])
                .chain(one.path())
                .collect()
        })
        .unwrap_or_default();
    let touched = known
        .services
        .iter()
        .filter(|service| service.kind == Kind::Business && path.contains(service.id.as_str()))
        .count();
    let origin = began.and_then(|id| known.services.iter().find(|service| service.id == id));
    let where_it_began = |name: &str| match known.origin.as_ref().map(|origin| origin.sure) {
        Some(Sure::Likely) => format!("A fault, likely in {name},"),
        Some(Sure::Confirmed) | None => format!("A fault in {name}"),
    };
    let technical = known
        .services
        .iter()
        .filter(|service| service.kind == Kind::Technical)
        .count();
    let below = match lit {
        Some(one) => Rich::plain("The lit path is ")
            .link(
                format!("#{}", one.number),
                format!("/console/incidents/{}", one.id.as_str()),
            )
            .then(": from where it began, through what engineers run, to what customers touch."),
        None => Rich::default(),
    };
    Services {
        headline: match origin {
            Some(origin) => format!(
                "{} hurts {}",
                where_it_began(&origin.name),
                match touched {
                    0 => "nothing that customers touch".to_owned(),
                    count => counted(count as u64, "touchpoint", "touchpoints"),
                }
            ),
            None => "What you run, and whom it serves".to_owned(),
        },
        below,
        lit: lit_choices(&known, lit),
        tabs: tabs(0),
        graph: graph(&picture(&known, lit, &path)),
        path: lit.map(|one| steps(&known, one, &path)).unwrap_or_default(),
        list_note: format!(
            "{technical} technical, {}",
            counted(
                (known.services.len() - technical) as u64,
                "touchpoint",
                "touchpoints"
            )
        ),
        rows: worst_first(&known)
            .into_iter()
            .map(|service| row(&known, service, reading))
            .collect(),
        adds: known.adds.clone(),
        frame: visitor.frame(app, Place::Services, "Services", known.situation),
    }
}

fn lit_choices(known: &Everything, lit: Option<&OpenIncident>) -> Option<Choices> {
    let shown: Vec<&OpenIncident> = known.open.iter().take(3).collect();
    if shown.is_empty() {
        return None;
    }
    let mut choices: Vec<(String, String)> = shown
        .iter()
        .map(|one| {
            (
                format!("#{}", one.number),
                format!("/console/services?lit={}", one.id.as_str()),
            )
        })
        .collect();
    choices.push((
        "Everything".to_owned(),
        "/console/services?lit=everything".to_owned(),
    ));
    let current = lit
        .and_then(|lit| shown.iter().position(|one| one.id == lit.id))
        .unwrap_or(if lit.is_some() { 0 } else { choices.len() - 1 });
    let borrowed: Vec<(&str, &str)> = choices
        .iter()
        .map(|(words, to)| (words.as_str(), to.as_str()))
        .collect();
    Some(Choices::new(
        ChoicesLook::Segments,
        "Light the path of",
        current,
        &borrowed,
    ))
}

fn picture(known: &Everything, lit: Option<&OpenIncident>, path: &BTreeSet<&str>) -> GraphInput {
    let depths = known.depths();
    let depth_of = |service: &Known| depths.get(service.id.as_str()).copied().unwrap_or(0);
    let deepest = known
        .services
        .iter()
        .filter(|service| service.kind == Kind::Technical)
        .map(depth_of)
        .max()
        .unwrap_or(0);
    let mut columns = vec!["What it runs on", "In between", "Technical services"];
    columns.drain(..DEEPEST - 1 - deepest.min(DEEPEST - 1));
    if deepest == 1 {
        columns[0] = "What it runs on";
    }
    let touchpoints = columns.len();
    columns.push("Touchpoints");
    let crowded = known.services.len() > BEARABLE;
    let mut places = BTreeMap::new();
    let mut nodes = Vec::new();
    for service in known
        .services
        .iter()
        .filter(|service| !crowded || path.is_empty() || path.contains(service.id.as_str()))
        .take(4 * BEARABLE)
    {
        let on_path = path.contains(service.id.as_str());
        let is_origin = lit.is_some_and(|one| known.began(one) == service.id);
        let state = known.state_of(service, lit);
        places.insert(service.id.as_str(), nodes.len());
        nodes.push(Node {
            name: service.name.clone(),
            note: if is_origin {
                known.began_words().to_owned()
            } else {
                note(known, service, state)
            },
            mark: NodeMark::State(state),
            tone: match (is_origin, on_path || path.is_empty()) {
                (true, _) => NodeTone::Origin,
                (false, true) => NodeTone::Lit,
                (false, false) => NodeTone::Quiet,
            },
            column: if service.kind == Kind::Business {
                touchpoints
            } else {
                depth_of(service).min(touchpoints - 1)
            },
            to: address(service),
        });
    }
    let edges = known
        .edges
        .iter()
        .filter_map(|(from, to)| {
            let passes =
                (path.contains(from.as_str()) && path.contains(to.as_str())).then(|| known.state(to));
            Some(Edge {
                from: *places.get(from.as_str())?,
                to: *places.get(to.as_str())?,
                passes,
            })
        })
        .collect();
    GraphInput {
        columns,
        nodes,
        edges,
    }
}

fn address(service: &Known) -> String {
    format!("/console/services/{}", service.id)
}

fn note(known: &Everything, service: &Known, state: Shape) -> String {
    match (state, &service.policy) {
        (Shape::Working, Some(policy)) => known
            .on_call
            .get(policy.as_str())
            .cloned()
            .unwrap_or_else(|| "nobody on call".to_owned()),
        (Shape::Working, None) => "works".to_owned(),
        (Shape::Slow | Shape::Triggered, None) => known
            .open
            .iter()
            .filter_map(|one| one.touchpoint(&service.id))
            .find(|(shape, _)| *shape == state)
            .map_or(BELOW, |(_, word)| word)
            .to_owned(),
        (Shape::Slow, Some(_)) => known
            .open
            .iter()
            .find(|one| one.has_joined(&service.id))
            .map_or_else(|| BELOW.to_owned(), |one| format!("part of #{}", one.number)),
        (state, _) => state.word().to_lowercase(),
    }
}

fn steps(known: &Everything, lit: &OpenIncident, path: &BTreeSet<&str>) -> Vec<PathStep> {
    let hurt = |kind| -> Vec<_> {
        known
            .services
            .iter()
            .filter(|service| {
                service.kind == kind && path.contains(service.id.as_str()) && service.id != known.began(lit)
            })
            .map(|service| {
                let state = known.state(&service.id);
                (state.says(service.name.clone()), note(known, service, state))
            })
            .collect()
    };
    let name = known
        .services
        .iter()
        .find(|service| service.id == known.began(lit));
    let mut steps = vec![PathStep {
        mark: NodeMark::State(name.map_or(lit.shape, |service| known.state_of(service, Some(lit)))),
        name: name.map(|service| service.name.clone()).unwrap_or_default(),
        note: capital(known.began_words()),
        hurts: hurt(Kind::Technical),
    }];
    let touchpoints = hurt(Kind::Business);
    if !touchpoints.is_empty() {
        steps.push(PathStep {
            mark: NodeMark::Icon("customers"),
            name: counted(touchpoints.len() as u64, "touchpoint", "touchpoints"),
            note: "What customers notice".to_owned(),
            hurts: touchpoints,
        });
    }
    steps
}

/// What engineers run and then what customers touch, each with what is hurt on top.
fn worst_first(known: &Everything) -> Vec<&Known> {
    let rank = |service: &Known| match known.state(&service.id) {
        Shape::Triggered => 0,
        Shape::Acknowledged => 1,
        Shape::Recovering => 2,
        Shape::Slow => 3,
        Shape::Maintenance => 4,
        _ => 5,
    };
    let mut services: Vec<&Known> = known.services.iter().collect();
    services.sort_by_key(|service| (service.kind == Kind::Business, rank(service)));
    services
}

/// A touchpoint is down or slow where a service is triggered or acknowledged.
fn standing(known: &Everything, service: &Known) -> StateMark {
    let state = known.state(&service.id);
    match service.kind {
        Kind::Business if state != Shape::Working => state.says(capital(&note(known, service, state))),
        Kind::Business | Kind::Technical => state.mark(),
    }
}

fn row(known: &Everything, service: &Known, reading: &Reading) -> ServiceRow {
    ServiceRow {
        name: service.name.clone(),
        to: address(service),
        state: standing(known, service),
        on_call: match &service.policy {
            Some(policy) => known
                .on_call
                .get(policy.as_str())
                .map_or(Person::Nobody("Nobody"), |name| Person::named(name.clone())),
            None => Person::Nobody("what customers touch"),
        },
        last_change: known
            .changes
            .get(&service.id)
            .map(|(at, summary)| format!("{summary}, {}", reading.clock_words(*at)))
            .unwrap_or_default(),
        alerts: match service.kind {
            Kind::Technical => known.alerts.get(&service.id).copied().unwrap_or(0).to_string(),
            Kind::Business => String::new(),
        },
    }
}
