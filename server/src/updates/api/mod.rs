//! What is told about an incident, by the conventions of the dialect: its facts, its updates, and the promises
//! of a next word.

mod facts;
mod promises;
mod written;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(facts::show_facts, facts::state_facts))
        .routes(routes!(written::list_updates, written::write_update))
        .routes(routes!(written::show_update, written::edit_update))
        .routes(routes!(written::approve))
        .routes(routes!(written::publish))
        .routes(routes!(promises::list_promises))
}
