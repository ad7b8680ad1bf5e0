//! How components stand now: from open incidents and planned work, unless a person says otherwise.

use std::collections::{HashMap, HashSet};

use jiff::{Timestamp, ToSpan as _};
use store::{Error, Tx};

use super::model::{Component, ComponentId, ComponentStatus, Maintenance, MaintenanceStatus};
use super::store as rows;
use super::view::DAYS;
use crate::services::graph::{self, ServiceKind, ServiceNode};
use crate::timeline::Change;
use crate::updates::situation::Hurt;

/// The order in which readers see them: by position, each group followed by what it holds. What points at a group that
/// is gone stands alone.
pub fn in_order(components: &[Component]) -> Vec<&Component> {
    let holds =
        |group: &Component, one: &Component| !one.is_group && one.group_id.as_ref() == Some(&group.id);
    let is_held = |one: &Component| components.iter().any(|group| group.is_group && holds(group, one));
    let mut order = Vec::with_capacity(components.len());
    for top in components.iter().filter(|one| !is_held(one)) {
        order.push(top);
        if top.is_group {
            order.extend(components.iter().filter(|one| holds(top, one)));
        }
    }
    order
}

/// Brings the recorded statuses up to now.
pub fn follow(
    change: &mut Change,
    components: &mut [Component],
    maintenances: &[Maintenance],
    hurt: &HashMap<String, Hurt>,
) -> Result<(), Error> {
    let worked_on: HashSet<&ComponentId> = maintenances
        .iter()
        .filter(|one| one.status == MaintenanceStatus::InProgress)
        .flat_map(|one| &one.component_ids)
        .collect();
    for component in components.iter_mut().filter(|component| !component.is_group) {
        let touchpoint = component.business_service_id.as_ref();
        let computed = touchpoint
            .and_then(|id| hurt.get(id.as_str()))
            .map_or(ComponentStatus::Operational, |hurt| hurt.harm.into());
        let computed = if computed == ComponentStatus::Operational && worked_on.contains(&component.id) {
            ComponentStatus::UnderMaintenance
        } else {
            computed
        };
        let status = component.override_status.unwrap_or(computed);
        set(change, component, status)?;
    }
    let worst: HashMap<ComponentId, ComponentStatus> =
        components.iter().fold(HashMap::new(), |mut worst, one| {
            if let Some(group) = &one.group_id {
                let entry = worst.entry(group.clone()).or_insert(one.status);
                *entry = (*entry).max(one.status);
            }
            worst
        });
    for group in components.iter_mut().filter(|component| component.is_group) {
        let status = worst
            .get(&group.id)
            .copied()
            .unwrap_or(ComponentStatus::Operational);
        set(change, group, status)?;
    }
    Ok(())
}

fn set(change: &mut Change, component: &mut Component, status: ComponentStatus) -> Result<(), Error> {
    if component.status != status {
        rows::set_status(change, &component.id, status)?;
        component.status = status;
        component.updated_at = change.now;
    }
    Ok(())
}

/// Planned work on what carries the components: ended within the days a page looks back, under way, or to come.
pub fn maintenances(
    tx: &mut Tx,
    components: &[Component],
    now: Timestamp,
) -> Result<Vec<Maintenance>, Error> {
    let bound: HashMap<&str, Vec<&ComponentId>> = components.iter().fold(HashMap::new(), |mut bound, one| {
        if let Some(id) = &one.business_service_id {
            bound.entry(id.as_str()).or_insert_with(Vec::new).push(&one.id);
        }
        bound
    });
    if bound.is_empty() {
        return Ok(Vec::new());
    }
    let since = now.checked_sub((DAYS as i64 * 24).hours()).unwrap_or(now);
    let windows = rows::windows(tx, since)?;
    if windows.is_empty() {
        return Ok(Vec::new());
    }
    let graph = graph::load(tx)?;
    let mut found: Vec<Maintenance> = Vec::new();
    for rows::Window {
        id,
        start_at,
        end_at,
        created_at,
        public_words,
        service_id,
    } in windows
    {
        let hurt = graph
            .dependents_of(&[ServiceNode::technical(&service_id)])
            .into_iter()
            .filter(|reached| reached.node.kind == ServiceKind::BusinessService)
            .filter_map(|reached| bound.get(reached.node.id.as_str()))
            .flatten()
            .map(|id| (*id).clone());
        let component_ids: Vec<ComponentId> = hurt.collect();
        if component_ids.is_empty() {
            continue;
        }
        match found.iter_mut().find(|one| one.id == id) {
            Some(known) => {
                known.component_ids.extend(component_ids);
                known.component_ids.sort();
                known.component_ids.dedup();
            }
            None => found.push(Maintenance {
                id,
                start_at,
                end_at,
                created_at,
                component_ids,
                public_words,
                status: if now < start_at {
                    MaintenanceStatus::Scheduled
                } else if now < end_at {
                    MaintenanceStatus::InProgress
                } else {
                    MaintenanceStatus::Completed
                },
            }),
        }
    }
    Ok(found)
}
