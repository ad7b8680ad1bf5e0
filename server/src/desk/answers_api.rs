//! Answers over the API: read a draft, keep the personal part, confirm one or all.

use std::sync::Arc;

use axum::extract::State as AppState;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answers::{self, Answer, Confirmed, Delivery, Kind, PersonalPart, State};
use super::{actions, compose};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::cases::{Case, CaseId, actions as cases, store as case_rows};
use crate::http::faults::LONGEST_TEXT;
use crate::http::{Body, Faults, Listing, Paging, Path, Problem, Problems, Query, Reference, Sent, Site};
use crate::incidents::{IncidentId, store as incident_rows};
use crate::words::InternalText;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show, keep, confirm))
        .routes(routes!(called))
        .routes(routes!(of_incident))
        .routes(routes!(confirm_all))
}

/// One answer.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct AnswerAnswer {
    pub answer: AnswerView,
}

/// A page of answers.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct AnswersAnswer {
    pub answers: Vec<AnswerView>,
    #[serde(flatten)]
    paging: Paging,
}

/// What the reporter of a case is told.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct AnswerView {
    /// Null while it is only proposed.
    id: Option<String>,
    /// `answer`
    #[serde(rename = "type")]
    resource: &'static str,
    summary: String,
    #[serde(rename = "self")]
    api_url: String,
    html_url: String,
    case: Reference,
    kind: Kind,
    state: State,
    /// The same words for every reporter.
    #[schema(value_type = String)]
    common_part: InternalText,
    /// What is said to this reporter alone.
    #[schema(value_type = Option<String>)]
    personal_part: Option<InternalText>,
    /// The whole answer, as the reporter reads it.
    #[schema(value_type = String)]
    text: InternalText,
    delivery: Option<Delivery>,
    /// The mail, once there is one.
    send_id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    drafted_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    confirmed_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    told_at: Option<Timestamp>,
}

/// For readers inside: a draft is shown to them as what the reporter would read.
pub fn view(answer: &Answer, case: &Case, site: &Site) -> AnswerView {
    let whole = compose::whole(
        case,
        answer.personal_part.as_ref().map(InternalText::for_insiders),
        answer.common_part.for_insiders(),
    );
    let about = format!("{}: {}", case.label(), case.subject);
    AnswerView {
        id: Some(answer.id.to_string()),
        resource: "answer",
        summary: format!("Answer to {}", case.label()),
        api_url: site.url(&format!("/cases/{}/answer", case.id)),
        html_url: site.html_url("cases", case.id.as_str()),
        case: site.reference("case", "cases", case.id.as_str(), about),
        kind: answer.kind,
        state: answer.state,
        common_part: answer.common_part.clone(),
        personal_part: answer.personal_part.clone(),
        text: whole,
        delivery: answer.delivery,
        send_id: answer.send_id.as_ref().map(ToString::to_string),
        drafted_at: answer.drafted_at,
        confirmed_at: answer.confirmed_at,
        told_at: answer.told_at,
    }
}

/// Show the answer that a case's reporter is owed: the draft, or what would be drafted now.
#[utoipa::path(
    get, path = "/cases/{id}/answer", tag = "Answers",
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The answer; `id` is null when it is only proposed", body = AnswerAnswer), Problems)
)]
async fn show(
    AppState(app): AppState<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<AnswerAnswer>, Problem> {
    caller.require(Action::View, Resource::Case)?;
    let (site, now) = (app.site.clone(), app.clock.now());
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let case = case_rows::find(tx, &CaseId::from(id.as_str()))?
                .ok_or_else(|| Problem::not_found("The case"))?;
            if let Some(answer) = answers::open_answer(tx, &case.id)? {
                return Ok(view(&answer, &case, &site));
            }
            let kind = answers::fitting_kind(&case);
            let proposed = Answer {
                id: "".into(),
                case_id: case.id.clone(),
                incident_id: case.incident_id.clone(),
                kind,
                state: State::Drafted,
                common_part: answers::proposed(tx, &case, kind)?,
                personal_part: None,
                delivery: None,
                send_id: None,
                drafted_at: now,
                confirmed_by: None,
                confirmed_at: None,
                told_at: None,
            };
            let mut shown = view(&proposed, &case, &site);
            shown.id = None;
            Ok(shown)
        })
        .await?;
    Ok(axum::Json(AnswerAnswer { answer }))
}

#[derive(Debug, Deserialize, ToSchema)]
struct KeepAnswer {
    answer: KeptParts,
}

#[derive(Debug, Deserialize, ToSchema)]
struct KeptParts {
    /// The agent's own part; null takes it away.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    personal_part: Sent<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
struct ConfirmAnswer {
    #[serde(default)]
    answer: ConfirmedParts,
}

/// All of it may be left out: then the draft is sent as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
struct ConfirmedParts {
    #[serde(default)]
    kind: Option<Kind>,
    /// The agent's own part, instead of what was kept with the draft; null sends none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    personal_part: Sent<String>,
    /// Instead of the drafted common part.
    #[serde(default)]
    text: Option<String>,
}

impl ConfirmedParts {
    fn check(&self) -> Result<Confirmed, Problem> {
        let mut faults = Faults::new();
        let said = faults.optional_text(
            "answer.personal_part",
            self.personal_part.value().map(String::as_str),
            LONGEST_TEXT,
        );
        let personal_part = match self.personal_part {
            Sent::Nothing => PersonalPart::AsKept,
            Sent::Null | Sent::Value(_) => PersonalPart::Exactly(said.map(InternalText::new)),
        };
        let text = faults.optional_text("answer.text", self.text.as_deref(), LONGEST_TEXT);
        faults.done()?;
        Ok(Confirmed {
            kind: self.kind,
            personal_part,
            text: text.map(InternalText::new),
        })
    }
}

/// Keep the agent's own part with the draft, for when one or all are confirmed.
#[utoipa::path(
    put, path = "/cases/{id}/answer", tag = "Answers", request_body = KeepAnswer,
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The draft", body = AnswerAnswer), Problems)
)]
async fn keep(
    AppState(app): AppState<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<KeepAnswer>,
) -> Result<axum::Json<AnswerAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Case)?;
    let mut faults = Faults::new();
    let sent = body.answer.personal_part;
    let personal = faults.optional_text(
        "answer.personal_part",
        sent.value().map(String::as_str),
        LONGEST_TEXT,
    );
    faults.done()?;
    let personal = personal.map(InternalText::new);
    let site = app.site.clone();
    let answer = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let case = cases::load(change, &CaseId::from(id.as_str()))?;
            let answer = match sent {
                Sent::Nothing => answers::draft(change, &case, answers::fitting_kind(&case))?,
                Sent::Null | Sent::Value(_) => answers::keep_personal_part(change, &case, personal.as_ref())?,
            };
            Ok(view(&answer, &case, &site))
        })
        .await?;
    Ok(axum::Json(AnswerAnswer { answer }))
}

/// Send the answer: by e-mail where the reporter left an address and a mail server is configured, otherwise it is shown for a call, or on the
/// reporter's own page.
#[utoipa::path(
    post, path = "/cases/{id}/answer", tag = "Answers", request_body = ConfirmAnswer,
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The answer", body = AnswerAnswer), Problems)
)]
async fn confirm(
    AppState(app): AppState<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<ConfirmAnswer>,
) -> Result<axum::Json<AnswerAnswer>, Problem> {
    caller.require(Action::Publish, Resource::Case)?;
    let confirmed = body.answer.check()?;
    let answering = actions::answering(&app, &caller)?;
    let answer = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let case_id = CaseId::from(id.as_str());
            let (case, answer) = actions::confirm(change, &case_id, &confirmed, &answering)?;
            Ok(view(&answer, &case, &answering.site))
        })
        .await?;
    Ok(axum::Json(AnswerAnswer { answer }))
}

/// Say that the reporter was called and told.
#[utoipa::path(
    post, path = "/cases/{id}/answer/called", tag = "Answers",
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The answer", body = AnswerAnswer), Problems)
)]
async fn called(
    AppState(app): AppState<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<AnswerAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Case)?;
    let site = app.site.clone();
    let answer = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let case = cases::load(change, &CaseId::from(id.as_str()))?;
            let answer = answers::called(change, &case)?;
            Ok(view(&answer, &case, &site))
        })
        .await?;
    Ok(axum::Json(AnswerAnswer { answer }))
}

/// List the answers to an incident's reporters; those not given yet first.
#[utoipa::path(
    get, path = "/incidents/{id}/answers", tag = "Answers",
    params(Listing, ("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "A page of answers", body = AnswersAnswer), Problems)
)]
async fn of_incident(
    AppState(app): AppState<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<AnswersAnswer>, Problem> {
    caller.require(Action::View, Resource::Case)?;
    let page = listing.page()?;
    let site = app.site.clone();
    let id = IncidentId::from(id);
    super::jobs::draft_now(&app, &id).await?;
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            incident_rows::find(tx, &id)?.ok_or_else(|| Problem::not_found("The incident"))?;
            let found = answers::of_incident(tx, &id, page)?;
            let (found, paging) = page.finish(found, || answers::count_of_incident(tx, &id))?;
            let mut views = Vec::with_capacity(found.len());
            for answer in &found {
                if let Some(case) = case_rows::find(tx, &answer.case_id)? {
                    views.push(view(answer, &case, &site));
                }
            }
            Ok(AnswersAnswer {
                answers: views,
                paging,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
struct ConfirmMany {
    /// Only these cases; all whose answer is drafted unless told.
    case_ids: Option<Vec<String>>,
}

/// How many reporters were answered.
#[derive(Debug, Default, serde::Serialize, ToSchema)]
pub struct ConfirmedAnswer {
    /// Sent by e-mail or shown on the reporter's own page.
    pub sent: usize,
    /// Confirmed; these reporters can only be called.
    pub to_call: usize,
    /// Drafts that are left.
    pub left: usize,
}

/// Confirm the drafted answers of an incident at once; each keeps its personal part.
#[utoipa::path(
    post, path = "/incidents/{id}/answers/confirm", tag = "Answers", request_body = ConfirmMany,
    params(("id" = String, Path, description = "The incident's id")),
    responses((status = 200, description = "How many were answered", body = ConfirmedAnswer), Problems)
)]
async fn confirm_all(
    AppState(app): AppState<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<ConfirmMany>,
) -> Result<axum::Json<ConfirmedAnswer>, Problem> {
    caller.require(Action::Publish, Resource::Case)?;
    let id = IncidentId::from(id);
    if body
        .case_ids
        .as_ref()
        .is_some_and(|wanted| wanted.len() > actions::MOST)
    {
        return Err(Problem::invalid([format!(
            "case_ids may name at most {} cases.",
            actions::MOST
        )]));
    }
    let answered = actions::confirm_drafted(&app, &caller, &id, body.case_ids.as_deref()).await?;
    let left = app
        .read(move |tx| -> Result<_, Problem> {
            Ok(answers::drafted_cases(tx, &id, actions::MOST as i64)?.len())
        })
        .await?;
    Ok(axum::Json(ConfirmedAnswer {
        sent: answered.sent,
        to_call: answered.to_call,
        left,
    }))
}
