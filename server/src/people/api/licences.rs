//! Licences, which some clients ask for at start. Muster sells none: everybody has the one there is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::present_user;
use super::view::user_reference;
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::{Listing, Paging, Path, Problem, Problems, Query, Reference, Site};
use crate::people::UserId;
use crate::people::store::{self, UserFilter};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LicenceView {
    #[serde(flatten)]
    head: Reference,
    name: &'static str,
    description: &'static str,
    valid_roles: [&'static str; 7],
    role_group: &'static str,
    current_value: i64,
    /// No limit.
    allocations_available: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LicencesAnswer {
    licenses: Vec<LicenceView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LicenceAnswer {
    license: LicenceView,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AllocationView {
    user: Reference,
    license: LicenceView,
    #[schema(value_type = String, format = DateTime)]
    allocated_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AllocationsAnswer {
    license_allocations: Vec<AllocationView>,
    #[serde(flatten)]
    paging: Paging,
}

/// The one licence there is.
#[utoipa::path(get, path = "/licenses", tag = "People", responses((status = 200, body = LicencesAnswer), Problems))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<LicencesAnswer>, Problem> {
    caller.require(Action::View, Resource::User)?;
    let site = app.site.clone();
    app.read(move |tx| {
        let licenses = vec![view(&site, store::count_users(tx)?)];
        Ok(Json(LicencesAnswer { licenses }))
    })
    .await
}

/// Who has the licence: everybody.
#[utoipa::path(get, path = "/license_allocations", tag = "People", params(Listing),
    responses((status = 200, body = AllocationsAnswer), Problems))]
pub(super) async fn allocations(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
) -> Result<Json<AllocationsAnswer>, Problem> {
    caller.require(Action::View, Resource::User)?;
    let page = listing.page()?;
    let site = app.site.clone();
    app.read(move |tx| {
        let filter = UserFilter::default();
        let rows = store::list_users(tx, &filter, page)?;
        let count = store::count_users(tx)?;
        let (rows, paging) = page.finish(rows, || Ok::<_, Problem>(count))?;
        let license_allocations = rows
            .iter()
            .map(|user| AllocationView {
                user: user_reference(&site, &user.id, &user.name),
                license: view(&site, count),
                allocated_at: user.created_at,
            })
            .collect();
        Ok(Json(AllocationsAnswer {
            license_allocations,
            paging,
        }))
    })
    .await
}

/// The licence of one person.
#[utoipa::path(get, path = "/users/{id}/license", tag = "People", params(("id" = String, Path)),
    responses((status = 200, body = LicenceAnswer), Problems))]
pub(super) async fn of_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<Json<LicenceAnswer>, Problem> {
    caller.require(Action::View, Resource::User)?;
    let site = app.site.clone();
    app.read(move |tx| {
        present_user(tx, &id)?;
        Ok(Json(LicenceAnswer {
            license: view(&site, store::count_users(tx)?),
        }))
    })
    .await
}

fn view(site: &Site, users: i64) -> LicenceView {
    LicenceView {
        head: Reference {
            html_url: None,
            api_url: None,
            ..site.resource("license", "licenses", "QLICENCE000001", "Muster")
        },
        name: "Muster",
        description: "Everything, for everybody.",
        valid_roles: [
            "owner",
            "admin",
            "user",
            "limited_user",
            "observer",
            "restricted_access",
            "read_only_user",
        ],
        role_group: "FullUser",
        current_value: users,
        allocations_available: None,
    }
}
