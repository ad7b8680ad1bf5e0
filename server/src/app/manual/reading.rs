//! From the OpenAPI document to what a page shows: chapters, operations, fields. Pure.

use serde_json::Value;

/// How deep fields inside of fields are followed; what lies deeper is named by its type only.
const DEEPEST: usize = 4;

/// The operations about one thing.
#[derive(Debug)]
pub(super) struct Chapter {
    pub(super) name: String,
    /// In the address: lower case, with hyphens.
    pub(super) slug: String,
    pub(super) operations: Vec<Operation>,
}

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) anchor: String,
    pub(super) summary: String,
    pub(super) description: String,
    /// Whether anybody may ask, without a key.
    pub(super) open: bool,
    /// Where it is not an API key: the other ways to prove who one is.
    pub(super) keys: Vec<String>,
    pub(super) parameters: Vec<Field>,
    pub(super) body: Vec<Field>,
    pub(super) answers: Vec<Answer>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: String,
    pub(super) description: String,
    pub(super) fields: Vec<Field>,
}

/// A parameter, or a field of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    /// How many fields it lies inside of.
    pub(super) depth: usize,
    pub(super) kind: String,
    pub(super) required: bool,
    pub(super) words: String,
}

/// A part of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Words(&'a str),
    /// What stood between backticks.
    Code(&'a str),
}

/// Tells code from words in a description.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    text.split('`').enumerate().map(|(index, part)| {
        if index % 2 == 1 {
            Piece::Code(part)
        } else {
            Piece::Words(part)
        }
    })
}

/// Every chapter, by its name; operations in the order of their paths.
pub(super) fn chapters(document: &Value) -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = Vec::new();
    for (path, methods) in object(&document["paths"]) {
        for (method, operation) in object(methods) {
            let name = operation["tags"][0].as_str().unwrap_or("Other");
            let operation = read_operation(document, path, method, operation);
            match chapters.iter_mut().find(|chapter| chapter.name == name) {
                Some(chapter) => chapter.operations.push(operation),
                None => chapters.push(Chapter {
                    name: name.to_owned(),
                    slug: slug(name),
                    operations: vec![operation],
                }),
            }
        }
    }
    chapters.sort_by(|one, other| one.name.cmp(&other.name));
    chapters
}

fn read_operation(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array();
    let ways = operation["security"].as_array();
    let open = ways.is_some_and(|ways| ways.iter().all(|way| object(way).count() == 0));
    let schemes = &document["components"]["securitySchemes"];
    let keys = ways.into_iter().flatten().flat_map(object);
    Operation {
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        anchor: slug(&format!("{method} {path}")),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        open,
        keys: keys
            .map(|(name, _)| text(&schemes[name]["description"]))
            .collect(),
        parameters: parameters
            .into_iter()
            .flatten()
            .map(|parameter| read_parameter(document, parameter))
            .collect(),
        body: fields_of_content(document, &operation["requestBody"]),
        answers: object(&operation["responses"])
            .map(|(status, answer)| Answer {
                status: status.clone(),
                description: text(&answer["description"]),
                // A refusal always has the same shape; the contents page shows it once.
                fields: if status.starts_with('2') {
                    fields_of_content(document, answer)
                } else {
                    Vec::new()
                },
            })
            .collect(),
    }
}

fn read_parameter(document: &Value, parameter: &Value) -> Field {
    let place = parameter["in"].as_str().unwrap_or_default();
    Field {
        name: text(&parameter["name"]),
        depth: 0,
        kind: format!("{} in the {place}", kind_of(document, &parameter["schema"])),
        required: parameter["required"].as_bool().unwrap_or(false),
        words: text(&parameter["description"]),
    }
}

fn fields_of_content(document: &Value, holder: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    if let Some((_, content)) = object(&holder["content"]).next() {
        add_fields(document, &content["schema"], 0, &mut fields);
    }
    fields
}

/// Adds the fields of an object, and below each the fields it holds itself.
fn add_fields(document: &Value, schema: &Value, depth: usize, fields: &mut Vec<Field>) {
    if depth > DEEPEST {
        return;
    }
    let schema = resolved(document, schema);
    for part in parts(schema) {
        add_fields(document, part, depth, fields);
    }
    if let Some(items) = schema.get("items") {
        add_fields(document, items, depth, fields);
    }
    let required = schema["required"].as_array();
    for (name, inner) in object(&schema["properties"]) {
        let held = resolved(document, inner);
        let words = [&inner["description"], &held["description"]]
            .into_iter()
            .find_map(Value::as_str);
        fields.push(Field {
            name: name.clone(),
            depth,
            kind: kind_of(document, inner),
            required: required.is_some_and(|names| names.iter().any(|required| required == name.as_str())),
            words: words.unwrap_or_default().to_owned(),
        });
        add_fields(document, inner, depth + 1, fields);
    }
}

/// The members of a union or an intersection.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    ["allOf", "oneOf", "anyOf"]
        .into_iter()
        .filter_map(|name| schema[name].as_array())
        .flatten()
}

/// What a value is, in a few words: `string, date-time`, `list of object`, `string: high or low`.
fn kind_of(document: &Value, schema: &Value) -> String {
    let schema = resolved(document, schema);
    if let Some(allowed) = schema["enum"].as_array() {
        let allowed: Vec<String> = allowed.iter().map(text).collect();
        return format!("one of {}", allowed.join(", "));
    }
    if let Some(items) = schema.get("items") {
        return format!("list of {}", kind_of(document, items));
    }
    let several: Vec<String> = parts(schema).map(|part| kind_of(document, part)).collect();
    if !several.is_empty() {
        return several.join(" or ");
    }
    let name = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    };
    match schema["format"].as_str() {
        Some(format) => format!("{name}, {format}"),
        None => name,
    }
}

/// Follows a reference to its schema.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"]
        .as_str()
        .and_then(|reference| document.pointer(reference.trim_start_matches('#')))
        .unwrap_or(schema)
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|letter: char| !letter.is_ascii_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "paths": { "/notes/{id}": { "put": {
                "tags": ["Incident notes"],
                "summary": "Change a note.",
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Envelope" } } } },
                "responses": { "200": { "description": "The note", "content": { "application/json": {
                    "schema": { "type": "object", "properties": { "tags": { "type": "array", "items": { "type": "string" } } } }
                } } }, "404": { "description": "There is none" } },
            } } },
            "components": { "schemas": {
                "Envelope": { "type": "object", "required": ["note"], "properties": { "note": { "$ref": "#/components/schemas/Note" } } },
                "Note": { "type": "object", "description": "What was said", "properties": {
                    "at": { "type": "string", "format": "date-time" },
                    "answer_to": { "$ref": "#/components/schemas/Note" },
                } },
            } },
        })
    }

    #[test]
    fn an_operation_is_read_with_its_fields_and_answers() {
        let chapters = chapters(&document());
        assert_eq!(chapters[0].slug, "incident-notes");
        let operation = &chapters[0].operations[0];
        assert_eq!(
            (operation.method.as_str(), operation.anchor.as_str()),
            ("PUT", "put-notes-id")
        );
        assert_eq!(operation.parameters[0].kind, "string in the path");
        let named: Vec<(&str, usize, &str, bool)> = operation
            .body
            .iter()
            .take(3)
            .map(|field| {
                (
                    field.name.as_str(),
                    field.depth,
                    field.kind.as_str(),
                    field.required,
                )
            })
            .collect();
        assert_eq!(
            named,
            [
                ("note", 0, "object", true),
                ("answer_to", 1, "object", false),
                ("answer_to", 2, "object", false),
            ]
        );
        assert_eq!(operation.answers[0].fields[0].kind, "list of string");
        assert!(!operation.open);
    }

    #[test]
    fn what_stands_between_backticks_is_code() {
        let found: Vec<Piece> = pieces("`true` or nothing").collect();
        assert_eq!(
            found,
            [Piece::Words(""), Piece::Code("true"), Piece::Words(" or nothing")]
        );
    }

    #[test]
    fn a_schema_that_holds_itself_comes_to_an_end() {
        let chapters = chapters(&document());
        let deepest = chapters[0].operations[0]
            .body
            .iter()
            .map(|field| field.depth)
            .max();
        assert_eq!(deepest, Some(DEEPEST));
    }
}
