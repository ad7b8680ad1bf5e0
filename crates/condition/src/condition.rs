//! Conditions: parsed and compiled once, evaluated many times.

use std::{fmt::Display, ops::Range, str::FromStr};

use jiff::tz::TimeZoneDatabase;

use crate::{
    budget::Budget,
    compile::{Node, Supply, compile},
    error::{Problem, SyntaxError},
    evaluate::{Evaluation, Finding, Outcome, Warning},
    parse::{Parsed, parse},
    scope::Scope,
    syntax::{Expression, Operand, Path, Threshold},
};

/// The sizes beyond which a condition is refused. The defaults are the reference's: 2,048 bytes, 64 comparisons, 32
/// levels of parentheses, texts of 1,024 bytes, paths of 32 parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The whole text, in bytes.
    pub bytes: usize,
    /// Comparisons.
    pub factors: usize,
    /// Parentheses within each other. Parsing and evaluation recurse as deep, so more than 64 count as 64.
    pub depth: usize,
    /// A quoted text, in bytes after unescaping.
    pub text_bytes: usize,
    /// Parts of a path, its root included.
    pub path_parts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 2048,
            factors: 64,
            depth: 32,
            text_bytes: 1024,
            path_parts: 32,
        }
    }
}

/// What parsing depends on besides the text.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The sizes beyond which a condition is refused.
    pub limits: Limits,
    /// Where time zones are looked up. The default is the database built into the program, so that a
    /// condition means the same on every machine and nothing is read from disk.
    pub zones: TimeZoneDatabase,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            zones: TimeZoneDatabase::bundled(),
        }
    }
}

/// What a condition took to parse, in the units of [`Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The text, in bytes.
    pub bytes: usize,
    /// Comparisons.
    pub factors: usize,
    /// Parentheses within each other.
    pub depth: usize,
    /// Characters looked at while parsing, those looked at twice counted twice.
    pub steps: u64,
    /// States of its regular expressions: what they take in memory, and on each byte of a text at worst.
    pub pattern_states: u64,
}

/// A condition of a rule.
///
/// Parse one with [`FromStr`] under the reference's limits, or with [`Condition::parse_with`].
#[derive(Clone, Debug)]
pub struct Condition {
    source: String,
    expression: Expression,
    factors: Vec<Range<usize>>,
    root: Node,
    cost: Cost,
}

impl FromStr for Condition {
    type Err = SyntaxError;

    fn from_str(source: &str) -> Result<Self, SyntaxError> {
        Self::parse_with(source, &Settings::default())
    }
}

impl Condition {
    /// Parses and compiles a condition under limits and with time zones of one's own.
    ///
    /// # Errors
    /// The first thing in the text that is not of the language, or beyond the limits, with its place.
    pub fn parse_with(source: &str, settings: &Settings) -> Result<Self, SyntaxError> {
        let Parsed {
            expression,
            factors,
            patterns,
            depth,
            steps,
            pattern_states,
        } = parse(source, settings)?;
        let cost = Cost {
            bytes: source.len(),
            factors: factors.len(),
            depth,
            steps,
            pattern_states,
        };
        let root = compile(&expression, &mut Supply::new(patterns)).ok_or_else(|| {
            let reason = "it could not be compiled".to_owned();
            SyntaxError::locate(source, 0, Problem::BadPattern { reason })
        })?;
        Ok(Self {
            source: source.to_owned(),
            expression,
            factors,
            root,
            cost,
        })
    }

    /// Makes a condition of a tree that was built rather than parsed, for importers.
    ///
    /// The tree is printed and parsed, so it is held to the same limits; an error points into its printed
    /// form.
    ///
    /// # Errors
    /// What parsing refuses, and numbers that are not finite: the language has no word for them, and printed they would
    /// read as something else.
    pub fn from_expression(expression: &Expression, settings: &Settings) -> Result<Self, SyntaxError> {
        let printed = expression.to_string();
        let mut finite = true;
        expression.each_operand(&mut |operand| {
            finite &= !matches!(operand, Operand::Float(number) if !number.is_finite());
        });
        if !finite {
            return Err(SyntaxError::locate(&printed, 0, Problem::NotFinite));
        }
        Self::parse_with(&printed, settings)
    }

    /// The text as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What the text says; its display is the canonical form of the condition.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// How large the condition is and what it took to parse.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Whether the condition is true. Faster than [`Condition::evaluate`], as it keeps no warnings.
    pub fn matches(&self, scope: &Scope<'_>) -> bool {
        Evaluation::new(scope, None).decide(&self.root)
    }

    /// Whether the condition is true, on the account of a budget that several evaluations share. False when the budget
    /// does not last, or did not before; [`Budget::is_spent`] tells that apart.
    pub fn matches_within(&self, scope: &Scope<'_>, budget: &mut Budget) -> bool {
        if budget.is_spent() {
            return false;
        }
        let mut evaluation = Evaluation::within(scope, budget);
        let matched = evaluation.decide(&self.root);
        budget.settle(evaluation);
        matched && !budget.is_spent()
    }

    /// Whether there are counts for which the condition is true: what it asks of counts is left open.
    pub(crate) fn could_match(&self, scope: &Scope<'_>, budget: Option<&mut Budget>) -> bool {
        let Some(budget) = budget else {
            return Evaluation::new(scope, None).decide_openly(&self.root) != Some(false);
        };
        if budget.is_spent() {
            return false;
        }
        let mut evaluation = Evaluation::within(scope, budget);
        let decided = evaluation.decide_openly(&self.root);
        budget.settle(evaluation);
        decided != Some(false) && !budget.is_spent()
    }

    /// Evaluates the condition and tells why it came out as it did.
    ///
    /// ```
    /// use condition::{Condition, Scope};
    /// use serde_json::json;
    ///
    /// let event = json!({"severity": "info"});
    /// let scope = Scope::at("2026-11-22T05:00:00Z".parse()?).with("event", &event);
    /// let condition: Condition = "event.load > 5 or event.severity == 'info' or event.class exists".parse()?;
    ///
    /// let outcome = condition.evaluate(&scope);
    /// assert!(outcome.matched);
    /// let held: Vec<Option<bool>> = outcome.findings.iter().map(|finding| finding.held).collect();
    /// assert_eq!(held, [Some(false), Some(true), None]);
    /// assert_eq!(
    ///     outcome.warnings[0].to_string(),
    ///     "`event.load > 5` counts as false: `>` compares two numbers or two dates, not nil and a number"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn evaluate(&self, scope: &Scope<'_>) -> Outcome {
        let mut evaluation = Evaluation::new(scope, Some(Vec::with_capacity(self.factors.len())));
        let matched = evaluation.decide(&self.root);
        let mut findings: Vec<Finding> = self
            .factors
            .iter()
            .map(|range| Finding {
                text: self.source[range.clone()].to_owned(),
                range: range.clone(),
                held: None,
            })
            .collect();
        let mut warnings = Vec::new();
        for (factor, decision) in evaluation.trace.unwrap_or_default() {
            let Some(finding) = findings.get_mut(factor) else {
                continue;
            };
            finding.held = Some(*decision.as_ref().unwrap_or(&false));
            if let Err(concern) = decision {
                warnings.push(Warning {
                    text: finding.text.clone(),
                    range: finding.range.clone(),
                    concern,
                });
            }
        }
        Outcome {
            matched,
            findings,
            warnings,
            steps: evaluation.steps,
        }
    }

    /// The counts that the condition asks for, each once, in the order of the text.
    ///
    /// The caller keeps them for the rule, and sets the resetting ones back to 0 once the condition was
    /// true; [`TriggerCounts`](crate::TriggerCounts) does. Cache variables may not use any.
    pub fn thresholds(&self) -> Vec<Threshold> {
        let mut thresholds = Vec::new();
        self.expression.each_operand(&mut |operand| {
            if let Operand::Count(threshold) = operand
                && !thresholds.contains(threshold)
            {
                thresholds.push(*threshold);
            }
        });
        thresholds
    }

    /// The paths that the condition looks at, in the order of the text.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        self.expression.each_path(&mut |path| paths.push(path));
        paths
    }
}

impl Display for Condition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.source)
    }
}
