//! Templates that people write, filled without ever costing much.
//!
//! The language is minijinja's with little in it: values, `if`, `for`, and the filters below. What is filled runs
//! within a transaction, so time, memory and length are bounded by what a template may be, before it runs. No text
//! can be kept and doubled, because nothing is assigned (`set`, `with`, `filter` blocks and calls of a loop by itself
//! are not there); `*` repeats texts and is refused, joinings are counted, filters bound what they give back, fuel
//! bounds how often all this happens, and what comes out stops at [`MOST_BYTES`]. Tags are read here as the engine
//! reads them; braces and open brackets, about whose ends the two could differ, are refused.

use std::io::{self, Write};
use std::sync::LazyLock;

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};

/// The longest text that a template, or one of its filters, gives back.
pub const MOST_BYTES: usize = 64 * 1024;

/// The longest text that a filter gives back: what readers are told is shorter.
const FILTER_BYTES: usize = 16 * 1024;

/// Instructions of one rendering.
const FUEL: u64 = 5_000;

/// How often a template may join texts with `~` or `+`.
const JOININGS: usize = 16;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_test("defined", |value: &Value| !value.is_undefined());
    environment.add_test("none", |value: &Value| value.is_none());
    filters::add_to(&mut environment);
    environment
});

/// Fills a template. What is wrong with it, or with what it asks for, is said in words.
pub fn fill(template: &str, context: Value) -> Result<String, String> {
    check(template)?;
    let mut text = Bounded(Vec::new());
    ENVIRONMENT
        .template_from_str(template)
        .and_then(|template| template.render_captured_to(context, &mut text).map(drop))
        .map_err(|error| reason(&error))?;
    String::from_utf8(text.0).map_err(|error| error.to_string())
}

fn reason(error: &Error) -> String {
    let said = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    match (error.kind(), error.line()) {
        (ErrorKind::WriteFailure, _) => "it gives a text that is too long".to_owned(),
        (_, Some(line)) => format!("{said} (line {line})"),
        (_, None) => said,
    }
}

/// Takes so much and no more.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_BYTES {
            return Err(io::Error::other("too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The statements that keep nothing.
const STATEMENTS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];

/// Refuses what could run away, before anything is compiled.
fn check(template: &str) -> Result<(), String> {
    let mut joinings = 0;
    let mut rest = template;
    while let Some(start) = start_of_tag(rest) {
        let kind = rest.as_bytes()[start + 1];
        let inside = &rest[start + 2..];
        rest = if kind == b'#' {
            let end = inside.find("#}").ok_or("a comment is not closed with `#}`")?;
            &inside[end + 2..]
        } else {
            let length = length_of_tag(inside, if kind == b'%' { "%}" } else { "}}" }, &mut joinings)?;
            if kind == b'%' {
                check_statement(&inside[..length])?;
            }
            &inside[length + 2..]
        };
    }
    if joinings > JOININGS {
        return Err(format!("it joins texts more than {JOININGS} times"));
    }
    Ok(())
}

fn start_of_tag(text: &str) -> Option<usize> {
    ["{{", "{%", "{#"]
        .into_iter()
        .filter_map(|start| text.find(start))
        .min()
}

fn check_statement(inside: &str) -> Result<(), String> {
    let inside = inside.trim_start_matches(['-', '+']).trim_start();
    let words = inside.split(|one: char| !one.is_alphanumeric() && one != '_');
    let first = words.clone().next().unwrap_or_default();
    if !STATEMENTS.contains(&first) {
        return Err(format!("`{first}` is not available; there are `if` and `for`"));
    }
    if first == "for" && words.clone().any(|word| word == "recursive") {
        return Err("`recursive` is not available".to_owned());
    }
    Ok(())
}

/// How many bytes stand before the end of a tag; what is quoted does not count.
fn length_of_tag(inside: &str, end: &str, joinings: &mut usize) -> Result<usize, String> {
    let mut quote = None;
    let mut escaped = false;
    let mut open = 0_usize;
    for (position, character) in inside.char_indices() {
        if let Some(closing) = quote {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if character == closing => quote = None,
                _ => (),
            }
            continue;
        }
        if inside[position..].starts_with(end) {
            return if open == 0 {
                Ok(position)
            } else {
                Err("a bracket is not closed".to_owned())
            };
        }
        match character {
            '\'' | '"' => quote = Some(character),
            '*' => return Err("`*` is not available".to_owned()),
            '{' | '}' => return Err("braces are not available within `{{` and `{%`".to_owned()),
            '~' | '+' => *joinings += 1,
            '(' | '[' => open += 1,
            ')' | ']' => {
                open = open
                    .checked_sub(1)
                    .ok_or("a bracket closes that was not opened")?;
            }
            _ => (),
        }
    }
    Err(format!("a tag is not closed with `{end}`"))
}

/// The filters. Each bounds what it gives back.
mod filters {
    use super::{Environment, Error, ErrorKind, FILTER_BYTES, Value};

    pub(super) fn add_to(environment: &mut Environment<'static>) {
        environment.add_filter("default", or_default);
        environment.add_filter("d", or_default);
        environment.add_filter("lower", |text: &str| bounded(text.to_lowercase()));
        environment.add_filter("upper", |text: &str| bounded(text.to_uppercase()));
        environment.add_filter("capitalize", |text: &str| bounded(capital(text)));
        environment.add_filter("trim", |text: &str| bounded(text.trim().to_owned()));
        environment.add_filter("truncate", |text: &str, characters: usize| {
            bounded(text.chars().take(characters).collect())
        });
        environment.add_filter("replace", replace);
        environment.add_filter("join", join);
        environment.add_filter("first", |list: &Value| {
            Ok::<_, Error>(list.try_iter()?.next().unwrap_or(Value::UNDEFINED))
        });
        environment.add_filter("last", |list: &Value| {
            Ok::<_, Error>(list.try_iter()?.last().unwrap_or(Value::UNDEFINED))
        });
        environment.add_filter("length", length);
        environment.add_filter("count", length);
    }

    fn invalid(reason: &'static str) -> Error {
        Error::new(ErrorKind::InvalidOperation, reason)
    }

    fn bounded(text: String) -> Result<String, Error> {
        if text.len() > FILTER_BYTES {
            Err(invalid("a text became too long"))
        } else {
            Ok(text)
        }
    }

    /// For what is missing or empty of a value.
    fn or_default(value: &Value, replacement: &Value) -> Value {
        if value.is_undefined() || value.is_none() {
            replacement.clone()
        } else {
            value.clone()
        }
    }

    fn capital(text: &str) -> String {
        let mut characters = text.chars();
        let first = characters.next().map(char::to_uppercase);
        first.into_iter().flatten().chain(characters).collect()
    }

    fn replace(text: &str, old: &str, new: &str) -> Result<String, Error> {
        if old.is_empty() {
            return Err(invalid("there must be a text to replace"));
        }
        let mut replaced = String::new();
        for (position, part) in text.split(old).enumerate() {
            if position > 0 {
                replaced.push_str(new);
            }
            replaced.push_str(part);
            if replaced.len() > FILTER_BYTES {
                return bounded(replaced);
            }
        }
        Ok(replaced)
    }

    fn join(list: &Value, separator: Option<&str>) -> Result<String, Error> {
        let mut joined = String::new();
        for (position, element) in list.try_iter()?.enumerate() {
            if position > 0 {
                joined.push_str(separator.unwrap_or_default());
            }
            joined.push_str(&element.to_string());
            if joined.len() > FILTER_BYTES {
                return bounded(joined);
            }
        }
        Ok(joined)
    }

    fn length(value: &Value) -> Result<usize, Error> {
        match value.as_str() {
            Some(text) => Ok(text.chars().count()),
            None => value
                .len()
                .ok_or_else(|| invalid("only texts and lists have a length")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn filled(template: &str) -> Result<String, String> {
        fill(
            template,
            context! { symptom => "Cards are refused.", names => ["Leeds", "York"], long => "x".repeat(10_000) },
        )
    }

    #[test]
    fn values_conditions_lists_and_filters_are_there() {
        for (template, expected) in [
            ("* {{ symptom|upper }} *", "* CARDS ARE REFUSED. *"),
            (
                "{% for n in names %}{{ n }}{% if not loop.last %}, {% endif %}{% endfor %}",
                "Leeds, York",
            ),
            ("{{ names|join(' and ') }}{# *set* #}", "Leeds and York"),
            (
                "{{ symptom|replace('Cards', \"* }} cards\") }}",
                "* }} cards are refused.",
            ),
            (
                "{%- if names|length == 2 -%} {{ names[0] ~ '!' }} {%- endif -%}",
                "Leeds!",
            ),
            ("{{ missing|default('nothing') }}", "nothing"),
        ] {
            assert_eq!(filled(template).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn nothing_that_grows_without_bound_is_let_through() {
        let doubling = "{% set x = x ~ x %}".repeat(60);
        let captured = "{% set x %}{{ x }}{{ x }}{% endset %}".repeat(60);
        let joined = format!("{{{{ {} }}}}", vec!["long"; 40].join(" ~ "));
        for template in [
            "{{ symptom|replace('', 'xxxxxxxxxxxxxxxxxxxxxxx')|replace('x', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyy') }}",
            "{{ symptom|replace('e', long)|replace('x', long) }}",
            "{{ long|join(symptom)|join(symptom) }}",
            "{{ 'x' * 1000000 }}",
            "{{ [[1, 2]] * 100000 }}",
            "{{ ('x' }} * 1000000) }}",
            "{{ {'a': {'b': 1}} * 5 }}",
            "{{ 2 ** 100 }}",
            doubling.as_str(),
            captured.as_str(),
            joined.as_str(),
            "{% with y = long ~ long %}{{ y }}{% endwith %}",
            "{% filter upper %}{{ long }}{% endfilter %}",
            "{% raw %}{{ * }}{% endraw %}",
            "{% for n in names recursive %}{{ loop(names) }}{{ loop(names) }}{% endfor %}",
            "{% for n in long %}{{ long }}{% endfor %}",
            "{% for a in long %}{% for b in long %}x{% endfor %}{% endfor %}",
            "{% for n in range(1000000) %}x{% endfor %}",
            "{{ debug() }}",
            "{{ 'x'|format(1) }}",
            "{{ long|indent(4000) }}",
            "{{ symptom",
            "{% if",
        ] {
            let begun = std::time::Instant::now();
            assert!(filled(template).is_err(), "{template}");
            assert!(
                begun.elapsed().as_secs() < 2,
                "{template} took {:?}",
                begun.elapsed()
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_engines_own_words() {
        assert_eq!(filled("{{ nowhere }}").unwrap_err(), "undefined value (line 1)");
        assert_eq!(
            filled("{% set x = 1 %}").unwrap_err(),
            "`set` is not available; there are `if` and `for`"
        );
    }
}
