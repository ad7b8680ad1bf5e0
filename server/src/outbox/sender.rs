//! The loop that hands messages over: claim as many as there are free slots, hand each to its channel
//! outside any transaction, record the outcomes by the group.
//!
//! Each channel has a lane of its own, so that slow webhooks never hold up mail, and the lanes are apart
//! from the jobs, so that a mail server that hangs never holds up an escalation.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};

use super::links;
use super::mail::{self, Mailer};
use super::model::{Channel, Claimed, SendId};
use super::rules::Delivery;
use super::signing::{self, Secrets, SigningError};
use super::store::{self as rows, Finished};
use super::webhook;
use crate::app::App;
use crate::config::Settings;
use crate::outbound;
use crate::timeline::Agent;

/// Messages of one channel that are claimed at the same time on one node.
const SLOTS: usize = 48;
/// A claim is made when at least so many slots are free, so that claims are worth their transaction.
const WORTH_CLAIMING: usize = 12;
/// How many outcomes are recorded together at most.
const GROUP: usize = 256;
/// The longest sleep: another node may have owed a message without this one hearing of it.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// How long the signing secret is used before it is read again.
const SECRET_IS_FRESH: Duration = Duration::from_secs(60);

/// The lanes. What is shown in the outbox only needs none.
pub const LANES: [Channel; 2] = [Channel::Email, Channel::Webhook];

// A claimed message waits for a connection at most while those before it time out; its lease must outlast
// that and its own attempt.
const _: () = assert!((SLOTS / mail::CONNECTIONS) as u64 * mail::TIMEOUT.as_secs() < rows::LEASE.as_secs());
const _: () = assert!(outbound::TIMEOUT.as_secs() < rows::LEASE.as_secs());

/// The ways out of this node.
pub struct Channels {
    mailer: Option<Mailer>,
    webhooks: outbound::Client,
    /// As it was read last, and when.
    signing_secrets: Mutex<Option<(Timestamp, Arc<Secrets>)>>,
}

impl Channels {
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self {
            mailer: settings.mail.as_ref().map(Mailer::new).transpose()?,
            webhooks: outbound::Client::new(settings.allowed_networks.clone())?,
            signing_secrets: Mutex::new(None),
        })
    }
}

impl Channels {
    /// Whether webhooks may not be posted there, as far as the address itself tells.
    pub fn is_off_limits(&self, address: &url::Url) -> bool {
        self.webhooks.is_off_limits(address)
    }
}

async fn deliver(app: &App, send: &Claimed) -> Delivery {
    let link = links::opened(&app.settings.vault, &send.id, send.secret_link.as_deref());
    let opened = match link {
        Ok(secret_link) => Claimed {
            secret_link,
            ..send.clone()
        },
        Err(error) => {
            return Delivery::PutOff {
                reason: format!("The message's link could not be read: {error}."),
            };
        }
    };
    let send = &opened;
    match send.channel {
        Channel::Email => match &app.channels.mailer {
            Some(mailer) => mailer.deliver(send).await,
            None => Delivery::Shown,
        },
        Channel::Webhook => match signing_secrets(app).await {
            Ok(secrets) => {
                let secrets = secrets.valid_at(app.clock.now());
                webhook::deliver(&app.channels.webhooks, &secrets, send).await
            }
            Err(error) => Delivery::PutOff {
                reason: format!("The signing secret could not be read: {error}."),
            },
        },
        Channel::Outbox => Delivery::Shown,
    }
}

/// The secrets that are signed with. They are read again after a while, so that every node follows a change.
async fn signing_secrets(app: &App) -> Result<Arc<Secrets>, SigningError> {
    let now = app.clock.now();
    let mut known = app.channels.signing_secrets.lock().await;
    if let Some((read_at, secrets)) = known.as_ref()
        && now.duration_since(*read_at).unsigned_abs() < SECRET_IS_FRESH
    {
        return Ok(Arc::clone(secrets));
    }
    let vault = app.settings.vault.clone();
    let secrets = app
        .change(Agent::muster(), move |change| signing::secrets(change, &vault))
        .await?;
    let secrets = Arc::new(secrets);
    *known = Some((now, Arc::clone(&secrets)));
    Ok(secrets)
}

/// Has this node read the secrets afresh before it signs again.
pub async fn forget_signing_secrets(app: &App) {
    *app.channels.signing_secrets.lock().await = None;
}

async fn attempt(app: &App, send: Claimed) -> Finished {
    let began = Instant::now();
    let delivery = deliver(app, &send).await;
    Finished {
        delivery,
        at: app.clock.now(),
        took: began.elapsed(),
        send,
    }
}

async fn claim(app: &App, lane: Channel, limit: usize) -> Result<Vec<Claimed>, store::Error> {
    let now = app.clock.now();
    app.store
        .write(move |tx| rows::claim(tx, lane, now, limit as i64))
        .await
}

/// Records a group, trying until it succeeds: what is not recorded would be sent again.
async fn record(app: &App, group: Arc<Vec<Finished>>) {
    loop {
        let outcomes = Arc::clone(&group);
        let recorded = app
            .change(Agent::muster(), move |change| rows::record(change, &outcomes))
            .await;
        match recorded {
            Ok(ended) => {
                for one in ended {
                    crate::metrics::send_ended(
                        one.channel.as_text(),
                        one.purpose.as_text(),
                        one.state.as_text(),
                        one.delay,
                    );
                }
                return;
            }
            Err(error) => {
                tracing::error!(
                    "what became of {} messages cannot be written: {error}",
                    group.len()
                );
                tokio::select! {
                    () = tokio::time::sleep(LONGEST_SLEEP) => {}
                    () = app.stopping.cancelled() => return,
                }
            }
        }
    }
}

/// Sends everything that is due now and returns how many messages that were. Tests call this instead of
/// waiting.
pub async fn send_due(app: &Arc<App>) -> Result<usize, store::Error> {
    let mut count = 0;
    for lane in LANES {
        loop {
            let claimed = claim(app, lane, SLOTS).await?;
            if claimed.is_empty() {
                break;
            }
            count += claimed.len();
            let mut under_way = tokio::task::JoinSet::new();
            for send in claimed {
                let app = Arc::clone(app);
                under_way.spawn(async move { attempt(&app, send).await });
            }
            record(app, Arc::new(under_way.join_all().await)).await;
        }
    }
    Ok(count)
}

/// A message that was claimed: its slot is free again when its outcome is written, not before, so that never more than
/// the slots are sent and not recorded.
struct Outcome {
    finished: Finished,
    slot: OwnedSemaphorePermit,
    hand: InThisHand,
}

/// What one lane has claimed and not recorded yet. When the database was away for longer than a lease, it gives the same
/// messages out again before their outcome is written.
type InHand = Arc<std::sync::Mutex<HashSet<SendId>>>;

fn held(in_hand: &InHand) -> std::sync::MutexGuard<'_, HashSet<SendId>> {
    in_hand.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A message that a lane has in hand. Whatever becomes of the attempt, even that it breaks off, it is let go in the end.
struct InThisHand {
    id: SendId,
    in_hand: InHand,
}

impl Drop for InThisHand {
    fn drop(&mut self) {
        held(&self.in_hand).remove(&self.id);
    }
}

/// Serves one lane until the app is told to stop; what is under way then is finished and recorded.
pub async fn run(app: Arc<App>, lane: Channel) {
    let (finished, outcomes) = mpsc::channel(GROUP * 4);
    let in_hand = InHand::default();
    let recorder = tokio::spawn(record_outcomes(Arc::clone(&app), outcomes));
    let slots = Arc::new(Semaphore::new(SLOTS));
    while let Some(mut free) = free_slots(&app, &slots).await {
        let woken = app.sends_owed.notified();
        let claimed = match claim(&app, lane, free.num_permits()).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::error!("messages cannot be claimed: {error}");
                Vec::new()
            }
        };
        if claimed.is_empty() {
            drop(free);
            let next = app.store.read(move |tx| rows::next_due(tx, lane)).await;
            let next = next.unwrap_or_else(|error| {
                tracing::error!("the next message cannot be read: {error}");
                None
            });
            tokio::select! {
                () = woken => {}
                () = app.clock.rest_until(next, LONGEST_SLEEP) => {}
                () = app.stopping.cancelled() => break,
            }
            continue;
        }
        for send in claimed {
            if !held(&in_hand).insert(send.id.clone()) {
                continue;
            }
            let hand = InThisHand {
                id: send.id.clone(),
                in_hand: Arc::clone(&in_hand),
            };
            let Some(slot) = free.split(1) else {
                break;
            };
            let (app, finished) = (Arc::clone(&app), finished.clone());
            tokio::spawn(async move {
                let outcome = Outcome {
                    finished: attempt(&app, send).await,
                    slot,
                    hand,
                };
                if finished.send(outcome).await.is_err() {
                    tracing::error!("an outcome could not be recorded; the message will be sent again");
                }
            });
        }
    }
    drop(finished);
    if let Err(error) = recorder.await {
        tracing::error!("the recorder of outcomes stopped: {error}");
    }
}

/// Waits until a claim is worth it and takes every slot that is free then. None when the app stops.
async fn free_slots(app: &App, slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    let mut taken = tokio::select! {
        taken = Arc::clone(slots).acquire_many_owned(WORTH_CLAIMING as u32) => taken.ok()?,
        () = app.stopping.cancelled() => return None,
    };
    while let Ok(more) = Arc::clone(slots).try_acquire_owned() {
        taken.merge(more);
    }
    Some(taken)
}

async fn record_outcomes(app: Arc<App>, mut outcomes: mpsc::Receiver<Outcome>) {
    let mut group = Vec::new();
    while outcomes.recv_many(&mut group, GROUP).await > 0 {
        let (finished, kept): (Vec<Finished>, Vec<_>) = group
            .drain(..)
            .map(|one| (one.finished, (one.slot, one.hand)))
            .unzip();
        record(&app, Arc::new(finished)).await;
        drop(kept);
    }
}
