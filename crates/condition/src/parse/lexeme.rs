//! The smallest pieces: blanks, words, symbols, digits, and the wording of faults.
//!
//! Every character that is consumed goes through [`take`], which is where steps are counted.

use winnow::{
    Parser,
    stream::{Location, Stream},
    token::{literal, take_while},
};

use super::{Fault, Input, Result};
use crate::{
    error::{Problem, printable},
    syntax::{continues_identifier, starts_identifier},
};

/// Consumes all characters that are accepted, possibly none.
pub(super) fn take<'s>(input: &mut Input<'s, '_>, accept: impl Fn(char) -> bool) -> Result<&'s str> {
    let text: &str = take_while(0.., accept).parse_next(input)?;
    input.state.steps += text.len() as u64 + 1;
    Ok(text)
}

pub(super) fn skip_blanks(input: &mut Input<'_, '_>) -> Result<()> {
    take(input, |character| matches!(character, ' ' | '\t' | '\r' | '\n')).map(|_| ())
}

pub(super) fn peek(input: &Input<'_, '_>) -> Option<char> {
    input.peek_token()
}

/// Consumes an identifier; empty where none begins.
pub(super) fn word<'s>(input: &mut Input<'s, '_>) -> Result<&'s str> {
    if peek(input).is_some_and(starts_identifier) {
        take(input, continues_identifier)
    } else {
        Ok("")
    }
}

/// Whether exactly this word comes next, without consuming it.
pub(super) fn word_is(input: &Input<'_, '_>, expected: &str) -> bool {
    input
        .peek_finish()
        .strip_prefix(expected)
        .is_some_and(|rest| !rest.starts_with(continues_identifier))
}

pub(super) fn symbol(input: &mut Input<'_, '_>, text: &'static str) -> Result<()> {
    input.state.steps += text.len() as u64;
    literal(text).void().parse_next(input)
}

pub(super) fn digits<'s>(input: &mut Input<'s, '_>) -> Result<&'s str> {
    take(input, |character| character.is_ascii_digit())
}

/// The fault "expected …, found …" at the present place.
pub(super) fn expected(
    input: &Input<'_, '_>,
    expected: &'static [&'static str],
    hint: Option<&'static str>,
) -> Fault {
    let problem = Problem::Expected {
        expected,
        found: found(input),
        hint,
    };
    Fault::at(input.current_token_start(), problem)
}

/// What stands at the present place, short enough for a message.
pub(super) fn found(input: &Input<'_, '_>) -> String {
    const SHOWN: usize = 20;
    let rest = input.peek_finish();
    let Some(first) = rest.chars().next() else {
        return "the end".to_owned();
    };
    if first != ' ' && printable(first) == ' ' {
        return "an invisible character".to_owned();
    }
    let length = if continues_identifier(first) {
        rest.chars()
            .take(SHOWN + 1)
            .take_while(|character| continues_identifier(*character))
            .count()
    } else {
        1
    };
    let shown: String = rest.chars().take(length.min(SHOWN)).collect();
    if length > SHOWN {
        format!("`{shown}…`")
    } else {
        format!("`{shown}`")
    }
}
