//! Access over the API: keys, the audit log, and what this Muster is able to do.

mod abilities;
pub mod api_keys;
mod audit_records;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(abilities::list))
        .routes(routes!(abilities::test))
        .routes(routes!(api_keys::list, api_keys::create))
        .routes(routes!(api_keys::show, api_keys::revoke))
        .routes(routes!(audit_records::list))
        .routes(routes!(audit_records::verify))
}
