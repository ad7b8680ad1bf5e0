//! Migrations: in order, once, whole, and never changed.

use store::testing::empty;
use store::{Engine, Error, Migration, MigrationError, Single, Store, both_engines, sql};

const FIRST: Migration = Migration {
    number: 1,
    name: "teams",
    sql: "CREATE TABLE teams (id TEXT PRIMARY KEY, name TEXT);",
};
const SECOND: Migration = Migration {
    number: 2,
    name: "a team",
    sql: "INSERT INTO teams (id, name) VALUES ('T1', 'x'); ALTER TABLE teams ADD COLUMN size BIGINT;",
};

async fn error_of(location: &store::Location, migrations: &[Migration]) -> MigrationError {
    match Store::open(location, migrations).await {
        Err(Error::Migration(error)) => error,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was opened"),
    }
}

async fn count_teams(store: &Store) -> i64 {
    let count: Result<Single<i64>, Error> = store
        .read(|tx| tx.one(sql!("SELECT COUNT(*) FROM teams"), &[]))
        .await;
    count.unwrap().0
}

#[both_engines]
async fn later_migrations_are_added_to_what_is_there(engine: Engine) {
    let (location, _guard) = empty(engine).await;
    let store = Store::open(&location, &[FIRST]).await.unwrap();
    assert_eq!(count_teams(&store).await, 0);
    for _ in 0..2 {
        let store = Store::open(&location, &[FIRST, SECOND]).await.unwrap();
        assert_eq!(count_teams(&store).await, 1);
    }
}

#[both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_may_open_at_the_same_time(engine: Engine) {
    let (location, _guard) = empty(engine).await;
    let nodes = (0..5).map(|_| {
        let location = location.clone();
        tokio::spawn(async move { Store::open(&location, &[FIRST, SECOND]).await })
    });
    for node in nodes.collect::<Vec<_>>() {
        assert_eq!(count_teams(&node.await.unwrap().unwrap()).await, 1);
    }
}

#[both_engines]
async fn a_failing_migration_leaves_nothing_behind(engine: Engine) {
    let (location, _guard) = empty(engine).await;
    let broken = Migration {
        number: 2,
        name: "broken",
        sql: "CREATE TABLE users (id TEXT PRIMARY KEY); INSERT INTO teams (id) VALUES ('T1'); SELECT nothing;",
    };
    let error = error_of(&location, &[FIRST, broken]).await;
    assert!(
        matches!(error, MigrationError::Failed { number: 2, .. }),
        "{error}"
    );
    let mended = Migration {
        sql: "CREATE TABLE users (id TEXT PRIMARY KEY);",
        name: "mended",
        ..broken
    };
    let store = Store::open(&location, &[FIRST, mended]).await.unwrap();
    assert_eq!(count_teams(&store).await, 0);
}

#[both_engines]
async fn a_changed_migration_is_refused(engine: Engine) {
    let (location, _guard) = empty(engine).await;
    Store::open(&location, &[FIRST]).await.unwrap().close().await;
    let windows = Migration {
        sql: "CREATE TABLE teams (id TEXT PRIMARY KEY, name TEXT);\r\n",
        ..FIRST
    };
    Store::open(&location, &[windows]).await.unwrap().close().await;
    let changed = Migration {
        sql: "CREATE TABLE teams (id TEXT PRIMARY KEY, name BIGINT);",
        ..FIRST
    };
    let error = error_of(&location, &[changed, SECOND]).await;
    assert_eq!(
        error,
        MigrationError::Changed {
            number: 1,
            name: "teams".to_owned()
        }
    );
}

#[both_engines]
async fn a_newer_database_and_a_late_migration_are_refused(engine: Engine) {
    let (location, _guard) = empty(engine).await;
    Store::open(&location, &[SECOND_FIRST, THIRD])
        .await
        .unwrap()
        .close()
        .await;
    let newer = error_of(&location, &[SECOND_FIRST]).await;
    assert_eq!(
        newer,
        MigrationError::Newer {
            number: 3,
            name: "teams".to_owned()
        }
    );
    let late = error_of(&location, &[FIRST, SECOND_FIRST, THIRD]).await;
    assert_eq!(
        late,
        MigrationError::Late {
            number: 1,
            name: "teams".to_owned()
        }
    );
}

const SECOND_FIRST: Migration = Migration {
    number: 2,
    name: "users",
    sql: "CREATE TABLE users (id TEXT PRIMARY KEY);",
};
const THIRD: Migration = Migration { number: 3, ..FIRST };

#[both_engines]
async fn a_series_that_does_not_rise_is_refused(engine: Engine) {
    let (location, _guard) = empty(engine).await;
    for series in [[SECOND, FIRST], [FIRST, FIRST]] {
        let error = error_of(&location, &series).await;
        assert!(
            matches!(error, MigrationError::Unordered { number: 1, .. }),
            "{error}"
        );
    }
}

#[both_engines]
async fn tables_can_be_rebuilt_while_others_refer_to_them(engine: Engine) {
    let (location, _guard) = empty(engine).await;
    let users = Migration {
        number: 2,
        name: "users",
        sql: "CREATE TABLE users (id TEXT PRIMARY KEY, team TEXT REFERENCES teams (id) ON DELETE CASCADE);
              INSERT INTO teams (id) VALUES ('T1');
              INSERT INTO users (id, team) VALUES ('U1', 'T1');",
    };
    let rebuild = Migration {
        number: 3,
        name: "rebuild teams",
        sql: "-- sqlite:
              CREATE TABLE new_teams (id TEXT PRIMARY KEY, name TEXT CHECK (name <> ''));
              INSERT INTO new_teams SELECT id, name FROM teams;
              DROP TABLE teams;
              ALTER TABLE new_teams RENAME TO teams;
              -- postgres:
              ALTER TABLE teams ADD CHECK (name <> '');",
    };
    let store = Store::open(&location, &[FIRST, users, rebuild]).await.unwrap();
    let kept: Result<Single<i64>, Error> = store
        .read(|tx| {
            tx.one(
                sql!("SELECT COUNT(*) FROM users JOIN teams ON teams.id = users.team"),
                &[],
            )
        })
        .await;
    assert_eq!(kept.unwrap(), Single(1));
    store.close().await;
    let orphan = Migration {
        number: 4,
        name: "orphan",
        sql: "DELETE FROM users; INSERT INTO users (id, team) VALUES ('U2', 'T9');",
    };
    let error = error_of(&location, &[FIRST, users, rebuild, orphan]).await;
    assert!(
        matches!(error, MigrationError::Failed { number: 4, .. }),
        "{error}"
    );
}

#[both_engines]
async fn a_database_that_is_only_looked_into_stays_as_it_is(engine: Engine) {
    let (location, _guard) = empty(engine).await;
    Store::open(&location, &[FIRST]).await.unwrap().close().await;
    let looked_into = Store::open_as_it_is(&location).await.unwrap();
    let both = [FIRST, SECOND];
    assert_eq!(looked_into.pending(&both).await.unwrap(), ["a team"]);
    assert_eq!(count_teams(&looked_into).await, 0);
    Store::open(&location, &both).await.unwrap();
    assert!(looked_into.pending(&both).await.unwrap().is_empty());
}
