//! Where the journal's leaves lie until their signals have become alerts.
//!
//! The embedded database has one writer, and a run over a storm holds it for milliseconds. So that accepting an event
//! never waits for that, leaves lie in a file of their own beside it, with a writer of their own; in PostgreSQL, where
//! writers do not wait for one another, they lie in the database itself and have connections of their own. How far a part was taken is said in the
//! database, by the transaction that took it (`signal_cursors`). A leaf goes only after that: one that a crash left
//! behind lies behind its cursor, and is passed and removed by whoever looks next.

use std::path::Path;

use store::{Error, Location, Migration, Store, params, sql};

/// The file beside the embedded database, without its ending.
const FILE: &str = "journal";
/// The tables in it.
const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "journal/0001_leaves",
    sql: include_str!("../../migrations/journal/0001_leaves.sql"),
}];

/// What one commit accepted.
#[derive(Debug, Clone, store::FromRow)]
pub struct Leaf {
    /// The number of its last signal.
    pub sequence: i64,
    pub signals: i64,
    /// The signals as JSON, one a line.
    pub lines: String,
}

/// The leaves of all parts. Clones share them.
#[derive(Clone)]
pub struct Leaves {
    store: Store,
}

impl Leaves {
    /// Opens the leaves that belong to a database, for the node that has this number there.
    ///
    /// Leaves that lie in the embedded database itself, because an older program or a backup left them there, are moved.
    ///
    /// # Errors
    /// When they cannot be opened, or when those that wait were accepted for another database.
    pub async fn open(database: &Store, node: i64) -> anyhow::Result<Self> {
        let leaves = Self::beside(database).await?;
        if !leaves.is_apart() {
            return Ok(leaves);
        }
        leaves.move_from(database).await?;
        let newest = leaves
            .store
            .read(|tx| tx.one::<(Option<i64>,)>(sql!("SELECT MAX(node) FROM journal"), params![]));
        let (newest,) = newest.await?;
        if newest.is_some_and(|newest| newest > node) {
            anyhow::bail!(
                "{FILE}.db holds events that were accepted for another database. Put back the database that it belongs \
                 to, or move {FILE}.db away; its events are then not turned into alerts."
            );
        }
        Ok(leaves)
    }

    async fn beside(database: &Store) -> Result<Self, Error> {
        let store = database.beside(FILE, MIGRATIONS).await?;
        Ok(Self { store })
    }

    fn is_apart(&self) -> bool {
        self.store.engine() == store::Engine::Sqlite
    }

    /// Copies first and removes then, so that a crash in between loses nothing.
    async fn move_from(&self, database: &Store) -> Result<(), Error> {
        let older = database.read(rows).await?;
        let Some((last_node, last_sequence, ..)) = older.last().cloned() else {
            return Ok(());
        };
        self.store
            .write(move |tx| older.iter().try_for_each(|row| keep(tx, row)))
            .await?;
        let clear = database.write(move |tx| {
            tx.execute(
                sql!("DELETE FROM journal WHERE node < $1 OR (node = $1 AND sequence <= $2)"),
                params![last_node, last_sequence],
            )
        });
        clear.await.map(drop)
    }

    /// Adds a leaf. It is durable when this returns.
    ///
    /// # Errors
    /// When it was not kept.
    pub async fn add(&self, node: i64, leaf: Leaf) -> Result<(), Error> {
        let row = (node, leaf.sequence, leaf.signals, leaf.lines);
        let write = self.store.write(move |tx| {
            let (node, sequence, signals, lines) = &row;
            tx.execute_one(
                sql!("INSERT INTO journal (node, sequence, signals, lines) VALUES ($1, $2, $3, $4)"),
                params![node, sequence, signals, lines],
            )
        });
        write.await
    }

    /// The nodes that have left something.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn parts(&self) -> Result<Vec<i64>, Error> {
        let read = self
            .store
            .read(|tx| tx.rows::<(i64,)>(sql!("SELECT DISTINCT node FROM journal ORDER BY node"), params![]));
        Ok(read.await?.into_iter().map(|(node,)| node).collect())
    }

    /// The oldest leaves of a part, in their order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn first_of(&self, part: i64, limit: i64) -> Result<Vec<Leaf>, Error> {
        let read = self.store.read(move |tx| {
            tx.rows(
                sql!(
                    "SELECT sequence, signals, lines FROM journal WHERE node = $1 ORDER BY sequence LIMIT $2"
                ),
                params![part, limit],
            )
        });
        read.await
    }

    /// Removes the leaves of a part that hold nothing beyond this number.
    ///
    /// # Errors
    /// When they could not be removed; they are then looked at again, and nothing is taken twice.
    pub async fn remove_up_to(&self, part: i64, sequence: i64) -> Result<(), Error> {
        let write = self.store.write(move |tx| {
            tx.execute(
                sql!("DELETE FROM journal WHERE node = $1 AND sequence <= $2"),
                params![part, sequence],
            )
        });
        write.await.map(drop)
    }

    /// Every leaf without its signals: its node, its last number, and how many it holds.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn sizes(&self) -> Result<Vec<(i64, i64, i64)>, Error> {
        let read = self
            .store
            .read(|tx| tx.rows(sql!("SELECT node, sequence, signals FROM journal"), params![]));
        read.await
    }

    /// Whether a leaf could be added now.
    ///
    /// # Errors
    /// When it could not.
    pub async fn check(&self) -> Result<(), Error> {
        if self.is_apart() {
            return self.store.check().await;
        }
        Ok(())
    }

    /// Closes the connections of the leaves; those of the database stay open.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// A row of the journal: node, last number, count, lines.
type Row = (i64, i64, i64, String);

fn rows(tx: &mut store::Tx) -> Result<Vec<Row>, Error> {
    tx.rows(
        sql!("SELECT node, sequence, signals, lines FROM journal ORDER BY node, sequence"),
        params![],
    )
}

fn keep(tx: &mut store::Tx, (node, sequence, signals, lines): &Row) -> Result<(), Error> {
    tx.execute(
        sql!(
            "INSERT INTO journal (node, sequence, signals, lines) VALUES ($1, $2, $3, $4)
             ON CONFLICT (node, sequence) DO NOTHING"
        ),
        params![node, sequence, signals, lines],
    )
    .map(drop)
}

/// Copies the database and the leaves that wait into one new file, while Muster runs.
///
/// The leaves are read before the database is copied: those that were taken in between are behind their cursors in the
/// copy, and the others are in it.
///
/// # Errors
/// As [`Store::backup`].
pub async fn back_up(database: &Store, to: &Path) -> Result<(), Error> {
    let leaves = Leaves::beside(database).await?;
    let waiting = leaves.store.read(rows).await?;
    leaves.close().await;
    database
        .backup(to, move |tx| waiting.iter().try_for_each(|row| keep(tx, row)))
        .await
}

/// Makes such a copy the database of a folder that has none. The leaves in it are moved at the next start.
///
/// # Errors
/// As [`Store::restore`], and when the folder holds leaves of another database.
pub async fn restore(location: &Location, from: &Path) -> anyhow::Result<()> {
    if let Location::Sqlite { directory } = location {
        let file = directory.join(format!("{FILE}.db"));
        anyhow::ensure!(
            !file.exists(),
            "{} exists and belongs to another database; move it away first",
            file.display()
        );
    }
    Ok(Store::restore(location, from).await?)
}
