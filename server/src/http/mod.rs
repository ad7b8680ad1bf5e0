//! The conventions every endpoint shares: how a body is read, how a list is paged, what a reference
//! looks like, and what is said when something is wrong.
//!
//! They are those of the field's REST dialect (version 2), so that its clients work after a change of
//! host name. Whatever a client sends, it gets one of the documented answers; a 500 is a defect.

pub mod body;
pub mod expansion;
pub mod faults;
pub mod fields;
pub mod include;
pub mod instants;
pub mod limits;
pub mod listing;
mod origin;
pub mod problem;
pub mod problems;
pub mod query;
pub mod reference;
pub mod request;
pub mod sent;

pub use body::Body;
pub use faults::Faults;
pub use include::{Expandable, Include};
pub use listing::{Listing, Page, Paging};
pub use origin::Origin;
pub use problem::Problem;
pub use problems::Problems;
pub use query::{Path, Query};
pub use reference::{Head, Reference, ReferenceInput, Site};
pub use sent::Sent;
