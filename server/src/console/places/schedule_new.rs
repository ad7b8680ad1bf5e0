//! A new schedule, by the form that also changes one. Nothing that was typed is lost when it is refused.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use super::schedule_change::{choices, zone_note};
use super::schedule_form::Fields;
use super::typed::{Typed, Wrong};
use super::{escaped, go_to, situation};
use crate::access::{Action, Resource};
use crate::app::App;
use crate::console::page::{PageProblem, Posted, Visitor, show_with_status};
use crate::console::prelude::{Link, Place, Rich};
use crate::console::screens::settings::{Form, Settings, SettingsPart};
use crate::http::Problem;
use crate::oncall::api::schedules;

/// Where a schedule is made.
pub(super) const ADDRESS: &str = "/console/on-call/new";

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route(ADDRESS, get(form).post(add))
}

async fn form(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, PageProblem> {
    let reading = visitor.reading(&app);
    let fields = Fields::blank(reading.zone.iana_name().unwrap_or("UTC"), reading.now);
    draw(&app, &visitor, &fields, &Wrong::default()).await
}

async fn add(State(app): State<Arc<App>>, posted: Posted<Typed>) -> Result<Response, PageProblem> {
    let Posted {
        visitor,
        fields: typed,
    } = posted;
    let fields = Fields::of_typed(&typed);
    if let Some(fields) = fields.rearranged(typed.text("act"), app.clock.now()) {
        return draw(&app, &visitor, &fields, &Wrong::default()).await;
    }
    if let Some(wrong) = fields.nobody() {
        return draw(&app, &visitor, &fields, &wrong).await;
    }
    let body = match fields.body(None) {
        Ok(body) => body,
        Err(wrong) => return draw(&app, &visitor, &fields, &wrong).await,
    };
    match schedules::add(Arc::clone(&app), visitor.0.clone(), body).await {
        Ok(id) => Ok(go_to(&format!("/console/on-call?schedule={}", escaped(&id)))),
        Err(problem) if problem.status() == StatusCode::BAD_REQUEST => {
            let wrong = Wrong::of(problem.errors(), &fields.belongs());
            draw(&app, &visitor, &fields, &wrong).await
        }
        Err(problem) => Err(problem.into()),
    }
}

async fn draw(
    app: &Arc<App>,
    visitor: &Visitor,
    fields: &Fields,
    wrong: &Wrong,
) -> Result<Response, PageProblem> {
    visitor.0.require_for_own(Action::Create, Resource::Schedule)?;
    let (caller, now) = (visitor.0.clone(), app.clock.now());
    let (situation, choices) = app
        .read(move |tx| -> Result<_, Problem> { Ok((situation::read(tx, &caller, now)?, choices(tx)?)) })
        .await?;
    let (above, drawn) = wrong.beside(fields.drawn(&choices.people, &choices.teams));
    let form = SettingsPart::Form(Form {
        id: "add-schedule",
        title: "Who takes turns, and when".to_owned(),
        words: format!("One after the other, again and again. {}", zone_note(fields)),
        post_to: ADDRESS.to_owned(),
        fields: drawn,
        verb: "Add it",
        also: vec![("more", "One more layer")],
        back: Some(Link::new("Not yet", "/console/on-call")),
    });
    let status = if wrong.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let headline = "A new schedule".to_owned();
    let view = Settings {
        frame: visitor.frame(app, Place::OnCall, headline.clone(), situation),
        headline,
        below: Rich::plain(
            "It says whose turn it is. Somebody can be put over it for an hour or a week at any time.",
        ),
        places: Vec::new(),
        parts: above.into_iter().chain([form]).collect(),
    };
    Ok(show_with_status(status, &view))
}
