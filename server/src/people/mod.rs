//! People and their teams: who can be paged, how, and after how long.
//!
//! A user is never removed from the rows that tell what happened; deleting one takes away the sign-in
//! and the pages and leaves the name. Everybody has at least one contact method, made from the e-mail
//! address, and a rule for each urgency that uses it at once, so that nobody on call is unreachable by
//! omission.

pub mod api;
pub mod model;
pub mod store;

pub use model::{ContactMethodId, NotificationRuleId, Role, TeamId, TeamRole, Urgency, User, UserId};
