//! Evaluating a compiled condition in a scope.
//!
//! Never fails: whatever does not give a boolean counts as false (so that `not` of it is true), and the
//! reason becomes a [`Warning`] where the caller asks for them. `and` and `or` stop at the first member
//! that decides. Every piece of work is counted in steps (one for each node, path segment, and byte of text
//! looked at), which is what the bound on the cost is tested by.

use std::{borrow::Cow, cmp::Ordering, ops::Range};

use jiff::Timestamp;
use memchr::memmem::Finder;
use serde_json::Value;

use crate::{
    budget::Budget,
    compile::{Factor, Node},
    number::Number,
    pattern::Allowance,
    scope::Scope,
    syntax::{Case, Comparison, Operand},
    text::{TEXT_BYTES, contains, cut, folded, json_text, same_folded},
};

/// What an evaluation found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the condition is true of the scope.
    pub matched: bool,
    /// What became of each comparison, in the order of the text.
    pub findings: Vec<Finding>,
    /// Comparisons that made no sense and therefore counted as false; at most one for each comparison.
    pub warnings: Vec<Warning>,
    /// The work done: nodes and path segments visited and bytes looked at.
    pub steps: u64,
}

/// What became of one comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The comparison as it is written in the condition.
    pub text: String,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Whether it held. `None` where it was not looked at, because others had decided before.
    pub held: Option<bool>,
}

/// A comparison that counted as false because it made no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` counts as false: {concern}")]
pub struct Warning {
    /// The comparison as it is written in the condition.
    pub text: String,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Why it made no sense.
    pub concern: Concern,
}

/// Why a comparison made no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Concern {
    /// The two sides can not be put in order.
    #[error("`{operator}` compares two numbers or two dates, not {left} and {right}")]
    Incomparable {
        /// As written in the condition.
        operator: &'static str,
        /// What the left side is, in words.
        left: &'static str,
        /// What the right side is, in words.
        right: &'static str,
    },
    /// One of the sides is no text.
    #[error("`matches` compares texts, not {left} and {right}")]
    NoText {
        /// What the left side is, in words.
        left: &'static str,
        /// What the right side is, in words.
        right: &'static str,
    },
    /// The pattern was given up before it cost more than it may.
    #[error("the regular expression takes too much work on a text of this length")]
    TooHard,
    /// The two sides are too large to be compared.
    #[error("lists and objects of more than 65,536 parts are not compared")]
    TooLarge,
}

/// A value met during evaluation.
#[derive(Clone, Copy)]
enum Datum<'a> {
    Nil,
    Boolean(bool),
    Number(Number),
    Text(&'a str),
    /// A list or an object.
    Composite(&'a Value),
    Instant(Timestamp),
}

impl Datum<'_> {
    fn kind(self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Composite(Value::Array(_)) => "a list",
            Self::Composite(_) => "an object",
            Self::Instant(_) => "a date",
        }
    }
}

/// Comparisons in the order in which they were reached, with what became of them.
pub(crate) type Trace = Vec<(usize, Result<bool, Concern>)>;

/// The running state of one evaluation.
pub(crate) struct Evaluation<'s, 'd> {
    scope: &'s Scope<'d>,
    pub(crate) steps: u64,
    /// Steps after which the evaluation is given up.
    most: u64,
    /// Whether it was given up, or a pattern in it was.
    pub(crate) gave_up: bool,
    pub(crate) allowance: Allowance,
    /// What became of the comparisons, by their number; filled only where the caller wants to read it.
    pub(crate) trace: Option<Trace>,
}

impl<'s, 'd: 's> Evaluation<'s, 'd> {
    pub(crate) fn new(scope: &'s Scope<'d>, trace: Option<Trace>) -> Self {
        Self {
            scope,
            steps: 0,
            most: u64::MAX,
            gave_up: false,
            allowance: Allowance::default(),
            trace,
        }
    }

    /// On the account of a budget, which is told afterwards what was used of it.
    pub(crate) fn within(scope: &'s Scope<'d>, budget: &mut Budget) -> Self {
        Self {
            most: budget.steps(),
            allowance: budget.lend(),
            ..Self::new(scope, None)
        }
    }

    pub(crate) fn decide(&mut self, node: &'s Node) -> bool {
        self.steps += 1;
        if self.steps > self.most {
            self.gave_up = true;
            return false;
        }
        match node {
            Node::Any(members) => members.iter().any(|member| self.decide(member)),
            Node::All(members) => members.iter().all(|member| self.decide(member)),
            Node::Not(inner) => !self.decide(inner),
            Node::Factor(number, factor) => self.decide_numbered(*number, factor),
        }
    }

    /// Decides what does not hang on counts; nothing where it does (the three-valued logic of Kleene, 1938).
    pub(crate) fn decide_openly(&mut self, node: &'s Node) -> Option<bool> {
        self.steps += 1;
        if self.steps > self.most {
            self.gave_up = true;
            return Some(false);
        }
        match node {
            Node::Any(members) => self.first_or_open(members, true),
            Node::All(members) => self.first_or_open(members, false),
            Node::Not(inner) => self.decide_openly(inner).map(|held| !held),
            Node::Factor(_, factor) if factor.asks_for_counts() => None,
            Node::Factor(number, factor) => Some(self.decide_numbered(*number, factor)),
        }
    }

    /// `decisive` where one member is so, nothing where one is open, the contrary otherwise.
    fn first_or_open(&mut self, members: &'s [Node], decisive: bool) -> Option<bool> {
        let mut decided = Some(!decisive);
        for member in members {
            match self.decide_openly(member) {
                Some(held) if held == decisive => return Some(decisive),
                Some(_) => (),
                None => decided = None,
            }
        }
        decided
    }

    fn decide_numbered(&mut self, number: usize, factor: &'s Factor) -> bool {
        let decision = self.decide_factor(factor);
        let held = *decision.as_ref().unwrap_or(&false);
        self.gave_up |= matches!(decision, Err(Concern::TooHard));
        if let Some(trace) = &mut self.trace {
            trace.push((number, decision));
        }
        held
    }

    fn decide_factor(&mut self, factor: &'s Factor) -> Result<bool, Concern> {
        match factor {
            Factor::Constant(value) => Ok(*value),
            Factor::Compare {
                left,
                comparison,
                right,
            } => {
                let (left, right) = (self.value(left), self.value(right));
                match comparison {
                    Comparison::Equal => self.equal(left, right),
                    _ => ordered(left, *comparison, right),
                }
            }
            Factor::Whole { left, case, right } => {
                let (left, right) = self.two_texts(left, right)?;
                self.steps += left.len().min(right.len()) as u64;
                Ok(match case {
                    Case::Exact => left == right,
                    Case::Ignored => same_folded(&left, &right),
                })
            }
            Factor::Part { left, case, right } => {
                let (left, right) = self.two_texts(left, right)?;
                let right = match case {
                    Case::Exact => right,
                    Case::Ignored => Cow::Owned(folded(&right).into_owned()),
                };
                self.steps += right.len() as u64;
                Ok(self.contains(&left, *case, &Finder::new(right.as_ref())))
            }
            Factor::PartOf { left, case, needle } => {
                let text = self.left_text(left, "a text")?;
                Ok(self.contains(&text, *case, needle))
            }
            Factor::Regex { left, pattern } => {
                let text = self.left_text(left, "a text")?;
                self.steps += text.len() as u64;
                pattern
                    .is_match(&text, &mut self.allowance)
                    .ok_or(Concern::TooHard)
            }
            Factor::Exists(path) => {
                self.steps += path.segments.len() as u64;
                Ok(self.scope.look_up(path).is_some())
            }
            Factor::During(schedule) => Ok(schedule.contains(self.scope.now())),
        }
    }

    fn contains(&mut self, text: &str, case: Case, needle: &Finder<'_>) -> bool {
        self.steps += text.len() as u64;
        match case {
            Case::Exact => contains(text, needle),
            Case::Ignored => contains(&folded(text), needle),
        }
    }

    fn value(&mut self, operand: &'s Operand) -> Datum<'s> {
        self.steps += 1;
        match operand {
            Operand::Path(path) => {
                self.steps += path.segments.len() as u64;
                self.scope.look_up(path).map_or(Datum::Nil, datum)
            }
            Operand::Text(text) => Datum::Text(text),
            Operand::Integer(number) => Datum::Number(Number::Integer((*number).into())),
            Operand::Float(number) => Datum::Number(Number::Float(*number)),
            Operand::Boolean(value) => Datum::Boolean(*value),
            Operand::Instant(instant) => Datum::Instant(instant.timestamp()),
            Operand::Now => Datum::Instant(self.scope.now()),
            Operand::Count(threshold) => self
                .scope
                .trigger_count(*threshold)
                .map_or(Datum::Nil, |count| Datum::Number(Number::Integer(count.into()))),
        }
    }

    fn left_text(&mut self, operand: &'s Operand, right: &'static str) -> Result<Cow<'s, str>, Concern> {
        let value = self.value(operand);
        self.text(value).ok_or(Concern::NoText {
            left: value.kind(),
            right,
        })
    }

    fn two_texts(
        &mut self,
        left: &'s Operand,
        right: &'s Operand,
    ) -> Result<(Cow<'s, str>, Cow<'s, str>), Concern> {
        let (left, right) = (self.value(left), self.value(right));
        match (self.text(left), self.text(right)) {
            (Some(left), Some(right)) => Ok((left, right)),
            _ => Err(Concern::NoText {
                left: left.kind(),
                right: right.kind(),
            }),
        }
    }

    /// A value as `matches` sees it, cut at 64 KiB; nothing for nil and for dates.
    fn text(&mut self, value: Datum<'s>) -> Option<Cow<'s, str>> {
        Some(match value {
            Datum::Nil | Datum::Instant(_) => return None,
            Datum::Boolean(true) => Cow::Borrowed("true"),
            Datum::Boolean(false) => Cow::Borrowed("false"),
            Datum::Number(Number::Integer(number)) => Cow::Owned(number.to_string()),
            Datum::Number(Number::Float(number)) => Cow::Owned(Value::from(number).to_string()),
            Datum::Text(text) => Cow::Borrowed(cut(text)),
            Datum::Composite(value) => {
                let text = json_text(value, TEXT_BYTES);
                self.steps += text.len() as u64;
                Cow::Owned(text)
            }
        })
    }

    fn equal(&mut self, left: Datum<'s>, right: Datum<'s>) -> Result<bool, Concern> {
        Ok(match (left, right) {
            (Datum::Nil, Datum::Nil) => true,
            (Datum::Boolean(left), Datum::Boolean(right)) => left == right,
            (Datum::Number(left), Datum::Number(right)) => left.compare(right) == Some(Ordering::Equal),
            (Datum::Text(left), Datum::Text(right)) => {
                self.steps += left.len().min(right.len()) as u64;
                left == right
            }
            (Datum::Instant(left), Datum::Instant(right)) => left == right,
            (Datum::Composite(left), Datum::Composite(right)) => return self.alike(left, right),
            _ => false,
        })
    }

    /// Structural equality without recursion, given up after [`TEXT_BYTES`] parts.
    fn alike(&mut self, left: &'s Value, right: &'s Value) -> Result<bool, Concern> {
        let mut pending = vec![(left, right)];
        let mut parts = 0;
        while let Some((left, right)) = pending.pop() {
            parts += 1;
            if parts > TEXT_BYTES {
                return Err(Concern::TooLarge);
            }
            self.steps += 1;
            match (left, right) {
                (Value::Array(left), Value::Array(right)) => {
                    if left.len() != right.len() {
                        return Ok(false);
                    }
                    if left.len() > TEXT_BYTES {
                        return Err(Concern::TooLarge);
                    }
                    pending.extend(left.iter().zip(right));
                }
                (Value::Object(left), Value::Object(right)) => {
                    if left.len() != right.len() {
                        return Ok(false);
                    }
                    if left.len() > TEXT_BYTES {
                        return Err(Concern::TooLarge);
                    }
                    for (key, value) in left {
                        self.steps += key.len() as u64;
                        match right.get(key) {
                            Some(other) => pending.push((value, other)),
                            None => return Ok(false),
                        }
                    }
                }
                (left, right) => {
                    if !self.equal_leaves(datum(left), datum(right)) {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    fn equal_leaves(&mut self, left: Datum<'s>, right: Datum<'s>) -> bool {
        match (left, right) {
            (Datum::Composite(_), _) | (_, Datum::Composite(_)) => false,
            _ => self.equal(left, right).unwrap_or(false),
        }
    }
}

fn datum(value: &Value) -> Datum<'_> {
    match value {
        Value::Null => Datum::Nil,
        Value::Bool(value) => Datum::Boolean(*value),
        Value::Number(number) => Number::from_json(number).map_or(Datum::Nil, Datum::Number),
        Value::String(text) => Datum::Text(text),
        Value::Array(_) | Value::Object(_) => Datum::Composite(value),
    }
}

fn ordered(left: Datum<'_>, comparison: Comparison, right: Datum<'_>) -> Result<bool, Concern> {
    let order = match (left, right) {
        (Datum::Number(left), Datum::Number(right)) => left.compare(right),
        (Datum::Instant(left), Datum::Instant(right)) => Some(left.cmp(&right)),
        _ => None,
    };
    let Some(order) = order else {
        return Err(Concern::Incomparable {
            operator: comparison.symbol(),
            left: left.kind(),
            right: right.kind(),
        });
    };
    Ok(match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
    })
}
