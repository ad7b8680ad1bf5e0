//! The API's document as a promise: every answer that a test gets is held against what the document says of it.
//!
//! An answer must have a status that its operation names; one that is no refusal must be JSON of the shape that stands there:
//! nothing missing, nothing of another type, and no field that the document does not know. Where `include[]` was asked for, whole resources may stand in
//! the place of references.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::http::{Method, Uri, header};
use serde_json::Value;

use super::Answer;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(muster::app::router::document()).unwrap());

/// Panics when an answer is not one that the document describes. Addresses that are not in it are passed over.
pub(super) fn hold(method: &Method, uri: &Uri, answer: &Answer) {
    let name = method.as_str().to_ascii_lowercase();
    let Some(operation) = operation(&name, uri.path()) else {
        return;
    };
    let status = answer.status.as_u16().to_string();
    let promised = &operation["responses"][&status];
    assert!(
        promised.is_object(),
        "{method} {uri}: {status} is in no document: {}",
        answer.text
    );
    if !answer.status.is_success() {
        return;
    }
    let is_json = answer
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json");
    let schema = &promised["content"]["application/json"]["schema"];
    if schema.is_null() {
        assert!(
            !is_json,
            "{method} {uri}: {status} has a body that is in no document"
        );
        return;
    }
    assert!(
        is_json,
        "{method} {uri}: {status} is not the JSON that the document promises"
    );
    let included = uri.query().is_some_and(|query| query.contains("include"));
    let reader = Reader {
        document: &DOCUMENT,
        included,
    };
    if let Err(fault) = reader.holds(schema, &answer.json(), "") {
        panic!(
            "{method} {uri}: the answer is not what the document says: {fault}\n{}",
            answer.text
        );
    }
}

/// The operation that an address belongs to: words go before placeholders, and a slash at its end means nothing.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let asked: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |template: &str| {
        let known: Vec<&str> = template.split('/').collect();
        known.len() == asked.len()
            && known
                .iter()
                .zip(&asked)
                .all(|(known, asked)| known.starts_with('{') || known == asked)
    };
    let paths = DOCUMENT["paths"].as_object()?;
    let found = paths
        .iter()
        .filter(|(template, methods)| fits(template) && methods[method].is_object())
        .min_by_key(|(template, _)| template.matches('{').count());
    found.map(|(_, methods)| &methods[method])
}

/// Reads the part of JSON Schema that the document is written in.
struct Reader<'d> {
    document: &'d Value,
    /// Whether whole resources may stand in the place of references.
    included: bool,
}

impl Reader<'_> {
    fn holds(&self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        self.holds_in_part(schema, value, place)?;
        let (Some(known), Some(fields)) = (self.known(schema), value.as_object()) else {
            return Ok(());
        };
        match fields.keys().find(|name| !known.contains(name.as_str())) {
            Some(name) => Err(format!("{place}.{name} is not known there")),
            None => Ok(()),
        }
    }

    /// The same, whatever other fields there are.
    fn holds_in_part(&self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            if self.stands_for_whole(reference, value) {
                return Ok(());
            }
            self.holds_in_part(self.resolved(reference), value, place)?;
        }
        for part in list(&schema["allOf"]) {
            self.holds_in_part(part, value, place)?;
        }
        for choice in ["oneOf", "anyOf"] {
            let faults: Vec<String> = list(&schema[choice])
                .map_while(|one| self.holds_in_part(one, value, place).err())
                .collect();
            if !faults.is_empty() && faults.len() == list(&schema[choice]).count() {
                return Err(faults.join("; or "));
            }
        }
        self.holds_alone(schema, value, place)
    }

    fn holds_alone(&self, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
        let mut types = match &schema["type"] {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            Value::String(name) => vec![name.as_str()],
            _ => Vec::new(),
        };
        if !types.is_empty() {
            types.retain(|name| is_of(name, value));
            if types.is_empty() {
                return Err(format!("{place} is {value}, not {}", schema["type"]));
            }
        }
        if value.is_null() {
            return Ok(());
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            return Err(format!("{place} is {value}, none of {}", schema["enum"]));
        }
        if let (Some("date-time"), Some(text)) = (schema["format"].as_str(), value.as_str())
            && text.parse::<jiff::Timestamp>().is_err()
        {
            return Err(format!("{place} is no instant: {text}"));
        }
        for name in list(&schema["required"]).filter_map(Value::as_str) {
            if value.get(name).is_none() {
                return Err(format!("{place}.{name} is missing"));
            }
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(field) = value.get(name) {
                self.holds(inner, field, &format!("{place}.{name}"))?;
            }
        }
        for (index, item) in list(value).enumerate() {
            self.holds(&schema["items"], item, &format!("{place}[{index}]"))?;
        }
        Ok(())
    }

    /// The names that an object may have; none where any may stand.
    fn known(&self, schema: &Value) -> Option<BTreeSet<String>> {
        if let Some(reference) = schema["$ref"].as_str() {
            let free = self.included && is_reference(reference);
            return if free {
                None
            } else {
                self.known(self.resolved(reference))
            };
        }
        let mut known: BTreeSet<String> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        let parts = ["allOf", "oneOf", "anyOf"].map(|name| list(&schema[name]));
        for part in parts.into_iter().flatten() {
            if part["type"] != "null" {
                known.extend(self.known(part)?);
            }
        }
        (!known.is_empty()).then_some(known)
    }

    fn stands_for_whole(&self, reference: &str, value: &Value) -> bool {
        self.included && is_reference(reference) && value["id"].is_string()
    }

    fn resolved(&self, reference: &str) -> &Value {
        let place = reference.trim_start_matches('#');
        self.document.pointer(place).unwrap_or(&Value::Null)
    }
}

fn is_reference(reference: &str) -> bool {
    reference.ends_with("/Reference")
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fault(schema: &Value, value: &Value) -> Option<String> {
        let document = json!({ "components": { "schemas": {
            "Reference": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } },
        } } });
        let reader = Reader {
            document: &document,
            included: false,
        };
        reader.holds(schema, value, "").err()
    }

    #[test]
    fn what_is_missing_unknown_or_of_another_type_is_named() {
        let service = json!({ "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Reference" }] });
        let schema = json!({ "allOf": [
            { "type": "object", "required": ["number"], "properties": { "number": { "type": "integer" } } },
            { "type": "object", "properties": { "services": { "type": "array", "items": service } } },
        ] });
        let good = json!({ "number": 1, "services": [null, { "id": "S" }] });
        assert_eq!(fault(&schema, &good), None);
        let faults = [
            (json!({ "services": [] }), ".number is missing"),
            (json!({ "number": "1" }), ".number is \"1\", not \"integer\""),
            (json!({ "number": 1, "more": 2 }), ".more is not known there"),
            (
                json!({ "number": 1, "services": [{ "id": "S", "name": "tills" }] }),
                ".services[0].name is not known there",
            ),
            (
                json!({ "number": 1, "services": [{}] }),
                ".services[0] is {}, not \"null\"; or .services[0].id is missing",
            ),
        ];
        for (value, words) in faults {
            assert_eq!(fault(&schema, &value).as_deref(), Some(words));
        }
    }

    #[test]
    fn an_address_with_words_goes_before_one_with_placeholders() {
        let count = operation("get", "/incidents/count").unwrap();
        assert_eq!(count["operationId"], "get_incidents_count");
        assert!(operation("get", "/incidents/1/2/3/4/5").is_none());
    }
}
