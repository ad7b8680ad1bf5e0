//! `/cases`: Muster's own resource, by the conventions of the dialect.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::actions::Kept;
use super::input::{AddNote, ChangeCase, CreateCase, LinkCase, RaiseCase};
use super::model::{Case, CaseId, Channel, Status};
use super::store::{self as rows, Linked, Sought};
use super::view::{CaseMessageView, CaseView, message_view, private_url, view};
use super::{actions, raise};
use crate::access::caller::Method;
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::faults::{LONGEST_TEXT, parse_instant};
use crate::http::{Body, Faults, Listing, Paging, Path, Problem, Problems, Query};
use crate::incidents::IncidentId;
use crate::timeline::Change;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change_one))
        .routes(routes!(link))
        .routes(routes!(unlink))
        .routes(routes!(raise_incident))
        .routes(routes!(list_messages))
        .routes(routes!(add_note))
}

/// One case.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct CaseAnswer {
    pub case: CaseView,
}

/// A page of cases.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct CasesAnswer {
    pub cases: Vec<CaseView>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Narrowing {
    /// Words of the customer, the case, its location or touchpoint; or its number.
    query: Option<String>,
    number: Option<String>,
    /// `open`, `waiting`, `closed`.
    #[serde(rename = "statuses[]")]
    statuses: Vec<String>,
    #[serde(rename = "account_ids[]")]
    account_ids: Vec<String>,
    /// Also what stands inside of them.
    #[serde(rename = "location_ids[]")]
    location_ids: Vec<String>,
    #[serde(rename = "touchpoint_ids[]")]
    touchpoint_ids: Vec<String>,
    #[serde(rename = "owner_ids[]")]
    owner_ids: Vec<String>,
    incident_id: Option<String>,
    /// `true` for linked ones, `false` for the others.
    #[param(value_type = Option<bool>)]
    linked: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

impl Narrowing {
    fn sought(self) -> Result<Sought, Problem> {
        let mut faults = Faults::new();
        let mut statuses = Vec::new();
        for text in &self.statuses {
            match Status::from_text(text) {
                Some(status) => statuses.push(status),
                None => faults.add("statuses[] must be open, waiting or closed."),
            }
        }
        let linked = match faults.yes_or_no("linked", self.linked.as_deref()) {
            None => None,
            Some(true) => Some(Linked::Yes),
            Some(false) => Some(Linked::No),
        };
        let number = match self.number.as_deref().filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => {
                let number = rows::number_in(text);
                if number.is_none() {
                    faults.add("number must be a case's number, such as C-88213.");
                }
                number
            }
        };
        let mut instant = |field: &str, text: Option<&str>| {
            let text = text.filter(|text| !text.is_empty())?;
            let instant = parse_instant(text);
            if instant.is_none() {
                faults.add(format!("{field} must be a date in ISO 8601."));
            }
            instant
        };
        let since = instant("since", self.since.as_deref());
        let until = instant("until", self.until.as_deref());
        faults.done()?;
        Ok(Sought {
            words: self.query.filter(|words| !words.trim().is_empty()),
            number,
            statuses,
            account_ids: self.account_ids,
            location_ids: self.location_ids,
            touchpoint_ids: self.touchpoint_ids,
            owner_ids: self.owner_ids,
            incident_id: self.incident_id,
            linked,
            owed: None,
            since,
            until,
        })
    }
}

/// List or search cases, the newest first.
#[utoipa::path(
    get, path = "/cases", tag = "Cases", params(Narrowing, Listing),
    responses((status = 200, description = "A page of cases", body = CasesAnswer), Problems)
)]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(narrowing): Query<Narrowing>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<CasesAnswer>, Problem> {
    caller.require(Action::View, Resource::Case)?;
    let page = listing.page()?;
    let sought = narrowing.sought()?;
    let site = app.site.clone();
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let (cases, paging) = rows::list(tx, &sought, page)?;
            Ok(CasesAnswer {
                cases: cases.iter().map(|case| view(case, &site)).collect(),
                paging,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}

/// Report a case. The answer holds `private_url`, the reporter's own page. The same `external_reference` again
/// gives the case that is there, with status 200.
#[utoipa::path(
    post, path = "/cases", tag = "Cases", request_body = CreateCase,
    responses(
        (status = 201, description = "The new case", body = CaseAnswer),
        (status = 200, description = "The case with this external reference", body = CaseAnswer),
        Problems
    )
)]
async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(body): Body<CreateCase>,
) -> Result<(StatusCode, axum::Json<CaseAnswer>), Problem> {
    caller.require(Action::Create, Resource::Case)?;
    let usual = match caller.method {
        Method::Browser { .. } => Channel::Agent,
        Method::ApiToken { .. } => Channel::Api,
    };
    let new = body.case.check(usual)?;
    let site = app.site.clone();
    let (kept, case) = app
        .change(caller.agent(), move |change| actions::report(change, &new))
        .await?;
    let status = match kept {
        Kept::New => StatusCode::CREATED,
        Kept::Known => StatusCode::OK,
    };
    let mut shown = view(&case, &site);
    shown.private_url = Some(private_url(&case, &site));
    Ok((status, axum::Json(CaseAnswer { case: shown })))
}

/// Show one case.
#[utoipa::path(
    get, path = "/cases/{id}", tag = "Cases", params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The case", body = CaseAnswer), Problems)
)]
async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<CaseAnswer>, Problem> {
    caller.require(Action::View, Resource::Case)?;
    let site = app.site.clone();
    let case = app
        .read(move |tx| -> Result<_, Problem> {
            rows::find(tx, &CaseId::from(id.as_str()))?.ok_or_else(|| Problem::not_found("The case"))
        })
        .await?;
    Ok(axum::Json(CaseAnswer {
        case: view(&case, &site),
    }))
}

/// Correct a case: its status, owner, account, location, touchpoint or subject.
#[utoipa::path(
    put, path = "/cases/{id}", tag = "Cases", request_body = ChangeCase,
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The case", body = CaseAnswer), Problems)
)]
async fn change_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<ChangeCase>,
) -> Result<axum::Json<CaseAnswer>, Problem> {
    caller.require(Action::Change, Resource::Case)?;
    answer(&app, &caller, move |change| {
        let case = actions::load(change, &CaseId::from(id.as_str()))?;
        let corrected = body.case.over(change.tx, &case)?;
        actions::correct(change, &case, &corrected)
    })
    .await
}

/// Does something to a case as the caller, and shows it.
async fn answer(
    app: &Arc<App>,
    caller: &Caller,
    work: impl Fn(&mut Change) -> Result<Case, Problem> + Send + 'static,
) -> Result<axum::Json<CaseAnswer>, Problem> {
    let case = app.change(caller.agent(), work).await?;
    Ok(axum::Json(CaseAnswer {
        case: view(&case, &app.site),
    }))
}

/// Link a case to an incident. Its reporter is owed an answer until they have been told how it ended.
#[utoipa::path(
    post, path = "/cases/{id}/link", tag = "Cases", request_body = LinkCase,
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The case", body = CaseAnswer), Problems)
)]
async fn link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<LinkCase>,
) -> Result<axum::Json<CaseAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Case)?;
    answer(&app, &caller, move |change| {
        let incident_id = IncidentId::from(body.incident.id.as_str());
        actions::link(change, &CaseId::from(id.as_str()), &incident_id)
    })
    .await
}

/// Take a link back.
#[utoipa::path(
    post, path = "/cases/{id}/unlink", tag = "Cases",
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The case", body = CaseAnswer), Problems)
)]
async fn unlink(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<CaseAnswer>, Problem> {
    take_off(&app, caller, CaseId::from(id.as_str()), None).await
}

/// The same, when it is known which incident it is to be taken off: where it is linked to that one no more, nothing is
/// changed.
pub(crate) async fn take_off(
    app: &Arc<App>,
    caller: Caller,
    id: CaseId,
    from: Option<IncidentId>,
) -> Result<axum::Json<CaseAnswer>, Problem> {
    caller.require(Action::Respond, Resource::Case)?;
    answer(app, &caller, move |change| {
        if from.is_some() && actions::load(change, &id)?.incident_id != from {
            return Err(Problem::conflict("The case is linked to that incident no more."));
        }
        actions::unlink(change, &id)
    })
    .await
}

/// Open an incident from a case, with the customer's context in its body, and link the case to it.
#[utoipa::path(
    post, path = "/cases/{id}/raise", tag = "Cases", request_body = RaiseCase,
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 201, description = "The case; its `incident` is the new one", body = CaseAnswer), Problems)
)]
async fn raise_incident(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<RaiseCase>,
) -> Result<(StatusCode, axum::Json<CaseAnswer>), Problem> {
    caller.require(Action::Respond, Resource::Case)?;
    caller.require(Action::Create, Resource::Incident)?;
    let wanted = body.check()?;
    let shown = answer(&app, &caller, move |change| {
        raise::raise(change, &CaseId::from(id.as_str()), &wanted).map(|(case, _)| case)
    })
    .await?;
    Ok((StatusCode::CREATED, shown))
}

/// What was said about a case.
#[derive(Debug, serde::Serialize, ToSchema)]
struct CaseMessagesAnswer {
    messages: Vec<CaseMessageView>,
}

/// The note that was added.
#[derive(Debug, serde::Serialize, ToSchema)]
struct CaseMessageAnswer {
    message: Option<CaseMessageView>,
}

/// List what was said about a case, the oldest first.
#[utoipa::path(
    get, path = "/cases/{id}/messages", tag = "Cases",
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 200, description = "The messages", body = CaseMessagesAnswer), Problems)
)]
async fn list_messages(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<CaseMessagesAnswer>, Problem> {
    caller.require(Action::View, Resource::Case)?;
    let messages = app
        .read(move |tx| -> Result<_, Problem> {
            let id = CaseId::from(id.as_str());
            rows::find(tx, &id)?.ok_or_else(|| Problem::not_found("The case"))?;
            Ok(rows::messages(tx, &id)?)
        })
        .await?;
    let messages = messages.iter().map(message_view).collect();
    Ok(axum::Json(CaseMessagesAnswer { messages }))
}

/// Add a note that stays inside.
#[utoipa::path(
    post, path = "/cases/{id}/notes", tag = "Cases", request_body = AddNote,
    params(("id" = String, Path, description = "The case's id")),
    responses((status = 201, description = "The note", body = CaseMessageAnswer), Problems)
)]
async fn add_note(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<AddNote>,
) -> Result<(StatusCode, axum::Json<CaseMessageAnswer>), Problem> {
    caller.require(Action::Respond, Resource::Case)?;
    let mut faults = Faults::new();
    let text = faults.text("note.text", Some(&body.note.text), LONGEST_TEXT);
    faults.done()?;
    let message = app
        .change(caller.agent(), move |change| -> Result<_, Problem> {
            let case = actions::load(change, &CaseId::from(id.as_str()))?;
            let added = actions::add_note(change, &case, &text)?;
            let all = rows::messages(change.tx, &case.id)?;
            Ok(all.into_iter().find(|message| message.id == added))
        })
        .await?;
    let message = message.as_ref().map(message_view);
    Ok((StatusCode::CREATED, axum::Json(CaseMessageAnswer { message })))
}
