//! One's own password: changed by whoever knows the old one. Every other session of theirs ends with it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::super::go_to;
use super::super::typed::Wrong;
use super::line;
use super::me::{self, Changing, HERE};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::caller::Method;
use crate::access::store::{SESSION_HOURS, add_session, password_hash_of, set_password};
use crate::access::{Caller, password};
use crate::app::App;
use crate::console::page::{PageProblem, Posted};
use crate::console::screens::settings::{Form, SettingsPart};
use crate::console::sign_in::{user_agent, with_cookie};
use crate::http::Problem;
use crate::passwords::store as links;
use crate::people::User;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/console/settings/me/password", post(change))
}

/// The form; nothing that was typed into it is ever shown again.
pub(super) fn form(wrong: &Wrong) -> SettingsPart {
    let fields = vec![
        line("old_password", "Your password until now", "password"),
        line("new_password", "The new one", "password").hint("12 letters or more."),
        line("again", "The new one again", "password"),
    ];
    let (_, fields) = wrong.beside(fields);
    SettingsPart::Form(Form {
        id: "password",
        title: "Your password".to_owned(),
        words: "Wherever else you are signed in, you are signed out.".to_owned(),
        // What is wrong stands far down the page, beside its field.
        post_to: "/console/settings/me/password#password".to_owned(),
        fields,
        verb: "Change the password",
        also: Vec::new(),
        back: None,
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Chosen {
    old_password: String,
    new_password: String,
    again: String,
}

async fn change(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    posted: Posted<Chosen>,
) -> Result<Response, PageProblem> {
    let Posted { visitor, fields } = posted;
    let caller = visitor.0.clone();
    let Some(user) = caller.user().cloned() else {
        return Err(Problem::forbidden("Only a person has a password.").into());
    };
    if !matches!(caller.method, Method::Browser { .. }) {
        return Err(Problem::forbidden("Sign in to change your password; a key cannot.").into());
    }
    let mut wrong = Wrong::default();
    if !is_right(&app, &user, &fields.old_password).await? {
        app.guesses.note(&user.email, app.clock.now());
        record_refusal(&app, &caller, &user).await?;
        wrong.add("old_password", "This is not your password.");
    } else if let Err(said) = password::check(&fields.new_password, &fields.again, &user.email) {
        wrong.add("new_password", said);
    } else if fields.new_password == fields.old_password {
        wrong.add("new_password", "This is the old one. Choose another.");
    }
    if !wrong.is_empty() {
        let mut page = me::draw(&app, &visitor, Changing::default(), wrong).await?;
        *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(page);
    }
    let hash = password::hash(fields.new_password)
        .await
        .map_err(Problem::internal)?;
    let user_agent = user_agent(&headers);
    let token = app
        .change(caller.agent(), move |change| -> Result<String, store::Error> {
            set_password(change.tx, &user.id, &hash)?;
            links::use_up(change.tx, &user.id, None)?;
            let changed = Changed {
                details: json!({ "password": "changed" }),
                ..Changed::named("user", user.id.as_str(), &user.name)
            };
            audit::record(change, &caller, AuditAction::Update, &changed);
            add_session(
                change,
                &user.id,
                caller.remote_address.as_deref(),
                user_agent.as_deref(),
            )
        })
        .await?;
    Ok(with_cookie(&app, &token, SESSION_HOURS * 3600, go_to(HERE)))
}

async fn is_right(app: &App, user: &User, typed: &str) -> Result<bool, Problem> {
    let id = user.id.clone();
    let hash = app.read(move |tx| password_hash_of(tx, &id)).await?;
    let attempt = typed.chars().take(password::LONGEST + 1).collect();
    password::verify(attempt, hash).await.map_err(Problem::internal)
}

/// A wrong password is noted as one at the sign-in is: somebody may sit at a desk that was left open.
async fn record_refusal(app: &App, caller: &Caller, user: &User) -> Result<(), store::Error> {
    let (caller, user) = (caller.clone(), user.clone());
    app.change(caller.agent(), move |change| -> Result<_, store::Error> {
        let refused = Changed::named("user", user.id.as_str(), &user.name);
        audit::record(change, &caller, AuditAction::SignInRefused, &refused);
        Ok(())
    })
    .await
}
