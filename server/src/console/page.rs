//! From a view to an answer: security headers, refusals as pages, forms that prove where they come from.

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::Form;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::frame::{Frame, PhonePlaces, Place, SignedIn, Situation};
use super::kit::Reading;
use super::once::{self, Sent};
use super::refusal::{self, Wanted};
use crate::access::caller::Method;
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::drawing::unturned;
use crate::http::Problem;
use crate::people::Role;

/// No script, style, font or connection from anywhere but here, and none inside the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Draws a view as an answer that is never kept by a browser or a proxy.
pub fn show(view: &impl Template) -> Response {
    show_with_status(StatusCode::OK, view)
}

pub fn show_with_status(status: StatusCode, view: &impl Template) -> Response {
    match view.render() {
        Ok(html) => (
            status,
            [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CONTENT_SECURITY_POLICY, POLICY),
                (header::CACHE_CONTROL, "no-store"),
                (header::REFERRER_POLICY, "same-origin"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ],
            unturned(html),
        )
            .into_response(),
        Err(error) => {
            tracing::error!("a page could not be drawn: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What a page's handler refuses with. Whoever is not signed in is sent to the sign-in and back.
#[derive(Debug)]
pub struct PageProblem {
    problem: Problem,
    /// Where the reader wanted to go.
    wanted: Option<String>,
}

impl From<Problem> for PageProblem {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            wanted: None,
        }
    }
}

impl From<store::Error> for PageProblem {
    fn from(error: store::Error) -> Self {
        Problem::from(error).into()
    }
}

impl IntoResponse for PageProblem {
    fn into_response(self) -> Response {
        self.problem.log();
        let status = self.problem.status();
        if status == StatusCode::UNAUTHORIZED {
            let back = self
                .wanted
                .map(|wanted| format!("?back={}", escaped(&wanted)))
                .unwrap_or_default();
            return Redirect::to(&format!("/console/sign-in{back}")).into_response();
        }
        let errors = self.problem.errors();
        let mut answer = show_with_status(status, &refusal::of(status, errors, Wanted::ToSee));
        answer.extensions_mut().insert(Refused(errors.to_vec()));
        answer
    }
}

/// What a page was refused for, so that it can be said in the words of what was wanted.
#[derive(Debug, Clone)]
struct Refused(Vec<String>);

/// Whoever is refused after sending a form wanted to change something, not to see it.
pub async fn refuse_in_words(request: Request, next: Next) -> Response {
    let wanted = if request.method().is_safe() {
        Wanted::ToSee
    } else {
        Wanted::ToChange
    };
    let mut answer = next.run(request).await;
    let status = answer.status();
    match (wanted, answer.extensions_mut().remove::<Refused>()) {
        (Wanted::ToChange, Some(Refused(errors))) => {
            show_with_status(status, &refusal::of(status, &errors, wanted))
        }
        _ => answer,
    }
}

/// Percent-encodes what is not plainly safe inside a query.
pub(super) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Somebody who is signed in and looks at a page.
#[derive(Debug, Clone)]
pub struct Visitor(pub Caller);

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = PageProblem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, PageProblem> {
        let wanted = parts.uri.path_and_query().map(|path| path.as_str().to_owned());
        match Caller::in_browser(parts, app).await {
            Ok(caller) => Ok(Self(caller)),
            Err(problem) => Err(PageProblem { problem, wanted }),
        }
    }
}

impl Visitor {
    /// The reader's own time and zone.
    pub fn reading(&self, app: &App) -> Reading {
        let zone = self
            .0
            .user()
            .and_then(|user| TimeZone::get(&user.time_zone).ok())
            .unwrap_or(TimeZone::UTC);
        Reading::new(app.clock.now(), zone)
    }

    /// What the forms of one drawing of a page carry: the proof of where they come from, and a number by which they count
    /// once.
    fn csrf_token(&self) -> String {
        match &self.0.method {
            Method::Browser { csrf_token } => once::numbered(csrf_token),
            Method::ApiToken { .. } => String::new(),
        }
    }

    /// The frame round a page, with the situation that was read in the same transaction as the page.
    pub fn frame(&self, app: &App, place: Place, title: impl Into<String>, situation: Situation) -> Frame {
        let user = self.0.user();
        Frame {
            title: title.into(),
            place,
            organisation: String::new(),
            signed_in: SignedIn {
                name: user.map_or_else(String::new, |user| user.name.clone()),
                email: user.map_or_else(String::new, |user| user.email.clone()),
                places: places_open_to(&self.0),
                phone_places: match user.map(|user| user.role) {
                    Some(Role::Agent) => PhonePlaces::Agent,
                    _ => PhonePlaces::Responder,
                },
            },
            situation,
            banners: Vec::new(),
            csrf_token: self.csrf_token(),
            now: app.clock.now(),
            clock_speed: app.clock.speed(),
        }
    }
}

/// The places of the rail whose pages this caller may open.
fn places_open_to(caller: &Caller) -> Vec<Place> {
    Place::RAIL
        .into_iter()
        .filter(|place| shown_at(*place).is_none_or(|shown| caller.may(Action::View, shown)))
        .collect()
}

/// What a place shows; nothing, when everybody finds their own there.
fn shown_at(place: Place) -> Option<Resource> {
    match place {
        Place::Now | Place::Settings => None,
        Place::Incidents => Some(Resource::Incident),
        Place::Desk => Some(Resource::Case),
        Place::Services => Some(Resource::Service),
        Place::OnCall => Some(Resource::Schedule),
        Place::Customers => Some(Resource::Account),
        Place::Updates => Some(Resource::Update),
        Place::Pages => Some(Resource::StatusPage),
        Place::Maintenance => Some(Resource::MaintenanceWindow),
        Place::Learn => Some(Resource::Review),
    }
}

/// A form that was sent from one of our own pages by the person whose session it is. The proof is the
/// session's token, in the field `csrf_token` or the header `x-csrf-token`.
#[derive(Debug)]
pub struct Posted<T> {
    pub visitor: Visitor,
    pub fields: T,
}

/// The fields of a form that has none but its proof.
#[derive(Debug, Clone, Deserialize)]
pub struct Nothing {}

#[derive(Debug, Default, Deserialize)]
struct Proof {
    #[serde(default)]
    csrf_token: String,
}

/// Why a form is not read.
#[derive(Debug)]
pub enum Unread {
    Refused(PageProblem),
    /// It was sent before, and led there.
    Repeated(String),
}

impl<P: Into<PageProblem>> From<P> for Unread {
    fn from(problem: P) -> Self {
        Self::Refused(problem.into())
    }
}

impl IntoResponse for Unread {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(problem) => problem.into_response(),
            Self::Repeated(led_to) => Redirect::to(&led_to).into_response(),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Posted<T> {
    type Rejection = Unread;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Unread> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, app).await?;
        let header = parts
            .headers
            .get("x-csrf-token")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        // htmx sends an empty body without a type; to the reader of forms it is an empty form.
        parts
            .headers
            .entry(header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/x-www-form-urlencoded"));
        let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), app)
            .await
            .map_err(|_| Problem::too_large("This is more than a form can hold."))?;
        let form = |parts: &Parts| Request::from_parts(parts.clone(), bytes.clone().into());
        let sent = match header {
            Some(token) => token,
            None => Form::<Proof>::from_request(form(&parts), app)
                .await
                .map(|Form(proof)| proof.csrf_token)
                .unwrap_or_default(),
        };
        match &visitor.0.method {
            Method::Browser { csrf_token } if same(csrf_token, once::proof_of(&sent)) => {}
            Method::ApiToken { .. } => {}
            Method::Browser { .. } => {
                let problem = Problem::forbidden(
                    "This form is older than your sign-in. Go back, renew the page and send it again.",
                );
                return Err(problem.into());
            }
        }
        if let Sent::Before(led_to) = once::note(app, &parts, &sent, &bytes).await? {
            return Err(Unread::Repeated(led_to));
        }
        let Form(fields) = Form::<T>::from_request(form(&parts), app)
            .await
            .map_err(|rejection| Problem::invalid([format!("The form could not be read: {rejection}")]))?;
        Ok(Self { visitor, fields })
    }
}

/// Compares secrets in a time that tells nothing about where they differ.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && !one.is_empty()
        && one
            .bytes()
            .zip(other.bytes())
            .fold(0, |all, (a, b)| all | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_the_same_only_when_they_are() {
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abd"));
        assert!(!same("abc", "ab"));
        assert!(!same("", ""));
    }

    #[test]
    fn the_way_back_survives_as_a_query() {
        assert_eq!(
            escaped("/console/desk?question=a b&x=ü"),
            "/console/desk%3Fquestion%3Da%20b%26x%3D%C3%BC"
        );
    }
}
