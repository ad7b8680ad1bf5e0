//! The timeline: what happened, who did it, when. One for each incident and one for everything.
//!
//! Whoever changes something does it through a [`Change`]: the new state, the entry here and the jobs
//! it causes commit together or not at all. Slices further up never get called from below; they
//! subscribe to kinds of entries and are owed a job in the same transaction. Entries are only ever
//! added.

pub mod change;
pub mod model;
pub mod store;

pub use change::{Act, AuditAction, Change, Deed, Subscription, Told};
pub use model::{Agent, AgentKind, Entry, IncidentId, Kind, NewEntry, Request};
