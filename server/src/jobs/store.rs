//! The rows of jobs: owing, cancelling, claiming, ending.

use std::time::Duration;

use jiff::Timestamp;
use store::{Error, Tx, Value, params, sql};

use super::model::{Job, Kind, Owed, WhenOwed, unique_key};
use crate::identifier::Identifiers;

/// How long a node keeps a job for itself.
pub const LEASE: Duration = Duration::from_secs(60);

/// Owes a job, in the transaction of whatever caused it.
pub fn owe(tx: &mut Tx, identifiers: &Identifiers, now: Timestamp, owed: &Owed) -> Result<(), Error> {
    let statement = match owed.when_owed {
        WhenOwed::KeepEarlier => sql!(
            "INSERT INTO jobs (id, kind, subject, payload, unique_key, generation, due_at, attempt, leased_until, created_at)
             VALUES ($1, $2, $3, $4, $5, 1, $6, 0, 0, $7)
             ON CONFLICT (unique_key) DO UPDATE SET
                 payload = excluded.payload,
                 generation = jobs.generation + 1,
                 attempt = 0,
                 created_at = excluded.created_at,
                 due_at = CASE WHEN jobs.due_at < excluded.due_at AND jobs.leased_until <= $7
                               THEN jobs.due_at ELSE excluded.due_at END"
        ),
        WhenOwed::Replace => sql!(
            "INSERT INTO jobs (id, kind, subject, payload, unique_key, generation, due_at, attempt, leased_until, created_at)
             VALUES ($1, $2, $3, $4, $5, 1, $6, 0, 0, $7)
             ON CONFLICT (unique_key) DO UPDATE SET
                 payload = excluded.payload,
                 generation = jobs.generation + 1,
                 attempt = 0,
                 created_at = excluded.created_at,
                 due_at = excluded.due_at"
        ),
    };
    let id: String = identifiers.next(now);
    tx.send(
        statement,
        params![
            id,
            owed.kind,
            &owed.subject,
            owed.payload.clone(),
            owed.unique_key(),
            owed.due_at,
            now
        ],
    )
}

/// Takes a job away because it is no longer right. Nothing happens when it is not owed.
pub fn cancel(tx: &mut Tx, kind: Kind, subject: &str, part: Option<&str>) -> Result<(), Error> {
    tx.execute(
        sql!("DELETE FROM jobs WHERE unique_key = $1"),
        params![unique_key(kind, subject, part)],
    )?;
    Ok(())
}

/// When a timer is set to fire, for the console and the API's pending actions.
pub fn due_at(tx: &mut Tx, kind: Kind, subject: &str) -> Result<Option<Timestamp>, Error> {
    let row: Option<(Timestamp,)> = tx.row(
        sql!("SELECT due_at FROM jobs WHERE unique_key = $1"),
        params![unique_key(kind, subject, None)],
    )?;
    Ok(row.map(|(due_at,)| due_at))
}

/// The same for many kinds and subjects; those without a timer are left out.
pub fn due_times(
    tx: &mut Tx,
    kinds: &[Kind],
    subjects: &[&str],
) -> Result<Vec<(Kind, String, Timestamp)>, Error> {
    let keys: Vec<String> = kinds
        .iter()
        .flat_map(|kind| subjects.iter().map(|subject| unique_key(*kind, subject, None)))
        .collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    tx.rows(
        sql!("SELECT kind, subject, due_at FROM jobs WHERE unique_key = ANY($1)"),
        params![Value::texts(keys)],
    )
}

/// The latest moment at which something was owed that still is.
pub fn last_owed(tx: &mut Tx) -> Result<Option<Timestamp>, Error> {
    let (last,): (Option<Timestamp>,) = tx.one(sql!("SELECT MAX(created_at) FROM jobs"), params![])?;
    Ok(last)
}

/// What was owed by a clock that was `ahead` of this one is due as long after now as it was after then, and nobody holds a
/// job for longer than a lease. Gives how many were moved.
pub fn set_back(tx: &mut Tx, now: Timestamp, ahead: Duration) -> Result<u64, Error> {
    let microseconds = i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX);
    tx.send(
        sql!("UPDATE jobs SET leased_by = NULL, leased_until = 0 WHERE leased_until > $1"),
        params![now + LEASE],
    )?;
    tx.execute(
        sql!("UPDATE jobs SET due_at = due_at - $2, created_at = created_at - $2 WHERE created_at > $1"),
        params![now, microseconds],
    )
}

/// Since when the job waits that was to be done first and that nobody holds, if it was due before `now`.
pub fn waiting_since(tx: &mut Tx, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let row: Option<(Option<Timestamp>,)> = tx.row(
        sql!("SELECT MIN(due_at) FROM jobs WHERE due_at <= $1 AND leased_until <= $1 AND kind = ANY($2)"),
        params![now, known_kinds()],
    )?;
    Ok(row.and_then(|(due_at,)| due_at))
}

fn known_kinds() -> Value {
    Value::texts(Kind::ALL.iter().map(Kind::as_text))
}

/// Takes up to `limit` jobs that are due and that no other node holds. Kinds that only a newer node knows are left to it.
pub fn claim(tx: &mut Tx, holder: &str, now: Timestamp, limit: i64) -> Result<Vec<Job>, Error> {
    tx.rows(
        sql! {
            sqlite: "UPDATE jobs SET leased_by = $1, leased_until = $2
                     WHERE id IN (SELECT id FROM jobs WHERE due_at <= $3 AND leased_until <= $3 AND kind = ANY($5)
                                  ORDER BY due_at, id LIMIT $4)
                     RETURNING id, kind, subject, payload, generation, due_at, attempt, leased_by, created_at",
            postgres: "UPDATE jobs SET leased_by = $1, leased_until = $2
                       WHERE id IN (SELECT id FROM jobs WHERE due_at <= $3 AND leased_until <= $3 AND kind = ANY($5)
                                    ORDER BY due_at, id LIMIT $4
                                    FOR UPDATE SKIP LOCKED)
                       RETURNING id, kind, subject, payload, generation, due_at, attempt, leased_by, created_at"
        },
        params![holder, now + LEASE, now, limit, known_kinds()],
    )
}

/// Ends a job that has been done. If it was owed again meanwhile it stays, free to be claimed at its new
/// time, unless another node has it already. May be called in the job's own transaction, so that the effect and the end commit together.
///
/// Gives whether the promise still stood: it was not taken away, not set anew, and not kept by another node since it was
/// claimed. A timer for which this is false must not act.
pub fn complete(tx: &mut Tx, job: &Job) -> Result<bool, Error> {
    let ended = tx.execute(
        sql!("DELETE FROM jobs WHERE id = $1 AND generation = $2"),
        params![&job.id, job.generation],
    )?;
    if ended == 0 {
        tx.execute(
            sql!(
                "UPDATE jobs SET leased_by = NULL, leased_until = 0
                 WHERE id = $1 AND generation > $2 AND leased_by = $3"
            ),
            params![&job.id, job.generation, &job.leased_by],
        )?;
    }
    Ok(ended > 0)
}

/// Puts a job back that failed, for a later time, unless another node has it by now.
pub fn postpone(tx: &mut Tx, job: &Job, until: Timestamp, error: &str) -> Result<(), Error> {
    tx.execute(
        sql!(
            "UPDATE jobs SET attempt = attempt + 1, due_at = CASE WHEN generation = $2 THEN $3 ELSE due_at END,
                 leased_by = NULL, leased_until = 0, last_error = $4
             WHERE id = $1 AND leased_by = $5"
        ),
        params![&job.id, job.generation, until, error, &job.leased_by],
    )?;
    Ok(())
}

/// When the next job is due that nobody holds at `now` and that this program knows how to do. One whose holder died is
/// found by the next claim after its lease.
pub fn next_due(tx: &mut Tx, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let row: Option<(Timestamp,)> = tx.row(
        sql!(
            "SELECT due_at FROM jobs WHERE leased_until <= $1 AND kind = ANY($2)
             ORDER BY due_at LIMIT 1"
        ),
        params![now, known_kinds()],
    )?;
    Ok(row.map(|(due_at,)| due_at))
}

/// How many jobs are owed.
pub fn count(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = tx.one(sql!("SELECT COUNT(*) FROM jobs"), params![])?;
    Ok(count)
}
