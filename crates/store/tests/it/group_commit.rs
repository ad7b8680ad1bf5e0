//! What has queued shares a commit, and still fails alone.

use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use store::{Engine, Error, Location, Single, Store, both_engines, params, sql};

use crate::fresh;

fn add_event(store: &Store, body: String) -> impl Future<Output = Result<(), Error>> + 'static {
    let store = store.clone();
    async move {
        store
            .write(move |tx| tx.execute_one(sql!("INSERT INTO events (body) VALUES ($1)"), params![&body]))
            .await
    }
}

async fn count_events(store: &Store) -> i64 {
    let count: Result<Single<i64>, Error> = store
        .read(|tx| tx.one(sql!("SELECT COUNT(*) FROM events"), &[]))
        .await;
    count.unwrap().0
}

fn log_of(location: &Location) -> PathBuf {
    match location {
        Location::Sqlite { directory } => directory.join("muster.db-wal"),
        Location::Postgres { .. } => unreachable!("only SQLite has this file"),
    }
}

/// Counts the commits in a write-ahead log: a frame that ends a commit holds the size of the database.
fn commits_in(log: &Path) -> usize {
    const PAGE: usize = 4096;
    let bytes = std::fs::read(log).unwrap();
    let frames = bytes[32..].chunks_exact(24 + PAGE);
    frames
        .filter(|frame| u32::from_be_bytes(frame[4..8].try_into().unwrap()) != 0)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writes_share_few_commits() {
    let store = fresh(Engine::Sqlite).await;
    let log = log_of(&store.location);
    let block = store.store.clone();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    // Holds the writer until all the others have queued.
    let held = tokio::spawn(async move {
        block
            .write(move |_| {
                released.lock().unwrap().recv().unwrap();
                Ok::<_, Error>(())
            })
            .await
    });
    let writes: Vec<_> = (0..1000)
        .map(|number| tokio::spawn(add_event(&store, number.to_string())))
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    for write in join_all(writes).await {
        write.unwrap().unwrap();
    }
    assert_eq!(count_events(&store).await, 1000);
    let commits = commits_in(&log);
    assert!((2..=6).contains(&commits), "{commits} commits for 1000 writes");
}

#[tokio::test]
async fn a_lone_write_is_committed_at_once() {
    let store = fresh(Engine::Sqlite).await;
    for number in 0..3 {
        add_event(&store, number.to_string()).await.unwrap();
    }
    assert_eq!(commits_in(&log_of(&store.location)), 3);
}

#[both_engines(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_fail_among_others_take_nothing_with_them(engine: Engine) {
    let store = fresh(engine).await;
    let writes = (0..200).map(|number| {
        let store = store.store.clone();
        tokio::spawn(async move {
            store
                .write(move |tx| {
                    tx.execute_one(
                        sql!("INSERT INTO events (body) VALUES ($1)"),
                        params![number.to_string()],
                    )?;
                    match number % 4 {
                        0 => Err(Error::NotFound),
                        1 => panic!("number {number}"),
                        2 => tx.execute_one(sql!("INSERT INTO events (body) VALUES (NULL)"), &[]),
                        _ => Ok(()),
                    }
                })
                .await
        })
    });
    for (number, result) in join_all(writes.collect::<Vec<_>>()).await.into_iter().enumerate() {
        let expected = matches!(
            (number % 4, result.unwrap()),
            (0, Err(Error::NotFound))
                | (1, Err(Error::Panicked { .. }))
                | (2, Err(Error::Invalid { .. }))
                | (3, Ok(()))
        );
        assert!(expected, "write {number}");
    }
    assert_eq!(count_events(&store).await, 50);
}

#[tokio::test]
async fn a_full_disk_is_reported_and_survived() {
    let store = fresh(Engine::Sqlite).await;
    let limit = async |pages: i64| {
        let result: Result<u64, Error> = store
            .write(move |tx| match pages {
                80 => tx.execute(
                    sql! { sqlite: "PRAGMA max_page_count = 80", postgres: "SELECT 1" },
                    &[],
                ),
                _ => tx.execute(
                    sql! { sqlite: "PRAGMA max_page_count = 100000", postgres: "SELECT 1" },
                    &[],
                ),
            })
            .await;
        result.unwrap();
    };
    limit(80).await;
    let big = "x".repeat(3000);
    // Those that are too big arrive together with small ones, and share their commit.
    let writes = (0..100).map(|number| {
        add_event(
            &store,
            if number % 10 == 9 {
                "small".to_owned()
            } else {
                big.clone()
            },
        )
    });
    let results = join_all(writes.collect::<Vec<_>>()).await;
    let stored = results.iter().filter(|result| result.is_ok()).count();
    assert!(stored > 10 && stored < 100, "{stored}");
    for result in results {
        assert!(result.map_or_else(|error| error.is_unavailable(), |()| true));
    }
    assert_eq!(count_events(&store).await, stored as i64);
    limit(100_000).await;
    add_event(&store, big).await.unwrap();
    assert_eq!(count_events(&store).await, stored as i64 + 1);
}

#[tokio::test]
async fn a_lost_file_is_reported() {
    let (location, guard) = store::testing::empty(Engine::Sqlite).await;
    let Location::Sqlite { directory } = &location else {
        unreachable!("SQLite was asked for")
    };
    std::fs::write(directory, "a file where the directory should be").unwrap();
    let error = Store::open(&location, &[]).await.err().unwrap();
    assert!(error.is_unavailable(), "{error}");
    drop(guard);
}

#[tokio::test]
async fn another_process_that_writes_is_waited_for() {
    let store = fresh(Engine::Sqlite).await;
    let other = Store::open(&store.location, crate::MIGRATIONS).await.unwrap();
    let writes = (0..50).map(|number| {
        let store = if number % 2 == 0 { &store.store } else { &other };
        add_event(store, number.to_string())
    });
    for result in join_all(writes.collect::<Vec<_>>()).await {
        result.unwrap();
    }
    assert_eq!(count_events(&other).await, 50);
}

#[both_engines]
async fn a_backup_is_a_database_of_its_own(engine: Engine) {
    let store = fresh(engine).await;
    add_event(&store, "one".to_owned()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("muster.db");
    let result = store.backup(&file, |_| Ok(())).await;
    if engine == Engine::Postgres {
        assert!(matches!(result, Err(Error::Unsupported { .. })));
        return;
    }
    result.unwrap();
    add_event(&store, "two".to_owned()).await.unwrap();
    assert!(
        store.backup(&file, |_| Ok(())).await.is_err(),
        "an existing file was overwritten"
    );
    let location = Location::Sqlite {
        directory: directory.path().to_owned(),
    };
    let copy = Store::open(&location, crate::MIGRATIONS).await.unwrap();
    assert_eq!(count_events(&copy).await, 1);
}

#[both_engines]
async fn a_backup_is_restored_where_no_database_is(engine: Engine) {
    let store = fresh(engine).await;
    add_event(&store, "one".to_owned()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let saved = directory.path().join("saved.db");
    if engine == Engine::Postgres {
        let location = Location::Postgres { url: String::new() };
        let refused = Store::restore(&location, &saved).await;
        assert!(matches!(refused, Err(Error::Unsupported { .. })));
        return;
    }
    let complete =
        |tx: &mut store::Tx| tx.execute_one(sql!("INSERT INTO events (body) VALUES ($1)"), params!["beside"]);
    store.backup(&saved, complete).await.unwrap();
    let location = Location::Sqlite {
        directory: directory.path().join("data"),
    };
    Store::restore(&location, &saved).await.unwrap();
    let restored = Store::open(&location, crate::MIGRATIONS).await.unwrap();
    assert_eq!(count_events(&restored).await, 2);
    let again = Store::restore(&location, &saved).await.unwrap_err().to_string();
    assert!(again.contains("move that one away first"), "{again}");
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let saved = directory.path().join("saved.db");
    std::fs::write(&saved, "this is no database, whatever its name says").unwrap();
    let data = directory.path().join("data");
    let location = Location::Sqlite {
        directory: data.clone(),
    };
    let refused = Store::restore(&location, &saved).await.unwrap_err().to_string();
    assert!(refused.contains("not a database"), "{refused}");
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_turns_callers_away() {
    let store = fresh(Engine::Sqlite).await;
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let block = store.store.clone();
    let held = tokio::spawn(async move {
        block
            .write(move |_| {
                released.lock().unwrap().recv().unwrap();
                Ok::<_, Error>(())
            })
            .await
    });
    let writes: Vec<_> = (0..6000)
        .map(|number| tokio::spawn(add_event(&store, number.to_string())))
        .collect();
    // Time is simulated: it passes as soon as all of them wait.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(store.waiting(), 4096);
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    release.send(()).unwrap();
    held.await.unwrap().unwrap();
    let results = join_all(writes).await;
    let stored = results
        .iter()
        .filter(|result| result.as_ref().unwrap().is_ok())
        .count();
    assert!(results.into_iter().all(|result| {
        result
            .unwrap()
            .map_or_else(|error| error.is_unavailable(), |()| true)
    }));
    // Some may have been taken by the writer before it was held.
    assert!((4096..5000).contains(&stored), "{stored}");
    assert_eq!(count_events(&store).await, stored as i64);
}
