//! How somebody comes by a password that only they know: by a link that works once.
//!
//! Whoever is invited, has forgotten theirs, or had it taken away by an admin gets a link, by mail where Muster can
//! send mail, else from the admin's hand. Only its hash is kept. Looking at the link changes nothing, for programs
//! look into mail before people do; setting the password uses it up, with all other links of that person. Nobody
//! learns from here whether an address is known, and no link is ever shown in the outbox.

pub mod jobs;
pub mod links;
pub mod store;

pub use links::{Reason, ask_for_another, invite, take_away};
