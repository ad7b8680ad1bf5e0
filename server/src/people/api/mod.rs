//! People over the API: users, how they are reached, their teams, and the licences that clients ask for.

pub(crate) mod contact_methods;
mod licences;
pub(crate) mod notification_rules;
pub(crate) mod teams;
pub(crate) mod users;
pub mod view;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::Problem;
use crate::people::store::find_user;
use crate::people::{User, UserId};

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::me))
        .routes(routes!(users::show, users::update, users::delete))
        .routes(routes!(contact_methods::list, contact_methods::create))
        .routes(routes!(
            contact_methods::show,
            contact_methods::update,
            contact_methods::delete
        ))
        .routes(routes!(notification_rules::list, notification_rules::create))
        .routes(routes!(
            notification_rules::show,
            notification_rules::update,
            notification_rules::delete
        ))
        .routes(routes!(teams::list, teams::create))
        .routes(routes!(teams::show, teams::update, teams::delete))
        .routes(routes!(teams::members))
        .routes(routes!(teams::put_member, teams::remove_member))
        .routes(routes!(licences::list))
        .routes(routes!(licences::allocations))
        .routes(routes!(licences::of_user))
}

/// Whether the caller may change this person's record: their own, or anybody's.
fn require_to_change(caller: &Caller, user_id: &UserId) -> Result<(), Problem> {
    if caller.is_person(user_id) {
        caller.require(Action::Change, Resource::OwnProfile)
    } else {
        caller.require(Action::Change, Resource::User)
    }
}

/// Only owners change an owner, or how one is reached: who may do that could take the owner's place.
fn require_to_reach(caller: &Caller, user: &User) -> Result<(), Problem> {
    if caller.is_person(&user.id) {
        return Ok(());
    }
    users::require_to_give(caller, user.role)
}

/// Refuses unless the caller is this person, or one of those who answer incidents and so must be able to reach the others.
fn require_to_see_ways(caller: &Caller, id: &UserId) -> Result<(), Problem> {
    if caller.is_person(id) || may_see_ways(caller) {
        return Ok(());
    }
    Err(Problem::forbidden(
        "How somebody is reached is shown to those who respond to incidents. Ask an admin.",
    ))
}

fn may_see_ways(caller: &Caller) -> bool {
    caller.may(Action::Respond, Resource::Incident)
}

/// Somebody who has not been deleted, or 404.
fn present_user(tx: &mut store::Tx, id: &UserId) -> Result<User, Problem> {
    find_user(tx, id)?
        .filter(|user| user.deleted_at.is_none())
        .ok_or_else(|| Problem::not_found("The user"))
}
