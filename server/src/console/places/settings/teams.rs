//! Teams: who works together; adding one, and putting people into it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use super::super::{from_json, go_to};
use super::{From, line, long_table, optional_line, page, row, select, title, words};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::page::{PageProblem, Posted, Visitor};
use crate::console::prelude::{Pick, counted};
use crate::console::screens::settings::{Form, SettingsPart};
use crate::http::{Body, Path, Query};
use crate::people::api::teams as api;
use crate::people::store::{TeamFilter, UserFilter, count_members, list_teams, list_users};
use crate::people::{TeamId, UserId};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/settings/teams", get(list).post(add))
        .route("/console/settings/teams/members", post(put))
}

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    let below = "Who works together, and owns which services.";
    page(&app, &visitor, "Teams", below, move |tx, _, caller| {
        let asked = from.page();
        let found = list_teams(tx, &TeamFilter::default(), asked)?;
        let picks: Vec<Pick> = found
            .iter()
            .map(|team| Pick::new(team.id.as_str(), team.name.clone()))
            .collect();
        let mut rows = Vec::new();
        for team in found {
            let members = counted(count_members(tx, &team.id)?.unsigned_abs(), "person", "people");
            let described = title(team.name, team.description.unwrap_or_default());
            rows.push(row("team", team.id.as_str(), vec![described, words(members)]));
        }
        let address = (asked, "/console/settings/teams");
        let empty = "A team owns services and schedules. Add the first one below.";
        let mut parts = vec![long_table("Teams", vec!["Team", "People"], rows, address, empty)];
        if caller.may(Action::Create, Resource::Team) {
            parts.push(SettingsPart::Form(Form {
                title: "Add a team".to_owned(),
                words: String::new(),
                post_to: "/console/settings/teams".to_owned(),
                fields: vec![
                    line("name", "Name", "text"),
                    optional_line("description", "What it looks after"),
                ],
                verb: "Add it",
            }));
        }
        if caller.may(Action::Change, Resource::Team) && !picks.is_empty() {
            let people = list_users(tx, &UserFilter::default(), From::everybody())?
                .into_iter()
                .map(|user| Pick::new(user.id.as_str(), user.name))
                .collect();
            let roles = vec![
                Pick::new("responder", "Responder: works on its incidents"),
                Pick::new("manager", "Manager: also changes what it owns"),
                Pick::new("observer", "Observer: sees"),
            ];
            parts.push(SettingsPart::Form(Form {
                title: "Put somebody into a team".to_owned(),
                words: String::new(),
                post_to: "/console/settings/teams/members".to_owned(),
                fields: vec![
                    select("team", "Team", picks),
                    select("person", "Who", people),
                    select("role", "What they are in it", roles),
                ],
                verb: "Put them in",
            }));
        }
        Ok(parts)
    })
    .await
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewTeam {
    name: String,
    description: String,
}

async fn add(State(app): State<Arc<App>>, posted: Posted<NewTeam>) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let description = Some(fields.description.trim()).filter(|text| !text.is_empty());
    let body = json!({ "team": { "name": fields.name, "description": description } });
    api::create(State(app), visitor.0, Body(from_json(body)?))
        .await
        .map(drop)?;
    Ok(go_to("/console/settings/teams"))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewMember {
    team: String,
    person: String,
    role: String,
}

async fn put(State(app): State<Arc<App>>, posted: Posted<NewMember>) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let ids = (
        TeamId::from(fields.team.as_str()),
        UserId::from(fields.person.as_str()),
    );
    let body = Bytes::from(json!({ "role": fields.role }).to_string());
    api::put_member(State(app), visitor.0, Path(ids), body)
        .await
        .map(drop)?;
    Ok(go_to("/console/settings/teams"))
}
