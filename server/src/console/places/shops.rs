//! The wall of locations, coloured by the impact of what is open: hurt is what an alert, a case or its own staff
//! named; it is coming back while machines say so and its staff have not yet; it is back when they have. What only
//! uses something hurt stays quiet, and is counted. When nothing is open any more, the last hours' alerts still tell
//! who was hurt and is back. The picture of the recovery is drawn from those alerts.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use store::Tx;

use super::{location_change, services, situation};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::frame::Situation;
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::prelude::{
    Choices, ChoicesLook, Chosen, Empty, Hurt, Link, Place, Reading, Recovery, Rich, State as Shape,
    Terminals, Tile, counted, recovery, thousands, tile_wall,
};
use crate::console::screens::services::{ShopRow, Shops};
use crate::customers::locations::{Location, LocationKind, tree};
use crate::http::Problem;
use crate::impact::model::Standing;
use crate::impact::{Impact, store as impact_rows};
use crate::incidents::Incident;

/// How far back an alert still says something about a site.
const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(12);
/// Points of the recovery's picture.
const POINTS: i64 = 48;
/// Hurt sites that are listed by name.
const LISTED: usize = 60;
/// Open incidents whose impact is drawn.
const MOST_OPEN: i64 = 50;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/services/shops", get(page))
}

/// When something at a site fell silent, and when it came back.
type Silence = (Timestamp, Option<Timestamp>);

struct Known {
    situation: Situation,
    locations: Vec<Location>,
    silences: BTreeMap<String, Vec<Silence>>,
    /// Open incidents with their impact, the newest first.
    open: Vec<(Incident, Impact)>,
}

struct Site {
    id: String,
    name: String,
    region: String,
    silences: Vec<Silence>,
    /// What the impact of open incidents says of it.
    standing: Option<Standing>,
}

impl Site {
    fn state(&self, now: Timestamp) -> Shape {
        match (self.standing, self.state_at(now)) {
            (Some(Standing::Back), _) => Shape::Resolved,
            (Some(Standing::Recovering), _) | (Some(Standing::Confirmed), Shape::Resolved) => {
                Shape::Recovering
            }
            (Some(Standing::Confirmed), Shape::Working) => Shape::Triggered,
            (_, state) => state,
        }
    }

    fn state_at(&self, at: Timestamp) -> Shape {
        let known: Vec<&Silence> = self.silences.iter().filter(|(began, _)| *began <= at).collect();
        let back = known
            .iter()
            .filter(|(_, ended)| ended.is_some_and(|ended| ended <= at))
            .count();
        match (known.len(), back) {
            (0, _) => Shape::Working,
            (all, back) if back == all => Shape::Resolved,
            (_, 0) => Shape::Triggered,
            _ => Shape::Recovering,
        }
    }
}

async fn page(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Location)?;
    let reading = visitor.reading(&app);
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let known = app
        .read(move |tx| -> Result<Known, Problem> {
            Ok(Known {
                situation: situation::read(tx, &caller, now)?,
                ..know(tx, now)?
            })
        })
        .await?;
    Ok(show(&draw(&app, &visitor, &reading, known)))
}

fn know(tx: &mut Tx, now: Timestamp) -> Result<Known, Problem> {
    let since = now.saturating_sub(LOOKED_BACK).unwrap_or(now);
    let rows = crate::alerts::store::groups_since(tx, since)?;
    let mut silences: BTreeMap<String, Vec<Silence>> = BTreeMap::new();
    for (group, began, ended) in rows {
        silences
            .entry(group.to_lowercase())
            .or_default()
            .push((began, ended));
    }
    Ok(Known {
        situation: Situation::calm(),
        locations: tree(tx)?,
        silences,
        open: impact_rows::of_open(tx, MOST_OPEN)?,
    })
}

fn sites(known: &Known) -> Vec<Site> {
    let names: BTreeMap<&str, &str> = known
        .locations
        .iter()
        .map(|location| (location.id.as_str(), location.name.as_str()))
        .collect();
    let mut standing: BTreeMap<&str, Standing> = BTreeMap::new();
    let said = known.open.iter().flat_map(|(_, impact)| &impact.locations.sites);
    for site in said {
        let worst = standing.entry(site.id.as_str()).or_insert(site.standing);
        *worst = (*worst).min(site.standing);
    }
    let heard = |word: &str| known.silences.get(&word.to_lowercase()).cloned();
    known
        .locations
        .iter()
        .filter(|location| location.kind == LocationKind::Site)
        .map(|location| Site {
            id: location.id.as_str().to_owned(),
            name: location.name.clone(),
            region: location
                .parent_id
                .as_ref()
                .and_then(|id| names.get(id.as_str()))
                .map_or_else(|| "Elsewhere".to_owned(), |name| (*name).to_owned()),
            standing: standing.get(location.id.as_str()).copied(),
            silences: heard(&location.name)
                .or_else(|| location.code.as_deref().and_then(heard))
                .unwrap_or_default(),
        })
        .collect()
}

fn draw(app: &App, visitor: &Visitor, reading: &Reading, known: Known) -> Shops {
    let sites = sites(&known);
    let states: Vec<Shape> = sites.iter().map(|site| site.state(reading.now)).collect();
    let count = |state: Shape| states.iter().filter(|one| **one == state).count() as u64;
    let (offline, coming, back) = (
        count(Shape::Triggered),
        count(Shape::Recovering),
        count(Shape::Resolved),
    );
    let hurt = offline + coming + back;
    let tiles = sites
        .iter()
        .zip(&states)
        .map(|(site, state)| (site.region.clone(), tile(site, *state)))
        .collect();
    let legend = [
        (Shape::Triggered, "Hurt", offline),
        (Shape::Recovering, "Recovering", coming),
        (Shape::Resolved, "Back", back),
    ];
    Shops {
        headline: if hurt == 0 {
            match sites.len() as u64 {
                0 => "Shops".to_owned(),
                all => format!("All {} work", counted(all, "shop", "shops")),
            }
        } else {
            let coming = match coming {
                0 => String::new(),
                coming => format!(", {coming} recovering"),
            };
            format!("{} hurt{coming}, {back} of {hurt} back", shops_are(offline))
        },
        below: below(&known.open, &sites),
        incident: hurting(&known.open).map(|incident| {
            Link::new("Open the incident", format!("/console/incidents/{}", incident.id))
        }),
        tabs: services::tabs(1),
        grouping: Choices::new(ChoicesLook::Segments, "Group by", 0, &[("Region", "/console/services/shops")]),
        legend: legend
            .into_iter()
            .filter(|(_, _, count)| *count > 0)
            .map(|(state, word, count)| state.says(format!("{word} {}", thousands(count))))
            .collect(),
        working: thousands(count(Shape::Working)),
        wall: tile_wall(tiles),
        recovery_note: format!("{back} of {hurt} back"),
        recovery: (hurt > 0).then(|| recovered(&sites, reading)),
        call: None,
        rows: listed(&sites, &states),
        add: location_change::way_to_add(&visitor.0),
        empty: Empty {
            title: "No shops yet",
            words: "A shop, a hotel, a depot: each gets a tile here and a page of its own. Many at once are added by the API (POST /locations).".into(),
            action: location_change::way_to_add(&visitor.0),
        },
        frame: visitor.frame(app, Place::Services, "Shops", known.situation),
    }
}

/// The incident that named most sites.
fn hurting(open: &[(Incident, Impact)]) -> Option<&Incident> {
    open.iter()
        .filter(|(_, impact)| impact.locations.sites_named() > 0)
        .max_by_key(|(_, impact)| impact.locations.sites_named())
        .map(|(incident, _)| incident)
}

/// What is open, and how many sites use something hurt without having been named.
fn below(open: &[(Incident, Impact)], sites: &[Site]) -> Rich {
    let mut words = Rich::default();
    for (incident, impact) in open
        .iter()
        .filter(|(_, impact)| impact.locations.sites_using > 0)
        .take(3)
    {
        let locations = &impact.locations;
        let named = match impact.locations.sites_named() {
            0 => "none was named".to_owned(),
            named => format!("{} named", thousands(named.unsigned_abs())),
        };
        let to = format!("/console/incidents/{}", incident.id);
        words = words.link(format!("#{}", incident.number), to).then(format!(
            ": {} it hurts, {named}. ",
            counted(
                locations.sites_using.unsigned_abs(),
                "shop uses what",
                "shops use what"
            )
        ));
    }
    let asked = sites
        .iter()
        .filter(|site| site.standing == Some(Standing::Recovering))
        .count();
    if asked > 0 {
        words = words.then("Where machines see everything back, the shop’s own word is still missing.");
    }
    words
}

fn shops_are(offline: u64) -> String {
    match offline {
        0 => "No shop is".to_owned(),
        1 => "1 shop is".to_owned(),
        many => format!("{many} shops are"),
    }
}

fn word(state: Shape) -> &'static str {
    match state {
        Shape::Triggered => "Hurt",
        Shape::Recovering => "Recovering",
        Shape::Resolved => "Back",
        _ => "Working",
    }
}

fn tile(site: &Site, state: Shape) -> Tile {
    Tile {
        id: format!("shop-{}", site.id),
        label: format!("{}, {}", site.name, word(state).to_lowercase()),
        state,
        to: format!("/console/locations/{}", site.id),
        chosen: Chosen::No,
    }
}

fn listed(sites: &[Site], states: &[Shape]) -> Vec<ShopRow> {
    let mut rows: Vec<(&Site, Shape)> = sites
        .iter()
        .zip(states.iter().copied())
        .filter(|(_, state)| *state != Shape::Working)
        .collect();
    rows.sort_by_key(|(site, state)| (*state, std::cmp::Reverse(site.silences.len())));
    rows.into_iter()
        .take(LISTED)
        .map(|(site, state)| ShopRow {
            id: format!("row-{}", site.id),
            to: format!("/console/locations/{}", site.id),
            state: state.says(word(state)),
            name: site.name.clone(),
            terminals: Terminals {
                state,
                up: site.silences.iter().filter(|(_, ended)| ended.is_some()).count(),
                all: site.silences.len(),
            },
        })
        .collect()
}

/// How many were offline and coming back, at equal steps from a little before the first silence until now.
fn recovered(sites: &[Site], reading: &Reading) -> Recovery {
    let began = sites
        .iter()
        .flat_map(|site| &site.silences)
        .map(|(began, _)| began.as_second())
        .min();
    let from = began.unwrap_or_else(|| reading.now.as_second()) - 300;
    let length = (reading.now.as_second() - from).max(1);
    let points: Vec<Hurt> = (0..=POINTS)
        .filter_map(|step| Timestamp::from_second(from + length * step / POINTS).ok())
        .map(|at| {
            let count = |state| sites.iter().filter(|site| site.state_at(at) == state).count() as u32;
            Hurt {
                at,
                offline: count(Shape::Triggered),
                recovering: count(Shape::Recovering),
            }
        })
        .collect();
    recovery(&points, None, reading)
}
