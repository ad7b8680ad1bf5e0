//! The components of a status page.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{component_named, component_told, find};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Body, Faults, Head, Path, Problem, Problems, Reference, ReferenceInput, Sent, Site};
use crate::pages::model::{Component, ComponentId, ComponentStatus, StatusPage};
use crate::pages::{jobs, posts, store as rows};
use crate::services::BusinessServiceId;
use crate::timeline::Change;
use crate::words::{Approval, InternalText, PublicText};

/// Components on one page.
const MOST_COMPONENTS: usize = 200;

/// One component.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(crate) struct ComponentAnswer {
    component: ComponentView,
}

/// All components of a page, in order.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(super) struct ComponentsAnswer {
    components: Vec<ComponentView>,
}

/// A component of a status page, or a group of them.
#[derive(Debug, serde::Serialize, ToSchema)]
#[schema(as = StatusPageComponentView)]
pub(super) struct ComponentView {
    #[serde(flatten)]
    head: Head,
    /// As readers know it.
    #[schema(value_type = String)]
    name: PublicText,
    #[schema(value_type = Option<String>)]
    description: Option<PublicText>,
    /// The touchpoint whose harm it shows.
    business_service: Option<Reference>,
    /// Whether it is a group.
    group: bool,
    group_id: Option<String>,
    /// Its place on the page.
    position: i64,
    /// Whether its history is shown.
    showcase: bool,
    only_show_if_degraded: bool,
    /// As readers see it.
    status: ComponentStatus,
    /// What a person set instead of what follows from incidents.
    override_status: Option<ComponentStatus>,
    #[schema(value_type = String, format = DateTime)]
    created_at: jiff::Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: jiff::Timestamp,
}

pub(super) fn component_view(component: &Component, site: &Site) -> ComponentView {
    let touchpoint = component.business_service_id.as_ref().map(|id| {
        site.reference(
            "business_service",
            "business_services",
            id.as_str(),
            component.name.to_string(),
        )
    });
    let collection = format!("status_pages/{}/components", component.page_id);
    let head = site.part(
        "status_page_component",
        &collection,
        component.id.as_str(),
        component.name.to_string(),
    );
    ComponentView {
        head: head.into(),
        name: component.name.clone(),
        description: component.description.clone(),
        business_service: touchpoint,
        group: component.is_group,
        group_id: component.group_id.as_ref().map(ToString::to_string),
        position: component.position,
        showcase: component.showcase,
        only_show_if_degraded: component.only_show_if_degraded,
        status: component.status,
        override_status: component.override_status,
        created_at: component.created_at,
        updated_at: component.updated_at,
    }
}

fn find_component(tx: &mut store::Tx, page: &StatusPage, id: &str) -> Result<Component, Problem> {
    rows::find_component(tx, &page.id, &ComponentId::from(id))?
        .ok_or_else(|| Problem::not_found("The component"))
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
pub(super) async fn list_components(
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
            let views = components.iter().map(|one| component_view(one, &site));
            Ok(views.collect())
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
            posts::look_again_at_page(change, &component.page_id)?;
            jobs::owe(change, &page.id)?;
            let made = component_named(&component).telling(&Value::Null, &component_told(&component));
            audit::record(change, &caller, AuditAction::Create, &made);
            Ok(component_view(&component, &site))
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
pub(super) async fn show_component(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, component_id)): Path<(String, String)>,
) -> Result<axum::Json<ComponentAnswer>, Problem> {
    caller.require(Action::View, Resource::StatusPage)?;
    let site = app.site.clone();
    let component = app
        .read(move |tx| -> Result<_, Problem> {
            let page = find(tx, &id)?;
            Ok(component_view(&find_component(tx, &page, &component_id)?, &site))
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
            let bound_before = known.business_service_id.clone();
            let was = component_told(&known);
            let component = body.component.over(change, &page, known)?;
            rows::save_component(change, &component)?;
            if component.business_service_id != bound_before {
                posts::look_again_at_page(change, &component.page_id)?;
            }
            jobs::owe(change, &page.id)?;
            let changed = component_named(&component).telling(&was, &component_told(&component));
            audit::record(change, &caller, AuditAction::Update, &changed);
            Ok(component_view(&component, &site))
        })
        .await?;
    Ok(axum::Json(ComponentAnswer { component }))
}

/// Puts the components of a page into another order, all at once: `order` is given those there are and names the
/// new positions of those that move. The audit log keeps one record, about the component that was moved.
pub(crate) async fn arrange_components<F>(
    app: &App,
    caller: Caller,
    (id, moved): (String, String),
    order: F,
) -> Result<(), Problem>
where
    F: Fn(&[Component]) -> Vec<(ComponentId, i64)> + Send + Sync + 'static,
{
    caller.require(Action::Change, Resource::StatusPage)?;
    app.change(caller.agent(), move |change| -> Result<_, Problem> {
        let page = find(change.tx, &id)?;
        let moved = find_component(change.tx, &page, &moved)?;
        let components = rows::components(change.tx, &page.id)?;
        let positions = order(&components);
        if positions.is_empty() {
            return Ok(());
        }
        for component in components {
            if let Some((_, position)) = positions.iter().find(|(id, _)| *id == component.id) {
                let position = *position;
                rows::save_component(
                    change,
                    &Component {
                        position,
                        ..component
                    },
                )?;
            }
        }
        jobs::owe(change, &page.id)?;
        let details = json!({ "positions": positions.iter().map(|(id, position)| {
            json!({ "id": id, "position": position })
        }).collect::<Vec<_>>() });
        let changed = Changed {
            resource_type: "status_page_component",
            resource_id: moved.id.as_str(),
            resource_name: moved.name.as_str(),
            details,
        };
        audit::record(change, &caller, AuditAction::Update, &changed);
        Ok(())
    })
    .await
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
        let gone = component_named(&component);
        audit::record(change, &caller, AuditAction::Delete, &gone);
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
