//! Message templates: what stays the same when the same thing is said again.
//!
//! Two steps, one configuration for every source. [`mask`] replaces what is surely a value (addresses, numbers,
//! identifiers, durations, quoted text) by a word in angle brackets; it is a pure function of the text, so every
//! node of a cluster gets the same answer. [`Templates`] then learns which of the remaining words vary; it keeps
//! state and is bounded.

mod mask;
mod tree;

pub use mask::{mask, mask_into};
pub use tree::{TemplateId, Templates};
