//! The syntax tree: what a condition says, with nothing resolved but the time zones.
//!
//! Trees come from the parser, or are built by importers and turned into a condition by
//! [`Condition::from_expression`](crate::Condition::from_expression), which holds them to the same limits.
//! Equal trees print alike, and a printed tree parses to an equal one.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::weekly::WeeklySchedule;

/// A boolean expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// `a or b or c`: true when one of them is; at least two members.
    Any(Vec<Expression>),
    /// `a and b and c`: true when all of them are; at least two members.
    All(Vec<Expression>),
    /// `not a`.
    Not(Box<Expression>),
    /// `true` or `false` standing alone.
    Constant(bool),
    /// `left == right` and its like.
    Compare {
        /// What stands left.
        left: Operand,
        /// How they are compared.
        comparison: Comparison,
        /// What stands right.
        right: Operand,
    },
    /// `left matches [part|regex] [exactly] right`.
    Match {
        /// The text that is searched.
        left: Operand,
        /// How much of it is looked at.
        kind: MatchKind,
        /// Whether case counts.
        case: Case,
        /// What is searched for.
        right: Operand,
    },
    /// `path exists`.
    Exists(Path),
    /// `now in schedule`.
    During(WeeklySchedule),
}

impl Expression {
    /// Calls `visit` with each operand in the order of the text; the paths of `exists` are left to
    /// [`Expression::each_path`].
    pub(crate) fn each_operand<'e>(&'e self, visit: &mut dyn FnMut(&'e Operand)) {
        match self {
            Self::Any(members) | Self::All(members) => {
                for member in members {
                    member.each_operand(visit);
                }
            }
            Self::Not(inner) => inner.each_operand(visit),
            Self::Compare { left, right, .. } | Self::Match { left, right, .. } => {
                visit(left);
                visit(right);
            }
            Self::Constant(_) | Self::Exists(_) | Self::During(_) => (),
        }
    }

    /// Calls `visit` with each path in the order of the text.
    pub(crate) fn each_path<'e>(&'e self, visit: &mut dyn FnMut(&'e Path)) {
        match self {
            Self::Any(members) | Self::All(members) => {
                for member in members {
                    member.each_path(visit);
                }
            }
            Self::Not(inner) => inner.each_path(visit),
            Self::Compare { left, right, .. } | Self::Match { left, right, .. } => {
                for operand in [left, right] {
                    if let Operand::Path(path) = operand {
                        visit(path);
                    }
                }
            }
            Self::Exists(path) => visit(path),
            Self::Constant(_) | Self::During(_) => (),
        }
    }
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// The value at a path, or nil when there is none.
    Path(Path),
    /// A quoted text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Always finite.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date and time of day in a time zone.
    Instant(LocalInstant),
    /// The instant of the evaluation.
    Now,
    /// How many trigger events the rule has seen lately.
    Count(Threshold),
}

/// The comparisons of numbers and instants, and equality of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`, of values of any sort.
    Equal,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
}

impl Comparison {
    /// As written in a condition.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

/// How much of the left side `matches` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchKind {
    /// `matches`: the whole text.
    Whole,
    /// `matches part`: somewhere in the text.
    Part,
    /// `matches regex`: the right side is a regular expression in RE2 syntax.
    Regex,
}

/// Whether `matches` heeds upper and lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Upper and lower case are the same (Unicode simple folding).
    Ignored,
    /// With the word `exactly`.
    Exact,
}

/// The way to a value: `event.custom_details['disk usage'][0]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    pub(crate) root: String,
    pub(crate) segments: Vec<Segment>,
}

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// The member of an object.
    Key(String),
    /// The element of an array, counted from 0.
    Index(u32),
}

/// `trigger_count over 10 minutes`: a count that the caller keeps, in [`TriggerCounts`](crate::TriggerCounts) or otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Threshold {
    /// What becomes of the count once the condition is true.
    pub kind: ThresholdKind,
    /// The length of the sliding window in seconds, at least 1.
    pub window_seconds: u32,
}

/// What becomes of a count once its condition is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdKind {
    /// `trigger_count`: it goes on sliding.
    Sliding,
    /// `resetting_trigger_count`: it starts again from 0.
    Resetting,
}

/// A date and time of day in a time zone: `2021-12-04 19:00:42 America/Los_Angeles`.
///
/// A time that the zone skips is read with the offset before the change, a repeated one is the first.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalInstant {
    pub(crate) civil: DateTime,
    pub(crate) zone_name: String,
    pub(crate) instant: Timestamp,
}

impl LocalInstant {
    /// `None` when the instant lies outside the years that a timestamp can express.
    pub(crate) fn resolve(civil: DateTime, zone_name: &str, zone: &TimeZone) -> Option<Self> {
        let instant = zone.to_ambiguous_zoned(civil).compatible().ok()?.timestamp();
        Some(Self {
            civil,
            zone_name: zone_name.to_owned(),
            instant,
        })
    }

    /// The instant meant.
    pub fn timestamp(&self) -> Timestamp {
        self.instant
    }
}

/// Words that mean something in the language and therefore cannot begin a path.
pub(crate) const KEYWORDS: &[&str] = &[
    "and",
    "or",
    "not",
    "true",
    "false",
    "now",
    "in",
    "exists",
    "matches",
    "part",
    "regex",
    "exactly",
    "over",
    "trigger_count",
    "resetting_trigger_count",
];

/// Words that the reference keeps for later; in a path they are written in brackets and quotes.
pub(crate) const RESERVED: &[&str] = &[
    "at",
    "do",
    "as",
    "break",
    "const",
    "continue",
    "def",
    "else",
    "end",
    "eq",
    "for",
    "function",
    "gte",
    "gt",
    "if",
    "import",
    "is",
    "let",
    "lte",
    "lt",
    "loop",
    "namespace",
    "package",
    "require",
    "return",
    "var",
    "void",
    "when",
    "while",
];

/// Whether a field name may be written without brackets.
pub(crate) fn is_plain_key(key: &str) -> bool {
    let mut characters = key.chars();
    characters.next().is_some_and(starts_identifier)
        && characters.all(continues_identifier)
        && !RESERVED.contains(&key)
}

pub(crate) const fn starts_identifier(character: char) -> bool {
    character.is_ascii_alphabetic() || character == '_'
}

pub(crate) const fn continues_identifier(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}
