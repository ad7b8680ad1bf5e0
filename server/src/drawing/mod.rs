//! The parts that the console and the public pages both draw: a line of rich text, and the states.
//!
//! A part is a plain value that draws itself. What only the console shows is in its kit.

mod rich;
mod state;

pub use rich::*;
pub use state::*;

/// Marks parts whose template has already escaped what it prints.
macro_rules! drawn {
    ($($part:ty),+ $(,)?) => { $(impl askama::filters::HtmlSafe for $part {})+ };
}
pub(crate) use drawn;
