//! SQLite: one writer thread and several readers over one file in WAL mode.
//!
//! All writes of the process pass through the writer thread, in the order in which they arrive, and share commits;
//! readers see the last commit and never wait for the writer. Another process (a command-line tool) may open the same
//! file: its writes and ours wait for one another for at most [`BUSY_TIMEOUT`].

mod reader;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ErrorCode, OpenFlags};

pub(crate) use reader::Readers;
pub(crate) use writer::Writer;

use crate::error::Violation;
use crate::row::{Mismatch, Row, Source, ValueRef};
use crate::transaction::{self, Access, Failure, Tx};
use crate::{Error, Statement, Value};

/// How long a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection; the server has some hundreds.
const CACHED_STATEMENTS: usize = 1000;
/// Size of the write-ahead log, in pages of 4 KiB, at which the writer copies it into the database file.
const CHECKPOINT_PAGES: u32 = 4000;

/// The name of the database file within its directory.
pub(crate) fn file_in(directory: &Path) -> PathBuf {
    directory.join("muster.db")
}

/// Another database file in the same directory.
pub(crate) fn file_beside(file: &Path, name: &str) -> PathBuf {
    file.with_file_name(format!("{name}.db"))
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    Read,
}

/// Makes sure that the file is there, and readable by nobody but who runs the program: it holds what customers and people
/// entrust to it. SQLite gives its log the same permissions.
pub(crate) fn make_private(file: &Path) -> Result<(), Error> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
        .open(file)
        .map(drop)
        .map_err(|error| Error::unavailable(format!("{}: {error}", file.display())))
}

/// Opens one connection with all settings that correctness rests on.
pub(crate) fn connect(file: &Path, purpose: Purpose) -> Result<Connection, Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // A plan follows from the statement alone. Otherwise values that might lead to another plan, as those compared
        // with the condition of a partial index, have the statement translated again at every execution.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // Negative: KiB instead of pages.
        connection.pragma_update(
            None,
            "cache_size",
            if purpose == Purpose::Write {
                -32_000
            } else {
                -8_000
            },
        )?;
        connection.pragma_update(None, "query_only", purpose == Purpose::Read)?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        Ok(connection)
    };
    open().map_err(|error| failure(&error, "").error)
}

/// Runs a statement and hands over its rows until `accept` refuses one.
pub(crate) fn query(
    connection: &Connection,
    statement: &Statement,
    params: &[Value],
    accept: &mut dyn FnMut(&Row<'_>) -> bool,
) -> Result<(), Failure> {
    let sql = &statement.sqlite;
    let fail = |error: rusqlite::Error| failure(&error, sql);
    let mut prepared = connection.prepare_cached(sql).map_err(fail)?;
    bind(&mut prepared, sql, params)?;
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next().map_err(fail)? {
        if !accept(&Row {
            source: Source::Sqlite(row),
        }) {
            break;
        }
    }
    Ok(())
}

/// Runs a statement and counts the rows that it changed.
pub(crate) fn execute(
    connection: &Connection,
    statement: &Statement,
    params: &[Value],
) -> Result<u64, Failure> {
    let sql = &statement.sqlite;
    let mut prepared = connection
        .prepare_cached(sql)
        .map_err(|error| failure(&error, sql))?;
    bind(&mut prepared, sql, params)?;
    if prepared.column_count() == 0 {
        return prepared
            .raw_execute()
            .map(|rows| rows as u64)
            .map_err(|error| failure(&error, sql));
    }
    // A statement with RETURNING is counted by its rows, as PostgreSQL does.
    let mut rows = prepared.raw_query();
    let mut count = 0;
    while rows.next().map_err(|error| failure(&error, sql))?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// Commits. After a failed read or write of the disk it is not known what a later start will find in the log.
pub(crate) fn commit(connection: &Connection) -> Result<(), Error> {
    let committed = connection
        .prepare_cached("COMMIT")
        .and_then(|mut prepared| prepared.raw_execute());
    match committed {
        Ok(_) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) => {
            Err(Error::CommitUnknown {
                reason: error.to_string(),
            })
        }
        Err(error) => Err(failure(&error, "COMMIT").error),
    }
}

/// Has the engine check a statement.
#[cfg(feature = "test-support")]
pub(crate) fn prepare(connection: &Connection, statement: &Statement) -> Result<(), Failure> {
    connection
        .prepare(&statement.sqlite)
        .map(drop)
        .map_err(|error| failure(&error, &statement.sqlite))
}

/// Runs a command without values, such as SAVEPOINT.
pub(crate) fn control(connection: &Connection, command: &str) -> Result<(), Failure> {
    connection
        .prepare_cached(command)
        .and_then(|mut prepared| prepared.raw_execute())
        .map(drop)
        .map_err(|error| failure(&error, command))
}

fn bind(prepared: &mut rusqlite::Statement<'_>, sql: &str, params: &[Value]) -> Result<(), Failure> {
    if prepared.parameter_count() != params.len() {
        let reason = format!(
            "{} values for {} parameters",
            params.len(),
            prepared.parameter_count()
        );
        return Err(Failure::fatal(Error::statement(reason, sql)));
    }
    for (index, value) in params.iter().enumerate() {
        value.ensure_portable().map_err(Failure::fatal)?;
        prepared
            .raw_bind_parameter(index + 1, value)
            .map_err(|error| failure(&error, sql))?;
    }
    Ok(())
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::{Value as Owned, ValueRef as Borrowed};
        Ok(match self {
            Self::Null(_) => ToSqlOutput::Borrowed(Borrowed::Null),
            Self::Bool(value) => ToSqlOutput::Borrowed(Borrowed::Integer((*value).into())),
            Self::Integer(value) => ToSqlOutput::Borrowed(Borrowed::Integer(*value)),
            Self::Real(value) => ToSqlOutput::Borrowed(Borrowed::Real(*value)),
            Self::Text(value) => ToSqlOutput::Borrowed(Borrowed::Text(value.as_bytes())),
            Self::Bytes(value) => ToSqlOutput::Borrowed(Borrowed::Blob(value)),
            Self::Json(value) => ToSqlOutput::Owned(Owned::Text(value.to_string())),
            Self::TextList(values) => ToSqlOutput::Owned(Owned::Text(serde_json::json!(values).to_string())),
            Self::IntegerList(values) => {
                ToSqlOutput::Owned(Owned::Text(serde_json::json!(values).to_string()))
            }
        })
    }
}

/// Reads one column.
pub(crate) fn value_at<'a>(row: &'a rusqlite::Row<'_>, position: usize) -> Result<ValueRef<'a>, Mismatch> {
    use rusqlite::types::ValueRef as Stored;
    match row.get_ref(position) {
        Ok(Stored::Null) => Ok(ValueRef::Null),
        Ok(Stored::Integer(value)) => Ok(ValueRef::Integer(value)),
        Ok(Stored::Real(value)) => Ok(ValueRef::Real(value)),
        Ok(Stored::Text(bytes)) => std::str::from_utf8(bytes)
            .map(ValueRef::Text)
            .map_err(|_| Mismatch::new("the text is not UTF-8")),
        Ok(Stored::Blob(bytes)) => Ok(ValueRef::Bytes(bytes)),
        Err(_) => Err(Mismatch::new("the statement yields no such column")),
    }
}

/// Turns an error of the driver into one of the store.
pub(crate) fn failure(error: &rusqlite::Error, sql: &str) -> Failure {
    let (code, extended, message) = match error {
        rusqlite::Error::SqliteFailure(code, message) => (
            code.code,
            code.extended_code,
            message.clone().unwrap_or_else(|| code.to_string()),
        ),
        rusqlite::Error::SqlInputError { error, msg, .. } => (error.code, error.extended_code, msg.clone()),
        other => return Failure::fatal(Error::statement(other, sql)),
    };
    Failure::fatal(match code {
        ErrorCode::ConstraintViolation => constraint(extended, &message),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::PermissionDenied
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase => Error::unavailable(message),
        ErrorCode::ReadOnly => Error::ReadOnly,
        _ => Error::statement(message, sql),
    })
}

fn constraint(extended: i32, message: &str) -> Error {
    let subject = message.split_once(": ").map_or("", |(_, subject)| subject);
    match extended {
        rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
        | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | rusqlite::ffi::SQLITE_CONSTRAINT_ROWID => Error::UniqueViolation(violation(subject)),
        rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Error::ForeignKey(Violation::default()),
        _ => Error::Invalid {
            reason: message.to_owned(),
        },
    }
}

/// Reads `users.name, users.team` or `index 'users_name'`.
fn violation(subject: &str) -> Violation {
    if let Some(name) = subject.strip_prefix("index '") {
        return Violation {
            constraint: Some(name.trim_end_matches('\'').to_owned()),
            ..Violation::default()
        };
    }
    let mut violation = Violation::default();
    for (table, column) in subject.split(", ").filter_map(|part| part.split_once('.')) {
        table.clone_into(&mut violation.table);
        violation.columns.push(column.to_owned());
    }
    violation
}

/// Copies the whole database, as of one moment, into a new file, and has it completed before it is seen there.
pub(crate) fn backup(
    from: &Path,
    to: &Path,
    complete: impl FnOnce(&mut Tx) -> Result<(), Error>,
) -> Result<(), Error> {
    if to.exists() {
        return Err(Error::other(format!(
            "{} exists; a backup never overwrites a file",
            to.display()
        )));
    }
    write_whole(to, |unfinished| {
        copy(&connect(from, Purpose::Read)?, unfinished)?;
        let copied = connect(unfinished, Purpose::Write)?;
        control(&copied, "BEGIN IMMEDIATE").map_err(|failure| failure.error)?;
        complete(&mut Tx::new(
            transaction::Connection::Sqlite(&copied),
            Access::Write,
        ))?;
        commit(&copied)?;
        copied.close().map_err(|(_, error)| failure(&error, "").error)
    })
}

/// Makes a saved copy the database of a directory that has none.
pub(crate) fn restore(from: &Path, directory: &Path) -> Result<(), Error> {
    let to = file_in(directory);
    if to.exists() {
        return Err(Error::other(format!(
            "{} exists; a restored database never takes the place of another, so move that one away first",
            to.display()
        )));
    }
    std::fs::create_dir_all(directory).map_err(Error::other)?;
    let fail = |error: rusqlite::Error| Error::other(format!("{}: {error}", from.display()));
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fail)?;
    let verdict: String = source
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(fail)?;
    if verdict != "ok" {
        return Err(Error::other(format!("{} is damaged: {verdict}", from.display())));
    }
    write_whole(&to, |unfinished| copy(&source, unfinished))
}

/// Lets a file be seen only once it is complete.
fn write_whole(to: &Path, write: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let result = write(&unfinished).and_then(|()| std::fs::rename(&unfinished, to).map_err(Error::other));
    if result.is_err() && unfinished.exists() {
        std::fs::remove_file(&unfinished).map_err(Error::other)?;
    }
    result
}

fn copy(source: &Connection, to: &Path) -> Result<(), Error> {
    let fail = |error: rusqlite::Error| failure(&error, "").error;
    make_private(to)?;
    let mut target = Connection::open(to).map_err(fail)?;
    {
        let backup = rusqlite::backup::Backup::new(source, &mut target).map_err(fail)?;
        // All pages in one step: the copy sees one snapshot and need not begin again when the writer commits.
        match backup.step(-1).map_err(fail)? {
            rusqlite::backup::StepResult::Done => {}
            _ => return Err(Error::unavailable("the database is locked by another process")),
        }
    }
    target.close().map_err(|(_, error)| fail(error))
}
