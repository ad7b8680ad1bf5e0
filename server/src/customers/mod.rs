//! Who is hurt: locations as a tree, and customers, each with what they use.
//!
//! A location is a region, a site in it, or a terminal of a site. A site has a code behind which its own
//! page stands for the staff who have no account. What a location or a customer uses (a technical service or
//! a touchpoint) is what an incident's impact is computed from; a site counts for its terminals.

pub mod accounts;
pub mod accounts_api;
pub mod locations;
pub mod locations_api;
pub mod model;

pub use accounts::Account;
pub use locations::Location;
pub use model::{AccountId, LocationId};

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(locations_api::routes())
        .merge(accounts_api::routes())
}
