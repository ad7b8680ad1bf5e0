//! Formulas: the expressions of minijinja, with nothing in them that could run away.
//!
//! The engine gets fuel, treats missing values as errors, and knows no functions and no filters but the ones
//! here, each of which bounds what it gives back. Fuel counts instructions, not their work, so two more
//! things are refused when a formula is read: `*`, which repeats texts and lists (numbers have the filter
//! `times`), and, over a whole template, more than a few joinings by `~` and `+`.

use std::{
    fmt::{Debug, Formatter},
    sync::{Arc, LazyLock},
};

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, value::Serde};

use crate::{
    scope::Scope,
    syntax::continues_identifier,
    text::{TEXT_BYTES, cut},
};

/// The longest formula that is read.
const FORMULA_BYTES: usize = 512;

/// Instructions of one evaluation; a formula without loops cannot have more than it has bytes.
const FUEL: u64 = 2_000;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_test("defined", |value: &Value| !value.is_undefined());
    filters::add_to(&mut environment);
    environment
});

/// A compiled formula.
#[derive(Clone)]
pub(crate) struct Formula {
    source: String,
    expression: Arc<minijinja::Expression<'static, 'static>>,
    /// The documents that it looks into.
    pub(crate) roots: Vec<String>,
    /// How often it joins texts; each joining may copy all before it.
    pub(crate) joinings: usize,
}

/// The documents in the form that formulas see; made once for all formulas of a template.
pub(crate) struct Context(Value);

impl Context {
    pub(crate) fn new<'r>(scope: &Scope<'_>, roots: impl Iterator<Item = &'r String>) -> Self {
        let documents = roots.filter_map(|root| {
            let document = scope.document(root)?;
            Some((root.as_str(), Value::from(Serde(document))))
        });
        Self(Value::from_pairs(documents))
    }
}

impl Debug for Formula {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Formula").field(&self.source).finish()
    }
}

impl Formula {
    pub(crate) fn compile(source: &str) -> Result<Self, String> {
        if source.is_empty() {
            return Err("the placeholder is empty".to_owned());
        }
        if source.len() > FORMULA_BYTES {
            return Err(format!("the expression is longer than {FORMULA_BYTES} bytes"));
        }
        let joinings = check_pieces(source)?;
        let expression = ENVIRONMENT
            .compile_expression_owned(source.to_owned())
            .map_err(|error| reason(&error))?;
        let roots = expression.undeclared_variables(false).into_iter().collect();
        Ok(Self {
            source: source.to_owned(),
            expression: Arc::new(expression),
            roots,
            joinings,
        })
    }

    /// The result as text, at most 64 KiB of it.
    pub(crate) fn render(&self, context: &Context) -> Result<String, String> {
        let value = self
            .expression
            .eval(context.0.clone())
            .map_err(|error| reason(&error))?;
        if value.is_undefined() {
            return Err("undefined value".to_owned());
        }
        if value.is_none() {
            return Ok(String::new());
        }
        match value.as_str() {
            Some(text) => Ok(cut(text).to_owned()),
            None => filters::as_text(&value).map_err(|error| reason(&error)),
        }
    }
}

/// Refuses the operators whose work is not bounded by the fuel, and filters that do not exist, which the
/// engine would notice only when rendering. Gives the number of joinings. What is quoted does not count.
fn check_pieces(source: &str) -> Result<usize, String> {
    let mut joinings = 0;
    for (position, character) in unquoted(source) {
        match character {
            '*' => return Err("`*` is not available; numbers are multiplied by `times`".to_owned()),
            '~' | '+' => joinings += 1,
            '|' => check_filter(&source[position + 1..])?,
            _ => (),
        }
    }
    Ok(joinings)
}

/// The characters outside of quotes, with their positions.
fn unquoted(source: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    let mut escaped = false;
    source.char_indices().filter(move |(_, character)| {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if *character == '\\' => escaped = true,
            Some(open) if *character == open => quote = None,
            Some(_) => (),
            None if matches!(character, '\'' | '"') => quote = Some(*character),
            None => return true,
        }
        false
    })
}

/// Checks the name that follows a `|`, by asking the engine.
fn check_filter(after: &str) -> Result<(), String> {
    let after = after.trim_start();
    let length = after
        .find(|character| !continues_identifier(character))
        .unwrap_or(after.len());
    let name = &after[..length];
    let probe = ENVIRONMENT.compile_expression_owned(format!("none|{name}"));
    let answer = probe.and_then(|probe| probe.eval(()));
    match answer {
        Err(error) if error.kind() == ErrorKind::UnknownFilter => Err(reason(&error)),
        _ => Ok(()),
    }
}

fn reason(error: &Error) -> String {
    error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned)
}

/// The filters, in the order of the crate's README.
mod filters {
    use super::{Environment, Error, ErrorKind, TEXT_BYTES, Value};
    use crate::text::json_text;

    pub(super) fn add_to(environment: &mut Environment<'static>) {
        environment.add_filter("default", or_default);
        environment.add_filter("lower", |text: &Value| bounded(as_text(text)?.to_lowercase()));
        environment.add_filter("upper", |text: &Value| bounded(as_text(text)?.to_uppercase()));
        environment.add_filter("trim", |text: &Value| {
            Ok::<_, Error>(as_text(text)?.trim().to_owned())
        });
        environment.add_filter("truncate", truncate);
        environment.add_filter("replace", replace);
        environment.add_filter("split", split);
        environment.add_filter("join", join);
        environment.add_filter("first", |list: &Value| edge(list, Edge::First));
        environment.add_filter("last", |list: &Value| edge(list, Edge::Last));
        environment.add_filter("length", length);
        environment.add_filter("json", json);
        environment.add_filter("number", |value: &Value| number(value).map(whole_if_possible));
        environment.add_filter("round", round);
        environment.add_filter("times", |value: &Value, factor: &Value| {
            Ok::<_, Error>(whole_if_possible(number(value)? * number(factor)?))
        });
    }

    fn invalid(reason: &'static str) -> Error {
        Error::new(ErrorKind::InvalidOperation, reason)
    }

    fn bounded(text: String) -> Result<String, Error> {
        if text.len() > TEXT_BYTES {
            Err(invalid("a text became too long"))
        } else {
            Ok(text)
        }
    }

    /// Texts as they are, everything else as JSON, which has no words for numbers that are not finite.
    pub(super) fn as_text(value: &Value) -> Result<String, Error> {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        if value.is_number() && !f64::try_from(value.clone()).is_ok_and(f64::is_finite) {
            return Err(invalid("the number became too large"));
        }
        match value.as_str() {
            Some(text) => bounded(text.to_owned()),
            None => json(value),
        }
    }

    fn json(value: &Value) -> Result<String, Error> {
        let text = json_text(value, TEXT_BYTES + 1);
        bounded(text)
    }

    /// For what is missing or null.
    fn or_default(value: &Value, replacement: &Value) -> Value {
        if value.is_undefined() || value.is_none() {
            replacement.clone()
        } else {
            value.clone()
        }
    }

    fn truncate(text: &Value, characters: usize) -> Result<String, Error> {
        Ok(as_text(text)?.chars().take(characters).collect())
    }

    fn replace(text: &Value, old: &str, new: &str) -> Result<String, Error> {
        let text = as_text(text)?;
        let mut replaced = String::new();
        let mut rest = text.as_str();
        if old.is_empty() {
            return Err(invalid("there must be a text to replace"));
        }
        while let Some((before, after)) = rest.split_once(old) {
            replaced.push_str(before);
            replaced.push_str(new);
            if replaced.len() > TEXT_BYTES {
                return bounded(replaced);
            }
            rest = after;
        }
        replaced.push_str(rest);
        bounded(replaced)
    }

    fn split(text: &Value, separator: &str) -> Result<Vec<String>, Error> {
        if separator.is_empty() {
            return Err(invalid("there must be a text to split at"));
        }
        Ok(as_text(text)?.split(separator).map(str::to_owned).collect())
    }

    fn join(list: &Value, separator: &str) -> Result<String, Error> {
        let mut joined = String::new();
        for (position, element) in list.try_iter()?.enumerate() {
            if position > 0 {
                joined.push_str(separator);
            }
            joined.push_str(&as_text(&element)?);
            if joined.len() > TEXT_BYTES {
                return bounded(joined);
            }
        }
        Ok(joined)
    }

    enum Edge {
        First,
        Last,
    }

    fn edge(list: &Value, edge: Edge) -> Result<Value, Error> {
        if let Some(text) = list.as_str() {
            let character = match edge {
                Edge::First => text.chars().next(),
                Edge::Last => text.chars().next_back(),
            };
            return Ok(character.map_or(Value::UNDEFINED, Value::from));
        }
        let mut elements = list.try_iter()?;
        let element = match edge {
            Edge::First => elements.next(),
            Edge::Last => elements.last(),
        };
        Ok(element.unwrap_or(Value::UNDEFINED))
    }

    fn length(value: &Value) -> Result<usize, Error> {
        if let Some(text) = value.as_str() {
            return Ok(text.chars().count());
        }
        value
            .len()
            .ok_or_else(|| invalid("only texts, lists and objects have a length"))
    }

    fn number(value: &Value) -> Result<f64, Error> {
        let number = match value.as_str() {
            Some(text) => text.trim().parse().ok(),
            None if value.is_number() => f64::try_from(value.clone()).ok(),
            None => None,
        };
        number
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| invalid("that is not a number"))
    }

    fn round(value: &Value, places: Option<u32>) -> Result<Value, Error> {
        let number = number(value)?;
        let places = places.unwrap_or(0).min(15) as i32;
        let scale = 10_f64.powi(places);
        let scaled = (number * scale).round() / scale;
        Ok(whole_if_possible(if scaled.is_finite() {
            scaled
        } else {
            number
        }))
    }

    /// So that 42.0 is shown as 42.
    fn whole_if_possible(number: f64) -> Value {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && number.abs() < EXACT {
            Value::from(number as i64)
        } else {
            Value::from(number)
        }
    }
}
