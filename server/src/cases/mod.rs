//! Cases: what customers reported, wherever they reported it.
//!
//! A case has a reporter, words, and perhaps an account, a place, a touchpoint and an incident. From the
//! moment it is reported somebody owes its reporter an answer. A case without an incident is answered once;
//! a case linked to an incident stays owed until its reporter has been told how it ended, however often they
//! were told in between. Whether it works again is the reporter's to say: a resolved incident never closes
//! a case, and "still broken" opens it again.
//!
//! Linking, unlinking and raising stand on the incident's timeline; impact and answers follow from there.

pub mod actions;
pub mod api;
pub mod input;
pub mod model;
pub mod raise;
pub mod rules;
pub mod store;
pub mod view;

pub use model::{Case, CaseId, Channel, Recovery, Status};
