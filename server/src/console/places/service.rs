//! One service, or one touchpoint: how it stands, who answers for it, what it needs and what needs it, what
//! reports to it, whom it hurts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use store::Tx;

use super::{service_change, service_fields, service_rules, situation, touchpoint_change};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::frame::Situation;
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::prelude::{
    Actor, Entry, Link, Person, Pick, Place, Reading, Rich, State as Shape, StateMark, money,
};
use crate::console::screens::now::Happening;
use crate::console::screens::services::{Integration, Reports, Service, ServiceRights};
use crate::http::listing::Counted;
use crate::http::{Page, Path, Problem};
use crate::impact::{Impact, store as impact_rows};
use crate::incidents::store::{self as incident_rows, Order, Sought};
use crate::incidents::{Incident, Status};
use crate::oncall::{EscalationPolicy, load_policy, people_on_call};
use crate::services::change_events::{self, KeptChange};
use crate::services::graph::{self, ServiceKind, ServiceNode};
use crate::services::model::{self, BusinessService};
use crate::services::store::services::{self as rows, ServiceFilter};
use crate::services::store::{keys, touchpoints};
use crate::services::{BusinessServiceId, ServiceId};
use crate::vault::Vault;

/// Incidents, open ones first, that are shown.
const INCIDENTS: i64 = 12;
const CHANGES: i64 = 12;
const CHANGES_SINCE: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/services/{id}", get(page))
}

enum Kind {
    Technical(Box<Technical>),
    Touchpoint(Box<BusinessService>),
}

struct Technical {
    service: model::Service,
    policy: Option<EscalationPolicy>,
    /// For each rung of the ladder: when, and who is first.
    on_call: Vec<(String, Option<String>)>,
    integrations: Vec<model::Integration>,
    heard: BTreeMap<String, Timestamp>,
    changes: Vec<KeptChange>,
    rights: ServiceRights,
    rules: service_rules::Kept,
}

struct Known {
    situation: Situation,
    kind: Kind,
    incidents: Vec<Incident>,
    assigned: Vec<(String, String)>,
    /// What it stands on and what stands on it, directly.
    uses: Vec<ServiceNode>,
    used_by: Vec<ServiceNode>,
    /// Touchpoints that stand on it, however high.
    above: Vec<String>,
    /// The open incidents' impact.
    hurt: Vec<(Incident, Impact)>,
    names: BTreeMap<String, (ServiceKind, String)>,
    maintained: BTreeSet<String>,
}

async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, PageProblem> {
    draw(&app, &visitor, &id, None).await
}

/// Draws the page; `made` is the name, key and address of what was connected just now.
pub(super) async fn draw(
    app: &Arc<App>,
    visitor: &Visitor,
    id: &str,
    made: Option<(String, String, String)>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Service)?;
    let reading = visitor.reading(app);
    let (caller, now, wanted) = (visitor.0.clone(), app.clock.now(), id.to_owned());
    let known = app
        .read(move |tx| -> Result<Known, Problem> {
            Ok(Known {
                situation: situation::read(tx, &caller, now)?,
                ..know(tx, &caller, &wanted, now)?
            })
        })
        .await?;
    Ok(show(&view(app, visitor, &reading, id, known, made)))
}

fn know(tx: &mut Tx, caller: &Caller, id: &str, now: Timestamp) -> Result<Known, Problem> {
    let technical = crate::services::store::find(tx, &ServiceId::from(id))?;
    let kind = if let Some(service) = technical {
        Kind::Technical(Box::new(know_technical(tx, caller, service, now)?))
    } else {
        let touchpoint = touchpoints::find(tx, &BusinessServiceId::from(id))?;
        Kind::Touchpoint(Box::new(
            touchpoint.ok_or_else(|| Problem::not_found("The service"))?,
        ))
    };
    let all = Page {
        limit: 1_000,
        offset: 0,
        counted: Counted::No,
    };
    let mut names = BTreeMap::new();
    for service in rows::list(tx, &ServiceFilter::default(), all)? {
        names.insert(service.id.to_string(), (ServiceKind::Service, service.name));
    }
    for touchpoint in touchpoints::all(tx)? {
        names.insert(
            touchpoint.id.to_string(),
            (ServiceKind::BusinessService, touchpoint.name),
        );
    }
    let node = match kind {
        Kind::Technical(_) => ServiceNode::technical(id),
        Kind::Touchpoint(_) => ServiceNode::business(id),
    };
    let graph = graph::load(tx)?;
    let at_hops = |reached: &[graph::Reached], hops: usize| -> Vec<ServiceNode> {
        reached
            .iter()
            .filter(|one| one.hops == hops)
            .map(|one| one.node.clone())
            .collect()
    };
    let start = std::slice::from_ref(&node);
    let (below, above) = (graph.supporting_of(start), graph.dependents_of(start));
    let hurt = impact_rows::of_open(tx, 50)?;
    let incidents = match &kind {
        Kind::Technical(technical) => {
            let sought = Sought {
                service_ids: vec![technical.service.id.to_string()],
                order: Order::NEWEST,
                ..Sought::default()
            };
            let page = Page {
                limit: INCIDENTS,
                ..all
            };
            incident_rows::list(tx, &sought, page)?
        }
        Kind::Touchpoint(_) => hurt
            .iter()
            .filter(|(_, impact)| impact.touchpoints.iter().any(|one| one.id == id))
            .map(|(incident, _)| incident.clone())
            .collect(),
    };
    let ids: Vec<_> = incidents.iter().map(|incident| incident.id.clone()).collect();
    let assigned = incident_rows::assignments(tx, &ids)?
        .into_iter()
        .map(|one| (one.incident_id.to_string(), one.user_name))
        .collect();
    let technical_ids: Vec<String> = names.keys().cloned().collect();
    Ok(Known {
        situation: Situation::calm(),
        incidents,
        assigned,
        uses: at_hops(&below, 1),
        used_by: at_hops(&above, 1),
        above: above
            .iter()
            .filter(|one| one.hops > 0 && one.node.kind == ServiceKind::BusinessService)
            .map(|one| one.node.id.clone())
            .collect(),
        hurt,
        maintained: rows::standing(tx, &technical_ids, now)?
            .in_maintenance
            .into_iter()
            .collect(),
        names,
        kind,
    })
}

fn know_technical(
    tx: &mut Tx,
    caller: &Caller,
    service: model::Service,
    now: Timestamp,
) -> Result<Technical, Problem> {
    let policy = load_policy(tx, &service.escalation_policy_id)?;
    let mut on_call = Vec::new();
    let mut after = 0;
    for rule in policy.iter().flat_map(|policy| &policy.rules) {
        let first = people_on_call(tx, &rule.targets, now)?.into_iter().next();
        let name = match first {
            Some(id) => crate::people::store::find_user(tx, &id)?.map(|user| user.name),
            None => None,
        };
        let when = match after {
            0 => "Paged first".to_owned(),
            minutes => format!("After {minutes} min"),
        };
        on_call.push((when, name));
        after += rule.delay_in_minutes;
    }
    let integrations = rows::integrations_of(tx, &[service.id.to_string()])?;
    let ids: Vec<String> = integrations.iter().map(|one| one.id.to_string()).collect();
    let since = now.checked_sub(CHANGES_SINCE).unwrap_or(now);
    let may_change = service_change::may(tx, caller, Action::Change, &service.escalation_policy_id)?;
    Ok(Technical {
        rights: if may_change {
            ServiceRights::Change
        } else {
            ServiceRights::Look
        },
        heard: crate::alerts::store::last_heard(tx, &ids)?.into_iter().collect(),
        changes: change_events::since(tx, &[service.id.to_string()], since, CHANGES)?,
        rules: service_rules::read(tx, &service.id)?,
        service,
        policy,
        on_call,
        integrations,
    })
}

impl Known {
    /// The state of any service, by the incidents that are open and whom they hurt.
    fn state(&self, id: &str) -> Shape {
        let own = |status| {
            self.hurt
                .iter()
                .any(|(incident, _)| incident.service_id.as_str() == id && incident.status == status)
        };
        let touched = self.hurt.iter().any(|(_, impact)| {
            impact.touchpoints.iter().any(|one| one.id == id)
                || impact.services.iter().any(|one| one.id == id && one.hops > 0)
        });
        if own(Status::Triggered) {
            Shape::Triggered
        } else if own(Status::Acknowledged) {
            Shape::Acknowledged
        } else if self.maintained.contains(id) {
            Shape::Maintenance
        } else if touched {
            Shape::Slow
        } else {
            Shape::Working
        }
    }

    fn mark(&self, id: &str) -> StateMark {
        match self.state(id) {
            Shape::Slow => Shape::Slow.says("Hurt"),
            state => state.mark(),
        }
    }

    fn links(&self, nodes: &[ServiceNode]) -> Vec<(StateMark, Link)> {
        nodes
            .iter()
            .filter_map(|node| {
                let (_, name) = self.names.get(&node.id)?;
                Some((
                    self.mark(&node.id),
                    Link::new(name.clone(), format!("/console/services/{}", node.id)),
                ))
            })
            .collect()
    }

    /// What it may be said to use besides.
    fn others(&self, id: &str) -> Vec<Pick> {
        let known: BTreeSet<&str> = self
            .uses
            .iter()
            .map(|node| node.id.as_str())
            .chain(self.above.iter().map(String::as_str))
            .chain([id])
            .collect();
        let mut others: Vec<(&String, &String)> = self
            .names
            .iter()
            .filter(|(other, (kind, _))| *kind == ServiceKind::Service && !known.contains(other.as_str()))
            .map(|(other, (_, name))| (name, other))
            .collect();
        others.sort();
        others
            .into_iter()
            .map(|(name, other)| Pick::new(other.clone(), name.clone()))
            .collect()
    }

    /// Whom it hurts now, and whom it would.
    fn hurt(&self, id: &str) -> Vec<(&'static str, Rich)> {
        /// Open incidents that are told one by one.
        const MOST: usize = 5;
        let mut pairs = Vec::new();
        let here: Vec<_> = self
            .hurt
            .iter()
            .filter(|(incident, impact)| {
                incident.service_id.as_str() == id || impact.touchpoints.iter().any(|one| one.id == id)
            })
            .collect();
        for (incident, impact) in here.iter().take(MOST) {
            let number = format!("#{}", incident.number);
            let room = format!("/console/incidents/{}", incident.id);
            let words = Rich::plain(format!("{}. ", impact.sentence())).link(number, room);
            pairs.push(("Now", words));
            for loss in &impact.loss_per_hour {
                let low = money(loss.low, &loss.currency);
                let high = money(loss.high, &loss.currency);
                pairs.push((
                    "Costs an hour",
                    Rich::plain(format!("{low} to {high}, estimated")),
                ));
            }
        }
        if let Some(more) = here.len().checked_sub(MOST).filter(|more| *more > 0) {
            let words = format!("{more} more incidents");
            let list = format!("/console/incidents?service={}", super::escaped(id));
            pairs.push(("And", Rich::default().link(words, list)));
        }
        let above: Vec<&str> = self
            .above
            .iter()
            .filter_map(|id| self.names.get(id).map(|(_, name)| name.as_str()))
            .collect();
        match (&self.kind, above.is_empty()) {
            (Kind::Technical(_), false) => {
                pairs.push((
                    "If it fails",
                    Rich::plain(format!("Customers lose {}.", above.join(", "))),
                ));
            }
            (Kind::Technical(_), true) => {
                pairs.push((
                    "If it fails",
                    "No touchpoint stands on it, so no customer notices.".into(),
                ));
            }
            (Kind::Touchpoint(touchpoint), _) if touchpoint.loss_per_hour > 0 => {
                let loss = money(touchpoint.loss_per_hour, &touchpoint.currency);
                pairs.push((
                    "If it fails",
                    Rich::plain(format!("{loss} an hour, if it failed everywhere")),
                ));
            }
            (Kind::Touchpoint(_), _) => {
                pairs.push(("If it fails", "Nobody has said yet what an hour costs.".into()));
            }
        }
        pairs
    }

    fn happenings(&self, reading: &Reading) -> Vec<Happening> {
        let mut incidents: Vec<&Incident> = self.incidents.iter().collect();
        incidents.sort_by_key(|incident| incident.status == Status::Resolved);
        incidents
            .into_iter()
            .map(|incident| Happening {
                id: format!("happening-{}", incident.id),
                to: format!("/console/incidents/{}", incident.id),
                state: match incident.status {
                    Status::Triggered => Shape::Triggered,
                    Status::Acknowledged => Shape::Acknowledged,
                    Status::Resolved => Shape::Resolved,
                }
                .mark(),
                title: incident.title.clone(),
                impact: format!("#{}", incident.number),
                who: self
                    .assigned
                    .iter()
                    .find(|(id, _)| id == incident.id.as_str())
                    .map_or(Person::Nobody(""), |(_, name)| Person::named(name.clone())),
                age: reading.ago(incident.created_at),
            })
            .collect()
    }
}

fn view(
    app: &App,
    visitor: &Visitor,
    reading: &Reading,
    id: &str,
    known: Known,
    made: Option<(String, String, String)>,
) -> Service {
    let change = || Link::new("Change it", format!("{}/change", service_change::address(id)));
    let common = Service {
        id: id.to_owned(),
        state: known.mark(id).as_chip(),
        hurt: known.hurt(id),
        uses: known.links(&known.uses),
        used_by: known.links(&known.used_by),
        incidents: known.happenings(reading),
        others: if visitor.0.may(Action::Create, Resource::BusinessService) {
            known.others(id)
        } else {
            Vec::new()
        },
        name: String::new(),
        description: String::new(),
        kind: "",
        facts: Vec::new(),
        on_call: Vec::new(),
        reports: None,
        rules: None,
        changes: Vec::new(),
        words: None,
        change: None,
        frame: visitor.frame(app, Place::Services, "", known.situation),
    };
    let titled = |mut service: Service, name: &str| {
        name.clone_into(&mut service.frame.title);
        name.clone_into(&mut service.name);
        service
    };
    match known.kind {
        Kind::Technical(technical) => {
            let Technical {
                service,
                policy,
                on_call,
                integrations,
                heard,
                changes,
                rights,
                rules,
            } = *technical;
            Service {
                rules: Some(service_rules::section(&service.id, rules, rights)),
                description: service.description.clone().unwrap_or_default(),
                kind: "Engineers run it",
                facts: policy
                    .map(|policy| {
                        let to = "/console/settings/escalation-policies";
                        ("Policy", Rich::default().link(policy.name, to))
                    })
                    .into_iter()
                    .chain(
                        service_fields::settings(&service)
                            .into_iter()
                            .map(|(name, words)| (name, Rich::plain(words))),
                    )
                    .collect(),
                change: (rights == ServiceRights::Change).then(change),
                on_call: on_call
                    .into_iter()
                    .map(|(when, who)| (when, who.map_or(Person::Nobody("Nobody"), Person::named)))
                    .collect(),
                reports: Some(Reports {
                    integrations: integrations
                        .into_iter()
                        .map(|one| integration(one, &heard, app.site.vault(), reading))
                        .collect(),
                    made,
                    rights,
                }),
                changes: changes
                    .into_iter()
                    .map(|change| changed(change, reading))
                    .collect(),
                ..titled(common, &service.name)
            }
        }
        Kind::Touchpoint(touchpoint) => {
            let may_change = touchpoint_change::may(&visitor.0, Action::Change, &touchpoint);
            Service {
                description: touchpoint.description.clone().unwrap_or_default(),
                kind: "Customers touch it",
                facts: touchpoint_facts(&touchpoint),
                words: Some(words_of(&touchpoint)),
                change: may_change.then(change),
                ..titled(common, &touchpoint.name)
            }
        }
    }
}

fn touchpoint_facts(touchpoint: &BusinessService) -> Vec<(&'static str, Rich)> {
    let weight = (
        "Weight",
        Rich::plain(format!("{} of 100", touchpoint.harm_weight)),
    );
    let contact = touchpoint.point_of_contact.clone();
    let contact = contact.map(|contact| ("Contact", Rich::plain(contact)));
    [weight].into_iter().chain(contact).collect()
}

/// What is said when it fails, as far as somebody has written it.
fn words_of(touchpoint: &BusinessService) -> Vec<(&'static str, String)> {
    [
        ("Customers say", &touchpoint.customer_words),
        ("Staff do instead", &touchpoint.fallback),
        ("Staff say", &touchpoint.words_to_say),
    ]
    .into_iter()
    .filter_map(|(who, words)| Some((who, words.clone()?)))
    .collect()
}

fn integration(
    one: model::Integration,
    heard: &BTreeMap<String, Timestamp>,
    vault: &Vault,
    reading: &Reading,
) -> Integration {
    let last = heard.get(one.id.as_str());
    let end = keys::last_letters(vault, &one);
    Integration {
        id: one.id.to_string(),
        name: one.name,
        kind: kind_words(&one.kind),
        key: format!("…{end}"),
        last_event: last.map_or_else(
            || Rich::plain("nothing heard yet"),
            |at| Rich::plain(format!("last event {}", reading.ago(*at).words)),
        ),
    }
}

/// "Events API v2".
pub(super) fn kind_words(kind: &str) -> String {
    match kind {
        "events_api_v2_inbound_integration" => "Events API v2".to_owned(),
        other => other.trim_end_matches("_inbound_integration").replace('_', " "),
    }
}

fn changed(change: KeptChange, reading: &Reading) -> Entry {
    let said = Rich::plain(change.summary);
    let entry = Entry::new(
        format!("change-{}", change.id),
        reading.clock(change.at),
        Actor::Machine("change"),
        said,
    );
    match change.source {
        Some(source) => entry.with_body(source),
        None => entry,
    }
}
