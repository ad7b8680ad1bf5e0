//! People: who can sign in and what they may do; adding somebody, another role, a new password, taking leave.
//! Nobody but themselves knows a password: an admin gives a link with which it is chosen.

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
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Pick, Reading};
use crate::console::screens::settings::{Button, Cell, Form, SettingsPart, Weight};
use crate::http::{Body, Path, Problem, Query, Site};
use crate::outbox::Mail;
use crate::passwords;
use crate::people::api::users as api;
use crate::people::store::{UserFilter, find_user, list_users};
use crate::people::{Role, User, UserId};
use crate::timeline::Change;

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
            let ended = format!(
                "End the password of {}? They are signed out, and choose another by a link.",
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
                    Button::post("New password", to("password"), Weight::Danger(ended)),
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
            words: "They can be paged by e-mail at once, and get a link with which they choose a password."
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

/// The list with a link above it that is shown this once.
async fn with_link(
    app: &Arc<App>,
    visitor: &Visitor,
    name: String,
    link: String,
) -> Result<Response, PageProblem> {
    let words = match Mail::of(&app.settings) {
        Mail::Configured => "It was sent by mail, too. It works once, for a week, and is shown this once.",
        Mail::Missing => {
            "It works once, for a week, and is shown this once. Give it to them on a way that nobody else reads."
        }
    };
    page(app, visitor, "People", BELOW, move |tx, reading, caller| {
        let mut parts = parts(tx, reading, caller, &From::default())?;
        let shown = SettingsPart::Secret {
            id: "password-link",
            title: format!("With this link {name} chooses a password"),
            words: words.to_owned(),
            secret: link.clone(),
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
    let (name, link) = give_link(&app, &visitor.0, id, passwords::invite).await?;
    with_link(&app, &visitor, name, link).await
}

/// Gives somebody a link, for the reason that `give` stands for.
async fn give_link(
    app: &App,
    caller: &Caller,
    id: UserId,
    give: fn(&mut Change, &Site, &User, Mail) -> Result<String, Problem>,
) -> Result<(String, String), PageProblem> {
    caller.require(Action::Change, Resource::User)?;
    let (caller, site, mail) = (caller.clone(), app.site.clone(), Mail::of(&app.settings));
    let given = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let user = find_user(change.tx, &id)?
                .filter(|user| user.deleted_at.is_none())
                .ok_or_else(|| Problem::not_found("The user"))?;
            api::require_to_give(&caller, user.role)?;
            let link = give(change, &site, &user, mail)?;
            let changed = Changed {
                resource_type: "user",
                resource_id: id.as_str(),
                resource_name: &user.name,
                details: json!({ "password": "link given" }),
            };
            audit::record(change, &caller, AuditAction::Update, &changed);
            Ok((user.name, link))
        })
        .await?;
    Ok(given)
}

async fn renew_password(
    State(app): State<Arc<App>>,
    Path(id): Path<UserId>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let visitor = posted.visitor;
    if visitor.0.is_person(&id) {
        return Err(Problem::invalid([
            "Change your own password under “How I am paged”; this would sign you out.",
        ])
        .into());
    }
    let (name, link) = give_link(&app, &visitor.0, id, passwords::take_away).await?;
    with_link(&app, &visitor, name, link).await
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
