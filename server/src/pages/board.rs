//! How every location stands, held in memory, so that looking at a location's page asks no database.
//!
//! A board is read whole, in one snapshot, when somebody looks and something has changed since the last one
//! was read. What changed on this node counts from the moment of its commit (`App::change` says so); what
//! changed on another node is noticed within two seconds, by a number that every such change raises in the
//! database. From a board the page of each location is drawn when it is asked for, once in a minute.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::{Timestamp, ToSpan as _};
use store::{Error, Tx, Value, params, sql};

use super::cache::Ready;
use super::location::{Counts, LocationReport, LocationSituation, Said, Touchpoint, Trouble};
use crate::app::App;
use crate::customers::locations;
use crate::impact::model::Standing;
use crate::incidents::IncidentId;
use crate::timeline::Change;
use crate::updates::situation::{Noticed, noticed};
use crate::updates::store::{PublicWord, public_words};

/// Words of staff that are looked at, the newest ones.
const MOST_REPORTS: i64 = 20_000;

/// Every location as of one moment, by its code.
#[derive(Debug)]
pub struct Board {
    /// How many changes had been counted when it was read.
    as_of: u64,
    situations: HashMap<String, LocationSituation>,
    /// Pages drawn from it, by code, each with the minute it shows.
    drawn: Mutex<HashMap<String, (i64, Arc<Ready>)>>,
}

impl Board {
    pub fn situation(&self, code: &str) -> Option<&LocationSituation> {
        self.situations.get(code)
    }

    /// The page of a location as it reads in this minute; drawn if it has not been.
    pub fn page<E>(
        &self,
        code: &str,
        now: Timestamp,
        draw: impl FnOnce(&LocationSituation) -> Result<Ready, E>,
    ) -> Result<Option<Arc<Ready>>, E> {
        let Some(situation) = self.situations.get(code) else {
            return Ok(None);
        };
        let minute = now.as_second().div_euclid(60);
        {
            let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((of, ready)) = drawn.get(code)
                && *of == minute
            {
                return Ok(Some(Arc::clone(ready)));
            }
        }
        let ready = Arc::new(draw(situation)?);
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.insert(code.to_owned(), (minute, Arc::clone(&ready)));
        Ok(Some(ready))
    }
}

/// This node's board, and what it knows about its age.
#[derive(Debug, Default)]
pub struct Boards {
    /// Counts what has changed.
    changes: AtomicU64,
    held: RwLock<Option<Arc<Board>>>,
    /// Whoever reads a new board holds this, so that many who ask wait for one reading.
    reading: tokio::sync::Mutex<()>,
    /// What the database counted when it was last looked at.
    seen: Mutex<Option<(i64, i64)>>,
    /// Boards read so far, for those who want to know whether that is too often.
    read: AtomicU64,
}

impl Boards {
    /// Something that locations show has changed.
    pub fn note(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// How many boards this node has read.
    pub fn times_read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }

    fn fresh(&self) -> Option<Arc<Board>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let wanted = self.changes.load(Ordering::SeqCst);
        held.as_ref().filter(|board| board.as_of == wanted).cloned()
    }
}

/// The board as of now.
pub async fn current(app: &Arc<App>) -> Result<Arc<Board>, Error> {
    let boards = &app.location_boards;
    if let Some(board) = boards.fresh() {
        return Ok(board);
    }
    let _alone = boards.reading.lock().await;
    if let Some(board) = boards.fresh() {
        return Ok(board);
    }
    // Counted before the reading begins: what changes meanwhile makes this board old at once.
    let as_of = boards.changes.load(Ordering::SeqCst);
    let situations = app.read(read).await?;
    let board = Arc::new(Board {
        as_of,
        situations,
        drawn: Mutex::default(),
    });
    boards.read.fetch_add(1, Ordering::SeqCst);
    *boards.held.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&board));
    Ok(board)
}

/// Lets the other nodes know, in the transaction of the change.
pub fn note(change: &mut Change) -> Result<(), Error> {
    change.tx.execute(
        sql!("UPDATE location_boards SET version = version + 1"),
        params![],
    )?;
    change.touch(crate::live::LOCATIONS);
    Ok(())
}

/// Looks whether another node has changed something: an incident, a word, or the catalogue, of which every
/// change is audited.
pub async fn look(app: &Arc<App>) -> Result<(), Error> {
    let counted: (i64, i64) = app
        .read(|tx| -> Result<_, Error> {
            tx.one(
                sql!(
                    "SELECT version, (SELECT COALESCE(MAX(sequence), 0) FROM audit_records) AS audited
                     FROM location_boards"
                ),
                params![],
            )
        })
        .await?;
    let boards = &app.location_boards;
    let mut seen = boards.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if *seen != Some(counted) {
        *seen = Some(counted);
        boards.note();
    }
    Ok(())
}

/// Reads every location that has a code.
fn read(tx: &mut Tx) -> Result<HashMap<String, LocationSituation>, Error> {
    let mut by_id: HashMap<String, LocationSituation> = locations::tree(tx)?
        .into_iter()
        .filter(|location| location.code.is_some())
        .map(|location| (location.id.to_string(), LocationSituation::of(location)))
        .collect();
    if by_id.is_empty() {
        return Ok(HashMap::new());
    }
    let noticed = noticed(tx)?;
    let touchpoints = touchpoints(tx, &noticed)?;
    for one in &noticed {
        spread(one, &touchpoints, &mut by_id);
    }
    let ids: Vec<IncidentId> = noticed.iter().map(|one| one.incident.id.clone()).collect();
    let words = public_words(tx, &ids)?;
    let mut reports = last_reports(tx)?;
    Ok(by_id
        .into_values()
        .filter_map(|mut situation| {
            situation.put_in_order();
            situation.word = word(&situation, &words);
            situation.last_report = reports.remove(situation.location.id.as_str());
            Some((situation.location.code.clone()?, situation))
        })
        .collect())
}

/// The newest word about what hurts here, or else about what hurts elsewhere.
fn word(situation: &LocationSituation, words: &[PublicWord]) -> Option<PublicWord> {
    let about = |troubles: &[Trouble]| {
        words
            .iter()
            .find(|word| troubles.iter().any(|one| one.incident_id == word.incident_id))
            .cloned()
    };
    about(&situation.here).or_else(|| about(&situation.elsewhere))
}

fn touchpoints(tx: &mut Tx, noticed: &[Noticed]) -> Result<HashMap<String, Arc<Touchpoint>>, Error> {
    let ids = noticed
        .iter()
        .flat_map(|one| &one.spread.touchpoints)
        .map(|touchpoint| touchpoint.id.as_str());
    let rows: Vec<Touchpoint> = tx.rows(
        sql!(
            "SELECT id, name, harm_weight, fallback, words_to_say FROM business_services
             WHERE id = ANY($1) AND deleted_at IS NULL"
        ),
        params![Value::texts(ids)],
    )?;
    Ok(rows
        .into_iter()
        .map(|touchpoint| (touchpoint.id.clone(), Arc::new(touchpoint)))
        .collect())
}

/// Writes one incident onto the locations that it concerns.
fn spread(
    noticed: &Noticed,
    touchpoints: &HashMap<String, Arc<Touchpoint>>,
    by_id: &mut HashMap<String, LocationSituation>,
) {
    let sites = &noticed.spread.sites;
    let count = |standing: Standing| sites.iter().filter(|site| site.standing == standing).count();
    let counts = Counts {
        down: count(Standing::Confirmed),
        recovering: count(Standing::Recovering),
        back: count(Standing::Back),
    };
    let is_placed = noticed.is_placed();
    for site in sites {
        let Some(situation) = by_id.get_mut(&site.id) else {
            continue;
        };
        for hurt in &noticed.spread.touchpoints {
            let Some(touchpoint) = touchpoints
                .get(&hurt.id)
                .filter(|_| site.uses(&noticed.spread, hurt))
            else {
                continue;
            };
            let trouble = Trouble {
                touchpoint: Arc::clone(touchpoint),
                harm: noticed.harm_to(hurt),
                incident_id: noticed.incident.id.clone(),
                since: noticed.incident.created_at,
                standing: site.standing,
                counts,
            };
            match site.standing {
                Standing::Confirmed | Standing::Recovering => situation.here.push(trouble),
                Standing::MayBeHurt if !is_placed => situation.here.push(trouble),
                Standing::MayBeHurt => situation.elsewhere.push(trouble),
                Standing::Back if counts.down > 0 => situation.elsewhere.push(trouble),
                Standing::Back => {}
            }
        }
    }
}

/// The newest word of each location within the last day.
fn last_reports(tx: &mut Tx) -> Result<HashMap<String, LocationReport>, Error> {
    let (newest,): (Option<Timestamp>,) = tx.one(sql!("SELECT MAX(at) FROM location_reports"), params![])?;
    let Some(since) = newest.and_then(|at| at.checked_sub(24.hours()).ok()) else {
        return Ok(HashMap::new());
    };
    let rows: Vec<(String, Said, Option<String>, Timestamp)> = tx.rows(
        sql!(
            "SELECT location_id, said, said_by, at FROM location_reports
             WHERE at > $1 ORDER BY at DESC, id DESC LIMIT $2"
        ),
        params![since, MOST_REPORTS],
    )?;
    let mut newest = HashMap::new();
    for (location_id, said, said_by, at) in rows {
        newest
            .entry(location_id)
            .or_insert(LocationReport { said, said_by, at });
    }
    Ok(newest)
}
