//! Prometheus and its Alertmanager, in their own formats: the webhook payload (version 4) that
//! Alertmanager posts, and Alertmanager's own `/api/v2/alerts`, so that Prometheus can post straight here.
//!
//! The key travels as the user's password, as a bearer token, or in the path.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::{NotAccepted, Refusal, destination_of_key, empty_success, json_of, keep, plain};
use super::event::{
    AlertEvent, EventAction, LARGEST_KEPT, bounded, bounded_key, empty_event, fits_address, marks,
    parse_timestamp,
};
use super::journal::Event;
use super::shapes::{AlertmanagerAlert, AlertmanagerWebhook, AlertsTaken};
use crate::access::token;
use crate::app::App;

/// Alerts one request may carry.
const LARGEST_GROUP: usize = 10_000;
const LABEL_LENGTH: usize = 1024;
/// Faults that one refusal names.
const FAULTS_NAMED: usize = 20;

pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(webhook))
        .routes(routes!(post_alerts))
        .routes(routes!(post_alerts_with_key))
}

/// One alert in either format.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PrometheusAlert {
    #[serde(default)]
    status: Option<String>,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    starts_at: Option<String>,
    #[serde(default)]
    ends_at: Option<String>,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<String>,
    #[serde(default)]
    fingerprint: Option<String>,
}

/// Where the alerts stand in a body.
#[derive(Debug, Clone, Copy)]
enum Format {
    /// Alertmanager's webhook: under `alerts`.
    Webhook,
    /// What Prometheus posts: the body itself.
    Alerts,
}

impl Format {
    fn alerts_in(self, body: Value) -> Option<Vec<Value>> {
        match (self, body) {
            (Self::Webhook, Value::Object(mut payload)) => match payload.remove("alerts") {
                Some(Value::Array(alerts)) => Some(alerts),
                _ => None,
            },
            (Self::Alerts, Value::Array(alerts)) => Some(alerts),
            _ => None,
        }
    }
}

/// Accept Alertmanager's webhook payload.
#[utoipa::path(
    post,
    path = "/alertmanager/{integration_key}",
    tag = "Events",
    security(()),
    params(("integration_key" = String, Path, description = "The integration's key")),
    request_body(content = AlertmanagerWebhook, content_type = "application/json"),
    responses(
        (status = 200, description = "All alerts that can be understood are durable", body = AlertsTaken),
        (status = 400, description = "The payload cannot be understood", body = NotAccepted),
        (status = 413, description = "The body is larger than anything that is read", body = NotAccepted),
        (status = 429, description = "Too many events for this key", body = NotAccepted),
        (status = 503, description = "The alerts could not be stored; send them again", body = NotAccepted),
    )
)]
async fn webhook(
    State(app): State<Arc<App>>,
    Path(key): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<axum::Json<AlertsTaken>, Response> {
    accept(&app, &key, body, Format::Webhook).await.map_err(plain)
}

/// Accept alerts as Alertmanager does, the key in the `Authorization` header.
#[utoipa::path(
    post,
    path = "/api/v2/alerts",
    tag = "Events",
    security(("integration_key_as_token" = []), ("integration_key_as_password" = [])),
    request_body(content = Vec<AlertmanagerAlert>, content_type = "application/json"),
    responses(
        (status = 200, description = "All alerts that can be understood are durable", body = AlertsTaken),
        (status = 400, description = "The alerts cannot be understood", body = NotAccepted),
        (status = 413, description = "The body is larger than anything that is read", body = NotAccepted),
        (status = 429, description = "Too many events for this key", body = NotAccepted),
        (status = 503, description = "The alerts could not be stored; send them again", body = NotAccepted),
    )
)]
async fn post_alerts(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<axum::Json<AlertsTaken>, Response> {
    let key = key_of(&headers).unwrap_or_default();
    accept(&app, &key, body, Format::Alerts).await.map_err(plain)
}

/// Accept alerts as Alertmanager does, the key in the path: set Prometheus's `path_prefix` to
/// `/alertmanager/KEY`.
#[utoipa::path(
    post,
    path = "/alertmanager/{integration_key}/api/v2/alerts",
    tag = "Events",
    security(()),
    params(("integration_key" = String, Path, description = "The integration's key")),
    request_body(content = Vec<AlertmanagerAlert>, content_type = "application/json"),
    responses(
        (status = 200, description = "All alerts that can be understood are durable", body = AlertsTaken),
        (status = 400, description = "The alerts cannot be understood", body = NotAccepted),
        (status = 413, description = "The body is larger than anything that is read", body = NotAccepted),
        (status = 429, description = "Too many events for this key", body = NotAccepted),
        (status = 503, description = "The alerts could not be stored; send them again", body = NotAccepted),
    )
)]
async fn post_alerts_with_key(
    State(app): State<Arc<App>>,
    Path(key): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<axum::Json<AlertsTaken>, Response> {
    accept(&app, &key, body, Format::Alerts).await.map_err(plain)
}

/// The alerts that can be understood. One that cannot must not cost the others of its request: their sender would never
/// send them again. A request is refused when nothing in it can be understood.
fn alerts_of(body: Result<Bytes, BytesRejection>, format: Format) -> Result<Vec<PrometheusAlert>, Refusal> {
    let bytes = body.map_err(Refusal::of_body)?;
    let (body, _) = json_of(&bytes).ok_or(Refusal::NotJson("JSON parse error"))?;
    let items = format.alerts_in(body).ok_or_else(|| {
        Refusal::Invalid(vec![
            match format {
                Format::Webhook => "'alerts' is missing or is not a list",
                Format::Alerts => "A list of alerts was expected",
            }
            .to_owned(),
        ])
    })?;
    if items.len() > LARGEST_GROUP {
        return Err(Refusal::Invalid(vec![format!(
            "'alerts' may hold at most {LARGEST_GROUP} alerts"
        )]));
    }
    let (mut alerts, mut faults) = (Vec::with_capacity(items.len()), Vec::new());
    for (position, item) in items.into_iter().enumerate() {
        match serde_path_to_error::deserialize(item) {
            Ok(alert) => alerts.push(alert),
            Err(error) if error.path().iter().next().is_none() => {
                faults.push(format!("'alerts[{position}]' does not fit: {}", error.inner()));
            }
            Err(error) => faults.push(format!(
                "'alerts[{position}].{}' does not fit: {}",
                error.path(),
                error.inner()
            )),
        }
    }
    if alerts.is_empty() && !faults.is_empty() {
        faults.truncate(FAULTS_NAMED);
        return Err(Refusal::Invalid(faults));
    }
    if let Some(first) = faults.first() {
        tracing::warn!(
            alerts = alerts.len(),
            left_out = faults.len(),
            "some alerts of a request cannot be understood: {first}"
        );
    }
    Ok(alerts)
}

async fn accept(
    app: &App,
    key: &str,
    body: Result<Bytes, BytesRejection>,
    format: Format,
) -> Result<axum::Json<AlertsTaken>, Refusal> {
    let alerts = alerts_of(body, format)?;
    let destination = destination_of_key(app, key, alerts.len()).await?;
    let now = app.clock.now();
    let events = alerts.iter().map(|alert| Event::Alert(event_of(alert, now)));
    keep(app, &destination, events).await?;
    Ok(empty_success())
}

fn key_of(headers: &HeaderMap) -> Option<String> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = authorization.trim_start().split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.trim().to_owned());
    }
    let encoded = scheme.eq_ignore_ascii_case("basic").then_some(credentials)?;
    let decoded = data_encoding::BASE64.decode(encoded.trim().as_bytes()).ok()?;
    let pair = String::from_utf8(decoded).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

fn event_of(alert: &PrometheusAlert, now: Timestamp) -> AlertEvent {
    let ends_at = alert.ends_at.as_deref().and_then(parse_timestamp);
    let resolved = match alert.status.as_deref() {
        Some(status) => status == "resolved",
        // The zero time means "still firing", and so does an end in the future.
        None => ends_at.is_some_and(|end| end <= now && end > Timestamp::UNIX_EPOCH),
    };
    let key = alert
        .fingerprint
        .clone()
        .unwrap_or_else(|| fingerprint(&alert.labels));
    let dedup_key = bounded_key(&key);
    if resolved {
        return AlertEvent {
            dedup_key,
            ..empty_event(EventAction::Resolve)
        };
    }
    let mut shortened = Shortened::default();
    if dedup_key != key {
        shortened.mark("fingerprint");
    }
    let name = alert.label("alertname").unwrap_or("Alert");
    let instance = alert.label("instance").or_else(|| alert.label("job"));
    let instance = instance.unwrap_or("prometheus");
    let told = ["summary", "title", "description"]
        .iter()
        .find_map(|name| alert.annotation(name));
    let summary = told.map_or_else(|| format!("{name} on {instance}"), str::to_owned);
    let timestamp = alert.starts_at.as_deref().and_then(parse_timestamp);
    if alert.starts_at.is_some() && timestamp.is_none() {
        shortened.mark("startsAt");
    }
    AlertEvent {
        dedup_key,
        summary: shortened.text("summary", &summary),
        source: shortened.text("source", instance),
        severity: severity(alert.label("severity")).to_owned(),
        timestamp,
        // In the webhook, Alertmanager itself says when it is over.
        ends_at: ends_at.filter(|end| alert.status.is_none() && *end > now),
        component: alert.label("job").map(|text| shortened.text("component", text)),
        group: alert
            .label("cluster")
            .or_else(|| alert.label("namespace"))
            .map(|text| shortened.text("group", text)),
        class: Some(shortened.text("class", name)),
        client: Some("Prometheus".to_owned()),
        custom_details: shortened.details(alert),
        contexts: shortened.source_of(alert),
        truncated: marks([shortened.fields]),
        ..empty_event(EventAction::Trigger)
    }
}

impl PrometheusAlert {
    fn label(&self, name: &str) -> Option<&str> {
        self.labels
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }
}

/// What of an alert had to be shortened or left out.
#[derive(Debug, Default)]
struct Shortened {
    fields: Vec<String>,
}

impl Shortened {
    fn mark(&mut self, field: &str) {
        self.fields.push(field.to_owned());
    }

    fn text(&mut self, field: &str, text: &str) -> String {
        let (text, was_cut) = bounded(text, LABEL_LENGTH);
        if was_cut {
            self.mark(field);
        }
        text
    }

    /// Labels and annotations, whole. An alert with as many of them as a body may have at most loses them.
    fn details(&mut self, alert: &PrometheusAlert) -> Map<String, Value> {
        let texts = alert.labels.iter().chain(&alert.annotations);
        if texts.map(|(name, text)| name.len() + text.len()).sum::<usize>() > LARGEST_KEPT {
            self.mark("custom_details");
            return Map::new();
        }
        Map::from_iter([
            ("labels".to_owned(), json!(alert.labels)),
            ("annotations".to_owned(), json!(alert.annotations)),
        ])
    }

    /// The link to where the alert came from.
    fn source_of(&mut self, alert: &PrometheusAlert) -> Vec<Value> {
        let Some(url) = alert.generator_url.as_deref().filter(|url| !url.is_empty()) else {
            return Vec::new();
        };
        if !fits_address(url) {
            self.mark("generatorURL");
            return Vec::new();
        }
        vec![json!({ "type": "link", "href": url, "text": "Source" })]
    }
}

/// The words that rules use for severity in the field, mapped to the four of the dialect.
fn severity(label: Option<&str>) -> &'static str {
    match label.map(str::to_lowercase).as_deref() {
        Some("critical" | "page" | "emergency" | "fatal" | "p1" | "sev1") => "critical",
        Some("warning" | "warn" | "minor" | "p3" | "sev3") => "warning",
        Some("info" | "informational" | "none" | "debug" | "p4" | "p5") => "info",
        _ => "error",
    }
}

/// The same labels are the same alert, in whatever order they come.
fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for (name, value) in labels {
        text.push_str(name);
        text.push('\u{1}');
        text.push_str(value);
        text.push('\u{2}');
    }
    token::hash(&text)
}
