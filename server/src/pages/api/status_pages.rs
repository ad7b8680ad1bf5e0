//! Status pages themselves.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::components::{ComponentView, component_view};
use super::{LONGEST_SLUG, find, page_named, page_told};
use crate::access::audit::{self, AuditAction};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Faults, Head, Listing, Paging, Path, Problem, Problems, Query, Site};
use crate::pages::model::{StatusPage, Visibility};
use crate::pages::{jobs, store as rows, subscribers};
use crate::updates::audiences;
use crate::updates::promised_words::check_language;

/// One status page.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(crate) struct StatusPageAnswer {
    pub(crate) status_page: StatusPageView,
}

/// A page of status pages.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(super) struct StatusPagesAnswer {
    status_pages: Vec<StatusPageView>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct StatusPageBody {
    status_page: StatusPageInput,
}

/// A status page as it is sent. On a change, what is left out stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct StatusPageInput {
    #[serde(default)]
    name: Option<String>,
    /// Its address: `/status/{slug}`. Small letters, digits and hyphens.
    #[serde(default)]
    slug: Option<String>,
    /// `public` (unless told) or `private`.
    #[serde(default)]
    visibility: Option<Visibility>,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    time_zone: Option<String>,
}

impl StatusPageInput {
    fn over(&self, mut page: StatusPage) -> Result<StatusPage, Problem> {
        let mut faults = Faults::new();
        if let Some(name) = &self.name {
            page.name.clone_from(name);
        }
        page.name = faults.name("status_page.name", Some(&page.name), 125);
        if let Some(slug) = &self.slug {
            page.slug.clone_from(slug);
        }
        check_slug(&mut faults, &page.slug);
        page.visibility = self.visibility.unwrap_or(page.visibility);
        if let Some(language) = &self.language {
            page.language = faults.name("status_page.language", Some(language), 35);
            check_language(&mut faults, "status_page.language", &page.language);
        }
        if let Some(zone) = &self.time_zone {
            faults.time_zone("status_page.time_zone", zone);
            page.time_zone.clone_from(zone);
        }
        faults.done()?;
        Ok(page)
    }
}

fn check_slug(faults: &mut Faults, slug: &str) {
    let good = !slug.is_empty()
        && slug.len() <= LONGEST_SLUG
        && !slug.starts_with('-')
        && !slug.ends_with('-')
        && slug
            .chars()
            .all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-');
    if !good {
        faults.add(format!(
            "status_page.slug must be small letters, digits and hyphens, at most {LONGEST_SLUG}."
        ));
    }
}

/// A status page.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(crate) struct StatusPageView {
    #[serde(flatten)]
    pub(crate) head: Head,
    name: String,
    /// Its address: `/status/{slug}`.
    slug: String,
    visibility: Visibility,
    /// The same under the dialect's name.
    status_page_type: Visibility,
    /// Of the words that people write, as in `lang="en"`.
    language: String,
    /// IANA name.
    time_zone: String,
    url: String,
    /// How many readers subscribed.
    subscribers: i64,
    components: Vec<ComponentView>,
    #[schema(value_type = String, format = DateTime)]
    published_at: jiff::Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: jiff::Timestamp,
}

fn view(tx: &mut store::Tx, page: &StatusPage, site: &Site) -> Result<StatusPageView, Problem> {
    let readers = subscribers::count(tx, &page.id)?;
    let components = rows::components(tx, &page.id)?;
    Ok(StatusPageView {
        head: site
            .resource("status_page", "status_pages", page.id.as_str(), page.name.clone())
            .into(),
        name: page.name.clone(),
        slug: page.slug.clone(),
        visibility: page.visibility,
        status_page_type: page.visibility,
        language: page.language.clone(),
        time_zone: page.time_zone.clone(),
        url: site.url(&format!("/status/{}", page.slug)),
        subscribers: readers,
        components: components.iter().map(|one| component_view(one, site)).collect(),
        published_at: page.created_at,
        created_at: page.created_at,
        updated_at: page.updated_at,
    })
}

/// List status pages.
#[utoipa::path(
    get, path = "/status_pages", tag = "Status pages", params(Listing),
    responses((status = 200, description = "A page of status pages", body = StatusPagesAnswer), Problems)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<StatusPagesAnswer>, Problem> {
    caller.require(Action::View, Resource::StatusPage)?;
    let page = listing.page()?;
    let site = app.site.clone();
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let found = rows::list(tx, page)?;
            let (found, paging) = page.finish(found, || rows::count(tx))?;
            let mut status_pages = Vec::new();
            for one in &found {
                status_pages.push(view(tx, one, &site)?);
            }
            Ok(StatusPagesAnswer { status_pages, paging })
        })
        .await?;
    Ok(axum::Json(answer))
}

/// The zone of pages and audiences that nobody gave one.
const UNSAID_ZONE: &str = "Etc/UTC";

/// Add a status page.
#[utoipa::path(
    post, path = "/status_pages", tag = "Status pages", request_body = StatusPageBody,
    responses((status = 201, description = "The status page", body = StatusPageAnswer), Problems)
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<StatusPageBody>,
) -> Result<(StatusCode, axum::Json<StatusPageAnswer>), Problem> {
    caller.require(Action::Create, Resource::StatusPage)?;
    let site = app.site.clone();
    let status_page = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let blank = StatusPage {
                id: change.identifier(),
                name: String::new(),
                slug: String::new(),
                visibility: Visibility::Public,
                language: "en".to_owned(),
                time_zone: UNSAID_ZONE.to_owned(),
                version: 1,
                digest: String::new(),
                created_at: change.now,
                updated_at: change.now,
            };
            let page = body.status_page.over(blank)?;
            rows::insert(change, &page)?;
            audiences::follow_zone(change, UNSAID_ZONE, &page.time_zone)?;
            jobs::owe(change, &page.id)?;
            let made = page_named(&page).telling(&Value::Null, &page_told(&page));
            audit::record(change, &caller, AuditAction::Create, &made);
            view(change.tx, &page, &site)
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(StatusPageAnswer { status_page })))
}

/// Show a status page.
#[utoipa::path(
    get, path = "/status_pages/{id}", tag = "Status pages",
    params(("id" = String, Path, description = "The status page's id")),
    responses((status = 200, description = "The status page", body = StatusPageAnswer), Problems)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<StatusPageAnswer>, Problem> {
    caller.require(Action::View, Resource::StatusPage)?;
    let site = app.site.clone();
    let status_page = app
        .read(move |tx| -> Result<_, Problem> {
            let page = find(tx, &id)?;
            view(tx, &page, &site)
        })
        .await?;
    Ok(axum::Json(StatusPageAnswer { status_page }))
}

/// Change a status page.
#[utoipa::path(
    put, path = "/status_pages/{id}", tag = "Status pages", request_body = StatusPageBody,
    params(("id" = String, Path, description = "The status page's id")),
    responses((status = 200, description = "The status page", body = StatusPageAnswer), Problems)
)]
pub(crate) async fn change_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<StatusPageBody>,
) -> Result<axum::Json<StatusPageAnswer>, Problem> {
    caller.require(Action::Change, Resource::StatusPage)?;
    let site = app.site.clone();
    let (page_id, status_page) = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let before = find(change.tx, &id)?;
            let (zone, slug) = (before.time_zone.clone(), before.slug.clone());
            let was = page_told(&before);
            let page = body.status_page.over(before)?;
            rows::save(change, &page)?;
            if page.slug != slug {
                rows::leave_slug(change, &page.id, &slug)?;
            }
            audiences::follow_zone(change, &zone, &page.time_zone)?;
            jobs::owe(change, &page.id)?;
            let changed = page_named(&page).telling(&was, &page_told(&page));
            audit::record(change, &caller, AuditAction::Update, &changed);
            let page = find(change.tx, page.id.as_str())?;
            Ok((page.id.clone(), view(change.tx, &page, &site)?))
        })
        .await?;
    // What has become private, or has moved, is gone from here at once.
    app.pages.remove(&page_id);
    Ok(axum::Json(StatusPageAnswer { status_page }))
}

/// Delete a status page.
#[utoipa::path(
    delete, path = "/status_pages/{id}", tag = "Status pages",
    params(("id" = String, Path, description = "The status page's id")),
    responses((status = 204, description = "Deleted"), Problems)
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Delete, Resource::StatusPage)?;
    let page_id = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let page = find(change.tx, &id)?;
            rows::delete(change, &page.id)?;
            audit::record(change, &caller, AuditAction::Delete, &page_named(&page));
            Ok(page.id)
        })
        .await?;
    app.pages.remove(&page_id);
    Ok(StatusCode::NO_CONTENT)
}
