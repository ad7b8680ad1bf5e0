//! What Muster says to people and programs outside: every message is a row that is owed.
//!
//! A slice calls [`owe`] in the transaction that gives the reason, and the message exists or the reason
//! does not. The sender (`sender`) then claims rows that are due, hands each to its channel outside any
//! transaction, and records what became of it; rows are claimed and recorded by the group. A message that
//! the other side puts off comes back with growing pauses until the deadline of its purpose; one that is
//! refused for good ends as failed, with the reason, and a failed page also stands on its incident's
//! timeline. A claim is a lease of one minute: when a process dies in the middle, the row is claimed
//! again after it, once. So a message goes out at least once, and twice only when the death fell between
//! the other side's "accepted" and the record of it; the mail then carries the same Message-ID.
//!
//! Where no mail server is configured, mails end as `shown`: to be read in the outbox and nowhere else.

pub mod api;
pub mod links;
mod mail;
pub mod model;
pub mod pages;
pub mod rules;
pub mod sender;
pub mod signing;
mod smtp;
pub mod store;
mod webhook;

pub use model::{Channel, HeaderName, Mail, NewSend, Purpose, Recipient, SECRET_LINK, SendId, State};
pub use sender::Channels;
pub use store::{cancel, give_up, owe, owe_after_all};
