//! Which kinds of alerts bring about which: learned from the past once a day, and read when an alert is placed.
//!
//! The alerts of the last thirty days and the dependency graph go to [`triage::Causes`], which shares every alert out
//! among those shortly before it at the same place or next to it. What it finds is kept in rows, so that every node
//! decides alike and a restart forgets nothing; how much is read and kept is bounded. A round that fails or is cut off
//! leaves what was known before, and is tried again. What a later round does not find again is forgotten.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use store::{Error, Tx, params, sql};
use triage::{Cause, Causes, CausesSetting, Happening, Kind};

use super::knowledge::Landscape;
use super::lessons::number;
use crate::app::App;
use crate::identifier::earliest_at;
use crate::jobs::{Kind as JobKind, Owed};
use crate::timeline::{Agent, Change};

/// Between two rounds.
const PAUSE: SignedDuration = SignedDuration::from_hours(24);
/// A Muster that has just started has more urgent things to do.
const FIRST: SignedDuration = SignedDuration::from_mins(30);
/// How far back a round looks, and at how many alerts at most, the latest.
const PAST: SignedDuration = SignedDuration::from_hours(30 * 24);
const ALERTS: i64 = 50_000;
/// A cause that explains less of its effect would not tip a decision.
const LEAST_SHARE: f64 = 0.1;
/// Pairs that are kept, those with most effects.
const PAIRS: usize = 5_000;
/// Pairs that one transaction writes, so that whoever writes meanwhile does not wait for all.
const AT_ONCE: usize = 500;
/// Pairs that are read for one kind.
const PARTNERS: i64 = 1_000;

const SUBJECT: &str = "all";

/// Sees to it that causes are learned. Several nodes share one.
pub async fn begin(app: &App) -> Result<(), Error> {
    app.change(Agent::muster(), |change| {
        change.owe(&Owed::by(JobKind::CausesDue, SUBJECT, change.now + FIRST))
    })
    .await
}

/// One round, and the promise of the next.
pub async fn causes_due(app: &Arc<App>) -> anyhow::Result<()> {
    let now = app.clock.now();
    app.change(Agent::muster(), move |change| {
        change.owe(&Owed::at(JobKind::CausesDue, SUBJECT, now + PAUSE))
    })
    .await?;
    let past = app.read(move |tx| Past::read(tx, now)).await?;
    // A busy month takes about a second, which is too much for a thread that serves requests.
    let learned = tokio::task::spawn_blocking(move || past.learn()).await?;
    for some in learned.chunks(AT_ONCE) {
        let some = some.to_vec();
        app.change(Agent::muster(), move |change| keep(change, &some, now))
            .await?;
    }
    app.change(Agent::muster(), move |change| -> Result<(), Error> {
        change.tx.execute(
            sql!("DELETE FROM alert_causes WHERE learned_at < $1"),
            params![now],
        )?;
        Ok(())
    })
    .await?;
    Ok(())
}

/// An alert as it is learned from.
#[derive(Debug, store::FromRow)]
struct PastAlert {
    kind: i64,
    service_id: String,
    source: String,
    component: Option<String>,
    created_at: Timestamp,
}

/// What a round learns from.
struct Past {
    landscape: Landscape,
    alerts: Vec<PastAlert>,
}

impl Past {
    fn read(tx: &mut Tx, now: Timestamp) -> Result<Self, Error> {
        let alerts = tx.rows(
            sql!(
                "SELECT kind, service_id, source, component, created_at FROM alerts
                 WHERE id >= $1 AND kind IS NOT NULL ORDER BY id DESC LIMIT $2"
            ),
            params![earliest_at(now - PAST), ALERTS],
        )?;
        let landscape = Landscape::read(tx)?;
        Ok(Self { landscape, alerts })
    }

    /// The pairs that are worth keeping, those with most effects first.
    fn learn(&self) -> Vec<Cause> {
        let happenings: Vec<Happening<'_>> = self
            .alerts
            .iter()
            .map(|alert| Happening {
                kind: Kind::from_bits(alert.kind.cast_unsigned()),
                place: self
                    .landscape
                    .place_of(&alert.source, alert.component.as_deref(), &alert.service_id),
                at: alert.created_at,
            })
            .collect();
        let learned = Causes::learn(&happenings, &self.landscape.topology, &CausesSetting::default());
        let mut pairs: Vec<Cause> = learned.into();
        pairs.retain(|cause| cause.share >= LEAST_SHARE);
        pairs.sort_by(|one, other| {
            other
                .effects
                .total_cmp(&one.effects)
                .then((one.from, one.to).cmp(&(other.from, other.to)))
        });
        pairs.truncate(PAIRS);
        pairs
    }
}

fn keep(change: &mut Change, learned: &[Cause], now: Timestamp) -> Result<(), Error> {
    for cause in learned {
        change.tx.send(
            sql!(
                "INSERT INTO alert_causes (cause, effect, effects, rate, share, learned_at)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (cause, effect) DO UPDATE SET effects = excluded.effects, rate = excluded.rate,
                     share = excluded.share, learned_at = excluded.learned_at
                 WHERE alert_causes.learned_at <= excluded.learned_at"
            ),
            params![
                number(cause.from),
                number(cause.to),
                cause.effects,
                cause.rate,
                cause.share,
                now
            ],
        )?;
    }
    Ok(())
}

/// Tells `causes` what is known of a kind as a cause and as an effect.
pub fn recall(tx: &mut Tx, causes: &mut Causes, kind: Kind) -> Result<(), Error> {
    let rows: Vec<(i64, i64, f64, f64, f64)> = tx.rows(
        sql!(
            "SELECT cause, effect, effects, rate, share FROM alert_causes WHERE cause = $1 OR effect = $1
             ORDER BY effects DESC, cause, effect LIMIT $2"
        ),
        params![number(kind), PARTNERS],
    )?;
    for (from, to, effects, rate, share) in rows {
        causes.recall(Cause {
            from: Kind::from_bits(from.cast_unsigned()),
            to: Kind::from_bits(to.cast_unsigned()),
            effects,
            rate,
            share,
        });
    }
    Ok(())
}
