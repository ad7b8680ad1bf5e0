//! People: who can sign in and what they may do; adding somebody, another role, a new password, taking leave.
//! A password that Muster makes up is shown once, to whoever asked for it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Tx;

use super::super::{from_json, go_to};
use super::{From, capitalised, line, long_table, page, row, select, title, words};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource, password, token};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Pick, Reading};
use crate::console::screens::settings::{Button, Cell, Form, SettingsPart, Weight};
use crate::http::{Body, Path, Problem, Query};
use crate::people::api::users as api;
use crate::people::store::{UserFilter, find_user, list_users};
use crate::people::{Role, UserId};

/// Letters of a password that is made up.
const PASSWORD_LENGTH: usize = 16;
const BELOW: &str = "Who can sign in, and what they may do.";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/settings", get(list))
        .route("/console/settings/people", post(add))
        .route("/console/settings/people/role", post(set_role))
        .route("/console/settings/people/{id}/password", post(renew_password))
        .route("/console/settings/people/{id}/remove", post(remove))
}

const ROLES: [(Role, &str, &str); 7] = [
    (
        Role::Responder,
        "responder",
        "Responder: is paged, works on incidents",
    ),
    (Role::Agent, "agent", "Agent: works at the desk"),
    (
        Role::Manager,
        "manager",
        "Manager: also changes services and teams",
    ),
    (Role::Admin, "admin", "Admin: changes everything"),
    (Role::Owner, "owner", "Owner: also adds and removes owners"),
    (
        Role::Stakeholder,
        "stakeholder",
        "Stakeholder: is told, sees incidents",
    ),
    (
        Role::Observer,
        "observer",
        "Observer: sees everything, changes nothing",
    ),
];

fn roles(caller: &Caller) -> Vec<Pick> {
    let is_owner = caller.user().is_some_and(|user| user.role == Role::Owner);
    ROLES
        .iter()
        .filter(|(role, _, _)| is_owner || *role != Role::Owner)
        .map(|(_, value, words)| Pick::new(*value, *words))
        .collect()
}

fn parts(tx: &mut Tx, reading: &Reading, caller: &Caller, from: &From) -> Result<Vec<SettingsPart>, Problem> {
    let asked = from.page();
    let found = list_users(tx, &UserFilter::default(), asked)?;
    let ids: Vec<&UserId> = found.iter().map(|user| &user.id).collect();
    let seen = crate::access::store::last_seen(tx, &ids)?;
    let may_change = caller.may(Action::Change, Resource::User);
    let picks: Vec<Pick> = found
        .iter()
        .map(|user| Pick::new(user.id.as_str(), user.name.clone()))
        .collect();
    let mut columns = vec!["Name", "Role", "Signed in"];
    if may_change {
        columns.push("");
    }
    let rows = found
        .into_iter()
        .map(|user| {
            let last = seen
                .iter()
                .find(|(id, _)| *id == user.id)
                .map_or(Cell::Words("never".into()), |(_, at)| {
                    Cell::Moment(reading.ago(*at))
                });
            let question = format!(
                "Remove {}? They are signed out at once, and nobody can page them any more.",
                user.name
            );
            let mut cells = vec![
                title(user.name, user.email),
                words(capitalised(user.role.as_text())),
                last,
            ];
            if may_change {
                let to = |what: &str| format!("/console/settings/people/{}/{what}", user.id);
                cells.push(Cell::Buttons(vec![
                    Button::post("New password", to("password"), Weight::Plain),
                    Button::post("Remove", to("remove"), Weight::Danger(question)),
                ]));
            }
            row("user", user.id.as_str(), cells)
        })
        .collect();
    let empty = "The first owner is made by muster setup.";
    let mut parts = vec![long_table(
        "People",
        columns,
        rows,
        (asked, "/console/settings"),
        empty,
    )];
    if caller.may(Action::Create, Resource::User) {
        parts.push(SettingsPart::Form(Form {
            id: "add-person",
            title: "Add somebody".to_owned(),
            words: "They can be paged by e-mail at once. Their first password is shown to you, once."
                .to_owned(),
            post_to: "/console/settings/people".to_owned(),
            fields: vec![
                line("name", "Name", "text"),
                line("email", "E-mail", "email"),
                select("role", "What they may do", roles(caller)),
            ],
            verb: "Add them",
            also: Vec::new(),
            back: None,
        }));
    }
    if may_change {
        parts.push(SettingsPart::Form(Form {
            id: "give-role",
            title: "Give somebody another role".to_owned(),
            words: String::new(),
            post_to: "/console/settings/people/role".to_owned(),
            fields: vec![
                select("person", "Who", picks),
                select("new_role", "What they may do", roles(caller)),
            ],
            verb: "Give it",
            also: Vec::new(),
            back: None,
        }));
    }
    Ok(parts)
}

async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(from): Query<From>,
) -> Result<Response, PageProblem> {
    page(&app, &visitor, "People", BELOW, move |tx, reading, caller| {
        parts(tx, reading, caller, &from)
    })
    .await
}

/// The list with a password above it that is shown this once.
async fn with_password(
    app: &Arc<App>,
    visitor: &Visitor,
    name: String,
    secret: String,
) -> Result<Response, PageProblem> {
    page(app, visitor, "People", BELOW, move |tx, reading, caller| {
        let mut parts = parts(tx, reading, caller, &From::default())?;
        let shown = SettingsPart::Secret {
            id: "new-password",
            title: format!("The password of {name}"),
            words: "It is shown once. Give it to them on a way that nobody else reads.".to_owned(),
            secret: secret.clone(),
        };
        parts.insert(0, shown);
        Ok(parts)
    })
    .await
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewPerson {
    name: String,
    email: String,
    role: String,
}

async fn add(State(app): State<Arc<App>>, posted: Posted<NewPerson>) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let zone = visitor
        .0
        .user()
        .map_or_else(|| "UTC".to_owned(), |user| user.time_zone.clone());
    let body = json!({ "user": {
        "name": fields.name, "email": fields.email, "role": fields.role, "time_zone": zone,
    } });
    let (_, answer) = api::create(State(app.clone()), visitor.0.clone(), Body(from_json(body)?)).await?;
    let id = UserId::from(answer.0.id());
    let (name, secret) = give_password(&app, &visitor.0, id).await?;
    with_password(&app, &visitor, name, secret).await
}

/// Makes up a password, and ends the sessions that were opened with the old one.
async fn give_password(app: &App, caller: &Caller, id: UserId) -> Result<(String, String), PageProblem> {
    caller.require(Action::Change, Resource::User)?;
    let secret = token::random_token(PASSWORD_LENGTH);
    let hash = password::hash(secret.clone()).await.map_err(Problem::internal)?;
    let caller = caller.clone();
    let name = app
        .change(caller.agent(), move |change| -> Result<String, Problem> {
            let user = find_user(change.tx, &id)?
                .filter(|user| user.deleted_at.is_none())
                .ok_or_else(|| Problem::not_found("The user"))?;
            api::require_to_give(&caller, user.role)?;
            crate::access::store::set_password(change.tx, &id, &hash)?;
            let changed = Changed {
                resource_type: "user",
                resource_id: id.as_str(),
                resource_name: &user.name,
                details: json!({ "password": "renewed" }),
            };
            audit::record(change, &caller, AuditAction::Update, &changed)?;
            Ok(user.name)
        })
        .await?;
    Ok((name, secret))
}

async fn renew_password(
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let visitor = posted.visitor;
    if visitor.0.is_person(&id) {
        return Err(
            Problem::invalid(["A new password would sign you out. Ask another admin for it."]).into(),
        );
    }
    let (name, secret) = give_password(&app, &visitor.0, id).await?;
    with_password(&app, &visitor, name, secret).await
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NewRole {
    person: String,
    new_role: String,
}

async fn set_role(State(app): State<Arc<App>>, posted: Posted<NewRole>) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let body: Value = json!({ "user": { "role": fields.new_role } });
    let id = UserId::from(fields.person.as_str());
    api::update(State(app), visitor.0, Path(id), Body(from_json(body)?))
        .await
        .map(drop)?;
    Ok(go_to("/console/settings"))
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    api::delete(State(app), posted.visitor.0, Path(id))
        .await
        .map(drop)?;
    Ok(go_to("/console/settings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_offered_by_its_name() {
        for (role, value, _) in ROLES {
            assert_eq!(role.as_text(), value);
        }
    }
}
