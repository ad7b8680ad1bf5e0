//! Reporting without an account, and the reporter's own page.
//!
//! `/report` and `/at/{code}/report` take a report from anybody; `/case/{token}` shows it with its answers and
//! hears whether it works again. No cookie is set or read, so no other site can act in a reporter's name: who
//! holds the link is the reporter. Forms that another site submits are refused all the same. A hidden field
//! that people leave empty catches simple robots, a limit for each address the rest; a form sent twice makes
//! one case. Pages carry their style inside and allow nothing else.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::BASE64;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use store::Tx;

use super::known::{self, PublicTouchpoint};
use super::zone;
use crate::access::token::random_token;
use crate::app::App;
use crate::cases::input::Report;
use crate::cases::model::{Direction, OF_A_FORM, Word};
use crate::cases::{Case, Channel, Recovery, Status, actions, store as case_rows};
use crate::customers::locations::{self, Location};
use crate::drawing::unturned;
use crate::http::limits::Verdict;
use crate::http::{Origin, Path, Problem};
use crate::incidents;
use crate::services::BusinessServiceId;
use crate::timeline::Agent;

const STYLE: &str = concat!(
    include_str!("../../templates/pages/style.css"),
    include_str!("../../templates/desk/form.css")
);
/// Bytes of a form: the longest report, written in any script and escaped.
const LARGEST_FORM: usize = 128 * 1024;
const LONGEST_REPLY: usize = 4_000;
const ONCE_LENGTH: usize = 24;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/report", get(blank).post(send))
        .route("/at/{code}/report", get(blank_at).post(send_at))
        .route("/case/{token}", get(show).post(hear))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
}

/// The form of a report, blank or with what was wrong.
#[derive(Debug, Template)]
#[template(path = "desk/report.html")]
struct ReportPage {
    /// "Tell us what does not work", with the location's name where it is known.
    headline: String,
    action: String,
    once: String,
    touchpoints: Vec<(String, String)>,
    given: Fields,
    mistakes: Vec<String>,
}

/// The reporter's own page.
#[derive(Debug, Template)]
#[template(path = "desk/case.html")]
struct CasePage {
    label: String,
    subject: String,
    text: String,
    reported: String,
    state: String,
    /// Who said what and when, the oldest first.
    messages: Vec<(String, String, String)>,
    asks: Asks,
    action: String,
    mistakes: Vec<String>,
}

/// Whether the page asks "does it work?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Recovery,
    Words,
}

/// A page that says one thing.
#[derive(Debug, Template)]
#[template(path = "desk/plain.html")]
struct PlainPage {
    headline: String,
    words: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Fields {
    subject: String,
    text: String,
    name: String,
    email: String,
    telephone: String,
    touchpoint: String,
    /// Told apart from a second sending of the same form.
    once: String,
    /// Hidden from people.
    website: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    said: String,
    text: String,
}

impl ReportPage {
    fn style() -> &'static str {
        STYLE
    }

    fn is_chosen(&self, id: &str) -> bool {
        self.given.touchpoint == id
    }
}

impl CasePage {
    fn style() -> &'static str {
        STYLE
    }

    fn asks_recovery(&self) -> bool {
        self.asks == Asks::Recovery
    }
}

impl PlainPage {
    fn style() -> &'static str {
        STYLE
    }
}

/// A page with headers that keep its link to itself and let nothing else in.
fn page(status: StatusCode, template: &impl Template) -> Response {
    let body = match template.render() {
        Ok(body) => body,
        Err(error) => return Problem::internal(error).into_response(),
    };
    let hash = BASE64.encode(&Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = (status, axum::response::Html(unturned(body))).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex"),
    );
    response
}

fn plain(status: StatusCode, headline: &str, words: &str) -> Response {
    page(
        status,
        &PlainPage {
            headline: headline.to_owned(),
            words: words.to_owned(),
        },
    )
}

/// A refusal in words for somebody who is no programmer.
fn refusal(problem: &Problem) -> Response {
    problem.log();
    match problem.status() {
        StatusCode::NOT_FOUND => plain(
            StatusCode::NOT_FOUND,
            "There is nothing here",
            "The link is not complete, or it is no longer valid. Ask whoever gave it to you.",
        ),
        StatusCode::BAD_REQUEST => plain(
            StatusCode::BAD_REQUEST,
            "That did not work",
            &problem.errors().join(" "),
        ),
        status => plain(
            status,
            "That did not work",
            "We could not keep it just now. Please go back and try again in a moment.",
        ),
    }
}

/// Reads a form, after the checks that every form passes. `limited` is what it is about, as Muster names it: an address as it
/// was asked for can be spelled in many ways.
async fn read_form<T: serde::de::DeserializeOwned>(
    app: &Arc<App>,
    request: Request,
    limited: &str,
) -> Result<T, Response> {
    if Origin::of(request.headers(), &app.site) == Origin::Elsewhere {
        return Err(plain(
            StatusCode::FORBIDDEN,
            "That did not work",
            "The form was sent from another site. Please fill it in here.",
        ));
    }
    // A whole company may stand behind one address: its shops must not lock each other out.
    let address = format!("{} {limited}", address_of(&request));
    if app.form_limiter.take(&address, app.clock.now()).verdict == Verdict::Refused {
        return Err(plain(
            StatusCode::TOO_MANY_REQUESTS,
            "Please wait a minute",
            "Too many reports came from where you are. Nothing was kept; try again in a minute.",
        ));
    }
    use axum::extract::FromRequest as _;
    match axum::extract::Form::<T>::from_request(request, app).await {
        Ok(axum::extract::Form(form)) => Ok(form),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(plain(
            StatusCode::PAYLOAD_TOO_LARGE,
            "That is too much",
            "Please say it in fewer words.",
        )),
        Err(_) => Err(plain(
            StatusCode::BAD_REQUEST,
            "That did not work",
            "The form could not be read. Please fill it in again.",
        )),
    }
}

fn address_of(request: &Request) -> String {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>();
    address.map_or_else(|| "unknown".to_owned(), |address| address.ip().to_string())
}

async fn blank(State(app): State<Arc<App>>) -> Response {
    form(&app, None, Fields::default(), Vec::new()).await
}

async fn blank_at(State(app): State<Arc<App>>, Path(code): Path<String>, request: Request) -> Response {
    match place(&app, code, &address_of(&request)).await {
        Ok(place) => form(&app, Some(&place), Fields::default(), Vec::new()).await,
        Err(response) => response,
    }
}

/// The location behind a code. Codes are guessed here no longer than on the location's own page.
async fn place(app: &Arc<App>, code: String, address: &str) -> Result<Location, Response> {
    let now = app.clock.now();
    if app.page_limits.guessing.is_spent(address, now) {
        return Err(plain(
            StatusCode::TOO_MANY_REQUESTS,
            "That was too often",
            "Wait ten minutes, then try again.",
        ));
    }
    let code = code.to_lowercase();
    let found = app
        .read(move |tx| -> Result<_, Problem> { Ok(locations::find_by_code(tx, &code)?) })
        .await
        .map_err(|problem| refusal(&problem))?;
    found.ok_or_else(|| {
        app.page_limits.guessing.take(address, now);
        refusal(&Problem::not_found("The location"))
    })
}

async fn form(
    app: &Arc<App>,
    place: Option<&Location>,
    mut given: Fields,
    mistakes: Vec<String>,
) -> Response {
    let touchpoints = app
        .read(|tx| -> Result<Vec<PublicTouchpoint>, Problem> { Ok(known::touchpoints(tx)?) })
        .await;
    let touchpoints = match touchpoints {
        Ok(touchpoints) => touchpoints,
        Err(problem) => return refusal(&problem),
    };
    if given.once.is_empty() {
        given.once = random_token(ONCE_LENGTH);
    }
    let status = if mistakes.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let shown = ReportPage {
        headline: match place {
            Some(place) => format!("What does not work in {}?", place.name),
            None => "What does not work?".to_owned(),
        },
        action: match place.and_then(|place| place.code.as_deref()) {
            Some(code) => format!("/at/{code}/report"),
            None => "/report".to_owned(),
        },
        once: given.once.clone(),
        touchpoints: touchpoints
            .into_iter()
            .map(|one| (one.id, one.name.to_string()))
            .collect(),
        given,
        mistakes,
    };
    page(status, &shown)
}

async fn send(State(app): State<Arc<App>>, request: Request) -> Response {
    match read_form::<Fields>(&app, request, "report").await {
        Ok(fields) => keep(&app, None, fields).await,
        Err(response) => response,
    }
}

async fn send_at(State(app): State<Arc<App>>, Path(code): Path<String>, request: Request) -> Response {
    let place = match place(&app, code, &address_of(&request)).await {
        Ok(place) => place,
        Err(response) => return response,
    };
    match read_form::<Fields>(&app, request, place.id.as_str()).await {
        Ok(fields) => keep(&app, Some(place), fields).await,
        Err(response) => response,
    }
}

/// Keeps a report and leads to the reporter's own page.
async fn keep(app: &Arc<App>, place: Option<Location>, fields: Fields) -> Response {
    if !fields.website.is_empty() {
        // A robot filled in what people do not see. It learns nothing, and nothing is kept.
        return plain(StatusCode::OK, "Thank you", "We have your report.");
    }
    let channel = if place.is_some() {
        Channel::LocationForm
    } else {
        Channel::Form
    };
    let report = Report {
        subject: Some(&fields.subject),
        text: Some(&fields.text),
        name: Some(&fields.name),
        email: Some(&fields.email),
        telephone: Some(&fields.telephone),
        language: None,
    };
    let mut new = match report.check("", channel) {
        Ok(new) => new,
        Err(problem) => {
            let mistakes = problem.errors().iter().map(|sentence| kindly(sentence)).collect();
            return form(app, place.as_ref(), fields, mistakes).await;
        }
    };
    new.location_id = place.map(|place| place.id);
    let wanted = fields.touchpoint.clone();
    let once: String = fields
        .once
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(ONCE_LENGTH)
        .collect();
    new.external_reference = (once.len() == ONCE_LENGTH).then(|| format!("{OF_A_FORM}{once}"));
    let kept = app
        .change(
            Agent::visitor("A customer"),
            move |change| -> Result<Case, Problem> {
                let mut new = new.clone();
                new.touchpoint_id = touchpoint(change.tx, &wanted)?;
                actions::report(change, &new).map(|(_, case)| case)
            },
        )
        .await;
    match kept {
        Ok(case) => see_other(&format!("/case/{}", case.token)),
        Err(problem) => refusal(&problem),
    }
}

/// The touchpoint that was chosen, if there is such a one.
fn touchpoint(tx: &mut Tx, id: &str) -> Result<Option<BusinessServiceId>, Problem> {
    let known = known::touchpoints(tx)?.into_iter().any(|one| one.id == id);
    Ok(known.then(|| BusinessServiceId::from(id)))
}

fn see_other(path: &str) -> Response {
    let location = HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static("/report"));
    let headers = [
        (header::LOCATION, location),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// The sentence for a programmer, as one for a customer.
fn kindly(sentence: &str) -> String {
    for (field, words) in [
        ("text can't be blank", "Please say what does not work."),
        ("text is too long", "Please say it in fewer words."),
        ("subject is too long", "Please make the heading shorter."),
        ("reporter.name", "Please make the name shorter."),
        ("reporter.email", "Please check the e-mail address."),
        ("reporter.telephone", "Please check the telephone number."),
    ] {
        if sentence.starts_with(field) {
            return words.to_owned();
        }
    }
    sentence.to_owned()
}

async fn show(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    case_page(&app, token, Vec::new()).await
}

async fn case_page(app: &Arc<App>, token: String, mistakes: Vec<String>) -> Response {
    let now = app.clock.now();
    let shown = app
        .read(move |tx| -> Result<CasePage, Problem> {
            let case = case_rows::find_by_token(tx, &token)?.ok_or_else(|| Problem::not_found("The case"))?;
            let zone = zone::of_case(tx, &case)?;
            let messages = case_rows::messages(tx, &case.id)?
                .into_iter()
                .filter_map(|message| {
                    let who = match message.direction {
                        Direction::In => "You",
                        Direction::Out => "We",
                        Direction::Inside => return None,
                    };
                    Some((
                        who.to_owned(),
                        clock(message.created_at, now, &zone),
                        message.text,
                    ))
                })
                .collect();
            Ok(CasePage {
                label: case.label(),
                reported: clock(case.created_at, now, &zone),
                state: state_words(&case, fault_of(tx, &case)?).to_owned(),
                messages,
                asks: if case.recovery == Recovery::Asked {
                    Asks::Recovery
                } else {
                    Asks::Words
                },
                action: format!("/case/{}", case.token),
                subject: case.subject,
                text: case.text,
                mistakes: mistakes.clone(),
            })
        })
        .await;
    match shown {
        Ok(shown) => {
            let status = if shown.mistakes.is_empty() {
                StatusCode::OK
            } else {
                StatusCode::BAD_REQUEST
            };
            page(status, &shown)
        }
        Err(problem) => refusal(&problem),
    }
}

/// What the report is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    WorkedOn,
    OverOrUnknown,
}

fn fault_of(tx: &mut Tx, case: &Case) -> Result<Fault, Problem> {
    let incident = match &case.incident_id {
        Some(id) => incidents::store::find(tx, id)?,
        None => None,
    };
    let open = incident.filter(|incident| incident.status != incidents::Status::Resolved);
    Ok(open.map_or(Fault::OverOrUnknown, |_| Fault::WorkedOn))
}

fn state_words(case: &Case, fault: Fault) -> &'static str {
    match (case.status, case.recovery, case.last_told_at) {
        (Status::Closed, Recovery::Works, _) => "Thank you for telling us that it works.",
        (Status::Closed, ..) => "This report is closed.",
        (_, Recovery::StillBroken, _) => "Thank you. We go on until it works for you.",
        (_, Recovery::Asked, _) => "We have answered. Does it work for you now?",
        (_, _, Some(_)) if case.owed_since.is_some() && fault == Fault::WorkedOn => {
            "We work on it. What we told you so far stands below, and you will get an answer."
        }
        (_, _, Some(_)) => "We have answered; see below.",
        (_, _, None) if fault == Fault::WorkedOn => {
            "Thank you. It is a fault that we know of and work on; you will get an answer."
        }
        (_, _, None) => "Thank you. We have your report and will answer it.",
    }
}

/// "06:12 GMT", with the day when it was another one.
fn clock(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    if at.date() == now.date() {
        at.strftime("%H:%M %Z").to_string()
    } else {
        at.strftime("%-d %B %Y, %H:%M %Z").to_string()
    }
}

/// The reporter says that it works, that it does not, or something else.
async fn hear(State(app): State<Arc<App>>, Path(token): Path<String>, request: Request) -> Response {
    let said = match read_form::<Said>(&app, request, &token).await {
        Ok(said) => said,
        Err(response) => return response,
    };
    let text = said.text.trim().to_owned();
    let word = match (said.said.as_str(), text.is_empty()) {
        ("works", _) => Word::Works,
        ("still_broken", _) => Word::StillBroken,
        (_, false) => Word::Reply,
        (_, true) => return case_page(&app, token, vec!["Please say something first.".to_owned()]).await,
    };
    if text.chars().count() > LONGEST_REPLY || text.contains('\0') {
        return case_page(&app, token, vec!["Please say it in fewer words.".to_owned()]).await;
    }
    let back = format!("/case/{token}");
    let asked = token.clone();
    let case = app
        .read(move |tx| -> Result<_, Problem> {
            case_rows::find_by_token(tx, &asked)?.ok_or_else(|| Problem::not_found("The case"))
        })
        .await;
    let case = match case {
        Ok(case) => case,
        Err(problem) => return refusal(&problem),
    };
    let agent = Agent::visitor(case.unnamed_reporter());
    let heard = app
        .change(agent, move |change| -> Result<(), Problem> {
            let case = actions::load(change, &case.id)?;
            let text = (!text.is_empty()).then_some(text.as_str());
            actions::hear(change, &case, word, text)
        })
        .await;
    match heard {
        Ok(()) => see_other(&back),
        Err(problem) => refusal(&problem),
    }
}
