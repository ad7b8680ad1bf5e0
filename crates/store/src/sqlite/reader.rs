//! The readers: a few connections that see the last commit, each used by one closure at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::Error;
use crate::error::panicked;
use crate::sqlite::{Purpose, connect, control};
use crate::transaction::{self, Access, Tx};

/// How long a reader is waited for before the caller is told that the database is overloaded.
const PATIENCE: Duration = Duration::from_secs(10);

/// The idle connections and the permits to use them.
#[derive(Clone)]
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    count: u32,
}

impl Readers {
    pub(crate) fn open(file: &Path, count: u32) -> Result<Self, Error> {
        let connections = (0..count)
            .map(|_| connect(file, Purpose::Read))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            idle: Arc::new(Mutex::new(connections)),
            permits: Arc::new(Semaphore::new(count as usize)),
            count,
        })
    }

    pub(crate) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| Error::unavailable("all readers are busy"))?
            .map_err(|_| Error::unavailable("the store is closed"))?;
        let idle = Arc::clone(&self.idle);
        tokio::task::spawn_blocking(move || {
            let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(connection) = taken else {
                return Err(Error::unavailable("no reader is left").into());
            };
            let result = run(&connection, &work);
            idle.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
            drop(permit);
            result
        })
        .await
        .unwrap_or_else(|_| Err(Error::unavailable("the runtime is stopping").into()))
    }

    /// Refuses further reads, waits for those that run, and closes the connections.
    pub(crate) async fn close(&self) {
        let all = tokio::time::timeout(PATIENCE, self.permits.acquire_many(self.count));
        if all.await.is_err() {
            tracing::warn!("a read was still running when the store was closed");
        }
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn run<T, E: From<Error>>(connection: &Connection, work: &impl Fn(&mut Tx) -> Result<T, E>) -> Result<T, E> {
    control(connection, "BEGIN").map_err(|failure| failure.error)?;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut tx = Tx::new(transaction::Connection::Sqlite(connection), Access::Read);
        let result = work(&mut tx);
        tx.verdict(result)
    }));
    // Nothing was written; ending the transaction only lets the snapshot go.
    let ended = if connection.is_autocommit() {
        Ok(())
    } else {
        control(connection, "ROLLBACK")
    };
    let result = outcome.unwrap_or_else(|payload| Err(panicked(payload.as_ref()).into()));
    match ended {
        Ok(()) => result,
        Err(failure) => result.and(Err(failure.error.into())),
    }
}
