//! What was acknowledged survives kill -9 of the process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use store::testing::PostgresServer;
use store::{Engine, Error, Location, Single, Store, both_engines, params, sql};

use crate::{MIGRATIONS, fresh};

/// Tells the child where to write.
const PLACE: &str = "MUSTER_KILL_TEST";

#[both_engines]
async fn every_acknowledged_write_survives(engine: Engine) {
    let database = fresh(engine).await;
    let place = match &database.location {
        Location::Sqlite { directory } => directory.display().to_string(),
        Location::Postgres { url } => format!("postgres {url}"),
    };
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "kill::writes_until_it_is_killed",
            "--nocapture",
        ])
        .env(PLACE, place)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    // What was printed before the end still stands in the pipe after it.
    while let Some(Ok(line)) = lines.next() {
        if let Some(number) = line.strip_prefix("stored ") {
            acknowledged.push(number.parse::<i64>().unwrap());
        }
        if acknowledged.len() == 3000 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= 3000, "{}", acknowledged.len());

    let store = Store::open(&database.location, MIGRATIONS).await.unwrap();
    let stored: Result<Vec<Single<i64>>, Error> = store
        .read(|tx| tx.rows(sql!("SELECT number FROM samples ORDER BY number"), &[]))
        .await;
    let stored: Vec<i64> = stored.unwrap().into_iter().map(|row| row.0).collect();
    assert!(
        stored.is_sorted_by(|one, next| one < next),
        "a write was stored twice"
    );
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|number| stored.binary_search(number).is_err())
        .collect();
    assert!(lost.is_empty(), "lost {lost:?} of {}", acknowledged.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above, in a process of its own"]
async fn writes_until_it_is_killed() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let location = match place.strip_prefix("postgres ") {
        Some(url) => Location::Postgres { url: url.to_owned() },
        None => Location::Sqlite {
            directory: place.into(),
        },
    };
    let store = Store::open(&location, MIGRATIONS).await.unwrap();
    let next = Arc::new(AtomicI64::new(0));
    let writers = (0..32).map(|_| {
        let (store, next) = (store.clone(), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let written: Result<(), Error> = store
                    .write(move |tx| {
                        tx.execute_one(sql!("INSERT INTO samples (number) VALUES ($1)"), params![number])
                    })
                    .await;
                written.unwrap();
                println!("stored {number}");
            }
        })
    });
    let ended = join_all(writers.collect::<Vec<_>>()).await;
    panic!("{} writers ended by themselves", ended.len());
}

#[tokio::test]
async fn a_test_server_ends_with_its_process() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "kill::holds_a_server_until_it_is_killed",
            "--nocapture",
        ])
        .env(PLACE, "")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let directory = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("held ").map(str::to_owned))
        .unwrap();
    assert!(Path::new(&directory).exists());
    child.kill().unwrap();
    child.wait().unwrap();
    for _ in 0..300 {
        if !Path::new(&directory).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{directory} was left behind");
}

#[tokio::test]
#[ignore = "run by the test above, in a process of its own"]
async fn holds_a_server_until_it_is_killed() {
    if std::env::var(PLACE).is_err() {
        return;
    }
    let url = PostgresServer::shared().url("postgres");
    let directory = url
        .split(' ')
        .find_map(|part| part.strip_prefix("host="))
        .unwrap();
    println!("held {directory}");
    tokio::time::sleep(Duration::from_mins(10)).await;
}
