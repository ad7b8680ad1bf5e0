//! What is done at the desk: writing a case down, linking it, answering whoever reported it, raising what is new.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;

use super::go_to;
use crate::access::{Action, Resource};
use crate::app::App;
use crate::cases::model::{Channel, NewCase};
use crate::cases::raise::{Raise, raise as raise_case};
use crate::cases::{CaseId, actions as case_actions};
use crate::console::page::{Nothing, PageProblem, Posted};
use crate::customers::LocationId;
use crate::desk::answers::{Confirmed, PersonalPart};
use crate::desk::{actions, answers};
use crate::http::{Path, Problem};
use crate::incidents::model::{NewIncident, Origin};
use crate::incidents::{IncidentId, Urgency};
use crate::services::{BusinessServiceId, ServiceId};
use crate::words::InternalText;

const LONGEST_WORDS: usize = 10_000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/console/desk/cases", post(write_down))
        .route("/console/desk/cases/{id}/link", post(link))
        .route("/console/desk/cases/{id}/answer", post(answer))
        .route("/console/desk/cases/{id}/called", post(called))
        .route("/console/desk/raise", post(raise))
        .route("/console/desk/answers", post(answer_all))
}

#[derive(Debug, Clone, Deserialize)]
struct WrittenDown {
    words: String,
    #[serde(default)]
    reporter_name: String,
    #[serde(default)]
    reporter_email: String,
    #[serde(default)]
    touchpoint: String,
    #[serde(default)]
    location: String,
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

async fn write_down(
    State(app): State<Arc<App>>,
    posted: Posted<WrittenDown>,
) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Create, Resource::Case)?;
    let written = posted.fields;
    let words = filled(&written.words).filter(|words| words.chars().count() <= LONGEST_WORDS);
    let Some(words) = words else {
        return Err(Problem::invalid([format!(
            "Write what the customer says, at most {LONGEST_WORDS} letters."
        )])
        .into());
    };
    let subject: String = words
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(120)
        .collect();
    let new = NewCase {
        channel: Channel::Agent,
        external_reference: None,
        account_id: None,
        reporter_name: filled(&written.reporter_name),
        reporter_email: filled(&written.reporter_email).map(|email| email.to_lowercase()),
        reporter_telephone: None,
        location_id: filled(&written.location).map(|id| LocationId::from(id.as_str())),
        touchpoint_id: filled(&written.touchpoint).map(|id| BusinessServiceId::from(id.as_str())),
        subject,
        text: words,
        language: "en".to_owned(),
        owner_id: caller.user_id().cloned(),
    };
    if new
        .reporter_email
        .as_deref()
        .is_some_and(|email| email.parse::<lettre::Address>().is_err())
    {
        return Err(Problem::invalid(["The e-mail address does not look like one."]).into());
    }
    let (_, case) = app
        .change(caller.agent(), move |change| case_actions::report(change, &new))
        .await?;
    Ok(go_to(&format!("/console/desk?case={}", case.id)))
}

#[derive(Debug, Clone, Deserialize)]
struct Linked {
    incident: String,
}

async fn link(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Linked>,
) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Respond, Resource::Case)?;
    let back = format!("/console/desk?case={id}");
    app.change(caller.agent(), move |change| {
        case_actions::link(
            change,
            &CaseId::from(id.as_str()),
            &IncidentId::from(posted.fields.incident.as_str()),
        )
    })
    .await?;
    Ok(go_to(&back))
}

#[derive(Debug, Clone, Deserialize)]
struct Answer {
    #[serde(default)]
    personal: String,
    words: String,
    /// What was read as an answer of this kind is sent as one.
    #[serde(default)]
    kind: Option<answers::Kind>,
}

/// Sends exactly what stood on the desk.
async fn answer(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Answer>,
) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Publish, Resource::Case)?;
    let (personal, words) = (filled(&posted.fields.personal), posted.fields.words.trim());
    let letters = words.chars().count() + personal.as_ref().map_or(0, |part| part.chars().count());
    if !(1..=LONGEST_WORDS).contains(&letters) {
        return Err(Problem::invalid([format!("Write the answer, at most {LONGEST_WORDS} letters.")]).into());
    }
    let confirmed = Confirmed {
        kind: None,
        personal_part: PersonalPart::Exactly(personal.map(InternalText::new)),
        text: Some(InternalText::new(words)),
    };
    let read_as = posted.fields.kind;
    let answering = actions::answering(&app, &caller)?;
    app.change(caller.agent(), move |change| {
        let id = CaseId::from(id.as_str());
        let fitting = answers::fitting_kind(&case_actions::load(change, &id)?);
        if read_as.is_some_and(|kind| kind != fitting) {
            return Err(Problem::conflict(
                "More became known while the page was open, so nothing was sent. Open the case again and read the new answer.",
            ));
        }
        actions::confirm(change, &id, &confirmed, &answering)
    })
    .await?;
    Ok(go_to("/console/desk"))
}

/// Somebody has called the reporter and read the answer to them.
async fn called(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    posted: Posted<Nothing>,
) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Respond, Resource::Case)?;
    app.change(caller.agent(), move |change| {
        let case = case_actions::load(change, &CaseId::from(id.as_str()))?;
        answers::called(change, &case)
    })
    .await?;
    Ok(go_to("/console/desk"))
}

/// Confirms every answer that is drafted, each with its personal part kept.
async fn answer_all(State(app): State<Arc<App>>, posted: Posted<Nothing>) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Publish, Resource::Case)?;
    let incidents: Vec<IncidentId> = app.read(answers::incidents_with_drafts).await?;
    for id in &incidents {
        actions::confirm_drafted(&app, &caller, id, None).await?;
    }
    Ok(go_to("/console/desk"))
}

#[derive(Debug, Clone, Deserialize)]
struct Raised {
    title: String,
    service: String,
    #[serde(default)]
    case: String,
}

async fn raise(State(app): State<Arc<App>>, posted: Posted<Raised>) -> Result<Response, PageProblem> {
    let caller = posted.visitor.0;
    caller.require(Action::Create, Resource::Incident)?;
    let wanted = posted.fields;
    let Some(title) = filled(&wanted.title).filter(|title| title.chars().count() <= 1024) else {
        return Err(
            Problem::invalid(["Say in one sentence what customers feel; at most 1024 letters."]).into(),
        );
    };
    let incident = app
        .change(caller.agent(), move |change| {
            if !wanted.case.is_empty() {
                let raised = Raise {
                    service_id: filled(&wanted.service),
                    title: Some(title.clone()),
                    urgency: None,
                    tried: None,
                };
                let (_, incident) = raise_case(change, &CaseId::from(wanted.case.as_str()), &raised)?;
                return Ok(incident);
            }
            let service = ServiceId::from(wanted.service.as_str());
            let new = NewIncident::new(&title, service, Urgency::High, Origin::Case);
            crate::incidents::actions::open(change, &new)
        })
        .await?;
    Ok(go_to(&format!("/console/incidents/{}", incident.id)))
}
