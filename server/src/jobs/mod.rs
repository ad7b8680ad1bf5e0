//! What is owed, and when: one table of durable jobs.
//!
//! A job is written in the transaction that causes it and taken away in the transaction that makes it
//! needless. Its unique key makes it one promise, however often it is made: owing it again moves the
//! time and counts up its generation. A job takes no decision from its payload; when it fires it reads
//! the state afresh and does what is now right. Locks are taken as docs/decisions/locks.md says. A timer ends its promise in the transaction of its effect and does
//! nothing when the promise no longer stands; all others may run twice. A lease saves other
//! nodes the work, it never carries correctness: when a node dies, the lease runs out and another node
//! takes the job. A job that fails comes back later, with growing pauses, until it succeeds.

pub mod model;
pub mod store;

pub use model::{EVERY_PAGE, Job, Kind, Owed};
