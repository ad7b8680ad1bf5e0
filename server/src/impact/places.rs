//! Which sites an incident hurts, and how sure that is.
//!
//! A site is named by an alert, by a case, or by its own staff; the newest sign counts. Machines can say that
//! something broke and that they are quiet again; that it works again, only people say.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::model::{Evidence, HurtLocations, HurtRegion, HurtService, HurtSite, HurtTouchpoint, Standing};
use super::rules::{Known, Place, Said};
use crate::customers::locations::LocationKind;

/// Sites written into the document.
const MOST_SITES: usize = 1_000;

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

/// The signs there are about one site, each kind with its newest time.
#[derive(Debug, Default)]
struct Signs {
    /// When the last alert that is not over began.
    alert: Option<Timestamp>,
    /// When the last alert that is over ended.
    quiet: Option<Timestamp>,
    case: Option<Timestamp>,
    said_down: Option<Timestamp>,
    said_back: Option<Timestamp>,
}

impl Signs {
    /// Down weighs more than quiet of the same moment; "back" more than everything before it.
    fn standing(&self) -> Standing {
        let heard = self.alert.max(self.case).max(self.said_down);
        if self.said_back.is_some() && self.said_back >= heard {
            return Standing::Back;
        }
        let told = self.case.max(self.said_down);
        match (self.alert, self.quiet) {
            (Some(_), _) => Standing::Confirmed,
            (None, Some(_)) if told < self.quiet => Standing::Recovering,
            (None, _) if told.is_some() => Standing::Confirmed,
            (None, _) => Standing::MayBeHurt,
        }
    }

    fn evidence(&self) -> Vec<Evidence> {
        [
            (self.alert.max(self.quiet), Evidence::Alert),
            (self.case, Evidence::Case),
            (self.said_down, Evidence::Staff),
        ]
        .into_iter()
        .filter_map(|(at, evidence)| at.map(|_| evidence))
        .collect()
    }
}

/// Every site that uses something hurt or was named, the surest first. Regions stand in it by their ids.
pub fn sites(known: &Known, services: &[HurtService], touchpoints: &[HurtTouchpoint]) -> Vec<HurtSite> {
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
    let signs = signs(known, &tree);
    let ids: BTreeSet<&str> = through.keys().chain(signs.keys()).copied().collect();
    let mut sites: Vec<HurtSite> = ids
        .into_iter()
        .filter_map(|id| {
            let place = tree.places.get(id)?;
            let signs = signs.get(id);
            let region = place
                .parent_id
                .as_deref()
                .and_then(|parent| tree.places.get(parent));
            Some(HurtSite {
                id: id.to_owned(),
                name: place.name.clone(),
                region: region.map(|region| region.id.clone()),
                standing: signs.map_or(Standing::MayBeHurt, Signs::standing),
                evidence: signs.map_or_else(Vec::new, Signs::evidence),
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

fn signs<'k>(known: &'k Known, tree: &Tree<'k>) -> BTreeMap<&'k str, Signs> {
    let mut signs: BTreeMap<&str, Signs> = BTreeMap::new();
    let mut add = |place: &str, note: &dyn Fn(&mut Signs)| {
        for site in tree.sites_of(place) {
            note(signs.entry(site.id.as_str()).or_default());
        }
    };
    let mut named: HashMap<String, (Option<Timestamp>, Option<Timestamp>)> = HashMap::new();
    for alert in &known.named_by_alerts {
        let (open, over) = named.entry(alert.text.trim().to_lowercase()).or_default();
        match alert.ended_at {
            Some(ended) => *over = (*over).max(Some(ended)),
            None => *open = (*open).max(Some(alert.began_at)),
        }
    }
    for place in &known.places {
        // A region that is named says nothing about which of its sites.
        if place.kind == LocationKind::Region {
            continue;
        }
        let names = [
            Some(place.id.as_str()),
            Some(place.name.as_str()),
            place.code.as_deref(),
        ];
        for (open, over) in names
            .into_iter()
            .flatten()
            .filter_map(|name| named.get(&name.to_lowercase()))
        {
            add(&place.id, &|signs| {
                signs.alert = signs.alert.max(*open);
                signs.quiet = signs.quiet.max(*over);
            });
        }
    }
    for (place, at) in &known.named_by_cases {
        add(place, &|signs| signs.case = signs.case.max(Some(*at)));
    }
    for (place, said, at) in &known.said_by_staff {
        add(place, &|signs| match said {
            Said::Down => signs.said_down = signs.said_down.max(Some(*at)),
            Said::Back => signs.said_back = signs.said_back.max(Some(*at)),
        });
    }
    signs
}

/// The sites counted, by region and in all, as the document keeps them.
pub fn locations(known: &Known, mut sites: Vec<HurtSite>) -> HurtLocations {
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
            sites_recovering: 0,
            sites_back: 0,
        });
        region.sites_using += 1;
        all.sites_using += 1;
        match site.standing {
            Standing::Confirmed => {
                region.sites_confirmed += 1;
                all.sites_confirmed += 1;
            }
            Standing::Recovering => {
                region.sites_recovering += 1;
                all.sites_recovering += 1;
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
