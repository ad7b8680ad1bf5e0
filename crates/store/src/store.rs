//! Opening a database and running transactions on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::migration::{self, Migration};
use crate::postgres::Postgres;
use crate::transaction::Access;
use crate::{Error, Tx, sqlite};

/// How long [`Store::check`] waits for its write.
const CHECK_PATIENCE: Duration = Duration::from_secs(5);
/// Connections that read from SQLite.
const SQLITE_READERS: usize = 4;

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

    async fn open_sqlite(directory: PathBuf, migrations: Vec<Migration>) -> Result<Self, Error> {
        let open = move || {
            std::fs::create_dir_all(&directory)
                .map_err(|error| Error::unavailable(format!("{}: {error}", directory.display())))?;
            let file = sqlite::file_in(&directory);
            migration::on_sqlite(&file, &migrations)?;
            let writer = sqlite::Writer::start(&file)?;
            let readers = sqlite::Readers::open(&file, SQLITE_READERS)?;
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

    /// Writes a consistent copy of the database to a new file, while it is in use.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on PostgreSQL; [`Error::Other`] when the file exists or cannot be written.
    pub async fn backup(&self, to: &Path) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite { file, .. } => {
                let (from, to) = (file.clone(), to.to_owned());
                tokio::task::spawn_blocking(move || sqlite::backup(&from, &to))
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
                readers.close(SQLITE_READERS).await;
                writer.close().await;
            }
            Backend::Postgres(postgres) => postgres.close(),
        }
    }
}
