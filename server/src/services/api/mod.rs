//! The endpoints of services, touchpoints and what joins them.

pub(crate) mod business_services;
mod catalogue;
mod change_events;
pub(crate) mod dependencies;
pub(crate) mod integrations;
pub(crate) mod maintenance_windows;
mod policies;
pub(crate) mod service_input;
pub(crate) mod services;
mod view;
pub mod wholes;

use std::sync::Arc;

use ::store::Tx;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Service, ServiceId};
use super::store;

use crate::app::App;
use crate::http::Problem;
use crate::people::TeamId;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(policies::list))
        .routes(routes!(policies::show))
        .routes(routes!(services::list, services::create))
        .routes(routes!(services::show, services::update, services::delete))
        .routes(routes!(change_events::list))
        .routes(routes!(change_events::show))
        .routes(routes!(change_events::of_service))
        .routes(routes!(integrations::create))
        .routes(routes!(
            integrations::show,
            integrations::update,
            integrations::delete
        ))
        .routes(routes!(business_services::list, business_services::create))
        .routes(routes!(
            business_services::show,
            business_services::update,
            business_services::delete
        ))
        .routes(routes!(dependencies::associate))
        .routes(routes!(dependencies::disassociate))
        .routes(routes!(dependencies::of_service))
        .routes(routes!(dependencies::of_business_service))
        .routes(routes!(maintenance_windows::list, maintenance_windows::create))
        .routes(routes!(
            maintenance_windows::show,
            maintenance_windows::update,
            maintenance_windows::delete
        ))
        .routes(routes!(catalogue::priorities))
        .routes(routes!(catalogue::vendors))
        .routes(routes!(catalogue::vendor))
}

fn present(tx: &mut Tx, id: &ServiceId) -> Result<Service, Problem> {
    store::find(tx, id)?.ok_or_else(|| Problem::not_found("The service"))
}

/// The teams a service belongs to: those of its escalation policy.
fn teams_of(tx: &mut Tx, service: &Service) -> Result<Vec<TeamId>, Problem> {
    Ok(crate::oncall::store::teams_of_policy(
        tx,
        &service.escalation_policy_id,
    )?)
}
