//! Opening a database and running transactions on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::migration::{self, Migration};
use crate::postgres::Postgres;
use crate::transaction::Access;
use crate::{Error, Tx, sqlite};

/// How long [`Store::check`] waits for its write.
const CHECK_PATIENCE: Duration = Duration::from_secs(5);
/// Connections that read from SQLite.
const SQLITE_READERS: u32 = 4;
/// Connections that read from a file beside it.
const SQLITE_READERS_BESIDE: u32 = 1;

/// The two databases that Muster runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Embedded; the default.
    Sqlite,
    /// For several nodes, or when one machine is outgrown.
    Postgres,
}

/// Where the data is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// The file `muster.db` in this directory, which is created when it is missing.
    Sqlite {
        /// The directory.
        directory: PathBuf,
    },
    /// A PostgreSQL database.
    Postgres {
        /// As in `postgres://user:password@host:5432/muster?sslmode=require`, or as `host=… user=…`.
        url: String,
    },
}

impl Location {
    /// Reads a location from the configuration: a `postgres://` address, or else a directory.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Self::Postgres { url: text.to_owned() };
        }
        Self::Sqlite {
            directory: PathBuf::from(text.strip_prefix("sqlite:").unwrap_or(text)),
        }
    }

    /// The engine that serves this location.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite { .. } => Engine::Sqlite,
            Self::Postgres { .. } => Engine::Postgres,
        }
    }
}

/// An open database. Clones share it.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
}

#[derive(Clone)]
enum Backend {
    Sqlite {
        writer: sqlite::Writer,
        readers: sqlite::Readers,
        file: PathBuf,
    },
    Postgres(Postgres),
}

impl Store {
    /// Opens the database and brings its tables up to date. Several nodes may do so at the same time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database cannot be reached, [`Error::Migration`] when its tables and the
    /// migrations do not fit together; in both cases the tables are as they were.
    pub async fn open(location: &Location, migrations: &[Migration]) -> Result<Self, Error> {
        migration::validate(migrations)?;
        match location {
            Location::Sqlite { directory } => Self::open_sqlite(directory.clone(), migrations.to_vec()).await,
            Location::Postgres { url } => {
                let postgres = Postgres::connect(url)?;
                migration::on_postgres(&postgres, migrations).await?;
                Ok(Self {
                    backend: Backend::Postgres(postgres),
                })
            }
        }
    }

    /// Opens a database as it is, without bringing it up to date, for looking into one that another program may be
    /// serving. See [`Store::pending`].
    ///
    /// # Errors
    /// As [`Store::open`]; and when there is no database.
    pub async fn open_as_it_is(location: &Location) -> Result<Self, Error> {
        match location {
            Location::Sqlite { directory } => {
                let file = sqlite::file_in(directory);
                if !file.exists() {
                    return Err(Error::unavailable(format!("{} does not exist", file.display())));
                }
                Self::open_file(file, Vec::new(), SQLITE_READERS, || Ok(())).await
            }
            Location::Postgres { url } => Ok(Self {
                backend: Backend::Postgres(Postgres::connect(url)?),
            }),
        }
    }

    /// The names of the migrations that this database still lacks.
    ///
    /// # Errors
    /// When the database cannot be read, or is newer than these migrations, or had others.
    pub async fn pending(&self, migrations: &[Migration]) -> Result<Vec<&'static str>, Error> {
        let migrations = migrations.to_vec();
        self.read(move |tx| migration::pending(tx, &migrations)).await
    }

    async fn open_sqlite(directory: PathBuf, migrations: Vec<Migration>) -> Result<Self, Error> {
        let file = sqlite::file_in(&directory);
        Self::open_file(file, migrations, SQLITE_READERS, move || {
            std::fs::create_dir_all(&directory)
                .map_err(|error| Error::unavailable(format!("{}: {error}", directory.display())))
        })
        .await
    }

    /// A store for what must not wait for the transactions of this one: on SQLite the file `NAME.db` beside it, with
    /// these tables and a writer of its own; on PostgreSQL, where writers do not wait for one another, the same database
    /// over a few connections of its own. The tables are then in this store's own migrations.
    ///
    /// No transaction covers both: whoever moves something from one to the other must be able to do so twice.
    /// [`Store::backup`] and [`Store::restore`] know nothing of it.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub async fn beside(&self, name: &str, migrations: &[Migration]) -> Result<Self, Error> {
        migration::validate(migrations)?;
        match &self.backend {
            Backend::Postgres(postgres) => Ok(Self {
                backend: Backend::Postgres(postgres.beside()?),
            }),
            Backend::Sqlite { file, .. } => {
                let file = sqlite::file_beside(file, name);
                Self::open_file(file, migrations.to_vec(), SQLITE_READERS_BESIDE, || Ok(())).await
            }
        }
    }

    async fn open_file(
        file: PathBuf,
        migrations: Vec<Migration>,
        readers: u32,
        prepare: impl FnOnce() -> Result<(), Error> + Send + 'static,
    ) -> Result<Self, Error> {
        let open = move || {
            prepare()?;
            if !migrations.is_empty() {
                migration::on_sqlite(&file, &migrations)?;
            }
            let writer = sqlite::Writer::start(&file)?;
            let readers = sqlite::Readers::open(&file, readers)?;
            Ok(Self {
                backend: Backend::Sqlite {
                    writer,
                    readers,
                    file,
                },
            })
        };
        tokio::task::spawn_blocking(open)
            .await
            .unwrap_or_else(|error| Err(Error::other(error)))
    }

    /// Runs a closure in a transaction and commits what it did, unless it returns an error. The answer comes after
    /// the commit is durable.
    ///
    /// The closure may be run several times, so it has no effects but those on `tx`. Nothing can be awaited in it.
    /// Dropping the future does not stop the transaction; it only forgets the answer.
    ///
    /// # Errors
    /// Those of the closure, and [`Error`] when the transaction could not be committed; nothing is changed then, save
    /// for [`Error::CommitUnknown`].
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.backend {
            Backend::Sqlite { writer, .. } => writer.write(work).await,
            Backend::Postgres(postgres) => postgres.transaction(Access::Write, work).await,
        }
    }

    /// Runs a closure on a snapshot of the last commit. It cannot write, and it waits for no writer.
    ///
    /// # Errors
    /// Those of the closure, and [`Error`] when the database cannot be read.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &self.backend {
            Backend::Sqlite { readers, .. } => readers.read(work).await,
            Backend::Postgres(postgres) => postgres.transaction(Access::Read, work).await,
        }
    }

    /// The engine beneath.
    pub fn engine(&self) -> Engine {
        match self.backend {
            Backend::Sqlite { .. } => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Whether the database can be written to now: it writes one row.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot, or not within five seconds.
    pub async fn check(&self) -> Result<(), Error> {
        let write = self.write(|tx| {
            tx.execute_one(
                crate::sql!(
                    "INSERT INTO store_check (name, counter) VALUES ('write', 1)
                     ON CONFLICT (name) DO UPDATE SET counter = store_check.counter + 1"
                ),
                &[],
            )
        });
        tokio::time::timeout(CHECK_PATIENCE, write)
            .await
            .unwrap_or_else(|_| Err(Error::unavailable("a small write took longer than five seconds")))
    }

    /// What time it is where the database runs, when that may be another machine: several nodes that take the time from
    /// there agree. `None` on SQLite, which has no machine of its own.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn time(&self) -> Result<Option<Timestamp>, Error> {
        if self.engine() == Engine::Sqlite {
            return Ok(None);
        }
        self.read(|tx| {
            let (microseconds,): (i64,) = tx.one(
                crate::sql! {
                    sqlite: "SELECT 0",
                    postgres: "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
                },
                &[],
            )?;
            Timestamp::from_microsecond(microseconds)
                .map(Some)
                .map_err(Error::other)
        })
        .await
    }

    /// How many callers wait for their turn: for the next commit on SQLite, for a connection on PostgreSQL. A server
    /// that sees this grow can turn senders away early.
    pub fn waiting(&self) -> usize {
        match &self.backend {
            Backend::Sqlite { writer, .. } => writer.waiting(),
            Backend::Postgres(postgres) => postgres.waiting(),
        }
    }

    /// Lets the engine look at the data to choose better plans; worth doing once a day. PostgreSQL does so by itself.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn optimize(&self) -> Result<(), Error> {
        if self.engine() == Engine::Postgres {
            return Ok(());
        }
        self.write(|tx| {
            tx.execute(crate::sql! { sqlite: "PRAGMA optimize", postgres: "" }, &[])
                .map(drop)
        })
        .await
    }

    /// Writes a consistent copy of the database to a new file, while it is in use. `complete` adds to the copy what
    /// lies beside the database.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on PostgreSQL; [`Error::Other`] when the file exists or cannot be written.
    pub async fn backup<F>(&self, to: &Path, complete: F) -> Result<(), Error>
    where
        F: FnOnce(&mut Tx) -> Result<(), Error> + Send + 'static,
    {
        match &self.backend {
            Backend::Sqlite { file, .. } => {
                let (from, to) = (file.clone(), to.to_owned());
                tokio::task::spawn_blocking(move || sqlite::backup(&from, &to, complete))
                    .await
                    .unwrap_or_else(|error| Err(Error::other(error)))
            }
            Backend::Postgres(_) => Err(Error::Unsupported {
                advice: "back up PostgreSQL with pg_dump or pg_basebackup",
            }),
        }
    }

    /// Makes a copy that [`Store::backup`] wrote the database of a directory that has none yet.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on PostgreSQL; [`Error::Other`] when the copy is damaged or cannot be read, or when the
    /// directory holds a database already. The directory is then as it was.
    pub async fn restore(location: &Location, from: &Path) -> Result<(), Error> {
        match location {
            Location::Sqlite { directory } => {
                let (from, directory) = (from.to_owned(), directory.clone());
                tokio::task::spawn_blocking(move || sqlite::restore(&from, &directory))
                    .await
                    .unwrap_or_else(|error| Err(Error::other(error)))
            }
            Location::Postgres { .. } => Err(Error::Unsupported {
                advice: "restore PostgreSQL with pg_restore, or from its base backup",
            }),
        }
    }

    /// Finishes the writes that are queued and closes all connections. Later calls on clones fail as unavailable.
    pub async fn close(self) {
        match self.backend {
            Backend::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Backend::Postgres(postgres) => postgres.close(),
        }
    }
}
