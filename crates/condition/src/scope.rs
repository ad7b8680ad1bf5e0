//! What an evaluation may see: the documents, the instant, the counts.

use std::fmt::{Debug, Formatter};

use jiff::Timestamp;
use serde_json::Value;

use crate::syntax::{Path, Segment, Threshold};

/// Everything outside a condition that its outcome depends on.
///
/// Documents are known by the first word of a path. Orchestration gives `event` (the normalised event),
/// `raw_event` (the body as sent), `variables` and `cache_var` (an object of the cache variables by their names, which
/// the caller keeps); a workflow's trigger gives `incident`.
///
/// ```
/// use condition::{Condition, Path, Scope};
///
/// let event = serde_json::json!({"summary": "disk full", "custom_details": {"used": 97}});
/// let counts = |_| 12;
/// let scope = Scope::at("2026-05-04T00:00:00Z".parse()?).with("event", &event).with_trigger_counts(&counts);
/// assert_eq!(scope.look_up(&"event.custom_details.used".parse::<Path>()?), Some(&serde_json::json!(97)));
/// assert!("trigger_count over 5 minutes > 10".parse::<Condition>()?.matches(&scope));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Scope<'a> {
    now: Timestamp,
    documents: Vec<(&'a str, &'a Value)>,
    trigger_counts: Option<&'a dyn Fn(Threshold) -> u64>,
}

impl<'a> Scope<'a> {
    /// A scope without documents. `now` stays the same for everything evaluated in it.
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            documents: Vec::with_capacity(4),
            trigger_counts: None,
        }
    }

    /// Adds a document, or replaces the one of that name.
    #[must_use]
    pub fn with(mut self, name: &'a str, document: &'a Value) -> Self {
        match self.documents.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = document,
            None => self.documents.push((name, document)),
        }
        self
    }

    /// Says how many trigger events the present rule has matched within a window, the present event
    /// included, so never less than 1. Without it a threshold counts as nil. [`TriggerCounts`](crate::TriggerCounts)
    /// keeps such counts, and judges with them.
    #[must_use]
    pub fn with_trigger_counts(mut self, counts: &'a dyn Fn(Threshold) -> u64) -> Self {
        self.trigger_counts = Some(counts);
        self
    }

    /// The instant that `now` means.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The value at a path; `None` when the path leads nowhere.
    pub fn look_up(&self, path: &Path) -> Option<&'a Value> {
        let (_, document) = self.documents.iter().find(|(name, _)| *name == path.root)?;
        path.segments
            .iter()
            .try_fold(*document, |value, segment| match segment {
                Segment::Key(key) => value.as_object()?.get(key),
                Segment::Index(index) => value.as_array()?.get(usize::try_from(*index).ok()?),
            })
    }

    pub(crate) fn document(&self, root: &str) -> Option<&'a Value> {
        self.documents
            .iter()
            .find(|(name, _)| *name == root)
            .map(|(_, document)| *document)
    }

    pub(crate) fn trigger_count(&self, threshold: Threshold) -> Option<u64> {
        self.trigger_counts.map(|counts| counts(threshold))
    }
}

impl Debug for Scope<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Scope")
            .field("now", &self.now)
            .field("documents", &self.documents)
            .finish_non_exhaustive()
    }
}
