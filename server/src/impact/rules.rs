//! The pure part: from what is known to whom it hurts.

use std::collections::HashMap;

use jiff::Timestamp;
use triage::Severity;

use super::loss::loss;
use super::model::{
    HurtLocations, HurtService, HurtSite, HurtTouchpoint, LossPerHour, Relation, Step, hurt_among,
};
use super::places::{locations, sites};
use crate::services::graph::{Graph, Reached, ServiceKind, ServiceNode};

/// A touchpoint as the catalogue knows it.
#[derive(Debug, Clone, store::FromRow)]
pub struct Touchpoint {
    pub id: String,
    pub name: String,
    pub harm_weight: i64,
    pub loss_per_hour: i64,
    pub currency: String,
}

/// A location as far as it matters here.
#[derive(Debug, Clone, store::FromRow)]
pub struct Place {
    pub id: String,
    pub parent_id: Option<String>,
    pub kind: crate::customers::locations::LocationKind,
    pub name: String,
    pub code: Option<String>,
    pub takings_per_hour: i64,
    pub currency: String,
}

/// What staff of a location said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    Down,
    Back,
}

/// A text of an alert that may name a place, and how long the alert lasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    pub text: String,
    pub began_at: Timestamp,
    /// None while it is not over.
    pub ended_at: Option<Timestamp>,
}

/// All that is known. Each list is what one query gives.
#[derive(Debug, Default)]
pub struct Known {
    pub graph: Graph,
    /// What broke.
    pub broken: Vec<ServiceNode>,
    /// The worst that alerts of the incident said about each service.
    pub severities: Vec<(String, Severity)>,
    pub service_names: HashMap<String, String>,
    pub touchpoints: Vec<Touchpoint>,
    pub places: Vec<Place>,
    /// Place and the service or touchpoint it uses.
    pub uses: Vec<(String, String)>,
    pub named_by_alerts: Vec<Naming>,
    /// Places of linked cases that are not closed, and when the newest was reported.
    pub named_by_cases: Vec<(String, Timestamp)>,
    /// What staff said and when, the latest of each place.
    pub said_by_staff: Vec<(String, Said, Timestamp)>,
    pub said_by_hand: Vec<(String, Relation)>,
}

/// What can be told without counting customers.
#[derive(Debug)]
pub struct Reach {
    pub services: Vec<HurtService>,
    pub touchpoints: Vec<HurtTouchpoint>,
    pub locations: HurtLocations,
    pub loss_per_hour: Vec<LossPerHour>,
    /// Services and touchpoints that are hurt, and the sites whose customers are.
    pub hurt_ids: Vec<String>,
    pub hurt_sites: Vec<String>,
}

pub fn reach(known: &Known) -> Reach {
    let reached = known.graph.dependents_of(&known.broken);
    let touchpoints = touchpoints(known, &reached);
    let services = services(known, &reached);
    let mut hurt_ids: Vec<String> = services.iter().map(|one| one.id.clone()).collect();
    hurt_ids.extend(touchpoints.iter().map(|one| one.id.clone()));
    let sites = sites(known, &services, &touchpoints);
    let loss_per_hour = loss(known, &touchpoints, &sites);
    let hurt_sites = hurt_among(&sites).map(|site| site.id.clone()).collect();
    Reach {
        locations: locations(known, sites),
        services,
        touchpoints,
        loss_per_hour,
        hurt_ids,
        hurt_sites,
    }
}

/// What an incident hurts and where, without money: every site, however many there are.
pub fn spread(known: &Known) -> Spread {
    let reached = known.graph.dependents_of(&known.broken);
    let touchpoints = touchpoints(known, &reached);
    let services = services(known, &reached);
    Spread {
        sites: sites(known, &services, &touchpoints),
        milder: milder(known, &touchpoints),
        touchpoints,
    }
}

/// The touchpoints that stand on a service whose alerts are milder than the worst of the incident.
fn milder(known: &Known, touchpoints: &[HurtTouchpoint]) -> Vec<String> {
    let worst = known.severities.iter().map(|(_, severity)| *severity).max();
    let is_milder = |service: &str| {
        let own = known.severities.iter().filter(|(id, _)| id == service);
        let own = own.map(|(_, severity)| *severity).max();
        own.is_some() && own < worst
    };
    touchpoints
        .iter()
        .filter(|one| one.path.first().is_some_and(|step| is_milder(&step.id)))
        .map(|one| one.id.clone())
        .collect()
}

/// See [`spread`].
#[derive(Debug, Default)]
pub struct Spread {
    pub touchpoints: Vec<HurtTouchpoint>,
    /// Ids of those among them that are hurt less than the rest: slow, where the rest is down.
    pub milder: Vec<String>,
    pub sites: Vec<HurtSite>,
}

impl HurtSite {
    /// Whether the site is hurt through this touchpoint. One that was named and uses none of them by name is
    /// hurt through all.
    pub fn uses(&self, spread: &Spread, touchpoint: &HurtTouchpoint) -> bool {
        let uses = |one: &HurtTouchpoint| self.through.contains(&one.name);
        uses(touchpoint) || !spread.touchpoints.iter().any(uses)
    }
}

fn step(known: &Known, node: &ServiceNode) -> Step {
    let name = match node.kind {
        ServiceKind::Service => known.service_names.get(&node.id).cloned(),
        ServiceKind::BusinessService => known
            .touchpoints
            .iter()
            .find(|one| one.id == node.id)
            .map(|one| one.name.clone()),
    };
    Step {
        kind: node.kind,
        id: node.id.clone(),
        name: name.unwrap_or_else(|| node.id.clone()),
    }
}

fn services(known: &Known, reached: &[Reached]) -> Vec<HurtService> {
    reached
        .iter()
        .filter(|one| one.node.kind == ServiceKind::Service)
        .filter_map(|one| {
            let name = known.service_names.get(&one.node.id)?.clone();
            Some(HurtService {
                id: one.node.id.clone(),
                name,
                hops: one.hops as i64,
                path: one.path.iter().map(|node| step(known, node)).collect(),
            })
        })
        .collect()
}

/// The touchpoints that are reached and not said to be well, and those that a person named; the nearest and
/// most harmful first.
fn touchpoints(known: &Known, reached: &[Reached]) -> Vec<HurtTouchpoint> {
    let said: HashMap<&str, Relation> = known
        .said_by_hand
        .iter()
        .map(|(id, said)| (id.as_str(), *said))
        .collect();
    let mut found: Vec<HurtTouchpoint> = known
        .touchpoints
        .iter()
        .filter_map(|touchpoint| {
            let way = reached
                .iter()
                .find(|one| one.node.kind == ServiceKind::BusinessService && one.node.id == touchpoint.id);
            let path: Vec<Step> = way
                .map(|one| one.path.iter().map(|node| step(known, node)).collect())
                .unwrap_or_default();
            let reason = match (said.get(touchpoint.id.as_str()), way) {
                (Some(Relation::NotImpacted), _) | (None, None) => return None,
                (Some(Relation::Impacted), _) => "Somebody said that it is hurt.".to_owned(),
                (None, Some(_)) => why(&path),
            };
            Some(HurtTouchpoint {
                id: touchpoint.id.clone(),
                name: touchpoint.name.clone(),
                harm_weight: touchpoint.harm_weight,
                hops: way.map_or(0, |one| one.hops as i64),
                path,
                reason,
                loss_per_hour: touchpoint.loss_per_hour,
                currency: touchpoint.currency.clone(),
            })
        })
        .collect();
    // What only a person named stands as near as the nearest.
    let nearest = found
        .iter()
        .filter(|one| !one.path.is_empty())
        .map(|one| one.hops)
        .min();
    for named in found.iter_mut().filter(|one| one.path.is_empty()) {
        named.hops = nearest.unwrap_or(0);
    }
    found.sort_by(|one, other| {
        (one.hops, -one.harm_weight, &one.name, &one.id).cmp(&(
            other.hops,
            -other.harm_weight,
            &other.name,
            &other.id,
        ))
    });
    found
}

fn why(path: &[Step]) -> String {
    match path {
        [first, middle @ .., last] if !middle.is_empty() => {
            let between: Vec<&str> = middle.iter().map(|step| step.name.as_str()).collect();
            format!(
                "{} stands on {} by way of {}.",
                last.name,
                first.name,
                between.join(", ")
            )
        }
        [first, last] => format!("{} stands on {}.", last.name, first.name),
        _ => "It is what broke.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::locations::LocationKind;
    use crate::impact::model::Standing;
    use crate::services::graph::Edge;

    fn place(id: &str, kind: LocationKind, parent: Option<&str>) -> Place {
        Place {
            id: id.to_owned(),
            parent_id: parent.map(str::to_owned),
            kind,
            name: format!("{id} name"),
            code: None,
            takings_per_hour: 10_000,
            currency: "GBP".to_owned(),
        }
    }

    fn touchpoint(id: &str, harm_weight: i64, loss_per_hour: i64) -> Touchpoint {
        Touchpoint {
            id: id.to_owned(),
            name: id.to_owned(),
            harm_weight,
            loss_per_hour,
            currency: "GBP".to_owned(),
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_794_000_000 + minute * 60).unwrap()
    }

    fn naming(text: &str, began: i64, ended: Option<i64>) -> Naming {
        Naming {
            text: text.to_owned(),
            began_at: at(began),
            ended_at: ended.map(at),
        }
    }

    fn standing(known: &Known, id: &str) -> Standing {
        spread(known)
            .sites
            .into_iter()
            .find(|site| site.id == id)
            .unwrap()
            .standing
    }

    /// edge → gateway → cards → loyalty, and four shops in two regions that use cards.
    fn retailer() -> Known {
        let edge = |supporting, dependent| Edge {
            supporting,
            dependent,
        };
        let mut places = vec![
            place("north", LocationKind::Region, None),
            place("south", LocationKind::Region, None),
        ];
        for (id, region) in [
            ("leeds", "north"),
            ("york", "north"),
            ("bath", "south"),
            ("hove", "south"),
        ] {
            places.push(place(id, LocationKind::Site, Some(region)));
        }
        places.push(place("till", LocationKind::Terminal, Some("leeds")));
        Known {
            graph: Graph::of([
                edge(ServiceNode::technical("edge"), ServiceNode::technical("gateway")),
                edge(ServiceNode::technical("gateway"), ServiceNode::business("cards")),
                edge(ServiceNode::business("cards"), ServiceNode::business("loyalty")),
            ]),
            broken: vec![ServiceNode::technical("edge")],
            service_names: [("edge", "store-edge"), ("gateway", "card-gateway")]
                .map(|(id, name)| (id.to_owned(), name.to_owned()))
                .into(),
            touchpoints: vec![touchpoint("cards", 90, 40_000), touchpoint("loyalty", 30, 8_000)],
            uses: ["leeds", "york", "bath", "hove"]
                .map(|id| (id.to_owned(), "cards".to_owned()))
                .into(),
            places,
            ..Known::default()
        }
    }

    #[test]
    fn touchpoints_are_reached_through_the_services_between() {
        let reach = reach(&retailer());
        let told: Vec<(&str, i64)> = reach
            .touchpoints
            .iter()
            .map(|one| (one.id.as_str(), one.hops))
            .collect();
        assert_eq!(told, [("cards", 2), ("loyalty", 3)]);
        assert_eq!(
            reach.touchpoints[0].reason,
            "cards stands on store-edge by way of card-gateway."
        );
    }

    #[test]
    fn without_evidence_all_that_use_it_may_be_hurt() {
        let reach = reach(&retailer());
        assert_eq!(reach.locations.sites_using, 4);
        assert_eq!(reach.locations.sites_confirmed, 0);
        assert_eq!(reach.hurt_sites.len(), 4);
        let loss = &reach.loss_per_hour[0];
        assert_eq!((loss.low, loss.likely, loss.high), (20_000, 44_000, 48_000));
    }

    #[test]
    fn evidence_narrows_it_to_the_sites_that_were_named() {
        let mut known = retailer();
        known.named_by_alerts = vec![naming("TILL NAME", 0, None)];
        known.named_by_cases = vec![("york".to_owned(), at(0))];
        let reach = reach(&known);
        assert_eq!(reach.hurt_sites, ["leeds", "york"]);
        assert_eq!(reach.locations.regions[0].sites_confirmed, 2);
        assert_eq!(reach.locations.regions[1].sites_confirmed, 0);
        let loss = &reach.loss_per_hour[0];
        assert_eq!((loss.low, loss.likely, loss.high), (10_000, 22_000, 24_000));
    }

    #[test]
    fn a_site_that_is_back_costs_nothing_any_more() {
        let mut known = retailer();
        known.named_by_cases = vec![("york".to_owned(), at(0))];
        known.said_by_staff = vec![("york".to_owned(), Said::Back, at(5))];
        let reach = reach(&known);
        assert_eq!(reach.locations.sites_back, 1);
        assert!(reach.loss_per_hour.is_empty());
    }

    #[test]
    fn once_a_place_was_heard_of_the_silent_ones_are_not_hurt_even_when_all_are_back() {
        let mut known = retailer();
        known.said_by_staff = vec![("york".to_owned(), Said::Back, at(5))];
        assert_eq!(reach(&known).hurt_sites, Vec::<String>::new());
    }

    #[test]
    fn quiet_machines_say_that_a_place_recovers_and_only_people_that_it_is_back() {
        let mut known = retailer();
        known.named_by_alerts = vec![
            naming("york", 0, Some(10)),
            naming("leeds", 0, Some(8)),
            naming("leeds", 1, None),
        ];
        assert_eq!(standing(&known, "york"), Standing::Recovering);
        assert_eq!(standing(&known, "leeds"), Standing::Confirmed);
        assert_eq!(standing(&known, "bath"), Standing::MayBeHurt);
        known.said_by_staff = vec![("york".to_owned(), Said::Back, at(11))];
        assert_eq!(standing(&known, "york"), Standing::Back);
    }

    #[test]
    fn the_newest_sign_counts() {
        let mut known = retailer();
        known.named_by_alerts = vec![naming("york", 0, Some(10))];
        known.named_by_cases = vec![("york".to_owned(), at(5))];
        assert_eq!(
            standing(&known, "york"),
            Standing::Recovering,
            "a case from before the machines fell quiet"
        );
        known.said_by_staff = vec![("york".to_owned(), Said::Down, at(12))];
        assert_eq!(
            standing(&known, "york"),
            Standing::Confirmed,
            "staff say so afterwards"
        );
        known.said_by_staff = vec![("york".to_owned(), Said::Back, at(20))];
        known.named_by_alerts.push(naming("york", 30, None));
        assert_eq!(standing(&known, "york"), Standing::Confirmed, "it broke again");
    }

    #[test]
    fn where_the_catalogue_names_no_loss_takings_are_weighed_by_harm() {
        let mut known = retailer();
        known.touchpoints = vec![touchpoint("cards", 50, 0)];
        known.named_by_cases = vec![("york".to_owned(), at(0))];
        let loss = &reach(&known).loss_per_hour[0];
        assert_eq!((loss.low, loss.likely, loss.high), (2_500, 5_000, 5_000));
    }

    #[test]
    fn people_have_the_last_word_about_touchpoints() {
        let mut known = retailer();
        known.touchpoints.push(touchpoint("rota", 10, 0));
        known.said_by_hand = vec![
            ("loyalty".to_owned(), Relation::NotImpacted),
            ("rota".to_owned(), Relation::Impacted),
        ];
        let reach = reach(&known);
        let names: Vec<&str> = reach.touchpoints.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(names, ["cards", "rota"]);
    }
}
