//! From text to syntax tree.
//!
//! A recursive descent over winnow's located input. The next character or word always decides what comes
//! next, so nothing is read twice after a wrong guess and reading is linear; recursion happens only at a
//! parenthesis, whose depth is limited. The first fault ends the parse and carries the place and what could
//! have stood there.
//!
//! ```text
//! expression = all { "or" all }
//! all        = negation { "and" negation }
//! negation   = [ "not" ] factor
//! factor     = "(" expression ")" | comparison
//! ```

mod lexeme;
mod operand;
mod time;

use std::ops::Range;

use jiff::tz::TimeZoneDatabase;
use winnow::{
    error::ParserError,
    stream::{LocatingSlice, Location, Stateful, Stream},
};

use self::{
    lexeme::{expected, found, peek, skip_blanks, symbol, word, word_is},
    operand::{literal_text, operand, whole_path},
};
use crate::{
    condition::{Limits, Settings},
    error::{Problem, SyntaxError},
    pattern::{Pattern, TOGETHER},
    syntax::{Case, Comparison, Expression, MatchKind, Operand, Path},
};

/// What half of a thread's usual stack of 2 MiB bears in a build without optimisation, whatever the limits say.
const DEEPEST: usize = 64;

pub(crate) type Input<'s, 'c> = Stateful<LocatingSlice<&'s str>, Progress<'c>>;

/// What the parser carries along beside its place in the text.
#[derive(Clone, Debug)]
pub(crate) struct Progress<'c> {
    limits: &'c Limits,
    zones: &'c TimeZoneDatabase,
    depth: usize,
    deepest: usize,
    factors: Vec<Range<usize>>,
    patterns: Vec<Pattern>,
    pattern_states: u64,
    /// Characters looked at, those looked at twice counted twice.
    steps: u64,
}

/// A fault at a byte of the text; it always ends the parse.
#[derive(Debug)]
pub(crate) struct Fault {
    offset: usize,
    problem: Problem,
}

impl Fault {
    pub(crate) fn at(offset: usize, problem: Problem) -> Self {
        Self { offset, problem }
    }
}

impl ParserError<Input<'_, '_>> for Fault {
    type Inner = Self;

    fn from_input(input: &Input<'_, '_>) -> Self {
        expected(input, &[], None)
    }

    fn into_inner(self) -> Result<Self::Inner, Self> {
        Ok(self)
    }
}

type Result<T, E = Fault> = std::result::Result<T, E>;

/// A tree with what is known about its text.
pub(crate) struct Parsed {
    pub(crate) expression: Expression,
    /// Where each comparison stands, in the order of the text.
    pub(crate) factors: Vec<Range<usize>>,
    /// The regular expressions, compiled, in the order of the text.
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) depth: usize,
    pub(crate) steps: u64,
    pub(crate) pattern_states: u64,
}

pub(crate) fn parse(source: &str, settings: &Settings) -> Result<Parsed, SyntaxError> {
    let (expression, progress) = run(source, settings, |input| {
        let expression = any(input)?;
        skip_blanks(input)?;
        if input.eof_offset() > 0 {
            Err(after_factor(input))
        } else {
            Ok(expression)
        }
    })?;
    let Progress {
        deepest,
        factors,
        patterns,
        steps,
        pattern_states,
        ..
    } = progress;
    Ok(Parsed {
        expression,
        factors,
        patterns,
        depth: deepest,
        steps,
        pattern_states,
    })
}

/// A path standing alone, as in an extraction.
pub(crate) fn parse_path(source: &str, settings: &Settings) -> Result<Path, SyntaxError> {
    let (path, _) = run(source, settings, |input| {
        skip_blanks(input)?;
        let path = whole_path(input)?;
        skip_blanks(input)?;
        if input.eof_offset() > 0 {
            Err(expected(input, &["the end"], None))
        } else {
            Ok(path)
        }
    })?;
    Ok(path)
}

fn run<'c, T>(
    source: &str,
    settings: &'c Settings,
    parser: impl FnOnce(&mut Input<'_, 'c>) -> Result<T>,
) -> Result<(T, Progress<'c>), SyntaxError> {
    let limit = settings.limits.bytes;
    if source.len() > limit {
        let problem = Problem::TooLong {
            bytes: source.len(),
            limit,
        };
        return Err(SyntaxError::locate(source, limit, problem));
    }
    let progress = Progress {
        limits: &settings.limits,
        zones: &settings.zones,
        depth: 0,
        deepest: 0,
        factors: Vec::new(),
        patterns: Vec::new(),
        pattern_states: 0,
        steps: 0,
    };
    let mut input = Stateful {
        input: LocatingSlice::new(source),
        state: progress,
    };
    match parser(&mut input) {
        Ok(result) => Ok((result, input.state)),
        Err(fault) => Err(SyntaxError::locate(source, fault.offset, fault.problem)),
    }
}

fn any(input: &mut Input<'_, '_>) -> Result<Expression> {
    let first = all(input)?;
    let mut members = vec![first];
    while next_is_word(input, "or")? {
        members.push(all(input)?);
    }
    Ok(single_or(members, Expression::Any))
}

fn all(input: &mut Input<'_, '_>) -> Result<Expression> {
    let first = negation(input)?;
    let mut members = vec![first];
    while next_is_word(input, "and")? {
        members.push(negation(input)?);
    }
    Ok(single_or(members, Expression::All))
}

fn single_or(mut members: Vec<Expression>, group: fn(Vec<Expression>) -> Expression) -> Expression {
    match members.pop() {
        Some(only) if members.is_empty() => only,
        Some(last) => {
            members.push(last);
            group(members)
        }
        None => group(members),
    }
}

fn next_is_word(input: &mut Input<'_, '_>, expected: &str) -> Result<bool> {
    skip_blanks(input)?;
    let there = word_is(input, expected);
    if there {
        word(input)?;
    }
    Ok(there)
}

fn negation(input: &mut Input<'_, '_>) -> Result<Expression> {
    if next_is_word(input, "not")? {
        return Ok(Expression::Not(Box::new(factor(input)?)));
    }
    factor(input)
}

fn factor(input: &mut Input<'_, '_>) -> Result<Expression> {
    skip_blanks(input)?;
    if peek(input) == Some('(') {
        parenthesised(input)
    } else {
        comparison(input)
    }
}

fn parenthesised(input: &mut Input<'_, '_>) -> Result<Expression> {
    let limit = input.state.limits.depth.min(DEEPEST);
    if input.state.depth >= limit {
        return Err(Fault::at(input.current_token_start(), Problem::TooDeep { limit }));
    }
    symbol(input, "(")?;
    input.state.depth += 1;
    input.state.deepest = input.state.deepest.max(input.state.depth);
    let expression = any(input)?;
    skip_blanks(input)?;
    if peek(input) != Some(')') {
        return Err(after_factor(input));
    }
    symbol(input, ")")?;
    input.state.depth -= 1;
    Ok(expression)
}

/// A complete comparison is followed by `and`, `or` and what closes the whole.
fn after_factor(input: &Input<'_, '_>) -> Fault {
    let hint = match peek(input) {
        Some('&') => Some("Write `and` for &&."),
        Some('|') => Some("Write `or` for ||."),
        Some(')') => Some("This parenthesis was never opened."),
        Some('=' | '>' | '<') => Some("Parentheses go around whole comparisons, and each has two sides."),
        _ => match found(input).trim_matches('`') {
            "AND" | "OR" | "And" | "Or" => Some("Keywords are written in lower case: `and`, `or`."),
            _ => None,
        },
    };
    let possible: &[&str] = if input.state.depth > 0 {
        &["`and`", "`or`", "`)`"]
    } else {
        &["`and`", "`or`", "the end"]
    };
    expected(input, possible, hint)
}

fn comparison(input: &mut Input<'_, '_>) -> Result<Expression> {
    let limit = input.state.limits.factors;
    let start = input.current_token_start();
    if input.state.factors.len() >= limit {
        return Err(Fault::at(start, Problem::TooManyFactors { limit }));
    }
    let left = operand(input)?;
    let after_left = input.current_token_start();
    skip_blanks(input)?;
    let (expression, end) = match operator(input) {
        Some(Operator::Compare(comparison)) => {
            symbol(input, comparison.symbol())?;
            let right = operand(input)?;
            (
                Expression::Compare {
                    left,
                    comparison,
                    right,
                },
                input.current_token_start(),
            )
        }
        Some(Operator::Matches) => {
            word(input)?;
            (matching(input, left)?, input.current_token_start())
        }
        Some(Operator::Exists) => {
            let Operand::Path(path) = left else {
                return Err(expected(input, after(&left), Some("Only a path can exist.")));
            };
            word(input)?;
            (Expression::Exists(path), input.current_token_start())
        }
        Some(Operator::In) => {
            if left != Operand::Now {
                return Err(expected(
                    input,
                    after(&left),
                    Some("Only `now` can be in a schedule."),
                ));
            }
            word(input)?;
            skip_blanks(input)?;
            (
                Expression::During(time::weekly_schedule(input)?),
                input.current_token_start(),
            )
        }
        None => match left {
            Operand::Boolean(value) => (Expression::Constant(value), after_left),
            _ => return Err(expected(input, after(&left), operator_hint(input))),
        },
    };
    input.state.factors.push(start..end);
    Ok(expression)
}

enum Operator {
    Compare(Comparison),
    Matches,
    Exists,
    In,
}

fn operator(input: &Input<'_, '_>) -> Option<Operator> {
    let rest = input.peek_finish();
    let comparison = [
        Comparison::Equal,
        Comparison::GreaterOrEqual,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::Less,
    ]
    .into_iter()
    .find(|comparison| rest.starts_with(comparison.symbol()));
    if let Some(comparison) = comparison {
        return Some(Operator::Compare(comparison));
    }
    [
        ("matches", Operator::Matches),
        ("exists", Operator::Exists),
        ("in", Operator::In),
    ]
    .into_iter()
    .find_map(|(name, operator)| word_is(input, name).then_some(operator))
}

/// What may follow a left side.
fn after(left: &Operand) -> &'static [&'static str] {
    match left {
        Operand::Path(_) => &["`==`", "`>`", "`>=`", "`<`", "`<=`", "`matches`", "`exists`"],
        Operand::Now => &["`in`", "`==`", "`>`", "`>=`", "`<`", "`<=`"],
        _ => &["`==`", "`>`", "`>=`", "`<`", "`<=`", "`matches`"],
    }
}

fn operator_hint(input: &Input<'_, '_>) -> Option<&'static str> {
    match peek(input) {
        Some('=') => return Some("Equality is written with two signs: ==."),
        Some('!') => return Some("Inequality is written with `not` before the comparison: not a == b."),
        Some('~') => return Some("A regular expression is applied with `matches regex`."),
        Some('-') => {
            return Some("A field name with a dash is written in brackets and quotes: event['a-b'].");
        }
        Some('.' | '[') => return Some("A path has no blanks in it."),
        _ => (),
    }
    match found(input).trim_matches('`') {
        "contains" => Some("To look for a part of a text write `matches part`."),
        "equals" | "is" => Some("Equality is written ==."),
        "match" | "like" => Some("Texts are compared with `matches` or `matches part`."),
        "not" => Some("`not` stands before the whole comparison: not a == b."),
        _ => None,
    }
}

fn matching(input: &mut Input<'_, '_>, left: Operand) -> Result<Expression> {
    let kind = if next_is_word(input, "part")? {
        MatchKind::Part
    } else if next_is_word(input, "regex")? {
        MatchKind::Regex
    } else {
        MatchKind::Whole
    };
    let case = if next_is_word(input, "exactly")? {
        Case::Exact
    } else {
        Case::Ignored
    };
    skip_blanks(input)?;
    let right = if kind == MatchKind::Regex {
        let start = input.current_token_start();
        let text = literal_text(input)?;
        let pattern = Pattern::compile_condition(&text, case)
            .map_err(|error| Fault::at(start, Problem::BadPattern { reason: error.reason }))?;
        input.state.pattern_states += pattern.states();
        if input.state.pattern_states > TOGETHER {
            let reason = "the patterns of the condition are too large together".to_owned();
            return Err(Fault::at(start, Problem::BadPattern { reason }));
        }
        input.state.patterns.push(pattern);
        Operand::Text(text)
    } else {
        operand(input)?
    };
    Ok(Expression::Match {
        left,
        kind,
        case,
        right,
    })
}
