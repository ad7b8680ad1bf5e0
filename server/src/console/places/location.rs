//! One location: whether it is hurt, what it uses, what was reported from it, and its own page for those who work
//! there.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::{location_change, situation, standing as told};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::cases::store as case_rows;
use crate::console::page::{PageProblem, Visitor, show};
use crate::console::prelude::{Place, Rich, State as Shape, StateMark, counted, money};
use crate::console::screens::people::Customer;
use crate::console::screens::room::Figure;
use crate::customers::LocationId;
use crate::customers::locations::{self, LocationKind};
use crate::http::{Path, Problem};
use crate::impact::model::{HurtSite, Standing};
use crate::impact::store as impact_rows;
use crate::incidents::Incident;

/// Incidents that are named one by one.
const INCIDENTS: usize = 5;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/locations/{id}", get(page))
}

async fn page(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<LocationId>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::Location)?;
    let reading = visitor.reading(&app);
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let (situation, location, parent, used, told, hurt) = app
        .read(move |tx| -> Result<_, Problem> {
            let location = locations::find(tx, &id)?.ok_or_else(|| Problem::not_found("The location"))?;
            let parent = match &location.parent_id {
                Some(id) => locations::find(tx, id)?,
                None => None,
            };
            let sought = case_rows::Sought {
                location_ids: vec![id.to_string()],
                ..case_rows::Sought::default()
            };
            let hurt: Vec<(Incident, HurtSite)> = impact_rows::of_open(tx, 50)?
                .into_iter()
                .filter_map(|(incident, impact)| {
                    let site = impact
                        .locations
                        .sites
                        .into_iter()
                        .find(|site| site.id == id.as_str())?;
                    Some((incident, site))
                })
                .collect();
            Ok((
                situation::read(tx, &caller, now)?,
                location,
                parent,
                locations::used(tx, std::slice::from_ref(&id))?,
                told::read(tx, &sought)?,
                hurt,
            ))
        })
        .await?;
    let mut facts: Vec<(String, Rich)> = Vec::new();
    for (incident, site) in hurt.iter().take(INCIDENTS) {
        let through = site.through.join(", ");
        let words = Rich::default()
            .link(
                format!("#{}", incident.number),
                format!("/console/incidents/{}", incident.id),
            )
            .then(format!(" {} {through}", in_words(site.standing)));
        facts.push(("Now".to_owned(), words));
    }
    if let Some(more) = hurt.len().checked_sub(INCIDENTS).filter(|more| *more > 0) {
        let words = format!("and {}", counted(more as u64, "more incident", "more incidents"));
        facts.push((String::new(), Rich::default().link(words, "/console/incidents")));
    }
    if let Some(parent) = &parent {
        let to = format!("/console/locations/{}", parent.id);
        facts.push((
            "Part of".to_owned(),
            Rich::default().link(parent.name.clone(), to),
        ));
    }
    let names: Vec<&str> = used.iter().map(|one| one.name.as_str()).collect();
    let texts = [
        ("Uses", Some(names.join(", ")).filter(|names| !names.is_empty())),
        ("Address", location.address.clone()),
        ("Telephone", location.telephone.clone()),
        ("Time zone", location.time_zone.clone()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            facts.push((name.to_owned(), text.into()));
        }
    }
    if let Some(code) = &location.code {
        let page = format!("/at/{code}");
        facts.push((
            "Its own page".to_owned(),
            Rich::default().link(page.clone(), page),
        ));
    }
    let mut figures = told.figures();
    if location.takings_per_hour > 0 {
        let takings = money(location.takings_per_hour, &location.currency);
        figures.push(Figure::new("Takings an hour", takings, Vec::new()));
    }
    let kind = match location.kind {
        LocationKind::Region => "Region",
        LocationKind::Site => "Site",
        LocationKind::Terminal => "Terminal",
    };
    Ok(show(&Customer {
        frame: visitor.frame(&app, Place::Services, location.name.clone(), situation),
        standing: match (&parent, &location.country) {
            (Some(parent), _) => format!("{kind} in {}", parent.name),
            (None, Some(country)) => format!("{kind}, {country}"),
            (None, None) => kind.to_owned(),
        },
        state: Some(mark(&hurt)),
        about: "About it",
        nothing_reported: "Nobody has reported anything from here.",
        name: location.name,
        figures,
        facts,
        cases: told.rows(&reading),
        story: told.story(&reading),
        change: location_change::way_to_change(&visitor.0, &location.id),
    }))
}

fn in_words(standing: Standing) -> &'static str {
    match standing {
        Standing::Confirmed => "hurts it through",
        Standing::MayBeHurt => "may hurt it through",
        Standing::Recovering => "hurt it; machines say that it works again, its staff have not yet:",
        Standing::Back => "hurt it; its staff say that it works again:",
    }
}

/// The worst of what is known.
fn mark(hurt: &[(Incident, HurtSite)]) -> StateMark {
    match hurt.iter().map(|(_, site)| site.standing).min() {
        Some(Standing::Confirmed) => Shape::Triggered.says("Hurt now"),
        Some(Standing::MayBeHurt) => Shape::Unknown.says("May be hurt"),
        Some(Standing::Recovering) => Shape::Recovering.says("Recovering"),
        Some(Standing::Back) => Shape::Resolved.says("Back"),
        None => Shape::Working.mark(),
    }
    .as_chip()
}
