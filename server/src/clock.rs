//! The time, as a parameter. Nothing in Muster reads the machine's clock but this file: tests hold the
//! clock in their hand and the demo replays an outage faster than it happened.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

/// Where the time comes from. Clones show the same time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A time that only moves when told to.
    Simulated(Simulated),
    /// A time that began at `start` and runs `speed` times as fast as the machine's.
    Scaled {
        began: Instant,
        start: Timestamp,
        speed: u32,
    },
}

impl Clock {
    pub fn simulated(start: Timestamp) -> Self {
        let (moved, _) = watch::channel(());
        Self::Simulated(Simulated {
            time: Arc::new(Mutex::new(start)),
            moved: Arc::new(moved),
        })
    }

    pub fn scaled(start: Timestamp, speed: u32) -> Self {
        Self::Scaled {
            began: Instant::now(),
            start,
            speed: speed.max(1),
        }
    }

    /// Now, cut to microseconds: what is stored and what is compared are the same.
    pub fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the machine's clock is read"
        )]
        let now = match self {
            Self::System => Timestamp::now(),
            Self::Simulated(simulated) => *simulated.time.lock().unwrap_or_else(PoisonError::into_inner),
            Self::Scaled { began, start, speed } => *start + began.elapsed() * *speed,
        };
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Waits until the time has come. Returns at once when it has.
    pub async fn sleep_until(&self, at: Timestamp) {
        match self {
            Self::System => tokio::time::sleep(duration_between(self.now(), at)).await,
            Self::Scaled { speed, .. } => {
                tokio::time::sleep(duration_between(self.now(), at) / *speed).await;
            }
            Self::Simulated(simulated) => {
                let mut moved = simulated.moved.subscribe();
                while self.now() < at {
                    if moved.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// A clock held in a test's hand.
#[derive(Debug, Clone)]
pub struct Simulated {
    time: Arc<Mutex<Timestamp>>,
    moved: Arc<watch::Sender<()>>,
}

impl Simulated {
    pub fn advance(&self, by: Duration) {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner) += by;
        self.moved.send_replace(());
    }

    pub fn set(&self, to: Timestamp) {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner) = to;
        self.moved.send_replace(());
    }
}

fn duration_between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}
