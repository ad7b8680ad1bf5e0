//! Who may do what, and who did it.
//!
//! Every request is made by a [`Caller`]: a person with a session or a user-level key, or a program with
//! an account-level key. What a caller may do is decided in one table, [`rules::grant`], and nowhere
//! else; whatever the table does not allow is refused. Keys and session tokens are kept only as hashes.
//! Every change is written to the audit log in the transaction that makes it, each record bound to the
//! one before it by a hash, so that a missing or altered record shows.

pub mod api;
pub mod audit;
pub mod caller;
pub mod compared;
pub mod guessing;
pub mod model;
pub mod password;
pub mod rules;
pub mod store;
pub mod token;

pub use caller::Caller;
pub use model::{Action, ApiKeyId, KeyScope, Resource};
