//! Regular expressions that cannot explode.
//!
//! The engines have no look-around and no back-references, so a search takes at most as many steps as the
//! pattern has states for each byte of the text. That is linear in the text, but a thousand states on 64 KiB
//! are still most of a second, and a condition may have dozens of patterns. So each evaluation has an
//! allowance of states × bytes. A search that fits is taken from it and done by the `regex` crate, whose
//! worst case that is. One that does not fit is done by a lazily built automaton alone, which takes a few
//! instructions for each byte whatever the number of states, and gives up where it would have to build
//! states without end. Patterns that people write do not make it give up.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use regex_automata::{
    Input,
    hybrid::dfa::{self, DFA},
    nfa::thompson::{self, NFA, WhichCaptures},
    util::syntax,
};

use crate::{re2::translate, syntax::Case};

/// The longest pattern that is read at all, in bytes.
const PATTERN_BYTES: usize = 2048;

/// The most bytes that a compiled pattern may take; `.{300}` takes half of it.
const COMPILED_BYTES: usize = 512 * 1024;

/// The most states that the patterns of one condition may have together, which bounds the time to parse it.
pub(crate) const TOGETHER: u64 = 50_000;

/// How deep groups may be nested.
const NESTED: u32 = 50;

/// What one evaluation may spend on patterns.
#[derive(Debug)]
pub(crate) struct Allowance {
    /// States × bytes of searches whose every step may cost.
    work: u64,
    /// How often the automaton may give up before it is not tried again.
    failures: u32,
}

/// States × bytes of an evaluation.
const WORK: u64 = 8 * 1024 * 1024;

/// States × bytes of a capture, whose steps cost about twice as much.
const CAPTURE_WORK: u64 = 4 * 1024 * 1024;

impl Allowance {
    /// Nothing at all.
    pub(crate) const NONE: Self = Self { work: 0, failures: 0 };

    /// Takes what a search costs; false, and nothing taken, where that is more than is left.
    pub(crate) fn take(&mut self, work: u64) -> bool {
        match self.work.checked_sub(work) {
            Some(rest) => {
                self.work = rest;
                true
            }
            None => false,
        }
    }
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            work: WORK,
            failures: 4,
        }
    }
}

/// The memory of the lazy automaton for the states that it has built.
const AUTOMATON_BYTES: usize = 256 * 1024;

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    automaton: Arc<DFA>,
    states: u64,
}

/// Why a text is not a regular expression that we accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression is not valid: {reason}")]
pub struct PatternError {
    /// What is wrong, in words.
    pub reason: String,
}

impl Pattern {
    /// As `matches regex` means it: case ignored unless exact, `.` matches line ends too, `^` and `$` match
    /// at every line.
    pub(crate) fn compile_condition(text: &str, case: Case) -> Result<Self, PatternError> {
        let ignored = case == Case::Ignored;
        let flags = syntax::Config::new()
            .case_insensitive(ignored)
            .dot_matches_new_line(true)
            .multi_line(true);
        Self::build(text, flags)
    }

    /// As extractions mean it: RE2 without any flag.
    ///
    /// ```
    /// use condition::Pattern;
    ///
    /// let pattern = Pattern::compile(r"on (\S+) port (\d+)")?;
    /// assert_eq!(pattern.capture("refused on db-7 port 5432").as_deref(), Some("db-75432"));
    /// assert_eq!(pattern.capture("refused"), None);
    /// assert!(Pattern::compile("a{1,100000}").is_err());
    /// # Ok::<(), condition::PatternError>(())
    /// ```
    ///
    /// # Errors
    /// [`PatternError`] for a text that is no regular expression, or one too long, too deep or too large when compiled.
    pub fn compile(text: &str) -> Result<Self, PatternError> {
        Self::build(text, syntax::Config::new())
    }

    fn build(text: &str, flags: syntax::Config) -> Result<Self, PatternError> {
        if text.len() > PATTERN_BYTES {
            return Err(PatternError {
                reason: format!("it is longer than {PATTERN_BYTES} bytes"),
            });
        }
        let translated = translate(text).map_err(|reason| PatternError { reason })?;
        let regex = RegexBuilder::new(&translated)
            .case_insensitive(flags.get_case_insensitive())
            .dot_matches_new_line(flags.get_dot_matches_new_line())
            .multi_line(flags.get_multi_line())
            .size_limit(COMPILED_BYTES)
            .dfa_size_limit(COMPILED_BYTES)
            .nest_limit(NESTED)
            .build()
            .map_err(|error| PatternError {
                reason: reason(&error),
            })?;
        let too_large = || PatternError {
            reason: TOO_LARGE.to_owned(),
        };
        let compilation = thompson::Config::new()
            .nfa_size_limit(Some(COMPILED_BYTES))
            .which_captures(WhichCaptures::None);
        let nfa = NFA::compiler()
            .syntax(flags.nest_limit(NESTED))
            .configure(compilation)
            .build(&translated)
            .map_err(|_| too_large())?;
        let states = nfa.states().len() as u64;
        let automaton = dfa::Builder::new()
            .configure(
                dfa::Config::new()
                    .cache_capacity(AUTOMATON_BYTES)
                    .skip_cache_capacity_check(true)
                    .minimum_cache_clear_count(Some(1))
                    .minimum_bytes_per_state(Some(10)),
            )
            .build_from_nfa(nfa)
            .map_err(|_| too_large())?;
        Ok(Self {
            regex,
            automaton: Arc::new(automaton),
            states,
        })
    }

    /// How large the compiled pattern is; see [`Cost::pattern_states`](crate::Cost::pattern_states).
    pub fn states(&self) -> u64 {
        self.states
    }

    /// Whether the pattern is found in a text. `None` where that would take too much work, which happens
    /// only beyond the allowance and with patterns made for it.
    pub(crate) fn is_match(&self, text: &str, allowance: &mut Allowance) -> Option<bool> {
        if allowance.take(self.states.saturating_mul(text.len() as u64)) {
            return Some(self.regex.is_match(text));
        }
        let failures = allowance.failures.checked_sub(1)?;
        let mut cache = self.automaton.create_cache();
        let input = Input::new(text).earliest(true);
        let found = self.automaton.try_search_fwd(&mut cache, &input).ok();
        if found.is_none() {
            allowance.failures = failures;
        }
        found.map(|found| found.is_some())
    }

    /// As much of a text as [`Pattern::capture`] looks at.
    fn seen<'t>(&self, text: &'t str) -> &'t str {
        let seen = usize::try_from(CAPTURE_WORK / self.states.max(1)).unwrap_or(usize::MAX);
        &text[..text.floor_char_boundary(seen)]
    }

    /// What [`Pattern::capture`] of a text costs, in the unit of an allowance.
    pub(crate) fn capture_work(&self, text: &str) -> u64 {
        2 * self.states.saturating_mul(self.seen(text).len() as u64)
    }

    /// What the pattern takes out of a text: its groups joined, or the whole match where it has none.
    /// `None` where it does not match.
    ///
    /// The work is bounded: a pattern of 64 states sees the first 64 KiB of the text, one of 1,000 states the
    /// first 4 KiB.
    pub fn capture(&self, text: &str) -> Option<String> {
        let text = self.seen(text);
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
}

const TOO_LARGE: &str = "it is too large when compiled";

fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => TOO_LARGE.to_owned(),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern with as many states as it can have, and a text that makes the automaton build them.
    const EXPLOSIVE: &str = "[ab]*a[ab]{900}c";

    /// Letters a and b without any period (a linear congruential generator).
    fn noise(length: usize) -> String {
        let mut state = 1_u64;
        let mut letter = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            if state >> 63 == 0 { 'a' } else { 'b' }
        };
        (0..length).map(|_| letter()).collect()
    }

    #[test]
    fn an_explosive_pattern_is_given_up_on_a_long_text_only() {
        let pattern = Pattern::compile(EXPLOSIVE).unwrap();
        let mut allowance = Allowance::default();
        assert_eq!(pattern.is_match(&noise(64 * 1024), &mut allowance), None);
        assert_eq!(pattern.is_match(&noise(2_000), &mut allowance), Some(false));
        assert_eq!(
            pattern.is_match(&format!("{}a{}c", noise(500), noise(900)), &mut allowance),
            Some(true)
        );
    }

    #[test]
    fn beyond_the_allowance_ordinary_patterns_give_the_same_answers() {
        let long = "2026-11-22 host=db-7 level=warn disk 97% ".repeat(1_500);
        for (text, case) in [
            (r"host=(\w+)-\d+ level=(warn|error).*disk", Case::Ignored),
            (r"^\d{4}-\d{2}.*\b98%", Case::Ignored),
            ("DISK", Case::Exact),
            (r"(\S+\s+)*absent$", Case::Ignored),
            (r"([a-z0-9.-]+\.)*example\.(com|org)", Case::Ignored),
            ("", Case::Ignored),
        ] {
            let pattern = Pattern::compile_condition(text, case).unwrap();
            let within = pattern.is_match(
                &long,
                &mut Allowance {
                    work: u64::MAX,
                    failures: 0,
                },
            );
            assert_eq!(
                pattern.is_match(&long, &mut Allowance { work: 0, failures: 1 }),
                within,
                "{text}"
            );
            assert!(within.is_some());
        }
    }

    #[test]
    fn searches_use_up_the_allowance() {
        let pattern = Pattern::compile("abc").unwrap();
        let mut allowance = Allowance {
            work: 1_000,
            failures: 1,
        };
        pattern.is_match(&"x".repeat(10), &mut allowance);
        let left = allowance.work;
        assert!(left < 1_000 && left > 0);
        assert_eq!(pattern.is_match(&"x".repeat(1_000), &mut allowance), Some(false));
        assert_eq!(allowance.work, left);
    }

    #[test]
    fn after_a_few_failures_nothing_hard_is_tried_any_more() {
        let pattern = Pattern::compile(EXPLOSIVE).unwrap();
        let mut allowance = Allowance { work: 0, failures: 1 };
        assert_eq!(pattern.is_match(&noise(64 * 1024), &mut allowance), None);
        assert_eq!(allowance.failures, 0);
        assert_eq!(pattern.is_match("", &mut allowance), Some(false));
        assert_eq!(pattern.is_match("a", &mut allowance), None);
    }
}
