//! Events as they are understood: checked, shortened, ready for the journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::access::token;

/// Largest body whose custom details are kept, as the reference's service: 512 KiB.
pub const LARGEST_KEPT: usize = 524_288;
/// Beyond this nothing is read.
pub const LARGEST_READ: usize = 4 * 1024 * 1024;

const SUMMARY_LENGTH: usize = 1024;
const TEXT_LENGTH: usize = 1024;
const KEY_LENGTH: usize = 255;
pub(crate) const SEVERITIES: [&str; 4] = ["critical", "warning", "error", "info"];
const LINKS: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventAction {
    Trigger,
    Acknowledge,
    Resolve,
}

/// One alert event, as the journal keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertEvent {
    pub action: EventAction,
    pub dedup_key: String,
    pub summary: String,
    pub source: String,
    pub severity: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// When the sender takes it to be over unless it says it again (Alertmanager's `endsAt`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_url: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub custom_details: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<Value>,
    /// Names of fields that were longer than they may be, or could not be understood and were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub truncated: Vec<String>,
}

/// One change event, as the journal keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeEvent {
    pub summary: String,
    pub source: Option<String>,
    pub timestamp: Option<Timestamp>,
    pub links: Vec<Value>,
    pub images: Vec<Value>,
    pub custom_details: Map<String, Value>,
}

/// What cannot be understood, in the reference's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub Vec<String>);

/// Reads an alert event of the Events API, version 2. `make_key` is asked when a trigger brings none.
pub fn alert_event(
    body: &Map<String, Value>,
    size: usize,
    make_key: impl FnOnce() -> String,
) -> Result<AlertEvent, Invalid> {
    let mut reader = Reader::new(body);
    let action = match body.get("event_action").and_then(Value::as_str) {
        Some("trigger") => EventAction::Trigger,
        Some("acknowledge") => EventAction::Acknowledge,
        Some("resolve") => EventAction::Resolve,
        None if is_blank(body.get("event_action")) => {
            return Err(Invalid(vec!["'event_action' is missing or blank".to_owned()]));
        }
        _ => {
            return Err(Invalid(vec![
                "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')".to_owned(),
            ]));
        }
    };
    let dedup_key = reader.key("dedup_key");
    let empty = Map::new();
    let payload = match body.get("payload") {
        Some(Value::Object(payload)) => payload,
        _ if action == EventAction::Trigger => {
            return Err(Invalid(vec!["'payload' is missing or blank".to_owned()]));
        }
        _ => &empty,
    };
    let mut inner = Reader {
        prefix: "payload.",
        ..Reader::new(payload)
    };
    if action != EventAction::Trigger {
        let Some(dedup_key) = dedup_key else {
            return Err(Invalid(vec!["'dedup_key' is missing or blank".to_owned()]));
        };
        // Nothing of it is needed, but the rules of the service may look at it.
        let severity = inner.scalar("severity").map(|text| text.to_lowercase());
        let severity = severity.filter(|one| SEVERITIES.contains(&one.as_str()));
        return Ok(AlertEvent {
            dedup_key,
            summary: inner.text("summary").unwrap_or_default(),
            source: inner.text("source").unwrap_or_default(),
            component: inner.text("component"),
            group: inner.text("group"),
            class: inner.text("class"),
            custom_details: if size > LARGEST_KEPT {
                Map::new()
            } else {
                details(payload.get("custom_details"))
            },
            severity: severity.unwrap_or_else(|| "error".to_owned()),
            ..empty_event(action)
        });
    }
    let summary = inner.required("summary", SUMMARY_LENGTH);
    let source = inner.required("source", TEXT_LENGTH);
    let severity = inner.severity();
    reader.errors.append(&mut inner.errors);
    if !reader.errors.is_empty() {
        return Err(Invalid(reader.errors));
    }
    let timestamp = inner.timestamp();
    let custom_details = if size > LARGEST_KEPT {
        inner.truncated.push("payload.custom_details".to_owned());
        Map::new()
    } else {
        details(payload.get("custom_details"))
    };
    let (component, group, class) = (inner.text("component"), inner.text("group"), inner.text("class"));
    let (client, client_url) = (reader.text("client"), reader.text("client_url"));
    let contexts = contexts(body, &mut reader.truncated);
    reader.truncated.append(&mut inner.truncated);
    Ok(AlertEvent {
        action,
        dedup_key: dedup_key.unwrap_or_else(make_key),
        summary,
        source,
        severity,
        timestamp,
        ends_at: None,
        component,
        group,
        class,
        client,
        client_url,
        custom_details,
        contexts,
        truncated: reader.truncated,
    })
}

/// Reads a change event.
pub fn change_event(body: &Map<String, Value>) -> Result<ChangeEvent, Invalid> {
    let Some(Value::Object(payload)) = body.get("payload") else {
        return Err(Invalid(vec!["'payload' is missing or blank".to_owned()]));
    };
    let mut inner = Reader {
        prefix: "payload.",
        ..Reader::new(payload)
    };
    let summary = inner.required("summary", SUMMARY_LENGTH);
    if !inner.errors.is_empty() {
        return Err(Invalid(inner.errors));
    }
    let list = |name: &str| match body.get(name) {
        Some(Value::Array(items)) => items
            .iter()
            .filter(|item| item.is_object())
            .take(LINKS)
            .cloned()
            .collect(),
        _ => Vec::new(),
    };
    Ok(ChangeEvent {
        summary,
        source: inner.text("source"),
        timestamp: inner.timestamp(),
        links: list("links"),
        images: list("images"),
        custom_details: details(payload.get("custom_details")),
    })
}

pub(super) fn empty_event(action: EventAction) -> AlertEvent {
    AlertEvent {
        action,
        dedup_key: String::new(),
        summary: String::new(),
        source: String::new(),
        severity: "error".to_owned(),
        timestamp: None,
        ends_at: None,
        component: None,
        group: None,
        class: None,
        client: None,
        client_url: None,
        custom_details: Map::new(),
        contexts: Vec::new(),
        truncated: Vec::new(),
    }
}

/// A key of at most 255 characters: a longer one keeps its beginning and ends in a hash of the whole, so
/// that the same long key always means the same alert.
pub fn bounded_key(key: &str) -> String {
    if key.chars().count() <= KEY_LENGTH {
        return key.to_owned();
    }
    let beginning: String = key.chars().take(KEY_LENGTH - 65).collect();
    format!("{beginning}#{}", token::hash(key))
}

/// Shortens to whole characters and says whether anything was cut.
pub(crate) fn bounded(text: &str, length: usize) -> (String, bool) {
    match text.char_indices().nth(length) {
        None => (text.to_owned(), false),
        Some((end, _)) => (text[..end].to_owned(), true),
    }
}

fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(_) => false,
    }
}

fn details(value: Option<&Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(fields)) => fields.clone(),
        None | Some(Value::Null) => Map::new(),
        Some(other) => Map::from_iter([("details".to_owned(), other.clone())]),
    }
}

fn contexts(body: &Map<String, Value>, truncated: &mut Vec<String>) -> Vec<Value> {
    let mut contexts = Vec::new();
    for (name, kind) in [("links", "link"), ("images", "image")] {
        let Some(Value::Array(items)) = body.get(name) else {
            continue;
        };
        if items.len() > LINKS {
            truncated.push(name.to_owned());
        }
        for item in items.iter().filter_map(Value::as_object).take(LINKS) {
            let mut context = Map::from_iter([("type".to_owned(), Value::from(kind))]);
            for field in ["href", "src", "text", "alt"] {
                let Some(text) = item.get(field).and_then(Value::as_str) else {
                    continue;
                };
                if matches!(field, "href" | "src") && !is_web_address(text) {
                    truncated.push(format!("{name}.{field}"));
                    continue;
                }
                context.insert(field.to_owned(), Value::from(bounded(text, TEXT_LENGTH).0));
            }
            contexts.push(Value::Object(context));
        }
    }
    contexts
}

/// Whether this may be shown as a link: whoever clicks on it must not run what the sender wrote.
pub(crate) fn is_web_address(text: &str) -> bool {
    let text = text.trim_start().to_ascii_lowercase();
    text.starts_with("https://") || text.starts_with("http://")
}

/// ISO 8601 as senders write it, also with an offset without a colon (`+0000`).
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().or_else(|| {
        ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z"]
            .iter()
            .find_map(|format| Timestamp::strptime(format, text).ok())
    })
}

/// Reads fields of one object, gathering what is wrong and what was cut.
struct Reader<'a> {
    object: &'a Map<String, Value>,
    prefix: &'static str,
    errors: Vec<String>,
    truncated: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(object: &'a Map<String, Value>) -> Self {
        Self {
            object,
            prefix: "",
            errors: Vec::new(),
            truncated: Vec::new(),
        }
    }

    fn scalar(&self, name: &str) -> Option<String> {
        match self.object.get(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text.replace('\0', "")),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            _ => None,
        }
    }

    fn required(&mut self, name: &str, length: usize) -> String {
        if is_blank(self.object.get(name)) {
            self.errors
                .push(format!("'{}{name}' is missing or blank", self.prefix));
            return String::new();
        }
        let Some(text) = self.scalar(name) else {
            self.errors
                .push(format!("'{}{name}' is invalid (must be a text)", self.prefix));
            return String::new();
        };
        self.cut(name, &text, length)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let text = self.scalar(name)?;
        Some(self.cut(name, &text, TEXT_LENGTH))
    }

    fn key(&mut self, name: &str) -> Option<String> {
        let text = self.scalar(name)?;
        let key = bounded_key(&text);
        if key.len() != text.len() {
            self.truncated.push(format!("{}{name}", self.prefix));
        }
        Some(key)
    }

    fn cut(&mut self, name: &str, text: &str, length: usize) -> String {
        let (text, was_cut) = bounded(text, length);
        if was_cut {
            self.truncated.push(format!("{}{name}", self.prefix));
        }
        text
    }

    fn severity(&mut self) -> String {
        if is_blank(self.object.get("severity")) {
            self.errors
                .push("'payload.severity' is missing or blank".to_owned());
            return String::new();
        }
        let severity = self.scalar("severity").unwrap_or_default().to_lowercase();
        if !SEVERITIES.contains(&severity.as_str()) {
            self.errors.push(
                "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')"
                    .to_owned(),
            );
        }
        severity
    }

    /// A time that cannot be read costs the time, not the alert.
    fn timestamp(&mut self) -> Option<Timestamp> {
        let text = self.scalar("timestamp")?;
        let parsed = parse_timestamp(&text);
        if parsed.is_none() {
            self.truncated.push(format!("{}timestamp", self.prefix));
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_summary_that_is_too_long_is_cut_and_marked() {
        let body = object(json!({
            "event_action": "trigger",
            "payload": { "summary": "ö".repeat(2000), "source": "till-1", "severity": "critical" }
        }));
        let event = alert_event(&body, 10, || "made".to_owned()).unwrap();
        assert_eq!(event.summary.chars().count(), 1024);
        assert_eq!(event.truncated, ["payload.summary"]);
        assert_eq!(event.dedup_key, "made");
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        let body =
            object(json!({ "event_action": "trigger", "payload": { "summary": " ", "severity": "bad" } }));
        assert_eq!(
            alert_event(&body, 10, || "made".to_owned()).unwrap_err().0,
            [
                "'payload.summary' is missing or blank",
                "'payload.source' is missing or blank",
                "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
            ]
        );
    }

    #[test]
    fn a_link_that_would_run_something_is_left_out_and_marked() {
        let body = object(json!({
            "event_action": "trigger",
            "links": [{ "href": " JavaScript:alert(1)", "text": "Runbook" }, { "href": "https://wiki.example/7" }],
            "payload": { "summary": "Silent", "source": "till-1", "severity": "critical" }
        }));
        let event = alert_event(&body, 10, || "made".to_owned()).unwrap();
        assert_eq!(
            json!(event.contexts),
            json!([{ "type": "link", "text": "Runbook" }, { "type": "link", "href": "https://wiki.example/7" }])
        );
        assert_eq!(event.truncated, ["links.href"]);
    }

    #[test]
    fn an_offset_without_a_colon_is_understood() {
        let parsed = parse_timestamp("2015-07-17T08:42:58.315+0000").unwrap();
        assert_eq!(parsed.to_string(), "2015-07-17T08:42:58.315Z");
    }

    #[test]
    fn a_long_key_stays_itself() {
        let long = "k".repeat(400);
        assert_eq!(bounded_key(&long), bounded_key(&long));
        assert!(bounded_key(&long).chars().count() <= 255);
        assert_ne!(bounded_key(&long), bounded_key(&format!("{long}x")));
    }
}
