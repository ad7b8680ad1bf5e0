//! What other nodes did, for the pages that are open on this one.
//!
//! Where several nodes share a database, every change leaves its hints there with its own transaction. Each node looks
//! once a second and tells its readers what it has not told yet. Numbers are given before their transactions end, so the
//! last [`LOOKED_BACK`] are looked at again. A node that cannot look tells nothing; its readers then see on their next
//! visit what changed, as with any hint that is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::{Engine, Error, Tx, params, sql};

use crate::app::App;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Hints behind the newest that may still have been under way when it was seen.
const LOOKED_BACK: i64 = 200;
/// Hints that are told at one look.
const MOST: i64 = 5_000;
const KEPT: SignedDuration = SignedDuration::from_mins(1);

/// Leaves hints for other nodes. The embedded database has only one.
pub fn leave(tx: &mut Tx, node: i64, now: Timestamp, topics: &[String]) -> Result<(), Error> {
    if tx.engine() == Engine::Sqlite || topics.is_empty() {
        return Ok(());
    }
    let topics: BTreeSet<&str> = topics.iter().map(String::as_str).collect();
    let topics: Vec<&str> = topics.into_iter().collect();
    tx.send(
        sql!("INSERT INTO live_hints (node, at, topics) VALUES ($1, $2, $3)"),
        params![node, now, topics.join("\n")],
    )
}

/// What one node has heard of the others.
#[derive(Debug)]
pub struct Heard {
    newest: i64,
    /// Those of the last ones that were seen.
    seen: BTreeSet<i64>,
}

impl Heard {
    /// Begins with what comes from now on.
    ///
    /// # Errors
    /// When the hints cannot be read.
    pub async fn from_now(app: &App) -> Result<Self, Error> {
        let newest = app
            .store
            .read(|tx| tx.one::<(Option<i64>,)>(sql!("SELECT MAX(id) FROM live_hints"), params![]));
        let newest = newest.await?.0.unwrap_or(0);
        Ok(Self {
            newest,
            seen: hints(app, newest - LOOKED_BACK)
                .await?
                .into_iter()
                .map(|one| one.0)
                .collect(),
        })
    }

    /// Tells this node's readers what other nodes have left since.
    ///
    /// # Errors
    /// When the hints cannot be read.
    pub async fn tell(&mut self, app: &App) -> Result<(), Error> {
        let mut topics = Vec::new();
        for (id, node, left) in hints(app, self.newest - LOOKED_BACK).await? {
            if self.seen.insert(id) && node != app.node {
                topics.extend(left.lines().map(str::to_owned));
            }
            self.newest = self.newest.max(id);
        }
        self.seen = self.seen.split_off(&(self.newest - LOOKED_BACK));
        if topics.iter().any(|topic| topic == super::SENDS) {
            app.sends_owed.notify_waiters();
        }
        app.live.tell(topics);
        Ok(())
    }
}

/// Hints behind a number: their own, their node, and the topics.
async fn hints(app: &App, from: i64) -> Result<Vec<(i64, i64, String)>, Error> {
    let read = app.store.read(move |tx| {
        tx.rows(
            sql!("SELECT id, node, topics FROM live_hints WHERE id > $1 ORDER BY id LIMIT $2"),
            params![from, MOST],
        )
    });
    read.await
}

/// Follows the other nodes until the app is told to stop.
pub async fn watch(app: Arc<App>) {
    if app.store.engine() == Engine::Sqlite {
        return;
    }
    let mut heard = None;
    loop {
        if let Err(error) = look(&app, &mut heard).await {
            tracing::warn!("what other nodes did cannot be heard: {error}");
        }
        let next = app.clock.now() + LOOK_EVERY;
        tokio::select! {
            () = app.clock.sleep_until(next) => {}
            () = app.stopping.cancelled() => return,
        }
    }
}

async fn look(app: &App, heard: &mut Option<Heard>) -> Result<(), Error> {
    match heard {
        Some(heard) => heard.tell(app).await?,
        None => *heard = Some(Heard::from_now(app).await?),
    }
    let old = app.clock.now() - KEPT;
    app.store
        .write(move |tx| tx.execute(sql!("DELETE FROM live_hints WHERE at < $1"), params![old]))
        .await
        .map(drop)
}
