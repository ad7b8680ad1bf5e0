//! Services as the API shows them.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use store::Tx;

use super::catalogue::vendor_name;
use crate::http::{Include, Problem, Reference, Site};
use crate::services::model::{AlertGrouping, Integration, Service};
use crate::services::store::{keys, services as rows};

/// The resources `service`, in the order of `services`.
pub(super) fn views(
    tx: &mut Tx,
    site: &Site,
    services: &[Service],
    include: &Include,
    now: Timestamp,
) -> Result<Vec<Value>, Problem> {
    let ids: Vec<String> = services.iter().map(|one| one.id.as_str().to_owned()).collect();
    let policies: Vec<String> = services
        .iter()
        .map(|one| one.escalation_policy_id.as_str().to_owned())
        .collect();
    let names: HashMap<String, String> = crate::oncall::store::names_of_policies(tx, &policies)?
        .into_iter()
        .collect();
    let teams = crate::oncall::store::named_teams_of_policies(tx, &policies)?;
    let standing = rows::standing(tx, &ids, now)?;
    let integrations = rows::integrations_of(tx, &ids)?;
    Ok(services
        .iter()
        .map(|service| {
            let policy_id = service.escalation_policy_id.as_str();
            let policy = site.reference(
                "escalation_policy",
                "escalation_policies",
                policy_id,
                names.get(policy_id).cloned().unwrap_or_default(),
            );
            let teams: Vec<_> = teams
                .get(policy_id)
                .into_iter()
                .flatten()
                .map(|(id, name)| site.reference("team", "teams", id, name.clone()))
                .collect();
            let own: Vec<Value> = integrations
                .iter()
                .filter(|one| one.service_id == service.id)
                .map(|one| integration_in_service(one, service, site, include))
                .collect();
            let last = standing.last_incident.get(service.id.as_str());
            json!({
                "id": service.id,
                "type": "service",
                "summary": service.name,
                "self": site.api_url("services", service.id.as_str()),
                "html_url": site.html_url("services", service.id.as_str()),
                "name": service.name,
                "description": service.description,
                "escalation_policy": policy,
                "auto_resolve_timeout": service.auto_resolve_timeout,
                "acknowledgement_timeout": service.acknowledgement_timeout,
                "status": status(service, &standing),
                "created_at": service.created_at,
                "last_incident_timestamp": last,
                "teams": teams,
                "integrations": own,
                "incident_urgency_rule": service.incident_urgency_rule,
                "support_hours": service.support_hours,
                "scheduled_actions": service.scheduled_actions,
                "addons": [],
                "alert_creation": "create_alerts_and_incidents",
                "alert_grouping_parameters": grouping(&service.alert_grouping),
                "alert_grouping": older_grouping(&service.alert_grouping).0,
                "alert_grouping_timeout": older_grouping(&service.alert_grouping).1,
                "auto_pause_notifications_parameters": {
                    "enabled": service.auto_pause.enabled,
                    "timeout": service.auto_pause.timeout,
                    "recommended_timeout": 300,
                },
                "response_play": Value::Null,
            })
        })
        .collect())
}

fn status(service: &Service, standing: &rows::Standing) -> &'static str {
    let id = service.id.as_str();
    match standing.open.get(id) {
        _ if service.disabled => "disabled",
        _ if standing.in_maintenance.iter().any(|one| one == id) => "maintenance",
        Some((triggered, _)) if *triggered > 0 => "critical",
        Some(_) => "warning",
        None => "active",
    }
}

/// `alert_grouping_parameters` as it was sent.
fn grouping(grouping: &AlertGrouping) -> Value {
    let kind = match &grouping.grouping {
        triage::Grouping::Off => None,
        triage::Grouping::Time { .. } => Some("time"),
        triage::Grouping::ContentBased { .. } => Some("content_based"),
        triage::Grouping::Intelligent { .. } => Some("intelligent"),
        triage::Grouping::ContentBasedIntelligent { .. } => Some("content_based_intelligent"),
    };
    json!({ "type": kind, "config": grouping.config })
}

/// `alert_grouping` and `alert_grouping_timeout` (minutes), as older clients read the same setting.
fn older_grouping(grouping: &AlertGrouping) -> (Option<&'static str>, Option<u32>) {
    match &grouping.grouping {
        triage::Grouping::Time { window_seconds } => (Some("time"), Some(window_seconds.unwrap_or(0) / 60)),
        triage::Grouping::Intelligent { .. } => (Some("intelligent"), None),
        _ => (None, None),
    }
}

fn integration_in_service(
    integration: &Integration,
    service: &Service,
    site: &Site,
    include: &Include,
) -> Value {
    if include.asks_for("integrations") {
        return integration_view(integration, &service.name, site);
    }
    let path = format!("services/{}/integrations", integration.service_id);
    let reference = site.reference(
        &integration.kind,
        &path,
        integration.id.as_str(),
        integration.name.clone(),
    );
    json!(Reference {
        html_url: Some(site.html_url("services", integration.service_id.as_str())),
        ..reference
    })
}

/// The resource of an integration; its `type` says which kind.
pub(super) fn integration_view(integration: &Integration, service_name: &str, site: &Site) -> Value {
    let path = format!("services/{}/integrations", integration.service_id);
    json!({
        "id": integration.id,
        "type": integration.kind,
        "summary": integration.name,
        "self": site.api_url(&path, integration.id.as_str()),
        "html_url": site.html_url("services", integration.service_id.as_str()),
        "name": integration.name,
        "service": site.reference("service", "services", integration.service_id.as_str(), service_name),
        "created_at": integration.created_at,
        "vendor": integration.vendor_id.as_ref().map(|id| {
            site.reference("vendor", "vendors", id, vendor_name(id).unwrap_or(id))
        }),
        "integration_key": keys::shown(site.vault(), integration),
    })
}
