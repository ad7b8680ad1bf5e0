//! *Pages*: the status pages, what each says now, what it shows and to whom. Everything that is done here is
//! done by the functions of the API, with the same checks and the same record of who did it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use store::Tx;

use super::page_components::{self, NewComponent, show_touchpoint};
use super::{from_json, go_to, situation};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor, show};
use crate::console::prelude::{Link, Pick, Place, Rich, StateMark, counted, language_name, thousands};
use crate::console::screens::pages::{PageCard, PageRights, StatusPageDetail, StatusPages};
use crate::customers::locations;
use crate::http::{Body, Path, Problem, Query};
use crate::pages::model::{ComponentStatus, Impact, OWN_LANGUAGE, StatusPage, StatusPageId, Visibility};
use crate::pages::snapshot::{self, Snapshot};
use crate::pages::{api, documents, store as rows, subscribers};
use crate::services::model::BusinessService;
use crate::services::store::touchpoints;
use crate::updates::promised_words::is_same_language;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/pages", get(list).post(add))
        .route("/console/pages/{id}", get(one).post(change))
        .route("/console/pages/{id}/remove", post(remove))
}

/// What a page says in its language, and what not.
fn language_words(language: &str) -> String {
    let name = language_name(language);
    if is_same_language(language, OWN_LANGUAGE) {
        name
    } else {
        format!("{name} for what you write and promise there. Headings and states are in English.")
    }
}

fn rights(visitor: &Visitor) -> PageRights {
    if visitor.0.may(Action::Change, Resource::StatusPage) {
        PageRights::Keep
    } else {
        PageRights::Look
    }
}

fn audience(page: &StatusPage) -> &'static str {
    match page.visibility {
        Visibility::Public => "Public",
        Visibility::Private => "For those who sign in",
    }
}

fn address(id: &StatusPageId) -> String {
    format!("/console/pages/{id}")
}

/// A page as it stands now, and how many are told by mail.
fn read(tx: &mut Tx, page: StatusPage, now: jiff::Timestamp) -> Result<(Snapshot, u64), Problem> {
    let readers = subscribers::count(tx, &page.id)?.unsigned_abs();
    Ok((snapshot::read(tx, page, now)?, readers))
}

/// Who is told by mail; nobody outside is while a page is private.
fn told_of(page: &StatusPage, readers: u64) -> Rich {
    Rich::plain(match page.visibility {
        Visibility::Public => thousands(readers),
        Visibility::Private if readers == 0 => "Nobody".to_owned(),
        Visibility::Private => format!(
            "Nobody while the page is private; {} asked to be",
            thousands(readers)
        ),
    })
}

fn told(readers: u64) -> String {
    match readers {
        0 => "nobody is told by e-mail yet".to_owned(),
        1 => "1 is told by e-mail".to_owned(),
        many => format!("{} are told by e-mail", thousands(many)),
    }
}

pub(super) fn mark(status: ComponentStatus) -> StateMark {
    documents::state_of(status).says(status.words())
}

/// How the whole page stands, in words that fit a page.
fn page_mark(page: &Snapshot) -> StateMark {
    let indicator = page.indicator();
    documents::state_of_page(indicator).says(match indicator {
        Impact::None => "Everything works",
        Impact::Maintenance => "Planned work",
        Impact::Minor | Impact::Major => "Not everything works",
        Impact::Critical => "Something is down",
    })
}

async fn list(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::StatusPage)?;
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let (situation, pages, touchpoints, sites) = app
        .read(move |tx| -> Result<_, Problem> {
            let mut pages = Vec::new();
            for page in rows::all(tx)? {
                pages.push(read(tx, page, now)?);
            }
            let sites = locations::tree(tx)?
                .iter()
                .filter(|location| location.code.is_some())
                .count() as u64;
            Ok((
                situation::read(tx, &caller, now)?,
                pages,
                touchpoints::all(tx)?,
                sites,
            ))
        })
        .await?;
    Ok(show(&StatusPages {
        frame: visitor.frame(&app, Place::Pages, "Pages", situation),
        headline: "What people outside can see".to_owned(),
        pages: pages.iter().map(|(page, readers)| card(page, *readers)).collect(),
        locations_note: match sites {
            0 => "A location with a code has a page of its own for those who work there: what is down, what to do instead, what to say.".into(),
            sites => Rich::plain(format!(
                "{} with a code: each has a page of its own for those who work there, with what is down, what to do instead, what to say. ",
                counted(sites, "location", "locations")
            ))
            .link("See the wall", "/console/services/shops")
            .then("."),
        },
        components: picks(&touchpoints, |_| true),
        rights: rights(&visitor),
    }))
}

fn picks(touchpoints: &[BusinessService], wanted: impl Fn(&BusinessService) -> bool) -> Vec<Pick> {
    touchpoints
        .iter()
        .filter(|one| wanted(one))
        .map(|one| Pick::new(one.id.as_str(), one.name.clone()))
        .collect()
}

fn card(page: &Snapshot, readers: u64) -> PageCard {
    PageCard {
        id: format!("page-{}", page.page.id),
        name: page.page.name.clone(),
        to: address(&page.page.id),
        public: Link::new("Open the page", format!("/status/{}", page.page.slug)),
        state: page_mark(page),
        audience: audience(&page.page),
        says: documents::sentence(page),
        components: page
            .shown()
            .map(|component| (component.name.to_string(), mark(component.status)))
            .collect(),
        readers: told(readers),
    }
}

/// The component whose form is open.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    component: String,
}

async fn one(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<StatusPageId>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageProblem> {
    visitor.0.require(Action::View, Resource::StatusPage)?;
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let (situation, (page, readers), touchpoints) = app
        .read(move |tx| -> Result<_, Problem> {
            let page = rows::find(tx, &id)?.ok_or_else(|| Problem::not_found("The status page"))?;
            Ok((
                situation::read(tx, &caller, now)?,
                read(tx, page, now)?,
                touchpoints::all(tx)?,
            ))
        })
        .await?;
    let base = format!("/status/{}", page.page.slug);
    let visibilities = [
        ("public", "Everyone, without sign-in", Visibility::Public),
        ("private", "Only people who sign in here", Visibility::Private),
    ];
    Ok(show(&StatusPageDetail {
        frame: visitor.frame(&app, Place::Pages, page.page.name.clone(), situation),
        id: page.page.id.to_string(),
        name: page.page.name.clone(),
        state: page_mark(&page).as_chip(),
        audience: audience(&page.page),
        says: documents::sentence(&page),
        components: page_components::component_rows(&page.components, &touchpoints),
        groups: page_components::group_picks(&page.components, None),
        change: page_components::changing(&page.components, &wanted.component),
        touchpoints: picks(&touchpoints, |touchpoint| {
            page.components
                .iter()
                .all(|component| component.business_service_id.as_ref() != Some(&touchpoint.id))
        }),
        facts: vec![
            ("Address", Rich::default().link(base.clone(), base.clone())),
            ("Told by e-mail", told_of(&page.page, readers)),
            (
                "For programs",
                Rich::default()
                    .link("JSON", format!("{base}/api/v2/summary.json"))
                    .then(", ")
                    .link("Atom", format!("{base}/feed.atom")),
            ),
            ("Language", Rich::plain(language_words(&page.page.language))),
        ],
        public: base,
        slug: page.page.slug.clone(),
        time_zone: page.page.time_zone.clone(),
        visibilities: visibilities
            .into_iter()
            .map(|(value, words, visibility)| {
                let pick = Pick::new(value, words);
                if visibility == page.page.visibility {
                    pick.current()
                } else {
                    pick
                }
            })
            .collect(),
        rights: rights(&visitor),
    }))
}

#[derive(Debug, Clone, Deserialize)]
struct NewPage {
    #[serde(default)]
    name: String,
    #[serde(default)]
    slug: String,
    #[serde(default)]
    visibility: Option<Visibility>,
    #[serde(default)]
    component: Vec<String>,
}

async fn add(State(app): State<Arc<App>>, posted: Posted<NewPage>) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let body = json!({ "status_page": {
        "name": fields.name, "slug": fields.slug.trim(), "visibility": fields.visibility,
    } });
    let caller = visitor.0;
    let (_, answer) = api::create(State(app.clone()), caller.clone(), Body(from_json(body)?)).await?;
    let id = answer.0.status_page.head.id.clone();
    for touchpoint in fields.component {
        let new = NewComponent {
            touchpoint,
            ..NewComponent::default()
        };
        show_touchpoint(&app, &caller, &id, new).await?;
    }
    Ok(go_to(&format!("/console/pages/{id}")))
}

#[derive(Debug, Clone, Deserialize)]
struct ChangedPage {
    name: String,
    slug: String,
    visibility: Visibility,
    time_zone: String,
}

async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<ChangedPage>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let body = json!({ "status_page": {
        "name": fields.name, "slug": fields.slug.trim(), "visibility": fields.visibility,
        "time_zone": fields.time_zone.trim(),
    } });
    let back = format!("/console/pages/{id}");
    api::change_one(State(app), visitor.0, Path(id), Body(from_json(body)?))
        .await
        .map(drop)?;
    Ok(go_to(&back))
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    api::delete(State(app), posted.visitor.0, Path(id)).await?;
    Ok(go_to("/console/pages"))
}
