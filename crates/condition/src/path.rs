//! Paths by themselves: read from text, and used to put a value in its place.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::{
    condition::Settings,
    error::SyntaxError,
    parse::parse_path,
    syntax::{Path, Segment},
};

/// Why a value cannot be put at a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be put at `{path}`: `{obstacle}` is {kind}")]
pub struct AssignError {
    /// The whole path, as written.
    pub path: String,
    /// The part of the path that leads to what is in the way.
    pub obstacle: String,
    kind: &'static str,
}

impl FromStr for Path {
    type Err = SyntaxError;

    fn from_str(source: &str) -> Result<Self, SyntaxError> {
        parse_path(source, &Settings::default())
    }
}

impl Path {
    /// A path of parts that need not be written the way the language writes them.
    ///
    /// ```
    /// use condition::{Path, Segment};
    ///
    /// let path = Path::new("event", vec![Segment::Key("disk usage".to_owned()), Segment::Index(0)])?;
    /// assert_eq!(path.to_string(), "event['disk usage'][0]");
    /// # Ok::<(), condition::SyntaxError>(())
    /// ```
    ///
    /// # Errors
    /// A root that is not a plain word, or a whole beyond the default [`Limits`](crate::Limits); the error points into
    /// the printed form.
    pub fn new(root: &str, segments: Vec<Segment>) -> Result<Self, SyntaxError> {
        let path = Self {
            root: root.to_owned(),
            segments,
        };
        let read: Self = path.to_string().parse()?;
        if read == path {
            Ok(path)
        } else {
            Err(SyntaxError::not_a_word(root))
        }
    }

    /// The document that the path looks into, such as `event` or `raw_event`.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The steps from the root of the document to the value; empty for the document itself.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Puts a value at the path within its document, as the target of an extraction asks for.
    ///
    /// Objects that are missing on the way are made, also in the place of null; an element of a list must be
    /// there already. The root is not looked at: which document is meant is the caller's business.
    ///
    /// # Errors
    /// What is in the way, by the part of the path that leads to it; the document is left as it was.
    ///
    /// ```
    /// use condition::Path;
    /// use serde_json::json;
    ///
    /// let target: Path = "event.custom_details.host".parse()?;
    /// let mut event = json!({"summary": "Disk full on db-7"});
    /// target.assign(&mut event, json!("db-7"))?;
    /// assert_eq!(event, json!({"summary": "Disk full on db-7", "custom_details": {"host": "db-7"}}));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn assign(&self, document: &mut Value, value: Value) -> Result<(), AssignError> {
        self.check_assignable(document)?;
        let mut place = document;
        for segment in &self.segments {
            place = match segment {
                Segment::Key(key) => {
                    if place.is_null() {
                        *place = Value::Object(Map::new());
                    }
                    match place {
                        Value::Object(members) => members.entry(key).or_insert(Value::Null),
                        _ => return Ok(()),
                    }
                }
                Segment::Index(index) => match place.get_mut(*index as usize) {
                    Some(element) => element,
                    None => return Ok(()),
                },
            };
        }
        *place = value;
        Ok(())
    }

    fn check_assignable(&self, document: &Value) -> Result<(), AssignError> {
        let mut place = Some(document);
        for (position, segment) in self.segments.iter().enumerate() {
            let found = place.unwrap_or(&Value::Null);
            let fits = match (segment, found) {
                (Segment::Key(_), Value::Object(_) | Value::Null) => true,
                (Segment::Index(index), Value::Array(elements)) => (*index as usize) < elements.len(),
                _ => false,
            };
            if !fits {
                let obstacle = Self {
                    root: self.root.clone(),
                    segments: self.segments[..position].to_vec(),
                };
                return Err(AssignError {
                    path: self.to_string(),
                    obstacle: obstacle.to_string(),
                    kind: kind(found),
                });
            }
            place = match segment {
                Segment::Key(key) => found.get(key),
                Segment::Index(index) => found.get(*index as usize),
            };
        }
        Ok(())
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "not there",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list without this element",
        Value::Object(_) => "an object",
    }
}
