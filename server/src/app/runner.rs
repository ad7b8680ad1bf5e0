//! The loop that does what is owed: claim, do, end or postpone, sleep until the next is due or somebody
//! owes a new one. It goes on claiming while some of what it does takes long.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use store::Engine;
use tokio::sync::Semaphore;
use tokio::task::{self, JoinError, JoinSet};

use super::{App, dispatch};
use crate::jobs::{Job, store as rows};

/// How many jobs a node claims and has not ended at most.
const BATCH: usize = 256;
/// Less room than this is not worth a claim.
const WORTH_CLAIMING: usize = 64;
/// How many jobs run at the same time on one node.
const AT_ONCE: usize = 32;
/// The same on PostgreSQL, where each holds a connection while it waits for a lock: people and pages need some, too.
const AT_ONCE_OVER_CONNECTIONS: usize = 8;
/// Jobs whose end is written together at most.
const GROUP: usize = 32;
/// The longest sleep: another node may have owed a job without this one hearing of it.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Does everything that is due now and returns how many jobs it did. Tests call this instead of waiting.
pub async fn run_due(app: &Arc<App>) -> Result<usize, store::Error> {
    let mut hands = Hands::of(app);
    let claimed = hands.take_up(app).await?;
    while let Some(first) = hands.running.join_next_with_id().await {
        hands.end(app, first).await;
    }
    Ok(claimed.jobs)
}

/// What this node has claimed and not ended yet. A job that takes long keeps its place at the work and nobody else's: whoever
/// is to be paged meanwhile is paged.
struct Hands {
    running: JoinSet<Option<Job>>,
    /// Which task does which job.
    held: HashMap<task::Id, String>,
    places: Arc<Semaphore>,
}

struct Claimed {
    jobs: usize,
    /// As many as were asked for: there may be more.
    all: bool,
}

type Ended = Result<(task::Id, Option<Job>), JoinError>;

impl Hands {
    fn of(app: &App) -> Self {
        let places = match app.store.engine() {
            Engine::Sqlite => AT_ONCE,
            Engine::Postgres => AT_ONCE_OVER_CONNECTIONS,
        };
        Self {
            running: JoinSet::new(),
            held: HashMap::new(),
            places: Arc::new(Semaphore::new(places)),
        }
    }

    fn room(&self) -> usize {
        BATCH.saturating_sub(self.held.len())
    }

    /// Claims what is due, as much as there is room for, and begins it.
    async fn take_up(&mut self, app: &Arc<App>) -> Result<Claimed, store::Error> {
        let (now, holder, room) = (app.clock.now(), app.holder.clone(), self.room());
        let jobs = app
            .store
            .write(move |tx| rows::claim(tx, &holder, now, room as i64))
            .await?;
        let claimed = Claimed {
            jobs: jobs.len(),
            all: jobs.len() >= room,
        };
        for job in jobs {
            // One that outlives its lease is claimed again, and so keeps it.
            if self.held.values().any(|id| *id == job.id) {
                continue;
            }
            let (app, places, id) = (Arc::clone(app), Arc::clone(&self.places), job.id.clone());
            let begun = self.running.spawn(async move {
                let _place = places.acquire().await.ok()?;
                run_one(&app, job).await
            });
            self.held.insert(begun.id(), id);
        }
        Ok(claimed)
    }

    /// Ends jobs that are done together. Says whether one of them is owed again or was put off.
    async fn end(&mut self, app: &Arc<App>, first: Ended) -> bool {
        let mut ended = vec![self.let_go(first)];
        while ended.len() < GROUP
            && let Some(next) = self.running.try_join_next_with_id()
        {
            ended.push(self.let_go(next));
        }
        let count = ended.len();
        let done: Vec<Job> = ended.into_iter().flatten().collect();
        let put_off = done.len() < count;
        complete(app, done).await || put_off
    }

    /// The job that has been done, unless it was put off or stopped without an answer.
    fn let_go(&mut self, outcome: Ended) -> Option<Job> {
        match outcome {
            Ok((task, done)) => {
                self.held.remove(&task);
                done
            }
            Err(error) => {
                self.held.remove(&error.id());
                tracing::error!("a job stopped without an answer; its lease will run out: {error}");
                None
            }
        }
    }
}

/// Ends jobs together, in the order in which all nodes take them; if that fails, each by itself. Says whether one of them
/// is owed again.
async fn complete(app: &Arc<App>, mut done: Vec<Job>) -> bool {
    if done.is_empty() {
        return false;
    }
    done.sort_by(|left, right| left.id.cmp(&right.id));
    let together = Arc::new(done);
    let jobs = Arc::clone(&together);
    let ended = app
        .store
        .write(move |tx| -> Result<bool, store::Error> {
            let mut again = false;
            for job in jobs.iter() {
                again |= !rows::complete(tx, job)?;
            }
            Ok(again)
        })
        .await;
    if let Ok(again) = ended {
        return again;
    }
    for job in together.iter() {
        let job = job.clone();
        let alone = app.store.write(move |tx| rows::complete(tx, &job));
        tell_if_lost(alone.await.map(drop));
    }
    true
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

/// Runs until the app is told to stop, and then ends what is under way.
pub async fn run(app: Arc<App>) {
    let mut hands = Hands::of(&app);
    let mut more_is_due = true;
    let mut next = None;
    while !app.stopping.is_cancelled() {
        let woken = app.jobs_owed.notified();
        if more_is_due && hands.room() >= WORTH_CLAIMING {
            match hands.take_up(&app).await {
                Ok(claimed) => more_is_due = claimed.all,
                Err(error) => {
                    tracing::error!("jobs cannot be claimed: {error}");
                    tokio::select! {
                        () = tokio::time::sleep(LONGEST_SLEEP) => {}
                        () = app.stopping.cancelled() => {}
                    }
                    continue;
                }
            }
            if more_is_due {
                continue;
            }
            let now = app.clock.now();
            let found = app.store.read(move |tx| rows::next_due(tx, now));
            next = found.await.unwrap_or_else(|error| {
                tracing::error!("the next job cannot be read: {error}");
                None
            });
        }
        tokio::select! {
            Some(first) = hands.running.join_next_with_id() => {
                more_is_due |= hands.end(&app, first).await;
            }
            () = woken => more_is_due = true,
            () = app.clock.rest_until(next, LONGEST_SLEEP) => more_is_due = true,
            () = app.stopping.cancelled() => {}
        }
    }
    while let Some(first) = hands.running.join_next_with_id().await {
        hands.end(&app, first).await;
    }
}
