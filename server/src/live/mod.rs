//! Live views: whoever looks at something is told that it changed, and looks again.
//!
//! A hint carries only a topic (an incident's id, `cases`, `sends` …), never content, so a lost or doubled
//! one does no harm and permissions are checked when the page is read afresh. What other nodes did comes through [`others`].

pub mod others;

use std::sync::Arc;

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

/// Where hints are told and heard.
#[derive(Debug, Clone)]
pub struct Hub {
    sender: broadcast::Sender<Arc<str>>,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Hub {
    pub fn new() -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        Self { sender }
    }

    /// Tells each topic once.
    pub fn tell(&self, mut topics: Vec<String>) {
        topics.sort_unstable();
        topics.dedup();
        for topic in topics {
            // Nobody listening is not a failure.
            self.sender.send(Arc::from(topic)).ok();
        }
    }

    pub fn listen(&self) -> broadcast::Receiver<Arc<str>> {
        self.sender.subscribe()
    }
}
