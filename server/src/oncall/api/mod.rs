//! On call over the API: escalation policies, schedules, overrides, who is on call, and calendar feeds.

mod calendars;
mod oncalls;
pub(crate) mod overrides;
pub(crate) mod policies;
pub(crate) mod policy_input;
mod rendering;
pub(crate) mod schedule_change;
mod schedule_input;
mod schedule_view;
pub(crate) mod schedules;
pub mod view;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(policies::create))
        .routes(routes!(policies::update, policies::delete))
        .routes(routes!(policies::give_to_team, policies::take_from_team))
        .routes(routes!(schedules::list, schedules::create))
        .routes(routes!(schedules::preview))
        .routes(routes!(schedules::show, schedules::update, schedules::delete))
        .routes(routes!(schedules::users))
        .routes(routes!(overrides::list, overrides::create))
        .routes(routes!(overrides::delete))
        .routes(routes!(oncalls::list))
        .routes(routes!(calendars::feed))
}
