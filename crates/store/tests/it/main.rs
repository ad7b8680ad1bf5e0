//! The store as its callers see it, on both engines.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod encryption;
mod group_commit;
mod kill;
mod migrations;
mod postgres;
mod statements;
mod transactions;
mod values;

use store::{Error, Migration, Store, params, sql};

/// The tables of these tests.
const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "teams and users",
        sql: "CREATE TABLE teams (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
              CREATE TABLE users (
                  id TEXT PRIMARY KEY,
                  team TEXT REFERENCES teams (id),
                  email TEXT NOT NULL,
                  age BIGINT CHECK (age >= 0),
                  UNIQUE (team, email)
              );
              CREATE UNIQUE INDEX users_lower_email ON users (lower(email));",
    },
    Migration {
        number: 2,
        name: "every kind of value",
        sql: "CREATE TABLE samples (
                  id GENERATED_KEY,
                  flag BOOLEAN,
                  number BIGINT,
                  share DOUBLE PRECISION,
                  word TEXT,
                  raw BYTES,
                  extra JSONB
              );",
    },
    Migration {
        number: 3,
        name: "counters",
        sql: "CREATE TABLE counters (name TEXT PRIMARY KEY, amount BIGINT NOT NULL);
              CREATE TABLE events (id GENERATED_KEY, body TEXT NOT NULL);
              CREATE TABLE promises (
                  name TEXT PRIMARY KEY,
                  counter TEXT NOT NULL REFERENCES counters (name) DEFERRABLE INITIALLY DEFERRED
              );
              -- sqlite:
              CREATE VIRTUAL TABLE notes USING fts5 (body);
              -- postgres:
              CREATE TABLE notes (body TEXT NOT NULL);
              CREATE INDEX notes_words ON notes USING gin (to_tsvector('simple', body));",
    },
];

/// A fresh database with these tables.
async fn fresh(engine: store::Engine) -> store::testing::Database {
    store::testing::fresh(engine, MIGRATIONS).await
}

async fn add_team(store: &Store, id: &'static str) -> Result<(), Error> {
    store
        .write(move |tx| {
            tx.execute_one(
                sql!("INSERT INTO teams (id, name) VALUES ($1, $2)"),
                params![id, id],
            )
        })
        .await
}

async fn count_teams(store: &Store) -> i64 {
    let (count,) = store
        .read(|tx| tx.one::<(i64,)>(sql!("SELECT COUNT(*) FROM teams"), &[]))
        .await
        .unwrap();
    count
}
