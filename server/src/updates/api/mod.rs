//! What is told about an incident, by the conventions of the dialect: its facts, its updates, and the promises
//! of a next word.

mod facts;
mod promises;
mod written;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::access::audit::{self, AuditAction, Changed};
use crate::app::App;
use crate::http::Problem;
use crate::timeline::Change;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(facts::show_facts, facts::state_facts))
        .routes(routes!(written::list_updates, written::write_update))
        .routes(routes!(written::show_update, written::edit_update))
        .routes(routes!(written::approve))
        .routes(routes!(written::publish))
        .routes(routes!(promises::list_promises))
}

fn note(
    change: &mut Change,
    caller: &Caller,
    action: AuditAction,
    resource_type: &str,
    resource_id: &str,
) -> Result<(), Problem> {
    let changed = Changed::named(resource_type, resource_id, "");
    Ok(audit::record(change, caller, action, &changed)?)
}
