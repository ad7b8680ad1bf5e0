//! Who is paged when, by which contact method.
//!
//! Whenever somebody is given an incident, or its state changes, the incident is owed a reconciliation
//! (`jobs`): it reads who has the incident now, plans their pages by their notification rules (`rules`),
//! owes those whose time has come, withdraws those that are no longer right, and asks to be woken for the
//! next. A page is one promise, named by incident, person, the instant they were given it, and rule; so it
//! is owed once however often this runs, on however many nodes. Each page is composed when its time has
//! come, from what is true then.
//!
//! Somebody whose rules would reach them by nothing that can be delivered is paged at once by their first
//! contact method, or else at the address they sign in with; so is somebody to whom every page by their rules failed. Somebody
//! who cannot be reached at all is named on the timeline, and the escalation goes on. When nobody has a triggered incident, or
//! every page to those who have it failed, the owners of the account are paged: an incident is never known to a timeline only.
//! A page that has been put off for minutes counts like one that failed, though it goes on being tried: a mail server that is
//! down must not keep to itself that somebody is needed. What was taken back and becomes right again is owed after all.
//!
//! Each page carries a link that acknowledges in one step (`links`, `page`). Opening the link only shows
//! what it is about, so that programs that look into mails acknowledge nothing; the button does it.
//!
//! The auditor compares what was promised with what happened: whoever has a triggered incident has been paged for it or is
//! owed a page, and where nobody has it, somebody else is; where not, it is repaired and said so.

pub mod auditor;
pub mod jobs;
mod links;
mod message;
pub mod page;
pub mod rules;
mod store;
pub mod trial;
