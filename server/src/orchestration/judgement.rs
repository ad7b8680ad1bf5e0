//! One event before the rules of its service.

use condition::{Budget, Extraction, Path, RenderError, Scope, Segment};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::model::{EventAction, Noted, Ruling};
use super::rulebook::{Deed, Prepared, Rulebook};
use super::{sent, words};
use crate::incidents::room::NOTE_LENGTH;
use crate::signals::event::{self, AlertEvent};

/// What judging one event may cost: nodes and path segments visited, bytes looked at.
const STEPS: u64 = 2_000_000;
/// The longest text that is written into the custom details, in characters.
const DETAIL_LENGTH: usize = 10_000;
/// What a rewritten event has as its texts, in characters.
const TEXT_LENGTH: usize = 1_024;

/// An event as its service's rules left it, and what they said of it.
#[derive(Debug, Clone)]
pub struct Judged {
    pub event: AlertEvent,
    pub ruling: Ruling,
    /// Whether the rules were too much work and none of them was applied.
    pub given_up: bool,
}

impl Rulebook {
    /// Judges an event. `at` is when it arrived, and what `now` means in its conditions.
    pub fn judge(&self, event: &AlertEvent, at: Timestamp) -> Judged {
        let mut hearing = Hearing {
            at,
            document: document(event),
            variables: Value::Object(Map::new()),
            budget: Budget::of_steps(STEPS),
            judged: Judged {
                event: event.clone(),
                ruling: Ruling::default(),
                given_up: false,
            },
        };
        let mut next = Some(self.start);
        // Sets lead on, never back; the bound is for what this version of the program might read otherwise.
        for _ in 0..=self.sets.len() {
            let Some(rules) = next.and_then(|place| self.sets.get(place)) else {
                break;
            };
            let matched = rules.iter().find(|rule| hearing.matches(rule));
            if hearing.budget.is_spent() {
                break;
            }
            next = matched.and_then(|rule| rule.leads_to);
            match matched {
                Some(rule) => hearing.apply(&rule.deed),
                None if self.catch_all.actions != super::model::Actions::default() => {
                    hearing.apply(&self.catch_all);
                }
                None => {}
            }
        }
        if hearing.budget.is_spent() {
            return Judged {
                event: event.clone(),
                ruling: Ruling {
                    reasons: vec![words::given_up()],
                    ..Ruling::default()
                },
                given_up: true,
            };
        }
        let mut judged = hearing.judged.with_words();
        if !judged.ruling.reasons.is_empty() {
            judged.ruling.sent = sent::overwritten(event, &judged.event);
        }
        judged
    }
}

/// The state of one judgement.
struct Hearing {
    at: Timestamp,
    /// The event as conditions see it.
    document: Value,
    variables: Value,
    budget: Budget,
    judged: Judged,
}

impl Hearing {
    fn matches(&mut self, rule: &Prepared) -> bool {
        let scope = Scope::at(self.at)
            .with("event", &self.document)
            .with("variables", &self.variables);
        rule.conditions.is_empty()
            || rule
                .conditions
                .iter()
                .any(|condition| condition.matches_within(&scope, &mut self.budget))
    }

    fn extract(&mut self, extraction: &Extraction) -> Result<Option<String>, RenderError> {
        let scope = Scope::at(self.at)
            .with("event", &self.document)
            .with("variables", &self.variables);
        let found = extraction.extract_within(&scope, &mut self.budget)?;
        Ok(found.map(|text| text.replace('\0', "")))
    }

    /// Does what a rule says: its variables, then its extractions, then the rest, the note last.
    fn apply(&mut self, deed: &Deed) {
        let mut failed = words::Failed::default();
        for (name, taken) in &deed.variables {
            if let Ok(Some(text)) = self.extract(taken)
                && let Value::Object(variables) = &mut self.variables
            {
                variables.insert(name.clone(), Value::from(text));
            }
        }
        for (target, extraction) in &deed.extractions {
            let written = match self.extract(extraction) {
                Ok(Some(text)) => self.write(target, &text),
                Ok(None) => Ok(()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(why) = written {
                failed.writing(target, &why);
            }
        }
        let actions = &deed.actions;
        if let Some(severity) = actions.severity {
            self.put("severity", Value::from(severity.as_text()));
            severity.as_text().clone_into(&mut self.judged.event.severity);
        }
        if let Some(action) = actions.event_action {
            self.judged.event.action = match action {
                EventAction::Trigger => event::EventAction::Trigger,
                EventAction::Resolve => event::EventAction::Resolve,
            };
            self.put("event_action", json!(self.judged.event.action));
        }
        let ruling = &mut self.judged.ruling;
        ruling.suppress = actions.suppress.unwrap_or(ruling.suppress);
        ruling.suspend_seconds = actions.suspend.or(ruling.suspend_seconds);
        if let Some(priority) = &actions.priority {
            ruling.priority_id = Some(priority.clone());
        }
        if let Some(policy) = &actions.escalation_policy {
            ruling.escalation_policy_id = Some(policy.clone());
        }
        if let Some(template) = &deed.note {
            match self.extract(&Extraction::Template(template.clone())) {
                Ok(text) => self.note(deed, &text.unwrap_or_default()),
                Err(error) => failed.noting(&error.to_string()),
            }
        }
        let reason = words::reason(&deed.by, deed.rule_id.as_deref(), actions, &failed);
        self.judged.ruling.reasons.push(reason);
    }

    fn note(&mut self, deed: &Deed, text: &str) {
        let text: String = text.trim().chars().take(NOTE_LENGTH).collect();
        if !text.is_empty() {
            let by = deed.by.clone();
            self.judged.ruling.notes.push(Noted { by, text });
        }
    }

    fn put(&mut self, field: &str, value: Value) {
        if let Value::Object(fields) = &mut self.document {
            fields.insert(field.to_owned(), value);
        }
    }

    /// Writes a field of the event anew. An empty text leaves what must not be empty as it was.
    fn write(&mut self, target: &Path, text: &str) -> Result<(), String> {
        let Some(Segment::Key(field)) = target.segments().first() else {
            return Err("it is no field of the event".to_owned());
        };
        if field == "custom_details" {
            let value = event::bounded(text, DETAIL_LENGTH).0;
            target
                .assign(&mut self.document, Value::from(value))
                .map_err(|error| error.to_string())?;
            if let Some(Value::Object(details)) = self.document.get("custom_details") {
                self.judged.event.custom_details.clone_from(details);
            }
            return Ok(());
        }
        let text = match field.as_str() {
            "dedup_key" => event::bounded_key(text.trim()),
            _ => event::bounded(text.trim(), TEXT_LENGTH).0,
        };
        let event = &mut self.judged.event;
        let present = (!text.is_empty()).then(|| text.clone());
        match field.as_str() {
            "summary" | "source" | "dedup_key" | "severity" if text.is_empty() => {
                return Err("what it gives is empty".to_owned());
            }
            "severity" if !event::SEVERITIES.contains(&text.to_lowercase().as_str()) => {
                return Err(format!("“{text:.20}” is no severity"));
            }
            "client_url" if !text.is_empty() && !event::is_web_address(&text) => {
                return Err("it is no web address".to_owned());
            }
            "summary" => event.summary.clone_from(&text),
            "source" => event.source.clone_from(&text),
            "severity" => event.severity = text.to_lowercase(),
            "dedup_key" => event.dedup_key.clone_from(&text),
            "component" => event.component = present,
            "group" => event.group = present,
            "class" => event.class = present,
            "client" => event.client = present,
            "client_url" => event.client_url = present,
            _ => return Err("it is no field of the event".to_owned()),
        }
        self.put(field, Value::from(text));
        Ok(())
    }
}

impl Judged {
    /// What rules turned into a report says something, though the event that was sent need not.
    fn with_words(mut self) -> Self {
        let event = &mut self.event;
        if event.action == event::EventAction::Trigger {
            for text in [&mut event.summary, &mut event.source] {
                if text.is_empty() {
                    text.clone_from(&event.dedup_key);
                }
            }
        }
        self
    }
}

/// The fields that conditions may look at.
pub(super) const FIELDS: [&str; 14] = [
    "summary",
    "source",
    "severity",
    "component",
    "group",
    "class",
    "custom_details",
    "dedup_key",
    "event_action",
    "timestamp",
    "client",
    "client_url",
    "links",
    "images",
];

/// The event as conditions see it: what was not sent is not there.
pub(super) fn document(event: &AlertEvent) -> Value {
    let mut fields = Map::new();
    let mut say = |name: &str, text: Option<&str>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            fields.insert(name.to_owned(), Value::from(text));
        }
    };
    say("summary", Some(&event.summary));
    say("source", Some(&event.source));
    say("severity", Some(&event.severity));
    say("component", event.component.as_deref());
    say("group", event.group.as_deref());
    say("class", event.class.as_deref());
    say("dedup_key", Some(&event.dedup_key));
    say("client", event.client.as_deref());
    say("client_url", event.client_url.as_deref());
    let timestamp = event.timestamp.map(|at| at.to_string());
    say("timestamp", timestamp.as_deref());
    fields.insert("event_action".to_owned(), json!(event.action));
    if !event.custom_details.is_empty() {
        fields.insert(
            "custom_details".to_owned(),
            Value::Object(event.custom_details.clone()),
        );
    }
    for (name, kind) in [("links", "link"), ("images", "image")] {
        let found: Vec<Value> = event
            .contexts
            .iter()
            .filter(|context| context["type"] == kind)
            .cloned()
            .collect();
        if !found.is_empty() {
            fields.insert(name.to_owned(), Value::from(found));
        }
    }
    Value::Object(fields)
}
