//! The condition language of event orchestration (PCL), and what orchestration takes out of events.
//!
//! A rule's author writes a condition such as `event.summary matches part 'disk' and not event.severity
//! == 'info'`. It is compiled once into a [`Condition`] and then evaluated against many events. Everything
//! an evaluation depends on (the documents it may look into, the present instant, the trigger counts) is
//! handed over in a [`Scope`]; the crate reads no clock, no file and no network.
//!
//! ```
//! use condition::{Condition, Scope};
//! use serde_json::json;
//!
//! let event = json!({"summary": "Disk full on db-7", "severity": "critical"});
//! let now = "2026-11-22T05:00:00Z".parse()?;
//! let scope = Scope::at(now).with("event", &event);
//!
//! let condition: Condition = "event.summary matches part 'disk' and event.severity == 'critical'".parse()?;
//! assert!(condition.matches(&scope));
//!
//! let mistake = "event.severity = 'critical'".parse::<Condition>().unwrap_err();
//! assert_eq!((mistake.line, mistake.column), (1, 16));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What always holds: parsing and evaluating are linear in the size of what they are given, whatever it
//! contains; [`Limits`] bounds sizes and depth; nothing panics. What fails: parsing gives a [`SyntaxError`]
//! that points at the place; evaluation never fails, a comparison that makes no sense counts as false and
//! [`Condition::evaluate`] says so in its warnings.
//!
//! Sources: the language is PagerDuty's condition language as its public documentation describes it; where that leaves
//! room, `docs/decisions/condition-language.md` says what was chosen. Regular expressions are those of RE2 (Cox,
//! *Regular expression matching in the wild*, 2010); expressions in templates are a part of Jinja, by
//! [minijinja](https://docs.rs/minijinja).
//!
//! Where to start reading: [`Expression`] is what a condition says (`syntax.rs`), `parse.rs` reads it,
//! `compile.rs` prepares it, `evaluate.rs` decides it. [`Extraction`] is the other half: patterns
//! (`pattern.rs`, `re2.rs`) and templates (`template.rs`, `expression.rs`). [`TriggerCounts`] keeps what
//! `trigger_count over` asks for.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod budget;
mod compile;
mod condition;
mod counts;
mod error;
mod evaluate;
mod expression;
mod extraction;
mod number;
mod parse;
mod path;
mod pattern;
mod print;
mod re2;
mod scope;
mod syntax;
mod template;
mod text;
mod weekly;

pub use budget::Budget;
pub use condition::{Condition, Cost, Limits, Settings};
pub use counts::{SlidingCount, SpoiledCounts, TriggerCounts};
pub use error::{Problem, SyntaxError};
pub use evaluate::{Concern, Finding, Outcome, Warning};
pub use extraction::{Capture, Extraction, ExtractionError};
pub use path::AssignError;
pub use pattern::{Pattern, PatternError};
pub use scope::Scope;
pub use syntax::{
    Case, Comparison, Expression, LocalInstant, MatchKind, Operand, Path, Segment, Threshold, ThresholdKind,
};
pub use template::{RenderError, Rendered, Template, TemplateError};
pub use weekly::WeeklySchedule;

/// The examples of the README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
