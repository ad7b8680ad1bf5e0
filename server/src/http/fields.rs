//! From a JSON value into a type, and what is said when it does not fit.
//!
//! Two things differ from what the JSON library does by itself. Where a type has named fields, only an object will do: a list
//! in their order is a mistake of the sender, and is refused. And a mistake is said in the words of the sender: the path of the
//! field, and what belongs there; nothing of how the program is built.

use std::fmt::{self, Display};

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Value;

/// Reads a value into a type. The fault names the field by its path, such as `incident.service.id`.
pub fn read<'v, T: Deserialize<'v>>(value: &'v Value) -> Result<T, Fault> {
    let place = Place {
        value,
        path: &Path::Root,
    };
    T::deserialize(place)
}

/// What does not fit, and where.
#[derive(Debug)]
pub struct Fault {
    path: Option<String>,
    words: String,
}

impl Fault {
    fn new(words: impl Into<String>) -> Self {
        Self {
            path: None,
            words: words.into(),
        }
    }

    /// The innermost place is where it went wrong; those around it add nothing.
    fn at(mut self, path: &Path) -> Self {
        if self.path.is_none() {
            self.path = Some(path.to_string());
        }
        self
    }

    fn of_field(field: &str, words: &str) -> Self {
        let mut fault = Self::new(words);
        fault.path = Some(field.to_owned());
        fault
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.path.as_deref() {
            None | Some("") => write!(f, "The body {}.", self.words),
            Some(path) => write!(f, "{path} {}.", self.words),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<M: Display>(message: M) -> Self {
        let message = message.to_string();
        if message.starts_with("data did not match any variant") {
            Self::new("has a form that is not understood here")
        } else {
            Self::new(format!("does not fit: {}", message.trim_end_matches('.')))
        }
    }

    fn invalid_type(_: Unexpected, expected: &dyn Expected) -> Self {
        Self::new(format!("must be {}", in_plain_words(&expected.to_string())))
    }

    fn invalid_value(_: Unexpected, expected: &dyn Expected) -> Self {
        Self::new(format!("must be {}", in_plain_words(&expected.to_string())))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let wanted = in_plain_words(&expected.to_string());
        Self::new(format!("holds {length} values and must be {wanted}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("must be {}", one_of(expected)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of_field(field, "is missing")
    }
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => "left out".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// What a type of the program is in JSON.
fn in_plain_words(expected: &str) -> String {
    let first = expected.split_whitespace().next().unwrap_or_default();
    let words = match first {
        "struct" | "map" | "internally" | "adjacently" => "a JSON object",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "integer" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number, zero or more",
        "f32" | "f64" => "a number",
        "tuple" | "sequence" => "a list",
        "string" | "enum" | "variant" => "a text",
        "a" | "an" => match expected.split_whitespace().nth(1).unwrap_or_default() {
            "string" | "character" => "a text",
            "sequence" => "a list",
            "map" => "a JSON object",
            "boolean" => "true or false",
            _ => return expected.to_owned(),
        },
        _ => return expected.to_owned(),
    };
    words.to_owned()
}

/// Where a value stands in the body.
enum Path<'p> {
    Root,
    Field(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Path::Root, name) => f.write_str(name),
            Self::Field(before, name) => write!(f, "{before}.{name}"),
            Self::Item(before, index) => write!(f, "{before}[{index}]"),
        }
    }
}

/// One value and its place.
struct Place<'v, 'p> {
    value: &'v Value,
    path: &'p Path<'p>,
}

impl<'v> Place<'v, '_> {
    fn visit<V: Visitor<'v>>(&self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            Value::Number(number) => {
                if let Some(number) = number.as_u64() {
                    visitor.visit_u64(number)
                } else if let Some(number) = number.as_i64() {
                    visitor.visit_i64(number)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or_default())
                }
            }
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items {
                items: items.iter().enumerate(),
                path: self.path,
            }),
            Value::Object(fields) => visitor.visit_map(Fields {
                fields: fields.iter(),
                value: None,
                path: self.path,
            }),
        }
    }

    /// A field that is missing is named after the object in which it is missed.
    fn missing_within(&self, mut fault: Fault) -> Fault {
        if fault.words == "is missing"
            && let Some(field) = &fault.path
            && !field.contains('.')
            && !matches!(self.path, Path::Root)
        {
            fault.path = Some(format!("{}.{field}", self.path));
        }
        fault.at(self.path)
    }
}

impl<'v> Deserializer<'v> for Place<'v, '_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor).map_err(|fault| fault.at(self.path))
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if !self.value.is_object() {
            return Err(Fault::new("must be a JSON object").at(self.path));
        }
        self.visit(visitor).map_err(|fault| self.missing_within(fault))
    }

    fn deserialize_enum<V: Visitor<'v>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            Value::String(text) => visitor.visit_enum(BorrowedStrDeserializer::<Fault>::new(text)),
            Value::Object(_) => self
                .value
                .deserialize_enum(name, variants, visitor)
                .map_err(de::Error::custom),
            _ => Err(Fault::new(format!("must be {}", one_of(variants)))),
        }
        .map_err(|fault| fault.at(self.path))
    }

    forward_to_deserialize_any! {
        <V: Visitor<'v>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Items<'v, 'p> {
    items: std::iter::Enumerate<std::slice::Iter<'v, Value>>,
    path: &'p Path<'p>,
}

impl<'v> SeqAccess<'v> for Items<'v, '_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((index, value)) = self.items.next() else {
            return Ok(None);
        };
        let path = Path::Item(self.path, index);
        let place = Place { value, path: &path };
        seed.deserialize(place).map(Some).map_err(|fault| fault.at(&path))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Fields<'v, 'p> {
    fields: serde_json::map::Iter<'v>,
    value: Option<(&'v str, &'v Value)>,
    path: &'p Path<'p>,
}

impl<'v> MapAccess<'v> for Fields<'v, '_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some((name, value)) = self.fields.next() else {
            return Ok(None);
        };
        self.value = Some((name, value));
        let name = BorrowedStrDeserializer::<Fault>::new(name);
        seed.deserialize(name)
            .map(Some)
            .map_err(|fault| fault.at(self.path))
    }

    fn next_value_seed<S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (name, value) = self.value.take().ok_or_else(|| Fault::new("could not be read"))?;
        let path = Path::Field(self.path, name);
        let place = Place { value, path: &path };
        seed.deserialize(place).map_err(|fault| fault.at(&path))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.fields.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Body {
        incident: Incident,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Incident {
        title: String,
        urgency: Option<Urgency>,
        level: Option<u32>,
        #[serde(default)]
        people: Vec<Person>,
        priority: Option<Priority>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Person {
        id: String,
        present: Option<bool>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Urgency {
        High,
        Low,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Priority {
        Name(String),
        Reference(Person),
    }

    fn fault(body: Value) -> String {
        read::<Body>(&body).unwrap_err().to_string()
    }

    #[test]
    fn what_fits_is_read_and_unknown_fields_are_passed_over() {
        let body = json!({ "unknown": [1], "incident": {
            "title": "Tills are silent", "urgency": "high", "level": 2, "summary": {},
            "people": [{ "id": "P1", "present": true }, { "id": "P2" }], "priority": "P1",
        } });
        let incident = read::<Body>(&body).unwrap().incident;
        assert_eq!(
            (incident.title.as_str(), incident.urgency, incident.level),
            ("Tills are silent", Some(Urgency::High), Some(2))
        );
        assert_eq!(incident.people.len(), 2);
        assert_eq!(incident.priority, Some(Priority::Name("P1".to_owned())));
    }

    #[test]
    fn every_mistake_is_named_by_its_path_and_in_plain_words() {
        let title = "x";
        for (body, words) in [
            (json!([{ "title": title }]), "The body must be a JSON object."),
            (json!("x"), "The body must be a JSON object."),
            (json!({}), "incident is missing."),
            (json!({ "incident": [title] }), "incident must be a JSON object."),
            (json!({ "incident": null }), "incident must be a JSON object."),
            (json!({ "incident": {} }), "incident.title is missing."),
            (
                json!({ "incident": { "title": 7 } }),
                "incident.title must be a text.",
            ),
            (
                json!({ "incident": { "title": title, "urgency": "huge" } }),
                "incident.urgency must be high or low.",
            ),
            (
                json!({ "incident": { "title": title, "urgency": 3 } }),
                "incident.urgency must be high or low.",
            ),
            (
                json!({ "incident": { "title": title, "level": -1 } }),
                "incident.level must be a whole number, zero or more.",
            ),
            (
                json!({ "incident": { "title": title, "people": {} } }),
                "incident.people must be a list.",
            ),
            (
                json!({ "incident": { "title": title, "people": [{ "id": "P1" }, {}] } }),
                "incident.people[1].id is missing.",
            ),
            (
                json!({ "incident": { "title": title, "people": [["P1"]] } }),
                "incident.people[0] must be a JSON object.",
            ),
            (
                json!({ "incident": { "title": title, "people": [{ "id": "P1", "present": "yes" }] } }),
                "incident.people[0].present must be true or false.",
            ),
            (
                json!({ "incident": { "title": title, "priority": 1 } }),
                "incident.priority has a form that is not understood here.",
            ),
        ] {
            assert_eq!(fault(body.clone()), words, "{body}");
        }
    }
}
