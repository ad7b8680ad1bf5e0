//! The door: what tools send, made durable before it is answered.
//!
//! A sender posts an event with its integration's key. The event is checked and shortened where it is
//! longer than its field (an alert is never lost over a length), handed to the journal, and answered
//! only when the journal's commit is on disk. Events that queued meanwhile share one commit. Each node
//! writes its own part of the journal, so the order of its sequence is the order of its commits; any
//! node may turn any part into alerts, under a lock on that part. When the database cannot be written
//! to, the answer is 503 and nothing was kept, so that the sender tries again.

pub mod alertmanager;
pub mod api;
mod change_events;
pub mod event;
pub mod intake;
pub mod journal;
pub mod keys;
pub mod leaves;
mod mending;
pub mod passed_over;
pub mod shapes;
pub mod trying_again;

pub use journal::Journal;
