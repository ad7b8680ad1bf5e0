//! The field's public JSON (Statuspage v2): every key, also when it is null, and no other, in the shapes that
//! pollers know. A group is a component; its members point at it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::model::{Component, ComponentStatus, Maintenance, MaintenanceStatus, PageIncident, PageUpdate};
use super::snapshot::Snapshot;
use crate::http::Site;

/// An instant as the field writes it: UTC, with milliseconds.
fn instant(at: Timestamp) -> String {
    format!(
        "{}.{:03}Z",
        at.strftime("%Y-%m-%dT%H:%M:%S"),
        at.as_millisecond().rem_euclid(1_000)
    )
}

fn page(snapshot: &Snapshot, site: &Site) -> Value {
    let page = &snapshot.page;
    json!({
        "id": page.id,
        "name": page.name,
        "url": site.url(&format!("/status/{}", page.slug)),
        "time_zone": page.time_zone,
        "updated_at": instant(page.updated_at),
    })
}

fn status(snapshot: &Snapshot) -> Value {
    let indicator = snapshot.indicator();
    json!({ "indicator": indicator, "description": indicator.description() })
}

fn component(component: &Component) -> Value {
    json!({
        "id": component.id,
        "name": component.name,
        "status": component.status,
        "created_at": instant(component.created_at),
        "updated_at": instant(component.updated_at),
        "position": component.position,
        "description": component.description,
        "showcase": component.showcase,
        "start_date": component.created_at.strftime("%Y-%m-%d").to_string(),
        "group_id": component.group_id,
        "page_id": component.page_id,
        "group": component.is_group,
        "only_show_if_degraded": component.only_show_if_degraded,
    })
}

fn components(snapshot: &Snapshot) -> Vec<Value> {
    snapshot.components.iter().map(component).collect()
}

fn update(incident: &PageIncident, update: &PageUpdate) -> Value {
    json!({
        "id": update.id,
        "status": update.status,
        "body": update.body,
        "incident_id": incident.id,
        "created_at": instant(update.at),
        "updated_at": instant(update.at),
        "display_at": instant(update.at),
        "affected_components": update.affected,
        "deliver_notifications": true,
    })
}

fn incident(snapshot: &Snapshot, incident: &PageIncident, site: &Site) -> Value {
    let updates = snapshot.updates_of(incident);
    json!({
        "id": incident.id,
        "name": incident.name,
        "status": incident.status,
        "created_at": instant(incident.created_at),
        "updated_at": instant(incident.updated_at),
        "monitoring_at": incident.monitoring_at.map(instant),
        "resolved_at": incident.resolved_at.map(instant),
        "impact": incident.impact,
        "shortlink": site.url(&format!("/status/{}/incidents/{}", snapshot.page.slug, incident.id)),
        "started_at": instant(incident.started_at),
        "page_id": snapshot.page.id,
        "incident_updates": updates.iter().map(|one| update(incident, one)).collect::<Vec<_>>(),
    })
}

/// One step of planned work: announced, begun, done.
fn step(snapshot: &Snapshot, one: &Maintenance, status: MaintenanceStatus, at: Timestamp) -> Value {
    let (old, new) = match status {
        MaintenanceStatus::Scheduled => (ComponentStatus::Operational, ComponentStatus::Operational),
        MaintenanceStatus::InProgress => (ComponentStatus::Operational, ComponentStatus::UnderMaintenance),
        MaintenanceStatus::Completed => (ComponentStatus::UnderMaintenance, ComponentStatus::Operational),
    };
    let affected: Vec<Value> = snapshot
        .components
        .iter()
        .filter(|component| one.component_ids.contains(&component.id))
        .map(|component| {
            json!({ "code": component.id, "name": component.name, "old_status": old, "new_status": new })
        })
        .collect();
    json!({
        "id": format!("{}-{}", one.id, status.name()),
        "status": status,
        "body": snapshot.step_words(one, status),
        "incident_id": one.id,
        "created_at": instant(at),
        "updated_at": instant(at),
        "display_at": instant(at),
        "affected_components": affected,
        "deliver_notifications": false,
    })
}

fn maintenance(snapshot: &Snapshot, one: &Maintenance, site: &Site) -> Value {
    let steps: Vec<Value> = one
        .steps()
        .into_iter()
        .map(|(status, at)| step(snapshot, one, status, at))
        .collect();
    json!({
        "id": one.id,
        "name": snapshot.title_of(one),
        "status": one.status,
        "created_at": instant(one.created_at),
        "updated_at": instant(one.updated_at()),
        "monitoring_at": null,
        "resolved_at": (one.status == MaintenanceStatus::Completed).then(|| instant(one.end_at)),
        "impact": "maintenance",
        "shortlink": site.url(&format!("/status/{}/history", snapshot.page.slug)),
        "started_at": instant(one.start_at),
        "page_id": snapshot.page.id,
        "incident_updates": steps,
        "scheduled_for": instant(one.start_at),
        "scheduled_until": instant(one.end_at),
    })
}

/// Every document, with its path under `/status/{slug}`.
pub fn documents(snapshot: &Snapshot, site: &Site) -> Vec<(&'static str, Value)> {
    let page = page(snapshot, site);
    let status = status(snapshot);
    let all: Vec<Value> = snapshot
        .incidents
        .iter()
        .map(|one| incident(snapshot, one, site))
        .collect();
    let open: Vec<Value> = snapshot
        .open_incidents()
        .map(|one| incident(snapshot, one, site))
        .collect();
    let planned = |wanted: &[MaintenanceStatus]| -> Vec<Value> {
        let planned = snapshot.planned(wanted);
        planned
            .into_iter()
            .map(|one| maintenance(snapshot, one, site))
            .collect()
    };
    use MaintenanceStatus::{Completed, InProgress, Scheduled};
    vec![
        (
            "/api/v2/summary.json",
            json!({
                "page": page, "components": components(snapshot), "incidents": open,
                "scheduled_maintenances": planned(&[Scheduled, InProgress]), "status": status,
            }),
        ),
        ("/api/v2/status.json", json!({ "page": page, "status": status })),
        (
            "/api/v2/components.json",
            json!({ "page": page, "components": components(snapshot) }),
        ),
        (
            "/api/v2/incidents.json",
            json!({ "page": page, "incidents": all }),
        ),
        (
            "/api/v2/incidents/unresolved.json",
            json!({ "page": page, "incidents": open }),
        ),
        (
            "/api/v2/scheduled-maintenances.json",
            json!({ "page": page, "scheduled_maintenances": planned(&[Scheduled, InProgress, Completed]) }),
        ),
        (
            "/api/v2/scheduled-maintenances/upcoming.json",
            json!({ "page": page, "scheduled_maintenances": planned(&[Scheduled]) }),
        ),
        (
            "/api/v2/scheduled-maintenances/active.json",
            json!({ "page": page, "scheduled_maintenances": planned(&[InProgress]) }),
        ),
    ]
}
