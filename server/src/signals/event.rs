//! Events as they are understood: checked, shortened, ready for the journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::mending::DEEPEST;
use crate::access::token;

/// Largest body whose custom details are kept, as the reference's service: 512 KiB.
pub const LARGEST_KEPT: usize = 524_288;
/// Beyond this nothing is read.
pub const LARGEST_READ: usize = 4 * 1024 * 1024;

const SUMMARY_LENGTH: usize = 1024;
const TEXT_LENGTH: usize = 1024;
/// Addresses are kept whole or not at all.
const ADDRESS_LENGTH: usize = 2048;
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
    /// As that of an alert event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub truncated: Vec<String>,
}

/// A body as it was read.
#[derive(Debug)]
pub struct Sent {
    pub object: Map<String, Value>,
    /// Its size in bytes.
    pub size: usize,
    /// Fields in which something had to be put differently before it could be read.
    pub mended: Vec<String>,
}

/// What cannot be understood, in the reference's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub Vec<String>);

/// Reads an alert event of the Events API, version 2. `make_key` is asked when a trigger brings none.
pub fn alert_event(sent: &Sent, make_key: impl FnOnce() -> String) -> Result<AlertEvent, Invalid> {
    let body = &sent.object;
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
            custom_details: inner.details(sent.size),
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
    let custom_details = inner.details(sent.size);
    let (component, group, class) = (inner.text("component"), inner.text("group"), inner.text("class"));
    let (client, client_url) = (reader.text("client"), reader.address("client_url"));
    let contexts = contexts(body, &mut reader.truncated);
    let truncated = marks([reader.truncated, inner.truncated, sent.mended.clone()]);
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
        truncated,
    })
}

/// Reads a change event.
pub fn change_event(sent: &Sent) -> Result<ChangeEvent, Invalid> {
    let body = &sent.object;
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
    let mut cut = Vec::new();
    let mut list = |name: &str| {
        context_list(body, name, &mut cut)
            .into_iter()
            .map(Value::Object)
            .collect()
    };
    let (links, images) = (list("links"), list("images"));
    Ok(ChangeEvent {
        summary,
        source: inner.text("source"),
        timestamp: inner.timestamp(),
        links,
        images,
        custom_details: inner.details(sent.size),
        truncated: marks([inner.truncated, cut, sent.mended.clone()]),
    })
}

/// Each mark once, in order.
pub(super) fn marks(lists: impl IntoIterator<Item = Vec<String>>) -> Vec<String> {
    let mut marks: Vec<String> = Vec::new();
    for mark in lists.into_iter().flatten() {
        if !marks.contains(&mark) {
            marks.push(mark);
        }
    }
    marks
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

/// A copy with what is nested deeper than so many levels as text, so that it can be read again wherever it is kept.
fn shallow(value: &Value, levels: usize, was_cut: &mut bool) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => {
            *was_cut = true;
            Value::from(value.to_string())
        }
        Value::Array(items) => items
            .iter()
            .map(|item| shallow(item, levels - 1, was_cut))
            .collect(),
        Value::Object(fields) => Value::Object(shallow_fields(fields, levels - 1, was_cut)),
        plain => plain.clone(),
    }
}

fn shallow_fields(fields: &Map<String, Value>, levels: usize, was_cut: &mut bool) -> Map<String, Value> {
    fields
        .iter()
        .map(|(name, value)| (name.clone(), shallow(value, levels, was_cut)))
        .collect()
}

fn contexts(body: &Map<String, Value>, truncated: &mut Vec<String>) -> Vec<Value> {
    let mut contexts = Vec::new();
    for (name, kind) in [("links", "link"), ("images", "image")] {
        for mut context in context_list(body, name, truncated) {
            context.insert("type".to_owned(), Value::from(kind));
            contexts.push(Value::Object(context));
        }
    }
    contexts
}

/// The links or pictures of an event. An address that would run something, or is too long to be kept whole, is left out.
fn context_list(
    body: &Map<String, Value>,
    name: &str,
    truncated: &mut Vec<String>,
) -> Vec<Map<String, Value>> {
    let Some(Value::Array(items)) = body.get(name) else {
        return Vec::new();
    };
    if items.len() > LINKS {
        truncated.push(name.to_owned());
    }
    let items = items.iter().filter_map(Value::as_object).take(LINKS);
    items
        .map(|item| {
            let mut context = Map::new();
            for field in ["href", "src", "text", "alt"] {
                let Some(text) = item.get(field).and_then(Value::as_str) else {
                    continue;
                };
                let (kept, was_cut) = if matches!(field, "href" | "src") {
                    let kept = fits_address(text).then(|| text.to_owned());
                    let was_cut = kept.is_none();
                    (kept, was_cut)
                } else {
                    let (text, was_cut) = bounded(text, TEXT_LENGTH);
                    (Some(text), was_cut)
                };
                if was_cut {
                    truncated.push(format!("{name}.{field}"));
                }
                if let Some(text) = kept {
                    context.insert(field.to_owned(), Value::from(text));
                }
            }
            context
        })
        .collect()
}

/// Whether this is an address that may be shown, and is kept whole.
pub(super) fn fits_address(text: &str) -> bool {
    is_web_address(text) && text.chars().nth(ADDRESS_LENGTH).is_none()
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

    /// An address that is too long is left out: half of it leads nowhere.
    fn address(&mut self, name: &str) -> Option<String> {
        let text = self.scalar(name)?;
        if text.chars().nth(ADDRESS_LENGTH).is_some() {
            self.mark(name);
            return None;
        }
        Some(text)
    }

    /// `custom_details` of a body of this size: those of a large one are not kept.
    fn details(&mut self, size: usize) -> Map<String, Value> {
        let mut was_cut = false;
        let details = match self.object.get("custom_details") {
            None | Some(Value::Null) => Map::new(),
            Some(_) if size > LARGEST_KEPT => {
                was_cut = true;
                Map::new()
            }
            Some(Value::Object(fields)) => shallow_fields(fields, DEEPEST - 1, &mut was_cut),
            Some(other) => {
                let other = shallow(other, DEEPEST - 1, &mut was_cut);
                Map::from_iter([("details".to_owned(), other)])
            }
        };
        if was_cut {
            self.mark("custom_details");
        }
        details
    }

    fn mark(&mut self, name: &str) {
        self.truncated.push(format!("{}{name}", self.prefix));
    }

    fn key(&mut self, name: &str) -> Option<String> {
        let text = self.scalar(name)?;
        let key = bounded_key(&text);
        if key.len() != text.len() {
            self.mark(name);
        }
        Some(key)
    }

    fn cut(&mut self, name: &str, text: &str, length: usize) -> String {
        let (text, was_cut) = bounded(text, length);
        if was_cut {
            self.mark(name);
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
            self.mark("timestamp");
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(value: Value) -> Sent {
        Sent {
            object: value.as_object().unwrap().clone(),
            size: 10,
            mended: Vec::new(),
        }
    }

    #[test]
    fn a_summary_that_is_too_long_is_cut_and_marked() {
        let body = sent(json!({
            "event_action": "trigger",
            "payload": { "summary": "ö".repeat(2000), "source": "till-1", "severity": "critical" }
        }));
        let event = alert_event(&body, || "made".to_owned()).unwrap();
        assert_eq!(event.summary.chars().count(), 1024);
        assert_eq!(event.truncated, ["payload.summary"]);
        assert_eq!(event.dedup_key, "made");
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        let body =
            sent(json!({ "event_action": "trigger", "payload": { "summary": " ", "severity": "bad" } }));
        assert_eq!(
            alert_event(&body, || "made".to_owned()).unwrap_err().0,
            [
                "'payload.summary' is missing or blank",
                "'payload.source' is missing or blank",
                "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
            ]
        );
    }

    #[test]
    fn a_link_that_would_run_something_is_left_out_and_marked() {
        let body = sent(json!({
            "event_action": "trigger",
            "links": [{ "href": " JavaScript:alert(1)", "text": "Runbook" }, { "href": "https://wiki.example/7" }],
            "payload": { "summary": "Silent", "source": "till-1", "severity": "critical" }
        }));
        let event = alert_event(&body, || "made".to_owned()).unwrap();
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
