//! What senders may send, for the API's document.
//!
//! Events are read leniently ([`event`](super::event)): a number where a text belongs is taken, a field that cannot be
//! understood is left out and named in the alert's `truncated`. These shapes say what a sender does best; nothing is read by
//! them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One alert event. For `acknowledge` and `resolve`, `dedup_key` is all that is needed beside the key.
#[derive(Debug, ToSchema)]
pub struct AlertEventBody {
    /// The integration's key: 32 letters and digits. It says which service the event is about.
    #[schema(example = "0123456789abcdefghijklmnopqrstuv")]
    pub routing_key: String,
    pub event_action: EventActionName,
    /// Which alert this is about: events with the same key are one alert until it is resolved. Must be there for `acknowledge`
    /// and `resolve`; a `trigger` without it is always a new alert, and the answer says its key. Beyond 255 characters it is
    /// shortened, and the same long key stays the same alert.
    #[schema(example = "till-1/card-terminal")]
    pub dedup_key: Option<String>,
    /// What happened. Must be there for `trigger`.
    pub payload: Option<AlertEventPayload>,
    /// Images to be shown with the alert, at most 50.
    pub images: Option<Vec<EventImage>>,
    /// Links to be shown with the alert, at most 50.
    pub links: Option<Vec<EventLink>>,
    /// The name of the tool that sends; shortened beyond 1,024 characters. Used on `trigger` only.
    #[schema(example = "Prometheus")]
    pub client: Option<String>,
    /// Where the tool shows more; shortened beyond 1,024 characters. Used on `trigger` only.
    #[schema(example = "https://prometheus.example.org/alerts")]
    pub client_url: Option<String>,
}

/// What an event does to its alert.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum EventActionName {
    /// Opens the alert, or renews it.
    Trigger,
    /// Somebody is at it already.
    Acknowledge,
    /// It is over.
    Resolve,
}

/// What happened.
#[derive(Debug, ToSchema)]
pub struct AlertEventPayload {
    /// One sentence for whoever is woken by it. Shortened beyond 1,024 characters.
    #[schema(example = "Card terminal silent for 5 minutes")]
    pub summary: String,
    /// What is ill: a host, a till, a service. Shortened beyond 1,024 characters.
    #[schema(example = "till-1.leeds.example.org")]
    pub source: String,
    pub severity: EventSeverity,
    /// When it happened, in ISO 8601; an offset without a colon is understood. When it is missing or cannot be read, the time of
    /// arrival counts.
    #[schema(example = "2026-11-17T05:42:58.315Z")]
    pub timestamp: Option<String>,
    /// The part of the source that is ill. Shortened beyond 1,024 characters.
    #[schema(example = "card-reader")]
    pub component: Option<String>,
    /// What the source belongs to. Shortened beyond 1,024 characters.
    #[schema(example = "tills-leeds")]
    pub group: Option<String>,
    /// What kind of event it is. Shortened beyond 1,024 characters.
    #[schema(example = "heartbeat missing")]
    pub class: Option<String>,
    /// Free-form: anything else that helps. Left out when the body is larger than 512 KiB.
    #[schema(value_type = Option<Object>, example = json!({ "last_seen": "08:37", "firmware": "4.1" }))]
    pub custom_details: Option<Value>,
}

/// How bad it is.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum EventSeverity {
    Critical,
    Error,
    Warning,
    Info,
}

/// A link that helps.
#[derive(Debug, ToSchema)]
pub struct EventLink {
    /// An address that begins with `https://` or `http://`; others are left out.
    #[schema(example = "https://wiki.example.org/runbooks/card-terminal")]
    pub href: String,
    /// The words of the link. Shortened beyond 1,024 characters.
    #[schema(example = "Runbook")]
    pub text: Option<String>,
}

/// An image that helps, such as a graph.
#[derive(Debug, ToSchema)]
pub struct EventImage {
    /// Where the image is: an address that begins with `https://` or `http://`; others are left out.
    #[schema(example = "https://graphs.example.org/till-1.png")]
    pub src: String,
    /// Where a click on it leads.
    #[schema(example = "https://graphs.example.org/till-1")]
    pub href: Option<String>,
    /// What the image shows, in words.
    #[schema(example = "Heartbeats of till 1")]
    pub alt: Option<String>,
}

/// One change event: something was deployed or configured.
#[derive(Debug, ToSchema)]
pub struct ChangeEventBody {
    /// The integration's key: 32 letters and digits. It says which service was changed.
    #[schema(example = "0123456789abcdefghijklmnopqrstuv")]
    pub routing_key: String,
    pub payload: ChangeEventPayload,
    /// Links to be shown with the change, at most 50.
    pub links: Option<Vec<EventLink>>,
    /// Images to be shown with the change, at most 50.
    pub images: Option<Vec<EventImage>>,
}

/// What was changed.
#[derive(Debug, ToSchema)]
pub struct ChangeEventPayload {
    /// One sentence. Shortened beyond 1,024 characters.
    #[schema(example = "Terminal firmware 4.2 rolled out")]
    pub summary: String,
    /// Who or what made the change. Shortened beyond 1,024 characters.
    #[schema(example = "deploy-bot")]
    pub source: Option<String>,
    /// When it was made, in ISO 8601. When it is missing or cannot be read, the time of arrival counts.
    #[schema(example = "2026-11-17T05:30:00Z")]
    pub timestamp: Option<String>,
    /// Free-form: anything else about the change.
    #[schema(value_type = Option<Object>, example = json!({ "commit": "5f2a91c" }))]
    pub custom_details: Option<Value>,
}

/// What Alertmanager posts to a webhook (version 4). Of what it holds beside `alerts`, nothing is needed.
#[derive(Debug, ToSchema)]
pub struct AlertmanagerWebhook {
    /// At most 10,000.
    pub alerts: Vec<AlertmanagerAlert>,
}

/// One alert as Prometheus and Alertmanager write it.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct AlertmanagerAlert {
    /// `firing` or `resolved`; the webhook has it. Without it, an `endsAt` in the past says that it is over.
    #[schema(example = "firing")]
    pub status: Option<String>,
    /// What the alert is known by. `alertname`, `instance`, `job`, `severity`, and `cluster` or `namespace` become the alert's
    /// class, source, component, severity and group.
    #[schema(example = json!({ "alertname": "TerminalSilent", "instance": "till-1", "severity": "critical" }))]
    pub labels: BTreeMap<String, String>,
    /// What is said about it. The first of `summary`, `title` and `description` becomes the alert's summary.
    #[schema(example = json!({ "summary": "Card terminal silent for 5 minutes" }))]
    pub annotations: Option<BTreeMap<String, String>>,
    /// When it began.
    #[schema(example = "2026-11-17T05:42:58.315Z")]
    pub starts_at: Option<String>,
    /// When it is over unless it is said again, or was over; the zero time means that it is not known.
    #[schema(example = "0001-01-01T00:00:00Z")]
    pub ends_at: Option<String>,
    /// A link to where it comes from.
    #[schema(rename = "generatorURL", example = "https://prometheus.example.org/graph")]
    pub generator_url: Option<String>,
    /// Which alert it is; made of the labels where it is missing.
    #[schema(example = "1f0c3b7d9a2e4f58")]
    pub fingerprint: Option<String>,
}

/// An empty object, as Alertmanager answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertsTaken {}
