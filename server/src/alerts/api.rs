//! The alerts of an incident, over the API.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::http::{Path, Query};
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Alert, AlertId, AlertStatus};
use super::patience::Offer;
use super::store::{self as rows, Sought};
use super::view::{AlertView, view};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::listing::{parse_all, sorted_by};
use crate::http::reference::ReferenceInput;
use crate::http::{Body, Include, Listing, Paging, Problem, Problems, Site};
use crate::incidents::mentions::{Mentions, Pointed};
use crate::incidents::model::Status;
use crate::incidents::{IncidentId, actions, merge, wholes};
use crate::services::ServiceId;
use crate::timeline::{Kind, NewEntry};

const MOST_AT_ONCE: usize = 250;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, change_many))
        .routes(routes!(show, change_one))
        .routes(routes!(list_transient))
}

/// A page of alerts.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct AlertsAnswer {
    #[schema(value_type = Vec<AlertView>)]
    pub alerts: Vec<Value>,
    #[serde(flatten)]
    paging: Paging,
}

/// One alert.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct AlertAnswer {
    #[schema(value_type = AlertView)]
    pub alert: Value,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Narrowing {
    alert_key: Option<String>,
    /// `triggered` or `resolved`.
    #[serde(rename = "statuses[]")]
    statuses: Vec<String>,
    /// One or two of `created_at` and `resolved_at`, with `:asc` or `:desc`; the first counts first.
    sort_by: Option<String>,
}

impl Narrowing {
    fn sought(self) -> Result<Sought, Problem> {
        let mut errors = Vec::new();
        let statuses = parse_all("statuses[]", &self.statuses, AlertStatus::from_text, &mut errors);
        let mut sought = Sought {
            alert_key: self.alert_key,
            statuses,
            ..Sought::default()
        };
        let sort_by = self.sort_by.as_deref();
        for (field, direction) in sorted_by(sort_by, &["created_at", "resolved_at"], "alerts", &mut errors) {
            if field == "created_at" {
                // No two came at once, so nothing that is named after it counts.
                sought.age = direction;
                break;
            }
            sought.resolved.get_or_insert(direction);
        }
        if errors.is_empty() {
            Ok(sought)
        } else {
            Err(Problem::invalid(errors))
        }
    }
}

/// List the alerts of an incident.
#[utoipa::path(
    get, path = "/incidents/{id}/alerts", tag = "Alerts", params(Narrowing, Listing, Include,
        ("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "A page of alerts", body = AlertsAnswer), Problems)
)]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(narrowing): Query<Narrowing>,
    Query(listing): Query<Listing>,
    Query(include): Query<Include>,
) -> Result<axum::Json<AlertsAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let page = listing.page()?;
    let sought = narrowing.sought()?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let id = IncidentId::from(id.as_str());
            crate::incidents::store::find(tx, &id)?.ok_or_else(|| Problem::not_found("The incident"))?;
            let found = rows::of_incident(tx, &id, &sought, page)?;
            let (found, paging) = page.finish(found, || rows::count_of_incident(tx, &id, &sought))?;
            let mut alerts = views(tx, &found, &site)?;
            wholes::expand(tx, &site, now, &include, &wholes::OF_ENTRIES, &mut alerts)?;
            Ok(AlertsAnswer { alerts, paging })
        })
        .await?;
    Ok(axum::Json(answer))
}

/// Show one alert.
#[utoipa::path(
    get, path = "/incidents/{id}/alerts/{alert_id}", tag = "Alerts",
    params(("id" = String, Path, description = "The incident's id"), ("alert_id" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert", body = AlertAnswer), Problems)
)]
async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, alert_id)): Path<(String, String)>,
) -> Result<axum::Json<AlertAnswer>, Problem> {
    caller.require(Action::View, Resource::Incident)?;
    let site = app.site.clone();
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let alert = found(tx, &IncidentId::from(id.as_str()), &alert_id)?;
            one_view(tx, alert, &site)
        })
        .await?;
    Ok(axum::Json(answer))
}

/// Kinds of alerts that usually clear by themselves.
#[derive(Debug, serde::Serialize, ToSchema)]
struct TransientAlertsAnswer {
    transient_alerts: Vec<Offer>,
}

/// Kinds of alerts of a service that usually clear by themselves: what a pause as recommended would hold back.
#[utoipa::path(
    get, path = "/services/{id}/transient_alerts", tag = "Alerts",
    params(("id" = String, Path, description = "The service's id")),
    responses((status = 200, description = "The kinds", body = TransientAlertsAnswer), Problems)
)]
async fn list_transient(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<TransientAlertsAnswer>, Problem> {
    caller.require(Action::View, Resource::Service)?;
    let now = app.clock.now();
    let transient_alerts = app
        .read(move |tx| -> Result<_, Problem> {
            let id = ServiceId::from(id.as_str());
            crate::services::store::find(tx, &id)?.ok_or_else(|| Problem::not_found("The service"))?;
            Ok(super::patience::offers(tx, &id, now)?)
        })
        .await?;
    Ok(axum::Json(TransientAlertsAnswer { transient_alerts }))
}

fn found(tx: &mut store::Tx, id: &IncidentId, alert_id: &str) -> Result<Alert, Problem> {
    rows::find(tx, &AlertId::from(alert_id))?
        .filter(|alert| alert.incident_id.as_ref() == Some(id))
        .ok_or_else(|| Problem::not_found("The alert"))
}

#[derive(Debug, Deserialize, ToSchema)]
struct OneAlert {
    alert: AlertChange,
}

#[derive(Debug, Deserialize, ToSchema)]
struct ManyAlerts {
    alerts: Vec<AlertChange>,
}

/// What is to become of an alert.
#[derive(Debug, Deserialize, ToSchema)]
struct AlertChange {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    status: Option<AlertStatus>,
    /// The incident it moves to.
    #[serde(default)]
    incident: Option<ReferenceInput>,
}

/// Resolve an alert, or move it to another incident.
#[utoipa::path(
    put, path = "/incidents/{id}/alerts/{alert_id}", tag = "Alerts", request_body = OneAlert,
    params(("id" = String, Path, description = "The incident's id"), ("alert_id" = String, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert", body = AlertAnswer), Problems)
)]
async fn change_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, alert_id)): Path<(String, String)>,
    Body(body): Body<OneAlert>,
) -> Result<axum::Json<AlertAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    caller.require_name()?;
    let site = app.site.clone();
    let answer = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let alert = apply(change, &IncidentId::from(id.as_str()), &alert_id, &body.alert)?;
            one_view(change.tx, alert, &site)
        })
        .await?;
    Ok(axum::Json(answer))
}

/// Several alerts that were changed together.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct ChangedAlerts {
    #[schema(value_type = Vec<AlertView>)]
    pub alerts: Vec<Value>,
}

/// Change up to 250 alerts of an incident: all of them, or none.
#[utoipa::path(
    put, path = "/incidents/{id}/alerts", tag = "Alerts", request_body = ManyAlerts,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "The alerts", body = ChangedAlerts), Problems)
)]
async fn change_many(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<ManyAlerts>,
) -> Result<axum::Json<ChangedAlerts>, Problem> {
    caller.require(Action::Respond, Resource::Incident)?;
    caller.require_name()?;
    if body.alerts.len() > MOST_AT_ONCE {
        return Err(Problem::too_large(format!(
            "alerts: at most {MOST_AT_ONCE} may be changed at once."
        )));
    }
    let site = app.site.clone();
    let alerts = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let id = IncidentId::from(id.as_str());
            let mut changed = Vec::new();
            for (index, wanted) in body.alerts.iter().enumerate() {
                let alert_id = wanted
                    .id
                    .as_deref()
                    .ok_or_else(|| Problem::invalid([format!("alerts[{index}].id is missing.")]))?;
                changed.push(apply(change, &id, alert_id, wanted)?);
            }
            views(change.tx, &changed, &site)
        })
        .await?;
    Ok(axum::Json(ChangedAlerts { alerts }))
}

fn apply(
    change: &mut crate::timeline::Change,
    id: &IncidentId,
    alert_id: &str,
    wanted: &AlertChange,
) -> Result<Alert, Problem> {
    let alert = found(change.tx, id, alert_id)?;
    note(change, &alert, wanted);
    if let Some(target) = &wanted.incident {
        merge::move_alert(change, &alert.id, &IncidentId::from(target.id.as_str()))?;
    }
    if wanted.status == Some(AlertStatus::Resolved) && alert.status == AlertStatus::Triggered {
        // Held first, so that an alert that is just joining is seen, or finds it closed.
        actions::load(change, id)?;
        rows::resolve(change.tx, &alert.id, change.now, triage::Ending::ByPerson)?;
        if !rows::any_open(change.tx, id)? {
            actions::resolve(change, id, Some("its last alert was resolved"))?;
        }
    }
    if wanted.status == Some(AlertStatus::Triggered) && alert.status == AlertStatus::Resolved {
        let now_in = rows::incident_of(change.tx, &alert.id)?.unwrap_or_else(|| id.clone());
        reopen(change, &now_in, &alert)?;
    }
    rows::find(change.tx, &alert.id)?.ok_or_else(|| Problem::not_found("The alert"))
}

fn note(change: &mut crate::timeline::Change, alert: &Alert, wanted: &AlertChange) {
    let changed = Changed {
        resource_type: "alert",
        resource_id: alert.id.as_str(),
        resource_name: &alert.summary,
        details: json!({
            "status": wanted.status,
            "incident": wanted.incident.as_ref().map(|incident| &incident.id),
        }),
    };
    audit::note(change, AuditAction::Update, &changed);
}

/// An alert that was over opens again, in an incident that is open.
fn reopen(change: &mut crate::timeline::Change, id: &IncidentId, alert: &Alert) -> Result<(), Problem> {
    if actions::load(change, id)?.status == Status::Resolved {
        return Err(Problem::refused(
            1001,
            "alert.status: the incident is resolved; reopen the incident, then the alert.",
        ));
    }
    if rows::find_open(change.tx, &alert.integration_id, &alert.alert_key)?.is_some() {
        return Err(Problem::invalid([
            "alert.status: a later alert with the same alert_key is open already.",
        ]));
    }
    rows::reopen(change.tx, alert)?;
    let text = format!("{} opened an alert again: {}", change.agent.name, alert.summary);
    change.record(NewEntry::new(Kind::AlertMoved, id, text).details(json!({ "alert_ids": [&alert.id] })))?;
    Ok(())
}

/// The resources `alert`, in the order of `alerts`.
fn views(tx: &mut store::Tx, alerts: &[Alert], site: &Site) -> Result<Vec<Value>, Problem> {
    let incidents: BTreeSet<String> = alerts
        .iter()
        .filter_map(|alert| alert.incident_id.as_ref())
        .map(ToString::to_string)
        .collect();
    let came: Vec<_> = alerts
        .iter()
        .filter(|alert| alert.incident_id.is_some())
        .map(|alert| (alert.id.as_str(), alert.created_at))
        .collect();
    let listed: Vec<String> = incidents.iter().cloned().collect();
    let beginnings = crate::timeline::store::beginnings_of_alerts(tx, &listed, &came)?;
    let pointed = Pointed {
        incidents,
        services: alerts.iter().map(|alert| alert.service_id.to_string()).collect(),
        integrations: alerts
            .iter()
            .map(|alert| alert.integration_id.to_string())
            .collect(),
    };
    let mentions = Mentions::read(tx, pointed)?;
    Ok(alerts
        .iter()
        .map(|alert| view(alert, beginnings.get(alert.id.as_str()), &mentions, site))
        .collect())
}

fn one_view(tx: &mut store::Tx, alert: Alert, site: &Site) -> Result<AlertAnswer, Problem> {
    let alert = views(tx, &[alert], site)?.pop().unwrap_or_default();
    Ok(AlertAnswer { alert })
}
