//! Taking a case off an incident it is not about: asked once more on a page of its own, since whatever the incident's
//! readers are told goes to this reporter no longer.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use store::Tx;

use super::sheet::{Gone, Sheet};
use super::{go_to, situation};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::cases::api;
use crate::cases::{Case, CaseId, store as rows};
use crate::console::frame::Situation;
use crate::console::page::{Nothing, PageProblem, Posted, Visitor};
use crate::console::prelude::{Link, Place, Rich};
use crate::console::screens::settings::{Button, SettingsPart, Weight};
use crate::http::{Path, Problem};
use crate::incidents::IncidentId;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route(
        "/console/desk/cases/{id}/links/{incident_id}/remove",
        get(ask).post(take_back),
    )
}

/// The way to the page that takes the link back, for whoever may.
pub(super) fn way_to_take_back(caller: &Caller, case: &Case) -> Option<Link> {
    let incident_id = case.incident_id.as_ref()?;
    caller
        .may(Action::Respond, Resource::Case)
        .then(|| Link::new("Take the link back", address(&case.id, incident_id)))
}

fn address(id: &CaseId, incident_id: &IncidentId) -> String {
    format!("/console/desk/cases/{id}/links/{incident_id}/remove")
}

fn desk(id: &CaseId) -> String {
    format!("/console/desk?case={id}")
}

async fn read(app: &App, caller: &Caller, id: &CaseId) -> Result<(Situation, Option<Case>), Problem> {
    caller.require(Action::Respond, Resource::Case)?;
    let (caller, now, id) = (caller.clone(), app.clock.now(), id.clone());
    app.read(move |tx: &mut Tx| Ok((situation::read(tx, &caller, now)?, rows::find(tx, &id)?)))
        .await
}

async fn ask(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path((id, incident_id)): Path<(CaseId, IncidentId)>,
) -> Result<Response, PageProblem> {
    let (situation, case) = read(&app, &visitor.0, &id).await?;
    let case = case.ok_or_else(|| Problem::not_found("The case"))?;
    if case.incident_id.as_ref() != Some(&incident_id) {
        return Ok(other_by_now(&app, &visitor, situation, &case));
    }
    let about = format!(
        "#{} {}",
        case.incident_number.unwrap_or_default(),
        case.incident_title.clone().unwrap_or_default()
    );
    let sheet = Sheet {
        place: Place::Desk,
        headline: format!("Take {} off the incident", case.label()),
        below: Rich::default()
            .link(case.subject.clone(), desk(&id))
            .then(" is linked to ")
            .link(about, format!("/console/incidents/{incident_id}"))
            .then("."),
        parts: vec![SettingsPart::Act {
            title: "When it is about something else".to_owned(),
            words: format!(
                "{} is told no longer what that incident’s readers are told, and is still owed an answer. What was said already stays.",
                case.reporter()
            ),
            button: Button::post("Take the link back", address(&id, &incident_id), Weight::Plain),
        }],
    };
    Ok(sheet.shown(&app, &visitor, situation, StatusCode::OK))
}

async fn take_back(
    State(app): State<Arc<App>>,
    Path((id, incident_id)): Path<(CaseId, IncidentId)>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let visitor = posted.visitor;
    let taken_off = api::take_off(&app, visitor.0.clone(), id.clone(), Some(incident_id)).await;
    let Err(problem) = taken_off else {
        return Ok(go_to(&desk(&id)));
    };
    match problem.status() {
        StatusCode::NOT_FOUND => {
            let gone = Gone {
                place: Place::Desk,
                what: "This case",
                back: Link::new("Open the desk", "/console/desk"),
            };
            let situation = situation::of(&app, &visitor.0).await?;
            Ok(gone.shown(&app, &visitor, situation, &[]))
        }
        StatusCode::CONFLICT => match read(&app, &visitor.0, &id).await? {
            (situation, Some(case)) => Ok(other_by_now(&app, &visitor, situation, &case)),
            (_, None) => Err(problem.into()),
        },
        _ => Err(problem.into()),
    }
}

/// Somebody linked it elsewhere, or took the link back, while the page was open.
fn other_by_now(app: &App, visitor: &Visitor, situation: Situation, case: &Case) -> Response {
    let words = match (case.incident_number, &case.incident_title) {
        (Some(number), Some(title)) => format!("It is linked to #{number} {title} by now."),
        _ => "It is linked to no incident any more.".to_owned(),
    };
    let sheet = Sheet {
        place: Place::Desk,
        headline: "Somebody was faster".to_owned(),
        below: Rich::default().link(format!("Open {}", case.label()), desk(&case.id)),
        parts: vec![SettingsPart::Problem {
            title: "Nothing was changed".to_owned(),
            words,
        }],
    };
    sheet.shown(app, visitor, situation, StatusCode::CONFLICT)
}
