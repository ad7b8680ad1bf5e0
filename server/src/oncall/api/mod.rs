//! On call over the API: escalation policies, schedules, overrides, who is on call, and calendar feeds.

mod policies;
mod policy_input;
pub mod view;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(policies::list, policies::create))
        .routes(routes!(policies::show, policies::update, policies::delete))
        .routes(routes!(policies::give_to_team, policies::take_from_team))
}
