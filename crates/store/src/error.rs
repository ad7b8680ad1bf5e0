//! What can go wrong, in the words a caller has to decide by.
//!
//! The two engines report the same mishap in different ways; here they become one variant each. Values that were
//! bound never appear in an error, so that an error may be logged without spilling personal data.

use std::fmt;

/// Why the store could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A row with the same unique columns is already stored.
    #[error("already stored: {0}")]
    UniqueViolation(Violation),
    /// The row points to one that does not exist, or is still pointed to.
    #[error("a row that is referred to is missing, or a row is still referred to ({0})")]
    ForeignKey(Violation),
    /// A `NOT NULL` or `CHECK` constraint, or a value that the engine cannot keep (text with a NUL character, NaN).
    #[error("the value cannot be stored: {reason}")]
    Invalid {
        /// What the engine or the binding said, without the value.
        reason: String,
    },
    /// A row was expected and there is none.
    #[error("no such row")]
    NotFound,
    /// One row was expected and there are several.
    #[error("expected one row and found {found}")]
    TooManyRows {
        /// How many rows there were.
        found: u64,
    },
    /// The database is lost, locked, full or overloaded. Nothing was changed; the caller may try again later.
    #[error("the database is not available: {reason}")]
    Unavailable {
        /// What the engine said.
        reason: String,
    },
    /// The answer to a commit was lost: the change may or may not be stored. Never retried here, since the closure
    /// might then count twice; only the caller knows whether repeating is harmless.
    #[error("it is not known whether the change was stored: {reason}")]
    CommitUnknown {
        /// What the engine said.
        reason: String,
    },
    /// The transaction kept colliding with others.
    #[error("gave up after {attempts} attempts: {reason}")]
    RetriesExhausted {
        /// How often the closure was run.
        attempts: u32,
        /// Why the last attempt failed.
        reason: String,
    },
    /// A stored value does not fit the type it is read into.
    #[error("column {column}: {reason}")]
    Decode {
        /// Name of the column, or its position.
        column: String,
        /// What was expected and what was found.
        reason: String,
    },
    /// A statement ran after another statement of the same transaction had failed. See [`crate::Tx::attempt`].
    #[error("an earlier statement of this transaction failed")]
    Aborted,
    /// A statement of [`crate::Store::read`] tried to write.
    #[error("a read tried to write")]
    ReadOnly,
    /// The closure panicked; its changes were rolled back.
    #[error("the transaction panicked: {message}")]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// The series of migrations and the database do not fit together.
    #[error(transparent)]
    Migration(#[from] crate::migration::MigrationError),
    /// This engine cannot do this; the text says what to do instead.
    #[error("{advice}")]
    Unsupported {
        /// What to do instead.
        advice: &'static str,
    },
    /// The statement is wrong, or is used wrongly: a defect of the caller.
    #[error("{reason} in: {sql}")]
    Statement {
        /// What the engine said.
        reason: String,
        /// The text of the statement, which holds no values.
        sql: String,
    },
    /// Anything else, such as a location that cannot be read.
    #[error("{reason}")]
    Other {
        /// What happened.
        reason: String,
    },
}

/// Which constraint refused a row, as far as the engine tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violation {
    /// The table; empty when the engine does not say.
    pub table: String,
    /// The columns in the order of the constraint; empty when the engine does not say.
    pub columns: Vec<String>,
    /// The name of the constraint or index; SQLite names only indexes over expressions.
    pub constraint: Option<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.constraint, self.table.is_empty()) {
            (Some(constraint), true) => formatter.write_str(constraint),
            (Some(constraint), false) => write!(formatter, "{} of {}", constraint, self.table),
            (None, true) => formatter.write_str("constraint not named by the engine"),
            (None, false) => write!(formatter, "{} ({})", self.table, self.columns.join(", ")),
        }
    }
}

impl Error {
    /// Whether the database could not serve the request now, so that the caller should answer 503 and may repeat it.
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::CommitUnknown { .. } | Self::RetriesExhausted { .. }
        )
    }

    /// Whether a row was expected and there is none.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound)
    }

    /// Whether these columns of this table had to be unique and were not. Works alike on both engines.
    pub fn is_unique_on(&self, table: &str, columns: &[&str]) -> bool {
        match self {
            Self::UniqueViolation(violation) => violation.table == table && violation.columns == columns,
            _ => false,
        }
    }

    /// An [`Error::Unavailable`], also for queues in front of the store.
    pub fn unavailable(reason: impl fmt::Display) -> Self {
        Self::Unavailable {
            reason: reason.to_string(),
        }
    }

    pub(crate) fn other(reason: impl fmt::Display) -> Self {
        Self::Other {
            reason: reason.to_string(),
        }
    }

    pub(crate) fn statement(reason: impl fmt::Display, sql: &str) -> Self {
        Self::Statement {
            reason: reason.to_string(),
            sql: sql.to_owned(),
        }
    }
}

/// Makes the error for a caught panic.
pub(crate) fn panicked(payload: &(dyn std::any::Any + Send)) -> Error {
    let message = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    Error::Panicked { message }
}
