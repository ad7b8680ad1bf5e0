//! What a status page shows: its components, their groups and their order, each changed by the API's functions.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};

use super::pages::mark;
use super::{from_json, go_to};
use crate::access::Caller;
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted};
use crate::console::prelude::{Current, Pick};
use crate::console::screens::pages::{ComponentChange, ComponentRank, ComponentRow};
use crate::http::{Body, Path, Problem};
use crate::pages::api;
use crate::pages::components::in_order;
use crate::pages::model::{Component, ComponentId, ComponentStatus};
use crate::services::BusinessServiceId;
use crate::services::model::BusinessService;
use crate::services::store::touchpoints;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/pages/{id}/components", post(add_component))
        .route("/console/pages/{id}/groups", post(add_group))
        .route(
            "/console/pages/{id}/components/{component_id}",
            post(set_component),
        )
        .route(
            "/console/pages/{id}/components/{component_id}/change",
            post(change_component),
        )
        .route(
            "/console/pages/{id}/components/{component_id}/move",
            post(move_component),
        )
        .route(
            "/console/pages/{id}/components/{component_id}/remove",
            post(remove_component),
        )
}

const STATES: [ComponentStatus; 5] = [
    ComponentStatus::Operational,
    ComponentStatus::UnderMaintenance,
    ComponentStatus::DegradedPerformance,
    ComponentStatus::PartialOutage,
    ComponentStatus::MajorOutage,
];

/// The rows of the table, in the order in which readers see them.
pub(super) fn component_rows(components: &[Component], touchpoints: &[BusinessService]) -> Vec<ComponentRow> {
    in_order(components)
        .into_iter()
        .map(|component| component_row(component, touchpoints))
        .collect()
}

fn component_row(component: &Component, touchpoints: &[BusinessService]) -> ComponentRow {
    let touchpoint = touchpoints
        .iter()
        .find(|one| component.business_service_id.as_ref() == Some(&one.id));
    let by_itself = Pick::new("", "By itself");
    let says = std::iter::once(match component.override_status {
        None => by_itself.current(),
        Some(_) => by_itself,
    })
    .chain(STATES.into_iter().map(|status| {
        let pick = Pick::new(status.as_text(), status.words());
        if component.override_status == Some(status) {
            pick.current()
        } else {
            pick
        }
    }))
    .collect();
    let rank = match (component.is_group, &component.group_id) {
        (true, _) => ComponentRank::Group,
        (false, Some(_)) => ComponentRank::Member,
        (false, None) => ComponentRank::Single,
    };
    ComponentRow {
        id: component.id.to_string(),
        name: component.name.to_string(),
        description: described(component),
        state: mark(component.override_status.unwrap_or(component.status)),
        follows: match (component.override_status, touchpoint) {
            _ if component.is_group => "the worst of its own".to_owned(),
            (Some(_), _) => "said by hand".to_owned(),
            (None, Some(touchpoint)) => format!("follows {}", touchpoint.name),
            (None, None) => "follows nothing".to_owned(),
        },
        rank,
        says,
    }
}

fn described(component: &Component) -> String {
    component
        .description
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// The groups that a component can stand in.
pub(super) fn group_picks(components: &[Component], current: Option<&Component>) -> Vec<Pick> {
    let chosen = current.and_then(|component| component.group_id.as_ref());
    in_order(components)
        .into_iter()
        .filter(|component| component.is_group)
        .map(|group| {
            let pick = Pick::new(group.id.as_str(), group.name.to_string());
            if chosen == Some(&group.id) {
                pick.current()
            } else {
                pick
            }
        })
        .collect()
}

/// The form for the component that the address names.
pub(super) fn changing(components: &[Component], id: &str) -> Option<ComponentChange> {
    let component = components.iter().find(|one| one.id.as_str() == id)?;
    Some(ComponentChange {
        id: component.id.to_string(),
        name: component.name.to_string(),
        description: described(component),
        groups: (!component.is_group).then(|| group_picks(components, Some(component))),
        only_when_hurt: if component.only_show_if_degraded {
            Current::Yes
        } else {
            Current::No
        },
    })
}

fn page(id: &str) -> String {
    format!("/console/pages/{id}")
}

/// Sends what a form says to the API as a change of one component.
async fn send(
    app: &Arc<App>,
    caller: &Caller,
    page_id: &str,
    component_id: &str,
    component: Value,
) -> Result<(), Problem> {
    let body = from_json(json!({ "component": component }))?;
    let path = Path((page_id.to_owned(), component_id.to_owned()));
    api::change_component(State(app.clone()), caller.clone(), path, Body(body))
        .await
        .map(drop)
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewComponent {
    pub touchpoint: String,
    pub name: String,
    pub description: String,
    pub group: String,
}

/// Adds a component; one that follows a touchpoint is called like it, unless told.
pub(super) async fn show_touchpoint(
    app: &Arc<App>,
    caller: &Caller,
    page_id: &str,
    new: NewComponent,
) -> Result<(), Problem> {
    let mut name = new.name.trim().to_owned();
    if name.is_empty() && !new.touchpoint.is_empty() {
        let id = BusinessServiceId::from(new.touchpoint.as_str());
        let known = app.read(move |tx| touchpoints::find(tx, &id)).await?;
        name = known.map(|one| one.name).unwrap_or_default();
    }
    let mut component = json!({ "name": name });
    if !new.touchpoint.is_empty() {
        component["business_service"] = json!({ "id": new.touchpoint, "type": "business_service_reference" });
    }
    if !new.description.is_empty() {
        component["description"] = Value::from(new.description);
    }
    if !new.group.is_empty() {
        component["group_id"] = Value::from(new.group);
    }
    add(app, caller, page_id, component).await
}

async fn add(app: &Arc<App>, caller: &Caller, page_id: &str, component: Value) -> Result<(), Problem> {
    let body = from_json(json!({ "component": component }))?;
    let path = Path(page_id.to_owned());
    api::add_component(State(app.clone()), caller.clone(), path, Body(body))
        .await
        .map(drop)
}

async fn add_component(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<NewComponent>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    show_touchpoint(&app, &visitor.0, &id, fields).await?;
    Ok(go_to(&page(&id)))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewGroup {
    name: String,
}

async fn add_group(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<NewGroup>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let group = json!({ "name": fields.name.trim(), "group": true });
    add(&app, &visitor.0, &id, group).await?;
    Ok(go_to(&page(&id)))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Said {
    /// Empty: by itself.
    status: String,
}

async fn set_component(
    State(app): State<Arc<App>>,
    Path((id, component_id)): Path<(String, String)>,
    posted: Posted<Said>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let status = Some(fields.status).filter(|status| !status.is_empty());
    let said = json!({ "override_status": status });
    send(&app, &visitor.0, &id, &component_id, said).await?;
    Ok(go_to(&page(&id)))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Changed {
    name: String,
    description: String,
    /// Not sent for a group; empty: in no group.
    group: Option<String>,
    only_when_hurt: Option<String>,
}

async fn change_component(
    State(app): State<Arc<App>>,
    Path((id, component_id)): Path<(String, String)>,
    posted: Posted<Changed>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let description = Some(fields.description.trim()).filter(|text| !text.is_empty());
    let mut component = json!({
        "name": fields.name,
        "description": description,
        "only_show_if_degraded": fields.only_when_hurt.is_some(),
    });
    if let Some(group) = &fields.group {
        component["group_id"] = json!(Some(group.as_str()).filter(|group| !group.is_empty()));
    }
    send(&app, &visitor.0, &id, &component_id, component).await?;
    Ok(go_to(&page(&id)))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Moved {
    /// `up` or `down`.
    direction: String,
}

async fn move_component(
    State(app): State<Arc<App>>,
    Path((id, component_id)): Path<(String, String)>,
    posted: Posted<Moved>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let direction = match fields.direction.as_str() {
        "up" => Direction::Up,
        _ => Direction::Down,
    };
    let moved = component_id.clone();
    api::arrange_components(
        &app,
        visitor.0,
        (id.clone(), component_id.clone()),
        move |components| positions_after(components, &moved, direction),
    )
    .await?;
    Ok(go_to(&format!("{}#component-{component_id}", page(&id))))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// The new positions of those that move when one changes places with its neighbour: a component among those of its
/// group, a group with all it holds.
fn positions_after(components: &[Component], id: &str, direction: Direction) -> Vec<(ComponentId, i64)> {
    let order = in_order(components);
    let Some(moved) = order.iter().find(|one| one.id.as_str() == id) else {
        return Vec::new();
    };
    let mut siblings: Vec<&Component> = order
        .iter()
        .copied()
        .filter(|one| one.group_id == moved.group_id)
        .collect();
    let Some(at) = siblings.iter().position(|one| one.id == moved.id) else {
        return Vec::new();
    };
    let other = match direction {
        Direction::Up => at.checked_sub(1),
        Direction::Down => Some(at + 1).filter(|next| *next < siblings.len()),
    };
    let Some(other) = other else {
        return Vec::new();
    };
    siblings.swap(at, other);
    let mut siblings = siblings.into_iter();
    let mut next: Vec<&Component> = Vec::new();
    // Siblings stand in their new order where siblings stood; whatever belongs to a group follows it.
    for one in &order {
        if one.group_id == moved.group_id {
            next.extend(siblings.next());
        }
    }
    let mut whole: Vec<&Component> = Vec::new();
    let tops: Vec<&Component> = if moved.group_id.is_none() {
        next.clone()
    } else {
        order
            .iter()
            .copied()
            .filter(|one| one.group_id.is_none())
            .collect()
    };
    for top in tops {
        whole.push(top);
        if moved.group_id.as_ref() == Some(&top.id) {
            whole.extend(next.iter().copied());
        } else {
            whole.extend(
                order
                    .iter()
                    .copied()
                    .filter(|one| one.group_id.as_ref() == Some(&top.id)),
            );
        }
    }
    (1_i64..)
        .zip(whole)
        .filter(|(position, one)| one.position != *position)
        .map(|(position, one)| (one.id.clone(), position))
        .collect()
}

async fn remove_component(
    State(app): State<Arc<App>>,
    Path((id, component_id)): Path<(String, String)>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let back = page(&id);
    api::delete_component(State(app), posted.visitor.0, Path((id, component_id))).await?;
    Ok(go_to(&back))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::pages::model::StatusPageId;
    use crate::words::PublicText;

    fn component(id: &str, position: i64, group: Option<&str>, is_group: IsGroup) -> Component {
        Component {
            id: ComponentId::from(id),
            page_id: StatusPageId::from("page"),
            business_service_id: None,
            name: PublicText::fixed("x"),
            description: None,
            is_group: is_group == IsGroup::Yes,
            group_id: group.map(ComponentId::from),
            position,
            showcase: true,
            only_show_if_degraded: false,
            override_status: None,
            status: ComponentStatus::Operational,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[derive(PartialEq, Eq)]
    enum IsGroup {
        No,
        Yes,
    }

    /// cards, shops { tills, wifi }, web
    fn page_of_four() -> Vec<Component> {
        vec![
            component("cards", 1, None, IsGroup::No),
            component("shops", 2, None, IsGroup::Yes),
            component("web", 3, None, IsGroup::No),
            component("tills", 4, Some("shops"), IsGroup::No),
            component("wifi", 5, Some("shops"), IsGroup::No),
        ]
    }

    fn after(id: &str, direction: Direction) -> Vec<String> {
        let mut components = page_of_four();
        for (id, position) in positions_after(&components, id, direction) {
            let one = components.iter_mut().find(|one| one.id == id).unwrap();
            one.position = position;
        }
        components.sort_by_key(|one| one.position);
        in_order(&components)
            .into_iter()
            .map(|one| one.id.to_string())
            .collect()
    }

    #[test]
    fn a_group_is_followed_by_what_it_holds() {
        let components = page_of_four();
        let ids: Vec<&str> = in_order(&components)
            .into_iter()
            .map(|one| one.id.as_str())
            .collect();
        assert_eq!(ids, ["cards", "shops", "tills", "wifi", "web"]);
    }

    #[test]
    fn a_group_moves_with_all_it_holds() {
        assert_eq!(
            after("shops", Direction::Up),
            ["shops", "tills", "wifi", "cards", "web"]
        );
        assert_eq!(
            after("shops", Direction::Down),
            ["cards", "web", "shops", "tills", "wifi"]
        );
    }

    #[test]
    fn a_member_moves_within_its_group_and_no_further() {
        assert_eq!(
            after("wifi", Direction::Up),
            ["cards", "shops", "wifi", "tills", "web"]
        );
        assert_eq!(
            after("wifi", Direction::Down),
            ["cards", "shops", "tills", "wifi", "web"]
        );
        assert_eq!(
            after("cards", Direction::Up),
            ["cards", "shops", "tills", "wifi", "web"]
        );
    }
}
