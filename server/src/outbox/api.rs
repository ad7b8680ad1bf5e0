//! `/outbox/sends`: what was sent, to whom, and what became of it. Muster's own resource, by the
//! conventions of the dialect.

use std::sync::Arc;

use axum::extract::State as AppState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::model::{Attempt, Channel, Outcome, Purpose, Send, SendId, State};
use super::sender::forget_signing_secrets;
use super::signing::{self, Secrets, SigningError};
use super::store::{self as rows, Filter};
use crate::access::audit::{self, AuditAction, Changed};
use crate::access::{Action, Caller, Resource};
use crate::app::App;
use crate::http::listing::Paging;
use crate::http::{Listing, Path, Problem, Problems, Query, Reference, Site};

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_sends))
        .routes(routes!(get_send))
        .routes(routes!(retry_send))
        .routes(routes!(show_signing_secret))
        .routes(routes!(rotate_signing_secret))
}

/// A message and what became of it. The recipient's own links are never shown, except where the message
/// went nowhere else.
#[derive(Debug, Serialize, ToSchema)]
pub struct SendView {
    pub id: SendId,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub summary: String,
    #[serde(rename = "self")]
    pub api_url: String,
    pub html_url: String,
    pub purpose: Purpose,
    pub channel: Channel,
    pub state: State,
    pub address: String,
    pub recipient_name: String,
    pub user: Option<Reference>,
    pub incident: Option<Reference>,
    pub subject: String,
    pub body: String,
    /// SHA-256 of the words as they were owed.
    pub content_hash: String,
    pub idempotency_key: String,
    pub attempt_count: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The next attempt, of a message that is owed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Timestamp>,
    /// After this no further attempt is made.
    #[schema(value_type = String, format = DateTime)]
    pub deadline_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub sent_at: Option<Timestamp>,
    /// What the other side said when it took the message.
    pub receipt: Option<String>,
    pub last_error: Option<String>,
    /// Oldest first; null in lists.
    pub attempts: Option<Vec<AttemptView>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptView {
    pub number: i64,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub outcome: Outcome,
    pub detail: String,
    pub took_milliseconds: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SendBody {
    pub send: SendView,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SendsBody {
    pub sends: Vec<SendView>,
    #[serde(flatten)]
    pub paging: Paging,
}

impl SendView {
    fn new(site: &Site, send: Send, attempts: Option<Vec<Attempt>>) -> Self {
        Self {
            summary: format!("{} to {}", send.subject, send.recipient_name),
            api_url: site.api_url("outbox/sends", send.id.as_str()),
            html_url: site.html_url("outbox", send.id.as_str()),
            kind: "send",
            user: send
                .user_id
                .as_ref()
                .map(|id| site.reference("user", "users", id.as_str(), send.recipient_name.clone())),
            incident: send
                .incident_id
                .as_ref()
                .map(|id| site.reference("incident", "incidents", id.as_str(), send.subject.clone())),
            body: send.shown_body(site.vault()),
            due_at: (send.state == State::Owed).then_some(send.due_at),
            id: send.id,
            purpose: send.purpose,
            channel: send.channel,
            state: send.state,
            address: send.address,
            recipient_name: send.recipient_name,
            subject: send.subject,
            content_hash: send.content_hash,
            idempotency_key: send.idempotency_key,
            attempt_count: send.attempts,
            created_at: send.created_at,
            deadline_at: send.deadline_at,
            sent_at: send.sent_at,
            receipt: send.receipt,
            last_error: send.last_error,
            attempts: attempts.map(|attempts| {
                let view = |attempt: Attempt| AttemptView {
                    number: attempt.number,
                    at: attempt.at,
                    outcome: attempt.outcome,
                    detail: attempt.detail,
                    took_milliseconds: attempt.took_milliseconds,
                };
                attempts.into_iter().map(view).collect()
            }),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SendsQuery {
    /// Only messages about this incident.
    pub incident_id: Option<String>,
    /// Only messages to this person.
    pub user_id: Option<String>,
    /// Only in this state.
    pub state: Option<String>,
    /// Only in these states: owed, sending, sent, shown, failed, cancelled.
    #[serde(default, rename = "states[]")]
    pub states: Vec<String>,
    /// Only for these purposes: page, confirmation, sign_in, reminder, answer, update, notice.
    #[serde(default, rename = "purposes[]")]
    pub purposes: Vec<String>,
}

impl SendsQuery {
    fn filter(&self) -> Result<Filter, Problem> {
        let plain = |name: &str, text: &Option<String>| match text {
            Some(text) if text.contains('\0') => {
                Err(Problem::invalid([format!("{name} contains a NUL character.")]))
            }
            text => Ok(text.clone()),
        };
        let states: Vec<String> = self.states.iter().chain(&self.state).cloned().collect();
        Ok(Filter {
            incident_id: plain("incident_id", &self.incident_id)?.map(Into::into),
            user_id: plain("user_id", &self.user_id)?.map(Into::into),
            states: known("states[]", &states, State::from_text)?,
            purposes: known("purposes[]", &self.purposes, Purpose::from_text)?,
        })
    }
}

fn known<T>(name: &str, texts: &[String], parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Problem> {
    let read = |text: &String| {
        parse(text).ok_or_else(|| Problem::invalid([format!("{name} does not know \"{text}\".")]))
    };
    texts.iter().map(read).collect()
}

/// List what was sent
///
/// The newest first.
#[utoipa::path(
    get, path = "/outbox/sends", tag = "Outbox",
    params(Listing, SendsQuery),
    responses((status = 200, body = SendsBody), crate::http::Problems),
)]
pub async fn list_sends(
    AppState(app): AppState<Arc<App>>,
    caller: Caller,
    Query(listing): Query<Listing>,
    Query(wanted): Query<SendsQuery>,
) -> Result<axum::Json<SendsBody>, Problem> {
    caller.require(Action::View, Resource::Outbox)?;
    let (page, filter) = (listing.page()?, wanted.filter()?);
    let (sends, paging) = app
        .read(move |tx| -> Result<_, Problem> {
            let sends = rows::list(tx, &filter, page)?;
            Ok(page.finish(sends, || rows::count(tx, &filter))?)
        })
        .await?;
    let sends = sends
        .into_iter()
        .map(|send| SendView::new(&app.site, send, None))
        .collect();
    Ok(axum::Json(SendsBody { sends, paging }))
}

/// Get one message with its attempts
#[utoipa::path(
    get, path = "/outbox/sends/{id}", tag = "Outbox",
    params(("id" = String, Path, description = "The message's id")),
    responses((status = 200, body = SendBody), crate::http::Problems),
)]
pub async fn get_send(
    AppState(app): AppState<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<SendBody>, Problem> {
    caller.require(Action::View, Resource::Outbox)?;
    let (send, attempts) = app.read(move |tx| one(tx, &id)).await?;
    let send = SendView::new(&app.site, send, Some(attempts));
    Ok(axum::Json(SendBody { send }))
}

/// Try a message again
///
/// For one that failed, or was only shown because nothing was configured.
#[utoipa::path(
    post, path = "/outbox/sends/{id}/retry", tag = "Outbox",
    params(("id" = String, Path, description = "The message's id")),
    responses((status = 200, body = SendBody), crate::http::Problems),
)]
pub async fn retry_send(
    AppState(app): AppState<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<SendBody>, Problem> {
    caller.require(Action::Respond, Resource::Outbox)?;
    let agent = caller.agent();
    let (send, attempts) = app
        .change(agent, move |change| -> Result<_, Problem> {
            let (send, _) = one(change.tx, &id)?;
            if !rows::owe_again(change, &send)? {
                return Err(Problem::conflict(format!(
                    "The message is {}; only one that failed, or was only shown for want of a mail server, can be tried again.",
                    send.state.as_text()
                )));
            }
            let changed = Changed {
                resource_type: "send",
                resource_id: send.id.as_str(),
                resource_name: &send.subject,
                details: serde_json::json!({"state": {"before": send.state, "after": State::Owed}}),
            };
            audit::record(change, &caller, AuditAction::Update, &changed);
            one(change.tx, &id)
        })
        .await?;
    let send = SendView::new(&app.site, send, Some(attempts));
    Ok(axum::Json(SendBody { send }))
}

fn one(tx: &mut store::Tx, id: &str) -> Result<(Send, Vec<Attempt>), Problem> {
    let missing = || Problem::not_found("The message");
    if id.contains('\0') {
        return Err(missing());
    }
    let id = SendId::from(id);
    let send = rows::find(tx, &id)?.ok_or_else(missing)?;
    Ok((send, rows::attempts_of(tx, &id)?))
}

/// The secret that every webhook is signed with.
#[derive(Debug, Serialize, ToSchema)]
pub struct SigningSecretAnswer {
    pub signing_secret: String,
    /// Until then the secret before it signs too, so that receivers can change one after the other.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub old_signing_secret_valid_until: Option<Timestamp>,
}

impl From<Secrets> for SigningSecretAnswer {
    fn from(secrets: Secrets) -> Self {
        Self {
            signing_secret: secrets.present,
            old_signing_secret_valid_until: secrets.old.map(|(_, until)| until),
        }
    }
}

const THE_SECRET: Changed<'static> = Changed {
    resource_type: "signing_secret",
    resource_id: "webhook_signing_secret",
    resource_name: "The secret that webhooks are signed with",
    details: serde_json::Value::Null,
};

fn not_readable(error: SigningError) -> Problem {
    match error {
        SigningError::Store(error) => error.into(),
        other => Problem::conflict(format!(
            "The secret that webhooks are signed with cannot be read: {other}."
        )),
    }
}

/// Show the secret that webhooks are signed with, for setting up a receiver. The audit log keeps who saw it.
#[utoipa::path(
    get, path = "/outbox/signing_secret", tag = "Outbox",
    responses((status = 200, description = "The secret", body = SigningSecretAnswer), Problems)
)]
pub async fn show_signing_secret(
    AppState(app): AppState<Arc<App>>,
    caller: Caller,
) -> Result<axum::Json<SigningSecretAnswer>, Problem> {
    caller.require(Action::Change, Resource::Settings)?;
    let vault = app.settings.vault.clone();
    let secrets = app
        .change(caller.agent(), move |change| -> Result<_, SigningError> {
            let secrets = signing::secrets(change, &vault)?;
            audit::record(change, &caller, AuditAction::Show, &THE_SECRET);
            Ok(secrets)
        })
        .await
        .map_err(not_readable)?;
    Ok(axum::Json(secrets.into()))
}

/// Make another secret to sign webhooks with
///
/// For a day every webhook carries a signature by each, parted by a comma, so that receivers can change one after the
/// other. All nodes sign with the new one within a minute.
#[utoipa::path(
    post, path = "/outbox/signing_secret/rotate", tag = "Outbox",
    responses((status = 200, description = "The new secret", body = SigningSecretAnswer), Problems)
)]
pub async fn rotate_signing_secret(
    AppState(app): AppState<Arc<App>>,
    caller: Caller,
) -> Result<axum::Json<SigningSecretAnswer>, Problem> {
    caller.require(Action::Change, Resource::Settings)?;
    let vault = app.settings.vault.clone();
    let secrets = app
        .change(caller.agent(), move |change| -> Result<_, SigningError> {
            let secrets = signing::rotate(change, &vault)?;
            audit::record(change, &caller, AuditAction::Update, &THE_SECRET);
            Ok(secrets)
        })
        .await
        .map_err(not_readable)?;
    forget_signing_secrets(&app).await;
    Ok(axum::Json(secrets.into()))
}
