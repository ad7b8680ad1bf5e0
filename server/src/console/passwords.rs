//! Passwords without a sign-in: choosing one by a link, and asking for a link when the old one is forgotten. Whoever
//! asks gets the same answer for every address.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Redirect, Response};
use axum::routing::get;
use axum_extra::extract::Form;
use serde::Deserialize;

use super::page::{PageProblem, show, show_with_status};
use super::sign_in::{Address, host, remote_address, user_agent, with_cookie};
use crate::access::password;
use crate::access::store::{SESSION_HOURS, add_session};
use crate::app::App;
use crate::http::{Faults, Origin, Path, Problem};
use crate::passwords::links::{ask_for_another, set_by_link};
use crate::passwords::store as rows;
use crate::timeline::Agent;

/// Longer ones are no secret of ours.
const LONGEST_SECRET: usize = 100;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/sign-in/forgotten", get(forgotten).post(ask))
        .route("/console/password/{secret}", get(form).post(set))
}

/// Asking for a link.
#[derive(Debug, Clone, Template)]
#[template(path = "console/forgotten.html")]
pub struct Forgotten {
    pub host: String,
    pub step: Step,
}

/// How far somebody is who has forgotten their password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// What was typed, and what is wrong with it.
    Ask {
        email: String,
        problem: Option<&'static str>,
    },
    Asked {
        email: String,
    },
    /// This Muster sends no mail.
    NoMail,
}

/// Choosing a password by a link.
#[derive(Debug, Clone, Template)]
#[template(path = "console/password.html")]
pub struct ChoosePassword {
    pub host: String,
    pub choice: Choice,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Whose it is, and what was wrong with what they chose.
    Open {
        name: String,
        email: String,
        shortest: usize,
        problem: Option<String>,
    },
    /// The link is unknown, used or too old.
    Gone,
}

fn refuse_from_elsewhere(headers: &HeaderMap, app: &App) -> Result<(), Problem> {
    match Origin::of(headers, &app.site) {
        Origin::Elsewhere => Err(Problem::forbidden("Do this on Muster's own page.")),
        Origin::Here | Origin::Unsaid => Ok(()),
    }
}

async fn forgotten(State(app): State<Arc<App>>) -> Response {
    let step = if app.settings.mail.is_some() {
        Step::Ask {
            email: String::new(),
            problem: None,
        }
    } else {
        Step::NoMail
    };
    show(&Forgotten {
        host: host(&app),
        step,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    email: String,
}

async fn ask(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Result<Response, PageProblem> {
    refuse_from_elsewhere(&headers, &app)?;
    let host = host(&app);
    if app.settings.mail.is_none() {
        let step = Step::NoMail;
        return Ok(show(&Forgotten { host, step }));
    }
    let mut faults = Faults::new();
    let email = faults.email("E-mail", Some(&asked.email));
    if faults.done().is_err() {
        let step = Step::Ask {
            email: asked.email.chars().take(320).collect(),
            problem: Some("This is not an e-mail address."),
        };
        return Ok(show_with_status(
            StatusCode::UNPROCESSABLE_ENTITY,
            &Forgotten { host, step },
        ));
    }
    let wanted = email.clone();
    app.change(Agent::muster(), move |change| ask_for_another(change, &wanted))
        .await?;
    let step = Step::Asked { email };
    Ok(show(&Forgotten { host, step }))
}

fn gone(app: &App) -> Response {
    let (host, choice) = (host(app), Choice::Gone);
    show_with_status(StatusCode::GONE, &ChoosePassword { host, choice })
}

async fn known(app: &App, secret: &str) -> Result<Option<rows::Link>, store::Error> {
    if secret.len() > LONGEST_SECRET {
        return Ok(None);
    }
    let (secret, now) = (secret.to_owned(), app.clock.now());
    app.read(move |tx| rows::find(tx, &secret, now)).await
}

fn open(app: &App, link: rows::Link, problem: Option<String>) -> Response {
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let choice = Choice::Open {
        name: link.user_name,
        email: link.email,
        shortest: password::SHORTEST,
        problem,
    };
    let host = host(app);
    show_with_status(status, &ChoosePassword { host, choice })
}

/// Looking uses nothing up.
async fn form(State(app): State<Arc<App>>, Path(secret): Path<String>) -> Result<Response, PageProblem> {
    Ok(match known(&app, &secret).await? {
        Some(link) => open(&app, link, None),
        None => gone(&app),
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Chosen {
    password: String,
    again: String,
}

async fn set(
    State(app): State<Arc<App>>,
    address: Address,
    headers: HeaderMap,
    Path(secret): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, PageProblem> {
    refuse_from_elsewhere(&headers, &app)?;
    let Some(link) = known(&app, &secret).await? else {
        return Ok(gone(&app));
    };
    if let Err(said) = password::check(&chosen.password, &chosen.again, &link.email) {
        return Ok(open(&app, link, Some(said)));
    }
    let hash = password::hash(chosen.password).await.map_err(Problem::internal)?;
    let (remote_address, user_agent) = (remote_address(address), user_agent(&headers));
    let agent = Agent::user(link.user_id.as_str(), link.user_name.clone());
    let token = app
        .change(agent, move |change| -> Result<Option<String>, store::Error> {
            let Some(link) = set_by_link(change, &secret, &hash, remote_address.as_deref())? else {
                return Ok(None);
            };
            let user_agent = user_agent.as_deref();
            add_session(change, &link.user_id, remote_address.as_deref(), user_agent).map(Some)
        })
        .await?;
    Ok(match token {
        Some(token) => with_cookie(&app, &token, SESSION_HOURS * 3600, Redirect::to("/console")),
        None => gone(&app),
    })
}
