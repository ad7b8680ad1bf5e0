//! What a change made otherwise, field by field, for the audit log.
//!
//! A slice says with one function which fields of a thing it tells ([`Value`] objects, ids in the place of things, never
//! a secret); the difference of before and after is what the log keeps.

use serde_json::{Map, Value, json};

/// Texts are kept up to here: the log says what was changed, and is no second copy of it.
const LONGEST_TOLD: usize = 500;

/// Each field that differs, as it was and as it is. Of what is new, `before` is null, and each field that holds something
/// counts.
pub fn compared(before: &Value, after: &Value) -> Value {
    let nothing = Map::new();
    let fields = after.as_object().unwrap_or(&nothing);
    let differing = fields.iter().filter_map(|(name, now)| {
        let was = before.get(name).unwrap_or(&Value::Null);
        let pair = json!({ "before": told(was), "after": told(now) });
        (was != now).then(|| (name.clone(), pair))
    });
    Value::Object(differing.collect())
}

/// The same, with these fields named only: what is said of a person stays out of a log that cannot forget.
pub fn withheld(mut details: Value, names: &[&str]) -> Value {
    for name in names {
        if let Some(pair) = details.get_mut(*name) {
            *pair = json!({ "before": null, "after": null });
        }
    }
    details
}

/// The field as it was and as it is, where both are known.
pub fn pair_of(details: &Value) -> Option<(&Value, &Value)> {
    let pair = details.as_object().filter(|pair| pair.len() == 2)?;
    Some((pair.get("before")?, pair.get("after")?))
}

fn told(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > LONGEST_TOLD => {
            let beginning: String = text.chars().take(LONGEST_TOLD).collect();
            Value::String(format!("{beginning}…"))
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({ "name": "Tills", "timeout": 600, "hours": null, "days": [1, 2] });
        let after = json!({ "name": "Tills", "timeout": null, "hours": "9 to 5", "days": [1, 2] });
        assert_eq!(
            compared(&before, &after),
            json!({
                "timeout": { "before": 600, "after": null },
                "hours": { "before": null, "after": "9 to 5" },
            })
        );
        assert_eq!(compared(&after, &after), json!({}));
    }

    #[test]
    fn of_what_is_new_everything_that_it_holds_is_told() {
        let after = json!({ "name": "Tills", "timeout": null });
        assert_eq!(
            compared(&Value::Null, &after),
            json!({ "name": { "before": null, "after": "Tills" } })
        );
    }

    #[test]
    fn long_texts_are_cut_and_what_is_withheld_is_named_only() {
        let details = compared(
            &json!({ "email": "a@b.example" }),
            &json!({ "email": "é".repeat(501) }),
        );
        let kept = details["email"]["after"].as_str().unwrap();
        assert_eq!(kept.chars().count(), LONGEST_TOLD + 1);
        assert_eq!(
            withheld(details, &["email", "telephone"]),
            json!({ "email": { "before": null, "after": null } })
        );
    }
}
