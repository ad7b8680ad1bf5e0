//! The loop that does what is owed: claim, do, end or postpone, sleep until the next is due or somebody
//! owes a new one.

use std::sync::Arc;
use std::time::Duration;

use super::{App, dispatch};
use crate::jobs::{Job, store as rows};

/// How many jobs one claim takes.
const BATCH: i64 = 256;
/// How many jobs run at the same time on one node.
const AT_ONCE: usize = 32;
/// Jobs whose end is written together at most.
const GROUP: usize = 32;
/// The longest sleep: another node may have owed a job without this one hearing of it.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Does everything that is due now and returns how many jobs it did. Tests call this instead of waiting.
pub async fn run_due(app: &Arc<App>) -> Result<usize, store::Error> {
    let now = app.clock.now();
    let holder = app.holder.clone();
    let jobs = app
        .store
        .write(move |tx| rows::claim(tx, &holder, now, BATCH))
        .await?;
    let count = jobs.len();
    let limit = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut running = tokio::task::JoinSet::new();
    for job in jobs {
        let (app, limit) = (Arc::clone(app), Arc::clone(&limit));
        running.spawn(async move {
            let _permit = limit.acquire().await.ok()?;
            run_one(&app, job).await
        });
    }
    while let Some(first) = running.join_next().await {
        let mut done: Vec<Job> = ended(first).into_iter().collect();
        while done.len() < GROUP
            && let Some(next) = running.try_join_next()
        {
            done.extend(ended(next));
        }
        complete(app, done).await;
    }
    Ok(count)
}

/// The job that has been done, unless it was put off or stopped without an answer.
fn ended(outcome: Result<Option<Job>, tokio::task::JoinError>) -> Option<Job> {
    outcome.unwrap_or_else(|error| {
        tracing::error!("a job stopped without an answer; its lease will run out: {error}");
        None
    })
}

/// Ends jobs together, in the order in which all nodes take them; if that fails, each by itself.
async fn complete(app: &Arc<App>, mut done: Vec<Job>) {
    done.sort_by(|left, right| left.id.cmp(&right.id));
    let together = Arc::new(done);
    let jobs = Arc::clone(&together);
    let ended = app
        .store
        .write(move |tx| jobs.iter().try_for_each(|job| rows::complete(tx, job).map(drop)));
    if ended.await.is_ok() {
        return;
    }
    for job in together.iter() {
        let job = job.clone();
        let alone = app.store.write(move |tx| rows::complete(tx, &job));
        tell_if_lost(alone.await.map(drop));
    }
}

/// Runs a job and gives it back when it is done; one that failed is put off.
async fn run_one(app: &Arc<App>, job: Job) -> Option<Job> {
    let Err(error) = dispatch::run(app, &job).await else {
        return Some(job);
    };
    tracing::warn!(
        kind = job.kind.as_text(),
        subject = job.subject,
        attempt = job.attempt,
        "job failed: {error:#}"
    );
    let until = app.clock.now() + pause_after(job.attempt);
    let text = format!("{error:#}");
    let put_off = app.store.write(move |tx| rows::postpone(tx, &job, until, &text));
    tell_if_lost(put_off.await);
    None
}

fn tell_if_lost(written: Result<(), store::Error>) {
    if let Err(error) = written {
        tracing::error!("the end of a job could not be written; it will run again: {error}");
    }
}

/// 1 s, 2 s, 4 s … up to five minutes.
pub fn pause_after(attempt: i64) -> Duration {
    Duration::from_secs(1 << attempt.clamp(0, 8)).min(Duration::from_secs(300))
}

/// Runs until the app is told to stop.
pub async fn run(app: Arc<App>) {
    loop {
        let woken = app.jobs_owed.notified();
        let done = match run_due(&app).await {
            Ok(done) => done,
            Err(error) => {
                tracing::error!("jobs cannot be claimed: {error}");
                tokio::select! {
                    () = tokio::time::sleep(LONGEST_SLEEP) => {}
                    () = app.stopping.cancelled() => return,
                }
                continue;
            }
        };
        if app.stopping.is_cancelled() {
            return;
        }
        if done > 0 {
            continue;
        }
        let next = app.store.read(rows::next_due).await.unwrap_or_else(|error| {
            tracing::error!("the next job cannot be read: {error}");
            None
        });
        tokio::select! {
            () = woken => {}
            () = app.clock.rest_until(next, LONGEST_SLEEP) => {}
            () = app.stopping.cancelled() => return,
        }
    }
}
