//! Regular expressions that cannot explode.
//!
//! The engine is the `regex` crate's: no look-around, no back-references, time linear in the text for a
//! pattern of bounded size. The limits here bound that size, so a search costs at most a constant for each
//! byte of a text that is itself bounded.

use regex::{Regex, RegexBuilder};

use crate::{re2::translate, syntax::Case};

/// The longest pattern that is read at all.
const PATTERN_BYTES: usize = 2048;

/// The most bytes that a compiled pattern may take. Generous for what people write (a literal of 1,024 bytes
/// takes a tenth of it), small enough that the worst search of 64 KiB stays within a fraction of a second.
const COMPILED_BYTES: usize = 256 * 1024;

/// How deep groups may be nested.
const NESTED: u32 = 50;

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
}

/// Why a text is not a regular expression that we accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression is not valid: {reason}")]
pub struct PatternError {
    pub reason: String,
}

impl Pattern {
    /// As `matches regex` means it: case ignored unless exact, `.` matches line ends too, `^` and `$` match
    /// at every line.
    pub(crate) fn compile_condition(text: &str, case: Case) -> Result<Self, PatternError> {
        let mut builder = builder(text)?;
        builder
            .case_insensitive(case == Case::Ignored)
            .dot_matches_new_line(true)
            .multi_line(true);
        Self::build(&mut builder)
    }

    /// As extractions mean it: RE2 without any flag.
    pub fn compile(text: &str) -> Result<Self, PatternError> {
        Self::build(&mut builder(text)?)
    }

    fn build(builder: &mut RegexBuilder) -> Result<Self, PatternError> {
        builder
            .size_limit(COMPILED_BYTES)
            .dfa_size_limit(2 * COMPILED_BYTES)
            .nest_limit(NESTED);
        builder
            .build()
            .map(|regex| Self { regex })
            .map_err(|error| PatternError {
                reason: reason(&error),
            })
    }

    /// What the pattern takes out of a text: its groups joined, or the whole match where it has none.
    /// `None` where it does not match.
    pub fn capture(&self, text: &str) -> Option<String> {
        if self.regex.captures_len() == 1 {
            return self.regex.find(text).map(|found| found.as_str().to_owned());
        }
        let captures = self.regex.captures(text)?;
        Some(
            captures
                .iter()
                .skip(1)
                .flatten()
                .map(|group| group.as_str())
                .collect(),
        )
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

fn builder(text: &str) -> Result<RegexBuilder, PatternError> {
    if text.len() > PATTERN_BYTES {
        return Err(PatternError {
            reason: format!("it is longer than {PATTERN_BYTES} bytes"),
        });
    }
    let translated = translate(text).map_err(|reason| PatternError { reason })?;
    Ok(RegexBuilder::new(&translated))
}

fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "it is too large when compiled".to_owned(),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    }
}
