//! One connection during one transaction, used from a thread that may block.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use deadpool_postgres::Object;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::ToSql;

use crate::error::Violation;
use crate::postgres::convert::BindError;
use crate::postgres::describe;
use crate::row::{Row, Source};
use crate::transaction::{Failure, Retry};
use crate::{Error, Statement, Value};

/// Prepared statements kept per connection. They are forgotten all together when there are more.
const CACHED_STATEMENTS: usize = 1000;
/// Answers that may wait to be looked at; each holds its values meanwhile.
const UNANSWERED: usize = 500;

pub(crate) struct Session {
    client: Arc<Object>,
    handle: Handle,
    /// The command that begins the transaction, until it is sent.
    begin: Cell<Option<&'static str>>,
    /// What was sent and not looked at yet, in its order.
    sent: RefCell<Vec<Sent>>,
}

/// A statement whose answer will be looked at later. A task hears the answer meanwhile: the driver reads nothing further while
/// one is not taken from it.
struct Sent {
    sql: Cow<'static, str>,
    answer: JoinHandle<Result<(), tokio_postgres::Error>>,
}

type Answer = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

impl Session {
    /// A transaction on this connection. It begins with its first statement, which is sent without waiting for the
    /// answer to `begin`: one round trip less.
    pub(crate) fn new(client: Object, handle: Handle, begin: &'static str) -> Self {
        Self {
            client: Arc::new(client),
            handle,
            begin: Cell::new(Some(begin)),
            sent: RefCell::default(),
        }
    }

    pub(crate) fn query(
        &self,
        statement: &Statement,
        params: &[Value],
        accept: &mut dyn FnMut(&Row<'_>) -> bool,
    ) -> Result<(), Failure> {
        let sql = &statement.postgres;
        let rows = self.handle.block_on(async {
            let answer = match self.prepare(sql, params.len()).await {
                Ok(prepared) => {
                    self.ask(sql, self.client.query(&prepared, &borrowed(params)))
                        .await
                }
                Err(failure) => Err(failure),
            };
            self.after_those_sent(answer).await
        })?;
        for row in &rows {
            if !accept(&Row {
                source: Source::Postgres(row),
            }) {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn execute(&self, statement: &Statement, params: &[Value]) -> Result<u64, Failure> {
        let sql = &statement.postgres;
        self.handle.block_on(async {
            let answer = match self.prepare(sql, params.len()).await {
                Ok(prepared) => {
                    self.ask(sql, self.client.execute(&prepared, &borrowed(params)))
                        .await
                }
                Err(failure) => Err(failure),
            };
            self.after_those_sent(answer).await
        })
    }

    /// Sends a statement and leaves its answer for later: the server works on it while the closure goes on. What it says
    /// is looked at behind the next statement that waits, and before the commit.
    pub(crate) fn send(&self, statement: &Statement, params: &[Value]) -> Result<(), Failure> {
        if self.sent.borrow().len() >= UNANSWERED {
            self.settle()?;
        }
        self.handle.block_on(async {
            let prepared = match self.prepare(&statement.postgres, params.len()).await {
                Ok(prepared) => prepared,
                Err(failure) => return self.after_those_sent(Err(failure)).await,
            };
            if let Some(begin) = self.begin.take() {
                let client = Arc::clone(&self.client);
                let begun = Box::pin(async move { client.batch_execute(begin).await });
                self.leave(begin.into(), begun).await;
            }
            let (client, params) = (Arc::clone(&self.client), params.to_vec());
            let done = Box::pin(async move {
                let values = borrowed(&params);
                client.execute(&prepared, &values).await.map(drop)
            });
            self.leave(statement.postgres.clone(), done).await;
            Ok(())
        })
    }

    /// Waits for all that was sent and gives the first failure.
    pub(crate) fn settle(&self) -> Result<(), Failure> {
        self.handle.block_on(self.after_those_sent(Ok(())))
    }

    /// Polls once, which is what sends it, and leaves the rest to a task.
    async fn leave(&self, sql: Cow<'static, str>, mut answer: Answer) {
        let at_once = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
        let answer = match at_once {
            Poll::Pending => self.handle.spawn(answer),
            Poll::Ready(answered) => self.handle.spawn(std::future::ready(answered)),
        };
        self.sent.borrow_mut().push(Sent { sql, answer });
    }

    /// An answer, unless something that was sent before it failed: then the server refuses all that comes after, and
    /// the first failure says why.
    async fn after_those_sent<T>(&self, answer: Result<T, Failure>) -> Result<T, Failure> {
        let mut first = None;
        let sent = self.sent.take();
        for Sent { sql, answer } in sent {
            let failure = match answer.await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => self.failure(&error, &sql),
                Err(stopped) => Failure {
                    error: Error::unavailable(stopped),
                    retry: Retry::ConnectionLost,
                },
            };
            first = first.or(Some(failure));
        }
        match first {
            Some(failure) => Err(failure),
            None => answer,
        }
    }

    /// Runs commands without values.
    pub(crate) fn control(&self, commands: &str) -> Result<(), Failure> {
        self.handle.block_on(async {
            let answer = self.ask(commands, self.client.batch_execute(commands)).await;
            self.after_those_sent(answer).await
        })
    }

    /// Sends a statement and waits for its answer, behind the beginning of the transaction if that is still to be sent.
    async fn ask<T>(
        &self,
        sql: &str,
        statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        let Some(begin) = self.begin.take() else {
            return statement.await.map_err(|error| self.failure(&error, sql));
        };
        // Polled in this order, so the server gets them in this order.
        let (begun, answer) = tokio::join!(biased; self.client.batch_execute(begin), statement);
        match (begun, answer) {
            (Ok(()), answer) => answer.map_err(|error| self.failure(&error, sql)),
            (Err(error), Err(_)) => Err(self.failure(&error, begin)),
            // Should a server ever refuse to begin, then the statement ran by itself.
            (Err(error), Ok(_)) => Err(Failure::fatal(Error::CommitUnknown {
                reason: describe(&error),
            })),
        }
    }

    /// Has the engine check a statement.
    #[cfg(feature = "test-support")]
    pub(crate) fn check(&self, statement: &Statement) -> Result<(), Failure> {
        let sql = &statement.postgres;
        let prepared = self.handle.block_on(self.client.prepare(sql));
        prepared.map(drop).map_err(|error| self.failure(&error, sql))
    }

    /// Commits and gives the connection back.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        if self.begin.get().is_some() {
            return Ok(());
        }
        let Err(error) = self.handle.block_on(self.client.batch_execute("COMMIT")) else {
            return Ok(());
        };
        let failure = match error.as_db_error() {
            // The server refused: a deferred constraint, or a collision that was noticed only now.
            Some(refusal) if is_refusal(refusal.code()) => self.failure(&error, "COMMIT"),
            _ => Failure::fatal(Error::CommitUnknown {
                reason: describe(&error),
            }),
        };
        self.discard();
        Err(failure)
    }

    /// Ends the transaction and gives the connection back, or closes it if that fails.
    pub(crate) fn roll_back(self) {
        if self.begin.get().is_some() {
            return;
        }
        // Nobody looks at what is still unanswered; the server ends it before it rolls back.
        self.sent.take();
        if let Err(error) = self.handle.block_on(self.client.batch_execute("ROLLBACK")) {
            tracing::debug!(
                error = describe(&error),
                "closing a connection that could not roll back"
            );
            self.discard();
        }
    }

    /// Closes the connection instead of giving it back.
    pub(crate) fn discard(self) {
        self.sent.take();
        // Somebody else holds it only while an answer is under way; the pool then looks whether it still lives.
        if let Some(client) = Arc::into_inner(self.client) {
            drop(Object::take(client));
        }
    }

    async fn prepare(&self, sql: &str, values: usize) -> Result<tokio_postgres::Statement, Failure> {
        if self.client.statement_cache.size() > CACHED_STATEMENTS {
            self.client.statement_cache.clear();
        }
        let prepared = self
            .client
            .prepare_cached(sql)
            .await
            .map_err(|error| self.failure(&error, sql))?;
        let expected = prepared.params().len();
        if expected != values {
            let reason = format!("{values} values for {expected} parameters");
            return Err(Failure::fatal(Error::statement(reason, sql)));
        }
        Ok(prepared)
    }

    /// Turns an error of the driver into one of the store.
    fn failure(&self, error: &tokio_postgres::Error, sql: &str) -> Failure {
        if let Some(answer) = error.as_db_error() {
            let failure = of_answer(answer, sql);
            if failure.retry == Retry::StalePlan {
                self.client.statement_cache.clear();
            }
            return failure;
        }
        let source = std::error::Error::source(error);
        if let Some(BindError(reason)) = source.and_then(|source| source.downcast_ref()) {
            return Failure::fatal(match reason {
                Error::Other { reason } => Error::statement(reason, sql),
                other => other.clone(),
            });
        }
        if error.is_closed()
            || source
                .and_then(|source| source.downcast_ref::<std::io::Error>())
                .is_some()
        {
            return Failure {
                error: Error::unavailable(describe(error)),
                retry: Retry::ConnectionLost,
            };
        }
        Failure::fatal(Error::statement(describe(error), sql))
    }
}

fn borrowed(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// Whether the server, by this answer to COMMIT, certainly kept nothing.
fn is_refusal(code: &SqlState) -> bool {
    matches!(code.code().get(..2), Some("23" | "40" | "25"))
}

fn of_answer(answer: &DbError, sql: &str) -> Failure {
    let code = answer.code();
    let message = || format!("{} ({})", answer.message(), code.code());
    let class = code.code().get(..2).unwrap_or_default();
    let (error, retry) = match class {
        _ if *code == SqlState::UNIQUE_VIOLATION => (Error::UniqueViolation(violation(answer)), Retry::Never),
        _ if *code == SqlState::FOREIGN_KEY_VIOLATION => (Error::ForeignKey(violation(answer)), Retry::Never),
        "23" => (
            Error::Invalid {
                reason: message_of_constraint(answer),
            },
            Retry::Never,
        ),
        _ if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED => {
            (Error::unavailable(message()), Retry::Collision)
        }
        _ if *code == SqlState::FEATURE_NOT_SUPPORTED && answer.message().contains("cached plan") => {
            (Error::unavailable(message()), Retry::StalePlan)
        }
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => (Error::ReadOnly, Retry::Never),
        "08" => (Error::unavailable(message()), Retry::ConnectionLost),
        // Shut down by an operator, crashed, or starting.
        "57" if *code != SqlState::QUERY_CANCELED => (Error::unavailable(message()), Retry::ConnectionLost),
        // No space, no memory, too many connections; locks not free in time; broken files.
        "53" | "55" | "57" | "58" | "XX" => (Error::unavailable(message()), Retry::Never),
        // These messages quote the value.
        "22" => (
            Error::Invalid {
                reason: format!("the server refuses a value ({})", code.code()),
            },
            Retry::Never,
        ),
        _ => (Error::statement(message(), sql), Retry::Never),
    };
    Failure { error, retry }
}

/// The message for NOT NULL and CHECK, in words without values.
fn message_of_constraint(answer: &DbError) -> String {
    let subject = answer
        .constraint()
        .or_else(|| answer.column())
        .unwrap_or("a constraint");
    format!("{}.{subject} refuses it", answer.table().unwrap_or_default())
}

/// The columns stand in `Key (name, team)=(…) already exists.`, whatever the language of the server.
fn violation(answer: &DbError) -> Violation {
    let columns = answer
        .detail()
        .and_then(|detail| detail.split_once('(')?.1.split_once(")=("))
        .map(|(columns, _)| columns.split(", ").map(str::to_owned).collect())
        .unwrap_or_default();
    Violation {
        table: answer.table().unwrap_or_default().to_owned(),
        columns,
        constraint: answer.constraint().map(str::to_owned),
    }
}
