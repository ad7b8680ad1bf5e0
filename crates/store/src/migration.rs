//! Migrations: one numbered series for both engines, applied in order and never changed afterwards.
//!
//! Each migration runs in its own transaction together with the record that it ran, under a lock that other nodes and
//! processes wait for; one that fails leaves nothing behind. What was applied is remembered with a checksum, so that a
//! migration that was edited afterwards, or a database that is newer than the program, is noticed before anything is
//! touched. How one text serves two engines is told in `migration/dialect.rs`.

mod dialect;

use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::Error;
use crate::postgres::Postgres;
use crate::sqlite::{self, Purpose};
use crate::transaction::{Access, Connection, Tx};

/// One step of the series.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Position in the series, from 1, rising.
    pub number: u32,
    /// What it is about, for people.
    pub name: &'static str,
    /// Statements in the common dialect; see the documentation of the crate.
    pub sql: &'static str,
}

/// Why the series and the database do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The numbers of the series do not rise.
    #[error("migration {number} ({name}) is out of order in the program")]
    Unordered {
        /// Its number.
        number: u32,
        /// Its name.
        name: String,
    },
    /// A migration was edited after it had been applied.
    #[error(
        "migration {number} ({name}) was changed after it had been applied; restore its text and add a new one"
    )]
    Changed {
        /// Its number.
        number: u32,
        /// Its name.
        name: String,
    },
    /// The database was migrated by a newer version of the program.
    #[error(
        "the database is newer than this program (migration {number}, {name}); install the newer version"
    )]
    Newer {
        /// Its number.
        number: u32,
        /// Its name.
        name: String,
    },
    /// A migration was inserted before one that has been applied already.
    #[error("migration {number} ({name}) comes before one that was applied already; give it the next number")]
    Late {
        /// Its number.
        number: u32,
        /// Its name.
        name: String,
    },
    /// A migration failed; nothing of it was kept.
    #[error("migration {number} ({name}) failed, and nothing of it was kept: {reason}")]
    Failed {
        /// Its number.
        number: u32,
        /// Its name.
        name: String,
        /// What the engine said.
        reason: String,
    },
}

/// How long a process waits for another one that migrates the same SQLite file.
const PATIENCE: Duration = Duration::from_mins(1);

const PREPARATION: &str = "
    CREATE TABLE IF NOT EXISTS store_migrations (
        number BIGINT PRIMARY KEY,
        name TEXT NOT NULL,
        checksum TEXT NOT NULL,
        applied_at TEXT NOT NULL DEFAULT (CAST(CURRENT_TIMESTAMP AS TEXT))
    );
    CREATE TABLE IF NOT EXISTS store_check (name TEXT PRIMARY KEY, counter BIGINT NOT NULL);";

/// Refuses a series that contradicts itself.
pub(crate) fn validate(migrations: &[Migration]) -> Result<(), Error> {
    let mut last = 0;
    for migration in migrations {
        if migration.number <= last {
            let Migration { number, name, .. } = *migration;
            return Err(MigrationError::Unordered {
                number,
                name: name.to_owned(),
            }
            .into());
        }
        last = migration.number;
    }
    Ok(())
}

/// Brings a SQLite file up to date.
pub(crate) fn on_sqlite(file: &Path, migrations: &[Migration]) -> Result<(), Error> {
    sqlite::make_private(file)?;
    let connection = sqlite::connect(file, Purpose::Write)?;
    // Tables are rebuilt by dropping the old one, which must not cascade; the commit below checks every reference.
    let fail = |error: rusqlite::Error| sqlite::failure(&error, "").error;
    connection
        .pragma_update(None, "foreign_keys", false)
        .map_err(fail)?;
    connection.busy_timeout(PATIENCE).map_err(fail)?;
    loop {
        sqlite::control(&connection, "BEGIN IMMEDIATE").map_err(|failure| failure.error)?;
        let mut tx = Tx::new(Connection::Sqlite(&connection), Access::Migrate);
        let step = apply_next(&mut tx, migrations).and_then(|step| {
            ensure_references(&mut tx, step)?;
            Ok(step)
        });
        let end = if step.is_ok() { "COMMIT" } else { "ROLLBACK" };
        if !connection.is_autocommit() {
            sqlite::control(&connection, end).map_err(|failure| failure.error)?;
        }
        if step?.is_none() {
            return Ok(());
        }
    }
}

/// Brings a PostgreSQL database up to date.
pub(crate) async fn on_postgres(postgres: &Postgres, migrations: &[Migration]) -> Result<(), Error> {
    loop {
        let series = migrations.to_vec();
        let step = postgres
            .transaction(Access::Migrate, move |tx| apply_next(tx, &series))
            .await?;
        if step.is_none() {
            return Ok(());
        }
    }
}

/// The names of those that are missing.
pub(crate) fn pending(tx: &mut Tx<'_>, migrations: &[Migration]) -> Result<Vec<&'static str>, Error> {
    let (tables,): (i64,) = tx.one(
        crate::sql! {
            sqlite: "SELECT COUNT(*) FROM sqlite_master WHERE name = 'store_migrations'",
            postgres: "SELECT COUNT(*) FROM pg_tables
                       WHERE tablename = 'store_migrations' AND schemaname = current_schema()"
        },
        &[],
    )?;
    let applied: Vec<(u32, String, String)> = if tables == 0 {
        Vec::new()
    } else {
        tx.rows(
            crate::sql!("SELECT number, name, checksum FROM store_migrations ORDER BY number"),
            &[],
        )?
    };
    next_of(migrations, &applied)?;
    let is_missing = |migration: &&Migration| !applied.iter().any(|(number, ..)| *number == migration.number);
    Ok(migrations
        .iter()
        .filter(is_missing)
        .map(|migration| migration.name)
        .collect())
}

/// Applies the next migration that is missing, if there is one. Runs in a transaction that holds the lock.
fn apply_next(tx: &mut Tx<'_>, migrations: &[Migration]) -> Result<Option<AppliedStep>, Error> {
    tx.lock("store.migrations")?;
    tx.batch(&dialect::for_engine(PREPARATION, tx.engine()))?;
    let applied: Vec<(u32, String, String)> = tx.rows(
        crate::sql!("SELECT number, name, checksum FROM store_migrations ORDER BY number"),
        &[],
    )?;
    let Some(migration) = next_of(migrations, &applied)? else {
        return Ok(None);
    };
    let Migration { number, name, sql } = *migration;
    tx.batch(&dialect::for_engine(sql, tx.engine()))
        .map_err(|error| match error {
            error if error.is_unavailable() => error,
            error => MigrationError::Failed {
                number,
                name: name.to_owned(),
                reason: error.to_string(),
            }
            .into(),
        })?;
    tx.execute_one(
        crate::sql!("INSERT INTO store_migrations (number, name, checksum) VALUES ($1, $2, $3)"),
        crate::params![number, name, checksum(sql)],
    )?;
    tracing::info!(number, name, "applied a migration");
    Ok(Some(AppliedStep { number, name }))
}

/// The migration that was applied.
#[derive(Debug, Clone, Copy)]
struct AppliedStep {
    number: u32,
    name: &'static str,
}

fn next_of<'a>(
    migrations: &'a [Migration],
    applied: &[(u32, String, String)],
) -> Result<Option<&'a Migration>, MigrationError> {
    for (number, name, stored) in applied {
        let name = name.clone();
        match migrations.iter().find(|migration| migration.number == *number) {
            None => {
                return Err(MigrationError::Newer {
                    number: *number,
                    name,
                });
            }
            Some(migration) if checksum(migration.sql) != *stored => {
                return Err(MigrationError::Changed {
                    number: *number,
                    name,
                });
            }
            Some(_) => {}
        }
    }
    let last = applied.last().map_or(0, |(number, ..)| *number);
    let missing = |migration: &&Migration| !applied.iter().any(|(number, ..)| *number == migration.number);
    match migrations.iter().find(missing) {
        Some(migration) if migration.number < last => Err(MigrationError::Late {
            number: migration.number,
            name: migration.name.to_owned(),
        }),
        next => Ok(next),
    }
}

/// SQLite does not check references while tables are rebuilt, so it is done before the commit.
fn ensure_references(tx: &mut Tx<'_>, step: Option<AppliedStep>) -> Result<(), Error> {
    let Some(AppliedStep { number, name }) = step else {
        return Ok(());
    };
    let broken: Vec<(String,)> = tx.rows(
        crate::sql! { sqlite: "SELECT DISTINCT \"table\" FROM pragma_foreign_key_check", postgres: "" },
        &[],
    )?;
    if broken.is_empty() {
        return Ok(());
    }
    let tables = broken
        .into_iter()
        .map(|(table,)| table)
        .collect::<Vec<_>>()
        .join(", ");
    let reason = format!("rows of {tables} refer to rows that do not exist");
    Err(MigrationError::Failed {
        number,
        name: name.to_owned(),
        reason,
    }
    .into())
}

/// Line ends do not count, since a checkout may change them.
pub(crate) fn checksum(sql: &str) -> String {
    let digest = Sha256::digest(sql.replace("\r\n", "\n").trim_end().as_bytes());
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or_default());
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or_default());
        text
    })
}
