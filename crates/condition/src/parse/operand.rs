//! The two sides of a comparison: paths, quoted text, numbers, words.

use winnow::stream::{Location, Stream};

use super::{
    Fault, Input, Result,
    lexeme::{digits, expected, peek, skip_blanks, symbol, take, word},
    time,
};
use crate::{
    error::Problem,
    syntax::{KEYWORDS, Operand, Path, RESERVED, Segment, ThresholdKind, starts_identifier},
};

const OPERAND: &[&str] = &[
    "a path",
    "a quoted text",
    "a number",
    "a date",
    "`true`",
    "`false`",
    "`now`",
];

pub(super) fn operand(input: &mut Input<'_, '_>) -> Result<Operand> {
    skip_blanks(input)?;
    match peek(input) {
        Some('\'') => literal_text(input).map(Operand::Text),
        Some(character) if character == '-' || character.is_ascii_digit() => number_or_instant(input),
        Some(character) if starts_identifier(character) => named(input),
        Some('"') => Err(expected(
            input,
            OPERAND,
            Some("Text is written in single quotes."),
        )),
        Some('!') => Err(expected(input, OPERAND, Some("Write `not` for !."))),
        _ => Err(expected(input, OPERAND, None)),
    }
}

fn named(input: &mut Input<'_, '_>) -> Result<Operand> {
    let start = input.checkpoint();
    let offset = input.current_token_start();
    let operand = match word(input)? {
        "true" => Operand::Boolean(true),
        "false" => Operand::Boolean(false),
        "now" => Operand::Now,
        "trigger_count" => Operand::Count(time::threshold(input, ThresholdKind::Sliding)?),
        "resetting_trigger_count" => Operand::Count(time::threshold(input, ThresholdKind::Resetting)?),
        root if KEYWORDS.contains(&root) => {
            let hint = match root {
                "not" => Some("`not` stands before a whole comparison; write not (…) around an inner one."),
                _ => None,
            };
            input.reset(&start);
            return Err(expected(input, OPERAND, hint));
        }
        root if RESERVED.contains(&root) => {
            return Err(Fault::at(
                offset,
                Problem::Reserved {
                    word: root.to_owned(),
                },
            ));
        }
        root => Operand::Path(path(input, root)?),
    };
    Ok(operand)
}

/// A path with its root, where nothing else can stand.
pub(super) fn whole_path(input: &mut Input<'_, '_>) -> Result<Path> {
    let at_start = expected(input, &["a path such as event.summary"], None);
    match operand(input)? {
        Operand::Path(path) => Ok(path),
        _ => Err(at_start),
    }
}

fn path(input: &mut Input<'_, '_>, root: &str) -> Result<Path> {
    let limit = input.state.limits.path_parts;
    let mut segments = Vec::new();
    while let Some(opening @ ('.' | '[')) = peek(input) {
        if segments.len() + 1 >= limit {
            return Err(Fault::at(
                input.current_token_start(),
                Problem::PathTooLong { limit },
            ));
        }
        segments.push(if opening == '.' {
            field(input)?
        } else {
            bracketed(input)?
        });
    }
    Ok(Path {
        root: root.to_owned(),
        segments,
    })
}

fn field(input: &mut Input<'_, '_>) -> Result<Segment> {
    symbol(input, ".")?;
    let offset = input.current_token_start();
    let name = word(input)?;
    if name.is_empty() {
        let hint = "Other field names are written in brackets and quotes: event['a-b'].";
        return Err(expected(input, &["a field name"], Some(hint)));
    }
    if RESERVED.contains(&name) {
        return Err(Fault::at(
            offset,
            Problem::Reserved {
                word: name.to_owned(),
            },
        ));
    }
    Ok(Segment::Key(name.to_owned()))
}

fn bracketed(input: &mut Input<'_, '_>) -> Result<Segment> {
    symbol(input, "[")?;
    let segment = match peek(input) {
        Some('\'') => Segment::Key(literal_text(input)?),
        Some(character) if character.is_ascii_digit() => {
            let offset = input.current_token_start();
            let index = digits(input)?
                .parse()
                .map_err(|_| Fault::at(offset, Problem::NumberTooLarge))?;
            Segment::Index(index)
        }
        _ => {
            return Err(expected(
                input,
                &["a quoted field name", "the number of an element"],
                None,
            ));
        }
    };
    if peek(input) != Some(']') {
        return Err(expected(input, &["`]`"], None));
    }
    symbol(input, "]")?;
    Ok(segment)
}

/// A text in single quotes; only the quote and the backslash are escaped.
pub(super) fn literal_text(input: &mut Input<'_, '_>) -> Result<String> {
    let limit = input.state.limits.text_bytes;
    let opening = input.current_token_start();
    if peek(input) != Some('\'') {
        let hint = (peek(input) == Some('"')).then_some("Text is written in single quotes.");
        return Err(expected(input, &["a quoted text"], hint));
    }
    symbol(input, "'")?;
    let mut text = String::new();
    loop {
        text.push_str(take(input, |character| !matches!(character, '\'' | '\\'))?);
        if text.len() > limit {
            return Err(Fault::at(opening, Problem::TextTooLong { limit }));
        }
        match peek(input) {
            None => return Err(Fault::at(opening, Problem::Unclosed)),
            Some('\'') => {
                symbol(input, "'")?;
                return Ok(text);
            }
            Some(_) => {
                let backslash = input.current_token_start();
                symbol(input, "\\")?;
                match peek(input) {
                    Some('\'') => symbol(input, "'").map(|()| text.push('\''))?,
                    Some('\\') => symbol(input, "\\").map(|()| text.push('\\'))?,
                    _ => return Err(Fault::at(backslash, Problem::BadEscape)),
                }
            }
        }
    }
}

/// Four digits and a dash begin a date; a dash can follow a number in no other place.
fn number_or_instant(input: &mut Input<'_, '_>) -> Result<Operand> {
    let start = input.checkpoint();
    let offset = input.current_token_start();
    let sign = if peek(input) == Some('-') {
        symbol(input, "-")?;
        "-"
    } else {
        ""
    };
    let whole = digits(input)?;
    if whole.is_empty() {
        return Err(expected(input, &["a digit"], None));
    }
    if sign.is_empty() && peek(input) == Some('-') {
        input.reset(&start);
        return time::local_instant(input).map(Operand::Instant);
    }
    let operand = if peek(input) == Some('.') {
        let text = float_text(input, sign, whole)?;
        let value: f64 = text
            .parse()
            .map_err(|_| Fault::at(offset, Problem::NumberTooLarge))?;
        if value.is_infinite() {
            return Err(Fault::at(offset, Problem::NumberTooLarge));
        }
        Operand::Float(value)
    } else {
        let value = format!("{sign}{whole}").parse();
        Operand::Integer(value.map_err(|_| Fault::at(offset, Problem::NumberTooLarge))?)
    };
    if peek(input).is_some_and(|character| starts_identifier(character) || character == '.') {
        let hint = (peek(input) == Some('e')).then_some("A power of ten follows a decimal point: 4.0e10.");
        return Err(expected(input, &["a blank after the number"], hint));
    }
    Ok(operand)
}

fn float_text(input: &mut Input<'_, '_>, sign: &str, whole: &str) -> Result<String> {
    symbol(input, ".")?;
    let fraction = digits(input)?;
    if fraction.is_empty() {
        return Err(expected(input, &["a digit"], None));
    }
    let mut text = format!("{sign}{whole}.{fraction}");
    if peek(input) == Some('e') {
        symbol(input, "e")?;
        text.push('e');
        if let Some(sign @ ('+' | '-')) = peek(input) {
            symbol(input, if sign == '+' { "+" } else { "-" })?;
            text.push(sign);
        }
        let exponent = digits(input)?;
        if exponent.is_empty() {
            return Err(expected(input, &["a digit"], None));
        }
        text.push_str(exponent);
    }
    Ok(text)
}
