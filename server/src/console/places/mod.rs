//! What each place of the rail shows: the slices are read in one transaction, a screen's view is filled and
//! drawn. Forms post here too; each does one action of a slice and goes back to where it was.

mod addresses;
mod amounts;
mod case_unlink;
pub mod cases;
mod customer_change;
pub mod customers;
pub mod desk;
mod desk_forms;
pub mod incidents;
pub mod learn;
mod lengths;
pub mod location;
mod location_change;
pub mod maintenance;
mod needs;
pub mod now;
pub mod oncall;
mod oncall_forms;
mod oncall_hours;
mod oncall_judged;
mod oncall_lanes;
mod oncall_ways;
mod page_components;
pub mod pages;
mod pulse;
mod report_chart;
pub mod room;
mod room_ahead;
pub mod room_forms;
mod room_impact;
mod room_side;
mod room_words;
mod rule_fields;
mod schedule_change;
mod schedule_form;
mod schedule_new;
mod search;
mod seen;
pub mod service;
mod service_change;
mod service_fields;
pub mod service_forms;
mod service_rules;
pub mod services;
mod services_hurt;
pub mod settings;
mod sheet;
pub mod shops;
pub mod situation;
mod standing;
mod story;
mod swaps;
mod touchpoint_change;
mod typed;
pub mod updates;
mod uses;
mod weekdays;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::App;
use crate::http::Problem;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .merge(addresses::routes())
        .merge(cases::routes())
        .merge(case_unlink::routes())
        .merge(customers::routes())
        .merge(customer_change::routes())
        .merge(desk::routes())
        .merge(desk_forms::routes())
        .merge(updates::routes())
        .merge(now::routes())
        .merge(incidents::routes())
        .merge(learn::routes())
        .merge(location::routes())
        .merge(location_change::routes())
        .merge(maintenance::routes())
        .merge(pages::routes())
        .merge(page_components::routes())
        .merge(service::routes())
        .merge(service_forms::routes())
        .merge(service_change::routes())
        .merge(service_rules::routes())
        .merge(oncall::routes())
        .merge(oncall_forms::routes())
        .merge(schedule_change::routes())
        .merge(schedule_new::routes())
        .merge(swaps::routes())
        .merge(room::routes())
        .merge(services::routes())
        .merge(settings::routes())
        .merge(shops::routes())
        .merge(room_forms::routes())
        .merge(search::routes())
        .layer(axum::middleware::from_fn(super::page::refuse_in_words))
}

pub(super) use super::page::escaped;

/// Goes to a page after a form was done, so that renewing the page does not do it twice.
pub(super) fn go_to(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// What a form says, as the body that the API's function of the same purpose reads.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(body: serde_json::Value) -> Result<T, Problem> {
    crate::http::body::read(&body)
}
