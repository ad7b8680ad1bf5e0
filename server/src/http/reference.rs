//! How one thing points at another: the five keys every resource of the dialect begins with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::vault::Vault;

/// A pointer to another resource; `type` ends in `_reference`. Where `include[]` asked for it, the whole resource stands here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reference {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub summary: Option<String>,
    #[serde(rename = "self")]
    pub api_url: Option<String>,
    pub html_url: Option<String>,
}

/// What every whole resource begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Head {
    pub id: String,
    /// What kind of resource it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name, for people.
    pub summary: Option<String>,
    /// Where the API has it; null for what has no address of its own.
    #[serde(rename = "self")]
    pub api_url: Option<String>,
    /// Where people look at it; null for what has no page.
    pub html_url: Option<String>,
}

impl From<Reference> for Head {
    fn from(reference: Reference) -> Self {
        let Reference {
            id,
            kind,
            summary,
            api_url,
            html_url,
        } = reference;
        Self {
            id,
            kind,
            summary,
            api_url,
            html_url,
        }
    }
}

impl Reference {
    /// The same as a pointer: its type ends in `_reference`.
    #[must_use]
    pub fn as_reference(&self) -> Self {
        let mut reference = self.clone();
        if !reference.kind.ends_with("_reference") {
            reference.kind.push_str("_reference");
        }
        reference
    }
}

/// What a caller sends to point at something: `x` and `x_reference` are both understood as the type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
pub struct ReferenceInput {
    pub id: String,
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
}

impl ReferenceInput {
    /// The type without its `_reference`.
    pub fn plain_kind(&self) -> &str {
        let kind = self.kind.as_deref().unwrap_or_default();
        kind.strip_suffix("_reference").unwrap_or(kind)
    }
}

/// What an answer needs to know of this Muster: where it is reached, for the links in answers, mails and pages, and
/// with what the sealed words that it may show are opened.
#[derive(Debug, Clone)]
pub struct Site {
    base_url: String,
    html_base_url: String,
    vault: Vault,
}

impl Site {
    /// `html_base_url` differs where a client insists on a certain shape of `html_url`.
    pub fn new(base_url: &str, html_base_url: Option<&str>) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        let html_base_url = html_base_url.map_or_else(
            || format!("{base_url}/console"),
            |url| url.trim_end_matches('/').to_owned(),
        );
        Self {
            base_url,
            html_base_url,
            vault: Vault::default(),
        }
    }

    /// The same, able to show what was sealed.
    #[must_use]
    pub fn showing_with(mut self, vault: Vault) -> Self {
        self.vault = vault;
        self
    }

    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// An absolute address: `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// `self` of a resource: `collection` is its path in the API, such as `services`.
    pub fn api_url(&self, collection: &str, id: &str) -> String {
        format!("{}/{collection}/{id}", self.base_url)
    }

    /// The page of an incident, for links that people follow. `html_url` may have another shape for programs.
    pub fn room_url(&self, incident_id: &str) -> String {
        self.url(&format!("/console/incidents/{incident_id}"))
    }

    pub fn html_url(&self, collection: &str, id: &str) -> String {
        format!("{}/{collection}/{id}", self.html_base_url)
    }

    /// The five keys that a whole resource begins with.
    pub fn resource(
        &self,
        kind: &str,
        collection: &str,
        id: impl AsRef<str>,
        summary: impl Into<String>,
    ) -> Reference {
        let mut head = self.reference(kind, collection, id, summary);
        kind.clone_into(&mut head.kind);
        head
    }

    /// The five keys of a resource that has no page of its own.
    pub fn part(
        &self,
        kind: &str,
        collection: &str,
        id: impl AsRef<str>,
        summary: impl Into<String>,
    ) -> Reference {
        Reference {
            html_url: None,
            ..self.resource(kind, collection, id, summary)
        }
    }

    /// A reference to an integration, which stands below its service.
    pub fn integration(&self, id: &str, service_id: &str, name: impl Into<String>) -> Reference {
        let path = format!("services/{service_id}/integrations");
        Reference {
            html_url: Some(self.html_url("services", service_id)),
            ..self.reference("integration", &path, id, name)
        }
    }

    /// A reference to a resource that has a page of its own. `kind` is without `_reference`.
    pub fn reference(
        &self,
        kind: &str,
        collection: &str,
        id: impl AsRef<str>,
        summary: impl Into<String>,
    ) -> Reference {
        let id = id.as_ref();
        Reference {
            id: id.to_owned(),
            kind: format!("{kind}_reference"),
            summary: Some(summary.into()),
            api_url: Some(self.api_url(collection, id)),
            html_url: Some(self.html_url(collection, id)),
        }
    }
}
