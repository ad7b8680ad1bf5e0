//! Live views: whoever looks at something is told that it changed, and looks again.
//!
//! A hint carries only a topic (an incident's id, `cases`, `sends` …), never content, so a lost or doubled
//! one does no harm and permissions are checked when the page is read afresh. What other nodes did comes through [`others`].

pub mod others;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

/// The topic of the outbox.
pub const SENDS: &str = "sends";
/// The topic of the cases and of who is owed an answer.
pub const CASES: &str = "cases";
/// The topic of what agents are told.
pub const NOTICES: &str = "notices";
/// The topic of locations: what they are, what they use, how they stand.
pub const LOCATIONS: &str = "locations";
/// The topic of services, touchpoints and who stands on whom.
pub const SERVICES: &str = "services";

/// Hints that may wait for a slow reader before it is told to renew everything.
const BACKLOG: usize = 1024;

/// How long a page may take from its reading to its stream; what is told meanwhile, it hears when it listens.
const MEANWHILE: Duration = Duration::from_secs(10);

/// Where hints are told and heard.
#[derive(Debug, Clone)]
pub struct Hub {
    sender: broadcast::Sender<Arc<str>>,
    /// What was told lately, the oldest first.
    lately: Arc<Mutex<VecDeque<(Instant, Arc<str>)>>>,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Hub {
    pub fn new() -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        Self {
            sender,
            lately: Arc::default(),
        }
    }

    /// Tells each topic once.
    pub fn tell(&self, mut topics: Vec<String>) {
        topics.sort_unstable();
        topics.dedup();
        let now = Instant::now();
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        for topic in topics {
            let topic: Arc<str> = Arc::from(topic);
            lately.push_back((now, Arc::clone(&topic)));
            // Nobody listening is not a failure.
            self.sender.send(topic).ok();
        }
        while lately.len() > BACKLOG || lately.front().is_some_and(|(at, _)| at.elapsed() > MEANWHILE) {
            lately.pop_front();
        }
    }

    /// What a page that begins to listen now may have missed.
    pub fn told_lately(&self) -> BTreeSet<Arc<str>> {
        let lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = lately.iter().filter(|(at, _)| at.elapsed() <= MEANWHILE);
        recent.map(|(_, topic)| Arc::clone(topic)).collect()
    }

    pub fn listen(&self) -> broadcast::Receiver<Arc<str>> {
        self.sender.subscribe()
    }
}
