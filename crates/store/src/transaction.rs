//! The inside of a transaction, the same on both engines.
//!
//! A statement that fails spoils the transaction: PostgreSQL refuses every later statement, and SQLite, which would
//! go on, is made to refuse them too. A closure that swallows the error cannot commit half of its work. Who wants to
//! try something that may fail uses [`Tx::attempt`], which rolls back only its own part.

use sha2::{Digest, Sha256};

use crate::{Engine, Error, FromRow, Row, Statement, Value};

/// A running transaction. Nothing can be awaited while one is open.
pub struct Tx<'a> {
    connection: Connection<'a>,
    access: Access,
    pub(crate) failure: Option<Failure>,
    depth: u32,
}

pub(crate) enum Connection<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a crate::postgres::Session),
}

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Sees one snapshot and cannot write.
    Read,
    /// Reads and writes.
    Write,
    /// As `Write`, with no limit on how long it waits for locks.
    Migrate,
}

/// The first failed statement of a transaction, and whether running the closure again may help.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) retry: Retry,
}

/// Whether a closure that failed may be run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    /// The same would happen again.
    Never,
    /// It collided with another transaction.
    Collision,
    /// The connection was lost before the commit.
    ConnectionLost,
    /// A prepared statement no longer fits the tables, which another node has migrated.
    StalePlan,
}

impl Failure {
    pub(crate) fn fatal(error: Error) -> Self {
        Self {
            error,
            retry: Retry::Never,
        }
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn new(connection: Connection<'a>, access: Access) -> Self {
        Self {
            connection,
            access,
            failure: None,
            depth: 0,
        }
    }

    /// All rows of the answer.
    ///
    /// # Errors
    /// Those of the statement, and [`Error::Decode`] when a row does not fit `T`.
    pub fn rows<T: FromRow>(&mut self, statement: Statement, params: &[Value]) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        self.each(&statement, params, &mut |row| {
            rows.push(T::from_row(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The row of the answer, if there is one.
    ///
    /// # Errors
    /// As [`Tx::rows`], and [`Error::TooManyRows`] when there is more than one.
    pub fn row<T: FromRow>(&mut self, statement: Statement, params: &[Value]) -> Result<Option<T>, Error> {
        let mut rows = self.rows(statement, params)?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            found => Err(Error::TooManyRows { found: found as u64 }),
        }
    }

    /// The only row of the answer.
    ///
    /// # Errors
    /// As [`Tx::row`], and [`Error::NotFound`] when there is none.
    pub fn one<T: FromRow>(&mut self, statement: Statement, params: &[Value]) -> Result<T, Error> {
        self.row(statement, params)?.ok_or(Error::NotFound)
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn execute(&mut self, statement: Statement, params: &[Value]) -> Result<u64, Error> {
        self.run(|connection| match connection {
            Connection::Sqlite(connection) => crate::sqlite::execute(connection, &statement, params),
            Connection::Postgres(session) => session.execute(&statement, params),
        })
    }

    /// Runs a statement whose answer nobody needs. On PostgreSQL the closure goes on without waiting for it, which spares
    /// a journey for each row of a storm; a mistake in it then spoils the transaction at a later statement, or at the
    /// end, so it is not for statements whose failure has a meaning.
    ///
    /// # Errors
    /// Those of the statement on SQLite; on PostgreSQL those of what was sent before.
    pub fn send(&mut self, statement: Statement, params: &[Value]) -> Result<(), Error> {
        self.run(|connection| match connection {
            Connection::Sqlite(connection) => {
                crate::sqlite::execute(connection, &statement, params).map(drop)
            }
            Connection::Postgres(session) => session.send(&statement, params),
        })
    }

    /// Waits for all that was sent. A failure among it spoils the transaction, as if it had been waited for.
    pub(crate) fn settle(&mut self) {
        if self.failure.is_none() {
            // Kept in `failure`, where whoever ends the transaction finds it.
            self.run(|connection| match connection {
                Connection::Sqlite(_) => Ok(()),
                Connection::Postgres(session) => session.settle(),
            })
            .ok();
        }
    }

    /// Runs a statement that must change exactly one row.
    ///
    /// # Errors
    /// Those of the statement, [`Error::NotFound`] for no row and [`Error::TooManyRows`] for several. The transaction
    /// is not spoiled by the last two; return the error to roll it back.
    pub fn execute_one(&mut self, statement: Statement, params: &[Value]) -> Result<(), Error> {
        match self.execute(statement, params)? {
            0 => Err(Error::NotFound),
            1 => Ok(()),
            found => Err(Error::TooManyRows { found }),
        }
    }

    /// Which engine this runs on.
    pub fn engine(&self) -> Engine {
        match self.connection {
            Connection::Sqlite(_) => Engine::Sqlite,
            Connection::Postgres(_) => Engine::Postgres,
        }
    }

    /// Waits until no other transaction holds this key, and holds it until the end of this one. Take several keys in a
    /// fixed order. SQLite has one writer at a time and needs no lock.
    ///
    /// # Errors
    /// Those of a statement.
    pub fn lock(&mut self, key: &str) -> Result<(), Error> {
        self.run(|connection| match connection {
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(session) => session
                .execute(
                    &crate::sql!("SELECT pg_advisory_xact_lock($1)"),
                    &[Value::Integer(lock_number(key))],
                )
                .map(drop),
        })
    }

    /// Takes this key until the end of this transaction, unless another one holds it; says whether it did. On SQLite it
    /// always does.
    ///
    /// # Errors
    /// Those of a statement.
    pub fn try_lock(&mut self, key: &str) -> Result<bool, Error> {
        if self.engine() == Engine::Sqlite {
            return Ok(true);
        }
        let (taken,): (bool,) = self.one(
            crate::sql! { sqlite: "SELECT ?1", postgres: "SELECT pg_try_advisory_xact_lock($1)" },
            &[Value::Integer(lock_number(key))],
        )?;
        Ok(taken)
    }

    /// Runs a part that may fail by itself: its changes are rolled back when it returns an error, and the transaction
    /// goes on as if it had not been tried. A lost connection or a collision still ends the whole transaction.
    ///
    /// # Errors
    /// That of the part, or that of the savepoint around it.
    pub fn attempt<T, E: From<Error>>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.depth += 1;
        let name = format!("attempt_{}", self.depth);
        let result = self.attempt_within(&name, part);
        self.depth -= 1;
        result
    }

    fn attempt_within<T, E: From<Error>>(
        &mut self,
        name: &str,
        part: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.control(&format!("SAVEPOINT {name}"))?;
        let result = part(self);
        self.settle();
        if result.is_ok() && self.failure.is_none() {
            self.control(&format!("RELEASE SAVEPOINT {name}"))?;
            return result;
        }
        match self.failure.take() {
            Some(failure) if failure.retry != Retry::Never => {
                self.failure = Some(failure);
                result.and(Err(Error::Aborted.into()))
            }
            failure => {
                self.control(&format!("ROLLBACK TO SAVEPOINT {name}"))?;
                self.control(&format!("RELEASE SAVEPOINT {name}"))?;
                match failure {
                    Some(failure) if result.is_ok() => Err(failure.error.into()),
                    _ => result,
                }
            }
        }
    }

    /// Whether the closure may commit: it returned no error, and did not swallow one either.
    pub(crate) fn verdict<T, E: From<Error>>(&self, result: Result<T, E>) -> Result<T, E> {
        match &self.failure {
            Some(failure) => result.and_then(|_| Err(failure.error.clone().into())),
            None => result,
        }
    }

    fn each(
        &mut self,
        statement: &Statement,
        params: &[Value],
        accept: &mut dyn FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut refused = None;
        self.run(|connection| {
            let mut accept = |row: &Row<'_>| match accept(row) {
                Ok(()) => true,
                Err(error) => {
                    refused = Some(error);
                    false
                }
            };
            match connection {
                Connection::Sqlite(connection) => {
                    crate::sqlite::query(connection, statement, params, &mut accept)
                }
                Connection::Postgres(session) => session.query(statement, params, &mut accept),
            }
        })?;
        refused.map_or(Ok(()), Err)
    }

    /// Has the engine check a statement without running it.
    #[cfg(feature = "test-support")]
    pub(crate) fn prepare(&mut self, statement: &Statement) -> Result<(), Error> {
        self.run(|connection| match connection {
            Connection::Sqlite(connection) => crate::sqlite::prepare(connection, statement),
            Connection::Postgres(session) => session.check(statement),
        })
    }

    /// Runs several statements that take no values, for migrations.
    pub(crate) fn batch(&mut self, statements: &str) -> Result<(), Error> {
        self.run(|connection| match connection {
            Connection::Sqlite(connection) => connection
                .execute_batch(statements)
                .map_err(|error| crate::sqlite::failure(&error, "a migration")),
            Connection::Postgres(session) => session.control(statements),
        })
    }

    /// Runs a command that takes no values.
    fn control(&mut self, command: &str) -> Result<(), Error> {
        self.run(|connection| match connection {
            Connection::Sqlite(connection) => crate::sqlite::control(connection, command),
            Connection::Postgres(session) => session.control(command),
        })
    }

    fn run<T>(&mut self, work: impl FnOnce(&Connection<'a>) -> Result<T, Failure>) -> Result<T, Error> {
        if self.failure.is_some() {
            return Err(Error::Aborted);
        }
        work(&self.connection).map_err(|mut failure| {
            if matches!(failure.error, Error::ReadOnly) && self.access != Access::Read {
                failure.error = Error::unavailable("it can only be read, not written");
            }
            let error = failure.error.clone();
            self.failure = Some(failure);
            error
        })
    }
}

/// Advisory locks are numbers; the names are spread over all of them.
fn lock_number(key: &str) -> i64 {
    let digest = Sha256::digest(key.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(bytes)
}
