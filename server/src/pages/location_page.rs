//! `/at/{code}`: the page of one location, for staff on a phone or a till. The code is the only key to it.
//!
//! It needs no account, no script and no cookie, and is answered from a [`board`] in memory. "Still down" and
//! "Back up" ask once more before anything is written; "Us too" is one tap. An unknown code gets the same small
//! page whatever it was, and an address that tries many gets none for a while.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template as _;
use axum::Form;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;

use super::board::{self, Board};
use super::cache::{Document, Keeps, Kind, Ready};
use super::location::{self, LocationSituation, Said, Trouble};
use super::plain::{Plain, Question};
use super::public::page;
use super::view::LocationPage;
use super::{location_words, us_too};
use crate::app::App;
use crate::customers::locations::{self, Location};
use crate::drawing::unturned;
use crate::http::{Origin, Path, Problem};
use crate::timeline::Agent;

const LONGEST_CODE: usize = 64;
const LONGEST_NAME: usize = 80;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/at/{code}", get(show))
        .route("/at/{code}/said", post(say))
}

/// The network address somebody comes from, as far as it is known.
pub(super) struct RemoteAddress(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for RemoteAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(connection.map_or_else(
            || "unknown".to_owned(),
            |connection| connection.ip().to_string(),
        )))
    }
}

fn nothing_here() -> Response {
    let plain = Plain {
        language: "en".to_owned(),
        title: "Nothing here".to_owned(),
        headline: "There is no page at this address".to_owned(),
        words: vec![
            "Check the link or the code, letter by letter. Your manager can give you a new one.".to_owned(),
        ],
        ..Plain::default()
    };
    page(StatusCode::NOT_FOUND, &plain)
}

fn too_many() -> Response {
    let plain = Plain {
        language: "en".to_owned(),
        title: "Too often".to_owned(),
        headline: "That was too often".to_owned(),
        words: vec!["Wait ten minutes, then try again.".to_owned()],
        ..Plain::default()
    };
    page(StatusCode::TOO_MANY_REQUESTS, &plain)
}

/// The board on which a code stands, and the code as it is written there. Whoever guesses too much is not even
/// answered any more.
async fn behind(app: &Arc<App>, code: &str, address: &str) -> Result<(Arc<Board>, String), Response> {
    let now = app.clock.now();
    if app.page_limits.guessing.is_spent(address, now) {
        return Err(too_many());
    }
    let failed = |error: store::Error| Problem::from(error).into_response();
    let code = code.to_lowercase();
    if !code.is_empty() && code.len() <= LONGEST_CODE {
        let board = board::current(app).await.map_err(failed)?;
        if board.situation(&code).is_some() {
            return Ok((board, code));
        }
    }
    app.page_limits.guessing.take(address, now);
    // Another node may have made the location a moment ago.
    board::look(app).await.map_err(failed)?;
    let board = board::current(app).await.map_err(failed)?;
    match board.situation(&code) {
        Some(_) => Ok((board, code)),
        None => Err(nothing_here()),
    }
}

async fn show(
    State(app): State<Arc<App>>,
    RemoteAddress(address): RemoteAddress,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let (board, code) = behind(&app, &code, &address).await?;
    let now = app.clock.now();
    let ready = board
        .page(&code, now, |here| draw(here, now))
        .map_err(|error| Problem::internal(error).into_response())?
        .ok_or_else(nothing_here)?;
    Ok(ready.answer(&headers).map(Body::from))
}

fn draw(here: &LocationSituation, now: Timestamp) -> Result<Ready, askama::Error> {
    Ok(Ready::new(Document {
        path: String::new(),
        kind: Kind::Html,
        keeps: Keeps::Reader,
        text: unturned(location_words::page(here, now).render()?),
        policy: Some(LocationPage::policy()),
    }))
}

/// The buttons, and the answer to the question that some of them ask.
#[derive(Debug, Deserialize)]
struct SaidForm {
    /// "down" or "up".
    #[serde(default)]
    said: String,
    /// A touchpoint that is hurt here too.
    #[serde(default)]
    too: String,
    #[serde(default)]
    sure: String,
    #[serde(default)]
    name: String,
}

async fn say(
    State(app): State<Arc<App>>,
    RemoteAddress(address): RemoteAddress,
    Path(code): Path<String>,
    headers: HeaderMap,
    form: Result<Form<SaidForm>, FormRejection>,
) -> Result<Response, Response> {
    let (board, code) = behind(&app, &code, &address).await?;
    let home = format!("/at/{code}");
    let back = || Redirect::to(&home).into_response();
    let (Ok(Form(form)), Some(here)) = (form, board.situation(&code)) else {
        return Ok(back());
    };
    if Origin::of(&headers, &app.site) == Origin::Elsewhere {
        return Ok(back());
    }
    let word = match (form.said.as_str(), here.trouble_with(&form.too)) {
        ("down", _) => Word::Said(Said::Down),
        ("up" | "back", _) => Word::Said(Said::Back),
        (_, Some(trouble)) => Word::UsToo(trouble.clone()),
        // It is over, or was never known: they tell us in words.
        (_, None) if !form.too.is_empty() => {
            return Ok(Redirect::to(&format!("{home}/report")).into_response());
        }
        _ => return Ok(back()),
    };
    if let Word::Said(said) = &word
        && form.sure != "yes"
    {
        return Ok(page(
            StatusCode::OK,
            &once_more(&here.location, *said, &form.said, &home),
        ));
    }
    let now = app.clock.now();
    let limited = format!("{address} {}", here.location.id);
    if !app.page_limits.saying.grants(&limited, now) {
        return Err(too_many());
    }
    let name: String = form
        .name
        .chars()
        .filter(|character| !character.is_control())
        .take(LONGEST_NAME)
        .collect();
    let here = here.clone();
    let agent = Agent::visitor(here.location.name.clone());
    let heard = app
        .change(agent, move |change| -> Result<Heard, Problem> {
            // The board may be a moment older than a new code.
            if locations::find_by_code(change.tx, &code)?.is_none_or(|one| one.id != here.location.id) {
                return Ok(Heard::WithAnOldCode);
            }
            let name = Some(name.trim()).filter(|name| !name.is_empty());
            match &word {
                Word::Said(said) => {
                    location::record(change, &here.location, &here.incident_ids(), *said, name)?;
                }
                Word::UsToo(trouble) => us_too::tell(change, &here, trouble)?,
            }
            Ok(Heard::Kept)
        })
        .await
        .map_err(IntoResponse::into_response)?;
    match heard {
        Heard::Kept => Ok(back()),
        Heard::WithAnOldCode => Err(nothing_here()),
    }
}

/// What became of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Kept,
    WithAnOldCode,
}

/// What a button says.
enum Word {
    Said(Said),
    /// One tap, no question.
    UsToo(Trouble),
}

fn once_more(location: &Location, said: Said, sent: &str, home: &str) -> Plain {
    Plain {
        language: "en".to_owned(),
        title: location.name.clone(),
        headline: match said {
            Said::Down => "Is it still down at your place?".to_owned(),
            Said::Back => "Does everything work again at your place?".to_owned(),
        },
        words: vec!["We tell the people who are working on it.".to_owned()],
        question: Some(Question {
            post_to: format!("{home}/said"),
            hidden: vec![
                ("said".to_owned(), sent.to_owned()),
                ("sure".to_owned(), "yes".to_owned()),
            ],
            line: Some((
                "name".to_owned(),
                "Your first name, so that the next shift knows".to_owned(),
            )),
            button: match said {
                Said::Down => "Yes, still down".to_owned(),
                Said::Back => "Yes, back up".to_owned(),
            },
        }),
        back: Some(("No, go back".to_owned(), home.to_owned())),
        ..Plain::default()
    }
}
