//! "Is it us?" and who is owed an answer, over the API.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answers::{self, State as AnswerState};
use super::matching::{Likelihood, Match, Reason};
use super::notices;
use super::question::{self, Answered};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::cases::view::{CaseView, view as case_view};
use crate::cases::{Case, CaseId, store as case_rows};
use crate::http::{Faults, Listing, Paging, Problem, Problems, Query, Reference, Site};
use crate::impact::Impact;
use crate::incidents::{Incident, Status};
use crate::words::InternalText;

/// The longest question.
const LONGEST_QUESTION: usize = 4_000;
/// Incidents in one answer.
const MOST_MATCHES: usize = 10;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(is_it_us))
        .routes(routes!(owed))
        .routes(routes!(list_notices))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// What the customer says, with the place or touchpoint if it is known.
    query: Option<String>,
    /// An open case: its words, place and touchpoint count too.
    case_id: Option<String>,
}

/// Open incidents that fit, best first.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct IsItUsAnswer {
    /// What was understood.
    pub question: QuestionView,
    pub matches: Vec<MatchView>,
    /// Others who wrote the same in the last hour.
    pub others: OthersView,
    /// One sentence when nothing fits.
    pub no_match: Option<String>,
}

/// What was understood of a question.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct QuestionView {
    text: String,
    case: Option<Reference>,
    touchpoints: Vec<Reference>,
    locations: Vec<Reference>,
}

/// Others who wrote the same.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct OthersView {
    count: usize,
    /// How many of them are linked to no incident.
    unlinked: usize,
    /// The most alike first.
    case_ids: Vec<String>,
}

/// An open incident that may be what the customer means.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct MatchView {
    incident: Reference,
    number: i64,
    status: Status,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    likelihood: Likelihood,
    /// The likelihood in words.
    answer: &'static str,
    /// In words that customers use, where there are any.
    title: String,
    /// Those for it first.
    reasons: Vec<Reason>,
    /// Touchpoints that the incident hurts.
    touchpoints: Vec<Reference>,
    what_to_say: Option<WhatToSay>,
    what_to_do: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_update_by: Option<Timestamp>,
}

/// Words that may be said to the customer as they are.
#[derive(Debug, serde::Serialize, ToSchema)]
struct WhatToSay {
    words: String,
    /// Who approved them for this incident; null where they are the touchpoint's own.
    approved_by: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    approved_at: Option<Timestamp>,
    facts_revision: Option<i64>,
}

/// Ask whether what a customer says is one of the open incidents.
#[utoipa::path(
    get, path = "/desk/is_it_us", tag = "Desk", params(Asked),
    responses((status = 200, description = "Open incidents that fit, each with its reasons", body = IsItUsAnswer), Problems)
)]
async fn is_it_us(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<axum::Json<IsItUsAnswer>, Problem> {
    caller.require(Action::View, Resource::Case)?;
    if asked
        .query
        .as_deref()
        .is_some_and(|query| query.chars().count() > LONGEST_QUESTION)
    {
        return Err(Problem::invalid([format!(
            "query is too long (maximum is {LONGEST_QUESTION} characters)."
        )]));
    }
    let (site, now) = (app.site.clone(), app.clock.now());
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let case_id = asked
                .case_id
                .as_deref()
                .filter(|id| !id.is_empty())
                .map(CaseId::from);
            let answered = question::ask(tx, asked.query.as_deref(), case_id.as_ref(), now, MOST_MATCHES)?;
            Ok(is_it_us_view(&answered, &site))
        })
        .await?;
    Ok(axum::Json(answer))
}

fn is_it_us_view(answered: &Answered, site: &Site) -> IsItUsAnswer {
    let matches: Vec<MatchView> = answered
        .matches
        .iter()
        .map(|(found, incident, impact)| match_view(answered, found, incident, impact, site))
        .collect();
    let fits = answered
        .matches
        .iter()
        .any(|(found, ..)| found.likelihood > Likelihood::ProbablyNot);
    IsItUsAnswer {
        question: question_view(answered, site),
        matches,
        others: OthersView {
            count: answered.alike.ids.len(),
            unlinked: answered.alike.unlinked,
            case_ids: answered.alike.ids.clone(),
        },
        no_match: (!fits).then(|| match answered.alike.ids.len() {
            0 => "We know of nothing like this.".to_owned(),
            1 => "We know of nothing like this. 1 other wrote the same in the last hour.".to_owned(),
            count => {
                format!("We know of nothing like this. {count} others wrote the same in the last hour.")
            }
        }),
    }
}

fn question_view(answered: &Answered, site: &Site) -> QuestionView {
    let asked = &answered.question;
    let touchpoint = |id: &String| {
        let known = answered.touchpoints.iter().find(|one| one.id == *id);
        let name = known.map_or(id.as_str(), |one| one.name.as_str());
        site.reference("business_service", "business_services", id, name)
    };
    let place = |id: &String| {
        let name = answered.place_names.get(id).map_or(id.as_str(), String::as_str);
        site.reference("location", "locations", id, name)
    };
    QuestionView {
        text: asked.text.clone(),
        case: answered.case.as_ref().map(|case| {
            let summary = format!("{}: {}", case.label(), case.subject);
            site.reference("case", "cases", case.id.as_str(), summary)
        }),
        touchpoints: asked.touchpoints.iter().map(touchpoint).collect(),
        locations: asked.places.iter().map(place).collect(),
    }
}

fn match_view(
    answered: &Answered,
    found: &Match,
    incident: &Incident,
    impact: &Impact,
    site: &Site,
) -> MatchView {
    let hurt = |id: &str| impact.touchpoints.iter().any(|one| one.id == id);
    let asked = answered
        .touchpoints
        .iter()
        .find(|one| hurt(&one.id) && answered.question.touchpoints.contains(&one.id));
    let nearest = impact
        .touchpoints
        .first()
        .and_then(|first| answered.touchpoints.iter().find(|one| one.id == first.id));
    let touchpoint = asked.or(nearest);
    let issue = answered.issues.get(incident.id.as_str());
    let say = match issue {
        Some(issue) => Some(WhatToSay {
            words: issue.words_to_say.to_string(),
            approved_by: Some(issue.approved_by_name.clone()),
            approved_at: Some(issue.approved_at),
            facts_revision: Some(issue.facts_revision),
        }),
        None => touchpoint
            .and_then(|one| one.words_to_say.as_ref())
            .map(|words| WhatToSay {
                words: words.to_string(),
                approved_by: None,
                approved_at: None,
                facts_revision: None,
            }),
    };
    let summary = format!("[#{}] {}", incident.number, incident.title);
    let hurt_touchpoints = impact.touchpoints.iter();
    MatchView {
        incident: site.reference("incident", "incidents", incident.id.as_str(), summary),
        number: incident.number,
        status: incident.status,
        since: incident.created_at,
        likelihood: found.likelihood,
        answer: found.likelihood.words(),
        title: touchpoint
            .and_then(|one| one.customer_words.as_ref())
            .map_or(incident.title.as_str(), |words| words.as_str())
            .to_owned(),
        reasons: found.reasons.clone(),
        touchpoints: hurt_touchpoints
            .map(|one| site.reference("business_service", "business_services", &one.id, &*one.name))
            .collect(),
        what_to_say: say,
        what_to_do: touchpoint
            .and_then(|one| one.fallback.as_ref())
            .map(ToString::to_string),
        next_update_by: issue.and_then(|issue| issue.next_update_by),
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct OwedNarrowing {
    /// Only reporters of this incident.
    incident_id: Option<String>,
}

/// Who waits for an answer.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct OwedAnswer {
    pub owed: Vec<OwedCase>,
    pub counts: OwedCounts,
    #[serde(flatten)]
    paging: Paging,
}

/// A case whose reporter waits.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct OwedCase {
    #[serde(flatten)]
    case: CaseView,
    /// What has to happen before the reporter has an answer: `link_or_reply`, `resolution`, `draft`, `confirmation` or `call`.
    waits_for: &'static str,
}

/// How many wait in all.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct OwedCounts {
    owed: i64,
    /// How many of them are linked to no incident.
    not_linked: i64,
}

/// List who is owed an answer: the oldest first, a valuable customer earlier.
#[utoipa::path(
    get, path = "/desk/owed", tag = "Desk", params(OwedNarrowing, Listing),
    responses((status = 200, description = "A page of cases, with what each waits for", body = OwedAnswer), Problems)
)]
async fn owed(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(narrowing): Query<OwedNarrowing>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<OwedAnswer>, Problem> {
    caller.require(Action::View, Resource::Case)?;
    let page = listing.page()?;
    let site = app.site.clone();
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let incident_id = narrowing.incident_id.as_deref().filter(|id| !id.is_empty());
            let cases = case_rows::owed(tx, page, incident_id)?;
            let (all, not_linked) = case_rows::count_owed(tx, incident_id)?;
            let (cases, paging) = page.finish(cases, || Ok::<_, Problem>(all))?;
            let ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
            let open: HashMap<String, AnswerState> = answers::open_answers(tx, &ids)?
                .into_iter()
                .map(|answer| (answer.case_id.to_string(), answer.state))
                .collect();
            Ok(OwedAnswer {
                owed: cases
                    .iter()
                    .map(|case| OwedCase {
                        case: case_view(case, &site),
                        waits_for: waits_for(case, open.get(case.id.as_str()).copied()),
                    })
                    .collect(),
                counts: OwedCounts {
                    owed: all,
                    not_linked,
                },
                paging,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct NoticeNarrowing {
    incident_id: Option<String>,
    /// Only those posted since then.
    since: Option<String>,
}

/// What agents have been told.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct NoticesAnswer {
    pub notices: Vec<NoticeView>,
    #[serde(flatten)]
    paging: Paging,
}

/// Words that agents were told.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct NoticeView {
    id: String,
    /// `desk_notice`
    #[serde(rename = "type")]
    kind: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    incident: Reference,
    audience_name: String,
    #[schema(value_type = String)]
    subject: InternalText,
    #[schema(value_type = String)]
    words: InternalText,
    #[schema(value_type = Option<String>, format = DateTime)]
    next_update_by: Option<Timestamp>,
}

/// List what agents have been told about incidents, the newest first.
#[utoipa::path(
    get, path = "/desk/notices", tag = "Desk", params(NoticeNarrowing, Listing),
    responses((status = 200, description = "A page of notices", body = NoticesAnswer), Problems)
)]
async fn list_notices(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(narrowing): Query<NoticeNarrowing>,
    Query(listing): Query<Listing>,
) -> Result<axum::Json<NoticesAnswer>, Problem> {
    caller.require(Action::View, Resource::Case)?;
    let page = listing.page()?;
    let mut faults = Faults::new();
    let since = faults.optional_instant("since", narrowing.since.as_deref());
    faults.done()?;
    let site = app.site.clone();
    let answer = app
        .read(move |tx| -> Result<_, Problem> {
            let incident_id = narrowing.incident_id.as_deref().filter(|id| !id.is_empty());
            let found = notices::list(tx, incident_id, since, page)?;
            let (found, paging) = page.finish(found, || notices::count(tx, incident_id, since))?;
            let notices = found
                .into_iter()
                .map(|one| {
                    let incident = one.incident_id.as_str();
                    NoticeView {
                        id: one.id.to_string(),
                        kind: "desk_notice",
                        created_at: one.at,
                        incident: site.reference("incident", "incidents", incident, one.incident_title),
                        audience_name: one.audience_name,
                        subject: one.subject,
                        words: one.words,
                        next_update_by: one.next_update_by,
                    }
                })
                .collect();
            Ok(NoticesAnswer { notices, paging })
        })
        .await?;
    Ok(axum::Json(answer))
}

/// What has to happen before the reporter has an answer.
pub fn waits_for(case: &Case, open: Option<AnswerState>) -> &'static str {
    match (open, case.incident_status) {
        (Some(AnswerState::ToCall), _) => "call",
        (Some(AnswerState::Drafted), Some(Status::Resolved)) => "confirmation",
        (_, None) => "link_or_reply",
        (_, Some(Status::Triggered | Status::Acknowledged)) => "resolution",
        (_, Some(Status::Resolved)) => "draft",
    }
}
