//! Templates: text with placeholders, such as `Disk full on {{variables.host}}`.
//!
//! A placeholder is a path, or an expression in the language of minijinja, such as
//! `{{ event.custom_details.host | default('unknown') | upper }}`. A path that leads nowhere gives nothing,
//! as with the reference; within an expression a missing value is an error unless `default` provides for it.
//! Everything outside of `{{` and `}}` is plain text.
//!
//! There are no statements, so a template has no loops and keeps no values; sizes are bounded, so rendering
//! is bounded too.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    budget::Budget,
    expression::{Context, Formula},
    scope::Scope,
    syntax::Path,
    text::{TEXT_BYTES, json_text},
};

/// The longest template that is read.
const TEMPLATE_BYTES: usize = 16 * 1024;

/// The most placeholders of a template.
const PLACEHOLDERS: usize = 64;

/// How many of them may be expressions.
const FORMULAS: usize = 16;

/// How often the expressions of a template may join texts.
const JOININGS: usize = 32;

/// What an expression counts for in a budget. Its fuel is bounded, whatever it says.
const FORMULA_STEPS: u64 = 20_000;

/// Text with placeholders.
///
/// ```
/// use condition::{Scope, Template};
/// use serde_json::json;
///
/// let variables = json!({"host": "db-7"});
/// let scope = Scope::at("2026-11-22T05:00:00Z".parse()?).with("variables", &variables);
/// let template = Template::parse("Disk full on {{variables.host | upper}}{{event.place}}")?;
/// let rendered = template.render(&scope)?;
/// assert_eq!(rendered.text, "Disk full on DB-7");
/// assert_eq!(rendered.missing, ["event.place".parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
    /// The documents that expressions look into.
    roots: BTreeSet<String>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Path(Path),
    Formula { offset: usize, formula: Formula },
}

/// Why a text is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset} of the template: {reason}")]
pub struct TemplateError {
    /// The place in bytes from the start of the template.
    pub offset: usize,
    /// What is wrong, in words.
    pub reason: String,
}

/// Why a template gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the placeholder at byte {offset} of the template cannot be filled: {reason}")]
pub struct RenderError {
    /// The place of the placeholder in bytes from the start of the template.
    pub offset: usize,
    /// What is wrong, in words.
    pub reason: String,
}

/// What a template gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// At most 64 KiB; the rest is cut off.
    pub text: String,
    /// The paths that led nowhere and gave nothing.
    pub missing: Vec<Path>,
}

impl Template {
    /// Reads a template of at most 16 KiB, with at most 64 placeholders, of which at most 16 are expressions.
    ///
    /// # Errors
    /// The first placeholder that is not closed, is neither a path nor an expression, or is one too many, with its
    /// place.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if source.len() > TEMPLATE_BYTES {
            let reason = format!("it is longer than {TEMPLATE_BYTES} bytes");
            return Err(TemplateError {
                offset: TEMPLATE_BYTES,
                reason,
            });
        }
        let mut parts = Vec::new();
        let mut placeholders = 0;
        let mut position = 0;
        while let Some(opening) = source[position..].find("{{").map(|found| position + found) {
            if opening > position {
                parts.push(Part::Text(source[position..opening].to_owned()));
            }
            let start = opening + 2;
            let Some(length) = placeholder_length(&source[start..]) else {
                return Err(TemplateError {
                    offset: opening,
                    reason: "`{{` is not closed".to_owned(),
                });
            };
            placeholders += 1;
            if placeholders > PLACEHOLDERS {
                let reason = format!("it has more than {PLACEHOLDERS} placeholders");
                return Err(TemplateError {
                    offset: opening,
                    reason,
                });
            }
            parts.push(placeholder(opening, &source[start..start + length])?);
            position = start + length + 2;
        }
        if position < source.len() {
            parts.push(Part::Text(source[position..].to_owned()));
        }
        let roots = check_formulas(&parts)?;
        Ok(Self {
            source: source.to_owned(),
            parts,
            roots,
        })
    }

    /// The text as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The paths that stand in placeholders by themselves, in the order of the text.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().filter_map(|part| match part {
            Part::Path(path) => Some(path),
            Part::Text(_) | Part::Formula { .. } => None,
        })
    }

    /// The first words of the paths that stand in expressions.
    pub fn roots_of_expressions(&self) -> impl Iterator<Item = &str> {
        self.roots.iter().map(String::as_str)
    }

    /// Fills the placeholders on the account of a budget; nothing where that does not last.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn render_within(
        &self,
        scope: &Scope<'_>,
        budget: &mut Budget,
    ) -> Result<Option<Rendered>, RenderError> {
        let formulas = self
            .parts
            .iter()
            .filter(|part| matches!(part, Part::Formula { .. }));
        if !budget.take(
            self.source.len() as u64 + FORMULA_STEPS * formulas.count() as u64,
            0,
        ) {
            return Ok(None);
        }
        let rendered = self.render(scope)?;
        Ok(budget.take(rendered.text.len() as u64, 0).then_some(rendered))
    }

    /// Fills the placeholders. Texts are inserted as they are, lists and objects as JSON, null as nothing.
    ///
    /// # Errors
    /// The first expression that cannot be evaluated, with its place: it uses a value that is not there, of a sort that
    /// it does not take, or grows beyond 64 KiB. Paths by themselves never fail.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Rendered, RenderError> {
        let context = Context::new(scope, self.roots.iter());
        let mut rendered = Rendered {
            text: String::new(),
            missing: Vec::new(),
        };
        for part in &self.parts {
            match part {
                Part::Text(text) => rendered.text.push_str(text),
                Part::Path(path) => match scope.look_up(path) {
                    Some(value) => push_value(&mut rendered.text, value),
                    None => rendered.missing.push(path.clone()),
                },
                Part::Formula { offset, formula } => {
                    let text = formula.render(&context).map_err(|reason| RenderError {
                        offset: *offset,
                        reason,
                    })?;
                    rendered.text.push_str(&text);
                }
            }
            if rendered.text.len() > TEXT_BYTES {
                rendered
                    .text
                    .truncate(rendered.text.floor_char_boundary(TEXT_BYTES));
                break;
            }
        }
        Ok(rendered)
    }
}

/// Holds the expressions to what they may do together, and gives the documents that they look into.
fn check_formulas(parts: &[Part]) -> Result<BTreeSet<String>, TemplateError> {
    let mut roots = BTreeSet::new();
    let mut formulas = 0;
    let mut joinings = 0;
    for part in parts {
        let Part::Formula { offset, formula } = part else {
            continue;
        };
        formulas += 1;
        joinings += formula.joinings;
        let reason = if formulas > FORMULAS {
            format!("it has more than {FORMULAS} expressions")
        } else if joinings > JOININGS {
            format!("it joins texts more than {JOININGS} times")
        } else {
            roots.extend(formula.roots.iter().cloned());
            continue;
        };
        return Err(TemplateError {
            offset: *offset,
            reason,
        });
    }
    Ok(roots)
}

/// How many bytes stand before the `}}` that closes a placeholder; those within quotes do not count.
fn placeholder_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quote = None;
    let mut position = 0;
    while position < bytes.len() {
        let byte = bytes[position];
        match quote {
            None if bytes[position..].starts_with(b"}}") => return Some(position),
            None if matches!(byte, b'\'' | b'"') => quote = Some(byte),
            Some(_) if byte == b'\\' => position += 1,
            Some(open) if byte == open => quote = None,
            _ => (),
        }
        position += 1;
    }
    None
}

fn placeholder(offset: usize, content: &str) -> Result<Part, TemplateError> {
    let content = content.trim();
    if let Ok(path) = content.parse() {
        return Ok(Part::Path(path));
    }
    let formula = Formula::compile(content).map_err(|reason| TemplateError { offset, reason })?;
    Ok(Part::Formula { offset, formula })
}

fn push_value(text: &mut String, value: &Value) {
    match value {
        Value::Null => (),
        Value::String(inserted) => text.push_str(inserted),
        other => text.push_str(&json_text(other, TEXT_BYTES)),
    }
}
