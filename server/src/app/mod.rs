//! The running program: its parts put together, started and stopped.

pub mod auditor;
pub mod cleaning;
mod deeds;
pub mod dispatch;
pub mod door;
mod elsewhere;
pub mod front;
mod manual;
pub mod metrics;
pub mod migrations;
pub mod one_time;
pub mod router;
pub mod runner;
pub mod sealing;
pub mod serve;
pub mod subscriptions;
pub mod tls;

use std::sync::Arc;

use store::{Store, Tx};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::access::guessing::Guesses;
use crate::clock::Clock;
use crate::config::Settings;
use crate::http::Site;
use crate::http::limits::Limiter;
use crate::identifier::{Identifiers, NODE_LIMIT};
use crate::jobs::Kind as JobKind;
use crate::live::{Hub, LOCATIONS, SENDS, SERVICES};
use crate::orchestration::Rulebooks;
use crate::outbox::Channels;
use crate::signals::Journal;
use crate::signals::keys::Keys;
use crate::signals::leaves::Leaves;
use crate::signals::trying_again::Place;
use crate::timeline::{Agent, Change, Told};

/// Forms that one address may send in a minute.
const FORMS_PER_MINUTE: u32 = 20;

/// Everything a handler or a job may need. There is one for each process (or for each simulated node).
pub struct App {
    pub store: Store,
    pub clock: Clock,
    pub identifiers: Arc<Identifiers>,
    pub settings: Settings,
    pub site: Site,
    pub live: Hub,
    /// This node's number in the database, and its name as a holder of leases.
    pub node: i64,
    pub holder: String,
    pub journal: Journal,
    pub keys: Keys,
    /// How far this node has gone through the events that were kept apart.
    pub tried_again: Place,
    /// The rules of services on their events, prepared.
    pub rulebooks: Rulebooks,
    /// Events, by their integration.
    pub event_limiter: Option<Limiter>,
    /// Forms that people without an account send, by their address.
    pub form_limiter: Limiter,
    /// Wrong passwords, by account.
    pub guesses: Guesses,
    /// Rings when a job may have become due.
    pub jobs_owed: Notify,
    /// Rings when a message may have become due.
    pub sends_owed: Notify,
    /// The ways out: mail and webhooks.
    pub channels: Channels,
    /// Rate limits of this node.
    pub front: front::Front,
    /// The status pages as they are served.
    pub pages: crate::pages::cache::Cache,
    /// How the locations stand, as their pages show it.
    pub location_boards: crate::pages::board::Boards,
    /// How often somebody outside may do something.
    pub page_limits: crate::pages::rate::Limits,
    pub stopping: CancellationToken,
}

impl App {
    /// Puts the program together over an open database: takes a node number and nothing else.
    pub async fn assemble(store: Store, clock: Clock, settings: Settings) -> anyhow::Result<Arc<Self>> {
        crate::metrics::install()?;
        let now = clock.now();
        let node = store.write(move |tx| migrations::register_node(tx, now)).await?;
        let leaves = Leaves::open(&store, node).await?;
        let identifiers = Arc::new(Identifiers::new(node.unsigned_abs() % NODE_LIMIT));
        let site = Site::new(&settings.base_url, settings.html_base_url.as_deref())
            .showing_with(settings.vault.clone());
        Ok(Arc::new(Self {
            identifiers,
            holder: format!("node-{node}"),
            journal: Journal::start(leaves, node),
            keys: Keys::default(),
            tried_again: Place::default(),
            rulebooks: Rulebooks::default(),
            event_limiter: Limiter::of(settings.event_rate_limit),
            form_limiter: Limiter::per_minute(FORMS_PER_MINUTE),
            guesses: Guesses::default(),
            channels: Channels::new(&settings)?,
            front: front::Front::new(&settings),
            pages: crate::pages::cache::Cache::default(),
            location_boards: crate::pages::board::Boards::default(),
            page_limits: crate::pages::rate::Limits::default(),
            store,
            clock,
            site,
            settings,
            live: Hub::new(),
            node,
            jobs_owed: Notify::new(),
            sends_owed: Notify::new(),
            stopping: CancellationToken::new(),
        }))
    }

    /// Runs one unit of work and, once it is durable, tells whoever watches and wakes the jobs.
    pub async fn change<T, E, F>(&self, agent: Agent, work: F) -> Result<T, E>
    where
        F: Fn(&mut Change) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<store::Error> + Send + 'static,
    {
        let (identifiers, now) = (Arc::clone(&self.identifiers), self.clock.now());
        let (vault, node) = (self.settings.vault.clone(), self.node);
        let (answer, told) = self
            .store
            .write(move |tx| -> Result<(T, Told), E> {
                let mut change =
                    Change::new(tx, now, agent.clone(), &vault, &identifiers, subscriptions::ALL);
                let answer = work(&mut change)?;
                deeds::settle(&mut change)?;
                let told = change.into_told();
                crate::live::others::leave(tx, node, now, &told.touched)?;
                Ok((answer, told))
            })
            .await?;
        let touched = |topic: &str| told.touched.iter().any(|one| one == topic);
        if touched(SENDS) {
            self.sends_owed.notify_waiters();
        }
        if touched(LOCATIONS) || touched(SERVICES) || told.woken.contains(&JobKind::PagesRender) {
            self.location_boards.note();
        }
        self.live.tell(told.touched);
        if told.owes {
            self.jobs_owed.notify_one();
        }
        Ok(answer)
    }

    /// Reads a consistent snapshot.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<store::Error> + Send + 'static,
    {
        self.store.read(work).await
    }
}
