//! What a transaction keeps, and what it reports.

use store::{Engine, Error, Single, Tx, both_engines, params, sql};

use crate::{add_team, count_teams, fresh};

#[both_engines]
async fn a_write_is_kept_and_seen_by_reads(engine: Engine) {
    let store = fresh(engine).await;
    add_team(&store, "T1").await.unwrap();
    assert_eq!(count_teams(&store).await, 1);
}

#[both_engines]
async fn an_error_of_the_closure_rolls_back(engine: Engine) {
    let store = fresh(engine).await;
    let result: Result<(), Error> = store
        .write(|tx| {
            tx.execute(sql!("INSERT INTO teams (id, name) VALUES ('T1', 'a')"), &[])?;
            Err(Error::NotFound)
        })
        .await;
    assert!(result.unwrap_err().is_not_found());
    assert_eq!(count_teams(&store).await, 0);
}

#[both_engines]
async fn a_swallowed_error_cannot_commit_half_of_the_work(engine: Engine) {
    let store = fresh(engine).await;
    let result: Result<(), Error> = store
        .write(|tx| {
            tx.execute(sql!("INSERT INTO teams (id, name) VALUES ('T1', 'a')"), &[])?;
            if tx
                .execute(sql!("INSERT INTO teams (id, name) VALUES ('T1', 'b')"), &[])
                .is_err()
            {
                let later = tx.execute(sql!("INSERT INTO teams (id, name) VALUES ('T2', 'c')"), &[]);
                assert!(matches!(later, Err(Error::Aborted)));
            }
            Ok(())
        })
        .await;
    assert!(result.unwrap_err().is_unique_on("teams", &["id"]));
    assert_eq!(count_teams(&store).await, 0);
}

#[both_engines]
async fn an_attempt_that_fails_takes_only_its_own_part_with_it(engine: Engine) {
    let store = fresh(engine).await;
    store
        .write(|tx| {
            tx.execute(sql!("INSERT INTO teams (id, name) VALUES ('T1', 'a')"), &[])?;
            let tried: Result<(), Error> = tx.attempt(|tx| {
                tx.execute(sql!("INSERT INTO teams (id, name) VALUES ('T2', 'b')"), &[])?;
                tx.execute(sql!("INSERT INTO teams (id, name) VALUES ('T1', 'c')"), &[])
                    .map(drop)
            });
            assert!(tried.unwrap_err().is_unique_on("teams", &["id"]));
            tx.attempt(|tx| tx.execute_one(sql!("INSERT INTO teams (id, name) VALUES ('T3', 'd')"), &[]))
        })
        .await
        .unwrap();
    let ids: Vec<Single<String>> = store
        .read(|tx| tx.rows::<_>(sql!("SELECT id FROM teams ORDER BY id"), &[]))
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
    assert_eq!(ids, [Single("T1".to_owned()), Single("T3".to_owned())]);
}

/// Teams that are sent without waiting for an answer.
fn send_teams(tx: &mut Tx, ids: std::ops::Range<i64>) -> Result<(), Error> {
    for id in ids.clone() {
        let (id, name) = (format!("T{id}"), format!("{id} to {}", ids.end));
        tx.send(
            sql!("INSERT INTO teams (id, name) VALUES ($1, $2)"),
            params![&id, &name],
        )?;
    }
    Ok(())
}

#[both_engines]
async fn what_was_sent_is_seen_by_what_comes_after_and_kept(engine: Engine) {
    let store = fresh(engine).await;
    let seen = store
        .write(|tx| {
            send_teams(tx, 0..1_200)?;
            let seen: Single<i64> = tx.one(sql!("SELECT COUNT(*) FROM teams"), &[])?;
            send_teams(tx, 1_200..1_300)?;
            Ok::<_, Error>(seen)
        })
        .await
        .unwrap();
    assert_eq!(seen, Single(1_200));
    assert_eq!(count_teams(&store).await, 1_300);
}

#[both_engines]
async fn a_mistake_in_what_was_sent_is_told_at_the_end_and_keeps_nothing(engine: Engine) {
    let store = fresh(engine).await;
    let result: Result<(), Error> = store
        .write(|tx| {
            send_teams(tx, 0..3)?;
            // PostgreSQL has not answered yet; whatever the closure makes of it, nothing is kept.
            send_teams(tx, 1..2).ok();
            Ok(())
        })
        .await;
    assert!(result.unwrap_err().is_unique_on("teams", &["id"]));
    assert_eq!(count_teams(&store).await, 0);
    add_team(&store, "T9").await.unwrap();
    assert_eq!(count_teams(&store).await, 1);
}

#[both_engines]
async fn a_later_statement_tells_the_mistake_of_one_that_was_sent(engine: Engine) {
    let store = fresh(engine).await;
    let result: Result<(), Error> = store
        .write(|tx| {
            send_teams(tx, 0..1)?;
            // SQLite tells at once.
            send_teams(tx, 0..2)?;
            tx.one::<Single<i64>>(sql!("SELECT COUNT(*) FROM teams"), &[])
                .map(drop)
        })
        .await;
    assert!(result.unwrap_err().is_unique_on("teams", &["id"]));
}

#[both_engines]
async fn an_attempt_answers_for_what_it_sent(engine: Engine) {
    let store = fresh(engine).await;
    store
        .write(|tx| {
            send_teams(tx, 0..2)?;
            let tried: Result<(), Error> = tx.attempt(|tx| send_teams(tx, 1..3));
            assert!(tried.unwrap_err().is_unique_on("teams", &["id"]));
            send_teams(tx, 5..6)
        })
        .await
        .unwrap();
    assert_eq!(count_teams(&store).await, 3);
}

#[both_engines]
async fn a_panic_concerns_its_caller_only(engine: Engine) {
    let store = fresh(engine).await;
    let result: Result<(), Error> = store
        .write(|tx| {
            tx.execute(sql!("INSERT INTO teams (id, name) VALUES ('T1', 'a')"), &[])?;
            panic!("a defect")
        })
        .await;
    assert!(matches!(result, Err(Error::Panicked { message }) if message == "a defect"));
    let result: Result<(), Error> = store.read(|_| panic!("another defect")).await;
    assert!(matches!(result, Err(Error::Panicked { .. })));
    add_team(&store, "T2").await.unwrap();
    assert_eq!(count_teams(&store).await, 1);
}

#[both_engines]
async fn counts_of_rows_are_checked(engine: Engine) {
    let store = fresh(engine).await;
    add_team(&store, "T1").await.unwrap();
    add_team(&store, "T2").await.unwrap();
    store
        .read(|tx| {
            let all = || sql!("SELECT id FROM teams");
            assert_eq!(tx.rows::<Single<String>>(all(), &[])?.len(), 2);
            assert!(matches!(
                tx.row::<Single<String>>(all(), &[]),
                Err(Error::TooManyRows { found: 2 })
            ));
            let none = || sql!("SELECT id FROM teams WHERE id = 'T3'");
            assert_eq!(tx.row::<Single<String>>(none(), &[])?, None);
            assert!(tx.one::<Single<String>>(none(), &[]).unwrap_err().is_not_found());
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    store
        .write(|tx| {
            let rename = || sql!("UPDATE teams SET name = id || name WHERE id <> $1");
            assert_eq!(tx.execute(rename(), params!["T9"])?, 2);
            assert!(matches!(
                tx.execute_one(rename(), params!["T9"]),
                Err(Error::TooManyRows { found: 2 })
            ));
            tx.execute_one(rename(), params!["T1"])?;
            let returning = sql!("INSERT INTO teams (id, name) VALUES ('T4', 'x') RETURNING id, name");
            assert_eq!(
                tx.one::<(String, String)>(returning, &[])?,
                ("T4".to_owned(), "x".to_owned())
            );
            let missing = sql!("DELETE FROM teams WHERE id = $1");
            assert!(tx.execute_one(missing, params!["T9"]).unwrap_err().is_not_found());
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
}

#[both_engines]
async fn constraints_are_told_apart(engine: Engine) {
    let store = fresh(engine).await;
    add_team(&store, "T1").await.unwrap();
    let insert = async |team: &'static str, email: &'static str, age: Option<i64>| -> Result<(), Error> {
        store
            .write(move |tx| {
                let statement = sql!("INSERT INTO users (id, team, email, age) VALUES ($1, $2, $3, $4)");
                tx.execute_one(statement, params![format!("{team}{email}"), team, email, age])
            })
            .await
    };
    insert("T1", "a@b", None).await.unwrap();
    let lower = insert("T1", "A@B", None).await.unwrap_err();
    let constraint = match &lower {
        Error::UniqueViolation(violation) => violation.constraint.as_deref(),
        other => panic!("{other:?}"),
    };
    assert_eq!(constraint, Some("users_lower_email"));
    assert!(matches!(
        insert("T7", "c@d", None).await,
        Err(Error::ForeignKey(_))
    ));
    assert!(matches!(
        insert("T1", "c@d", Some(-1)).await,
        Err(Error::Invalid { .. })
    ));
    assert_eq!(count_teams(&store).await, 1);
}

#[both_engines]
async fn a_deferred_constraint_fails_the_commit_of_the_guilty_one(engine: Engine) {
    let store = fresh(engine).await;
    let promise = |name: &'static str, counter: &'static str| {
        let store = store.store.clone();
        async move {
            store
                .write(move |tx| {
                    tx.execute_one(
                        sql!("INSERT INTO promises (name, counter) VALUES ($1, $2)"),
                        params![name, counter],
                    )?;
                    if counter == "kept" {
                        let statement = sql!(
                            "INSERT INTO counters (name, amount) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING"
                        );
                        tx.execute(statement, params![counter])?;
                    }
                    Ok::<_, Error>(())
                })
                .await
        }
    };
    let (first, broken, last) =
        tokio::join!(promise("a", "kept"), promise("b", "broken"), promise("c", "kept"));
    first.unwrap();
    last.unwrap();
    assert!(matches!(broken, Err(Error::ForeignKey(_))), "{broken:?}");
}

#[both_engines]
async fn reads_cannot_write(engine: Engine) {
    let store = fresh(engine).await;
    let result: Result<(), Error> = store
        .read(|tx| {
            tx.execute(sql!("INSERT INTO teams (id, name) VALUES ('T1', 'a')"), &[])
                .map(drop)
        })
        .await;
    assert!(matches!(result, Err(Error::ReadOnly)), "{result:?}");
    add_team(&store, "T1").await.unwrap();
}

#[both_engines]
async fn a_read_sees_one_moment(engine: Engine) {
    let store = fresh(engine).await;
    add_team(&store, "T1").await.unwrap();
    let (looked, has_looked) = std::sync::mpsc::channel();
    let (wrote, has_written) = std::sync::mpsc::channel::<()>();
    let has_written = std::sync::Mutex::new(has_written);
    let reader = store.store.clone();
    let read = tokio::spawn(async move {
        reader
            .read(move |tx| {
                let count = sql!("SELECT COUNT(*) FROM teams");
                let before: (i64,) = tx.one(count.clone(), &[])?;
                looked.send(()).unwrap();
                has_written.lock().unwrap().recv().unwrap();
                let after: (i64,) = tx.one(count, &[])?;
                Ok::<_, Error>((before.0, after.0))
            })
            .await
    });
    tokio::task::spawn_blocking(move || has_looked.recv().unwrap())
        .await
        .unwrap();
    add_team(&store, "T2").await.unwrap();
    wrote.send(()).unwrap();
    assert_eq!(read.await.unwrap().unwrap(), (1, 1));
    assert_eq!(count_teams(&store).await, 2);
}

#[both_engines]
async fn locks_make_increments_add_up(engine: Engine) {
    let store = fresh(engine).await;
    store
        .write(|tx| tx.execute_one(sql!("INSERT INTO counters (name, amount) VALUES ('a', 0)"), &[]))
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
    let increments = (0..40).map(|_| {
        let store = store.store.clone();
        tokio::spawn(async move {
            store
                .write(|tx| {
                    tx.lock("counter a")?;
                    let (amount,): (i64,) =
                        tx.one(sql!("SELECT amount FROM counters WHERE name = 'a'"), &[])?;
                    tx.execute_one(
                        sql!("UPDATE counters SET amount = $1 WHERE name = 'a'"),
                        params![amount + 1],
                    )
                })
                .await
        })
    });
    for increment in increments.collect::<Vec<_>>() {
        increment
            .await
            .unwrap()
            .unwrap_or_else(|error: Error| panic!("{error}"));
    }
    let amount: Single<i64> = store
        .read(|tx| tx.one(sql!("SELECT amount FROM counters WHERE name = 'a'"), &[]))
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
    assert_eq!(amount, Single(40));
}

#[both_engines]
async fn a_checked_and_closed_store_refuses_further_work(engine: Engine) {
    let store = fresh(engine).await;
    store.check().await.unwrap();
    let other = store.store.clone();
    other.close().await;
    assert!(add_team(&store, "T1").await.unwrap_err().is_unavailable());
    let read: Result<(), Error> = store.read(|_| Ok(())).await;
    assert!(read.unwrap_err().is_unavailable());
    let again = store::Store::open(&store.location, crate::MIGRATIONS)
        .await
        .unwrap();
    add_team(&again, "T1").await.unwrap();
}

#[both_engines]
async fn a_store_can_look_at_its_data_for_better_plans(engine: Engine) {
    let store = fresh(engine).await;
    add_team(&store, "T1").await.unwrap();
    store.optimize().await.unwrap();
    assert_eq!(count_teams(&store).await, 1);
}
