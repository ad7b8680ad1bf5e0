//! Series of numbers: those that people read aloud (incidents, cases, maintenance windows), and the turns that people take.

use store::{Error, Tx, params, sql};

/// The next of a series. The row stays locked until the commit, so numbers have no gaps and no doubles.
pub fn next(tx: &mut Tx, series: &str) -> Result<i64, Error> {
    let (number,): (i64,) = tx.one(
        sql!(
            "INSERT INTO counters (name, value) VALUES ($1, 1)
             ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
        ),
        params![series],
    )?;
    Ok(number)
}
