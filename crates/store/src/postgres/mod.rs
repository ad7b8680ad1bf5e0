//! PostgreSQL: a pool of connections, and transactions that run beside the async threads.
//!
//! A transaction runs on a thread that may block, where the closure's statements wait for their answers one by one, but
//! for those whose answers nobody needs ([`Tx::send`]). Connections live on the runtime that the store was opened on,
//! whichever runtime a caller is on: a thread that answers requests neither moves their bytes nor takes them with it.
//! Collisions (serialisation failures, deadlocks) and connections lost before the commit make the closure run again,
//! after a short pause that grows. A connection lost during the commit is never retried: whether the change was kept
//! is not known, and the caller is told so.

mod convert;
mod session;
mod tls;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    Connect, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, NoTls, Socket};

pub(crate) use convert::value_at;
pub(crate) use session::Session;
use tls::Address;

use crate::Error;
use crate::error::panicked;
use crate::transaction::{Access, Connection, Failure, Retry, Tx};

/// Connections of this process.
const CONNECTIONS: usize = 16;
/// Connections for what must get through when those are all taken.
const CONNECTIONS_BESIDE: usize = 4;
/// How long a caller waits for a connection before it is told that the database is overloaded or lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a closure is run when it collides with others.
const ATTEMPTS: u32 = 12;
/// How often a closure is run when its connection is lost: once per connection that died while it was idle would be
/// too often, since the pool notices most of them by itself.
const ATTEMPTS_WITHOUT_CONNECTION: u32 = 4;
/// The first pause between two attempts; it doubles, with jitter, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(3);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The command that begins a transaction.
fn begin(access: Access) -> &'static str {
    match access {
        Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        // Sees what is committed statement by statement; rows that decide something are locked by the closure.
        Access::Write => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        Access::Migrate => {
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = 0; \
             SET LOCAL statement_timeout = 0; SET LOCAL client_min_messages = warning"
        }
    }
}

/// The pool.
#[derive(Clone)]
pub(crate) struct Postgres {
    pool: Pool,
    url: Arc<str>,
    /// Where connections live and closures run.
    runtime: Handle,
}

/// Opens connections on one runtime.
struct Home<T> {
    encryption: T,
    runtime: Handle,
}

impl<T> Home<T> {
    fn of(encryption: T, runtime: &Handle) -> Self {
        Self {
            encryption,
            runtime: runtime.clone(),
        }
    }
}

impl<T> Connect for Home<T>
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(
        &self,
        config: &Config,
    ) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), tokio_postgres::Error>> {
        let (config, encryption) = (config.clone(), self.encryption.clone());
        let opened = self.runtime.spawn(async move {
            let (client, connection) = config.connect(encryption).await?;
            let living = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!(error = describe(&error), "a connection to the database ended");
                }
            });
            Ok((client, living))
        });
        Box::pin(async move {
            match opened.await {
                Ok(opened) => opened,
                // The runtime is stopping; nobody connects to anything any more.
                Err(_) => std::future::pending().await,
            }
        })
    }
}

/// What became of one attempt.
enum Outcome<T, E> {
    Done(Result<T, E>),
    Again(Failure),
}

impl Postgres {
    /// Prepares the pool; the first connection is made when it is needed.
    pub(crate) fn connect(url: &str) -> Result<Self, Error> {
        Self::connect_with(url, CONNECTIONS)
    }

    /// The same database over connections of its own.
    pub(crate) fn beside(&self) -> Result<Self, Error> {
        Self::connect_with(&self.url, CONNECTIONS_BESIDE)
    }

    fn connect_with(url: &str, connections: usize) -> Result<Self, Error> {
        let mut address = Address::parse(url)?;
        let encryption = address.encryption()?;
        let config = &mut address.config;
        // A node that hangs must not hold locks for ever. Options in the address come later, and win.
        let mut options = "-c idle_in_transaction_session_timeout=60s -c lock_timeout=30s \
                           -c statement_timeout=120s -c timezone=UTC "
            .to_owned();
        options.push_str(config.get_options().unwrap_or_default());
        config
            .connect_timeout(PATIENCE)
            .keepalives_idle(Duration::from_secs(30))
            .options(options);
        if config.get_application_name().is_none() {
            config.application_name("muster");
        }
        let runtime = Handle::try_current().map_err(Error::other)?;
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = if let Some(encryption) = encryption {
            Manager::from_connect(address.config, Home::of(encryption, &runtime), recycling)
        } else {
            Manager::from_connect(address.config, Home::of(NoTls, &runtime), recycling)
        };
        let pool = Pool::builder(manager)
            .max_size(connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .build()
            .map_err(Error::other)?;
        Ok(Self {
            pool,
            url: url.into(),
            runtime,
        })
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }

    pub(crate) async fn transaction<T, E, F>(&self, access: Access, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let mut work = work;
        let mut attempt = 1;
        loop {
            let session = self.session(access).await?;
            let run = move || {
                let outcome = attempt_once(session, access, &work);
                (work, outcome)
            };
            let Ok((returned, outcome)) = self.runtime.spawn_blocking(run).await else {
                return Err(Error::unavailable("the runtime is stopping").into());
            };
            let failure = match outcome {
                Outcome::Done(result) => return result,
                Outcome::Again(failure) => failure,
            };
            let most = match failure.retry {
                Retry::ConnectionLost => ATTEMPTS_WITHOUT_CONNECTION,
                Retry::Never | Retry::Collision | Retry::StalePlan => ATTEMPTS,
            };
            if attempt >= most {
                let reason = failure.error.to_string();
                return Err(Error::RetriesExhausted {
                    attempts: attempt,
                    reason,
                }
                .into());
            }
            tracing::debug!(error = %failure.error, attempt, "running a transaction again");
            tokio::time::sleep(pause(attempt)).await;
            work = returned;
            attempt += 1;
        }
    }

    /// How many callers wait for a connection.
    pub(crate) fn waiting(&self) -> usize {
        self.pool.status().waiting
    }

    async fn session(&self, access: Access) -> Result<Session, Error> {
        match self.pool.get().await {
            Ok(client) => Ok(Session::new(client, self.runtime.clone(), begin(access))),
            Err(PoolError::Timeout(TimeoutType::Wait)) => Err(Error::unavailable("all connections are busy")),
            Err(PoolError::Closed) => Err(Error::unavailable("the store is closed")),
            Err(PoolError::Backend(error)) => Err(Error::unavailable(describe(&error))),
            Err(error) => Err(Error::unavailable(error)),
        }
    }
}

fn attempt_once<T, E: From<Error>>(
    session: Session,
    access: Access,
    work: &impl Fn(&mut Tx) -> Result<T, E>,
) -> Outcome<T, E> {
    let mut tx = Tx::new(Connection::Postgres(&session), access);
    let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut tx)));
    tx.settle();
    let failure = tx.failure.take();
    let result = match (outcome, failure) {
        (_, Some(failure)) if failure.retry != Retry::Never => {
            session.roll_back();
            return Outcome::Again(failure);
        }
        (Err(payload), _) => Err(panicked(payload.as_ref()).into()),
        (Ok(Ok(_)), Some(failure)) => Err(failure.error.into()),
        (Ok(result), _) => result,
    };
    if result.is_err() {
        session.roll_back();
        return Outcome::Done(result);
    }
    match session.commit() {
        Ok(()) => Outcome::Done(result),
        Err(failure) => give_up(failure),
    }
}

fn give_up<T, E: From<Error>>(failure: Failure) -> Outcome<T, E> {
    if failure.retry == Retry::Never {
        Outcome::Done(Err(failure.error.into()))
    } else {
        Outcome::Again(failure)
    }
}

/// Half to all of a doubling pause, so that two transactions that collided do not meet again.
fn pause(attempt: u32) -> Duration {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let full = FIRST_PAUSE
        .saturating_mul(1 << attempt.min(10))
        .min(LONGEST_PAUSE);
    let spread = COUNTER.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed) >> 32;
    full / 2 + (full / 2).mul_f64(spread as f64 / f64::from(u32::MAX))
}

/// The message of the server, or of the driver with its cause.
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} ({})", error.message(), error.code().code());
    }
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
