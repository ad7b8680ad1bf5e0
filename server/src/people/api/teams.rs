//! `/teams` and their members.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::present_user;
use super::view::{TeamView, team_views, user_reference, user_views};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::listing::anywhere;
use crate::http::{
    Body, Expandable, Faults, Include, Listing, Paging, Path, Problem, Problems, Query, ReferenceInput, Sent,
    Site,
};
use crate::people::model::Team;
use crate::people::store::{self, NewTeam, TeamFilter};
use crate::people::{Role, TeamId, TeamRole, UserId};

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TeamAnswer {
    team: TeamView,
}

impl TeamAnswer {
    pub(crate) fn id(&self) -> &str {
        &self.team.head.id
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TeamsAnswer {
    teams: Vec<TeamView>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct TeamRequest {
    team: TeamInput,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct TeamInput {
    name: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Sent<String>,
    /// `manager` (public) or `none` (private).
    default_role: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<ReferenceInput>)]
    parent: Sent<ReferenceInput>,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct TeamsQuery {
    /// A part of the name.
    query: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeletionQuery {
    /// The team that open incidents move to. They follow their policy, so this only has to exist.
    reassignment_team: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberView {
    user: Expandable,
    role: TeamRole,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MembersAnswer {
    members: Vec<MemberView>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
pub(crate) struct MemberInput {
    /// Unless told, what the person's own role suggests.
    role: Option<TeamRole>,
}

/// All teams, by name.
#[utoipa::path(get, path = "/teams", tag = "People", params(Listing, TeamsQuery),
    responses((status = 200, body = TeamsAnswer), Problems))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
    Query(asked): Query<TeamsQuery>,
) -> Result<Json<TeamsAnswer>, Problem> {
    caller.require(Action::View, Resource::Team)?;
    let page = listing.page()?;
    let filter = TeamFilter {
        pattern: asked
            .query
            .filter(|query| !query.is_empty())
            .map(|query| anywhere(&query)),
    };
    let site = app.site.clone();
    app.read(move |tx| {
        let rows = store::list_teams(tx, &filter, page)?;
        let (rows, paging) = page.finish(rows, || store::count_teams(tx, &filter))?;
        let teams = team_views(tx, &site, &rows)?;
        Ok(Json(TeamsAnswer { teams, paging }))
    })
    .await
}

/// Adds a team.
#[utoipa::path(post, path = "/teams", tag = "People", request_body = TeamRequest,
    responses((status = 201, body = TeamAnswer), Problems))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(request): Body<TeamRequest>,
) -> Result<(StatusCode, Json<TeamAnswer>), Problem> {
    caller.require(Action::Create, Resource::Team)?;
    let site = app.site.clone();
    let team = app
        .change(caller.agent(), move |change| {
            let blank = Team {
                id: TeamId::from(""),
                name: String::new(),
                description: None,
                default_role: "manager".to_owned(),
                parent_id: None,
                created_at: change.now,
            };
            let checked = check(change.tx, &request.team, blank)?;
            let new = NewTeam {
                name: checked.name,
                description: checked.description,
                default_role: checked.default_role,
                parent_id: checked.parent_id,
            };
            let team = store::add_team(change, &new).map_err(name_taken)?;
            audit::record(change, &caller, AuditAction::Create, &changed(&team));
            view_of(change.tx, &site, &team)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(TeamAnswer { team })))
}

/// One team.
#[utoipa::path(get, path = "/teams/{id}", tag = "People", params(("id" = String, Path)),
    responses((status = 200, body = TeamAnswer), Problems))]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<TeamId>,
) -> Result<Json<TeamAnswer>, Problem> {
    caller.require(Action::View, Resource::Team)?;
    let site = app.site.clone();
    app.read(move |tx| {
        let team = present_team(tx, &id)?;
        Ok(Json(TeamAnswer {
            team: view_of(tx, &site, &team)?,
        }))
    })
    .await
}

/// Changes the fields that are sent.
#[utoipa::path(put, path = "/teams/{id}", tag = "People", params(("id" = String, Path)), request_body = TeamRequest,
    responses((status = 200, body = TeamAnswer), Problems))]
pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<TeamId>,
    Body(request): Body<TeamRequest>,
) -> Result<Json<TeamAnswer>, Problem> {
    caller.require_for_teams(Action::Change, Resource::Team, std::slice::from_ref(&id))?;
    let site = app.site.clone();
    app.change(caller.agent(), move |change| {
        let before = present_team(change.tx, &id)?;
        let team = check(change.tx, &request.team, before)?;
        store::update_team(change.tx, &team).map_err(name_taken)?;
        audit::record(change, &caller, AuditAction::Update, &changed(&team));
        Ok(Json(TeamAnswer {
            team: view_of(change.tx, &site, &team)?,
        }))
    })
    .await
}

/// Removes a team that nothing belongs to any more.
#[utoipa::path(delete, path = "/teams/{id}", tag = "People", params(("id" = String, Path), DeletionQuery),
    responses((status = 204), Problems))]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<TeamId>,
    Query(asked): Query<DeletionQuery>,
) -> Result<StatusCode, Problem> {
    caller.require_for_teams(Action::Delete, Resource::Team, std::slice::from_ref(&id))?;
    app.change(caller.agent(), move |change| {
        let team = present_team(change.tx, &id)?;
        if let Some(other) = &asked.reassignment_team {
            let other = TeamId::from(other.as_str());
            if other == id || store::find_team(change.tx, &other)?.is_none() {
                return Err(Problem::refused(6003, "The reassignment team was not found."));
            }
        }
        let associations = store::associations_of(change.tx, &id)?;
        if let Some(first) = associations.into_iter().next() {
            return Err(Problem::refused(6006, first));
        }
        store::delete_team(change.tx, &id, change.now)?;
        audit::record(change, &caller, AuditAction::Delete, &changed(&team));
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Who belongs to a team, and as what.
#[utoipa::path(get, path = "/teams/{id}/members", tag = "People", params(("id" = String, Path), Listing, Include),
    responses((status = 200, body = MembersAnswer), Problems))]
pub(crate) async fn members(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<TeamId>,
    Query(listing): Query<Listing>,
    Query(include): Query<Include>,
) -> Result<Json<MembersAnswer>, Problem> {
    caller.require(Action::View, Resource::Team)?;
    let page = listing.page()?;
    let site = app.site.clone();
    app.read(move |tx| {
        present_team(tx, &id)?;
        let rows = store::list_members(tx, &id, page)?;
        let (rows, paging) = page.finish(rows, || store::count_members(tx, &id))?;
        let ids: Vec<&UserId> = rows.iter().map(|(user, _)| user).collect();
        let users = store::find_users(tx, &ids)?;
        let views = if include.asks_for("users") {
            user_views(tx, &site, &users, &Include::default())?
        } else {
            Vec::new()
        };
        let members = rows
            .iter()
            .map(|(id, role)| {
                let user = if let Some(view) = views.iter().find(|view| view.head.id == id.as_str()) {
                    Expandable::whole(view)?
                } else {
                    let name = users
                        .iter()
                        .find(|user| user.id == *id)
                        .map_or("", |user| &user.name);
                    user_reference(&site, id, name).into()
                };
                Ok(MemberView { user, role: *role })
            })
            .collect::<Result<_, Problem>>()?;
        Ok(Json(MembersAnswer { members, paging }))
    })
    .await
}

/// Makes somebody a member, or gives a member another role.
#[utoipa::path(put, path = "/teams/{id}/users/{user_id}", tag = "People",
    params(("id" = String, Path), ("user_id" = String, Path)),
    request_body(content = Option<MemberInput>), responses((status = 204), Problems))]
pub(crate) async fn put_member(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, user_id)): Path<(TeamId, UserId)>,
    Body(input): Body<Option<MemberInput>>,
) -> Result<StatusCode, Problem> {
    caller.require_for_teams(Action::Change, Resource::Team, std::slice::from_ref(&id))?;
    let input = input.unwrap_or_default();
    app.change(caller.agent(), move |change| {
        let team = present_team(change.tx, &id)?;
        let user = present_user(change.tx, &user_id)?;
        let role = input.role.unwrap_or(match user.role {
            Role::Owner | Role::Admin | Role::Manager => TeamRole::Manager,
            Role::Responder => TeamRole::Responder,
            Role::Agent | Role::Stakeholder | Role::Observer => TeamRole::Observer,
        });
        if user.role == Role::Stakeholder {
            return Err(Problem::invalid([
                "User is a stakeholder (read_only_user) and cannot be a member of a team.",
            ]));
        }
        store::put_member(change.tx, &id, &user_id, role, change.now)?;
        let details = json!({ "member": user_id, "member_name": user.name, "role": role });
        audit::record(
            change,
            &caller,
            AuditAction::Update,
            &Changed {
                details,
                ..changed(&team)
            },
        );
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Takes somebody out of a team.
#[utoipa::path(delete, path = "/teams/{id}/users/{user_id}", tag = "People",
    params(("id" = String, Path), ("user_id" = String, Path)), responses((status = 204), Problems))]
pub(crate) async fn remove_member(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, user_id)): Path<(TeamId, UserId)>,
) -> Result<StatusCode, Problem> {
    caller.require_for_teams(Action::Change, Resource::Team, std::slice::from_ref(&id))?;
    app.change(caller.agent(), move |change| {
        let team = present_team(change.tx, &id)?;
        if !store::remove_member(change.tx, &id, &user_id)? {
            return Err(Problem::not_found("The member"));
        }
        let details = json!({ "removed_member": user_id });
        audit::record(
            change,
            &caller,
            AuditAction::Update,
            &Changed {
                details,
                ..changed(&team)
            },
        );
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// A team that has not been deleted, or 404.
fn present_team(tx: &mut ::store::Tx, id: &TeamId) -> Result<Team, Problem> {
    store::find_team(tx, id)?.ok_or_else(|| Problem::not_found("The team"))
}

fn check(tx: &mut ::store::Tx, input: &TeamInput, mut team: Team) -> Result<Team, Problem> {
    let mut faults = Faults::new();
    if let Some(name) = &input.name {
        team.name.clone_from(name);
    }
    team.name = faults.name("Name", Some(&team.name), 100);
    let description = input.description.clone().over(team.description.take());
    team.description = faults.optional_text("Description", description.as_deref(), 1024);
    if let Some(role) = &input.default_role {
        if !matches!(role.as_str(), "manager" | "none") {
            faults.add("Default role must be manager or none.");
        }
        team.default_role.clone_from(role);
    }
    match &input.parent {
        Sent::Nothing => {}
        Sent::Null => team.parent_id = None,
        Sent::Value(parent) => {
            let parent_id = TeamId::from(parent.id.as_str());
            if !can_be_parent(tx, &team.id, &parent_id)? {
                faults.add("Parent must be another team that is not below this one.");
            }
            team.parent_id = Some(parent_id);
        }
    }
    faults.done()?;
    Ok(team)
}

/// Whether `parent` exists and neither is `team` nor stands below it.
fn can_be_parent(tx: &mut ::store::Tx, team: &TeamId, parent: &TeamId) -> Result<bool, Problem> {
    let mut at = Some(parent.clone());
    for _ in 0..100 {
        let Some(id) = at else {
            return Ok(true);
        };
        if id == *team {
            return Ok(false);
        }
        let Some(found) = store::find_team(tx, &id)? else {
            return Ok(false);
        };
        at = found.parent_id;
    }
    Ok(false)
}

fn name_taken(error: ::store::Error) -> Problem {
    Problem::if_taken(error, "teams", &["name"], "Name has already been taken.")
}

fn view_of(tx: &mut ::store::Tx, site: &Site, team: &Team) -> Result<TeamView, Problem> {
    team_views(tx, site, std::slice::from_ref(team))?
        .pop()
        .ok_or_else(|| Problem::not_found("The team"))
}

fn changed(team: &Team) -> Changed<'_> {
    Changed {
        resource_type: "team",
        resource_id: team.id.as_str(),
        resource_name: &team.name,
        details: json!({ "default_role": team.default_role }),
    }
}
