//! Durable writes a second, and how long one takes, for 1 and 64 concurrent callers on both engines.
//!
//! `cargo bench -p store --bench durable_writes` takes about half a minute; `SECONDS_PER_RUN` and `ROUNDS` change that.
//! PostgreSQL is a server of its own with `fsync` on.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use store::testing::{Durability, PostgresServer};
use store::{Error, Location, Migration, Store, Tx, params, sql};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "journal",
    sql: "CREATE TABLE journal (id GENERATED_KEY, service TEXT NOT NULL, received_at BIGINT NOT NULL, body TEXT NOT NULL);
          CREATE TABLE alerts (service TEXT NOT NULL, key TEXT NOT NULL, count BIGINT NOT NULL, PRIMARY KEY (service, key));",
}];

/// What one closure does.
#[derive(Clone, Copy)]
enum Work {
    /// One row is added.
    Insert,
    /// One row is added, one is read, one is changed.
    Three,
}

fn main() {
    let seconds = setting("SECONDS_PER_RUN", 3);
    let rounds = setting("ROUNDS", 2);
    let runtime = tokio::runtime::Runtime::new().unwrap_or_else(|error| panic!("{error}"));
    runtime.block_on(async {
        let server = PostgresServer::start(Durability::Full);
        println!("engine    work    callers   writes/s   p50 ms   p99 ms   max ms   CPU us/write");
        for _ in 0..rounds {
            let directory = tempfile::tempdir_in(".").unwrap_or_else(|error| panic!("{error}"));
            let locations = [
                (
                    "sqlite",
                    Location::Sqlite {
                        directory: directory.path().to_owned(),
                    },
                ),
                (
                    "postgres",
                    Location::Postgres {
                        url: server.create_database().await,
                    },
                ),
            ];
            for (engine, location) in locations {
                for (name, work) in [("insert", Work::Insert), ("three", Work::Three)] {
                    for callers in [1, 64] {
                        let store = open(&location).await;
                        let figures = run(&store, work, callers, Duration::from_secs(seconds)).await;
                        println!("{engine:<9} {name:<7} {callers:>7}   {figures}");
                        store.close().await;
                    }
                }
            }
        }
    });
}

async fn open(location: &Location) -> Store {
    Store::open(location, MIGRATIONS)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

async fn run(store: &Store, work: Work, callers: usize, duration: Duration) -> String {
    let done = Arc::new(AtomicBool::new(false));
    let body: Arc<str> = "x".repeat(400).into();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let (store, done, body) = (store.clone(), Arc::clone(&done), Arc::clone(&body));
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    let body = Arc::clone(&body);
                    let key = (latencies.len() % 1000).to_string();
                    let started = Instant::now();
                    let written: Result<(), Error> =
                        store.write(move |tx| write(tx, work, caller, &key, &body)).await;
                    written.unwrap_or_else(|error| panic!("{error}"));
                    latencies.push(started.elapsed());
                }
                latencies
            })
        })
        .collect();
    let (started, cpu) = (Instant::now(), cpu_seconds());
    tokio::time::sleep(duration).await;
    done.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap_or_else(|error| panic!("{error}")));
    }
    let took = started.elapsed();
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let rate = latencies.len() as f64 / took.as_secs_f64();
    let cpu = (cpu_seconds() - cpu) / latencies.len() as f64 * 1e6;
    format!(
        "{rate:>8.0}   {:>6.2}   {:>6.2}   {:>6.1}   {cpu:>12.0}",
        at(0.5),
        at(0.99),
        at(1.0)
    )
}

/// Processor time of this process, callers included; PostgreSQL's own processes are not.
fn cpu_seconds() -> f64 {
    let statistics = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = statistics.rsplit(") ").next().unwrap_or_default();
    let ticks = |field: usize| {
        after_name
            .split(' ')
            .nth(field)
            .and_then(|text| text.parse::<f64>().ok())
    };
    (ticks(11).unwrap_or(f64::NAN) + ticks(12).unwrap_or(f64::NAN)) / 100.0
}

fn write(tx: &mut Tx<'_>, work: Work, caller: usize, key: &str, body: &str) -> Result<(), Error> {
    tx.execute_one(
        sql!("INSERT INTO journal (service, received_at, body) VALUES ($1, $2, $3)"),
        params![format!("P{caller}"), 1_700_000_000_000_000_i64, body],
    )?;
    if let Work::Insert = work {
        return Ok(());
    }
    let service = format!("P{caller}");
    let known: Option<(i64,)> = tx.row(
        sql!("SELECT count FROM alerts WHERE service = $1 AND key = $2"),
        params![&service, key],
    )?;
    tx.execute_one(
        sql!(
            "INSERT INTO alerts (service, key, count) VALUES ($1, $2, $3)
             ON CONFLICT (service, key) DO UPDATE SET count = excluded.count"
        ),
        params![&service, key, known.map_or(1, |(count,)| count + 1)],
    )
}
