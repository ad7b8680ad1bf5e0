//! `include[]`: references that are to be shown as the whole resource.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, Object, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::{Problem, Reference};

/// What a caller wants to have expanded. Names that mean nothing here are ignored, as the field's clients
/// expect.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Include {
    /// The plural of a relation, such as `teams`.
    #[serde(rename = "include[]")]
    pub include: Vec<String>,
}

impl Include {
    /// The same, except that this relation stays a reference.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.include.retain(|one| one != name);
        self
    }

    pub fn asks_for(&self, name: &str) -> bool {
        self.include.iter().any(|one| one == name)
    }
}

/// A reference, or the whole resource where `include[]` asked for it.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Expandable {
    Reference(Reference),
    Whole(Value),
}

// A reference is an object as well: "one of" would say that it may not be both.
impl PartialSchema for Expandable {
    fn schema() -> RefOr<Schema> {
        AnyOfBuilder::new()
            .item(Reference::schema())
            .item(Object::new())
            .description(Some(
                "A reference, or the whole resource where include[] asked for it.",
            ))
            .into()
    }
}

impl ToSchema for Expandable {}

impl Expandable {
    pub fn whole(resource: &impl Serialize) -> Result<Self, Problem> {
        serde_json::to_value(resource)
            .map(Self::Whole)
            .map_err(Problem::internal)
    }
}

impl From<Reference> for Expandable {
    fn from(reference: Reference) -> Self {
        Self::Reference(reference)
    }
}
