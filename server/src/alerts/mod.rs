//! Alerts: what a machine reported, kept apart by the sender's key until it says that it is over.
//!
//! An alert belongs to one incident, unless it was suppressed (its service is in maintenance or switched
//! off, or a rule of the service says so) or is being held back because its kind, or a rule, lets it wait. Which incident it joins is
//! decided by the service's grouping setting through the `triage` crate, and the reasons are kept with
//! the alert, so that anybody can see why it is where it is.

pub mod api;
pub mod intake;
pub mod jobs;
pub mod links;
pub mod model;
pub mod patience;
pub(crate) mod placing;
pub mod silence;
pub mod store;
pub mod view;

pub use model::{Alert, AlertId};
