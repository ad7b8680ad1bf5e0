//! `POST /v2/enqueue` and `POST /v2/change/enqueue`, with the status codes and bodies of the reference.

use std::sync::Arc;

use axum::BoxError;
use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alertmanager;
use super::event::{self, Invalid, LARGEST_READ, Sent};
use super::journal::{Event, Line, Signal};
use super::keys::Destination;
use super::mending;
use super::shapes::{AlertEventBody, AlertsTaken, ChangeEventBody};
use crate::access::token::{INTEGRATION_KEY_LENGTH, random_token};
use crate::app::App;
use crate::http::Problem;
use crate::http::body::is_gzip;
use crate::http::limits::{Decision, Verdict};

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(enqueue))
        .routes(routes!(enqueue_change))
        .merge(alertmanager::routes())
        .layer(DefaultBodyLimit::max(LARGEST_READ))
}

/// The answer to an accepted event.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    /// `success`
    pub status: &'static str,
    pub message: &'static str,
    /// The key by which this alert is acknowledged and resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedup_key: Option<String>,
}

/// The answer to an event that was not kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotAccepted {
    pub status: &'static str,
    pub message: &'static str,
    pub errors: Vec<String>,
}

/// Why an event was not kept.
#[derive(Debug)]
pub(super) enum Refusal {
    NotJson(&'static str),
    Invalid(Vec<String>),
    TooLarge,
    TooMany(Decision),
    Problem(Problem),
}

impl Refusal {
    const BROKEN_OFF: Self = Self::NotJson("The body did not arrive whole");

    /// A body that could not be read: it is too large, or its sender broke off or fell silent.
    pub(super) fn of_body(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::TooLarge
        } else {
            Self::BROKEN_OFF
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Invalid> for Refusal {
    fn from(Invalid(errors): Invalid) -> Self {
        Self::Invalid(errors)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let decision = match &self {
            Self::TooMany(decision) => Some(*decision),
            _ => None,
        };
        let (code, status, message, errors) = match self {
            Self::NotJson(error) => (
                StatusCode::BAD_REQUEST,
                "Unrecognized object",
                "Event object format is unrecognized",
                vec![error.to_owned()],
            ),
            Self::Invalid(errors) => (
                StatusCode::BAD_REQUEST,
                "invalid event",
                "Event object is invalid",
                errors,
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "invalid event",
                "Event object is too large",
                vec![format!("The body may have at most {LARGEST_READ} bytes")],
            ),
            Self::TooMany(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "throttle exceeded",
                "Requests for this integration key arrive too quickly",
                vec!["Send this event again in a few seconds".to_owned()],
            ),
            Self::Problem(problem) => {
                problem.log();
                (
                    problem.status(),
                    "unavailable",
                    "Event was not kept",
                    vec![
                        "Muster cannot store anything just now. Send this event again in a moment".to_owned(),
                    ],
                )
            }
        };
        let refused = axum::Json(NotAccepted {
            status,
            message,
            errors,
        });
        let mut answer = (code, refused).into_response();
        if let Some(decision) = decision {
            decision.tell(answer.headers_mut());
        }
        answer
    }
}

/// Accept one alert event: trigger, acknowledge or resolve.
///
/// The event is on disk when 202 comes back. Texts that are longer than their field are shortened and
/// marked; only what cannot be understood is refused.
#[utoipa::path(
    post,
    path = "/v2/enqueue",
    tag = "Events",
    security(()),
    request_body(content = AlertEventBody, content_type = "application/json"),
    responses(
        (status = 202, description = "The event is durable", body = Accepted),
        (status = 400, description = "The event cannot be understood", body = NotAccepted),
        (status = 413, description = "The body is larger than anything that is read", body = NotAccepted),
        (status = 429, description = "Too many events for this key", body = NotAccepted),
        (status = 503, description = "The event could not be stored; send it again", body = NotAccepted),
    )
)]
async fn enqueue(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, axum::Json<Accepted>), Refusal> {
    take_event(&app, &body.map_err(Refusal::of_body)?).await
}

/// The same for the door itself, which answers events without the router.
pub async fn answer_event(app: &App, body: impl HttpBody<Data = Bytes, Error: Into<BoxError>>) -> Response {
    let read = Limited::new(body, LARGEST_READ).collect().await;
    let outcome = match read {
        Ok(whole) => take_event(app, &whole.to_bytes()).await,
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Err(_) => Err(Refusal::BROKEN_OFF),
    };
    outcome.into_response()
}

async fn take_event(app: &App, body: &[u8]) -> Result<(StatusCode, axum::Json<Accepted>), Refusal> {
    let sent = sent(body)?;
    let destination = destination_of(app, &sent.object).await?;
    let event = event::alert_event(&sent, || random_token(32))?;
    let dedup_key = Some(event.dedup_key.clone());
    keep(app, &destination, [Event::Alert(event)]).await?;
    Ok((
        StatusCode::ACCEPTED,
        axum::Json(Accepted {
            status: "success",
            message: "Event processed",
            dedup_key,
        }),
    ))
}

/// Accept one change event: something was deployed or configured. Never opens an incident.
#[utoipa::path(
    post,
    path = "/v2/change/enqueue",
    tag = "Events",
    security(()),
    request_body(content = ChangeEventBody, content_type = "application/json"),
    responses(
        (status = 202, description = "The change event is durable", body = Accepted),
        (status = 400, description = "The event cannot be understood", body = NotAccepted),
        (status = 413, description = "The body is larger than anything that is read", body = NotAccepted),
        (status = 429, description = "Too many events for this key", body = NotAccepted),
        (status = 503, description = "The event could not be stored; send it again", body = NotAccepted),
    )
)]
async fn enqueue_change(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, axum::Json<Accepted>), Refusal> {
    let sent = sent(&body.map_err(Refusal::of_body)?)?;
    let destination = destination_of(&app, &sent.object).await?;
    let event = event::change_event(&sent)?;
    keep(&app, &destination, [Event::Change(event)]).await?;
    Ok((
        StatusCode::ACCEPTED,
        axum::Json(Accepted {
            status: "success",
            message: "Change event processed",
            dedup_key: None,
        }),
    ))
}

fn sent(bytes: &[u8]) -> Result<Sent, Refusal> {
    match json_of(bytes) {
        Some((Value::Object(object), mended)) => Ok(Sent {
            object,
            size: bytes.len(),
            mended,
        }),
        Some(_) => Err(Refusal::NotJson("JSON parse error: an object was expected")),
        None if is_gzip(bytes) => Err(Refusal::NotJson("The body is compressed; send it as it is")),
        None => Err(Refusal::NotJson("JSON parse error")),
    }
}

/// What some programs on Windows write before everything else.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads JSON. What no reader takes whole is mended and read again; the fields that this changed are given, too.
pub(super) fn json_of(bytes: &[u8]) -> Option<(Value, Vec<String>)> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Some((value, Vec::new()));
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Some((value, Vec::new()));
    }
    let mended = mending::mended(std::str::from_utf8(bytes).ok()?)?;
    Some((serde_json::from_str(&mended.json).ok()?, mended.fields))
}

async fn destination_of(app: &App, object: &Map<String, Value>) -> Result<Destination, Refusal> {
    let refused = |words: &str| Refusal::Invalid(vec![words.to_owned()]);
    match object.get("routing_key") {
        Some(Value::String(key)) if !key.trim().is_empty() => destination_of_key(app, key, 1).await,
        None | Some(Value::Null | Value::String(_)) => Err(refused("'routing_key' is missing or blank")),
        Some(_) => Err(refused("'routing_key' is invalid (must be a text)")),
    }
}

/// Checks the shape of a key before it is looked up, and after that whether it may send so many events now.
pub(super) async fn destination_of_key(app: &App, key: &str, events: usize) -> Result<Destination, Refusal> {
    if key.chars().count() != INTEGRATION_KEY_LENGTH {
        return Err(Refusal::Invalid(vec![
            "Length of 'routing_key' is incorrect (should be 32 characters)".to_owned(),
        ]));
    }
    if !key.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        return Err(Refusal::Invalid(vec![
            "'routing_key' cannot contain non-alphanumeric characters.".to_owned(),
        ]));
    }
    let destination = app.keys.find(app, key).await?;
    let destination = destination.ok_or_else(|| Refusal::Invalid(vec!["Invalid routing key".to_owned()]))?;
    let key = destination.integration_id.as_str();
    if let Some(limiter) = &app.event_limiter {
        let decision = limiter.take_many(key, app.clock.now(), events);
        if decision.verdict == Verdict::Refused {
            return Err(Refusal::TooMany(decision));
        }
    }
    Ok(destination)
}

pub(super) async fn keep(
    app: &App,
    destination: &Destination,
    events: impl IntoIterator<Item = Event>,
) -> Result<(), Refusal> {
    let received_at = app.clock.now();
    let lines = events.into_iter().map(|event| {
        Line::of(&Signal {
            received_at,
            integration_id: destination.integration_id.clone(),
            service_id: destination.service_id.clone(),
            event,
        })
    });
    let lines = lines.collect::<Result<_, _>>().map_err(Problem::internal)?;
    app.journal.write(lines).await.map_err(Problem::from)?;
    Ok(())
}

/// For senders whose format knows no errors of its own: one object with the reason.
pub(super) fn plain(refusal: Refusal) -> Response {
    refusal.into_response()
}

/// What Alertmanager and its clients answer on success.
pub(super) fn empty_success() -> axum::Json<AlertsTaken> {
    axum::Json(AlertsTaken {})
}
