//! Printing a syntax tree back as a condition.
//!
//! The form is canonical: one blank between words, parentheses only where the tree needs them, windows in
//! their largest units. A condition's own text is kept beside its tree; print only what has no text.

use std::fmt::{Display, Formatter, Result, Write};

use crate::{
    syntax::{
        Case, Expression, LocalInstant, MatchKind, Operand, Path, Segment, Threshold, ThresholdKind,
        is_plain_key,
    },
    weekly::{DAYS, WeeklySchedule},
};

impl Display for Expression {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match self {
            Self::Any(members) => joined(formatter, members, " or ", |member| {
                matches!(member, Self::Any(_))
            }),
            Self::All(members) => joined(formatter, members, " and ", |member| {
                matches!(member, Self::Any(_) | Self::All(_))
            }),
            Self::Not(inner) => {
                formatter.write_str("not ")?;
                match **inner {
                    Self::Any(_) | Self::All(_) | Self::Not(_) => write!(formatter, "({inner})"),
                    _ => write!(formatter, "{inner}"),
                }
            }
            Self::Constant(value) => write!(formatter, "{value}"),
            Self::Compare {
                left,
                comparison,
                right,
            } => {
                write!(formatter, "{left} {} {right}", comparison.symbol())
            }
            Self::Match {
                left,
                kind,
                case,
                right,
            } => {
                let kind = match kind {
                    MatchKind::Whole => "",
                    MatchKind::Part => " part",
                    MatchKind::Regex => " regex",
                };
                let case = match case {
                    Case::Ignored => "",
                    Case::Exact => " exactly",
                };
                write!(formatter, "{left} matches{kind}{case} {right}")
            }
            Self::Exists(path) => write!(formatter, "{path} exists"),
            Self::During(schedule) => write!(formatter, "now in {schedule}"),
        }
    }
}

fn joined(
    formatter: &mut Formatter<'_>,
    members: &[Expression],
    word: &str,
    needs_parentheses: impl Fn(&Expression) -> bool,
) -> Result {
    for (position, member) in members.iter().enumerate() {
        if position > 0 {
            formatter.write_str(word)?;
        }
        if needs_parentheses(member) {
            write!(formatter, "({member})")?;
        } else {
            write!(formatter, "{member}")?;
        }
    }
    Ok(())
}

impl Display for Operand {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        match self {
            Self::Path(path) => write!(formatter, "{path}"),
            Self::Text(text) => quoted(formatter, text),
            Self::Integer(number) => write!(formatter, "{number}"),
            Self::Float(number) => float(formatter, *number),
            Self::Boolean(value) => write!(formatter, "{value}"),
            Self::Instant(instant) => write!(formatter, "{instant}"),
            Self::Now => formatter.write_str("now"),
            Self::Count(threshold) => write!(formatter, "{threshold}"),
        }
    }
}

impl Display for Path {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        formatter.write_str(&self.root)?;
        for segment in &self.segments {
            match segment {
                Segment::Key(key) if is_plain_key(key) => write!(formatter, ".{key}")?,
                Segment::Key(key) => {
                    formatter.write_char('[')?;
                    quoted(formatter, key)?;
                    formatter.write_char(']')?;
                }
                Segment::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

fn quoted(formatter: &mut Formatter<'_>, text: &str) -> Result {
    formatter.write_char('\'')?;
    for character in text.chars() {
        if matches!(character, '\'' | '\\') {
            formatter.write_char('\\')?;
        }
        formatter.write_char(character)?;
    }
    formatter.write_char('\'')
}

/// The language wants a digit on both sides of the point; Rust leaves the point out of whole numbers.
fn float(formatter: &mut Formatter<'_>, number: f64) -> Result {
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-5..1e16).contains(&magnitude) {
        let text = format!("{number:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !digits.contains('.') => {
                write!(formatter, "{digits}.0e{exponent}")
            }
            _ => formatter.write_str(&text),
        };
    }
    write!(formatter, "{number:?}")
}

impl Display for LocalInstant {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        let civil = self.civil;
        write!(
            formatter,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02} {}",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second(),
            self.zone_name,
        )
    }
}

impl Display for Threshold {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        formatter.write_str(match self.kind {
            ThresholdKind::Sliding => "trigger_count over",
            ThresholdKind::Resetting => "resetting_trigger_count over",
        })?;
        let mut rest = self.window_seconds;
        for (unit, seconds) in [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)] {
            let amount = rest / seconds;
            rest %= seconds;
            if amount > 0 {
                let plural = if amount == 1 { "" } else { "s" };
                write!(formatter, " {amount} {unit}{plural}")?;
            }
        }
        Ok(())
    }
}

impl Display for WeeklySchedule {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        let days: Vec<&str> = DAYS
            .iter()
            .filter(|(_, day)| self.starts_on(*day))
            .map(|(name, _)| *name)
            .collect();
        write!(formatter, "{} ", days.join(","))?;
        let (start, end) = (self.start, self.end);
        write!(
            formatter,
            "{:02}:{:02}:{:02} to {:02}:{:02}:{:02} {}",
            start.hour(),
            start.minute(),
            start.second(),
            end.hour(),
            end.minute(),
            end.second(),
            self.zone_name,
        )
    }
}
