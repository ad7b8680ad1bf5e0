//! Services as the API shows them.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use store::Tx;
use utoipa::ToSchema;

use super::catalogue::vendor_name;
use crate::http::{Head, Include, Problem, Reference, Site};
use crate::services::model::{
    AlertGrouping, AutoPause, Integration, ScheduledAction, Service, SupportHours, UrgencyRule,
};
use crate::services::store::{keys, services as rows};

/// What is shown beside a pause as the one that clients offer first.
const RECOMMENDED_PAUSE_SECONDS: u32 = 300;

/// A technical service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceView {
    #[serde(flatten)]
    head: Head,
    name: String,
    description: Option<String>,
    escalation_policy: Reference,
    /// Seconds after which an open incident resolves by itself; null: never.
    auto_resolve_timeout: Option<i64>,
    /// Seconds after which an acknowledgement is too old; null: never.
    acknowledgement_timeout: Option<i64>,
    /// `active`, `warning` (an open incident, and somebody is at it), `critical` (an open incident that nobody has
    /// acknowledged), `maintenance` or `disabled`.
    status: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_incident_timestamp: Option<Timestamp>,
    /// The teams of its escalation policy.
    teams: Vec<Reference>,
    /// With `include[]=integrations`, whole ones.
    #[schema(value_type = Vec<Reference>)]
    integrations: Vec<Value>,
    incident_urgency_rule: UrgencyRule,
    support_hours: Option<SupportHours>,
    scheduled_actions: Vec<ScheduledAction>,
    /// Always empty.
    addons: Vec<Reference>,
    /// Always `create_alerts_and_incidents`.
    alert_creation: &'static str,
    alert_grouping_parameters: GroupingView,
    /// The same for older clients: `time`, `intelligent` or null.
    alert_grouping: Option<&'static str>,
    /// The same for older clients: minutes.
    alert_grouping_timeout: Option<u32>,
    auto_pause_notifications_parameters: AutoPauseView,
    /// Always null.
    response_play: Option<Reference>,
}

/// How alerts join.
#[derive(Debug, Serialize, ToSchema)]
struct GroupingView {
    /// `time`, `intelligent`, `content_based`, `content_based_intelligent`, or null for none.
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    /// Free-form: the settings of this way, as they were sent.
    #[schema(value_type = Option<Object>)]
    config: Option<Value>,
}

/// Alerts that usually clear by themselves wait before they open an incident.
#[derive(Debug, Serialize, ToSchema)]
struct AutoPauseView {
    #[serde(flatten)]
    pause: AutoPause,
    /// Seconds.
    recommended_timeout: u32,
}

/// One way in for events; its `type` says which kind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntegrationView {
    #[serde(flatten)]
    head: Head,
    name: String,
    service: Reference,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    vendor: Option<Reference>,
    /// What events are sent with; null for those who may not change the service.
    integration_key: Option<String>,
}

/// The resources `service`, each a [`ServiceView`] in which whole resources may be put in the place of references, in the
/// order of `services`.
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
            let (older_kind, older_minutes) = older_grouping(&service.alert_grouping);
            json!(ServiceView {
                head: site
                    .resource("service", "services", service.id.as_str(), service.name.clone())
                    .into(),
                name: service.name.clone(),
                description: service.description.clone(),
                escalation_policy: policy,
                auto_resolve_timeout: service.auto_resolve_timeout,
                acknowledgement_timeout: service.acknowledgement_timeout,
                status: status(service, &standing),
                created_at: service.created_at,
                last_incident_timestamp: last.copied(),
                teams,
                integrations: own,
                incident_urgency_rule: service.incident_urgency_rule,
                support_hours: service.support_hours.clone(),
                scheduled_actions: service.scheduled_actions.clone(),
                addons: Vec::new(),
                alert_creation: "create_alerts_and_incidents",
                alert_grouping_parameters: grouping(&service.alert_grouping),
                alert_grouping: older_kind,
                alert_grouping_timeout: older_minutes,
                auto_pause_notifications_parameters: AutoPauseView {
                    pause: service.auto_pause,
                    recommended_timeout: RECOMMENDED_PAUSE_SECONDS,
                },
                response_play: None,
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
fn grouping(grouping: &AlertGrouping) -> GroupingView {
    let kind = match &grouping.grouping {
        triage::Grouping::Off => None,
        triage::Grouping::Time { .. } => Some("time"),
        triage::Grouping::ContentBased { .. } => Some("content_based"),
        triage::Grouping::Intelligent { .. } => Some("intelligent"),
        triage::Grouping::ContentBasedIntelligent { .. } => Some("content_based_intelligent"),
    };
    GroupingView {
        kind,
        config: grouping.config.clone(),
    }
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
    json!(IntegrationView {
        head: Head {
            id: integration.id.to_string(),
            kind: integration.kind.clone(),
            summary: Some(integration.name.clone()),
            api_url: Some(site.api_url(&path, integration.id.as_str())),
            html_url: Some(site.html_url("services", integration.service_id.as_str())),
        },
        name: integration.name.clone(),
        service: site.reference(
            "service",
            "services",
            integration.service_id.as_str(),
            service_name
        ),
        created_at: integration.created_at,
        vendor: integration.vendor_id.as_ref().map(|id| site.reference(
            "vendor",
            "vendors",
            id,
            vendor_name(id).unwrap_or(id)
        )),
        integration_key: keys::shown(site.vault(), integration),
    })
}
