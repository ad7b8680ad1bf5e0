//! What only a server can do to us: collisions, lost connections, a commit without an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use store::{Engine, Error, Location, Single, Store, params, sql};

use crate::{add_team, count_teams, fresh};

#[tokio::test]
async fn a_connection_lost_before_the_commit_is_replaced() {
    let store = fresh(Engine::Postgres).await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let result: Result<(), Error> = store
        .write(move |tx| {
            tx.execute_one(sql!("INSERT INTO teams (id, name) VALUES ('T1', 'a')"), &[])?;
            if counted.fetch_add(1, Ordering::Relaxed) == 0 {
                tx.execute(
                    sql! { sqlite: "SELECT 1", postgres: "SELECT pg_terminate_backend(pg_backend_pid())" },
                    &[],
                )?;
            }
            Ok(())
        })
        .await;
    result.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    assert_eq!(count_teams(&store).await, 1);
}

#[tokio::test]
async fn connections_that_died_while_idle_are_not_noticed_by_callers() {
    let store = fresh(Engine::Postgres).await;
    let checks = || join_all((0..10).map(|_| store.check()));
    assert!(checks().await.iter().all(Result::is_ok));
    let killer = Store::open(&store.location, crate::MIGRATIONS).await.unwrap();
    let killed: Result<u64, Error> = killer
        .write(|tx| {
            let others = sql! { sqlite: "SELECT 1", postgres: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()" };
            tx.execute(others, &[])
        })
        .await;
    assert!(killed.unwrap() > 0);
    for result in checks().await {
        result.unwrap();
    }
}

#[tokio::test]
async fn a_commit_without_an_answer_is_not_repeated() {
    let store = fresh(Engine::Postgres).await;
    let prepared: Result<(), Error> = store
        .write(|tx| {
            tx.execute(
                sql! { sqlite: "SELECT 1", postgres: "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                     $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$" },
                &[],
            )?;
            tx.execute(
                sql! { sqlite: "SELECT 1", postgres: "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON teams DEFERRABLE INITIALLY DEFERRED
                     FOR EACH ROW EXECUTE FUNCTION die()" },
                &[],
            )
            .map(drop)
        })
        .await;
    prepared.unwrap();
    let error = add_team(&store, "T1").await.unwrap_err();
    assert!(matches!(error, Error::CommitUnknown { .. }), "{error:?}");
    assert!(error.is_unavailable());
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlocks_are_resolved_by_running_again() {
    let store = fresh(Engine::Postgres).await;
    let prepared: Result<u64, Error> = store
        .write(|tx| {
            tx.execute(
                sql!("INSERT INTO counters (name, amount) VALUES ('a', 0), ('b', 0)"),
                &[],
            )
        })
        .await;
    prepared.unwrap();
    let meeting = Arc::new(std::sync::Barrier::new(2));
    let runs = Arc::new(AtomicU32::new(0));
    let crossing = |first: &'static str, second: &'static str| {
        let (store, meeting, runs) = (store.store.clone(), Arc::clone(&meeting), Arc::clone(&runs));
        tokio::spawn(async move {
            let result: Result<(), Error> = store
                .write(move |tx| {
                    let add = sql!("UPDATE counters SET amount = amount + 1 WHERE name = $1");
                    tx.execute_one(add.clone(), params![first])?;
                    if runs.fetch_add(1, Ordering::Relaxed) < 2 {
                        meeting.wait();
                    }
                    tx.execute_one(add, params![second])
                })
                .await;
            result.unwrap();
        })
    };
    let (one, other) = tokio::join!(crossing("a", "b"), crossing("b", "a"));
    one.unwrap();
    other.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    let sum: Result<Single<i64>, Error> = store
        .read(|tx| tx.one(sql!("SELECT CAST(SUM(amount) AS BIGINT) FROM counters"), &[]))
        .await;
    assert_eq!(sum.unwrap(), Single(4));
}

#[tokio::test]
async fn a_prepared_statement_survives_a_migration_by_another_node() {
    let store = fresh(Engine::Postgres).await;
    let everything = async || {
        let rows: Result<Vec<Single<String>>, Error> =
            store.read(|tx| tx.rows(sql!("SELECT * FROM teams"), &[])).await;
        rows.unwrap().len()
    };
    add_team(&store, "T1").await.unwrap();
    assert_eq!(everything().await, 1);
    let changed: Result<u64, Error> = store
        .write(|tx| {
            tx.execute(
                sql! { sqlite: "SELECT 1", postgres: "ALTER TABLE teams ADD COLUMN size BIGINT" },
                &[],
            )
        })
        .await;
    changed.unwrap();
    assert_eq!(everything().await, 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let location = Location::Postgres {
        url: "host=/nowhere user=muster dbname=muster".to_owned(),
    };
    let error = Store::open(&location, &[]).await.err().unwrap();
    assert!(error.is_unavailable(), "{error}");
}

#[tokio::test]
async fn a_sum_that_is_not_cast_says_what_to_do() {
    let store = fresh(Engine::Postgres).await;
    let error = store
        .read(|tx| {
            tx.one::<(i64,)>(
                sql! { sqlite: "SELECT 1", postgres: "SELECT SUM(amount) + 1.0 AS total FROM counters" },
                &[],
            )
        })
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_outlives_the_runtime_of_the_caller_it_was_opened_for() {
    let store = fresh(Engine::Postgres).await;
    let began = Arc::new(tokio::sync::Notify::new());
    let (told, opened) = (Arc::clone(&began), (*store).clone());
    // A caller on a runtime of its own opens a connection and goes away with its runtime.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { join_all((0..10).map(|_| opened.check())).await });
        told.notify_one();
    });
    began.notified().await;
    let runs = Arc::new(AtomicU32::new(0));
    for _ in 0..10 {
        let counted = Arc::clone(&runs);
        let written: Result<(), Error> = store
            .write(move |tx| {
                counted.fetch_add(1, Ordering::Relaxed);
                tx.one::<Single<i64>>(sql!("SELECT COUNT(*) FROM teams"), &[])
                    .map(drop)
            })
            .await;
        written.unwrap();
    }
    assert_eq!(runs.load(Ordering::Relaxed), 10);
}

/// The driver hears no further answer while it cannot get rid of one; so what was sent is listened to at once.
#[tokio::test]
async fn long_answers_that_nobody_looks_at_yet_bar_no_others() {
    let store = fresh(Engine::Postgres).await;
    let counted: Result<Single<i64>, Error> = store
        .write(|tx| {
            for _ in 0..3 {
                tx.send(
                    sql! { sqlite: "SELECT 1", postgres: "SELECT repeat('x', 2000) FROM generate_series(1, 2000)" },
                    &[],
                )?;
            }
            tx.one(sql!("SELECT COUNT(*) FROM teams"), &[])
        })
        .await;
    assert_eq!(counted.unwrap(), Single(0));
}

#[store::both_engines]
async fn only_a_database_on_a_machine_of_its_own_tells_the_time(engine: Engine) {
    let store = fresh(engine).await;
    let (earlier, later) = (store.time().await.unwrap(), store.time().await.unwrap());
    match engine {
        Engine::Sqlite => assert_eq!((earlier, later), (None, None)),
        Engine::Postgres => {
            let passed = later.unwrap().duration_since(earlier.unwrap());
            assert!(passed.is_positive() && passed.as_secs() < 60, "{passed:?}");
        }
    }
}
