//! The one face of both databases: SQLite, embedded, and PostgreSQL, for several nodes.
//!
//! Everything happens in transactions that are plain closures: [`Store::write`] and [`Store::read`]. Nothing can be
//! awaited inside one, so no lock is ever held across a network call, and a closure can be run again when it collided
//! with another. A write is answered after it is durable. On SQLite all writes that have queued share one commit.
//!
//! Statements are SQL with `$n`, marked by [`sql!`], the same text for both engines; see [`statement`]. Migrations are
//! one series of texts for both engines; see [`migration`]. Nothing outside of this crate knows a driver.
//!
//! When something fails, [`Error`] says whether the caller can do something about it: a duplicate, a missing row, a
//! database that is not available now.

mod error;
pub mod migration;
mod postgres;
mod query;
mod row;
mod sqlite;
pub mod statement;
#[cfg(feature = "test-support")]
pub mod statements;
mod store;
#[cfg(feature = "test-support")]
pub mod testing;
mod transaction;
mod value;

pub use error::{Error, Violation};
pub use migration::{Migration, MigrationError};
pub use query::Query;
pub use row::{FromRow, FromValue, Mismatch, Row, Single, ValueRef};
pub use statement::Statement;
pub use store::{Engine, Location, Store};
pub use transaction::Tx;
pub use value::{Bound, Kind, Value};

pub use store_derive::{FromRow, TextEnum, TextType, both_engines};
