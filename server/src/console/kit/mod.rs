//! The kit: every part that screens are made of, made once.
//!
//! A part is a plain value that draws itself (`{{ row.state }}` in a template). What needs arithmetic, such as
//! a line, a ring, a wall or a graph, is laid out by a pure function here and only printed by the template.
//! `/console/kit` shows every part in every state; a screen that needs something new adds it here first.

mod calendar;
mod controls;
mod graph;
mod lanes;
mod people;
mod recovery;
mod spark;
mod state;
mod tiles;
mod time;
mod timeline;
mod words;

pub use calendar::*;
pub use controls::*;
pub use graph::*;
pub use lanes::*;
pub use people::*;
pub use recovery::*;
pub use spark::*;
pub use state::*;
pub use tiles::*;
pub use time::*;
pub use timeline::*;
pub use words::*;

pub(crate) use crate::drawing::drawn;
pub use crate::drawing::{Rich, Run};
