//! `/users` and `/users/me`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::view::{UserView, calendar_urls, user_views};
use super::{may_see_ways, present_user, require_to_change, require_to_reach};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::listing::anywhere;
use crate::http::{Body, Faults, Include, Listing, Paging, Path, Problem, Problems, Query, Sent};
use crate::people::store::{self, NewUser, UserFilter};
use crate::people::{Role, User, UserId};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserAnswer {
    user: UserView,
}

impl UserAnswer {
    pub(crate) fn id(&self) -> &str {
        &self.user.head.id
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsersAnswer {
    users: Vec<UserView>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct UserRequest {
    user: UserInput,
}

/// What may be sent of a user; what is left out of an update stays as it is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct UserInput {
    name: Option<String>,
    email: Option<String>,
    /// IANA name; UTC unless told.
    time_zone: Option<String>,
    color: Option<String>,
    /// A role of the field's dialect, or one of Muster's own.
    role: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Sent<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    job_title: Sent<String>,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsersQuery {
    /// A part of the name or of the address.
    query: Option<String>,
    #[serde(rename = "team_ids[]")]
    team_ids: Vec<String>,
}

const COLORS: [&str; 8] = [
    "purple", "teal", "orange", "blue", "green", "red", "brown", "grey",
];

/// People who can sign in or be paged.
#[utoipa::path(get, path = "/users", tag = "People", params(Listing, UsersQuery, Include),
    responses((status = 200, body = UsersAnswer), Problems))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
    Query(asked): Query<UsersQuery>,
    Query(include): Query<Include>,
) -> Result<Json<UsersAnswer>, Problem> {
    caller.require(Action::View, Resource::User)?;
    let include = if may_see_ways(&caller) {
        include
    } else {
        without_ways(include)
    };
    let page = listing.page()?;
    let filter = UserFilter {
        pattern: asked
            .query
            .filter(|query| !query.is_empty())
            .map(|query| anywhere(&query)),
        team_ids: Some(asked.team_ids).filter(|ids| !ids.is_empty()),
    };
    let site = app.site.clone();
    app.read(move |tx| {
        let rows = store::list_users(tx, &filter, page)?;
        let (rows, paging) = page.finish(rows, || store::count_listed_users(tx, &filter))?;
        let users = user_views(tx, &site, &rows, &include)?;
        Ok(Json(UsersAnswer { users, paging }))
    })
    .await
}

/// Adds somebody. They are reached at their e-mail address at once, until they say otherwise.
#[utoipa::path(post, path = "/users", tag = "People", request_body = UserRequest,
    responses((status = 201, body = UserAnswer), Problems))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<UserRequest>,
) -> Result<(StatusCode, Json<UserAnswer>), Problem> {
    caller.require(Action::Create, Resource::User)?;
    let new = check_new(&request.user)?;
    require_to_give(&caller, new.role)?;
    let site = app.site.clone();
    let user = app
        .change(caller.agent(), move |change| {
            refuse_taken_email(change.tx, &new.email, None)?;
            let id = store::add_user(change, &new).map_err(email_taken)?;
            let user = present_user(change.tx, &id)?;
            audit::record(change, &caller, AuditAction::Create, &changed(&user));
            view_of(change.tx, &site, &user, &Include::default())
        })
        .await?;
    Ok((StatusCode::CREATED, Json(UserAnswer { user })))
}

/// The person whose key or session this is.
///
/// An account-level key is nobody's: it gets a 400 whose `error` is a sentence, which clients look for.
#[utoipa::path(get, path = "/users/me", tag = "People", params(Include),
    responses((status = 200, body = UserAnswer), Problems))]
pub(crate) async fn me(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(include): Query<Include>,
) -> Result<Response, Problem> {
    let Some(id) = caller.person_id().cloned() else {
        let words = "The current user cannot be told from an account-level access token.";
        return Ok((StatusCode::BAD_REQUEST, Json(json!({ "error": words }))).into_response());
    };
    let site = app.site.clone();
    let user = app
        .read(move |tx| {
            let user = present_user(tx, &id)?;
            let mut view = view_of(tx, &site, &user, &include)?;
            add_calendar(&mut view, &site, &user);
            Ok::<_, Problem>(view)
        })
        .await?;
    Ok(Json(UserAnswer { user }).into_response())
}

/// One person.
#[utoipa::path(get, path = "/users/{id}", tag = "People", params(("id" = String, Path), Include),
    responses((status = 200, body = UserAnswer), Problems))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<UserId>,
    Query(include): Query<Include>,
) -> Result<Json<UserAnswer>, Problem> {
    if !caller.is_person(&id) {
        caller.require(Action::View, Resource::User)?;
    }
    let site = app.site.clone();
    let include = if caller.is_person(&id) || may_see_ways(&caller) {
        include
    } else {
        without_ways(include)
    };
    // A feed's address shows where somebody will be; only they themselves and those who may change them get it.
    let with_calendar = caller.is_person(&id)
        || (include.asks_for("calendar_urls") && caller.require(Action::Change, Resource::User).is_ok());
    app.read(move |tx| {
        let user = present_user(tx, &id)?;
        let mut view = view_of(tx, &site, &user, &include)?;
        if with_calendar {
            add_calendar(&mut view, &site, &user);
        }
        Ok(Json(UserAnswer { user: view }))
    })
    .await
}

/// Changes the fields that are sent.
#[utoipa::path(put, path = "/users/{id}", tag = "People", params(("id" = String, Path)), request_body = UserRequest,
    responses((status = 200, body = UserAnswer), Problems))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<UserId>,
    Body(request): Body<UserRequest>,
) -> Result<Json<UserAnswer>, Problem> {
    require_to_change(&caller, &id)?;
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        let before = present_user(change.tx, &id)?;
        let after = check_change(&request.user, &before)?;
        require_to_reach(&caller, &before)?;
        if after.role != before.role {
            caller.require(Action::Change, Resource::User)?;
            require_to_give(&caller, after.role)?;
            refuse_last_owner(change.tx, &before)?;
        }
        if after.email != before.email {
            refuse_taken_email(change.tx, &after.email, Some(&id))?;
        }
        store::update_user(change.tx, &after).map_err(email_taken)?;
        audit::record(change, &caller, AuditAction::Update, &changed(&after));
        let user = view_of(change.tx, &site, &after, &Include::default())?;
        Ok(Json(UserAnswer { user }))
    })
    .await
}

/// Takes away somebody's sign-in, keys and pages. Refused while an incident, a policy or a schedule counts on them.
#[utoipa::path(delete, path = "/users/{id}", tag = "People", params(("id" = String, Path)),
    responses((status = 204), Problems))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<StatusCode, Problem> {
    caller.require(Action::Delete, Resource::User)?;
    app.change(caller.agent(), move |change| {
        let user = present_user(change.tx, &id)?;
        require_to_give(&caller, user.role)?;
        refuse_last_owner(change.tx, &user)?;
        let duties = store::duties_of(change.tx, &id, change.now)?;
        if !duties.is_empty() {
            return Err(Problem::invalid(duties));
        }
        store::delete_user(change.tx, &id, change.now)?;
        audit::record(change, &caller, AuditAction::Delete, &changed(&user));
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Leaves how people are reached unexpanded for those who may not see it.
fn without_ways(include: Include) -> Include {
    include.without("contact_methods").without("notification_rules")
}

fn check_new(input: &UserInput) -> Result<NewUser, Problem> {
    let mut faults = Faults::new();
    let name = faults.name("Name", input.name.as_deref(), 100);
    let email = faults.email("Email", input.email.as_deref());
    let time_zone = input.time_zone.clone().unwrap_or_else(|| "UTC".to_owned());
    faults.time_zone("Time zone", &time_zone);
    let role = match input.role.as_deref() {
        None => Role::Responder,
        Some(text) => role_of(&mut faults, text, Role::Responder),
    };
    let color = match faults.optional_text("Color", input.color.as_deref(), 32) {
        Some(color) => color,
        None => COLORS[email.bytes().map(usize::from).sum::<usize>() % COLORS.len()].to_owned(),
    };
    let job_title = faults.optional_text("Job title", input.job_title.value().map(String::as_str), 100);
    let description =
        faults.optional_text("Description", input.description.value().map(String::as_str), 1024);
    faults.done()?;
    Ok(NewUser {
        name,
        email,
        role,
        time_zone,
        color,
        job_title,
        description,
        password_hash: None,
    })
}

fn check_change(input: &UserInput, before: &User) -> Result<User, Problem> {
    let mut faults = Faults::new();
    let mut after = before.clone();
    if let Some(name) = &input.name {
        after.name = faults.name("Name", Some(name), 100);
    }
    if let Some(email) = &input.email {
        after.email = faults.email("Email", Some(email));
    }
    if let Some(time_zone) = &input.time_zone {
        faults.time_zone("Time zone", time_zone);
        after.time_zone.clone_from(time_zone);
    }
    if let Some(color) = &input.color {
        after.color = faults.name("Color", Some(color), 32);
    }
    if let Some(role) = &input.role
        && role != before.role.in_dialect()
    {
        after.role = role_of(&mut faults, role, before.role);
    }
    let job_title = input.job_title.clone().over(before.job_title.clone());
    after.job_title = faults.optional_text("Job title", job_title.as_deref(), 100);
    let description = input.description.clone().over(before.description.clone());
    after.description = faults.optional_text("Description", description.as_deref(), 1024);
    faults.done()?;
    Ok(after)
}

fn role_of(faults: &mut Faults, text: &str, otherwise: Role) -> Role {
    Role::parse(text).unwrap_or_else(|| {
        faults.add(
            "Role must be one of owner, admin, manager (user), responder (limited_user), \
             agent (restricted_access), stakeholder (read_only_user), observer.",
        );
        otherwise
    })
}

/// Only an owner makes or unmakes owners.
pub(crate) fn require_to_give(caller: &Caller, role: Role) -> Result<(), Problem> {
    if role == Role::Owner && !caller.is_owner() {
        return Err(Problem::forbidden(
            "Only an owner may add, change or remove an owner.",
        ));
    }
    Ok(())
}

fn refuse_last_owner(tx: &mut ::store::Tx, user: &User) -> Result<(), Problem> {
    if user.role == Role::Owner && store::is_last_owner(tx, &user.id)? {
        return Err(Problem::invalid([
            "This is the only owner; make somebody else an owner first.",
        ]));
    }
    Ok(())
}

const EMAIL_TAKEN: &str = "Email has already been taken.";

fn refuse_taken_email(tx: &mut ::store::Tx, email: &str, own: Option<&UserId>) -> Result<(), Problem> {
    match store::find_user_by_email(tx, email)? {
        Some(other) if Some(&other.id) != own => Err(Problem::invalid([EMAIL_TAKEN])),
        _ => Ok(()),
    }
}

fn email_taken(error: ::store::Error) -> Problem {
    Problem::if_taken(error, "users", &["email"], EMAIL_TAKEN)
}

fn view_of(
    tx: &mut ::store::Tx,
    site: &crate::http::Site,
    user: &User,
    include: &Include,
) -> Result<UserView, Problem> {
    user_views(tx, site, std::slice::from_ref(user), include)?
        .pop()
        .ok_or_else(|| Problem::not_found("The user"))
}

fn add_calendar(view: &mut UserView, site: &crate::http::Site, user: &User) {
    let (http, web) = calendar_urls(site, &user.calendar_key);
    view.http_cal_url = Some(http);
    view.web_cal_url = Some(web);
}

fn changed(user: &User) -> Changed<'_> {
    Changed {
        resource_type: "user",
        resource_id: user.id.as_str(),
        resource_name: &user.name,
        details: json!({ "email": user.email, "role": user.role, "time_zone": user.time_zone }),
    }
}
