//! `/status_pages` and their components, by the conventions of the dialect.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Component, ComponentId, ComponentStatus, StatusPage, StatusPageId, Visibility};
use super::{jobs, store as rows, subscribers};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Faults, Listing, Path, Problem, Problems, Query, ReferenceInput, Sent, Site};
use crate::services::BusinessServiceId;
use crate::timeline::Change;
use crate::words::{Approval, InternalText, PublicText};

/// Longest address of a page.
pub const LONGEST_SLUG: usize = 63;
/// Components on one page.
const MOST_COMPONENTS: usize = 200;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change_one, delete))
        .routes(routes!(list_components, add_component))
        .routes(routes!(show_component, change_component, delete_component))
}

/// One status page.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(crate) struct StatusPageAnswer {
    #[schema(value_type = Object)]
    pub(crate) status_page: Value,
}

/// A page of status pages.
#[derive(Debug, serde::Serialize, ToSchema)]
struct StatusPagesAnswer {
    #[schema(value_type = Vec<Object>)]
    status_pages: Vec<Value>,
    limit: i64,
    offset: i64,
    more: bool,
    total: Option<i64>,
}

/// One component.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(crate) struct ComponentAnswer {
    #[schema(value_type = Object)]
    component: Value,
}

/// All components of a page, in order.
#[derive(Debug, serde::Serialize, ToSchema)]
struct ComponentsAnswer {
    #[schema(value_type = Vec<Object>)]
    components: Vec<Value>,
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

fn extended(head: crate::http::Reference, rest: Value) -> Result<Value, Problem> {
    let mut view = serde_json::to_value(head).map_err(Problem::internal)?;
    if let (Some(view), Value::Object(rest)) = (view.as_object_mut(), rest) {
        view.extend(rest);
    }
    Ok(view)
}

fn view(tx: &mut store::Tx, page: &StatusPage, site: &Site) -> Result<Value, Problem> {
    let readers = subscribers::count(tx, &page.id)?;
    let components = rows::components(tx, &page.id)?;
    let components: Vec<Value> = components
        .iter()
        .map(|one| component_view(one, site))
        .collect::<Result<_, _>>()?;
    extended(
        site.resource("status_page", "status_pages", page.id.as_str(), page.name.clone()),
        json!({
            "name": page.name,
            "slug": page.slug,
            "visibility": page.visibility,
            "status_page_type": page.visibility,
            "language": page.language,
            "time_zone": page.time_zone,
            "url": site.url(&format!("/status/{}", page.slug)),
            "subscribers": readers,
            "components": components,
            "published_at": page.created_at,
            "created_at": page.created_at,
            "updated_at": page.updated_at,
        }),
    )
}

fn component_view(component: &Component, site: &Site) -> Result<Value, Problem> {
    let touchpoint = component.business_service_id.as_ref().map(|id| {
        site.reference(
            "business_service",
            "business_services",
            id.as_str(),
            component.name.to_string(),
        )
    });
    let collection = format!("status_pages/{}/components", component.page_id);
    extended(
        site.part(
            "status_page_component",
            &collection,
            component.id.as_str(),
            component.name.to_string(),
        ),
        json!({
            "name": component.name,
            "description": component.description,
            "business_service": touchpoint,
            "group": component.is_group,
            "group_id": component.group_id,
            "position": component.position,
            "showcase": component.showcase,
            "only_show_if_degraded": component.only_show_if_degraded,
            "status": component.status,
            "override_status": component.override_status,
            "created_at": component.created_at,
            "updated_at": component.updated_at,
        }),
    )
}

fn find(tx: &mut store::Tx, id: &str) -> Result<StatusPage, Problem> {
    rows::find(tx, &StatusPageId::from(id))?.ok_or_else(|| Problem::not_found("The status page"))
}

fn find_component(tx: &mut store::Tx, page: &StatusPage, id: &str) -> Result<Component, Problem> {
    rows::find_component(tx, &page.id, &ComponentId::from(id))?
        .ok_or_else(|| Problem::not_found("The component"))
}

fn note(
    change: &mut Change,
    caller: &Caller,
    action: AuditAction,
    kind: &str,
    id: &str,
    name: &str,
) -> Result<(), Problem> {
    let changed = Changed {
        resource_type: kind,
        resource_id: id,
        resource_name: name,
        details: json!({}),
    };
    Ok(audit::record(change, caller, action, &changed)?)
}

/// List status pages.
#[utoipa::path(
    get, path = "/status_pages", tag = "Status pages", params(Listing),
    responses((status = 200, description = "A page of status pages", body = StatusPagesAnswer), Problems)
)]
async fn list(
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
            Ok(StatusPagesAnswer {
                status_pages,
                limit: paging.limit,
                offset: paging.offset,
                more: paging.more,
                total: paging.total,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}

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
                time_zone: "Etc/UTC".to_owned(),
                version: 1,
                digest: String::new(),
                created_at: change.now,
                updated_at: change.now,
            };
            let page = body.status_page.over(blank)?;
            rows::insert(change, &page)?;
            jobs::owe(change, &page.id)?;
            note(
                change,
                &caller,
                AuditAction::Create,
                "status_page",
                page.id.as_str(),
                &page.name,
            )?;
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
async fn show(
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
            let page = body.status_page.over(find(change.tx, &id)?)?;
            rows::save(change, &page)?;
            jobs::owe(change, &page.id)?;
            note(
                change,
                &caller,
                AuditAction::Update,
                "status_page",
                page.id.as_str(),
                &page.name,
            )?;
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
            note(
                change,
                &caller,
                AuditAction::Delete,
                "status_page",
                page.id.as_str(),
                &page.name,
            )?;
            Ok(page.id)
        })
        .await?;
    app.pages.remove(&page_id);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct ComponentBody {
    component: ComponentInput,
}

/// A component as it is sent. On a change, what is left out stays.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct ComponentInput {
    /// What readers call it.
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Sent<String>,
    /// The touchpoint whose state it shows.
    #[serde(default)]
    #[schema(value_type = Option<ReferenceInput>)]
    business_service: Sent<ReferenceInput>,
    /// True: a group, which others point at. Cannot be changed later.
    #[serde(default)]
    group: Option<bool>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    group_id: Sent<String>,
    #[serde(default)]
    position: Option<i64>,
    #[serde(default)]
    showcase: Option<bool>,
    #[serde(default)]
    only_show_if_degraded: Option<bool>,
    /// What a person says it is, over what is computed; null lets it be computed again.
    #[serde(default)]
    #[schema(value_type = Option<ComponentStatus>)]
    override_status: Sent<ComponentStatus>,
}

impl ComponentInput {
    fn over(
        &self,
        change: &mut Change,
        page: &StatusPage,
        mut component: Component,
    ) -> Result<Component, Problem> {
        let mut faults = Faults::new();
        let approval = Approval::by_rule(
            "names and descriptions of components are written for readers",
            change.now,
        );
        let public = |text: String| PublicText::approve(&InternalText::new(text), &approval);
        let name = self.name.clone().unwrap_or_else(|| component.name.to_string());
        component.name = public(faults.name("component.name", Some(&name), 125));
        match &self.description {
            Sent::Nothing => {}
            Sent::Null => component.description = None,
            Sent::Value(text) => {
                component.description = faults
                    .optional_text("component.description", Some(text), 1_000)
                    .map(public);
            }
        }
        if self.group.is_some_and(|group| group != component.is_group) {
            faults.add("component.group cannot be changed.");
        }
        match &self.business_service {
            Sent::Nothing => {}
            Sent::Null => component.business_service_id = None,
            Sent::Value(reference) => {
                if known_touchpoint(change, &reference.id)? {
                    component.business_service_id = Some(BusinessServiceId::from(reference.id.as_str()));
                } else {
                    faults.add("component.business_service was not found.");
                }
            }
        }
        match &self.group_id {
            Sent::Nothing => {}
            Sent::Null => component.group_id = None,
            Sent::Value(id) => {
                let group = rows::find_component(change.tx, &page.id, &ComponentId::from(id.as_str()))?;
                match group.filter(|group| group.is_group && !component.is_group) {
                    Some(group) => component.group_id = Some(group.id),
                    None => faults.add("component.group_id must name a group of this page."),
                }
            }
        }
        component.position = faults.within(
            "component.position",
            self.position.unwrap_or(component.position),
            0..=10_000,
        );
        component.showcase = self.showcase.unwrap_or(component.showcase);
        component.only_show_if_degraded = self
            .only_show_if_degraded
            .unwrap_or(component.only_show_if_degraded);
        component.override_status = self.override_status.clone().over(component.override_status);
        faults.done()?;
        Ok(component)
    }
}

fn known_touchpoint(change: &mut Change, id: &str) -> Result<bool, store::Error> {
    let (count,): (i64,) = change.tx.one(
        store::sql!("SELECT COUNT(*) FROM business_services WHERE id = $1 AND deleted_at IS NULL"),
        store::params![id],
    )?;
    Ok(count > 0)
}

/// List the components of a page.
#[utoipa::path(
    get, path = "/status_pages/{id}/components", tag = "Status pages",
    params(("id" = String, Path, description = "The status page's id")),
    responses((status = 200, description = "The components", body = ComponentsAnswer), Problems)
)]
async fn list_components(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<ComponentsAnswer>, Problem> {
    caller.require(Action::View, Resource::StatusPage)?;
    let site = app.site.clone();
    let components = app
        .read(move |tx| -> Result<_, Problem> {
            let page = find(tx, &id)?;
            let components = rows::components(tx, &page.id)?;
            components.iter().map(|one| component_view(one, &site)).collect()
        })
        .await?;
    Ok(axum::Json(ComponentsAnswer { components }))
}

/// Add a component.
#[utoipa::path(
    post, path = "/status_pages/{id}/components", tag = "Status pages", request_body = ComponentBody,
    params(("id" = String, Path, description = "The status page's id")),
    responses((status = 201, description = "The component", body = ComponentAnswer), Problems)
)]
pub(crate) async fn add_component(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<ComponentBody>,
) -> Result<(StatusCode, axum::Json<ComponentAnswer>), Problem> {
    caller.require(Action::Change, Resource::StatusPage)?;
    let site = app.site.clone();
    let component = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let page = find(change.tx, &id)?;
            let known = rows::components(change.tx, &page.id)?;
            if known.len() >= MOST_COMPONENTS {
                return Err(Problem::invalid([format!(
                    "A page may have at most {MOST_COMPONENTS} components."
                )]));
            }
            let blank = Component {
                id: change.identifier(),
                page_id: page.id.clone(),
                business_service_id: None,
                name: PublicText::fixed(""),
                description: None,
                is_group: body.component.group.unwrap_or(false),
                group_id: None,
                position: known.last().map_or(1, |last| last.position + 1),
                showcase: true,
                only_show_if_degraded: false,
                override_status: None,
                status: ComponentStatus::Operational,
                created_at: change.now,
                updated_at: change.now,
            };
            let component = body.component.over(change, &page, blank)?;
            rows::insert_component(change, &component)?;
            jobs::owe(change, &page.id)?;
            let (id, name) = (component.id.as_str(), component.name.as_str());
            note(
                change,
                &caller,
                AuditAction::Create,
                "status_page_component",
                id,
                name,
            )?;
            component_view(&component, &site)
        })
        .await?;
    Ok((StatusCode::CREATED, axum::Json(ComponentAnswer { component })))
}

/// Show a component.
#[utoipa::path(
    get, path = "/status_pages/{id}/components/{component_id}", tag = "Status pages",
    params(("id" = String, Path, description = "The status page's id"), ("component_id" = String, Path, description = "The component's id")),
    responses((status = 200, description = "The component", body = ComponentAnswer), Problems)
)]
async fn show_component(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, component_id)): Path<(String, String)>,
) -> Result<axum::Json<ComponentAnswer>, Problem> {
    caller.require(Action::View, Resource::StatusPage)?;
    let site = app.site.clone();
    let component = app
        .read(move |tx| -> Result<_, Problem> {
            let page = find(tx, &id)?;
            component_view(&find_component(tx, &page, &component_id)?, &site)
        })
        .await?;
    Ok(axum::Json(ComponentAnswer { component }))
}

/// Change a component, or say how it stands.
#[utoipa::path(
    put, path = "/status_pages/{id}/components/{component_id}", tag = "Status pages", request_body = ComponentBody,
    params(("id" = String, Path, description = "The status page's id"), ("component_id" = String, Path, description = "The component's id")),
    responses((status = 200, description = "The component", body = ComponentAnswer), Problems)
)]
pub(crate) async fn change_component(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, component_id)): Path<(String, String)>,
    Body(body): Body<ComponentBody>,
) -> Result<axum::Json<ComponentAnswer>, Problem> {
    caller.require(Action::Change, Resource::StatusPage)?;
    let site = app.site.clone();
    let component = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let page = find(change.tx, &id)?;
            let known = find_component(change.tx, &page, &component_id)?;
            let component = body.component.over(change, &page, known)?;
            rows::save_component(change, &component)?;
            jobs::owe(change, &page.id)?;
            let (id, name) = (component.id.as_str(), component.name.as_str());
            note(
                change,
                &caller,
                AuditAction::Update,
                "status_page_component",
                id,
                name,
            )?;
            component_view(&component, &site)
        })
        .await?;
    Ok(axum::Json(ComponentAnswer { component }))
}

/// Delete a component.
#[utoipa::path(
    delete, path = "/status_pages/{id}/components/{component_id}", tag = "Status pages",
    params(("id" = String, Path, description = "The status page's id"), ("component_id" = String, Path, description = "The component's id")),
    responses((status = 204, description = "Deleted"), Problems)
)]
pub(crate) async fn delete_component(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, component_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Change, Resource::StatusPage)?;
    app.change(caller.agent(), move |change| -> Result<_, Problem> {
        let page = find(change.tx, &id)?;
        let component = find_component(change.tx, &page, &component_id)?;
        rows::delete_component(change, &component.id)?;
        jobs::owe(change, &page.id)?;
        let (id, name) = (component.id.as_str(), component.name.as_str());
        note(
            change,
            &caller,
            AuditAction::Delete,
            "status_page_component",
            id,
            name,
        )
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
