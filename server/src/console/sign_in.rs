//! Signing in with a password, and out. What was wrong is never said more exactly than "do not match", and
//! an unknown address takes as long as a wrong password.

use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::page::{PageProblem, Posted, show, show_with_status};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::password;
use crate::access::store::{
    SESSION_COOKIE, SESSION_COOKIE_PLAIN, SESSION_HOURS, add_session, end_session, has_signed_in_from,
    password_hash_of, session_token_of,
};
use crate::app::App;
use crate::http::{Origin, Problem};
use crate::people::model::User;
use crate::people::store::find_user_by_email;
use crate::timeline::{Agent, Change};

#[derive(Debug, Clone, Template)]
#[template(path = "console/sign_in.html")]
pub struct SignIn {
    /// "muster.larkfield.example".
    pub host: String,
    pub email: String,
    /// Where to go afterwards, below `/console`.
    pub back: String,
    pub problem: Option<&'static str>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

#[derive(Deserialize)]
pub(super) struct Given {
    email: String,
    password: String,
    #[serde(default)]
    back: String,
}

pub(super) async fn form(State(app): State<Arc<App>>, Query(query): Query<Back>) -> Response {
    show(&SignIn {
        host: host(&app),
        email: String::new(),
        back: safe_way_back(&query.back),
        problem: None,
    })
}

/// Where a connection comes from, where there is one.
pub(super) type Address = Option<axum::Extension<ConnectInfo<std::net::SocketAddr>>>;

pub(super) fn remote_address(address: Address) -> Option<String> {
    address.map(|axum::Extension(ConnectInfo(address))| address.ip().to_string())
}

pub(in crate::console) fn user_agent(headers: &HeaderMap) -> Option<String> {
    headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .map(|text| text.chars().take(255).collect())
}

pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    address: Address,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Result<Response, PageProblem> {
    if Origin::of(&headers, &app.site) == Origin::Elsewhere {
        return Err(Problem::forbidden("Sign in on Muster's own page.").into());
    }
    let email = given.email.trim().to_owned();
    let back = safe_way_back(&given.back);
    let asked = email.clone();
    let from = address
        .as_ref()
        .map(|axum::Extension(ConnectInfo(address))| address.ip().to_string());
    let known = app
        .read(move |tx| -> Result<_, store::Error> {
            let Some(user) = find_user_by_email(tx, &asked)? else {
                return Ok(None);
            };
            let hash = password_hash_of(tx, &user.id)?;
            let is_at_home = match &from {
                Some(address) => has_signed_in_from(tx, &user.id, address)?,
                None => false,
            };
            Ok(Some((user, hash, is_at_home)))
        })
        .await?;
    let is_at_home = known.as_ref().is_some_and(|(.., is_at_home)| *is_at_home);
    if !is_at_home && app.guesses.are_too_many(&email, app.clock.now()) {
        let view = SignIn {
            host: host(&app),
            email,
            back,
            problem: Some(
                "Too many wrong passwords were tried for this account. Wait a few minutes, or sign in from where you did before.",
            ),
        };
        return Ok(show_with_status(StatusCode::TOO_MANY_REQUESTS, &view));
    }
    let hash = known.as_ref().and_then(|(_, hash, _)| hash.clone());
    let attempt = given.password.chars().take(password::LONGEST + 1).collect();
    let right = password::verify(attempt, hash).await.map_err(Problem::internal)?;
    let remote_address = remote_address(address);
    let Some((user, ..)) = known.clone().filter(|_| right) else {
        let asked_for = known.map(|(user, ..)| user);
        app.guesses.note(&email, app.clock.now());
        app.change(Agent::muster(), move |change| -> Result<_, store::Error> {
            record_refusal(change, asked_for.as_ref(), remote_address.as_deref());
            Ok(())
        })
        .await?;
        let view = SignIn {
            host: host(&app),
            email,
            back,
            problem: Some("E-mail and password do not match."),
        };
        return Ok(show_with_status(StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    let user_agent = user_agent(&headers);
    let agent = Agent::user(user.id.as_str(), user.name.clone());
    let token = app
        .change(agent, move |change| -> Result<String, store::Error> {
            let signed_in = Changed {
                resource_type: "user",
                resource_id: user.id.as_str(),
                resource_name: &user.name,
                details: serde_json::json!({ "remote_address": remote_address }),
            };
            audit::record_as(change, change.agent.clone(), AuditAction::SignIn, &signed_in);
            add_session(change, &user.id, remote_address.as_deref(), user_agent.as_deref())
        })
        .await?;
    Ok(with_cookie(
        &app,
        &token,
        SESSION_HOURS * 3600,
        Redirect::to(&back),
    ))
}

/// Says that somebody tried and whose account it was. What was typed is not kept: people put passwords into
/// the wrong field.
fn record_refusal(change: &mut Change, asked_for: Option<&User>, remote_address: Option<&str>) {
    let refused = Changed {
        resource_type: "user",
        resource_id: asked_for.map_or("", |user| user.id.as_str()),
        resource_name: asked_for.map_or("unknown address", |user| &user.name),
        details: serde_json::json!({ "remote_address": remote_address }),
    };
    audit::record_as(change, change.agent.clone(), AuditAction::SignInRefused, &refused);
}

pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    posted: Posted<Back>,
) -> Result<Response, PageProblem> {
    if let Some(token) = session_token_of(&headers) {
        let caller = posted.visitor.0.clone();
        app.change(caller.agent(), move |change| -> Result<(), store::Error> {
            let person = caller.agent();
            let signed_out = Changed {
                resource_type: "user",
                resource_id: person.id.as_deref().unwrap_or_default(),
                resource_name: &person.name,
                details: serde_json::Value::Null,
            };
            audit::record(change, &caller, AuditAction::SignOut, &signed_out);
            end_session(change, &token)
        })
        .await?;
    }
    Ok(with_cookie(&app, "", 0, Redirect::to("/console/sign-in")))
}

pub(in crate::console) fn with_cookie(
    app: &App,
    token: &str,
    seconds: i64,
    answer: impl IntoResponse,
) -> Response {
    let (name, secure) = if app.settings.base_url.starts_with("https://") {
        (SESSION_COOKIE, "; Secure")
    } else {
        (SESSION_COOKIE_PLAIN, "")
    };
    let cookie = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    let mut answer = answer.into_response();
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().append(header::SET_COOKIE, value);
    }
    answer
}

/// Only a page of the console; anything else would send people elsewhere in Muster's name.
fn safe_way_back(back: &str) -> String {
    let inside = back == "/console" || back.starts_with("/console/") || back.starts_with("/console?");
    let plain = back.chars().all(|letter| !letter.is_control() && letter != '\\');
    if inside && plain && !back.starts_with("/console/sign-") {
        back.to_owned()
    } else {
        "/console".to_owned()
    }
}

pub(super) fn host(app: &App) -> String {
    app.settings
        .base_url
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_inside_the_console() {
        for (asked, given) in [
            ("/console/desk?question=x", "/console/desk?question=x"),
            ("/console", "/console"),
            ("https://evil.example/console", "/console"),
            ("//evil.example", "/console"),
            ("/consoleevil", "/console"),
            ("/console/\\evil", "/console"),
            ("/console/sign-out", "/console"),
            ("", "/console"),
        ] {
            assert_eq!(safe_way_back(asked), given);
        }
    }
}
