//! The writer: one thread, and one commit for everything that has queued.
//!
//! While a commit waits for the disk, closures queue; the next commit takes all of them, up to [`BATCH`]. Each runs in
//! its own savepoint, so that one which fails takes nothing of the others with it, and each is answered only after the
//! commit. There is no lingering: an idle writer commits a lone closure at once.
//!
//! When the engine gives up the whole transaction because of one closure (a full disk does that), or refuses the
//! commit because of a deferred constraint, every closure of the batch is run again by itself, so that only the guilty
//! ones fail. When the commit cannot reach the disk, all fail.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::Error;
use crate::error::panicked;
use crate::sqlite::{Purpose, commit, connect, control};
use crate::transaction::{self, Access, Tx};

/// The most closures that share one commit.
const BATCH: usize = 512;
/// The most closures that wait; further callers wait for room.
const QUEUE: usize = 4096;
/// How long a caller waits for room before it is told that the database is overloaded.
const PATIENCE: Duration = Duration::from_secs(10);
/// A closure that holds the writer for longer is reported, since everybody waits for it.
const SLOW: Duration = Duration::from_millis(500);

/// The sending side of the writer's queue.
#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
}

enum Message {
    Write(Box<dyn Job>),
    /// Commit what has queued, copy the log into the database file, and end.
    Close(oneshot::Sender<()>),
}

/// A queued closure whose types are forgotten.
trait Job: Send {
    /// Runs the closure and keeps its result; true when its changes are to be kept.
    fn run(&mut self, connection: &Connection) -> bool;
    /// The engine could not keep the changes: replaces the result.
    fn fail(&mut self, error: &Error);
    /// Replaces the result unless it is an error already, which says more.
    fn fail_if_kept(&mut self, error: &Error);
    /// Hands the result to the caller.
    fn answer(self: Box<Self>);
}

struct Write<T, E, F> {
    work: F,
    result: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Write<T, E, F>
where
    F: Fn(&mut Tx) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut tx = Tx::new(transaction::Connection::Sqlite(connection), Access::Write);
            let result = (self.work)(&mut tx);
            tx.verdict(result)
        }));
        let result = outcome.unwrap_or_else(|payload| Err(panicked(payload.as_ref()).into()));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn fail(&mut self, error: &Error) {
        self.result = Some(Err(error.clone().into()));
    }

    fn fail_if_kept(&mut self, error: &Error) {
        if !matches!(self.result, Some(Err(_))) {
            self.fail(error);
        }
    }

    fn answer(self: Box<Self>) {
        let result = self.result.unwrap_or_else(|| Err(Error::Aborted.into()));
        if self.caller.send(result).is_err() {
            tracing::debug!("the caller of a write was gone when it was done");
        }
    }
}

impl Writer {
    /// Opens the connection and starts the thread. It ends when the last `Writer` is dropped or one is closed.
    pub(crate) fn start(file: &Path) -> Result<Self, Error> {
        let connection = connect(file, Purpose::Write)?;
        let (queue, messages) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(&connection, messages))
            .map_err(Error::other)?;
        Ok(Self { queue })
    }

    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let message = Message::Write(Box::new(Write {
            work,
            result: None,
            caller,
        }));
        match self.queue.send_timeout(message, PATIENCE).await {
            Ok(()) => {}
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                return Err(Error::unavailable("too many writes are waiting").into());
            }
            Err(mpsc::error::SendTimeoutError::Closed(_)) => return Err(closed().into()),
        }
        answer.await.unwrap_or_else(|_| Err(closed().into()))
    }

    /// How many closures wait for the next commit.
    pub(crate) fn waiting(&self) -> usize {
        QUEUE - self.queue.capacity()
    }

    /// Ends the thread after everything that was queued before is committed and answered.
    pub(crate) async fn close(&self) {
        let (done, ended) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() && ended.await.is_err() {
            tracing::warn!("the writer had already ended");
        }
    }
}

fn closed() -> Error {
    Error::unavailable("the store is closed")
}

fn serve(connection: &Connection, mut messages: mpsc::Receiver<Message>) {
    while let Some(first) = messages.blocking_recv() {
        let mut jobs = Vec::new();
        let mut closing = None;
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Write(job) => jobs.push(job),
                Message::Close(done) => closing = Some(done),
            }
            next = if jobs.len() < BATCH && closing.is_none() {
                messages.try_recv().ok()
            } else {
                None
            };
        }
        if !jobs.is_empty() {
            commit_together(connection, jobs);
        }
        if let Some(done) = closing {
            messages.close();
            checkpoint(connection);
            if done.send(()).is_err() {
                tracing::debug!("nobody waited for the writer to end");
            }
            return;
        }
    }
    checkpoint(connection);
}

/// Copies the log into the database file, so that the next start finds an empty one.
fn checkpoint(connection: &Connection) {
    if let Err(error) = connection.pragma_update(None, "wal_checkpoint", "TRUNCATE") {
        tracing::warn!(%error, "the write-ahead log could not be copied into the database file");
    }
}

/// What became of a batch.
enum Outcome {
    Committed,
    /// Nothing was kept, for a reason that concerns the database.
    Failed(Error),
    /// Nothing was kept, because of one of the closures.
    Spoiled(Error),
}

fn commit_together(connection: &Connection, mut jobs: Vec<Box<dyn Job>>) {
    let outcome = run_batch(connection, &mut jobs);
    end_transaction(connection);
    match outcome {
        Outcome::Committed => {}
        Outcome::Failed(error) => fail_all(&mut jobs, &error),
        Outcome::Spoiled(error) if jobs.len() == 1 => {
            fail_if_kept(&mut jobs, &error);
        }
        Outcome::Spoiled(error) => {
            tracing::info!(%error, closures = jobs.len(), "a shared transaction was given up; running each alone");
            for job in jobs {
                commit_together(connection, vec![job]);
            }
            return;
        }
    }
    for job in jobs {
        job.answer();
    }
}

fn fail_all(jobs: &mut [Box<dyn Job>], error: &Error) {
    for job in jobs {
        job.fail(error);
    }
}

fn fail_if_kept(jobs: &mut [Box<dyn Job>], error: &Error) {
    for job in jobs {
        job.fail_if_kept(error);
    }
}

fn run_batch(connection: &Connection, jobs: &mut [Box<dyn Job>]) -> Outcome {
    if let Err(failure) = control(connection, "BEGIN IMMEDIATE") {
        return Outcome::Failed(failure.error);
    }
    let mut kept = 0;
    for job in &mut *jobs {
        let started = Instant::now();
        match run_within_savepoint(connection, job.as_mut()) {
            Ok(true) => kept += 1,
            Ok(false) => {}
            Err(error) => return Outcome::Spoiled(error),
        }
        let took = started.elapsed();
        if took > SLOW {
            tracing::warn!(
                milliseconds = took.as_millis() as u64,
                "a transaction held the writer for long"
            );
        }
    }
    if kept == 0 {
        return Outcome::Committed;
    }
    match commit(connection) {
        Ok(()) => Outcome::Committed,
        Err(error) if error.is_unavailable() => Outcome::Failed(error),
        Err(error) => Outcome::Spoiled(error),
    }
}

/// Runs one closure; true when its changes are kept. An error means that the whole transaction is gone.
fn run_within_savepoint(connection: &Connection, job: &mut dyn Job) -> Result<bool, Error> {
    control(connection, "SAVEPOINT closure").map_err(|failure| failure.error)?;
    let keep = job.run(connection);
    if connection.is_autocommit() {
        return Err(Error::unavailable("the engine gave up the transaction"));
    }
    if !keep {
        control(connection, "ROLLBACK TO SAVEPOINT closure").map_err(|failure| failure.error)?;
    }
    control(connection, "RELEASE SAVEPOINT closure").map_err(|failure| failure.error)?;
    Ok(keep)
}

fn end_transaction(connection: &Connection) {
    if connection.is_autocommit() {
        return;
    }
    if let Err(failure) = control(connection, "ROLLBACK") {
        tracing::error!(error = %failure.error, "a transaction could not be rolled back");
    }
}
