//! Rules of a service on its events: what becomes of an event before it becomes an alert.
//!
//! Whoever may change a service writes rules in the condition language (`crates/condition`), in sets; the first rule of a
//! set that matches acts, and may lead on to another set. At intake every event of the service is judged once, before
//! anything is looked up under its key: its fields may be rewritten, its alert may be kept from an incident, and what is
//! asked for its incident (a priority, a policy, a note) is kept with the alert until there is one.
//!
//! What always holds: judging reads nothing but the event and the rules, with the event's own arrival as the present
//! instant, so every node judges alike; it is bounded, whatever the rules and the event are; and it never loses an event.
//! Where a judgement would take too much work the event goes on as if there were no rules, and its alert says so.
//!
//! `input.rs` checks what is written, `rulebook.rs` prepares it, `judgement.rs` applies it, `rulings.rs` hands the rules of
//! a batch to the intake, `outcome.rs` does to an incident what was asked for it, and `sent.rs` keeps what was overwritten.

pub mod api;
pub mod input;
pub mod judgement;
pub mod model;
pub mod outcome;
pub mod rulebook;
pub mod rulings;
pub mod sent;
pub mod store;
pub mod words;

pub use judgement::Judged;
pub use model::{Held, Ruling};
pub use rulings::{Rulebooks, Rulings};
