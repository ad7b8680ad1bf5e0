//! Early warnings over the API.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::warnings::{self, Sign, Unusual, Warning};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Problem, Problems, Reference, Site};

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What may become an incident.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct EarlyWarningsAnswer {
    /// By `kind`: `said_by_many` (customers who write alike), `more_than_usual` (with the figures behind it), and
    /// `held_back` (an alert that opens an incident only if it stays). Each has a `title` and a `reason` for people.
    pub early_warnings: Vec<EarlyWarningView>,
    /// The stated rate: false warnings of more reports than usual that are accepted in a week.
    pub false_alarms_per_week: f64,
}

/// List what may become an incident, with the evidence.
#[utoipa::path(
    get, path = "/desk/early_warnings", tag = "Desk",
    responses((status = 200, description = "The warnings of this moment", body = EarlyWarningsAnswer), Problems)
)]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<axum::Json<EarlyWarningsAnswer>, Problem> {
    caller.require(Action::View, Resource::Case)?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let early_warnings = app
        .read(move |tx| -> Result<_, Problem> {
            let warnings = warnings::of(tx, now)?;
            Ok(warnings.iter().map(|one| view(one, &site)).collect())
        })
        .await?;
    Ok(axum::Json(EarlyWarningsAnswer {
        early_warnings,
        false_alarms_per_week: app.settings.false_alarms_per_week,
    }))
}

/// Something that may become an incident.
#[derive(Debug, serde::Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EarlyWarningView {
    /// Customers who write alike.
    SaidByMany {
        /// `early_warning`
        #[serde(rename = "type")]
        resource: &'static str,
        /// One line, for people.
        title: String,
        /// Why, for people.
        reason: String,
        count: u64,
        last_case: Reference,
    },
    /// More reports than usual.
    MoreThanUsual {
        /// `early_warning`
        #[serde(rename = "type")]
        resource: &'static str,
        /// One line, for people.
        title: String,
        /// Why, for people.
        reason: String,
        /// About which touchpoint; null: about any.
        touchpoint: Option<Reference>,
        /// From which place; null: from any.
        location: Option<Reference>,
        sign: Sign,
        #[schema(value_type = String, format = DateTime)]
        since: Timestamp,
        #[schema(value_type = String, format = DateTime)]
        noticed_at: Timestamp,
        /// Reports between the two.
        observed: u64,
        /// Reports usual between the two.
        expected: f64,
        /// How often a week chance alone brings something like it, over everything that is counted.
        chance_per_week: f64,
        last_case: Reference,
    },
    /// An alert that opens an incident only if it stays.
    HeldBack {
        /// `early_warning`
        #[serde(rename = "type")]
        resource: &'static str,
        /// One line, for people.
        title: String,
        /// Why it waits, for people.
        reason: String,
        alert: Reference,
        service: Reference,
        /// When it opens an incident.
        #[schema(value_type = String, format = DateTime)]
        until: Timestamp,
    },
}

const RESOURCE: &str = "early_warning";

fn view(warning: &Warning, site: &Site) -> EarlyWarningView {
    match warning {
        Warning::SaidByMany { words, count, last } => EarlyWarningView::SaidByMany {
            resource: RESOURCE,
            title: format!("{count} customers write alike, and no incident is open for it"),
            reason: format!("“{words}”, all within the last hour"),
            count: *count,
            last_case: site.reference("case", "cases", last.as_str(), words.as_str()),
        },
        Warning::MoreThanUsual(unusual) => unusual_view(unusual, site),
        Warning::HeldBack {
            alert_id,
            summary,
            service_id,
            service,
            reason,
            until,
        } => EarlyWarningView::HeldBack {
            resource: RESOURCE,
            title: summary.clone(),
            reason: reason.clone(),
            alert: site.reference("alert", "alerts", alert_id, summary.as_str()),
            service: site.reference("service", "services", service_id, service.as_str()),
            until: *until,
        },
    }
}

fn unusual_view(unusual: &Unusual, site: &Site) -> EarlyWarningView {
    let reference = |kind: &str, collection: &str, named: &Option<(String, String)>| {
        named
            .as_ref()
            .map(|(id, name)| site.reference(kind, collection, id, name.as_str()))
    };
    EarlyWarningView::MoreThanUsual {
        resource: RESOURCE,
        title: unusual.title(),
        reason: unusual.reason(),
        touchpoint: reference("business_service", "business_services", &unusual.touchpoint),
        location: reference("location", "locations", &unusual.location),
        sign: unusual.sign,
        since: unusual.since,
        noticed_at: unusual.at,
        observed: unusual.observed,
        expected: unusual.expected,
        chance_per_week: unusual.chance_per_week,
        last_case: site.reference("case", "cases", unusual.last.as_str(), unusual.title()),
    }
}
