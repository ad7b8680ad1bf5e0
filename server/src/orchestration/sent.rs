//! What was sent, where rules wrote it anew. An alert holds what rules left of its event; that rules can be tried on alerts as
//! if they came now, what was overwritten is kept with the ruling.

use serde_json::{Map, Value, json};

use super::judgement::document;
use super::model::Ruling;
use crate::signals::event::{AlertEvent, EventAction};

const DETAILS: &str = "custom_details";

/// What differs between an event and what rules left of it, as it was sent.
pub(super) fn overwritten(sent: &AlertEvent, left: &AlertEvent) -> Map<String, Value> {
    let (Value::Object(sent), Value::Object(left)) = (document(sent), document(left)) else {
        return Map::new();
    };
    let mut differs = what_differs(&sent, &left);
    if differs.contains_key(DETAILS) {
        let keys = |of: &Map<String, Value>| of.get(DETAILS).and_then(Value::as_object).cloned();
        let details = what_differs(&keys(&sent).unwrap_or_default(), &keys(&left).unwrap_or_default());
        differs.insert(DETAILS.to_owned(), Value::Object(details));
    }
    differs
}

fn what_differs(sent: &Map<String, Value>, left: &Map<String, Value>) -> Map<String, Value> {
    let changed = sent.iter().filter(|(key, value)| left.get(*key) != Some(value));
    let added = left.keys().filter(|key| !sent.contains_key(*key));
    changed
        .map(|(key, value)| (key.clone(), value.clone()))
        .chain(added.map(|key| (key.clone(), Value::Null)))
        .collect()
}

/// The event of an alert as it was sent, as far as it is known: `left` is what the rules of then left of it.
pub fn as_sent(left: AlertEvent, ruling: Option<&Ruling>) -> AlertEvent {
    let Some(ruling) = ruling else {
        return left;
    };
    let mut event = left;
    for (field, value) in &ruling.sent {
        let text = value.as_str().map(str::to_owned);
        match field.as_str() {
            "summary" => event.summary = text.unwrap_or_default(),
            "source" => event.source = text.unwrap_or_default(),
            "severity" => event.severity = text.unwrap_or_default(),
            "dedup_key" => event.dedup_key = text.unwrap_or_default(),
            "component" => event.component = text,
            "group" => event.group = text,
            "class" => event.class = text,
            "client" => event.client = text,
            "client_url" => event.client_url = text,
            "event_action" if *value == json!(EventAction::Resolve) => event.action = EventAction::Resolve,
            "event_action" if *value == json!(EventAction::Acknowledge) => {
                event.action = EventAction::Acknowledge;
            }
            DETAILS => put_back(&mut event.custom_details, value),
            _ => {}
        }
    }
    event
}

fn put_back(details: &mut Map<String, Value>, sent: &Value) {
    for (key, value) in sent.as_object().into_iter().flatten() {
        if value.is_null() {
            details.remove(key);
        } else {
            details.insert(key.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(summary: &str, component: Option<&str>, details: Value) -> AlertEvent {
        AlertEvent {
            action: EventAction::Trigger,
            dedup_key: "till-1".to_owned(),
            summary: summary.to_owned(),
            source: "leeds".to_owned(),
            severity: "error".to_owned(),
            timestamp: None,
            ends_at: None,
            component: component.map(str::to_owned),
            group: None,
            class: None,
            client: None,
            client_url: None,
            custom_details: details.as_object().cloned().unwrap_or_default(),
            contexts: Vec::new(),
            truncated: Vec::new(),
        }
    }

    #[test]
    fn what_was_overwritten_is_known_and_nothing_else_is_kept_twice() {
        let sent = event("Terminal silent", Some("till"), json!({ "shop": 7, "lane": 2 }));
        let left = event("Till", None, json!({ "shop": 7, "lane": "2", "town": "Leeds" }));
        let ruling = Ruling {
            sent: overwritten(&sent, &left),
            ..Ruling::default()
        };
        assert_eq!(
            Value::Object(ruling.sent.clone()),
            json!({
                "summary": "Terminal silent", "component": "till",
                "custom_details": { "lane": 2, "town": null },
            })
        );
        let back = as_sent(left, Some(&ruling));
        assert_eq!(document(&back), document(&sent));
    }

    #[test]
    fn an_end_that_was_taken_as_a_report_is_an_end_again() {
        let mut sent = event("", None, json!({}));
        sent.action = EventAction::Resolve;
        let left = event("till-1", None, json!({}));
        let ruling = Ruling {
            sent: overwritten(&sent, &left),
            ..Ruling::default()
        };
        let back = as_sent(left, Some(&ruling));
        assert_eq!((back.action, back.summary), (EventAction::Resolve, String::new()));
    }
}
