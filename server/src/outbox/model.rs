//! Messages, their purposes, channels and states.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::links;
use crate::config::{OutboxReader, Settings};
use crate::people::UserId;
use crate::timeline::IncidentId;
use crate::vault::Vault;

crate::identifier! {
    /// One message to one recipient.
    SendId
}

/// Stands in body and HTML for the message's secret link. A private-use character, so that nobody types it.
pub const SECRET_LINK: &str = "\u{E000}";

/// Whether this Muster can send mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mail {
    Configured,
    Missing,
}

impl Mail {
    pub fn of(settings: &Settings) -> Self {
        match settings.mail {
            Some(_) => Self::Configured,
            None => Self::Missing,
        }
    }

    /// The same for words to customers, which the demo only shows.
    pub fn to_customers(settings: &Settings) -> Self {
        match settings.outbox_reader {
            OutboxReader::InPlaceOfRecipients => Self::Configured,
            OutboxReader::Nobody => Self::of(settings),
        }
    }
}

/// What a message is for. It decides who goes first and how long it is worth sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A responder is needed.
    Page,
    /// Somebody at a form waits for a link that proves an address.
    Confirmation,
    /// Somebody is given a link with which they choose their password. It is for their eyes only.
    SignIn,
    /// Somebody in the house is told that something is due or late.
    Reminder,
    /// A reporter is answered.
    Answer,
    /// An audience is told about an incident.
    Update,
    /// Anything else: a hand-over, a report that is ready.
    Notice,
}

impl Purpose {
    /// Lower goes first.
    pub fn priority(self) -> i64 {
        match self {
            Self::Page => 0,
            Self::Confirmation | Self::SignIn | Self::Reminder => 1,
            Self::Answer | Self::Update => 2,
            Self::Notice => 3,
        }
    }

    /// How long after it was due a message is still worth an attempt.
    pub fn deadline(self) -> Duration {
        let hours = match self {
            Self::Page => 1,
            Self::Confirmation | Self::SignIn | Self::Reminder | Self::Update => 6,
            Self::Answer | Self::Notice => 72,
        };
        Duration::from_secs(hours * 3_600)
    }
}

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Email,
    /// A signed POST of JSON.
    Webhook,
    /// Nowhere: shown in the outbox, because nothing is configured that could carry it.
    Outbox,
}

impl Channel {
    /// As it is called in sentences.
    pub fn words(self) -> &'static str {
        match self {
            Self::Email => "by e-mail",
            Self::Webhook => "by webhook",
            Self::Outbox => "in the outbox only",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its time or its next attempt.
    Owed,
    /// Claimed by a node that is handing it over.
    Sending,
    /// The other side has taken it.
    Sent,
    /// Shown in the outbox, because no channel is configured that could carry it.
    Shown,
    /// Refused for good, or put off until it was too late.
    Failed,
    /// No longer wanted before it went out.
    Cancelled,
}

/// What became of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, store::TextEnum, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    UnderWay,
    Accepted,
    Shown,
    /// Worth another attempt.
    PutOff,
    /// Refused for good.
    Refused,
    /// The process that tried it stopped before it could tell.
    Unknown,
}

/// Headers that a mail may be given. There is no way to add another, and control characters in their
/// values become spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderName {
    ListUnsubscribe,
    ListUnsubscribePost,
    InReplyTo,
    References,
    ReplyTo,
}

impl HeaderName {
    pub fn text(self) -> &'static str {
        match self {
            Self::ListUnsubscribe => "List-Unsubscribe",
            Self::ListUnsubscribePost => "List-Unsubscribe-Post",
            Self::InReplyTo => "In-Reply-To",
            Self::References => "References",
            Self::ReplyTo => "Reply-To",
        }
    }
}

/// Who a message is for.
#[derive(Debug, Clone)]
pub struct Recipient {
    pub name: String,
    /// A mail address, or the address of a webhook.
    pub address: String,
    pub user_id: Option<UserId>,
}

/// A message as it will be owed.
#[derive(Debug, Clone)]
pub struct NewSend {
    /// The promise this message keeps; owing it again changes nothing.
    pub idempotency_key: String,
    pub purpose: Purpose,
    pub channel: Channel,
    pub recipient: Recipient,
    pub incident_id: Option<IncidentId>,
    pub subject: String,
    /// Plain text; [`SECRET_LINK`] stands for the secret link.
    pub body: String,
    pub html: Option<String>,
    pub headers: Vec<(HeaderName, String)>,
    pub secret_link: Option<String>,
    /// When it should go out.
    pub due_at: Timestamp,
}

impl NewSend {
    pub fn new(
        purpose: Purpose,
        channel: Channel,
        recipient: Recipient,
        idempotency_key: impl Into<String>,
        due_at: Timestamp,
    ) -> Self {
        Self {
            idempotency_key: idempotency_key.into(),
            purpose,
            channel,
            recipient,
            incident_id: None,
            subject: String::new(),
            body: String::new(),
            html: None,
            headers: Vec::new(),
            secret_link: None,
            due_at,
        }
    }

    #[must_use]
    pub fn about(mut self, incident_id: &IncidentId) -> Self {
        self.incident_id = Some(incident_id.clone());
        self
    }

    #[must_use]
    pub fn words(mut self, subject: impl Into<String>, body: impl Into<String>) -> Self {
        self.subject = subject.into();
        self.body = body.into();
        self
    }

    #[must_use]
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.html = Some(html.into());
        self
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn secret_link(mut self, link: impl Into<String>) -> Self {
        self.secret_link = Some(link.into());
        self
    }
}

/// A message that this node has claimed, with all that a channel needs.
#[derive(Debug, Clone, store::FromRow)]
pub struct Claimed {
    pub id: SendId,
    pub purpose: Purpose,
    pub channel: Channel,
    pub address: String,
    pub recipient_name: String,
    pub user_id: Option<UserId>,
    pub incident_id: Option<IncidentId>,
    pub subject: String,
    pub body: String,
    pub html: Option<String>,
    #[row(json)]
    pub headers: Vec<(HeaderName, String)>,
    /// Sealed, until the sender opens it for the attempt.
    pub secret_link: Option<String>,
    /// Which attempt this is, from 1. It also tells a late record from the present claim.
    pub attempts: i64,
    pub created_at: Timestamp,
    pub wanted_at: Timestamp,
    pub deadline_at: Timestamp,
}

impl Claimed {
    /// The text with its secret link, as only the recipient may read it.
    pub fn full_body(&self) -> String {
        with_link(&self.body, self.secret_link.as_deref())
    }

    pub fn full_html(&self) -> Option<String> {
        let html = self.html.as_deref()?;
        Some(with_link(html, self.secret_link.as_deref()))
    }
}

/// Puts the link where its mark is; without a link, words that say that there was one.
pub fn with_link(text: &str, link: Option<&str>) -> String {
    text.replace(SECRET_LINK, link.unwrap_or("(the recipient's own link)"))
}

/// A message as it is shown.
#[derive(Debug, Clone, store::FromRow)]
pub struct Send {
    pub id: SendId,
    pub idempotency_key: String,
    pub purpose: Purpose,
    pub channel: Channel,
    pub address: String,
    pub recipient_name: String,
    pub user_id: Option<UserId>,
    pub incident_id: Option<IncidentId>,
    pub subject: String,
    pub body: String,
    pub html: Option<String>,
    /// Sealed.
    pub secret_link: Option<String>,
    pub content_hash: String,
    pub state: State,
    pub attempts: i64,
    pub created_at: Timestamp,
    pub wanted_at: Timestamp,
    pub due_at: Timestamp,
    pub deadline_at: Timestamp,
    pub withdrawn_at: Option<Timestamp>,
    pub sent_at: Option<Timestamp>,
    pub receipt: Option<String>,
    pub last_error: Option<String>,
}

impl Send {
    /// The text as it may be read in the outbox. The secret link is there only when the message went
    /// nowhere else, for then the outbox is where the recipient finds it; a link to a password never is.
    pub fn shown_body(&self, vault: &Vault) -> String {
        let link = match (self.state, self.purpose) {
            (State::Shown, purpose) if purpose != Purpose::SignIn => {
                links::opened(vault, &self.id, self.secret_link.as_deref()).unwrap_or_default()
            }
            _ => None,
        };
        with_link(&self.body, link.as_deref())
    }
}

/// One attempt as it is shown.
#[derive(Debug, Clone, store::FromRow)]
pub struct Attempt {
    pub number: i64,
    pub at: Timestamp,
    pub outcome: Outcome,
    pub detail: String,
    pub took_milliseconds: i64,
}
