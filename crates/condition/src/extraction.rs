//! What orchestration takes out of an event: by a regular expression on one field, or by a template.
//!
//! The two forms of the reference's `extractions`, of its `variables` and of `dynamic_route_to`, behind one
//! interface. Where the result is put is the caller's business; [`Path::assign`] helps.

use std::borrow::Cow;

use serde_json::Value;

use crate::{
    budget::Budget,
    error::SyntaxError,
    pattern::{Pattern, PatternError},
    scope::Scope,
    syntax::Path,
    template::{RenderError, Template, TemplateError},
    text::{TEXT_BYTES, cut, json_text},
};

/// Something to take out of an event.
///
/// ```
/// use condition::{Extraction, Scope};
/// use serde_json::json;
///
/// let event = json!({"summary": "Disk full on db-7", "custom_details": {"used": "97%"}});
/// let scope = Scope::at("2026-11-22T05:00:00Z".parse()?).with("event", &event);
///
/// let host = Extraction::capture("event.summary", r"on (\S+)$")?;
/// assert_eq!(host.extract(&scope)?, Some("db-7".to_owned()));
///
/// let text = Extraction::template("{{event.summary}} ({{event.custom_details.used}} used)")?;
/// assert_eq!(text.extract(&scope)?, Some("Disk full on db-7 (97% used)".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub enum Extraction {
    /// Groups of a regular expression.
    Capture(Capture),
    /// A text with placeholders.
    Template(Template),
}

/// A regular expression applied to the value at a path.
#[derive(Clone, Debug)]
pub struct Capture {
    source: Path,
    pattern: Pattern,
}

/// Why an extraction cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtractionError {
    /// The source is not a path.
    #[error("the source is not a path: {0}")]
    Source(#[from] SyntaxError),
    /// The pattern is not a regular expression.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// The text is not a template.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl Extraction {
    /// Takes the groups of a regular expression (RE2), joined, or its whole match where it has no groups.
    ///
    /// # Errors
    /// [`ExtractionError::Source`] where `source` is not a path, [`ExtractionError::Pattern`] where `regex` is not a
    /// regular expression, or one that is too large.
    pub fn capture(source: &str, regex: &str) -> Result<Self, ExtractionError> {
        Ok(Self::Capture(Capture::new(
            source.parse()?,
            Pattern::compile(regex)?,
        )))
    }

    /// Fills the placeholders of a template.
    ///
    /// # Errors
    /// [`ExtractionError::Template`] where [`Template::parse`] refuses the text.
    pub fn template(template: &str) -> Result<Self, ExtractionError> {
        Ok(Self::Template(Template::parse(template)?))
    }

    /// What the extraction gives. `None` means that there is nothing to put anywhere: the source is missing
    /// or null, or the regular expression does not match it. At most 64 KiB of text.
    ///
    /// # Errors
    /// Only a template fails, as [`Template::render`] says; a capture never does.
    pub fn extract(&self, scope: &Scope<'_>) -> Result<Option<String>, RenderError> {
        match self {
            Self::Capture(capture) => Ok(capture.extract(scope)),
            Self::Template(template) => template.render(scope).map(|rendered| Some(rendered.text)),
        }
    }

    /// The same, on the account of a budget; nothing where that does not last, or did not before.
    ///
    /// # Errors
    /// As [`Extraction::extract`].
    pub fn extract_within(
        &self,
        scope: &Scope<'_>,
        budget: &mut Budget,
    ) -> Result<Option<String>, RenderError> {
        match self {
            Self::Capture(capture) => Ok(capture.extract_within(scope, budget)),
            Self::Template(template) => Ok(template
                .render_within(scope, budget)?
                .map(|rendered| rendered.text)),
        }
    }
}

impl Capture {
    /// Applies `pattern` to the value at `source`.
    pub fn new(source: Path, pattern: Pattern) -> Self {
        Self { source, pattern }
    }

    /// What the pattern takes out of the value at the path, of which it sees the first 64 KiB as text.
    pub fn extract(&self, scope: &Scope<'_>) -> Option<String> {
        self.pattern.capture(&self.text(scope)?)
    }

    fn extract_within(&self, scope: &Scope<'_>, budget: &mut Budget) -> Option<String> {
        let text = self.text(scope)?;
        budget
            .take(text.len() as u64, self.pattern.capture_work(&text))
            .then(|| self.pattern.capture(&text))
            .flatten()
    }

    fn text<'s>(&self, scope: &Scope<'s>) -> Option<Cow<'s, str>> {
        match scope.look_up(&self.source)? {
            Value::Null => None,
            Value::String(text) => Some(Cow::Borrowed(cut(text))),
            other => Some(Cow::Owned(json_text(other, TEXT_BYTES))),
        }
    }
}
