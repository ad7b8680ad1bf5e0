//! Teams: who works together, what each is in it; adding one, putting people into it and taking them out.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use store::Tx;

use super::super::{from_json, go_to};
use super::{From, line, long_table, optional_line, page, part_of, row, select, words};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Link, Person, Pick, Rich, counted};
use crate::console::screens::settings::{Button, Cell, Form, SettingsPart, TableRow, Weight};
use crate::http::{Body, Path, Problem, Query};
use crate::people::api::teams as api;
use crate::people::model::{Team, TeamRole};
use crate::people::store::{
    TeamFilter, UserFilter, count_members, find_team, find_users, list_members, list_teams, list_users,
};
use crate::people::{TeamId, User, UserId};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/settings/teams", get(list).post(add))
        .route("/console/settings/teams/{id}", get(one).post(change))
        .route("/console/settings/teams/{id}/remove", post(remove))
        .route("/console/settings/teams/{id}/members", post(put))
        .route("/console/settings/teams/{id}/members/{user_id}", post(set_role))
        .route(
            "/console/settings/teams/{id}/members/{user_id}/remove",
            post(take_out),
        )
}

/// What the reader may do with the team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    Look,
    Keep,
}

const ROLES: [(TeamRole, &str); 3] = [
    (TeamRole::Responder, "Responder: works on its incidents"),
    (TeamRole::Manager, "Manager: also changes what it owns"),
    (TeamRole::Observer, "Observer: sees"),
];

fn roles() -> Vec<Pick> {
    ROLES
        .iter()
        .map(|(role, words)| Pick::new(role.as_text(), *words))
        .collect()
}

fn address(id: &TeamId) -> String {
    format!("/console/settings/teams/{id}")
}

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    let below = "Who works together, and owns which services.";
    page(&app, &visitor, "Teams", below, move |tx, _, caller| {
        let asked = from.page();
        let mut rows = Vec::new();
        for team in list_teams(tx, &TeamFilter::default(), asked)? {
            let members = counted(count_members(tx, &team.id)?.unsigned_abs(), "person", "people");
            let described = Cell::Title {
                link: Some(Link::new(team.name.clone(), address(&team.id))),
                name: team.name,
                below: team.description.unwrap_or_default(),
            };
            rows.push(row("team", team.id.as_str(), vec![described, words(members)]));
        }
        let listed = (asked, "/console/settings/teams");
        let empty = "A team owns services and schedules. Add the first one below.";
        let mut parts = vec![long_table("Teams", vec!["Team", "People"], rows, listed, empty)];
        if caller.may(Action::Create, Resource::Team) {
            parts.push(SettingsPart::Form(Form {
                id: "add-team",
                title: "Add a team".to_owned(),
                words: "People are put into it on its own page.".to_owned(),
                post_to: "/console/settings/teams".to_owned(),
                fields: vec![
                    line("name", "Name", "text"),
                    optional_line("description", "What it looks after"),
                ],
                verb: "Add it",
                also: Vec::new(),
                back: None,
            }));
        }
        Ok(parts)
    })
    .await
}

async fn one(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<TeamId>,
) -> Result<Response, PageProblem> {
    let wanted = id.clone();
    let team = app
        .read(move |tx| -> Result<_, Problem> {
            find_team(tx, &wanted)?.ok_or_else(|| Problem::not_found("The team"))
        })
        .await?;
    let name = team.name.clone();
    let below = Rich::plain(team.description.clone().unwrap_or_default());
    part_of(&app, &visitor, "Teams", (name, below), move |tx, _, caller| {
        team_parts(tx, &team, caller)
    })
    .await
}

fn team_parts(tx: &mut Tx, team: &Team, caller: &Caller) -> Result<Vec<SettingsPart>, Problem> {
    let here = std::slice::from_ref(&team.id);
    let may = |action| caller.require_for_teams(action, Resource::Team, here).is_ok();
    let rights = if may(Action::Change) {
        Rights::Keep
    } else {
        Rights::Look
    };
    let members = list_members(tx, &team.id, From::everybody())?;
    let ids: Vec<&UserId> = members.iter().map(|(id, _)| id).collect();
    let people = find_users(tx, &ids)?;
    let rows = members
        .iter()
        .filter_map(|(id, role)| Some((people.iter().find(|user| user.id == *id)?, *role)))
        .map(|(user, role)| member_row(team, user, role, rights))
        .collect();
    let mut columns = vec!["Name", "What they are in it"];
    if rights == Rights::Keep {
        columns.push("");
    }
    let empty = "Nobody yet. Whoever is put in can be asked for by the team’s name.";
    let mut parts = vec![super::table("People", columns, rows, empty)];
    if rights == Rights::Keep {
        let others: Vec<Pick> = list_users(tx, &UserFilter::default(), From::everybody())?
            .into_iter()
            .filter(|user| !ids.contains(&&user.id))
            .map(|user| Pick::new(user.id.as_str(), user.name))
            .collect();
        if !others.is_empty() {
            parts.push(SettingsPart::Form(Form {
                id: "add-member",
                title: "Put somebody in".to_owned(),
                words: String::new(),
                post_to: format!("{}/members", address(&team.id)),
                fields: vec![
                    select("person", "Who", others),
                    select("role", "What they are in it", roles()),
                ],
                verb: "Put them in",
                also: Vec::new(),
                back: None,
            }));
        }
        parts.push(SettingsPart::Form(Form {
            id: "change-team",
            title: "Change the team".to_owned(),
            words: String::new(),
            post_to: address(&team.id),
            fields: vec![
                line("name", "Name", "text").filled(team.name.clone()),
                optional_line("description", "What it looks after")
                    .filled(team.description.clone().unwrap_or_default()),
            ],
            verb: "Keep it",
            also: Vec::new(),
            back: None,
        }));
    }
    if may(Action::Delete) {
        let question = format!("Take the team {} away? Its people stay.", team.name);
        parts.push(SettingsPart::Act {
            title: "Take it away".to_owned(),
            words: "Its people stay. What it owns must have another owner first.".to_owned(),
            button: Button::post(
                "Take the team away",
                format!("{}/remove", address(&team.id)),
                Weight::Danger(question),
            ),
        });
    }
    Ok(parts)
}

fn member_row(team: &Team, user: &User, role: TeamRole, rights: Rights) -> TableRow {
    let mut cells = vec![Cell::Person(Person::named(user.name.clone()))];
    let to = format!("{}/members/{}", address(&team.id), user.id);
    if rights == Rights::Keep {
        cells.push(Cell::Choose {
            label: format!("What {} is in it", user.name),
            name: "role",
            picks: roles()
                .into_iter()
                .map(|pick| {
                    if pick.value == role.as_text() {
                        pick.current()
                    } else {
                        pick
                    }
                })
                .collect(),
            to: to.clone(),
            verb: "Set",
        });
        let question = format!("Take {} out of {}?", user.name, team.name);
        cells.push(Cell::post(
            "Take out",
            format!("{to}/remove"),
            Weight::Danger(question),
        ));
    } else {
        let words_of = ROLES.iter().find(|(known, _)| *known == role);
        cells.push(words(words_of.map_or("", |(_, words)| words)));
    }
    row("member", user.id.as_str(), cells)
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct TeamFields {
    name: String,
    description: String,
}

impl TeamFields {
    fn body(&self) -> serde_json::Value {
        let description = Some(self.description.trim()).filter(|text| !text.is_empty());
        json!({ "team": { "name": self.name, "description": description } })
    }
}

async fn add(State(app): State<Arc<App>>, posted: Posted<TeamFields>) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let (_, answer) = api::create(State(app), visitor.0, Body(from_json(fields.body())?)).await?;
    Ok(go_to(&format!("/console/settings/teams/{}", answer.0.id())))
}

async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<TeamId>,
    posted: Posted<TeamFields>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let back = address(&id);
    api::update(State(app), visitor.0, Path(id), Body(from_json(fields.body())?))
        .await
        .map(drop)?;
    Ok(go_to(&back))
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<TeamId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let nothing = Query(api::DeletionQuery::default());
    api::delete(State(app), posted.visitor.0, Path(id), nothing)
        .await
        .map(drop)?;
    Ok(go_to("/console/settings/teams"))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewMember {
    person: String,
    role: String,
}

async fn put(
    State(app): State<Arc<App>>,
    Path(id): Path<TeamId>,
    posted: Posted<NewMember>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let user_id = UserId::from(fields.person.as_str());
    put_as(app, visitor, id, user_id, &fields.role).await
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewRole {
    role: String,
}

async fn set_role(
    State(app): State<Arc<App>>,
    Path((id, user_id)): Path<(TeamId, UserId)>,
    posted: Posted<NewRole>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    put_as(app, visitor, id, user_id, &fields.role).await
}

async fn put_as(
    app: Arc<App>,
    visitor: Visitor,
    id: TeamId,
    user_id: UserId,
    role: &str,
) -> Result<Response, PageProblem> {
    let body = Body(from_json(json!({ "role": role }))?);
    let back = address(&id);
    api::put_member(State(app), visitor.0, Path((id, user_id)), body)
        .await
        .map(drop)?;
    Ok(go_to(&back))
}

async fn take_out(
    State(app): State<Arc<App>>,
    Path((id, user_id)): Path<(TeamId, UserId)>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let back = address(&id);
    api::remove_member(State(app), posted.visitor.0, Path((id, user_id)))
        .await
        .map(drop)?;
    Ok(go_to(&back))
}
