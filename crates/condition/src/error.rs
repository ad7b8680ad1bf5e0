//! What is wrong with a condition's text, and where.

use std::fmt::{Display, Formatter};

/// Why a text is not a condition, with the place.
///
/// Its display is meant for the person who wrote the condition: the reason, the line with a caret below the
/// place, and a hint where one can be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The place in bytes from the start of the text.
    pub offset: usize,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
    /// The line's text around the place and how many characters of it stand before the place.
    excerpt: (String, usize),
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Something else should stand here.
    #[error("expected {}, found {found}", one_of(expected))]
    Expected {
        /// What could stand here.
        expected: &'static [&'static str],
        /// What does stand here, shortened.
        found: String,
        /// How to write what was probably meant.
        hint: Option<&'static str>,
    },
    /// The text is longer than [`Limits::bytes`](crate::Limits::bytes).
    #[error("the condition has {bytes} bytes; at most {limit} are allowed")]
    TooLong {
        /// The size that was given.
        bytes: usize,
        /// The most that is allowed.
        limit: usize,
    },
    /// There are more comparisons than [`Limits::factors`](crate::Limits::factors).
    #[error("the condition has more than {limit} comparisons")]
    TooManyFactors {
        /// The most that is allowed.
        limit: usize,
    },
    /// Parentheses are nested deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("parentheses are nested more than {limit} deep")]
    TooDeep {
        /// The most that is allowed.
        limit: usize,
    },
    /// A quoted text is longer than [`Limits::text_bytes`](crate::Limits::text_bytes).
    #[error("the quoted text is longer than {limit} bytes")]
    TextTooLong {
        /// The most that is allowed.
        limit: usize,
    },
    /// A path has more parts than [`Limits::path_parts`](crate::Limits::path_parts).
    #[error("the path has more than {limit} parts")]
    PathTooLong {
        /// The most that is allowed.
        limit: usize,
    },
    /// A quote is missing.
    #[error("the quoted text has no closing quote")]
    Unclosed,
    /// A backslash stands before something else.
    #[error("in quoted text a backslash must be followed by a quote or another backslash")]
    BadEscape,
    /// A number does not fit into 64 bits, or is not finite.
    #[error("the number is too large")]
    NumberTooLarge,
    /// A tree holds a number that is infinite or none at all.
    #[error("the condition holds a number that is not finite")]
    NotFinite,
    /// A word of the language stands where the name of a field should.
    #[error("`{word}` is a reserved word; a field of that name is written ['{word}']")]
    Reserved {
        /// The word.
        word: String,
    },
    /// The database of time zones does not know the name.
    #[error("there is no time zone called `{name}`")]
    UnknownZone {
        /// As written.
        name: String,
    },
    /// A day or an hour that no calendar has.
    #[error("there is no such date or time")]
    NoSuchTime,
    /// A window of zero seconds counts nothing.
    #[error("the window must be at least one second long")]
    EmptyWindow,
    /// A window names a unit twice.
    #[error("`{unit}` is given twice")]
    RepeatedUnit {
        /// The unit.
        unit: &'static str,
    },
    /// The text is not a regular expression in RE2 syntax, or one of a size that is refused.
    #[error("the regular expression is not valid: {reason}")]
    BadPattern {
        /// What is wrong, in words.
        reason: String,
    },
}

fn one_of(expected: &[&str]) -> String {
    match expected {
        [] => "something else".to_owned(),
        [only] => (*only).to_owned(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// How much of a long line is shown on each side of the place.
const EXCERPT_CHARACTERS: usize = 60;

impl SyntaxError {
    /// For the root of a path that reads as more than a root.
    pub(crate) fn not_a_word(root: &str) -> Self {
        let found = format!("`{:.20}`", root.chars().map(printable).collect::<String>());
        let problem = Problem::Expected {
            expected: &["a plain word as root"],
            found,
            hint: None,
        };
        Self::locate(root, 0, problem)
    }

    pub(crate) fn locate(source: &str, offset: usize, problem: Problem) -> Self {
        let offset = source.floor_char_boundary(offset);
        let (before, after) = source.split_at(offset);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_before = &before[line_start..];
        let column = line_before.chars().count() + 1;
        let shown_before: Vec<char> = line_before.chars().rev().take(EXCERPT_CHARACTERS).collect();
        let line_after = after.lines().next().unwrap_or_default();
        let mut text = String::new();
        if shown_before.len() < column - 1 {
            text.push('…');
        }
        text.extend(shown_before.iter().rev().map(|character| printable(*character)));
        let caret = text.chars().count();
        text.extend(line_after.chars().take(EXCERPT_CHARACTERS).map(printable));
        if line_after.chars().nth(EXCERPT_CHARACTERS).is_some() {
            text.push('…');
        }
        let line = before.matches('\n').count() + 1;
        Self {
            offset,
            line,
            column,
            problem,
            excerpt: (text, caret),
        }
    }
}

/// Control characters, and those that change the direction of writing, would move the caret away from the
/// place, or do worse on a terminal or a page.
pub(crate) fn printable(character: char) -> char {
    let misleading = matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    );
    if character.is_control() || misleading {
        ' '
    } else {
        character
    }
}

impl Display for SyntaxError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        let (text, caret) = &self.excerpt;
        writeln!(
            formatter,
            "line {}, column {}: {}",
            self.line, self.column, self.problem
        )?;
        writeln!(formatter, "  {text}")?;
        write!(formatter, "  {:caret$}^", "")?;
        if let Problem::Expected { hint: Some(hint), .. } = &self.problem {
            write!(formatter, "\n{hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SyntaxError {}
