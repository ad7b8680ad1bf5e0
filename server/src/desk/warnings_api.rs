//! Early warnings over the API.

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::warnings::{self, Unusual, Warning};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Problem, Problems, Site};

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What may become an incident.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct EarlyWarningsAnswer {
    /// By `kind`: `said_by_many` (customers who write alike), `more_than_usual` (with the figures behind it), and
    /// `held_back` (an alert that opens an incident only if it stays). Each has a `title` and a `reason` for people.
    #[schema(value_type = Vec<Object>)]
    pub early_warnings: Vec<Value>,
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

fn view(warning: &Warning, site: &Site) -> Value {
    match warning {
        Warning::SaidByMany { words, count, last } => json!({
            "type": "early_warning",
            "kind": "said_by_many",
            "title": format!("{count} customers write alike, and no incident is open for it"),
            "reason": format!("“{words}”, all within the last hour"),
            "count": count,
            "last_case": site.reference("case", "cases", last.as_str(), words.as_str()),
        }),
        Warning::MoreThanUsual(unusual) => unusual_view(unusual, site),
        Warning::HeldBack {
            alert_id,
            summary,
            service_id,
            service,
            reason,
            until,
        } => json!({
            "type": "early_warning",
            "kind": "held_back",
            "title": summary,
            "reason": reason,
            "alert": site.reference("alert", "alerts", alert_id, summary.as_str()),
            "service": site.reference("service", "services", service_id, service.as_str()),
            "until": until,
        }),
    }
}

fn unusual_view(unusual: &Unusual, site: &Site) -> Value {
    let reference = |kind: &str, collection: &str, named: &Option<(String, String)>| {
        named
            .as_ref()
            .map(|(id, name)| site.reference(kind, collection, id, name.as_str()))
    };
    json!({
        "type": "early_warning",
        "kind": "more_than_usual",
        "title": unusual.title(),
        "reason": unusual.reason(),
        "touchpoint": reference("business_service", "business_services", &unusual.touchpoint),
        "location": reference("location", "locations", &unusual.location),
        "sign": unusual.sign,
        "since": unusual.since,
        "noticed_at": unusual.at,
        "observed": unusual.observed,
        "expected": unusual.expected,
        "chance_per_week": unusual.chance_per_week,
        "last_case": site.reference("case", "cases", unusual.last.as_str(), unusual.title()),
    })
}
