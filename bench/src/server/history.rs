//! A long history, put into an embedded database at rest: copies of one real incident, one real customer and one real case.
//! The cases are spread over all customers and sites.
//!
//! The copies are made by SQL from rows that Muster itself wrote, column by column, so they always have the shape of
//! today's tables; only what tells them apart is exchanged.

use std::path::Path;

use anyhow::Context as _;
use rusqlite::Connection;

/// Incidents in the history.
pub(super) const INCIDENTS: i64 = 100_000;
/// Cases in the history.
pub(super) const CASES: i64 = 1_000_000;
/// Customers in the history.
pub(super) const ACCOUNTS: i64 = 20_000;
/// Of so many cases one is the first customer's, who so has as many cases as there are customers.
const THE_LOUDEST_ONE_IN: i64 = 50;
/// Of so many cases one is still open and owed an answer.
const OWED_ONE_IN: i64 = 500;
/// The history's length: one incident and ten cases in so many microseconds.
const STEP: i64 = 300_000_000;

/// One kind of row to copy: its table, how many for each incident or case, and what differs.
struct Copies {
    table: &'static str,
    /// Which row is the pattern.
    pattern: &'static str,
    count: i64,
    /// Column and expression; `n` counts from 1, `p` is the pattern.
    changed: &'static [(&'static str, &'static str)],
}

const COPIES: &[Copies] = &[
    Copies {
        table: "incidents",
        pattern: "p.status = 'resolved'",
        count: INCIDENTS,
        changed: &[
            ("id", "printf('Q0%012d', n)"),
            ("number", "1000 + n"),
            (
                "title",
                "'Terminal ' || (n % 977) || ' is silent in shop ' || (n % 240)",
            ),
            ("incident_key", "NULL"),
            ("created_at", "p.created_at - (:count - n) * :step"),
            ("updated_at", "p.created_at - (:count - n) * :step + 900000000"),
            ("resolved_at", "p.created_at - (:count - n) * :step + 900000000"),
            (
                "last_status_change_at",
                "p.created_at - (:count - n) * :step + 900000000",
            ),
            ("last_alert_at", "p.created_at - (:count - n) * :step"),
        ],
    },
    Copies {
        table: "alerts",
        pattern: "p.status = 'resolved'",
        count: INCIDENTS,
        changed: &[
            ("id", "printf('Q0%012d', n)"),
            ("incident_id", "printf('Q0%012d', n)"),
            ("alert_key", "'till-' || n"),
            ("created_at", "p.created_at - (:count - n) * :step"),
            ("last_event_at", "p.created_at - (:count - n) * :step"),
            ("resolved_at", "p.created_at - (:count - n) * :step + 900000000"),
        ],
    },
    Copies {
        table: "timeline_entries",
        pattern: "p.incident_id IS NOT NULL",
        count: INCIDENTS * 5,
        changed: &[
            ("id", "printf('R0%012d', n)"),
            ("incident_id", "printf('Q0%012d', (n + 4) / 5)"),
            ("at", "p.at - (:count - n) * :step / 5"),
        ],
    },
    Copies {
        table: "accounts",
        pattern: "true",
        count: ACCOUNTS,
        changed: &[
            ("id", "printf('Q0%012d', n)"),
            ("name", "'Customer ' || n"),
            ("email", "'customer' || n || '@example.org'"),
            ("external_id", "NULL"),
        ],
    },
    Copies {
        table: "cases",
        pattern: "true",
        count: CASES,
        changed: &[
            ("id", "printf('Q0%012d', n)"),
            ("number", "1000 + n"),
            ("external_reference", "NULL"),
            (
                "account_id",
                "printf('Q0%012d', CASE WHEN n % :loudest = 0 THEN 1 ELSE 1 + n % :accounts END)",
            ),
            (
                "location_id",
                "(SELECT id FROM sites WHERE place = n % (SELECT COUNT(*) FROM sites))",
            ),
            (
                "touchpoint_id",
                "CASE WHEN n % 4 = 0 THEN NULL ELSE p.touchpoint_id END",
            ),
            ("token", "printf('bench-%012d', n)"),
            (
                "subject",
                "'The card reader in shop ' || (n % 240) || ' says offline'",
            ),
            (
                "status",
                "CASE WHEN n % :owed = 0 THEN p.status ELSE 'closed' END",
            ),
            (
                "incident_id",
                "CASE WHEN n % 3 = 0 THEN NULL ELSE printf('Q0%012d', (n + 9) / 10) END",
            ),
            (
                "owed_since",
                "CASE WHEN n % :owed = 0 THEN p.created_at - (:count - n) * :step / 10 END",
            ),
            (
                "owed_order",
                "CASE WHEN n % :owed = 0 THEN p.created_at - (:count - n) * :step / 10 END",
            ),
            ("created_at", "p.created_at - (:count - n) * :step / 10"),
            ("updated_at", "p.created_at - (:count - n) * :step / 10"),
            (
                "closed_at",
                "CASE WHEN n % :owed = 0 THEN NULL ELSE p.created_at - (:count - n) * :step / 10 END",
            ),
        ],
    },
];

/// Writes the history into the database of a folder whose Muster is stopped.
pub(super) fn write(folder: &Path) -> anyhow::Result<()> {
    let mut connection = Connection::open(folder.join("muster.db"))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(
        "CREATE TEMP TABLE sites AS SELECT ROW_NUMBER() OVER (ORDER BY id) - 1 AS place, id FROM locations;
         CREATE UNIQUE INDEX temp.sites_by_place ON sites (place);",
    )?;
    for copies in COPIES {
        copy(&transaction, copies)?;
    }
    transaction.execute(
        "INSERT INTO case_words (rowid, words) SELECT number, subject || ' ' || text FROM cases WHERE number > 1000",
        [],
    )?;
    transaction.execute(
        "UPDATE counters SET value = 2000 + CASE name WHEN 'cases' THEN ?1 ELSE ?2 END",
        [CASES, INCIDENTS],
    )?;
    transaction.commit()?;
    connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(())
}

fn copy(connection: &Connection, copies: &Copies) -> anyhow::Result<()> {
    let Copies { table, pattern, .. } = copies;
    let mut statement = connection.prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
    let columns = statement
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    let values: Vec<String> = columns
        .iter()
        .map(|column| {
            copies
                .changed
                .iter()
                .find(|(name, _)| name == column)
                .map_or_else(|| format!("p.{column}"), |(_, changed)| (*changed).to_owned())
        })
        .collect();
    let insert = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
         INSERT INTO {table} ({columns})
         SELECT {values} FROM numbers, (SELECT * FROM {table} p WHERE {pattern} LIMIT 1) p",
        count = copies.count,
        columns = columns.join(", "),
        values = values.join(", "),
    )
    .replace(":count", &copies.count.to_string())
    .replace(":step", &STEP.to_string())
    .replace(":owed", &OWED_ONE_IN.to_string())
    .replace(":loudest", &THE_LOUDEST_ONE_IN.to_string())
    .replace(":accounts", &ACCOUNTS.to_string());
    let written = connection
        .execute(&insert, [])
        .with_context(|| format!("the history of {table} cannot be written"))?;
    anyhow::ensure!(
        written as i64 == copies.count,
        "{table} has no row that {pattern}"
    );
    Ok(())
}
