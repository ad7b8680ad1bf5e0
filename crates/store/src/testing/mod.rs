//! Fresh databases for tests, on both engines.
//!
//! The migrations run once per test process; every test gets a copy. SQLite lives in a temporary directory. PostgreSQL
//! is a server of this process alone; when its programs are not installed, the test fails and says so.

mod postgres;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::TempDir;

pub use postgres::{Durability, PostgresServer};

use crate::{Engine, Location, Migration, Store, migration, sqlite};

/// An open database of one test; dropping it removes it.
pub struct Database {
    /// The open store; also reached by dereferencing.
    pub store: Store,
    /// Where it is, to open it once more.
    pub location: Location,
    _guard: Guard,
}

enum Guard {
    Directory { _directory: TempDir },
    Database { _database: postgres::FreshDatabase },
}

impl Deref for Database {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// Both engines, for tests that walk over them.
pub const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// A database with these migrations applied and nothing else in it.
///
/// # Panics
/// When it cannot be made, with the reason; in particular when PostgreSQL is not installed.
pub async fn fresh(engine: Engine, migrations: &[Migration]) -> Database {
    let (location, guard) = match engine {
        Engine::Sqlite => fresh_directory(migrations).await,
        Engine::Postgres => {
            let database = PostgresServer::shared().fresh_database(migrations).await;
            let location = Location::Postgres { url: database.url() };
            (location, Guard::Database { _database: database })
        }
    };
    let store = Store::open(&location, migrations)
        .await
        .unwrap_or_else(|error| panic!("a fresh database cannot be opened: {error}"));
    Database {
        store,
        location,
        _guard: guard,
    }
}

/// An existing but empty place for a database, without migrations, to test opening it.
///
/// # Panics
/// As [`fresh`].
pub async fn empty(engine: Engine) -> (Location, impl Sized) {
    match engine {
        Engine::Sqlite => {
            let directory = temporary_directory();
            let location = Location::Sqlite {
                directory: directory.path().join("data"),
            };
            (
                location,
                Guard::Directory {
                    _directory: directory,
                },
            )
        }
        Engine::Postgres => {
            let database = PostgresServer::shared().empty_database().await;
            let location = Location::Postgres { url: database.url() };
            (location, Guard::Database { _database: database })
        }
    }
}

async fn fresh_directory(migrations: &[Migration]) -> (Location, Guard) {
    let template = sqlite_template(migrations).await;
    let directory = temporary_directory();
    std::fs::write(sqlite::file_in(directory.path()), template.as_slice())
        .unwrap_or_else(|error| panic!("the template cannot be copied: {error}"));
    let location = Location::Sqlite {
        directory: directory.path().to_owned(),
    };
    (
        location,
        Guard::Directory {
            _directory: directory,
        },
    )
}

/// The file of a database that has these migrations. Two tests may make it at the same time; the last one stays.
async fn sqlite_template(migrations: &[Migration]) -> Arc<Vec<u8>> {
    static TEMPLATES: Mutex<BTreeMap<String, Arc<Vec<u8>>>> = Mutex::new(BTreeMap::new());
    let key = series_key(migrations);
    let known = TEMPLATES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
        .cloned();
    if let Some(template) = known {
        return template;
    }
    let directory = temporary_directory();
    let location = Location::Sqlite {
        directory: directory.path().to_owned(),
    };
    let store = Store::open(&location, migrations)
        .await
        .unwrap_or_else(|error| panic!("the migrations failed on SQLite: {error}"));
    store.close().await;
    let template = std::fs::read(sqlite::file_in(directory.path()))
        .unwrap_or_else(|error| panic!("the template cannot be read: {error}"));
    let template = Arc::new(template);
    TEMPLATES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key, Arc::clone(&template));
    template
}

/// Equal for equal series of migrations.
fn series_key(migrations: &[Migration]) -> String {
    let series = migrations
        .iter()
        .map(|migration| migration.sql)
        .collect::<Vec<_>>()
        .join("\n--\n");
    migration::checksum(&series)[..16].to_owned()
}

fn temporary_directory() -> TempDir {
    tempfile::Builder::new()
        .prefix("muster-")
        .tempdir()
        .unwrap_or_else(|error| panic!("no temporary directory: {error}"))
}
