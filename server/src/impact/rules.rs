//! The pure part: from what is known to whom it hurts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::model::{
    Evidence, HurtLocations, HurtRegion, HurtService, HurtSite, HurtTouchpoint, LossPerHour, Relation,
    Standing, Step,
};
use crate::services::graph::{Graph, Reached, ServiceKind, ServiceNode};

/// Sites written into the document.
const MOST_SITES: usize = 1_000;

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

/// All that is known. Each list is what one query gives.
#[derive(Debug, Default)]
pub struct Known {
    pub graph: Graph,
    /// What broke.
    pub broken: Vec<ServiceNode>,
    pub service_names: HashMap<String, String>,
    pub touchpoints: Vec<Touchpoint>,
    pub places: Vec<Place>,
    /// Place and the service or touchpoint it uses.
    pub uses: Vec<(String, String)>,
    /// Texts in alerts that may name a place.
    pub named_by_alerts: Vec<String>,
    /// Places of linked cases.
    pub named_by_cases: Vec<String>,
    /// What staff said, the latest of each place.
    pub said_by_staff: Vec<(String, Said)>,
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
    let confirmed = sites.iter().any(|site| site.standing == Standing::Confirmed);
    let hurt_sites = sites
        .iter()
        .filter(|site| {
            site.standing
                == if confirmed {
                    Standing::Confirmed
                } else {
                    Standing::MayBeHurt
                }
        })
        .map(|site| site.id.clone())
        .collect();
    Reach {
        locations: locations(known, sites),
        services,
        touchpoints,
        loss_per_hour,
        hurt_ids,
        hurt_sites,
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

/// The tree, to walk up and down in.
struct Tree<'k> {
    places: HashMap<&'k str, &'k Place>,
    children: HashMap<&'k str, Vec<&'k Place>>,
}

impl<'k> Tree<'k> {
    fn of(places: &'k [Place]) -> Self {
        let mut children: HashMap<&str, Vec<&Place>> = HashMap::new();
        for place in places {
            if let Some(parent) = &place.parent_id {
                children.entry(parent).or_default().push(place);
            }
        }
        Self {
            places: places.iter().map(|place| (place.id.as_str(), place)).collect(),
            children,
        }
    }

    /// The sites that a place stands for: those of a region, itself, or the one that a terminal is in.
    fn sites_of(&self, id: &str) -> Vec<&'k Place> {
        use crate::customers::locations::LocationKind;
        let Some(place) = self.places.get(id) else {
            return Vec::new();
        };
        match place.kind {
            LocationKind::Site => vec![place],
            LocationKind::Terminal => {
                let parent = place
                    .parent_id
                    .as_deref()
                    .and_then(|parent| self.places.get(parent));
                parent.copied().into_iter().collect()
            }
            LocationKind::Region => {
                let inside = self.children.get(id).into_iter().flatten();
                inside
                    .filter(|child| child.kind == LocationKind::Site)
                    .copied()
                    .collect()
            }
        }
    }
}

fn sites(known: &Known, services: &[HurtService], touchpoints: &[HurtTouchpoint]) -> Vec<HurtSite> {
    let tree = Tree::of(&known.places);
    let hurt: HashMap<&str, &str> = services
        .iter()
        .map(|one| (one.id.as_str(), one.name.as_str()))
        .chain(touchpoints.iter().map(|one| (one.id.as_str(), one.name.as_str())))
        .collect();
    let mut through: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (place, used) in &known.uses {
        if let Some(name) = hurt.get(used.as_str()) {
            for site in tree.sites_of(place) {
                through.entry(site.id.as_str()).or_default().insert(name);
            }
        }
    }
    let evidence = evidence(known, &tree);
    let said: HashMap<&str, Said> = known
        .said_by_staff
        .iter()
        .flat_map(|(place, said)| {
            tree.sites_of(place)
                .into_iter()
                .map(move |site| (site.id.as_str(), *said))
        })
        .collect();
    let ids: BTreeSet<&str> = through.keys().chain(evidence.keys()).copied().collect();
    let mut sites: Vec<HurtSite> = ids
        .into_iter()
        .filter_map(|id| {
            let place = tree.places.get(id)?;
            let standing = match (said.get(id), evidence.contains_key(id)) {
                (Some(Said::Back), _) => Standing::Back,
                (_, true) => Standing::Confirmed,
                (_, false) => Standing::MayBeHurt,
            };
            let region = place
                .parent_id
                .as_deref()
                .and_then(|parent| tree.places.get(parent));
            Some(HurtSite {
                id: id.to_owned(),
                name: place.name.clone(),
                region: region.map(|region| region.id.clone()),
                standing,
                evidence: evidence.get(id).into_iter().flatten().copied().collect(),
                through: through
                    .get(id)
                    .into_iter()
                    .flatten()
                    .map(|name| (*name).to_owned())
                    .collect(),
            })
        })
        .collect();
    sites.sort_by(|one, other| {
        (one.standing, &one.name, &one.id).cmp(&(other.standing, &other.name, &other.id))
    });
    sites
}

fn evidence<'k>(known: &'k Known, tree: &Tree<'k>) -> BTreeMap<&'k str, BTreeSet<Evidence>> {
    let mut evidence: BTreeMap<&str, BTreeSet<Evidence>> = BTreeMap::new();
    let mut add = |place: &str, kind: Evidence| {
        for site in tree.sites_of(place) {
            evidence.entry(site.id.as_str()).or_default().insert(kind);
        }
    };
    let texts: HashSet<String> = known
        .named_by_alerts
        .iter()
        .map(|text| text.trim().to_lowercase())
        .collect();
    for place in &known.places {
        let names = [
            Some(place.id.as_str()),
            Some(place.name.as_str()),
            place.code.as_deref(),
        ];
        let named = names
            .into_iter()
            .flatten()
            .any(|name| texts.contains(&name.to_lowercase()));
        // A region that is named says nothing about which of its sites.
        if named && place.kind != crate::customers::locations::LocationKind::Region {
            add(&place.id, Evidence::Alert);
        }
    }
    for place in &known.named_by_cases {
        add(place, Evidence::Case);
    }
    for (place, said) in &known.said_by_staff {
        if *said == Said::Down {
            add(place, Evidence::Staff);
        }
    }
    evidence
}

fn locations(known: &Known, mut sites: Vec<HurtSite>) -> HurtLocations {
    let names: HashMap<&str, &str> = known
        .places
        .iter()
        .map(|place| (place.id.as_str(), place.name.as_str()))
        .collect();
    let mut regions: BTreeMap<Option<String>, HurtRegion> = BTreeMap::new();
    let mut all = HurtLocations::default();
    for site in &sites {
        let region = regions.entry(site.region.clone()).or_insert_with(|| HurtRegion {
            id: site.region.clone(),
            name: site
                .region
                .as_deref()
                .and_then(|id| names.get(id))
                .map_or_else(|| "Without a region".to_owned(), |name| (*name).to_owned()),
            sites_using: 0,
            sites_confirmed: 0,
            sites_back: 0,
        });
        region.sites_using += 1;
        all.sites_using += 1;
        match site.standing {
            Standing::Confirmed => {
                region.sites_confirmed += 1;
                all.sites_confirmed += 1;
            }
            Standing::Back => {
                region.sites_back += 1;
                all.sites_back += 1;
            }
            Standing::MayBeHurt => {}
        }
    }
    all.regions = regions.into_values().collect();
    all.regions
        .sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    for site in &mut sites {
        site.region = site
            .region
            .as_deref()
            .and_then(|id| names.get(id))
            .map(|name| (*name).to_owned());
    }
    sites.truncate(MOST_SITES);
    all.sites = sites;
    all
}

/// What an hour costs. Of each touchpoint counts the share of its sites that is hurt: the sites that were
/// named (and are not back), or all of them where none was named. Its loss is what the catalogue says, or,
/// where that says nothing, the takings of those sites weighed by the touchpoint's harm.
///
/// *Likely*: the nearest touchpoints whole, those that stand further away by half. *High*: all of them whole.
/// *Low*: half of the nearest, because some customers find another way.
pub fn loss(known: &Known, touchpoints: &[HurtTouchpoint], sites: &[HurtSite]) -> Vec<LossPerHour> {
    let Some(nearest) = touchpoints.iter().map(|one| one.hops).min() else {
        return Vec::new();
    };
    let confirmed = sites.iter().any(|site| site.standing == Standing::Confirmed);
    let heard = sites.iter().any(|site| site.standing != Standing::MayBeHurt);
    let is_hurt = |site: &HurtSite| match site.standing {
        Standing::Confirmed => true,
        Standing::MayBeHurt => !confirmed && !heard,
        Standing::Back => false,
    };
    let places: HashMap<&str, &Place> = known
        .places
        .iter()
        .map(|place| (place.id.as_str(), place))
        .collect();
    let mut sums: BTreeMap<String, LossPerHour> = BTreeMap::new();
    let mut add = |currency: &str, amount: i64, hops: i64| {
        let sum = sums.entry(currency.to_owned()).or_insert_with(|| LossPerHour {
            currency: currency.to_owned(),
            low: 0,
            likely: 0,
            high: 0,
        });
        let near = hops == nearest;
        sum.low = sum.low.saturating_add(if near { amount / 2 } else { 0 });
        sum.likely = sum.likely.saturating_add(if near { amount } else { amount / 2 });
        sum.high = sum.high.saturating_add(amount);
    };
    for touchpoint in touchpoints {
        let direct: Vec<&HurtSite> = sites
            .iter()
            .filter(|site| site.through.contains(&touchpoint.name))
            .collect();
        let of: Vec<&HurtSite> = if direct.is_empty() {
            sites.iter().collect()
        } else {
            direct
        };
        let hurt: Vec<&&HurtSite> = of.iter().filter(|site| is_hurt(site)).collect();
        if touchpoint.loss_per_hour > 0 {
            let amount = if of.is_empty() {
                i128::from(touchpoint.loss_per_hour)
            } else {
                i128::from(touchpoint.loss_per_hour) * hurt.len() as i128 / of.len() as i128
            };
            add(
                &touchpoint.currency,
                i64::try_from(amount).unwrap_or(i64::MAX),
                touchpoint.hops,
            );
        } else {
            for site in hurt {
                if let Some(place) = places.get(site.id.as_str()) {
                    let amount =
                        i128::from(place.takings_per_hour) * i128::from(touchpoint.harm_weight) / 100;
                    add(
                        &place.currency,
                        i64::try_from(amount).unwrap_or(i64::MAX),
                        touchpoint.hops,
                    );
                }
            }
        }
    }
    sums.into_values().filter(|sum| sum.high > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::customers::locations::LocationKind;
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
        known.named_by_alerts = vec!["TILL NAME".to_owned()];
        known.named_by_cases = vec!["york".to_owned()];
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
        known.named_by_cases = vec!["york".to_owned()];
        known.said_by_staff = vec![("york".to_owned(), Said::Back)];
        let reach = reach(&known);
        assert_eq!(reach.locations.sites_back, 1);
        assert!(reach.loss_per_hour.is_empty());
    }

    #[test]
    fn where_the_catalogue_names_no_loss_takings_are_weighed_by_harm() {
        let mut known = retailer();
        known.touchpoints = vec![touchpoint("cards", 50, 0)];
        known.named_by_cases = vec!["york".to_owned()];
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
