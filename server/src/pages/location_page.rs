//! `/at/{code}`: the page of one location, for staff on a phone or a till. The code is the only key to it.
//!
//! It needs no account, no script and no cookie. Two buttons tell the house how it stands here; each asks once
//! more before anything is written. An unknown code gets the same small page whatever it was, and an address
//! that tries many gets none for a while.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template as _;
use axum::Form;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::documents::paragraphs;
use super::location::{self, LocationSituation, Said};
use super::plain::{Plain, Question};
use super::public::{html, page};
use super::view::LocationPage;
use crate::app::App;
use crate::console::kit::{Rich, State as Mark};
use crate::customers::locations::{self, Location};
use crate::http::{Path, Problem};
use crate::timeline::Agent;
use crate::updates::compose::clock_time;
use crate::updates::situation::Harm;

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

/// The location behind a code. Whoever guesses too much is not even answered any more.
async fn behind(app: &Arc<App>, code: &str, address: &str) -> Result<Location, Response> {
    let now = app.clock.now();
    if app.page_limits.guessing.is_spent(address, now) {
        return Err(too_many());
    }
    let found = if code.is_empty() || code.len() > LONGEST_CODE {
        None
    } else {
        let code = code.to_lowercase();
        app.read(move |tx| locations::find_by_code(tx, &code))
            .await
            .map_err(|error: store::Error| Problem::from(error).into_response())?
    };
    found.ok_or_else(|| {
        app.page_limits.guessing.take(address, now);
        nothing_here()
    })
}

async fn show(
    State(app): State<Arc<App>>,
    RemoteAddress(address): RemoteAddress,
    Path(code): Path<String>,
) -> Result<Response, Response> {
    let location = behind(&app, &code, &address).await?;
    let here = app
        .read(move |tx| location::read(tx, location.clone()))
        .await
        .map_err(|error: store::Error| Problem::from(error).into_response())?;
    let drawn = view(&here, app.clock.now())
        .render()
        .map_err(|error| Problem::internal(error).into_response())?;
    Ok(html(StatusCode::OK, drawn, &LocationPage::policy()))
}

/// Steps as they were written: one to a line.
fn steps(text: &str) -> Vec<Rich> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| match line.split_once(". ") {
            Some((first, rest)) if first.len() < 60 => Rich::default()
                .strong(format!("{first}."))
                .then(format!(" {rest}")),
            _ => Rich::default().strong(line),
        })
        .collect()
}

fn state_of(harm: Harm) -> Mark {
    match harm {
        Harm::Slow => Mark::Slow,
        Harm::PartlyDown | Harm::Down => Mark::Triggered,
    }
}

fn hurt_words(name: &str, harm: Harm) -> String {
    match harm {
        Harm::Slow => format!("{name}: slow here"),
        Harm::PartlyDown => format!("{name}: may not work here"),
        Harm::Down => format!("{name}: not working here"),
    }
}

fn view(here: &LocationSituation, now: Timestamp) -> LocationPage {
    let location = &here.location;
    let zone = location
        .time_zone
        .as_deref()
        .and_then(|name| TimeZone::get(name).ok())
        .unwrap_or(TimeZone::UTC);
    let code = location.code.clone().unwrap_or_default();
    let next = here
        .word
        .as_ref()
        .and_then(|word| word.next_update_by)
        .filter(|due| *due > now)
        .map(|due| clock_time(due, now, &zone));
    let worst = here.hurt.first();
    let mut needs = Vec::new();
    for (other, harm) in here.hurt.iter().skip(1) {
        let rest = other
            .fallback
            .as_ref()
            .map_or_else(String::new, |words| format!(" {words}"));
        let words = Rich::default()
            .strong(format!("{}.", hurt_words(other.name.as_str(), *harm)))
            .then(rest);
        needs.push((Some(state_of(*harm)), words));
    }
    if let Some(word) = &here.word {
        for (index, paragraph) in paragraphs(word.public_words.as_str()).into_iter().enumerate() {
            let lead = if index == 0 { "Customers were told: " } else { "" };
            needs.push((None, Rich::default().strong(lead).then(paragraph)));
        }
    }
    let last = here.last_report.as_ref().map(|report| {
        let by = report
            .said_by
            .as_ref()
            .map_or_else(String::new, |name| format!(" by {name}"));
        format!(
            "“{}” said here at {}{by}.",
            report.said.words(),
            clock_time(report.at, now, &zone)
        )
    });
    LocationPage {
        language: "en".to_owned(),
        name: location.name.clone(),
        at: now.to_zoned(zone.clone()).strftime("%H:%M").to_string(),
        address: format!("/at/{code}"),
        state: worst.map_or(Mark::Working, |(_, harm)| state_of(*harm)),
        headline: worst.map_or_else(
            || "Everything works here".to_owned(),
            |(one, harm)| hurt_words(one.name.as_str(), *harm),
        ),
        below: match (worst, here.since) {
            (Some(_), Some(since)) => {
                format!("Since {}. We are working on it.", clock_time(since, now, &zone))
            }
            (Some(_), None) => "We are working on it.".to_owned(),
            (None, _) => "Nothing is known to be wrong. If something is, press “Still down”.".to_owned(),
        },
        steps: worst
            .and_then(|(one, _)| one.fallback.as_ref())
            .map_or_else(Vec::new, |words| steps(words.as_str())),
        say: worst
            .and_then(|(one, _)| one.words_to_say.as_ref())
            .map(ToString::to_string),
        next_word: next.as_ref().map(|time| format!("We tell you more by {time}.")),
        needs,
        report_to: format!("/at/{code}/said"),
        thanks: last,
        good_until: next.map_or_else(
            || "look again within the hour".to_owned(),
            |time| format!("good until {time}"),
        ),
    }
}

/// The two buttons, and the answer to the question that they ask.
#[derive(Debug, Deserialize)]
struct SaidForm {
    #[serde(default)]
    said: String,
    #[serde(default)]
    sure: String,
    #[serde(default)]
    name: String,
}

async fn say(
    State(app): State<Arc<App>>,
    RemoteAddress(address): RemoteAddress,
    Path(code): Path<String>,
    form: Result<Form<SaidForm>, FormRejection>,
) -> Result<Response, Response> {
    let location = behind(&app, &code, &address).await?;
    let home = format!("/at/{}", location.code.clone().unwrap_or_default());
    let Ok(Form(form)) = form else {
        return Ok(Redirect::to(&home).into_response());
    };
    let said = match form.said.as_str() {
        "down" => Said::Down,
        "up" | "back" => Said::Back,
        _ => return Ok(Redirect::to(&home).into_response()),
    };
    if form.sure != "yes" {
        return Ok(page(
            StatusCode::OK,
            &once_more(&location, said, &form.said, &home),
        ));
    }
    let now = app.clock.now();
    if !app
        .page_limits
        .saying
        .take(&format!("{address} {}", location.id), now)
    {
        return Err(too_many());
    }
    let name: String = form
        .name
        .chars()
        .filter(|character| !character.is_control())
        .take(LONGEST_NAME)
        .collect();
    let agent = Agent::visitor(location.name.clone());
    app.change(agent, move |change| -> Result<(), store::Error> {
        let here = location::read(change.tx, location.clone())?;
        let name = Some(name.trim()).filter(|name| !name.is_empty());
        location::record(change, &here, said, name)
    })
    .await
    .map_err(|error| Problem::from(error).into_response())?;
    Ok(Redirect::to(&home).into_response())
}

fn once_more(location: &Location, said: Said, sent: &str, home: &str) -> Plain {
    Plain {
        language: "en".to_owned(),
        title: location.name.clone(),
        headline: match said {
            Said::Down => "Is it still down at your tills?".to_owned(),
            Said::Back => "Does everything work again at your tills?".to_owned(),
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
