//! What comes in: one alert event, already parsed and authorised by the caller.
//!
//! An event borrows its texts. Sizes are the caller's business up to its own limits; whatever arrives here is
//! read only up to fixed lengths (a kilobyte of a text, 255 bytes of a name), so a title of a million characters costs no
//! more than one of a thousand.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the sender wants (Events API v2 `event_action`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Something is wrong.
    #[default]
    Trigger,
    /// Somebody has seen it.
    Acknowledge,
    /// It is over.
    Resolve,
}

/// How bad the sender says it is, mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing to do.
    Info,
    /// May become trouble.
    Warning,
    /// Trouble; what counts where the sender says nothing.
    #[default]
    Error,
    /// Bad trouble.
    Critical,
}

impl Severity {
    /// The word used in the Events API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// One event of an integration.
///
/// `dedup_key` is required: for a trigger without one the caller makes up a unique key first, because making
/// one up needs chance and this crate has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Event<'a> {
    /// Key of the integration: the scope of `dedup_key`.
    pub integration: &'a str,
    /// Key of the service that the integration belongs to.
    pub service: &'a str,
    /// Same for all events of one alert, within the integration.
    pub dedup_key: &'a str,
    /// What the sender wants.
    pub action: Action,
    /// What a person reads of it.
    pub summary: &'a str,
    /// The affected system, ideally a host name or a node of the dependency graph.
    pub source: &'a str,
    /// How bad the sender says it is.
    pub severity: Severity,
    /// The part of the source that is concerned.
    pub component: Option<&'a str>,
    /// A group of components, such as a cluster.
    pub group: Option<&'a str>,
    /// The sort of event, such as `cpu load`.
    pub class: Option<&'a str>,
    /// Labels and custom details as dotted path and text; see [`flatten_details`].
    pub details: &'a [(String, String)],
}

impl<'a> Event<'a> {
    /// The text of a field by the name that grouping settings use: `summary`, `source`, `severity`, `component`,
    /// `group`, `class`, or a path into the custom details, with or without the prefix `custom_details.`.
    /// Absent and empty are both `None`.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        let value = match name {
            "summary" => Some(self.summary),
            "source" => Some(self.source),
            "severity" => Some(self.severity.as_str()),
            "component" => self.component,
            "group" => self.group,
            "class" => self.class,
            "service" => Some(self.service),
            path => {
                let path = path.strip_prefix("custom_details.").unwrap_or(path);
                self.details
                    .iter()
                    .find(|(key, _)| key == path)
                    .map(|(_, value)| value.as_str())
            }
        };
        value.filter(|text| !text.is_empty())
    }
}

/// Custom details as dotted paths and texts, in the order of the document: `{"a": {"b": 1}}` is `a.b` = `1`.
///
/// At most 64 leaves, 8 levels and 256 bytes a value are kept, so that the cost is bounded whatever was sent.
///
/// ```
/// let details = serde_json::json!({"disk": {"used": 97}, "tags": ["eu", "prod"]});
/// let flat = triage::flatten_details(&details);
/// assert_eq!(flat[0], ("disk.used".to_owned(), "97".to_owned()));
/// assert_eq!(flat[2], ("tags.1".to_owned(), "prod".to_owned()));
/// ```
pub fn flatten_details(details: &Value) -> Vec<(String, String)> {
    const LEAVES: usize = 64;
    const DEPTH: usize = 8;
    const BYTES: usize = 256;

    fn descend(value: &Value, path: &mut String, depth: usize, leaves: &mut Vec<(String, String)>) {
        if leaves.len() >= LEAVES || depth > DEPTH {
            return;
        }
        let mut step = |name: &str, child: &Value| {
            let length = path.len();
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(truncate(name, BYTES));
            descend(child, path, depth + 1, leaves);
            path.truncate(length);
        };
        match value {
            Value::Null => {}
            Value::Object(members) => members
                .iter()
                .take(LEAVES)
                .for_each(|(name, child)| step(name, child)),
            Value::Array(items) => {
                for (index, child) in items.iter().take(LEAVES).enumerate() {
                    step(&index.to_string(), child);
                }
            }
            Value::String(text) => leaves.push((path.clone(), truncate(text, BYTES).to_owned())),
            other => leaves.push((path.clone(), other.to_string())),
        }
    }

    let mut leaves = Vec::new();
    descend(details, &mut String::new(), 0, &mut leaves);
    leaves
}

/// Longest name of a place that is told apart, in bytes.
pub(crate) const NAME_BYTES: usize = 255;

/// The longest prefix of at most `bytes` bytes that ends between two characters.
pub(crate) fn truncate(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::{Event, flatten_details, truncate};
    use serde_json::json;

    #[test]
    fn details_become_dotted_paths() {
        let details = flatten_details(&json!({"pod": {"name": "api-1", "restarts": 3}, "tags": ["a", null]}));
        let expected = [("pod.name", "api-1"), ("pod.restarts", "3"), ("tags.0", "a")];
        assert_eq!(
            details,
            expected.map(|(path, text)| (path.to_owned(), text.to_owned()))
        );
    }

    #[test]
    fn a_deep_document_is_cut_not_followed() {
        let mut deep = json!("bottom");
        for _ in 0..100 {
            deep = json!({ "a": deep });
        }
        assert!(flatten_details(&deep).is_empty());
    }

    #[test]
    fn fields_are_found_with_and_without_the_prefix() {
        let details = [("pod.name".to_owned(), "api-1".to_owned())];
        let event = Event {
            class: Some(""),
            details: &details,
            ..Event::default()
        };
        assert_eq!(event.field("custom_details.pod.name"), Some("api-1"));
        assert_eq!(event.field("pod.name"), Some("api-1"));
        assert_eq!(event.field("class"), None);
    }

    #[test]
    fn truncation_never_splits_a_character() {
        assert_eq!(truncate("aäb", 2), "a");
    }
}
